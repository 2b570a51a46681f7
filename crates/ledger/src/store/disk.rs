//! The ledger's file on a disk that may refuse.
//!
//! After an error of the disk the store below believes nothing of its file any more, not even what
//! it could read, until it is opened anew. So it is opened anew: to be read at once, with whatever
//! opening has to mend kept in memory, and to be written again as soon as the disk takes something.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io,
    ops::Bound,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use redb::{
    BackendError, Database, ReadTransaction, ReadableDatabase as _, StorageBackend,
    WriteTransaction, backends::FileBackend,
};
use yj_kernel::Disk;

/// Between two attempts to write again at least so long, and so many times as long as one takes:
/// opening a large ledger is work.
const PAUSE: (Duration, u32) = (Duration::from_secs(1), 4);
/// The disk must take this much before the ledger is opened to be written again.
const TRIAL: usize = 1 << 20;
/// Bytes that are kept in memory together.
const PIECE: u64 = PIECE_BYTES as u64;
const PIECE_BYTES: usize = 4096;

/// The file, open in one way or the other.
pub(crate) struct LedgerFile {
    path: PathBuf,
    open: RwLock<Open>,
}

struct Open {
    /// Nothing while nobody has managed to open it.
    database: Option<Arc<Database>>,
    /// Set by the file when the disk refuses something.
    refused: Arc<AtomicBool>,
    /// Since when it can only be read, and when to try again.
    frozen: Option<Instant>,
}

impl LedgerFile {
    pub(crate) fn open(path: &Path) -> Result<Self, redb::Error> {
        let (database, refused) = writable(path)?;
        let open = Open { database: Some(Arc::new(database)), refused, frozen: None };
        Ok(Self { path: path.to_path_buf(), open: RwLock::new(open) })
    }

    /// A transaction that reads.
    pub(crate) fn begin_read(&self) -> Result<ReadTransaction, redb::Error> {
        if let Some(database) = self.seen().sound() {
            return Ok(database.begin_read()?);
        }
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        Ok(open.freeze(&self.path)?.begin_read()?)
    }

    /// A transaction that writes.
    pub(crate) fn begin_write(&self) -> Result<WriteTransaction, redb::Error> {
        let database = {
            let open = self.seen();
            open.sound().filter(|_| open.frozen.is_none())
        };
        // It may have to wait for another one, and nobody shall wait for it meanwhile.
        if let Some(database) = database {
            return Ok(database.begin_write()?);
        }
        let database = {
            let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
            open.freeze(&self.path)?;
            open.thaw(&self.path)?
        };
        Ok(database.begin_write()?)
    }

    fn seen(&self) -> RwLockReadGuard<'_, Open> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn sound(&self) -> Option<Arc<Database>> {
        self.database.clone().filter(|_| !self.refused.load(Ordering::Acquire))
    }

    fn hold(&mut self, database: Database) -> Arc<Database> {
        Arc::clone(self.database.insert(Arc::new(database)))
    }

    /// Opens it to be read after the disk has refused.
    fn freeze(&mut self, path: &Path) -> Result<Arc<Database>, redb::Error> {
        if let Some(database) = self.sound() {
            return Ok(database);
        }
        // One file, one owner. Where a transaction has not yet heard of the error, whoever comes
        // next tries again.
        self.database = None;
        let begun = Instant::now();
        let frozen = Frozen::open(path)?;
        let opened = Database::builder().create_with_backend(frozen);
        let database = self.hold(opened.map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => redb::Error::PreviousIo,
            other => other.into(),
        })?);
        (self.refused, self.frozen) = (Arc::default(), Some(Instant::now() + pause(begun)));
        Ok(database)
    }

    /// Opens it to be written again, if the disk lets us.
    fn thaw(&mut self, path: &Path) -> Result<Arc<Database>, redb::Error> {
        let begun = Instant::now();
        match (self.frozen, self.sound()) {
            (None, Some(database)) => return Ok(database),
            (Some(due), _) if begun < due => return Err(redb::Error::PreviousIo),
            _ => {}
        }
        if let Err(error) = attempt(path) {
            self.frozen = Some(begun + pause(begun));
            return Err(error.into());
        }
        self.database = None;
        match writable(path) {
            Ok((database, refused)) => {
                (self.refused, self.frozen) = (refused, None);
                tracing::info!("the ledger takes blocks again");
                Ok(self.hold(database))
            }
            Err(error) => {
                self.freeze(path)?;
                Err(error)
            }
        }
    }
}

fn pause(begun: Instant) -> Duration {
    PAUSE.0.max(begun.elapsed() * PAUSE.1)
}

/// Whether the disk takes something.
fn attempt(path: &Path) -> io::Result<()> {
    let trial = path.with_extension("trial");
    let written = File::create(&trial)
        .and_then(|mut file| io::Write::write_all(&mut file, &vec![0; TRIAL]).and(file.sync_all()));
    // Where nothing can be written, there is nothing to take away.
    let _ = std::fs::remove_file(&trial);
    written
}

fn writable(path: &Path) -> Result<(Database, Arc<AtomicBool>), redb::Error> {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
    let refused = Arc::new(AtomicBool::new(false));
    let watched = Watched { file: FileBackend::new(file)?, refused: Arc::clone(&refused) };
    Ok((Database::builder().create_with_backend(watched)?, refused))
}

/// One owner of the whole file is all that is asked for.
fn is_whole(from: Bound<u64>, to: Bound<u64>) -> bool {
    matches!(from, Bound::Unbounded | Bound::Included(0)) && to == Bound::Unbounded
}

/// The file as it is, and whether the disk has ever refused.
#[derive(Debug)]
struct Watched {
    file: FileBackend,
    refused: Arc<AtomicBool>,
}

impl Watched {
    fn watch<T>(&self, done: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &done {
            self.refused.store(true, Ordering::Release);
            if let Some(disk) = Disk::of(error) {
                drop(disk.refuses_because(error));
            }
        }
        done
    }
}

impl StorageBackend for Watched {
    fn len(&self) -> io::Result<u64> {
        self.watch(self.file.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.watch(self.file.read(offset, out))
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.watch(self.file.set_len(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.watch(self.file.sync_data())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.watch(self.file.write(offset, bytes))
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<bool, BackendError> {
        if is_whole(from, to) {
            self.file.try_lock_range(from, to)
        } else {
            Err(BackendError::Unsupported)
        }
    }
}

/// The file as it was when the disk refused; what is written stays in memory.
#[derive(Debug)]
struct Frozen {
    file: FileBackend,
    /// On a disk that is read-only nobody owns a file alone.
    read_only: bool,
    over: Mutex<Over>,
}

#[derive(Debug)]
struct Over {
    length: u64,
    /// As much of the file as still counts.
    below: u64,
    pieces: BTreeMap<u64, Vec<u8>>,
}

impl Frozen {
    fn open(path: &Path) -> Result<Self, redb::Error> {
        let writable = OpenOptions::new().read(true).write(true).open(path);
        let read_only = writable.is_err();
        let file = FileBackend::new(writable.or_else(|_| File::open(path))?)?;
        let length = file.len()?;
        if length == 0 {
            // An empty file would become an empty ledger.
            return Err(redb::Error::PreviousIo);
        }
        let over = Over { length, below: length, pieces: BTreeMap::new() };
        Ok(Self { file, read_only, over: Mutex::new(over) })
    }

    /// The piece that begins at `start`, as it stands.
    fn piece(&self, over: &Over, start: u64) -> io::Result<Vec<u8>> {
        if let Some(piece) = over.pieces.get(&start) {
            return Ok(piece.clone());
        }
        let (mut piece, there) = (vec![0; PIECE_BYTES], over.below.saturating_sub(start));
        let there = usize::try_from(there.min(PIECE)).unwrap_or_default();
        self.file.read(start, &mut piece[..there])?;
        Ok(piece)
    }

    fn over(&self) -> std::sync::MutexGuard<'_, Over> {
        self.over.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pieces that a stretch touches: where each begins, and which of its bytes are which of the
/// stretch.
fn touched(
    offset: u64,
    length: usize,
) -> impl Iterator<Item = (u64, std::ops::Range<usize>, std::ops::Range<usize>)> {
    let end = offset + length as u64;
    (offset / PIECE..end.div_ceil(PIECE)).map(move |number| {
        let start = number * PIECE;
        let (from, to) = (offset.max(start), end.min(start + PIECE));
        let within = |at: u64, origin: u64| usize::try_from(at - origin).unwrap_or_default();
        (start, within(from, start)..within(to, start), within(from, offset)..within(to, offset))
    })
}

impl StorageBackend for Frozen {
    fn len(&self) -> io::Result<u64> {
        Ok(self.over().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let over = self.over();
        if offset + out.len() as u64 > over.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for (start, inside, outside) in touched(offset, out.len()) {
            out[outside].copy_from_slice(&self.piece(&over, start)?[inside]);
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut over = self.over();
        if length < over.length {
            let start = length / PIECE * PIECE;
            let mut edge = self.piece(&over, start)?;
            edge[usize::try_from(length - start).unwrap_or_default()..].fill(0);
            over.pieces.split_off(&start);
            over.pieces.insert(start, edge);
            over.below = over.below.min(length);
        }
        over.length = length;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut over = self.over();
        over.length = over.length.max(offset + bytes.len() as u64);
        for (start, inside, outside) in touched(offset, bytes.len()) {
            let mut piece = self.piece(&over, start)?;
            piece[inside].copy_from_slice(&bytes[outside]);
            over.pieces.insert(start, piece);
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<bool, BackendError> {
        if !is_whole(from, to) {
            Err(BackendError::Unsupported)
        } else if self.read_only {
            self.file.try_lock_shared_range(from, to)
        } else {
            self.file.try_lock_range(from, to)
        }
    }
}

#[cfg(test)]
mod tests {
    use redb::{ReadableTableMetadata as _, TableDefinition};

    use super::*;

    const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("kept");

    fn keep(file: &LedgerFile, number: u64) -> Result<(), redb::Error> {
        let tx = file.begin_write()?;
        tx.open_table(TABLE)?.insert(number, [7; 3000].as_slice())?;
        Ok(tx.commit()?)
    }

    fn count(file: &LedgerFile) -> u64 {
        file.begin_read().unwrap().open_table(TABLE).unwrap().len().unwrap()
    }

    /// As if the disk had refused just now.
    fn refuse(file: &LedgerFile) {
        file.open.read().unwrap().refused.store(true, Ordering::Release);
    }

    #[test]
    fn what_was_written_is_read_while_the_disk_refuses_and_it_goes_on_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.redb");
        let file = LedgerFile::open(&path).unwrap();
        for number in 0..200 {
            keep(&file, number).unwrap();
        }
        let reading = file.begin_read().unwrap();
        refuse(&file);
        assert_eq!(count(&file), 200);
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(keep(&file, 200), Err(redb::Error::PreviousIo)), "too early");
        // A folder where the trial should be: nothing can be written there.
        let trial = path.with_extension("trial");
        std::fs::create_dir(&trial).unwrap();
        file.open.write().unwrap().frozen = Some(Instant::now());
        assert!(matches!(keep(&file, 200), Err(redb::Error::Io(_))));
        assert_eq!(count(&file), 200);
        assert!(std::fs::read(&path).unwrap() == before, "it is only read");
        std::fs::remove_dir(&trial).unwrap();
        file.open.write().unwrap().frozen = Some(Instant::now());
        keep(&file, 200).unwrap();
        assert_eq!(count(&file), 201);
        drop(reading);
        drop(file);
        assert_eq!(count(&LedgerFile::open(&path).unwrap()), 201);
    }

    #[test]
    fn what_stays_in_memory_reads_as_a_file_would() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut wanted: Vec<u8> = (0..20_000_u32).map(|at| (at % 251) as u8).collect();
        std::fs::write(&path, &wanted).unwrap();
        let frozen = Frozen::open(&path).unwrap();
        let check = |wanted: &[u8]| {
            assert_eq!(frozen.len().unwrap(), wanted.len() as u64);
            let mut all = vec![0; wanted.len()];
            frozen.read(0, &mut all).unwrap();
            assert!(all == wanted);
            assert!(frozen.read(1, &mut all).is_err(), "there is nothing behind the end");
        };
        for (offset, length) in [(0, 1), (4090, 10), (8192, 4096), (5, 9000), (19_990, 5000)] {
            let bytes = vec![0xEE; length];
            frozen.write(offset as u64, &bytes).unwrap();
            wanted.resize(wanted.len().max(offset + length), 0);
            wanted[offset..offset + length].copy_from_slice(&bytes);
            check(&wanted);
        }
        for length in [30_000, 9_001, 8_192, 21_000, 0, 5] {
            frozen.set_len(length as u64).unwrap();
            wanted.resize(length, 0);
            check(&wanted);
        }
        std::fs::write(&path, "").unwrap();
        assert!(Frozen::open(&path).is_err(), "an empty file is no ledger");
    }
}
