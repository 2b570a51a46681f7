//! Who works inside whose place, as far as the registers tell: merchants and sites lie in nodes, and
//! nodes are run by subjects.

use std::collections::{BTreeMap, BTreeSet};

use yj_kernel::{Result, Sql, Tx};

/// The GLNs of those who work in the nodes that are run by the subject of each of these GLNs, at most
/// `most` pairs. A GLN is that of a subject, not of one of its sites: whoever is also registered
/// anywhere else is left out, for its GLN then does not say that something happened here.
pub async fn glns_within(
    tx: &mut Tx,
    glns: &[&str],
    most: usize,
) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut sql = Sql::new(
        "SELECT a.code, b.code FROM subject_alias a \
         JOIN node n ON n.subject_id = a.subject_id AND n.in_use = 1 \
         JOIN (SELECT node_id, subject_id FROM merchant WHERE in_use = 1 AND subject_id IS NOT NULL \
         UNION SELECT p.node_id, k.subject_id FROM merchant_place p JOIN merchant k ON k.id = p.merchant_id \
         WHERE k.in_use = 1 AND k.subject_id IS NOT NULL AND p.left_on IS NULL \
         UNION SELECT node_id, subject_id FROM site WHERE in_use = 1 AND node_id IS NOT NULL) m \
         ON m.node_id = n.id AND m.subject_id <> a.subject_id \
         JOIN subject_alias b ON b.subject_id = m.subject_id AND b.kind = 'gln13' \
         WHERE a.kind = 'gln13' AND NOT EXISTS (SELECT 1 FROM site s LEFT JOIN node o ON o.id = s.node_id \
         WHERE s.subject_id = m.subject_id AND s.in_use = 1 AND (o.id IS NULL OR o.subject_id <> a.subject_id)) \
         AND NOT EXISTS (SELECT 1 FROM merchant k JOIN node o ON o.id = k.node_id \
         WHERE k.subject_id = m.subject_id AND k.in_use = 1 AND o.subject_id <> a.subject_id) \
         AND NOT EXISTS (SELECT 1 FROM merchant k JOIN merchant_place p ON p.merchant_id = k.id \
         JOIN node o ON o.id = p.node_id \
         WHERE k.subject_id = m.subject_id AND k.in_use = 1 AND o.subject_id <> a.subject_id) \
         AND a.code ",
    );
    sql.bind_texts(glns.iter().copied())
        .push(" GROUP BY a.code, b.code ORDER BY a.code, b.code LIMIT ");
    sql.bind(i64::try_from(most).unwrap_or(i64::MAX));
    let mut within: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let (place, part) = (String::from(row.text(0)?), String::from(row.text(1)?));
        within.entry(place).or_default().insert(part);
    }
    Ok(within)
}
