//! Documents that come: small ones are read at once, others lie in parts until a job has read
//! them, event by event, whatever their length.

use axum::body::Body;
use futures_util::StreamExt as _;
use serde_json::json;
use yj_epcis::{EventReader, Json, Limits, ReadError};
use yj_kernel::{
    Ctx, Problem, Result, Sql, Tx, again,
    jobs::{self, NewJob},
    vault::{self, DataKey},
};

use super::{
    capture::{self, CHUNK_MAX, Item, Taken, Tally, take},
    document::{FAULTS_MAX, Stream, limits},
    header::{BYTES_MAX, Behaviour, Form},
    master::{self, Told},
    prepare::prepare,
    problem::invalid,
    store,
};

/// A document up to this size is read at once.
const SMALL: usize = 1 << 20;
/// Bytes of one part.
const PART: usize = 1 << 20;
/// Where parts are sealed.
pub(crate) const PART_BYTES: &str = "epcis_part.bytes";
/// Tries when others write the same at the same moment.
pub(crate) const TRIES: usize = 3;

/// A document that is at hand.
pub(crate) struct Sheet {
    pub(crate) items: Vec<Item>,
    /// The `@context` that is kept with the events.
    context: Option<Json>,
    master: Vec<Told>,
}

/// What became of a document.
pub(crate) struct Received {
    /// The capture.
    pub(crate) id: String,
    /// What became of each event, where it was read at once.
    pub(crate) taken: Vec<Taken>,
}

/// Takes in a document as it arrives. A small one is kept when this returns; of a longer one that
/// it has come whole.
pub(crate) async fn receive(
    ctx: &Ctx,
    body: Body,
    (form, behaviour): (Form, Behaviour),
) -> Result<Received> {
    let mut stream = body.into_data_stream();
    let mut head: Vec<u8> = Vec::new();
    while let Some(piece) = stream.next().await {
        head.extend_from_slice(&piece.map_err(|_| broken())?);
        if head.len() > SMALL {
            return spool(ctx, (head, Some(stream)), (form, behaviour)).await;
        }
    }
    let head = if form == Form::Json { in_order(head) } else { head };
    match small(&head, form)? {
        Some(sheet) => at_once(ctx, &sheet, (form, behaviour), false).await,
        None => spool(ctx, (head, None), (form, behaviour)).await,
    }
}

/// A document that is at hand with its `@context` before its events, which mean nothing without it.
/// Members of JSON have no order, and some programs write them as they like; a document that is read
/// while it arrives has to begin with it.
fn in_order(bytes: Vec<u8>) -> Vec<u8> {
    let mut reader = EventReader::new(bytes.as_slice(), limits());
    let first = reader.next_event();
    let own = |event: &Json| event.get("@context").is_some();
    if !matches!(&first, Ok(Some(event)) if reader.context().is_none() && !own(event)) {
        return bytes;
    }
    match Json::parse(&bytes, &limits()) {
        Ok(Json::Object(mut members)) => {
            members.sort_by_key(|(name, _)| name != "@context");
            Json::Object(members).to_string().into_bytes()
        }
        _ => bytes,
    }
}

fn broken() -> Problem {
    Problem::Malformed(String::from("请求体没有完整到达，请重试"))
}

/// The problem of bytes that could not be read.
pub(crate) fn unreadable(error: ReadError) -> Problem {
    match error {
        ReadError::Broken(_) => broken(),
        ReadError::Syntax { .. } => Problem::Malformed(error.to_string()),
        ReadError::TooMuch { .. } => Problem::TooLarge(error.to_string()),
    }
}

pub(crate) fn item(
    place: i64,
    (source, context): (Json, std::sync::Arc<yj_epcis::Context>),
) -> Item {
    Item { place, event: prepare(source, &context, FAULTS_MAX) }
}

/// A document that is at hand; `None` where it has too many events for one go.
pub(crate) fn small(bytes: &[u8], form: Form) -> Result<Option<Sheet>> {
    let mut stream = Stream::new(form, bytes);
    let mut items = Vec::new();
    while let Some(found) = stream.next().map_err(unreadable)? {
        if items.len() == CHUNK_MAX {
            return Ok(None);
        }
        let place = i64::try_from(items.len()).unwrap_or(i64::MAX) + 1;
        items.push(item(place, found));
    }
    let faults = stream.frame_faults();
    if !faults.is_empty() {
        return Err(invalid(faults));
    }
    let (context, master) = (stream.kept_context(), stream.master()?);
    Ok(Some(Sheet { items, context, master }))
}

/// Keeps a small document. Under `rollback`, one refusal is the request's own problem.
pub(crate) async fn at_once(
    ctx: &Ctx,
    sheet: &Sheet,
    (form, behaviour): (Form, Behaviour),
    bare: bool,
) -> Result<Received> {
    let keep = || at_once_in(ctx, sheet, (form, behaviour), bare);
    again(TRIES, Problem::is_of_a_race, keep).await
}

async fn at_once_in(
    ctx: &Ctx,
    Sheet { items, context, master }: &Sheet,
    (form, behaviour): (Form, Behaviour),
    bare: bool,
) -> Result<Received> {
    let mut tx = ctx.begin().await?;
    let id = ctx.new_id::<()>().to_string();
    let key = vault::fresh_data_key(ctx, &mut tx, &id)?;
    tx.later([opened(ctx, (&id, context.as_ref()), "done", (form, behaviour))]);
    let taken = take(ctx, &mut tx, (&id, &key), items).await?;
    if behaviour == Behaviour::Rollback && taken.iter().any(|one| matches!(one, Taken::Refused(_)))
    {
        return Err(refusals(taken, bare));
    }
    master::keep(ctx, &mut tx, (&id, items), master).await?;
    let mut tally = Tally::default();
    for (item, taken) in items.iter().zip(&taken) {
        tally.add(item.place, taken);
    }
    tally.write(&mut tx, &id);
    tx.commit().await?;
    Ok(Received { id, taken })
}

/// All refusals of a document as one problem; of a bare event its own.
fn refusals(mut taken: Vec<Taken>, bare: bool) -> Problem {
    if bare && let Some(Taken::Refused(problem)) = taken.pop() {
        return problem;
    }
    let mut errors = Vec::new();
    for (at, one) in taken.into_iter().enumerate() {
        let Taken::Refused(problem) = one else { continue };
        match problem {
            Problem::Invalid(found) => errors.extend(found.into_iter().map(|mut error| {
                let dot = if error.field.is_empty() { "" } else { "." };
                error.field = format!("eventList[{at}]{dot}{}", error.field);
                error
            })),
            other => errors.push(yj_kernel::FieldError {
                field: format!("eventList[{at}]"),
                detail: other.to_string(),
            }),
        }
        if errors.len() >= capture::ERRORS_MAX {
            break;
        }
    }
    Problem::Invalid(errors)
}

fn opened(
    ctx: &Ctx,
    (id, context): (&str, Option<&Json>),
    state: &str,
    (form, behaviour): (Form, Behaviour),
) -> Sql {
    let sql = Sql::new(
        "INSERT INTO epcis_capture (id, created_at, created_by, finished_at, state, behaviour, form, \
         context, checked, taken, duplicate, refused, told, untold, errors) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, 0, 0, '[]', '[]')",
    );
    let finished = (state == "done").then(|| ctx.now_ms());
    let sql = sql.arg(id).arg(ctx.now_ms()).arg(ctx.actor()).arg(finished).arg(state);
    sql.arg(behaviour.code()).arg(form.code()).arg(context.map(ToString::to_string))
}

/// Documents of one sender that may be arriving or read at once.
const OPEN_MAX: i64 = 20;

/// Puts a document aside, part by part, and queues the job that reads it.
async fn spool(
    ctx: &Ctx,
    (mut waiting, rest): (Vec<u8>, Option<axum::body::BodyDataStream>),
    (form, behaviour): (Form, Behaviour),
) -> Result<Received> {
    let id = ctx.new_id::<()>().to_string();
    let mut tx = ctx.begin().await?;
    let open = Sql::new(
        "SELECT COUNT(*) FROM epcis_capture WHERE created_by = $1 AND state IN ('receiving', 'running')",
    );
    let open = tx.fetch_one(open.arg(ctx.actor())).await?.map_or(Ok(0), |row| row.int(0))?;
    if open >= OPEN_MAX {
        return Err(Problem::TooMany(format!(
            "您已有 {open} 份文档在接收或处理，请等其完成后再提交"
        )));
    }
    let key = vault::fresh_data_key(ctx, &mut tx, &id)?;
    tx.later([opened(ctx, (&id, None), "receiving", (form, behaviour))]);
    tx.commit().await?;
    let outcome = parts(ctx, (&id, &key), (&mut waiting, rest)).await;
    if let Err(problem) = outcome {
        let mut tx = ctx.begin().await?;
        forget(&mut tx, &id);
        tx.commit().await?;
        return Err(problem);
    }
    let mut tx = ctx.begin().await?;
    let params = json!({ "capture": id });
    let new =
        NewJob {
            kind: "exchange.epcis", title: "采集 EPCIS 文档", params: &params, rows: None
        };
    let job = match jobs::enqueue(ctx, &mut tx, new).await {
        Ok(job) => job,
        Err(problem) => {
            drop(tx);
            let mut tx = ctx.begin().await?;
            forget(&mut tx, &id);
            tx.commit().await?;
            return Err(problem);
        }
    };
    let sql = Sql::new("UPDATE epcis_capture SET state = 'running', job_id = $1 WHERE id = $2");
    tx.later([sql.arg(job).arg(id.as_str())]);
    tx.commit().await?;
    jobs::wake(ctx.app());
    Ok(Received { id, taken: Vec::new() })
}

/// A document that never came whole leaves nothing.
fn forget(tx: &mut Tx, id: &str) {
    tx.later([
        Sql::new("DELETE FROM epcis_part WHERE capture_id = $1").arg(id),
        Sql::new("DELETE FROM epcis_capture WHERE id = $1 AND state = 'receiving'").arg(id),
    ]);
}

async fn parts(
    ctx: &Ctx,
    (id, key): (&str, &DataKey),
    (waiting, rest): (&mut Vec<u8>, Option<axum::body::BodyDataStream>),
) -> Result<()> {
    let (mut part, mut length) = (0_i64, waiting.len() as u64);
    let write = async |part: i64, bytes: &[u8]| {
        let sealed = key.seal_bytes(ctx.app().random(), (PART_BYTES, id), bytes)?;
        let mut tx = ctx.begin().await?;
        let sql = Sql::new("INSERT INTO epcis_part (capture_id, part, bytes) VALUES ($1, $2, $3)");
        tx.later([sql.arg(id).arg(part).arg(sealed)]);
        tx.commit().await
    };
    if let Some(mut rest) = rest {
        while let Some(piece) = rest.next().await {
            let piece = piece.map_err(|_| broken())?;
            length += piece.len() as u64;
            if length > BYTES_MAX {
                let detail = format!("一份文档至多 {} MiB，请分批提交", BYTES_MAX >> 20);
                return Err(Problem::TooLarge(detail));
            }
            waiting.extend_from_slice(&piece);
            while waiting.len() >= PART {
                write(part, &waiting[..PART]).await?;
                waiting.drain(..PART);
                part += 1;
            }
        }
    }
    for piece in waiting.chunks(PART) {
        write(part, piece).await?;
        part += 1;
    }
    Ok(())
}

/// Documents that began to arrive this long ago never will: a request lasts a minute at most.
const ARRIVAL_MS: i64 = 300_000;

/// Forgets documents that never came whole, and ends captures whose job has ended without them.
pub(crate) async fn sweep(app: &yj_kernel::App) -> Result<()> {
    let ctx = app.on_own_behalf("retention");
    let mut tx = ctx.begin().await?;
    let sql = Sql::new(
        "SELECT id FROM epcis_capture WHERE state = 'receiving' AND created_at < $1 LIMIT 100",
    );
    let late = tx.fetch(sql.arg(ctx.now_ms() - ARRIVAL_MS)).await?;
    for row in &late {
        forget(&mut tx, row.text(0)?);
    }
    let sql = Sql::new(
        "SELECT c.id FROM epcis_capture c JOIN job j ON j.id = c.job_id \
         WHERE c.state = 'running' AND j.state IN ('cancelled', 'failed') LIMIT 100",
    );
    for row in tx.fetch(sql).await? {
        let id = row.text(0)?;
        let sql =
            Sql::new("UPDATE epcis_capture SET state = 'failed', finished_at = $1 WHERE id = $2");
        tx.later([
            sql.arg(ctx.now_ms()).arg(id),
            Sql::new("DELETE FROM epcis_part WHERE capture_id = $1").arg(id),
            store::release(id),
        ]);
    }
    tx.commit().await
}

/// Reads one bare event or a document with one.
pub(crate) fn single(bytes: &[u8], form: Form) -> Result<Sheet> {
    if bytes.len() > Limits::default().event_bytes_max {
        return Err(Problem::TooLarge(String::from("一个事件至多 1 MiB")));
    }
    match small(bytes, form)? {
        Some(sheet) if sheet.items.len() == 1 => Ok(sheet),
        _ => Err(Problem::invalid("", "应为恰好一个事件；多个事件请提交至 /epcis/v2/capture")),
    }
}
