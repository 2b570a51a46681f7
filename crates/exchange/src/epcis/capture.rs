//! Taking events in (ADR 18): the event, what it mentions, the 追溯事件 that it tells, its record
//! for the ledger, the audit entry and the announcement, all in one transaction.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use yj_epcis::Fault;
use yj_kernel::{Ctx, Problem, Result, Sql, Tx, audit, outbox, vault::DataKey};
use yj_proof::Envelope;
use yj_subject::SubjectBrief;
use yj_trace::{Captured, Source, TraceEvent, capture_in};

use super::{
    owner::Owners,
    prepare::Prepared,
    problem::invalid,
    store::{self, NewEvent},
    tell::{self, Around, Untold},
};

/// Events of one transaction.
pub(crate) const CHUNK_MAX: usize = 500;

/// An event of a document: sound, or what is wrong with it.
pub(crate) struct Item {
    /// From 1.
    pub(crate) place: i64,
    pub(crate) event: Result<Prepared, Vec<Fault>>,
}

/// What became of one event.
#[derive(Debug)]
pub(crate) enum Taken {
    /// Kept now; with the 追溯事件 it told, or why it told none.
    New { uid: String, id: String, told: Result<String, Untold> },
    /// The same is kept already.
    Duplicate { id: String },
    /// Not kept.
    Refused(Problem),
}

/// What would become of one event, decided without writing.
enum Outcome<'i> {
    Keep(&'i Prepared, SubjectBrief),
    Duplicate(&'i Prepared),
    Refused(Problem),
}

/// The name under which an event would be kept, with the hash of its content.
pub(crate) type Name = (String, String);

/// Whether each event would be kept, decided without writing.
pub(crate) async fn examine(
    ctx: &Ctx,
    tx: &mut Tx,
    items: &[Item],
) -> Result<Vec<Result<Option<Name>>>> {
    let (decided, _) = decide(ctx, tx, items).await?;
    let said = |outcome| match outcome {
        Outcome::Refused(problem) => Err(problem),
        Outcome::Duplicate(_) => Ok(None),
        Outcome::Keep(prepared, owner) => {
            let declared = prepared.event.error_declaration.is_some();
            let name = format!("{}|{declared}|{}", owner.id, prepared.id);
            Ok(Some((name, prepared.sm3.clone())))
        }
    };
    Ok(decided.into_iter().map(said).collect())
}

async fn decide<'i>(
    ctx: &Ctx,
    tx: &mut Tx,
    items: &'i [Item],
) -> Result<(Vec<Outcome<'i>>, Owners)> {
    let sound = || items.iter().filter_map(|item| item.event.as_ref().ok());
    let owners = Owners::load(ctx, tx, sound()).await?;
    let ids: Vec<&str> = sound().map(|prepared| prepared.id.as_str()).collect();
    let mut known = store::known(tx, &ids).await?;
    let mut outcomes = Vec::with_capacity(items.len());
    for item in items {
        let prepared = match &item.event {
            Ok(prepared) => prepared,
            Err(faults) => {
                outcomes.push(Outcome::Refused(invalid(faults.clone())));
                continue;
            }
        };
        let owner = match owners.of(ctx, &prepared.event) {
            Ok(owner) => owner,
            Err(problem) => {
                outcomes.push(Outcome::Refused(problem));
                continue;
            }
        };
        let declared = prepared.event.error_declaration.is_some();
        let name = |declared| (owner.id.clone(), prepared.id.clone(), declared);
        let other = known.get(&name(!declared)).filter(|sm3| **sm3 != prepared.sm3);
        outcomes.push(match known.get(&name(declared)) {
            Some(sm3) if *sm3 == prepared.sm3 => Outcome::Duplicate(prepared),
            Some(_) => Outcome::Refused(taken(&prepared.id)),
            None if other.is_some() => Outcome::Refused(taken(&prepared.id)),
            None => {
                known.insert(name(declared), prepared.sm3.clone());
                Outcome::Keep(prepared, owner)
            }
        });
    }
    Ok((outcomes, owners))
}

pub(crate) fn taken(id: &str) -> Problem {
    Problem::Duplicate(format!(
        "eventID {id} 已有内容不同的事件；要撤回它，请以同一 eventID 与内容加 errorDeclaration 再次提交"
    ))
}

/// Takes events in. Refused ones stand beside the others; whoever wants all or none drops the
/// transaction.
pub(crate) async fn take(
    ctx: &Ctx,
    tx: &mut Tx,
    (capture_id, key): (&str, &DataKey),
    items: &[Item],
) -> Result<Vec<Taken>> {
    let (decided, owners) = decide(ctx, tx, items).await?;
    let keep: Vec<(&Prepared, &SubjectBrief)> = decided
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Keep(prepared, owner) => Some((*prepared, owner)),
            _ => None,
        })
        .collect();
    let told = tell_all(ctx, tx, &keep, &owners).await?;
    let mut new = Vec::with_capacity(keep.len());
    for ((prepared, owner), told) in keep.iter().zip(&told) {
        let (trace_uid, reason, detail) = match &told.outcome {
            Ok(uid) => (Some(uid.clone()), None, None),
            Err(why) => (None, Some(why.code), Some(clean(&why.detail))),
        };
        new.push(NewEvent {
            prepared,
            uid: ctx.new_id::<()>().to_string(),
            subject_id: owner.id.clone(),
            region: owner.region.clone(),
            domain: told.place.as_ref().map(|(domain, _)| domain.clone()),
            stage: told.place.as_ref().map(|(_, stage)| stage.clone()),
            trace_uid,
            reason,
            detail,
        });
    }
    if !new.is_empty() {
        store::insert(ctx, tx, (capture_id, key), &new).await?;
        let owners: Vec<&SubjectBrief> = keep.iter().map(|(_, owner)| *owner).collect();
        anchor(ctx, tx, &new, &owners)?;
        note(ctx, tx, capture_id, &new);
    }
    let mut kept = new.into_iter().zip(told);
    let mut results = Vec::with_capacity(items.len());
    for outcome in decided {
        results.push(match outcome {
            Outcome::Refused(problem) => Taken::Refused(problem),
            Outcome::Duplicate(prepared) => Taken::Duplicate { id: prepared.id.clone() },
            Outcome::Keep(prepared, _) => {
                let (new, told) =
                    kept.next().ok_or_else(|| Problem::internal("a kept event was lost"))?;
                Taken::New { uid: new.uid, id: prepared.id.clone(), told: told.outcome }
            }
        });
    }
    Ok(results)
}

/// What an event told: where it belongs, and the 追溯事件 or why there is none.
struct Told {
    place: Option<(String, String)>,
    outcome: Result<String, Untold>,
}

async fn tell_all(
    ctx: &Ctx,
    tx: &mut Tx,
    keep: &[(&Prepared, &SubjectBrief)],
    owners: &Owners,
) -> Result<Vec<Told>> {
    let why = |code, detail: &str| Told {
        place: None,
        outcome: Err(Untold { code, detail: String::from(detail) }),
    };
    if keep.is_empty() {
        return Ok(Vec::new());
    }
    let Ok(tracer) = ctx.under("trace:capture") else {
        return Ok(keep.iter().map(|_| why("no_right", "没有采集追溯事件的权限")).collect());
    };
    let gtins: std::collections::BTreeSet<String> = keep
        .iter()
        .flat_map(|(prepared, _)| tell::identifiers(&prepared.event).filter_map(tell::gtin))
        .collect();
    let gtins: Vec<&str> = gtins.iter().map(String::as_str).collect();
    let products =
        if gtins.is_empty() { BTreeMap::new() } else { yj_product::by_gtins(tx, &gtins).await? };
    let domains = yj_domain::current(tx).await?;
    let mut told: Vec<Told> = Vec::with_capacity(keep.len());
    let (mut events, mut places): (Vec<TraceEvent>, Vec<usize>) = (Vec::new(), Vec::new());
    for (prepared, owner) in keep {
        let around = Around {
            domains: &domains,
            day: ctx.today(),
            products: &products,
            subject: &owner.code,
            subject_of: &|gln| owners.by_gln(gln).map(|one| one.code.clone()),
            public_url: &ctx.app().platform().public_url,
        };
        told.push(match tell::tell(&prepared.event, &around) {
            Ok((event, stage)) => {
                let place = Some((event.domain.clone(), stage));
                places.push(told.len());
                events.push(event);
                let outcome = Err(Untold { code: "lost", detail: String::new() });
                Told { place, outcome }
            }
            Err(why) => Told { place: None, outcome: Err(why) },
        });
    }
    if events.is_empty() {
        return Ok(told);
    }
    let captured = capture_in(&tracer, tx, Source::Api, &events).await?;
    for (at, captured) in places.into_iter().zip(captured) {
        match captured {
            Captured::New { id, .. } | Captured::Duplicate { id } => told[at].outcome = Ok(id),
            Captured::Refused(problem) => {
                let detail = details(&problem);
                told[at] = Told { place: None, outcome: Err(Untold { code: "refused", detail }) };
            }
        }
    }
    Ok(told)
}

/// All that is wrong, in one sentence.
fn details(problem: &Problem) -> String {
    match problem {
        Problem::Invalid(errors) => {
            let one = |error: &yj_kernel::FieldError| format!("{}：{}", error.field, error.detail);
            errors.iter().take(5).map(one).collect::<Vec<_>>().join("；")
        }
        other => other.to_string(),
    }
}

/// Kept for people: bounded, and without control characters.
fn clean(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(500).collect()
}

/// What was sent is anchored by its hashes, told or not; the 追溯事件 has a record of its own.
fn anchor(ctx: &Ctx, tx: &mut Tx, new: &[NewEvent<'_>], owners: &[&SubjectBrief]) -> Result<()> {
    let mut sealed = Vec::with_capacity(new.len());
    for (event, owner) in new.iter().zip(owners) {
        let time = jiff::Timestamp::from_millisecond(event.prepared.event.event_time.0);
        // Times that no calendar of ours can hold are told by the hash alone.
        let time = time.unwrap_or(ctx.now).to_string();
        let body = json!({
            "event_id": event.prepared.id, "hash": event.prepared.hash, "sm3": event.prepared.sm3,
            "trace": event.trace_uid,
        });
        let envelope = Envelope::new("epcis_event", &event.uid, &owner.code, &time, body);
        sealed.push((event.uid.as_str(), envelope.map_err(Problem::internal)?));
    }
    let pending: Vec<_> =
        sealed.iter().map(|(record, envelope)| yj_ledger::Pending { record, envelope }).collect();
    yj_ledger::enqueue(ctx, tx, &pending)
}

fn note(ctx: &Ctx, tx: &mut Tx, capture_id: &str, new: &[NewEvent<'_>]) {
    let told = new.iter().filter(|event| event.trace_uid.is_some()).count();
    let body = json!({ "capture": capture_id, "events": new.len(), "told": told });
    let entry = audit::Entry {
        action: "captured",
        entity: "epcis_event",
        record: &new[0].uid,
        body: body.clone(),
    };
    audit::write(ctx, tx, entry);
    outbox::announce(ctx, tx, ("epcis_event", "captured"), &new[0].uid, &body);
}

/// Counts of a capture.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) taken: i64,
    pub(crate) duplicate: i64,
    pub(crate) refused: i64,
    pub(crate) told: i64,
    /// How many stayed untold, by reason, with an example of each.
    pub(crate) untold: BTreeMap<String, (i64, String)>,
    /// The first refusals.
    pub(crate) errors: Vec<Value>,
}

/// Refusals that a capture tells.
pub(crate) const ERRORS_MAX: usize = 100;

impl Tally {
    /// Goes on where an earlier run of the same capture stopped: its counts are kept already.
    pub(crate) fn resumed(untold: &Value, errors: Value) -> Self {
        let one = |entry: &Value| {
            let text = |name: &str| entry[name].as_str().map(String::from);
            Some((text("reason")?, (entry["count"].as_i64()?, text("example")?)))
        };
        let untold = untold.as_array().into_iter().flatten().filter_map(one).collect();
        let errors = match errors {
            Value::Array(errors) => errors,
            _ => Vec::new(),
        };
        Self { untold, errors, ..Self::default() }
    }

    /// What has been written need not be counted again.
    pub(crate) fn written(&mut self) {
        (self.taken, self.duplicate, self.refused, self.told) = (0, 0, 0, 0);
    }

    pub(crate) fn add(&mut self, place: i64, taken: &Taken) {
        match taken {
            Taken::New { told: Ok(_), .. } => {
                self.taken += 1;
                self.told += 1;
            }
            Taken::New { told: Err(why), .. } => {
                self.taken += 1;
                let entry = self.untold.entry(String::from(why.code));
                entry.or_insert_with(|| (0, clean(&why.detail))).0 += 1;
            }
            Taken::Duplicate { .. } => self.duplicate += 1,
            Taken::Refused(problem) => self.refuse(place, problem),
        }
    }

    pub(crate) fn refuse(&mut self, place: i64, problem: &Problem) {
        self.refused += 1;
        self.tell(Some(place), problem);
    }

    /// Something that is wrong with the document, not with an event.
    pub(crate) fn tell(&mut self, place: Option<i64>, problem: &Problem) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(error(place, problem));
        }
    }

    pub(crate) fn untold_json(&self) -> Value {
        let one = |(code, (count, example)): (&String, &(i64, String))| json!({ "reason": code, "count": count, "example": example });
        self.untold.iter().map(one).collect()
    }

    /// Adds what was counted to the capture's row.
    pub(crate) fn write(&self, tx: &mut Tx, capture_id: &str) {
        let sql = Sql::new(
            "UPDATE epcis_capture SET taken = taken + $1, duplicate = duplicate + $2, \
             refused = refused + $3, told = told + $4, untold = $5, errors = $6 WHERE id = $7",
        );
        let sql = sql.arg(self.taken).arg(self.duplicate).arg(self.refused).arg(self.told);
        let errors = Value::from(self.errors.clone()).to_string();
        tx.later([sql.arg(self.untold_json().to_string()).arg(errors).arg(capture_id)]);
    }
}

/// A refusal as capture jobs tell it (RFC 7807).
fn error(place: Option<i64>, problem: &Problem) -> Value {
    let mut error = problem.body();
    let name = match problem {
        Problem::Duplicate(_) => "ResourceAlreadyExistsException",
        Problem::Internal(_) | Problem::Unavailable(_) => "ImplementationException",
        _ => "ValidationException",
    };
    error["type"] = Value::from(format!("epcisException:{name}"));
    if error["status"] == 422 {
        error["status"] = Value::from(400);
    }
    if let Some(place) = place {
        error["event"] = Value::from(place);
    }
    error
}
