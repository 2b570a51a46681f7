//! From blocks to proofs.

use serde_json::Value;
use yj_kernel::{Problem, Result, Sql, Tx};
use yj_proof::{
    AttestedBy, Bundle, Envelope, LogPath, Record, RecordPath, RegistryPath, Salt, compare_columns,
    merkle,
};

use crate::{Ledger, register::PLATFORM};

/// What a check of one stored record against the ledger found.
#[derive(Debug)]
pub struct Integrity {
    /// Whether everything agrees.
    pub intact: bool,
    /// In words.
    pub finding: String,
    /// Block that holds the record.
    pub height: Option<u64>,
    /// Fields that differ: name, anchored, found.
    pub differences: Vec<(String, Value, Value)>,
}

impl Ledger {
    /// The proof file of a record; a problem while it is not yet confirmed.
    pub async fn proof(&self, tx: &mut Tx, record: &str) -> Result<Vec<u8>> {
        self.bundle(tx, record).await?.to_bytes().map_err(Problem::internal)
    }

    /// The same for eyes that may see only some fields: those for which `shown` says so, given
    /// their JSON pointer and value.
    pub async fn partial_proof(
        &self,
        tx: &mut Tx,
        record: &str,
        shown: impl Fn(&str, &Value) -> bool,
    ) -> Result<Vec<u8>> {
        let partial = self.bundle(tx, record).await?.disclosing(shown);
        let partial = partial.ok_or_else(|| Problem::internal("a record without fields"))?;
        partial.to_bytes().map_err(Problem::internal)
    }

    async fn bundle(&self, tx: &mut Tx, record: &str) -> Result<Bundle> {
        let (envelope, salt) = stored(tx, record).await?;
        let inner = &*self.0;
        let place = inner.store.place(record)?.ok_or_else(|| {
            Problem::Conflict(String::from("记录尚未上链，证明稍后可取（通常不超过 1 秒）"))
        })?;
        let block = inner
            .store
            .block(place.height)?
            .ok_or_else(|| Problem::internal("a block is missing"))?;
        let (submission, leaves) = inner.store.submission(place.log_index)?;
        let registry = self.register(|register| register.at(place.height));
        let owner = match submission.attested_by {
            AttestedBy::Enterprise => submission.org.as_str(),
            AttestedBy::Platform => PLATFORM,
        };
        let key = registry.get(owner, &submission.kid).cloned();
        let path = registry.path(owner, &submission.kid);
        let (Some(key), Some((index, size, path))) = (key, path) else {
            return Err(Problem::internal("the key of a submission is not registered"));
        };
        Ok(Bundle {
            content: Record::Whole { envelope, salt },
            record: RecordPath {
                index: u64::from(place.position),
                path: merkle::inclusion_path_of(&leaves, u64::from(place.position)),
            },
            submission,
            key,
            registry: RegistryPath { index, size, path },
            log: LogPath {
                index: place.log_index,
                path: inner.store.of_nodes(|nodes| {
                    merkle::inclusion_path(place.log_index, block.header.tree_size, nodes)
                })?,
            },
            validators: inner.genesis.validators.clone(),
            genesis: inner.genesis.clone(),
            changes: Vec::new(),
            witness: self.witnesses_of(&block.header)?,
            anchors: self.anchors_of(&block.header)?,
            header: block.header,
            certificate: block.certificate,
        })
    }

    /// Compares a stored row with what was anchored. `columns` is the row in the shape of the
    /// envelope's body.
    pub async fn check(&self, tx: &mut Tx, record: &str, columns: &Value) -> Result<Integrity> {
        let Some(place) = self.0.store.place(record)? else {
            let finding = String::from("尚未上链，暂无可比对的存证");
            return Ok(Integrity { intact: true, finding, height: None, differences: Vec::new() });
        };
        let (envelope, salt) = stored(tx, record).await?;
        let (_, leaves) = self.0.store.submission(place.log_index)?;
        let leaf = merkle::leaf(&envelope.entry(&salt).map_err(Problem::internal)?);
        let differences = compare_columns(&envelope, columns);
        let anchored =
            usize::try_from(place.position).ok().and_then(|at| leaves.get(at)) == Some(&leaf);
        let finding = match (anchored, differences.as_slice()) {
            (false, _) => format!("存证原文与区块 {} 中的摘要不符：原文被改动过", place.height),
            (true, []) => format!("与区块 {} 中的存证一致，自存证以来未被改动", place.height),
            (true, changed) => {
                let names: Vec<_> = changed.iter().map(|(name, _, _)| name.as_str()).collect();
                format!("数据与区块 {} 中的存证不符：{} 被改动过", place.height, names.join("、"))
            }
        };
        let intact = anchored && differences.is_empty();
        Ok(Integrity { intact, finding, height: Some(place.height), differences })
    }
}

async fn stored(tx: &mut Tx, record: &str) -> Result<(Envelope, Salt)> {
    let sql = Sql::new("SELECT envelope, salt FROM anchor_entry WHERE record = $1");
    let row = tx.fetch_one(sql.arg(record)).await?.ok_or(Problem::NotFound("存证"))?;
    let envelope = Envelope::read(row.json(0)?).map_err(Problem::internal)?;
    Ok((envelope, row.blob(1)?.try_into().map_err(Problem::internal)?))
}
