//! Certificates made out of others (handbook §4.1: 混装或者分装后重新开具): what a new one takes of those it
//! was made out of, and what they get back when it is voided.

use std::collections::{BTreeMap, BTreeSet};

use yj_kernel::{Ctx, Problem, Result, Row, Sql, SqlValue, Tx, insert_rows};
use yj_model::{Id, Quantity, UnitCode};

use crate::{
    balance::LinkRole,
    document::{BatchDocument, number_of},
    papers::{PAPER, Paper, Side, paper},
    store::quantity,
};

/// Once events have made what certificates were made out anew for, these take of each origin what went in
/// of its lots. Nobody knew that when they were issued.
pub(crate) async fn settle(ctx: &Ctx, tx: &mut Tx, remade: &BTreeSet<String>) -> Result<()> {
    let own = ctx.app().on_own_behalf("document").at(ctx.now);
    for id in remade {
        let known: Id<BatchDocument> = id.parse().map_err(Problem::internal)?;
        let stored = tx.get::<BatchDocument>(&own, known).await?;
        if stored.data.state.as_deref() == Some("valid") {
            match draw_on(ctx, tx, (id, &stored.data)).await {
                // An origin was voided since: what was taken of it stays as it is.
                Err(Problem::Invalid(_)) | Ok(()) => {}
                Err(problem) => return Err(problem),
            }
        }
    }
    Ok(())
}

/// What a certificate made out anew takes of those it was made out of, in the place of what it took
/// before.
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
    used.push(" AND u.source <> ").bind(id);
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
    let (mut sources, mut rows, mut spent) = (Vec::new(), Vec::new(), Vec::new());
    let mut open = Vec::new();
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
        sources.push((paper, of, free));
    }
    let origins: Vec<&Paper> = sources.iter().map(|(paper, ..)| *paper).collect();
    let told = told(tx, (document, unit), &origins).await?;
    let free: Vec<i64> = sources.iter().map(|(.., free)| *free).collect();
    let (parts, left) = divided(wanted.scaled(), &free, &told);
    for ((paper, of, free), taken) in sources.into_iter().zip(parts) {
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
        } else if paper.state == "reissued" && taken < free {
            open.push(paper.id.clone());
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
    let before = Sql::new("DELETE FROM batch_document_use WHERE side = 2 AND source = $1").arg(id);
    tx.later([before]);
    tx.later(insert_rows(head, "", rows));
    for origin in open {
        reopen(ctx, tx, &origin).await?;
    }
    for origin in spent {
        close(ctx, tx, &origin).await?;
    }
    Ok(())
}

/// How much of each origin went into the batches of a new certificate, as far as these and the events that
/// put them out tell, in its unit.
async fn told(
    tx: &mut Tx,
    (document, unit): (&BatchDocument, UnitCode),
    origins: &[&Paper],
) -> Result<Vec<i64>> {
    let units = document.units.as_deref().unwrap_or_default();
    let whole = document.quantity.map_or(0, Quantity::scaled);
    let mut sql = Sql::new(
        "SELECT made.code, used.code, i.quantity, used.unit FROM trace_object made \
         JOIN trace_link o ON o.object_id = made.id JOIN trace_event e ON e.id = o.event_id \
         JOIN trace_link i ON i.event_id = e.id JOIN trace_object used ON used.id = i.object_id \
         WHERE e.state = 'accepted' AND o.role = ",
    );
    sql.bind(LinkRole::Output.code()).push(" AND i.role = ").bind(LinkRole::Input.code());
    sql.push(" AND made.code ").bind_texts(units.iter().map(|unit| unit.code.as_str()));
    sql.push(" AND used.code ");
    sql.bind_texts(origins.iter().flat_map(|paper| &paper.units).map(String::as_str));
    let mut amounts: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let place =
        |code: &str| origins.iter().position(|paper| paper.units.iter().any(|unit| unit == code));
    let nothing = || vec![0; origins.len()];
    for row in tx.fetch(sql).await? {
        let (Some(at), Some(amount)) = (place(row.text(1)?), row.int_opt(2)?) else { continue };
        let of: UnitCode = row.parsed(3)?;
        let Ok(amount) = of.convert(quantity(amount)?, unit) else { continue };
        let made = amounts.entry(String::from(row.text(0)?)).or_insert_with(nothing);
        made[at] = made[at].saturating_add(amount.scaled());
    }
    let mut sums = nothing();
    for one in units {
        let stated = one.quantity.as_deref().and_then(|text| text.parse::<Quantity>().ok());
        let stated = stated.map(Quantity::scaled);
        let mut parts = match (amounts.remove(&one.code), place(&one.code)) {
            (Some(parts), _) => parts,
            // It goes on as it is, under another certificate.
            (None, Some(at)) => {
                let mut parts = nothing();
                parts[at] = stated.unwrap_or(whole);
                parts
            }
            (None, None) => continue,
        };
        if let Some(stated) = stated {
            parts = scaled_to(&parts, stated);
        }
        for (sum, part) in sums.iter_mut().zip(parts) {
            *sum = sum.saturating_add(part);
        }
    }
    Ok(sums)
}

/// Parts in the same proportions that make up a whole.
fn scaled_to(parts: &[i64], whole: i64) -> Vec<i64> {
    let sum: i128 = parts.iter().map(|part| i128::from(*part)).sum();
    if sum <= 0 {
        return parts.to_vec();
    }
    let mut before = 0_i128;
    let mut given = 0_i128;
    let part = |part: &i64| {
        before += i128::from(*part);
        let end = before * i128::from(whole) / sum;
        let part = end - given;
        given = end;
        i64::try_from(part).unwrap_or(0)
    };
    parts.iter().map(part).collect()
}

/// What is taken of each origin, and what is lacking: first what is told, in proportion where that is more
/// than the new certificate covers; the rest evenly of what is left of each.
fn divided(wanted: i64, free: &[i64], told: &[i64]) -> (Vec<i64>, i64) {
    let sum = told.iter().fold(0_i64, |sum, one| sum.saturating_add(*one));
    let told = if sum > wanted { scaled_to(told, wanted) } else { told.to_vec() };
    let mut parts: Vec<i64> = told.iter().zip(free).map(|(told, free)| *told.min(free)).collect();
    let mut left = wanted - parts.iter().sum::<i64>();
    while left > 0 {
        let open = (0..free.len()).filter(|at| parts[*at] < free[*at]);
        let open: Vec<usize> = open.collect();
        let Some(count) = i64::try_from(open.len()).ok().filter(|count| *count > 0) else { break };
        // At least one each time: every round fills one up or ends.
        let each = (left / count).max(1);
        for at in open {
            let more = each.min(free[at] - parts[at]).min(left);
            parts[at] += more;
            left -= more;
        }
    }
    (parts, left)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_give_what_went_in_and_else_alike() {
        for (wanted, free, told, parts, left) in [
            (80, &[100, 100][..], &[40, 40][..], &[40, 40][..], 0),
            (70, &[100, 100], &[40, 40], &[35, 35], 0),
            (80, &[100, 100], &[0, 0], &[40, 40], 0),
            (80, &[10, 100], &[0, 0], &[10, 70], 0),
            (80, &[100, 100], &[10, 60], &[15, 65], 0),
            (80, &[30, 100], &[40, 40], &[30, 50], 0),
            (80, &[30, 40], &[40, 40], &[30, 40], 10),
            (7, &[100, 100, 100], &[0, 0, 0], &[3, 2, 2], 0),
        ] {
            let found = divided(wanted, free, told);
            assert_eq!(found, (parts.to_vec(), left), "{wanted} {free:?} {told:?}");
        }
    }
}
