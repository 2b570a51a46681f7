//! 采集 (§6.4.1): from a client's events to durable facts, in one transaction: event, links,
//! balances, counts, audit entry, announcement, and the queue of the ledger.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use yj_kernel::{
    Ctx, DataClass, Place, Problem, Result, Sql, SqlValue, Tx, audit, insert_rows, outbox,
};
use yj_model::{Id, UnitCode};
use yj_product::{ProductBrief, ProductState};
use yj_proof::Envelope;
use yj_subject::SubjectBrief;

use crate::{
    balance::{Link, LinkRole, Maker, Objects, apply, revert},
    event::{Checked, TraceEvent},
    personal,
    policy::Policies,
    query::EVENT_COLUMNS,
    store::{self, EVENT, StoredEvent},
};

/// Events of one request.
pub const EVENTS_MAX: usize = 1000;
/// Clocks may differ by this much before a time counts as the future.
const SKEW_MS: i64 = 5 * 60_000;
/// Tries when others write the same codes at the same moment.
const TRIES: usize = 3;

/// Through which door events came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// 手工录入
    Form,
    /// 文件导入
    Import,
    /// 接口
    Api,
}

impl Source {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Import => "import",
            Self::Api => "api",
        }
    }
}

/// What became of one event.
#[derive(Debug)]
pub enum Captured {
    /// Stored now.
    New {
        /// Its identifier.
        id: String,
        /// Whether it waits for review.
        held: bool,
    },
    /// The same content was stored before.
    Duplicate {
        /// Its identifier.
        id: String,
    },
    /// Refused.
    Refused(Problem),
}

/// Stores events. With `atomic`, one refusal refuses all; else each stands for itself. Nothing is
/// acknowledged before it is durable.
pub async fn capture(
    ctx: &Ctx,
    source: Source,
    events: &[TraceEvent],
    atomic: bool,
) -> Result<Vec<Captured>> {
    let mut tries = 1;
    loop {
        let mut tx = ctx.begin().await?;
        let captured = match capture_in(ctx, &mut tx, source, events).await {
            Ok(captured)
                if atomic && captured.iter().any(|one| matches!(one, Captured::Refused(_))) =>
            {
                return Ok(captured);
            }
            Ok(captured) => tx.commit().await.map(|()| captured),
            Err(problem) => Err(problem),
        };
        match captured {
            // Somebody else stored the same code or content between our look and our write.
            Err(Problem::Duplicate(_) | Problem::Unavailable(_)) if tries < TRIES => tries += 1,
            other => return other,
        }
    }
}

/// The same inside a transaction of the caller.
pub(crate) async fn capture_in(
    ctx: &Ctx,
    tx: &mut Tx,
    source: Source,
    events: &[TraceEvent],
) -> Result<Vec<Captured>> {
    if events.is_empty() || events.len() > EVENTS_MAX {
        return Err(Problem::invalid(
            "events",
            format!("一次应提交 1 至 {EVENTS_MAX} 条，现为 {} 条", events.len()),
        ));
    }
    let (domains, day) = (yj_domain::current(tx).await?, yj_domain::today(ctx));
    let check = |event: &TraceEvent| event.check(event.find(&domains, day)?);
    let checked: Vec<Result<Checked>> = events.iter().map(check).collect();
    let surroundings = Surroundings::load(tx, &checked).await?;
    let mut batch = Batch { objects: surroundings.objects.clone(), ..Batch::default() };
    let mut captured = Vec::with_capacity(events.len());
    for event in checked {
        let one = match event {
            Ok(event) => accept(ctx, tx, (source, &surroundings), &mut batch, event).await,
            Err(problem) => Err(problem),
        };
        captured.push(match one {
            Ok(one) => one,
            Err(problem @ (Problem::Internal(_) | Problem::Unavailable(_))) => return Err(problem),
            Err(problem) => Captured::Refused(problem),
        });
    }
    batch.write(ctx, tx, source).await?;
    Ok(captured)
}

/// What stands in the database around a batch.
struct Surroundings {
    subjects: BTreeMap<String, SubjectBrief>,
    products: BTreeMap<String, (String, UnitCode)>,
    halted: BTreeMap<String, ProductBrief>,
    objects: Objects,
    known: BTreeMap<String, String>,
    policies: Policies,
}

impl Surroundings {
    async fn load(tx: &mut Tx, events: &[Result<Checked>]) -> Result<Self> {
        let events: Vec<&Checked> = events.iter().filter_map(|event| event.as_ref().ok()).collect();
        let subjects = events.iter().flat_map(|event| {
            std::iter::once(event.subject.as_str())
                .chain(event.counterparty.as_ref().map(yj_model::SubjectCode::as_str))
        });
        let products = events
            .iter()
            .flat_map(|event| &event.outputs)
            .filter_map(|line| line.product.as_deref());
        let inputs = events.iter().flat_map(|event| &event.inputs).map(|line| line.code.as_str());
        let outputs = events.iter().flat_map(|event| &event.outputs).map(|line| line.code.as_str());
        let mut digests = Sql::new("SELECT digest, uid FROM trace_event WHERE digest ");
        digests.bind_texts(events.iter().map(|event| event.digest.as_str()));
        let queries = vec![
            yj_subject::query_by_codes(&distinct(subjects)),
            yj_product::query_by_codes(&distinct(products)),
            store::query_and_lock(tx, &distinct(inputs.chain(outputs))),
            digests,
            Policies::query(),
        ];
        let answers = tx.fetch_all(queries).await?;
        let [subjects, products, objects, digests, policies] = answers.as_slice() else {
            return Err(Problem::internal("five queries, but not five answers"));
        };
        let known = digests
            .iter()
            .map(|row| Ok((String::from(row.text(0)?), String::from(row.text(1)?))))
            .collect::<Result<_>>()?;
        let products = yj_product::read_by_codes(products)?;
        let halted = |product: &&ProductBrief| product.state != ProductState::Active;
        let halted = products.values().filter(halted);
        let halted = halted.map(|product| (product.code.clone(), product.clone())).collect();
        let products = products
            .into_iter()
            .map(|(code, product)| (code, (product.id, product.unit)))
            .collect();
        let subjects = yj_subject::read_by_codes(subjects)?;
        let (objects, policies) = (store::objects(objects)?, Policies::read(policies)?);
        Ok(Self { subjects, products, halted, objects, known, policies })
    }
}

fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    texts.collect::<BTreeSet<_>>().into_iter().collect()
}

/// What a batch is about to write.
#[derive(Default)]
struct Batch {
    objects: Objects,
    digests: BTreeMap<String, String>,
    events: Vec<Ready>,
}

struct Ready {
    uid: String,
    digest: String,
    stored: StoredEvent,
    spec_stage: &'static str,
    links: Vec<Link>,
    superseded: Option<i64>,
}

/// Decides on one event and, where it is accepted, changes the batch's objects.
async fn accept(
    ctx: &Ctx,
    tx: &mut Tx,
    (source, around): (Source, &Surroundings),
    batch: &mut Batch,
    event: Checked,
) -> Result<Captured> {
    if let Some(id) = around.known.get(&event.digest).or_else(|| batch.digests.get(&event.digest)) {
        return Ok(Captured::Duplicate { id: id.clone() });
    }
    let subject = around.subjects.get(event.subject.as_str());
    let reach = |subject: &&SubjectBrief| {
        let place = Place {
            region: Some(&subject.region),
            subject: Some(&subject.id),
            category: Some(&event.domain),
            stage: Some(event.stage.code()),
            ..Place::default()
        };
        ctx.scope().covers(&EVENT_COLUMNS, &place)
    };
    let subject = subject.filter(reach).ok_or_else(|| {
        Problem::invalid(
            "subject",
            format!("主体 {} 没有登记，或不在您的数据权限范围内", event.subject),
        )
    })?;
    if let Some(code) =
        event.counterparty.as_ref().filter(|code| !around.subjects.contains_key(code.as_str()))
    {
        return Err(Problem::invalid("counterparty", format!("交易对方 {code} 没有登记")));
    }
    if event.time.unix_ms() > ctx.now_ms() + SKEW_MS {
        return Err(Problem::invalid(
            "event_time",
            format!("发生时间 {} 晚于当前时间，不能登记未来的事件", event.time),
        ));
    }
    require_going(&event, &around.halted)?;
    let corrected = corrected(ctx, tx, &event).await?;
    let twice = |original: &StoredEvent| {
        batch.events.iter().any(|ready| ready.superseded == Some(original.id))
    };
    if corrected.as_ref().is_some_and(|(original, _)| twice(original)) {
        return Err(Problem::Conflict(String::from("同一批次中已有对该事件的更正")));
    }
    let automatic = around.policies.accepts(&event, (&subject.id, &subject.region), source.code());
    // A refused or held event must leave the others' objects as they were.
    let mut objects = batch.objects.clone_for(&event, corrected.as_ref());
    let maker = Maker { subject_id: &subject.id, products: &around.products };
    let reverted = match &corrected {
        Some((_, links)) => {
            load_missing(tx, &mut objects, links).await?;
            revert(&mut objects, links)?;
            links
                .iter()
                .filter(|link| link.role == LinkRole::Output)
                .map(|link| link.code.as_str())
                .collect()
        }
        None => Vec::new(),
    };
    let links = apply(&mut objects, &event, &maker, &reverted)?;
    let uid = ctx.new_id::<()>().to_string();
    let mut stored = stored_event(ctx, &uid, (source, subject), &event, &objects, automatic);
    personal::seal(ctx, tx, &event.spec, (&uid, &mut stored.body))?;
    batch.digests.insert(event.digest.clone(), uid.clone());
    if automatic {
        batch.objects.extend(objects);
    }
    let superseded = corrected.filter(|_| automatic).map(|(original, _)| original.id);
    batch.events.push(Ready {
        uid: uid.clone(),
        digest: event.digest,
        stored,
        spec_stage: event.stage.code(),
        links: if automatic { links } else { Vec::new() },
        superseded,
    });
    Ok(Captured::New { id: uid, held: !automatic })
}

/// Nothing more is made of a product that is suspended or recalled; what there is may still move,
/// for it must come back.
fn require_going(event: &Checked, halted: &BTreeMap<String, ProductBrief>) -> Result<()> {
    let named = event.outputs.iter().filter_map(|line| line.product.as_deref());
    let stopped = |product: &&ProductBrief| !product.may_be_made(event.time.unix_ms());
    let Some(product) = named.filter_map(|code| halted.get(code)).find(stopped) else {
        return Ok(());
    };
    let detail = format!(
        "产品 {} {}为“{}”，不能再登记其后的产出",
        product.code,
        product.name,
        product.state.label()
    );
    Err(Problem::invalid("outputs", detail))
}

/// Copies of the few objects that one event touches.
trait Excerpt {
    fn clone_for(&self, event: &Checked, corrected: Option<&(StoredEvent, Vec<Link>)>) -> Objects;
}

impl Excerpt for Objects {
    fn clone_for(&self, event: &Checked, corrected: Option<&(StoredEvent, Vec<Link>)>) -> Objects {
        let inputs = event.inputs.iter().map(|line| line.code.as_str());
        let outputs = event.outputs.iter().map(|line| line.code.as_str());
        let before = corrected.iter().flat_map(|(_, links)| links).map(|link| link.code.as_str());
        let touched = inputs.chain(outputs).chain(before);
        touched
            .filter_map(|code| self.get(code).map(|object| (String::from(code), object.clone())))
            .collect()
    }
}

/// Objects that only the corrected event touched.
async fn load_missing(tx: &mut Tx, objects: &mut Objects, links: &[Link]) -> Result<()> {
    let missing: Vec<&str> = links
        .iter()
        .map(|link| link.code.as_str())
        .filter(|code| !objects.contains_key(*code))
        .collect();
    objects.extend(store::lock_objects(tx, &missing).await?);
    Ok(())
}

/// The event that this one corrects, with its links.
async fn corrected(
    ctx: &Ctx,
    tx: &mut Tx,
    event: &Checked,
) -> Result<Option<(StoredEvent, Vec<Link>)>> {
    let Some(uid) = event.correction_of else { return Ok(None) };
    let original = lock_by_uid(tx, &uid.to_string()).await?;
    let original = original.filter(|original| original.subject_code == event.subject.as_str());
    let original = original
        .ok_or_else(|| Problem::invalid("correction_of", "没有这条事件，或不属于同一主体"))?;
    if original.state != "accepted" {
        let detail = if original.state == "superseded" {
            "该事件已被更正过，请更正其最新的一条"
        } else {
            "该事件尚未接收，不需要更正"
        };
        return Err(Problem::Conflict(String::from(detail)));
    }
    if ctx.now_ms() < original.recorded_at {
        return Err(Problem::internal("the clock stepped back behind a stored event"));
    }
    let links = store::links(tx, original.id).await?;
    Ok(Some((original, links)))
}

/// One event by its identifier, whoever asks.
pub(crate) async fn by_uid(tx: &mut Tx, uid: &str) -> Result<Option<StoredEvent>> {
    let mut sql = Sql::new(EVENT);
    sql.push(" WHERE e.uid = ").bind(uid);
    match tx.fetch_one(sql).await? {
        Some(row) => StoredEvent::read(tx, &row).await.map(Some),
        None => Ok(None),
    }
}

/// The same, locked against others who correct or decide it at the same moment.
pub(crate) async fn lock_by_uid(tx: &mut Tx, uid: &str) -> Result<Option<StoredEvent>> {
    let mut lock = Sql::new("SELECT id FROM trace_event WHERE uid = ");
    lock.bind(uid).push(tx.dialect().for_update());
    tx.fetch(lock).await?;
    by_uid(tx, uid).await
}

fn stored_event(
    ctx: &Ctx,
    uid: &str,
    (source, subject): (Source, &SubjectBrief),
    event: &Checked,
    objects: &Objects,
    automatic: bool,
) -> StoredEvent {
    let lines = event
        .outputs
        .iter()
        .map(|line| &line.code)
        .chain(event.inputs.iter().map(|line| &line.code));
    let objects: Vec<_> = lines.filter_map(|code| objects.get(code.as_str())).collect();
    StoredEvent {
        id: 0,
        uid: String::from(uid),
        domain: event.domain.clone(),
        kind: event.spec.code.clone(),
        stage: String::from(event.stage.code()),
        subject_id: subject.id.clone(),
        subject_code: subject.code.clone(),
        product_id: objects.iter().find_map(|object| object.product_id.clone()),
        lot: objects.iter().find_map(|object| object.lot.clone()),
        region: event.region.as_ref().map_or_else(|| subject.region.clone(), ToString::to_string),
        time: event.time,
        recorded_at: ctx.now_ms(),
        recorded_by: String::from(ctx.actor()),
        source: String::from(source.code()),
        state: String::from(if automatic { "accepted" } else { "held" }),
        held_reason: (!automatic).then(|| {
            String::from(if event.spec.always_reviewed {
                "这类事件一律由他人审核后上链"
            } else {
                "来源策略要求人工审核后上链"
            })
        }),
        body: event.body.clone(),
        correction_of: event.correction_of.map(|id| id.to_string()),
        superseded_by: None,
        decision_comment: None,
        label: DataClass::Internal.level(),
        anchor: None,
        pack_version: event.spec.pack().version.to_string(),
        spec: Some(event.spec.clone()),
    }
}

impl Batch {
    async fn write(mut self, ctx: &Ctx, tx: &mut Tx, source: Source) -> Result<()> {
        if self.events.is_empty() {
            return Ok(());
        }
        let wanted =
            [("trace_object", store::fresh(&self.objects)), ("trace_event", self.events.len())];
        let [object_ids, ids] = tx.allocate(wanted).await?;
        tx.later(store::save_objects(&mut self.objects, object_ids)?);
        let (mut rows, mut links) = (Vec::new(), Vec::new());
        let mut statements = Vec::new();
        let mut counts: BTreeMap<_, i64> = BTreeMap::new();
        for (ready, id) in self.events.iter_mut().zip(ids) {
            ready.stored.id = id;
            rows.push(event_row(ready));
            if ready.stored.state == "accepted" {
                for link in &ready.links {
                    links.push(store::link_row(
                        id,
                        ready.stored.time.unix_ms(),
                        link,
                        &self.objects,
                    )?);
                }
                if let Some(original) = ready.superseded {
                    statements.extend(supersede(original, &ready.uid));
                }
                *counts.entry(rollup_key(&ready.stored, ready.spec_stage)).or_default() += 1;
            }
        }
        tx.later(insert_rows(EVENT_INSERT, "", rows));
        tx.later(statements);
        tx.later(store::insert_links(links));
        tx.later(store::rollup(counts));
        self.anchor(ctx, tx)?;
        self.note(ctx, tx, source);
        Ok(())
    }

    fn anchor(&self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let accepted = self.events.iter().filter(|ready| ready.stored.state == "accepted");
        let sealed =
            accepted.map(|ready| Ok((ready.uid.as_str(), envelope(&ready.stored, &ready.links)?)));
        let sealed = sealed.collect::<Result<Vec<_>>>()?;
        let pending: Vec<_> = sealed
            .iter()
            .map(|(record, envelope)| yj_ledger::Pending { record, envelope })
            .collect();
        yj_ledger::enqueue(ctx, tx, &pending)
    }

    /// One entry for the batch; every event is a fact that stands for itself.
    fn note(&self, ctx: &Ctx, tx: &mut Tx, source: Source) {
        let held = self.events.iter().filter(|ready| ready.stored.state == "held").count();
        let (first, last) = (&self.events[0].uid, &self.events[self.events.len() - 1].uid);
        let body = json!({ "events": self.events.len(), "held": held, "source": source.code(), "last": last });
        let entry = audit::Entry {
            action: "captured",
            entity: "trace_event",
            record: first,
            body: body.clone(),
        };
        audit::write(ctx, tx, entry);
        outbox::announce(ctx, tx, ("trace_event", "captured"), first, &body);
    }
}

/// The canonical record of an accepted event.
pub(crate) fn envelope(stored: &StoredEvent, links: &[Link]) -> Result<Envelope> {
    let time =
        jiff::Timestamp::from_millisecond(stored.time.unix_ms()).map_err(Problem::internal)?;
    let body = stored.anchored(links)?;
    Envelope::new("trace_event", &stored.uid, &stored.subject_code, &time.to_string(), body)
        .map_err(Problem::internal)
}

pub(crate) fn rollup_key(
    stored: &StoredEvent,
    stage: &'static str,
) -> (String, String, String, &'static str) {
    (stored.time.beijing_day().to_string(), stored.region.clone(), stored.domain.clone(), stage)
}

/// A corrected event keeps its record and its proof; only its effect is gone.
pub(crate) fn supersede(original: i64, by: &str) -> [Sql; 2] {
    [
        Sql::new("UPDATE trace_event SET state = 'superseded', superseded_by = $1 WHERE id = $2 AND state = 'accepted'")
            .arg(by)
            .arg(original),
        Sql::new("DELETE FROM trace_link WHERE event_id = $1").arg(original),
    ]
}

const EVENT_INSERT: &str = "INSERT INTO trace_event (id, uid, digest, domain, kind, stage, subject_id, \
     subject_code, product_id, lot, region, event_time, event_offset, recorded_at, recorded_by, source, \
     state, held_reason, body, correction_of, pack_version)";

fn event_row(ready: &Ready) -> Vec<SqlValue> {
    let stored = &ready.stored;
    vec![
        stored.id.into(),
        (&stored.uid).into(),
        (&ready.digest).into(),
        (&stored.domain).into(),
        (&stored.kind).into(),
        (&stored.stage).into(),
        (&stored.subject_id).into(),
        (&stored.subject_code).into(),
        stored.product_id.clone().into(),
        stored.lot.clone().into(),
        (&stored.region).into(),
        stored.time.unix_ms().into(),
        stored.time.offset_minutes().into(),
        stored.recorded_at.into(),
        (&stored.recorded_by).into(),
        (&stored.source).into(),
        (&stored.state).into(),
        stored.held_reason.clone().into(),
        stored.body.to_string().into(),
        stored.correction_of.clone().into(),
        (&stored.pack_version).into(),
    ]
}

/// The results as clients see them.
pub(crate) fn results(captured: &[Captured]) -> Vec<Value> {
    let one = |(index, captured): (usize, &Captured)| match captured {
        Captured::New { id, held } => {
            json!({ "index": index, "id": id, "state": if *held { "held" } else { "accepted" }, "duplicate": false })
        }
        Captured::Duplicate { id } => json!({ "index": index, "id": id, "duplicate": true }),
        Captured::Refused(problem) => json!({ "index": index, "problem": problem.body() }),
    };
    captured.iter().enumerate().map(one).collect()
}

/// Parses an identifier from a path.
pub(crate) fn event_id(text: &str) -> Result<String> {
    text.parse::<Id<()>>().map(|id| id.to_string()).map_err(|_| Problem::NotFound("追溯事件"))
}
