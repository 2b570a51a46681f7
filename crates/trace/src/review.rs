//! 上链审批 (D-6.3): held events are accepted or rejected by somebody else; acceptance does what
//! capture would have done, in one transaction. Where what it consumes has become doubtful since,
//! whoever approves is told first.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

use serde_json::{Value, json};
use yj_domain::Domains;
use yj_kernel::{Ctx, Problem, Result, Sql, Tx, again, audit, outbox};
use yj_model::{Quantity, UnitCode};
use yj_subject::SubjectBrief;

use crate::{
    balance::{Applied, Before, Maker, Object, Objects, apply},
    belonging, brought,
    correction::{self, Meanwhile, lock_by_uid, supersede, take_back},
    event::{Checked, TraceEvent},
    failing,
    handover::{self, Hands},
    hold, holders,
    knowledge::Knowledge,
    ordering,
    packing::{self, Contents, Pending},
    pairing,
    papers::{self, Judged, Parties},
    prices::{self, Line, Priced},
    record::rollup_key,
    reissue, returned, sealed,
    store::{self, StoredEvent},
    surroundings, warned,
};

/// Tries of one decision.
const TRIES: usize = 3;

/// What a reviewer decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// 通过
    Approve,
    /// 驳回
    Reject,
}

/// Decides on a held event; tries again where captures over the same codes got in its way.
pub(crate) async fn decided(
    ctx: &Ctx,
    uid: &str,
    decision: Decision,
    comment: &str,
) -> Result<Result<Value>> {
    again(TRIES, Problem::is_of_a_race, || async move {
        let mut tx = ctx.begin().await?;
        let answer = decide(ctx, &mut tx, uid, decision, comment).await?;
        tx.commit().await?;
        Ok(answer)
    })
    .await
}

/// Decides on a held event. What is refused with something to remember is the inner answer: that is to
/// be committed too.
async fn decide(
    ctx: &Ctx,
    tx: &mut Tx,
    uid: &str,
    decision: Decision,
    comment: &str,
) -> Result<Result<Value>> {
    let mut stored = lock_by_uid(tx, uid).await?.ok_or(Problem::NotFound("追溯事件"))?;
    if !stored.is_within(ctx.scope()) {
        return Err(Problem::NotFound("追溯事件"));
    }
    sealed::open(ctx, tx, &mut stored).await?;
    if stored.state != "held" {
        return Err(Problem::Conflict(String::from(
            "该事件不在待审状态，可能已被他人处理，请刷新",
        )));
    }
    if stored.recorded_by == ctx.actor() {
        return Err(Problem::Conflict(String::from("不能审核自己登记的数据，请由他人审核")));
    }
    let mut told = Vec::new();
    let state = match decision {
        Decision::Approve => {
            told = match effect(ctx, tx, &stored).await? {
                Effect::Done(told) => told,
                Effect::Doubtful(reason) => return Ok(Err(doubt(ctx, tx, &stored, &reason))),
            };
            "accepted"
        }
        Decision::Reject if comment.trim().is_empty() => {
            return Err(Problem::invalid("comment", "请写明驳回理由"));
        }
        Decision::Reject => "rejected",
    };
    let sql = Sql::new(
        "UPDATE trace_event SET state = $1, decided_by = $2, decided_at = $3, decision_comment = $4 \
         WHERE id = $5 AND event_time = $6 AND state = 'held'",
    );
    let sql = sql.arg(state).arg(ctx.actor()).arg(ctx.now_ms()).arg(comment.trim());
    tx.execute(sql.arg(stored.id).arg(stored.time.unix_ms())).await?;
    // Only what is accepted is compared.
    tx.later(pairing::write(ctx.now_ms(), vec![(stored.id, told)]));
    let body = json!({ "state": state, "comment": comment.trim() });
    let entry =
        audit::Entry { action: state, entity: "trace_event", record: uid, body: body.clone() };
    audit::write(ctx, tx, entry);
    outbox::announce(ctx, tx, ("trace_event", state), uid, &body);
    Ok(Ok(json!({ "id": uid, "state": state })))
}

/// What comes of an approval.
enum Effect {
    /// It is a fact, and says this of its transactions.
    Done(Vec<pairing::Line>),
    /// It is not yet, for a reason that nobody has been told.
    Doubtful(String),
}

/// Keeps the reason, so that whoever approves next knows it.
fn doubt(ctx: &Ctx, tx: &mut Tx, stored: &StoredEvent, reason: &str) -> Problem {
    let known = stored.held_reason.iter().map(String::as_str);
    let all = known.chain([reason]).collect::<Vec<_>>().join("；");
    let sql = Sql::new(
        "UPDATE trace_event SET held_reason = $1 \
         WHERE id = $2 AND event_time = $3 AND state = 'held'",
    );
    tx.later(vec![sql.arg(all).arg(stored.id).arg(stored.time.unix_ms())]);
    let body = json!({ "held_reason": reason });
    let entry = audit::Entry {
        action: "updated",
        entity: "trace_event",
        record: &stored.uid,
        body: body.clone(),
    };
    audit::write(ctx, tx, entry);
    outbox::announce(ctx, tx, ("trace_event", "updated"), &stored.uid, &body);
    Problem::Conflict(format!("登记之后情况有变：{reason}；请核实后再次审核"))
}

/// Everything that makes a held event a fact.
async fn effect(ctx: &Ctx, tx: &mut Tx, stored: &StoredEvent) -> Result<Effect> {
    // By the rules it was submitted under, whatever has been put into use meanwhile.
    let spec = stored.spec.clone().ok_or_else(|| {
        Problem::Conflict(String::from("该事件所属的领域包不可用，请驳回并由提交人重新登记"))
    })?;
    let mut event = resubmitted(stored)?.check(spec, None).map_err(|problem| {
        Problem::Conflict(format!("该事件不再符合规则：{problem}；请驳回并由提交人重新登记"))
    })?;
    let inputs = event.inputs.iter().map(|line| line.code.as_str());
    let codes: Vec<&str> =
        inputs.chain(event.outputs.iter().map(|line| line.code.as_str())).collect();
    let mut objects = store::lock_objects(tx, &codes).await?;
    let domains = yj_domain::current(tx).await?;
    let products: Vec<&str> =
        event.outputs.iter().filter_map(|line| line.product.as_deref()).collect();
    let products = yj_product::by_codes(tx, &products).await?;
    let products =
        products.into_iter().map(|(code, product)| (code, (product.id, product.unit))).collect();
    let original = match &stored.correction_of {
        Some(uid) => lock_by_uid(tx, uid).await?,
        None => None,
    };
    let hands = hands(tx, &event).await?;
    let outside = brought::known(tx, &event, &objects, iter::empty()).await?;
    let mut holds = surroundings::holds(tx, &objects).await?;
    let mut corrects = Vec::new();
    let mut before = Before::default();
    if let Some(original) = &original {
        if original.state != "accepted" {
            return Err(Problem::Conflict(String::from("被更正的事件已有其他更正，请驳回")));
        }
        let links = store::links(tx, original.id).await?;
        before = take_back(tx, &mut objects, (original, &links), &Meanwhile::default()).await?;
        corrects = links;
        event.bring_again(&before.outside);
    }
    let stands = |id| original.as_ref().is_none_or(|original| original.id != id);
    if event.spec.unpacks() && !event.withdraws {
        // The objects are as if what is corrected had not been.
        let counts_not = |id| original.as_ref().is_some_and(|original| original.id == id);
        take_out(tx, &domains, &mut event, (&objects, &counts_not)).await?;
    }
    let whose = (stored.subject_id.as_str(), &event);
    belonging::require_own(tx, whose, Vec::new(), stands).await?;
    let of_belonging = belonging::review_reason(tx, whose, Vec::new(), stands).await?;
    let same = original.as_ref().is_some_and(|one| one.is_of(&stored.domain, &stored.kind));
    let repeats = |line: &_| same && hold::repeats(line, &objects, &corrects);
    let of_hold = hold::judge(&event, &holds, repeats)?;
    let named: BTreeSet<&str> =
        objects.values().flat_map(Object::parties).chain([stored.subject_id.as_str()]).collect();
    let briefs = yj_subject::heirs(tx, &named.into_iter().collect::<Vec<_>>()).await?;
    let both = parties(tx, &event).await?;
    let from = both.as_ref().filter(|_| handover::comes_in(&event.spec));
    let from = from.map(|(_, other)| other.id.as_str());
    let sources = |code: &str, object: &Object| {
        let whose = (code, stored.subject_id.as_str());
        let left = || handover::left(&[&hands], whose, event.time.unix_ms(), stands);
        handover::sources((&stored.subject_id, object), from, &briefs, left)
    };
    let whom = stored.subject_id.as_str();
    let doubtful = handover::doubtful(&event, whom, (&objects, &briefs), sources);
    let told = |reason: &String| {
        stored.held_reason.as_ref().is_some_and(|known| known.contains(reason.as_str()))
    };
    let judged = papers(tx, &event, (&stored.subject_id, both.as_ref()), (&objects, &products));
    let judged = judged.await?;
    let reasons = handover::review_reason(&doubtful).into_iter().chain(of_hold);
    let of_withdrawal = correction::review_reason(&event, &corrects, &objects);
    let reasons = reasons.chain(judged.reason.clone()).chain(of_withdrawal).chain(of_belonging);
    let untold: Vec<String> = reasons.filter(|reason| !told(reason)).collect();
    if !untold.is_empty() {
        return Ok(Effect::Doubtful(untold.join("；")));
    }
    let but = original.as_ref().map(|original| original.id);
    returned::require_sold(tx, (&event, &domains), &objects, &[], but).await?;
    let knowledge = Knowledge::of(ctx, &event.domain);
    let may_know = |object: &Object| knowledge.covers(object, &briefs);
    let own = briefs.get(&stored.subject_id);
    let maker = Maker {
        subject_id: &stored.subject_id,
        counterparty: both.as_ref().map(|(_, other)| other.id.as_str()),
        sources: &sources,
        own_only: own.is_some_and(|own| knowledge.covers_subject(own, event.stage)),
        products: &products,
        may_know: &may_know,
        outside: &outside,
        unjudged: &BTreeSet::new(),
    };
    let Applied { links, brought, handovers } = apply(&mut objects, &event, &maker, &before)?;
    if let Some(original) = &original {
        let now = event.spec.packing.map(|packing| Pending { packing, links: &links });
        let counts_not: &(dyn Fn(i64) -> bool + Sync) = &|id| id == original.id;
        let before = (original, &*corrects, counts_not);
        packing::require_taken(tx, &domains, before, (now.as_slice(), &objects)).await?;
    }
    let orders = hold::inherited(&event, &holds);
    let under = hold::hand_down(&orders, &links, (&mut objects, &mut holds));
    let [ids] = tx.allocate([("trace_object", store::fresh(&objects))]).await?;
    let mut statements = store::save_objects(&mut objects, ids)?;
    let rows =
        links.iter().map(|link| store::link_row(stored.id, stored.time.unix_ms(), link, &objects));
    let originals = original.iter().map(|one| (one.id, one.time.unix_ms()));
    statements.extend(originals.flat_map(|original| supersede(original, &stored.uid)));
    statements.extend(store::insert_links(rows.collect::<Result<_>>()?));
    let at = (stored.id, stored.time.unix_ms());
    statements.extend(holders::insert_handovers(holders::handover_rows(at, &handovers, &objects)?));
    statements.extend(brought::insert(brought::rows(at, &brought, &objects)?));
    statements.extend(warned::note(stored, &links, &objects)?);
    if let Some(priced) = &Priced::of(&event, &objects) {
        // What it takes the place of is no other price.
        tx.later(original.iter().map(|one| prices::forget(one.id)));
        let event = (stored.id, stored.time.unix_ms());
        let line = Line { event, region: &stored.region, priced };
        statements.extend(prices::note(tx, &[line]).await?);
    }
    let told = pairing::Told {
        spec: &event.spec,
        domain: &event.domain,
        time: event.time,
        body: &event.body,
    };
    let told = match &both {
        Some((own, other)) => pairing::lines(&told, (own, Some(other)), (&links, &objects))?,
        None => Vec::new(),
    };
    statements.extend(store::rollup(BTreeMap::from([(rollup_key(stored, event.stage.code()), 1)])));
    let day = stored.time.beijing_day().to_string();
    let at = (stored.uid.as_str(), stored.subject_id.as_str(), stored.region.as_str(), day);
    statements.extend(papers::write(at, &judged));
    tx.later(statements);
    let envelope = stored.envelope(&links)?;
    let pending = yj_ledger::Pending { record: &stored.uid, envelope: &envelope };
    yj_ledger::enqueue(ctx, tx, &[pending])?;
    ordering::fall_under(tx, &under, &objects, (stored.id, original.is_some())).await?;
    reissue::settle(ctx, tx, &judged.remade).await?;
    if failing::is_failed(&event.spec, &event.body) {
        failing::stop(ctx, tx, (&stored.uid, &event.body), &links).await?;
    }
    Ok(Effect::Done(told))
}

/// Judges what an event takes out of a package by what is in it now.
async fn take_out(
    tx: &mut Tx,
    domains: &Domains,
    event: &mut Checked,
    (objects, counts_not): (&Objects, &(dyn Fn(i64) -> bool + Sync)),
) -> Result<()> {
    let Some(package) = event.inputs.first() else { return Ok(()) };
    let code = package.code.as_str();
    let id = objects.get(code).and_then(|object| object.id);
    let contents = Contents::load(tx, domains, (code, id), (&[], objects), counts_not).await?;
    packing::take_out(event, &contents, (objects, Quantity::ZERO))
}

/// What holders of what an event consumes gave away, and what was taken of it.
async fn hands(tx: &mut Tx, event: &Checked) -> Result<Hands> {
    let consumed: Vec<&str> = handover::consumed(event).collect();
    if consumed.is_empty() {
        return Ok(Hands::default());
    }
    handover::load(tx, &consumed).await
}

/// What the documents that an event names say of it by now.
async fn papers(
    tx: &mut Tx,
    event: &Checked,
    (subject, both): (&str, Option<&(SubjectBrief, SubjectBrief)>),
    (objects, products): (&Objects, &BTreeMap<String, (String, UnitCode)>),
) -> Result<Judged> {
    let queries = papers::queries(tx, &[event]);
    let answers = tx.fetch_all(queries).await?;
    let parties = Parties {
        subject,
        counterparty: both.map(|(_, other)| other.id.as_str()),
        products: papers::products(event, objects, products),
    };
    papers::read(&answers)?.judge(event, &parties)
}

/// Both sides of an event that names another, by the codes it was stored with.
async fn parties(tx: &mut Tx, event: &Checked) -> Result<Option<(SubjectBrief, SubjectBrief)>> {
    let Some(other) = &event.counterparty else { return Ok(None) };
    let mut found = yj_subject::by_codes(tx, &[event.subject.as_str(), other.as_str()]).await?;
    let subject = found.remove(event.subject.as_str());
    Ok(subject.zip(found.remove(other.as_str())))
}

/// A stored event as it would be submitted again.
fn resubmitted(stored: &StoredEvent) -> Result<TraceEvent> {
    let mut whole = stored.body.clone();
    whole["domain"] = json!(stored.domain);
    whole["type"] = json!(stored.kind);
    whole["subject"] = json!(stored.subject_code);
    whole["event_time"] = json!(stored.time);
    whole["correction_of"] = json!(stored.correction_of);
    serde_json::from_value(whole).map_err(Problem::internal)
}
