//! 暂停与召回 (handbook §6.3): the state of a product is changed by these verbs and in no other way.

use serde::{Deserialize, Serialize};
use yj_kernel::Codes;

/// Where a product stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductState {
    /// 正常
    #[default]
    Active,
    /// 暂停: nothing more of it is made until somebody resumes it.
    Suspended,
    /// 召回中
    Recalling,
}

/// What somebody does to a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductVerb {
    /// 暂停
    Suspend,
    /// 恢复
    Resume,
    /// 召回
    Recall,
    /// 结束召回
    CloseRecall,
}

/// 召回级别
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecallLevel {
    /// 一级: serious harm or death.
    First,
    /// 二级: general harm.
    Second,
    /// 三级: false label.
    Third,
}

pub(crate) const STATES: Codes =
    &[("active", "正常"), ("suspended", "暂停"), ("recalling", "召回中")];
pub(crate) const RECALL_LEVELS: Codes = &[("first", "一级"), ("second", "二级"), ("third", "三级")];

impl ProductState {
    /// The whole life of a product. `None`: not possible from here.
    ///
    /// After a recall the product stays suspended: that all of it came back does not mean that the
    /// cause is gone.
    pub fn after(self, verb: ProductVerb) -> Option<Self> {
        match (self, verb) {
            (Self::Active, ProductVerb::Suspend) | (Self::Recalling, ProductVerb::CloseRecall) => {
                Some(Self::Suspended)
            }
            (Self::Suspended, ProductVerb::Resume) => Some(Self::Active),
            (Self::Active | Self::Suspended, ProductVerb::Recall) => Some(Self::Recalling),
            _ => None,
        }
    }

    /// Stable code.
    pub fn code(self) -> &'static str {
        STATES[self as usize].0
    }

    /// 中文名称
    pub fn label(self) -> &'static str {
        STATES[self as usize].1
    }

    /// The state of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Active, Self::Suspended, Self::Recalling]
            .into_iter()
            .find(|state| state.code() == code)
    }
}

impl ProductVerb {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Suspend, Self::Resume, Self::Recall, Self::CloseRecall];

    /// As in the path of its route.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Recall => "recall",
            Self::CloseRecall => "close-recall",
        }
    }

    /// As in the audit trail and in announcements.
    pub(crate) fn action(self) -> &'static str {
        match self {
            Self::Suspend => "suspended",
            Self::Resume => "resumed",
            Self::Recall => "recalled",
            Self::CloseRecall => "recall_closed",
        }
    }

    /// The right it takes.
    pub(crate) fn right(self) -> &'static str {
        match self {
            Self::Suspend | Self::Resume => "suspend",
            Self::Recall | Self::CloseRecall => "recall",
        }
    }

    /// 中文名称
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Suspend => "暂停",
            Self::Resume => "恢复",
            Self::Recall => "召回",
            Self::CloseRecall => "结束召回",
        }
    }
}

impl RecallLevel {
    /// Stable code.
    pub(crate) fn code(self) -> &'static str {
        RECALL_LEVELS[self as usize].0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_descriptions() {
        for state in [ProductState::Active, ProductState::Suspended, ProductState::Recalling] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.code());
            assert_eq!(ProductState::from_code(state.code()), Some(state));
        }
        for level in [RecallLevel::First, RecallLevel::Second, RecallLevel::Third] {
            assert_eq!(serde_json::to_value(level).unwrap(), level.code());
        }
    }

    #[test]
    fn a_product_under_recall_is_neither_suspended_nor_resumed() {
        use ProductState::{Active, Recalling, Suspended};
        use ProductVerb::{CloseRecall, Recall, Resume, Suspend};
        let life = [
            (Active, Suspend, Some(Suspended)),
            (Active, Resume, None),
            (Active, Recall, Some(Recalling)),
            (Active, CloseRecall, None),
            (Suspended, Suspend, None),
            (Suspended, Resume, Some(Active)),
            (Suspended, Recall, Some(Recalling)),
            (Suspended, CloseRecall, None),
            (Recalling, Suspend, None),
            (Recalling, Resume, None),
            (Recalling, Recall, None),
            (Recalling, CloseRecall, Some(Suspended)),
        ];
        for (state, verb, next) in life {
            assert_eq!(state.after(verb), next, "{state:?} {verb:?}");
        }
    }
}
