//! Reading the rules over an event and its goods.

use yj_model::UnitCode;

use super::{CODES_MAX, EVENTS_MAX, FIELDS_MAX, NAME_MAX, Part, demand::case};
use crate::goods::{Belongs, GoodsDemand, GoodsRule, Trips};

/// Longest code that is told by its beginning, in digits.
const CODE_DIGITS_MAX: usize = 64;

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
    let only = |part: &mut Part<'_, '_>, keys: &[&str]| part.only(&[&OF_ALL[..], keys].concat());
    let kinds = ["filled", "output_max", "no_more", "marked"].map(|kind| (kind, kind));
    let demand = match part.one_of("kind", &kinds) {
        Some("output_max") => {
            only(part, &["per", "unit", "rate", "otherwise", "unless"]);
            if part.value("rate").is_none() {
                part.needed("otherwise");
            }
            GoodsDemand::OutputMax {
                per: part.word("per", NAME_MAX),
                unit: unit(part),
                rate: part.value("rate").map(|_| part.word("rate", NAME_MAX)),
                otherwise: part.quantity("otherwise"),
                unless: part.value("unless").map(|_| part.word("unless", NAME_MAX)),
            }
        }
        Some("no_more") => {
            only(part, &["tolerance_percent"]);
            part.needed("tolerance_percent");
            let tolerance_percent = part.quantity("tolerance_percent").unwrap_or_default();
            GoodsDemand::NoMore { tolerance_percent }
        }
        Some("marked") => {
            only(part, &["digits", "begins", "by", "is"]);
            GoodsDemand::Marked {
                digits: part.number("digits", CODE_DIGITS_MAX),
                begins: part.text("begins", CODE_DIGITS_MAX).unwrap_or_default(),
                by: part.word("by", NAME_MAX),
                is: part.texts("is", (1, CODES_MAX)),
            }
        }
        _ => {
            only(part, &["fields"]);
            GoodsDemand::Filled { fields: part.texts("fields", (1, FIELDS_MAX)) }
        }
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

pub(super) fn trips(part: &mut Part<'_, '_>) -> Trips {
    part.only(&["name", "vehicle", "departs", "arrives", "bill", "when", "is"]);
    let (when, is) = case(part, "when", "is");
    Trips {
        name: part.label("name"),
        vehicle: part.word("vehicle", NAME_MAX),
        departs: part.word("departs", NAME_MAX),
        arrives: part.word("arrives", NAME_MAX),
        bill: part.word("bill", NAME_MAX),
        when,
        is,
    }
}

fn unit(part: &mut Part<'_, '_>) -> String {
    let text = part.text("unit", NAME_MAX).unwrap_or_default();
    if !text.is_empty() && text.parse::<UnitCode>().is_err() {
        part.note("unit", "应为计量单位代码，如 KGM 千克、TNE 吨");
    }
    text
}
