//! 原码流转: units that go into an event and come out of it under the same code, as a lot does that is
//! sent on, or is taken out of a package. Each such event puts the unit out again, which makes none of
//! it: what a unit was made with is what was put out beyond what went in. Who sent it on is who had put
//! it out before.

use std::sync::Mutex;

use rustc_hash::FxHashMap;
use yj_kernel::{Problem, Result, Row, Sql, Tx};
use yj_model::Quantity;

use crate::{
    closure::TOGETHER,
    names::{self, Names},
    places,
};

/// Once that a unit was put out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PutOut {
    /// Unix ms, and the number of the event.
    pub(crate) at: (i64, i64),
    /// Number of the identifier of who did it.
    pub(crate) subject: usize,
    /// What of it had gone into the same event, or into the package that it was taken out of.
    carried: i64,
    /// What was made of the unit until then, in ten-thousandths.
    made: i64,
}

/// What went into an event and came out of it under one code, in ten-thousandths.
pub(crate) const fn carried(input: i64, output: i64) -> i64 {
    if input < output { input } else { output }
}

/// What a unit was made with, of all that was ever put out of it.
pub(crate) fn made(produced: Quantity, put_out: &[PutOut]) -> Result<Quantity> {
    let carried: i64 = put_out.iter().map(|once| once.carried).sum();
    Quantity::from_scaled(produced.scaled() - carried).map_err(Problem::internal)
}

/// Of what a unit was made with, in ten-thousandths, what was there when an event had put it out.
pub(crate) fn made_until(produced: i64, put_out: &[PutOut], at: (i64, i64)) -> i64 {
    let known = around(put_out, at).1;
    let until = known.checked_sub(1).and_then(|last| put_out.get(last)).map_or(0, |once| once.made);
    produced - put_out.last().map_or(0, |last| last.made - until)
}

/// How many times a unit was put out before an event, and how many times with that event among them. Of
/// what happened at one time the making comes before the sending on, whichever was recorded first: a
/// correction is recorded after what builds on it.
pub(crate) fn around(put_out: &[PutOut], at: (i64, i64)) -> (usize, usize) {
    if let Some(own) = put_out.iter().position(|once| once.at == at) {
        return (own, own + 1);
    }
    let before = put_out.partition_point(|once| {
        once.at.0 < at.0 || once.at.0 == at.0 && (once.carried == 0 || once.at.1 < at.1)
    });
    (before, before)
}

/// `from` is the join of the events of links `l`.
fn query(from: &str, ids: &[i64]) -> Sql {
    let mut sql = Sql::new(
        "SELECT e.subject_id, l.object_id, l.event_time, l.event_id, COALESCE(l.quantity, 0), \
         CASE WHEN u.event_id IS NULL THEN COALESCE(i.quantity, 0) ELSE COALESCE(l.quantity, 0) END \
         FROM trace_link l LEFT JOIN trace_link i \
         ON i.event_id = l.event_id AND i.role = 0 AND i.object_id = l.object_id \
         LEFT JOIN trace_link u ON u.event_id = l.event_id AND u.role = 3",
    );
    sql.push(from).push(" WHERE l.role = 1 AND l.object_id ").bind_ints(ids.iter().copied());
    sql.push(" ORDER BY l.object_id, l.event_time, ");
    sql.push("CASE WHEN COALESCE(i.quantity, 0) > 0 OR u.event_id IS NOT NULL THEN 1 ELSE 0 END, ");
    sql.push("l.event_id");
    sql
}

/// Of those of some units that ever went on under their own code, each time that they were put out, in
/// the order of time and of [`around`].
pub(crate) async fn read(
    tx: &mut Tx,
    ids: &[i64],
    names: &Mutex<Names>,
) -> Result<FxHashMap<i64, Vec<PutOut>>> {
    let mut all: FxHashMap<i64, Vec<PutOut>> = FxHashMap::default();
    for ids in ids.chunks(TOGETHER) {
        let rows = places::fetch_linked(tx, |from| query(from, ids)).await?;
        let mut names = names::hold(names);
        for row in rows {
            let known = all.entry(row.int(1)?).or_default();
            let before = known.last().map_or(0, |last| last.made);
            known.push(put_out(&row, before, &mut names)?);
        }
    }
    all.retain(|_, put_out| put_out.iter().any(|once| once.carried > 0));
    Ok(all)
}

fn put_out(row: &Row, before: i64, names: &mut Names) -> Result<PutOut> {
    let quantity = row.int(4)?;
    let carried = carried(row.int(5)?, quantity);
    Ok(PutOut {
        at: (row.int(2)?, row.int(3)?),
        subject: names.number(row.text(0)?),
        carried,
        made: before + quantity - carried,
    })
}
