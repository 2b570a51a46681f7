//! 交接: whose a batch is, and to whom its holder said it goes.
//!
//! A trace code is no secret; who knows it could use up what is somebody else's. A batch is therefore
//! consumed without review only by its holder or by whom the holder has named: an event of the holder
//! that put the batch out, not later than its consumption, with the consumer as 交易对方. That event
//! must be one that gives away; of 采购入库 and its kin the other party is where it came from. Whatever
//! else is consumed awaits review with the reason. What the platform itself loads speaks for both
//! sides; no request can (see [`yj_kernel::ActorKind::Platform`]).
//!
//! A word given ends with the holding it was given in: what comes back to its holder is to be given
//! anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use yj_domain::{Domains, EventSpec, InputMode};
use yj_kernel::{Result, Row, Sql};
use yj_subject::SubjectBrief;

use crate::{balance::Objects, event::Checked};

/// Codes named in a reason; the event itself names them all.
const NAMED_MAX: usize = 5;

/// A batch that its holder gave to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handed {
    pub(crate) code: String,
    /// Identifier of the subject that gave it.
    pub(crate) holder: String,
    /// Identifier of the subject that gets it.
    pub(crate) receiver: String,
    /// When, Unix ms.
    pub(crate) time: i64,
    /// The stored event that says so; `None` in the batch that is being written.
    pub(crate) event: Option<i64>,
}

/// A batch that came to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Regained {
    pub(crate) code: String,
    /// Identifier of the subject that holds it now.
    pub(crate) holder: String,
    /// When, Unix ms.
    pub(crate) time: i64,
}

impl Regained {
    /// Whether what was said is of another time of holding it.
    pub(crate) fn ends(&self, handed: &Handed) -> bool {
        handed.code == self.code && handed.holder == self.holder && handed.time <= self.time
    }
}

/// Whether the other party of such an event is who gets its outputs. Production has no seller: who
/// is named there gets what was made.
pub(crate) fn gives_away(spec: &EventSpec) -> bool {
    spec.movement.as_deref().is_some_and(names_receiver)
}

fn names_receiver(movement: &str) -> bool {
    movement == "101" || movement.starts_with(['2', '3'])
}

/// The query for what the holders of these batches said, to travel with others.
pub(crate) fn query(codes: &[&str]) -> Sql {
    let mut sql = Sql::new(
        "SELECT o.code, o.subject_id, e.subject_id, e.counterparty_id, e.event_time, e.id, e.domain, \
         e.pack_version, e.kind FROM trace_object o CROSS JOIN trace_link l CROSS JOIN trace_event e \
         WHERE l.object_id = o.id AND l.role = 1 AND e.id = l.event_id AND o.code ",
    );
    sql.bind_texts(codes.iter().copied());
    sql.push(" ORDER BY o.code, e.event_time, e.id");
    sql
}

/// The answer to [`query`].
pub(crate) fn read(domains: &Domains, rows: &[Row]) -> Result<Vec<Handed>> {
    let mut handed = Vec::new();
    let told = rows.iter().map(|row| Ok([row.text(0)?, row.text(1)?, row.text(2)?]));
    let told = told.collect::<Result<Vec<_>>>()?;
    let mut from = 0;
    for history in told.chunk_by(|left, right| left[0] == right[0]) {
        let by: Vec<&str> = history.iter().map(|[_, _, by]| *by).collect();
        for at in holding(history[0][1], &by) {
            let row = &rows[from + at];
            let Some(receiver) = row.text_opt(3)? else { continue };
            let spec = domains.event(row.text(6)?, row.text(7)?, row.text(8)?);
            if spec.is_some_and(|spec| gives_away(&spec)) {
                handed.push(Handed {
                    code: String::from(row.text(0)?),
                    holder: String::from(row.text(1)?),
                    receiver: String::from(receiver),
                    time: row.int(4)?,
                    event: Some(row.int(5)?),
                });
            }
        }
        from += history.len();
    }
    Ok(handed)
}

/// Which of the events that put a batch out, oldest first, its holder made since it got the batch last.
fn holding(holder: &str, by: &[&str]) -> Range<usize> {
    let end = by.iter().rposition(|one| *one == holder).map_or(0, |last| last + 1);
    let start = by[..end].iter().rposition(|one| *one != holder).map_or(0, |other| other + 1);
    start..end
}

/// Writes the query for the holders of these batches.
pub(crate) fn query_holders(sql: &mut Sql, codes: &[&str]) {
    sql.push("SELECT subject_id FROM trace_object WHERE code ").bind_texts(codes.iter().copied());
}

/// The codes that an event consumes.
pub(crate) fn consumed(event: &Checked) -> impl Iterator<Item = &str> {
    let consuming = event.spec.inputs.mode == InputMode::Consume;
    event.inputs.iter().filter(move |_| consuming).map(|line| line.code.as_str())
}

/// The codes of what an event consumes that is neither the subject's own nor was given to it.
/// `holders` are the subjects behind the objects' identifiers as they stand now; `handed` is everything
/// known to be given, of which that counts that `stands`.
pub(crate) fn doubtful<'a>(
    event: &Checked,
    subject: &str,
    (objects, holders): (&Objects, &BTreeMap<String, SubjectBrief>),
    (handed, stands): (impl Iterator<Item = &'a Handed> + Clone, impl Fn(&Handed) -> bool),
) -> BTreeSet<String> {
    let foreign = |code: &&str| {
        let Some(object) = objects.get(*code) else { return false };
        let holder = holders.get(&object.subject_id).map(|holder| holder.id.as_str());
        if object.subject_id == subject || holder == Some(subject) {
            return false;
        }
        !handed.clone().any(|one| {
            one.code == **code
                && one.holder == object.subject_id
                && one.receiver == subject
                && one.time <= event.time.unix_ms()
                && stands(one)
        })
    };
    consumed(event).filter(foreign).map(String::from).collect()
}

/// Why somebody must review an event that consumes these; `None` where there are none.
pub(crate) fn review_reason(codes: &BTreeSet<String>) -> Option<String> {
    if codes.is_empty() {
        return None;
    }
    let named: Vec<&str> = codes.iter().map(String::as_str).take(NAMED_MAX).collect();
    let more = if codes.len() > NAMED_MAX { "等" } else { "" };
    Some(format!(
        "投入的追溯码 {}{more}现由其他主体持有，持有者没有向本主体交付的记录，须核实交接是否属实",
        named.join("、")
    ))
}

#[cfg(test)]
mod tests {
    use yj_model::Movement;

    use super::*;

    #[test]
    fn a_holding_begins_where_somebody_else_held_it_last() {
        for (by, expected) in [
            ("a", 0..1),
            ("aab", 0..2),
            ("aba", 2..3),
            ("abaa", 2..4),
            ("abab", 2..3),
            ("b", 0..0),
            ("", 0..0),
        ] {
            let names: Vec<&str> = by.split("").filter(|one| !one.is_empty()).collect();
            assert_eq!(holding("a", &names), expected, "{by}");
        }
    }

    #[test]
    fn what_comes_in_names_where_it_came_from() {
        let (out, into): (Vec<&str>, Vec<&str>) = Movement::ALL
            .iter()
            .map(|movement| movement.code)
            .partition(|code| names_receiver(code));
        assert!(out.contains(&"101") && out.contains(&"201") && out.contains(&"321"));
        assert!(into.contains(&"102") && into.iter().all(|code| code.starts_with('1')));
    }
}
