//! 商户 (G-6.2.3): who trades at a node, with a code of that node's.

use serde::{Deserialize, Serialize};
use serde_json::json;
use yj_kernel::{
    Changed, Codes, Columns, Ctx, Field, Kind, Match, Object, Problem, Resource, Result, Scoping,
    Sql, Tx, derive,
};
use yj_model::{CLASS_LIST, Id, RegionCode, UNCLASSED};

use crate::{
    lookup,
    merchant_place::{MerchantPlace, PLACES},
    node::{Node, STAGE},
    subject::{CONTACT_NAME, CONTACT_PHONE, TraceSubject},
};

/// 商户类型
const MERCHANT_KINDS: Codes = &[
    ("individual", "个体工商户"),
    ("enterprise", "企业"),
    ("cooperative", "农民专业合作社"),
    ("farmer", "自产自销农户"),
    ("other", "其他"),
];

/// What one merchant trades in; whoever trades in more names the classes above.
const GOODS_MAX: usize = 50;

/// 商户
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merchant {
    /// 商户编码
    pub code: String,
    /// 商户名称
    pub name: String,
    /// 商户类型
    pub kind: String,
    /// 注册所在节点
    pub node_id: Id<Node>,
    /// 摊位号
    pub booth: Option<String>,
    /// 品种: classes of the catalogue, of any level and domain.
    pub goods: Vec<String>,
    /// 对应追溯主体
    pub subject_id: Option<Id<TraceSubject>>,
    /// 联系人
    pub contact_name: String,
    /// 联系电话
    pub contact_phone: String,
    /// 注册时间
    pub registered_on: Option<String>,
    /// 是否在营
    pub in_use: bool,
    /// Region of the node.
    pub region: Option<RegionCode>,
    /// 追溯主体 that runs the node: its people see who trades there.
    pub operator_id: Option<Id<()>>,
    /// 追溯环节 of the node.
    pub stage: Option<String>,
}

/// Who sees what happens at a node: its region's people, and who runs it.
pub(crate) const AT_A_NODE: Scoping = Scoping::By(Columns {
    region: Some("region"),
    subject: Some("operator_id"),
    label: Some("label"),
    ..Columns::NONE
});

/// 摊位号
pub(crate) const BOOTH: Field =
    Field::new("booth", "摊位号", Kind::Text).length_max(40).optional().public();

/// 所属区域 of who trades at a node.
pub(crate) const REGION: Field = Field::new("region", "所属区域", Kind::Region)
    .filter(Match::Prefix)
    .computed()
    .hint("由所在节点确定");

/// 市场经营主体
pub(crate) const OPERATOR: Field =
    Field::new("operator_id", "市场经营主体", Kind::Id("trace_subject"))
        .filter(Match::Exact)
        .computed()
        .hint("由所在节点确定");

/// 13 digits: the node of first registration, then a number within it.
pub(crate) fn merchant_code(text: &str) -> Result<String, String> {
    let sound = text.len() == 13 && text.bytes().all(|digit| digit.is_ascii_digit());
    if sound {
        Ok(String::from(text))
    } else {
        Err(format!("应为 13 位数字，现为 {} 位", text.chars().count()))
    }
}

impl Merchant {
    /// A code begins with that of the node of first registration: asked of a code not yet known, for
    /// a merchant keeps its code when it moves. Whom it stands for must be within reach, as in
    /// files; what stands there already stays.
    async fn require_known(&self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let sql = Sql::new("SELECT subject_id FROM merchant WHERE code = $1");
        let known = tx.fetch_one(sql.arg(self.code.as_str())).await?;
        if known.is_none() {
            self.require_node(tx).await?;
        }
        let Some(subject) = self.subject_id.map(|id| id.to_string()) else { return Ok(()) };
        let before = known.as_ref().map(|row| row.text_opt(0)).transpose()?.flatten();
        if before == Some(subject.as_str()) {
            return Ok(());
        }
        let Ok(reader) = ctx.under("trace_subject:read") else {
            let detail = "没有这个追溯主体，或不在您的数据权限范围内";
            return Err(Problem::invalid("subject_id", detail));
        };
        lookup::require_reach(&reader, tx, ("subject_id", &subject)).await
    }

    async fn require_node(&self, tx: &mut Tx) -> Result<()> {
        let node = &self.code[..9];
        let sql = Sql::new(
            "SELECT 1 FROM node WHERE code = $1 \
             UNION ALL SELECT 1 FROM subject_alias WHERE code = $1 AND kind = 'node9'",
        );
        if tx.fetch_one(sql.arg(node)).await?.is_some() {
            return Ok(());
        }
        let detail = format!("编码的前 9 位 {node} 不是已登记的节点编码或旧节点编码");
        Err(Problem::invalid("code", detail))
    }
}

impl Resource for Merchant {
    const TABLE: &'static str = "merchant";
    const TITLE: &'static str = "商户";
    const SCOPING: Scoping = AT_A_NODE;
    const REVIEWED: bool = true;
    const FIELDS: &'static [Field] = &[
        Field::new("code", "商户编码", Kind::Text)
            .checked(merchant_code)
            .format("n13")
            .filter(Match::Exact)
            .sortable()
            .public()
            .hint("首次备案节点的编码加 4 位顺序号；换市场不换编码"),
        Field::new("name", "商户名称", Kind::Text)
            .length_max(120)
            .filter(Match::Name)
            .sortable()
            .public(),
        Field::new("kind", "商户类型", Kind::Code(MERCHANT_KINDS))
            .filter(Match::Exact)
            .sortable()
            .public(),
        Field::new("node_id", "注册所在节点", Kind::Id("node"))
            .filter(Match::Exact)
            .elsewhere(PLACES)
            .hint("在其他节点也经营的，另登记“商户驻场”"),
        BOOTH,
        Field::new("goods", "品种", Kind::CodeList(UNCLASSED))
            .grows(CLASS_LIST)
            .format("an..10")
            .filter(Match::Branch)
            .public()
            .hint("产品分类目录中任一级、任一领域的分类；目录之外的选“其他”"),
        Field::new("subject_id", "对应追溯主体", Kind::Id("trace_subject"))
            .filter(Match::Exact)
            .passes_on()
            .optional(),
        CONTACT_NAME,
        CONTACT_PHONE,
        Field::new("registered_on", "注册时间", Kind::Date)
            .filter(Match::Range)
            .sortable()
            .day_of_entry()
            .public()
            .hint("不填为审核通过之日"),
        Field::new("in_use", "是否在营", Kind::Bool).filter(Match::Exact),
        REGION,
        OPERATOR,
        STAGE,
    ];

    async fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let node = Node::held(ctx, tx, self.node_id).await?;
        if self.in_use && !node.in_use {
            return Err(Problem::invalid("node_id", "该节点已停用，不能有在营商户"));
        }
        if self.goods.is_empty() {
            return Err(Problem::invalid("goods", "请选择至少一个品种"));
        }
        if self.goods.len() > GOODS_MAX {
            let detail = format!("至多 {GOODS_MAX} 个品种；更多的请选其上级分类");
            return Err(Problem::invalid("goods", detail));
        }
        self.require_known(ctx, tx).await?;
        (self.region, self.operator_id) = (Some(node.region.clone()), Some(node.subject_id));
        self.stage = node.stage;
        Ok(())
    }

    /// Where it trades as well it is called by its code.
    async fn follow(ctx: &Ctx, tx: &mut Tx, change: &Changed<'_, Self>) -> Result<()> {
        let (Some(before), Some(after)) = (change.before, change.after) else { return Ok(()) };
        if before.code == after.code {
            return Ok(());
        }
        let values = Object::from_iter([(String::from("merchant_code"), json!(after.code))]);
        derive::<MerchantPlace>(ctx, tx, ("merchant_id", change.id), &values).await.map(drop)
    }

    fn sample(n: u32) -> Self {
        Self {
            code: format!("610116001{:04}", n % 10_000),
            name: format!("示例商户{n}"),
            kind: String::from("individual"),
            node_id: Id::from_parts(1, u128::from(n)),
            booth: Some(String::from("A-01")),
            goods: vec![String::from("0101")],
            subject_id: None,
            contact_name: String::from("示例甲"),
            contact_phone: String::from("13800000000"),
            registered_on: Some(String::from("2026-01-01")),
            in_use: true,
            region: None,
            operator_id: None,
            stage: None,
        }
    }
}
