//! What the public may know of a code (G-6.9-3, G-10.4): product, maker, stages, tests, proofs. No
//! prices, no quantities, no flows, no people.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use yj_crypto::to_hex;
use yj_kernel::{App, Problem, Result, Row, Sql, Tx};
use yj_ledger::Ledger;
use yj_model::{OffsetTime, Scheme, Stage, candidates, regions};

use crate::{
    balance::{LinkRole, Object},
    closure::{Closure, Direction, closure},
    order::{OrderKind, Quality},
    places,
    steps::Step,
    store::{self, StoredEvent},
    warned,
};

/// Steps shown; what lies further back is on the console.
const STEPS_MAX: usize = 40;

/// The event type that calls products back, in every domain.
pub(crate) const RECALL: &str = "recall";

/// What a story was told from.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) root: i64,
    pub(crate) lot: Option<String>,
    /// Every unit upstream, the root among them.
    pub(crate) objects: Vec<i64>,
    pub(crate) subjects: Vec<String>,
    pub(crate) product: Option<String>,
}

/// The public story of a unit, and what it was told from; none where it may change without a new event.
pub(crate) async fn tell(
    tx: &mut Tx,
    code: &str,
    root: &Object,
) -> Result<(Value, Option<Source>)> {
    let id = root.id.ok_or_else(|| Problem::internal("a stored object without id"))?;
    let found = closure(tx, id, &[Direction::Upstream]).await?;
    let mut ordered: Vec<_> = found.steps.iter().chain(&found.observations).collect();
    let named: BTreeSet<&str> = ordered.iter().map(|step| found.names.text(step.subject)).collect();
    let named: Vec<&str> = named.into_iter().collect();
    let subjects = yj_subject::by_ids(tx, &named).await?;
    let products: Vec<&str> = root.product_id.iter().map(String::as_str).collect();
    let product = yj_product::by_ids(tx, &products).await?.into_values().next();
    let settled = root.quality.is_none()
        && !found.truncated.any()
        && ordered.iter().all(|step| is_confirmed(&found, step));
    let source = settled.then(|| Source {
        root: id,
        lot: root.lot.clone(),
        objects: found.reached().map(|unit| unit.id).collect(),
        subjects: named.iter().copied().map(String::from).collect(),
        product: root.product_id.clone(),
    });
    ordered.sort_by_key(|step| step.time.unix_ms());
    let skip = ordered.len().saturating_sub(STEPS_MAX);
    // However far back it was, and however many have looked on since.
    let reached: Vec<i64> = found.reached().map(|unit| unit.id).collect();
    let condemning = warned::condemning(tx, &reached).await?;
    let found_failed = condemning.iter().any(|(_, grave)| *grave == Quality::Failed);
    let recalls = condemning.iter().filter(|(event, _)| event.kind == RECALL);
    let recall = recalls.map(|(event, _)| event).max_by_key(|event| event.id);
    // What is shown is read whole.
    let shown: BTreeSet<_> =
        ordered[skip..].iter().map(|step| (step.id, step.time.unix_ms())).collect();
    let shown = places::events_at(tx, &shown.into_iter().collect::<Vec<_>>()).await?;
    let shown: BTreeMap<i64, &StoredEvent> = shown.iter().map(|event| (event.id, event)).collect();
    let mut steps = Vec::new();
    for step in &ordered[skip..] {
        let Some(event) = shown.get(&step.id) else { continue };
        let verdict = event.body["attributes"]["verdict"].as_str();
        let watched = step.edges.iter().any(|edge| edge.role == LinkRole::Observed);
        steps.push(json!({
            "id": event.uid, "stage": event.stage,
            "stage_name": Stage::from_code(&event.stage).map(Stage::label),
            "type_name": event.spec.as_ref().map(|spec| spec.name.as_str()),
            "subject": subjects.get(&event.subject_id).map(|subject| subject.name_for(yj_kernel::DataClass::Internal)),
            "region_name": regions().full_name(event.place()),
            "date": event.time.beijing_day().to_string(), "observes": watched,
            "verdict": verdict.map(|code| event.spec.as_ref().and_then(|spec| spec.label("verdict", code)).unwrap_or(code)),
            "item": event.body["attributes"]["item"], "anchor": event.anchor,
            "corrects": event.correction_of.is_some(),
        }));
    }
    let failed = found_failed || steps.iter().any(|step| step["verdict"] == "不合格");
    let orders = orders(tx, id).await?;
    let recall = recall.map(|event| {
        let text = |name: &str| event.body["attributes"][name].clone();
        json!({ "reason": text("reason"), "advice": text("advice"), "date": event.time.beijing_day().to_string() })
    });
    let recalled = recall.is_some() || orders.iter().any(|order| order["kind"] == "recall");
    let state = match (recalled, failed || !orders.is_empty()) {
        (true, _) => "recalled",
        (false, true) => "warning",
        (false, false) => "found",
    };
    let source = source.filter(|_| orders.is_empty());
    let story = json!({
        "code": code, "state": state, "recall": recall,
        "product": product.map(|product| json!({
            "code": product.code, "name": product.name, "spec": product.spec, "brand": product.brand,
            "standard_no": product.standard_no,
        })),
        "lot": root.lot, "steps": steps, "orders": orders,
    });
    Ok((story, source))
}

/// Whether a step has its place on the ledger.
fn is_confirmed(found: &Closure, step: &Step) -> bool {
    step.anchor.is_some_and(|state| found.names.text(state) == "confirmed")
}

/// The orders in force over an object as the public may know them: what, by whom, since when. Reasons
/// and numbers are for those concerned.
async fn orders(tx: &mut Tx, object: i64) -> Result<Vec<Value>> {
    let sql = Sql::new(
        "SELECT r.kind, r.authority, r.created_at FROM trace_order_unit u \
         JOIN trace_order r ON r.id = u.order_id \
         WHERE u.object_id = $1 AND r.state = 'in_force' ORDER BY r.id DESC LIMIT 20",
    );
    let line = |row: &Row| {
        let since = OffsetTime::from_parts(row.int(2)?, 480).map_err(Problem::internal)?;
        let kind = row.text(0)?;
        Ok(json!({
            "kind": kind, "kind_name": OrderKind::from_code(kind).map(OrderKind::label),
            "authority": row.text(1)?, "date": since.beijing_day().to_string(),
        }))
    };
    tx.fetch(sql.arg(object)).await?.iter().map(line).collect()
}

/// What the public may see of a record. Codes only where they belong to the story asked for: who
/// else was supplied is a trade secret (G-10.4).
fn is_public(story: &BTreeSet<&str>, name: &str, value: &Value) -> bool {
    match name {
        "/domain"
        | "/type"
        | "/stage"
        | "/subject"
        | "/event_time"
        | "/region"
        | "/attributes/reason"
        | "/attributes/advice"
        | "/attributes/verdict"
        | "/attributes/item" => true,
        _ if name.starts_with("/links/") && name.ends_with("/code") => {
            value.as_str().is_some_and(|code| story.contains(code))
        }
        _ => name.starts_with("/links/") && name.ends_with("/role"),
    }
}

/// The proofs behind a story, oldest event first; events not yet on the ledger have none. `None`
/// where there is no story.
pub async fn public_proofs(ledger: &Ledger, tx: &mut Tx, code: &str) -> Result<Option<Value>> {
    let Some(root) = store::read_object(tx, code).await? else { return Ok(None) };
    let id = root.id.ok_or_else(|| Problem::internal("a stored object without id"))?;
    let found = closure(tx, id, &[Direction::Upstream]).await?;
    let mut events: Vec<_> = found.steps.iter().chain(&found.observations).collect();
    events.sort_by_key(|step| step.time.unix_ms());
    let skip = events.len().saturating_sub(STEPS_MAX);
    let mut codes: BTreeSet<&str> = found.reached().map(|unit| unit.code.as_str()).collect();
    codes.insert(code);
    let mut proofs = Vec::new();
    for event in events.into_iter().skip(skip) {
        let anchored = is_confirmed(&found, event);
        let proof = if anchored {
            let shown = |name: &str, value: &Value| is_public(&codes, name, value);
            match ledger.partial_proof(tx, &event.uid, shown).await {
                // Erased by law: there is nothing left to prove.
                Err(Problem::Gone(_)) => None,
                proof => Some(proof?),
            }
        } else {
            None
        };
        let proof = proof.map(String::from_utf8).transpose().map_err(Problem::internal)?;
        proofs.push(json!({ "id": event.uid, "proof": proof }));
    }
    let (_, chain) = ledger.genesis();
    Ok(Some(json!({ "code": code, "chain_fingerprint": to_hex(&chain), "proofs": proofs })))
}

/// Those of some codes that are units here, with the product of each.
pub async fn products_of(tx: &mut Tx, codes: &[&str]) -> Result<BTreeMap<String, Option<String>>> {
    let registered = registered(tx, codes).await?;
    Ok(registered.into_iter().map(|(code, unit)| (code, unit.product_id)).collect())
}

/// What a unit is registered as.
#[derive(Debug)]
pub struct Registered {
    /// The identifier of its product.
    pub product_id: Option<String>,
    /// Its lot.
    pub lot: Option<String>,
}

/// What units are registered as, by their codes.
pub async fn registered(tx: &mut Tx, codes: &[&str]) -> Result<BTreeMap<String, Registered>> {
    let mut sql = Sql::new("SELECT code, product_id, lot FROM trace_object WHERE code ");
    sql.bind_texts(codes.iter().copied());
    let read = |row: &Row| {
        let text = |index| Ok::<_, Problem>(row.text_opt(index)?.map(String::from));
        Ok((String::from(row.text(0)?), Registered { product_id: text(1)?, lot: text(2)? }))
    };
    tx.fetch(sql).await?.iter().map(read).collect()
}

/// What is registered of a product's lot.
#[derive(Debug, Default)]
pub struct OfLot {
    /// The unit that is the lot.
    pub unit: Option<String>,
    /// Whether anything is of this lot, be it single pieces alone.
    pub is_known: bool,
}

/// The newest unit that is a product's lot. Those that the product's own subject put out go before all
/// others: whoever else names its lot does not take its place. A product alone names no unit: which
/// of its lots somebody holds it does not say. A single piece is no lot: what became of it did not
/// become of the others.
pub async fn unit_of_lot(
    app: &App,
    tx: &mut Tx,
    (product_id, lot): (&str, Option<&str>),
) -> Result<OfLot> {
    let product = yj_product::by_ids(tx, &[product_id]).await?.remove(product_id);
    let owner = product.map(|product| product.subject_id).unwrap_or_default();
    // Asked also where no lot is named, of one that nothing has: it takes as long.
    let units = units_of_lot(tx, (product_id, &owner), lot.unwrap_or_default()).await?;
    let codes = || units.iter().map(String::as_str);
    // Asked also where there is nothing to ask.
    let nothing = || Sql::new("SELECT 1 FROM code_batch WHERE 1 = 0");
    let rows = tx.fetch(yj_product::query_owners(codes()).unwrap_or_else(nothing)).await?;
    let made = yj_product::read_owners(app, codes(), &rows)?;
    let is_lot = |code: &&String| !made.contains_key(*code) && !names_piece(code);
    let unit = units.iter().find(is_lot).cloned();
    Ok(OfLot { unit, is_known: !units.is_empty() })
}

/// Whether a code names one piece by its form: by a serial number, or as a logistic unit.
pub(crate) fn names_piece(code: &str) -> bool {
    let pieces = ["serial", "third_party_serial", "sscc"];
    let readings = candidates(code);
    let gs1 = readings.first().filter(|reading| reading.scheme == Scheme::Gs1);
    gs1.is_some_and(|reading| pieces.iter().any(|name| reading.part(name).is_some()))
}

/// Units of one lot that are looked at: the newest and the oldest.
const OF_LOT_MAX: i64 = 200;

/// Those that the product's own subject put out, the newest first, then the oldest of all. One trip,
/// whatever there is: how long an answer takes says nothing.
async fn units_of_lot(
    tx: &mut Tx,
    (product_id, owner): (&str, &str),
    lot: &str,
) -> Result<Vec<String>> {
    let end = |sql: &mut Sql, order: &str, most: i64| {
        sql.push("SELECT id, code FROM trace_object WHERE product_id = ").bind(product_id);
        sql.push(" AND lot = ").bind(lot).push(" ORDER BY ").push(order).push(" LIMIT ").bind(most);
    };
    let mut own = Sql::new("SELECT o.code FROM (SELECT * FROM (");
    end(&mut own, "id DESC", OF_LOT_MAX);
    own.push(") n UNION SELECT * FROM (");
    end(&mut own, "id", OF_LOT_MAX);
    own.push(
        ") f) o WHERE EXISTS (SELECT 1 FROM trace_link l JOIN trace_event e ON e.id = l.event_id \
         WHERE l.object_id = o.id AND l.role = 1 AND e.subject_id = ",
    );
    own.bind(owner).push(") ORDER BY o.id DESC");
    // Where the product's own subject did not put out the lot, whoever was first to name it.
    let mut others = Sql::new("SELECT o.code FROM (");
    end(&mut others, "id", OF_LOT_MAX);
    others.push(") o");
    let answers = tx.fetch_all(vec![own, others]).await?;
    answers.iter().flatten().map(|row| row.text(0).map(String::from)).collect()
}
