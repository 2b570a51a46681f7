//! Problems as EPCIS names them (RFC 7807, §12 of the REST binding). The kernel's problems keep
//! their words and codes; at these routes they get the `type` and the status of the standard.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{MatchedPath, Request},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use yj_epcis::Fault;
use yj_kernel::{FieldError, Problem, Route};

use super::{BASE, header as gs1};

/// What the standard calls a problem, where its status does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exception {
    QueryTooLarge,
    QueryTooComplex,
    NoSuchName,
    SubscriptionControls,
    InvalidUri,
    NotAcceptable,
    UriTooLong,
}

impl Exception {
    const fn name(self) -> &'static str {
        match self {
            Self::QueryTooLarge => "QueryTooLargeException",
            Self::QueryTooComplex => "QueryTooComplexException",
            Self::NoSuchName => "NoSuchNameException",
            Self::SubscriptionControls => "SubscriptionControlsException",
            Self::InvalidUri => "InvalidURIException",
            Self::NotAcceptable => "NotAcceptableException",
            Self::UriTooLong => "URITooLongException",
        }
    }

    /// Code and title, as problems elsewhere have them.
    const fn class(self) -> (&'static str, &'static str) {
        match self {
            Self::QueryTooLarge => ("too-large", "结果过多"),
            Self::QueryTooComplex => ("too-complex", "查询过于复杂"),
            Self::NoSuchName => ("not-found", "不存在"),
            Self::SubscriptionControls | Self::InvalidUri => ("invalid", "请求内容有误"),
            Self::NotAcceptable => ("not-acceptable", "没有所要的形式"),
            Self::UriTooLong => ("uri-too-long", "地址过长"),
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::QueryTooLarge | Self::QueryTooComplex => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoSuchName => StatusCode::NOT_FOUND,
            Self::SubscriptionControls | Self::InvalidUri => StatusCode::BAD_REQUEST,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
        }
    }
}

/// A problem of these routes.
#[derive(Debug)]
pub(crate) struct Refusal {
    problem: Problem,
    exception: Option<Exception>,
}

pub(crate) type Result<T, E = Refusal> = std::result::Result<T, E>;

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problem, exception: None }
    }
}

impl Refusal {
    pub(crate) fn of(exception: Exception, detail: impl Into<String>) -> Self {
        Self { problem: Problem::Malformed(detail.into()), exception: Some(exception) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.problem.into_response();
        if let Some(exception) = self.exception {
            response.extensions_mut().insert(exception);
        }
        response
    }
}

/// Faults of a document or a query as a problem.
pub(crate) fn invalid(faults: Vec<Fault>) -> Problem {
    let error = |fault: Fault| FieldError { field: place(&fault.pointer), detail: fault.detail };
    Problem::Invalid(faults.into_iter().map(error).collect())
}

/// A JSON pointer as fields are named everywhere: `quantityList[1].uom`.
fn place(pointer: &str) -> String {
    let mut field = String::new();
    for step in pointer.split('/').skip(1) {
        if !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()) {
            field.push_str(&format!("[{step}]"));
            continue;
        }
        if !field.is_empty() {
            field.push('.');
        }
        field.push_str(&step.replace("~1", "/").replace("~0", "~"));
    }
    field
}

/// Paths and methods below [`BASE`].
pub fn doors(routes: &[Route]) -> BTreeSet<(String, String)> {
    let ours = routes.iter().filter(|route| route.path.starts_with(BASE));
    ours.map(|route| (route.path.clone(), route.method.to_string())).collect()
}

/// Puts the words of EPCIS and its headers on every answer below [`BASE`]. `root` is the platform's own
/// address, for the binding names what a problem is of by a whole URI.
pub fn dress(router: Router, doors: BTreeSet<(String, String)>, root: &str) -> Router {
    let known: Arc<(_, String)> = Arc::new((doors, String::from(root)));
    let dressed = move |request, next| dressed(Arc::clone(&known), request, next);
    router.layer(middleware::from_fn(dressed))
}

/// Whether there is such a door. Where there is none, that is said whatever the headers ask for.
fn is_door(doors: &BTreeSet<(String, String)>, request: &Request) -> bool {
    let head = request.method() == Method::HEAD;
    let method = if head { Method::GET.to_string() } else { request.method().to_string() };
    let path = request.extensions().get::<MatchedPath>();
    path.is_some_and(|path| doors.contains(&(String::from(path.as_str()), method)))
}

async fn dressed(
    known: Arc<(BTreeSet<(String, String)>, String)>,
    request: Request,
    next: Next,
) -> Response {
    let (doors, root) = &*known;
    let path = request.uri().path();
    if path != BASE && !path.strip_prefix(BASE).is_some_and(|rest| rest.starts_with('/')) {
        return next.run(request).await;
    }
    let (method, instance) = (request.method().clone(), format!("{root}{path}"));
    let asked = gs1::unsupported(request.headers());
    let mut response = match asked.filter(|_| is_door(doors, &request)) {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    };
    gs1::announce(response.headers_mut());
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_problem =
        kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"));
    if is_problem { translated(response, &method, &instance).await } else { response }
}

/// Longest problem that is read again; ours are far shorter.
const PROBLEM_MAX: usize = 1 << 20;

async fn translated(response: Response, method: &Method, instance: &str) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, PROBLEM_MAX).await.unwrap_or_default();
    let mut problem: Value = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!({}));
    let exception = parts.extensions.get::<Exception>().copied();
    let status = exception.map_or_else(|| status_of(parts.status), Exception::status);
    let name = exception.map_or_else(|| name_of(status, method), Exception::name);
    problem["type"] = Value::from(format!("epcisException:{name}"));
    if let Some((code, title)) = exception.map(Exception::class) {
        problem["code"] = Value::from(code);
        problem["title"] = Value::from(title);
    }
    problem["status"] = Value::from(status.as_u16());
    problem["instance"] = Value::from(instance);
    parts.status = status;
    parts.headers.remove(header::CONTENT_LENGTH);
    let kind = HeaderValue::from_static("application/problem+json");
    parts.headers.insert(header::CONTENT_TYPE, kind);
    Response::from_parts(parts, Body::from(problem.to_string()))
}

/// What the binding answers where the platform elsewhere says something finer.
fn status_of(status: StatusCode) -> StatusCode {
    match status {
        StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
        StatusCode::GONE => StatusCode::NOT_FOUND,
        other => other,
    }
}

fn name_of(status: StatusCode, method: &Method) -> &'static str {
    let asks = matches!(*method, Method::GET | Method::HEAD);
    match status {
        StatusCode::BAD_REQUEST if asks => "QueryParameterException",
        StatusCode::BAD_REQUEST => "ValidationException",
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::LOCKED => {
            "SecurityException"
        }
        StatusCode::NOT_FOUND => "NoSuchResourceException",
        StatusCode::NOT_ACCEPTABLE => "NotAcceptableException",
        StatusCode::CONFLICT => "ResourceAlreadyExistsException",
        StatusCode::PAYLOAD_TOO_LARGE => "CaptureLimitExceededException",
        StatusCode::URI_TOO_LONG => "URITooLongException",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "UnsupportedMediaTypeException",
        _ => "ImplementationException",
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn places_are_named_one_way() {
        for (pointer, field) in [
            ("", ""),
            ("/action", "action"),
            ("/epcList/1", "epcList[1]"),
            (
                "/sensorElementList/0/sensorReport/2/type",
                "sensorElementList[0].sensorReport[2].type",
            ),
            ("/https:~1~1a.example~11a", "https://a.example/1a"),
            ("/@context/0", "@context[0]"),
        ] {
            assert_eq!(place(pointer), field);
        }
    }
}
