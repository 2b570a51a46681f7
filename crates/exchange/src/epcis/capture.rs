//! Taking events in (ADR 18): the event, what it mentions, the 追溯事件 that it tells, its record
//! for the ledger, the audit entry and the announcement, all in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use yj_epcis::Fault;
use yj_kernel::{Ctx, Problem, Result, Sql, Tx, audit, outbox, vault::DataKey};
use yj_proof::Envelope;
use yj_subject::SubjectBrief;

use super::{
    erased,
    names::{self, Named},
    owner::Owners,
    prepare::Prepared,
    problem::invalid,
    secrets::Secrets,
    store::{self, Content, NewEvent},
    tell::Untold,
    telling::{self, About, Told},
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
    /// The same is kept already; whether it told its 追溯事件 only now.
    Duplicate { id: String, told: bool },
    /// Not kept.
    Refused(Problem),
}

/// What would become of one event, decided without writing.
enum Outcome<'i> {
    Keep(&'i Prepared, SubjectBrief),
    Duplicate(&'i Prepared),
    Refused(Problem),
}

/// Whether each event would be kept. The names that would be given to them are kept free for this
/// capture as long as its job lives, so that keeping them later fails for no name.
pub(crate) async fn examine(
    ctx: &Ctx,
    tx: &mut Tx,
    capture_id: &str,
    items: &[Item],
) -> Result<Vec<Result<()>>> {
    store::hold(tx).await?;
    let own = names::told_apart(ctx, tx, items).await?;
    let (decided, _) = decide(ctx, tx, capture_id, &names::named(items, &own)).await?;
    let names = decided.iter().filter_map(|outcome| match outcome {
        Outcome::Keep(prepared, owner) => Some((*prepared, owner.id.as_str())),
        _ => None,
    });
    store::reserve(tx, capture_id, names);
    let said = |outcome| match outcome {
        Outcome::Refused(problem) => Err(problem),
        Outcome::Duplicate(_) | Outcome::Keep(..) => Ok(()),
    };
    Ok(decided.into_iter().map(said).collect())
}

async fn decide<'i>(
    ctx: &Ctx,
    tx: &mut Tx,
    capture_id: &str,
    items: &[Named<'i>],
) -> Result<(Vec<Outcome<'i>>, Owners)> {
    let sound = || items.iter().filter_map(|item| item.ok());
    let owners = Owners::load(ctx, tx, sound()).await?;
    let secrets = Secrets::load(ctx, tx).await?;
    let ids: Vec<&str> = sound().map(|prepared| prepared.id.as_str()).collect();
    let mut known = store::known(tx, &ids).await?;
    let reserved = store::reserved(tx, &ids).await?;
    let gone = erased::known(ctx.app(), tx, &ids).await?;
    let mut outcomes = Vec::with_capacity(items.len());
    for item in items {
        let prepared = match *item {
            Ok(prepared) => prepared,
            Err(faults) => {
                outcomes.push(Outcome::Refused(invalid(faults.to_vec())));
                continue;
            }
        };
        let owner = secrets.require_none(&prepared.event);
        let owner = match owner.and_then(|()| owners.of(ctx, &prepared.event)) {
            Ok(owner) => owner,
            Err(problem) => {
                outcomes.push(Outcome::Refused(problem));
                continue;
            }
        };
        let name = (owner.id.clone(), prepared.id.clone());
        if let Some(erased) = gone.get(&name) {
            // What was erased is not kept again, whatever its sender says of it now.
            outcomes.push(if erased::is_same(ctx.app(), prepared, erased)? {
                Outcome::Duplicate(prepared)
            } else {
                Outcome::Refused(erased_before(&prepared.id))
            });
            continue;
        }
        let promised = reserved.get(&name);
        let promised = promised.filter(|(content, _)| !prepared.is(content));
        let outcome = match (known.get(&name), promised) {
            (Some(kept), _) if !prepared.is(&kept.digest) => Outcome::Refused(taken(&prepared.id)),
            (Some(kept), _) if kept.declarations.contains(&prepared.declaration) => {
                Outcome::Duplicate(prepared)
            }
            (_, Some((_, capture))) if capture == capture_id => {
                Outcome::Refused(taken(&prepared.id))
            }
            (_, Some(_)) => Outcome::Refused(promised_to(&prepared.id)),
            (_, None) => {
                let digest = prepared.content.clone();
                let kept = Content { digest, declarations: BTreeSet::new() };
                known.entry(name).or_insert(kept).declarations.insert(prepared.declaration.clone());
                Outcome::Keep(prepared, owner)
            }
        };
        outcomes.push(outcome);
    }
    Ok((outcomes, owners))
}

fn erased_before(id: &str) -> Problem {
    Problem::Gone(format!("eventID {id} 的事件已依法删除，不能再次提交；其他事件请用新的 eventID"))
}

fn promised_to(id: &str) -> Problem {
    Problem::duplicate(format!(
        "eventID {id} 正由另一次采集登记为内容不同的事件，请待那次采集结束后再提交"
    ))
}

pub(crate) fn taken(id: &str) -> Problem {
    Problem::duplicate(format!(
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
    let own = names::told_apart(ctx, tx, items).await?;
    let (decided, owners) = decide(ctx, tx, capture_id, &names::named(items, &own)).await?;
    let keep: Vec<(&Prepared, &SubjectBrief)> = decided
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Keep(prepared, owner) => Some((*prepared, owner)),
            _ => None,
        })
        .collect();
    let resent: Vec<&Prepared> = decided
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Duplicate(prepared) => Some(*prepared),
            _ => None,
        })
        .collect();
    let (told, late) = telling::tell_all(ctx, tx, (&keep, &resent), &owners).await?;
    let keep = &keep;
    let events: Vec<&str> =
        told.iter().filter_map(|(told, _)| told.outcome.as_deref().ok()).collect();
    let gone = yj_trace::erased(tx, &events).await?;
    // The same under another name would be a copy of what was erased.
    let is_copy = |told: &Told| told.outcome.as_ref().is_ok_and(|uid| gone.contains(uid));
    let copies: BTreeSet<&str> = (keep.iter().zip(&told))
        .filter(|(_, (told, _))| is_copy(told))
        .map(|((prepared, _), _)| prepared.id.as_str())
        .collect();
    let fresh = |prepared: &Prepared| !copies.contains(prepared.id.as_str());
    let (keep, told): (Vec<_>, Vec<_>) =
        keep.iter().copied().zip(told).filter(|((prepared, _), _)| fresh(prepared)).unzip();
    let mut new = Vec::with_capacity(keep.len());
    let (told, about): (Vec<_>, Vec<_>) = told.into_iter().unzip();
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
        let owners = keep.iter().map(|(_, owner)| *owner);
        let records: Vec<_> = new.iter().zip(owners).zip(&about).collect();
        anchor(ctx, tx, &records)?;
        note(ctx, tx, capture_id, &new);
    }
    let mut kept = new.into_iter().zip(told);
    let mut results = Vec::with_capacity(items.len());
    for outcome in decided {
        results.push(match outcome {
            Outcome::Refused(problem) => Taken::Refused(problem),
            Outcome::Duplicate(prepared) => {
                Taken::Duplicate { id: prepared.id.clone(), told: late.contains(&prepared.id) }
            }
            Outcome::Keep(prepared, _) if !fresh(prepared) => {
                Taken::Refused(erased_before(&prepared.id))
            }
            Outcome::Keep(prepared, _) => {
                let (new, told) =
                    kept.next().ok_or_else(|| Problem::internal("a kept event was lost"))?;
                Taken::New { uid: new.uid, id: prepared.id.clone(), told: told.outcome }
            }
        });
    }
    Ok(results)
}

/// Kept for people: bounded, and without control characters.
pub(crate) fn clean(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(500).collect()
}

/// What was sent is anchored by its hashes, told or not; the 追溯事件 has a record of its own.
fn anchor(
    ctx: &Ctx,
    tx: &mut Tx,
    records: &[((&NewEvent<'_>, &SubjectBrief), &Option<About>)],
) -> Result<()> {
    let mut sealed = Vec::with_capacity(records.len());
    for ((event, owner), about) in records {
        let time = jiff::Timestamp::from_millisecond(event.prepared.event.event_time.0);
        // Times that no calendar of ours can hold are told by the hash alone.
        let time = time.unwrap_or(ctx.now).to_string();
        let body = anchored(event, about.as_ref());
        let envelope = Envelope::new("epcis_event", &event.uid, &owner.code, &time, body);
        sealed.push((event.uid.as_str(), envelope.map_err(Problem::internal)?));
    }
    let pending: Vec<_> =
        sealed.iter().map(|(record, envelope)| yj_ledger::Pending { record, envelope }).collect();
    yj_ledger::enqueue(ctx, tx, &pending)
}

/// What exactly of an event is anchored. One that declares another wrong says which it takes back and
/// what it names in its place (`withdraws`); one that takes another's place says whose (`corrects`).
fn anchored(event: &NewEvent<'_>, about: Option<&About>) -> Value {
    let mut body = json!({
        "event_id": event.prepared.id, "hash": event.prepared.hash, "sm3": event.prepared.sm3,
        "trace": event.trace_uid,
    });
    let Some(About { event_id, trace }) = about else { return body };
    match &event.prepared.event.error_declaration {
        Some(declaration) => {
            let ids = &declaration.corrective_event_ids;
            body["withdraws"] =
                json!({ "event_id": event_id, "trace": trace, "corrective_event_ids": ids });
        }
        None => body["corrects"] = json!({ "event_id": event_id, "trace": trace }),
    }
    body
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
            Taken::Duplicate { told, .. } => {
                self.duplicate += 1;
                self.told += i64::from(*told);
            }
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
