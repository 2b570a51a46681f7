//! What a digest is.

use serde_json::{Value, json};
use yj_crypto::to_hex;
use yj_kernel::{Ctx, Problem, Result, Row, Sql, Tx, time_text};
use yj_proof::{Hash, merkle};

use super::{Contents, Digests};
use crate::store::Place;

/// Blocks that are looked into for one digest.
pub(super) const BLOCKS_MAX: usize = 20;
/// Things of one answer.
const FOUND_MAX: usize = 50;

/// What a digest can be on the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// 链指纹
    Chain,
    /// 区块标识
    Block,
    /// 日志根
    Root,
    /// 提交摘要
    Submission,
    /// 提交在日志中的叶
    SubmissionLeaf,
    /// 记录树根
    Records,
    /// 存证项
    Entry,
    /// 存证项在提交中的叶
    Leaf,
}

impl Known {
    const fn code(self) -> &'static str {
        match self {
            Self::Chain => "chain",
            Self::Block => "block",
            Self::Root => "log_root",
            Self::Submission => "submission",
            Self::SubmissionLeaf => "submission_leaf",
            Self::Records => "records_root",
            Self::Entry => "entry",
            Self::Leaf => "leaf",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Chain => "链指纹",
            Self::Block => "区块标识",
            Self::Root => "检查点的日志根",
            Self::Submission => "提交摘要",
            Self::SubmissionLeaf => "提交在日志中的叶",
            Self::Records => "记录树根",
            Self::Entry => "存证项",
            Self::Leaf => "存证项在提交中的叶",
        }
    }
}

/// A record as the queue names it.
struct Named {
    record: String,
    kind: String,
}

impl Digests {
    /// Everything on the log and in the tables that has this digest and that the caller may see.
    /// What they may not see is not told apart from what is not there.
    pub(super) async fn find(&self, ctx: &Ctx, digest: Hash) -> Result<Value> {
        // A record is known by its entry; the log holds the leaf over it.
        let leaf = merkle::leaf(&digest);
        let own = self.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let (mut heights, searched) = own.candidates(&digest, BLOCKS_MAX)?;
            heights.extend(own.candidates(&leaf, BLOCKS_MAX)?.0);
            heights.sort_unstable();
            heights.dedup();
            let read = |height: &u64| Contents::read(own.ledger(), *height);
            Ok::<_, Problem>((heights.iter().map(read).collect::<Result<Vec<_>>>()?, searched))
        });
        let (blocks, searched) = looked.await.map_err(Problem::internal)??;
        let mut tx = ctx.snapshot().await?;
        let mut items = Vec::new();
        if self.ledger().genesis().1 == digest {
            items.push(json!({ "what": Known::Chain.code(), "title": Known::Chain.title() }));
        }
        for contents in &blocks {
            of_block(contents, &digest, &mut items)?;
            for (known, wanted) in [(Known::Entry, &leaf), (Known::Leaf, &digest)] {
                self.of_records((ctx, &mut tx), contents, (known, wanted), &mut items).await?;
            }
        }
        let hex = to_hex(&digest);
        for owner in self.0.tamper.owners() {
            for content in owner.holding(ctx, &mut tx, &hex).await? {
                items.push(json!({
                    "what": "content", "title": content.title, "kind": content.kind,
                    "record": content.record, "name": content.name,
                }));
            }
        }
        for file in yj_kernel::attachment::of_digest(ctx, &mut tx, &hex).await? {
            items.push(json!({
                "what": "file", "title": "文件内容", "kind": file.entity, "record": file.record,
                "name": file.name, "file": file.id,
            }));
        }
        let more = items.len() > FOUND_MAX;
        items.truncate(FOUND_MAX);
        let tip = self.ledger().checkpoint()?.map_or(0, |tip| tip.height);
        Ok(json!({
            "digest": hex, "items": items, "more": more, "height": tip,
            "searched": searched.min(tip),
        }))
    }

    async fn of_records(
        &self,
        (ctx, tx): (&Ctx, &mut Tx),
        contents: &Contents,
        (known, leaf): (Known, &Hash),
        items: &mut Vec<Value>,
    ) -> Result<()> {
        for (at, (_, leaves)) in contents.submissions.iter().enumerate() {
            for (position, _) in (0_u32..).zip(leaves).filter(|(_, found)| *found == leaf) {
                let height = contents.block.header.height;
                let place_of = Place { log_index: contents.first + at as u64, position, height };
                let Some(Named { record, kind }) = self.record_at(tx, place_of, leaf).await? else {
                    continue;
                };
                let Some(owner) = self.0.tamper.owner(&kind) else { continue };
                let Some(name) = owner.within_reach(ctx, tx, (&kind, &record)).await? else {
                    continue;
                };
                let mut item = place(contents, Some(at))?;
                item["what"] = known.code().into();
                item["title"] = known.title().into();
                item["record"] = record.into();
                item["kind"] = kind.into();
                item["name"] = name.into();
                items.push(item);
            }
        }
        Ok(())
    }

    /// The record at a place of the log. The queue knows it by its leaf; of one whose leaf is not
    /// there, because it was erased or is of an earlier version, the log's own file says the place.
    async fn record_at(&self, tx: &mut Tx, place: Place, leaf: &Hash) -> Result<Option<Named>> {
        let height = i64::try_from(place.height).map_err(Problem::internal)?;
        let sql = Sql::new(
            "SELECT a.record, CASE WHEN a.envelope = '' THEN t.kind END, a.envelope \
             FROM anchor_entry a LEFT JOIN ledger_tombstone t ON t.record = a.record \
             WHERE a.height = $1 AND (a.leaf = $2 OR a.leaf IS NULL) ORDER BY a.id",
        );
        for row in tx.fetch(sql.arg(height).arg(leaf.to_vec())).await? {
            let record = row.text(0)?;
            let found = self.ledger().store().place(record)?;
            if found.is_some_and(|found| found == place) {
                return Ok(kind(&row)?.map(|kind| Named { record: String::from(record), kind }));
            }
        }
        Ok(None)
    }
}

/// What of the log itself has it: whoever may see the ledger sees all of that.
fn of_block(contents: &Contents, digest: &Hash, items: &mut Vec<Value>) -> Result<()> {
    let header = &contents.block.header;
    let mut add = |known: Known, of: Option<usize>| {
        let mut item = place(contents, of)?;
        item["what"] = known.code().into();
        item["title"] = known.title().into();
        items.push(item);
        Ok::<_, Problem>(())
    };
    if header.block_id() == *digest {
        add(Known::Block, None)?;
    }
    if header.tree_root == *digest {
        add(Known::Root, None)?;
    }
    for (at, (submission, _)) in contents.submissions.iter().enumerate() {
        let bytes = submission.to_bytes();
        for (known, found) in [
            (Known::Submission, yj_crypto::sm3::digest(&bytes)),
            (Known::SubmissionLeaf, merkle::leaf(&bytes)),
            (Known::Records, submission.root),
        ] {
            if found == *digest {
                add(known, Some(at))?;
            }
        }
    }
    Ok(())
}

/// What kind of record a row is of; nothing where nothing says it.
fn kind(row: &Row) -> Result<Option<String>> {
    if let Some(kind) = row.text_opt(1)? {
        return Ok(Some(String::from(kind)));
    }
    let envelope: Option<Value> = serde_json::from_str(row.text(2)?).ok();
    let kind = envelope.as_ref().and_then(|envelope| envelope["type"].as_str());
    Ok(kind.map(String::from))
}

/// Where something is: its block, and the submission within it.
fn place(contents: &Contents, of: Option<usize>) -> Result<Value> {
    let header = &contents.block.header;
    let at = i64::try_from(header.time_ms).unwrap_or(i64::MAX);
    let mut place = json!({
        "height": header.height, "block_id": to_hex(&header.block_id()), "time": time_text(at)?,
        "tree_size": header.tree_size,
    });
    if let Some((at, (submission, _))) = of.and_then(|at| Some((at, contents.submissions.get(at)?)))
    {
        place["submission"] = json!({
            "index": contents.first + at as u64, "org": submission.org, "seq": submission.seq,
            "count": submission.count,
        });
    }
    Ok(place)
}
