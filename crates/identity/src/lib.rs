//! 统一用户管理、权限管理与日志管理 (§5.4.2 接入认证, §5.4.3; DB61/T 6.4.2): who may come in, what
//! they may do and where, and what they did.

mod account;
mod administrator;
mod alarm;
mod assignment;
mod attempts;
mod bootstrap;
mod certificate;
mod challenge;
mod client;
mod clock;
mod confirmation;
mod duty;
mod enterprise;
mod factor;
mod forward;
#[cfg(fuzzing)]
pub mod fuzz;
mod http;
mod login;
mod oidc;
mod organization;
mod passkey;
mod password;
mod place;
mod rights;
mod role;
mod seal;
mod self_check;
mod session;
mod settings;
mod signature;
mod tokens;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use yj_kernel::{
    App, Authenticator, Columns, Credentials, Ctx, Entity, Migration, Origin, Principal, Problem,
    Result, Scoping, audit,
};

pub use account::{Account, recover};
pub use administrator::AdminKind;
pub use alarm::{
    alarm_of_anchor, alarm_of_device, alarm_of_ledger, alarm_of_tampering, open_alarms,
};
pub use assignment::{Assignment, Delegation};
pub use bootstrap::{NewPerson, default_roles, person, root_organization, setup_token};
pub use certificate::TrustedCertificate;
pub use client::{Client, new_secret};
pub use confirmation::confirmations_waiting;
pub use enterprise::{NewEnterprise, OpenedEnterprise, open_enterprise};
pub use http::routes;
pub use oidc::{application::Application, relying::SingleSignOn};
pub use organization::Organization;
pub use rights::publish;
pub use role::Role;
pub use self_check::{Control, controls};
pub use settings::{Network, Security, Setting};

/// The register of organisations.
pub static ORGANIZATION: &Entity = Entity::of::<Organization>();
/// The register of users.
pub static ACCOUNT: &Entity = Entity::of::<Account>();
/// The register of roles.
pub static ROLE: &Entity = Entity::of::<Role>();
/// The register of grants.
pub static ASSIGNMENT: &Entity = Entity::of::<Assignment>();
/// The register of delegations.
pub static DELEGATION: &Entity = Entity::of::<Delegation>();

/// The register of clients.
pub static CLIENT: &Entity = Entity::of::<Client>();

/// The register of connected applications.
pub static APPLICATION: &Entity = Entity::of::<Application>();

/// How accounts, called `a` in a statement, say who may see them.
const ACCOUNTS: Scoping =
    Scoping::By(Columns { organization: Some("a.organization_path"), ..Columns::NONE });

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "identity/0001_account",
        script: include_str!("../migrations/0001_account.sql"),
    },
    Migration {
        name: "identity/0002_identity",
        script: include_str!("../migrations/0002_identity.sql"),
    },
    Migration {
        name: "identity/0003_client",
        script: include_str!("../migrations/0003_client.sql"),
    },
    Migration {
        name: "identity/0004_single_sign_on",
        script: include_str!("../migrations/0004_single_sign_on.sql"),
    },
    Migration {
        name: "identity/0005_surveillance",
        script: include_str!("../migrations/0005_surveillance.sql"),
    },
    Migration { name: "identity/0006_seal", script: include_str!("../migrations/0006_seal.sql") },
];

const HOUR_MS: i64 = 3_600_000;

struct Inner {
    settings: Security,
    single_sign_on: SingleSignOn,
    authorities: certificate::Authorities,
    admin_networks: Vec<Network>,
    collector: Option<forward::Collector>,
    memory: rights::Memory,
    sessions: tokens::Tokens<session::Stored>,
    access_tokens: tokens::Tokens<client::Stored>,
    mill: password::Mill,
    throttle: attempts::Throttle,
    quotas: client::Quotas,
    bad_signatures: attempts::Tally,
    refusals: attempts::Tally,
}

/// Log-in, sessions and rights of one application.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

impl Identity {
    /// Under these settings; refuses those below their floor.
    pub fn new(settings: Security, single_sign_on: SingleSignOn) -> Result<Self, String> {
        settings.check()?;
        single_sign_on.check()?;
        let authorities = certificate::Authorities::open(&settings.sm2_authorities)?;
        let (address, authority) = (&settings.audit_forward, &settings.audit_forward_authority);
        let collector = forward::Collector::open(address, authority)?;
        let networks = settings.admin_networks.iter().filter_map(|text| Network::parse(text));
        let admin_networks = networks.collect();
        let (memory, mill, throttle, quotas) = Default::default();
        let (sessions, access_tokens) = (session::tokens(), client::tokens());
        let (bad_signatures, refusals) = Default::default();
        Ok(Self(Arc::new(Inner {
            settings,
            single_sign_on,
            authorities,
            admin_networks,
            collector,
            memory,
            sessions,
            access_tokens,
            mill,
            throttle,
            quotas,
            bad_signatures,
            refusals,
        })))
    }

    /// The settings.
    pub fn settings(&self) -> &Security {
        &self.0.settings
    }

    /// Whether the session or client that made a request would still let its caller in: for what
    /// outlives the request. Rights are asked for apart.
    pub async fn still_admits(&self, ctx: &Ctx) -> Result<bool> {
        let (app, origin) = (ctx.app(), ctx.origin());
        match ctx.principal().session.strip_prefix(client::SESSION) {
            Some(client_id) => client::lasts(app, client_id, origin.address).await,
            None => session::lasts(self, app, (&ctx.principal().session, origin)).await,
        }
    }

    fn single_sign_on(&self) -> &SingleSignOn {
        &self.0.single_sign_on
    }

    fn authorities(&self) -> &certificate::Authorities {
        &self.0.authorities
    }

    fn collector(&self) -> Option<&forward::Collector> {
        self.0.collector.as_ref()
    }

    fn memory(&self) -> &rights::Memory {
        &self.0.memory
    }

    fn sessions(&self) -> &tokens::Tokens<session::Stored> {
        &self.0.sessions
    }

    fn access_tokens(&self) -> &tokens::Tokens<client::Stored> {
        &self.0.access_tokens
    }

    fn mill(&self) -> &password::Mill {
        &self.0.mill
    }

    fn throttle(&self) -> &attempts::Throttle {
        &self.0.throttle
    }

    fn quotas(&self) -> &client::Quotas {
        &self.0.quotas
    }

    /// Wrong signatures and secrets of a client; many of them are an alarm.
    async fn note_bad_signature(&self, app: &App, client_id: &str) {
        if self.0.bad_signatures.count(client_id, app.now().as_millisecond()) {
            let detail = "接口客户端的签名或密钥连续不符";
            let about = alarm::About::platform(client_id);
            alarm::raise(app, alarm::Kind::BadSignatures, about, detail).await;
        }
    }

    /// Credentials that were refused leave an entry, as long as their sender does not flood us.
    async fn note_credentials(&self, app: &App, credentials: Credentials<'_>, reason: &str) {
        let origin = credentials.origin;
        if self.throttle().take(origin.address, app.now().as_millisecond()).is_err() {
            return;
        }
        let route = credentials.uri.path();
        if let Err(problem) =
            note_stranger(app, origin, ("credentials_refused", route, reason)).await
        {
            problem.log();
        }
    }

    /// Rows that one user takes out in small portions add up (S-28).
    async fn weigh_exports(&self, ctx: &Ctx) -> Result<()> {
        let mut tx = ctx.snapshot().await?;
        let rows = audit::rows_exported(&mut tx, ctx.actor(), ctx.now_ms() - HOUR_MS).await?;
        drop(tx);
        if rows > self.settings().export_alarm_rows {
            let detail = format!("一小时内导出 {rows} 行");
            let about = alarm::About::principal(ctx.principal());
            alarm::raise(ctx.app(), alarm::Kind::MassExport, about, &detail).await;
        }
        Ok(())
    }

    /// Whether administrators may come from there (S-11). Requests inside the process have no
    /// address.
    fn admits_administrators(&self, origin: &Origin) -> bool {
        origin.address.is_none_or(|address| {
            self.0.admin_networks.iter().any(|network| network.contains(address))
        })
    }
}

/// The token that a request shows. Who shows one is judged by it and by no cookie beside it; what a
/// gateway in front of us asked for (`Basic`) is not for us.
fn shown(credentials: Credentials<'_>) -> Option<&str> {
    let header = credentials.headers.get("authorization")?;
    // What is no text is no token either.
    let text = header.to_str().unwrap_or_default();
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    match scheme {
        scheme if scheme.eq_ignore_ascii_case("basic") => None,
        scheme if scheme.eq_ignore_ascii_case("bearer") => Some(token.trim()),
        _ => Some(""),
    }
}

impl Authenticator for Identity {
    fn authenticate<'a>(
        &'a self,
        app: &'a App,
        credentials: Credentials<'a>,
    ) -> BoxFuture<'a, Result<Option<Principal>>> {
        Box::pin(async move {
            let token = shown(credentials);
            let found = if credentials.header("signature-input").is_some() {
                client::by_signature(self, app, credentials).await
            } else if let Some(token) = token {
                client::by_token(self, app, (token, credentials)).await
            } else {
                session::authenticate(self, app, credentials).await
            };
            match &found {
                Ok(None) if token.is_some() => {
                    self.note_credentials(app, credentials, "访问令牌无效或已过期").await;
                }
                Err(problem @ (Problem::Signature(_) | Problem::Forbidden(_))) => {
                    self.note_credentials(app, credentials, &problem.to_string()).await;
                }
                _ => {}
            }
            found
        })
    }

    fn expects<'a>(
        &'a self,
        app: &'a App,
        credentials: Credentials<'a>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let expected = client::expects(app, credentials).await;
            if let Err(problem @ (Problem::Signature(_) | Problem::Forbidden(_))) = &expected {
                self.note_credentials(app, credentials, &problem.to_string()).await;
            }
            expected
        })
    }

    fn refused<'a>(&'a self, ctx: &'a Ctx, route: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if self.0.refusals.count(ctx.actor(), ctx.now_ms()) {
                let detail = format!("五分钟内反复访问不存在或无权的记录，最近一次是 {route}");
                let about = alarm::About::principal(ctx.principal());
                alarm::raise(ctx.app(), alarm::Kind::Probing, about, &detail).await;
            }
        })
    }

    fn exported<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Err(problem) = self.weigh_exports(ctx).await {
                problem.log();
            }
        })
    }

    fn principal<'a>(
        &'a self,
        app: &'a App,
        user: &'a str,
    ) -> BoxFuture<'a, Result<Option<Principal>>> {
        Box::pin(async move {
            let mut tx = app.db().snapshot().await?;
            let known = rights::by_user_name(app, &mut tx, user).await?;
            let usable = known.filter(|known| known.usable(self.settings(), app.now()).is_ok());
            Ok(usable.map(|known| known.principal))
        })
    }
}

/// Notes what somebody tried who is not let in.
async fn note_stranger(
    app: &App,
    origin: &Origin,
    (action, route, reason): (&str, &str, &str),
) -> Result<()> {
    let ctx = app.on_own_behalf("login").signing_as(None, origin.clone());
    let mut tx = ctx.begin().await?;
    let body = serde_json::json!({ "reason": reason });
    let entry = audit::Entry { action, entity: "route", record: route, body };
    audit::write_as(&ctx, &mut tx, ("", audit::Ending::Refused), entry);
    tx.commit().await
}

/// A place in the tree of organisations that the caller may not act on is not there for them.
fn require_reach(ctx: &Ctx, path: &str, missing: fn() -> Problem) -> Result<()> {
    let place = yj_kernel::Place { organization: Some(path), ..yj_kernel::Place::default() };
    let columns = Columns { organization: Some("path"), ..Columns::NONE };
    if ctx.scope().covers(&columns, &place) { Ok(()) } else { Err(missing()) }
}

/// The problem that hides whether an account is there.
fn missing() -> Problem {
    Problem::NotFound("用户")
}
