//! How much of a class there may be (EPCIS 2.0 §7.3.3.3.1).

use crate::{
    decimal::Decimal,
    fault::{Faults, Path},
    json::Json,
};

/// Lists whose items say how much of a class.
const LISTS: [&str; 4] =
    ["quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"];

pub(super) fn check(event: &Json, path: &Path<'_>, faults: &mut Faults) {
    for name in LISTS {
        let path = path.key(name);
        let items = event.get(name).map(Json::items).unwrap_or_default();
        for (index, item) in items.iter().enumerate() {
            if let Some((field, wanted)) = refuses(item) {
                faults.note(&path.index(index).key(field), wanted);
            }
        }
    }
}

/// The field that is wrong, and what would be right; what is no number at all is told elsewhere.
fn refuses(item: &Json) -> Option<(&'static str, &'static str)> {
    let unit = item.get("uom").is_some();
    let Some(Json::Number(text)) = item.get("quantity") else {
        let lacking = unit && item.get("quantity").is_none();
        return lacking.then_some(("uom", "没有 quantity 时不应有 uom"));
    };
    let wanted = match Decimal::parse(text) {
        None => "不是数量：指数过大",
        Some(amount) if !amount.is_positive() => "应大于 0；数量不明时不写 quantity",
        Some(amount) if !unit && !amount.is_whole() => {
            "没有 uom 时 quantity 是件数，应为正整数；称量的应写明 uom（如 KGM）"
        }
        Some(_) => return None,
    };
    Some(("quantity", wanted))
}
