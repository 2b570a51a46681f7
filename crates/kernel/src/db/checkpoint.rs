//! Moving what the journal of SQLite holds into its file, beside the writer instead of in its way.
//!
//! Left to itself, whoever commits past a bound of pages moves them all and waits for the disk, and
//! everybody behind waits too. A thread of its own moves them while the writer goes on. It never quite
//! catches up with a writer that does not rest, and the journal begins anew only where everything has
//! been moved; so from time to time the writer moves the little that is left.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
};

use rusqlite::{Connection, hooks::Wal};

use super::sqlite::spawn;
use crate::Result;

/// Pages (4 KiB) that are worth a trip.
const LOAD: i32 = 2_000;
/// Pages in the journal from which the writer moves the rest, once it is small.
const LONG: i32 = 8_000;
/// A rest that is small enough.
const REST: i32 = 1_000;
/// Less is not worth the writer's wait; it comes when nobody lets the journal begin anew.
const REST_MIN: i32 = 250;
/// Pages from which the writer waits for all of them, so that a disk that is too slow slows those
/// who write instead of filling up.
const TOO_LONG: i32 = 64_000;

/// What is to be done about a journal of `pages`, of which `moved` have been moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Duty {
    Nothing,
    /// Beside the writer.
    Move,
    /// By the writer.
    Finish,
}

fn duty(pages: i32, moved: i32) -> Duty {
    let rest = pages - moved;
    if pages >= TOO_LONG && rest >= LOAD || pages >= LONG && (REST_MIN..=REST).contains(&rest) {
        Duty::Finish
    } else if rest >= LOAD {
        Duty::Move
    } else {
        Duty::Nothing
    }
}

/// The thread that moves.
pub(super) struct Mover(JoinHandle<()>);

impl Mover {
    /// Has the journal of this writer moved over a connection of the mover's own.
    pub(super) fn beside(writer: &mut Connection, own: Connection) -> Result<Self> {
        let moved = Arc::new(AtomicI32::new(0));
        let (bell, rung) = sync_channel(1);
        let thread = spawn("sqlite-mover", {
            let moved = Arc::clone(&moved);
            move || serve(own, &rung, &moved)
        })?;
        writer.wal_hook(Some(move |wal: &mut Wal, pages: i32| {
            watch(wal, pages, &moved, &bell);
            Ok(())
        }))?;
        Ok(Self(thread))
    }

    /// Ends it, and waits until its connection is closed.
    pub(super) fn end(self, writer: &mut Connection) {
        let silent = None::<fn(&mut Wal, i32) -> rusqlite::Result<()>>;
        match writer.wal_hook(silent).map(|()| self.0.join()) {
            Ok(Ok(())) => {}
            Ok(Err(_)) => tracing::error!("the thread that moved the journal ended in a panic"),
            Err(error) => tracing::error!(%error, "the journal is still being watched"),
        }
    }
}

/// After every commit.
fn watch(wal: &mut Wal, pages: i32, moved: &AtomicI32, bell: &SyncSender<()>) {
    let known = moved.load(Ordering::Relaxed);
    // A journal that is shorter than what was moved of it has begun anew.
    let known = if known > pages { 0 } else { known };
    moved.store(known, Ordering::Relaxed);
    match duty(pages, known) {
        Duty::Nothing => {}
        Duty::Move => match bell.try_send(()) {
            Ok(()) | Err(TrySendError::Full(())) => {}
            Err(TrySendError::Disconnected(())) => {
                tracing::error!("nobody moves the journal of the database any more");
            }
        },
        Duty::Finish => {
            // What keeps it from being moved now keeps nothing from being written.
            if wal.checkpoint().is_ok() {
                moved.store(pages, Ordering::Relaxed);
            }
        }
    }
}

fn serve(own: Connection, rung: &Receiver<()>, moved: &AtomicI32) {
    while rung.recv() == Ok(()) {
        let done = own.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i32>(2));
        match done {
            Ok(done) => moved.store(done.max(0), Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, "the journal of the database could not be moved"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_moves_only_a_small_rest_of_a_long_journal() {
        assert_eq!(duty(0, 0), Duty::Nothing);
        assert_eq!(duty(LOAD - 1, 0), Duty::Nothing);
        assert_eq!(duty(LOAD, 0), Duty::Move);
        assert_eq!(duty(LONG - 1, LONG - REST), Duty::Nothing);
        assert_eq!(duty(LONG, LONG - REST), Duty::Finish);
        assert_eq!(duty(LONG, LONG - REST_MIN + 1), Duty::Nothing);
        assert_eq!(duty(3 * LONG, LONG), Duty::Move);
        assert_eq!(duty(TOO_LONG, 0), Duty::Finish);
    }
}
