//! The job that reads a document which lies in parts.

use std::{
    io::{Cursor, Read},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use yj_epcis::Json;
use yj_kernel::{
    Ctx, JobKind, JobRun, Outcome, Problem, Result, RowResult, Sql, Tx, again,
    vault::{self, DataKey},
};

use super::{
    capture::{CHUNK_MAX, Item, Taken, Tally, examine, take},
    document::Stream,
    header::{Behaviour, Form},
    job::{PART_BYTES, TRIES, item, unreadable},
    master::{self, Told},
    problem::invalid,
    store,
};

/// Text of the events of one chunk.
const CHUNK_BYTES: usize = 4 << 20;

/// The background work of this crate.
pub const JOBS: [JobKind; 1] = [JobKind {
    name: "exchange.epcis",
    title: "采集 EPCIS 文档",
    permission: |_| String::from("epcis:capture"),
    run: |run| -> BoxFuture<'static, Result<Value>> { Box::pin(work(run)) },
    row: None,
}];

/// What the reader of a document says.
enum Said {
    /// Events, and the `@context` around them.
    Chunk(Vec<Item>, Option<Json>),
    /// The end, with the master data of the document or what is wrong around the events.
    End(Result<Vec<Told>>),
    /// It cannot be read on.
    Broken(Problem),
    /// Parts of it could not be fetched; that is nobody's fault who sent it.
    Lost,
}

/// Bytes that come in parts from elsewhere.
struct Parts {
    parts: mpsc::Receiver<Result<Vec<u8>>>,
    current: Cursor<Vec<u8>>,
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let count = self.current.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            match self.parts.blocking_recv() {
                None => return Ok(0),
                Some(Ok(part)) => self.current = Cursor::new(part),
                Some(Err(problem)) => return Err(std::io::Error::other(problem)),
            }
        }
    }
}

/// Reads a document that lies in parts, in a thread of its own, leaving out what was done before.
fn read_parts(
    ctx: &Ctx,
    (id, key): (&str, DataKey),
    form: Form,
    done: i64,
) -> mpsc::Receiver<Said> {
    let (give, parts) = mpsc::channel(1);
    let (say, said) = mpsc::channel(1);
    let (ctx, id) = (ctx.clone(), String::from(id));
    let lost = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&lost);
    tokio::spawn(async move {
        for part in 0.. {
            let loaded = again(TRIES, |_| true, || load(&ctx, (&id, &key), part)).await;
            let Some(loaded) = loaded.transpose() else { return };
            let failed = loaded.is_err();
            noted.fetch_or(failed, Ordering::SeqCst);
            if give.send(loaded).await.is_err() || failed {
                return;
            }
        }
    });
    tokio::task::spawn_blocking(move || {
        let reader = Parts { parts, current: Cursor::default() };
        let mut stream = Stream::new(form, reader);
        let last = match tell(&mut stream, done, &say) {
            Said::Broken(_) if lost.load(Ordering::SeqCst) => Said::Lost,
            last => last,
        };
        // Nobody listening any more is no harm.
        let _ = say.blocking_send(last);
    });
    said
}

fn tell(stream: &mut Stream<Parts>, done: i64, say: &mpsc::Sender<Said>) -> Said {
    let (mut place, mut items, mut size) = (0, Vec::new(), 0);
    let broken = loop {
        let found = match stream.next() {
            Ok(Some(found)) => found,
            Ok(None) => break None,
            // What stands before the place where it breaks off was said.
            Err(error) => break Some(unreadable(error)),
        };
        place += 1;
        if place <= done {
            continue;
        }
        let item = item(place, found);
        size += item.event.as_ref().map_or(0, |prepared| prepared.text.len());
        items.push(item);
        if items.len() == CHUNK_MAX || size > CHUNK_BYTES {
            size = 0;
            let chunk = Said::Chunk(std::mem::take(&mut items), stream.kept_context());
            if say.blocking_send(chunk).is_err() {
                return Said::End(Ok(Vec::new()));
            }
        }
    };
    if !items.is_empty() && say.blocking_send(Said::Chunk(items, stream.kept_context())).is_err() {
        return Said::End(Ok(Vec::new()));
    }
    if let Some(problem) = broken {
        return Said::Broken(problem);
    }
    let faults = stream.frame_faults();
    Said::End(if faults.is_empty() { stream.master() } else { Err(invalid(faults)) })
}

async fn load(ctx: &Ctx, (id, key): (&str, &DataKey), part: i64) -> Result<Option<Vec<u8>>> {
    let mut tx = ctx.snapshot().await?;
    let sql = Sql::new("SELECT bytes FROM epcis_part WHERE capture_id = $1 AND part = $2");
    let Some(row) = tx.fetch_one(sql.arg(id).arg(part)).await? else { return Ok(None) };
    key.open_bytes((PART_BYTES, id), row.blob(0)?).map(Some)
}

/// Every event of the document has been looked at.
const CHECKED: i64 = -1;

/// A capture whose document lies in parts.
struct Waiting {
    id: String,
    form: Form,
    behaviour: Behaviour,
    /// Events of a `rollback` that have been looked at; [`CHECKED`] when all have.
    checked: i64,
    tally: Tally,
}

impl Waiting {
    async fn load(ctx: &Ctx, id: &str) -> Result<Self> {
        let mut tx = ctx.snapshot().await?;
        let sql = Sql::new(
            "SELECT form, behaviour, checked, untold, errors FROM epcis_capture \
             WHERE id = $1 AND state = 'running'",
        );
        let gone = || Problem::Conflict(String::from("这次采集已结束"));
        let row = tx.fetch_one(sql.arg(id)).await?.ok_or_else(gone)?;
        let unknown = || Problem::internal("epcis_capture holds an unknown code");
        Ok(Self {
            id: String::from(id),
            form: if row.text(0)? == "xml" { Form::Xml } else { Form::Json },
            behaviour: Behaviour::from_code(row.text(1)?).ok_or_else(unknown)?,
            checked: row.int(2)?,
            tally: Tally::resumed(&row.json(3)?, row.json(4)?),
        })
    }

    async fn read(&self, ctx: &Ctx, done: i64) -> Result<mpsc::Receiver<Said>> {
        let mut tx = ctx.snapshot().await?;
        let key = vault::data_keys(ctx.app(), &mut tx, &[&self.id]).await?.remove(&self.id);
        let key = key.ok_or_else(|| Problem::internal("a capture without a key"))?;
        Ok(read_parts(ctx, (&self.id, key), self.form, done))
    }

    /// Looks at the whole document without keeping any of it, and has the names it needs kept free;
    /// whether all of it may be kept. Whoever takes over goes on where the other stopped.
    async fn check(&mut self, ctx: &Ctx, run: &JobRun) -> Result<bool> {
        run.expect(self.checked).await?;
        let mut said = self.read(ctx, self.checked).await?;
        while let Some(next) = said.recv().await {
            match next {
                Said::Chunk(items, _) => {
                    let check = || self.check_chunk(ctx, &items);
                    (self.tally, self.checked) = again(TRIES, Problem::is_passing, check).await?;
                    run.expect(self.checked).await?;
                }
                Said::End(Ok(_)) => {}
                Said::End(Err(problem)) | Said::Broken(problem) => self.tally.tell(None, &problem),
                Said::Lost => return Err(lost()),
            }
        }
        let sound = self.tally.errors.is_empty();
        if sound {
            let mut tx = ctx.begin().await?;
            self.looked_at(&mut tx, &self.tally, CHECKED);
            tx.commit().await?;
            self.checked = CHECKED;
        }
        Ok(sound)
    }

    /// Looks at a chunk; what is known then, and how far.
    async fn check_chunk(&self, ctx: &Ctx, items: &[Item]) -> Result<(Tally, i64)> {
        let mut tx = ctx.begin().await?;
        let examined = examine(ctx, &mut tx, &self.id, items).await?;
        let mut tally = self.tally.clone();
        for (item, outcome) in items.iter().zip(examined) {
            if let Err(problem) = outcome {
                tally.refuse(item.place, &problem);
            }
        }
        let place = items.last().map_or(self.checked, |item| item.place);
        self.looked_at(&mut tx, &tally, place);
        tx.commit().await?;
        tally.written();
        Ok((tally, place))
    }

    fn looked_at(&self, tx: &mut Tx, tally: &Tally, place: i64) {
        tally.write(tx, &self.id);
        let sql = Sql::new("UPDATE epcis_capture SET checked = $1 WHERE id = $2");
        tx.later([sql.arg(place).arg(self.id.as_str())]);
    }

    /// Keeps what was not kept before.
    async fn keep(&mut self, ctx: &Ctx, run: &JobRun) -> Result<()> {
        let mut said = self.read(ctx, run.first_row).await?;
        while let Some(next) = said.recv().await {
            match next {
                Said::Chunk(items, context) => {
                    let keep = || self.keep_chunk(ctx, run, (&items, context.as_ref()));
                    self.tally = again(TRIES, Problem::is_of_a_race, keep).await?;
                    run.noted();
                }
                Said::End(Ok(told)) => {
                    let mut tx = ctx.begin().await?;
                    match master::keep(ctx, &mut tx, (&self.id, &[]), &told).await {
                        Ok(()) => tx.commit().await?,
                        Err(problem @ Problem::Invalid(_)) => self.tally.tell(None, &problem),
                        Err(problem) => return Err(problem),
                    }
                }
                Said::End(Err(problem)) | Said::Broken(problem) => self.tally.tell(None, &problem),
                Said::Lost => return Err(lost()),
            }
        }
        Ok(())
    }

    /// Keeps a chunk; what is known then.
    async fn keep_chunk(
        &self,
        ctx: &Ctx,
        run: &JobRun,
        (items, context): (&[Item], Option<&Json>),
    ) -> Result<Tally> {
        let mut tx = ctx.begin().await?;
        let key = vault::data_keys(ctx.app(), &mut tx, &[&self.id]).await?.remove(&self.id);
        let key = key.ok_or_else(|| Problem::internal("a capture without a key"))?;
        let sql = "UPDATE epcis_capture SET context = $1 WHERE id = $2 AND context IS NULL";
        tx.later([Sql::new(sql).arg(context.map(ToString::to_string)).arg(self.id.as_str())]);
        let taken = take(ctx, &mut tx, (&self.id, &key), items).await?;
        let mut tally = self.tally.clone();
        let mut rows = Vec::with_capacity(items.len());
        for (item, taken) in items.iter().zip(taken) {
            tally.add(item.place, &taken);
            let outcome = match taken {
                Taken::New { uid, .. } => Outcome::Done(uid),
                Taken::Duplicate { id, .. } => Outcome::Duplicate(id),
                Taken::Refused(problem) => Outcome::refused(problem)?,
            };
            rows.push(RowResult { row: item.place, place: None, outcome, source: Value::Null });
        }
        run.note(&mut tx, &rows).await?;
        tally.write(&mut tx, &self.id);
        tx.commit().await?;
        tally.written();
        Ok(tally)
    }

    async fn finish(&self, ctx: &Ctx, failed: bool) -> Result<()> {
        let mut tx = ctx.begin().await?;
        self.tally.write(&mut tx, &self.id);
        let sql = Sql::new("UPDATE epcis_capture SET state = $1, finished_at = $2 WHERE id = $3");
        let state = if failed { "failed" } else { "done" };
        tx.later([
            sql.arg(state).arg(ctx.app().now().as_millisecond()).arg(self.id.as_str()),
            Sql::new("DELETE FROM epcis_part WHERE capture_id = $1").arg(self.id.as_str()),
            store::release(&self.id),
        ]);
        tx.commit().await
    }
}

fn lost() -> Problem {
    Problem::Unavailable(String::from("文档的一部分暂不能读出，请重新提交；已收下的事件不会重复"))
}

async fn work(run: JobRun) -> Result<Value> {
    let ctx = run.ctx.clone();
    let id = String::from(run.params["capture"].as_str().unwrap_or_default());
    let mut waiting = Waiting::load(&ctx, &id).await?;
    let outcome = async {
        let all = waiting.behaviour == Behaviour::Rollback;
        if all && waiting.checked != CHECKED && !waiting.check(&ctx, &run).await? {
            return Ok(false);
        }
        waiting.keep(&ctx, &run).await?;
        Ok(true)
    }
    .await;
    match outcome {
        Ok(kept) => {
            waiting.finish(&ctx, !kept).await?;
            Ok(json!({ "capture": id, "kept": kept, "errors": waiting.tally.errors.len() }))
        }
        // Somebody else works on it now, or its sender has cancelled it.
        Err(problem @ Problem::Conflict(_)) => Err(problem),
        Err(problem) => {
            waiting.tally.tell(None, &problem);
            waiting.finish(&ctx, true).await?;
            Err(problem)
        }
    }
}
