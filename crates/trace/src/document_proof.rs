//! Documents on the ledger (D-6.3): what they said when they were made out, and that they were voided.
//! Whom to call is 个人信息 and stays outside.

use serde_json::{Value, json};
use yj_kernel::{Ctx, Problem, Result, Sql, Tx, time_text};
use yj_ledger::{Integrity, Ledger, Pending};
use yj_model::OffsetTime;
use yj_proof::Envelope;

use crate::{anchored::Documents, document::BatchDocument};

pub(crate) const MADE: &str = "batch_document";
pub(crate) const VOIDED: &str = "batch_document_void";

/// What exactly of a document is anchored; `at` is when it was registered.
pub(crate) fn anchored(document: &BatchDocument, at: i64) -> Result<Value> {
    let time = |text: &Option<String>| match text {
        Some(text) => {
            let time: jiff::Timestamp = text.parse().map_err(Problem::internal)?;
            time_text(time.as_millisecond())
        }
        None => Ok(Value::Null),
    };
    Ok(json!({
        "kind": document.kind, "number": document.number, "issuer": document.issuer,
        "region": document.region, "product_id": document.product_id, "product": document.product,
        "quantity": document.quantity, "unit": document.unit, "issued_on": document.issued_on,
        "valid_until": document.valid_until, "origin": document.origin, "basis": document.basis,
        "promise": document.promise, "units": document.units, "origins": document.origins,
        "vehicle_no": document.vehicle_no, "depart_at": time(&document.depart_at)?,
        "arrive_at": time(&document.arrive_at)?, "at": time_text(at)?,
    }))
}

/// Puts a new document on the ledger.
pub(crate) async fn anchor_made(
    ctx: &Ctx,
    tx: &mut Tx,
    (id, document): (&str, &BatchDocument),
) -> Result<()> {
    let body = anchored(document, ctx.now_ms())?;
    anchor(ctx, tx, (MADE, id), (document, body)).await
}

/// Puts the voiding of a document on the ledger; the name it has there.
pub(crate) async fn anchor_voided(
    ctx: &Ctx,
    tx: &mut Tx,
    (id, document): (&str, &BatchDocument),
    reason: &str,
) -> Result<String> {
    let record = ctx.new_id::<()>().to_string();
    let body = json!({
        "voids": id, "number": document.number, "reason": reason, "at": time_text(ctx.now_ms())?,
    });
    anchor(ctx, tx, (VOIDED, &record), (document, body)).await?;
    Ok(record)
}

async fn anchor(
    ctx: &Ctx,
    tx: &mut Tx,
    (kind, record): (&str, &str),
    (document, body): (&BatchDocument, Value),
) -> Result<()> {
    let subject = document.subject_id.to_string();
    let subject = yj_subject::heirs(tx, &[subject.as_str()]).await?.into_values().next();
    let subject =
        subject.ok_or_else(|| Problem::internal("a subject that was there is missing"))?;
    let envelope = Envelope::new(kind, record, &subject.code, &ctx.now.to_string(), body);
    let envelope = envelope.map_err(Problem::internal)?;
    yj_ledger::enqueue(ctx, tx, &[Pending { record, envelope: &envelope }])
}

/// What a document says now against what was anchored, and since when it stands there.
pub(crate) async fn integrity(
    ledger: &Ledger,
    (ctx, tx): (&Ctx, &mut Tx),
    id: &str,
) -> Result<(Integrity, OffsetTime)> {
    let made = Sql::new("SELECT created_at FROM batch_document WHERE id = $1");
    let row = tx.fetch_one(made.arg(id)).await?.ok_or(Problem::NotFound("批次凭证"))?;
    let made = OffsetTime::from_parts(row.int(0)?, 480).map_err(Problem::internal)?;
    Ok((ledger.integrity((ctx, tx), &Documents, id).await?, made))
}
