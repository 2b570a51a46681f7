//! 重要产品 (G-6.3.3): what is made, in which unit it is counted, how it is packed, by which approval
//! it is made, and who answers for it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use yj_kernel::{
    Codes, Columns, Ctx, Field, Kind, Match, Problem, Reach, Resource, Result, Scoping, Spread,
    Sql, Tx, time_text,
};
use yj_model::{ApprovalNumber, DOMAIN_LIST, DOMAINS, Gtin, Id, RegionCode, UnitCode};

use crate::{
    attributes,
    catalogue::catalogue_code,
    catalogue_code, edition,
    lookup::state,
    packaging::{self, PACK_LEVELS, PackLevel, Packing},
    state::{ProductState, RECALL_LEVELS, STATES},
};

/// 保质期单位
const SHELF_LIFE_UNITS: Codes = &[("hour", "小时"), ("day", "天"), ("month", "月"), ("year", "年")];

/// 重要产品
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// 产品代码
    pub code: String,
    /// 商品条码
    pub gtin: Option<Gtin>,
    /// 企业货号: what its maker calls it.
    pub item_code: Option<String>,
    /// 产品名称
    pub name: String,
    /// Where it stands; changed by verbs of its own.
    pub state: Option<ProductState>,
    /// 召回级别
    pub recall_level: Option<String>,
    /// 通用名称
    pub generic_name: Option<String>,
    /// 品牌
    pub brand: Option<String>,
    /// 领域
    pub domain: String,
    /// 产品分类, by its code. Products registered before there was a catalogue have none.
    pub catalogue_code: Option<String>,
    /// The version of the catalogue under which it was put there.
    pub catalogue_version: Option<i64>,
    /// 类别
    pub category: Option<String>,
    /// 规格
    pub spec: Option<String>,
    /// 型号
    pub model: Option<String>,
    /// 包装层级
    pub pack_level: Option<PackLevel>,
    /// The product inside, of the next smaller package.
    pub inner_id: Option<Id<Product>>,
    /// How many of it.
    pub inner_count: Option<i64>,
    /// 计量单位
    pub unit: UnitCode,
    /// 保质期
    pub shelf_life: Option<i64>,
    /// 保质期单位
    pub shelf_life_unit: Option<String>,
    /// 贮存条件
    pub storage: Option<String>,
    /// 执行标准
    pub standard_no: Option<String>,
    /// 批准文号
    pub approval_no: Option<String>,
    /// 批准有效期至
    pub approval_until: Option<String>,
    /// 生产企业
    pub maker_id: Option<Id<()>>,
    /// 责任主体
    pub subject_id: Id<()>,
    /// 产地
    pub origin_region: Option<RegionCode>,
    /// 所属区域
    pub region: RegionCode,
    /// 产品属性: an object of what the pack of its domain describes.
    pub attributes: Option<Value>,
    /// The version of the pack they were checked against; none where the domain has no pack.
    pub pack_version: Option<String>,
    /// Why it stands where it stands.
    pub state_reason: Option<String>,
    /// Since when.
    pub state_since: Option<String>,
}

fn product_code(text: &str) -> Result<String, String> {
    let code = text.to_uppercase();
    let sound = (1..=32).contains(&code.len())
        && code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if sound {
        Ok(code)
    } else {
        Err(String::from("应为 1 至 32 位字母、数字、- _ 或 ."))
    }
}

fn gtin(text: &str) -> Result<String, String> {
    text.parse::<Gtin>().map(|gtin| gtin.to_string()).map_err(|error| error.to_string())
}

fn unit(text: &str) -> Result<String, String> {
    text.parse::<UnitCode>().map(|unit| unit.to_string()).map_err(|error| error.to_string())
}

impl Resource for Product {
    const TABLE: &'static str = "product";
    const TITLE: &'static str = "重要产品";
    const SCOPING: Scoping = Scoping::By(Columns {
        region: Some("region"),
        subject: Some("subject_id"),
        organization: None,
        category: Reach::Equal("domain"),
        // A product passes through every stage.
        stage: Reach::Every,
        label: Some("label"),
    });
    const REVIEWED: bool = true;
    const SPREAD: Option<Spread> = Some(attributes::SPREAD);
    const FIELDS: &'static [Field] = &[
        Field::new("code", "产品代码", Kind::Text)
            .checked(product_code)
            .format("an..32")
            .filter(Match::Exact)
            .sortable()
            .public(),
        Field::new("gtin", "商品条码", Kind::Text)
            .checked(gtin)
            .format("n14")
            .filter(Match::Exact)
            .optional()
            .public()
            .hint("8、12、13 或 14 位，末位为校验位"),
        Field::new("item_code", "企业货号", Kind::Text)
            .length_max(40)
            .filter(Match::Exact)
            .optional()
            .public()
            .hint("企业自己的编码，同一责任主体之内不重复"),
        Field::new("name", "产品名称", Kind::Text)
            .length_max(120)
            .filter(Match::Name)
            .sortable()
            .public(),
        Field::new("state", "产品状态", Kind::Code(STATES))
            .filter(Match::Exact)
            .sortable()
            .computed()
            .public()
            .hint("由暂停、恢复、召回、结束召回操作改变"),
        Field::new("recall_level", "召回级别", Kind::Code(RECALL_LEVELS))
            .filter(Match::Exact)
            .computed()
            .public(),
        Field::new("generic_name", "通用名称", Kind::Text)
            .length_max(120)
            .filter(Match::Contains)
            .optional()
            .public(),
        Field::new("brand", "品牌", Kind::Text).length_max(60).optional().public(),
        Field::new("domain", "产品领域", Kind::Code(DOMAINS))
            .grows(DOMAIN_LIST)
            .filter(Match::Exact)
            .sortable()
            .public(),
        Field::new("catalogue_code", "产品分类", Kind::Text)
            .checked(catalogue_code::normalise)
            .format("n..10")
            .filter(Match::Prefix)
            .sortable()
            .public()
            .optional()
            .hint("现行产品分类目录中的分类代码，如 010106；目录所列八个领域的产品必填"),
        Field::new("catalogue_version", "目录版本", Kind::Int)
            .computed()
            .public()
            .hint("归入该分类时的目录版本"),
        Field::new("category", "产品类别", Kind::Text)
            .length_max(60)
            .filter(Match::Contains)
            .optional()
            .public()
            .hint("不填为分类名称，没有分类的为领域名称"),
        Field::new("spec", "规格", Kind::Text).length_max(120).optional().public(),
        Field::new("model", "型号", Kind::Text)
            .length_max(60)
            .filter(Match::Contains)
            .optional()
            .public(),
        Field::new("pack_level", "包装层级", Kind::Code(PACK_LEVELS))
            .filter(Match::Exact)
            .optional()
            .public(),
        Field::new("inner_id", "内装产品", Kind::Id("product"))
            .filter(Match::Exact)
            .optional()
            .public()
            .hint("下一级包装的产品"),
        Field::new("inner_count", "内装数量", Kind::Int)
            .optional()
            .public()
            .hint("每个包装内装多少个下一级包装"),
        Field::new("unit", "计量单位", Kind::Text)
            .checked(unit)
            .format("an..3")
            .public()
            .hint("如 KGM 千克、TNE 吨、H87 个"),
        Field::new("shelf_life", "保质期", Kind::Int).optional().public(),
        Field::new("shelf_life_unit", "保质期单位", Kind::Code(SHELF_LIFE_UNITS))
            .optional()
            .public()
            .hint("不填为天"),
        Field::new("storage", "贮存条件", Kind::Text).length_max(120).optional().public(),
        Field::new("standard_no", "执行标准", Kind::Text).length_max(60).optional().public(),
        Field::new("approval_no", "批准文号", Kind::Text)
            .length_max(60)
            .filter(Match::Exact)
            .optional()
            .public()
            .hint("许可证、登记证或批准文号，按产品领域检查格式与校验位"),
        Field::new("approval_until", "批准有效期至", Kind::Date)
            .filter(Match::Range)
            .sortable()
            .optional()
            .public(),
        Field::new("maker_id", "生产企业", Kind::Id("trace_subject"))
            .filter(Match::Exact)
            .passes_on()
            .optional()
            .hint("不填为责任主体"),
        Field::new("subject_id", "责任主体", Kind::Id("trace_subject"))
            .filter(Match::Exact)
            .passes_on(),
        Field::new("origin_region", "产地", Kind::Region).filter(Match::Prefix).optional().public(),
        Field::new("region", "所属区域", Kind::Region).filter(Match::Prefix).public(),
        Field::new("attributes", "产品属性", Kind::Json)
            .optional()
            .public()
            .hint("所属领域的领域包说明的属性"),
        Field::new("pack_version", "领域包版本", Kind::Text)
            .length_max(11)
            .computed()
            .public()
            .hint("检查产品属性所依据的版本"),
        Field::new("state_reason", "状态理由", Kind::Text).length_max(500).computed(),
        Field::new("state_since", "状态始于", Kind::Time).computed().public(),
    ];

    async fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let stored = Known::find(tx, &self.code).await?;
        self.check_shelf_life()?;
        self.check_approval(ctx, stored.as_ref())?;
        let packing =
            Packing { level: self.pack_level, inner: self.inner_id, count: self.inner_count };
        packaging::check(ctx, tx, &packing, stored.as_ref().map(|known| known.id.as_str())).await?;
        self.maker_id.get_or_insert(self.subject_id);
        self.classify(ctx, tx, stored.as_ref()).await?;
        let checked = attributes::check(ctx, tx, &self.domain, self.attributes.as_ref()).await?;
        self.attributes = checked.attributes.map(Value::Object);
        self.pack_version = checked.pack_version;
        let stored = stored.unwrap_or_default();
        (self.state, self.recall_level) = (Some(stored.state), stored.recall_level);
        (self.state_reason, self.state_since) = (stored.reason, stored.since);
        Ok(())
    }

    /// By its code a product knows its state and its place in the catalogue.
    async fn admit(&self, before: Option<&Self>, _: &Ctx, _: &mut Tx) -> Result<()> {
        if before.is_some_and(|before| before.code != self.code) {
            return Err(Problem::invalid("code", "产品代码登记后不能更改"));
        }
        Ok(())
    }

    fn sample(n: u32) -> Self {
        Self {
            code: format!("SAMPLE-{n:05}"),
            name: format!("示例产品{n}"),
            domain: String::from("agri"),
            catalogue_code: Some(String::from("010106")),
            spec: Some(String::from("散装")),
            shelf_life: Some(7),
            ..Self::plain(
                UnitCode::KILOGRAM,
                Id::from_parts(1, u128::from(n)),
                "610116".parse().expect("six digits"),
            )
        }
    }
}

/// What the register already knows of a product.
#[derive(Default)]
struct Known {
    id: String,
    catalogue_code: Option<String>,
    catalogue_version: Option<i64>,
    approval_until: Option<String>,
    state: ProductState,
    recall_level: Option<String>,
    reason: Option<String>,
    since: Option<String>,
}

impl Known {
    async fn find(tx: &mut Tx, code: &str) -> Result<Option<Self>> {
        let sql = Sql::new(
            "SELECT id, catalogue_code, catalogue_version, approval_until, state, recall_level, \
             state_reason, state_since FROM product WHERE code = $1",
        );
        let Some(row) = tx.fetch_one(sql.arg(code)).await? else { return Ok(None) };
        let text = |index| Ok::<_, Problem>(row.text_opt(index)?.map(String::from));
        let since = row.int_opt(7)?.map(time_text).transpose()?;
        Ok(Some(Self {
            id: String::from(row.text(0)?),
            catalogue_code: text(1)?,
            catalogue_version: row.int_opt(2)?,
            approval_until: text(3)?,
            state: state(row.text(4)?)?,
            recall_level: text(5)?,
            reason: text(6)?,
            since: since.and_then(|since| since.as_str().map(String::from)),
        }))
    }
}

/// Longest shelf life, in whatever unit.
const SHELF_LIFE_MAX: i64 = 36_500;

impl Product {
    /// A product of which nothing is known but its unit, owner and region; its code, name and
    /// domain are empty and must be filled in.
    pub fn plain(unit: UnitCode, subject_id: Id<()>, region: RegionCode) -> Self {
        Self {
            code: String::new(),
            gtin: None,
            item_code: None,
            name: String::new(),
            generic_name: None,
            brand: None,
            domain: String::new(),
            catalogue_code: None,
            catalogue_version: None,
            category: None,
            spec: None,
            model: None,
            pack_level: None,
            inner_id: None,
            inner_count: None,
            unit,
            shelf_life: None,
            shelf_life_unit: None,
            storage: None,
            standard_no: None,
            approval_no: None,
            approval_until: None,
            maker_id: None,
            subject_id,
            origin_region: None,
            region,
            attributes: None,
            pack_version: None,
            state: None,
            recall_level: None,
            state_reason: None,
            state_since: None,
        }
    }

    fn check_shelf_life(&mut self) -> Result<()> {
        match self.shelf_life {
            None if self.shelf_life_unit.is_some() => {
                Err(Problem::invalid("shelf_life", "填写了保质期单位，请同时填写保质期"))
            }
            None => Ok(()),
            Some(span) if (1..=SHELF_LIFE_MAX).contains(&span) => {
                self.shelf_life_unit.get_or_insert_with(|| String::from("day"));
                Ok(())
            }
            Some(_) => {
                let detail = format!("保质期应为 1 至 {SHELF_LIFE_MAX}");
                Err(Problem::invalid("shelf_life", detail))
            }
        }
    }

    /// The number by the rules of the domain; a day that has passed is accepted only where it
    /// stood before.
    fn check_approval(&mut self, ctx: &Ctx, stored: Option<&Known>) -> Result<()> {
        let Some(number) = &self.approval_no else {
            return match self.approval_until {
                Some(_) => {
                    Err(Problem::invalid("approval_no", "填写了批准有效期，请同时填写批准文号"))
                }
                None => Ok(()),
            };
        };
        let number = ApprovalNumber::parse(&self.domain, number);
        let wrong = |error: yj_model::Rejected| Problem::invalid("approval_no", error.to_string());
        self.approval_no = Some(number.map_err(wrong)?.text);
        let Some(until) = &self.approval_until else { return Ok(()) };
        let known = stored.and_then(|known| known.approval_until.as_ref());
        let today = ctx.today();
        if known != Some(until) && until.parse::<Date>().map_err(Problem::internal)? < today {
            let detail = format!("批准已于 {until} 到期，请填写有效的批准文号与有效期");
            return Err(Problem::invalid("approval_until", detail));
        }
        Ok(())
    }

    /// A product stays under the version in which it was put into its class; whoever names a class
    /// anew names one of the version in force.
    async fn classify(&mut self, ctx: &Ctx, tx: &mut Tx, stored: Option<&Known>) -> Result<()> {
        let Some(code) = &self.catalogue_code else {
            // The national catalogue ends where the domains of the standards end (G-4b).
            if DOMAINS.iter().any(|(code, _)| *code == self.domain) {
                return Err(Problem::invalid("catalogue_code", "产品分类：必填"));
            }
            let domains = yj_domain::current(tx).await?;
            let pack = domains.shown(&self.domain, ctx.today());
            self.category = self.category.take().or_else(|| Some(pack?.name.clone()));
            return Ok(());
        };
        let code = catalogue_code(code)?;
        let kept = stored.filter(|known| known.catalogue_code.as_deref() == Some(code.as_str()));
        if let Some(version) = kept.and_then(|known| known.catalogue_version) {
            self.catalogue_version = Some(version);
            if self.category.is_none() {
                self.category = edition::name_of(tx, &code, version).await?;
            }
        } else {
            let class = edition::admit(ctx, tx, &code, (&self.domain, &self.region)).await?;
            self.catalogue_version = Some(class.version);
            self.category.get_or_insert(class.name);
        }
        Ok(())
    }
}
