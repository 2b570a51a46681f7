//! 三类管理员 (GB/T 22239 8.1.4.2 d, S-12): what each may do, and how far.

use std::sync::Arc;

use yj_kernel::{Grant, Limit, Within};

/// The three administrators of GB/T 22239, each with rights that nobody else has; none has any
/// business right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminKind {
    /// 系统管理员: accounts without rights, organisations, clients, settings.
    System,
    /// 安全管理员: roles, grants, keys, locks, alarms.
    Security,
    /// 审计管理员: reads, verifies and exports the trail.
    Audit,
}

impl AdminKind {
    /// All three.
    pub const ALL: [Self; 3] = [Self::System, Self::Security, Self::Audit];

    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Security => "security",
            Self::Audit => "audit",
        }
    }

    /// 中文名称
    pub const fn label(self) -> &'static str {
        match self {
            Self::System => "系统管理员",
            Self::Security => "安全管理员",
            Self::Audit => "审计管理员",
        }
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// What it may do.
    pub const fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::System => &[
                "organization:read",
                "organization:write",
                "organization:label",
                "account:read",
                "account:write",
                "account:confirm",
                "account:personal",
                "account:erase",
                "account:label",
                "client:read",
                "client:write",
                "client:label",
                "application:read",
                "application:write",
                "application:label",
                "dictionary:read",
                "dictionary:write",
                "domain:read",
                "domain:write",
                "map_pack:read",
                "map_pack:write",
                "ledger:read",
                "ledger:anchor",
                "resolver_upstream:read",
                "resolver_upstream:write",
                "resolver_upstream:label",
                "ledger:read",
                "ledger_witness:read",
                "ledger_witness:write",
                "ledger_witness:label",
                "self_check:read",
            ],
            Self::Security => &[
                "organization:read",
                "organization:bind",
                "account:read",
                "account:lock",
                "account:confirm",
                "client:read",
                "client:approve",
                "administrator:write",
                "role:read",
                "role:write",
                "role:label",
                "change_rule:write",
                "assignment:read",
                "assignment:write",
                "assignment:label",
                "delegation:read",
                "delegation:write",
                "delegation:label",
                "domain:read",
                "domain:approve",
                "map_pack:read",
                "map_pack:approve",
                "session:read",
                "session:write",
                "key:read",
                "key:write",
                "alarm:read",
                "alarm:write",
                "self_check:read",
                "self_check:run",
            ],
            Self::Audit => &[
                "account:confirm",
                "audit:read",
                "audit:export",
                "audit:verify",
                "domain:read",
                "map_pack:read",
                "alarm:read",
                "self_check:read",
                "self_check:run",
                "ledger:read",
                "ledger:check",
            ],
        }
    }
}

/// What others may be given as well.
const SHARED: &[&str] = &["dictionary:read", "domain:read", "ledger:read", "ledger:check"];

/// Whether only administrators have this permission.
pub(crate) fn is_administrative(permission: &str) -> bool {
    !SHARED.contains(&permission)
        && AdminKind::ALL.into_iter().any(|kind| kind.permissions().contains(&permission))
}

/// What concerns the whole platform: rights of the administrators at its top alone.
const OF_PLATFORM: &[&str] = &[
    "application:read",
    "application:write",
    "application:label",
    "audit:verify",
    "change_rule:write",
    "dictionary:write",
    "domain:approve",
    "domain:write",
    "key:read",
    "key:write",
    "ledger:anchor",
    "map_pack:approve",
    "map_pack:read",
    "map_pack:write",
    "organization:bind",
    "role:label",
    "self_check:read",
    "self_check:run",
    "ledger_witness:label",
    "ledger_witness:read",
    "ledger_witness:write",
    "resolver_upstream:label",
    "resolver_upstream:read",
    "resolver_upstream:write",
];

/// Administrators act on their own organisation and those below it; at the top on everything.
pub(crate) fn administrators(kind: AdminKind, path: &str) -> Vec<Grant> {
    let organization = (path.matches('/').count() > 1)
        .then(|| Within { path: String::from(path), subjects: Arc::new([]) });
    let below = organization.is_some();
    let limit = Limit { organization, ..Limit::EVERYTHING };
    let grant = |name: &&str| Grant { permission: String::from(*name), limit: limit.clone() };
    let own = kind.permissions().iter().filter(|name| !below || !OF_PLATFORM.contains(name));
    own.map(grant).collect()
}
