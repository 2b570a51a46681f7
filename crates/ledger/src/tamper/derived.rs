//! What follows from anchored records and is kept beside them, such as balances: nothing of it is on the
//! ledger, but all of it can be computed again from rows that are.

use futures_util::future::BoxFuture;
use yj_kernel::{Ctx, Result, Tx};

use super::finding::{Difference, Found, What};

/// What one look at a table has shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Looked {
    /// Rows computed again.
    pub rows: u64,
    /// Where the next look begins behind it; nothing at the end.
    pub last: Option<String>,
    /// Rows that do not follow.
    pub found: Vec<Found>,
}

/// A table whose rows follow from anchored records.
pub trait Derivation: Send + Sync {
    /// Computes at most `most` rows again, in an order of their own, behind a cursor; from the first
    /// where it is empty. Cursors ascend: numbers as numbers, names byte by byte.
    fn look<'a>(
        &'a self,
        ctx: &'a Ctx,
        tx: &'a mut Tx,
        after: &'a str,
        most: i64,
    ) -> BoxFuture<'a, Result<Looked>>;
}

impl Found {
    /// A row that does not follow from what is anchored. `record` names it among all; `at`, Unix ms, is
    /// when what it follows from happened.
    pub fn underived(
        record: &str,
        (kind, name): (&str, &str),
        at: Option<i64>,
        fields: Vec<Difference>,
    ) -> Self {
        let names: Vec<&str> = fields.iter().map(|field| field.field.as_str()).collect();
        let detail = format!("{} 与由存证记录推算的不符", names.join("、"));
        let mut found = Self::new(What::Derived, record, detail).of(kind, name);
        found.at = at;
        found.fields = fields;
        found
    }
}
