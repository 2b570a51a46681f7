//! The doors of 批次管控: ordering, lifting, what an order would cover, and whom it concerns.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, RawQuery},
    http::{Method, StatusCode},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{
    Access, Body, Ctx, Entity, Param, Place, Problem, Result, Route, Row, Shape, Sql, Tx, again,
    audit, record_routes, time_text,
};
use yj_ledger::Ledger;
use yj_model::{Id, TraceCode, regions};

use crate::{
    anchored::Orders,
    hold::{self, Hold},
    lots,
    order::{OrderKind, Quality, TraceOrder},
    ordering::{self, NewOrder},
    query::{self, EVENT_COLUMNS},
    spelling,
    stock::require_holder,
    store::{self, quantity},
};

/// Subjects told of one order.
const SUBJECTS_MAX: i64 = 1_000;
/// Trace objects on one page.
const STOPPED_MAX: i64 = 200;
/// Tries of one order.
const TRIES: usize = 3;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Order {
    /// 措施：await 待检、freeze 冻结、stop 停止交易、recall 召回、destroy 销毁
    act: OrderKind,
    /// true 时及于由它产出的一切
    #[serde(default)]
    downstream: bool,
    /// 原因
    #[schemars(length(min = 2, max = 500))]
    reason: String,
    /// 文号；监管机关必填
    #[serde(default)]
    document_no: Option<String>,
    /// 决定机关；留空为运营机构
    #[serde(default)]
    authority: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Lift {
    /// 原因
    #[schemars(length(min = 2, max = 500))]
    reason: String,
    /// 文号；解除监管机关的管控必填
    #[serde(default)]
    document_no: Option<String>,
}

fn may(verb: &str) -> Access {
    Access::permission(format!("trace:{verb}"))
}

/// The register, which is only read there: orders are made over codes.
fn register() -> impl Iterator<Item = Route> {
    let reads = |route: &Route| matches!(&route.access, Ok(Access::Permission(name)) if name == "trace_order:read");
    record_routes(Entity::of::<TraceOrder>()).into_iter().filter(reads)
}

/// The routes.
pub(crate) fn routes(ledger: &Ledger) -> Vec<Route> {
    let (bell, lifted, checker) = (ledger.clone(), ledger.clone(), ledger.clone());
    let concerned =
        move |ctx: Ctx, Path(id): Path<String>| async move { concerned(&ctx, &checker, &id).await };
    let order = move |ctx: Ctx, Path(code): Path<String>, Body(body): Body<Order>| async move {
        let code = registered(&mut ctx.snapshot().await?, &code).await?;
        if body.act == OrderKind::Fail {
            let detail = "检测不合格由检测报告作出，请登记检测事件";
            return Err(Problem::invalid("act", detail));
        }
        let new = NewOrder {
            code: code.as_str(),
            kind: body.act,
            downstream: body.downstream,
            reason: &body.reason,
            document_no: body.document_no.as_deref(),
            authority: body.authority.as_deref(),
            basis: None,
        };
        let answer = made(&ctx, new).await?;
        bell.ring();
        Ok::<_, Problem>((StatusCode::CREATED, Json(answer)))
    };
    let lift = move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Lift>| async move {
        let because = (body.reason.as_str(), body.document_no.as_deref());
        let answer = unmade(&ctx, &id, because).await?;
        lifted.ring();
        Ok::<_, Problem>(Json(answer))
    };
    let code = "/api/v1/trace/objects/{code}/orders";
    let one = "/api/v1/trace_order/{id}";
    register()
        .chain([
            Route::new((Method::POST, code), may("order"), "管控追溯单元", order)
                .takes(Shape::of::<Order>()),
            Route::new((Method::GET, code), may("read"), "追溯单元的管控", over),
            Route::new((Method::GET, format!("{code}/preview")), may("order"), "管控预览", preview)
                .query(&[
                    Param { name: "act", label: "措施；缺省为冻结", required: false },
                    Param { name: "downstream", label: "true 时及于下游", required: false },
                ]),
            Route::new(
                (Method::GET, "/api/v1/trace/stopped"),
                may("read"),
                "某主体持有的受管控追溯单元",
                stopped,
            )
            .query(&[
                Param { name: "subject_id", label: "持有的主体", required: true },
                Param { name: "after", label: "上一页答复中的 next", required: false },
            ]),
            Route::new((Method::POST, format!("{one}/lift")), may("order"), "解除管控", lift)
                .takes(Shape::of::<Lift>()),
            Route::new(
                (Method::GET, format!("{one}/subjects")),
                Access::permission("trace_order:read"),
                "管控涉及的主体",
                concerned,
            ),
        ])
        .collect()
}

/// Makes an order; tries again where captures over the same codes got in its way.
async fn made(ctx: &Ctx, new: NewOrder<'_>) -> Result<Value> {
    again(TRIES, Problem::is_passing, || async move {
        let mut tx = ctx.begin().await?;
        let id = ordering::issue(ctx, &mut tx, new).await?;
        let answer = one(ctx, &mut tx, &id).await?;
        tx.commit().await?;
        Ok(answer)
    })
    .await
}

/// Lifts an order; tries again where others over the same codes got in its way.
async fn unmade(ctx: &Ctx, id: &str, because: (&str, Option<&str>)) -> Result<Value> {
    again(TRIES, Problem::is_passing, || async move {
        let mut tx = ctx.begin().await?;
        let id = ordering::lift(ctx, &mut tx, id, because).await?;
        let answer = one(ctx, &mut tx, &id).await?;
        tx.commit().await?;
        Ok(answer)
    })
    .await
}

/// The code that a path names, as its unit is registered.
async fn registered(tx: &mut Tx, code: &str) -> Result<TraceCode> {
    lots::registered(tx, spelling::asked(code).map_err(|_| Problem::NotFound("追溯码"))?).await
}

/// One order, as whoever made or lifted it sees it.
async fn one(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<Value> {
    let id: Id<TraceOrder> = id.parse().map_err(Problem::internal)?;
    let stored = tx.get::<TraceOrder>(ctx, id).await?;
    let mut answer = serde_json::to_value(&stored.data).map_err(Problem::internal)?;
    answer["id"] = json!(stored.id);
    answer["version"] = json!(stored.version);
    Ok(answer)
}

/// Whether somebody may read what happened to an object: who holds it or took part is within reach.
async fn require_reach(ctx: &Ctx, tx: &mut Tx, code: &str) -> Result<i64> {
    let missing = || Problem::NotFound("追溯码");
    let object = store::read_object(tx, code).await?.ok_or_else(missing)?;
    let id = object.id.ok_or_else(|| Problem::internal("a stored object without id"))?;
    let all: Vec<&str> = object.parties().collect();
    let holders = yj_subject::heirs(tx, &all).await?;
    let held = holders.values().any(|holder| {
        let place = Place {
            region: Some(&holder.region),
            subject: Some(&holder.id),
            stage: Some(object.stage.code()),
            ..Place::default()
        };
        ctx.scope().covers(&EVENT_COLUMNS, &place)
    });
    if held {
        return Ok(id);
    }
    let mut sql = Sql::new(
        "SELECT e.id FROM trace_link l CROSS JOIN trace_event e WHERE e.id = l.event_id AND l.object_id = ",
    );
    sql.bind(id);
    query::narrow(ctx, &mut sql, tx);
    sql.push(" LIMIT 1");
    tx.fetch_one(sql).await?.map(|_| id).ok_or_else(missing)
}

/// The orders over a code, those that were lifted among them, newest first.
async fn over(ctx: Ctx, Path(code): Path<String>) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    let code = registered(&mut tx, &code).await?;
    let object = require_reach(&ctx, &mut tx, code.as_str()).await?;
    let sql = Sql::new(
        "SELECT r.id, r.kind, r.code, r.authority, r.document_no, r.reason, r.official, \
         r.created_at, r.state, r.lifted_at, r.lift_reason, r.lift_document_no, u.event_id \
         FROM trace_order_unit u JOIN trace_order r ON r.id = u.order_id \
         WHERE u.object_id = $1 ORDER BY r.id DESC LIMIT 200",
    );
    let rows = tx.fetch(sql.arg(object)).await?;
    let line = |row: &Row| {
        let kind = row.text(1)?;
        let lifted = row.int_opt(9)?.map(time_text).transpose()?;
        Ok(json!({
            "id": row.text(0)?, "kind": kind,
            "kind_name": OrderKind::from_code(kind).map(OrderKind::label), "root": row.text(2)?,
            "authority": row.text(3)?, "document_no": row.text_opt(4)?, "reason": row.text(5)?,
            "official": row.int(6)? != 0, "since": time_text(row.int(7)?)?, "state": row.text(8)?,
            "lifted_at": lifted, "lift_reason": row.text_opt(10)?,
            "lift_document_no": row.text_opt(11)?, "inherited": row.int_opt(12)?.is_some(),
        }))
    };
    let items = rows.iter().map(line).collect::<Result<Vec<_>>>()?;
    let quality = store::read_object(&mut tx, code.as_str()).await?.and_then(|one| one.quality);
    Ok(Json(json!({
        "code": code, "quality": quality.map(Quality::code),
        "quality_name": quality.map(Quality::label), "items": items,
    })))
}

/// What a subject holds that some order stops, whoever's batch the order was made over.
async fn stopped(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Json<Value>> {
    let (mut subject, mut after) = (None, 0_i64);
    for (name, text) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match &*name {
            "subject_id" => subject = Some(text.into_owned()),
            "after" => {
                after = text
                    .parse()
                    .map_err(|_| Problem::invalid("after", "请使用上一页答复中的 next"))?;
            }
            other => return Err(Problem::invalid(other, "没有这个查询条件")),
        }
    }
    let subject = subject.ok_or_else(|| Problem::invalid("subject_id", "请给出主体"))?;
    let mut tx = ctx.snapshot().await?;
    require_holder(&ctx, &mut tx, &subject, || Problem::NotFound("追溯主体")).await?;
    let sql = Sql::new(
        "SELECT id, code, lot, unit, balance - apart AS held, quality FROM trace_object \
         WHERE quality IS NOT NULL AND subject_id = $1 AND id > $2 \
         UNION ALL SELECT o.id, o.code, o.lot, o.unit, h.quantity, o.quality FROM trace_holding h \
         CROSS JOIN trace_object o WHERE h.subject_id = $1 AND h.object_id > $2 \
         AND o.id = h.object_id AND o.quality IS NOT NULL ORDER BY 1 LIMIT $3",
    );
    let rows = tx.fetch(sql.arg(subject).arg(after).arg(STOPPED_MAX)).await?;
    let codes = rows.iter().map(|row| row.text(1)).collect::<Result<Vec<_>>>()?;
    let holds = hold::read(&tx.fetch(hold::query(&codes)).await?)?;
    let line = |row: &Row| {
        let (code, quality) = (row.text(1)?, row.text(5)?);
        let over = holds.get(code).into_iter().flatten();
        let order = |hold: &Arc<Hold>| {
            json!({ "id": hold.order, "kind_name": hold.kind.label(), "authority": hold.authority,
                    "document_no": hold.document_no })
        };
        Ok(json!({
            "code": code, "lot": row.text_opt(2)?, "unit": row.text(3)?,
            "held": quantity(row.int(4)?)?, "quality": quality,
            "quality_name": Quality::from_code(quality).map(Quality::label),
            "orders": over.map(order).collect::<Vec<_>>(),
        }))
    };
    let items = rows.iter().map(line).collect::<Result<Vec<_>>>()?;
    let full = i64::try_from(rows.len()).is_ok_and(|count| count == STOPPED_MAX);
    let next = match rows.last().filter(|_| full) {
        Some(last) => Some(last.int(0)?.to_string()),
        None => None,
    };
    Ok(Json(json!({ "items": items, "next": next })))
}

/// How much an order would cover, without making it.
async fn preview(
    ctx: Ctx,
    Path(code): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>> {
    let (mut act, mut downstream) = (Some(OrderKind::Freeze), false);
    for (name, text) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match (&*name, &*text) {
            ("act", text) => act = OrderKind::from_code(text),
            ("downstream", "true") => downstream = true,
            ("downstream", "false" | "") => {}
            ("downstream", _) => return Err(Problem::invalid("downstream", "应为 true 或 false")),
            (other, _) => return Err(Problem::invalid(other, "没有这个查询条件")),
        }
    }
    let known = OrderKind::ALL.map(|kind| format!("{} {}", kind.code(), kind.label())).join("、");
    let act = act.ok_or_else(|| Problem::invalid("act", format!("应为：{known}")))?;
    let mut tx = ctx.snapshot().await?;
    let code = registered(&mut tx, &code).await?;
    let covered = ordering::cover(&ctx, &mut tx, (code.as_str(), act, downstream), false).await?;
    let subjects = holders(&ctx, &mut tx, covered.ids.iter().copied()).await?;
    Ok(Json(json!({
        "code": code, "units": covered.ids.len(), "subjects": covered.subjects.len(),
        "held": covered.object.balance, "unit": covered.object.unit, "items": subjects,
    })))
}

/// Whom an order concerns: who holds what it covers, with whom to call.
async fn concerned(ctx: &Ctx, ledger: &Ledger, id: &str) -> Result<Json<Value>> {
    let id: Id<TraceOrder> = id.parse().map_err(|_| Problem::NotFound("批次管控"))?;
    let mut tx = ctx.snapshot().await?;
    tx.get::<TraceOrder>(ctx, id).await?;
    let integrity = ledger.integrity((ctx, &mut tx), &Orders, &id.to_string()).await?;
    let units = Sql::new("SELECT object_id FROM trace_order_unit WHERE order_id = $1");
    let rows = tx.fetch(units.arg(id)).await?;
    let ids = rows.iter().map(|row| row.int(0)).collect::<Result<Vec<_>>>()?;
    let items = holders(ctx, &mut tx, ids.iter().copied()).await?;
    drop(tx);
    audit::note_use(ctx, "trace_order", (&id.to_string(), items.len())).await?;
    Ok(Json(json!({
        "units": ids.len(), "items": items,
        "integrity": { "intact": integrity.intact, "finding": integrity.finding },
    })))
}

/// Who holds some objects, how many of them and how much of it in each unit, with contacts.
async fn holders(ctx: &Ctx, tx: &mut Tx, ids: impl Iterator<Item = i64>) -> Result<Vec<Value>> {
    let mut sql = Sql::new(
        "SELECT subject_id, unit, COUNT(*), CAST(SUM(CASE state WHEN 'held' THEN balance ELSE 0 END) \
         AS BIGINT) FROM trace_object WHERE id ",
    );
    sql.bind_ints(ids).push(" GROUP BY subject_id, unit ORDER BY subject_id, unit LIMIT ");
    sql.bind(SUBJECTS_MAX);
    let rows = tx.fetch(sql).await?;
    let who = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    let heirs = yj_subject::heirs(tx, &who).await?;
    let present: Vec<&str> = heirs.values().map(|one| one.id.as_str()).collect();
    let contacts = yj_subject::contacts(ctx, tx, &present).await?;
    let clearance = ctx.scope().clearance();
    let line = |row: &Row| {
        let holder = heirs.get(row.text(0)?);
        let contact = holder.and_then(|holder| contacts.get(&holder.id));
        Ok(json!({
            "subject_id": holder.map(|holder| &holder.id),
            "code": holder.map(|holder| &holder.code),
            "name": holder.map(|holder| holder.name_for(clearance)),
            "region": holder.map(|holder| &holder.region),
            "region_name": holder.map(|holder| regions().full_name(&holder.region)),
            "contact_name": contact.map(|contact| &contact.name),
            "contact_phone": contact.map(|contact| &contact.phone),
            "unit": row.text(1)?, "units": row.int(2)?, "held": quantity(row.int(3)?)?,
        }))
    };
    rows.iter().map(line).collect()
}
