//! SQLite: one writer thread with group commit, a few reader threads.
//!
//! Transactions arrive from many requests, but SQLite writes one at a time and every durable
//! commit waits for the disk. The writer therefore runs waiting transactions one after the other,
//! each inside a savepoint of its own, and pays for one disk sync for all of them. No caller hears
//! "done" before that sync.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        mpsc::{self, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, types::ValueRef};
use tokio::sync::{mpsc as queue, oneshot};

use super::{Dialect, Outcome, Row, Sql, SqlValue};
use crate::{Problem, Result};

/// Transactions that may wait for the writer before new ones have to wait to be queued.
const QUEUE_MAX: usize = 4096;
/// Transactions that share one sync at most.
const GROUP_MAX: usize = 128;
/// How long a group may collect before it syncs.
const GROUP_WINDOW: Duration = Duration::from_millis(8);
/// A transaction whose owner is silent this long is rolled back, so that one lost request cannot
/// stop the others.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// What the owner of a transaction asks of its thread.
pub(super) enum Command {
    /// Run statements in order; stop at the first failure.
    Run { statements: Vec<Sql>, reply: oneshot::Sender<Result<Vec<Outcome>>> },
    /// Run a script of several statements (migrations).
    Script { text: String, reply: oneshot::Sender<Result<()>> },
    /// Make everything durable and say so.
    Commit(oneshot::Sender<Result<()>>),
}

/// Where the commands of one transaction arrive. Dropping the sender rolls back.
type Commands = mpsc::Receiver<Command>;

/// The threads of one database file.
#[derive(Clone)]
pub(super) struct Engine {
    writer: queue::Sender<Commands>,
    readers: queue::Sender<Commands>,
    path: Arc<PathBuf>,
}

impl Engine {
    pub(super) fn open(path: &Path, reader_count: usize) -> Result<Self> {
        let writing = connect(path, false)?;
        let (writer, waiting) = queue::channel(QUEUE_MAX);
        spawn("sqlite-writer", move || write_groups(&writing, waiting))?;
        let (readers, waiting) = queue::channel(QUEUE_MAX);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..reader_count.max(1) {
            let connection = connect(path, true)?;
            let waiting = Arc::clone(&waiting);
            spawn("sqlite-reader", move || read_snapshots(&connection, &waiting))?;
        }
        Ok(Self { writer, readers, path: Arc::new(path.to_path_buf()) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) async fn begin(&self, read_only: bool) -> Result<mpsc::Sender<Command>> {
        let (commands, receiver) = mpsc::channel();
        let queue = if read_only { &self.readers } else { &self.writer };
        queue.send(receiver).await.map_err(|_| gone())?;
        Ok(commands)
    }
}

/// Sends statements at once; the answer comes to whoever awaits it.
pub(super) fn run_in(
    commands: &mpsc::Sender<Command>,
    statements: Vec<Sql>,
) -> Result<impl Future<Output = Result<Vec<Outcome>>> + use<>> {
    let (reply, answer) = oneshot::channel();
    commands.send(Command::Run { statements, reply }).map_err(|_| gone())?;
    Ok(async move { answer.await.map_err(|_| gone())? })
}

/// The thread ended, or rolled the transaction back after [`SILENCE_MAX`].
pub(super) fn gone() -> Problem {
    Problem::Unavailable(String::from("数据库事务已中止，请重试"))
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = std::thread::Builder::new().name(String::from(name));
    thread.spawn(body).map(drop).map_err(Problem::internal)
}

fn connect(path: &Path, read_only: bool) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(256);
    connection.busy_timeout(Duration::from_secs(10))?;
    let cache_kib = if read_only { 16_384 } else { 65_536 };
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
         PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 4000; \
         PRAGMA cache_size = -{cache_kib};"
    ))?;
    if read_only {
        connection.execute_batch("PRAGMA query_only = ON;")?;
    }
    Ok(connection)
}

fn write_groups(connection: &Connection, mut waiting: queue::Receiver<Commands>) {
    while let Some(first) = waiting.blocking_recv() {
        if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
            // The owner's next command finds nobody listening and says "unavailable".
            tracing::error!(%error, "a write transaction could not begin");
            continue;
        }
        let begun = Instant::now();
        let mut acknowledgements = Vec::new();
        let mut next = Some(first);
        while let Some(commands) = next.take() {
            acknowledgements.extend(write_one(connection, &commands));
            if acknowledgements.len() < GROUP_MAX && begun.elapsed() < GROUP_WINDOW {
                next = waiting.try_recv().ok();
            }
        }
        finish_group(connection, acknowledgements);
    }
}

/// One sync for the whole group, then the answers.
fn finish_group(connection: &Connection, acknowledgements: Vec<oneshot::Sender<Result<()>>>) {
    if acknowledgements.is_empty() {
        let _ = connection.execute_batch("ROLLBACK");
        return;
    }
    let committed = connection.execute_batch("COMMIT");
    if let Err(error) = &committed {
        tracing::error!(%error, "a group of transactions could not be committed");
        let _ = connection.execute_batch("ROLLBACK");
    }
    for acknowledgement in acknowledgements {
        let answer = match &committed {
            Ok(()) => Ok(()),
            Err(error) => {
                Err(Problem::Unavailable(format!("数据未能写入磁盘（{error}），请稍后重试")))
            }
        };
        // The owner may have stopped waiting; the data are safe all the same.
        let _ = acknowledgement.send(answer);
    }
}

/// Runs one transaction inside its savepoint. `Some` wants to hear about the group's sync.
fn write_one(connection: &Connection, commands: &Commands) -> Option<oneshot::Sender<Result<()>>> {
    if connection.execute_batch("SAVEPOINT one").is_err() {
        return None;
    }
    let acknowledgement = serve(connection, commands);
    let ending =
        if acknowledgement.is_some() { "RELEASE one" } else { "ROLLBACK TO one; RELEASE one" };
    if let Err(error) = connection.execute_batch(ending) {
        tracing::error!(%error, "a savepoint could not be ended");
        return None;
    }
    acknowledgement
}

fn read_snapshots(connection: &Connection, waiting: &Mutex<queue::Receiver<Commands>>) {
    loop {
        let Ok(next) = waiting.lock().map(|mut queue| queue.blocking_recv()) else { return };
        let Some(commands) = next else { return };
        if connection.execute_batch("BEGIN").is_err() {
            continue;
        }
        if let Some(acknowledgement) = serve(connection, &commands) {
            let _ = acknowledgement.send(Ok(()));
        }
        let _ = connection.execute_batch("ROLLBACK");
    }
}

/// Runs commands until the owner commits (`Some`), goes away, fails or falls silent (`None`).
fn serve(connection: &Connection, commands: &Commands) -> Option<oneshot::Sender<Result<()>>> {
    let mut sound = true;
    loop {
        match commands.recv_timeout(SILENCE_MAX) {
            Ok(Command::Run { statements, reply }) => {
                let result = run(connection, &statements);
                sound &= result.is_ok();
                let _ = reply.send(result);
            }
            Ok(Command::Script { text, reply }) => {
                let result = connection.execute_batch(&text).map_err(Problem::from);
                sound &= result.is_ok();
                let _ = reply.send(result);
            }
            // PostgreSQL refuses to go on after a failed statement; so do we.
            Ok(Command::Commit(reply)) if !sound => {
                let _ = reply.send(Err(Problem::internal("commit after a failed statement")));
                return None;
            }
            Ok(Command::Commit(reply)) => return Some(reply),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {
                tracing::error!("a transaction was silent too long and was rolled back");
                return None;
            }
        }
    }
}

fn run(connection: &Connection, statements: &[Sql]) -> Result<Vec<Outcome>> {
    statements.iter().map(|sql| run_one(connection, sql)).collect()
}

fn run_one(connection: &Connection, sql: &Sql) -> Result<Outcome> {
    let mut statement = connection.prepare_cached(&Dialect::Sqlite.statement(&sql.text))?;
    for (index, value) in sql.values.iter().enumerate() {
        match value {
            SqlValue::Null => statement.raw_bind_parameter(index + 1, rusqlite::types::Null)?,
            SqlValue::Int(value) => statement.raw_bind_parameter(index + 1, value)?,
            SqlValue::Text(value) => statement.raw_bind_parameter(index + 1, value)?,
            SqlValue::Blob(value) => statement.raw_bind_parameter(index + 1, value)?,
        }
    }
    if statement.column_count() == 0 {
        let changed = statement.raw_execute()?;
        return Ok(Outcome { rows: Vec::new(), changed: changed as u64 });
    }
    let width = statement.column_count();
    let mut found = statement.raw_query();
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let values = (0..width).map(|index| value(row.get_ref(index)?)).collect::<Result<_>>()?;
        rows.push(Row(values));
    }
    let changed = rows.len() as u64;
    Ok(Outcome { rows, changed })
}

fn value(raw: ValueRef<'_>) -> Result<SqlValue> {
    Ok(match raw {
        ValueRef::Null => SqlValue::Null,
        ValueRef::Integer(value) => SqlValue::Int(value),
        ValueRef::Text(bytes) => {
            SqlValue::Text(String::from(std::str::from_utf8(bytes).map_err(Problem::internal)?))
        }
        ValueRef::Blob(bytes) => SqlValue::Blob(bytes.to_vec()),
        ValueRef::Real(_) => return Err(Problem::internal("a floating point column")),
    })
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error() {
            Some(cause)
                if cause.code == ErrorCode::ConstraintViolation
                    && matches!(cause.extended_code, 1555 | 2067) =>
            {
                Self::Duplicate(String::from("记录已存在"))
            }
            Some(cause) if cause.extended_code == 787 => {
                Self::Conflict(String::from("仍被其他记录引用，或所引用的记录不允许此操作"))
            }
            Some(cause)
                if matches!(cause.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) =>
            {
                Self::Unavailable(String::from("数据库正忙，请稍后重试"))
            }
            Some(cause) if cause.code == ErrorCode::DiskFull => {
                Self::Unavailable(String::from("磁盘已满，暂不能写入；请联系运维人员"))
            }
            _ => Self::internal(error),
        }
    }
}
