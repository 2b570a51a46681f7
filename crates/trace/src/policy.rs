//! 来源策略 (D-6.3): whether data from a source are accepted by themselves or wait for somebody's
//! review of 真实性和合理性 before they are anchored. Explicit, audited, and manual where nothing is
//! said.

use serde::{Deserialize, Serialize};
use yj_kernel::{
    Codes, Columns, Field, Kind, Match, Problem, Reach, Resource, Result, Row, Scoping, Sql,
};
use yj_model::{DOMAIN_LIST, DOMAINS, Id, RegionCode, STAGES, Stage};

use crate::{capture::Source, event::Checked};

/// Where events come from.
pub(crate) const SOURCES: Codes = &[
    ("any", "不限"),
    ("form", "手工录入"),
    ("import", "文件导入"),
    ("api", "接口"),
    ("device", "设备"),
];
const DECISIONS: Codes = &[("auto", "自动接收"), ("manual", "人工审核")];

/// 采集来源策略
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourcePolicy {
    /// 策略名称
    pub name: String,
    /// 来源
    pub source: String,
    /// 主体所属区域；空为不限
    pub region: Option<RegionCode>,
    /// 主体；空为不限
    pub subject_id: Option<Id<()>>,
    /// 领域；空为不限
    pub domain: Option<String>,
    /// 环节；空为不限
    pub stage: Option<String>,
    /// 处理方式
    pub decision: String,
}

impl Resource for SourcePolicy {
    const TABLE: &'static str = "source_policy";
    const TITLE: &'static str = "采集来源策略";
    // Whoever answers for a part of the area, of the domains or of the stages decides for it alone.
    const SCOPING: Scoping = Scoping::By(Columns {
        region: Some("region"),
        subject: Some("subject_id"),
        category: Reach::Equal("domain"),
        stage: Reach::Equal("stage"),
        ..Columns::NONE
    });
    const FIELDS: &'static [Field] = &[
        Field::new("name", "策略名称", Kind::Text).length_max(60).filter(Match::Contains),
        Field::new("source", "来源", Kind::Code(SOURCES)).filter(Match::Exact),
        Field::new("region", "主体所属区域", Kind::Region)
            .filter(Match::Prefix)
            .optional()
            .hint("留空为不限，须有不限区域的权限"),
        Field::new("subject_id", "主体", Kind::Id("trace_subject"))
            .filter(Match::Exact)
            .optional()
            .hint("留空为不限"),
        Field::new("domain", "领域", Kind::Code(DOMAINS))
            .grows(DOMAIN_LIST)
            .filter(Match::Exact)
            .optional()
            .hint("留空为不限"),
        Field::new("stage", "环节", Kind::Code(STAGES))
            .filter(Match::Exact)
            .optional()
            .hint("留空为不限"),
        Field::new("decision", "处理方式", Kind::Code(DECISIONS)).filter(Match::Exact),
    ];

    fn sample(n: u32) -> Self {
        Self {
            name: format!("示例策略{n}"),
            source: String::from("api"),
            region: "610000".parse().ok(),
            subject_id: None,
            domain: Some(String::from("agri")),
            stage: Some(String::from(Stage::Transport.code())),
            decision: String::from("auto"),
        }
    }
}

/// The policies in force.
pub(crate) struct Policies(Vec<Policy>);

struct Policy {
    source: String,
    region: Option<RegionCode>,
    subject: Option<String>,
    domain: Option<String>,
    stage: Option<String>,
    automatic: bool,
}

/// Policies considered at most.
const POLICIES_MAX: i64 = 2_000;

impl Policies {
    pub(crate) fn query() -> Sql {
        let sql = Sql::new(
            "SELECT source, subject_id, domain, stage, decision, region FROM source_policy \
             ORDER BY id LIMIT $1",
        );
        sql.arg(POLICIES_MAX)
    }

    /// The answer to [`Policies::query`].
    pub(crate) fn read(rows: &[Row]) -> Result<Self> {
        let read = |row: &Row| {
            let text = |index| Ok::<_, Problem>(row.text_opt(index)?.map(String::from));
            Ok(Policy {
                source: String::from(row.text(0)?),
                region: text(5)?.map(|code| code.parse().map_err(Problem::internal)).transpose()?,
                subject: text(1)?,
                domain: text(2)?,
                stage: text(3)?,
                automatic: row.text(4)? == "auto",
            })
        };
        rows.iter().map(read).collect::<Result<_>>().map(Self)
    }

    /// Why the event may not be accepted without review; `None` where it may. The most particular
    /// policy decides; of two equally particular ones the stricter. `subject` is its identifier and
    /// region.
    pub(crate) fn review_reason(
        &self,
        event: &Checked,
        (subject, region): (&str, &str),
        source: Source,
    ) -> Option<String> {
        if event.spec.always_reviewed {
            return Some(String::from("这类事件一律由他人审核后上链"));
        }
        let source = source.code();
        let fits = |policy: &&Policy| {
            let same = |wanted: &Option<String>, found: &str| {
                wanted.as_deref().is_none_or(|wanted| wanted == found)
            };
            (policy.source == "any" || policy.source == source)
                && policy.region.as_ref().is_none_or(|wanted| wanted.covers(region))
                && same(&policy.subject, subject)
                && same(&policy.domain, &event.domain)
                && same(&policy.stage, event.stage.code())
        };
        let weight = |policy: &Policy| {
            (
                policy.subject.is_some(),
                policy.region.as_ref().map_or(0, |region| region.stem().len()),
                policy.source != "any",
                policy.stage.is_some(),
                policy.domain.is_some(),
            )
        };
        let best =
            self.0.iter().filter(fits).map(|policy| (weight(policy), !policy.automatic)).max();
        let accepted = best.is_some_and(|(_, manual)| !manual);
        (!accepted).then(|| String::from("来源策略要求人工审核后上链"))
    }
}
