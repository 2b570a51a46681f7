//! 存证证明 of many records in one file: of all records of a code, or of those that are named (D-6.3).

use std::{
    collections::BTreeSet,
    io::{Cursor, Write as _},
};

use axum::{http::Method, response::Response};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{Access, Body, Ctx, Problem, Result, Route, Shape, Sql, Tx, audit, transfer};
use yj_ledger::{Ledger, proof_name};
use yj_model::DocumentKind;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{
    document::BatchDocument,
    lots, query, spelling,
    store::{EVENT, StoredEvent},
};

/// Proofs of one file.
const PROOFS_MAX: usize = 1_000;
/// What the file says of its contents.
const CONTENTS: &str = "目录.json";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// 追溯码：它的全部追溯事件与批次凭证。与 records 二者选一
    #[serde(default)]
    code: Option<String>,
    /// 追溯事件的编号，至多 1000 个
    #[serde(default)]
    #[schemars(length(max = 1000))]
    records: Vec<String>,
}

/// A record whose proof is wanted: its identifier, what people call it and its proof, and whether it is
/// a document.
struct Record {
    id: String,
    name: String,
    file: String,
    kind: &'static str,
}

/// The route.
pub(crate) fn routes(ledger: &Ledger) -> [Route; 1] {
    let ledger = ledger.clone();
    let proofs = move |ctx: Ctx, Body(wanted): Body<Wanted>| async move {
        proofs(&ctx, &ledger, wanted).await
    };
    [Route::new(
        (Method::POST, "/api/v1/trace/proofs"),
        Access::permission(String::from("trace:read")),
        "成批取存证证明",
        proofs,
    )
    .takes(Shape::of::<Wanted>())
    .gives(Shape::Bytes("application/zip"))]
}

async fn proofs(ctx: &Ctx, ledger: &Ledger, wanted: Wanted) -> Result<Response> {
    let mut tx = ctx.snapshot().await?;
    let (records, query) = match (&wanted.code, wanted.records.as_slice()) {
        (Some(code), []) => (of_code(ctx, &mut tx, code).await?, format!("code={code}")),
        (None, ids) if !ids.is_empty() => {
            (named(ctx, &mut tx, ids).await?, format!("records={}", ids.len()))
        }
        _ => return Err(Problem::invalid("code", "请给出追溯码或记录编号之一")),
    };
    if records.is_empty() {
        return Err(Problem::NotFound("可出具证明的记录"));
    }
    let (mut files, mut contents) = (Vec::with_capacity(records.len()), Vec::new());
    let mut taken = BTreeSet::new();
    for record in &records {
        let mut line = json!({ "record": record.id, "kind": record.kind, "name": record.name });
        match ledger.proof(&mut tx, &record.id).await {
            Ok(bytes) => {
                let file = alone(&mut taken, &record.file);
                line["file"] = json!(file);
                files.push((file, bytes));
            }
            Err(problem @ (Problem::Internal(_) | Problem::Unavailable(_))) => return Err(problem),
            // It waits for its block, or was erased.
            Err(problem) => line["missing"] = json!(problem.to_string()),
        }
        contents.push(line);
    }
    drop(tx);
    audit::note_use(ctx, "trace_event", (&query, files.len())).await?;
    let count = files.len();
    let contents = Value::from(contents);
    let packed = tokio::task::spawn_blocking(move || packed(&files, &contents));
    let bytes = packed.await.map_err(Problem::internal)??;
    let name = format!("存证证明-{count}份.zip");
    Ok(transfer::download(&name, "application/zip", bytes.into()))
}

/// Every event and every document of a code within reach.
async fn of_code(ctx: &Ctx, tx: &mut Tx, code: &str) -> Result<Vec<Record>> {
    let code =
        spelling::asked(code).map_err(|error| Problem::invalid("code", error.to_string()))?;
    let code = lots::registered(tx, code).await?;
    let mut sql = Sql::new(EVENT);
    sql.push(
        " WHERE e.state IN ('accepted', 'superseded') AND e.id IN (SELECT l.event_id FROM trace_link l \
         JOIN trace_object o ON o.id = l.object_id WHERE o.code = ",
    );
    sql.bind(code.as_str()).push(")");
    let mut records = events(ctx, tx, sql).await?;
    let Ok(reader) = ctx.under("batch_document:read") else { return Ok(records) };
    let sql = Sql::new(
        "SELECT document_id FROM batch_document_unit WHERE code = $1 ORDER BY document_id LIMIT $2",
    );
    let most = i64::try_from(PROOFS_MAX).map_err(Problem::internal)?;
    for row in tx.fetch(sql.arg(code.as_str()).arg(most)).await? {
        match tx.get::<BatchDocument>(&reader, row.parsed(0)?).await {
            Ok(stored) => records.push(Record {
                id: stored.id.to_string(),
                file: document_name(&stored.data),
                name: stored.data.number,
                kind: "batch_document",
            }),
            Err(Problem::NotFound(_)) => {}
            Err(problem) => return Err(problem),
        }
    }
    require_few(records.len())?;
    Ok(records)
}

/// The events of these names within reach.
async fn named(ctx: &Ctx, tx: &mut Tx, ids: &[String]) -> Result<Vec<Record>> {
    require_few(ids.len())?;
    let ids = ids.iter().map(|id| query::event_id(id)).collect::<Result<Vec<_>>>();
    let ids = ids.map_err(|_| Problem::invalid("records", "应为追溯事件的编号"))?;
    let mut sql = Sql::new(EVENT);
    sql.push(" WHERE e.state IN ('accepted', 'superseded') AND e.id IN ");
    sql.push("(SELECT k.id FROM trace_event_key k WHERE k.uid ");
    sql.bind_texts(ids.iter().map(String::as_str)).push(")");
    events(ctx, tx, sql).await
}

async fn events(ctx: &Ctx, tx: &mut Tx, mut sql: Sql) -> Result<Vec<Record>> {
    query::narrow(ctx, &mut sql, tx);
    sql.push(" ORDER BY e.event_time, e.id LIMIT ");
    sql.bind(i64::try_from(PROOFS_MAX + 1).map_err(Problem::internal)?);
    let rows = tx.fetch(sql).await?;
    let events = StoredEvent::read_all(tx, &rows).await?;
    require_few(events.len())?;
    let record = |event: StoredEvent| Record {
        file: event_name(&event),
        name: event.spec.as_ref().map_or(event.kind.clone(), |spec| spec.name.clone()),
        id: event.uid,
        kind: "trace_event",
    };
    Ok(events.into_iter().map(record).collect())
}

/// What the proof of an event is called: what happened to which goods on which day. The goods are
/// those that came of it, and the day is that of China.
pub(crate) fn event_name(event: &StoredEvent) -> String {
    let kind = event.spec.as_ref().map_or(event.kind.as_str(), |spec| spec.name.as_str());
    let sides = [&event.body["outputs"][0], &event.body["inputs"][0]];
    let goods = sides.into_iter().find(|one| one.is_object());
    let code = goods.and_then(|goods| goods["code"].as_str()).or(event.lot.as_deref());
    proof_name([kind, code.unwrap_or_default(), &event.time.beijing_day().to_string()])
}

/// What the proof of a document is called.
pub(crate) fn document_name(document: &BatchDocument) -> String {
    let kind = DocumentKind::from_code(&document.kind);
    proof_name([kind.map_or("", DocumentKind::label), &document.number])
}

/// A name that no other file of the archive has: the second of a kind, code and day is told by its
/// number.
fn alone(taken: &mut BTreeSet<String>, name: &str) -> String {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let again = (2..).map(|number| format!("{stem}-{number}.{ending}"));
    let mut names = std::iter::once(String::from(name)).chain(again);
    let free = names.find(|name| taken.insert(name.clone()));
    free.unwrap_or_default()
}

fn require_few(count: usize) -> Result<()> {
    if count <= PROOFS_MAX {
        return Ok(());
    }
    Err(Problem::TooLarge(format!("一次至多 {PROOFS_MAX} 份证明，请以记录编号分批取")))
}

fn packed(files: &[(String, Vec<u8>)], contents: &Value) -> Result<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    // Not packed: proofs are hashes, and nothing makes them much smaller.
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let contents = serde_json::to_vec_pretty(contents).map_err(Problem::internal)?;
    let all = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    for (name, bytes) in all.chain([(CONTENTS, contents.as_slice())]) {
        writer.start_file(name, options).map_err(Problem::internal)?;
        writer.write_all(bytes).map_err(Problem::internal)?;
    }
    Ok(writer.finish().map_err(Problem::internal)?.into_inner())
}
