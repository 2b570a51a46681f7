//! Who asks, when, with which rights: §5.4.3 权限管理, bound to 数据访问权限.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use axum::{extract::FromRequestParts, http::request::Parts};
use futures_util::future::BoxFuture;
use jiff::{Timestamp, civil::Date};
use yj_model::{Id, OffsetTime};

use crate::{
    ActorKind, Authenticator, CodeList, Dataset, Db, Entity, Environment, Origin, Principal,
    Problem, Result, Scope, Tx, Vault,
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

/// Nothing is signed by a clock that is further off than this (S-27).
const CLOCK_DRIFT_MAX_MS: i64 = 60_000;

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
    /// What has a search of its own, for kept queries and files.
    pub datasets: Vec<&'static Dataset>,
    /// Registers of modules that are off: nobody is told of rights over them.
    pub withheld: Vec<&'static str>,
    /// Code lists that grow while the platform runs.
    pub code_lists: Vec<CodeList>,
    /// How the platform calls itself.
    pub platform: Platform,
    /// Figures for operators.
    pub metrics: yj_http::Metrics,
    /// Keys of sensitive data.
    pub vault: Vault,
    /// Which node of the deployment this is, as audit entries name it.
    pub node: String,
    /// How long a factor counts as freshly shown.
    pub fresh_ms: i64,
    /// Rows of one export from which on somebody else must approve it.
    pub export_approval_rows: i64,
    /// What is kept besides the database.
    pub witness: Arc<dyn Witness>,
}

/// Keeps what nobody who can write to the database, or put an old one back, may undo: the ends of
/// the audit chains, and whose data were erased.
pub trait Witness: Send + Sync {
    /// The ends of the audit chains it has kept.
    fn heads<'a>(&'a self, tx: &'a mut Tx) -> BoxFuture<'a, Result<Vec<crate::audit::Head>>>;

    /// Owners of data keys that were destroyed, in no order.
    fn erasures(&self) -> Result<Vec<String>>;

    /// When the last of them was destroyed, Unix ms; 0 before the first.
    fn last_erasure(&self) -> Result<i64>;

    /// Keeps further owners with the moments of their erasure, in order of time.
    fn keep_erasures(&self, erased: &[(String, i64)]) -> Result<()>;
}

struct Shared {
    parts: AppParts,
    ids: IdSource,
    signal: JobSignal,
    started: Instant,
    clock_drift_ms: AtomicI64,
}

/// The running application, shared by all requests.
#[derive(Clone)]
pub struct App(Arc<Shared>);

impl App {
    /// Assembles the application.
    pub fn new(parts: AppParts) -> Self {
        let (ids, signal) = (IdSource::default(), JobSignal::default());
        let (started, clock_drift_ms) = (Instant::now(), AtomicI64::new(0));
        Self(Arc::new(Shared { parts, ids, signal, started, clock_drift_ms }))
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.0.parts.db
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        self.0.parts.environment.now()
    }

    /// The current day in China.
    pub fn today(&self) -> Date {
        OffsetTime::beijing(self.now()).beijing_day()
    }

    /// 128 unpredictable bits.
    pub fn random(&self) -> u128 {
        self.0.parts.environment.random()
    }

    /// Files.
    pub fn attachments(&self) -> &Attachments {
        &self.0.parts.attachments
    }

    /// The registers of this build, those of modules that are off among them: what they hold is
    /// kept, erased and examined all the same.
    pub fn entities(&self) -> &[&'static Entity] {
        &self.0.parts.entities
    }

    pub(crate) fn datasets(&self) -> &[&'static Dataset] {
        &self.0.parts.datasets
    }

    /// The registers that people work with in this deployment.
    pub fn offered(&self) -> impl Iterator<Item = &'static Entity> {
        let offers = |entity: &&Entity| !self.0.parts.withheld.contains(&entity.table);
        self.entities().iter().copied().filter(offers)
    }

    /// Whether a permission means anything in this deployment.
    pub fn offers(&self, permission: &str) -> bool {
        let stem = permission.split(':').next().unwrap_or_default();
        !self.0.parts.withheld.contains(&stem)
    }

    pub(crate) fn code_lists(&self) -> &[CodeList] {
        &self.0.parts.code_lists
    }

    /// How the platform calls itself.
    pub fn platform(&self) -> &Platform {
        &self.0.parts.platform
    }

    /// Figures for operators.
    pub fn metrics(&self) -> &yj_http::Metrics {
        &self.0.parts.metrics
    }

    /// Keys of sensitive data.
    pub fn vault(&self) -> &Vault {
        &self.0.parts.vault
    }

    /// Which node of the deployment this is.
    pub fn node(&self) -> &str {
        &self.0.parts.node
    }

    /// How long a factor counts as freshly shown (S-10).
    pub fn fresh_ms(&self) -> i64 {
        self.0.parts.fresh_ms
    }

    /// Rows of one export from which on somebody else must approve it (S-33).
    pub fn export_approval_rows(&self) -> i64 {
        self.0.parts.export_approval_rows
    }

    pub(crate) fn witness(&self) -> &dyn Witness {
        &*self.0.parts.witness
    }

    /// The ends of the audit chains as kept outside the database.
    pub async fn anchored_audit_heads(&self, tx: &mut Tx) -> Result<Vec<crate::audit::Head>> {
        self.0.parts.witness.heads(tx).await
    }

    /// Remembers how far this machine's clock was off when it was last compared (S-27).
    pub fn note_clock_drift(&self, drift_ms: i64) {
        self.0.clock_drift_ms.store(drift_ms, Ordering::Relaxed);
    }

    /// Whether the clock can be trusted: what is signed carries its time.
    pub fn clock_is_sound(&self) -> bool {
        self.0.clock_drift_ms.load(Ordering::Relaxed).abs() <= CLOCK_DRIFT_MAX_MS
    }

    pub(crate) fn environment(&self) -> &dyn Environment {
        &*self.0.parts.environment
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
        Ctx {
            app: self.clone(),
            principal: Arc::new(Principal::platform(actor, &self.platform().operator)),
            scope: Scope::everything(),
            origin: Arc::default(),
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
        let (origin, now) = (Arc::default(), self.now());
        Ok(Ctx { app: self.clone(), principal, scope, origin, now, request_id })
    }
}

/// A request that has passed its permission check. Handlers receive one; none can be made
/// without the check (see [`crate::route`]).
///
/// ```compile_fail,E0451
/// fn forge(app: yj_kernel::App, from: &yj_kernel::Ctx) -> yj_kernel::Ctx {
///     yj_kernel::Ctx { app, ..from.clone() }
/// }
/// ```
///
/// ```compile_fail,E0061
/// // A record cannot be read without one.
/// async fn read<R: yj_kernel::Resource>(tx: &mut yj_kernel::Tx, id: yj_model::Id<R>) {
///     let _ = tx.get::<R>(id).await;
/// }
/// ```
#[derive(Clone)]
pub struct Ctx {
    pub(crate) app: App,
    pub(crate) principal: Arc<Principal>,
    pub(crate) scope: Scope,
    pub(crate) origin: Arc<Origin>,
    /// When the request began. All its records carry this time.
    pub now: Timestamp,
    /// The request's name in logs and problems.
    pub request_id: String,
}

impl Ctx {
    /// The same hand, signing with the name of somebody who is not let in yet, from where they
    /// ask.
    #[must_use]
    pub fn signing_as(self, who: Option<&Principal>, origin: Origin) -> Self {
        let stranger = || {
            let nobody = (String::new(), String::new(), String::new());
            let mut stranger = Principal::new(nobody.0, nobody.1, nobody.2, Arc::default());
            stranger.kind = ActorKind::Stranger;
            stranger
        };
        let mut principal = who.cloned().unwrap_or_else(stranger);
        principal.all = true;
        Self { principal: Arc::new(principal), origin: Arc::new(origin), ..self }
    }

    pub(crate) fn new(
        app: App,
        principal: Principal,
        permission: Option<&str>,
        (request_id, origin): (String, Origin),
    ) -> Result<Self> {
        let scope = match permission {
            Some(permission) => principal.scope(permission)?,
            None => Scope::nothing(),
        };
        let now = app.now();
        let (principal, origin) = (Arc::new(principal), Arc::new(origin));
        Ok(Self { app, principal, scope, origin, now, request_id })
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

    /// Where the request came from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The rows this request may touch.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether who asks also has another permission.
    pub fn allows(&self, permission: &str) -> bool {
        self.app.offers(permission) && self.principal.allows(permission)
    }

    /// The same request under another of the caller's permissions.
    pub fn under(&self, permission: &str) -> Result<Self> {
        if !self.app.offers(permission) {
            return Err(Problem::Forbidden(format!("{permission} 所属的模块在此平台已停用")));
        }
        let scope = self.principal.scope(permission)?;
        Ok(Self { scope, ..self.clone() })
    }

    /// The day in China of the request.
    pub fn today(&self) -> Date {
        OffsetTime::beijing(self.now).beijing_day()
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

impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let missing = || Problem::internal("a route outside the router asked for its origin");
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }
}
