//! Counting who asks for a code (§6.9): the how-manieth time it is, and when the first was.

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
    // In one order for all nodes, so that they wait for each other and not in a ring.
    let mut order: Vec<usize> = (0..group.len()).collect();
    order.sort_by(|a, b| group[*a].1.cmp(&group[*b].1));
    // Whoever writes the same units in another order may have won.
    let counted = again(TRIES, Problem::is_passing, || write(&group, &order)).await?;
    let mut answers = vec![Scan { count: 0, first: None }; group.len()];
    for (at, scan) in order.into_iter().zip(counted) {
        answers[at] = scan;
    }
    Ok(answers)
}

async fn write(group: &[(App, String)], order: &[usize]) -> Result<Vec<Scan>> {
    let Some((app, _)) = group.first() else { return Ok(Vec::new()) };
    let mut tx = app.db().begin().await?;
    let statement = |at: &usize| {
        let (app, code) = &group[*at];
        let sql = Sql::new(
            "UPDATE trace_object SET scans = scans + 1, \
             first_scanned_at = COALESCE(first_scanned_at, $1) \
             WHERE code = $2 RETURNING scans, first_scanned_at",
        );
        sql.arg(app.now().as_millisecond()).arg(code)
    };
    let found = tx.fetch_all(order.iter().map(statement).collect()).await?;
    let scan = |rows: &Vec<yj_kernel::Row>| match rows.first() {
        Some(row) => Ok(Scan { count: row.int(0)?, first: row.int_opt(1)? }),
        None => Ok(Scan { count: 0, first: None }),
    };
    let scans = found.iter().map(scan).collect::<Result<Vec<_>>>()?;
    tx.commit().await?;
    Ok(scans)
}
