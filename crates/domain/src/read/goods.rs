//! Reading the rules over an event and its goods.

use yj_model::UnitCode;

use super::{CODES_MAX, EVENTS_MAX, FIELDS_MAX, NAME_MAX, Part, demand::case};
use crate::goods::{Belongs, GoodsDemand, GoodsRule};

pub(super) fn goods_rule(part: &mut Part<'_, '_>) -> GoodsRule {
    const OF_ALL: [&str; 5] = ["name", "kind", "classes", "product", "product_is"];
    let name = part.label("name");
    let classes = part.texts("classes", (0, CODES_MAX));
    for (at, class) in classes.iter().enumerate() {
        let sound = class.len() <= 8 && class.bytes().all(|byte| byte.is_ascii_digit());
        if !sound {
            part.note(&format!("classes[{at}]"), "应为产品分类代码，至多 8 位数字，如 0101");
        }
    }
    let filled = part.one_of("kind", &[("filled", true), ("output_max", false)]);
    let demand = if filled == Some(false) {
        part.only(&[&OF_ALL[..], &["per", "unit", "rate", "otherwise", "unless"]].concat());
        let demand = GoodsDemand::OutputMax {
            per: part.word("per", NAME_MAX),
            unit: unit(part),
            rate: part.value("rate").map(|_| part.word("rate", NAME_MAX)),
            otherwise: part.quantity("otherwise"),
            unless: part.value("unless").map(|_| part.word("unless", NAME_MAX)),
        };
        if part.value("rate").is_none() {
            part.needed("otherwise");
        }
        demand
    } else {
        part.only(&[&OF_ALL[..], &["fields"]].concat());
        GoodsDemand::Filled { fields: part.texts("fields", (1, FIELDS_MAX)) }
    };
    let (product, product_is) = case(part, "product", "product_is");
    GoodsRule { name, classes, product, product_is, demand }
}

pub(super) fn belongs(part: &mut Part<'_, '_>) -> Belongs {
    part.only(&["name", "by", "named"]);
    Belongs {
        name: part.label("name"),
        by: part.texts("by", (1, EVENTS_MAX)),
        named: part.value("named").map(|_| part.word("named", NAME_MAX)),
    }
}

fn unit(part: &mut Part<'_, '_>) -> String {
    let text = part.text("unit", NAME_MAX).unwrap_or_default();
    if !text.is_empty() && text.parse::<UnitCode>().is_err() {
        part.note("unit", "应为计量单位代码，如 KGM 千克、TNE 吨");
    }
    text
}
