//! Who holds what, for those who measure it.

use std::collections::{BTreeMap, BTreeSet};

use yj_kernel::{Ctx, Result, Sql, Tx};

use crate::{closure::Direction, compose};

/// Who holds these trace codes now, as identifiers of subjects: who put each out last, and whoever else has
/// a part of it. Codes that nobody has registered are missing.
pub async fn holders(tx: &mut Tx, codes: &[&str]) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut last = Sql::new("SELECT code, subject_id FROM trace_object WHERE code ");
    last.bind_texts(codes.iter().copied());
    let mut parts = Sql::new(
        "SELECT o.code, h.subject_id FROM trace_object o CROSS JOIN trace_holding h \
         WHERE h.object_id = o.id AND o.apart <> 0 AND o.code ",
    );
    parts.bind_texts(codes.iter().copied());
    let mut holders: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in tx.fetch_all(vec![last, parts]).await?.iter().flatten() {
        let of_code = holders.entry(String::from(row.text(0)?)).or_default();
        of_code.insert(String::from(row.text(1)?));
    }
    Ok(holders)
}

/// The domains in which these codes were put out; codes that nobody has registered are missing, and those of
/// which it is not certain.
pub async fn domains_of(tx: &mut Tx, codes: &BTreeSet<String>) -> Result<BTreeMap<String, String>> {
    if codes.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut sql = Sql::new(
        "SELECT o.code, MIN(e.domain), MAX(e.domain) FROM trace_object o CROSS JOIN trace_link l \
         CROSS JOIN trace_event e WHERE l.object_id = o.id AND l.role = 1 AND e.id = l.event_id \
         AND e.event_time = l.event_time AND o.code ",
    );
    sql.bind_texts(codes.iter().map(String::as_str)).push(" GROUP BY o.code");
    let mut found = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        if row.text(1)? == row.text(2)? {
            found.insert(String::from(row.text(0)?), String::from(row.text(1)?));
        }
    }
    Ok(found)
}

/// Whether who asks may see the chain of a code; a problem where not, or where there is none.
pub async fn require_chain(ctx: &Ctx, tx: &mut Tx, code: &str) -> Result<()> {
    compose::compose(ctx, tx, code, &[Direction::Upstream]).await.map(drop)
}
