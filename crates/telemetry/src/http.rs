//! The doors of device data over HTTP.

use axum::{Json, extract::RawQuery, http::Method};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{
    Access, App, Body, Ctx, Param, Problem, Result, Route, Shape, record_routes, transfer,
};
use yj_ledger::Ledger;

use crate::{BINDING, Intake, anchor, conditions, message::Message, query};

/// Messages of one request: what a device kept while it was cut off.
pub(crate) const MESSAGES_MAX: usize = 1_000;
/// Largest request, in bytes.
const BODY_MAX: usize = 8 << 20;

/// Messages as they come: each is judged by itself, so that one that cannot be read refuses no
/// other.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    messages: Vec<Value>,
}

/// 设备消息，按序号补传
#[derive(JsonSchema)]
#[expect(dead_code, reason = "describes the request")]
struct Described {
    /// 1 至 1000 条，可属多台设备；逐条答复
    #[schemars(length(min = 1, max = 1000))]
    messages: Vec<Message>,
}

const DEVICE: Param = Param { name: "device_id", label: "设备标识", required: true };
const AFTER: Param = Param { name: "after", label: "上一页答复中的 next", required: false };
const PER_PAGE: Param = Param { name: "per_page", label: "每页条数", required: false };

const fn optional(name: &'static str, label: &'static str) -> Param {
    Param { name, label, required: false }
}

const READINGS: &[Param] = &[
    optional("device_id", "设备标识"),
    optional("subject_id", "设备所属企业"),
    optional("kind", "测量项目"),
    optional("channel", "通道"),
    optional("code", "追溯码"),
    optional("mark", "标记：gap、frozen、late、implausible 或 any"),
    optional("time.from", "采样时间起"),
    optional("time.to", "采样时间止"),
    optional("sort", "time 或 -time"),
    optional("page", "页码"),
    PER_PAGE,
    AFTER,
];

const EVENTS: &[Param] =
    &[optional("device_id", "设备标识"), optional("event", "追溯事件标识"), PER_PAGE, AFTER];

fn may(verb: &str) -> Access {
    Access::permission(format!("device:{verb}"))
}

/// The routes of this crate.
pub fn routes(intake: &Intake, ledger: &Ledger) -> Vec<Route> {
    let mut routes = record_routes(BINDING);
    let intake = intake.clone();
    let take = move |app: App, Body(batch): Body<Batch>| {
        let intake = intake.clone();
        async move { take(&app, &intake, batch).await.map(Json) }
    };
    routes.push(
        Route::public(
            (Method::POST, "/api/v1/devices/messages"),
            "每条消息由设备证书的密钥签名，逐条核对",
            "设备上报数据",
            take,
        )
        .takes(Shape::of::<Described>())
        .body_max(BODY_MAX),
    );
    routes.extend(reading_routes());
    routes.extend(evidence_routes(ledger));
    routes
}

async fn take(app: &App, intake: &Intake, batch: Batch) -> Result<Value> {
    let sent = batch.messages;
    if !(1..=MESSAGES_MAX).contains(&sent.len()) {
        let detail = format!("一次应为 1 至 {MESSAGES_MAX} 条消息，现为 {} 条", sent.len());
        return Err(Problem::invalid("messages", detail));
    }
    let told = intake.take(app, sent, false).await?;
    Ok(json!({ "results": told.iter().map(crate::Told::json).collect::<Vec<_>>() }))
}

fn reading_routes() -> Vec<Route> {
    let readings = |ctx: Ctx, RawQuery(query): RawQuery| async move {
        let mut tx = ctx.snapshot().await?;
        query::readings(&ctx, &mut tx, &query.unwrap_or_default()).await.map(Json)
    };
    let series = |ctx: Ctx, RawQuery(query): RawQuery| async move {
        let mut tx = ctx.snapshot().await?;
        query::series(&ctx, &mut tx, &query.unwrap_or_default()).await.map(Json)
    };
    let messages = |ctx: Ctx, RawQuery(query): RawQuery| async move {
        let mut tx = ctx.snapshot().await?;
        query::messages(&ctx, &mut tx, &query.unwrap_or_default()).await.map(Json)
    };
    let events = |ctx: Ctx, RawQuery(query): RawQuery| async move {
        let mut tx = ctx.snapshot().await?;
        query::events(&ctx, &mut tx, &query.unwrap_or_default()).await.map(Json)
    };
    vec![
        Route::new(
            (Method::GET, "/api/v1/devices/readings"),
            may("read"),
            "检索设备读数",
            readings,
        )
        .query(READINGS),
        Route::new(
            (Method::GET, "/api/v1/devices/series"),
            may("read"),
            "设备测量项目与缺号",
            series,
        )
        .query(&[DEVICE]),
        Route::new((Method::GET, "/api/v1/devices/messages"), may("read"), "设备消息", messages)
            .query(&[DEVICE, PER_PAGE, AFTER]),
        Route::new(
            (Method::GET, "/api/v1/devices/events"),
            may("read"),
            "设备与事件的关联",
            events,
        )
        .query(EVENTS),
    ]
}

fn parameter(query: Option<&str>, wanted: &'static str) -> Result<String> {
    let query = query.unwrap_or_default();
    let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == wanted);
    let missing = || Problem::invalid(wanted, format!("请给出 {wanted}"));
    found.next().map(|(_, text)| text.into_owned()).ok_or_else(missing)
}

fn evidence_routes(ledger: &Ledger) -> Vec<Route> {
    let ledger = ledger.clone();
    let proof = move |ctx: Ctx, RawQuery(query): RawQuery| {
        let ledger = ledger.clone();
        async move {
            let message = parameter(query.as_deref(), "message")?;
            let mut tx = ctx.snapshot().await?;
            query::require_message(&ctx, &mut tx, &message).await?;
            let proof = anchor::proof(&mut tx, &ledger, &message).await?;
            let name = format!("{message}.json");
            let bytes = proof.to_string().into_bytes();
            Ok::<_, Problem>(transfer::download(&name, "application/json", bytes.into()))
        }
    };
    let conditions = |ctx: Ctx, RawQuery(query): RawQuery| async move {
        let code = parameter(query.as_deref(), "code")?;
        let mut tx = ctx.snapshot().await?;
        // Who may see the unit may see how it fared.
        yj_trace::require_chain(&ctx, &mut tx, &code).await?;
        let items = conditions::of_code(&ctx, &mut tx, &code).await?;
        Ok::<_, Problem>(Json(json!({ "items": items })))
    };
    vec![
        Route::new(
            (Method::GET, "/api/v1/devices/proof"),
            may("read"),
            "设备消息的存证证明",
            proof,
        )
        .query(&[Param { name: "message", label: "消息标识", required: true }])
        .gives(Shape::Bytes("application/json")),
        Route::new(
            (Method::GET, "/api/v1/devices/conditions"),
            Access::permission("trace:read"),
            "追溯单元的温湿度小结",
            conditions,
        )
        .query(&[Param { name: "code", label: "追溯码", required: true }]),
    ]
}
