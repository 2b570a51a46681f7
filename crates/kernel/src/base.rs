//! Routes that belong to no register: metadata, regions, jobs, files, audit.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, RawQuery},
    http::{HeaderValue, Method, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use serde_json::{Value, json};
use yj_model::{RegionKind, regions};

use crate::{
    Access, App, Ctx, Param, Problem, Result, Route, Shape, attachment, audit, code_list, jobs,
    json::Body, openapi, transfer,
};

/// All of them.
pub fn base_routes() -> Vec<Route> {
    let mut routes = job_routes();
    routes.extend(crate::export_approval::routes());
    routes.extend(file_routes());
    routes.extend(crate::change_rule::routes());
    routes.extend(crate::saved_view::routes());
    routes.extend([
        Route::new((Method::GET, "/api/v1/meta"), Access::SignedIn, "界面元数据", meta),
        Route::public(
            (Method::GET, "/api/v1/regions"),
            "行政区划是公开信息",
            "行政区划",
            list_regions,
        )
        .query(&[Param {
            name: "parent",
            label: "上级代码，如 610000 或 61；缺省为省级",
            required: false,
        }]),
    ]);
    routes
}

async fn meta(ctx: Ctx) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    let entities = code_list::all_present(ctx.app(), &mut tx).await?;
    let mut meta = openapi::meta(ctx.app().platform(), &entities);
    // Only registers that the caller may read.
    if let Some(entities) = meta["entities"].as_array_mut() {
        entities.retain(|entity| {
            ctx.allows(&format!("{}:read", entity["table"].as_str().unwrap_or_default()))
        });
    }
    Ok(Json(meta))
}

async fn list_regions(_: App, RawQuery(query): RawQuery) -> Json<Value> {
    let query = query.unwrap_or_default();
    let parent = parameter(&query, "parent").filter(|code| !code.is_empty()).map(whole_code);
    let item = |region: &yj_model::Region| {
        let centre = regions().centre(region.code);
        json!({
            "code": region.code, "name": region.name, "full_name": regions().full_name(region.code),
            "level": region.level, "zone": region.kind == RegionKind::Zone,
            "lon": centre.map(|(lon, _)| lon), "lat": centre.map(|(_, lat)| lat),
        })
    };
    let mut found: Vec<_> = children(parent.as_deref());
    if parameter(&query, "all").as_deref() == Some("true") {
        // Two levels below a province are its counties; deeper ones are in no package.
        let mut at = 0;
        while let Some(region) = found.get(at) {
            let below = children(Some(region.code));
            found.extend(below);
            at += 1;
        }
    }
    Json(found.into_iter().map(item).collect())
}

/// People write 61 for 610000, and 6101 for 610100.
fn whole_code(code: String) -> String {
    if matches!(code.len(), 2 | 4) { format!("{code:0<6}") } else { code }
}

fn children(parent: Option<&str>) -> Vec<&'static yj_model::Region> {
    regions().children(parent).filter(|region| region.valid_to.is_none()).collect()
}

fn job_routes() -> Vec<Route> {
    let at = |method: Method, tail: &str| (method, format!("/api/v1/jobs{tail}"));
    let mine = || Access::SignedIn;
    vec![
        Route::new(at(Method::GET, ""), mine(), "我的任务", list_jobs),
        Route::new(at(Method::GET, "/{id}"), mine(), "任务", read_job),
        Route::new(at(Method::GET, "/{id}/rows"), mine(), "任务逐行结果", read_rows).query(&[
            Param { name: "outcome", label: "ok、failed 或 duplicate", required: false },
            Param { name: "page", label: "页码", required: false },
            Param { name: "per_page", label: "每页条数", required: false },
        ]),
        Route::new(at(Method::PUT, "/{id}/rows/{row}"), mine(), "修正并重新导入一行", repair_row)
            .takes(Shape::of::<BTreeMap<String, String>>()),
        Route::new(at(Method::GET, "/{id}/events"), mine(), "任务进度（SSE）", watch_job)
            .gives(Shape::Bytes("text/event-stream")),
        Route::new(at(Method::POST, "/{id}/cancel"), mine(), "取消任务", cancel_job),
    ]
}

async fn list_jobs(ctx: Ctx) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    Ok(Json(jobs::list(&ctx, &mut tx).await?))
}

async fn read_job(ctx: Ctx, Path(id): Path<String>) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    Ok(Json(jobs::one(&ctx, &mut tx, &id).await?))
}

async fn read_rows(
    ctx: Ctx,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    Ok(Json(jobs::rows(&ctx, &mut tx, &id, &query.unwrap_or_default()).await?))
}

async fn repair_row(
    ctx: Ctx,
    Path((id, row)): Path<(String, String)>,
    Body(corrections): Body<BTreeMap<String, String>>,
) -> Result<Json<Value>> {
    let row = row.parse().map_err(|_| Problem::NotFound("此行"))?;
    Ok(Json(jobs::repair(&ctx, (&id, row), corrections).await?))
}

async fn cancel_job(ctx: Ctx, Path(id): Path<String>) -> Result<Json<Value>> {
    let mut tx = ctx.begin().await?;
    let job = jobs::cancel(&ctx, &mut tx, &id).await?;
    tx.commit().await?;
    jobs::wake(ctx.app());
    Ok(Json(job))
}

/// Longest time between two looks at a job: another node may be running it.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Progress as it happens: one event for every change seen, and an end when the job has ended.
async fn watch_job(ctx: Ctx, Path(id): Path<String>) -> Result<Response> {
    let mut tx = ctx.snapshot().await?;
    jobs::one(&ctx, &mut tx, &id).await?;
    drop(tx);
    let signal = ctx.app().signal().subscribe();
    let start = (ctx, id, signal, None::<Value>, false);
    let events = stream::unfold(start, |(ctx, id, mut signal, last, ended)| async move {
        if ended {
            return None;
        }
        loop {
            let job =
                async { jobs::one(&ctx, &mut ctx.snapshot().await?, &id).await }.await.ok()?;
            if last.as_ref() != Some(&job) {
                let ended =
                    !matches!(job["state"].as_str(), Some("waiting" | "queued" | "running"));
                let event = Event::default()
                    .event("progress")
                    .id(job["done"].to_string())
                    .data(job.to_string());
                return Some((Ok::<_, Infallible>(event), (ctx, id, signal, Some(job), ended)));
            }
            // Whether told or not, look again.
            let _ = tokio::time::timeout(LOOK_EVERY, signal.changed()).await;
        }
    });
    let alive = KeepAlive::new().interval(Duration::from_secs(15));
    let mut response = Sse::new(events).keep_alive(alive).into_response();
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

fn file_routes() -> Vec<Route> {
    vec![
        Route::new((Method::POST, "/api/v1/attachments"), Access::SignedIn, "上传文件", upload)
            .query(&[
                Param { name: "name", label: "文件名", required: true },
                Param { name: "entity", label: "所属记录的种类", required: false },
                Param { name: "record", label: "所属记录", required: false },
            ])
            .takes(Shape::Bytes("application/octet-stream"))
            .body_max(attachment::SIZE_MAX + 1),
        Route::new((Method::GET, "/api/v1/attachments"), Access::SignedIn, "一条记录的文件", files)
            .query(&[
                Param { name: "entity", label: "所属记录的种类", required: true },
                Param { name: "record", label: "所属记录", required: true },
            ]),
        Route::new((Method::GET, "/api/v1/attachments/{id}"), Access::SignedIn, "下载文件", fetch)
            .gives(Shape::Bytes("application/octet-stream")),
    ]
}

fn parameter(query: &str, wanted: &str) -> Option<String> {
    let found = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted);
    found.map(|(_, text)| text.into_owned())
}

/// The record a file belongs to, if the caller has this right to it.
async fn owner(
    ctx: &Ctx,
    (query, verb): (&str, &'static str),
) -> Result<Option<(&'static str, String)>> {
    let (Some(table), Some(record)) = (parameter(query, "entity"), parameter(query, "record"))
    else {
        return Ok(None);
    };
    let known = ctx.app().entities().iter().find(|entity| entity.table == table);
    let entity = known.ok_or_else(|| Problem::invalid("entity", "没有这种记录"))?;
    let mut tx = ctx.snapshot().await?;
    attachment::reach(ctx, &mut tx, (entity, verb), &record).await?;
    Ok(Some((entity.table, record)))
}

async fn upload(ctx: Ctx, RawQuery(query): RawQuery, bytes: Bytes) -> Result<Response> {
    let query = query.unwrap_or_default();
    let name = parameter(&query, "name").ok_or_else(|| Problem::invalid("name", "请给出文件名"))?;
    let owner = owner(&ctx, (&query, "write")).await?;
    let of = owner.as_ref().map(|(table, record)| (*table, record.as_str()));
    let mut tx = ctx.begin().await?;
    let upload = attachment::Upload { name: &name, bytes, of, expires_at: None };
    let file = attachment::store(&ctx, &mut tx, upload).await?;
    let record = file["id"].as_str().unwrap_or_default();
    let entry =
        audit::Entry { action: "uploaded", entity: "attachment", record, body: file.clone() };
    audit::write(&ctx, &mut tx, entry);
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(file)).into_response())
}

async fn files(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Json<Value>> {
    let query = query.unwrap_or_default();
    let required = || Problem::invalid("entity", "请给出 entity 与 record");
    let (table, record) = owner(&ctx, (&query, "read")).await?.ok_or_else(required)?;
    let mut tx = ctx.snapshot().await?;
    Ok(Json(attachment::of_record(&mut tx, table, &record).await?))
}

async fn fetch(ctx: Ctx, Path(id): Path<String>) -> Result<Response> {
    let mut tx = ctx.snapshot().await?;
    let found = attachment::open(&ctx, &mut tx, &id).await?;
    drop(tx);
    let mut tx = ctx.begin().await?;
    let body = json!({ "name": found.name });
    let entry = audit::Entry { action: "downloaded", entity: "attachment", record: &id, body };
    audit::write(&ctx, &mut tx, entry);
    tx.commit().await?;
    Ok(transfer::download(&found.name, &found.media_type, found.bytes))
}
