//! Background jobs: a queue in the database, leases with fencing, progress and per-row results.
//!
//! A job survives the process that runs it: whoever finds its lease expired takes it over with a
//! higher epoch and goes on after the last row that was committed. The old runner's next write
//! finds the epoch changed and stops.

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    App, Ctx, Dialect, Problem, Result, Row, Sql, Tx, attachment, audit,
    field::time_text,
    json::Object,
    problem::FieldError,
    vault::{self, DataKey},
};

mod erase;
mod repair;

pub use erase::erase_record;
pub(crate) use repair::repair;

/// A lease lasts this long without a sign of progress.
const LEASE_MS: i64 = 60_000;
/// Jobs that one user may have waiting or running.
const OPEN_MAX: i64 = 20;

/// One kind of background work.
#[derive(Clone, Copy)]
pub struct JobKind {
    /// `trace.import` …
    pub name: &'static str,
    /// What people read.
    pub title: &'static str,
    /// The permission its work needs; the submitter must still have it when it runs.
    pub permission: fn(&Value) -> String,
    /// Does the work. May be called again after a crash, then with [`JobRun::first_row`] > 0.
    pub run: fn(JobRun) -> BoxFuture<'static, Result<Value>>,
    /// Takes in one row, where the work is a file of rows; its failed rows can then be repaired
    /// in place by the very same work.
    pub row: Option<RowWork>,
}

/// What becomes of one row, in a transaction that is taken back where the answer is a problem.
pub type RowWork = for<'a> fn(&'a Ctx, &'a mut Tx, SheetRow<'a>) -> BoxFuture<'a, Result<Outcome>>;

/// One row of a file.
#[derive(Debug, Clone, Copy)]
pub struct SheetRow<'a> {
    /// What the job was asked for.
    pub params: &'a Value,
    /// Texts of the cells by the label of their column.
    pub cells: &'a Object,
}

/// Wakes workers and watchers when any job changes.
pub(crate) struct JobSignal(watch::Sender<u64>);

impl Default for JobSignal {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl JobSignal {
    fn touch(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

/// A job to be queued.
#[derive(Debug, Clone, Copy)]
pub struct NewJob<'a> {
    /// Name of its [`JobKind`].
    pub kind: &'a str,
    /// What people read.
    pub title: &'a str,
    /// What is asked for.
    pub params: &'a Value,
    /// Rows it would take out of the platform, where it is known.
    pub rows: Option<i64>,
}

/// Queues a job in the caller's transaction and returns its id. Call [`wake`] after committing.
///
/// One that takes out more rows than one person may waits for somebody else's word (S-33).
pub async fn enqueue(ctx: &Ctx, tx: &mut Tx, new: NewJob<'_>) -> Result<String> {
    let open = Sql::new(
        "SELECT COUNT(*) FROM job WHERE created_by = $1 AND state IN ('queued', 'running')",
    );
    let open = tx.fetch_one(open.arg(ctx.actor())).await?.map_or(Ok(0), |row| row.int(0))?;
    if open >= OPEN_MAX {
        return Err(Problem::TooMany(format!(
            "您已有 {open} 个任务在等待或运行，请等其完成后再提交"
        )));
    }
    let id = ctx.new_id::<()>().to_string();
    let sql = Sql::new(
        "INSERT INTO job (id, kind, title, params, state, created_at, created_by, rows_asked, approval) \
         VALUES ($1, $2, $3, $4, 'queued', $5, $6, $7, $8)",
    );
    // Files and filters hold 个人信息: what a job knows is sealed under a key of its own.
    let key = vault::fresh_data_key(ctx, tx, &id)?;
    let params = key.seal(ctx, ("job.params", &id), &new.params.to_string())?;
    let sql = sql.arg(id.as_str()).arg(new.kind).arg(new.title).arg(params);
    let many = new.rows.is_some_and(|rows| rows > ctx.app().export_approval_rows());
    let sql = sql.arg(ctx.now_ms()).arg(ctx.actor()).arg(new.rows);
    tx.execute(sql.arg(many.then_some("needed"))).await?;
    Ok(id)
}

/// Source files of imports, and the rows of finished jobs, are kept this long for repair.
pub const SOURCE_KEPT_MS: i64 = 30 * 24 * 3_600_000;

/// Destroys the keys of jobs whose rows nobody repairs any more: they hold 个人信息.
async fn sweep(app: &App) -> Result<()> {
    let ctx = app.on_own_behalf("retention");
    let mut tx = ctx.begin().await?;
    let sql = Sql::new(
        "SELECT j.id FROM job j JOIN data_key k ON k.owner = j.id \
         WHERE j.finished_at <= $1 AND k.wrapped IS NOT NULL LIMIT 100",
    );
    let over = tx.fetch(sql.arg(ctx.now_ms() - SOURCE_KEPT_MS)).await?;
    let ids = over.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    if ids.is_empty() {
        return Ok(());
    }
    vault::destroy(&ctx, &mut tx, &ids);
    let body = json!({ "jobs": ids, "reason": "到期" });
    let entry = audit::Entry { action: "erased", entity: "job", record: "", body };
    audit::write(&ctx, &mut tx, entry);
    tx.commit().await
}

/// Tells the workers that something was queued.
pub fn wake(app: &App) {
    app.signal().touch();
}

/// What became of one row of a job.
#[derive(Debug)]
pub struct RowResult {
    /// 1 for the first row of data.
    pub row: i64,
    /// Where people find it in what they sent, where that is a row they can see.
    pub place: Option<String>,
    /// What happened.
    pub outcome: Outcome,
    /// The row as it came, for repair in place.
    pub source: Value,
}

/// How a row ended.
#[derive(Debug)]
pub enum Outcome {
    /// Done; the record made.
    Done(String),
    /// Already there, with other data; the change request filed.
    Changed(String),
    /// Already there; the record found.
    Duplicate(String),
    /// Refused, and why.
    Failed(Vec<FieldError>),
}

impl Outcome {
    /// The outcome that a problem means for a row. Internal problems stay problems.
    pub fn refused(problem: Problem) -> Result<Self> {
        match problem {
            Problem::Internal(_) | Problem::Unavailable(_) => Err(problem),
            Problem::Invalid(errors) => Ok(Self::Failed(errors)),
            other => Ok(Self::Failed(vec![FieldError {
                field: String::new(),
                detail: other.to_string(),
            }])),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Done(_) | Self::Changed(_) => "ok",
            Self::Duplicate(_) => "duplicate",
            Self::Failed(_) => "failed",
        }
    }
}

/// Does a row's work; where it is refused, nothing of it stays but the refusal.
async fn attempt(
    ctx: &Ctx,
    mut tx: Tx,
    (work, row): (RowWork, SheetRow<'_>),
) -> Result<(Tx, Outcome)> {
    match work(ctx, &mut tx, row).await {
        Ok(outcome) => Ok((tx, outcome)),
        Err(problem) => {
            let refused = Outcome::refused(problem)?;
            drop(tx);
            Ok((ctx.begin().await?, refused))
        }
    }
}

/// A row's result as it is kept: what people wrote is sealed under the job's key.
struct Kept {
    record: Option<String>,
    errors: String,
    source: String,
}

impl Kept {
    fn of(ctx: &Ctx, (key, id): (&DataKey, &str), row: &RowResult) -> Result<Self> {
        let (record, errors) = match &row.outcome {
            Outcome::Done(id) | Outcome::Duplicate(id) => (Some(id.clone()), Value::Null),
            Outcome::Changed(id) => {
                let told = "已登记，内容有所不同，已提交变更申请";
                (Some(id.clone()), json!([{ "field": "", "detail": told }]))
            }
            Outcome::Failed(errors) => {
                let error =
                    |error: &FieldError| json!({ "field": error.field, "detail": error.detail });
                (None, errors.iter().map(error).collect())
            }
        };
        let seal = |column, value: &Value| key.seal(ctx, (column, id), &value.to_string());
        let errors = seal("job_row.errors", &errors)?;
        Ok(Self { record, errors, source: seal("job_row.source", &row.source)? })
    }
}

/// A running job.
pub struct JobRun {
    /// In the name of whom it runs, with the rights that person has now.
    pub ctx: Ctx,
    /// The job.
    pub id: String,
    /// What was asked for.
    pub params: Value,
    /// Rows already done by an earlier run.
    pub first_row: i64,
    row: Option<RowWork>,
    epoch: i64,
    key: DataKey,
}

impl JobRun {
    /// Takes in a row as its kind does, in a transaction of its own with its result.
    pub async fn take_in(&self, (number, place): (i64, String), cells: Object) -> Result<()> {
        let work = self.row.ok_or_else(|| Problem::internal("a job that knows no rows"))?;
        let row = SheetRow { params: &self.params, cells: &cells };
        let tx = self.ctx.begin().await?;
        let (mut tx, outcome) = attempt(&self.ctx, tx, (work, row)).await?;
        let source = Value::Object(cells);
        let result = RowResult { row: number, place: Some(place), outcome, source };
        self.note(&mut tx, &[result]).await?;
        tx.commit().await?;
        self.noted();
        Ok(())
    }

    /// Says how much there is to do, and that it is still being done.
    pub async fn expect(&self, total: i64) -> Result<()> {
        let mut tx = self.ctx.begin().await?;
        let sql = Sql::new(
            "UPDATE job SET total = $1, lease_until = $2 \
             WHERE id = $3 AND epoch = $4 AND state = 'running'",
        );
        let lease = self.ctx.app().now().as_millisecond() + LEASE_MS;
        let sql = sql.arg(total).arg(lease).arg(self.id.as_str()).arg(self.epoch);
        self.fenced(&mut tx, sql).await?;
        tx.commit().await?;
        self.ctx.app().signal().touch();
        Ok(())
    }

    /// Notes rows in the transaction that did their work, so that each is done exactly once.
    pub async fn note(&self, tx: &mut Tx, rows: &[RowResult]) -> Result<()> {
        let Some(last) = rows.iter().map(|row| row.row).max() else { return Ok(()) };
        let failed = rows.iter().filter(|row| matches!(row.outcome, Outcome::Failed(_))).count();
        let failed = i64::try_from(failed).unwrap_or(i64::MAX);
        let all = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let sql = Sql::new(
            "UPDATE job SET done = $1, succeeded = succeeded + $2, failed = failed + $3, \
             lease_until = $4 WHERE id = $5 AND epoch = $6 AND state = 'running'",
        );
        let lease = self.ctx.app().now().as_millisecond() + LEASE_MS;
        let sql = sql.arg(last).arg(all - failed).arg(failed).arg(lease);
        self.fenced(tx, sql.arg(self.id.as_str()).arg(self.epoch)).await?;
        let mut statements = Vec::with_capacity(rows.len());
        for row in rows {
            statements.push(self.row_statement(row)?);
        }
        tx.execute_all(statements).await.map(drop)
    }

    /// Tells watchers that rows noted earlier are now committed.
    pub fn noted(&self) {
        self.ctx.app().signal().touch();
    }

    fn row_statement(&self, row: &RowResult) -> Result<Sql> {
        let kept = Kept::of(&self.ctx, (&self.key, &self.id), row)?;
        let sql = Sql::new(
            "INSERT INTO job_row (job_id, row_no, outcome, record, errors, source, place) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        );
        let sql = sql.arg(self.id.as_str()).arg(row.row).arg(row.outcome.code()).arg(kept.record);
        Ok(sql.arg(kept.errors).arg(kept.source).arg(row.place.as_deref()))
    }

    async fn fenced(&self, tx: &mut Tx, sql: Sql) -> Result<()> {
        match tx.execute(sql).await? {
            0 => Err(Problem::Conflict(String::from("任务已取消，或已由另一节点接管"))),
            _ => Ok(()),
        }
    }
}

/// Runs the next waiting job, if there is one; `false` when nothing waits.
pub async fn run_next(app: &App) -> Result<bool> {
    let Some(claimed) = claim(app).await? else {
        attachment::sweep(app).await?;
        sweep(app).await?;
        vault::remember_erasures(app).await?;
        return Ok(false);
    };
    app.signal().touch();
    let (id, epoch) = (claimed.id.clone(), claimed.epoch);
    let result = perform(app, claimed).await;
    settle(app, &id, epoch, result).await?;
    app.signal().touch();
    Ok(true)
}

/// Runs jobs until `stop` says so. Several workers, on several nodes, may do this at once.
pub async fn work(app: App, mut stop: watch::Receiver<bool>) {
    let mut signal = app.signal().subscribe();
    // Also look without being told: another node may have queued something, or died.
    let mut interval = tokio::time::interval(std::time::Duration::from_secs(5));
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        match run_next(&app).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(problem) => problem.log(),
        }
        tokio::select! {
            _ = stop.changed() => return,
            _ = signal.changed() => {}
            _ = interval.tick() => {}
        }
    }
}

struct Claimed {
    id: String,
    kind: String,
    params: Value,
    created_by: String,
    done: i64,
    epoch: i64,
    key: DataKey,
}

/// The key under which a job keeps what it knows.
pub(crate) async fn key_of(app: &App, tx: &mut Tx, id: &str) -> Result<DataKey> {
    let key = vault::data_keys(app, tx, &[id]).await?.remove(id);
    key.ok_or_else(|| Problem::internal(format!("job {id} has no key")))
}

pub(crate) fn open(key: &DataKey, (column, id): (&str, &str), sealed: &str) -> Result<Value> {
    let text = key.open((column, id), sealed)?;
    if text == vault::ERASED {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).map_err(Problem::internal)
}

async fn claim(app: &App) -> Result<Option<Claimed>> {
    let now = app.now().as_millisecond();
    let mut tx = app.db().begin().await?;
    let mut sql = Sql::new("UPDATE job SET state = 'running', epoch = epoch + 1, lease_until = ");
    sql.bind(now + LEASE_MS).push(", started_at = COALESCE(started_at, ").bind(now);
    sql.push(
        ") WHERE id = (SELECT id FROM job WHERE \
         (state = 'queued' AND (approval IS NULL OR approval = 'given')) \
         OR (state = 'running' AND lease_until < ",
    );
    sql.bind(now).push(") ORDER BY id LIMIT 1");
    if tx.dialect() == Dialect::Postgres {
        sql.push(" FOR UPDATE SKIP LOCKED");
    }
    sql.push(") RETURNING id, kind, params, created_by, done, epoch");
    let Some(row) = tx.fetch_one(sql).await? else { return Ok(None) };
    let id = String::from(row.text(0)?);
    let key = key_of(app, &mut tx, &id).await?;
    let claimed = Claimed {
        kind: String::from(row.text(1)?),
        params: open(&key, ("job.params", &id), row.text(2)?)?,
        created_by: String::from(row.text(3)?),
        done: row.int(4)?,
        epoch: row.int(5)?,
        id,
        key,
    };
    tx.commit().await?;
    Ok(Some(claimed))
}

async fn perform(app: &App, claimed: Claimed) -> Result<Value> {
    let kind = app.jobs().iter().find(|kind| kind.name == claimed.kind);
    let kind = kind.ok_or_else(|| Problem::internal(format!("no such job: {}", claimed.kind)))?;
    let ctx = app.on_behalf_of(&claimed.created_by, &(kind.permission)(&claimed.params)).await?;
    let Claimed { id, params, done: first_row, epoch, key, .. } = claimed;
    (kind.run)(JobRun { ctx, id, params, first_row, row: kind.row, epoch, key }).await
}

async fn settle(app: &App, id: &str, epoch: i64, result: Result<Value>) -> Result<()> {
    let (state, body) = match result {
        Ok(value) => ("done", value),
        Err(problem) => {
            problem.log();
            ("failed", problem.body())
        }
    };
    let file = body.get("file").and_then(Value::as_str).map(String::from);
    let mut tx = app.db().begin().await?;
    let sql = Sql::new(
        "UPDATE job SET state = $1, result = $2, file = $3, finished_at = $4 \
         WHERE id = $5 AND epoch = $6 AND state = 'running'",
    );
    let sql = sql.arg(state).arg(body.to_string()).arg(file).arg(app.now().as_millisecond());
    tx.execute(sql.arg(id).arg(epoch)).await?;
    tx.commit().await
}

const JOB: &str = "SELECT id, kind, title, state, done, total, succeeded, failed, result, file, \
                   created_at, finished_at, approval, decided_by, decision, rows_asked \
                   FROM job WHERE created_by = ";

fn read(row: &Row) -> Result<Value> {
    let time = |ms: Option<i64>| ms.map_or(Ok(Value::Null), time_text);
    let state = match (row.text(3)?, row.text_opt(12)?) {
        ("queued", Some("needed")) => "waiting",
        ("cancelled", Some("refused")) => "refused",
        (state, _) => state,
    };
    let result = row.text_opt(8)?.map(serde_json::from_str::<Value>).transpose();
    Ok(json!({
        "id": row.text(0)?, "kind": row.text(1)?, "title": row.text(2)?, "state": state,
        "done": row.int(4)?, "total": row.int_opt(5)?, "succeeded": row.int(6)?,
        "failed": row.int(7)?, "result": result.map_err(Problem::internal)?,
        "file": row.text_opt(9)?, "created_at": time(Some(row.int(10)?))?,
        "finished_at": time(row.int_opt(11)?)?,
        "decided_by": row.text_opt(13)?, "decision": row.text_opt(14)?,
        "rows_asked": row.int_opt(15)?,
    }))
}

/// The caller's jobs, newest first.
pub(crate) async fn list(ctx: &Ctx, tx: &mut Tx) -> Result<Value> {
    let mut sql = Sql::new(JOB);
    sql.bind(ctx.actor()).push(" ORDER BY id DESC LIMIT 100");
    let rows = tx.fetch(sql).await?;
    Ok(json!({ "items": rows.iter().map(read).collect::<Result<Vec<_>>>()? }))
}

/// One of the caller's jobs.
pub(crate) async fn one(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<Value> {
    let mut sql = Sql::new(JOB);
    sql.bind(ctx.actor()).push(" AND id = ").bind(id);
    read(&tx.fetch_one(sql).await?.ok_or(Problem::NotFound("任务"))?)
}

/// The rows of one of the caller's jobs.
pub(crate) async fn rows(ctx: &Ctx, tx: &mut Tx, id: &str, query: &str) -> Result<Value> {
    one(ctx, tx, id).await?;
    let mut sql = Sql::new(JOB_ROW);
    sql.bind(id);
    let (mut page, mut per_page) = (1, 50);
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "outcome" => {
                sql.push(" AND outcome = ").bind(&*text);
            }
            "page" => page = crate::listing::number(&name, &text, 2000)?,
            "per_page" => per_page = crate::listing::number(&name, &text, 200)?,
            _ => return Err(Problem::invalid(&*name, "没有这个查询条件")),
        }
    }
    sql.push(" ORDER BY row_no LIMIT ").bind(per_page).push(" OFFSET ").bind((page - 1) * per_page);
    let rows = tx.fetch(sql).await?;
    let key = key_of(ctx.app(), tx, id).await?;
    let item = |row: &Row| read_row(row, (&key, id));
    Ok(json!({ "items": rows.iter().map(item).collect::<Result<Vec<_>>>()? }))
}

const JOB_ROW: &str =
    "SELECT row_no, outcome, record, errors, source, place FROM job_row WHERE job_id = ";

fn read_row(row: &Row, (key, id): (&DataKey, &str)) -> Result<Value> {
    let errors = open(key, ("job_row.errors", id), row.text(3)?)?;
    Ok(json!({
        "row": row.int(0)?, "place": row.text_opt(5)?,
        "outcome": row.text(1)?, "record": row.text_opt(2)?,
        "field": errors[0]["field"], "detail": errors[0]["detail"], "errors": errors,
        "source": open(key, ("job_row.source", id), row.text(4)?)?,
    }))
}

/// Cancels one of the caller's jobs. Rows already done stay done.
pub(crate) async fn cancel(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<Value> {
    one(ctx, tx, id).await?;
    let sql = Sql::new(
        "UPDATE job SET state = 'cancelled', finished_at = $1 \
         WHERE id = $2 AND state IN ('queued', 'running')",
    );
    if tx.execute(sql.arg(ctx.now_ms()).arg(id)).await? == 0 {
        return Err(Problem::Conflict(String::from("任务已结束，不能取消")));
    }
    let entry = audit::Entry { action: "cancelled", entity: "job", record: id, body: json!({}) };
    audit::write(ctx, tx, entry);
    one(ctx, tx, id).await
}
