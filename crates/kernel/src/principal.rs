//! Who asks: a person or program that has proved who it is, and what it may do (§5.4.3).

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use axum::http::{HeaderMap, Method, Uri};
use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::{App, Ctx, Limit, Problem, Result, Scope};

/// A right to do something, as far as its limit reaches.
#[derive(Debug, Clone)]
pub struct Grant {
    /// `trace_subject:review` …
    pub permission: String,
    /// How far it reaches.
    pub limit: Limit,
}

/// All that somebody may do, ready to be asked.
#[derive(Debug, Default)]
pub struct Rights(BTreeMap<String, Arc<[Limit]>>);

impl Rights {
    /// The union of some grants.
    pub fn new(grants: impl IntoIterator<Item = Grant>) -> Self {
        let mut rights: BTreeMap<String, Vec<Limit>> = BTreeMap::new();
        for grant in grants {
            let limits = rights.entry(grant.permission).or_default();
            if !limits.contains(&grant.limit) {
                limits.push(grant.limit);
            }
        }
        Self(rights.into_iter().map(|(name, limits)| (name, limits.into())).collect())
    }

    /// The permissions, in order.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The limits under which a permission was granted; empty without it.
    pub fn limits(&self, permission: &str) -> &[Limit] {
        self.0.get(permission).map_or(&[], |limits| limits)
    }
}

/// What kind of hand acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    /// Nobody known yet.
    Stranger,
    /// A person.
    Person,
    /// A connected application or enterprise system.
    Machine,
    /// The platform itself.
    Platform,
}

impl ActorKind {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::Person => "person",
            Self::Machine => "machine",
            Self::Platform => "platform",
        }
    }
}

/// What still stands between somebody who has logged in and their rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Full,
    /// The second factor has not been shown.
    SecondFactor,
    /// The second factor is demanded and none is registered.
    NoSecondFactor,
    /// The password has expired or was set by somebody else.
    PasswordExpired,
}

/// A person or program that has proved who it is.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Identifier of the account.
    pub account: String,
    /// Log-in name; unique, and what records are signed with.
    pub user: String,
    /// Display name.
    pub name: String,
    /// Organisation, for display.
    pub organization: String,
    /// The organisation's place in the tree.
    pub organization_path: String,
    /// The 追溯主体 this user works for, if any.
    pub subject: Option<String>,
    /// Person or program.
    pub kind: ActorKind,
    /// `system`, `security` or `audit` for the three administrators.
    pub administrator: Option<&'static str>,
    /// What it may do.
    pub rights: Arc<Rights>,
    /// What is still missing.
    pub standing: Standing,
    /// Token a browser must repeat in a header for unsafe methods.
    pub csrf: Option<String>,
    /// The session or client that acts, as audit entries name it; never a secret.
    pub session: String,
    /// When a factor was last shown, Unix ms; dangerous acts want a fresh one.
    pub proved_at: i64,
    pub(crate) all: bool,
}

impl Principal {
    /// A principal as an [`Authenticator`] found it. It has the given rights and no others.
    pub fn new(account: String, user: String, name: String, rights: Arc<Rights>) -> Self {
        Self {
            account,
            user,
            name,
            organization: String::new(),
            organization_path: String::new(),
            subject: None,
            kind: ActorKind::Person,
            administrator: None,
            rights,
            standing: Standing::Full,
            csrf: None,
            session: String::new(),
            proved_at: 0,
            all: false,
        }
    }

    /// The platform's own hand.
    pub(crate) fn platform(actor: &str, organization: &str) -> Self {
        let actor = String::from(actor);
        Self {
            organization: String::from(organization),
            kind: ActorKind::Platform,
            all: true,
            ..Self::new(String::new(), actor, String::from("平台"), Arc::default())
        }
    }

    /// Whether any grant has this permission.
    pub fn allows(&self, permission: &str) -> bool {
        self.all || self.rights.0.contains_key(permission)
    }

    /// The rows that a permission reaches. Costs a look into a map and a counter.
    pub fn scope(&self, permission: &str) -> Result<Scope> {
        if self.all {
            return Ok(Scope::everything());
        }
        match self.rights.0.get(permission) {
            Some(limits) => Ok(Scope(Arc::clone(limits))),
            None => Err(Problem::Forbidden(format!("缺少权限 {permission}"))),
        }
    }
}

/// Where a request came from, for the audit trail.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Address of the client, or of the gateway's client.
    pub address: Option<IpAddr>,
    /// `User-Agent`, at most 200 letters.
    pub agent: String,
}

/// What a request shows to prove who asks.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// Method.
    pub method: &'a Method,
    /// Path and query as sent.
    pub uri: &'a Uri,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The body of a signed request; nothing for others, whose body nobody has read yet.
    pub body: Option<&'a Bytes>,
    /// Where it came from.
    pub origin: &'a Origin,
}

impl<'a> Credentials<'a> {
    /// The text of a header.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether the method may change something.
    pub fn changes(&self) -> bool {
        !matches!(*self.method, Method::GET | Method::HEAD)
    }
}

/// Decides who asks. Lives above the kernel, in the identity crate.
pub trait Authenticator: Send + Sync {
    /// The principal behind the credentials; `None` for strangers.
    fn authenticate<'a>(
        &'a self,
        app: &'a App,
        credentials: Credentials<'a>,
    ) -> BoxFuture<'a, Result<Option<Principal>>>;

    /// Whether the body of a request that says to be signed is worth reading: a stranger's is not.
    fn expects<'a>(
        &'a self,
        app: &'a App,
        credentials: Credentials<'a>,
    ) -> BoxFuture<'a, Result<()>>;

    /// Hears that somebody was refused one record, by its route: many such refusals are probing.
    fn refused<'a>(&'a self, ctx: &'a Ctx, route: &'a str) -> BoxFuture<'a, ()>;

    /// Hears that somebody has taken rows out of the platform; the entry is already in the trail.
    fn exported<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, ()>;

    /// The principal with this log-in name as it stands now; `None` if locked or unknown.
    fn principal<'a>(
        &'a self,
        app: &'a App,
        user: &'a str,
    ) -> BoxFuture<'a, Result<Option<Principal>>>;
}
