//! Counting who asks for a code (§6.9): the how-manieth time it is, and when the first was.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;
use yj_kernel::{App, Gather, Problem, Result, Sql, again};

/// Scans of one transaction.
const TOGETHER_MAX: usize = 256;

/// Tries where others write the same units at the same moment.
const TRIES: usize = 3;

/// Where scans are counted. Those that come at the same moment share a transaction.
#[derive(Clone)]
pub struct Scans(Gather<(App, String), Scan>);

/// What is known of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scan {
    /// The how-manieth it is.
    pub count: i64,
    /// When the first was, Unix ms.
    pub first: Option<i64>,
}

impl Default for Scans {
    fn default() -> Self {
        let failed = "扫码次数暂不能登记，请稍后重试";
        Self(Gather::as_one(TOGETHER_MAX, failed, |group| count(group).boxed()))
    }
}

impl Scans {
    /// Counts a scan. Returns after it is durable; of a code that does not exist nothing is counted.
    pub async fn count(&self, app: &App, code: &str) -> Result<Scan> {
        self.0.ask((app.clone(), String::from(code))).await
    }
}

async fn count(group: Vec<(App, String)>) -> Result<Vec<Scan>> {
    // Whoever writes the same units in another order may have won.
    again(TRIES, Problem::is_passing, || write(&group)).await
}

/// One statement for all codes; who asks for one of them once more at the same moment is counted
/// behind it.
async fn write(group: &[(App, String)]) -> Result<Vec<Scan>> {
    let Some((app, _)) = group.first() else { return Ok(Vec::new()) };
    let now = app.now().as_millisecond();
    let mut seen = BTreeSet::new();
    let (firsts, repeats): (Vec<usize>, Vec<usize>) =
        (0..group.len()).partition(|at| seen.insert(group[*at].1.as_str()));
    let mut tx = app.db().begin().await?;
    let statement = |codes: &[usize]| {
        // In one order for all nodes, so that they wait for each other and not in a ring.
        let (head, tail) = tx.dialect().one_of();
        let mut sql = Sql::new(
            "UPDATE trace_object SET scans = scans + 1, first_scanned_at = COALESCE(first_scanned_at, ",
        );
        sql.bind(now).push(") WHERE id ").push(head);
        sql.push("SELECT id FROM trace_object WHERE code ");
        sql.bind_texts(codes.iter().map(|at| group[*at].1.as_str())).push(" ORDER BY code");
        sql.push(tx.dialect().for_update()).push(tail);
        sql.push(" RETURNING code, scans, first_scanned_at");
        sql
    };
    let mut statements = vec![statement(&firsts)];
    statements.extend(repeats.iter().map(|at| statement(&[*at])));
    let found = tx.fetch_all(statements).await?;
    let mut scans = vec![Scan { count: 0, first: None }; group.len()];
    let asked = std::iter::once(firsts.as_slice()).chain(repeats.chunks(1));
    for (asked, rows) in asked.zip(&found) {
        let mut counted = BTreeMap::new();
        for row in rows {
            counted.insert(row.text(0)?, Scan { count: row.int(1)?, first: row.int_opt(2)? });
        }
        for at in asked {
            if let Some(scan) = counted.get(group[*at].1.as_str()) {
                scans[*at] = *scan;
            }
        }
    }
    tx.commit().await?;
    Ok(scans)
}
