//! Tokens that requests bring. Those brought at the same moment are looked up in one trip and by one
//! statement: this is done for every request, and a statement for each costs more than what it finds.

use std::collections::BTreeMap;

use futures_util::FutureExt;
use yj_kernel::{App, Gather, Result, Row, Sql};

/// Tokens of one trip.
const TOGETHER_MAX: usize = 256;

/// Where one kind of token is looked up, by its digest.
pub(crate) struct Tokens<T>(Gather<(App, String), Option<T>>);

impl<T: Clone + Send + 'static> Tokens<T> {
    /// Of the rows that `query` finds for some digests, `read` says which digest each is of and what
    /// stands behind it. `failed` is told where the database cannot be asked.
    pub(crate) fn new(
        failed: &'static str,
        query: fn(&App, &[&str]) -> Sql,
        read: fn(&Row) -> Result<(String, T)>,
    ) -> Self {
        Self(Gather::as_one(TOGETHER_MAX, failed, move |group| find(group, query, read).boxed()))
    }

    /// What stands behind a token now.
    pub(crate) async fn find(&self, app: &App, digest: String) -> Result<Option<T>> {
        self.0.ask((app.clone(), digest)).await
    }
}

async fn find<T: Clone>(
    group: Vec<(App, String)>,
    query: fn(&App, &[&str]) -> Sql,
    read: fn(&Row) -> Result<(String, T)>,
) -> Result<Vec<Option<T>>> {
    let Some((app, _)) = group.first() else { return Ok(Vec::new()) };
    let digests: Vec<&str> = group.iter().map(|(_, digest)| digest.as_str()).collect();
    let mut tx = app.db().snapshot().await?;
    let rows = tx.fetch(query(app, &digests)).await?;
    let found = rows.iter().map(read).collect::<Result<BTreeMap<_, _>>>()?;
    Ok(digests.iter().map(|digest| found.get(*digest).cloned()).collect())
}
