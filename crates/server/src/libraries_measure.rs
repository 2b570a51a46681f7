//! How much there is, within a fraction of a second also where there are millions: what is small
//! is counted, what is large is estimated, and which of the two it was is said.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use yj_kernel::{Dialect, Problem, Result, Sql, Tx, time_text};
use yj_trace::EventPart;

use crate::libraries_catalogue::Part;

/// Rows of a table up to which they are counted.
const COUNT_MAX: i64 = 100_000;
/// Events up to which they are counted; their index is narrow.
const EVENTS_MAX: i64 = 300_000;
/// The last change is looked for among so many of the newest rows of a larger table.
const NEWEST: i64 = 20_000;
/// Bytes of an embedded database up to which its pages are counted.
const PAGES_MAX: i64 = 64 << 20;
/// Rows from which the size of one is estimated.
const SAMPLE: i64 = 200;

/// A number, and whether it is only about right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) value: i64,
    pub(crate) about: bool,
}

impl Amount {
    pub(crate) const fn exactly(value: i64) -> Self {
        Self { value, about: false }
    }

    const fn about(value: i64) -> Self {
        Self { value, about: true }
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        Self { value: self.value + other.value, about: self.about || other.about }
    }
}

/// What was found out about one part of a library.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Measured {
    pub(crate) rows: Amount,
    pub(crate) bytes: Amount,
    /// Unix ms; nothing for never, or for longer ago than the newest rows of a large table.
    pub(crate) last_ms: Option<i64>,
}

impl Measured {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            rows: self.rows.plus(other.rows),
            bytes: self.bytes.plus(other.bytes),
            last_ms: self.last_ms.max(other.last_ms),
        }
    }

    /// Adds itself to an answer.
    pub(crate) fn tell(self, answer: &mut Value) -> Result<()> {
        answer["rows"] = json!(self.rows.value);
        answer["rows_approximate"] = json!(self.rows.about);
        answer["bytes"] = json!(self.bytes.value);
        answer["bytes_estimated"] = json!(self.bytes.about);
        answer["last_update"] = json!(self.last_ms.map(time_text).transpose()?);
        Ok(())
    }
}

/// Everything that several libraries ask for, found out once.
pub(crate) struct Survey {
    /// By stage and domain; all domains under an empty one.
    events: BTreeMap<(String, String), Amount>,
    /// Last reception by stage and domain.
    received: BTreeMap<(String, String), i64>,
    /// Rows of each table.
    tables: BTreeMap<&'static str, Amount>,
    /// Bytes of each table, with its indexes.
    sizes: BTreeMap<&'static str, Amount>,
    /// Last change of each table.
    changed: BTreeMap<&'static str, i64>,
    /// What the events are divided into, and whether its rows are estimated.
    event_parts: (Vec<EventPart>, bool),
}

async fn number(tx: &mut Tx, sql: Sql) -> Result<Option<i64>> {
    tx.fetch_one(sql).await?.map_or(Ok(None), |row| row.int_opt(0))
}

impl Survey {
    /// Looks at every table that the parts name.
    pub(crate) async fn of(tx: &mut Tx, parts: &[&Part]) -> Result<Self> {
        let mut survey = Self {
            events: BTreeMap::new(),
            received: BTreeMap::new(),
            tables: BTreeMap::new(),
            sizes: BTreeMap::new(),
            changed: BTreeMap::new(),
            event_parts: (Vec::new(), false),
        };
        survey.count_events(tx).await?;
        for part in parts {
            let table = part.table();
            if survey.tables.contains_key(table) {
                continue;
            }
            let (rows, last) = match part {
                Part::Events { .. } => (survey.all_events(), None),
                Part::Audit => audit(tx).await?,
                Part::Rollup => rollup(tx).await?,
                Part::Register(_) => table_of(tx, (table, "updated_at", "id")).await?,
                Part::Log { moment, .. } => table_of(tx, (table, moment, moment)).await?,
            };
            survey.tables.insert(table, rows);
            survey.changed.extend(last.map(|last| (table, last)));
        }
        survey.sizes = sizes(tx, &survey.tables).await?;
        Ok(survey)
    }

    /// What there is of one part.
    pub(crate) fn measured(&self, part: &Part) -> Measured {
        let table = part.table();
        let size = self.sizes.get(table).copied().unwrap_or_default();
        let all = self.tables.get(table).copied().unwrap_or_default();
        let Part::Events { stage, domains, .. } = part else {
            return Measured { rows: all, bytes: size, last_ms: self.changed.get(table).copied() };
        };
        let everywhere: &[&str] = &[""];
        let domains = if domains.is_empty() { everywhere } else { *domains };
        let of = |domain: &&str| (String::from(*stage), String::from(*domain));
        let rows = domains.iter().filter_map(|domain| self.events.get(&of(domain)));
        let rows = rows.fold(Amount::default(), |sum, one| sum.plus(*one));
        let last_ms = domains.iter().filter_map(|domain| self.received.get(&of(domain))).max();
        // Events of all stages lie in one table; each has its share.
        let share = i128::from(size.value) * i128::from(rows.value) / i128::from(all.value.max(1));
        let bytes = Amount::about(i64::try_from(share).unwrap_or(i64::MAX));
        Measured { rows, bytes, last_ms: last_ms.copied() }
    }

    /// The parts that the events are kept in, oldest first; nothing where they are in one.
    pub(crate) fn event_parts(&self) -> Vec<Value> {
        let (parts, about) = &self.event_parts;
        let part = |part: &EventPart| {
            json!({
                "name": part.name, "rows": part.rows, "rows_approximate": about,
                "bytes": part.bytes,
            })
        };
        parts.iter().map(part).collect()
    }

    fn all_events(&self) -> Amount {
        let whole = self.events.iter().filter(|((_, domain), _)| domain.is_empty());
        whole.fold(Amount::default(), |sum, (_, count)| sum.plus(*count))
    }

    /// Events by stage, those of the last stage also by domain.
    async fn count_events(&mut self, tx: &mut Tx) -> Result<()> {
        let newest = number(tx, Sql::new("SELECT MAX(id) FROM trace_event")).await?;
        let few = newest.unwrap_or(0) <= EVENTS_MAX;
        self.event_parts = (yj_trace::event_parts(tx, few).await?, !few);
        let queries = if few {
            [
                "SELECT stage, '', COUNT(*) FROM trace_event GROUP BY stage",
                "SELECT stage, domain, COUNT(*) FROM trace_event WHERE stage = 'consumption' \
                 GROUP BY stage, domain",
            ]
        } else {
            // What was accepted, by day; what waits or was refused is missing there.
            [
                "SELECT stage, '', CAST(SUM(events) AS BIGINT) FROM trace_rollup GROUP BY stage",
                "SELECT stage, domain, CAST(SUM(events) AS BIGINT) FROM trace_rollup \
                 WHERE stage = 'consumption' GROUP BY stage, domain",
            ]
        };
        for rows in tx.fetch_all(queries.map(Sql::new).into()).await? {
            for row in rows {
                let key = (String::from(row.text(0)?), String::from(row.text(1)?));
                let count = row.int(2)?;
                let count = if few { Amount::exactly(count) } else { Amount::about(count) };
                self.events.insert(key, count);
            }
        }
        let mut sql =
            Sql::new("SELECT stage, domain, MAX(recorded_at) FROM trace_event WHERE id > ");
        sql.bind(newest.unwrap_or(0) - NEWEST).push(" GROUP BY stage, domain");
        for row in tx.fetch(sql).await? {
            let (stage, last) = (String::from(row.text(0)?), row.int(2)?);
            for domain in ["", row.text(1)?] {
                let known = self.received.entry((stage.clone(), String::from(domain))).or_default();
                *known = last.max(*known);
            }
        }
        Ok(())
    }
}

/// The trail numbers its entries; nothing is ever taken out of it.
async fn audit(tx: &mut Tx) -> Result<(Amount, Option<i64>)> {
    let sql = Sql::new("SELECT CAST(SUM(seq) AS BIGINT) FROM audit_head");
    let rows = number(tx, sql).await?.unwrap_or(0);
    let last = number(tx, Sql::new("SELECT MAX(at) FROM audit_log")).await?;
    Ok((Amount::exactly(rows), last))
}

/// Daily counts change with the events they count; the last day is known, and no moment of it.
async fn rollup(tx: &mut Tx) -> Result<(Amount, Option<i64>)> {
    let rows = count(tx, "trace_rollup").await?;
    let row = tx.fetch_one(Sql::new("SELECT MAX(day) FROM trace_rollup")).await?;
    let day = row.as_ref().map_or(Ok(None), |row| row.text_opt(0))?;
    let last = day.and_then(|day| day.parse::<jiff::civil::Date>().ok());
    let beijing = jiff::tz::Offset::constant(8).to_time_zone();
    let last = last.and_then(|day| day.to_zoned(beijing).ok());
    Ok((rows, last.map(|day| day.timestamp().as_millisecond())))
}

/// Rows of a table, counted as far as that goes quickly.
async fn count(tx: &mut Tx, table: &str) -> Result<Amount> {
    let mut sql = Sql::new("SELECT COUNT(*) FROM (SELECT 1 FROM ");
    sql.push(table).push(" LIMIT ").bind(COUNT_MAX + 1).push(") AS found");
    let counted = number(tx, sql).await?.unwrap_or(0);
    if counted <= COUNT_MAX {
        return Ok(Amount::exactly(counted));
    }
    let estimate = match tx.dialect() {
        Dialect::Sqlite => {
            let mut sql = Sql::new("SELECT MAX(rowid) FROM ");
            sql.push(table);
            number(tx, sql).await?
        }
        Dialect::Postgres => {
            let mut sql = Sql::new(
                "SELECT CAST(reltuples AS BIGINT) FROM pg_class WHERE relkind = 'r' \
                 AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) \
                 AND relname = ",
            );
            sql.push("CAST(").bind(table).push(" AS TEXT)");
            number(tx, sql).await?
        }
    };
    Ok(Amount::about(estimate.unwrap_or(0).max(counted)))
}

/// Rows and last change of a table; in a large one among the newest rows by `order`.
async fn table_of(
    tx: &mut Tx,
    (table, moment, order): (&str, &str, &str),
) -> Result<(Amount, Option<i64>)> {
    let rows = count(tx, table).await?;
    let mut sql = Sql::new("SELECT MAX(");
    sql.push(moment).push(") FROM ");
    if rows.about {
        sql.push("(SELECT ").push(moment).push(" FROM ").push(table).push(" ORDER BY ").push(order);
        sql.push(" DESC LIMIT ").bind(NEWEST).push(") AS newest");
    } else {
        sql.push(table);
    }
    let last = number(tx, sql).await?;
    Ok((rows, last))
}

/// Bytes of tables with their indexes.
async fn sizes(
    tx: &mut Tx,
    tables: &BTreeMap<&'static str, Amount>,
) -> Result<BTreeMap<&'static str, Amount>> {
    let names = || tables.keys().copied();
    let sql = match tx.dialect() {
        Dialect::Postgres => {
            let mut sql = Sql::new(
                "SELECT CAST(relname AS TEXT), CASE relkind WHEN 'p' THEN \
                 (SELECT CAST(COALESCE(SUM(pg_total_relation_size(t.relid)), 0) AS BIGINT) \
                 FROM pg_partition_tree(oid) t) ELSE pg_total_relation_size(oid) END FROM pg_class \
                 WHERE relkind IN ('r', 'p') AND relnamespace = \
                 (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) \
                 AND CAST(relname AS TEXT) ",
            );
            sql.bind_texts(names());
            sql
        }
        Dialect::Sqlite => {
            let pages = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
            if number(tx, Sql::new(pages)).await?.unwrap_or(0) > PAGES_MAX {
                return sampled(tx, tables).await;
            }
            let mut sql = Sql::new(
                "SELECT m.tbl_name, SUM(s.pgsize) FROM dbstat s \
                 JOIN sqlite_schema m ON m.name = s.name WHERE m.tbl_name ",
            );
            sql.bind_texts(names()).push(" GROUP BY m.tbl_name");
            sql
        }
    };
    let mut found = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let table = row.text(0)?;
        if let Some(name) = names().find(|name| *name == table) {
            found.insert(name, Amount::exactly(row.int(1)?));
        }
    }
    Ok(found)
}

/// To count the pages of a large embedded database is to read it: the mean of some of its newest
/// rows stands for all, without indexes.
async fn sampled(
    tx: &mut Tx,
    tables: &BTreeMap<&'static str, Amount>,
) -> Result<BTreeMap<&'static str, Amount>> {
    let mut found = BTreeMap::new();
    for (table, rows) in tables {
        let names = Sql::new("SELECT name FROM pragma_table_info($1)").arg(*table);
        let columns = tx.fetch(names).await?;
        let columns = columns.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
        let length = |name: &&str| format!("COALESCE(LENGTH(CAST({name} AS BLOB)), 0)");
        let lengths = columns.iter().map(length).collect::<Vec<_>>().join(" + ");
        let mut sql = Sql::new("SELECT CAST(AVG(");
        sql.push(&lengths).push(") AS INTEGER) FROM (SELECT * FROM ").push(table);
        sql.push(" ORDER BY rowid DESC LIMIT ").bind(SAMPLE).push(") AS newest");
        let mean = number(tx, sql).await?.unwrap_or(0);
        let bytes = mean.checked_mul(rows.value).ok_or_else(|| {
            Problem::internal(format!("{table}: {} rows of {mean} bytes", rows.value))
        })?;
        found.insert(*table, Amount::about(bytes));
    }
    Ok(found)
}
