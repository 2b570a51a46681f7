//! 追溯信息检索 (G-6.2.3): by 环节, 产品品种, 区域, 上报节点, 批次号, 追溯码; stable while data arrive.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use yj_kernel::{
    COUNT_MAX, Columns, Counting, Ctx, DataClass, Dialect, Problem, Reach, Result, Scope, Scoping,
    Sql, Tx, number, starts_with, time_text,
};
use yj_model::{Id, RegionCode, Stage};
use yj_product::ProductBrief;
use yj_subject::SubjectBrief;

use crate::{
    lots, places, query_parts,
    store::{EVENT, StoredEvent},
};

const PER_PAGE_MAX: i64 = 200;
/// Parameters of one query.
const CONDITIONS_MAX: usize = 40;

fn invalid(name: &str, detail: &str) -> Problem {
    Problem::invalid(name, detail)
}

/// One page of a search: what is asked for, and which piece of it.
pub(crate) struct Search {
    conditions: Vec<(String, String)>,
    per_page: i64,
    page: i64,
    pub(crate) ascending: bool,
    after: Option<(i64, i64)>,
    count: Counting,
}

impl Search {
    /// Reads a query, and what the lots that it names are registered under.
    pub(crate) async fn read(tx: &mut Tx, query: &str) -> Result<Self> {
        let mut search = Self::parse(query)?;
        for (_, text) in search.conditions.iter_mut().filter(|(name, _)| name == CODE) {
            if let Some(code) = lots::unit_named(tx, text).await? {
                *text = code;
            }
        }
        Ok(search)
    }

    fn parse(query: &str) -> Result<Self> {
        if query.matches('&').count() > CONDITIONS_MAX {
            return Err(invalid("query", "查询条件过多"));
        }
        let mut search = Self {
            conditions: Vec::new(),
            per_page: 20,
            page: 1,
            ascending: false,
            after: None,
            count: Counting::No,
        };
        for (name, text) in form_urlencoded::parse(query.as_bytes()) {
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            match &*name {
                "per_page" => search.per_page = number(&name, text, PER_PAGE_MAX)?,
                "page" => search.page = number(&name, text, 500)?,
                "after" => search.after = Some(cursor(text)?),
                "sort" => match text {
                    "event_time" => search.ascending = true,
                    "-event_time" => search.ascending = false,
                    _ => return Err(invalid("sort", "应为 event_time 或 -event_time")),
                },
                "count" => search.count = Counting::parse(text)?,
                _ => search.conditions.push((name.into_owned(), String::from(text))),
            }
        }
        Ok(search)
    }

    /// The same search for all it finds, in chunks of so many rows, each after the one before.
    pub(crate) async fn whole(
        tx: &mut Tx,
        query: &str,
        (size, after): (i64, Option<&str>),
    ) -> Result<Self> {
        let found = Self::read(tx, query).await?;
        let after = after.map(cursor).transpose()?;
        Ok(Self { per_page: size, page: 1, after, count: Counting::No, ..found })
    }

    /// Where the next page begins; none after the last.
    pub(crate) fn next(&self, events: &[StoredEvent]) -> Option<String> {
        let full = i64::try_from(events.len()).is_ok_and(|count| count == self.per_page);
        let last = events.last().filter(|_| full)?;
        Some(format!("{}.{}", last.time.unix_ms(), last.id))
    }

    /// The conditions, by name.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.conditions.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// The first condition of this name.
    pub(crate) fn asked(&self, wanted: &str) -> Option<(&str, &str)> {
        self.conditions().find(|(name, _)| *name == wanted)
    }

    /// Limits a statement over events `e` to what is asked for and within reach; the condition `met` is
    /// met by how the statement finds them.
    pub(crate) fn within(
        &self,
        scopes: &[&Scope],
        tx: &Tx,
        sql: &mut Sql,
        way: Way<'_>,
    ) -> Result<()> {
        let columns = Columns { region: Some(way.region), ..EVENT_COLUMNS };
        for scope in scopes {
            scope.narrow(sql, tx, Scoping::By(columns));
        }
        let mut open = self.conditions().filter(|one| Some(*one) != way.met);
        open.try_for_each(|one| condition(sql, (tx.dialect(), way), one))
    }

    /// The same, after the place where the page before ended.
    pub(crate) fn narrow(&self, (ctx, tx): (&Ctx, &Tx), sql: &mut Sql, way: Way<'_>) -> Result<()> {
        self.within(&[ctx.scope()], tx, sql, way)?;
        if let Some((time, id)) = self.after {
            let beyond = if self.ascending { " >" } else { " <" };
            let (column, number) = way.moment;
            // The bound alone lets the index begin there; what lies at its very moment is told apart.
            sql.push(" AND ").push(column).push(beyond).push("= ").bind(time);
            sql.push(" AND (").push(column).push(beyond).bind(time);
            sql.push(" OR ").push(number).push(beyond).bind(id).push(")");
        }
        Ok(())
    }

    /// Orders rows by the time of their events.
    pub(crate) fn order(&self, sql: &mut Sql, (time, id): Moment) {
        let direction = if self.ascending { "" } else { " DESC" };
        sql.push(" ORDER BY ").push(time).push(direction);
        sql.push(", ").push(id).push(direction);
    }

    /// How many rows there are up to the end of the page.
    pub(crate) const fn reaches(&self) -> i64 {
        self.page * self.per_page
    }

    /// How many events there are; counting stops after [`COUNT_MAX`].
    async fn total(&self, ctx: &Ctx, tx: &mut Tx) -> Result<Value> {
        let count = self.size(&[ctx.scope()], tx, COUNT_MAX).await?;
        Ok(json!({ "count": count.min(COUNT_MAX), "more": count > COUNT_MAX }))
    }

    /// How many events lie within every one of these scopes; counting stops after `most`, and says one
    /// more where there are.
    pub(crate) async fn size(&self, scopes: &[&Scope], tx: &mut Tx, most: i64) -> Result<i64> {
        let sql = if let Some(sql) = query_parts::count(self, scopes, tx, most + 1)? {
            sql
        } else {
            let mut sql = Sql::new("SELECT COUNT(*) FROM (SELECT 1 FROM trace_event e WHERE 1 = 1");
            self.within(scopes, tx, &mut sql, Way::PLAIN)?;
            sql.push(" LIMIT ").bind(most + 1).push(") AS found");
            sql
        };
        let count = tx.fetch_one(sql).await?.map_or(Ok(0), |row| row.int(0))?;
        Ok(count.min(most + 1))
    }

    /// Takes the page out of ordered rows.
    pub(crate) fn cut(&self, sql: &mut Sql) {
        sql.push(" LIMIT ").bind(self.per_page).push(" OFFSET ");
        sql.bind((self.page - 1) * self.per_page);
    }
}

/// One page of the events within the request's reach that match a query: the answer of
/// `GET /api/v1/trace/events`, `{items, next, total}`. What is no condition of that list is refused.
pub async fn list(ctx: &Ctx, tx: &mut Tx, query: &str) -> Result<Value> {
    let search = Search::read(tx, query).await?;
    let total = match search.count {
        Counting::No => Value::Null,
        _ => search.total(ctx, tx).await?,
    };
    if search.count == Counting::Only {
        return Ok(json!({ "items": [], "next": null, "total": total }));
    }
    let events = page(ctx, tx, &search).await?;
    let next = search.next(&events);
    Ok(json!({ "items": describe(ctx, tx, &events).await?, "next": next, "total": total }))
}

/// The events of a page.
pub(crate) async fn page(ctx: &Ctx, tx: &mut Tx, search: &Search) -> Result<Vec<StoredEvent>> {
    let rows = if let Some(rows) = query_parts::page(ctx, tx, search).await? {
        rows
    } else {
        let mut sql = Sql::new(EVENT);
        sql.push(" WHERE 1 = 1");
        search.narrow((ctx, tx), &mut sql, Way::PLAIN)?;
        search.order(&mut sql, Way::PLAIN.moment);
        search.cut(&mut sql);
        tx.fetch(sql).await?
    };
    StoredEvent::read_all(tx, &rows).await
}

/// How an event's columns say who may see it: lists, single records, reviews, chains and counts alike.
/// `region` is where its subject lay when it was registered, for that authority supervises the
/// subject (G-6.2.2); where the event happened is in its body and gives nobody a right.
pub const EVENT_COLUMNS: Columns = Columns {
    region: Some("e.region"),
    subject: Some("e.subject_id"),
    organization: None,
    category: Reach::Equal("e.domain"),
    stage: Reach::Equal("e.stage"),
    label: Some("e.label"),
};

/// On which way a query comes to its events.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    /// The condition that the way itself meets.
    pub(crate) met: Option<(&'a str, &'a str)>,
    /// What the bounds of regions are told of.
    pub(crate) region: &'static str,
    /// What bounds in time are told of.
    pub(crate) moment: Moment,
}

/// Columns of the time of an event and of its number, which decides between those of one time.
pub(crate) type Moment = (&'static str, &'static str);

impl<'a> Way<'a> {
    /// On whichever the engine likes.
    pub(crate) const PLAIN: Self =
        Self { met: None, region: "e.region", moment: ("e.event_time", "e.id") };

    /// By the parts of a whole. The bounds are told of a text that no index has: SQLite would take them
    /// for a shorter way than the part itself, and sort all that lies between them.
    pub(crate) const fn by_parts(met: Option<(&'a str, &'a str)>, moment: Moment) -> Self {
        Self { met, region: "e.region || ''", moment }
    }
}

/// Limits to events within reach.
pub(crate) fn narrow(ctx: &Ctx, sql: &mut Sql, tx: &Tx) {
    ctx.scope().narrow(sql, tx, Scoping::By(EVENT_COLUMNS));
}

/// Conditions on when it happened.
pub(crate) const FROM: &str = "event_time.from";
pub(crate) const TO: &str = "event_time.to";

/// 追溯码: that of a unit, or what GS1 calls its lot.
pub(crate) const CODE: &str = "code";
/// 批次号
pub(crate) const LOT: &str = "lot";
/// 产品: one product, or a class of the catalogue with all below it (产品品种).
pub(crate) const PRODUCT: &str = "product_id";
pub(crate) const CLASS: &str = "catalogue_code";
/// 上报节点: whoever runs the node, trades at it or belongs to it.
pub(crate) const NODE: &str = "node_code";

/// Writes the query for the products that a condition names.
pub(crate) fn products(sql: &mut Sql, name: &str, text: &str) -> Result<()> {
    if name == CLASS {
        return yj_product::products_of_class(sql, text);
    }
    identifier(name, text)?;
    sql.push("SELECT id FROM product WHERE id = ").bind(text);
    Ok(())
}

/// 区域, as a condition.
pub(crate) fn region(text: &str) -> Result<RegionCode> {
    text.parse().map_err(|error: yj_model::Rejected| invalid("region", &error.to_string()))
}

/// Writes one condition on events `e`.
pub(crate) fn condition(
    sql: &mut Sql,
    (dialect, way): (Dialect, Way<'_>),
    (name, text): (&str, &str),
) -> Result<()> {
    let column = match name {
        "domain" => "e.domain",
        "stage" => {
            Stage::from_code(text).ok_or_else(|| invalid(name, "没有这个环节"))?;
            "e.stage"
        }
        "type" => "e.kind",
        "subject_id" => {
            identifier(name, text)?;
            "e.subject_id"
        }
        "state" if !STATES.iter().any(|(code, _)| *code == text) => {
            return Err(invalid(
                name,
                &format!("应为 {} 之一", STATES.map(|(code, _)| code).join("、")),
            ));
        }
        "state" => "e.state",
        "source" => "e.source",
        "region" => {
            starts_with(sql, way.region, region(text)?.stem());
            return Ok(());
        }
        PRODUCT | CLASS => {
            sql.push(" AND (e.product_id IN (");
            products(sql, name, text)?;
            sql.push(") OR EXISTS (SELECT 1 FROM trace_event_also a WHERE a.facet = 'product' AND a.value IN (");
            products(sql, name, text)?;
            sql.push(") AND a.event_time = e.event_time AND a.event_id = e.id))");
            return Ok(());
        }
        NODE => {
            sql.push(" AND e.subject_id IN (");
            yj_subject::subjects_of_node(sql, text);
            sql.push(")");
            return Ok(());
        }
        LOT => {
            let (head, tail) = dialect.one_of();
            sql.push(" AND e.id ").push(head);
            sql.push("SELECT s.id FROM trace_event s WHERE s.lot = ").bind(text);
            sql.push(" UNION SELECT a.event_id FROM trace_event_also a WHERE a.facet = 'lot' AND a.value = ");
            sql.bind(text).push(tail);
            return Ok(());
        }
        CODE => {
            sql.push(" AND e.id IN (SELECT l.event_id FROM trace_link l JOIN trace_object o ON o.id = l.object_id WHERE o.code = ");
            sql.bind(text).push(")");
            return Ok(());
        }
        FROM | TO => {
            let time: jiff::Timestamp = text
                .parse()
                .map_err(|_| invalid(name, "应为带时区的时间，如 2026-11-01T08:00:00+08:00"))?;
            let comparison = if name == FROM { " >= " } else { " <= " };
            sql.push(" AND ").push(way.moment.0).push(comparison).bind(time.as_millisecond());
            return Ok(());
        }
        _ => return Err(invalid(name, "没有这个查询条件")),
    };
    sql.push(" AND ").push(column).push(" = ").bind(text);
    Ok(())
}

/// States of an event.
pub(crate) const STATES: [(&str, &str); 4] =
    [("held", "待审"), ("rejected", "已驳回"), ("accepted", "已接收"), ("superseded", "已被更正")];

fn identifier(name: &str, text: &str) -> Result<()> {
    let wrong = |error: yj_model::Rejected| invalid(name, &error.to_string());
    text.parse::<Id<()>>().map(drop).map_err(wrong)
}

fn cursor(text: &str) -> Result<(i64, i64)> {
    let wrong = || invalid("after", "游标无效，请使用上一页答复中的 next");
    let (time, id) = text.split_once('.').ok_or_else(wrong)?;
    Ok((time.parse().map_err(|_| wrong())?, id.parse().map_err(|_| wrong())?))
}

/// One event within reach.
pub(crate) async fn one(ctx: &Ctx, tx: &mut Tx, uid: &str) -> Result<StoredEvent> {
    let found = places::event_by_uid(tx, uid, |sql, tx| narrow(ctx, sql, tx)).await?;
    found.ok_or(Problem::NotFound("追溯事件"))
}

/// Events with the names of what they mention.
pub(crate) async fn describe(ctx: &Ctx, tx: &mut Tx, events: &[StoredEvent]) -> Result<Vec<Value>> {
    let subjects: BTreeSet<&str> = events
        .iter()
        .flat_map(|event| [Some(&event.subject_id), event.counterparty_id.as_ref()])
        .flatten()
        .map(String::as_str)
        .collect();
    let subjects = yj_subject::by_ids(tx, &subjects.into_iter().collect::<Vec<_>>()).await?;
    let products: BTreeSet<&str> =
        events.iter().filter_map(|event| event.product_id.as_deref()).collect();
    let products = yj_product::by_ids(tx, &products.into_iter().collect::<Vec<_>>()).await?;
    let clearance = ctx.scope().clearance();
    events.iter().map(|event| json_of(event, (&subjects, clearance), &products)).collect()
}

fn json_of(
    event: &StoredEvent,
    (subjects, clearance): (&BTreeMap<String, SubjectBrief>, DataClass),
    products: &BTreeMap<String, ProductBrief>,
) -> Result<Value> {
    let subject = subjects.get(&event.subject_id);
    // What a subject is called is no secret, wherever it lies: 双方核对 names both parties too.
    let counterparty = event.counterparty_id.as_ref().and_then(|id| subjects.get(id));
    let counterparty = counterparty.map(|other| other.name_for(clearance));
    let product = event.product_id.as_ref().and_then(|id| products.get(id));
    let attributes = event.body["attributes"].as_object().cloned().unwrap_or_default();
    // What is sealed is not for lists.
    let attributes = event.unclassed(attributes);
    Ok(json!({
        "id": event.uid, "domain": event.domain, "type": event.kind,
        "type_name": event.spec.as_ref().map(|spec| spec.name.as_str()),
        "pack_version": event.pack_version, "stage": event.stage,
        "subject": { "id": event.subject_id, "code": event.subject_code, "name": subject.map(|subject| subject.name.as_str()) },
        "product": product.map(|product| json!({ "id": product.id, "code": product.code, "name": product.name })),
        "lot": event.lot, "region": event.region, "event_time": event.time,
        "recorded_at": time_text(event.recorded_at)?, "recorded_by": event.recorded_by, "source": event.source,
        "inputs": event.body["inputs"], "outputs": event.body["outputs"], "place": event.body["place"],
        "counterparty": event.body["counterparty"], "counterparty_name": counterparty, "documents": event.body["documents"],
        "evidence": event.body["evidence"], "attributes": attributes,
        "external_id": event.body["external_id"], "state": event.state,
        "anchor": event.anchor.as_deref().unwrap_or("none"), "correction_of": event.correction_of,
        "correction_reason": event.body["correction_reason"], "superseded_by": event.superseded_by,
        "withdraws": event.body["withdraws"] == true,
        "held_reason": event.held_reason, "decision_comment": event.decision_comment,
    }))
}

/// Parses an identifier from a path.
pub(crate) fn event_id(text: &str) -> Result<String> {
    text.parse::<Id<()>>().map(|id| id.to_string()).map_err(|_| Problem::NotFound("追溯事件"))
}
