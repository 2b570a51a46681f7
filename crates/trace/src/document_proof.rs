//! Documents on the ledger (D-6.3): what they said when they were made out, and that they were voided.
//! Whom to call is 个人信息 and stays outside.

use serde_json::{Value, json};
use yj_kernel::{App, Ctx, Problem, Result, Sql, Tx, time_text};
use yj_ledger::{Integrity, Ledger, Pending};
use yj_model::{Id, OffsetTime};
use yj_proof::Envelope;

use crate::document::BatchDocument;

const MADE: &str = "batch_document";
const VOIDED: &str = "batch_document_void";

/// What exactly of a document is anchored; `at` is when it was registered.
fn anchored(document: &BatchDocument, at: i64) -> Result<Value> {
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
    tx: &mut Tx,
    (id, document): (&str, &BatchDocument),
) -> Result<(Integrity, OffsetTime)> {
    let made = Sql::new(
        "SELECT d.created_at, a.record, b.what FROM batch_document d \
         LEFT JOIN anchor_state a ON a.record = d.void_record \
         LEFT JOIN batch_document_before b ON b.document_id = d.id AND b.what = 'void' \
         WHERE d.id = $1",
    );
    let row = tx.fetch_one(made.arg(id)).await?.ok_or(Problem::NotFound("批次凭证"))?;
    let made = row.int(0)?;
    let mut found = ledger.check(tx, id, &anchored(document, made)?).await?;
    // A voiding that is older than such records has none.
    let recorded = row.text_opt(1)?.is_some() || row.text_opt(2)?.is_some();
    if (document.state.as_deref() == Some("void")) != recorded {
        found.intact = false;
        found.finding = String::from("状态与存证不符：作废须有存证，有作废存证的不能恢复");
    }
    Ok((found, OffsetTime::from_parts(made, 480).map_err(Problem::internal)?))
}

/// The documents, by number, that are not as they were anchored, with what is wrong.
pub async fn tampered_documents(app: &App, ledger: &Ledger) -> Result<Vec<(String, String)>> {
    let ctx = app.on_own_behalf("doctor");
    let mut tx = ctx.snapshot().await?;
    let mut found = Vec::new();
    for row in tx.fetch(Sql::new("SELECT id FROM batch_document ORDER BY id")).await? {
        let id: Id<BatchDocument> = row.parsed(0)?;
        let stored = tx.get::<BatchDocument>(&ctx, id).await?;
        let known = (&*id.to_string(), &stored.data);
        let (integrity, _) = integrity(ledger, &mut tx, known).await?;
        if !integrity.intact {
            found.push((stored.data.number, integrity.finding));
        }
    }
    Ok(found)
}
