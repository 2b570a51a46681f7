//! PostgreSQL and the databases that speak its protocol.

use bytes::BytesMut;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use futures_util::future::try_join_all;
use tokio_postgres::{
    NoTls,
    error::SqlState,
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};

use super::{Row, Sql, SqlValue};
use crate::{Problem, Result};

/// Statements of one call that travel to the server together.
const PIPELINE_MAX: usize = 64;

pub(super) fn open(url: &str, connection_max: usize) -> Result<Pool> {
    let config: tokio_postgres::Config = url.parse().map_err(Problem::internal)?;
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    Pool::builder(Manager::from_config(config, NoTls, manager))
        .max_size(connection_max)
        .build()
        .map_err(Problem::internal)
}

/// One connection inside a transaction. Dropped without commit, it rolls back before anybody
/// else can use the connection.
pub(super) struct Session {
    client: Option<Object>,
}

impl Session {
    pub(super) async fn begin(pool: &Pool, read_only: bool) -> Result<Self> {
        let client = pool.get().await.map_err(|error| {
            tracing::error!(%error, "no database connection");
            Problem::Unavailable(String::from("数据库暂不可用，请稍后重试"))
        })?;
        let begin =
            if read_only { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" } else { "BEGIN" };
        client.batch_execute(begin).await?;
        Ok(Self { client: Some(client) })
    }

    fn client(&self) -> Result<&Object> {
        self.client.as_ref().ok_or_else(|| Problem::internal("the transaction has ended"))
    }

    pub(super) async fn fetch(&self, sql: &Sql) -> Result<Vec<Row>> {
        let client = self.client()?;
        let statement = client.prepare_cached(&sql.text).await?;
        let rows = client.query(&statement, &parameters(sql)).await?;
        rows.iter().map(read).collect()
    }

    pub(super) async fn execute_all(&self, statements: &[Sql]) -> Result<Vec<u64>> {
        let client = self.client()?;
        let mut changed = Vec::with_capacity(statements.len());
        for chunk in statements.chunks(PIPELINE_MAX) {
            let mut prepared = Vec::with_capacity(chunk.len());
            for sql in chunk {
                prepared.push((client.prepare_cached(&sql.text).await?, parameters(sql)));
            }
            // Polled together, the requests leave in order without waiting for each answer. All
            // are prepared by now: one that waited for that would be overtaken by the next.
            let requests = prepared
                .iter()
                .map(|(statement, parameters)| client.execute(statement, parameters));
            changed.extend(try_join_all(requests).await?);
        }
        Ok(changed)
    }

    pub(super) async fn script(&self, text: &str) -> Result<()> {
        Ok(self.client()?.batch_execute(text).await?)
    }

    pub(super) async fn commit(&mut self) -> Result<()> {
        let client = self.client()?;
        client.batch_execute("COMMIT").await?;
        self.client = None;
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
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

impl<'a> FromSql<'a> for SqlValue {
    fn from_sql(
        kind: &Type,
        raw: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *kind {
            Type::INT8 => Self::Int(i64::from_sql(kind, raw)?),
            Type::INT4 => Self::Int(i64::from(i32::from_sql(kind, raw)?)),
            Type::BOOL => Self::Int(i64::from(bool::from_sql(kind, raw)?)),
            Type::BYTEA => Self::Blob(Vec::from_sql(kind, raw)?),
            _ => Self::Text(String::from_sql(kind, raw)?),
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

fn read(row: &tokio_postgres::Row) -> Result<Row> {
    let values = (0..row.len()).map(|index| row.try_get(index).map_err(Problem::from));
    values.collect::<Result<_>>().map(Row)
}

impl From<tokio_postgres::Error> for Problem {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.code() {
            Some(code) if *code == SqlState::UNIQUE_VIOLATION => {
                Self::Duplicate(String::from("记录已存在"))
            }
            Some(code)
                if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED]
                    .contains(code) =>
            {
                Self::Unavailable(String::from("与他人的写入冲突，请重试"))
            }
            Some(code) if *code == SqlState::DISK_FULL => {
                Self::Unavailable(String::from("磁盘已满，暂不能写入；请联系运维人员"))
            }
            None if error.is_closed() => {
                Self::Unavailable(String::from("数据库连接中断，请稍后重试"))
            }
            _ => Self::internal(error),
        }
    }
}
