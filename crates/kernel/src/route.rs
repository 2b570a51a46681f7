//! Routes as data. A [`Route`] cannot be written without saying who may use it; the router, the
//! OpenAPI text and the permission list are all read from the same list of routes.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, Method, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use crate::{App, Credentials, Ctx, Entity, Problem, problem::REQUEST_ID};

/// Who may use a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Anybody. The text says why that is right.
    Public(&'static str),
    /// Whoever has logged in; the handler limits what they see to themselves.
    SignedIn,
    /// Whoever has this permission, within its reach.
    Permission(String),
}

impl Access {
    /// The permission of this name.
    pub fn permission(name: impl Into<String>) -> Self {
        Self::Permission(name.into())
    }
}

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
    /// Who may use it.
    pub access: Access,
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
    /// An operation that takes and gives nothing so far.
    pub fn new(
        (method, path): (Method, impl Into<String>),
        access: Access,
        summary: impl Into<String>,
        handler: MethodRouter,
    ) -> Self {
        Self {
            method,
            path: path.into(),
            access,
            summary: summary.into(),
            query: &[],
            takes: Shape::Nothing,
            gives: Shape::Nothing,
            body_max: BODY_MAX,
            handler,
        }
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
        let gate = Gate { app: app.clone(), access: route.access };
        let limit = DefaultBodyLimit::max(route.body_max);
        let gate = middleware::from_fn_with_state(gate, check);
        router.route(&route.path, route.handler.layer(limit).layer(gate))
    })
}

#[derive(Clone)]
struct Gate {
    app: App,
    access: Access,
}

async fn check(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let request_id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok());
    let request_id = String::from(request_id.unwrap_or_default());
    REQUEST_ID.scope(request_id.clone(), admit(gate, request, next, request_id)).await
}

async fn admit(gate: Gate, mut request: Request, next: Next, request_id: String) -> Response {
    let permission = match &gate.access {
        Access::Public(_) => {
            request.extensions_mut().insert(gate.app);
            return next.run(request).await;
        }
        Access::SignedIn => None,
        Access::Permission(name) => Some(name.as_str()),
    };
    let principal = match authenticate(&gate.app, request.headers(), request.method()).await {
        Ok(Some(principal)) => principal,
        Ok(None) => return Problem::Unauthenticated.into_response(),
        Err(problem) => return problem.into_response(),
    };
    match Ctx::new(gate.app.clone(), principal, permission, request_id) {
        Ok(ctx) => {
            request.extensions_mut().insert(ctx);
            request.extensions_mut().insert(gate.app);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    method: &Method,
) -> crate::Result<Option<crate::Principal>> {
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    let credentials = Credentials {
        bearer: text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")),
        cookie: text(header::COOKIE),
        csrf: headers.get("x-csrf").and_then(|value| value.to_str().ok()),
        unsafe_method: !matches!(*method, Method::GET | Method::HEAD),
    };
    app.authenticator().authenticate(app, credentials).await
}
