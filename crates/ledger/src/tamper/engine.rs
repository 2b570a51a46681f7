//! A pass in small steps: bounded memory, no writes, and it can go on where it was interrupted.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use yj_kernel::{Ctx, Problem, Result, Row, Sql, Tx};
use yj_proof::{AttestedBy, Envelope, Hash};

use super::{
    Derivation, Projection, erase,
    finding::{Found, What},
    rules::{self, Entry, When},
    walk::{self, Held, Stride, Walk},
};
use crate::{Ledger, store::Place};

/// Blocks of one step.
const BLOCKS: usize = 200;
/// Records of one step.
pub(crate) const RECORDS: usize = 500;
/// Rows of the queue of one step.
const ENTRIES: i64 = 2_000;
/// Business rows of one step.
pub(crate) const FACTS: i64 = 1_000;

/// What a pass has looked at so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// 区块
    pub blocks: u64,
    /// 区块中的记录：原文与列逐项核对
    pub records: u64,
    /// 标为已确认的存证项
    pub entries: u64,
    /// 应有存证的业务记录，与由存证记录推算的行
    pub facts: u64,
    /// 依法删除、留有墓碑的记录
    pub erased: u64,
    /// 发现
    pub findings: u64,
}

/// What a pass looks at next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    Blocks(Walk),
    Records { after: String },
    Entries { after: i64 },
    Facts { owner: usize, after: String },
    Derived { table: usize, after: String },
    Done,
}

/// How far a pass has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) pass: String,
    pub(crate) phase: Phase,
    pub(crate) counts: Counts,
    pub(crate) worked_ms: i64,
}

impl Progress {
    /// A pass over everything.
    pub(crate) fn full(ledger: &Ledger, pass: &str) -> Result<Self> {
        let phase = Phase::Blocks(Walk::new(ledger.store().record_count()?));
        Ok(Self { pass: String::from(pass), phase, counts: Counts::default(), worked_ms: 0 })
    }
}

impl Phase {
    /// Whether this comes after another. What is read in the order of an index goes on for ever
    /// where the index is damaged.
    fn follows(&self, before: &Self) -> bool {
        match (before, self) {
            (Self::Records { after: before }, Self::Records { after }) => after > before,
            (Self::Entries { after: before }, Self::Entries { after }) => after > before,
            (Self::Facts { owner: one, after: before }, Self::Facts { owner: two, after })
            | (Self::Derived { table: one, after: before }, Self::Derived { table: two, after }) => {
                two > one || (two == one && is_behind(before, after))
            }
            _ => true,
        }
    }
}

/// Whether a cursor comes after another of the same owner: numbers as numbers, names as names.
fn is_behind(before: &str, after: &str) -> bool {
    match (before.parse::<i64>(), after.parse::<i64>()) {
        (Ok(before), Ok(after)) => after > before,
        _ => after > before,
    }
}

/// What the steps of a pass are taken with.
pub(crate) struct Look<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) owners: &'a [Box<dyn Projection>],
    pub(crate) derived: &'a [Box<dyn Derivation>],
    pub(crate) held: &'a [Held],
    pub(crate) ctx: &'a Ctx,
}

impl Look<'_> {
    /// The next step. What it finds is appended.
    pub(crate) async fn step(&self, progress: &mut Progress, found: &mut Vec<Found>) -> Result<()> {
        let before = found.len();
        let counts = &mut progress.counts;
        let next = match &progress.phase {
            Phase::Blocks(walk) => self.blocks(walk.clone(), counts, found)?,
            Phase::Records { after } => self.records(after, counts, found).await?,
            Phase::Entries { after } => self.entries(*after, counts, found).await?,
            Phase::Facts { owner, after } => self.facts((*owner, after), counts, found).await?,
            Phase::Derived { table, after } => self.derived((*table, after), counts, found).await?,
            Phase::Done => Phase::Done,
        };
        if !next.follows(&progress.phase) {
            let damaged = "数据库的索引次序错乱，可能已损坏：检查不能继续";
            return Err(Problem::internal(damaged));
        }
        progress.phase = next;
        progress.counts.findings += (found.len() - before) as u64;
        Ok(())
    }

    fn blocks(&self, mut walk: Walk, counts: &mut Counts, found: &mut Vec<Found>) -> Result<Phase> {
        let stride = walk::stride(self.ledger, (&mut walk, self.held), BLOCKS, found)?;
        counts.blocks = walk.height;
        if stride == Stride::On {
            return Ok(Phase::Blocks(walk));
        }
        let indexed = self.ledger.store().record_count()?;
        if stride == Stride::Arrived && !(walk.indexed..=indexed).contains(&walk.records) {
            let detail =
                format!("各提交共有 {} 条记录，而账本的索引中有 {indexed} 条", walk.records);
            found
                .push(Found::new(What::Block, "block:index", detail).of("block", "账本的记录索引"));
        }
        Ok(Phase::Records { after: String::new() })
    }

    async fn records(
        &self,
        after: &str,
        counts: &mut Counts,
        found: &mut Vec<Found>,
    ) -> Result<Phase> {
        let batch = self.ledger.store().records_behind(after, RECORDS)?;
        let Some((last, _)) = batch.last() else { return Ok(Phase::Entries { after: 0 }) };
        let last = last.clone();
        counts.erased += self.examine(&batch, found).await?;
        counts.records += batch.len() as u64;
        Ok(Phase::Records { after: last })
    }

    /// Records of the log against the queue and the tables; how many of them were erased.
    pub(crate) async fn examine(
        &self,
        batch: &[(String, Place)],
        found: &mut Vec<Found>,
    ) -> Result<u64> {
        let mut tx = self.ctx.snapshot().await?;
        let names: Vec<&str> = batch.iter().map(|(record, _)| record.as_str()).collect();
        let entries = entries(&mut tx, &names).await?;
        let mut blocks = Blocks::new(self.ledger);
        let (mut sound, mut erased) = (Vec::new(), Vec::new());
        for (record, place) in batch {
            let when = blocks.when(*place)?;
            let Some(entry) = entries.get(record) else {
                let detail = "区块中有这条记录，存证原文却已不在，也没有墓碑";
                let gone = Found::new(What::EntryRemoved, record, detail);
                found.push(gone.in_block(place.height, when.at));
                continue;
            };
            let marks = rules::place_and_time(entry, when).into_iter();
            found.extend(marks.map(|one| one.in_block(place.height, when.at)));
            if entry.is_erased() {
                erased.push((record.as_str(), when));
                continue;
            }
            match entry.authentic(blocks.leaf(*place)?.as_ref()) {
                Some(envelope) => sound.push((envelope, when)),
                None => found.push(unauthentic(entry).in_block(place.height, when.at)),
            }
        }
        let graves = erase::examine(self.ledger, &mut tx, &erased).await?;
        let lawful = erased.len().saturating_sub(graves.len());
        found.extend(graves);
        self.columns(&mut tx, &sound, found).await?;
        Ok(lawful as u64)
    }

    async fn columns(
        &self,
        tx: &mut Tx,
        sound: &[(Envelope, When)],
        found: &mut Vec<Found>,
    ) -> Result<()> {
        let mut by_owner: BTreeMap<usize, Vec<(&Envelope, When)>> = BTreeMap::new();
        for (envelope, when) in sound {
            let late = when.at.and_then(|at| rules::registered_before(envelope, at));
            if let Some(late) = late {
                found.push(late.of(envelope.kind(), "").in_block(when.height, when.at));
            }
            let kind = envelope.kind();
            let owner = self.owners.iter().position(|owner| owner.kinds().contains(&kind));
            if let Some(owner) = owner {
                by_owner.entry(owner).or_default().push((envelope, *when));
            } else {
                let detail = format!("没有种类为 {} 的记录", envelope.kind());
                let unknown = Found::new(What::Unknown, envelope.id(), detail);
                found.push(unknown.of(envelope.kind(), "").in_block(when.height, when.at));
            }
        }
        for (owner, own) in by_owner {
            let envelopes: Vec<&Envelope> = own.iter().map(|(envelope, _)| *envelope).collect();
            let rows = self.owners[owner].project(self.ctx, tx, &envelopes).await?;
            for (envelope, when) in own {
                found.extend(compare(envelope, rows.get(envelope.id()), when));
            }
        }
        Ok(())
    }

    async fn entries(
        &self,
        after: i64,
        counts: &mut Counts,
        found: &mut Vec<Found>,
    ) -> Result<Phase> {
        let mut tx = self.ctx.snapshot().await?;
        let sql = Sql::new(
            "SELECT id, record, height, confirmed_at FROM anchor_entry \
             WHERE id > $1 AND state = 'confirmed' ORDER BY id LIMIT $2",
        );
        let rows = tx.fetch(sql.arg(after).arg(ENTRIES)).await?;
        let Some(last) = rows.last() else {
            return Ok(Phase::Facts { owner: 0, after: String::new() });
        };
        let last = last.int(0)?;
        self.forged(&rows, found)?;
        counts.entries += rows.len() as u64;
        Ok(Phase::Entries { after: last })
    }

    /// Rows that say they are confirmed and are in no block: id, record, height, confirmed_at.
    pub(crate) fn forged(&self, rows: &[Row], found: &mut Vec<Found>) -> Result<()> {
        let names = rows.iter().map(|row| row.text(1)).collect::<Result<Vec<_>>>()?;
        let places = self.ledger.store().places(&names)?;
        for (row, record) in rows.iter().zip(names) {
            if places.contains_key(record) {
                continue;
            }
            let detail = "标为已确认，而任何区块中都没有它";
            let mut forged = Found::new(What::Forged, record, detail);
            forged.at = row.int_opt(3)?;
            forged.height = row.int_opt(2)?.and_then(|height| u64::try_from(height).ok());
            if let Some(height) = forged.height {
                let block = self.ledger.store().block(height)?;
                let at = block.and_then(|block| i64::try_from(block.header.time_ms).ok());
                forged.at = at.or(forged.at);
            }
            found.push(forged);
        }
        Ok(())
    }

    async fn facts(
        &self,
        (owner, after): (usize, &str),
        counts: &mut Counts,
        found: &mut Vec<Found>,
    ) -> Result<Phase> {
        let Some(table) = self.owners.get(owner) else {
            return Ok(Phase::Derived { table: 0, after: String::new() });
        };
        let mut tx = self.ctx.snapshot().await?;
        let facts = table.facts(&mut tx, after, FACTS).await?;
        let Some(last) = facts.last() else {
            return Ok(Phase::Facts { owner: owner + 1, after: String::new() });
        };
        let names: Vec<&str> = facts.iter().map(|fact| fact.record.as_str()).collect();
        let mut sql = Sql::new("SELECT record FROM anchor_entry WHERE record ");
        sql.bind_texts(names.iter().copied());
        let known = tx.fetch(sql).await?;
        let known = known.iter().map(|row| row.text(0)).collect::<Result<BTreeSet<_>>>()?;
        let kind = table.kinds().first().copied().unwrap_or_default();
        for fact in facts.iter().filter(|fact| !known.contains(fact.record.as_str())) {
            let detail = "已接收而不在存证队列中，也不在区块中：不是经平台登记的";
            let mut added = Found::new(What::Unanchored, &fact.record, detail).of(kind, &fact.name);
            added.at = Some(fact.at);
            // In a block, it is the text on the ledger that was taken away; that is said there.
            if self.ledger.store().place(&fact.record)?.is_none() {
                found.push(added);
            }
        }
        counts.facts += facts.len() as u64;
        Ok(Phase::Facts { owner, after: last.cursor.clone() })
    }

    async fn derived(
        &self,
        (table, after): (usize, &str),
        counts: &mut Counts,
        found: &mut Vec<Found>,
    ) -> Result<Phase> {
        let Some(owner) = self.derived.get(table) else { return Ok(Phase::Done) };
        let mut tx = self.ctx.snapshot().await?;
        let looked = owner.look(self.ctx, &mut tx, after, FACTS).await?;
        counts.facts += looked.rows;
        found.extend(looked.found);
        Ok(match looked.last {
            Some(after) => Phase::Derived { table, after },
            None => Phase::Derived { table: table + 1, after: String::new() },
        })
    }
}

fn unauthentic(entry: &Entry) -> Found {
    let detail = "存证原文或盐与区块中的摘要不符";
    let found = Found::new(What::Envelope, &entry.record, detail);
    let kind = serde_json::from_str::<serde_json::Value>(&entry.envelope).ok();
    let kind = kind.as_ref().and_then(|envelope| envelope["type"].as_str()).unwrap_or_default();
    found.of(kind, "")
}

/// A record against what the tables say of it.
fn compare(envelope: &Envelope, row: Option<&super::Projected>, when: When) -> Option<Found> {
    let found = match row {
        None => Found::new(What::Removed, envelope.id(), "存证过的记录已不在业务表中")
            .of(envelope.kind(), ""),
        Some(row) => {
            let fields = row.differences(envelope);
            if fields.is_empty() {
                return None;
            }
            let names: Vec<&str> = fields.iter().map(|field| field.field.as_str()).collect();
            let detail = format!("{} 与存证不符", names.join("、"));
            let mut found = Found::new(What::Changed, envelope.id(), detail);
            found.fields = fields;
            found.of(envelope.kind(), &row.name)
        }
    };
    Some(found.in_block(when.height, when.at))
}

/// The queue's rows of some records.
pub(crate) async fn entries(tx: &mut Tx, records: &[&str]) -> Result<BTreeMap<String, Entry>> {
    let mut sql = Sql::new(
        "SELECT record, org, envelope, salt, state, queued_at, height, confirmed_at \
         FROM anchor_entry WHERE record ",
    );
    sql.bind_texts(records.iter().copied());
    let read = |row: &Row| {
        let record = String::from(row.text(0)?);
        let entry = Entry {
            record: record.clone(),
            org: String::from(row.text(1)?),
            envelope: String::from(row.text(2)?),
            salt: row.blob(3)?.to_vec(),
            state: String::from(row.text(4)?),
            queued_at: row.int(5)?,
            height: row.int_opt(6)?,
            confirmed_at: row.int_opt(7)?,
        };
        Ok((record, entry))
    };
    tx.fetch(sql).await?.iter().map(read).collect()
}

/// Blocks and submissions that a batch of records lies in.
pub(crate) struct Blocks<'a> {
    ledger: &'a Ledger,
    times: BTreeMap<u64, Option<i64>>,
    contents: BTreeMap<u64, (bool, Vec<Hash>)>,
}

impl<'a> Blocks<'a> {
    pub(crate) fn new(ledger: &'a Ledger) -> Self {
        Self { ledger, times: BTreeMap::new(), contents: BTreeMap::new() }
    }

    fn time(&mut self, height: u64) -> Result<Option<i64>> {
        if let Some(at) = self.times.get(&height) {
            return Ok(*at);
        }
        let block = self.ledger.store().block(height)?;
        let at = block.and_then(|block| i64::try_from(block.header.time_ms).ok());
        self.times.insert(height, at);
        Ok(at)
    }

    fn contents(&mut self, log_index: u64) -> Result<&(bool, Vec<Hash>)> {
        if !self.contents.contains_key(&log_index) {
            let read = self.ledger.store().contents(log_index, log_index + 1)?.pop();
            let content = read.map_or((true, Vec::new()), |(submission, leaves)| {
                (submission.attested_by == AttestedBy::Platform, leaves)
            });
            self.contents.insert(log_index, content);
        }
        self.contents.get(&log_index).ok_or_else(|| Problem::internal("a submission was lost"))
    }

    /// When a record was put into its block.
    pub(crate) fn when(&mut self, place: Place) -> Result<When> {
        let at = self.time(place.height)?;
        let before = match place.height {
            0 | 1 => None,
            height => self.time(height - 1)?,
        };
        let by_platform = self.contents(place.log_index)?.0;
        Ok(When { height: place.height, at, before, by_platform })
    }

    /// The leaf of a record; `None` where the ledger lost it.
    pub(crate) fn leaf(&mut self, place: Place) -> Result<Option<Hash>> {
        let (_, leaves) = self.contents(place.log_index)?;
        Ok(usize::try_from(place.position).ok().and_then(|at| leaves.get(at)).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_over_many_rows_is_not_taken_for_a_damaged_index() {
        let facts = |owner, after: &str| Phase::Facts { owner, after: String::from(after) };
        for (before, after) in [
            ("", "1000"),
            ("9000", "10000"),
            ("99", "100"),
            ("019a-1", "019a-2"),
            ("10000", "transactions, behind: "),
            ("f19a-1", "readings after the last message"),
        ] {
            assert!(facts(2, after).follows(&facts(2, before)), "{before} {after}");
            assert!(!facts(2, before).follows(&facts(2, after)), "{after} {before}");
        }
        assert!(!facts(2, "10").follows(&facts(2, "10")), "goes on");
        assert!(facts(3, "").follows(&facts(2, "10")), "the next owner");
    }
}
