//! 删除 (S-35, ADR 36): a record that itself names a natural person is erased whole: the canonical text
//! and its salt are destroyed, so that the leaf on the ledger means nothing any more, and a 墓碑 says on
//! the ledger that there was a record, when it was erased, on what ground and by whom. The log stays as it
//! is.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use yj_kernel::{App, Ctx, Problem, Result, Sql, Tx, audit, time_text};
use yj_model::OffsetTime;
use yj_proof::Envelope;

use super::{
    Projection,
    engine::{Blocks, entries},
    finding::{Found, What},
    rules::When,
};
use crate::{Ledger, Pending, enqueue};

/// The kind of record that says that another was erased.
pub(crate) const TOMBSTONE: &str = "tombstone";
/// In whose name tombstones are anchored: the code of an erased record's subject may itself lead to a
/// person.
const ORGANIZATION: &str = "platform";
/// Records that never name a person and are never erased.
const KEPT: [&str; 2] = [TOMBSTONE, "audit_head"];

/// 删除的依据（《个人信息保护法》第四十七条）. A code, so that the tombstone says nothing of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// 处理目的已实现、无法实现或不再必要
    PurposeEnded,
    /// 不再提供服务，或保存期限已届满
    PeriodEnded,
    /// 个人撤回同意
    ConsentWithdrawn,
    /// 违反法律、行政法规或约定处理
    Unlawful,
    /// 法律、行政法规规定的其他情形
    Other,
}

impl Ground {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::PurposeEnded => "purpose_ended",
            Self::PeriodEnded => "period_ended",
            Self::ConsentWithdrawn => "consent_withdrawn",
            Self::Unlawful => "unlawful",
            Self::Other => "other",
        }
    }
}

/// What a tombstone says.
struct Grave {
    tombstone: String,
    kind: String,
    ground: String,
    organization: String,
    at: i64,
}

impl Grave {
    fn body(&self, record: &str) -> Result<Value> {
        Ok(json!({
            "record": record, "kind": self.kind, "ground": self.ground,
            "organization": self.organization, "at": time_text(self.at)?,
        }))
    }
}

impl Ledger {
    /// Destroys the text and the salt of a record, and leaves a tombstone. After the transaction,
    /// [`Ledger::keep_erasure`]. Erasing again changes nothing.
    pub async fn erase(
        &self,
        ctx: &Ctx,
        tx: &mut Tx,
        (record, ground): (&str, Ground),
    ) -> Result<()> {
        let known = entries(tx, &[record]).await?.remove(record);
        let entry = known.ok_or(Problem::NotFound("存证"))?;
        if entry.is_erased() {
            return Ok(());
        }
        if self.store().place(record)?.is_none() {
            let detail = "记录尚未上链，请在其确认之后（通常不超过 1 秒）再删除";
            return Err(Problem::Conflict(String::from(detail)));
        }
        let text = serde_json::from_str(&entry.envelope).map_err(Problem::internal)?;
        let envelope = Envelope::read(text).map_err(Problem::internal)?;
        if KEPT.contains(&envelope.kind()) {
            let detail = "墓碑与审计链尾不含个人信息，不能删除";
            return Err(Problem::Conflict(String::from(detail)));
        }
        let grave = Grave {
            tombstone: ctx.new_id::<()>().to_string(),
            kind: String::from(envelope.kind()),
            ground: String::from(ground.code()),
            organization: ctx.principal().organization.clone(),
            at: ctx.now_ms(),
        };
        destroy(tx, record);
        let insert = Sql::new(
            "INSERT INTO ledger_tombstone (record, tombstone, kind, ground, organization, at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        );
        let insert = insert.arg(record).arg(&grave.tombstone).arg(&grave.kind).arg(&grave.ground);
        tx.later([insert.arg(&grave.organization).arg(grave.at)]);
        let (name, time) = (grave.tombstone.as_str(), ctx.now.to_string());
        let envelope = Envelope::new(TOMBSTONE, name, ORGANIZATION, &time, grave.body(record)?);
        let envelope = envelope.map_err(Problem::internal)?;
        enqueue(ctx, tx, &[Pending { record: name, envelope: &envelope }])
    }

    /// Remembers, in the ledger's own file, that a record was erased: a backup from before brings
    /// nothing back, and nobody who writes to the database alone can feign an erasure.
    pub fn keep_erasure(&self, ctx: &Ctx, record: &str) -> Result<()> {
        self.store().keep_tomb(record, ctx.now_ms())?;
        self.ring();
        Ok(())
    }
}

fn destroy(tx: &mut Tx, record: &str) {
    let nothing: Vec<u8> = Vec::new();
    let sql =
        Sql::new("UPDATE anchor_entry SET envelope = '', salt = $1, leaf = NULL WHERE record = $2");
    tx.later([sql.arg(nothing).arg(record)]);
}

async fn graves(tx: &mut Tx, records: &[&str]) -> Result<BTreeMap<String, Grave>> {
    let mut sql = Sql::new(
        "SELECT record, tombstone, kind, ground, organization, at FROM ledger_tombstone \
         WHERE record ",
    );
    sql.bind_texts(records.iter().copied());
    let mut found = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let text = |index| row.text(index).map(String::from);
        let grave = Grave {
            tombstone: text(1)?,
            kind: text(2)?,
            ground: text(3)?,
            organization: text(4)?,
            at: row.int(5)?,
        };
        found.insert(text(0)?, grave);
    }
    Ok(found)
}

/// What is wrong about records without a text: each must have a tombstone on the ledger, or on its way
/// there, and the ledger's file must know of the erasure.
pub(crate) async fn examine(
    ledger: &Ledger,
    tx: &mut Tx,
    erased: &[(&str, When)],
) -> Result<Vec<Found>> {
    if erased.is_empty() {
        return Ok(Vec::new());
    }
    let records: Vec<&str> = erased.iter().map(|(record, _)| *record).collect();
    let (graves, tombs) = (graves(tx, &records).await?, ledger.store().tombs(&records)?);
    let names: Vec<&str> = graves.values().map(|grave| grave.tombstone.as_str()).collect();
    let stones = entries(tx, &names).await?;
    let mut blocks = Blocks::new(ledger);
    let mut found = Vec::new();
    for (record, when) in erased {
        let fault = match graves.get(*record) {
            None => Some("存证原文已空，却没有墓碑"),
            Some(grave) => match stones.get(&grave.tombstone) {
                None => Some("墓碑不在存证队列中"),
                Some(stone) => {
                    let place = ledger.store().place(&grave.tombstone)?;
                    let leaf = place.map(|place| blocks.leaf(place)).transpose()?.flatten();
                    let sound = if place.is_some() {
                        let body = grave.body(record)?;
                        stone.authentic(leaf.as_ref()).is_some_and(|one| *one.body() == body)
                    } else {
                        // On its way: the next pass sees it in its block.
                        stone.state != "confirmed"
                    };
                    (!sound).then_some("墓碑与区块中的存证不符")
                }
            },
        };
        let unknown = "墓碑不是经平台的删除留下的；如删除中断过，请再次删除该记录";
        let fault = fault.or_else(|| (!tombs.contains_key(*record)).then_some(unknown));
        if let Some(fault) = fault {
            let one = Found::new(What::Erasure, record, fault);
            found.push(one.in_block(when.height, when.at));
        }
    }
    Ok(found)
}

/// Which of these records were erased, as their tombstones say.
pub async fn erased_of(tx: &mut Tx, records: &[&str]) -> Result<BTreeSet<String>> {
    Ok(graves(tx, records).await?.into_keys().collect())
}

/// Whether a record was erased: what to answer whoever asks for its proof.
pub(crate) async fn told(tx: &mut Tx, record: &str) -> Result<Option<Problem>> {
    let Some(grave) = graves(tx, &[record]).await?.remove(record) else { return Ok(None) };
    let at = OffsetTime::from_parts(grave.at, 480).map_err(Problem::internal)?;
    Ok(Some(Problem::Gone(format!(
        "该记录已于 {} 依法删除，存证原文与盐已销毁，不再能出具证明；删除本身由墓碑 {} 存证",
        at.in_words(),
        grave.tombstone
    ))))
}

/// Erases again what a backup has brought back; how many records that were. Run before anything is
/// answered.
pub(super) async fn apply_erasures(
    app: &App,
    ledger: &Ledger,
    owners: &[Box<dyn Projection>],
) -> Result<usize> {
    const CHUNK: usize = 500;
    let tombs = ledger.store().all_tombs()?;
    let mut count = 0;
    for chunk in tombs.chunks(CHUNK) {
        let ctx = app.on_own_behalf("retention");
        let mut tx = ctx.begin().await?;
        let names: Vec<&str> = chunk.iter().map(|(record, _)| record.as_str()).collect();
        let known = entries(&mut tx, &names).await?;
        // What never came to the ledger has no tombstone, and is erased again without being asked.
        for record in names.iter().filter(|name| !known.contains_key(**name)) {
            for owner in owners {
                owner.forget(&ctx, &mut tx, record).await?;
            }
        }
        let back: Vec<&str> = known
            .values()
            .filter(|entry| !entry.is_erased())
            .map(|entry| entry.record.as_str())
            .collect();
        if back.is_empty() {
            tx.commit().await?;
            continue;
        }
        for record in &back {
            destroy(&mut tx, record);
            for owner in owners {
                owner.forget(&ctx, &mut tx, record).await?;
            }
        }
        let body = json!({ "records": back, "reason": "备份恢复后重新删除" });
        let entry = audit::Entry { action: "erased", entity: "anchor_entry", record: "", body };
        audit::write(&ctx, &mut tx, entry);
        count += back.len();
        tx.commit().await?;
    }
    Ok(count)
}
