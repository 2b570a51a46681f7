//! From blocks to proofs.

use serde_json::Value;
use yj_kernel::{Problem, Result, Sql, Tx, file_name};
use yj_proof::{Bundle, Envelope, LogPath, Record, RecordPath, RegistryPath, Salt, merkle};

use crate::Ledger;

/// What the file of a proof is called: by what it proves. The web calls it the same
/// (`vectors/proof_names.json`).
pub fn proof_name<'a>(told: impl IntoIterator<Item = &'a str>) -> String {
    format!("存证证明-{}.yjproof", file_name(told))
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
        let owner = submission.signer();
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
}

async fn stored(tx: &mut Tx, record: &str) -> Result<(Envelope, Salt)> {
    let sql = Sql::new("SELECT envelope, salt FROM anchor_entry WHERE record = $1");
    let row = tx.fetch_one(sql.arg(record)).await?.ok_or(Problem::NotFound("存证"))?;
    if row.text(0)?.is_empty()
        && let Some(gone) = crate::tamper::erased(tx, record).await?
    {
        return Err(gone);
    }
    let envelope = Envelope::read(row.json(0)?).map_err(Problem::internal)?;
    Ok((envelope, row.blob(1)?.try_into().map_err(Problem::internal)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_proof_is_called_as_the_web_calls_it() {
        let cases: Value =
            serde_json::from_str(include_str!("../vectors/proof_names.json")).unwrap();
        for case in cases.as_array().unwrap() {
            let told = case["told"].as_array().unwrap().iter().filter_map(Value::as_str);
            assert_eq!(proof_name(told), case["name"].as_str().unwrap());
        }
    }
}
