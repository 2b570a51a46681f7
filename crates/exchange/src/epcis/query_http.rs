//! The doors of named queries and subscriptions.

use axum::{
    extract::{Path, RawQuery, Request},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use yj_epcis::query::Query;
use yj_kernel::{Ctx, Param, Problem, Route, Shape};

use super::{
    BASE, answer,
    guard::Callbacks,
    header::{EpcFormat, Media},
    http::{at, encoded, link_next, may, options, page_of, page_size, paging},
    named,
    problem::{Refusal, Result},
    socket,
    sockets::Sockets,
    subscription,
};

const PAGING: &[Param] = &[
    Param { name: "perPage", label: "每页条数，至多 1000", required: false },
    Param { name: "nextPageToken", label: "上一页答复中的令牌", required: false },
];

/// Those, and what a subscription over the connection itself is told by.
const PAGING_OR_SOCKET: &[Param] = &[
    Param { name: "perPage", label: "每页条数，至多 1000", required: false },
    Param { name: "nextPageToken", label: "上一页答复中的令牌", required: false },
    Param {
        name: "stream",
        label: "WebSocket 订阅（Upgrade: websocket）：true 为随采集推送，与时间表二者择一",
        required: false,
    },
    Param { name: "second", label: "WebSocket 订阅的时间表：秒", required: false },
    Param { name: "minute", label: "WebSocket 订阅的时间表：分", required: false },
    Param { name: "hour", label: "WebSocket 订阅的时间表：时", required: false },
    Param { name: "dayOfMonth", label: "WebSocket 订阅的时间表：日", required: false },
    Param { name: "month", label: "WebSocket 订阅的时间表：月", required: false },
    Param {
        name: "dayOfWeek", label: "WebSocket 订阅的时间表：星期，1 为星期一", required: false
    },
    Param {
        name: "reportIfEmpty",
        label: "WebSocket 订阅：true 时到点没有事件也推送",
        required: false,
    },
    Param {
        name: "initialRecordTime",
        label: "WebSocket 订阅：先推送此刻起已记录的事件",
        required: false,
    },
    Param {
        name: "minRecordTime",
        label: "WebSocket 订阅：不推送此刻之前记录的事件",
        required: false,
    },
];

/// Their routes. Whoever may read may ask under a name, and be told.
pub(crate) fn routes(callbacks: &Callbacks, sockets: &Sockets) -> Vec<Route> {
    let mut routes = query_routes(sockets);
    routes.extend(subscription_routes(callbacks));
    routes
}

/// The body of a request, which must be JSON.
async fn body(request: Request) -> Result<axum::body::Bytes> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !["application/json", "application/ld+json"]
        .iter()
        .any(|known| kind.eq_ignore_ascii_case(known))
    {
        let detail = "应为 application/json 或 application/ld+json";
        return Err(Problem::UnsupportedMediaType(String::from(detail)).into());
    }
    Ok(yj_kernel::json::bytes(request, &()).await?)
}

fn created(place: &str, response: Response) -> Result<Response> {
    let mut response = (StatusCode::CREATED, response).into_response();
    let place = HeaderValue::from_str(place).map_err(Problem::internal)?;
    response.headers_mut().insert(header::LOCATION, place);
    Ok(response)
}

fn query_routes(sockets: &Sockets) -> Vec<Route> {
    let sockets = sockets.clone();
    let list = |ctx: Ctx, headers: HeaderMap, RawQuery(query): RawQuery| async move {
        let media = Media::asked(&headers, false)?;
        let (per_page, after) = paging(ctx.now_ms(), "/queries", &query.unwrap_or_default())?;
        let mut tx = ctx.snapshot().await?;
        let (found, next) = named::list(&ctx, &mut tx, (per_page, after.as_deref())).await?;
        let text = serde_json::Value::from(found).to_string();
        let mut response = answer::response(text, media);
        link_next(&ctx, &mut response, ("/queries", per_page, next))?;
        Ok::<_, Refusal>(response)
    };
    let create = |ctx: Ctx, headers: HeaderMap, request: Request| async move {
        let media = Media::asked(&headers, false)?;
        let bytes = body(request).await?;
        let mut tx = ctx.begin().await?;
        let made = named::create(&ctx, &mut tx, (&bytes, &headers)).await?;
        tx.commit().await?;
        let place = format!("{BASE}/queries/{}", encoded(&made.name));
        created(&place, answer::response(made.describe()?.to_string(), media))
    };
    let read = |ctx: Ctx, headers: HeaderMap, Path(name): Path<String>| async move {
        let media = Media::asked(&headers, false)?;
        let mut tx = ctx.snapshot().await?;
        let found = named::find(&ctx, &mut tx, &name).await?;
        Ok::<_, Refusal>(answer::response(found.describe()?.to_string(), media))
    };
    let remove = |ctx: Ctx, Path(name): Path<String>| async move {
        let mut tx = ctx.begin().await?;
        named::remove(&ctx, &mut tx, &name).await?;
        tx.commit().await?;
        Ok::<_, Refusal>(StatusCode::NO_CONTENT)
    };
    let events =
        move |ctx: Ctx, Path(name): Path<String>, RawQuery(query): RawQuery, request: Request| {
            let sockets = sockets.clone();
            async move {
                let query = query.unwrap_or_default();
                let (parts, _) = request.into_parts();
                if socket::is_wanted(&parts.headers) {
                    return socket::open(ctx, &sockets, (&name, &query), parts).await;
                }
                let mut tx = ctx.snapshot().await?;
                let found = named::find(&ctx, &mut tx, &name).await?;
                drop(tx);
                let mut asked = found.query()?;
                page_within(&mut asked, &query)?;
                let tail = format!("/queries/{}/events", encoded(&name));
                page_of(&ctx, &parts.headers, (&tail, &query), (&found.name, &asked)).await
            }
        };
    vec![
        Route::new(at(Method::GET, "/queries"), may("read"), "EPCIS 命名查询", list).query(PAGING),
        Route::new(at(Method::POST, "/queries"), may("read"), "建立 EPCIS 命名查询", create)
            .takes(Shape::Bytes("application/json")),
        Route::new(at(Method::GET, "/queries/{id}"), may("read"), "一个 EPCIS 命名查询", read),
        Route::new(at(Method::DELETE, "/queries/{id}"), may("read"), "删除 EPCIS 命名查询", remove),
        Route::new(
            at(Method::GET, "/queries/{id}/events"),
            may("read"),
            "EPCIS 命名查询的事件；以 WebSocket 打开时为订阅",
            events,
        )
        .query(PAGING_OR_SOCKET),
        options("/queries", "GET, POST, OPTIONS", "EPCIS 命名查询的能力"),
        options("/queries/{id}", "GET, DELETE, OPTIONS", "EPCIS 命名查询的能力（单个）"),
        options("/queries/{id}/events", "GET, OPTIONS", "EPCIS 命名查询事件的能力"),
    ]
}

/// Which page of a named query; what it asks for is not changed.
fn page_within(query: &mut Query, text: &str) -> Result<()> {
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        match &*name {
            "perPage" => {
                let per_page = page_size(&name, &value)?;
                query.per_page = u64::try_from(per_page).ok();
            }
            "nextPageToken" => query.next_page_token = Some(value.into_owned()),
            other => {
                let detail = "命名查询只接受 perPage 与 nextPageToken；订阅的参数只用于 WebSocket";
                return Err(Problem::invalid(other, detail).into());
            }
        }
    }
    Ok(())
}

fn subscription_routes(callbacks: &Callbacks) -> Vec<Route> {
    let callbacks = callbacks.clone();
    let list = |ctx: Ctx,
                headers: HeaderMap,
                Path(name): Path<String>,
                RawQuery(query): RawQuery| async move {
        let media = Media::asked(&headers, false)?;
        let mut tx = ctx.snapshot().await?;
        let named = named::find(&ctx, &mut tx, &name).await?;
        let place = format!("/queries/{}/subscriptions", encoded(&name));
        let (per_page, after) = paging(ctx.now_ms(), &place, &query.unwrap_or_default())?;
        let (found, next) =
            subscription::list(&mut tx, &named, (per_page, after.as_deref())).await?;
        let text = serde_json::Value::from(found).to_string();
        let mut response = answer::response(text, media);
        link_next(&ctx, &mut response, (&place, per_page, next))?;
        Ok::<_, Refusal>(response)
    };
    let create = move |ctx: Ctx, headers: HeaderMap, Path(name): Path<String>, request: Request| {
        let callbacks = callbacks.clone();
        async move {
            let media = Media::asked(&headers, false)?;
            let format = EpcFormat::asked(&headers)?;
            let bytes = body(request).await?;
            let mut tx = ctx.begin().await?;
            let named = named::find(&ctx, &mut tx, &name).await?;
            let asked = (&bytes[..], &callbacks, format);
            let made = subscription::create(&ctx, &mut tx, &named, asked).await?;
            tx.commit().await?;
            let place = format!("{BASE}/queries/{}/subscriptions/{}", encoded(&name), made.id);
            created(&place, answer::response(made.describe().to_string(), media))
        }
    };
    let read = |ctx: Ctx, headers: HeaderMap, Path((name, id)): Path<(String, String)>| async move {
        let media = Media::asked(&headers, false)?;
        let mut tx = ctx.snapshot().await?;
        let named = named::find(&ctx, &mut tx, &name).await?;
        let found = subscription::find(&mut tx, &named, &id).await?;
        Ok::<_, Refusal>(answer::response(found.describe().to_string(), media))
    };
    let remove = |ctx: Ctx, Path((name, id)): Path<(String, String)>| async move {
        let mut tx = ctx.begin().await?;
        let named = named::find(&ctx, &mut tx, &name).await?;
        subscription::remove(&ctx, &mut tx, &named, &id).await?;
        tx.commit().await?;
        Ok::<_, Refusal>(StatusCode::NO_CONTENT)
    };
    let (all, one) = ("/queries/{id}/subscriptions", "/queries/{id}/subscriptions/{sub}");
    vec![
        Route::new(at(Method::GET, all), may("read"), "EPCIS 订阅", list).query(PAGING),
        Route::new(at(Method::POST, all), may("read"), "订阅 EPCIS 命名查询", create)
            .takes(Shape::Bytes("application/json")),
        Route::new(at(Method::GET, one), may("read"), "一个 EPCIS 订阅", read),
        Route::new(at(Method::DELETE, one), may("read"), "取消 EPCIS 订阅", remove),
        options(all, "GET, POST, OPTIONS", "EPCIS 订阅的能力"),
        options(one, "GET, DELETE, OPTIONS", "EPCIS 订阅的能力（单个）"),
    ]
}
