//! 可停用的模块 (G-4b): parts of the product that a deployment can do without. One that is off has
//! no routes, no permissions and no pages; its tables stay as they are, and it goes on where it was
//! left when it is on again.

use yj_kernel::Route;

/// A part that can be off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Module {
    /// 感知设备
    Device,
    /// 商户
    Merchant,
    /// 企业自助注册
    SelfRegistration,
}

impl Module {
    /// Those there are. What others are built on is none of them.
    pub const ALL: [Self; 3] = [Self::Device, Self::Merchant, Self::SelfRegistration];

    /// As the configuration names it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Merchant => "merchant",
            Self::SelfRegistration => "self_registration",
        }
    }

    /// 中文名称
    pub const fn title(self) -> &'static str {
        match self {
            Self::Device => "感知设备",
            Self::Merchant => "商户",
            Self::SelfRegistration => "企业自助注册",
        }
    }

    /// The module of a code; otherwise which ones there are.
    pub fn from_code(code: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|module| module.code() == code);
        found.ok_or_else(|| {
            let known = Self::ALL.map(|module| format!("{}（{}）", module.code(), module.title()));
            format!("没有可停用的模块 {code}，应为：{}", known.join("、"))
        })
    }

    /// The registers that are its own: the first part of its paths and of its permissions.
    pub const fn stems(self) -> &'static [&'static str] {
        match self {
            Self::Device => &["device", "devices", "device_binding"],
            Self::Merchant => &["merchant", "merchant_place"],
            Self::SelfRegistration => &["subject_application", "applications"],
        }
    }
}

/// The stems of some modules.
pub(crate) fn stems(off: &[Module]) -> Vec<&'static str> {
    off.iter().flat_map(|module| module.stems()).copied().collect()
}

/// Whether a route belongs to none of these.
pub(crate) fn remains(route: &Route, off: &[&str]) -> bool {
    let stem = route.path.strip_prefix("/api/v1/").and_then(|path| path.split('/').next());
    stem.is_none_or(|stem| !off.contains(&stem))
}
