//! What a 承诺达标合格证 promises for must be there (农业农村部令 2025 第 4 号; handbook §4.1): registered, its
//! subject's own, stopped by nobody, and in all not more than was put out.

use std::collections::{BTreeMap, BTreeSet};

use yj_kernel::{Problem, Result, Sql, Tx};
use yj_model::{Quantity, UnitCode};

use crate::{document::BatchDocument, store};

fn invalid(field: &'static str, detail: String) -> Problem {
    Problem::invalid(field, detail)
}

/// Refuses a certificate, already written in this transaction, that promises for what is not there.
pub(crate) async fn require_there(tx: &mut Tx, document: &BatchDocument) -> Result<()> {
    let codes = document.units.iter().flatten().map(|unit| unit.code.as_str()).collect();
    require_lots(tx, &codes, document.origins.is_some()).await?;
    match (document.quantity, document.unit) {
        // What is made out of others takes from those.
        (Some(quantity), Some(unit)) if document.origins.is_none() => {
            let own = yj_subject::forebears(tx, &document.subject_id.to_string()).await?;
            require_quantity(tx, (&own, quantity, unit), &codes).await
        }
        _ => Ok(()),
    }
}

/// Refuses lots that are not registered or are stopped. What is mixed or split is registered under the new
/// certificate, and so after it (`remade`).
async fn require_lots(tx: &mut Tx, codes: &BTreeSet<&str>, remade: bool) -> Result<()> {
    let objects = store::lock_objects(tx, &codes.iter().copied().collect::<Vec<_>>()).await?;
    for code in codes {
        let detail = match objects.get(*code).map(|object| object.quality) {
            Some(None) => continue,
            None if remade => continue,
            Some(Some(quality)) => {
                let state = quality.label();
                format!("批次 {code} 现为“{state}”，解除之前不能为其开具承诺达标合格证")
            }
            None => format!("批次 {code} 没有登记，请先登记其产出，再开具承诺达标合格证"),
        };
        return Err(invalid("units", detail));
    }
    Ok(())
}

/// Steps from certificate to lot to certificate that are gone.
const STEPS_MAX: usize = 8;

/// Refuses one that promises for more than there is: all certificates of the subject over these lots, and
/// over the lots that those name besides and so on, cover at most what the lots were when they were put
/// out, or what came to it of those that went from hand to hand. A voided one covers nothing. Nobody is
/// refused whose lots suffice, however they are divided.
async fn require_quantity(
    tx: &mut Tx,
    (own, wanted, unit): (&[String], Quantity, UnitCode),
    codes: &BTreeSet<&str>,
) -> Result<()> {
    let mut lots: BTreeSet<String> = codes.iter().map(|code| String::from(*code)).collect();
    for _ in 0..STEPS_MAX {
        let found = over(tx, own, &lots).await?;
        let there = there(tx, own, &lots).await?;
        require_comparable(&there.amounts, unit)?;
        let inside = found.iter().filter(|one| one.lots.is_subset(&lots)).map(|one| one.covers);
        if let Some(covered) = sum(inside, unit) {
            require_enough(covered, there, (wanted, unit))?;
        }
        let known = lots.len();
        lots.extend(found.into_iter().flat_map(|one| one.lots));
        if lots.len() == known {
            break;
        }
    }
    Ok(())
}

/// A certificate: how much it covers, and of which lots.
struct Promise {
    covers: (Quantity, UnitCode),
    lots: BTreeSet<String>,
}

/// The certificates of a subject over any of these lots.
async fn over(tx: &mut Tx, own: &[String], lots: &BTreeSet<String>) -> Result<Vec<Promise>> {
    let mut sql = Sql::new(
        "SELECT d.id, d.quantity, d.unit, u.code FROM batch_document d \
         JOIN batch_document_unit u ON u.document_id = d.id WHERE d.kind = 'commitment' \
         AND d.state <> 'void' AND d.origins IS NULL AND d.quantity IS NOT NULL AND d.subject_id ",
    );
    sql.bind_texts(own.iter().map(String::as_str));
    sql.push(" AND d.id IN (SELECT n.document_id FROM batch_document_unit n WHERE n.code ");
    sql.bind_texts(lots.iter().map(String::as_str)).push(")");
    let mut found: BTreeMap<String, Promise> = BTreeMap::new();
    for row in &tx.fetch(sql).await? {
        let covers = (store::quantity(row.int(1)?)?, row.parsed(2)?);
        let one = found.entry(String::from(row.text(0)?));
        let one = one.or_insert_with(|| Promise { covers, lots: BTreeSet::new() });
        one.lots.insert(String::from(row.text(3)?));
    }
    Ok(found.into_values().collect())
}

/// What there is of some lots for somebody to promise.
struct There {
    amounts: Vec<(Quantity, UnitCode)>,
    /// Whether there is more in the hands of others.
    are_parts: bool,
}

/// What there is of these lots for somebody to promise: of those that went from hand to hand what they made
/// themselves and what came to them, of the others all that was made.
async fn there(tx: &mut Tx, own: &[String], lots: &BTreeSet<String>) -> Result<There> {
    let mut sql = Sql::new("SELECT o.code, CAST(o.produced - COALESCE((SELECT SUM(");
    sql.push(GONE_ON).push(
        ") FROM trace_link l WHERE l.object_id = o.id AND l.role = 1), 0) AS BIGINT), o.unit \
         FROM trace_object o WHERE o.code ",
    );
    sql.bind_texts(lots.iter().map(String::as_str));
    let whole = tx.fetch(sql).await?;
    let in_hands = in_hands(tx, own, lots).await?;
    let mut there = There { amounts: Vec::new(), are_parts: false };
    for row in &whole {
        let whole = row.int(1)?;
        let own = in_hands.get(row.text(0)?).map_or(whole, |own| whole.min(*own));
        there.amounts.push((store::quantity(own)?, row.parsed(2)?));
        there.are_parts |= own < whole;
    }
    Ok(there)
}

/// Of what an event put out, by `l`, what only went on under its own code or came out of a package: that
/// was not made again.
const GONE_ON: &str = "COALESCE((SELECT SUM(CASE WHEN i.role = 0 AND i.quantity < l.quantity \
     THEN i.quantity ELSE l.quantity END) FROM trace_link i WHERE i.event_id = l.event_id \
     AND (i.role = 3 OR (i.role = 0 AND i.object_id = l.object_id))), 0)";

/// Of those of these lots that went from hand to hand: how much of each somebody made or was given.
async fn in_hands(
    tx: &mut Tx,
    own: &[String],
    lots: &BTreeSet<String>,
) -> Result<BTreeMap<String, i64>> {
    let own: BTreeSet<&str> = own.iter().map(String::as_str).collect();
    let mut sql = Sql::new(
        "SELECT o.code, h.receiver_id, CAST(SUM(h.quantity) AS BIGINT) FROM trace_object o \
         JOIN trace_handover h ON h.object_id = o.id WHERE o.code ",
    );
    sql.bind_texts(lots.iter().map(String::as_str)).push(" GROUP BY o.code, h.receiver_id");
    let mut there: BTreeMap<String, i64> = BTreeMap::new();
    for row in &tx.fetch(sql).await? {
        let came = if own.contains(row.text(1)?) { row.int(2)? } else { 0 };
        *there.entry(String::from(row.text(0)?)).or_default() += came;
    }
    if there.is_empty() {
        return Ok(there);
    }
    let mut sql = Sql::new("SELECT o.code, CAST(SUM(l.quantity - ");
    sql.push(GONE_ON).push(
        ") AS BIGINT) FROM trace_object o JOIN trace_link l ON l.object_id = o.id AND l.role = 1 \
         JOIN trace_event e ON e.id = l.event_id WHERE e.subject_id ",
    );
    sql.bind_texts(own.iter().copied()).push(" AND o.code ");
    sql.bind_texts(there.keys().map(String::as_str)).push(" GROUP BY o.code");
    for row in &tx.fetch(sql).await? {
        *there.entry(String::from(row.text(0)?)).or_default() += row.int(1)?;
    }
    Ok(there)
}

/// Refuses a certificate in a measure that its lots are not counted in: it would promise for any amount.
fn require_comparable(there: &[(Quantity, UnitCode)], unit: UnitCode) -> Result<()> {
    let Some((_, of)) = there.iter().find(|(_, of)| !of.is_comparable(unit)) else { return Ok(()) };
    let (of, unit) = (of.unit().name, unit.unit().name);
    let detail =
        format!("所附批次以{of}计，{unit}不能与其换算；合格证的数量应以{of}或可与其换算的单位写明");
    Err(invalid("unit", detail))
}

fn require_enough(
    covered: Quantity,
    there: There,
    (wanted, unit): (Quantity, UnitCode),
) -> Result<()> {
    let how = if there.are_parts { "由该主体产出或受交付的共" } else { "共产出" };
    let Some(there) = sum(there.amounts, unit) else { return Ok(()) };
    let over = covered.minus(there).unwrap_or(Quantity::ZERO);
    if !over.is_positive() {
        return Ok(());
    }
    let (before, name) = (covered.minus(wanted).unwrap_or(Quantity::ZERO), unit.unit().name);
    let detail = format!(
        "所附批次{how} {there} {name}，已开具 {before} {name}，本次 {wanted} {name}，超出 {over} {name}"
    );
    Err(invalid("quantity", detail))
}

/// A sum in one unit; nothing where one of the parts is counted in a unit that cannot be converted.
fn sum(parts: impl IntoIterator<Item = (Quantity, UnitCode)>, unit: UnitCode) -> Option<Quantity> {
    parts
        .into_iter()
        .try_fold(Quantity::ZERO, |sum, (part, of)| sum.plus(of.convert(part, unit).ok()?).ok())
}
