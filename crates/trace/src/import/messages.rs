//! 行业报文 (G-8-1): the doors for what systems of a field speak. A message is read record by record;
//! each becomes events of its domain pack, is taken or refused by itself, and is taken once, however
//! often it is sent.

use std::collections::BTreeSet;

use axum::{
    Json,
    body::Bytes,
    extract::Path,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use yj_crypto::sm3;
use yj_kernel::{Access, Ctx, FieldError, Problem, Result, Route, Shape, Tx};
use yj_ledger::Ledger;
use yj_message::{
    BYTES_MAX, Fault, Flat, MessageError,
    drug::{self, Bill},
    meat::{self, Happening, MeatRecord},
    waybill::{self, Waybill},
};
use yj_subject::ByCode;

use super::{
    known::{self, Known, Standing},
    map_bill, map_meat, map_waybill,
};
use crate::{
    capture::{Captured, Source, capture_in},
    event::TraceEvent,
    store,
};

/// Stories that one request may tell; more come as a file.
const STORIES_MAX: usize = 1000;
/// Tries when others write the same codes at the same moment.
const TRIES: usize = 3;

/// A kind of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// 肉菜流通追溯报文
    MeatVegetable,
    /// 药品追溯单据
    DrugBill,
    /// 危险货物电子运单
    Waybill,
}

impl Door {
    pub(super) const ALL: [Self; 3] = [Self::MeatVegetable, Self::DrugBill, Self::Waybill];

    /// Stable code, as in the path.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::MeatVegetable => "meat-vegetable",
            Self::DrugBill => "drug-bill",
            Self::Waybill => "waybill",
        }
    }

    /// 中文名称
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::MeatVegetable => "肉菜流通追溯报文",
            Self::DrugBill => "药品追溯单据",
            Self::Waybill => "危险货物电子运单",
        }
    }

    pub(super) fn find(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|door| door.code() == code)
    }
}

/// What records say.
pub(super) enum Told {
    Meat(Happening),
    Bill(Box<Bill>),
    Waybill(Box<Waybill>),
}

/// What one or several records of a message tell together, or what is wrong with them.
pub(super) struct Story {
    pub(super) door: Door,
    /// Numbers of the records in their message.
    pub(super) records: Vec<usize>,
    /// The records as they came.
    pub(super) flats: Vec<Flat>,
    pub(super) told: Result<Told, Vec<Fault>>,
}

/// Reads a message of this kind.
pub(super) fn read(door: Door, bytes: &[u8]) -> Result<Vec<Story>, MessageError> {
    let single =
        |flat: Flat, told| Story { door, records: vec![flat.number], flats: vec![flat], told };
    Ok(match door {
        Door::MeatVegetable => meat::read_joined(bytes)?.into_iter().map(told).collect(),
        Door::DrugBill => drug::read(bytes)?
            .into_iter()
            .map(|one| single(one.flat, one.record.map(|bill| Told::Bill(Box::new(bill)))))
            .collect(),
        Door::Waybill => waybill::read(bytes)?
            .into_iter()
            .map(|one| single(one.flat, one.record.map(|bill| Told::Waybill(Box::new(bill)))))
            .collect(),
    })
}

fn told(joined: meat::Joined) -> Story {
    let told = joined.told.map(Told::Meat);
    Story { door: Door::MeatVegetable, records: joined.records, flats: joined.flats, told }
}

/// What these records tell, each as it came.
pub(super) fn retell(door: Door, flats: Vec<Flat>) -> Vec<Story> {
    match door {
        Door::MeatVegetable => {
            let one = |flat: Flat| yj_message::Read { record: MeatRecord::of(&flat), flat };
            meat::join(flats.into_iter().map(one).collect()).into_iter().map(told).collect()
        }
        Door::DrugBill | Door::Waybill => {
            let one = |flat: Flat| {
                let told = match door {
                    Door::DrugBill => drug::of(&flat).map(|bill| Told::Bill(Box::new(bill))),
                    _ => waybill::of(&flat).map(|bill| Told::Waybill(Box::new(bill))),
                };
                Story { door, records: vec![flat.number], flats: vec![flat], told }
            };
            flats.into_iter().map(one).collect()
        }
    }
}

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
    /// The number its sender gave it.
    pub(super) number: String,
    /// In whose name: the element and the code.
    pub(super) party: (&'static str, String),
    pub(super) others: Vec<String>,
    pub(super) objects: Vec<String>,
    pub(super) products: Vec<String>,
}

impl Told {
    fn mentions(&self) -> Mentions {
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
        let flats: Vec<Flat> = match self {
            Self::Meat(Happening::Trade(trades)) => trades.iter().map(|one| one.flat(0)).collect(),
            Self::Meat(Happening::Arrival(base, details)) => {
                std::iter::once(base.flat(0)).chain(details.iter().map(|one| one.flat(0))).collect()
            }
            Self::Meat(Happening::SupermarketArrival(base)) => vec![base.flat(0)],
            Self::Meat(Happening::Sale(sales)) => sales.iter().map(|one| one.flat(0)).collect(),
            Self::Bill(bill) => vec![bill.flat(0)],
            Self::Waybill(bill) => vec![bill.flat(0)],
        };
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
    let mut key = party.map(|party| known::Key {
        door: story.door.code(),
        party,
        number: mentions.number.clone(),
    });
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
    if let Err(problem) = follows(story.door, told, (&standing, &mentions), &mut draft) {
        return Ok(Taken::Refused(problem));
    }
    let taken = capture(ctx, tx, (source, &mentions), draft).await?;
    // Only now is it sure that the carrier is within the caller's reach.
    if let (Taken::New { .. }, Told::Waybill(bill), Some(key)) = (&taken, told, &key)
        && let Some(problem) = map_waybill::second_trip(tx, key, bill).await?
    {
        return Ok(Taken::Refused(problem));
    }
    if let (Taken::New { ids, .. }, Some(key)) = (&taken, key.take()) {
        let first = ids.first().cloned().unwrap_or_default();
        let state = match told {
            Told::Waybill(bill) => Some(bill.state.clone()),
            Told::Meat(_) | Told::Bill(_) => None,
        };
        if let Told::Waybill(bill) = told {
            map_waybill::note_trip(ctx, tx, &key, (bill, &first)).await?;
        }
        let event = first;
        match standing {
            Standing::There(known) => {
                let before = Some(known.event);
                known::replace(ctx, tx, key, Known { digest, event, before, state });
            }
            Standing::Rejected => {
                known::replace(ctx, tx, key, Known { digest, event, before: None, state });
            }
            Standing::Unknown | Standing::Elsewhere => {
                known::note(ctx, tx, key, Known { digest, event, before: None, state });
            }
        }
    }
    Ok(taken)
}

/// A number that was used before: a waybill goes on to its next state, which corrects the event of the
/// last one; of everything else another content is somebody's mistake.
fn follows(
    door: Door,
    told: &Told,
    (standing, mentions): (&Standing, &Mentions),
    draft: &mut Draft,
) -> Result<()> {
    let Standing::There(known) = standing else { return Ok(()) };
    let Told::Waybill(bill) = told else {
        let detail = format!(
            "{}号 {} 已登记过不同的内容；同一主体的编号不得重复使用，更正请对已登记的事件办理",
            match door {
                Door::DrugBill => "单据",
                Door::MeatVegetable | Door::Waybill => "凭证",
            },
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
async fn take(ctx: &Ctx, source: Source, story: &Story) -> Result<Taken> {
    let mut tries = 1;
    loop {
        let mut tx = ctx.begin().await?;
        let taken = match take_in(ctx, &mut tx, source, story).await {
            Ok(taken @ Taken::New { .. }) => tx.commit().await.map(|()| taken),
            other => other,
        };
        match taken {
            Err(Problem::Duplicate(_) | Problem::Unavailable(_)) if tries < TRIES => tries += 1,
            other => return other,
        }
    }
}

/// The doors for messages.
pub(super) fn routes(ledger: &Ledger) -> Vec<Route> {
    let bell = ledger.clone();
    let receive = move |ctx: Ctx, Path(door): Path<String>, bytes: Bytes| async move {
        let door = Door::find(&door).ok_or(Problem::NotFound("报文类型"))?;
        let answer = receive(&ctx, door, &bytes).await;
        bell.ring();
        answer
    };
    vec![
        Route::new(
            (Method::POST, "/api/v1/trace/messages/{door}"),
            Access::permission("trace:capture"),
            "接收行业报文",
            receive,
        )
        .takes(Shape::Bytes("application/octet-stream"))
        .body_max(BYTES_MAX),
    ]
}

async fn receive(ctx: &Ctx, door: Door, bytes: &[u8]) -> Result<Response> {
    let stories = read(door, bytes).map_err(|error| Problem::Malformed(error.to_string()))?;
    if stories.len() > STORIES_MAX {
        return Err(Problem::TooLarge(format!(
            "一次至多 {STORIES_MAX} 条，现为 {} 条，请分批发送，或作为文件导入",
            stories.len()
        )));
    }
    let (mut results, mut counts) = (Vec::with_capacity(stories.len()), [0usize; 3]);
    for story in &stories {
        let mut result = json!({ "records": story.records, "number": number(story) });
        match take(ctx, Source::Api, story).await? {
            Taken::New { ids, held } => {
                counts[0] += 1;
                result["events"] = json!(ids);
                result["state"] = json!(if held { "held" } else { "accepted" });
                result["duplicate"] = json!(false);
            }
            Taken::Duplicate(id) => {
                counts[1] += 1;
                result["events"] = json!([id]);
                result["duplicate"] = json!(true);
            }
            Taken::Refused(problem) => {
                counts[2] += 1;
                result["problem"] = problem.body();
            }
        }
        results.push(result);
    }
    let [new, duplicates, refused] = counts;
    let status = match (new, duplicates) {
        (0, 0) => StatusCode::UNPROCESSABLE_ENTITY,
        (0, _) => StatusCode::OK,
        _ => StatusCode::CREATED,
    };
    let body = json!({
        "kind": door.code(), "new": new, "duplicates": duplicates, "refused": refused,
        "results": results,
    });
    Ok((status, Json(body)).into_response())
}

fn number(story: &Story) -> Option<String> {
    story.told.as_ref().ok().map(|told| told.mentions().number)
}

/// Separates the texts of a list in one cell.
const BETWEEN: char = ' ';

/// The records of a story as the cells of a row: element, or `2.element` for the second record.
pub(super) fn cells(flats: &[Flat]) -> Map<String, Value> {
    let mut cells = Map::new();
    for (at, flat) in flats.iter().enumerate() {
        let key = |name: &str| {
            if at == 0 { String::from(name) } else { format!("{}.{name}", at + 1) }
        };
        if !flat.name.is_empty() {
            cells.insert(key("message"), Value::from(flat.name.as_str()));
        }
        for (name, text) in &flat.fields {
            let cell = cells.entry(key(name)).or_insert(Value::Null);
            let joined = match cell.as_str() {
                Some(before) => format!("{before}{BETWEEN}{text}"),
                None => text.clone(),
            };
            *cell = Value::from(joined);
        }
    }
    cells
}

/// The reverse of [`cells`].
pub(super) fn flats(cells: &Map<String, Value>) -> Vec<Flat> {
    let mut flats: Vec<Flat> = Vec::new();
    for (key, cell) in cells {
        let (number, name) = match key.split_once('.') {
            Some((number, name)) => (number.parse().unwrap_or(1), name),
            None => (1, key.as_str()),
        };
        let text = cell.as_str().unwrap_or_default();
        let at = flats.iter().position(|flat| flat.number == number).unwrap_or_else(|| {
            flats.push(Flat { number, ..Flat::default() });
            flats.len() - 1
        });
        match name {
            "message" => flats[at].name = String::from(text),
            "codes" => flats[at].fields.extend(
                text.split_whitespace().map(|code| (String::from(name), String::from(code))),
            ),
            _ => flats[at].fields.push((String::from(name), String::from(text))),
        }
    }
    flats.sort_by_key(|flat| flat.number);
    flats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_cells_tells_the_same_story() {
        let sample = include_bytes!("../../../message/samples/meat-vegetable.xml");
        for story in read(Door::MeatVegetable, sample).unwrap() {
            let again = retell(Door::MeatVegetable, flats(&cells(&story.flats))).remove(0);
            assert_eq!(
                again.told.unwrap().digest().unwrap(),
                story.told.unwrap().digest().unwrap()
            );
        }
        let sample = include_bytes!("../../../message/samples/drug-bill.json");
        for story in read(Door::DrugBill, sample).unwrap() {
            let again = retell(Door::DrugBill, flats(&cells(&story.flats))).remove(0);
            assert_eq!(
                again.told.unwrap().digest().unwrap(),
                story.told.unwrap().digest().unwrap()
            );
        }
    }
}
