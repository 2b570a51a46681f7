//! 历史 (G-6.2.2-2): a record as it was. Two times matter: when a change was written down, which
//! the audit trail says, and from which day it holds, which whoever changes a record may say.

use jiff::{Timestamp, civil::Date, tz::Offset};
use serde_json::Value;

use crate::{Ctx, Entity, Problem, Result, Tx, audit, json::Object, listing::apart, record};

/// Changes of one record that are gone through.
const CHANGES_MAX: i64 = 5_000;

/// 按时点查看: what is asked of the past.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moment {
    /// As it was known then; absent: now.
    known: Option<Timestamp>,
    /// As it held on this day; absent: whatever is written last.
    on: Option<Date>,
}

impl Moment {
    /// `known_at=2026-11-01T08:00:00+08:00&on=2026-10-01`
    pub(crate) fn parse(query: &str) -> Result<Self> {
        let ([known, on], rest) = apart(query, ["known_at", "on"]);
        if !rest.is_empty() {
            return Err(Problem::invalid("query", "可用参数：known_at、on"));
        }
        let wrong =
            || Problem::invalid("known_at", "应为带时区的时间，如 2026-11-01T08:00:00+08:00");
        let known = known.map(|text| text.parse().map_err(|_| wrong())).transpose()?;
        Ok(Self { known, on: on.map(|text| day("on", &text)).transpose()? })
    }

    fn is_now(self) -> bool {
        self.known.is_none() && self.on.is_none()
    }
}

/// A calendar day of a parameter.
fn day(name: &str, text: &str) -> Result<Date> {
    text.parse().map_err(|_| Problem::invalid(name, "应为日期，如 2026-11-01"))
}

/// `?effective_on=2026-10-01` of a change: from which day it holds.
pub(crate) fn effective_on(query: &str) -> Result<Option<String>> {
    let ([text], rest) = apart(query, ["effective_on"]);
    if !rest.is_empty() {
        return Err(Problem::invalid("query", "可用参数：effective_on"));
    }
    let text = text.filter(|text| !text.is_empty());
    text.map(|text| day("effective_on", &text).map(|day| day.to_string())).transpose()
}

/// One value that a field came to have.
struct Step {
    /// From which day.
    from: Date,
    before: Value,
    after: Value,
}

/// A record at a moment, from what it is now and what the trail says of every change. Personal
/// values appear in the trail masked, and so they do here.
pub(crate) async fn at(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    (id, moment): (&str, Moment),
) -> Result<Object> {
    let mut found = record::get(ctx, tx, entity, id).await?;
    record::veil_always(entity, &mut found);
    if moment.is_now() {
        return Ok(found);
    }
    let entries = audit::of_record(tx, entity, (id, CHANGES_MAX + 1)).await?;
    if i64::try_from(entries.len()).is_ok_and(|count| count > CHANGES_MAX) {
        let detail = format!("该记录的变更超过 {CHANGES_MAX} 次，不能按时点查看");
        return Err(Problem::TooLarge(detail));
    }
    let read = |entry: &Value| -> Result<(Timestamp, Date)> {
        let at: Timestamp =
            entry["at"].as_str().unwrap_or_default().parse().map_err(Problem::internal)?;
        let written = Offset::constant(8).to_datetime(at).date();
        let said = entry["effective_on"].as_str().and_then(|text| text.parse().ok());
        Ok((at, said.unwrap_or(written)))
    };
    let mut version = 0_i64;
    let mut steps: std::collections::BTreeMap<&str, Vec<Step>> = std::collections::BTreeMap::new();
    let mut later: Object = Object::new();
    let (mut made, mut last) = (None, None);
    for entry in &entries {
        let action = entry["action"].as_str().unwrap_or_default();
        if !matches!(action, "created" | "updated" | "labelled") {
            continue;
        }
        let (written, from) = read(entry)?;
        let known = moment.known.is_none_or(|known| written <= known);
        if action == "created" {
            made = Some((written, from));
        }
        if known {
            version += 1;
            last = Some(entry);
        }
        for field in entity.fields {
            let Some([before, after]) = entry["changes"].get(field.name).and_then(pair) else {
                continue;
            };
            if known {
                let step = Step { from, before: before.clone(), after: after.clone() };
                steps.entry(field.name).or_default().push(step);
            } else {
                // What it was before the first change that was not known yet.
                later.entry(field.name).or_insert_with(|| before.clone());
            }
        }
    }
    let (written, from) = made.ok_or(Problem::NotFound(entity.title))?;
    let unknown = moment.known.is_some_and(|known| known < written);
    if unknown || moment.on.is_some_and(|on| on < from) {
        return Err(Problem::NotFound(entity.title));
    }
    for field in entity.fields {
        let known = later.get(field.name).cloned();
        let held = moment.on.and_then(|on| steps.get(field.name).map(|steps| held(steps, on)));
        if let Some(value) = held.or(known) {
            found.insert(String::from(field.name), value);
        }
    }
    found.insert(String::from("version"), version.into());
    if let Some(entry) = last {
        found.insert(String::from("updated_at"), entry["at"].clone());
        found.insert(String::from("updated_by"), entry["actor"].clone());
    }
    record::veil(ctx, entity, &mut found);
    Ok(found)
}

fn pair(value: &Value) -> Option<[&Value; 2]> {
    match value.as_array()?.as_slice() {
        [before, after] => Some([before, after]),
        _ => None,
    }
}

/// The value on a day: of the changes that hold by then, that which holds from the latest day,
/// and of several from one day the one written last.
fn held(steps: &[Step], on: Date) -> Value {
    let by_then = steps.iter().filter(|step| step.from <= on);
    match by_then.max_by_key(|step| step.from) {
        Some(step) => step.after.clone(),
        None => steps.first().map_or(Value::Null, |step| step.before.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_day_decides_and_of_one_day_the_last_word() {
        let step = |from: &str, before: &str, after: &str| Step {
            from: from.parse().unwrap(),
            before: before.into(),
            after: after.into(),
        };
        // The third was written last but holds from earlier.
        let steps = [
            step("2026-01-01", "", "A"),
            step("2026-06-01", "A", "B"),
            step("2026-03-01", "B", "C"),
            step("2026-06-01", "C", "D"),
        ];
        for (on, value) in [
            ("2025-12-31", ""),
            ("2026-02-01", "A"),
            ("2026-04-01", "C"),
            ("2026-06-01", "D"),
            ("2026-12-01", "D"),
        ] {
            assert_eq!(held(&steps, on.parse().unwrap()), value, "{on}");
        }
    }
}
