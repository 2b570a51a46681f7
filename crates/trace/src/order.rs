//! 批次管控 (G-6.5, handbook §1.2 C, §1.10): orders that stop trace objects from moving. Written once, by
//! [`crate::ordering`] alone; this is the register that people list, search and export.

use serde::{Deserialize, Serialize};
use yj_kernel::{
    Codes, Columns, Ctx, Field, Kind, Match, Problem, Resource, Result, Scoping, Tx, sound_reason,
};
use yj_model::{Id, RegionCode};

/// 质量状态 of a trace object under an order; the higher the graver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Quality {
    /// 待检
    Awaiting,
    /// 不合格
    Failed,
    /// 冻结
    Frozen,
    /// 召回
    Recalled,
    /// 销毁
    Destroyed,
}

impl Quality {
    const ALL: [Self; 5] =
        [Self::Awaiting, Self::Failed, Self::Frozen, Self::Recalled, Self::Destroyed];

    /// As the dictionary has it; 01 合格 is what a test report says and never assumed.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Awaiting => "02",
            Self::Failed => "03",
            Self::Frozen => "04",
            Self::Recalled => "05",
            Self::Destroyed => "06",
        }
    }

    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Awaiting => "待检",
            Self::Failed => "不合格",
            Self::Frozen => "冻结",
            Self::Recalled => "召回",
            Self::Destroyed => "销毁",
        }
    }

    pub(crate) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|quality| quality.code() == code)
    }
}

/// 管控措施
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// 待检: not to be passed on before it is tested.
    Await,
    /// 检测不合格
    Fail,
    /// 冻结
    Freeze,
    /// 停止交易
    Stop,
    /// 召回
    Recall,
    /// 销毁
    Destroy,
}

impl OrderKind {
    pub(crate) const ALL: [Self; 6] =
        [Self::Await, Self::Fail, Self::Freeze, Self::Stop, Self::Recall, Self::Destroy];

    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Await => "await",
            Self::Fail => "fail",
            Self::Freeze => "freeze",
            Self::Stop => "stop",
            Self::Recall => "recall",
            Self::Destroy => "destroy",
        }
    }

    /// 中文名称
    pub const fn label(self) -> &'static str {
        match self {
            Self::Await => "待检",
            Self::Fail => "检测不合格",
            Self::Freeze => "冻结",
            Self::Stop => "停止交易",
            Self::Recall => "召回",
            Self::Destroy => "销毁",
        }
    }

    /// What its lifting is called; `None`: it cannot be lifted.
    pub(crate) const fn lifting(self) -> Option<&'static str> {
        match self {
            Self::Await => Some("解除待检"),
            Self::Fail => Some("复检解除"),
            Self::Freeze => Some("解除冻结"),
            Self::Stop => Some("恢复交易"),
            Self::Recall => Some("撤销召回"),
            Self::Destroy => None,
        }
    }

    pub(crate) const fn quality(self) -> Quality {
        match self {
            Self::Await => Quality::Awaiting,
            Self::Fail => Quality::Failed,
            Self::Freeze | Self::Stop => Quality::Frozen,
            Self::Recall => Quality::Recalled,
            Self::Destroy => Quality::Destroyed,
        }
    }

    /// Whether a subject may order it over what it answers for itself.
    pub(crate) const fn is_own(self) -> bool {
        matches!(self, Self::Await | Self::Freeze | Self::Recall)
    }

    pub(crate) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

const KINDS: Codes = &[
    ("await", "待检"),
    ("fail", "检测不合格"),
    ("freeze", "冻结"),
    ("stop", "停止交易"),
    ("recall", "召回"),
    ("destroy", "销毁"),
];
const STATES: Codes = &[("in_force", "执行中"), ("lifted", "已解除")];

/// Who may see an order: whoever supervises the subject over whose batch it was made, and that subject.
pub(crate) const ORDER_COLUMNS: Columns = Columns {
    region: Some("region"),
    subject: Some("subject_id"),
    label: Some("label"),
    ..Columns::NONE
};

/// 批次管控
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceOrder {
    /// 追溯码
    pub code: String,
    /// 管控措施
    pub kind: String,
    /// 是否及于下游
    pub downstream: bool,
    /// 原因
    pub reason: String,
    /// 文号
    pub document_no: Option<String>,
    /// 决定机关, or the subject itself.
    pub authority: String,
    /// Whether an authority made it; what an authority ordered no subject lifts.
    pub official: bool,
    /// Whose batch it is.
    pub subject_id: Id<()>,
    /// Region of that subject.
    pub region: RegionCode,
    /// Trace objects it covered when it was made.
    pub units: i64,
    /// Subjects that held them.
    pub subjects: i64,
    /// The event it follows from by itself.
    pub basis: Option<String>,
    /// 状态
    pub state: String,
    /// 解除时间
    pub lifted_at: Option<String>,
    /// 解除人
    pub lifted_by: Option<String>,
    /// 解除原因
    pub lift_reason: Option<String>,
    /// 解除文号
    pub lift_document_no: Option<String>,
    /// The lifting as the ledger names it.
    pub lift_record: Option<String>,
}

impl TraceOrder {
    /// 管控措施, as its type.
    pub(crate) fn kind(&self) -> Result<OrderKind> {
        OrderKind::from_code(&self.kind)
            .ok_or_else(|| Problem::internal(format!("trace_order.kind is {}", self.kind)))
    }

    pub(crate) fn is_in_force(&self) -> bool {
        self.state == "in_force"
    }
}

impl Resource for TraceOrder {
    const TABLE: &'static str = "trace_order";
    const TITLE: &'static str = "批次管控";
    const SCOPING: Scoping = Scoping::By(ORDER_COLUMNS);
    const REMOVABLE: bool = false;
    const FIELDS: &'static [Field] = &[
        Field::new("code", "追溯码", Kind::Text).length_max(64).filter(Match::Exact).public(),
        Field::new("kind", "管控措施", Kind::Code(KINDS)).filter(Match::Exact).public(),
        Field::new("downstream", "及于下游", Kind::Bool).filter(Match::Exact),
        Field::new("reason", "原因", Kind::Text).length_max(500),
        Field::new("document_no", "文号", Kind::Text)
            .length_max(60)
            .filter(Match::Exact)
            .optional(),
        Field::new("authority", "决定机关", Kind::Text)
            .length_max(120)
            .filter(Match::Contains)
            .public(),
        Field::new("official", "由监管机关作出", Kind::Bool).filter(Match::Exact).public(),
        Field::new("subject_id", "批次所属主体", Kind::Id("trace_subject")).filter(Match::Exact),
        Field::new("region", "所属区域", Kind::Region).filter(Match::Prefix),
        Field::new("units", "涉及追溯单元", Kind::Int).hint("作出时的个数；此后由其产出的另计"),
        Field::new("subjects", "涉及主体", Kind::Int).hint("作出时持有这些追溯单元的主体数"),
        Field::new("basis", "依据的事件", Kind::Text).optional(),
        Field::new("state", "状态", Kind::Code(STATES)).filter(Match::Exact).public(),
        Field::new("lifted_at", "解除时间", Kind::Time).filter(Match::Range).optional(),
        Field::new("lifted_by", "解除人", Kind::Text).optional(),
        Field::new("lift_reason", "解除原因", Kind::Text).length_max(500).optional(),
        Field::new("lift_document_no", "解除文号", Kind::Text).length_max(60).optional(),
        Field::new("lift_record", "解除的存证", Kind::Text).optional(),
    ];

    async fn check(&mut self, _: &Ctx, _: &mut Tx) -> Result<()> {
        self.kind()?;
        sound_reason(&self.reason).map(drop)
    }

    /// What was ordered stays as it was ordered; it is lifted once.
    async fn admit(&self, before: Option<&Self>, _: &Ctx, _: &mut Tx) -> Result<()> {
        let Some(before) = before else { return Ok(()) };
        let ordered = |order: &Self| {
            (order.code.clone(), order.kind.clone(), order.reason.clone(), order.official)
        };
        if before.is_in_force() && ordered(before) == ordered(self) {
            return Ok(());
        }
        Err(Problem::Conflict(String::from("管控决定作出后不能改动，只能解除一次")))
    }

    fn sample(n: u32) -> Self {
        Self {
            code: format!("YJ-SAMPLE-{n}"),
            kind: String::from("freeze"),
            downstream: true,
            reason: String::from("示例原因"),
            document_no: Some(format!("示监〔2026〕{n}号")),
            authority: String::from("示例市场监督管理局"),
            official: true,
            subject_id: Id::from_parts(1, u128::from(n)),
            region: "610116".parse().expect("six digits"),
            units: 1,
            subjects: 1,
            basis: None,
            state: String::from("in_force"),
            lifted_at: None,
            lifted_by: None,
            lift_reason: None,
            lift_document_no: None,
            lift_record: None,
        }
    }
}
