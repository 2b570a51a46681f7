//! Who asks, when, with which rights: §5.4.3 权限管理, bound to 数据访问权限.

use std::{sync::Arc, time::Instant};

use axum::{extract::FromRequestParts, http::request::Parts};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use yj_model::{Id, RegionCode};

use crate::{
    Db, Entity, Environment, Problem, Result, Scoping, Sql, Tx,
    attachment::Attachments,
    environment::IdSource,
    jobs::{JobKind, JobSignal},
};

/// What a deployment calls itself, shown on every page, report and answer (G-3.1).
#[derive(Debug, Clone)]
pub struct Platform {
    /// Name of the platform.
    pub name: String,
    /// The government body or enterprise that runs it.
    pub operator: String,
    /// `gbt38157` or `db61`: which standard's words the interface uses.
    pub profile: String,
    /// `https://host` that printed codes lead to.
    pub public_url: String,
}

/// Everything the application is built from.
pub struct AppParts {
    /// The database.
    pub db: Db,
    /// Time and chance.
    pub environment: Arc<dyn Environment>,
    /// Who may come in.
    pub authenticator: Arc<dyn Authenticator>,
    /// Where files lie.
    pub attachments: Attachments,
    /// Background work this build can do.
    pub jobs: Vec<JobKind>,
    /// The registers, for metadata, import and export.
    pub entities: Vec<&'static Entity>,
    /// How the platform calls itself.
    pub platform: Platform,
    /// Figures for operators.
    pub metrics: yj_http::Metrics,
}

struct Shared {
    parts: AppParts,
    ids: IdSource,
    signal: JobSignal,
    started: Instant,
}

/// The running application, shared by all requests.
#[derive(Clone)]
pub struct App(Arc<Shared>);

impl App {
    /// Assembles the application.
    pub fn new(parts: AppParts) -> Self {
        let (ids, signal) = (IdSource::default(), JobSignal::default());
        Self(Arc::new(Shared { parts, ids, signal, started: Instant::now() }))
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.0.parts.db
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        self.0.parts.environment.now()
    }

    /// 128 unpredictable bits.
    pub fn random(&self) -> u128 {
        self.0.parts.environment.random()
    }

    /// Files.
    pub fn attachments(&self) -> &Attachments {
        &self.0.parts.attachments
    }

    /// The registers of this build.
    pub fn entities(&self) -> &[&'static Entity] {
        &self.0.parts.entities
    }

    /// How the platform calls itself.
    pub fn platform(&self) -> &Platform {
        &self.0.parts.platform
    }

    /// Figures for operators.
    pub fn metrics(&self) -> &yj_http::Metrics {
        &self.0.parts.metrics
    }

    /// Time since start, for display only.
    pub fn uptime(&self) -> std::time::Duration {
        self.0.started.elapsed()
    }

    pub(crate) fn jobs(&self) -> &[JobKind] {
        &self.0.parts.jobs
    }

    pub(crate) fn signal(&self) -> &JobSignal {
        &self.0.signal
    }

    pub(crate) fn authenticator(&self) -> &dyn Authenticator {
        &*self.0.parts.authenticator
    }

    /// The platform's own hand, for work that no user asked for (anchoring, demonstration data).
    /// It may do everything and signs its records with the name given.
    pub fn on_own_behalf(&self, actor: &'static str) -> Ctx {
        let principal = Principal {
            user: String::from(actor),
            name: String::from("平台"),
            organization: self.platform().operator.clone(),
            subject: None,
            grants: Vec::new(),
            csrf: None,
            all: true,
        };
        Ctx {
            app: self.clone(),
            principal: Arc::new(principal),
            scope: Scope(vec![Limit::default()]),
            now: self.now(),
            request_id: String::new(),
        }
    }

    /// The user with this log-in name as it stands now; `None` if locked or unknown.
    pub async fn principal(&self, user: &str) -> Result<Option<Principal>> {
        self.authenticator().principal(self, user).await
    }

    /// A context for work in the name of `user` outside a request, with the rights the user has
    /// now for `permission`.
    pub async fn on_behalf_of(&self, user: &str, permission: &str) -> Result<Ctx> {
        let principal = self.principal(user).await?.ok_or(Problem::Unauthenticated)?;
        let scope = principal.scope(permission)?;
        let (principal, request_id) = (Arc::new(principal), String::new());
        Ok(Ctx { app: self.clone(), principal, scope, now: self.now(), request_id })
    }
}

/// How far one right reaches: a region with everything inside it, one subject, both, or (with
/// neither) everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limit {
    /// Only records of this region.
    pub region: Option<RegionCode>,
    /// Only records of this 追溯主体.
    pub subject: Option<String>,
}

/// A right to do something, as far as its limit reaches.
#[derive(Debug, Clone)]
pub struct Grant {
    /// `trace_subject:review` …
    pub permission: String,
    /// How far it reaches.
    pub limit: Limit,
}

/// A person or program that has proved who it is.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Log-in name; unique, and what records are signed with.
    pub user: String,
    /// Display name.
    pub name: String,
    /// Organisation, for display.
    pub organization: String,
    /// The 追溯主体 this user works for, if any.
    pub subject: Option<String>,
    /// What it may do.
    pub grants: Vec<Grant>,
    /// Token a browser must repeat in a header for unsafe methods.
    pub csrf: Option<String>,
    pub(crate) all: bool,
}

impl Principal {
    /// A principal as an [`Authenticator`] found it. It has the given grants and no others.
    pub fn new(user: String, name: String, organization: String, grants: Vec<Grant>) -> Self {
        Self { user, name, organization, subject: None, grants, csrf: None, all: false }
    }

    /// Whether any grant has this permission.
    pub fn allows(&self, permission: &str) -> bool {
        self.all || self.grants.iter().any(|grant| grant.permission == permission)
    }

    fn scope(&self, permission: &str) -> Result<Scope> {
        if self.all {
            return Ok(Scope(vec![Limit::default()]));
        }
        let reaching = self.grants.iter().filter(|grant| grant.permission == permission);
        let limits: Vec<_> = reaching.map(|grant| grant.limit.clone()).collect();
        if limits.is_empty() {
            return Err(Problem::Forbidden(format!("缺少权限 {permission}")));
        }
        Ok(Scope(limits))
    }
}

/// What a request shows to prove who asks.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// `Authorization: Bearer …`
    pub bearer: Option<&'a str>,
    /// The whole `Cookie` header.
    pub cookie: Option<&'a str>,
    /// `X-CSRF`
    pub csrf: Option<&'a str>,
    /// Whether the method may change something.
    pub unsafe_method: bool,
}

/// Decides who asks. Lives above the kernel, in the identity crate.
pub trait Authenticator: Send + Sync {
    /// The principal behind the credentials; `None` for strangers.
    fn authenticate<'a>(
        &'a self,
        app: &'a App,
        credentials: Credentials<'a>,
    ) -> BoxFuture<'a, Result<Option<Principal>>>;

    /// The principal with this log-in name as it stands now; `None` if locked or unknown.
    fn principal<'a>(
        &'a self,
        app: &'a App,
        user: &'a str,
    ) -> BoxFuture<'a, Result<Option<Principal>>>;
}

/// The rows a request may touch. Only the permission check makes one, and nothing reads or
/// writes a register without one.
#[derive(Debug, Clone)]
pub struct Scope(Vec<Limit>);

impl Scope {
    /// The limits, any of which suffices.
    pub fn limits(&self) -> &[Limit] {
        &self.0
    }

    /// Whether everything is within reach.
    pub fn is_everything(&self) -> bool {
        self.0.contains(&Limit::default())
    }

    /// Whether a record of this region and subject is within reach.
    pub fn covers(&self, region: Option<&str>, subject: Option<&str>) -> bool {
        self.0.iter().any(|limit| {
            let within = |wanted: &RegionCode| region.is_some_and(|code| wanted.covers(code));
            limit.region.as_ref().is_none_or(within)
                && limit.subject.as_ref().is_none_or(|wanted| subject == Some(wanted.as_str()))
        })
    }

    /// Limits a statement that already has a WHERE to the rows within reach.
    pub fn narrow(&self, sql: &mut Sql, scoping: Scoping) {
        let Scoping::By { region, subject } = scoping else { return };
        if self.is_everything() {
            return;
        }
        sql.push(" AND (");
        for (index, limit) in self.0.iter().enumerate() {
            sql.push(if index == 0 { "(1 = 1" } else { " OR (1 = 1" });
            if let Some(code) = &limit.region {
                // A region contains every region whose code starts with its own significant
                // digits. '~' sorts after digits.
                match region {
                    Some(column) => {
                        let stem = code.stem();
                        sql.push(" AND ").push(column).push(" >= ").bind(stem);
                        sql.push(" AND ").push(column).push(" < ").bind(format!("{stem}~"))
                    }
                    None => sql.push(" AND 1 = 0"),
                };
            }
            if let Some(id) = &limit.subject {
                match subject {
                    Some(column) => sql.push(" AND ").push(column).push(" = ").bind(id.as_str()),
                    None => sql.push(" AND 1 = 0"),
                };
            }
            sql.push(")");
        }
        sql.push(")");
    }
}

/// A request that has passed its permission check. Handlers receive one; none can be made
/// without the check (see [`crate::route`]).
#[derive(Clone)]
pub struct Ctx {
    pub(crate) app: App,
    pub(crate) principal: Arc<Principal>,
    pub(crate) scope: Scope,
    /// When the request began. All its records carry this time.
    pub now: Timestamp,
    /// The request's name in logs and problems.
    pub request_id: String,
}

impl Ctx {
    /// The same hand, signing with the name of somebody who is not let in yet.
    #[must_use]
    pub fn signing_as(self, user: &str) -> Self {
        let principal = Principal { user: String::from(user), ..(*self.principal).clone() };
        Self { principal: Arc::new(principal), ..self }
    }

    pub(crate) fn new(
        app: App,
        principal: Principal,
        permission: Option<&str>,
        request_id: String,
    ) -> Result<Self> {
        let scope = match permission {
            Some(permission) => principal.scope(permission)?,
            None => Scope(Vec::new()),
        };
        let now = app.now();
        Ok(Self { app, principal: Arc::new(principal), scope, now, request_id })
    }

    /// The application.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Log-in name of who asks.
    pub fn actor(&self) -> &str {
        &self.principal.user
    }

    /// Who asks.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The rows this request may touch.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether who asks also has another permission.
    pub fn allows(&self, permission: &str) -> bool {
        self.principal.allows(permission)
    }

    /// The same request under another of the caller's permissions.
    pub fn under(&self, permission: &str) -> Result<Self> {
        let scope = self.principal.scope(permission)?;
        Ok(Self { scope, ..self.clone() })
    }

    /// The same request at another time: for loading records of the past.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        Self { now, ..self.clone() }
    }

    /// Starts a transaction that only reads.
    pub async fn snapshot(&self) -> Result<Tx> {
        self.app.db().snapshot().await
    }

    /// Starts a transaction that may write.
    pub async fn begin(&self) -> Result<Tx> {
        self.app.db().begin().await
    }

    /// A new identifier, larger than every one before it.
    pub fn new_id<T>(&self) -> Id<T> {
        self.app.0.ids.next(self.now, self.app.random())
    }

    /// Now, as stored.
    pub fn now_ms(&self) -> i64 {
        self.now.as_millisecond()
    }
}

impl<S: Sync> FromRequestParts<S> for Ctx {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let missing = || Problem::internal("a public route asked for a request context");
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }
}

impl<S: Sync> FromRequestParts<S> for App {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let missing = || Problem::internal("a route outside the router asked for the application");
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }
}
