//! For whom codes were made, for those who write down what bears them: one query for many codes.

use std::collections::{BTreeMap, BTreeSet};

use yj_kernel::{App, Problem, Result, Row, Sql, Tx};
use yj_model::{Scheme, Split, candidates};

use crate::{
    code_lookup::{BATCH, number_in, numbered, span_at, splits_of},
    code_span::CodeState,
};

/// For whom a code was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeFor {
    /// 赋码主体
    pub subject_id: String,
    /// 产品
    pub product_id: Option<String>,
    /// Its batch, and its number there.
    pub at: (String, i64),
    /// Whether its issuer made it void, as far as that was asked ([`mark_void`]).
    pub is_void: bool,
}

/// Finds out which of some codes their issuers made void; one trip for all.
pub async fn mark_void(tx: &mut Tx, owners: &mut BTreeMap<String, MadeFor>) -> Result<()> {
    if owners.is_empty() {
        return Ok(());
    }
    let queries = owners.values().map(|made| span_at(&made.at.0, made.at.1)).collect();
    let answers = tx.fetch_all(queries).await?;
    for (made, rows) in owners.values_mut().zip(answers) {
        let span = rows.first().map(|row| Ok::<_, Problem>((row.int(0)?, row.text(1)?)));
        let span = span.transpose()?.filter(|(last, _)| *last >= made.at.1);
        let state = span.map(|(_, state)| state.parse::<CodeState>()).transpose();
        made.is_void = state.map_err(Problem::internal)? == Some(CodeState::Void);
    }
    Ok(())
}

/// The query for the batches that some codes may be of, to travel with others; none where none of them
/// looks as if it were of a batch. Its answer is read by [`read_owners`].
pub fn query_owners<'a>(codes: impl Iterator<Item = &'a str>) -> Option<Sql> {
    let splits = codes.flat_map(|code| splits_of(&candidates(code)));
    let heads = splits.map(|(split, _)| split.head);
    let heads: BTreeSet<String> = heads.collect();
    if heads.is_empty() {
        return None;
    }
    let mut sql = Sql::new(BATCH);
    sql.push("WHERE b.head ").bind_texts(heads.iter().map(String::as_str));
    Some(sql)
}

/// The answer to [`query_owners`]: those of some codes that a batch gave, with whom it was for.
pub fn read_owners<'a>(
    app: &App,
    codes: impl Iterator<Item = &'a str>,
    rows: &[Row],
) -> Result<BTreeMap<String, MadeFor>> {
    let mut owners = BTreeMap::new();
    if rows.is_empty() {
        return Ok(owners);
    }
    for code in codes {
        for (split, scheme) in splits_of(&candidates(code)) {
            if let Some(row) = batch_of(rows, (&split, scheme))?
                && let Some(number) = number_in(app, row, &split)?
            {
                let made = MadeFor {
                    subject_id: String::from(row.text(6)?),
                    product_id: row.text_opt(7)?.map(String::from),
                    at: (String::from(row.text(0)?), number),
                    is_void: false,
                };
                owners.insert(String::from(code), made);
                break;
            }
        }
    }
    Ok(owners)
}

/// The batch in which a number would be: the last that begins no later.
fn batch_of<'r>(rows: &'r [Row], (split, scheme): (&Split, Scheme)) -> Result<Option<&'r Row>> {
    let number = numbered(split);
    let mut best: Option<(i64, &Row)> = None;
    for row in rows {
        let first = row.int(4)?;
        let fits = row.text(1)? == scheme.code()
            && row.text(2)? == split.head
            && row.text(3)? == split.tail.code()
            && first <= number;
        if fits && best.is_none_or(|(known, _)| known < first) {
            best = Some((first, row));
        }
    }
    Ok(best.map(|(_, row)| row))
}
