//! 经营场所 (handbook §2.3.1): where a subject works. The same credit code in a second region is a
//! second site of one subject, never a second subject.

use serde::{Deserialize, Serialize};
use yj_kernel::{
    Codes, Columns, Ctx, DATUM, DATUM_GIVEN, Field, Kind, LATITUDE, LONGITUDE, Match, Position,
    Problem, Resource, Result, Scoping, Tx,
};
use yj_model::{Id, RegionCode, SubjectCode};

use crate::{alias::tidied, lookup, node::Node, subject::TraceSubject};

/// 场所类型
const SITE_KINDS: Codes = &[
    ("office", "办公场所"),
    ("plant", "生产厂区"),
    ("base", "种植养殖基地"),
    ("slaughter", "屠宰场所"),
    ("warehouse", "仓储场所"),
    ("shop", "门店"),
    ("stall", "摊位"),
    ("laboratory", "检测场所"),
    ("other", "其他"),
];

/// 经营场所
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// 主体代码: a code, so that those of one region can name a subject of another.
    pub subject_code: String,
    /// 场所名称
    pub name: String,
    /// 场所类型
    pub kind: String,
    /// 所在区域
    pub region: RegionCode,
    /// 地址
    pub address: String,
    /// 经度
    pub lon: Option<String>,
    /// 纬度
    pub lat: Option<String>,
    /// 坐标系 of the coordinates; CGCS2000 once they are stored.
    pub datum: Option<String>,
    /// 坐标系 the coordinates were given in.
    pub datum_given: Option<String>,
    /// 所在节点
    pub node_id: Option<Id<Node>>,
    /// 是否在用
    pub in_use: bool,
    /// The subject that the code means.
    pub subject_id: Option<Id<TraceSubject>>,
}

impl Resource for Site {
    const TABLE: &'static str = "site";
    const TITLE: &'static str = "经营场所";
    const SCOPING: Scoping = Scoping::By(Columns {
        region: Some("region"),
        subject: Some("subject_id"),
        label: Some("label"),
        ..Columns::NONE
    });
    const REVIEWED: bool = true;
    const FIELDS: &'static [Field] = &[
        Field::new("subject_code", "主体代码", Kind::Text)
            .checked(tidied)
            .passes_on()
            .length_max(32)
            .format("an..20")
            .filter(Match::Exact)
            .sortable()
            .public()
            .hint("已登记主体的现用或旧代码，可为外地登记的主体"),
        Field::new("name", "场所名称", Kind::Text)
            .length_max(120)
            .filter(Match::Contains)
            .sortable()
            .public(),
        Field::new("kind", "场所类型", Kind::Code(SITE_KINDS))
            .filter(Match::Exact)
            .sortable()
            .public(),
        Field::new("region", "所在区域", Kind::Region).filter(Match::Prefix).sortable().public(),
        Field::new("address", "地址", Kind::Text),
        LONGITUDE,
        LATITUDE,
        DATUM,
        DATUM_GIVEN,
        Field::new("node_id", "所在节点", Kind::Id("node")).filter(Match::Exact).optional(),
        Field::new("in_use", "是否在用", Kind::Bool).filter(Match::Exact),
        Field::new("subject_id", "追溯主体", Kind::Id("trace_subject"))
            .filter(Match::Exact)
            .computed()
            .passes_on()
            .hint("由主体代码确定"),
    ];

    async fn check(&mut self, _: &Ctx, tx: &mut Tx) -> Result<()> {
        let Self { lon, lat, datum, datum_given, region, .. } = self;
        Position { lon, lat, datum, datum_given }.settle(region)?;
        let subject = lookup::by_code(tx, &self.subject_code).await?.ok_or_else(|| {
            let detail = format!("没有代码为 {} 的追溯主体，请先登记主体", self.subject_code);
            Problem::invalid("subject_code", detail)
        })?;
        self.subject_id = Some(subject.id.parse().map_err(Problem::internal)?);
        self.subject_code = subject.code;
        Ok(())
    }

    fn sample(n: u32) -> Self {
        Self {
            subject_code: SubjectCode::issue(610_116, 7, n)
                .map_or_else(String::new, |code| code.to_string()),
            name: format!("示例门店{n}"),
            kind: String::from("shop"),
            region: "610403".parse().expect("six digits"),
            address: String::from("示例路 1 号"),
            lon: Some(String::from("108.0846000")),
            lat: Some(String::from("34.2729000")),
            datum: None,
            datum_given: None,
            node_id: None,
            in_use: true,
            subject_id: None,
        }
    }
}
