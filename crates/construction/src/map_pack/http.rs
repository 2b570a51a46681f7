//! The doors of base maps: what is on the maps, for everybody who is signed in; uploads, for the
//! platform's administrators.

use axum::{
    Json,
    extract::{Path, Request},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{Access, Body, Ctx, FieldError, Problem, Result, Route, Shape, json, sound_reason};

use super::{
    check::{self, Checked},
    pack::{self, Step},
    sent,
};

const PATH: &str = "/api/v1/map-packs";
/// Of a boundary file with what is said about it.
const BYTES_MAX: usize = 16 << 20;

/// Why an upload is put on the maps or taken off them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Word {
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

/// What is said about a boundary file, and the file.
#[derive(JsonSchema)]
#[schemars(rename = "MapPackUpload")]
#[expect(dead_code, reason = "describes a body that is read piece by piece")]
struct Upload {
    /// 名称
    #[schemars(length(min = 2, max = 60))]
    name: String,
    /// 审图号，如 GS(2024)0650号、陕S(2024)012号
    approval_number: String,
    /// 来源
    #[schemars(length(min = 2, max = 200))]
    source: String,
    /// 编制年份
    issued_year: i16,
    /// 坐标系：cgcs2000、wgs84 或 gcj02
    datum: String,
    /// 审图号有效期的最后一日；没有有效期的不填
    valid_until: Option<String>,
    /// GeoJSON 的 FeatureCollection
    outline: serde_json::Map<String, Value>,
}

/// What is checked may be wrong in every way: the answer says how.
fn anything() -> Shape {
    Shape::Json(json!({
        "type": "object",
        "description": "同上传地图底图的请求体；内容有误时仍答 200，并在 errors 中逐项列出",
    }))
}

pub(crate) fn routes() -> Vec<Route> {
    let may = |verb: &str| Access::permission(format!("map_pack:{verb}"));
    let at = |tail: &str| (Method::POST, format!("{PATH}/{{id}}/{tail}"));
    let take = |step: Step| {
        move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Word>| async move {
            advance(&ctx, (&id, step, &body.reason)).await
        }
    };
    let outline = || Shape::Bytes("application/json");
    vec![
        Route::new((Method::GET, PATH), may("read"), "地图底图", list),
        Route::new((Method::POST, PATH), may("write"), "上传地图底图", upload)
            .takes(Shape::of::<Upload>())
            .body_max(BYTES_MAX),
        Route::new((Method::POST, format!("{PATH}/check")), may("write"), "检查地图底图", examine)
            .takes(anything())
            .body_max(BYTES_MAX),
        Route::new(
            (Method::GET, format!("{PATH}/active")),
            Access::SignedIn,
            "现行的地图底图与审图号",
            active,
        ),
        Route::new(
            (Method::GET, format!("{PATH}/active/{{digest}}")),
            Access::SignedIn,
            "现行底图的界线",
            active_outline,
        )
        .gives(outline()),
        Route::new(
            (Method::GET, format!("{PATH}/{{id}}/outline")),
            may("read"),
            "上传底图的界线",
            any_outline,
        )
        .gives(outline()),
        Route::new(at("activate"), may("approve"), "启用地图底图", take(Step::Activate))
            .takes(Shape::of::<Word>())
            .fresh(),
        Route::new(at("withdraw"), may("approve"), "撤下地图底图", take(Step::Withdraw))
            .takes(Shape::of::<Word>())
            .fresh(),
        Route::new(at("discard"), may("write"), "作废地图底图", take(Step::Discard))
            .takes(Shape::of::<Word>()),
    ]
}

/// Reads and checks what came in, away from the threads that answer. Also gives the outline as it
/// is stored.
async fn checked(
    ctx: &Ctx,
    request: Request,
) -> Result<Result<(Checked, String), Vec<FieldError>>> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::UnsupportedMediaType(String::from("请求体应为 application/json")));
    }
    let bytes = json::bytes(request, &()).await.map_err(|problem| match problem {
        Problem::TooLarge(_) => {
            let most = BYTES_MAX >> 20;
            Problem::TooLarge(format!("边界文件至多 {most} MiB；请使用比例尺较小的官方底图"))
        }
        other => other,
    })?;
    let today = ctx.today();
    let work = move || {
        let sent = sent::read(&bytes)?;
        let checked = match check::check(&sent, today) {
            Ok(checked) => checked,
            Err(errors) => return Ok(Err(errors)),
        };
        let content = serde_json::to_string(&checked.outline).map_err(Problem::internal)?;
        Ok(Ok((checked, content)))
    };
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?
}

async fn examine(ctx: Ctx, request: Request) -> Result<Response> {
    let errors = |errors: Vec<FieldError>| {
        let error = |error: FieldError| json!({ "field": error.field, "detail": error.detail });
        errors.into_iter().map(error).collect::<Vec<_>>()
    };
    let (checked, content) = match checked(&ctx, request).await {
        Ok(Ok(sound)) => sound,
        Ok(Err(found)) | Err(Problem::Invalid(found)) => {
            let body = json!({ "sound": false, "pack": null, "errors": errors(found) });
            return Ok(Json(body).into_response());
        }
        Err(problem) => return Err(problem),
    };
    // The outline is large and written already.
    let summary = pack::summary(&checked);
    let body = format!(r#"{{"sound":true,"errors":[],"pack":{summary},"outline":{content}}}"#);
    Ok(outline(body))
}

async fn upload(ctx: Ctx, request: Request) -> Result<Response> {
    let (checked, content) = checked(&ctx, request).await?.map_err(Problem::Invalid)?;
    let mut tx = ctx.begin().await?;
    let kept = pack::upload(&ctx, &mut tx, (&checked, content)).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(kept)).into_response())
}

async fn list(ctx: Ctx) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    Ok(Json(pack::list(&ctx, &mut tx).await?))
}

async fn active(ctx: Ctx) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    Ok(Json(pack::active(&ctx, &mut tx).await?))
}

/// What has this digest never changes: browsers keep it.
async fn active_outline(
    ctx: Ctx,
    Path(digest): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let mut tx = ctx.snapshot().await?;
    let content = pack::active_outline(&ctx, &mut tx, &digest).await?;
    let tag = format!("\"{digest}\"");
    let kept = headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response =
        if kept { StatusCode::NOT_MODIFIED.into_response() } else { outline(content) };
    let forever = HeaderValue::from_static("private, max-age=31536000, immutable");
    response.headers_mut().insert(CACHE_CONTROL, forever);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    Ok(response)
}

async fn any_outline(ctx: Ctx, Path(id): Path<String>) -> Result<Response> {
    let mut tx = ctx.snapshot().await?;
    Ok(outline(pack::outline(&mut tx, &id).await?))
}

/// JSON that is written already.
fn outline(content: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], content).into_response()
}

async fn advance(ctx: &Ctx, (id, step, reason): (&str, Step, &str)) -> Result<Json<Value>> {
    let reason = sound_reason(reason)?;
    let mut tx = ctx.begin().await?;
    let kept = pack::advance(ctx, &mut tx, (id, step, reason)).await?;
    tx.commit().await?;
    Ok(Json(kept))
}
