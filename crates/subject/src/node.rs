//! 节点 (G-6.2, handbook §2.4): markets, supermarkets, slaughterhouses and other places where trade
//! in important products passes, each with those who trade there.

use serde::{Deserialize, Serialize};
use serde_json::json;
use yj_kernel::{
    Changed, Codes, Columns, Ctx, DATUM, DATUM_GIVEN, Field, Kind, LATITUDE, LONGITUDE, Match,
    Object, Position, Problem, Reach, Resource, Result, Scoping, Sql, Tx, derive,
};
use yj_model::{DOMAIN_LIST, DOMAINS, Id, RegionCode, STAGES, Stage};

use crate::{merchant::Merchant, merchant_place::MerchantPlace, subject::TraceSubject};

/// 节点类型
const NODE_KINDS: Codes = &[
    ("wholesale", "批发市场"),
    ("market", "菜市场"),
    ("supermarket", "超市"),
    ("slaughter", "屠宰场"),
    ("group", "团体消费单位"),
    ("online", "电商平台"),
    ("logistics", "仓储物流"),
    ("other", "其他"),
];

/// The stage that passes at a node of this kind; none where the kind says nothing.
fn stage_of(kind: &str) -> Option<Stage> {
    match kind {
        "wholesale" | "market" | "supermarket" | "online" => Some(Stage::Distribution),
        "slaughter" => Some(Stage::Processing),
        "logistics" => Some(Stage::Transport),
        "group" => Some(Stage::Consumption),
        _ => None,
    }
}

/// 追溯环节 of a node and of those who trade there.
pub(crate) const STAGE: Field = Field::new("stage", "追溯环节", Kind::Code(STAGES))
    .filter(Match::Exact)
    .computed()
    .public()
    .hint("由节点类型确定");

/// 节点
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// 节点编码
    pub code: String,
    /// 节点名称
    pub name: String,
    /// 节点类型
    pub kind: String,
    /// 经营主体
    pub subject_id: Id<()>,
    /// 所属区域
    pub region: RegionCode,
    /// 地址
    pub address: Option<String>,
    /// 经度
    pub lon: Option<String>,
    /// 纬度
    pub lat: Option<String>,
    /// 坐标系 of the coordinates; CGCS2000 once they are stored.
    pub datum: Option<String>,
    /// 坐标系 the coordinates were given in.
    pub datum_given: Option<String>,
    /// 产品种类
    pub product_kinds: Option<Vec<String>>,
    /// 备案时间
    pub filed_on: Option<String>,
    /// 是否启用
    pub in_use: bool,
    /// 追溯环节, which follows from the kind.
    pub stage: Option<String>,
}

/// 9 digits: the division, then a number within it.
pub(crate) fn node_code(text: &str) -> Result<String, String> {
    let sound = text.len() == 9 && text.bytes().all(|digit| digit.is_ascii_digit());
    if sound {
        Ok(String::from(text))
    } else {
        Err(format!("应为 9 位数字，现为 {} 位", text.chars().count()))
    }
}

impl Node {
    /// What a registered node is called.
    pub(crate) async fn name_of(tx: &mut Tx, code: &str) -> Result<Option<String>> {
        let sql = Sql::new("SELECT name FROM node WHERE code = $1");
        let row = tx.fetch_one(sql.arg(code)).await?;
        row.map(|row| row.text(0).map(String::from)).transpose()
    }

    /// The node that somebody settles at, as far as the request reaches. A node that moves meanwhile
    /// waits for who settles, or they for it.
    pub(crate) async fn held(ctx: &Ctx, tx: &mut Tx, id: Id<Self>) -> Result<Self> {
        tx.lock(Self::TABLE, id).await?;
        let node = tx.get::<Self>(ctx, id).await;
        node.map(|found| found.data).map_err(|problem| match problem {
            Problem::NotFound(_) => {
                Problem::invalid("node_id", "没有这个节点，或不在您的数据权限范围内")
            }
            other => other,
        })
    }

    async fn require_no_subjects(&self, tx: &mut Tx) -> Result<()> {
        let sql = Sql::new("SELECT 1 FROM trace_subject WHERE node_code = $1 LIMIT 1");
        if tx.fetch_one(sql.arg(self.code.as_str())).await?.is_none() {
            return Ok(());
        }
        let detail = "仍有追溯主体登记在该节点；请先变更这些主体的节点编码，或停用该节点";
        Err(Problem::Conflict(String::from(detail)))
    }
}

impl Resource for Node {
    const TABLE: &'static str = "node";
    const TITLE: &'static str = "节点";
    const SCOPING: Scoping = Scoping::By(Columns {
        region: Some("region"),
        subject: Some("subject_id"),
        category: Reach::Listed { column: "product_kinds", word: |domain| format!("\"{domain}\"") },
        label: Some("label"),
        ..Columns::NONE
    });
    const REVIEWED: bool = true;
    const FIELDS: &'static [Field] = &[
        Field::new("code", "节点编码", Kind::Text)
            .checked(node_code)
            .format("n9")
            .filter(Match::Exact)
            .sortable()
            .public()
            .hint("所在县级区划代码加 3 位顺序号"),
        Field::new("name", "节点名称", Kind::Text)
            .length_max(120)
            .filter(Match::Name)
            .sortable()
            .public(),
        Field::new("kind", "节点类型", Kind::Code(NODE_KINDS))
            .filter(Match::Exact)
            .sortable()
            .public(),
        Field::new("subject_id", "经营主体", Kind::Id("trace_subject"))
            .filter(Match::Exact)
            .passes_on(),
        Field::new("region", "所属区域", Kind::Region).filter(Match::Prefix).sortable().public(),
        Field::new("address", "地址", Kind::Text).optional().public(),
        LONGITUDE.public(),
        LATITUDE.public(),
        DATUM.public(),
        DATUM_GIVEN.public(),
        Field::new("product_kinds", "产品种类", Kind::CodeList(DOMAINS))
            .grows(DOMAIN_LIST)
            .filter(Match::Contains)
            .optional()
            .public(),
        Field::new("filed_on", "备案时间", Kind::Date)
            .filter(Match::Range)
            .sortable()
            .day_of_entry()
            .public()
            .hint("不填为审核通过之日"),
        Field::new("in_use", "是否启用", Kind::Bool).filter(Match::Exact),
        STAGE,
    ];

    async fn check(&mut self, _: &Ctx, _: &mut Tx) -> Result<()> {
        if !self.region.covers(&self.code[..6]) {
            let detail = format!("编码的前 6 位 {} 不在所属区域之内", &self.code[..6]);
            return Err(Problem::invalid("code", detail));
        }
        self.stage = stage_of(&self.kind).map(|stage| String::from(stage.code()));
        let Self { lon, lat, datum, datum_given, region, .. } = self;
        Position { lon, lat, datum, datum_given }.settle(region)
    }

    /// Its merchants lie where it lies, at its stage, and are its operator's to keep, and subjects call
    /// it what it is called. Their versions go up, so that nobody writes the old place back.
    async fn follow(ctx: &Ctx, tx: &mut Tx, change: &Changed<'_, Self>) -> Result<()> {
        let Some(before) = change.before else { return Ok(()) };
        let Some(after) = change.after else { return before.require_no_subjects(tx).await };
        if (&before.code, &before.name) != (&after.code, &after.name) {
            let mut values = Object::new();
            values.insert(String::from("node_code"), json!(after.code));
            values.insert(String::from("node_name"), json!(after.name));
            derive::<TraceSubject>(ctx, tx, ("node_code", &before.code), &values).await?;
        }
        let (stayed, kept) = (before.region == after.region, before.subject_id == after.subject_id);
        if stayed && kept && before.stage == after.stage {
            return Ok(());
        }
        let mut values = Object::new();
        values.insert(String::from("region"), json!(after.region));
        values.insert(String::from("operator_id"), json!(after.subject_id));
        values.insert(String::from("stage"), json!(after.stage));
        derive::<Merchant>(ctx, tx, ("node_id", change.id), &values).await?;
        derive::<MerchantPlace>(ctx, tx, ("node_id", change.id), &values).await.map(drop)
    }

    fn sample(n: u32) -> Self {
        Self {
            code: format!("610116{:03}", n % 1_000),
            name: format!("示例市场{n}"),
            kind: String::from("wholesale"),
            subject_id: Id::from_parts(1, u128::from(n)),
            region: "610116".parse().expect("six digits"),
            address: Some(String::from("示例路 1 号")),
            lon: Some(String::from("108.948024")),
            lat: Some(String::from("34.263161")),
            datum: None,
            datum_given: None,
            product_kinds: Some(vec![String::from("agri")]),
            filed_on: Some(String::from("2026-01-01")),
            in_use: true,
            stage: Some(String::from(Stage::Distribution.code())),
        }
    }
}
