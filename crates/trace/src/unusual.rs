//! `GET /api/v1/trace/prices/unusual`: events whose price is far from what the same goods cost, newest
//! first. On which side it lies is told to everybody who may read the event. The price is 商业秘密 of whoever
//! sold; what the goods cost elsewhere, and with it how many times that this is, is the secret of all who were
//! compared, for whoever may read the events of the whole province.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yj_kernel::{Ctx, DataClass, Param, Place, Result, Row, Scope, Sql, Tx, time_text};
use yj_model::Ratio;

use crate::{
    asked::{Asked, PAGING},
    query::{EVENT_COLUMNS, narrow},
    store::StoredEvent,
};

const ORDER: &str = "-event_time";
/// Prices are stored in millionths of a yuan.
const YUAN: i128 = 1_000_000;

/// What the list may be asked for.
pub(crate) const QUERY: &[Param] = &[
    Param { name: "domain", label: "领域", required: false },
    Param { name: "goods", label: "产品分类代码，含其下级", required: false },
    PAGING[0],
    PAGING[1],
    PAGING[2],
    PAGING[3],
];

/// Whether somebody may know what goods cost in a province, being cleared up to a level.
fn knows_market(scope: &Scope, (province, domain, stage): (&str, &str, &str), level: i64) -> bool {
    let region = format!("{province}0000");
    let place = Place {
        region: Some(&region),
        category: Some(domain),
        stage: Some(stage),
        label: Some(level),
        ..Place::default()
    };
    scope.covers(&EVENT_COLUMNS, &place)
}

/// How far a price is from the usual one: on which side of the median of so many others, and how many times
/// that where the market is known.
fn told(price: i64, median: i64, compared: i64, is_known: bool) -> Value {
    let times = Ratio::of(i128::from(price), i128::from(median));
    // Of a price far below the usual one a thousandth is told too.
    let places = if price < median / 10 { 6 } else { 2 };
    let times = is_known.then(|| String::from(plain(&times.decimal(places))));
    let side = if price > median { "above" } else { "below" };
    json!({ "side": side, "times": times, "compared": compared })
}

/// A decimal without the noughts at its end.
fn plain(decimal: &str) -> &str {
    if decimal.contains('.') {
        decimal.trim_end_matches('0').trim_end_matches('.')
    } else {
        decimal
    }
}

/// The same of one event; nothing where its price is usual, or it has none.
pub(crate) async fn of_event(ctx: &Ctx, tx: &mut Tx, event: &StoredEvent) -> Result<Option<Value>> {
    let sql = Sql::new(
        "SELECT price, median, compared, province FROM trace_price \
         WHERE event_id = $1 AND median IS NOT NULL",
    );
    let Some(row) = tx.fetch_one(sql.arg(event.id)).await? else { return Ok(None) };
    let market = (row.text(3)?, event.domain.as_str(), event.stage.as_str());
    let is_known = knows_market(ctx.scope(), market, event.label);
    Ok(Some(told(row.int(0)?, row.int(1)?, row.int(2)?, is_known)))
}

pub(crate) async fn list(ctx: &Ctx, tx: &mut Tx, query: &str) -> Result<Value> {
    let asked = Asked::read(query, QUERY, ORDER)?;
    let mut sql = Sql::new(
        "SELECT p.event_time, p.event_id, e.uid, e.subject_id, p.goods, p.product_id, p.unit, p.price, \
         p.median, p.compared, p.province, e.region, e.domain, e.stage, e.label FROM trace_price p JOIN trace_event e ON e.id = p.event_id \
         AND e.event_time = p.event_time WHERE p.median IS NOT NULL",
    );
    narrow(ctx, &mut sql, tx);
    if let Some(domain) = asked.condition("domain") {
        sql.push(" AND e.domain = ").bind(domain);
    }
    if let Some(goods) = asked.condition("goods") {
        // A class and what lies below it: codes of classes are digits.
        sql.push(" AND p.goods >= ").bind(goods).push(" AND p.goods < ").bind(format!("{goods}:"));
    }
    if let Some([time, event]) = asked.after()? {
        let (time, event) = (Asked::number_after(time)?, Asked::number_after(event)?);
        sql.push(" AND (p.event_time < ").bind(time).push(" OR (p.event_time = ").bind(time);
        sql.push(" AND p.event_id < ").bind(event).push("))");
    }
    sql.push(" ORDER BY p.event_time DESC, p.event_id DESC");
    asked.limit(&mut sql);
    let rows = tx.fetch(sql).await?;
    let items = describe(ctx, tx, &rows).await?;
    let last = rows.last().map(|row| Ok::<_, yj_kernel::Problem>([row.int(0)?, row.int(1)?]));
    let last = last.transpose()?.map(|parts| parts.map(|part| part.to_string()));
    Ok(json!({ "items": items, "next": asked.next(rows.len(), last) }))
}

async fn describe(ctx: &Ctx, tx: &mut Tx, rows: &[Row]) -> Result<Vec<Value>> {
    let column = |at: usize| rows.iter().map(|row| row.text(at)).collect::<Result<BTreeSet<_>>>();
    let (subjects, products) = (column(3)?, column(5)?);
    let (subjects, products): (Vec<_>, Vec<_>) =
        (subjects.into_iter().collect(), products.into_iter().collect());
    let subjects = yj_subject::by_ids(tx, &subjects).await?;
    let products = yj_product::by_ids(tx, &products).await?;
    let scope = ctx.scope();
    let yuan = |millionths: i64, is_open: bool| {
        let price = Ratio::of(i128::from(millionths), YUAN).decimal(6);
        is_open.then(|| String::from(plain(&price)))
    };
    let sensitive = DataClass::Sensitive.level();
    let item = |row: &Row| {
        let subject = subjects.get(row.text(3)?);
        let product = products.get(row.text(5)?);
        let (price, median, label) = (row.int(7)?, row.int(8)?, row.int(14)?);
        let (domain, stage) = (row.text(12)?, row.text(13)?);
        let market = (row.text(10)?, domain, stage);
        let place = Place {
            region: Some(row.text(11)?),
            subject: Some(row.text(3)?),
            category: Some(domain),
            stage: Some(stage),
            label: Some(label.max(sensitive)),
            ..Place::default()
        };
        let is_open = scope.covers(&EVENT_COLUMNS, &place);
        let mut item = told(price, median, row.int(9)?, knows_market(scope, market, label));
        item["event"] = json!(row.text(2)?);
        item["event_time"] = json!(time_text(row.int(0)?)?);
        item["subject"] = json!({
            "id": row.text(3)?, "code": subject.map(|one| one.code.as_str()),
            "name": subject.map(|one| one.name_for(scope.clearance())),
        });
        // A product of no class is called by its own code.
        let (goods, own) = (row.text(4)?, row.text(5)?);
        let goods = product.filter(|_| goods == own).map_or(goods, |one| one.code.as_str());
        item["goods"] = json!({
            "code": goods, "name": product.map(|one| one.name.as_str()),
        });
        item["unit"] = json!(row.text(6)?);
        item["price"] = json!(yuan(price, is_open));
        item["median"] = json!(yuan(median, knows_market(scope, market, label.max(sensitive))));
        Ok(item)
    };
    rows.iter().map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::{plain, told};

    #[test]
    fn times_are_told_without_noughts_at_the_end() {
        let told = |price, median| {
            told(price, median, 7, true)["times"].as_str().map(String::from).unwrap()
        };
        assert_eq!(told(28_000_000, 2_800_000), "10");
        assert_eq!(told(1, 2), "0.5");
        assert_eq!(told(1, 3), "0.33");
        assert_eq!(told(4_250, 4_250_000), "0.001");
        assert_eq!((plain("10"), plain("2.80"), plain("0.000000")), ("10", "2.8", "0"));
    }
}
