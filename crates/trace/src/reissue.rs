//! Certificates made out of others (handbook §4.1: 混装或者分装后重新开具): what a new one takes of those it
//! was made out of, and what they get back when it is voided.

use std::collections::{BTreeMap, BTreeSet};

use yj_kernel::{Ctx, Problem, Result, Row, Sql, SqlValue, Tx, insert_rows};
use yj_model::{Id, UnitCode};

use crate::{
    document::{BatchDocument, number_of},
    papers::{PAPER, Side, paper},
    store::quantity,
};

/// What a certificate made out anew takes of those it was made out of.
pub(crate) async fn draw_on(
    ctx: &Ctx,
    tx: &mut Tx,
    (id, document): (&str, &BatchDocument),
) -> Result<()> {
    let origins = document.origins.as_deref().unwrap_or_default();
    let (Some(wanted), Some(unit)) = (document.quantity, document.unit) else { return Ok(()) };
    if origins.is_empty() {
        return Ok(());
    }
    let numbers: BTreeSet<String> = origins.iter().map(|number| number_of(number)).collect();
    let names = || numbers.iter().map(String::as_str);
    let mut known = Sql::new(PAPER);
    known.push(" WHERE kind = 'commitment' AND id <> ").bind(id);
    known.push(" AND number ").bind_texts(names());
    known.push(" ORDER BY id").push(tx.dialect().for_update());
    let mut used = Sql::new(
        "SELECT u.document_id, CAST(SUM(u.quantity) AS BIGINT) FROM batch_document d \
         JOIN batch_document_use u ON u.document_id = d.id WHERE d.kind = 'commitment' \
         AND u.side IN (0, 2) AND u.giver = ",
    );
    used.bind(document.subject_id.to_string()).push(" AND d.number ").bind_texts(names());
    used.push(" GROUP BY u.document_id");
    let answers = tx.fetch_all(vec![known, used]).await?;
    let papers = answers[0].iter().map(paper).collect::<Result<Vec<_>>>()?;
    let used = answers[1].iter().map(|row| Ok((String::from(row.text(0)?), row.int(1)?)));
    let used = used.collect::<Result<BTreeMap<_, _>>>()?;
    for number in &numbers {
        if !papers.iter().any(|((_, known), _)| known == number) {
            let detail = format!("没有编号为 {number} 的承诺达标合格证");
            return Err(Problem::invalid("origins", detail));
        }
    }
    let subject = document.subject_id.to_string();
    let (mut left, mut rows, mut spent) = (wanted.scaled(), Vec::new(), Vec::new());
    for ((kind, number), paper) in &papers {
        if paper.state == "void" {
            let detail = format!("{} {number} 已作废，不能作为来源", kind.label());
            return Err(Problem::invalid("origins", detail));
        }
        let Some((covered, of)) = paper.covers else { continue };
        let covered = of.convert(covered, unit).map_err(|error| {
            Problem::invalid("unit", format!("与来源合格证 {number} 的单位不能换算：{error}"))
        })?;
        let before = used.get(&paper.id).copied().unwrap_or(0);
        let before = of.convert(quantity(before)?, unit).map_err(Problem::internal)?;
        let free = (covered.scaled() - before.scaled()).max(0);
        let taken = left.min(free);
        left -= taken;
        if taken > 0 {
            let own = unit.convert(quantity(taken)?, of).map_err(Problem::internal)?;
            rows.push(vec![
                (&paper.id).into(),
                id.into(),
                subject.as_str().into(),
                SqlValue::from(Side::Reissued as i64),
                own.scaled().into(),
            ]);
        }
        if taken == free && paper.subject_id == subject {
            spent.push(paper.id.clone());
        }
    }
    if left > 0 {
        let short = quantity(left)?;
        let detail = format!(
            "重新开具 {wanted} {}，超过来源合格证剩余的数量（差 {short}）",
            unit.unit().name
        );
        return Err(Problem::invalid("quantity", detail));
    }
    let head = "INSERT INTO batch_document_use (document_id, source, giver, side, quantity)";
    tx.later(insert_rows(head, "", rows));
    for origin in spent {
        close(ctx, tx, &origin).await?;
    }
    Ok(())
}

/// A certificate of which nothing is left.
async fn close(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<()> {
    let own = ctx.app().on_own_behalf("document").at(ctx.now);
    let id: Id<BatchDocument> = id.parse().map_err(Problem::internal)?;
    let mut stored = tx.get::<BatchDocument>(&own, id).await?;
    if stored.data.state.as_deref() == Some("valid") {
        stored.data.state = Some(String::from("reissued"));
        tx.update(&own, &stored).await?;
    }
    Ok(())
}

/// What a voided certificate had taken of those it was made out of, and nobody has used since, goes back
/// to them; what was left of nothing is in force again.
pub(crate) async fn give_back(
    ctx: &Ctx,
    tx: &mut Tx,
    (id, document): (&str, &BatchDocument),
) -> Result<()> {
    let (Some(covered), Some(unit)) = (document.quantity, document.unit) else { return Ok(()) };
    let mut drawn = Sql::new(
        "SELECT d.id, d.unit, u.quantity, d.state FROM batch_document_use u \
         JOIN batch_document d ON d.id = u.document_id WHERE u.side = 2 AND u.source = ",
    );
    drawn.bind(id).push(" ORDER BY d.id").push(tx.dialect().for_update());
    let used = Sql::new(
        "SELECT CAST(COALESCE(SUM(quantity), 0) AS BIGINT) FROM batch_document_use \
         WHERE document_id = $1 AND giver = $2 AND side IN (0, 2)",
    );
    let used = used.arg(id).arg(document.subject_id.to_string());
    let answers = tx.fetch_all(vec![drawn, used]).await?;
    let passed_on = answers[1].first().map_or(Ok(0), |row| row.int(0))?;
    let mut left = (covered.scaled() - passed_on).max(0);
    // What was passed on under it came out of the first of them.
    for row in answers[0].iter().rev() {
        left -= give(tx, (id, row), (left, unit))?;
        if row.text(3)? == "reissued" {
            reopen(ctx, tx, row.text(0)?).await?;
        }
    }
    Ok(())
}

/// Gives back to one, at most `left`; how much it was, in the unit of the voided one.
fn give(tx: &mut Tx, (id, row): (&str, &Row), (left, unit): (i64, UnitCode)) -> Result<i64> {
    let of: UnitCode = row.parsed(1)?;
    let taken = quantity(row.int(2)?)?;
    let taken_here = of.convert(taken, unit).map_err(Problem::internal)?.scaled();
    let back = taken_here.min(left);
    let own = unit.convert(quantity(back)?, of).map_err(Problem::internal)?.scaled();
    let kept = if back == taken_here { 0 } else { (taken.scaled() - own).max(0) };
    let sql = if kept == 0 {
        Sql::new("DELETE FROM batch_document_use WHERE document_id = $1 AND source = $2")
            .arg(row.text(0)?)
            .arg(id)
    } else {
        Sql::new(
            "UPDATE batch_document_use SET quantity = $1 WHERE document_id = $2 AND source = $3",
        )
        .arg(kept)
        .arg(row.text(0)?)
        .arg(id)
    };
    tx.later([sql]);
    Ok(back)
}

async fn reopen(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<()> {
    let own = ctx.app().on_own_behalf("document").at(ctx.now);
    let id: Id<BatchDocument> = id.parse().map_err(Problem::internal)?;
    let mut stored = tx.get::<BatchDocument>(&own, id).await?;
    stored.data.state = Some(String::from("valid"));
    tx.update(&own, &stored).await.map(drop)
}
