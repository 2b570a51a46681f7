//! 一物一主 (handbook §4.5): what only one subject may do with a thing, as a gas cylinder is filled by one
//! filling unit. The thing belongs to whoever last put it on record as theirs (使用登记), or else to who
//! first did this with it.

use std::collections::BTreeSet;

use yj_domain::{Belongs, EventType};
use yj_kernel::{Problem, Result, Row, Sql, Tx};

use crate::{balance::Link, event::Checked, store::StoredEvent};

/// Something that was done with a thing, by which it may belong to somebody.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    pub(crate) code: String,
    pub(crate) kind: String,
    /// Identifier of who did it.
    pub(crate) subject: String,
    /// Unix ms.
    pub(crate) time: i64,
    /// The stored event; `None` in the batch that is being written.
    pub(crate) event: Option<i64>,
}

/// What accepted events of a batch did with their codes.
pub(crate) fn done<'a>(events: impl Iterator<Item = (&'a StoredEvent, &'a [Link])>) -> Vec<Deed> {
    let accepted = events.filter(|(stored, _)| stored.state == "accepted");
    let deeds = accepted.flat_map(|(stored, links)| {
        links.iter().map(|link| Deed {
            code: link.code.clone(),
            kind: stored.kind.clone(),
            subject: stored.subject_id.clone(),
            time: stored.time.unix_ms(),
            event: None,
        })
    });
    deeds.collect()
}

/// Refuses what somebody else than the subject may do. `others` are of the same batch; what does not
/// `stand` is taken back at this moment.
pub(crate) async fn require_own(
    tx: &mut Tx,
    (subject, event): (&str, &Checked),
    others: Vec<Deed>,
    stands: impl Fn(i64) -> bool,
) -> Result<()> {
    let Some(rule) = &event.spec.belongs else { return Ok(()) };
    let said = rule.named.as_ref().and_then(|name| event.body["attributes"][name].as_str());
    let said =
        said.zip(rule.named.as_ref()).map(|(code, name)| (code, format!("attributes.{name}")));
    let lines = event.outputs.iter().enumerate();
    let lines = lines.map(|(at, line)| (line.code.as_str(), format!("outputs[{at}].code")));
    let things: Vec<(&str, String)> = lines.chain(said).collect();
    let codes = things.iter().map(|(code, _)| *code).collect();
    let deeds = deeds(tx, (rule, &event.spec.code), (event, &codes), (others, stands)).await?;
    for (code, field) in things {
        let kept = (rule, event.spec.code.as_str());
        if !is_anothers(tx, kept, (&deeds, code), (subject, event)).await? {
            continue;
        }
        let names: Vec<&str> = rule
            .by
            .iter()
            .filter_map(|kind| event.spec.pack().events().find(|(_, one)| one.code == *kind))
            .map(|(_, one)| one.name.as_str())
            .collect();
        let detail = format!(
            "不符合规则“{}”：{code} 属于其他主体，不能由本主体{}；权属已经转移的，请先由本主体登记“{}”",
            rule.name,
            event.spec.name,
            names.join("、")
        );
        return Err(Problem::invalid(field, detail));
    }
    Ok(())
}

/// Why somebody must look at an event by which a subject puts on record as its own what belongs to another.
pub(crate) async fn review_reason(
    tx: &mut Tx,
    (subject, event): (&str, &Checked),
    others: Vec<Deed>,
    stands: impl Fn(i64) -> bool,
) -> Result<Option<String>> {
    let Some((kind, rule)) = claimed_by(&event.spec) else { return Ok(None) };
    let codes: BTreeSet<&str> = event.inputs.iter().map(|line| line.code.as_str()).collect();
    let deeds = deeds(tx, (rule, kind), (event, &codes), (others, stands)).await?;
    for code in codes {
        if is_anothers(tx, (rule, kind), (&deeds, code), (subject, event)).await? {
            return Ok(Some(format!("{code} 此前属于其他主体，须核实权属已经转移")));
        }
    }
    Ok(None)
}

/// The event type whose owner an event of this type makes known, with its rule.
fn claimed_by(spec: &EventType) -> Option<(&str, &Belongs)> {
    let own = spec.code.as_str();
    spec.pack().events().find_map(|(_, event)| {
        let rule = event.belongs.as_ref().filter(|rule| rule.by.iter().any(|kind| kind == own))?;
        Some((event.code.as_str(), rule))
    })
}

/// Whether it matters who did what before an event of this type.
pub(crate) fn matters(spec: &EventType) -> bool {
    spec.belongs.is_some() || claimed_by(spec).is_some()
}

/// What was done with some things, earliest first.
async fn deeds(
    tx: &mut Tx,
    (rule, kind): (&Belongs, &str),
    (event, codes): (&Checked, &BTreeSet<&str>),
    (others, stands): (Vec<Deed>, impl Fn(i64) -> bool),
) -> Result<Vec<Deed>> {
    let rows = tx.fetch(query((rule, kind), &event.domain, codes)).await?;
    let mut deeds = rows.iter().map(deed).collect::<Result<Vec<_>>>()?;
    deeds.retain(|deed| deed.event.is_none_or(&stands));
    deeds.extend(others.into_iter().filter(|deed| codes.contains(&*deed.code)));
    deeds.sort_by_key(|deed| deed.time);
    Ok(deeds)
}

/// Whether a thing belongs, when an event happens, to somebody else than the subject and who they go on as.
async fn is_anothers(
    tx: &mut Tx,
    (rule, kind): (&Belongs, &str),
    (deeds, code): (&[Deed], &str),
    (subject, event): (&str, &Checked),
) -> Result<bool> {
    let of_it: Vec<_> = deeds.iter().filter(|deed| deed.code == code).collect();
    let owner = owner(rule, kind, (&of_it, event.time.unix_ms()));
    let Some(owner) = owner.filter(|owner| *owner != subject) else { return Ok(false) };
    let heirs = yj_subject::heirs(tx, &[owner]).await?;
    Ok(heirs.get(owner).is_none_or(|heir| heir.id != subject))
}

/// To whom a thing belongs at a time, by what was done with it, earliest first.
fn owner<'a>(rule: &Belongs, kind: &str, (deeds, time): (&[&'a Deed], i64)) -> Option<&'a str> {
    let recorded =
        deeds.iter().rev().find(|deed| deed.time <= time && rule.by.contains(&deed.kind));
    let first = || deeds.iter().find(|deed| deed.kind == kind);
    recorded.or_else(first).map(|deed| deed.subject.as_str())
}

fn query((rule, kind): (&Belongs, &str), domain: &str, codes: &BTreeSet<&str>) -> Sql {
    let mut sql = Sql::new(
        "SELECT o.code, e.kind, e.subject_id, e.event_time, e.id FROM trace_object o \
         CROSS JOIN trace_link l CROSS JOIN trace_event e WHERE l.object_id = o.id \
         AND e.id = l.event_id AND e.state = 'accepted' AND e.domain = ",
    );
    sql.bind(domain).push(" AND e.kind ");
    let kinds = rule.by.iter().map(String::as_str);
    sql.bind_texts(kinds.chain([kind]));
    sql.push(" AND o.code ").bind_texts(codes.iter().copied());
    sql.push(" ORDER BY e.event_time, e.id");
    sql
}

fn deed(row: &Row) -> Result<Deed> {
    Ok(Deed {
        code: String::from(row.text(0)?),
        kind: String::from(row.text(1)?),
        subject: String::from(row.text(2)?),
        time: row.int(3)?,
        event: Some(row.int(4)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_put_it_on_record_last_before_that_time_has_it_and_else_who_did_it_first() {
        let rule =
            Belongs {
                name: String::from("示例"), by: vec![String::from("register")], named: None
            };
        let deed = |kind: &str, subject: &str, time| Deed {
            code: String::from("QP"),
            kind: String::from(kind),
            subject: String::from(subject),
            time,
            event: None,
        };
        let all = [deed("fill", "a", 1), deed("fill", "b", 2), deed("register", "b", 5)];
        let all: Vec<&Deed> = all.iter().collect();
        let at = |time| owner(&rule, "fill", (&all, time));
        assert_eq!([at(0), at(4), at(5), at(9)], [Some("a"), Some("a"), Some("b"), Some("b")]);
        assert_eq!(owner(&rule, "fill", (&[], 9)), None);
    }
}
