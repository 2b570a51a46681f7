//! What an identifier of an event may be: a URI of somebody's own, or a GS1 key that is well formed
//! (EPC Tag Data Standard §6, GS1 Digital Link §4) and of the kind that the field holds (EPCIS 2.0
//! §7.4, CBV 2.0 §8).

use super::format::is_uri;
use crate::identifier::{Epc, EpcScheme, Gs1Key, OTHER_SCHEMES};

/// What a field names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// A single thing or place.
    One,
    /// A class of things.
    Class,
    /// Either.
    Any,
}

/// What would be right instead of this text; `None` when it is.
pub(super) fn refuses(text: &str, names: Names) -> Option<String> {
    if !is_uri(text) {
        return Some(String::from("应为 URI（如 urn:epc:id:… 或 https://…）"));
    }
    let is_class = if let Some(rest) = text.strip_prefix("urn:epc:") {
        match epc_class(text, rest) {
            Ok(is_class) => is_class,
            Err(wanted) => return Some(wanted),
        }
    } else {
        // What is no GS1 key is its owner's to say.
        let key = Gs1Key::parse(text)?;
        if !key.has_right_check_digit() && is_surely_key(text, &key) {
            return Some(format!("{} 的校验码不对", key.value()));
        }
        key.is_class()
    };
    match names {
        Names::One if is_class => Some(String::from(
            "这里是单个物品或地点的标识，不应为类别；类别与批次写在 quantityList 一类的列表中",
        )),
        Names::Class if !is_class => Some(String::from(
            "这里是类别或批次的标识（如 urn:epc:class:lgtin:… 或 urn:epc:idpat:sgtin:….*），不应为单个物品",
        )),
        _ => None,
    }
}

/// Whether an EPC URN names a class; what would be right where it is none.
fn epc_class(urn: &str, rest: &str) -> Result<bool, String> {
    let (kind, rest) = rest.split_once(':').unwrap_or((rest, ""));
    if !matches!(kind, "id" | "class" | "idpat") {
        return Err(String::from(
            "应为纯标识的 EPC URN（urn:epc:id:…、urn:epc:class:… 或 urn:epc:idpat:…）",
        ));
    }
    let scheme = rest.split(':').next().unwrap_or_default();
    if OTHER_SCHEMES.contains(&scheme) && kind != "class" {
        return Ok(kind == "idpat");
    }
    match (Epc::parse(urn), EpcScheme::named(scheme)) {
        (Some(epc), _) => Ok(epc.is_class()),
        (None, Some(found)) => Err(match found.digits() {
            Some(digits) => format!(
                "不是完好的 {scheme} 标识：厂商识别代码为 6 至 12 位，与其后的参考代码共 {digits} 位数字，\
                 序列号（如有）不能为空，特殊字符应转义"
            ),
            None => format!(
                "不是完好的 {scheme} 标识：厂商识别代码为 6 至 12 位数字，其后的部分不能为空"
            ),
        }),
        (None, None) => Err(String::from("EPC 标签数据标准中没有这种标识")),
    }
}

/// Short trade item numbers on a domain of one's own may be any number.
fn is_surely_key(text: &str, key: &Gs1Key) -> bool {
    let host = text.split("://").nth(1).and_then(|rest| rest.split('/').next());
    let padded = key.ai() == "01" && key.value().starts_with("00");
    host.is_some_and(|host| host.eq_ignore_ascii_case("id.gs1.org")) || !padded
}
