//! Whether a device is heard of.

use yj_kernel::{Codes, Problem, Result, Row};

/// 在线状态
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Presence {
    /// Heard within twice its reporting interval.
    Online,
    /// Heard before, but not any more.
    Offline,
    /// Registered, and never heard.
    Never,
}

impl Presence {
    const ALL: [Self; 3] = [Self::Online, Self::Offline, Self::Never];

    pub(crate) const CODES: Codes =
        &[("online", "在线"), ("offline", "离线"), ("never", "从未上线")];

    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Never => "never",
        }
    }

    /// Reads a column.
    pub(crate) fn at(row: &Row, index: usize) -> Result<Self> {
        let code = row.text(index)?;
        let found = Self::ALL.into_iter().find(|state| state.code() == code);
        found.ok_or_else(|| Problem::internal(format!("device.state is {code}")))
    }
}

/// Unheard for this many reporting intervals, a device is offline.
const MISSED_INTERVALS: i64 = 2;

/// When a device last heard at `last_seen_ms` counts as offline unless it is heard again.
pub(crate) const fn due(last_seen_ms: i64, interval_minutes: i64) -> i64 {
    last_seen_ms + MISSED_INTERVALS * interval_minutes * 60_000
}
