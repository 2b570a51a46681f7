//! 交接: whose a batch is, and to whom its holders said it goes.
//!
//! A trace code is no secret; who knows it could use up what is somebody else's. A batch is therefore
//! consumed without review only as far as one holds it or as a holder has given it: by an event of the
//! holder that put it out, not later than its consumption, with the consumer as 交易对方. That event
//! must be one that gives away; of 采购入库 and its kin the other party is where it came from. Whatever
//! else is consumed awaits review with the reason. What the platform itself loads speaks for both
//! sides; no request can (see [`yj_kernel::ActorKind::Platform`]).
//!
//! A word given is used up by what is taken: what comes back to its holder is to be given anew. Where
//! events of several types tell of one handing over, as a sale and its 运输 do, it is one.

use std::collections::{BTreeMap, BTreeSet};

use yj_domain::{Domains, EventSpec, InputMode};
use yj_kernel::{Result, Row, Sql, Tx};
use yj_subject::SubjectBrief;

use crate::{
    balance::{Object, ObjectState, Objects, Sources},
    event::{Checked, InLine},
    holders::Handover,
    returned::takes_back,
};

/// Codes named in a reason; the event itself names them all.
const NAMED_MAX: usize = 5;

/// A batch that a holder gave to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handed {
    pub(crate) code: String,
    /// Identifier of the subject that gave it.
    pub(crate) holder: String,
    /// Identifier of the subject that gets it.
    pub(crate) receiver: String,
    /// Domain and type of the event that says so.
    pub(crate) kind: (String, String),
    /// How much, in ten-thousandths of the batch's unit.
    pub(crate) quantity: i64,
    /// When, Unix ms.
    pub(crate) time: i64,
    /// The stored event that says so; `None` in the batch that is being written.
    pub(crate) event: Option<i64>,
}

/// What of a batch came from one hand into another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) handover: Handover,
    /// When, Unix ms.
    pub(crate) time: i64,
    /// The stored event by which it did; `None` in the batch that is being written.
    pub(crate) event: Option<i64>,
}

/// What is known of the hands that some batches went through.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hands {
    pub(crate) handed: Vec<Handed>,
    pub(crate) taken: Vec<Taken>,
    /// When the stored ones were first put out, by code, Unix ms.
    pub(crate) made: BTreeMap<String, i64>,
}

/// Whether the other party of such an event is who gets its outputs. Production has no seller: who
/// is named there gets what was made.
pub(crate) fn gives_away(spec: &EventSpec) -> bool {
    spec.movement.as_deref().is_some_and(names_receiver)
}

/// Whether what such an event takes comes in from the other party.
pub(crate) fn comes_in(spec: &EventSpec) -> bool {
    spec.movement.as_deref().is_some_and(|movement| !names_receiver(movement))
}

fn names_receiver(movement: &str) -> bool {
    movement == "101" || movement.starts_with(['2', '3'])
}

/// The query for when these batches were put out and what their holders said then, to travel with others.
pub(crate) fn query(codes: &[&str]) -> Sql {
    let mut sql = Sql::new(
        "SELECT o.code, e.subject_id, e.counterparty_id, e.event_time, e.id, e.domain, \
         e.pack_version, e.kind, l.quantity FROM trace_object o CROSS JOIN trace_link l \
         CROSS JOIN trace_event e WHERE l.object_id = o.id AND l.role = 1 AND e.id = l.event_id \
         AND o.code ",
    );
    sql.bind_texts(codes.iter().copied());
    sql
}

/// The answer to [`query`], and what was taken of what was given.
pub(crate) async fn read(tx: &mut Tx, domains: &Domains, rows: &[Row]) -> Result<Hands> {
    let mut hands = Hands::default();
    for row in rows {
        let (code, time) = (row.text(0)?, row.int(3)?);
        match hands.made.get_mut(code) {
            Some(first) => *first = time.min(*first),
            None => drop(hands.made.insert(String::from(code), time)),
        }
        let Some(receiver) = row.text_opt(2)? else { continue };
        let spec = domains.event(row.text(5)?, row.text(6)?, row.text(7)?);
        if spec.is_some_and(|spec| gives_away(&spec)) {
            hands.handed.push(Handed {
                code: String::from(code),
                holder: String::from(row.text(1)?),
                receiver: String::from(receiver),
                kind: (String::from(row.text(5)?), String::from(row.text(7)?)),
                quantity: row.int_opt(8)?.unwrap_or(0),
                time,
                event: Some(row.int(4)?),
            });
        }
    }
    let given: BTreeSet<&str> = hands.handed.iter().map(|one| one.code.as_str()).collect();
    if !given.is_empty() {
        hands.taken = taken(tx, &given).await?;
        inherit(tx, &mut hands).await?;
    }
    Ok(hands)
}

/// What was given to somebody who was merged since was given to who goes on for them.
async fn inherit(tx: &mut Tx, hands: &mut Hands) -> Result<()> {
    let handed = hands.handed.iter_mut().map(|one| &mut one.receiver);
    let taken = hands.taken.iter_mut().map(|one| &mut one.handover.receiver);
    let receivers: Vec<&mut String> = handed.chain(taken).collect();
    let named: BTreeSet<&str> = receivers.iter().map(|one| one.as_str()).collect();
    let heirs = yj_subject::heirs(tx, &named.into_iter().collect::<Vec<_>>()).await?;
    for receiver in receivers {
        if let Some(heir) = heirs.get(receiver.as_str()) {
            receiver.clone_from(&heir.id);
        }
    }
    Ok(())
}

/// What came of some batches from one hand into another's.
async fn taken(tx: &mut Tx, codes: &BTreeSet<&str>) -> Result<Vec<Taken>> {
    let mut sql = Sql::new(
        "SELECT o.code, h.giver_id, h.receiver_id, h.quantity, h.event_time, h.event_id \
         FROM trace_object o CROSS JOIN trace_handover h WHERE h.object_id = o.id AND o.code ",
    );
    sql.bind_texts(codes.iter().copied());
    let one = |row: &Row| {
        Ok(Taken { handover: Handover::read(row)?, time: row.int(4)?, event: Some(row.int(5)?) })
    };
    tx.fetch(sql).await?.iter().map(one).collect()
}

/// What is known of the hands that some batches went through.
pub(crate) async fn load(tx: &mut Tx, codes: &[&str]) -> Result<Hands> {
    let rows = tx.fetch(query(codes)).await?;
    let domains = yj_domain::current(tx).await?;
    read(tx, &domains, &rows).await
}

/// Something that was said or done about a batch, in its turn.
enum Turn<'a> {
    Given(&'a Handed),
    Taken(&'a Handover),
}

/// What was given of a batch to somebody until a time (Unix ms) and is not taken yet, by giver, the
/// earliest first: of each type of event by itself, for the same goods may be told of by several. Only
/// events count that `stand`; of those of the batch that is written all do.
pub(crate) fn left(
    hands: &[&Hands],
    (code, receiver): (&str, &str),
    until: i64,
    stands: impl Fn(i64) -> bool,
) -> Vec<(String, i64)> {
    let stands = |event: Option<i64>| event.is_none_or(&stands);
    let given = hands.iter().flat_map(|hands| &hands.handed).filter(|one| {
        one.code == code && one.receiver == receiver && one.time <= until && stands(one.event)
    });
    let taken = hands.iter().flat_map(|hands| &hands.taken).filter(|one| {
        let handover = &one.handover;
        handover.code == code && handover.receiver == receiver && stands(one.event)
    });
    // Of one moment the word comes before what it allows.
    let at = |time, turn, event: Option<i64>| (time, turn, event.unwrap_or(i64::MAX));
    let given = given.map(|one| (at(one.time, 0, one.event), Turn::Given(one)));
    let taken = taken.map(|one| (at(one.time, 1, one.event), Turn::Taken(&one.handover)));
    let mut turns: Vec<_> = given.chain(taken).collect();
    turns.sort_by_key(|(at, _)| *at);
    // In the order of first words; of each giver by type of event.
    let mut left: Vec<(&str, BTreeMap<&(String, String), i64>)> = Vec::new();
    for (_, turn) in turns {
        match turn {
            Turn::Given(one) => {
                let known = left.iter().position(|(giver, _)| *giver == one.holder);
                let at = known.unwrap_or(left.len());
                if known.is_none() {
                    left.push((&one.holder, BTreeMap::new()));
                }
                *left[at].1.entry(&one.kind).or_default() += one.quantity;
            }
            Turn::Taken(one) => {
                for (_, kinds) in left.iter_mut().filter(|(giver, _)| *giver == one.giver) {
                    kinds.values_mut().for_each(|left| *left = (*left - one.quantity).max(0));
                }
            }
        }
    }
    let most = |kinds: BTreeMap<_, i64>| kinds.into_values().max().unwrap_or(0);
    let left = left.into_iter().map(|(giver, kinds)| (String::from(giver), most(kinds)));
    left.filter(|(_, left)| *left > 0).collect()
}

/// From whom a subject takes of a unit: itself and those it goes on for, and who gave it what is left; what
/// comes in `from` somebody only they gave. `holders` are the subjects behind identifiers as they stand now.
pub(crate) fn sources(
    (subject, object): (&str, &Object),
    from: Option<&str>,
    holders: &BTreeMap<String, SubjectBrief>,
    left: impl FnOnce() -> Vec<(String, i64)>,
) -> Sources {
    let is = |holder: &str, subject: &str| {
        holder == subject || holders.get(holder).is_some_and(|holder| holder.id == subject)
    };
    let goes_on_for = |holder: &str| holder != subject && is(holder, subject);
    let others = || object.holders.all().map(|(holder, _)| holder).filter(|one| *one != subject);
    let mut own = vec![String::from(subject)];
    own.extend(others().filter(|one| goes_on_for(one)).map(String::from));
    // What nobody else holds nobody can have given.
    let is_its = object.subject_id == subject && others().next().is_none();
    let mut given = if is_its { Vec::new() } else { left() };
    given.retain(|(giver, _)| from.is_none_or(|from| is(giver, from)));
    Sources { own, given }
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

/// The codes of what an event consumes that the subject neither holds nor was given, or not so much of.
/// `holders` are the subjects behind the objects' identifiers as they stand now.
pub(crate) fn doubtful(
    event: &Checked,
    subject: &str,
    (objects, holders): (&Objects, &BTreeMap<String, SubjectBrief>),
    sources: impl Fn(&str, &Object) -> Sources,
) -> BTreeSet<String> {
    let foreign = |line: &&InLine| {
        let Some(object) = objects.get(line.code.as_str()) else { return false };
        // Of what comes from outside nobody here is asked; whose code it is somebody looks at.
        if line.external && object.state == ObjectState::External {
            return false;
        }
        let holder = holders.get(&object.subject_id).map(|holder| holder.id.as_str());
        let sources = sources(line.code.as_str(), object);
        let (own, given) = sources.amounts(object);
        let its = object.subject_id == subject || holder == Some(subject) || own > 0;
        if takes_back(&event.spec) || line.external {
            return !its;
        }
        if !its && sources.given.is_empty() {
            return true;
        }
        let wanted = line.amount.and_then(|(wanted, unit)| unit.convert(wanted, object.unit).ok());
        let others = object.balance.scaled() - own - given;
        others > 0 && wanted.is_some_and(|wanted| wanted.scaled() > own + given)
    };
    let consuming = event.spec.inputs.mode == InputMode::Consume;
    let lines = event.inputs.iter().filter(|_| consuming);
    lines.filter(foreign).map(|line| line.code.to_string()).collect()
}

/// Why somebody must review an event that consumes these; `None` where there are none.
pub(crate) fn review_reason(codes: &BTreeSet<String>) -> Option<String> {
    if codes.is_empty() {
        return None;
    }
    let named: Vec<&str> = codes.iter().map(String::as_str).take(NAMED_MAX).collect();
    let more = if codes.len() > NAMED_MAX { "等" } else { "" };
    Some(format!(
        "投入的追溯码 {}{more}现由其他主体持有，持有者没有向本主体交付这么多的记录，须核实交接是否属实",
        named.join("、")
    ))
}

#[cfg(test)]
mod tests {
    use yj_model::Movement;

    use super::*;

    #[test]
    fn a_word_is_used_up_by_what_is_taken_and_told_of_twice_is_one_word() {
        let given = |kind: &str, quantity, time| Handed {
            code: String::from("X"),
            holder: String::from("p"),
            receiver: String::from("w"),
            kind: (String::from("agri"), String::from(kind)),
            quantity,
            time,
            event: Some(time),
        };
        let taken = |quantity, time| Taken {
            handover: Handover {
                code: String::from("X"),
                giver: String::from("p"),
                receiver: String::from("w"),
                quantity,
            },
            time,
            event: Some(time),
        };
        let left = |handed: &[Handed], taken: &[Taken], until| {
            let (handed, taken) = (handed.to_vec(), taken.to_vec());
            let hands = Hands { handed, taken, made: BTreeMap::new() };
            let left = left(&[&hands], ("X", "w"), until, |event| event != 99);
            left.first().map_or(0, |(_, left)| *left)
        };
        let words = [given("sale", 40, 1), given("transport", 25, 2), given("transport", 15, 2)];
        assert_eq!(left(&words, &[], 9), 40, "a sale and its transports");
        assert_eq!(left(&words, &[taken(30, 3)], 9), 10);
        assert_eq!(left(&words, &[taken(40, 3)], 9), 0);
        assert_eq!(left(&words, &[taken(40, 99)], 9), 40, "what does not stand");
        assert_eq!(left(&words, &[], 0), 0, "not said yet");
        let again = [given("sale", 40, 1), given("harvest", 40, 5)];
        assert_eq!(left(&again, &[taken(40, 3)], 9), 40, "said anew of another type");
        let again = [given("sale", 40, 1), given("sale", 60, 3)];
        assert_eq!(left(&again, &[taken(40, 2), taken(10, 4)], 9), 50);
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
