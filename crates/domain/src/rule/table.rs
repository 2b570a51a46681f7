//! Rules about which fields are filled in and which values go together.

use serde::Serialize;
use yj_model::{CasNumber, CreditCode, IdentityNumber, UnNumber};

use super::{Broken, values::Values};

/// A kind of number with rules of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// CAS 登记号
    Cas,
    /// 联合国编号
    Un,
    /// 统一社会信用代码
    CreditCode,
    /// 居民身份证号
    Identity,
}

impl Scheme {
    /// The words of a pack for them.
    pub(crate) const ALL: [(&'static str, Self); 4] = [
        ("cas", Self::Cas),
        ("un", Self::Un),
        ("credit_code", Self::CreditCode),
        ("identity", Self::Identity),
    ];

    fn objection(self, text: &str) -> Option<String> {
        let error = match self {
            Self::Cas => text.parse::<CasNumber>().err(),
            Self::Un => text.parse::<UnNumber>().err(),
            Self::CreditCode => text.parse::<CreditCode>().err(),
            Self::Identity => text.parse::<IdentityNumber>().err(),
        };
        error.map(|error| error.to_string())
    }
}

pub(super) fn number(values: Values<'_>, field: &str, scheme: Scheme) -> Option<Broken> {
    let objection = scheme.objection(&values.text(field)?)?;
    Some((String::from(field), format!("{}：{objection}", values.label(field))))
}

pub(super) fn not_listed(
    values: Values<'_>,
    field: &str,
    (listed, anywhere): (&[String], bool),
) -> Option<Broken> {
    let text = values.text(field)?;
    let hit = |one: &String| if anywhere { text.contains(one.as_str()) } else { text == *one };
    let found = listed.iter().any(hit);
    found.then(|| (String::from(field), format!("{}不允许", values.shown(field))))
}

pub(super) fn required_if(
    values: Values<'_>,
    field: &str,
    (when, is): (&str, &[String]),
) -> Option<Broken> {
    let missing = values.is_one_of(when, is) && !values.is_there(field);
    let (cause, wanted) = (values.shown(when), values.label(field));
    missing.then(|| (String::from(field), format!("{cause}时，{wanted}必填")))
}

pub(super) fn any_of(values: Values<'_>, fields: &[String]) -> Option<Broken> {
    let none = !fields.iter().any(|field| values.is_there(field));
    let labels: Vec<_> = fields.iter().map(|field| values.label(field)).collect();
    let first = fields.first().cloned().unwrap_or_default();
    none.then(|| (first, format!("{}至少填写一项", labels.join("、"))))
}

pub(super) fn row(
    values: Values<'_>,
    (key, columns): (&str, &[String]),
    (rows, blank): (&[Vec<String>], Option<&String>),
) -> Option<Broken> {
    let wanted = values.text(key)?;
    let known: Vec<_> =
        rows.iter().filter_map(|row| row.split_first()).filter(|row| *row.0 == wanted).collect();
    let given: Vec<_> =
        columns.iter().map(|column| values.text(column).or(blank.cloned())).collect();
    // A column that is not filled in agrees with every row.
    let agrees = |row: &[String]| {
        row.iter().zip(&given).all(|(cell, given)| given.as_ref().is_none_or(|given| given == cell))
    };
    if known.is_empty() || known.iter().any(|(_, row)| agrees(row)) {
        return None;
    }
    let said = |row: &[String]| {
        let cells: Vec<_> =
            columns.iter().zip(row).map(|(column, cell)| values.as_code(column, cell)).collect();
        cells.join("、")
    };
    let right: Vec<_> = known.iter().map(|(_, row)| said(row)).collect();
    let labels: Vec<_> = columns.iter().map(|column| values.label(column)).collect();
    let first = columns.first().cloned().unwrap_or_default();
    let detail =
        format!("{}的{}应为：{}", values.shown(key), labels.join("、"), right.join("；或 "));
    Some((first, detail))
}
