//! 采集 (§6.4.1): from a client's events to durable facts, in one transaction: event, links,
//! balances, counts, audit entry, announcement, and the queue of the ledger.

mod looked;
mod packages;
mod reported;

pub(crate) use looked::{Looked, Sender};

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use yj_domain::{EventSpec, EventType};
use yj_kernel::{ActorKind, Ctx, Problem, Result, Tx, again};
use yj_model::Quantity;
use yj_subject::SubjectBrief;

use crate::{
    balance::{Applied, Before, Link, LinkRole, Maker, Object, Objects, Sources, apply},
    belonging::{self, Deed},
    brought::{self, Brought},
    correction::{self, Meanwhile, corrected, supersede, take_back},
    demanded,
    event::{Checked, InLine, TraceEvent},
    failing,
    handover::{self, Handed, Hands, Taken},
    hold::{self, Holds, Under},
    holders::{self, Handover},
    knowledge::Knowledge,
    lots::Touched,
    moment, ordering, pairing,
    papers::{self, Judged, Papers, Parties},
    prices::Priced,
    record::{Excerpt, also, rollup_key, stored_event},
    reissue, returned, rightful, sealed, standing,
    store::{self, StoredEvent},
    surroundings::{self, Surroundings},
    trips::{self, Trip},
    warned,
};

/// Events of one request.
pub const EVENTS_MAX: usize = 1000;
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
    /// 设备
    Device,
}

impl Source {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Import => "import",
            Self::Api => "api",
            Self::Device => "device",
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
    again(TRIES, Problem::is_of_a_race, || async move {
        require_few(events)?;
        let senders = [Sender { ctx, source, events }];
        let looked = Looked::ahead(&senders);
        let mut tx = ctx.begin().await?;
        let captured = capture_of(&mut tx, &senders, looked).await?.pop().unwrap_or_default();
        if !(atomic && captured.iter().any(|one| matches!(one, Captured::Refused(_)))) {
            tx.commit().await?;
        }
        Ok(captured)
    })
    .await
}

/// The same inside a transaction of the caller, where each event stands for itself. Called again
/// with a new transaction when it fails for the moment ([`Problem::Duplicate`],
/// [`Problem::Unavailable`]).
pub async fn capture_in(
    ctx: &Ctx,
    tx: &mut Tx,
    source: Source,
    events: &[TraceEvent],
) -> Result<Vec<Captured>> {
    require_few(events)?;
    let senders = [Sender { ctx, source, events }];
    let looked = Looked::ahead(&senders);
    Ok(capture_of(tx, &senders, looked).await?.pop().unwrap_or_default())
}

fn require_few(events: &[TraceEvent]) -> Result<()> {
    if (1..=EVENTS_MAX).contains(&events.len()) {
        return Ok(());
    }
    let detail = format!("一次应提交 1 至 {EVENTS_MAX} 条，现为 {} 条", events.len());
    Err(Problem::invalid("events", detail))
}

/// Stores what several senders sent, in one transaction; to each what became of theirs. Every event
/// is judged by the rights of its sender.
pub(crate) async fn capture_of(
    tx: &mut Tx,
    senders: &[Sender<'_>],
    mut looked: Looked,
) -> Result<Vec<Vec<Captured>>> {
    tx.plan_once();
    let app = senders.first().map(|sender| sender.ctx.app());
    let mut surroundings = Surroundings::load(app, tx, &mut looked.events).await?;
    if !Arc::ptr_eq(&surroundings.domains, &looked.domains) {
        // A pack was activated meanwhile, or this is the first batch: what is in force now counts.
        looked = Looked::by(surroundings.domains, senders);
        surroundings = Surroundings::load(app, tx, &mut looked.events).await?;
    }
    let mut batch = Batch {
        objects: surroundings.objects.clone(),
        holds: surroundings.holds.clone(),
        papers: surroundings.papers.clone(),
        ..Batch::default()
    };
    let mut checked = looked.events.into_iter();
    let mut answers = Vec::with_capacity(senders.len());
    for (from, Sender { ctx, source, events }) in senders.iter().enumerate() {
        let mut captured = Vec::with_capacity(events.len());
        for event in checked.by_ref().take(events.len()) {
            let said = (from, *source, &surroundings);
            let one = match event {
                Ok(event) => accept(ctx, tx, said, &mut batch, event).await,
                Err(problem) => Err(problem),
            };
            captured.push(match one {
                Ok(one) => one,
                Err(problem @ (Problem::Internal(_) | Problem::Unavailable(_))) => {
                    return Err(problem);
                }
                Err(problem) => Captured::Refused(problem),
            });
        }
        answers.push(captured);
    }
    batch.write(tx, senders).await?;
    Ok(answers)
}

/// What a batch is about to write.
#[derive(Default)]
struct Batch {
    objects: Objects,
    digests: BTreeMap<String, String>,
    /// What was given away and taken by events of this batch.
    hands: Hands,
    /// Orders in force, as the events of this batch have handed them down.
    holds: Holds,
    /// The documents that are named, as the events of this batch have used them.
    papers: Papers,
    /// Units that are called by product and lot in this batch, as far as its events have touched any.
    touched: Touched,
    /// Codes that tests of this batch found unqualified.
    failed: BTreeSet<String>,
    events: Vec<Ready>,
}

struct Ready {
    /// Which of the senders.
    from: usize,
    uid: String,
    digest: String,
    stored: StoredEvent,
    /// What it says of its transactions.
    told: Vec<pairing::Line>,
    spec_stage: &'static str,
    /// Products and lots that its row does not name.
    also: BTreeSet<(&'static str, String)>,
    links: Vec<Link>,
    /// What it took from the hands of others.
    handovers: Vec<Handover>,
    /// What came with it from outside.
    brought: Vec<Brought>,
    /// The event that it takes the place of: identifier, and time in Unix ms.
    superseded: Option<(i64, i64)>,
    /// What of it has fallen under orders.
    under: Vec<Under>,
    /// What it uses of documents.
    papers: Judged,
    /// Whether it is a test that found its lots unqualified.
    failed: bool,
    /// The trip that it tells of.
    trip: Option<Trip>,
    /// What its goods cost.
    priced: Option<Priced>,
}

/// Decides on one event and, where it is accepted, changes the batch's objects.
async fn accept(
    ctx: &Ctx,
    tx: &mut Tx,
    (from, source, around): (usize, Source, &Surroundings),
    batch: &mut Batch,
    mut event: Checked,
) -> Result<Captured> {
    let subject = around.subject(ctx, &event)?;
    if !around.lots.is_empty() {
        let now = (&batch.objects, &batch.touched);
        around.lots.name_in_turn(&mut event, &subject.id, now)?;
    }
    let is_cleared = || surroundings::is_cleared(ctx, (subject, &event));
    sealed::require_may_say(&event, source == Source::Device, is_cleared)?;
    if let Some(id) = around.same_as(&event)?.or_else(|| batch.digests.get(&event.digest)) {
        return Ok(Captured::Duplicate { id: id.clone() });
    }
    let counterparty = around.counterparty(&event)?;
    moment::require_possible(ctx, &event)?;
    let of_standing = standing::review_reason(subject, &event)?;
    standing::require_going(&event, &around.halted)?;
    standing::require_domain(&event, (&around.product_domains, &around.domains))?;
    let corrected = corrected(ctx, tx, (&event, subject)).await?;
    if corrected.as_ref().is_some_and(|(original, _)| batch.supersedes(original.id)) {
        return Err(Problem::Conflict(String::from("同一批次中已有对该事件的更正")));
    }
    batch.take_out(tx, &around.domains, &mut event, corrected.as_ref()).await?;
    let before = corrected.as_ref().map_or(&[][..], |(_, links)| links);
    // What a sale took, another kind of event did not take.
    let same =
        corrected.as_ref().is_some_and(|(one, _)| one.is_of(&event.domain, &event.spec.code));
    let repeats = |line: &InLine| same && hold::repeats(line, &batch.objects, before);
    let of_hold = hold::judge(&event, &batch.holds, repeats)?;
    let whose = (subject.id.as_str(), &event);
    rightful::require_rightful(tx, whose, &batch.objects, &around.owners).await?;
    let own = || batch.deeds(&event.spec);
    let stands = |id| {
        !batch.supersedes(id) && corrected.as_ref().is_none_or(|(original, _)| original.id != id)
    };
    belonging::require_own(tx, whose, own(), stands).await?;
    let of_belonging = match ctx.principal().kind {
        ActorKind::Platform => None,
        _ => belonging::review_reason(tx, whose, own(), stands).await?,
    };
    let others = batch.events.iter().filter_map(|ready| ready.trip.clone());
    let trip = Trip::of_event(&event, &subject.id);
    let of_trip = trips::review_reason(tx, (&event, trip.as_ref()), others, stands).await?;
    let made = || around.hands.made.iter().map(|(code, time)| (code.as_str(), *time));
    let of_moment = moment::review_reason(&event, made().chain(batch.meanwhile().outputs));
    let failed = failing::is_failed(&event.spec, &event.body);
    let parties = Parties {
        subject: &subject.id,
        counterparty: counterparty.map(|other| other.id.as_str()),
        products: papers::products(&event, &batch.objects, &around.products),
    };
    demanded::require_known(tx, (&event, &subject.id), &batch.objects).await?;
    let judged = batch.papers.judge(&event, &parties)?;
    let of_test = match ctx.principal().kind {
        ActorKind::Platform => None,
        _ => batch.doubts(&event, failed, (&subject.id, &around.holders)),
    };
    let sold = (&event, &*around.domains);
    let but = corrected.as_ref().map(|(original, _)| original.id);
    returned::require_sold(tx, sold, &batch.objects, &batch.done(), but).await?;
    // A refused or held event must leave the others' objects as they were.
    let mut objects = batch.objects.clone_for(&event, corrected.as_ref());
    let meanwhile = batch.events.iter().flat_map(|ready| &ready.brought);
    let outside = brought::known(tx, &event, &objects, meanwhile).await?;
    let before = match &corrected {
        Some((original, links)) => {
            take_back(tx, &mut objects, (original, links), &batch.meanwhile()).await?
        }
        None => Before::default(),
    };
    event.bring_again(&before.outside);
    let sources = |code: &str, object: &Object| {
        around.sources((code, object), (&batch.hands, &stands), (subject, counterparty, &event))
    };
    let on_own_behalf = ctx.principal().kind == ActorKind::Platform;
    let doubtful = if on_own_behalf {
        BTreeSet::new()
    } else {
        handover::doubtful(&event, &subject.id, (&objects, &around.holders), sources)
    };
    let of_handover = handover::review_reason(&doubtful);
    let knowledge = Knowledge::of(ctx, &event.domain);
    let may_know = |object: &Object| knowledge.covers(object, &around.holders);
    let mut unjudged = doubtful;
    unjudged.retain(|code| !objects.get(code).is_some_and(may_know));
    let maker = Maker {
        subject_id: &subject.id,
        counterparty: counterparty.map(|other| other.id.as_str()),
        sources: &sources,
        own_only: !on_own_behalf && knowledge.covers_subject(subject, event.stage),
        products: &around.products,
        may_know: &may_know,
        outside: &outside,
        unjudged: &unjudged,
    };
    let Applied { links, brought, handovers } = apply(&mut objects, &event, &maker, &before)?;
    let now = (&event, &*links, &objects);
    batch.require_taken(tx, &around.domains, corrected.as_ref(), now).await?;
    let of_withdrawal = corrected
        .as_ref()
        .and_then(|(_, links)| correction::review_reason(&event, links, &objects));
    let of_papers = judged.reason.clone().filter(|_| ctx.principal().kind != ActorKind::Platform);
    let of_policy = around.policies.review_reason(&event, (&subject.id, &subject.region), source);
    let reasons = [
        of_standing,
        of_belonging,
        of_handover,
        of_hold,
        of_withdrawal,
        of_papers,
        of_test,
        of_policy,
    ];
    let of_times = [of_trip, of_moment].into_iter().filter(|_| !on_own_behalf);
    let reasons: Vec<String> = reasons.into_iter().chain(of_times).flatten().collect();
    let uid = ctx.new_id::<()>().to_string();
    let mut stored = stored_event(ctx, &uid, (source, subject), &event, (&objects, &reasons));
    let also = also(&event, &objects, &stored);
    let priced = Priced::of(&event, &objects);
    sealed::seal(ctx, tx, &event.spec, (&uid, &mut stored.body))?;
    let told = pairing::Told {
        spec: &event.spec,
        domain: &event.domain,
        time: event.time,
        body: &event.body,
    };
    let told = pairing::lines(&told, (subject, counterparty), (&links, &objects))?;
    batch.digests.insert(event.digest.clone(), uid.clone());
    let automatic = reasons.is_empty();
    let mut under = Vec::new();
    if automatic {
        let orders = hold::inherited(&event, &batch.holds);
        under = hold::hand_down(&orders, &links, (&mut objects, &mut batch.holds));
        if failed {
            batch.failed.extend(links.iter().map(|link| link.code.clone()));
        }
        batch.papers.note(&judged.uses);
        if !around.lots.is_empty() {
            batch.touched.note(&batch.objects, &objects);
        }
        batch.objects.extend(objects);
        batch.hand_over((subject, counterparty), &event, (&links, &handovers));
    }
    let superseded =
        corrected.filter(|_| automatic).map(|(original, _)| (original.id, original.time.unix_ms()));
    batch.events.push(Ready {
        from,
        uid: uid.clone(),
        digest: event.digest,
        stored: StoredEvent {
            counterparty_id: counterparty.map(|other| other.id.clone()),
            ..stored
        },
        spec_stage: event.stage.code(),
        also,
        told: if automatic { told } else { Vec::new() },
        links: if automatic { links } else { Vec::new() },
        handovers: if automatic { handovers } else { Vec::new() },
        brought: if automatic { brought } else { Vec::new() },
        superseded,
        under,
        papers: judged,
        failed: failed && automatic,
        trip,
        priced,
    });
    Ok(Captured::New { id: uid, held: !automatic })
}

impl Surroundings {
    /// From whom the subject of an event takes of a unit, by what is stored and still `stands` and by what
    /// the batch says.
    fn sources(
        &self,
        (code, object): (&str, &Object),
        (meanwhile, stands): (&Hands, &dyn Fn(i64) -> bool),
        (subject, other, event): (&SubjectBrief, Option<&SubjectBrief>, &Checked),
    ) -> Sources {
        let hands = [&self.hands, meanwhile];
        let left = || handover::left(&hands, (code, &subject.id), event.time.unix_ms(), stands);
        let from = other.filter(|_| handover::comes_in(&event.spec)).map(|other| other.id.as_str());
        handover::sources((&subject.id, object), from, &self.holders, left)
    }
}

impl Batch {
    /// What accepted events of this batch did, where that matters to an event of this type.
    fn deeds(&self, spec: &EventType) -> Vec<Deed> {
        let done = self.events.iter().map(|ready| (&ready.stored, &*ready.links));
        if belonging::matters(spec) { belonging::done(done) } else { Vec::new() }
    }

    /// What accepted events of this batch moved.
    fn done(&self) -> Vec<(&EventSpec, &[Link])> {
        let done = self
            .events
            .iter()
            .filter_map(|ready| Some((&**ready.stored.spec.as_ref()?, &*ready.links)));
        done.collect()
    }

    /// Whether an event of this batch corrects a stored one.
    fn supersedes(&self, event: i64) -> bool {
        self.events.iter().any(|ready| ready.superseded.is_some_and(|(id, _)| id == event))
    }

    /// What tests say that somebody must look at: one that stops what another holds, and what is done
    /// with a lot that this very batch found unqualified.
    fn doubts(
        &self,
        event: &Checked,
        failed: bool,
        (subject, holders): (&str, &BTreeMap<String, SubjectBrief>),
    ) -> Option<String> {
        if failed {
            let codes = event.inputs.iter().map(|line| line.code.as_str());
            return failing::review_reason(codes, subject, (&self.objects, holders));
        }
        let code = handover::consumed(event).find(|code| self.failed.contains(*code))?;
        Some(format!("同批数据中追溯码 {code} 检测不合格，须由他人核实"))
    }

    /// What it has changed that is not written yet.
    fn meanwhile(&self) -> Meanwhile<'_> {
        let outputs = self.events.iter().flat_map(|ready| {
            let put = ready.links.iter().filter(|link| link.role == LinkRole::Output);
            put.map(|link| (link.code.as_str(), ready.stored.time.unix_ms()))
        });
        let superseded = self.events.iter().filter_map(|ready| ready.superseded);
        Meanwhile { superseded: superseded.map(|(id, _)| id).collect(), outputs: outputs.collect() }
    }

    /// What follows in the batch may use what this event gave away, and not what it took again.
    fn hand_over(
        &mut self,
        (subject, counterparty): (&SubjectBrief, Option<&SubjectBrief>),
        event: &Checked,
        (links, handovers): (&[Link], &[Handover]),
    ) {
        let time = event.time.unix_ms();
        let taken = handovers.iter().cloned();
        self.hands.taken.extend(taken.map(|handover| Taken { handover, time, event: None }));
        let Some(receiver) = counterparty.filter(|_| handover::gives_away(&event.spec)) else {
            return;
        };
        let outputs = links.iter().filter(|link| link.role == LinkRole::Output);
        self.hands.handed.extend(outputs.map(|link| Handed {
            code: link.code.clone(),
            holder: subject.id.clone(),
            receiver: receiver.id.clone(),
            kind: (event.domain.clone(), event.spec.code.clone()),
            quantity: link.quantity.map_or(0, Quantity::scaled),
            time,
            event: None,
        }));
    }
}

impl Batch {
    async fn write(mut self, tx: &mut Tx, senders: &[Sender<'_>]) -> Result<()> {
        let (Some(first), false) = (senders.first(), self.events.is_empty()) else {
            return Ok(());
        };
        let now = first.ctx.now_ms();
        let wanted =
            [("trace_object", store::fresh(&self.objects)), ("trace_event", self.events.len())];
        let [object_ids, ids] = tx.allocate(wanted).await?;
        tx.later(store::save_objects(&mut self.objects, object_ids)?);
        let (mut rows, mut links, mut told) = (Vec::new(), Vec::new(), Vec::new());
        let (mut also, mut grave, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        let (mut handovers, mut brought) = (Vec::new(), Vec::new());
        let mut statements = Vec::new();
        let mut counts: BTreeMap<_, i64> = BTreeMap::new();
        for (ready, id) in self.events.iter_mut().zip(ids) {
            ready.stored.id = id;
            rows.push(store::event_row(&ready.stored, &ready.digest));
            let time = ready.stored.time.unix_ms();
            gone.extend(ready.trip.as_ref().map(|trip| trip.row((id, time))));
            also.extend(
                std::mem::take(&mut ready.also)
                    .into_iter()
                    .map(|(facet, value)| vec![facet.into(), value.into(), time.into(), id.into()]),
            );
            if ready.stored.state == "accepted" {
                let at = (id, time);
                handovers.extend(holders::handover_rows(at, &ready.handovers, &self.objects)?);
                brought.extend(brought::rows(at, &ready.brought, &self.objects)?);
                for link in &ready.links {
                    links.push(store::link_row(id, time, link, &self.objects)?);
                }
                grave.extend(warned::note(&ready.stored, &ready.links, &self.objects)?);
                if let Some(original) = ready.superseded {
                    statements.extend(supersede(original, &ready.uid));
                }
                let stored = &ready.stored;
                let day = stored.time.beijing_day().to_string();
                let event = (stored.uid.as_str(), &*stored.subject_id, &*stored.region, day);
                statements.extend(papers::write(event, &ready.papers));
                told.push((id, std::mem::take(&mut ready.told)));
                *counts.entry(rollup_key(&ready.stored, ready.spec_stage)).or_default() += 1;
            }
        }
        tx.later(store::insert_events(tx.dialect(), rows));
        tx.later(statements);
        tx.later(store::insert_links(links));
        tx.later(holders::insert_handovers(handovers));
        tx.later(brought::insert(brought));
        tx.later(store::insert_also(also));
        tx.later(trips::write(gone));
        tx.later(grave);
        tx.start_kept().await?;
        tx.later(pairing::write(now, told));
        tx.later(store::rollup(counts));
        self.report(tx).await?;
        self.anchor(first.ctx, tx)?;
        for (from, sender) in senders.iter().enumerate() {
            self.note(tx, (from, sender));
        }
        self.stop(tx, senders).await
    }

    /// What falls under orders by these events, and what their tests stop.
    async fn stop(&self, tx: &mut Tx, senders: &[Sender<'_>]) -> Result<()> {
        for ready in &self.events {
            let at = (ready.stored.id, ready.superseded.is_some());
            ordering::fall_under(tx, &ready.under, &self.objects, at).await?;
            let Some(sender) = senders.get(ready.from) else { continue };
            reissue::settle(sender.ctx, tx, &ready.papers.remade).await?;
            if ready.failed {
                let told = (&*ready.uid, &ready.stored.body);
                failing::stop(sender.ctx, tx, told, &ready.links).await?;
            }
        }
        Ok(())
    }

    fn anchor(&self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let accepted = self.events.iter().filter(|ready| ready.stored.state == "accepted");
        let sealed =
            accepted.map(|ready| Ok((ready.uid.as_str(), ready.stored.envelope(&ready.links)?)));
        let sealed = sealed.collect::<Result<Vec<_>>>()?;
        let pending: Vec<_> = sealed
            .iter()
            .map(|(record, envelope)| yj_ledger::Pending { record, envelope })
            .collect();
        yj_ledger::enqueue(ctx, tx, &pending)
    }
}
