//! What a chunk of EPCIS events says as 追溯事件, one after the other (ADR 19, 30): most tell something
//! new; what an error declaration names is corrected by the event that it points to, or taken back.

mod late;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use yj_domain::{Domains, Packing};
use yj_epcis::{ErrorDeclaration, Event, Vocabulary};
use yj_kernel::{Ctx, Problem, Result, Sql, Tx};
use yj_product::ProductBrief;
use yj_subject::SubjectBrief;
use yj_trace::{Captured, Input, Source, TraceEvent, capture_in};

use super::{
    capture::clean,
    owner::Owners,
    past::{Name, Past, Waiting},
    prepare::Prepared,
    seen,
    store::{self, EVENT},
    tell::{self, Around, Untold},
};

/// What an event told: where it belongs, and the 追溯事件 or why there is none.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) place: Option<(String, String)>,
    pub(crate) outcome: Result<String, Untold>,
}

impl Told {
    fn not(code: &'static str, detail: impl Into<String>) -> Self {
        Self { place: None, outcome: Err(Untold { code, detail: detail.into() }) }
    }
}

/// The event that another declares wrong, or takes the place of.
#[derive(Debug, Clone)]
pub(crate) struct About {
    pub(crate) event_id: String,
    /// The 追溯事件 that it had told.
    pub(crate) trace: Option<String>,
}

/// Tells the events that are about to be kept; of each what it told, and the event that it corrects or
/// takes back. Of those that are kept already and were sent again (`resent`), the names of those that are
/// told now and were not before.
pub(crate) async fn tell_all(
    ctx: &Ctx,
    tx: &mut Tx,
    (keep, resent): (&[(&Prepared, &SubjectBrief)], &[&Prepared]),
    owners: &Owners,
) -> Result<(Vec<(Told, Option<About>)>, BTreeSet<String>)> {
    if keep.is_empty() && resent.is_empty() {
        return Ok(Default::default());
    }
    let about = keep.iter().map(|(prepared, _)| declared(prepared)).collect();
    let Ok(tracer) = ctx.under("trace:capture") else {
        let none = || Told::not("no_right", "没有采集追溯事件的权限");
        return Ok((keep.iter().map(|_| none()).zip(about).collect(), BTreeSet::new()));
    };
    let events = keep.iter().map(|(prepared, _)| &prepared.event);
    let mut teller = Teller {
        tracer,
        keep,
        owners,
        products: products(tx, events.clone()).await?,
        packages: yj_trace::domains_of(tx, &packages(ctx, events)).await?,
        domains: yj_domain::current(tx).await?,
        past: Past::load(ctx, tx, keep).await?,
        at: BTreeMap::new(),
        fixes: BTreeMap::new(),
        told: vec![None; keep.len()],
        about,
        group: Vec::new(),
        claimed: BTreeSet::new(),
        fixed: BTreeMap::new(),
        told_late: BTreeSet::new(),
    };
    teller.look();
    let mut later = Vec::new();
    for (at, (prepared, _)) in keep.iter().enumerate() {
        if prepared.event.error_declaration.is_none() {
            teller.plain(tx, at).await?;
        } else if !teller.declaration(tx, at).await? {
            later.push(at);
        }
    }
    teller.flush(tx).await?;
    for at in later {
        teller.conclude(tx, at).await?;
    }
    teller.flush(tx).await?;
    let late = teller.late(tx, resent).await?;
    let lost = || Told::not("no_counterpart", "没有对应");
    let told = teller.told.into_iter().map(|told| told.unwrap_or_else(lost));
    Ok((told.zip(teller.about).collect(), late))
}

/// A declaration is about the event of its own name.
fn declared(prepared: &Prepared) -> Option<About> {
    let declares = prepared.event.error_declaration.is_some();
    declares.then(|| About { event_id: prepared.id.clone(), trace: None })
}

async fn products<'e>(
    tx: &mut Tx,
    events: impl Iterator<Item = &'e Event>,
) -> Result<BTreeMap<String, ProductBrief>> {
    let gtins: BTreeSet<String> =
        events.flat_map(|event| tell::identifiers(event).filter_map(tell::gtin)).collect();
    let gtins: Vec<&str> = gtins.iter().map(String::as_str).collect();
    if gtins.is_empty() { Ok(BTreeMap::new()) } else { yj_product::by_gtins(tx, &gtins).await }
}

/// Codes of the packages that events name.
fn packages<'e>(ctx: &Ctx, events: impl Iterator<Item = &'e Event>) -> BTreeSet<String> {
    let public_url = &ctx.app().platform().public_url;
    events.filter_map(|event| tell::package(event, public_url)).collect()
}

/// What an event corrects.
#[derive(Clone)]
struct Fix {
    original: Name,
    reason: String,
    /// The declaration that was kept earlier and has waited for it.
    waiting: Option<String>,
}

/// Whose a 追溯事件 of a group is.
enum Slot {
    /// That of an event of the chunk.
    Own { at: usize, place: (String, String), fix: Option<Fix> },
    /// The declaration itself: nothing takes the place of what it declares.
    Withdraws { at: usize, place: Option<(String, String)> },
    /// An event that was kept earlier and could not be told then, for the declaration at `at`.
    Again { at: usize, uid: String, place: (String, String) },
    /// An event that was kept earlier and could not be told then, because what it takes was not known.
    Late { uid: String, place: (String, String) },
}

/// The 追溯事件 that a declaration is about.
struct Original {
    trace: String,
    place: Option<(String, String)>,
}

struct Teller<'k> {
    tracer: Ctx,
    keep: &'k [(&'k Prepared, &'k SubjectBrief)],
    owners: &'k Owners,
    products: BTreeMap<String, ProductBrief>,
    /// Domains of packages, by code.
    packages: BTreeMap<String, String>,
    domains: Arc<Domains>,
    past: Past,
    /// Events of the chunk that are no declarations, by name.
    at: BTreeMap<Name, usize>,
    /// Which declaration of the chunk points to an event.
    fixes: BTreeMap<Name, usize>,
    told: Vec<Option<Told>>,
    /// What each corrects or takes back.
    about: Vec<Option<About>>,
    /// What is told next, in one go.
    group: Vec<(TraceEvent, Slot)>,
    /// Originals that something corrects already.
    claimed: BTreeSet<Name>,
    /// What became of the corrections of originals.
    fixed: BTreeMap<Name, Told>,
    /// Of the events that were tried again last, those that were told.
    told_late: BTreeSet<String>,
}

impl Teller<'_> {
    fn name(&self, at: usize) -> Name {
        let (prepared, owner) = self.keep[at];
        (owner.id.clone(), prepared.id.clone())
    }

    fn look(&mut self) {
        for at in 0..self.keep.len() {
            let (prepared, owner) = self.keep[at];
            let Some(declaration) = &prepared.event.error_declaration else {
                self.at.insert(self.name(at), at);
                continue;
            };
            for id in &declaration.corrective_event_ids {
                self.fixes.entry((owner.id.clone(), id.clone())).or_insert(at);
            }
        }
    }

    fn tell(&self, event: &Event, owner: &SubjectBrief) -> Result<(TraceEvent, String), Untold> {
        tell::tell(
            event,
            &Around {
                domains: &self.domains,
                day: self.tracer.today(),
                products: &self.products,
                packages: &self.packages,
                subject: &owner.code,
                subject_of: &|gln| self.owners.by_gln(gln).map(|one| one.code.clone()),
                public_url: &self.tracer.app().platform().public_url,
            },
        )
    }

    /// An event that declares nothing wrong.
    async fn plain(&mut self, tx: &mut Tx, at: usize) -> Result<()> {
        let (prepared, owner) = self.keep[at];
        let (mut event, stage) = match self.tell(&prepared.event, owner) {
            Ok(told) => told,
            Err(why) => {
                self.told[at] = Some(Told { place: None, outcome: Err(why) });
                return Ok(());
            }
        };
        let mut fix = self.fix_of(at);
        if let Some(wanted) = &fix {
            let original = self.original(tx, &wanted.original, at).await?;
            fix = match original {
                Ok(original) => {
                    let (event_id, trace) =
                        (wanted.original.1.clone(), Some(original.trace.clone()));
                    self.about[at] = Some(About { event_id, trace });
                    self.correct(tx, &mut event, (wanted.clone(), &original)).await?
                }
                Err(_) => None,
            };
        }
        if fix.is_none() {
            self.add_to_package(&mut event);
        }
        let place = (event.domain.clone(), stage);
        for line in &event.outputs {
            self.packages.entry(line.code.clone()).or_insert_with(|| event.domain.clone());
        }
        self.group.push((event, Slot::Own { at, place, fix }));
        Ok(())
    }

    /// What is put into a package that is there goes to what is in it: the package goes on.
    fn add_to_package(&self, event: &mut TraceEvent) {
        let packs = self.domains.packing(&event.domain, &event.kind) == Some(Packing::Pack);
        let [package] = event.outputs.as_slice() else { return };
        if packs && self.packages.contains_key(&package.code) {
            event.inputs.push(Input {
                code: package.code.clone(),
                quantity: Some(package.quantity.clone()),
                unit: Some(package.unit.clone()),
                external: false,
            });
        }
    }

    /// What the event at a place corrects, as a declaration of the chunk or an earlier one says.
    fn fix_of(&self, at: usize) -> Option<Fix> {
        let name = self.name(at);
        let fix = match (self.fixes.get(&name), self.past.waiting(&name)) {
            (Some(declared), _) => Fix {
                original: self.name(*declared),
                reason: reason(self.keep[*declared].0.event.error_declaration.as_ref()),
                waiting: None,
            },
            (None, Some(Waiting { uid, original, declaration })) => Fix {
                original: original.clone(),
                reason: reason(declaration.as_ref()),
                waiting: Some(uid.clone()),
            },
            (None, None) => return None,
        };
        (!self.claimed.contains(&fix.original)).then_some(fix)
    }

    /// Makes an event the correction of another. What is not accepted yet is taken back instead, and
    /// the event is told as any other.
    async fn correct(
        &mut self,
        tx: &mut Tx,
        event: &mut TraceEvent,
        (fix, original): (Fix, &Original),
    ) -> Result<Option<Fix>> {
        self.claimed.insert(fix.original.clone());
        if !yj_trace::retract(&self.tracer, tx, &original.trace, &fix.reason).await? {
            event.correction_of = Some(original.trace.clone());
            event.correction_reason = Some(fix.reason.clone());
        }
        Ok(Some(fix))
    }

    /// The 追溯事件 of an event that is declared wrong, for whoever captured it.
    async fn original(
        &mut self,
        tx: &mut Tx,
        name: &Name,
        before: usize,
    ) -> Result<Result<Original, Untold>> {
        let no = |code, detail: &str| Ok(Err(Untold { code, detail: String::from(detail) }));
        if let Some(at) = self.at.get(name).copied().filter(|at| *at < before) {
            if self.told[at].is_none() {
                self.flush(tx).await?;
            }
            return match &self.told[at] {
                Some(Told { place, outcome: Ok(trace) }) => {
                    Ok(Ok(Original { trace: trace.clone(), place: place.clone() }))
                }
                _ => no("original_untold", "原事件没有成为追溯事件"),
            };
        }
        let Some(known) = self.past.known(name) else {
            return no("no_original", "本主体没有采集过声明所指的原事件");
        };
        if known.captured_by != self.tracer.actor() {
            let detail =
                "原事件由他人采集，其追溯事件不因本声明更正；请由原采集者声明，或另行登记更正";
            return no("not_capturer", detail);
        }
        match &known.trace {
            Some(trace) => Ok(Ok(Original { trace: trace.clone(), place: known.place.clone() })),
            None => no("original_untold", "原事件没有成为追溯事件"),
        }
    }

    /// An error declaration; whether it is done with, or waits for an event of the chunk.
    async fn declaration(&mut self, tx: &mut Tx, at: usize) -> Result<bool> {
        let original = match self.original(tx, &self.name(at), at).await? {
            Ok(original) => original,
            Err(why) => {
                self.told[at] = Some(Told { place: None, outcome: Err(why) });
                return Ok(true);
            }
        };
        if let Some(about) = &mut self.about[at] {
            about.trace = Some(original.trace.clone());
        }
        let correctives = self.correctives(at);
        if correctives.iter().any(|name| self.at.contains_key(name)) {
            return Ok(false);
        }
        let stored: Vec<_> = correctives.iter().filter_map(|name| self.past.known(name)).collect();
        if stored.is_empty() && !correctives.is_empty() {
            let detail = "更正事件尚未采集，采集时一并更正；在此之前原追溯事件不变";
            self.told[at] = Some(Told::not("awaits_corrective", detail));
            return Ok(true);
        }
        let own = |captured_by: &str| captured_by == self.tracer.actor();
        let untold = stored.iter().find(|one| one.trace.is_none() && own(&one.captured_by));
        match untold.map(|one| one.uid.clone()) {
            Some(uid) => self.again(tx, (at, &uid), &original).await?,
            None => self.withdraw(tx, at, &original).await?,
        }
        Ok(true)
    }

    fn correctives(&self, at: usize) -> Vec<Name> {
        let (prepared, owner) = self.keep[at];
        let declaration = prepared.event.error_declaration.iter();
        let ids = declaration.flat_map(|one| &one.corrective_event_ids);
        ids.map(|id| (owner.id.clone(), id.clone())).collect()
    }

    /// A declaration whose correcting event has come in the same chunk.
    async fn conclude(&mut self, tx: &mut Tx, at: usize) -> Result<()> {
        if let Some(told) = self.fixed.remove(&self.name(at)) {
            self.told[at] = Some(told);
            return Ok(());
        }
        let told = self.correctives(at).into_iter().filter_map(|name| self.at.get(&name).copied());
        let told: Vec<&Told> = told.filter_map(|at| self.told[at].as_ref()).collect();
        let refused = told.iter().find_map(|told| told.outcome.as_ref().err());
        if let (Some(why), false) = (refused, told.iter().any(|told| told.outcome.is_ok())) {
            let detail = format!("所指的更正事件没有成为追溯事件：{}", why.detail);
            self.told[at] = Some(Told::not("corrective_untold", detail));
            return Ok(());
        }
        match self.original(tx, &self.name(at), at).await? {
            Ok(original) => self.withdraw(tx, at, &original).await,
            Err(why) => {
                self.told[at] = Some(Told { place: None, outcome: Err(why) });
                Ok(())
            }
        }
    }

    /// Takes back what the declaration is about, and puts nothing in its place.
    async fn withdraw(&mut self, tx: &mut Tx, at: usize, original: &Original) -> Result<()> {
        let Some(declaration) = &self.keep[at].0.event.error_declaration else { return Ok(()) };
        let why = reason(Some(declaration));
        if yj_trace::retract(&self.tracer, tx, &original.trace, &why).await? {
            let (place, outcome) = (original.place.clone(), Ok(original.trace.clone()));
            self.told[at] = Some(Told { place, outcome });
            return Ok(());
        }
        let said = (why.as_str(), declaration.declaration_time.0);
        match yj_trace::withdrawal(tx, &original.trace, said).await {
            Ok(event) => {
                let place = original.place.clone();
                self.group.push((event, Slot::Withdraws { at, place }));
            }
            Err(problem @ (Problem::Internal(_) | Problem::Unavailable(_))) => return Err(problem),
            Err(problem) => self.told[at] = Some(Told::not("refused", details(&problem))),
        }
        Ok(())
    }

    /// Tells a kept event as the correction that it was meant to be.
    async fn again(
        &mut self,
        tx: &mut Tx,
        (at, uid): (usize, &str),
        original: &Original,
    ) -> Result<()> {
        let mut sql = Sql::new(EVENT);
        sql.push(" WHERE e.uid = ").bind(uid);
        let rows = tx.fetch(sql).await?;
        let Some(kept) = store::read(&self.tracer, tx, &rows).await?.pop() else {
            self.told[at] = Some(Told::not("corrective_untold", "所指的更正事件已被删除"));
            return Ok(());
        };
        let found = products(tx, std::iter::once(&kept.event)).await?;
        self.products.extend(found);
        let (prepared, owner) = self.keep[at];
        let (mut event, stage) = match self.tell(&kept.event, owner) {
            Ok(told) => told,
            Err(why) => {
                let detail = format!("所指的更正事件没有成为追溯事件：{}", why.detail);
                self.told[at] = Some(Told::not("corrective_untold", detail));
                return Ok(());
            }
        };
        let why = reason(prepared.event.error_declaration.as_ref());
        let fix = Fix { original: self.name(at), reason: why, waiting: None };
        self.correct(tx, &mut event, (fix, original)).await?;
        let place = (event.domain.clone(), stage);
        self.group.push((event, Slot::Again { at, uid: String::from(uid), place }));
        Ok(())
    }

    /// Captures what has been gathered. A document need not tell what happened first before what came of it.
    async fn flush(&mut self, tx: &mut Tx) -> Result<()> {
        let plain = |slot: &Slot| matches!(slot, Slot::Own { fix: None, .. } | Slot::Late { .. });
        if self.group.iter().all(|(_, slot)| plain(slot)) {
            let time =
                |(event, _): &(TraceEvent, Slot)| event.event_time.parse::<jiff::Timestamp>().ok();
            self.group.sort_by_cached_key(time);
        }
        let (events, slots): (Vec<TraceEvent>, Vec<Slot>) =
            std::mem::take(&mut self.group).into_iter().unzip();
        if events.is_empty() {
            return Ok(());
        }
        let captured = capture_in(&self.tracer, tx, Source::Api, &events).await?;
        for (slot, captured) in slots.into_iter().zip(captured) {
            let outcome = match captured {
                Captured::New { id, .. } | Captured::Duplicate { id } => Ok(id),
                Captured::Refused(problem) => {
                    Err(Untold { code: why(&problem), detail: details(&problem) })
                }
            };
            self.settle(tx, slot, outcome);
        }
        Ok(())
    }

    fn settle(&mut self, tx: &mut Tx, slot: Slot, outcome: Result<String, Untold>) {
        match slot {
            Slot::Own { at, place, fix } => {
                let place = outcome.is_ok().then_some(place);
                let told = Told { place, outcome };
                if let Some(fix) = fix {
                    let waiting = fix.waiting.as_deref();
                    tx.later(waiting.into_iter().flat_map(|uid| told_now(uid, &told)));
                    self.fixed.insert(fix.original, told.clone());
                }
                self.told[at] = Some(told);
            }
            Slot::Withdraws { at, place } => self.told[at] = Some(Told { place, outcome }),
            Slot::Late { uid, place } => {
                if outcome.is_ok() {
                    tx.later(told_now(&uid, &Told { place: Some(place), outcome }));
                    self.told_late.insert(uid);
                }
            }
            Slot::Again { at, uid, place } => {
                let place = outcome.is_ok().then_some(place);
                let told = Told { place, outcome };
                tx.later(told_now(&uid, &told));
                self.told[at] = Some(told);
            }
        }
    }
}

/// Notes what an event that was kept earlier tells by now.
fn told_now(uid: &str, told: &Told) -> Vec<Sql> {
    let (Ok(trace), Some((domain, stage))) = (&told.outcome, &told.place) else {
        return Vec::new();
    };
    let sql = Sql::new(
        "UPDATE epcis_event SET trace_uid = $1, reason = NULL, detail = NULL, domain = $2, stage = $3 \
         WHERE uid = $4 AND trace_uid IS NULL",
    );
    let sql = sql.arg(trace.as_str()).arg(domain.as_str()).arg(stage.as_str()).arg(uid);
    vec![sql, seen::told(uid, (domain, stage))]
}

/// Why an event is corrected, in the words of a 追溯事件.
fn reason(declaration: Option<&ErrorDeclaration>) -> String {
    let given = declaration.and_then(|one| one.reason.as_deref());
    match given.map(|reason| clean(Vocabulary::ErrorReason.compact(reason))) {
        Some(reason) if !reason.is_empty() => {
            format!("EPCIS 更正声明：{}", reason.chars().take(150).collect::<String>())
        }
        _ => String::from("EPCIS 更正声明"),
    }
}

/// Whether all that is wrong is that what an event takes is not there, as it may be later.
fn why(problem: &Problem) -> &'static str {
    let awaits = |error: &yj_kernel::FieldError| {
        error.field.starts_with("inputs[") && error.field.ends_with("].code")
    };
    match problem {
        Problem::Invalid(errors) if errors.iter().all(awaits) => late::AWAITS_ORIGIN,
        _ => "refused",
    }
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
