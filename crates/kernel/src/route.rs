//! Routes as data. A [`Route`] cannot be written without saying who may use it, and its handler
//! cannot be written without taking what the check gives: the router, the OpenAPI text and the
//! permission list are all read from the same list of routes.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request, State},
    handler::Handler,
    http::{Method, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter},
};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};
use yj_http::PeerAddr;

use crate::{
    App, Credentials, Ctx, Entity, Origin, Principal, Problem, Result, Standing, audit,
    problem::REQUEST_ID,
};

/// What a caller must show to use a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// To have logged in; the handler limits what they see to themselves.
    SignedIn,
    /// This permission, within its reach.
    Permission(String),
}

impl Access {
    /// The permission of this name.
    pub fn permission(name: impl Into<String>) -> Self {
        Self::Permission(name.into())
    }
}

/// Arguments of a handler that runs behind the check: [`Ctx`] comes first, and only the check
/// makes one.
#[diagnostic::on_unimplemented(
    message = "a handler behind a check must take `Ctx` first; a public one belongs to `Route::public`"
)]
pub trait Checked {}

/// Arguments of a handler that anybody may call: [`App`] comes first, so that it cannot act for
/// anybody.
#[diagnostic::on_unimplemented(message = "a public handler must take `App` first and no `Ctx`")]
pub trait Unchecked {}

macro_rules! arguments {
    ($($rest:ident),*) => {
        impl<M, $($rest),*> Checked for (M, Ctx, $($rest,)*) {}
        impl<M, $($rest),*> Unchecked for (M, App, $($rest,)*) {}
    };
}
arguments!();
arguments!(A);
arguments!(A, B);
arguments!(A, B, C);
arguments!(A, B, C, D);

/// What a body holds.
#[derive(Clone)]
pub enum Shape {
    /// No body.
    Nothing,
    /// JSON of this schema.
    Json(Value),
    /// A record of this register as clients send it.
    Record(&'static Entity),
    /// A record of this register as we answer it.
    Stored(&'static Entity),
    /// A page of records of this register.
    Page(&'static Entity),
    /// Bytes of this media type.
    Bytes(&'static str),
}

impl Shape {
    /// The schema of a Rust type.
    pub fn of<T: JsonSchema>() -> Self {
        let mut settings = SchemaSettings::draft2020_12();
        settings.inline_subschemas = true;
        settings.meta_schema = None;
        Self::Json(settings.into_generator().into_root_schema_for::<T>().to_value())
    }
}

/// One query parameter.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub label: &'static str,
    /// Whether the route cannot do without it.
    pub required: bool,
}

/// One operation of the HTTP interface.
pub struct Route {
    /// HTTP method.
    pub method: Method,
    /// Path with `{parameters}`.
    pub path: String,
    /// What it demands; nothing for public routes, with the reason why that is right.
    pub access: Result<Access, &'static str>,
    /// Whether it wants a factor shown within the last minutes (S-10).
    pub fresh: bool,
    /// Whether it is there for those who have not shown everything yet.
    pub partial: bool,
    /// Whether it wants the version that a change is based on, as `If-Match`.
    pub versioned: bool,
    /// One line for people.
    pub summary: String,
    /// Query parameters beyond those of a list.
    pub query: &'static [Param],
    /// What the request body holds.
    pub takes: Shape,
    /// What the answer holds.
    pub gives: Shape,
    /// Largest request body, in bytes.
    pub body_max: usize,
    handler: MethodRouter,
}

/// Largest request body where a route says nothing else: 1 MiB (security.md S-46).
pub const BODY_MAX: usize = 1 << 20;

impl Route {
    /// An operation behind a check, that takes and gives nothing so far.
    ///
    /// ```compile_fail,E0277
    /// use yj_kernel::{Access, App, Route};
    /// async fn forgets_its_check(_: App) {}
    /// let at = (axum::http::Method::GET, "/api/v1/secrets");
    /// Route::new(at, Access::permission("secret:read"), "", forgets_its_check);
    /// ```
    pub fn new<H, T>(
        (method, path): (Method, impl Into<String>),
        access: Access,
        summary: impl Into<String>,
        handler: H,
    ) -> Self
    where
        H: Handler<T, ()>,
        T: Checked + 'static,
    {
        Self::build((method, path.into()), Ok(access), summary.into(), handler)
    }

    /// An operation for anybody. `why` says why that is right.
    ///
    /// ```compile_fail,E0277
    /// use yj_kernel::{Ctx, Route};
    /// async fn acts_for_somebody(_: Ctx) {}
    /// Route::public((axum::http::Method::GET, "/"), "", "", acts_for_somebody);
    /// ```
    pub fn public<H, T>(
        (method, path): (Method, impl Into<String>),
        why: &'static str,
        summary: impl Into<String>,
        handler: H,
    ) -> Self
    where
        H: Handler<T, ()>,
        T: Unchecked + 'static,
    {
        Self::build((method, path.into()), Err(why), summary.into(), handler)
    }

    fn build<H, T>(
        (method, path): (Method, String),
        access: Result<Access, &'static str>,
        summary: String,
        handler: H,
    ) -> Self
    where
        H: Handler<T, ()>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        Self {
            method,
            path,
            access,
            fresh: false,
            partial: false,
            versioned: false,
            summary,
            query: &[],
            takes: Shape::Nothing,
            gives: Shape::Nothing,
            body_max: BODY_MAX,
            handler: MethodRouter::new().on(filter, handler),
        }
    }

    /// Demands a factor shown within the last minutes: for dangerous acts.
    #[must_use]
    pub fn fresh(self) -> Self {
        Self { fresh: true, ..self }
    }

    /// Open also to those who have given a password and nothing more yet.
    #[must_use]
    pub fn partial(self) -> Self {
        Self { partial: true, ..self }
    }

    /// Wants the version that a change is based on, as `If-Match`.
    #[must_use]
    pub fn versioned(self) -> Self {
        Self { versioned: true, ..self }
    }

    /// Describes the query parameters.
    #[must_use]
    pub fn query(self, query: &'static [Param]) -> Self {
        Self { query, ..self }
    }

    /// Describes the request body.
    #[must_use]
    pub fn takes(self, takes: Shape) -> Self {
        Self { takes, ..self }
    }

    /// Describes the answer.
    #[must_use]
    pub fn gives(self, gives: Shape) -> Self {
        Self { gives, ..self }
    }

    /// Allows larger request bodies.
    #[must_use]
    pub fn body_max(self, body_max: usize) -> Self {
        Self { body_max, ..self }
    }
}

/// Builds the router. Every route runs behind its access check.
pub fn router(app: &App, routes: Vec<Route>) -> Router {
    routes.into_iter().fold(Router::new(), |router, route| {
        let gate = Gate {
            app: app.clone(),
            access: route.access.ok(),
            fresh: route.fresh,
            partial: route.partial,
            body_max: route.body_max,
            path: Arc::from(route.path.as_str()),
            summary: Arc::from(route.summary.as_str()),
        };
        let limit = DefaultBodyLimit::max(route.body_max);
        let gate = middleware::from_fn_with_state(gate, check);
        router.route(&route.path, route.handler.layer(limit).layer(gate))
    })
}

#[derive(Clone)]
struct Gate {
    app: App,
    access: Option<Access>,
    fresh: bool,
    partial: bool,
    body_max: usize,
    path: Arc<str>,
    summary: Arc<str>,
}

async fn check(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let request_id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok());
    let request_id = String::from(request_id.unwrap_or_default());
    REQUEST_ID.scope(request_id.clone(), admit(gate, request, next, request_id)).await
}

async fn admit(gate: Gate, mut request: Request, next: Next, request_id: String) -> Response {
    let Some(access) = &gate.access else {
        request.extensions_mut().insert(gate.app.clone());
        let origin = origin(&request);
        request.extensions_mut().insert(origin);
        return next.run(request).await;
    };
    let (ctx, request) = match enter(&gate, access, request, request_id).await {
        Ok(entered) => entered,
        Err(refusal) => return refusal,
    };
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let (app, path) = (gate.app.clone(), request.uri().path().to_owned());
    let mut request = request;
    request.extensions_mut().insert(ctx.clone());
    request.extensions_mut().insert(app);
    let response = next.run(request).await;
    let of_one = gate.path.contains('{');
    if of_one && matches!(response.status(), StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) {
        gate.app.authenticator().refused(&ctx, &gate.path).await;
    }
    if changes && response.status().is_client_error() {
        note_refusal(&ctx, &gate.path, &path, response.status().as_u16()).await;
    }
    response
}

/// Finds out who asks and whether they may.
async fn enter(
    gate: &Gate,
    access: &Access,
    request: Request,
    request_id: String,
) -> Result<(Ctx, Request), Response> {
    let origin = origin(&request);
    let (principal, request) = authenticate(gate, request, &origin).await?;
    let permission = match access {
        Access::SignedIn => None,
        Access::Permission(name) => Some(name.as_str()),
    };
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let (standing, path) = (principal.standing, request.uri().path().to_owned());
    let proved_at = principal.proved_at;
    let found = Ctx::new(
        gate.app.clone(),
        principal.clone(),
        permission,
        (request_id.clone(), origin.clone()),
    );
    let problem = match found {
        Ok(ctx) => match stands(gate, standing, proved_at) {
            Ok(()) => return Ok((ctx, request)),
            Err(problem) => problem,
        },
        Err(Problem::Forbidden(missing)) => Problem::Forbidden(format!(
            "没有“{}”的权限（{missing}），需要时请管理员授予",
            gate.summary
        )),
        Err(problem) => problem,
    };
    if changes && let Ok(ctx) = Ctx::new(gate.app.clone(), principal, None, (request_id, origin)) {
        note_refusal(&ctx, &gate.path, &path, problem.class().1.as_u16()).await;
    }
    Err(problem.into_response())
}

fn stands(gate: &Gate, standing: Standing, proved_at: i64) -> Result<()> {
    if !gate.partial {
        match standing {
            Standing::Full => {}
            Standing::SecondFactor => return Err(Problem::SecondFactor("请先完成第二因素验证")),
            Standing::NoSecondFactor => {
                return Err(Problem::SecondFactor(
                    "请先绑定第二因素（动态口令、安全密钥或国密证书）",
                ));
            }
            Standing::PasswordExpired => return Err(Problem::PasswordExpired),
        }
    }
    if gate.fresh && gate.app.now().as_millisecond() - proved_at > gate.app.fresh_ms() {
        return Err(Problem::StepUp);
    }
    Ok(())
}

/// An attempt to change something that was refused is an act too. Failing to note it changes
/// nothing about the refusal.
async fn note_refusal(ctx: &Ctx, route: &str, path: &str, status: u16) {
    let entry = audit::Entry {
        action: "refused",
        entity: "route",
        record: route,
        body: json!({ "path": path, "status": status }),
    };
    let noted = async {
        let mut tx = ctx.begin().await?;
        audit::write_as(ctx, &mut tx, ("", audit::Ending::Refused), entry);
        tx.commit().await
    };
    if let Err(problem) = noted.await {
        problem.log();
    }
}

/// Longest `User-Agent` that is kept.
const AGENT_MAX: usize = 200;

fn origin(request: &Request) -> Origin {
    let agent = request.headers().get("user-agent").and_then(|value| value.to_str().ok());
    Origin {
        address: request.extensions().get::<PeerAddr>().map(|peer| peer.0),
        agent: agent.unwrap_or_default().chars().take(AGENT_MAX).collect(),
    }
}

/// A signed request is read whole first: the signature covers its body.
async fn authenticate(
    gate: &Gate,
    request: Request,
    origin: &Origin,
) -> Result<(Principal, Request), Response> {
    let (parts, body) = request.into_parts();
    let credentials = |body| Credentials {
        method: &parts.method,
        uri: &parts.uri,
        headers: &parts.headers,
        body,
        origin,
    };
    let signed = parts.headers.contains_key("signature-input");
    let (read, body) = if signed {
        let expected = gate.app.authenticator().expects(&gate.app, credentials(None)).await;
        expected.map_err(IntoResponse::into_response)?;
        let bytes = axum::body::to_bytes(body, gate.body_max).await.map_err(|_| {
            Problem::TooLarge(format!("请求内容至多 {} 字节", gate.body_max)).into_response()
        })?;
        (Some(bytes.clone()), Body::from(bytes))
    } else {
        (None, body)
    };
    let shown = credentials(read.as_ref());
    let found = gate.app.authenticator().authenticate(&gate.app, shown).await;
    match found {
        Ok(Some(principal)) => Ok((principal, Request::from_parts(parts, body))),
        Ok(None) => Err(Problem::Unauthenticated.into_response()),
        Err(problem) => Err(problem.into_response()),
    }
}
