//! The newest events of what has parts (G-6.2.3): the towns of a county, the products of a class, the
//! subjects of a node. An index holds the events of each part in the order of time; read as one range
//! they would all be sorted for the sake of twenty. So the newest of each part are taken, and the newest
//! of those are the page. A lot and a unit are wholes of one part, and their events lie in several
//! indexes.

use yj_kernel::{Ctx, Dialect, Problem, Result, Row, Scope, Sql, Tx, starts_with};
use yj_model::RegionCode;

use crate::{
    balance::LinkRole,
    query::{self, FROM, Moment, Search, TO, Way},
    store::EVENT,
};

/// Parts of one whole; of one with more, events are read from the newest on until the page is full,
/// for many of them belong to it.
const PARTS_MAX: i64 = 256;
/// Events of each part that are looked at.
const EACH_MAX: i64 = 1_000;

/// What the parts are, and so the indexes that lead to their events.
enum Whole {
    Region(RegionCode),
    /// The condition on a product or its class, and its text.
    Products(&'static str, String),
    /// 节点编码
    Node(String),
    /// 批次号
    Lot(String),
    /// 追溯码
    Unit(String),
}

impl Whole {
    /// The condition that is met by going through the parts.
    fn met(&self) -> Option<(&str, &str)> {
        match self {
            Self::Region(_) => None,
            Self::Products(name, text) => Some((name, text)),
            Self::Node(code) => Some((query::NODE, code)),
            Self::Lot(lot) => Some((query::LOT, lot)),
            Self::Unit(code) => Some((query::CODE, code)),
        }
    }

    /// From where the events `e` of a part `p` are read in the order of time, and what says that time.
    fn sources(&self) -> Vec<(String, Moment)> {
        let row = |column| (format!("trace_event e WHERE {column} = p.value"), Way::PLAIN.moment);
        let also = |facet| {
            let from = format!(
                "trace_event_also a CROSS JOIN trace_event e WHERE e.id = a.event_id \
                 AND e.event_time = a.event_time AND a.facet = '{facet}' AND a.value = p.value"
            );
            (from, ("a.event_time", "a.event_id"))
        };
        // By its number alone: what somebody moved to another time is found all the same.
        let linked = |role: LinkRole| {
            let from = format!(
                "trace_link l CROSS JOIN trace_event e WHERE e.id = l.event_id \
                 AND l.object_id = p.value AND l.role = {}",
                role.code()
            );
            (from, ("l.event_time", "l.event_id"))
        };
        match self {
            Self::Region(_) => vec![row("e.region")],
            Self::Node(_) => vec![row("e.subject_id")],
            Self::Products(..) => vec![row("e.product_id"), also("product")],
            Self::Lot(_) => vec![row("e.lot"), also("lot")],
            Self::Unit(_) => LinkRole::ALL.map(linked).into(),
        }
    }
}

/// The rows of one page of a search, as [`EVENT`] has them; `None` where another way there is shorter.
pub(crate) async fn page(ctx: &Ctx, tx: &mut Tx, search: &Search) -> Result<Option<Vec<Row>>> {
    if search.reaches() > EACH_MAX {
        return Ok(None);
    }
    let Some(whole) = whole(ctx, search)? else { return Ok(None) };
    // Every month and each of its indexes would be planned again for the same way, at the price of the
    // answer. What names a time is planned for it: other months are not even held.
    if !search.conditions().any(|(name, _)| matches!(name, FROM | TO)) {
        tx.plan_once();
    }
    let found = tx.fetch(newest(ctx, tx, search, &whole)?).await?;
    let (mut parts, mut keys) = (0, Vec::with_capacity(found.len()));
    for row in &found {
        match row.int(0)? {
            0 => parts = row.int(1)?,
            _ => keys.push((row.int(1)?, row.int(2)?)),
        }
    }
    if parts > PARTS_MAX {
        tx.plan_by_values();
        return Ok(None);
    }
    let times = || keys.iter().map(|(_, time)| *time);
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        return Ok(Some(Vec::new()));
    };
    let mut sql = Sql::new(EVENT);
    sql.push(" WHERE e.id ").bind_ints(keys.iter().map(|(id, _)| *id));
    sql.push(" AND e.event_time >= ").bind(first).push(" AND e.event_time <= ").bind(last);
    search.order(&mut sql, Way::PLAIN.moment);
    let rows = tx.fetch(sql).await?;
    if rows.len() == keys.len() {
        Ok(Some(rows))
    } else {
        Err(Problem::internal("events were found and are not there"))
    }
}

/// How many events a search finds, at most so many, where it names a whole that they are counted by: each
/// once, in whatever index it lies.
pub(crate) fn count(search: &Search, scopes: &[&Scope], tx: &Tx, most: i64) -> Result<Option<Sql>> {
    let Some(whole) = named(search).filter(|whole| !matches!(whole, Whole::Node(_))) else {
        return Ok(None);
    };
    let mut sql = Sql::new("WITH RECURSIVE every(value) AS (");
    parts(&mut sql, tx.dialect(), (search, &whole))?;
    sql.push(") SELECT COUNT(*) FROM (");
    for (nth, (from, moment)) in whole.sources().into_iter().enumerate() {
        sql.push(if nth == 0 { "" } else { " UNION " });
        sql.push("SELECT o.id FROM (SELECT e.id FROM every p CROSS JOIN ").push(&from);
        search.within(scopes, tx, &mut sql, Way { met: whole.met(), moment, ..Way::PLAIN })?;
        sql.push(" LIMIT ").bind(most).push(") AS o");
    }
    sql.push(") AS found");
    Ok(Some(sql))
}

/// Conditions that few events meet, and an index of their own finds.
fn is_rare(name: &str, text: &str) -> bool {
    name == "subject_id" || (name == "state" && matches!(text, "held" | "rejected"))
}

/// The whole that a condition names, of several the one that has the fewest events, as far as its kind
/// tells.
fn named(search: &Search) -> Option<Whole> {
    let asked = |wanted: &str| search.asked(wanted).map(|(_, text)| String::from(text));
    let of_products = |name| asked(name).map(|text| Whole::Products(name, text));
    (asked(query::CODE).map(Whole::Unit))
        .or_else(|| asked(query::LOT).map(Whole::Lot))
        .or_else(|| of_products(query::PRODUCT))
        .or_else(|| asked(query::NODE).map(Whole::Node))
        .or_else(|| of_products(query::CLASS))
}

/// The whole that leads to the events of a search; `None` where an index of their own does.
fn whole(ctx: &Ctx, search: &Search) -> Result<Option<Whole>> {
    let named = named(search);
    let is_small = matches!(named, Some(Whole::Unit(_) | Whole::Lot(_)));
    if !is_small && search.conditions().any(|(name, text)| is_rare(name, text)) {
        return Ok(None);
    }
    if named.is_some() {
        return Ok(named);
    }
    let mut narrowest = ctx.scope().region().cloned();
    for (_, text) in search.conditions().filter(|(name, _)| *name == "region") {
        let asked = query::region(text)?;
        // Of two that lie apart either will do: nothing lies in both.
        if narrowest.as_ref().is_none_or(|known| known.covers(asked.stem())) {
            narrowest = Some(asked);
        }
    }
    Ok(narrowest.map(Whole::Region))
}

/// Number and moment of the events of the page, and how many parts there are.
fn newest(ctx: &Ctx, tx: &Tx, search: &Search, whole: &Whole) -> Result<Sql> {
    let mut sql = Sql::new("WITH RECURSIVE every(value) AS (");
    parts(&mut sql, tx.dialect(), (search, whole))?;
    sql.push("), part(value) AS (SELECT value FROM every LIMIT ").bind(PARTS_MAX + 2);
    sql.push("), newest(id, event_time) AS (");
    let (head, tail) = match tx.dialect() {
        Dialect::Sqlite => ("trace_event k WHERE k.id IN (SELECT e.id FROM ", ")"),
        Dialect::Postgres => ("LATERAL (SELECT e.id, e.event_time FROM ", ") k"),
    };
    for (nth, (from, moment)) in whole.sources().into_iter().enumerate() {
        sql.push(if nth == 0 { "" } else { " UNION " });
        sql.push("SELECT k.id, k.event_time FROM part p CROSS JOIN ").push(head).push(&from);
        search.narrow((ctx, tx), &mut sql, Way::by_parts(whole.met(), moment))?;
        search.order(&mut sql, moment);
        sql.push(" LIMIT ").bind(search.reaches()).push(tail);
    }
    sql.push("), page(id, event_time) AS (SELECT k.id, k.event_time FROM newest k");
    search.order(&mut sql, ("k.event_time", "k.id"));
    search.cut(&mut sql);
    sql.push(
        ") SELECT 0, COUNT(*), 0 FROM part WHERE value IS NOT NULL \
         UNION ALL SELECT 1, id, event_time FROM page",
    );
    Ok(sql)
}

/// Writes the query for the parts. Those of a region are found by leaping from one to the next through the
/// index.
fn parts(sql: &mut Sql, dialect: Dialect, (search, whole): (&Search, &Whole)) -> Result<()> {
    match whole {
        Whole::Products(name, text) => {
            query::products(sql, name, text)?;
        }
        Whole::Node(code) => {
            yj_subject::subjects_of_node(sql, code);
        }
        Whole::Lot(lot) => {
            sql.push("SELECT ").bind(lot.as_str());
        }
        Whole::Unit(code) => {
            sql.push("SELECT id FROM trace_object WHERE code = ").bind(code.as_str());
        }
        Whole::Region(region) => {
            let moments = |sql: &mut Sql| {
                let mut moments =
                    search.conditions().filter(|(name, _)| matches!(*name, FROM | TO));
                moments.try_for_each(|one| query::condition(sql, (dialect, Way::PLAIN), one))
            };
            sql.push("SELECT MIN(e.region) FROM trace_event e WHERE 1 = 1");
            starts_with(sql, "e.region", region.stem());
            moments(sql)?;
            // One lower bound: with the stem's beside it SQLite would begin there, and read every event of
            // the parts that are behind.
            sql.push(" UNION ALL SELECT (SELECT MIN(e.region) FROM trace_event e WHERE e.region > p.value");
            sql.push(" AND e.region < ").bind(format!("{}~", region.stem()));
            moments(sql)?;
            sql.push(") FROM every p WHERE p.value IS NOT NULL");
        }
    }
    Ok(())
}
