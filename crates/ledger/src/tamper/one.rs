//! The examination of one record, for whoever looks at it.

use serde_json::Value;
use yj_kernel::{Ctx, Result, Tx};

use super::{Difference, Projection, engine, erase};
use crate::Ledger;

/// What a check of one stored record against the ledger found.
#[derive(Debug)]
pub struct Integrity {
    /// Whether everything agrees.
    pub intact: bool,
    /// In words.
    pub finding: String,
    /// Block that holds the record.
    pub height: Option<u64>,
    /// Fields that differ.
    pub differences: Vec<Difference>,
}

impl Integrity {
    fn sound(finding: String, height: Option<u64>) -> Self {
        Self { intact: true, finding, height, differences: Vec::new() }
    }

    fn broken(finding: String, height: u64) -> Self {
        Self { intact: false, finding, height: Some(height), differences: Vec::new() }
    }

    /// As an answer.
    pub fn json(&self) -> Value {
        let difference = |one: &Difference| serde_json::json!({ "field": one.field, "anchored": one.anchored, "found": one.found });
        serde_json::json!({
            "intact": self.intact, "finding": self.finding, "height": self.height,
            "differences": self.differences.iter().map(difference).collect::<Vec<_>>(),
        })
    }
}

impl Ledger {
    /// Compares a stored record with what was anchored of it.
    pub async fn integrity(
        &self,
        (ctx, tx): (&Ctx, &mut Tx),
        owner: &dyn Projection,
        record: &str,
    ) -> Result<Integrity> {
        let Some(place) = self.store().place(record)? else {
            return Ok(Integrity::sound(String::from("尚未上链，暂无可比对的存证"), None));
        };
        let height = place.height;
        let Some(entry) = engine::entries(tx, &[record]).await?.remove(record) else {
            let finding = format!("存证原文已不在，而区块 {height} 中有它：原文被删除过");
            return Ok(Integrity::broken(finding, height));
        };
        let mut blocks = engine::Blocks::new(self);
        if entry.is_erased() {
            let when = blocks.when(place)?;
            let faults = erase::examine(self, tx, &[(record, when)]).await?;
            return Ok(match faults.first() {
                None => {
                    let finding = "已依法删除，存证原文与盐已销毁，墓碑已存证";
                    Integrity::sound(String::from(finding), Some(height))
                }
                Some(fault) => Integrity::broken(fault.detail.clone(), height),
            });
        }
        let Some(envelope) = entry.authentic(blocks.leaf(place)?.as_ref()) else {
            let finding = format!("存证原文与区块 {height} 中的摘要不符：原文被改动过");
            return Ok(Integrity::broken(finding, height));
        };
        let row = owner.project(ctx, tx, &[&envelope]).await?.remove(record);
        let Some(row) = row else {
            let finding = format!("存证于区块 {height} 的记录已不在业务表中：记录被删除过");
            return Ok(Integrity::broken(finding, height));
        };
        let differences = row.differences(&envelope);
        if differences.is_empty() {
            let finding = format!("与区块 {height} 中的存证一致，自存证以来未被改动");
            return Ok(Integrity::sound(finding, Some(height)));
        }
        let names: Vec<_> = differences.iter().map(|one| one.field.as_str()).collect();
        let finding = format!("数据与区块 {height} 中的存证不符：{} 被改动过", names.join("、"));
        Ok(Integrity { intact: false, finding, height: Some(height), differences })
    }
}
