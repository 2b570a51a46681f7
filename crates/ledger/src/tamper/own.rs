//! The ledger's own records: ends of the audit chains, and tombstones.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use yj_crypto::to_hex;
use yj_kernel::{Ctx, Result, Sql, Tx, audit, time_text};
use yj_proof::Envelope;

use super::{Fact, Projected, Projection, erase::TOMBSTONE};

/// 审计链尾
pub(crate) struct AuditHeads;

impl Projection for AuditHeads {
    fn kinds(&self) -> &'static [&'static str] {
        &["audit_head"]
    }

    fn project<'a>(
        &'a self,
        _: &'a Ctx,
        tx: &'a mut Tx,
        anchored: &'a [&'a Envelope],
    ) -> BoxFuture<'a, Result<BTreeMap<String, Projected>>> {
        Box::pin(async move {
            let mut wanted: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
            for (lane, seq) in anchored.iter().flat_map(|one| heads(one)) {
                wanted.entry(lane).or_default().insert(seq);
            }
            let mut digests = BTreeMap::new();
            for (lane, seqs) in wanted {
                let mut sql = Sql::new("SELECT seq, digest FROM audit_log WHERE lane = ");
                sql.bind(lane).push(" AND seq ").bind_ints(seqs);
                for row in tx.fetch(sql).await? {
                    digests.insert((lane, row.int(0)?), String::from(row.text(1)?));
                }
            }
            let rows = anchored.iter().map(|one| {
                let found: Vec<_> = heads(one)
                    .map(|(lane, seq)| (lane, seq, digests.get(&(lane, seq)).cloned()))
                    .collect();
                let ends: Vec<_> = found
                    .iter()
                    .map(|(lane, seq, digest)| audit::Head {
                        lane: *lane,
                        seq: *seq,
                        digest: digest.clone().unwrap_or_default(),
                    })
                    .collect();
                let head = |(lane, seq, digest): &(i64, i64, Option<String>)| json!({ "lane": lane, "seq": seq, "digest": digest });
                let columns = json!({
                    "heads": found.iter().map(head).collect::<Vec<_>>(),
                    "digest": to_hex(&audit::digest_of(&ends)),
                });
                (String::from(one.id()), Projected::new("审计链尾", columns))
            });
            Ok(rows.collect())
        })
    }

    fn facts<'a>(&'a self, _: &'a mut Tx, _: &'a str, _: i64) -> BoxFuture<'a, Result<Vec<Fact>>> {
        // Not every act has an end of its own on the ledger; the trail itself is examined by S-23.
        Box::pin(async { Ok(Vec::new()) })
    }

    fn within_reach<'a>(
        &'a self,
        ctx: &'a Ctx,
        _: &'a mut Tx,
        _: (&'a str, &'a str),
    ) -> BoxFuture<'a, Result<Option<String>>> {
        let may = ctx.allows("audit:read");
        Box::pin(async move { Ok(may.then(|| String::from("审计链尾"))) })
    }
}

fn heads(envelope: &Envelope) -> impl Iterator<Item = (i64, i64)> {
    let heads = envelope.body()["heads"].as_array().map(Vec::as_slice).unwrap_or_default();
    heads.iter().filter_map(|head: &Value| Some((head["lane"].as_i64()?, head["seq"].as_i64()?)))
}

/// 墓碑
pub(crate) struct Tombstones;

impl Projection for Tombstones {
    fn kinds(&self) -> &'static [&'static str] {
        &[TOMBSTONE]
    }

    fn project<'a>(
        &'a self,
        _: &'a Ctx,
        tx: &'a mut Tx,
        anchored: &'a [&'a Envelope],
    ) -> BoxFuture<'a, Result<BTreeMap<String, Projected>>> {
        Box::pin(async move {
            let mut sql = Sql::new(
                "SELECT tombstone, record, kind, ground, organization, at FROM ledger_tombstone \
                 WHERE tombstone ",
            );
            sql.bind_texts(anchored.iter().map(|one| one.id()));
            let mut found = BTreeMap::new();
            for row in tx.fetch(sql).await? {
                let columns = json!({
                    "record": row.text(1)?, "kind": row.text(2)?, "ground": row.text(3)?,
                    "organization": row.text(4)?, "at": time_text(row.int(5)?)?,
                });
                found.insert(String::from(row.text(0)?), Projected::new("墓碑", columns));
            }
            Ok(found)
        })
    }

    fn facts<'a>(
        &'a self,
        tx: &'a mut Tx,
        after: &'a str,
        most: i64,
    ) -> BoxFuture<'a, Result<Vec<Fact>>> {
        Box::pin(async move {
            let sql = Sql::new(
                "SELECT record, tombstone, at FROM ledger_tombstone WHERE record > $1 \
                 ORDER BY record LIMIT $2",
            );
            let read = |row: &yj_kernel::Row| {
                Ok(Fact {
                    cursor: String::from(row.text(0)?),
                    record: String::from(row.text(1)?),
                    name: String::from("墓碑"),
                    at: row.int(2)?,
                })
            };
            tx.fetch(sql.arg(after).arg(most)).await?.iter().map(read).collect()
        })
    }

    fn within_reach<'a>(
        &'a self,
        ctx: &'a Ctx,
        _: &'a mut Tx,
        _: (&'a str, &'a str),
    ) -> BoxFuture<'a, Result<Option<String>>> {
        let may = ctx.allows("ledger:check");
        Box::pin(async move { Ok(may.then(|| String::from("墓碑"))) })
    }
}
