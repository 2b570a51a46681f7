//! The doors of the EPCIS interface.

use axum::{
    extract::{Path, RawQuery, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use yj_epcis::{Context, Instant, Query};
use yj_kernel::{Access, Ctx, Param, Problem, Route, Shape, Tx, audit};
use yj_ledger::Ledger;

use super::{
    BASE,
    answer::{self, Occasion},
    capture::Taken,
    find,
    guard::Callbacks,
    header::{self as gs1, Behaviour, EpcFormat, Form, Media},
    job,
    page::NameToken,
    problem::{Exception, Refusal, Result, invalid},
    query_http,
    resource::{self, Resource},
    sockets::Sockets,
    spelling::Companies,
    status,
    store::Kept,
};

/// Longest query string.
const QUERY_MAX: usize = 8_000;
/// A body whose signature is checked is read whole first: this much at most. Others stream.
const SIGNED_MAX: usize = 16 << 20;
/// A single event, and a named query.
const BODY_MAX: usize = 1 << 20;

pub(crate) fn may(verb: &str) -> Access {
    Access::permission(format!("epcis:{verb}"))
}

pub(crate) fn at(method: Method, tail: &str) -> (Method, String) {
    (method, format!("{BASE}{tail}"))
}

/// The parameters of the query language that have names of their own.
pub(crate) const QUERY: &[Param] = &[
    Param { name: "eventType", label: "事件类型", required: false },
    Param { name: "GE_eventTime", label: "发生时间不早于", required: false },
    Param { name: "LT_eventTime", label: "发生时间早于", required: false },
    Param { name: "GE_recordTime", label: "记录时间不早于", required: false },
    Param { name: "LT_recordTime", label: "记录时间早于", required: false },
    Param { name: "EQ_action", label: "动作", required: false },
    Param { name: "EQ_bizStep", label: "业务步骤", required: false },
    Param { name: "EQ_disposition", label: "状态", required: false },
    Param { name: "EQ_readPoint", label: "读取点", required: false },
    Param { name: "EQ_bizLocation", label: "业务地点", required: false },
    Param { name: "MATCH_epc", label: "物品标识", required: false },
    Param { name: "MATCH_anyEPC", label: "任何位置的物品标识", required: false },
    Param { name: "MATCH_epcClass", label: "物品类别", required: false },
    Param { name: "EQ_eventID", label: "事件标识", required: false },
    Param {
        name: "orderBy", label: "排序：eventTime、recordTime 或扩展字段", required: false
    },
    Param { name: "orderDirection", label: "ASC 或 DESC", required: false },
    Param { name: "eventCountLimit", label: "至多多少个事件", required: false },
    Param { name: "maxEventCount", label: "多于此数则查询失败", required: false },
    Param { name: "perPage", label: "每页事件数，至多 1000", required: false },
    Param { name: "nextPageToken", label: "上一页答复中的令牌", required: false },
];

const PAGING: &[Param] = &[
    Param { name: "perPage", label: "每页条数，至多 1000", required: false },
    Param { name: "nextPageToken", label: "上一页答复中的令牌", required: false },
];

/// The routes of the interface.
pub fn routes(ledger: &Ledger, callbacks: &Callbacks, sockets: &Sockets) -> Vec<Route> {
    let mut routes = capture_routes(ledger);
    routes.extend(event_routes(ledger));
    routes.extend(Resource::ALL.into_iter().flat_map(resource_routes));
    routes.extend(query_http::routes(callbacks, sockets));
    routes.push(options("", "GET, OPTIONS", "EPCIS 接口的能力"));
    routes.push(options("/", "GET, OPTIONS", "EPCIS 接口的能力（以斜线结尾）"));
    let top = |_: Ctx, headers: HeaderMap| async move {
        let media = Media::asked(&headers, false)?;
        let own = ["capture", "events", "queries"];
        let names = own.into_iter().chain(Resource::ALL.map(Resource::name));
        let collection = resource::collection(names);
        Ok::<_, Refusal>(answer::response(collection.to_string(), media))
    };
    routes.push(Route::new(at(Method::GET, ""), may("read"), "EPCIS 顶层资源", top));
    let slash = at(Method::GET, "/");
    routes.push(Route::new(slash, may("read"), "EPCIS 顶层资源（以斜线结尾）", top));
    let release = |_: Ctx, Path(_): Path<String>| async { StatusCode::NO_CONTENT };
    // Tokens hold nothing that could be released.
    routes.push(Route::new(
        at(Method::DELETE, "/nextPageToken/{token}"),
        may("read"),
        "释放翻页令牌",
        release,
    ));
    routes.push(options("/nextPageToken/{token}", "DELETE, OPTIONS", "EPCIS 翻页令牌的能力"));
    routes
}

/// What a resource can do, for whoever may ask at all.
pub(crate) fn options(tail: &str, allow: &'static str, label: &str) -> Route {
    let answer = move |_: Ctx| async move { (StatusCode::NO_CONTENT, gs1::abilities(allow)) };
    Route::new(at(Method::OPTIONS, tail), Access::SignedIn, label, answer)
}

fn json_answer(value: &Value, headers: &HeaderMap) -> Result<Response> {
    let media = Media::asked(headers, false)?;
    Ok(answer::response(value.to_string(), media))
}

/// Part of a path as links write it.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A name in a path; what could be none is unknown.
pub(crate) fn sound<'p>(text: &'p str, title: &'static str) -> Result<&'p str> {
    let sound = !text.is_empty() && text.len() <= 2_000 && !text.chars().any(char::is_control);
    if sound { Ok(text) } else { Err(Problem::NotFound(title).into()) }
}

fn capture_routes(ledger: &Ledger) -> Vec<Route> {
    let bell = ledger.clone();
    let take = move |ctx: Ctx, request: Request| async move {
        let (parts, body) = request.into_parts();
        let asked = (Form::sent(&parts.headers)?, Behaviour::asked(&parts.headers)?);
        let received = job::receive(&ctx, body, asked).await?;
        bell.ring();
        let place = format!("{BASE}/capture/{}", received.id);
        Ok::<_, Refusal>((StatusCode::ACCEPTED, located(&place, asked.1)?).into_response())
    };
    let list = |ctx: Ctx, headers: HeaderMap, RawQuery(query): RawQuery| async move {
        let (per_page, before) = paging(ctx.now_ms(), "/capture", &query.unwrap_or_default())?;
        let mut tx = ctx.snapshot().await?;
        let (found, next) = status::list(&mut tx, &ctx, (per_page, before.as_deref())).await?;
        let mut response = json_answer(&Value::from(found), &headers)?;
        link_next(&ctx, &mut response, ("/capture", per_page, next))?;
        Ok::<_, Refusal>(response)
    };
    let read = |ctx: Ctx, headers: HeaderMap, Path(id): Path<String>| async move {
        let id = sound(&id, "采集任务")?;
        let mut tx = ctx.snapshot().await?;
        json_answer(&status::describe(&mut tx, &ctx, id).await?, &headers)
    };
    vec![
        Route::new(at(Method::POST, "/capture"), may("capture"), "采集 EPCIS 文档", take)
            .takes(Shape::Bytes("application/ld+json"))
            .body_max(SIGNED_MAX),
        Route::new(at(Method::GET, "/capture"), may("capture"), "EPCIS 采集任务", list)
            .query(PAGING),
        Route::new(at(Method::GET, "/capture/{id}"), may("capture"), "一次 EPCIS 采集", read),
        options("/capture", "GET, POST, OPTIONS", "EPCIS 采集的能力"),
        options("/capture/{id}", "GET, OPTIONS", "EPCIS 采集任务的能力"),
    ]
}

fn located(place: &str, behaviour: Behaviour) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(header::LOCATION, HeaderValue::from_str(place).map_err(Problem::internal)?);
    let name = HeaderName::from_static("gs1-capture-error-behaviour");
    headers.insert(name, HeaderValue::from_static(behaviour.code()));
    Ok(headers)
}

/// Size of a page of names of this list, and after which one it begins.
pub(crate) fn paging(now: i64, list: &str, query: &str) -> Result<(i64, Option<String>)> {
    let (mut per_page, mut after) = (resource::PER_PAGE, None);
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "perPage" => per_page = page_size(&name, &text)?,
            "nextPageToken" => {
                after = Some(NameToken::read(list, &text, now)?.to_owned());
            }
            other => return Err(Problem::invalid(other, "没有这个查询参数").into()),
        }
    }
    Ok((per_page, after))
}

/// The size of a page that is asked for; of more than there is, the largest.
pub(crate) fn page_size(name: &str, text: &str) -> Result<i64> {
    Ok(yj_kernel::number(name, text, i64::MAX)?.min(resource::PER_PAGE_MAX))
}

pub(crate) fn link_next(
    ctx: &Ctx,
    response: &mut Response,
    (list, per_page, next): (&str, i64, Option<String>),
) -> Result<()> {
    let Some(next) = next else { return Ok(()) };
    let (token, expires) = NameToken { list, after: &next }.write(ctx.now_ms());
    let link = format!("{BASE}{list}?perPage={per_page}&nextPageToken={}", encoded(&token));
    answer::tell_next(response, &link, expires)
}

/// The versions of an event as a query answers them.
async fn told(
    ctx: &Ctx,
    mut tx: Tx,
    found: &[Kept],
    (media, format): (Media, EpcFormat),
) -> Result<Response> {
    let companies = Companies::load(&mut tx, found, format).await?;
    drop(tx);
    let now = Instant(ctx.now_ms());
    let occasion = Occasion { name: "SimpleEventQuery", subscription: None, now, format };
    let (document, format) = answer::query_document(found, occasion, &companies);
    let mut response = answer::response(answer::render(document, media)?, media);
    answer::tell_format(&mut response, format);
    Ok(response)
}

fn event_routes(ledger: &Ledger) -> Vec<Route> {
    let bell = ledger.clone();
    let take = move |ctx: Ctx, headers: HeaderMap, request: Request| async move {
        let form = Form::sent(&headers)?;
        let (media, format) = (Media::asked(&headers, true)?, EpcFormat::asked(&headers)?);
        let bytes = yj_kernel::json::bytes(request, &()).await?;
        let sheet = job::single(&bytes, form)?;
        let asked = (form, Behaviour::Rollback);
        let received = job::at_once(&ctx, &sheet, asked, true).await?;
        bell.ring();
        let kept = received.taken.first();
        let Some(Taken::New { id, .. } | Taken::Duplicate { id, .. }) = kept else {
            return Err(Problem::internal("an event that was neither kept nor refused").into());
        };
        let headers = located(&format!("{BASE}/events/{}", encoded(id)), asked.1)?;
        let reader = ctx.under("epcis:read");
        let Ok(reader) = reader else { return Ok((StatusCode::CREATED, headers).into_response()) };
        let mut tx = reader.snapshot().await?;
        let found = find::named(&reader, &mut tx, id).await?;
        let Some(kept) = found.last() else {
            return Ok((StatusCode::CREATED, headers).into_response());
        };
        let body = match media {
            Media::Xml(_) => told(&reader, tx, &found, (media, format)).await?,
            Media::Json | Media::JsonLd => {
                let companies = Companies::load(&mut tx, &found, format).await?;
                let (event, format) = answer::bare(kept, format, &companies);
                let mut response = answer::response(event.to_string(), media);
                answer::tell_format(&mut response, format);
                response
            }
        };
        Ok::<_, Refusal>((StatusCode::CREATED, headers, body).into_response())
    };
    let list = |ctx: Ctx, headers: HeaderMap, RawQuery(query): RawQuery| async move {
        let query = query.unwrap_or_default();
        events(&ctx, &headers, ("/events", &query), None).await
    };
    let read = |ctx: Ctx, headers: HeaderMap, Path(id): Path<String>| async move {
        let (media, format) = (Media::asked(&headers, true)?, EpcFormat::asked(&headers)?);
        let id = sound(&id, "EPCIS 事件")?;
        let mut tx = ctx.snapshot().await?;
        let found = find::named(&ctx, &mut tx, id).await?;
        audit::note_use(&ctx, "epcis_event", (id, found.len())).await?;
        told(&ctx, tx, &found, (media, format)).await
    };
    vec![
        Route::new(at(Method::POST, "/events"), may("capture"), "采集一个 EPCIS 事件", take)
            .takes(Shape::Bytes("application/ld+json"))
            .body_max(BODY_MAX),
        Route::new(at(Method::GET, "/events"), may("read"), "查询 EPCIS 事件", list).query(QUERY),
        Route::new(at(Method::GET, "/events/{id}"), may("read"), "一个 EPCIS 事件", read),
        options("/events", "GET, POST, OPTIONS", "EPCIS 事件的能力"),
        options("/events/{id}", "GET, OPTIONS", "EPCIS 事件的能力（单个）"),
    ]
}

fn resource_routes(resource: Resource) -> Vec<Route> {
    let (name, title) = (resource.name(), resource.title());
    let list = move |ctx: Ctx, headers: HeaderMap, RawQuery(query): RawQuery| async move {
        let place = format!("/{}", resource.name());
        let (per_page, after) = paging(ctx.now_ms(), &place, &query.unwrap_or_default())?;
        let format = EpcFormat::asked(&headers)?;
        let mut tx = ctx.snapshot().await?;
        let (found, next) = resource.list(&ctx, &mut tx, (per_page, after.as_deref())).await?;
        let told = resource.written(&ctx, &mut tx, (found, format)).await?;
        let mut response = json_answer(&resource::collection(told.0), &headers)?;
        if resource.holds_identifiers() {
            answer::tell_format(&mut response, told.1);
        }
        link_next(&ctx, &mut response, (&place, per_page, next))?;
        Ok::<_, Refusal>(response)
    };
    let read = move |ctx: Ctx, headers: HeaderMap, Path(value): Path<String>| async move {
        let mut tx = ctx.snapshot().await?;
        let value = sound(&value, resource.title())?;
        resource.require(&ctx, &mut tx, (value, &prefixes(&headers))).await?;
        json_answer(&resource::collection(["events"]), &headers)
    };
    let below = move |ctx: Ctx,
                      headers: HeaderMap,
                      Path(value): Path<String>,
                      RawQuery(query): RawQuery| async move {
        let query = query.unwrap_or_default();
        let mut tx = ctx.snapshot().await?;
        let value = sound(&value, resource.title())?;
        resource.require(&ctx, &mut tx, (value, &prefixes(&headers))).await?;
        drop(tx);
        let tail = format!("/{}/{}/events", resource.name(), encoded(value));
        events(&ctx, &headers, (&tail, &query), Some((resource.parameter(), value))).await
    };
    let tail = |rest: &str| format!("/{name}{rest}");
    let get = |rest: &str| at(Method::GET, &tail(rest));
    vec![
        Route::new(get(""), may("read"), format!("EPCIS {title}"), list).query(PAGING),
        Route::new(get("/{id}"), may("read"), format!("EPCIS {title}的下级资源"), read),
        Route::new(get("/{id}/events"), may("read"), format!("EPCIS {title}的事件"), below)
            .query(QUERY),
        options(&tail(""), "GET, OPTIONS", &format!("EPCIS {title}的能力")),
        options(&tail("/{id}"), "GET, OPTIONS", &format!("EPCIS {title}的能力（单个）")),
        options(&tail("/{id}/events"), "GET, OPTIONS", &format!("EPCIS {title}事件的能力")),
    ]
}

/// Prefixes that a client declares in `GS1-Extensions: ex=https://…, other=urn:…`.
pub(crate) fn prefixes(headers: &HeaderMap) -> Context {
    let mut context = Context::default();
    context.declare("yj", super::NAMESPACE);
    let lines = headers.get_all("gs1-extensions").iter().filter_map(|line| line.to_str().ok());
    for pair in lines.flat_map(|line| line.split([',', ';'])).take(50) {
        if let Some((prefix, namespace)) = pair.trim().split_once('=') {
            context.declare(prefix.trim(), namespace.trim().trim_matches('"'));
        }
    }
    context
}

/// Reads the query language from a URL, with one parameter more where the path gives it.
pub(crate) fn read_query(
    query: &str,
    context: &Context,
    given: Option<(&str, &str)>,
) -> Result<Query> {
    if query.len() > QUERY_MAX {
        let detail =
            format!("查询至多 {QUERY_MAX} 个字符；更长的请存为命名查询（/epcis/v2/queries）");
        return Err(Refusal::of(Exception::UriTooLong, detail));
    }
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let parameters = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    // A value of a path may hold `|` as any other letter.
    let mut parsed = Query::parse(parameters, context).map_err(invalid).map_err(Refusal::from)?;
    if let Some(fault) = parsed.unordered_limit() {
        return Err(invalid(vec![fault]).into());
    }
    if let Some((name, value)) = given {
        let one = yj_epcis::Json::Object(vec![(
            String::from(name),
            yj_epcis::Json::Array(vec![yj_epcis::Json::text(value)]),
        )]);
        let path = Query::from_json(&one, context).map_err(invalid)?;
        parsed.conditions.extend(path.conditions);
    }
    Ok(parsed)
}

/// Answers a query with a page of events.
pub(crate) async fn events(
    ctx: &Ctx,
    headers: &HeaderMap,
    (tail, query): (&str, &str),
    given: Option<(&str, &str)>,
) -> Result<Response> {
    let parsed = read_query(query, &prefixes(headers), given)?;
    page_of(ctx, headers, (tail, query), ("SimpleEventQuery", &parsed)).await
}

/// A page of a query of this name.
pub(crate) async fn page_of(
    ctx: &Ctx,
    headers: &HeaderMap,
    (tail, query): (&str, &str),
    (name, parsed): (&str, &Query),
) -> Result<Response> {
    let (media, format) = (Media::asked(headers, true)?, EpcFormat::asked(headers)?);
    let mut tx = ctx.snapshot().await?;
    tx.plan_by_values();
    let page = find::page(ctx, &mut tx, parsed).await?;
    let companies = Companies::load(&mut tx, &page.events, format).await?;
    drop(tx);
    audit::note_use(ctx, "epcis_event", (query, page.events.len())).await?;
    let occasion = Occasion { name, subscription: None, now: Instant(ctx.now_ms()), format };
    let (document, format) = answer::query_document(&page.events, occasion, &companies);
    let text = answer::render(document, media)?;
    let mut response = answer::response(text, media);
    answer::tell_format(&mut response, format);
    if let Some(next) = page.next {
        let rest: Vec<String> = query
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.starts_with("nextPageToken="))
            .map(String::from)
            .collect();
        let token = format!("nextPageToken={}", next.write(parsed));
        let query = rest.into_iter().chain([token]).collect::<Vec<_>>().join("&");
        answer::tell_next(&mut response, &format!("{BASE}{tail}?{query}"), next.expires)?;
    }
    Ok(response)
}
