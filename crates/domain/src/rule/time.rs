//! Rules about days and moments.

use jiff::Span;
use serde::Serialize;

use super::{
    Broken,
    values::{Values, own},
};

/// How long something of a kind may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Months {
    /// The code of the kind.
    pub is: String,
    /// 月数
    pub max: u16,
}

pub(super) fn before(values: Values<'_>, a: &String, b: &String) -> Option<Broken> {
    let late = values.when(a)?.is_after(values.when(b)?);
    let (first, second) = (values.shown(a), values.shown(b));
    late.then(|| (own([b, a]), format!("{first}不应晚于{second}")))
}

pub(super) fn elapsed(
    values: Values<'_>,
    since: &String,
    days: &str,
    until: &String,
) -> Option<Broken> {
    let (from, to) = (values.when(since)?.day(), values.when(until)?.day());
    let wanted: i64 = values.text(days)?.parse().ok()?;
    let span = Span::new().try_days(wanted);
    let earliest = span.and_then(|span| from.checked_add(span)).ok();
    let early = earliest.is_none_or(|earliest| to < earliest);
    let (first, span, second) = (values.shown(since), values.shown(days), values.shown(until));
    early.then(|| (own([until, since]), format!("{second}距{first}不足{span}")))
}

pub(super) fn within(
    values: Values<'_>,
    (since, until): (&String, &String),
    days: usize,
) -> Option<Broken> {
    let (from, to) = (values.when(since)?.day(), values.when(until)?.day());
    let span = Span::new().try_days(i64::try_from(days).unwrap_or(i64::MAX));
    let latest = span.and_then(|span| from.checked_add(span)).ok()?;
    let (first, second) = (values.shown(since), values.shown(until));
    (to > latest).then(|| (own([until, since]), format!("{second}距{first}超过 {days} 天")))
}

pub(super) fn interval(
    values: Values<'_>,
    (since, until): (&String, &String),
    (by, months): (&str, &[Months]),
) -> Option<Broken> {
    let (from, to) = (values.when(since)?.day(), values.when(until)?.day());
    let code = values.text(by)?;
    let most = months.iter().find(|one| one.is == code)?.max;
    let latest = from.checked_add(Span::new().months(i64::from(most))).ok()?;
    let (first, second, kind) = (values.shown(since), values.shown(until), values.shown(by));
    let detail = format!("{second}距{first}超过 {most} 个月，{kind}至迟应为 {latest}");
    (to > latest).then(|| (own([until, since]), detail))
}
