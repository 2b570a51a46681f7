//! One database, two engines: SQLite on one machine, PostgreSQL and its family beyond it.
//!
//! SQL text is written once, with `$1` placeholders and the portable types BIGINT, TEXT, `@code`
//! and `@blob`. The few places where the engines differ are methods of [`Dialect`]; everything
//! else about them stays inside this folder.

mod checkpoint;
mod learn;
mod migrate;
mod postgres;
mod sql;
mod sqlite;

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use futures_util::{StreamExt as _, stream};
pub use migrate::Migration;
pub(crate) use sql::Cell;
pub use sql::{Row, Sql, SqlValue, VALUES_MAX, insert_rows, lie_near};

use crate::{Problem, Result};

/// What the engines spell differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Embedded, one machine.
    Sqlite,
    /// PostgreSQL and the databases that speak its protocol.
    Postgres,
}

impl Dialect {
    /// The function that finds one text in another (both take text, then part).
    pub fn position_of(self) -> &'static str {
        match self {
            Self::Sqlite => "instr",
            Self::Postgres => "strpos",
        }
    }

    /// What stands around a query whose few answers a column is one of, so that it is asked first and the
    /// column's index leads to them.
    pub fn one_of(self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite => ("IN (", ")"),
            Self::Postgres => ("= ANY (ARRAY (", "))"),
        }
    }

    /// Locks the rows a `SELECT` found until the transaction ends. SQLite has one writer anyway.
    pub fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }

    /// The smaller of two values.
    pub fn least(self) -> &'static str {
        match self {
            Self::Sqlite => "MIN",
            Self::Postgres => "LEAST",
        }
    }
}

#[derive(Clone)]
enum Engine {
    Sqlite(sqlite::Engine),
    Postgres(deadpool_postgres::Pool),
}

/// A handle to the database.
#[derive(Clone)]
pub struct Db {
    engine: Engine,
    fuse: Option<Fuse>,
}

/// Makes statements fail on purpose, for tests of what a failure leaves behind.
#[derive(Clone)]
pub struct Fuse(Arc<AtomicU32>);

impl Fuse {
    const NEVER: u32 = u32::MAX;

    /// The `nth` statement from now (counting from 0) fails, and every one after it.
    pub fn arm(&self, nth: u32) {
        self.0.store(nth.min(Self::NEVER - 1), Ordering::SeqCst);
    }

    /// Nothing fails any more.
    pub fn disarm(&self) {
        self.0.store(Self::NEVER, Ordering::SeqCst);
    }

    fn burn(&self, statements: u32) -> Result<()> {
        let burn = |left: u32| match left {
            Self::NEVER => Some(left),
            _ => left.checked_sub(statements),
        };
        if self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, burn).is_ok() {
            Ok(())
        } else {
            self.0.store(0, Ordering::SeqCst);
            Err(Problem::internal("injected fault"))
        }
    }
}

/// Reader threads of the embedded engine.
const SQLITE_READERS: usize = 4;
/// Connections to PostgreSQL.
const POSTGRES_CONNECTIONS: usize = 24;

impl Db {
    /// Opens `sqlite:<path>` or `postgres://…`. Must run inside a tokio runtime.
    pub fn open(url: &str) -> Result<Self> {
        let engine = match url.strip_prefix("sqlite:") {
            Some(path) => Engine::Sqlite(sqlite::Engine::open(Path::new(path), SQLITE_READERS)?),
            None => Engine::Postgres(postgres::open(url, POSTGRES_CONNECTIONS)?),
        };
        Ok(Self { engine, fuse: None })
    }

    /// The same database with a fuse in front of every statement. Tests only.
    #[must_use]
    pub fn fused(self) -> (Self, Fuse) {
        let fuse = Fuse(Arc::new(AtomicU32::new(Fuse::NEVER)));
        (Self { fuse: Some(fuse.clone()), ..self }, fuse)
    }

    /// Which engine this is.
    pub fn dialect(&self) -> Dialect {
        match self.engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The database file of the embedded engine.
    pub fn file(&self) -> Option<&Path> {
        match &self.engine {
            Engine::Sqlite(engine) => Some(engine.path()),
            Engine::Postgres(_) => None,
        }
    }

    /// Closes it, for good: the embedded engine then leaves nothing but its one file. What is
    /// under way comes to its end first.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(engine) => engine.close().await,
            Engine::Postgres(pool) => pool.close(),
        }
    }

    /// Starts a transaction that only reads. It sees one state of the database throughout, and on
    /// SQLite waits for no writer.
    pub async fn snapshot(&self) -> Result<Tx> {
        self.start(true).await
    }

    /// Starts a transaction. Dropping it without [`Tx::commit`] rolls it back.
    pub async fn begin(&self) -> Result<Tx> {
        self.start(false).await
    }

    async fn start(&self, read_only: bool) -> Result<Tx> {
        let conn = match &self.engine {
            Engine::Sqlite(engine) => Conn::Sqlite(engine.session(read_only)),
            Engine::Postgres(pool) => {
                Conn::Postgres(Box::new(postgres::Session::begin(pool, read_only).await?))
            }
        };
        Ok(Tx::new(conn, self.dialect(), self.fuse.clone()))
    }
}

/// Queries of [`Tx::fetch_ahead`] that are under way at a time: one that is answered, one that the engine
/// works at, and one that waits there, so that it never does.
const AHEAD: usize = 3;

enum Conn {
    Sqlite(sqlite::Session),
    Postgres(Box<postgres::Session>),
}

impl Conn {
    async fn run(&mut self, statements: Vec<Sql>) -> Result<Vec<Outcome>> {
        match self {
            Self::Sqlite(session) => session.run(statements).await,
            Self::Postgres(session) => session.run(&statements, false).await,
        }
    }

    /// What a query finds, in a transaction that has begun. Several may be under way.
    async fn answer(&self, sql: Sql) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite(session) => session.answer(sql).await,
            Self::Postgres(session) => session.answer(&sql).await,
        }
    }
}

/// The answer to one statement.
struct Outcome {
    rows: Vec<Row>,
    changed: u64,
}

/// An open transaction: the only way to read or write.
pub struct Tx {
    conn: Conn,
    /// Statements that wait for the next trip.
    kept: Vec<Sql>,
    /// Audit entries that get their place in the chain when the transaction commits.
    pub(crate) audit: Vec<crate::audit::Waiting>,
    /// Rows of the outbox, written together when the transaction commits.
    pub(crate) announced: Vec<Vec<SqlValue>>,
    dialect: Dialect,
    fuse: Option<Fuse>,
    /// How many rows a search found, for whoever asks again in the same state of the database.
    pub(crate) searched: std::collections::BTreeMap<String, i64>,
}

impl Tx {
    fn new(conn: Conn, dialect: Dialect, fuse: Option<Fuse>) -> Self {
        let (kept, audit, announced) = (Vec::new(), Vec::new(), Vec::new());
        let searched = std::collections::BTreeMap::new();
        Self { conn, kept, audit, announced, dialect, fuse, searched }
    }

    /// Which engine this is.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Runs a query to its end.
    pub async fn fetch(&mut self, sql: Sql) -> Result<Vec<Row>> {
        Ok(self.fetch_all(vec![sql]).await?.pop().unwrap_or_default())
    }

    /// Runs queries in order, in one trip to the engine.
    pub async fn fetch_all(&mut self, queries: Vec<Sql>) -> Result<Vec<Vec<Row>>> {
        Ok(self.run(queries).await?.into_iter().map(|outcome| outcome.rows).collect())
    }

    /// Runs queries in order. While `each` takes the rows of one, the engine works at the next ones; `each`
    /// says when it has enough.
    pub async fn fetch_ahead(
        &mut self,
        queries: Vec<Sql>,
        mut each: impl FnMut(Vec<Row>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        if queries.is_empty() {
            return Ok(());
        }
        let kept = std::mem::take(&mut self.kept);
        self.burn_fuse(u32::try_from(kept.len() + queries.len()).unwrap_or(u32::MAX))?;
        self.conn.run(kept).await?;
        let conn = &self.conn;
        let answers = stream::iter(queries).map(|sql| conn.answer(sql)).buffered(AHEAD);
        let mut answers = std::pin::pin!(answers);
        while let Some(rows) = answers.next().await {
            if each(rows?)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// A second transaction, which reads what this one reads in the same state of the database, so that
    /// two long answers are made at a time. `None` where the engine cannot, or where no connection
    /// is free. For a snapshot ([`Db::snapshot`]): a transaction that writes sees what nobody else does.
    pub async fn beside(&mut self) -> Result<Option<Self>> {
        let Conn::Postgres(session) = &mut self.conn else { return Ok(None) };
        let Some(other) = session.beside().await? else { return Ok(None) };
        Ok(Some(Self::new(Conn::Postgres(Box::new(other)), self.dialect, self.fuse.clone())))
    }

    /// Runs a query that finds one row or none.
    pub async fn fetch_one(&mut self, sql: Sql) -> Result<Option<Row>> {
        Ok(self.fetch(sql).await?.into_iter().next())
    }

    /// Holds a row until the end: whoever else wants it waits, and then sees what was done. An
    /// engine with one writer holds everything anyway.
    pub async fn lock(&mut self, table: &str, id: impl Into<SqlValue>) -> Result<()> {
        let mut sql = Sql::new("SELECT id FROM ");
        sql.push(table).push(" WHERE id = ").bind(id).push(self.dialect().for_update());
        self.fetch_one(sql).await.map(drop)
    }

    /// Runs a statement and says how many rows it touched.
    pub async fn execute(&mut self, sql: Sql) -> Result<u64> {
        Ok(self.execute_all(vec![sql]).await?.first().copied().unwrap_or(0))
    }

    /// Runs statements in order, in one trip to the engine.
    pub async fn execute_all(&mut self, statements: Vec<Sql>) -> Result<Vec<u64>> {
        Ok(self.run(statements).await?.iter().map(|outcome| outcome.changed).collect())
    }

    /// Has what follows planned for its values: a plan made for any would fit none where some find
    /// one record and some half of all. SQLite looks at them anyway.
    pub fn plan_by_values(&mut self) {
        self.plan_with("SET LOCAL plan_cache_mode = force_custom_plan");
    }

    /// Has what follows planned to go through indexes, for statements that look for few records in tables
    /// that grow: PostgreSQL keeps a plan that it made when they were nearly empty, and then reads
    /// them whole. SQLite goes through indexes anyway.
    pub fn plan_by_indexes(&mut self) {
        self.plan_with("SET LOCAL enable_seqscan = off");
    }

    /// The same for statements whose way does not depend on their values at all: each is planned once per
    /// connection, where PostgreSQL would plan it again for every few values to find the same.
    pub fn plan_once(&mut self) {
        self.plan_with(
            "SELECT set_config('enable_seqscan', 'off', true), \
             set_config('plan_cache_mode', 'force_generic_plan', true)",
        );
    }

    fn plan_with(&mut self, settings: &'static str) {
        if self.dialect == Dialect::Postgres {
            self.later([Sql::new(settings)]);
        }
    }

    /// Keeps statements until the next trip to the engine, at the latest that of
    /// [`Tx::commit`]; their failure is then its failure.
    pub fn later(&mut self, statements: impl IntoIterator<Item = Sql>) {
        self.kept.extend(statements);
    }

    /// Lets an engine that can do so begin with what was kept, while the caller goes on thinking.
    /// Failures are those of the next trip.
    pub async fn start_kept(&mut self) -> Result<()> {
        if self.kept.is_empty() || self.dialect != Dialect::Sqlite {
            return Ok(());
        }
        let kept = std::mem::take(&mut self.kept);
        self.burn_fuse(u32::try_from(kept.len()).unwrap_or(u32::MAX))?;
        match &mut self.conn {
            Conn::Sqlite(session) => session.send(kept).await,
            Conn::Postgres(_) => Ok(()),
        }
    }

    /// Runs what was kept, then these.
    async fn run(&mut self, statements: Vec<Sql>) -> Result<Vec<Outcome>> {
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        let mut all = std::mem::take(&mut self.kept);
        let kept = all.len();
        all.extend(statements);
        self.burn_fuse(u32::try_from(all.len()).unwrap_or(u32::MAX))?;
        let mut outcomes = self.conn.run(all).await?;
        outcomes.drain(..kept);
        Ok(outcomes)
    }

    /// Hands out numbers of sequences, as many of each as asked for: ascending and never handed
    /// out before. They may leave holes.
    pub async fn allocate<const N: usize>(
        &mut self,
        wanted: [(&'static str, usize); N],
    ) -> Result<[std::vec::IntoIter<i64>; N]> {
        let mut queries = Vec::with_capacity(N);
        for (sequence, count) in wanted {
            let count = i64::try_from(count).map_err(Problem::internal)?;
            queries.push(match self.dialect {
                Dialect::Sqlite => Sql::new(
                    "INSERT INTO sequence (name, value) VALUES ($1, $2) \
                     ON CONFLICT (name) DO UPDATE SET value = sequence.value + excluded.value \
                     RETURNING value",
                )
                .arg(sequence)
                .arg(count),
                Dialect::Postgres => {
                    let mut sql = Sql::new("SELECT nextval('");
                    sql.push(sequence).push("_seq') FROM generate_series(1, ");
                    sql.bind(count).push(")");
                    sql
                }
            });
        }
        let mut answers = self.fetch_all(queries).await?.into_iter();
        let mut numbers = Vec::with_capacity(N);
        for (_, count) in wanted {
            let rows = answers.next().unwrap_or_default();
            let given = rows.iter().map(|row| row.int(0)).collect::<Result<Vec<_>>>()?;
            numbers.push(match (self.dialect, given.first()) {
                (Dialect::Sqlite, Some(last)) => {
                    let count = i64::try_from(count).map_err(Problem::internal)?;
                    (last + 1 - count..=*last).collect()
                }
                _ => given,
            });
        }
        let mut numbers = numbers.into_iter();
        Ok([(); N].map(|()| numbers.next().unwrap_or_default().into_iter()))
    }

    async fn script(&mut self, text: &str) -> Result<()> {
        self.burn_fuse(1)?;
        match &mut self.conn {
            Conn::Sqlite(session) => session.script(text).await,
            Conn::Postgres(session) => session.script(text).await,
        }
    }

    /// Makes everything done so far durable. Returns only after it is.
    ///
    /// A change whose audit entry cannot be written does not happen (GB/T 22239 8.1.4.3 d).
    pub async fn commit(mut self) -> Result<()> {
        crate::outbox::write(&mut self);
        let audited = crate::audit::chain(&mut self).await?;
        match self.finish().await {
            Err(Problem::Internal(cause)) if audited => {
                Problem::Internal(cause).log();
                let detail = "审计记录暂不能写入，操作没有生效；请稍后重试并联系运维人员";
                Err(Problem::Unavailable(String::from(detail)))
            }
            done => done,
        }
    }

    async fn finish(mut self) -> Result<()> {
        let kept = std::mem::take(&mut self.kept);
        self.burn_fuse(u32::try_from(kept.len()).unwrap_or(u32::MAX).saturating_add(1))?;
        match &mut self.conn {
            Conn::Sqlite(session) => session.commit(kept).await,
            Conn::Postgres(session) => session.run(&kept, true).await.map(drop),
        }
    }

    fn burn_fuse(&self, statements: u32) -> Result<()> {
        self.fuse.as_ref().map_or(Ok(()), |fuse| fuse.burn(statements))
    }
}
