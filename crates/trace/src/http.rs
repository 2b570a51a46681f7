//! The doors of trace data.

use axum::{
    Json,
    extract::{FromRequest as _, Path, RawQuery, Request},
    http::{Method, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_domain::FieldClass;
use yj_kernel::{
    Access, Body, Ctx, Entity, Param, Problem, Result, Route, Shape, audit, json as strict,
    record_routes, sound_reason, transfer,
};
use yj_ledger::{Ground, Ledger};
use yj_model::TraceCode;

use crate::{
    anchored::Events,
    capture::{self, Captured, EVENTS_MAX, Source},
    closure::Direction,
    compose, document_http,
    erasure::{Act, Erasing},
    event::TraceEvent,
    export, import, inside,
    keeping::Keeping,
    lists, order_http,
    policy::SourcePolicy,
    proofs, query,
    review::{self, Decision},
    scan,
    sealed::{self, Secrets},
    spelling, stock,
    together::Together,
    unusual, xml,
};

/// Largest capture request.
const CAPTURE_BYTES_MAX: usize = 8 << 20;

/// Why 个人信息 is shown.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

/// Why 个人信息 is erased.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Part {
    /// 依据；所收原文随之删除的，写入墓碑。留空为其他
    #[serde(default = "other")]
    ground: Ground,
    /// 理由；只记入审计
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

const fn other() -> Ground {
    Ground::Other
}

/// Why a whole record is erased.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Whole {
    /// 依据
    pub(crate) ground: Ground,
    /// 理由；只记入审计
    #[schemars(length(min = 2, max = 500))]
    pub(crate) reason: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Batch {
    /// 1 至 1000 条
    events: Vec<TraceEvent>,
    /// true 时一条有误则全部不收
    #[serde(default)]
    atomic: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Comment {
    /// 意见；驳回必填
    #[serde(default)]
    comment: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Mint {
    /// 1 至 1000
    count: usize,
}

/// The routes of this crate.
pub fn routes(erasing: &Erasing) -> Vec<Route> {
    let ledger = erasing.ledger();
    let mut routes = record_routes(Entity::of::<SourcePolicy>());
    routes.extend(event_routes(ledger));
    routes.extend(lists::routes());
    routes.extend(erasure_routes(erasing));
    routes.extend(proofs::routes(ledger));
    routes.extend(object_routes());
    routes.extend(order_http::routes(ledger));
    routes.extend(import::routes(ledger));
    routes.extend(scan::routes());
    routes.extend(document_http::routes(erasing));
    routes.extend(stock::routes());
    routes
}

fn may(verb: &str) -> Access {
    Access::permission(format!("trace:{verb}"))
}

/// What the list and its export are asked with.
const QUERY: &[Param] = &[
    transfer::FORMAT,
    Param { name: "domain", label: "领域", required: false },
    Param { name: "stage", label: "环节", required: false },
    Param { name: "type", label: "事件类型", required: false },
    Param {
        name: "catalogue_code", label: "产品品种（分类代码，含下级）", required: false
    },
    Param { name: "product_id", label: "产品", required: false },
    Param { name: "region", label: "主体所属区域", required: false },
    Param { name: "node_code", label: "上报节点（节点编码）", required: false },
    Param { name: "subject_id", label: "上报主体", required: false },
    Param { name: "lot", label: "批次号", required: false },
    Param { name: "code", label: "追溯码", required: false },
    Param { name: "state", label: "状态", required: false },
    Param { name: "source", label: "来源", required: false },
    Param { name: "event_time.from", label: "发生时间起", required: false },
    Param { name: "event_time.to", label: "发生时间止", required: false },
    Param { name: "sort", label: "event_time 或 -event_time", required: false },
    Param { name: "page", label: "页码", required: false },
    Param { name: "per_page", label: "每页条数", required: false },
    Param { name: "after", label: "上一页答复中的 next", required: false },
    Param {
        name: "count", label: "总数：true 一并给出，only 只给总数", required: false
    },
];
/// A list has no format, and a file no pages.
const LIST_QUERY: &[Param] = QUERY.split_at(1).1;
const EXPORT_QUERY: &[Param] = QUERY.split_at(QUERY.len() - 4).0;

fn event_routes(ledger: &Ledger) -> Vec<Route> {
    let (bell, checker, prover) = (ledger.clone(), ledger.clone(), ledger.clone());
    let together = Together::default();
    let take = move |ctx: Ctx, request: Request| async move {
        let body = document(&ctx, request).await?;
        take(&ctx, (&bell, &together), body).await
    };
    let list = |ctx: Ctx, RawQuery(query): RawQuery| async move {
        let (mut tx, query) = (ctx.snapshot().await?, query.unwrap_or_default());
        let answer = query::list(&ctx, &mut tx, &query).await?;
        drop(tx);
        let rows = answer["items"].as_array().map_or(0, Vec::len);
        audit::note_use(&ctx, "trace_event", (&query, rows)).await?;
        Ok::<_, Problem>(Json(answer))
    };
    let read =
        move |ctx: Ctx, Path(id): Path<String>| async move { read(&ctx, &checker, &id).await };
    let proof = move |ctx: Ctx, Path(id): Path<String>| async move {
        let uid = query::event_id(&id)?;
        let mut tx = ctx.snapshot().await?;
        let name = proofs::event_name(&query::one(&ctx, &mut tx, &uid).await?);
        let bytes = prover.proof(&mut tx, &uid).await?;
        Ok::<_, Problem>(transfer::download(&name, "application/json", bytes.into()))
    };
    let one = "/api/v1/trace/events/{id}";
    let mut routes = vec![
        Route::new((Method::POST, "/api/v1/trace/events"), may("capture"), "采集追溯事件", take)
            .takes(one_or_many())
            .body_max(CAPTURE_BYTES_MAX),
        Route::new((Method::GET, "/api/v1/trace/events"), may("read"), "检索追溯事件", list)
            .query(LIST_QUERY),
        transfer::export_route(&export::EVENTS, "/api/v1/trace/events", EXPORT_QUERY),
        Route::new((Method::GET, one), may("read"), "读取追溯事件", read),
        Route::new((Method::GET, format!("{one}/proof")), may("read"), "存证证明", proof)
            .gives(Shape::Bytes("application/json")),
    ];
    let reveal = move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Reason>| async move {
        let (uid, reason) = (query::event_id(&id)?, sound_reason(&body.reason)?);
        let mut tx = ctx.begin().await?;
        let shown = sealed::reveal(&ctx, &mut tx, (&uid, reason)).await?;
        tx.commit().await?;
        Ok::<_, Problem>(Json(shown))
    };
    routes.push(
        Route::new(
            (Method::POST, format!("{one}/reveal")),
            may("personal"),
            "揭示追溯事件个人信息",
            reveal,
        )
        .takes(Shape::of::<Reason>())
        .fresh(),
    );
    for (verb, decision, label) in
        [("approve", Decision::Approve, "通过"), ("reject", Decision::Reject, "驳回")]
    {
        let bell = ledger.clone();
        let decide = move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Comment>| async move {
            if body.comment.chars().count() > 500 {
                return Err(Problem::invalid("comment", "至多 500 个字"));
            }
            let uid = query::event_id(&id)?;
            let answer = review::decided(&ctx, &uid, decision, &body.comment).await?;
            bell.ring();
            answer.map(Json)
        };
        let summary = format!("{label}待审追溯事件");
        routes.push(
            Route::new((Method::POST, format!("{one}/{verb}")), may("review"), summary, decide)
                .takes(Shape::of::<Comment>()),
        );
    }
    routes
}

fn erasure_routes(erasing: &Erasing) -> [Route; 2] {
    let one = "/api/v1/trace/events/{id}";
    let by = erasing.clone();
    let attributes = move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Part>| async move {
        let (uid, reason) = (query::event_id(&id)?, sound_reason(&body.reason)?);
        by.attributes(&ctx, Act { id: &uid, ground: body.ground, reason }).await?;
        Ok::<_, Problem>(StatusCode::NO_CONTENT)
    };
    let by = erasing.clone();
    let whole = move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Whole>| async move {
        let (uid, reason) = (query::event_id(&id)?, sound_reason(&body.reason)?);
        by.whole(&ctx, Act { id: &uid, ground: body.ground, reason }).await?;
        Ok::<_, Problem>(StatusCode::NO_CONTENT)
    };
    [
        Route::new(
            (Method::POST, format!("{one}/erase")),
            may("erase"),
            "删除追溯事件个人信息",
            attributes,
        )
        .takes(Shape::of::<Part>())
        .fresh(),
        Route::new(
            (Method::POST, format!("{one}/forget")),
            may("erase"),
            "整条删除自然人的追溯事件",
            whole,
        )
        .takes(Shape::of::<Whole>())
        .fresh(),
    ]
}

/// Captures one event or a batch. A single refused event is the request's own problem.
async fn take(ctx: &Ctx, (bell, together): (&Ledger, &Together), body: Value) -> Result<Response> {
    let source = if ctx.principal().csrf.is_some() { Source::Form } else { Source::Api };
    if body.get("events").is_none() {
        let captured = together.capture(ctx, source, strict::typed(body)?).await?;
        bell.ring();
        return match captured {
            Captured::Refused(problem) => Err(problem),
            captured => Ok(answer(&[captured], true)),
        };
    }
    let batch: Batch = strict::typed(body)?;
    if batch.events.len() > EVENTS_MAX {
        return Err(Problem::TooLarge(format!(
            "一次至多 {EVENTS_MAX} 条，现为 {} 条，请分批提交",
            batch.events.len()
        )));
    }
    let captured = capture::capture(ctx, source, &batch.events, batch.atomic).await?;
    bell.ring();
    let refused = captured.iter().any(|one| matches!(one, Captured::Refused(_)));
    Ok(answer(&captured, !(batch.atomic && refused)))
}

fn answer(captured: &[Captured], stored: bool) -> Response {
    let status = match (stored, captured.iter().any(|one| matches!(one, Captured::New { .. }))) {
        (false, _) => StatusCode::UNPROCESSABLE_ENTITY,
        (true, true) => StatusCode::CREATED,
        (true, false) => StatusCode::OK,
    };
    let results = crate::results::results(captured, stored);
    (status, Json(json!({ "results": results, "stored": stored }))).into_response()
}

/// One event, or several, in JSON or in XML.
fn one_or_many() -> Shape {
    let schemas = [Shape::of::<TraceEvent>(), Shape::of::<Batch>()].map(|shape| match shape {
        Shape::Json(schema) => schema,
        _ => Value::Null,
    });
    Shape::Json(json!({ "title": "追溯事件", "anyOf": schemas, "x-yj-also": ["application/xml"] }))
}

/// What was sent, in JSON or in XML.
async fn document(ctx: &Ctx, request: Request) -> Result<Value> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !kind.is_some_and(xml::is_xml) {
        let Body(body) = Body::<Value>::from_request(request, &()).await?;
        return Ok(body);
    }
    let bytes = strict::bytes(request, &()).await?;
    let mut tx = ctx.snapshot().await?;
    let domains = yj_domain::current(&mut tx).await?;
    drop(tx);
    xml::read(&bytes, &domains, ctx.today())
}

async fn read(ctx: &Ctx, ledger: &Ledger, id: &str) -> Result<Json<Value>> {
    let uid = query::event_id(id)?;
    audit::note_use(ctx, "trace_event", (&uid, 1)).await?;
    let mut tx = ctx.snapshot().await?;
    let event = query::one(ctx, &mut tx, &uid).await?;
    let mut answer = query::describe(ctx, &mut tx, std::slice::from_ref(&event)).await?.remove(0);
    answer["personal"] = json!(sealed::present(&event, FieldClass::Personal));
    let secrets = sealed::secrets(ctx, &mut tx, &event).await?;
    let names = json!(sealed::present(&event, FieldClass::Sensitive));
    (answer["sensitive"], answer["damaged"]) = match secrets {
        Secrets::Shown(shown) => {
            shown.into_iter().for_each(|(name, value)| answer["attributes"][name] = value);
            (json!([]), json!([]))
        }
        Secrets::Hidden => (names, json!([])),
        Secrets::Damaged => (json!([]), names),
    };
    answer["unusual_price"] = json!(unusual::of_event(ctx, &mut tx, &event).await?);
    answer["kept"] = Keeping::of_event(ctx, &mut tx, &event).await?.json();
    if event.anchor.is_some() {
        let found = ledger.integrity((ctx, &mut tx), &Events, &uid).await?;
        answer["integrity"] = found.json();
    }
    Ok(Json(answer))
}

fn object_routes() -> Vec<Route> {
    let read = |ctx: Ctx, Path(code): Path<String>| async move {
        let code = spelling::asked(&code).map_err(|_| Problem::NotFound("追溯码"))?;
        let mut tx = ctx.snapshot().await?;
        let chain = compose::compose(&ctx, &mut tx, code.as_str(), &[Direction::Upstream]).await?;
        let mut answer = serde_json::to_value(chain.root()).map_err(Problem::internal)?;
        let id = chain.found.units[chain.found.root].id;
        answer["packages"] = json!(inside::packages(&ctx, &mut tx, id).await?);
        Ok::<_, Problem>(Json(answer))
    };
    let chain = |ctx: Ctx, RawQuery(query): RawQuery| async move {
        chain(&ctx, &query.unwrap_or_default()).await
    };
    let mint = |ctx: Ctx, Body(body): Body<Mint>| async move {
        if !(1..=1000).contains(&body.count) {
            return Err(Problem::invalid("count", "应为 1 至 1000"));
        }
        let batch = u32::try_from((ctx.now_ms() / 1000) & 0x3FFF_FFFF).unwrap_or(0);
        let code = |_| TraceCode::own(batch, u64::try_from(ctx.app().random() >> 64).unwrap_or(0));
        Ok::<_, Problem>(Json(json!({ "codes": (0..body.count).map(code).collect::<Vec<_>>() })))
    };
    vec![
        Route::new((Method::GET, "/api/v1/trace/objects/{code}"), may("read"), "追溯单元", read),
        Route::new((Method::GET, "/api/v1/trace/chain"), may("read"), "追溯链条", chain).query(&[
            Param { name: "code", label: "追溯码", required: true },
            Param { name: "direction", label: "upstream、downstream 或 both", required: false },
        ]),
        Route::new((Method::POST, "/api/v1/trace/codes"), may("capture"), "申领追溯码", mint)
            .takes(Shape::of::<Mint>()),
    ]
}

async fn chain(ctx: &Ctx, query: &str) -> Result<Response> {
    let (mut code, mut directions) = (None, vec![Direction::Upstream, Direction::Downstream]);
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        match (&*name, &*text) {
            ("code", text) => code = Some(String::from(text)),
            ("direction", "downstream") => directions = vec![Direction::Downstream],
            ("direction", "upstream") => directions = vec![Direction::Upstream],
            ("direction", "both") => {}
            ("direction", _) => {
                return Err(Problem::invalid("direction", "应为 upstream、downstream 或 both"));
            }
            (other, _) => return Err(Problem::invalid(other, "没有这个查询条件")),
        }
    }
    let code = code.ok_or_else(|| Problem::invalid("code", "请给出追溯码"))?;
    let code =
        spelling::asked(&code).map_err(|error| Problem::invalid("code", error.to_string()))?;
    let mut tx = ctx.snapshot().await?;
    let chain = compose::compose(ctx, &mut tx, code.as_str(), &directions).await?;
    drop(tx);
    // D-9.2.3: analysing trace data leaves a trail.
    let mut tx = ctx.begin().await?;
    let body = json!({
        "dataset": "trace_chain", "query": query, "rows": chain.len(), "recipient": ctx.actor(),
    });
    let entry =
        audit::Entry { action: "analysed", entity: "trace_object", record: code.as_str(), body };
    audit::write(ctx, &mut tx, entry);
    tx.commit().await?;
    chain.tell(ctx)?.response()
}
