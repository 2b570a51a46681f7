//! 标识解析 (G-5.4.4, DB61/T 6.4.3.2): one door for every scheme, and for GS1 keys the GS1-conformant
//! resolver. A browser is sent to the page that an identifier leads to, a machine gets its links, and
//! what this platform does not answer for is asked further up. What is unknown and what is not public
//! look the same. Pages of others may ask too: nothing that is told here is for some readers only.

use axum::{
    Json,
    extract::RawQuery,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use yj_kernel::{App, Origin, Param, Problem, Result, Route};
use yj_model::{TraceCode, bare_code, candidates, link_keys, why_not};
use yj_product::LINK_TYPES;

use crate::{
    resolver_find::{Found, find},
    resolver_links::{
        Asked, CONTEXT, Context, Form, Link, bare_kind, best, description, kinds, linkset,
        linkset_text, own,
    },
    resolver_pace::Pace,
    resolver_upstream::{HOPS, Question, Upstream, redirect},
    story::{self, Door},
    telling::Telling,
    typed::Typed,
};

/// What all doors of the resolver share.
#[derive(Clone)]
struct Resolver {
    door: Door,
    upstream: Upstream,
    pace: Pace,
}

const WHY: &str = "公众与机器解析标识，不含价格、数量和个人信息";

const RESOLVE_QUERY: &[Param] = &[
    Param { name: "id", label: "标识，任一编码体系", required: true },
    Param {
        name: "linkType",
        label: "链接类型，如 gs1:pip；linkset 或 all 为全部",
        required: false,
    },
];
const LINK_QUERY: &[Param] = &[Param {
    name: "linkType",
    label: "链接类型，如 gs1:pip；linkset 或 all 为全部",
    required: false,
}];

/// The public routes of the resolver.
pub(crate) fn routes(door: &Door) -> Vec<Route> {
    let resolver =
        Resolver { door: door.clone(), upstream: Upstream::new(), pace: Pace::default() };
    let mut routes: Vec<Route> = Vec::new();
    for key in link_keys() {
        routes.push(link(&resolver, key));
        routes.push(options(format!("/{key}/{{*link}}")));
    }
    let one = resolver.clone();
    let by_path = (Method::GET, "/id/{*identifier}");
    routes.push(
        Route::public(
            by_path,
            WHY,
            "标识解析（路径）",
            move |app: App, origin: Origin, Typed(id): Typed, rest: Rest| async move {
                open(one.answer(&app, &origin, (&id, Mode::Any), rest).await)
            },
        )
        .query(LINK_QUERY),
    );
    routes.push(
        Route::public(
            (Method::GET, "/resolve"),
            WHY,
            "标识解析",
            move |app: App, origin: Origin, rest: Rest| async move {
                let id = rest.value("id").unwrap_or_default();
                open(resolver.answer(&app, &origin, (&id, Mode::Any), rest).await)
            },
        )
        .query(RESOLVE_QUERY),
    );
    routes.push(Route::public(
        (Method::GET, "/.well-known/gs1resolver"),
        WHY,
        "解析服务说明",
        |app: App| async move {
            let root = app.platform().public_url.trim_end_matches('/');
            open(Ok(Json(description(&app.platform().name, root)).into_response()))
        },
    ));
    for path in ["/id/{*identifier}", "/resolve", "/.well-known/gs1resolver"] {
        routes.push(options(String::from(path)));
    }
    routes
}

/// The path and the query as they were sent: what stands escaped in a value stays in it.
fn link(resolver: &Resolver, key: &'static str) -> Route {
    let resolver = resolver.clone();
    let handler = move |app: App, origin: Origin, rest: Rest| async move {
        let text = rest.link();
        open(resolver.answer(&app, &origin, (&text, Mode::Link), rest).await)
    };
    Route::public((Method::GET, format!("/{key}/{{*link}}")), WHY, "GS1 Digital Link 解析", handler)
        .query(LINK_QUERY)
}

/// What may be asked of a door: pages of others ask that first.
fn options(path: String) -> Route {
    Route::public((Method::OPTIONS, path), WHY, "解析可用的请求方法", |_: App| async {
        let mut response = open(Ok(StatusCode::NO_CONTENT.into_response()));
        let allowed = HeaderValue::from_static(METHODS);
        response.headers_mut().insert(header::ALLOW, allowed);
        response
    })
}

const METHODS: &str = "GET, HEAD, OPTIONS";

/// Lets pages of every origin read an answer, refusals too.
pub(crate) fn open(answer: Result<Response>) -> Response {
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Accept, Accept-Language"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "Link, Location"),
        (header::VARY, "Accept, Accept-Language"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// What may be asked at a door.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// A GS1 Digital Link and nothing else.
    Link,
    /// Identifiers of every scheme.
    Any,
}

/// Address, query and headers.
struct Rest {
    uri: Uri,
    query: String,
    headers: HeaderMap,
}

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Rest {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &S,
    ) -> Result<Self, Self::Rejection> {
        let RawQuery(query) = RawQuery::from_request_parts(parts, state).await?;
        let (uri, headers) = (parts.uri.clone(), parts.headers.clone());
        Ok(Self { uri, query: query.unwrap_or_default(), headers })
    }
}

impl Rest {
    fn value(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The link that was asked for, with those of its query that are GS1's.
    fn link(&self) -> String {
        let is_gs1 = |pair: &&str| {
            let name = pair.split('=').next().unwrap_or_default();
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
        };
        let pairs: Vec<&str> = self.query.split(['&', ';']).filter(is_gs1).collect();
        format!("{}?{}", self.uri.path(), pairs.join("&"))
    }

    /// An address with what else the query holds: whoever is asked next may want it. What was said to
    /// the resolver itself is not passed on.
    fn passed_on(&self, address: &str) -> String {
        let own = |pair: &&str| {
            let name = pair.split('=').next().unwrap_or_default();
            !pair.is_empty() && !["id", "linkType", "context"].contains(&name)
        };
        let pairs: Vec<&str> = self.query.split('&').filter(own).collect();
        if pairs.is_empty() {
            return String::from(address);
        }
        let (page, section) = address.split_once('#').map_or((address, ""), |(a, b)| (a, b));
        let mark = if page.contains('?') { '&' } else { '?' };
        let hash = if section.is_empty() { "" } else { "#" };
        format!("{page}{mark}{}{hash}{section}", pairs.join("&"))
    }
}

/// Whether a `linkType` is one of those that there are, whatever its notation.
fn is_link_type(text: &str) -> bool {
    let name = bare_kind(text);
    let special = ["all", "linkset", "defaultLink"];
    text.len() <= 60
        && (special.contains(&name) || LINK_TYPES.iter().any(|(code, _)| *code == name))
}

/// Says what is wrong with a text that is no identifier.
fn malformed(app: &App, (id, mode): (&str, Mode), headers: &HeaderMap) -> Result<Response> {
    let detail = why_not(id).to_string();
    // A conformant resolver says 400 to a link that is none.
    let problem = match mode {
        Mode::Link => Problem::Malformed(detail.clone()),
        Mode::Any => Problem::invalid("id", detail.clone()),
    };
    let asked = id.strip_suffix('?').unwrap_or(id);
    story::malformed(app, asked, (&detail, problem), headers)
}

impl Resolver {
    async fn answer(
        &self,
        app: &App,
        origin: &Origin,
        (id, mode): (&str, Mode),
        rest: Rest,
    ) -> Result<Response> {
        let readings = candidates(id);
        // A code of one's own making is of no scheme, and may be registered all the same.
        let own = Some(id).filter(|_| readings.is_empty() && mode == Mode::Any);
        let own = own.and_then(bare_code).and_then(|code| code.parse::<TraceCode>().ok());
        // Whoever writes what can be no identifier learns nothing of those that there are.
        if readings.is_empty() && own.is_none() {
            return malformed(app, (id, mode), &rest.headers);
        }
        let now = app.now().as_millisecond();
        if self.pace.is_spent(origin.address, now) {
            let detail = "查询未果的次数过多，请一分钟后再试";
            return Err(Problem::TooMany(String::from(detail)));
        }
        if let Some(code) = own {
            let code = code.to_string();
            let link_type = rest.value("linkType");
            let asked = Asked::read(link_type.as_deref(), rest.header(header::ACCEPT));
            // Its links are those of any identifier; the page is told at once.
            if link_type.is_some() || matches!(asked, Asked::All(_)) {
                let mut tx = app.db().snapshot().await?;
                let found = find(app, &mut tx, (&code, &[])).await?;
                drop(tx);
                if found.is_public() {
                    return self.found(app, &code, &found, (&asked, &rest)).await;
                }
            }
            let response =
                story::answer(app, &self.door, (code, None), Telling::of(&rest.headers)).await?;
            if response.status() != StatusCode::NOT_FOUND {
                return Ok(response);
            }
            self.pace.miss(origin.address, now);
            return malformed(app, (id, mode), &rest.headers);
        }
        let link_type = rest.value("linkType");
        let asked = Asked::read(link_type.as_deref(), rest.header(header::ACCEPT));
        let mut tx = app.db().snapshot().await?;
        let found = find(app, &mut tx, (id, &readings)).await?;
        let address = yj_product::upstream_of(&mut tx, readings.first()).await?;
        drop(tx);
        if found.is_public() {
            return self.found(app, &readings[0].canonical, &found, (&asked, &rest)).await;
        }
        // What is not answered here is a miss, and so is every question to others: one of them, before
        // anybody waits for the answer.
        self.pace.miss(origin.address, now);
        if found.is_void {
            return story::void(
                app,
                &self.door.ledger,
                &readings[0].canonical,
                Telling::of(&rest.headers),
            );
        }
        if let Some(address) = address.filter(|_| !found.ours) {
            let hops = rest.header(HOPS).parse().unwrap_or(0);
            let wants_links = matches!(asked, Asked::All(_));
            // Of what is asked upstream only what is known is passed on.
            let link_type = link_type.filter(|text| is_link_type(text));
            let question = Question { address, link_type, wants_links, hops };
            if let Some(response) = self.upstream.ask(app, question).await?.response() {
                return Ok(response);
            }
        }
        story::missing(app, &self.door.ledger, &readings[0].canonical, Telling::of(&rest.headers))
    }

    async fn found(
        &self,
        app: &App,
        canonical: &str,
        found: &Found,
        (asked, rest): (&Asked, &Rest),
    ) -> Result<Response> {
        let code = found.page_code(canonical);
        let base = app.platform().public_url.trim_end_matches('/');
        let page = format!("{base}/t/{}", utf8_percent_encode(&code, PAGE));
        let mut links: Vec<Link> = found
            .links
            .iter()
            .map(|link| Link {
                kind: link.link_type.clone(),
                href: link.href.clone(),
                title: link.title.clone(),
                language: link.language.clone(),
                media_type: link.media_type.clone(),
            })
            .collect();
        links.extend(own(&page));
        let all = format!(
            "<{base}/resolve?id={}&linkType=linkset>; rel=\"linkset\"; type=\"application/linkset+json\"",
            utf8_percent_encode(canonical, NON_ALPHANUMERIC)
        );
        let (mut response, with) = match asked {
            Asked::All(form) => {
                let name = found.product.as_ref().map_or("", |product| product.name.as_str());
                (documents(base, canonical, (name, &links), *form), format!("{all}, {CONTEXT}"))
            }
            Asked::Story => (
                story::answer(app, &self.door, (code, None), Telling::of(&rest.headers)).await?,
                all,
            ),
            Asked::One(kind) => {
                let languages = rest.header(header::ACCEPT_LANGUAGE);
                let Some(link) = best(&links, kind, languages) else {
                    return Ok(no_such_link(&kinds(&links)));
                };
                let response = redirect(&rest.passed_on(&link.href))
                    .ok_or_else(|| Problem::internal("a link no header takes"))?;
                (response, all)
            }
        };
        if let Ok(value) = HeaderValue::from_str(&with) {
            response.headers_mut().insert(header::LINK, value);
        }
        Ok(response)
    }
}

/// 404 for a type of which there is no link, with those of which there are.
fn no_such_link(kinds: &[String]) -> Response {
    let detail =
        format!("没有这种类型的链接；可用的有 {}，linkType=linkset 列出全部", kinds.join("、"));
    let body = json!({
        "type": "/problems/not-found", "title": "不存在", "status": 404, "code": "not-found",
        "detail": detail, "link_types": kinds,
    });
    let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
    let kind = HeaderValue::from_static("application/problem+json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// The links of an identifier, and of the product that a lot or a single one is of: links are of all
/// that is finer too.
fn documents(base: &str, canonical: &str, (name, links): (&str, &[Link]), form: Form) -> Response {
    let anchor = if canonical.starts_with('/') {
        format!("{base}{canonical}")
    } else {
        format!("{base}/id/{}", utf8_percent_encode(canonical, PATH))
    };
    let of_product = above(canonical).map(|path| {
        let page = format!("{base}/t/{}", utf8_percent_encode(path, PAGE));
        (format!("{base}{path}"), own(&page))
    });
    let mut contexts = vec![Context { anchor: &anchor, description: name, links }];
    if let Some((anchor, links)) = &of_product {
        contexts.push(Context { anchor, description: name, links });
    }
    let mut response = match form {
        Form::Text => linkset_text(&contexts).into_response(),
        Form::Linkset | Form::Json => Json(linkset(&contexts)).into_response(),
    };
    let kind = HeaderValue::from_static(form.media_type());
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// The product of a lot or of a single one.
fn above(canonical: &str) -> Option<&str> {
    let (path, _) = canonical.split_at_checked("/01/".len() + 14)?;
    (path.starts_with("/01/") && path.len() < canonical.len()).then_some(path)
}

/// What a code in the path of its page is written with.
const PAGE: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The same where slashes divide the path.
const PATH: &percent_encoding::AsciiSet = &PAGE.remove(b'/');

impl Found {
    /// Under which code the page is found: that of the single code where it has one of its own, or
    /// that of the unit.
    fn page_code(&self, canonical: &str) -> String {
        if let Some(minted) = &self.minted {
            return minted.canonical.clone();
        }
        self.unit.clone().unwrap_or_else(|| String::from(canonical))
    }
}
