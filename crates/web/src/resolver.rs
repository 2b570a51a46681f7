//! 标识解析 (G-5.4.4, DB61/T 6.4.3.2): one door for every scheme. A browser is sent to the page that
//! an identifier leads to, a machine gets its links, and what this platform does not answer for is
//! asked further up. What is unknown and what is not public look the same.

use axum::{
    Json,
    extract::{Path, RawQuery},
    http::{HeaderMap, HeaderValue, Method, header},
    response::{IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use yj_kernel::{App, Origin, Param, Problem, Result, Route};
use yj_model::{IDENTIFIER_MAX, Recognised, candidates};
use yj_product::LINK_TYPES;

use crate::{
    resolver_find::{Found, find},
    resolver_links::{Asked, Link, best, description, linkset, own},
    resolver_pace::Pace,
    resolver_upstream::{HOPS, Question, Upstream, redirect},
    story::{self, Door},
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

/// GS1 keys that begin a path.
const KEYS: [&str; 9] = ["00", "01", "414", "417", "8003", "8004", "8006", "8017", "8018"];

/// The public routes of the resolver.
pub(crate) fn routes(door: &Door) -> Vec<Route> {
    let resolver =
        Resolver { door: door.clone(), upstream: Upstream::new(), pace: Pace::default() };
    let mut routes: Vec<Route> = KEYS.iter().map(|key| link(&resolver, key)).collect();
    let one = resolver.clone();
    routes.push(
        Route::public(
            (Method::GET, "/id/{*identifier}"),
            WHY,
            "标识解析（路径）",
            move |app: App, origin: Origin, Path(id): Path<String>, rest: Rest| async move {
                one.answer(&app, &origin, &id, rest).await
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
                resolver.answer(&app, &origin, &id, rest).await
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
            Json(description(&app.platform().name, root))
        },
    ));
    routes
}

fn link(resolver: &Resolver, key: &'static str) -> Route {
    let resolver = resolver.clone();
    let handler = move |app: App, origin: Origin, Path(link): Path<String>, rest: Rest| async move {
        // The query may hold attributes of GS1; the identifier is in the path.
        let text = format!("/{key}/{}", escaped(&link));
        resolver.answer(&app, &origin, &text, rest).await
    };
    Route::public((Method::GET, format!("/{key}/{{*link}}")), WHY, "GS1 Digital Link 解析", handler)
        .query(LINK_QUERY)
}

/// A path was decoded on its way here; what it held between slashes is written again.
fn escaped(link: &str) -> String {
    link.split('/')
        .map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC).to_string())
        .collect::<Vec<_>>()
        .join("/")
}

/// Query and headers.
struct Rest {
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
        Ok(Self { query: query.unwrap_or_default(), headers: parts.headers.clone() })
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
}

/// Whether a `linkType` is one of those that there are, whatever its notation.
fn is_link_type(text: &str) -> bool {
    let name = text.rsplit([':', '/']).next().unwrap_or_default();
    let special = ["all", "linkset", "defaultLink"];
    text.len() <= 60
        && (special.contains(&name) || LINK_TYPES.iter().any(|(code, _)| *code == name))
}

impl Resolver {
    async fn answer(&self, app: &App, origin: &Origin, id: &str, rest: Rest) -> Result<Response> {
        let now = app.now().as_millisecond();
        if self.pace.is_spent(origin.address, now) {
            let detail = "查询未果的次数过多，请一分钟后再试";
            return Err(Problem::TooMany(String::from(detail)));
        }
        let readings = candidates(id);
        let known_kind = !readings.is_empty();
        if !known_kind {
            let detail = format!(
                "不是可识别的标识：应为 GS1、Ecode、MA、Handle、VAA、OID、药品、农药、兽药、有机、特种设备、肉菜或平台自有的编码，至多 {IDENTIFIER_MAX} 个字节，校验位须正确"
            );
            self.pace.miss(origin.address, now);
            return Err(Problem::invalid("id", detail));
        }
        let accept = rest.header(header::ACCEPT).to_owned();
        let link_type = rest.value("linkType");
        let asked = Asked::read(link_type.as_deref(), &accept);
        let mut tx = app.db().snapshot().await?;
        let found = find(app, &mut tx, (id, &readings)).await?;
        let address = yj_product::upstream_of(&mut tx, readings.first()).await?;
        drop(tx);
        if found.is_public() {
            return self.found(app, &readings, &found, (&asked, &accept), &rest).await;
        }
        // What is not answered here is a miss, and so is every question to others: one of them, before
        // anybody waits for the answer.
        self.pace.miss(origin.address, now);
        if let Some(address) = address.filter(|_| !found.ours) {
            let hops = rest.header(HOPS).parse().unwrap_or(0);
            let wants_links = asked == Asked::All;
            // Of what is asked upstream only what is known is passed on.
            let link_type = link_type.filter(|text| is_link_type(text));
            let question = Question { address, link_type, wants_links, hops };
            if let Some(response) = self.upstream.ask(app, question).await?.response() {
                return Ok(response);
            }
        }
        story::missing(app, &self.door.ledger, &readings[0].canonical, &rest.headers)
    }

    async fn found(
        &self,
        app: &App,
        readings: &[Recognised],
        found: &Found,
        (asked, accept): (&Asked, &str),
        rest: &Rest,
    ) -> Result<Response> {
        let code = found.page_code(readings);
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
        match asked {
            Asked::All => {
                let canonical = &readings[0].canonical;
                let anchor = if canonical.starts_with('/') {
                    format!("{base}{canonical}")
                } else {
                    format!("{base}/id/{canonical}")
                };
                let name = found.product.as_ref().map_or("", |product| product.name.as_str());
                let mut response = Json(linkset(&anchor, name, &links)).into_response();
                let kind = HeaderValue::from_static("application/linkset+json");
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
                Ok(response)
            }
            // A machine that wants the story itself need not come twice.
            Asked::One(kind) if kind == "defaultLink" && accept.contains("application/json") => {
                story::answer(app, &self.door, code, &rest.headers).await
            }
            Asked::One(kind) => {
                let languages = rest.header(header::ACCEPT_LANGUAGE);
                let link = best(&links, kind, languages);
                let none = || {
                    let detail = "没有这种类型的链接；linkType=linkset 列出全部";
                    Problem::invalid("linkType", detail)
                };
                let link = link.ok_or_else(none)?;
                let mut response = redirect(&link.href)
                    .ok_or_else(|| Problem::internal("a link no header takes"))?;
                let all = format!(
                    "<{base}/resolve?id={}&linkType=linkset>; rel=\"linkset\"; type=\"application/linkset+json\"",
                    utf8_percent_encode(&readings[0].canonical, NON_ALPHANUMERIC)
                );
                if let Ok(value) = HeaderValue::from_str(&all) {
                    response.headers_mut().insert(header::LINK, value);
                }
                Ok(response)
            }
        }
    }
}

/// What a code in the path of its page is written with.
const PAGE: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl Found {
    /// Under which code the page is found: that of the single code where it has one of its own, or
    /// that of the unit.
    fn page_code(&self, readings: &[Recognised]) -> String {
        if let Some(minted) = &self.minted {
            return minted.canonical.clone();
        }
        self.unit.clone().unwrap_or_else(|| readings[0].canonical.clone())
    }
}
