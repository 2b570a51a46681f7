//! How anchored records stand in the tables today: said once by each crate that owns a table, read by
//! the audit, by the examination of one record, and by `yuanjian doctor` alike.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use serde_json::Value;
use yj_kernel::{Ctx, Result, Tx};
use yj_proof::{Envelope, compare_columns};

use super::finding::Difference;

/// What the tables say of an anchored record now.
#[derive(Debug, Clone, PartialEq)]
pub struct Projected {
    /// What people call it, such as the number of a document.
    pub name: String,
    /// The row in the shape of the envelope's body.
    pub columns: Value,
    /// Members that records of earlier times were anchored without.
    pub later: &'static [&'static str],
    /// Columns that the body does not hold and that follow from it or from another record, and do
    /// not agree.
    pub beyond: Vec<Difference>,
}

impl Projected {
    /// A row whose every column is in the body.
    pub fn new(name: impl Into<String>, columns: Value) -> Self {
        Self { name: name.into(), columns, later: &[], beyond: Vec::new() }
    }

    /// Where it is not as it was anchored.
    pub(crate) fn differences(&self, anchored: &Envelope) -> Vec<Difference> {
        let mut columns = self.columns.clone();
        if let Some(columns) = columns.as_object_mut() {
            columns.retain(|name, _| {
                !self.later.contains(&name.as_str()) || anchored.body().get(name).is_some()
            });
        }
        let of_body = compare_columns(anchored, &columns).into_iter();
        let of_body = of_body.map(|(field, anchored, found)| Difference { field, anchored, found });
        of_body.chain(self.beyond.iter().cloned()).collect()
    }
}

/// A row that must be on the ledger, or wait to come there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Where the next look begins behind it.
    pub cursor: String,
    /// The record that it must have there.
    pub record: String,
    /// What people call it.
    pub name: String,
    /// When it says that it was made, Unix ms.
    pub at: i64,
}

/// Content of a record by which it can be found, besides its place on the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What of it has the digest, in Chinese.
    pub title: &'static str,
    /// The kind of the record, as its envelope says.
    pub kind: &'static str,
    /// The record.
    pub record: String,
    /// What people call it.
    pub name: String,
}

/// The records of one owner.
pub trait Projection: Send + Sync {
    /// The kinds of records, as their envelopes say.
    fn kinds(&self) -> &'static [&'static str];

    /// What the tables say of these records now. Of those that are no longer there nothing.
    fn project<'a>(
        &'a self,
        ctx: &'a Ctx,
        tx: &'a mut Tx,
        anchored: &'a [&'a Envelope],
    ) -> BoxFuture<'a, Result<BTreeMap<String, Projected>>>;

    /// At most `most` rows that must be on the ledger, in an order of their own, behind a cursor;
    /// from the first where it is empty.
    fn facts<'a>(
        &'a self,
        tx: &'a mut Tx,
        after: &'a str,
        most: i64,
    ) -> BoxFuture<'a, Result<Vec<Fact>>>;

    /// What people call a record of this kind and name, where the caller may read it by their own
    /// right; nothing where they may not, or where it is not there.
    fn within_reach<'a>(
        &'a self,
        _ctx: &'a Ctx,
        _tx: &'a mut Tx,
        (_kind, _record): (&'a str, &'a str),
    ) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async { Ok(None) })
    }

    /// Records whose own content has this digest (64 hex digits, lower case), as far as the caller
    /// may read them; 20 at most.
    fn holding<'a>(
        &'a self,
        _ctx: &'a Ctx,
        _tx: &'a mut Tx,
        _digest: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Content>>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Takes what identified a person out of the row of an erased record, with the next trip of the
    /// transaction. May be asked again.
    fn forget<'a>(&'a self, _: &'a Ctx, _: &'a mut Tx, _: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_of_later_times_are_not_missed_in_earlier_records() {
        let envelope =
            |body: Value| Envelope::new("k", "r", "o", "2026-11-01T00:00:00Z", body).unwrap();
        let mut now = Projected::new("", json!({ "lot": "L1", "supervised_in": "610100" }));
        now.later = &["supervised_in"];
        assert!(now.differences(&envelope(json!({ "lot": "L1" }))).is_empty());
        let differing =
            now.differences(&envelope(json!({ "lot": "L1", "supervised_in": "610200" })));
        assert_eq!(differing.len(), 1);
        assert_eq!(differing[0].field, "supervised_in");
        now.beyond.push(Difference::new("state", json!("accepted"), json!("held")));
        assert_eq!(now.differences(&envelope(json!({ "lot": "L1" })))[0].field, "state");
    }
}
