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

use super::{Dialect, Outcome, Row, Sql, SqlValue, checkpoint::Mover};
use crate::{Disk, Problem, Result, problem::Doubled};

/// Transactions that may wait for the writer before new ones have to wait to be queued.
const QUEUE_MAX: usize = 4096;
/// Transactions that share one sync at most.
const GROUP_MAX: usize = 128;
/// How long a group may collect before it syncs.
const GROUP_WINDOW: Duration = Duration::from_millis(8);
/// A transaction whose owner is silent this long is rolled back, so that one lost request cannot
/// stop the others.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// What those hear whose group could not be made durable.
const NOT_WRITTEN: &str = "数据未能写入磁盘，此次操作没有生效，请稍后重试";

/// What the owner of a transaction asks of its thread.
enum Command {
    /// Run statements in order; stop at the first failure.
    Run { statements: Vec<Sql>, reply: oneshot::Sender<Result<Vec<Outcome>>> },
    /// Run a script of several statements (migrations).
    Script { text: String, reply: oneshot::Sender<Result<()>> },
    /// Make everything durable and say so.
    Commit(oneshot::Sender<Result<()>>),
}

/// Where the commands of one transaction arrive. Dropping the sender rolls back.
type Commands = mpsc::Receiver<Command>;

/// What a thread is asked.
enum Turn {
    /// To serve a transaction.
    Serve(Commands),
    /// To close its connection, and say so by dropping this.
    Close(oneshot::Sender<()>),
}

/// The threads of one database file.
#[derive(Clone)]
pub(super) struct Engine {
    writer: queue::Sender<Turn>,
    readers: queue::Sender<Turn>,
    reader_count: usize,
    path: Arc<PathBuf>,
}

impl Engine {
    pub(super) fn open(path: &Path, reader_count: usize) -> Result<Self> {
        let mut writing = connect(path, false)?;
        let mover = Mover::beside(&mut writing, connect(path, true)?)?;
        let (writer, waiting) = queue::channel(QUEUE_MAX);
        spawn("sqlite-writer", move || write_groups((writing, mover), waiting))?;
        let (readers, waiting) = queue::channel(QUEUE_MAX);
        let waiting = Arc::new(Mutex::new(waiting));
        let reader_count = reader_count.max(1);
        for _ in 0..reader_count {
            let connection = connect(path, true)?;
            let waiting = Arc::clone(&waiting);
            spawn("sqlite-reader", move || read_snapshots(connection, &waiting))?;
        }
        Ok(Self { writer, readers, reader_count, path: Arc::new(path.to_path_buf()) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    async fn begin(&self, read_only: bool) -> Result<mpsc::Sender<Command>> {
        let (commands, receiver) = mpsc::channel();
        let queue = if read_only { &self.readers } else { &self.writer };
        queue.send(Turn::Serve(receiver)).await.map_err(|_| gone())?;
        Ok(commands)
    }

    /// A transaction, which begins with its first statement: the one writer waits for nobody who is
    /// still thinking.
    pub(super) fn session(&self, read_only: bool) -> Session {
        Session { engine: self.clone(), read_only, commands: None, sent: Vec::new() }
    }

    /// Closes every connection, the writer's last: with it the journal goes into the file.
    pub(super) async fn close(&self) {
        let asked = std::iter::repeat_n(&self.readers, self.reader_count).chain([&self.writer]);
        for queue in asked {
            let (closing, closed) = oneshot::channel();
            if queue.send(Turn::Close(closing)).await.is_ok() {
                // Dropped, it has happened.
                let _ = closed.await;
            }
        }
    }
}

/// A transaction of one owner. Dropping it rolls back.
pub(super) struct Session {
    engine: Engine,
    read_only: bool,
    /// `None` before the first statement.
    commands: Option<mpsc::Sender<Command>>,
    /// The answers to what was sent ahead.
    sent: Vec<oneshot::Receiver<Result<Vec<Outcome>>>>,
}

impl Session {
    async fn ask<T>(
        &mut self,
        ask: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<oneshot::Receiver<T>> {
        let commands = match self.commands.take() {
            Some(commands) => commands,
            None => self.engine.begin(self.read_only).await?,
        };
        let (reply, answer) = oneshot::channel();
        commands.send(ask(reply)).map_err(|_| gone())?;
        self.commands = Some(commands);
        Ok(answer)
    }

    /// Hands statements to the thread and does not wait for it; if they fail, so does what comes next.
    pub(super) async fn send(&mut self, statements: Vec<Sql>) -> Result<()> {
        let answer = self.ask(|reply| Command::Run { statements, reply }).await?;
        self.sent.push(answer);
        Ok(())
    }

    /// Hears how it went with what was sent ahead.
    async fn hear(&mut self) -> Result<()> {
        for answer in std::mem::take(&mut self.sent) {
            answer.await.map_err(|_| gone())??;
        }
        Ok(())
    }

    /// The last answer, after those to what was sent ahead.
    async fn told<T>(&mut self, last: oneshot::Receiver<Result<T>>) -> Result<T> {
        self.hear().await?;
        last.await.map_err(|_| gone())?
    }

    pub(super) async fn run(&mut self, statements: Vec<Sql>) -> Result<Vec<Outcome>> {
        let answer = self.ask(|reply| Command::Run { statements, reply }).await?;
        self.told(answer).await
    }

    /// What a query finds; whoever asks for several need not wait for each. Something must have run before.
    pub(super) async fn answer(&self, sql: Sql) -> Result<Vec<Row>> {
        let (reply, answer) = oneshot::channel();
        let commands = self.commands.as_ref().ok_or_else(gone)?;
        commands.send(Command::Run { statements: vec![sql], reply }).map_err(|_| gone())?;
        let mut outcomes = answer.await.map_err(|_| gone())??;
        Ok(outcomes.pop().map(|outcome| outcome.rows).unwrap_or_default())
    }

    pub(super) async fn script(&mut self, text: &str) -> Result<()> {
        let text = String::from(text);
        let answer = self.ask(|reply| Command::Script { text, reply }).await?;
        self.told(answer).await
    }

    /// Runs the last statements and makes everything durable.
    pub(super) async fn commit(&mut self, last: Vec<Sql>) -> Result<()> {
        self.send(last).await?;
        let answer = self.ask(Command::Commit).await?;
        self.told(answer).await
    }
}

/// The thread ended, or rolled the transaction back after [`SILENCE_MAX`].
fn gone() -> Problem {
    Problem::Unavailable(String::from("数据库事务已中止，请重试"))
}

pub(super) fn spawn(
    name: &str,
    body: impl FnOnce() + Send + 'static,
) -> Result<std::thread::JoinHandle<()>> {
    let thread = std::thread::Builder::new().name(String::from(name));
    thread.spawn(body).map_err(Problem::internal)
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
         PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON; \
         PRAGMA cache_size = -{cache_kib};"
    ))?;
    if read_only {
        connection.execute_batch("PRAGMA query_only = ON;")?;
    }
    Ok(connection)
}

fn write_groups((mut connection, mover): (Connection, Mover), mut waiting: queue::Receiver<Turn>) {
    let mut closing = None;
    while let Some(turn) = waiting.blocking_recv() {
        let first = match turn {
            Turn::Serve(first) => first,
            Turn::Close(asked) => {
                closing = Some(asked);
                break;
            }
        };
        if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
            // The owner's next command finds nobody listening and says "unavailable".
            Problem::from(error).log();
            continue;
        }
        let begun = Instant::now();
        let mut acknowledgements = Vec::new();
        let mut next = Some(first);
        while let Some(commands) = next.take() {
            acknowledgements.extend(write_one(&connection, &commands));
            if connection.is_autocommit() {
                // The disk took no more in the middle of it, and the engine has rolled back the
                // whole group: whatever ran now would stand outside of any transaction.
                break;
            }
            if acknowledgements.len() < GROUP_MAX && begun.elapsed() < GROUP_WINDOW {
                match waiting.try_recv() {
                    Ok(Turn::Serve(commands)) => next = Some(commands),
                    Ok(Turn::Close(asked)) => closing = Some(asked),
                    Err(_) => {}
                }
            }
        }
        finish_group(&connection, acknowledgements);
        if closing.is_some() {
            break;
        }
    }
    mover.end(&mut connection);
    close(connection);
    drop(closing);
}

fn close(connection: Connection) {
    if let Err((_, error)) = connection.close() {
        tracing::error!(%error, "a database connection could not be closed");
    }
}

/// One sync for the whole group, then the answers.
fn finish_group(connection: &Connection, acknowledgements: Vec<oneshot::Sender<Result<()>>>) {
    if acknowledgements.is_empty() {
        let _ = connection.execute_batch("ROLLBACK");
        return;
    }
    let refused = if connection.is_autocommit() {
        Some(Problem::Unavailable(String::from(NOT_WRITTEN)))
    } else {
        connection.execute_batch("COMMIT").err().map(Problem::from)
    };
    if let Some(problem) = &refused {
        problem.log();
        let _ = connection.execute_batch("ROLLBACK");
    }
    for acknowledgement in acknowledgements {
        let answer = match &refused {
            None => Ok(()),
            Some(Problem::Unavailable(why)) => Err(Problem::Unavailable(why.clone())),
            Some(_) => Err(Problem::Unavailable(String::from(NOT_WRITTEN))),
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
    if connection.is_autocommit() {
        return None;
    }
    let ending =
        if acknowledgement.is_some() { "RELEASE one" } else { "ROLLBACK TO one; RELEASE one" };
    if let Err(error) = connection.execute_batch(ending) {
        tracing::error!(%error, "a savepoint could not be ended");
        return None;
    }
    acknowledgement
}

fn read_snapshots(connection: Connection, waiting: &Mutex<queue::Receiver<Turn>>) {
    let next = || waiting.lock().ok().and_then(|mut queue| queue.blocking_recv());
    let mut closing = None;
    while let Some(turn) = next() {
        let commands = match turn {
            Turn::Serve(commands) => commands,
            Turn::Close(asked) => {
                closing = Some(asked);
                break;
            }
        };
        if connection.execute_batch("BEGIN").is_err() {
            continue;
        }
        if let Some(acknowledgement) = serve(&connection, &commands) {
            let _ = acknowledgement.send(Ok(()));
        }
        let _ = connection.execute_batch("ROLLBACK");
    }
    close(connection);
    drop(closing);
}

/// Runs commands until the owner commits (`Some`), goes away, fails or falls silent (`None`).
fn serve(connection: &Connection, commands: &Commands) -> Option<oneshot::Sender<Result<()>>> {
    let mut sound = true;
    loop {
        let command = commands.recv_timeout(SILENCE_MAX);
        if !sound && connection.is_autocommit() {
            // The transaction is gone: dropping the command says so.
            return None;
        }
        match command {
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
        // Collected, the values would be moved again and again as their number grows.
        let mut values = Vec::with_capacity(width);
        for index in 0..width {
            values.push(value(row.get_ref(index)?)?);
        }
        rows.push(Row::of(values));
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
                // “UNIQUE constraint failed: table.a, table.b”
                let said = error.to_string();
                let columns = said.rsplit_once("failed: ").map_or("", |(_, columns)| columns);
                let bare = |column: &str| String::from(column.rsplit('.').next().unwrap_or(column));
                Self::Duplicate(Doubled::by(columns.split(", ").map(bare).collect()))
            }
            Some(cause) if cause.extended_code == 787 => {
                Self::Conflict(String::from("仍被其他记录引用，或所引用的记录不允许此操作"))
            }
            Some(cause)
                if matches!(cause.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) =>
            {
                Self::Unavailable(String::from("数据库正忙，请稍后重试"))
            }
            Some(cause) => match disk(*cause) {
                Some(disk) => disk.refuses_because(&error),
                None => Self::internal(error),
            },
            None => Self::internal(error),
        }
    }
}

/// What an error says of the disk; nothing where it is about something else.
fn disk(cause: rusqlite::ffi::Error) -> Option<Disk> {
    use rusqlite::{ErrorCode, ffi};
    const WRITING: [i32; 6] = [
        ffi::SQLITE_IOERR_WRITE,
        ffi::SQLITE_IOERR_FSYNC,
        ffi::SQLITE_IOERR_DIR_FSYNC,
        ffi::SQLITE_IOERR_TRUNCATE,
        ffi::SQLITE_IOERR_SHMSIZE,
        ffi::SQLITE_IOERR_SHMOPEN,
    ];
    match cause.code {
        ErrorCode::DiskFull => Some(Disk::Full),
        ErrorCode::ReadOnly => Some(Disk::Unwritable),
        _ => WRITING.contains(&cause.extended_code).then_some(Disk::Unwritable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Answer<T> = oneshot::Receiver<Result<T>>;

    /// All that a transaction with one statement asks, at once.
    async fn ask(engine: &Engine, sql: Sql) -> (Answer<Vec<Outcome>>, Answer<()>) {
        let mut session = engine.session(false);
        let statements = vec![sql];
        let ran = session.ask(|reply| Command::Run { statements, reply }).await.unwrap();
        (ran, session.ask(Command::Commit).await.unwrap())
    }

    #[tokio::test]
    async fn whoever_hears_that_it_is_written_finds_it_and_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(&folder.path().join("full.sqlite"), 1).unwrap();
        for text in ["CREATE TABLE kept (x BIGINT, y BLOB)", "PRAGMA max_page_count = 12"] {
            let (ran, told) = ask(&engine, Sql::new(text)).await;
            ran.await.unwrap().unwrap();
            told.await.unwrap().unwrap();
        }
        for round in 0..20 {
            // Holds the writer until three others wait behind it.
            let mut gate = engine.session(false);
            gate.run(vec![Sql::new("SELECT 1")]).await.unwrap();
            let small = |number: i64| {
                Sql::new("INSERT INTO kept VALUES ($1, NULL)").arg(10 * round + number)
            };
            let large = Sql::new("INSERT INTO kept VALUES ($1, $2)").arg(10 * round + 2);
            let large = large.arg(vec![7_u8; 200_000]);
            let (_, before) = ask(&engine, small(1)).await;
            let (ran, _) = ask(&engine, large).await;
            let (_, after) = ask(&engine, small(3)).await;
            drop(gate);
            let refused = ran.await.unwrap().err().unwrap();
            assert!(refused.to_string().starts_with("磁盘已满"), "{refused}");
            let mut told = Vec::new();
            for (number, answer) in [(1, before), (3, after)] {
                match answer.await.unwrap() {
                    Ok(()) => told.push(SqlValue::Int(10 * round + number)),
                    Err(problem) => {
                        assert!(matches!(problem, Problem::Unavailable(_)), "{problem}");
                    }
                }
            }
            let sql = Sql::new("SELECT x FROM kept WHERE x > $1 ORDER BY x").arg(10 * round);
            let found = engine.session(true).run(vec![sql]).await.unwrap();
            let found = found[0].rows.iter().map(|row| row.int(0).map(SqlValue::Int));
            assert_eq!(found.collect::<Result<Vec<_>>>().unwrap(), told, "round {round}");
        }
    }
    #[tokio::test]
    async fn what_is_sent_ahead_comes_first_and_its_failure_is_heard() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(&folder.path().join("ahead.sqlite"), 1).unwrap();
        let mut session = engine.session(false);
        session.send(vec![Sql::new("CREATE TABLE kept (x BIGINT PRIMARY KEY)")]).await.unwrap();
        session.send(vec![Sql::new("INSERT INTO kept VALUES (1)")]).await.unwrap();
        let found = session.run(vec![Sql::new("SELECT x FROM kept")]).await.unwrap();
        assert_eq!(found[0].rows.len(), 1);
        session.commit(Vec::new()).await.unwrap();
        for last in [vec![], vec![Sql::new("INSERT INTO kept VALUES (3)")]] {
            let mut session = engine.session(false);
            session.send(vec![Sql::new("INSERT INTO kept VALUES (2)")]).await.unwrap();
            session.send(vec![Sql::new("INSERT INTO kept VALUES (1)")]).await.unwrap();
            let refused = session.commit(last).await.err().unwrap();
            assert!(matches!(refused, Problem::Duplicate(_)), "{refused}");
        }
        let found = engine.session(true).run(vec![Sql::new("SELECT x FROM kept")]).await.unwrap();
        assert_eq!(found[0].rows.len(), 1);
    }
}
