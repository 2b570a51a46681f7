//! 历史 (G-6.2.2-2): a record as it was. Two times matter: when a change was written down, which
//! the audit trail says, and from which day it holds, which whoever changes a record may say.

use std::collections::BTreeMap;

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

/// Refuses a day from which a change cannot hold: there was no record yet, or the day is still to
/// come. A change is in force once it is written, so that a record, its lists and its past never
/// say different things; what shall hold later is written down later.
pub(crate) fn require_day(ctx: &Ctx, stored: &Object, on: Option<&str>) -> Result<()> {
    let Some(on) = on else { return Ok(()) };
    let on = day("effective_on", on)?;
    let (today, made) = (ctx.today(), instant(stored.get("created_at"))?.1);
    let detail = if on > today {
        format!("生效日期不能晚于今天（{today}）：变更写下即生效，以后的变更请到当日再提交")
    } else if on < made {
        format!("生效日期不能早于该记录的登记日期（{made}）")
    } else {
        return Ok(());
    };
    Err(Problem::invalid("effective_on", detail))
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
    let trail = Trail::read(entity, &entries, moment.known)?;
    let made = match trail.made {
        Some(made) => made,
        // Moved in with many others, under one entry for all of them.
        None => instant(found.get("created_at"))?,
    };
    let unknown = moment.known.is_some_and(|known| known < made.0);
    if unknown || moment.on.is_some_and(|on| on < made.1) {
        return Err(Problem::NotFound(entity.title));
    }
    for name in told(entity) {
        let known = trail.later.get(name).cloned();
        let steps = trail.steps.get(name);
        let by_day = moment.on.and_then(|on| steps.map(|steps| held(steps, on)));
        if let Some(value) = by_day.or(known) {
            found.insert(String::from(name), value);
        }
    }
    let version = if trail.made.is_some() { trail.writes } else { trail.writes + 1 };
    found.insert(String::from("version"), version.into());
    for (name, said) in [("updated_at", "at"), ("updated_by", "actor")] {
        let first = || found.get(&name.replace("updated", "created")).cloned().unwrap_or_default();
        let value = trail.last.map_or_else(first, |entry| entry[said].clone());
        found.insert(String::from(name), value);
    }
    record::veil(ctx, entity, &mut found);
    Ok(found)
}

/// What an entry may say a record came to have: its fields, and its security label.
fn told(entity: &Entity) -> impl Iterator<Item = &'static str> {
    entity.fields.iter().map(|field| field.name).chain(["label"])
}

/// A moment, and the day it falls on in Beijing.
fn instant(value: Option<&Value>) -> Result<(Timestamp, Date)> {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    let at: Timestamp = text.parse().map_err(Problem::internal)?;
    Ok((at, Offset::constant(8).to_datetime(at).date()))
}

/// The trail of one record, gone through up to a moment.
#[derive(Default)]
struct Trail<'a> {
    /// When the record was made, and from which day it holds.
    made: Option<(Timestamp, Date)>,
    /// What each field came to have by then.
    steps: BTreeMap<&'static str, Vec<Step>>,
    /// What each field was before the first change that was not known yet.
    later: BTreeMap<&'static str, Value>,
    /// How often the record was written by then.
    writes: i64,
    /// The last of those entries.
    last: Option<&'a Value>,
}

impl<'a> Trail<'a> {
    /// Every act counts that says what a field was and became: changes of the form, suspensions,
    /// recalls, mergers and whatever else a register knows.
    fn read(entity: &Entity, entries: &'a [Value], known: Option<Timestamp>) -> Result<Self> {
        let mut trail = Self::default();
        // What each field holds after the entries gone through.
        let mut holds: BTreeMap<&str, &Value> = BTreeMap::new();
        for entry in entries {
            let action = entry["action"].as_str().unwrap_or_default();
            let of_form = matches!(action, "created" | "updated" | "labelled");
            let (written, day) = instant(entry.get("at"))?;
            let said = entry["effective_on"].as_str().and_then(|text| text.parse().ok());
            let from = said.unwrap_or(day);
            let is_known = known.is_none_or(|known| written <= known);
            if action == "created" {
                trail.made = Some((written, from));
            }
            let mut writes = of_form;
            for name in told(entity) {
                let Some([before, after]) = entry["changes"].get(name).and_then(pair) else {
                    continue;
                };
                // An act that does not go on from what the field holds speaks of another record:
                // of the one that was merged into this one, say.
                if !of_form && holds.get(name).is_some_and(|held| *held != before) {
                    continue;
                }
                writes = true;
                holds.insert(name, after);
                if is_known {
                    let step = Step { from, before: before.clone(), after: after.clone() };
                    trail.steps.entry(name).or_default().push(step);
                } else {
                    trail.later.entry(name).or_insert_with(|| before.clone());
                }
            }
            if writes && is_known {
                trail.writes += 1;
                trail.last = Some(entry);
            }
        }
        Ok(trail)
    }
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
