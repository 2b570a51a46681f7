//! 角色: bundles of permissions. A role is granted together with how far it reaches.

/// A bundle of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// 监管人员: sees everything in the region, proposes registrations.
    Supervisor,
    /// 审核人员: decides on registrations and on data to be anchored.
    Reviewer,
    /// 企业人员: keeps the own subject's registrations and trace data.
    Enterprise,
    /// 审计人员: reads audit trail and ledger, nothing else.
    Auditor,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Supervisor, Self::Reviewer, Self::Enterprise, Self::Auditor];

    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Supervisor => "supervisor",
            Self::Reviewer => "reviewer",
            Self::Enterprise => "enterprise",
            Self::Auditor => "auditor",
        }
    }

    /// 中文名称
    pub const fn label(self) -> &'static str {
        match self {
            Self::Supervisor => "监管人员",
            Self::Reviewer => "审核人员",
            Self::Enterprise => "企业人员",
            Self::Auditor => "审计人员",
        }
    }

    /// What it may do.
    pub const fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::Supervisor => &[
                "trace_subject:read",
                "trace_subject:write",
                "trace_subject:personal",
                "product:read",
                "product:write",
                "source_policy:read",
                "source_policy:write",
                "trace:read",
                "trace:capture",
                "ledger:read",
            ],
            Self::Reviewer => &[
                "trace_subject:read",
                "trace_subject:review",
                "trace_subject:personal",
                "product:read",
                "product:review",
                "source_policy:read",
                "trace:read",
                "trace:review",
                "ledger:read",
            ],
            Self::Enterprise => &[
                "trace_subject:read",
                "trace_subject:write",
                "product:read",
                "product:write",
                "trace:read",
                "trace:capture",
                "ledger:read",
            ],
            Self::Auditor => &["audit:read", "ledger:read"],
        }
    }

    /// The role with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }
}
