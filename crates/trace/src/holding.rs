//! Who holds what, for those who measure it.

use std::collections::BTreeMap;

use yj_kernel::{Ctx, Result, Sql, Tx};

use crate::{closure::Direction, compose};

/// Who holds these trace codes now, as identifiers of subjects; codes that nobody has registered are
/// missing.
pub async fn holders(tx: &mut Tx, codes: &[&str]) -> Result<BTreeMap<String, String>> {
    let mut sql = Sql::new("SELECT code, subject_id FROM trace_object WHERE code ");
    sql.bind_texts(codes.iter().copied());
    let rows = tx.fetch(sql).await?;
    rows.iter().map(|row| Ok((String::from(row.text(0)?), String::from(row.text(1)?)))).collect()
}

/// Whether who asks may see the chain of a code; a problem where not, or where there is none.
pub async fn require_chain(ctx: &Ctx, tx: &mut Tx, code: &str) -> Result<()> {
    compose::compose(ctx, tx, code, &[Direction::Upstream]).await.map(drop)
}
