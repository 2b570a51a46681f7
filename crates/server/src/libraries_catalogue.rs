//! The thirteen 信息资源库 of GB/T 38157 §5.3, in the order and the words of the standard, and what
//! of this platform each consists of.

use yj_kernel::Entity;

/// One of the thirteen.
pub(crate) struct Library {
    /// In the words of the standard.
    pub(crate) name: &'static str,
    /// What holds it; nothing while no module of the platform does.
    pub(crate) parts: Vec<Part>,
    /// What is still missing; empty for nothing.
    pub(crate) missing: &'static str,
    /// How long its data are kept at least.
    pub(crate) retention: Retention,
    /// How it is divided; a dash for not at all.
    pub(crate) partition: &'static str,
}

/// A rule and where it stands.
pub(crate) struct Retention {
    pub(crate) rule: &'static str,
    pub(crate) source: &'static str,
}

/// What a library consists of.
pub(crate) enum Part {
    /// A register.
    Register(&'static Entity),
    /// Trace events of a stage, of all domains or of these.
    Events { stage: &'static str, title: &'static str, domains: &'static [&'static str] },
    /// Daily counts.
    Rollup,
    /// The audit trail, which counts itself.
    Audit,
    /// Another table, and its column with the moment of the last change.
    Log { table: &'static str, title: &'static str, moment: &'static str },
}

impl Part {
    /// The table that holds it.
    pub(crate) const fn table(&self) -> &'static str {
        match self {
            Self::Register(entity) => entity.table,
            Self::Events { .. } => "trace_event",
            Self::Rollup => "trace_rollup",
            Self::Audit => "audit_log",
            Self::Log { table, .. } => table,
        }
    }

    /// 中文名称
    pub(crate) const fn title(&self) -> &'static str {
        match self {
            Self::Register(entity) => entity.title,
            Self::Rollup => "按日汇总",
            Self::Audit => "行为审计",
            Self::Events { title, .. } | Self::Log { title, .. } => title,
        }
    }

    /// What kind of thing it is, for programs.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Register(_) => "register",
            Self::Events { .. } => "events",
            Self::Rollup => "rollup",
            Self::Audit | Self::Log { .. } => "log",
        }
    }

    /// Where, as part of the library of this number, it can be taken out and under which permission.
    pub(crate) fn export(&self, number: u32) -> Option<(String, String)> {
        match self {
            Self::Register(entity) => {
                Some((format!("/api/v1/{}/export", entity.table), entity.permission("read")))
            }
            Self::Audit => {
                Some((String::from("/api/v1/audit/export"), String::from("audit:export")))
            }
            Self::Events { .. } => {
                let path = format!("/api/v1/libraries/{number}/export");
                Some((path, String::from(EVENTS_PERMISSION)))
            }
            Self::Rollup | Self::Log { .. } => None,
        }
    }
}

/// Who may read events may take them out.
pub(crate) const EVENTS_PERMISSION: &str = "trace:read";

/// Products that are eaten or taken (消费).
const CONSUMED: &[&str] = &["agri", "food", "drug"];
/// Products that are worked with (使用).
const USED: &[&str] = &["agri_input", "special_equipment", "dangerous", "rare_earth", "industrial"];

const fn events(stage: &'static str, title: &'static str) -> Part {
    Part::Events { stage, title, domains: &[] }
}

const fn log(table: &'static str, title: &'static str, moment: &'static str) -> Part {
    Part::Log { table, title, moment }
}

/// Records of goods: the strictest of what the laws of the domains ask for.
const GOODS: Retention = Retention {
    rule: "不少于 5 年；食品为保质期满后 6 个月（无保质期的 2 年），疫苗为有效期满后 5 年，较长者为准",
    source: "《食品安全法》《药品经营质量管理规范》《疫苗管理法》；平台默认 5 年",
};
const USE: Retention = Retention {
    rule: "不少于 5 年；特种设备为设备使用寿命，电梯维护不少于 4 年，农药台账不少于 2 年，较长者为准",
    source: "《特种设备安全法》《农药管理条例》；平台默认 5 年",
};
const TRANSPORT: Retention = Retention {
    rule: "不少于 5 年；危险货物运单不少于 12 个月，较长者为准",
    source: "《危险货物道路运输安全管理办法》《食品安全法》；平台默认 5 年",
};
const REGISTER: Retention =
    Retention { rule: "登记有效期间，注销后不少于 5 年", source: "平台默认" };
const LOGS: Retention = Retention {
    rule: "不少于 6 个月",
    source: "《网络安全法》《区块链信息服务管理规定》",
};
const PLATFORM: Retention = Retention { rule: "不少于 5 年", source: "平台默认" };

const BY_STAGE: &str = "按环节";
const WHOLE: &str = "—";

/// All of them.
pub(crate) fn libraries() -> [Library; 13] {
    use Part::Register;
    let stage = |name, stage, title, retention| Library {
        name,
        parts: vec![events(stage, title)],
        missing: "",
        retention,
        partition: BY_STAGE,
    };
    let end = |name, title, domains, retention| Library {
        name,
        parts: vec![Part::Events { stage: "consumption", title, domains }],
        missing: "",
        retention,
        partition: "按环节与领域",
    };
    [
        Library {
            name: "生产经营主体注册信息",
            parts: vec![
                Register(yj_subject::TRACE_SUBJECT),
                Register(yj_subject::LICENCE),
                Register(yj_subject::SITE),
                Register(yj_subject::SUBJECT_ALIAS),
                Register(yj_subject::NODE),
                Register(yj_subject::MERCHANT),
                Register(yj_subject::MERCHANT_PLACE),
            ],
            missing: "",
            retention: REGISTER,
            partition: WHOLE,
        },
        Library {
            name: "产品属性信息",
            parts: vec![Register(yj_product::PRODUCT)],
            missing: "",
            retention: REGISTER,
            partition: WHOLE,
        },
        stage("产品初级生产信息", "primary_production", "初级生产环节事件", GOODS),
        stage("产品生产加工信息", "processing", "加工环节事件", GOODS),
        stage("产品流通信息", "distribution", "流通环节事件", GOODS),
        stage("产品运输信息", "transport", "运输环节事件", TRANSPORT),
        stage("检测信息", "inspection", "检测环节事件", GOODS),
        end("产品消费信息", "消费环节事件（食用农产品、食品、药品）", CONSUMED, GOODS),
        end("产品使用信息", "使用环节事件（其他领域）", USED, USE),
        Library {
            name: "应急管理信息",
            parts: vec![events("supervision", "监管环节事件（监督检查、召回）")],
            missing: "应急事件登记与处置未启用",
            retention: PLATFORM,
            partition: BY_STAGE,
        },
        Library {
            name: "统计分析信息",
            parts: vec![Part::Rollup],
            missing: "统计分析报表未启用",
            retention: PLATFORM,
            partition: "按日、区域、领域、环节",
        },
        Library {
            name: "体系建设管理信息",
            parts: vec![
                Register(yj_construction::DEVICE),
                log("device_certificate", "设备证书", "bound_at"),
                log("device_status", "设备心跳", "last_seen"),
            ],
            missing: "体系建设的其他登记未启用",
            retention: REGISTER,
            partition: WHOLE,
        },
        Library {
            name: "运行监测信息",
            parts: vec![
                Part::Audit,
                log("alarm", "告警", "at"),
                log("self_check", "等保自查", "at"),
            ],
            missing: "运行监测与评价未启用",
            retention: LOGS,
            partition: WHOLE,
        },
    ]
}
