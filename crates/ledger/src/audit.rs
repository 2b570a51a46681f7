//! The audit trail on the ledger (S-23): the ends of its chains are anchored, so that whoever
//! computes a whole chain anew is found out.

use futures_util::future::BoxFuture;
use serde_json::json;
use yj_kernel::{App, Problem, Result, Tx, Witness, audit};
use yj_proof::Envelope;

use crate::{Ledger, Pending, enqueue};

/// At most this often while acts go on.
pub(crate) const EVERY_MS: i64 = 60_000;
/// In whose name the ends are anchored.
const ORGANIZATION: &str = "audit";

impl Ledger {
    /// Anchors the ends of the audit chains if they have moved; whether they had.
    pub async fn anchor_audit(&self, app: &App) -> Result<bool> {
        let ctx = app.on_own_behalf("ledger");
        let mut tx = ctx.begin().await?;
        let heads = audit::heads(&mut tx).await?;
        if heads.is_empty() || heads == self.store().audit_heads()? {
            return Ok(false);
        }
        let id = ctx.new_id::<()>().to_string();
        let head = |head: &audit::Head| json!({ "lane": head.lane, "seq": head.seq, "digest": head.digest });
        let body = json!({
            "heads": heads.iter().map(head).collect::<Vec<_>>(),
            "digest": yj_crypto::to_hex(&audit::digest_of(&heads)),
        });
        let time = ctx.now.to_string();
        let envelope = Envelope::new("audit_head", &id, ORGANIZATION, &time, body)
            .map_err(Problem::internal)?;
        enqueue(&ctx, &mut tx, &[Pending { record: &id, envelope: &envelope }])?;
        tx.commit().await?;
        // The ledger's own file keeps them too: nobody who can only write to the database can
        // bring an older state back.
        self.store().keep_audit_heads(&heads)?;
        self.ring();
        Ok(true)
    }
}

impl Witness for Ledger {
    fn heads<'a>(&'a self, _: &'a mut Tx) -> BoxFuture<'a, Result<Vec<audit::Head>>> {
        Box::pin(async move { self.store().audit_heads() })
    }

    fn erasures(&self) -> Result<Vec<String>> {
        self.store().erasures()
    }

    fn last_erasure(&self) -> Result<i64> {
        self.store().last_erasure()
    }

    fn keep_erasures(&self, erased: &[(String, i64)]) -> Result<()> {
        self.store().keep_erasures(erased)
    }
}
