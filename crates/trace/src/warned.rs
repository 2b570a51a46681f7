//! Lots that the public is warned of (G-6.9-3): those of a product that are stopped, called back or found
//! unqualified, and those made of them.
//!
//! The page of a product is open to anybody, and a product may have millions of units. So an observation
//! that calls units back or finds them unqualified is noted with them when it is accepted, and the page
//! reads the units that have such a note and those under orders, and no others.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use yj_domain::EventType;
use yj_kernel::{Problem, Result, Sql, Tx, insert_rows};

use crate::{
    balance::{Link, LinkRole, Objects},
    closure::NOT_GOING_ON_TOGETHER,
    closure::TOGETHER,
    order::Quality,
    places,
    store::StoredEvent,
    story::RECALL,
    unpacked,
};

/// Lots under orders that are named; they are counted for each order's gravity.
const STOPPED_MAX: i64 = 2_000;
/// Units that observations condemned, and such observations: the newest of them.
const CONDEMNED_MAX: i64 = 2_000;
/// Such observations of one unit: the newest.
const EACH_MAX: i64 = 20;
/// Condemned units that are followed downstream.
const FOLLOWED_MAX: usize = 50;
/// Units that those are followed to.
const REACHED_MAX: i64 = 20_000;

/// A lot of a product of which the public is to be warned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarnedLot {
    /// 批次号; none for units that were registered without one, whose codes are nobody's to read here.
    pub lot: Option<String>,
    /// Why, as the dictionary of 质量状态 says it: 待检, 不合格, 冻结, 召回, 销毁.
    pub quality: &'static str,
    /// Whether it was called back.
    pub recalled: bool,
}

/// What an observation says of the units that it looks at, where that is grave.
fn gravity(kind: &str, spec: Option<&EventType>, body: &Value) -> Option<Quality> {
    if kind == RECALL {
        return Some(Quality::Recalled);
    }
    let verdict = body["attributes"]["verdict"].as_str()?;
    let failed = spec?.label("verdict", verdict) == Some(Quality::Failed.label());
    failed.then_some(Quality::Failed)
}

/// The same of an accepted event; nothing of any other.
pub(crate) fn gravity_of(event: &StoredEvent) -> Option<Quality> {
    let accepted = event.state == "accepted";
    gravity(&event.kind, event.spec.as_ref(), &event.body).filter(|_| accepted)
}

/// Statements that note an event which is accepted now with the units that it condemns. The note stays
/// when the event is corrected: whoever reads it looks at the event.
pub(crate) fn note(stored: &StoredEvent, links: &[Link], objects: &Objects) -> Result<Vec<Sql>> {
    if gravity(&stored.kind, stored.spec.as_ref(), &stored.body).is_none() {
        return Ok(Vec::new());
    }
    let observed = links.iter().filter(|link| link.role == LinkRole::Observed);
    let unsaved = || Problem::internal("a link to an object that was not saved");
    let unit = |link: &Link| objects.get(&link.code).and_then(|unit| unit.id).ok_or_else(unsaved);
    let units = observed.map(unit).collect::<Result<BTreeSet<i64>>>()?;
    let time = stored.time.unix_ms();
    let rows = units.iter().map(|unit| vec![(*unit).into(), stored.id.into(), time.into()]);
    let head = "INSERT INTO trace_grave (object_id, event_id, event_time)";
    let mut statements = insert_rows(head, "", rows.collect());
    // An event that waited for its review has a lower number than those since.
    let mut newest = Sql::new("UPDATE trace_object SET grave = ");
    newest.bind(stored.id).push(" WHERE COALESCE(grave, 0) < ").bind(stored.id);
    newest.push(" AND id ").bind_ints(units);
    statements.push(newest);
    Ok(statements)
}

/// The accepted observations that condemn any of these units, each with what it says; the newest of many.
pub(crate) async fn condemning(tx: &mut Tx, units: &[i64]) -> Result<Vec<(StoredEvent, Quality)>> {
    let mut told = BTreeSet::new();
    for units in units.chunks(TOGETHER) {
        let mut sql = Sql::new(
            "SELECT DISTINCT g.event_id, g.event_time FROM trace_grave g WHERE g.object_id ",
        );
        sql.bind_ints(units.iter().copied());
        sql.push(" ORDER BY g.event_id DESC LIMIT ").bind(CONDEMNED_MAX);
        for row in tx.fetch(sql).await? {
            told.insert((row.int(0)?, row.int(1)?));
        }
    }
    let most = usize::try_from(CONDEMNED_MAX).map_err(Problem::internal)?;
    let told: Vec<_> = told.into_iter().rev().take(most).collect();
    let events = places::events_at(tx, &told).await?;
    Ok(events.into_iter().filter_map(|one| gravity_of(&one).map(|grave| (one, grave))).collect())
}

/// Those of some events that condemn units and are not noted with all of them.
pub(crate) async fn unnoted(tx: &mut Tx, events: &[StoredEvent]) -> Result<BTreeSet<i64>> {
    let grave = events.iter().filter(|event| gravity_of(event).is_some());
    let grave: Vec<i64> = grave.map(|event| event.id).collect();
    if grave.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut sql = Sql::new(
        "SELECT DISTINCT l.event_id FROM trace_link l JOIN trace_object o ON o.id = l.object_id \
         WHERE l.role = 2 AND (COALESCE(o.grave, 0) < l.event_id OR NOT EXISTS (SELECT 1 \
         FROM trace_grave g WHERE g.object_id = l.object_id AND g.event_id = l.event_id)) \
         AND l.event_id ",
    );
    sql.bind_ints(grave);
    tx.fetch(sql).await?.iter().map(|row| row.int(0)).collect()
}

/// The lots of a product that are stopped, called back or found unqualified, and those made of them;
/// the gravest first. What its own page says of each of them, the page of the product says in short.
pub async fn warned_lots(tx: &mut Tx, product_id: &str) -> Result<Vec<WarnedLot>> {
    let stopped = Sql::new(STOPPED).arg(product_id).arg(STOPPED_MAX);
    let condemned = Sql::new(CONDEMNED).arg(product_id).arg(CONDEMNED_MAX).arg(EACH_MAX);
    let mut answers = tx.fetch_all(vec![stopped, condemned]).await?.into_iter();
    let (stopped, condemned) =
        (answers.next().unwrap_or_default(), answers.next().unwrap_or_default());
    let mut warned = Warned::default();
    for row in &stopped {
        let quality = row.text(0)?;
        let unknown = || Problem::internal(format!("trace_object.quality is {quality}"));
        warned.add(lot(row.text(1)?), Quality::from_code(quality).ok_or_else(unknown)?);
    }
    let told = condemned.iter().map(|row| Ok((row.int(2)?, row.int(3)?)));
    let told = told.collect::<Result<Vec<_>>>()?;
    let events = places::events_at(tx, &told).await?;
    let grave: BTreeMap<i64, Quality> =
        events.iter().filter_map(|event| Some((event.id, gravity_of(event)?))).collect();
    let mut roots: BTreeMap<Quality, BTreeSet<i64>> = BTreeMap::new();
    let mut followed = BTreeSet::new();
    for row in &condemned {
        let Some(quality) = grave.get(&row.int(2)?) else { continue };
        warned.add(row.text_opt(1)?, *quality);
        let unit = row.int(0)?;
        if followed.len() < FOLLOWED_MAX || followed.contains(&unit) {
            followed.insert(unit);
            roots.entry(*quality).or_default().insert(unit);
        }
    }
    for of_one in roots.values_mut() {
        *of_one = unpacked::taken_out(tx, std::mem::take(of_one)).await?;
    }
    let qualities: Vec<Quality> = roots.keys().copied().collect();
    let queries = roots.into_values().map(|roots| made_of(roots, product_id)).collect();
    for (quality, rows) in qualities.iter().zip(tx.fetch_all(queries).await?) {
        for row in &rows {
            warned.add(lot(row.text(0)?), *quality);
        }
    }
    Ok(warned.lots())
}

/// The lots of a product that have units under orders, with every 质量状态 of theirs; an empty text for units
/// without a lot. However many units a lot has, it is looked for once: from each lot the index leads to
/// the next. (Of an `EXISTS` PostgreSQL would first gather all units without a lot.)
const STOPPED: &str = "WITH RECURSIVE lots(quality, lot) AS (\
     SELECT '06', '' UNION ALL SELECT '05', '' UNION ALL SELECT '04', '' UNION ALL SELECT '03', '' \
     UNION ALL SELECT '02', '' \
     UNION ALL SELECT l.quality, (SELECT MIN(o.lot) FROM trace_object o WHERE o.product_id = $1 \
       AND o.quality = l.quality AND o.lot > l.lot) FROM lots l WHERE l.lot IS NOT NULL) \
     SELECT l.quality, l.lot FROM lots l WHERE l.lot > '' OR (l.lot = '' AND (SELECT o.id \
       FROM trace_object o WHERE o.product_id = $1 AND o.quality = l.quality AND o.lot IS NULL LIMIT 1) \
       IS NOT NULL) \
     LIMIT $2";

/// The units of a product that were condemned last, each with the newest of the observations that did so.
const CONDEMNED: &str = "SELECT o.id, o.lot, g.event_id, g.event_time FROM (SELECT id, lot FROM trace_object \
       WHERE product_id = $1 AND grave IS NOT NULL ORDER BY grave DESC LIMIT $2) o \
     CROSS JOIN trace_grave g WHERE g.object_id = o.id AND g.event_id >= COALESCE((\
       SELECT n.event_id FROM trace_grave n WHERE n.object_id = o.id \
       ORDER BY n.event_id DESC LIMIT 1 OFFSET $3), 0) \
     ORDER BY g.event_id DESC LIMIT $2";

/// The query for the lots of a product that were made of some units, whatever times were given; an empty
/// text for units without a lot. Each unit that is reached is looked up by itself: a product may have more
/// units than are reached, and an engine that joins might begin with those.
fn made_of(roots: BTreeSet<i64>, product_id: &str) -> Sql {
    let mut sql =
        Sql::new("WITH RECURSIVE reach(object_id) AS (SELECT r.id FROM trace_object r WHERE r.id ");
    sql.bind_ints(roots).push(
        " UNION SELECT o.object_id FROM reach r CROSS JOIN trace_link i CROSS JOIN trace_link o \
         WHERE i.object_id = r.object_id AND i.role = 0 AND o.event_id = i.event_id AND o.role = 1",
    );
    sql.push(NOT_GOING_ON_TOGETHER)
        .push(") SELECT DISTINCT made.lot FROM (SELECT (SELECT CASE WHEN t.product_id = ");
    sql.bind(product_id).push(
        " THEN COALESCE(t.lot, '') END FROM trace_object t WHERE t.id = few.object_id) AS lot \
         FROM (SELECT object_id FROM reach LIMIT ",
    );
    sql.bind(REACHED_MAX).push(") few) made WHERE made.lot IS NOT NULL");
    sql
}

/// A lot as the queries name it.
fn lot(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// What is known of each lot: its gravest state, and whether it was called back.
#[derive(Default)]
struct Warned(BTreeMap<Option<String>, (Quality, bool)>);

impl Warned {
    fn add(&mut self, lot: Option<&str>, quality: Quality) {
        let known = self.0.entry(lot.map(String::from)).or_insert((quality, false));
        known.0 = known.0.max(quality);
        known.1 |= quality == Quality::Recalled;
    }

    fn lots(self) -> Vec<WarnedLot> {
        let mut lots: Vec<_> = self.0.into_iter().collect();
        lots.sort_by_key(|(_, (quality, recalled))| std::cmp::Reverse((*recalled, *quality)));
        let lot = |(lot, (quality, recalled)): (_, (Quality, bool))| {
            let quality = if recalled { Quality::Recalled.label() } else { quality.label() };
            WarnedLot { lot, quality, recalled }
        };
        lots.into_iter().map(lot).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lot_is_warned_of_once_and_a_recall_goes_before_everything() {
        let mut warned = Warned::default();
        warned.add(Some("B"), Quality::Failed);
        warned.add(Some("A"), Quality::Destroyed);
        warned.add(Some("B"), Quality::Recalled);
        warned.add(None, Quality::Awaiting);
        let lot = |lot: Option<&str>, quality, recalled| WarnedLot {
            lot: lot.map(String::from),
            quality,
            recalled,
        };
        let wanted =
            [lot(Some("B"), "召回", true), lot(Some("A"), "销毁", false), lot(None, "待检", false)];
        assert_eq!(warned.lots(), wanted);
    }
}
