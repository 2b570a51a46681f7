//! 追溯信息检索 (G-6.2.3): by 环节, 产品品种, 区域, 上报节点, 批次号, 追溯码; stable while data arrive.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use yj_kernel::{Columns, Ctx, Problem, Reach, Result, Scoping, Sql, Tx, number, time_text};
use yj_model::{Id, RegionCode};
use yj_product::ProductBrief;
use yj_subject::SubjectBrief;

use crate::{
    places,
    store::{EVENT, StoredEvent},
};

const PER_PAGE_MAX: i64 = 200;
/// Parameters of one query.
const CONDITIONS_MAX: usize = 40;

fn invalid(name: &str, detail: &str) -> Problem {
    Problem::invalid(name, detail)
}

/// One page of the events within the request's reach that match a query: the answer of
/// `GET /api/v1/trace/events`, `{items, next}`. What is no condition of that list is refused.
pub async fn list(ctx: &Ctx, tx: &mut Tx, query: &str) -> Result<Value> {
    let mut sql = Sql::new(EVENT);
    sql.push(" WHERE 1 = 1");
    narrow(ctx, &mut sql, tx);
    let (mut per_page, mut page, mut ascending, mut after) = (20, 1, false, None);
    if query.matches('&').count() > CONDITIONS_MAX {
        return Err(invalid("query", "查询条件过多"));
    }
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        match &*name {
            "per_page" => per_page = number(&name, text, PER_PAGE_MAX)?,
            "page" => page = number(&name, text, 500)?,
            "after" => after = Some(String::from(text)),
            "sort" => match text {
                "event_time" => ascending = true,
                "-event_time" => ascending = false,
                _ => return Err(invalid("sort", "应为 event_time 或 -event_time")),
            },
            "count" => {}
            _ => condition(&mut sql, &name, text)?,
        }
    }
    let (beyond, direction) = if ascending { (" >", "") } else { (" <", " DESC") };
    if let Some(after) = after {
        let (time, id) = cursor(&after)?;
        // The bound alone lets the index begin there; what lies at its very moment is told apart.
        sql.push(" AND e.event_time").push(beyond).push("= ").bind(time);
        sql.push(" AND (e.event_time").push(beyond).bind(time);
        sql.push(" OR e.id").push(beyond).bind(id).push(")");
    }
    sql.push(" ORDER BY e.event_time").push(direction).push(", e.id").push(direction);
    sql.push(" LIMIT ").bind(per_page).push(" OFFSET ").bind((page - 1) * per_page);
    let rows = tx.fetch(sql).await?;
    let events = StoredEvent::read_all(tx, &rows).await?;
    let full = i64::try_from(events.len()).is_ok_and(|count| count == per_page);
    let next =
        events.last().filter(|_| full).map(|last| format!("{}.{}", last.time.unix_ms(), last.id));
    Ok(json!({ "items": describe(tx, &events).await?, "next": next }))
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

/// Limits to events within reach.
pub(crate) fn narrow(ctx: &Ctx, sql: &mut Sql, tx: &Tx) {
    ctx.scope().narrow(sql, tx, Scoping::By(EVENT_COLUMNS));
}

fn condition(sql: &mut Sql, name: &str, text: &str) -> Result<()> {
    let column = match name {
        "domain" => "e.domain",
        "stage" => "e.stage",
        "type" => "e.kind",
        "product_id" => "e.product_id",
        "subject_id" => "e.subject_id",
        "lot" => "e.lot",
        "state" => "e.state",
        "source" => "e.source",
        "region" => {
            let region: RegionCode = text
                .parse()
                .map_err(|error: yj_model::Rejected| invalid(name, &error.to_string()))?;
            let stem = region.stem();
            sql.push(" AND e.region >= ")
                .bind(stem)
                .push(" AND e.region < ")
                .bind(format!("{stem}~"));
            return Ok(());
        }
        "code" => {
            sql.push(" AND e.id IN (SELECT l.event_id FROM trace_link l JOIN trace_object o ON o.id = l.object_id WHERE o.code = ");
            sql.bind(text).push(")");
            return Ok(());
        }
        "event_time.from" | "event_time.to" => {
            let time: jiff::Timestamp = text
                .parse()
                .map_err(|_| invalid(name, "应为带时区的时间，如 2026-11-01T08:00:00+08:00"))?;
            let comparison = if name.ends_with("from") {
                " AND e.event_time >= "
            } else {
                " AND e.event_time <= "
            };
            sql.push(comparison).bind(time.as_millisecond());
            return Ok(());
        }
        _ => return Err(invalid(name, "没有这个查询条件")),
    };
    sql.push(" AND ").push(column).push(" = ").bind(text);
    Ok(())
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
pub(crate) async fn describe(tx: &mut Tx, events: &[StoredEvent]) -> Result<Vec<Value>> {
    let subjects: BTreeSet<&str> = events.iter().map(|event| event.subject_id.as_str()).collect();
    let subjects = yj_subject::by_ids(tx, &subjects.into_iter().collect::<Vec<_>>()).await?;
    let products: BTreeSet<&str> =
        events.iter().filter_map(|event| event.product_id.as_deref()).collect();
    let products = yj_product::by_ids(tx, &products.into_iter().collect::<Vec<_>>()).await?;
    events.iter().map(|event| json_of(event, &subjects, &products)).collect()
}

fn json_of(
    event: &StoredEvent,
    subjects: &BTreeMap<String, SubjectBrief>,
    products: &BTreeMap<String, ProductBrief>,
) -> Result<Value> {
    let subject = subjects.get(&event.subject_id);
    let product = event.product_id.as_ref().and_then(|id| products.get(id));
    let attributes = event.body["attributes"].as_object().cloned().unwrap_or_default();
    // 个人信息 in attributes is for the one who captured it, not for lists.
    let attributes = event.impersonal(attributes);
    Ok(json!({
        "id": event.uid, "domain": event.domain, "type": event.kind,
        "type_name": event.spec.as_ref().map(|spec| spec.name.as_str()),
        "pack_version": event.pack_version, "stage": event.stage,
        "subject": { "id": event.subject_id, "code": event.subject_code, "name": subject.map(|subject| subject.name.as_str()) },
        "product": product.map(|product| json!({ "id": product.id, "code": product.code, "name": product.name })),
        "lot": event.lot, "region": event.region, "event_time": event.time,
        "recorded_at": time_text(event.recorded_at)?, "recorded_by": event.recorded_by, "source": event.source,
        "inputs": event.body["inputs"], "outputs": event.body["outputs"], "place": event.body["place"],
        "counterparty": event.body["counterparty"], "documents": event.body["documents"],
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
