//! 应附凭证 (handbook §4): which papers an event type demands, of which goods, and what becomes of an event
//! without them.

use serde::Serialize;
use serde_json::{Map, Value};
use yj_model::DocumentKind;

use crate::pack::EventSpec;

/// What becomes of an event that lacks a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lacking {
    /// 不予登记
    Refuse,
    /// 由他人审核
    Review,
    /// 照常登记，计入缺少凭证
    Note,
}

impl Lacking {
    /// What becomes of it, in words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Refuse => "缺少的不予登记",
            Self::Review => "缺少的由他人审核",
            Self::Note => "缺少的计数",
        }
    }
}

/// 应附凭证
#[derive(Debug, Serialize)]
pub struct DocumentDemand {
    /// 名称, as people know the demand.
    pub name: String,
    /// Kinds of papers, one of which is enough.
    pub any_of: Vec<DocumentKind>,
    /// What becomes of an event without.
    pub lacking: Lacking,
    /// Whether a paper counts only where it is in the platform's register.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub registered: bool,
    /// The code or flag of the event on which it depends; always where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The values of `when` that demand it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<String>,
    /// The code or flag of the product on which it depends; of every product where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The values of `product` that demand it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub product_is: Vec<String>,
}

/// Whether what is said under this name is one of these.
pub(crate) fn is_one_of(attributes: &Map<String, Value>, name: &str, values: &[String]) -> bool {
    let text = match attributes.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => return false,
    };
    values.contains(&text)
}

impl DocumentDemand {
    /// Whether it is meant by an event of these attributes over goods of those.
    pub fn is_meant<'a>(
        &self,
        attributes: &Map<String, Value>,
        mut products: impl Iterator<Item = &'a Map<String, Value>>,
    ) -> bool {
        self.when.as_ref().is_none_or(|when| is_one_of(attributes, when, &self.is))
            && self.product.as_ref().is_none_or(|name| {
                products.any(|product| is_one_of(product, name, &self.product_is))
            })
    }

    /// 承诺达标合格证、动物检疫证明
    pub fn kinds(&self) -> String {
        self.any_of.iter().map(|kind| kind.label()).collect::<Vec<_>>().join("、")
    }

    /// The demand in one sentence, for forms, templates and the dictionary.
    pub fn said(&self) -> String {
        let one = if self.any_of.len() > 1 { "之一" } else { "" };
        let registered = if self.registered { "（须已在平台登记）" } else { "" };
        format!("{}：{}{one}{registered}，{}", self.name, self.kinds(), self.lacking.label())
    }
}

impl EventSpec {
    /// Whether some demand or rule depends on what the goods are.
    pub fn asks_of_products(&self) -> bool {
        !self.goods_rules.is_empty() || self.documents.iter().any(|demand| demand.product.is_some())
    }
}
