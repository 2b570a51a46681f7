//! From a story to events: whom and what it names is looked up, it becomes events of its domain pack,
//! and is taken once, however often it is told.

use std::collections::BTreeSet;

use yj_crypto::sm3;
use yj_kernel::{Ctx, FieldError, Problem, Result, Tx, again};
use yj_message::{Fault, waybill};
use yj_subject::ByCode;

use super::{
    known::{self, Key, Known, Standing},
    map_bill, map_meat, map_waybill,
    messages::{Story, Told},
};
use crate::{
    capture::{Captured, Source, capture_in},
    event::TraceEvent,
    store,
};

/// Tries when others write the same codes at the same moment.
const TRIES: usize = 3;

/// What stands around a story: whom and what it names.
pub(super) struct Scene<'a> {
    pub(super) subjects: &'a ByCode,
    /// Those of the trace codes it may mean that exist.
    pub(super) objects: BTreeSet<String>,
    /// Those of its goods codes that are codes of products.
    pub(super) products: BTreeSet<String>,
    pub(super) domains: &'a yj_domain::Domains,
    pub(super) ctx: &'a Ctx,
}

impl Scene<'_> {
    /// The first of these codes that exists.
    pub(super) fn existing<'c>(&self, codes: &[&'c str]) -> Option<&'c str> {
        codes.iter().copied().find(|code| self.objects.contains(*code))
    }
}

/// The events of a story, and what their fields are called in its records.
pub(super) struct Draft {
    pub(super) events: Vec<TraceEvent>,
    /// Path of an event's field, and the element it comes from.
    pub(super) names: &'static [(&'static str, &'static str)],
}

/// Whom and what a story names, before anything is looked up.
pub(super) struct Mentions {
    /// Of which kind its number is: numbers of two kinds may be alike.
    pub(super) door: &'static str,
    /// The number its sender gave it.
    pub(super) number: String,
    /// In whose name: the element and the code.
    pub(super) party: (&'static str, String),
    pub(super) others: Vec<String>,
    pub(super) objects: Vec<String>,
    pub(super) products: Vec<String>,
}

impl Told {
    pub(super) fn mentions(&self) -> Mentions {
        match self {
            Self::Meat(happening) => map_meat::mentions(happening),
            Self::Bill(bill) => map_bill::mentions(bill),
            Self::Waybill(bill) => map_waybill::mentions(bill),
        }
    }

    fn draft(&self, scene: &Scene<'_>) -> Result<Draft> {
        match self {
            Self::Meat(happening) => map_meat::draft(happening, scene),
            Self::Bill(bill) => map_bill::draft(bill, scene),
            Self::Waybill(bill) => Ok(map_waybill::draft(bill, scene)),
        }
    }

    /// SM3 of what is said, whatever the notation it was said in.
    fn digest(&self) -> Result<String> {
        let flats = self.flats();
        let whole: Vec<_> = flats.iter().map(|flat| (&flat.name, &flat.fields)).collect();
        let bytes = serde_json::to_vec(&whole).map_err(Problem::internal)?;
        Ok(sm3::hex(&sm3::parts(&[b"YJ/message/v1\0", &bytes])))
    }
}

/// What became of a story.
#[derive(Debug)]
pub(super) enum Taken {
    New { ids: Vec<String>, held: bool },
    Duplicate(String),
    Refused(Problem),
}

/// Takes a story into the caller's transaction. Where it is refused, the transaction is to be dropped.
pub(super) async fn take_in(
    ctx: &Ctx,
    tx: &mut Tx,
    source: Source,
    story: &Story,
) -> Result<Taken> {
    let told = match &story.told {
        Ok(told) => told,
        Err(faults) => return Ok(Taken::Refused(Problem::Invalid(errors(faults)))),
    };
    let (mentions, digest) = (told.mentions(), told.digest()?);
    let named: BTreeSet<&str> = std::iter::once(mentions.party.1.as_str())
        .chain(mentions.others.iter().map(String::as_str))
        .collect();
    let query = yj_subject::query_by_codes(&named.into_iter().collect::<Vec<_>>());
    let subjects = yj_subject::read_by_codes(&tx.fetch(query).await?)?;
    let party = subjects.get(&mentions.party.1).map(|subject| subject.id.clone());
    let number = mentions.number.clone();
    let key = party.map(|party| Key { door: mentions.door, party, number });
    let standing = match &key {
        Some(key) => known::look(ctx, tx, key).await?,
        None => Standing::Unknown,
    };
    if let Standing::Elsewhere = standing {
        let (element, code) = &mentions.party;
        let detail = format!("主体 {code} 没有登记，或不在您的数据权限范围内");
        return Ok(Taken::Refused(Problem::invalid(*element, detail)));
    }
    if let Standing::There(known) = &standing
        && known.digest == digest
    {
        return Ok(Taken::Duplicate(known.event.clone()));
    }
    let domains = yj_domain::current(tx).await?;
    let scene = Scene {
        subjects: &subjects,
        objects: objects(tx, &mentions.objects).await?,
        products: products(tx, &mentions.products).await?,
        domains: &domains,
        ctx,
    };
    let mut draft = match told.draft(&scene) {
        Ok(draft) => draft,
        Err(problem @ Problem::Internal(_)) => return Err(problem),
        Err(problem) => return Ok(Taken::Refused(problem)),
    };
    if let (Told::Waybill(bill), Standing::There(known)) = (told, &standing)
        && known.state.as_deref() == Some(bill.state.as_str())
    {
        let problem = map_waybill::said_twice(ctx, tx, (known, bill), &draft).await?;
        return Ok(Taken::Refused(problem));
    }
    if let Err(problem) = follows(told, (&standing, &mentions), &mut draft) {
        return Ok(Taken::Refused(problem));
    }
    let taken = capture(ctx, tx, (source, &mentions), draft).await?;
    if let (Taken::New { ids, .. }, Some(key)) = (&taken, key) {
        let event = ids.first().cloned().unwrap_or_default();
        remember(ctx, tx, (told, standing), (key, digest, event));
    }
    Ok(taken)
}

/// Notes what a record has become, in the place of what stood for it before.
fn remember(
    ctx: &Ctx,
    tx: &mut Tx,
    (told, standing): (&Told, Standing),
    (key, digest, event): (Key, String, String),
) {
    let state = match told {
        Told::Waybill(bill) => Some(bill.state.clone()),
        Told::Meat(_) | Told::Bill(_) => None,
    };
    let known = |before| Known { digest, event, before, state };
    match standing {
        Standing::There(one) => known::replace(ctx, tx, key, known(Some(one.event))),
        Standing::Rejected => known::replace(ctx, tx, key, known(None)),
        Standing::Unknown | Standing::Elsewhere => known::note(ctx, tx, key, known(None)),
    }
}

/// A number that was used before: a waybill goes on to its next state, which corrects the event of the
/// last one; of everything else another content is somebody's mistake.
fn follows(
    told: &Told,
    (standing, mentions): (&Standing, &Mentions),
    draft: &mut Draft,
) -> Result<()> {
    let Standing::There(known) = standing else { return Ok(()) };
    let Told::Waybill(bill) = told else {
        let detail = format!(
            "{}号 {} 已登记过不同的内容；同一主体的编号不得重复使用，更正请对已登记的事件办理",
            if matches!(told, Told::Bill(_)) { "单据" } else { "凭证" },
            mentions.number
        );
        return Err(Problem::Conflict(detail));
    };
    let last = known.state.as_deref().and_then(waybill::State::from_code);
    let last = last.unwrap_or(waybill::State::Waiting);
    if !last.may_become(bill.state()) {
        let detail = format!(
            "运单 {} 现为“{}”，不能改为“{}”",
            bill.waybill_no,
            last.label(),
            bill.state().label()
        );
        return Err(Problem::invalid("state", detail));
    }
    let reason = format!("运单状态由“{}”变为“{}”", last.label(), bill.state().label());
    for event in &mut draft.events {
        event.correction_of = Some(known.event.clone());
        event.correction_reason = Some(reason.clone());
        // What is in circulation already comes from nowhere else.
        for input in &mut event.inputs {
            input.external = false;
        }
    }
    Ok(())
}

/// Captures the events of a story: all of them, or none.
async fn capture(
    ctx: &Ctx,
    tx: &mut Tx,
    (source, mentions): (Source, &Mentions),
    draft: Draft,
) -> Result<Taken> {
    let captured = capture_in(ctx, tx, source, &draft.events).await?;
    let (mut ids, mut any_held, mut duplicates) = (Vec::new(), false, 0);
    let count = captured.len();
    for one in captured {
        match one {
            Captured::New { id, held } => {
                ids.push(id);
                any_held |= held;
            }
            Captured::Duplicate { id } => {
                ids.push(id);
                duplicates += 1;
            }
            Captured::Refused(problem) => {
                return Ok(Taken::Refused(named(problem, draft.names, mentions)));
            }
        }
    }
    if duplicates == count {
        return Ok(Taken::Duplicate(ids.into_iter().next().unwrap_or_default()));
    }
    Ok(Taken::New { ids, held: any_held })
}

/// Says a problem of an event in the words of the record it comes from.
fn named(problem: Problem, names: &[(&str, &str)], mentions: &Mentions) -> Problem {
    let Problem::Invalid(errors) = problem else { return problem };
    let element = |path: &str| {
        let found = names.iter().find(|(prefix, _)| path.starts_with(prefix));
        if path == "subject" {
            return String::from(mentions.party.0);
        }
        found.map_or_else(
            || String::from(path.strip_prefix("attributes.").unwrap_or(path)),
            |(_, element)| String::from(*element),
        )
    };
    let error = |error: FieldError| FieldError { field: element(&error.field), ..error };
    Problem::Invalid(errors.into_iter().map(error).collect())
}

pub(super) fn errors(faults: &[Fault]) -> Vec<FieldError> {
    let error =
        |fault: &Fault| FieldError { field: fault.field.clone(), detail: fault.detail.clone() };
    faults.iter().map(error).collect()
}

async fn objects(tx: &mut Tx, codes: &[String]) -> Result<BTreeSet<String>> {
    if codes.is_empty() {
        return Ok(BTreeSet::new());
    }
    let codes: Vec<_> = codes.iter().map(String::as_str).collect();
    Ok(store::read_objects(tx, &codes).await?.into_keys().collect())
}

async fn products(tx: &mut Tx, codes: &[String]) -> Result<BTreeSet<String>> {
    if codes.is_empty() {
        return Ok(BTreeSet::new());
    }
    let codes: Vec<_> = codes.iter().map(String::as_str).collect();
    Ok(yj_product::by_codes(tx, &codes).await?.into_keys().collect())
}

/// Takes a story in a transaction of its own.
pub(super) async fn take(ctx: &Ctx, source: Source, story: &Story) -> Result<Taken> {
    again(TRIES, Problem::is_of_a_race, || async move {
        let mut tx = ctx.begin().await?;
        let taken = take_in(ctx, &mut tx, source, story).await?;
        if matches!(taken, Taken::New { .. }) {
            tx.commit().await?;
        }
        Ok(taken)
    })
    .await
}
