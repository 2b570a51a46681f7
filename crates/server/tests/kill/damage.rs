//! Every kind of file damaged, lost, or put back to an older state: the platform refuses to run
//! with it or names it, and never tells of it as if nothing were.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::AtomicU64,
};

use crate::platform::{Place, Server, capture_until_death};

/// Files that the ledger alone determines; signatures under checkpoints are made anew each time.
const OF_LEDGER: [&str; 5] =
    ["genesis.bin", "blocks.jsonl", "submissions.jsonl", "places.jsonl", "keys.jsonl"];
/// Places of the ledger's file where a byte is changed, spread over all of it.
const PROBES: usize = 24;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, target) = {
            let entry = entry.unwrap();
            (entry.path(), to.join(entry.file_name()))
        };
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// A platform at rest, with copies to damage.
struct Ward {
    place: Place,
    acknowledged: Vec<(String, String)>,
    /// Its data a while ago, and now.
    old: PathBuf,
    good: PathBuf,
    /// What was exported of them.
    export: PathBuf,
}

impl Ward {
    /// SQLite only: the files of another database are not ours to damage.
    fn new() -> Self {
        let place = Place::of_files();
        Server::start(&place).rest(&place);
        let (old, good) = (place.folder.path().join("old"), place.folder.path().join("good"));
        copy(&place.data(), &old);
        let server = Server::start(&place);
        let token = server.log_in(&place.data());
        let farm = server.farm(&token).unwrap();
        let next = AtomicU64::new(0);
        let acknowledged = capture_until_death(&server, (&token, &farm), &next, Some(40));
        server.rest(&place);
        let (well, said) = place.doctor();
        assert!(well, "{said}");
        let export = place.export("good-export").unwrap();
        let (code, said) = place.check(&export, &acknowledged, &[]);
        assert!(code == 0, "{said}");
        gathered(&place.data().join(DATABASE));
        copy(&place.data(), &good);
        Self { place, acknowledged, old, good, export }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.place.data().join(name)
    }

    /// The data as they were, with something done to them.
    fn with(&self, damage: impl FnOnce()) {
        fs::remove_dir_all(self.place.data()).unwrap();
        copy(&self.good, &self.place.data());
        damage();
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.file(name)).unwrap();
        change(&mut bytes);
        fs::write(self.file(name), bytes).unwrap();
    }

    /// What the platform itself finds; nothing where it finds nothing.
    fn named(&self) -> Option<String> {
        let (well, said) = self.place.doctor();
        (!well).then_some(said)
    }

    /// Whether what the ledger tells is, byte for byte, what it told before.
    fn tells_the_same(&self) -> bool {
        let Ok(export) = self.place.export("probe") else { return false };
        let same = OF_LEDGER.iter().all(|name| {
            fs::read(export.join(name)).unwrap() == fs::read(self.export.join(name)).unwrap()
        });
        fs::remove_dir_all(export).unwrap();
        same
    }

    /// What the independent checker finds.
    fn checked(&self, held: &[PathBuf]) -> (i32, String) {
        let export = self.place.export("probe").unwrap();
        let found = self.place.check(&export, &self.acknowledged, held);
        fs::remove_dir_all(export).unwrap();
        found
    }
}

const LEDGER: &str = "ledger/ledger.redb";
const DATABASE: &str = "yuanjian.sqlite";

/// Every place where `bytes` stand, changed by `change`; how many there were.
fn change_all(file: &mut [u8], bytes: &[u8], change: impl Fn(&mut [u8])) -> usize {
    let (mut at, mut count) = (0, 0);
    while at + bytes.len() <= file.len() {
        if file[at..].starts_with(bytes) {
            change(&mut file[at..at + bytes.len()]);
            count += 1;
            at += bytes.len();
        } else {
            at += 1;
        }
    }
    count
}

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

#[test]
fn r_4_damage_to_any_file_is_named_or_refused() {
    if std::env::var("YJ_TEST_POSTGRES").is_ok() {
        // These are files alone: the run without another database has said all there is to say.
        return;
    }
    let ward = Ward::new();
    the_ledger(&ward);
    the_ledger_as_a_whole(&ward);
    the_database(&ward);
    the_keys(&ward);
    older_states(&ward);
    what_is_published(&ward);
}

/// A byte here and there, and a byte of each kind of thing in it.
fn the_ledger(ward: &Ward) {
    let length = fs::metadata(ward.file(LEDGER)).unwrap().len();
    let stride = usize::try_from(length).unwrap() / PROBES;
    let mut named = 0;
    for probe in 0..PROBES {
        let at = probe * stride + 7 * probe;
        ward.with(|| ward.change(LEDGER, |bytes| bytes[at] ^= 0x10));
        let found = ward.named();
        assert!(found.is_some() || ward.tells_the_same(), "byte {at} is told as if it were true");
        named += usize::from(found.is_some());
    }
    println!("{named} of {PROBES} bytes of the ledger mattered and were named");
    let line = |name: &str| -> serde_json::Value {
        let text = fs::read_to_string(ward.export.join(name)).unwrap();
        serde_json::from_str(text.lines().last().unwrap()).unwrap()
    };
    let (block, submission) = (line("blocks.jsonl"), line("submissions.jsonl"));
    let things = [
        ("a header", bytes_of(block["header"].as_str().unwrap())),
        ("a certificate", bytes_of(block["certificate"].as_str().unwrap())),
        ("a submission", bytes_of(submission["submission"].as_str().unwrap())),
        ("the leaf of a record", bytes_of(submission["leaves"][0].as_str().unwrap())),
        ("a key", bytes_of(line("keys.jsonl")["key"].as_str().unwrap())),
        ("the beginning", fs::read(ward.export.join("genesis.bin")).unwrap()),
        ("a record's name", line("places.jsonl")["record"].as_str().unwrap().as_bytes().to_vec()),
    ];
    for (what, wanted) in things {
        for place in [0, wanted.len() / 2, wanted.len() - 1] {
            ward.with(|| {
                ward.change(LEDGER, |bytes| {
                    let count = change_all(bytes, &wanted, |thing| thing[place] ^= 1);
                    assert!(count > 0, "{what} is not where it should be");
                });
            });
            assert!(ward.named().is_some(), "{what}: byte {place} is not noticed");
        }
    }
}

/// Cut short, emptied, gone.
fn the_ledger_as_a_whole(ward: &Ward) {
    ward.with(|| ward.change(LEDGER, |bytes| bytes.truncate(bytes.len() / 2)));
    assert!(ward.named().is_some(), "half of the ledger");
    ward.with(|| ward.change(LEDGER, Vec::clear));
    let said = ward.named().expect("an empty ledger is not noticed");
    assert!(said.contains("日志只到区块 0"), "{said}");
    ward.with(|| fs::remove_dir_all(ward.file("ledger")).unwrap());
    let said = ward.named().expect("a lost ledger is not noticed");
    assert!(said.contains("日志文件丢失"), "{said}");
}

/// The record's text, the columns beside it, the file.
fn the_database(ward: &Ward) {
    // Only a row of the queue holds the code behind these names; one whose text does not happen to
    // run over the edge of a page.
    let text = |code: &str| format!("\"code\":\"{code}\",\"quantity\":\"100\",\"role\":1");
    let mut file = fs::read(ward.good.join(DATABASE)).unwrap();
    let whole =
        |(code, _): &&(String, String)| change_all(&mut file, text(code).as_bytes(), |_| {}) > 0;
    let (code, record) = ward.acknowledged.iter().find(whole).expect("no envelope is whole");
    let envelope = text(code);
    ward.with(|| {
        ward.change(DATABASE, |bytes| {
            let count = change_all(bytes, envelope.as_bytes(), |text| {
                let at = text.len() - "\",\"role\":1".len() - 1;
                text[at] = b'9';
            });
            assert!(count > 0, "the envelope is not where it should be");
        });
    });
    let (found, said) = ward.checked(&[]);
    assert!(found == 1 && said.contains("envelope") && said.contains(record), "{said}");
    let server = Server::start(&ward.place);
    let token = server.log_in(&ward.place.data());
    let event = server.get(&token, &format!("/api/v1/trace/events/{record}")).unwrap();
    assert_eq!(event["integrity"]["intact"], false, "{event}");
    server.stop();
    ward.with(|| {
        sql(ward, &format!("UPDATE trace_event SET lot = 'other' WHERE uid = '{record}'"));
    });
    let (found, said) = ward.checked(&[]);
    assert!(found == 1 && said.contains("columns") && said.contains("lot"), "{said}");
    ward.with(|| sql(ward, &format!("DELETE FROM anchor_entry WHERE record = '{record}'")));
    let said = ward.named().expect("a deleted row is not noticed");
    assert!(said.contains(record.as_str()), "{said}");
    assert!(ward.checked(&[]).1.contains("lost"), "the checker misses a deleted row");
    ward.with(|| ward.change(DATABASE, |bytes| bytes.truncate(bytes.len() / 2)));
    assert!(ward.named().is_some(), "half of the database");
    ward.with(|| fs::remove_file(ward.file(DATABASE)).unwrap());
    assert!(ward.named().is_some(), "no database");
}

/// Brings everything into the one file whose bytes are changed here.
fn gathered(database: &Path) {
    let script = "import sqlite3,sys\nd=sqlite3.connect(sys.argv[1])\n\
                  assert d.execute('PRAGMA wal_checkpoint(TRUNCATE)').fetchone()[0]==0";
    let mut python = std::process::Command::new("python3");
    assert!(python.args(["-c", script]).arg(database).status().unwrap().success());
}

/// Changes the database behind the platform's back.
fn sql(ward: &Ward, statement: &str) {
    let script = "import sqlite3,sys\nd=sqlite3.connect(sys.argv[1])\n\
                  n=d.execute(sys.argv[2]).rowcount\nd.commit()\nassert n==1,n";
    let mut python = std::process::Command::new("python3");
    let python = python.args(["-c", script]).arg(ward.file(DATABASE)).arg(statement);
    assert!(python.status().unwrap().success(), "{statement}");
}

/// A key that is damaged, lost, or another one.
fn the_keys(ward: &Ward) {
    for name in ["keys/platform.pem", "keys/validator.pem", "keys/root.key"] {
        let length = fs::read(ward.file(name)).unwrap().len();
        for place in [length / 3, length / 2, length - length / 4] {
            let was = fs::read(ward.good.join(name)).unwrap();
            // Another character of the same alphabet, so that it still reads as text.
            let other = if was[place] == b'A' { b'B' } else { b'A' };
            ward.with(|| ward.change(name, |bytes| bytes[place] = other));
            assert!(ward.named().is_some(), "{name}: character {place} is not noticed");
        }
        ward.with(|| ward.change(name, |bytes| bytes.truncate(length / 2)));
        assert!(ward.named().is_some(), "half of {name}");
    }
    for name in ["keys/validator.pem", "keys/root.key"] {
        ward.with(|| fs::remove_file(ward.file(name)).unwrap());
        assert!(ward.named().is_some(), "{name} is gone");
    }
}

/// Files put back as they were a while ago, a database with its journal.
fn put_back(ward: &Ward, names: &[&str]) {
    for name in
        names.iter().flat_map(|name| ["", "-wal", "-shm"].map(|part| format!("{name}{part}")))
    {
        let (old, now) = (ward.old.join(&name), ward.file(&name));
        if old.exists() {
            fs::copy(old, now).unwrap();
        } else if now.exists() {
            fs::remove_file(now).unwrap();
        }
    }
}

/// An old copy of the ledger, of the database, and of both.
fn older_states(ward: &Ward) {
    ward.with(|| put_back(ward, &[LEDGER]));
    let said = ward.named().expect("an old ledger is not noticed");
    assert!(said.contains("退回到了旧的状态"), "{said}");
    ward.with(|| put_back(ward, &[DATABASE]));
    let said = ward.named().expect("an old database is not noticed");
    assert!(said.contains("数据库退回到了旧的状态"), "{said}");
    // Both together agree with each other: only who kept a checkpoint can tell.
    ward.with(|| put_back(ward, &[LEDGER, DATABASE]));
    let held = ward.export.join("checkpoint.txt");
    let (found, said) = ward.checked(&[held]);
    assert!(found == 1 && said.contains("rollback") && said.contains("lost"), "{said}");
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// A byte of each file that others are given.
fn what_is_published(ward: &Ward) {
    ward.with(|| {});
    let published = ward.place.publish("published");
    let (code, said) = Place::check_published(&published);
    assert!(code == 0, "{said}");
    let files = files_below(&published);
    assert!(files.len() >= 3, "checkpoint, genesis and a tile: {files:?}");
    for file in files {
        let good = fs::read(&file).unwrap();
        for place in [0, good.len() / 2, good.len() - 2] {
            let mut bad = good.clone();
            bad[place] ^= 1;
            fs::write(&file, bad).unwrap();
            let (code, said) = Place::check_published(&published);
            assert_ne!(code, 0, "{}: byte {place}: {said}", file.display());
        }
        fs::write(&file, good).unwrap();
    }
}
