//! PostgreSQL and the databases that speak its protocol.

use std::time::Duration;

use bytes::BytesMut;
use deadpool_postgres::{
    Hook, Manager, ManagerConfig, Object, Pool, QueueMode, RecyclingMethod, Timeouts,
};
use futures_util::{future::try_join_all, try_join};
use tokio_postgres::{
    NoTls,
    error::SqlState,
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};

use super::{Cell, Dialect, Outcome, Row, Sql, SqlValue};
use crate::{Disk, Problem, Result, problem::Doubled};

/// Statements of one call that travel to the server together.
const PIPELINE_MAX: usize = 64;
/// One state of the database throughout.
const BEGIN_READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

pub(super) fn open(url: &str, connection_max: usize) -> Result<Pool> {
    let config: tokio_postgres::Config = url.parse().map_err(Problem::internal)?;
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    Pool::builder(Manager::from_config(config, NoTls, manager))
        .max_size(connection_max)
        // A connection remembers the statements it was given; those used last know most of them.
        .queue_mode(QueueMode::Lifo)
        .post_create(Hook::async_fn(|client, _| {
            Box::pin(async move {
                // Compiling a plan takes seconds where a table has many parts, and what is asked here takes
                // milliseconds. Not every database of the family can compile, or knows the name.
                if let Err(error) = client.batch_execute("SET jit = off").await {
                    tracing::debug!(%error, "the database knows no setting `jit`");
                }
                Ok(())
            })
        }))
        .build()
        .map_err(Problem::internal)
}

/// One connection inside a transaction. Dropped without commit, it rolls back before anybody
/// else can use the connection.
pub(super) struct Session {
    client: Option<Object>,
    /// What begins the transaction, until it has left together with the first statement.
    begin: Option<&'static str>,
}

impl Session {
    pub(super) async fn begin(pool: &Pool, read_only: bool) -> Result<Self> {
        let client = pool.get().await.map_err(|error| {
            tracing::error!(%error, "no database connection");
            Problem::Unavailable(String::from("数据库暂不可用，请稍后重试"))
        })?;
        let begin = if read_only { BEGIN_READING } else { "BEGIN" };
        Ok(Self { client: Some(client), begin: Some(begin) })
    }

    /// Another session that sees the state that this one sees, if a connection is free and the server can
    /// tell one what another sees. Which is found out beside: what fails here would end this one.
    pub(super) async fn beside(&mut self) -> Result<Option<Self>> {
        let Some(pool) = self.client.as_ref().and_then(Object::pool) else { return Ok(None) };
        let at_once = Timeouts { wait: Some(Duration::ZERO), ..pool.timeouts() };
        let Ok(client) = pool.timeout_get(&at_once).await else { return Ok(None) };
        let mut other = Self { client: Some(client), begin: Some(BEGIN_READING) };
        if other.export().await.is_err() {
            return Ok(None);
        }
        other.script("ROLLBACK").await?;
        other.begin = Some(BEGIN_READING);
        let told = self.export().await?;
        other.script(&format!("SET TRANSACTION SNAPSHOT '{told}'")).await?;
        Ok(Some(other))
    }

    /// The name of what this session sees, for others, as long as it lasts.
    async fn export(&mut self) -> Result<String> {
        let seen = self.run(&[Sql::new("SELECT pg_export_snapshot()")], false).await?;
        let name = seen.first().and_then(|outcome| outcome.rows.first());
        name.ok_or_else(ended)?.text(0).map(String::from)
    }

    /// Runs statements in order and returns what each found or touched. `COMMIT` travels with the
    /// last of them where `commit` says so.
    ///
    /// Polled together, the requests leave in order without waiting for each answer. All are
    /// prepared before: one that waited for that would be overtaken by the next.
    pub(super) async fn run(&mut self, statements: &[Sql], commit: bool) -> Result<Vec<Outcome>> {
        let client = self.client.as_ref().ok_or_else(ended)?;
        let mut outcomes = Vec::with_capacity(statements.len());
        let mut chunks = statements.chunks(PIPELINE_MAX).peekable();
        loop {
            let chunk = chunks.next().unwrap_or_default();
            let last = chunks.peek().is_none();
            let mut prepared = Vec::with_capacity(chunk.len());
            for sql in chunk {
                let text = Dialect::Postgres.statement(&sql.text);
                prepared.push((client.prepare_cached(&text).await?, parameters(sql)));
            }
            let begin = self.begin.take();
            let begin = async { plain(client, begin).await };
            let requests = prepared.iter().map(|(statement, parameters)| async move {
                if statement.columns().is_empty() {
                    let changed = client.execute(statement, parameters).await?;
                    return Ok(Outcome { rows: Vec::new(), changed });
                }
                let rows = rows(client.query(statement, parameters).await?);
                Ok(Outcome { changed: rows.len() as u64, rows })
            });
            let end = async { plain(client, (last && commit).then_some("COMMIT")).await };
            let ((), found, ()) = try_join!(begin, try_join_all(requests), end)?;
            outcomes.extend(found);
            if last {
                break;
            }
        }
        if commit {
            self.client = None;
        }
        Ok(outcomes)
    }

    /// What a query finds; whoever asks for several need not wait for each. The transaction must have begun.
    pub(super) async fn answer(&self, sql: &Sql) -> Result<Vec<Row>> {
        let client = self.client.as_ref().ok_or_else(ended)?;
        let statement = client.prepare_cached(&Dialect::Postgres.statement(&sql.text)).await?;
        Ok(rows(client.query(&statement, &parameters(sql)).await?))
    }

    pub(super) async fn script(&mut self, text: &str) -> Result<()> {
        let client = self.client.as_ref().ok_or_else(ended)?;
        plain(client, self.begin.take()).await?;
        plain(client, Some(text)).await
    }
}

fn ended() -> Problem {
    Problem::internal("the transaction has ended")
}

/// A statement without values, if there is one.
async fn plain(client: &Object, text: Option<&str>) -> Result<()> {
    match text {
        Some(text) => Ok(client.batch_execute(text).await?),
        None => Ok(()),
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        if self.begin.is_some() {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if client.batch_execute("ROLLBACK").await.is_err() {
                    drop(Object::take(client));
                }
            });
        } else {
            drop(Object::take(client));
        }
    }
}

fn parameters(sql: &Sql) -> Vec<&(dyn ToSql + Sync)> {
    sql.values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl ToSql for SqlValue {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) if *kind == Type::INT4 => i32::try_from(*value)?.to_sql(kind, out),
            Self::Int(value) => value.to_sql(kind, out),
            Self::Text(value) => value.to_sql(kind, out),
            Self::Blob(value) => value.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(
        kind: &Type,
        raw: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *kind {
            Type::INT8 => Self::Int(i64::from_sql(kind, raw)?),
            Type::INT4 => Self::Int(i64::from(i32::from_sql(kind, raw)?)),
            Type::BOOL => Self::Int(i64::from(bool::from_sql(kind, raw)?)),
            Type::BYTEA => Self::Blob(raw),
            _ => Self::Text(<&str>::from_sql(kind, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(kind: &Type) -> bool {
        matches!(
            *kind,
            Type::INT8
                | Type::INT4
                | Type::BOOL
                | Type::BYTEA
                | Type::TEXT
                | Type::VARCHAR
                | Type::NAME
        )
    }
}

fn rows(rows: Vec<tokio_postgres::Row>) -> Vec<Row> {
    rows.into_iter().map(Row::from).collect()
}

impl From<tokio_postgres::Error> for Problem {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.code() {
            Some(code) if *code == SqlState::UNIQUE_VIOLATION => {
                // “Key (a, b)=(…) already exists.”
                let said = error.as_db_error().and_then(tokio_postgres::error::DbError::detail);
                let columns = said.and_then(|said| said.split_once('(')?.1.split_once(")=("));
                let columns = columns.map_or("", |(columns, _)| columns);
                Self::Duplicate(Doubled::by(columns.split(", ").map(String::from).collect()))
            }
            Some(code) if *code == SqlState::FOREIGN_KEY_VIOLATION => {
                Self::Conflict(String::from("仍被其他记录引用，或所引用的记录不允许此操作"))
            }
            Some(code)
                if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED]
                    .contains(code) =>
            {
                Self::Unavailable(String::from("与他人的写入冲突，请重试"))
            }
            Some(code) if *code == SqlState::DISK_FULL => Disk::Full.refuses_because(&error),
            None if error.is_closed() => {
                Self::Unavailable(String::from("数据库连接中断，请稍后重试"))
            }
            _ => Self::internal(error),
        }
    }
}
