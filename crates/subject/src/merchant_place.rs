//! 商户驻场 (G-6.2.3, handbook §2.4): a merchant that trades in several markets keeps its first code and
//! is one merchant; every further market where it is registered is a place of it, for a time.

use serde::{Deserialize, Serialize};
use yj_kernel::{Ctx, Elsewhere, Field, Kind, Match, Problem, Resource, Result, Scoping, Sql, Tx};
use yj_model::{Id, RegionCode};

use crate::{
    merchant::{AT_A_NODE, BOOTH, Merchant, OPERATOR, REGION, merchant_code},
    node::{Node, STAGE},
};

/// 商户驻场
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MerchantPlace {
    /// 商户编码: a code, so that those of one market can name a merchant of another.
    pub merchant_code: String,
    /// 驻场节点
    pub node_id: Id<Node>,
    /// 摊位号
    pub booth: Option<String>,
    /// 进场时间: the first day.
    pub registered_on: Option<String>,
    /// 离场时间: the last day; none while it stays.
    pub left_on: Option<String>,
    /// The merchant that the code means.
    pub merchant_id: Option<Id<Merchant>>,
    /// Region of the node.
    pub region: Option<RegionCode>,
    /// 追溯主体 that runs the node: its people see who trades there.
    pub operator_id: Option<Id<()>>,
    /// 追溯环节 of the node.
    pub stage: Option<String>,
}

/// The further nodes of merchants.
pub(crate) const PLACES: Elsewhere = Elsewhere {
    table: MerchantPlace::TABLE,
    record: "merchant_id",
    from: "registered_on",
    until: "left_on",
};

impl MerchantPlace {
    /// Finds the merchant, wherever it was registered first.
    async fn name_merchant(&mut self, tx: &mut Tx) -> Result<()> {
        let sql = Sql::new("SELECT id, node_id FROM merchant WHERE code = $1");
        let found = tx.fetch_one(sql.arg(self.merchant_code.as_str())).await?;
        let found = found.ok_or_else(|| {
            let code = &self.merchant_code;
            let detail = format!("没有编码为 {code} 的商户，请先在其首次备案的节点登记商户");
            Problem::invalid("merchant_code", detail)
        })?;
        if found.text(1)? == self.node_id.to_string() {
            let detail = "该商户就注册在这个节点，不另登记驻场";
            return Err(Problem::invalid("node_id", detail));
        }
        self.merchant_id = Some(found.text(0)?.parse().map_err(Problem::internal)?);
        Ok(())
    }
}

impl Resource for MerchantPlace {
    const TABLE: &'static str = "merchant_place";
    const TITLE: &'static str = "商户驻场";
    const SCOPING: Scoping = AT_A_NODE;
    const REVIEWED: bool = true;
    const FIELDS: &'static [Field] = &[
        Field::new("merchant_code", "商户编码", Kind::Text)
            .checked(merchant_code)
            .format("n13")
            .filter(Match::Exact)
            .sortable()
            .public()
            .hint("首次备案时的 13 位编码，可为在其他节点登记的商户"),
        Field::new("node_id", "驻场节点", Kind::Id("node"))
            .filter(Match::Exact)
            .hint("首次备案节点以外、同时经营的节点"),
        BOOTH,
        Field::new("registered_on", "进场时间", Kind::Date)
            .filter(Match::Range)
            .sortable()
            .day_of_entry()
            .public()
            .hint("不填为审核通过之日"),
        Field::new("left_on", "离场时间", Kind::Date)
            .filter(Match::Range)
            .sortable()
            .optional()
            .public()
            .hint("在该节点经营的最后一天；仍在经营的不填"),
        Field::new("merchant_id", "商户", Kind::Id("merchant"))
            .filter(Match::Exact)
            .computed()
            .hint("由商户编码确定"),
        REGION,
        OPERATOR,
        STAGE,
    ];

    async fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let node = Node::held(ctx, tx, self.node_id).await?;
        if self.left_on.is_none() && !node.in_use {
            return Err(Problem::invalid("node_id", "该节点已停用，不能有驻场商户"));
        }
        if let (Some(from), Some(until)) = (&self.registered_on, &self.left_on)
            && until < from
        {
            return Err(Problem::invalid("left_on", "离场时间不能早于进场时间"));
        }
        self.name_merchant(tx).await?;
        (self.region, self.operator_id) = (Some(node.region.clone()), Some(node.subject_id));
        self.stage = node.stage;
        Ok(())
    }

    /// A merchant is at a node once; who comes back changes the days, and the history keeps the old.
    async fn admit(&self, before: Option<&Self>, _: &Ctx, tx: &mut Tx) -> Result<()> {
        let place = |one: &Self| (one.merchant_id, one.node_id);
        if before.is_some_and(|before| place(before) == place(self)) {
            return Ok(());
        }
        let sql = Sql::new("SELECT 1 FROM merchant_place WHERE merchant_id = $1 AND node_id = $2");
        if tx.fetch_one(sql.arg(self.merchant_id).arg(self.node_id)).await?.is_none() {
            return Ok(());
        }
        let detail = "该商户在这个节点已有驻场登记；重新进场或离场请变更原登记的时间";
        Err(Problem::duplicate(detail))
    }

    fn sample(n: u32) -> Self {
        Self {
            merchant_code: format!("610116001{:04}", n % 10_000),
            node_id: Id::from_parts(1, u128::from(n)),
            booth: Some(String::from("B-01")),
            registered_on: Some(String::from("2026-01-01")),
            left_on: Some(String::from("2026-06-30")),
            merchant_id: None,
            region: None,
            operator_id: None,
            stage: None,
        }
    }
}
