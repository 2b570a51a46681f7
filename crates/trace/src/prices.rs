//! 单价 (GB/T 38156, G-6.4.3, G-10.4): what goods cost is compared with what the same goods cost around that
//! time in the same province (handbook §5.6, rules 16 and 33). Who reported in another unit than he wrote
//! is found so. The price itself is 商业秘密: it never leaves this table except to those cleared for it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use yj_domain::CLASS;
use yj_kernel::{Problem, Result, Sql, Tx, insert_rows};
use yj_model::{Quantity, UnitCode};

use crate::{balance::Objects, event::Checked};

/// Prices this far before and after are of the same time: 30 days.
const AROUND_MS: i64 = 30 * 86_400_000;
/// Prices that one is compared with: the newest.
const COMPARED_MAX: i64 = 200;
/// Of fewer nothing can be said.
const COMPARED_MIN: usize = 5;

/// What the goods of one event cost.
#[derive(Debug, Clone)]
pub(crate) struct Priced {
    product: String,
    unit: UnitCode,
    /// Per unit of reference, in millionths of a yuan.
    price: i64,
}

impl Priced {
    /// What an event says, its attributes being open; nothing where its goods are of several products or
    /// of units that cannot be compared.
    pub(crate) fn of(event: &Checked, objects: &Objects) -> Option<Self> {
        if event.withdraws {
            return None;
        }
        let text = event.body["attributes"][event.spec.price.as_ref()?].as_str()?;
        let price = text.parse::<Quantity>().ok().filter(|price| price.is_positive())?;
        let outputs = event.outputs.iter().map(|line| (line.code.as_str(), Some(line.unit)));
        let inputs = event.inputs.iter();
        let inputs = inputs.map(|line| (line.code.as_str(), line.amount.map(|(_, unit)| unit)));
        // What comes out says what it is, wherever that came from.
        let goods: Vec<_> =
            if event.outputs.is_empty() { inputs.collect() } else { outputs.collect() };
        let mut goods = goods.into_iter().map(|(code, unit)| {
            let product = objects.get(code)?.product_id.as_deref()?;
            Some((product, unit?))
        });
        let (product, unit) = goods.next()??;
        if goods.any(|other| other != Some((product, unit))) {
            return None;
        }
        let reference = unit.reference();
        let (of, whole) = unit.ratio(reference)?;
        // Quantities have four places, prices six: units of reference may be larger.
        let price = i128::from(price.scaled()) * 100 * whole / of;
        let price = i64::try_from(price).ok().filter(|price| *price > 0)?;
        Some(Self { product: String::from(product), unit: reference, price })
    }
}

/// A price that is about to be noted.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    /// Number and time (Unix ms) of the accepted event.
    pub(crate) event: (i64, i64),
    /// The region that it is supervised in.
    pub(crate) region: &'a str,
    pub(crate) priced: &'a Priced,
}

/// What is compared with what: goods, unit, province.
type Market = (String, &'static str, String);

/// Statements that note prices, each judged by those known before it.
pub(crate) async fn note(tx: &mut Tx, lines: &[Line<'_>]) -> Result<Vec<Sql>> {
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let goods = goods(tx, lines).await?;
    let market = |line: &Line<'_>| -> Market {
        let product = line.priced.product.as_str();
        let goods = goods.get(product).cloned().unwrap_or_else(|| String::from(product));
        (goods, line.priced.unit.as_str(), line.region.chars().take(2).collect())
    };
    let markets: Vec<Market> = lines.iter().map(market).collect();
    let queries = lines.iter().zip(&markets).map(|(line, market)| around(market, line.event.1));
    let known = tx.fetch_all(queries.collect()).await?;
    let mut rows = Vec::with_capacity(lines.len());
    for (at, (line, market)) in lines.iter().zip(&markets).enumerate() {
        let near = |other: &Line<'_>| (other.event.1 - line.event.1).abs() <= AROUND_MS;
        let before = lines.iter().zip(&markets).take(at).rev();
        let before = before.filter(|(other, of)| *of == market && near(other));
        let before = before.map(|(other, _)| Ok(other.priced.price));
        let stored = known[at].iter().map(|row| row.int(0));
        let most = usize::try_from(COMPARED_MAX).map_err(Problem::internal)?;
        let others = before.chain(stored).take(most);
        let mut others = others.collect::<Result<Vec<i64>>>()?;
        let compared = i64::try_from(others.len()).map_err(Problem::internal)?;
        let median = unusual(line.priced.price, &mut others);
        let (goods, unit, province) = market;
        rows.push(vec![
            line.event.0.into(),
            line.event.1.into(),
            goods.as_str().into(),
            (*unit).into(),
            province.as_str().into(),
            line.priced.product.as_str().into(),
            line.priced.price.into(),
            median.into(),
            median.map(|_| compared).into(),
        ]);
    }
    Ok(insert_rows(
        "INSERT INTO trace_price (event_id, event_time, goods, unit, province, product_id, price, median, \
         compared)",
        "",
        rows,
    ))
}

/// The statement by which an event's price is forgotten.
pub(crate) fn forget(event: i64) -> Sql {
    Sql::new("DELETE FROM trace_price WHERE event_id = $1").arg(event)
}

/// The same of events by their identifiers.
pub(crate) fn forget_all(uids: &[&str]) -> Sql {
    let mut sql = Sql::new(
        "DELETE FROM trace_price WHERE event_id IN (SELECT k.id FROM trace_event_key k WHERE k.uid ",
    );
    sql.bind_texts(uids.iter().copied()).push(")");
    sql
}

/// What products are as goods: their classes in the catalogue, by identifier.
async fn goods(tx: &mut Tx, lines: &[Line<'_>]) -> Result<BTreeMap<String, String>> {
    let products: BTreeSet<&str> = lines.iter().map(|line| line.priced.product.as_str()).collect();
    let query = yj_product::query_attributes(&[], |sql| {
        sql.push("SELECT id FROM product WHERE id ").bind_texts(products);
    });
    let found = yj_product::read_attributes(&tx.fetch(query).await?)?;
    let class = |(id, mut attributes): (String, serde_json::Map<String, Value>)| {
        let class = attributes.remove(CLASS)?;
        Some((id, String::from(class.as_str()?)))
    };
    Ok(found.into_iter().filter_map(class).collect())
}

fn around((goods, unit, province): &Market, time: i64) -> Sql {
    let mut sql = Sql::new("SELECT price FROM trace_price WHERE goods = ");
    sql.bind(goods.as_str()).push(" AND unit = ").bind(*unit);
    sql.push(" AND province = ").bind(province.as_str());
    sql.push(" AND event_time >= ").bind(time - AROUND_MS);
    sql.push(" AND event_time <= ").bind(time + AROUND_MS);
    sql.push(" ORDER BY event_time DESC LIMIT ").bind(COMPARED_MAX);
    sql
}

/// The median of the others, where a price is far from it: by a modified z-score of more than 3.5, and half as
/// much again or less than two thirds, for where all cost the same every small change would be far.
fn unusual(price: i64, others: &mut [i64]) -> Option<i64> {
    if others.len() < COMPARED_MIN {
        return None;
    }
    let middle = median(others)?;
    let mut distances: Vec<i64> = others.iter().map(|one| (one - middle).abs()).collect();
    let spread = i128::from(median(&mut distances)?);
    let (price, middle) = (i128::from(price), i128::from(middle));
    // 0.6745 · |x − median| ÷ MAD > 3.5
    let far = 6745 * (price - middle).abs() > 35_000 * spread;
    let by_half = price * 2 > middle * 3 || price * 3 < middle * 2;
    (far && by_half).then(|| i64::try_from(middle).ok()).flatten()
}

/// Between the two in the middle, where there are two.
fn median(values: &mut [i64]) -> Option<i64> {
    let middle = values.len().checked_sub(1)? / 2;
    let even = values.len().is_multiple_of(2);
    let (_, lower, above) = values.select_nth_unstable(middle);
    let upper = above.iter().min().filter(|_| even).unwrap_or(lower);
    Some(*lower + (*upper - *lower) / 2)
}

#[cfg(test)]
mod tests {
    use super::unusual;

    #[test]
    fn the_example_of_the_handbook_is_unusual_and_its_neighbours_are_not() {
        let others = [42, 43, 41, 44, 42, 43];
        assert_eq!(unusual(98, &mut others.clone()), Some(42));
        assert_eq!(unusual(4, &mut others.clone()), Some(42));
        for price in others.into_iter().chain([47, 60]) {
            assert_eq!(unusual(price, &mut others.clone()), None, "{price}");
        }
    }

    #[test]
    fn where_all_cost_the_same_a_small_change_is_not_unusual_and_of_few_nothing_is_said() {
        let same = [28_000; 6];
        assert_eq!(unusual(30_000, &mut same.clone()), None);
        assert_eq!(unusual(42_000, &mut same.clone()), None);
        assert_eq!(unusual(42_001, &mut same.clone()), Some(28_000));
        assert_eq!(unusual(280_000, &mut same[..4].to_vec()), None);
        assert_eq!(unusual(280_000, &mut []), None);
    }

    #[test]
    fn the_largest_prices_are_judged_too() {
        assert_eq!(unusual(i64::MAX, &mut [1; 5]), Some(1));
        assert_eq!(unusual(1, &mut [i64::MAX; 5]), Some(i64::MAX));
    }
}
