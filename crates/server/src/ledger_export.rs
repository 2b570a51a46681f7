//! 导出: the whole ledger and what it is compared with, as plain files that other programs read
//! (docs/proof-format.md §9).

use std::{
    collections::BTreeMap,
    fs,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::{Value, json};
use yj_crypto::{sm3, to_hex};
use yj_kernel::{Problem, Result, Row, Sql, Tx};
use yj_proof::Header;

use crate::Assembled;

/// Rows of one query.
const CHUNK: i64 = 1_000;
/// Bytes of a hash.
const HASH: usize = 32;

/// What was written.
#[derive(Debug, Clone, Serialize)]
pub struct Exported {
    format: &'static str,
    chain: String,
    /// Newest block; 0 before the first.
    pub height: u64,
    /// Submissions in the log.
    pub tree_size: u64,
    files: BTreeMap<String, Written>,
}

#[derive(Debug, Clone, Serialize)]
struct Written {
    bytes: u64,
    sm3: String,
}

/// A file on its way to the disk, and its digest.
struct Out {
    file: BufWriter<fs::File>,
    digest: sm3::Running,
    bytes: u64,
}

impl Out {
    fn create(path: &Path) -> Result<Self> {
        let file = fs::OpenOptions::new().write(true).create_new(true).open(path);
        let file = BufWriter::new(file.map_err(Problem::internal)?);
        Ok(Self { file, digest: sm3::Running::default(), bytes: 0 })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(Problem::internal)
    }

    /// One JSON value in its one form, on a line.
    fn line(&mut self, value: &Value) -> Result<()> {
        let mut bytes = serde_json_canonicalizer::to_vec(value).map_err(Problem::internal)?;
        bytes.push(b'\n');
        self.write(&bytes)
    }

    fn close(self) -> Result<Written> {
        let file = self.file.into_inner().map_err(Problem::internal)?;
        file.sync_all().map_err(Problem::internal)?;
        Ok(Written { bytes: self.bytes, sm3: to_hex(&self.digest.finish()) })
    }
}

/// The files of one export.
struct Folder {
    path: PathBuf,
    files: BTreeMap<String, Written>,
}

impl Folder {
    /// Nothing is ever written over: only a new or empty folder is taken.
    fn create(path: &Path) -> std::result::Result<Self, String> {
        let said = |error: std::io::Error| format!("{}：{error}", path.display());
        fs::create_dir_all(path).map_err(said)?;
        if fs::read_dir(path).map_err(said)?.next().is_some() {
            return Err(format!("{} 不是空目录；导出不覆盖已有文件，请换一个目录", path.display()));
        }
        Ok(Self { path: path.to_path_buf(), files: BTreeMap::new() })
    }

    fn write(&mut self, name: &str, fill: impl FnOnce(&mut Out) -> Result<()>) -> Result<()> {
        let mut out = Out::create(&self.path.join(name))?;
        fill(&mut out)?;
        self.files.insert(String::from(name), out.close()?);
        Ok(())
    }

    async fn rows(
        &mut self,
        name: &str,
        tx: &mut Tx,
        (query, line): (Query, fn(&Row) -> Result<Value>),
    ) -> Result<()> {
        let mut out = Out::create(&self.path.join(name))?;
        let mut last = query.first;
        loop {
            let rows = tx.fetch(Sql::new(query.sql).arg(last.clone()).arg(CHUNK)).await?;
            let Some(end) = rows.last() else { break };
            let end = end.value(0)?;
            require_growth(&last, &end)?;
            last = end;
            for row in &rows {
                out.line(&line(row)?)?;
            }
        }
        self.files.insert(String::from(name), out.close()?);
        Ok(())
    }
}

/// What is read in the order of an index goes on for ever where the index is damaged.
pub(crate) fn require_growth(
    before: &yj_kernel::SqlValue,
    after: &yj_kernel::SqlValue,
) -> Result<()> {
    use yj_kernel::SqlValue::{Int, Text};
    let grows = match (before, after) {
        (Int(before), Int(after)) => after > before,
        (Text(before), Text(after)) => after > before,
        _ => false,
    };
    if grows {
        Ok(())
    } else {
        Err(Problem::internal("数据库的索引次序错乱，可能已损坏"))
    }
}

/// Pages of a table: its first column grows, `$1` is the last one seen, `$2` how many to read.
struct Query {
    sql: &'static str,
    first: yj_kernel::SqlValue,
}

/// Writes everything. The ledger is read at one moment, the database at one moment just after: no
/// record on the ledger is then without its row, and rows confirmed above the height written may
/// be passed over.
pub async fn export_ledger(
    assembled: &Assembled,
    folder: &Path,
) -> std::result::Result<Exported, String> {
    let mut folder = Folder::create(folder)?;
    let said = |problem: Problem| match problem {
        Problem::Internal(cause) => format!("不能导出：{cause}"),
        other => other.to_string(),
    };
    let mut exported = ledger(assembled, &mut folder).map_err(said)?;
    let mut tx = assembled.app.db().snapshot().await.map_err(said)?;
    database(&mut tx, &mut folder).await.map_err(said)?;
    exported.files = std::mem::take(&mut folder.files);
    // Written last: its presence says that the export is complete.
    let manifest = serde_json::to_value(&exported).map_err(|error| error.to_string())?;
    folder.write("manifest.json", |out| out.line(&manifest)).map_err(said)?;
    Ok(exported)
}

fn ledger(assembled: &Assembled, folder: &mut Folder) -> Result<Exported> {
    let snapshot = assembled.ledger.snapshot()?;
    let genesis = snapshot.genesis()?;
    let chain = to_hex(&sm3::digest(&genesis));
    folder.write("genesis.bin", |out| out.write(&genesis))?;
    let (mut height, mut tree_size) = (0, 0);
    folder.write("blocks.jsonl", |out| {
        snapshot.blocks(|header, certificate| {
            height += 1;
            tree_size = Header::from_bytes(header).map_or(tree_size, |header| header.tree_size);
            out.line(&json!({ "header": to_hex(header), "certificate": to_hex(certificate) }))
        })
    })?;
    folder.write("submissions.jsonl", |out| {
        snapshot.submissions(|submission, leaves| {
            let leaves: Vec<_> = leaves.chunks(HASH).map(to_hex).collect();
            out.line(&json!({ "submission": to_hex(submission), "leaves": leaves }))
        })
    })?;
    folder.write("places.jsonl", |out| {
        snapshot.places(|record, place| {
            out.line(&json!({
                "record": record, "log": place.log_index, "position": place.position,
                "height": place.height,
            }))
        })
    })?;
    folder.write("keys.jsonl", |out| {
        snapshot.keys(|height, key| out.line(&json!({ "height": height, "key": to_hex(key) })))
    })?;
    folder.write("witnessed.jsonl", |out| {
        snapshot.witnessed(|keys, note| {
            let keys: Vec<_> = keys.lines().collect();
            out.line(&json!({ "keys": keys, "note": note }))
        })
    })?;
    folder.write("anchored.jsonl", |out| {
        snapshot.anchored(|statement| out.line(&json!({ "statement": to_hex(statement) })))
    })?;
    if let Some(note) = assembled.ledger.signed_checkpoint()? {
        if note.checkpoint.height != height {
            return Err(Problem::Unavailable(String::from(
                "导出时仍在出块；请先停止平台，或再次导出",
            )));
        }
        folder.write("checkpoint.txt", |out| out.write(note.to_text().as_bytes()))?;
    }
    Ok(Exported { format: "yjexport/1", chain, height, tree_size, files: BTreeMap::new() })
}

async fn database(tx: &mut Tx, folder: &mut Folder) -> Result<()> {
    let entries = "SELECT id, record, org, envelope, salt, state, height FROM anchor_entry \
                   WHERE id > $1 ORDER BY id LIMIT $2";
    let entry = |row: &Row| {
        Ok(json!({
            "id": row.int(0)?, "record": row.text(1)?, "org": row.text(2)?, "envelope": row.text(3)?,
            "salt": to_hex(row.blob(4)?), "state": row.text(5)?, "height": row.int_opt(6)?,
        }))
    };
    folder.rows("entries.jsonl", tx, (Query { sql: entries, first: 0_i64.into() }, entry)).await?;
    events(tx, folder).await?;
    let epcis =
        "SELECT uid, event_id, hash, sm3 FROM epcis_event WHERE uid > $1 ORDER BY uid LIMIT $2";
    let event = |row: &Row| {
        Ok(json!({
            "uid": row.text(0)?, "event_id": row.text(1)?, "hash": row.text(2)?, "sm3": row.text(3)?,
        }))
    };
    folder.rows("epcis.jsonl", tx, (Query { sql: epcis, first: "".into() }, event)).await?;
    let batches = "SELECT id, count, root FROM device_batch WHERE id > $1 ORDER BY id LIMIT $2";
    let batch =
        |row: &Row| Ok(json!({ "id": row.text(0)?, "count": row.int(1)?, "root": row.text(2)? }));
    folder.rows("batches.jsonl", tx, (Query { sql: batches, first: "".into() }, batch)).await
}

/// 追溯事件 as their columns and links are.
async fn events(tx: &mut Tx, folder: &mut Folder) -> Result<()> {
    let name = "events.jsonl";
    let mut out = Out::create(&folder.path.join(name))?;
    let mut last = 0_i64;
    loop {
        let sql = Sql::new(
            "SELECT id, uid, domain, kind, stage, subject_code, lot, region, event_time, event_offset, \
             recorded_at, source, state, body, correction_of, subject_id, product_id, counterparty_id, \
             pack_version FROM trace_event \
             WHERE id > $1 ORDER BY id LIMIT $2",
        );
        let rows = tx.fetch(sql.arg(last).arg(CHUNK)).await?;
        let Some(end) = rows.last() else { break };
        let end = end.int(0)?;
        require_growth(&last.into(), &end.into())?;
        last = end;
        let ids = rows.iter().map(|row| row.int(0)).collect::<Result<Vec<_>>>()?;
        let mut links = links(tx, ids).await?;
        for row in &rows {
            let links = links.remove(&row.int(0)?).unwrap_or_default();
            out.line(&json!({
                "uid": row.text(1)?, "domain": row.text(2)?, "kind": row.text(3)?, "stage": row.text(4)?,
                "subject_code": row.text(5)?, "lot": row.text_opt(6)?, "region": row.text(7)?,
                "event_time": row.int(8)?, "event_offset": row.int(9)?, "recorded_at": row.int(10)?,
                "source": row.text(11)?, "state": row.text(12)?, "body": row.text(13)?,
                "correction_of": row.text_opt(14)?, "subject_id": row.text(15)?,
                "product_id": row.text_opt(16)?, "counterparty_id": row.text_opt(17)?,
                "pack_version": row.text(18)?, "links": links,
            }))?;
        }
    }
    folder.files.insert(String::from(name), out.close()?);
    Ok(())
}

async fn links(tx: &mut Tx, events: Vec<i64>) -> Result<BTreeMap<i64, Vec<Value>>> {
    let mut sql = Sql::new(
        "SELECT l.event_id, o.code, l.role, l.quantity FROM trace_link l \
         JOIN trace_object o ON o.id = l.object_id WHERE l.event_id ",
    );
    sql.bind_ints(events);
    sql.push(" ORDER BY l.event_id, l.role, o.code");
    let mut links: BTreeMap<i64, Vec<Value>> = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let link =
            json!({ "code": row.text(1)?, "role": row.int(2)?, "quantity": row.int_opt(3)? });
        links.entry(row.int(0)?).or_default().push(link);
    }
    Ok(links)
}
