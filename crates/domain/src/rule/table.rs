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
    /// 电话号码
    Phone,
}

impl Scheme {
    /// The words of a pack for them.
    pub(crate) const ALL: [(&'static str, Self); 5] = [
        ("cas", Self::Cas),
        ("un", Self::Un),
        ("credit_code", Self::CreditCode),
        ("identity", Self::Identity),
        ("phone", Self::Phone),
    ];

    fn objection(self, text: &str) -> Option<String> {
        let error = match self {
            Self::Cas => text.parse::<CasNumber>().err(),
            Self::Un => text.parse::<UnNumber>().err(),
            Self::CreditCode => text.parse::<CreditCode>().err(),
            Self::Identity => text.parse::<IdentityNumber>().err(),
            Self::Phone if is_phone(text) => None,
            Self::Phone => {
                return Some(format!(
                    "应为电话号码，如 13800000000、029-12345678 或 119，现为 {text}"
                ));
            }
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

pub(super) fn only_if(
    values: Values<'_>,
    field: &str,
    (when, is): (&str, &[String]),
) -> Option<Broken> {
    let astray = values.is_there(field) && values.is_there(when) && !values.is_one_of(when, is);
    let allowed: Vec<_> =
        is.iter().map(|code| format!("“{}”", values.as_code(when, code))).collect();
    let detail = || {
        let (label, now) = (values.label(field), values.shown(when));
        format!("已有{label}，{}应为{}，现为{now}", values.label(when), allowed.join("或"))
    };
    astray.then(|| (String::from(when), detail()))
}

/// Whether somebody can be called so; personal data may come masked.
fn is_phone(text: &str) -> bool {
    let digits = text.chars().filter(|letter| letter.is_ascii_digit() || *letter == '*').count();
    digits >= 3
        && text.chars().all(|letter| letter.is_ascii_digit() || "+-() *转，、,;".contains(letter))
}

/// How well a text says a name: by the letters of it, so that 二甲苯 is not taken for 甲苯.
fn says(text: &str, name: &str) -> Option<usize> {
    let letters = name.chars().count();
    let bare = text.split(['（', '(', '[', '【']).next().unwrap_or_default().trim();
    let said = if letters == 1 { bare == name } else { text.contains(name) };
    said.then_some(letters)
}

pub(super) fn named(
    values: Values<'_>,
    (key, field): (&str, &str),
    rows: &[Vec<String>],
) -> Option<Broken> {
    let (wanted, text) = (values.text(key)?, values.text(field)?);
    let best = |row: &[String]| row.iter().skip(1).filter_map(|name| says(&text, name)).max();
    let own = || rows.iter().filter(|row| row.first() == Some(&wanted));
    let names: Vec<&str> = own().flat_map(|row| row.iter().skip(1)).map(String::as_str).collect();
    let found = own().filter_map(|row| best(row)).max();
    let nearest = rows.iter().filter_map(|row| best(row)).max();
    if names.is_empty() || (found.is_some() && found == nearest) {
        return None;
    }
    let detail = format!(
        "{}的{}应为{}，现为 {text}",
        values.shown(key),
        values.label(field),
        names.join("、")
    );
    Some((String::from(field), detail))
}

pub(super) fn fits(values: Values<'_>, field: &str, goods: &str) -> Option<Broken> {
    let (list, name) = (values.text(field)?, values.text(goods)?);
    let by_class = list.chars().any(|letter| "类项".contains(letter) || letter.is_ascii_digit());
    let mut each = list.split(['、', '，', ',', '；', ';', '/']).map(str::trim);
    if by_class || each.any(|one| !one.is_empty() && (name.contains(one) || one.contains(&name))) {
        return None;
    }
    let (label, of) = (values.label(field), values.label(goods));
    let detail = format!("{label}为 {list}，不含{of} {name}，应换用适装 {name} 的，或更正");
    Some((String::from(field), detail))
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
