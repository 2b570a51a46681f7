//! The newest events of what has parts (G-6.2.3): the towns of a county, the products of a class, the
//! subjects of a node. An index holds the events of each part in the order of time; read as one range
//! they would all be sorted for the sake of twenty. So the newest of each part are taken, and the newest
//! of those are the page.

use yj_kernel::{Ctx, Dialect, Problem, Result, Row, Sql, Tx, starts_with};
use yj_model::RegionCode;

use crate::{
    query::{self, FROM, Search, TO, Way},
    store::EVENT,
};

/// Parts of one whole; of one with more, events are read from the newest on until the page is full,
/// for many of them belong to it.
const PARTS_MAX: i64 = 256;
/// Events of each part that are looked at.
const EACH_MAX: i64 = 1_000;

/// What the parts are, and so the column whose index leads to their events.
enum Whole {
    Region(RegionCode),
    /// The condition on a product or its class, and its text.
    Products(&'static str, String),
    /// 节点编码
    Node(String),
}

impl Whole {
    /// The condition that is met by going through the parts.
    fn met(&self) -> Option<(&str, &str)> {
        match self {
            Self::Region(_) => None,
            Self::Products(name, text) => Some((name, text)),
            Self::Node(code) => Some((query::NODE, code)),
        }
    }
}

/// The rows of one page of a search, as [`EVENT`] has them; `None` where another way there is shorter.
pub(crate) async fn page(ctx: &Ctx, tx: &mut Tx, search: &Search) -> Result<Option<Vec<Row>>> {
    if search.reaches() > EACH_MAX || search.conditions().any(|(name, text)| is_rare(name, text)) {
        return Ok(None);
    }
    let Some(whole) = whole(ctx, search)? else { return Ok(None) };
    let found = tx.fetch(newest(ctx, tx, search, &whole)?).await?;
    let (mut parts, mut keys) = (0, Vec::with_capacity(found.len()));
    for row in &found {
        match row.int(0)? {
            0 => parts = row.int(1)?,
            _ => keys.push((row.int(1)?, row.int(2)?)),
        }
    }
    if parts > PARTS_MAX {
        return Ok(None);
    }
    let times = || keys.iter().map(|(_, time)| *time);
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        return Ok(Some(Vec::new()));
    };
    let mut sql = Sql::new(EVENT);
    sql.push(" WHERE e.id ").bind_ints(keys.iter().map(|(id, _)| *id));
    sql.push(" AND e.event_time >= ").bind(first).push(" AND e.event_time <= ").bind(last);
    search.order(&mut sql, "e");
    let rows = tx.fetch(sql).await?;
    if rows.len() == keys.len() {
        Ok(Some(rows))
    } else {
        Err(Problem::internal("events were found and are not there"))
    }
}

/// Conditions that few events meet, and an index of their own finds.
fn is_rare(name: &str, text: &str) -> bool {
    match name {
        "subject_id" | "lot" | query::CODE => true,
        "state" => matches!(text, "held" | "rejected"),
        _ => false,
    }
}

/// The whole that has the fewest events, as far as its kind tells.
fn whole(ctx: &Ctx, search: &Search) -> Result<Option<Whole>> {
    let asked = |wanted: &str| search.asked(wanted).map(|(_, text)| String::from(text));
    if let Some(id) = asked(query::PRODUCT) {
        return Ok(Some(Whole::Products(query::PRODUCT, id)));
    }
    if let Some(node) = asked(query::NODE) {
        return Ok(Some(Whole::Node(node)));
    }
    if let Some(class) = asked(query::CLASS) {
        return Ok(Some(Whole::Products(query::CLASS, class)));
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
    let column = parts(&mut sql, tx.dialect(), (search, whole))?;
    sql.push("), part(value) AS (SELECT value FROM every LIMIT ").bind(PARTS_MAX + 2);
    sql.push("), newest(id, event_time) AS (");
    let (head, tail) = match tx.dialect() {
        Dialect::Sqlite => ("trace_event k WHERE k.id IN (SELECT e.id", ")"),
        Dialect::Postgres => ("LATERAL (SELECT e.id, e.event_time", ") k"),
    };
    let way = Way::by_parts(whole.met());
    let arm = |sql: &mut Sql, from: &str| {
        sql.push("SELECT k.id, k.event_time FROM part p CROSS JOIN ").push(head).push(from);
        search.narrow((ctx, tx), sql, way)?;
        search.order(sql, "e");
        sql.push(" LIMIT ").bind(search.reaches()).push(tail);
        Ok::<_, Problem>(())
    };
    arm(&mut sql, &format!(" FROM trace_event e WHERE {column} = p.value"))?;
    if let Whole::Products(..) = whole {
        sql.push(" UNION ");
        arm(&mut sql, &format!("{} = p.value", query::BY_LINE))?;
    }
    sql.push("), page(id, event_time) AS (SELECT k.id, k.event_time FROM newest k");
    search.order(&mut sql, "k");
    search.cut(&mut sql);
    sql.push(
        ") SELECT 0, COUNT(*), 0 FROM part WHERE value IS NOT NULL \
         UNION ALL SELECT 1, id, event_time FROM page",
    );
    Ok(sql)
}

/// Writes the query for the parts, and says which column of events `e` names them. Those of a region are
/// found by leaping from one to the next through the index.
fn parts(
    sql: &mut Sql,
    dialect: Dialect,
    (search, whole): (&Search, &Whole),
) -> Result<&'static str> {
    match whole {
        Whole::Products(name, text) => {
            query::products(sql, name, text)?;
            Ok("e.product_id")
        }
        Whole::Node(code) => {
            yj_subject::subjects_of_node(sql, code);
            Ok("e.subject_id")
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
            Ok("e.region")
        }
    }
}
