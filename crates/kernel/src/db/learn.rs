//! What the engine knows of what its tables hold, and chooses indexes by.

use super::{Db, Dialect, Sql};
use crate::Result;

/// Entries of an index up to which SQLite looks at each: about a second for the widest. It then knows
/// which values are common and which are rare, so that a list of nearly everything is read in the order of
/// the list instead of being sorted.
const WHOLE_MAX: i64 = 2_000_000;

/// Of longer ones it looks at so many, however many there are: it learns how many entries a value has
/// on average, and nothing of single values.
const PART: i64 = 2_000;

impl Db {
    /// Lets the engine look at what its tables hold, so that it chooses indexes well: after much
    /// has been written at once. PostgreSQL does so by itself after a while. SQLite lets nobody write while
    /// it looks, so it goes from index to index, and writers have their turn in between.
    pub async fn learn(&self) -> Result<()> {
        let mut tx = self.begin().await?;
        if self.dialect() == Dialect::Postgres {
            tx.script("ANALYZE").await?;
            return tx.commit().await;
        }
        tx.script(&format!("PRAGMA analysis_limit = {PART}; ANALYZE")).await?;
        let long = Sql::new(
            "SELECT idx FROM sqlite_stat1 WHERE idx IS NOT NULL AND idx <> tbl \
             AND CAST(substr(stat, 1, instr(stat, ' ')) AS INTEGER) BETWEEN $1 AND $2",
        );
        let long = tx.fetch(long.arg(PART).arg(WHOLE_MAX)).await?;
        tx.commit().await?;
        for index in long {
            let mut tx = self.begin().await?;
            let index = index.text(0)?;
            tx.script(&format!("PRAGMA analysis_limit = 0; ANALYZE \"{index}\"")).await?;
            tx.commit().await?;
        }
        // Every connection hears of it when the schema changes, and not before.
        let mut tx = self.begin().await?;
        tx.script("CREATE TABLE learnt (x BIGINT); DROP TABLE learnt").await?;
        tx.commit().await
    }
}
