//! 解析链接 (G-5.4.4): where else the identifier of a product, or of one lot of it, leads: the maker's
//! own page, a certificate, an instruction. Reviewed, for the public is sent there.

use serde::{Deserialize, Serialize};
use yj_kernel::{Codes, Ctx, Field, Kind, Match, Problem, Resource, Result, Row, Scoping, Sql, Tx};
use yj_model::{Id, LotNumber, RegionCode};

use crate::{code_rule::OF_SUBJECT, product::Product};

/// 链接类型 of GS1's web vocabulary.
pub const LINK_TYPES: Codes = &[
    ("pip", "产品信息"),
    ("traceability", "追溯信息"),
    ("certificationInfo", "认证与证书"),
    ("recallStatus", "召回状态"),
    ("safetyInfo", "安全信息"),
    ("instructions", "使用说明"),
    ("quickStartGuide", "快速指南"),
    ("support", "服务与支持"),
];

/// 语言
const LANGUAGES: Codes = &[("zh", "中文"), ("en", "英文")];

/// 媒体类型
const MEDIA_TYPES: Codes =
    &[("text/html", "网页"), ("application/pdf", "PDF"), ("application/json", "JSON")];

/// Links of one product that are told.
const LINKS_MAX: i64 = 100;

/// 解析链接
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolverLink {
    /// 产品
    pub product_id: Id<Product>,
    /// 批次号; none for all lots.
    pub lot: Option<LotNumber>,
    /// 责任主体
    pub subject_id: Option<Id<()>>,
    /// 所属区域
    pub region: Option<RegionCode>,
    /// 链接类型
    pub link_type: String,
    /// 标题
    pub title: String,
    /// 地址
    pub href: String,
    /// 语言
    pub language: String,
    /// 媒体类型
    pub media_type: String,
    /// 是否启用
    pub in_use: bool,
}

/// An address of the public web, over TLS.
fn address(text: &str) -> Result<String, String> {
    let wrong = || String::from("应为 https:// 开头的完整地址，不含空格与引号");
    let rest = text.strip_prefix("https://").ok_or_else(wrong)?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let sound = text.len() <= 500
        && host.contains('.')
        && !host.contains('@')
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte))
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\`{}".contains(&byte));
    if sound { Ok(String::from(text)) } else { Err(wrong()) }
}

impl Resource for ResolverLink {
    const TABLE: &'static str = "resolver_link";
    const TITLE: &'static str = "解析链接";
    const SCOPING: Scoping = OF_SUBJECT;
    const REVIEWED: bool = true;
    const FIELDS: &'static [Field] = &[
        Field::new("product_id", "产品", Kind::Id("product")).filter(Match::Exact),
        Field::new("lot", "批次号", Kind::Text)
            .length_max(50)
            .filter(Match::Exact)
            .optional()
            .hint("不填为此产品的全部批次"),
        Field::new("subject_id", "责任主体", Kind::Id("trace_subject"))
            .filter(Match::Exact)
            .computed()
            .passes_on(),
        Field::new("region", "所属区域", Kind::Region).filter(Match::Prefix).computed(),
        Field::new("link_type", "链接类型", Kind::Code(LINK_TYPES))
            .filter(Match::Exact)
            .sortable()
            .public(),
        Field::new("title", "标题", Kind::Text).length_max(80).public(),
        Field::new("href", "地址", Kind::Text)
            .length_max(500)
            .checked(address)
            .public()
            .hint("https:// 开头的完整地址"),
        Field::new("language", "语言", Kind::Code(LANGUAGES)).filter(Match::Exact).public(),
        Field::new("media_type", "媒体类型", Kind::Code(MEDIA_TYPES)).public(),
        Field::new("in_use", "是否启用", Kind::Bool).filter(Match::Exact),
    ];

    async fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let missing = || Problem::invalid("product_id", "没有这个产品，或不在您的数据权限范围内");
        let found = tx.get::<Product>(ctx, self.product_id).await.map_err(|_| missing())?;
        self.subject_id = Some(found.data.subject_id);
        self.region = Some(found.data.region);
        Ok(())
    }

    fn sample(n: u32) -> Self {
        Self {
            product_id: Id::from_parts(1, u128::from(n)),
            lot: "L20261101A".parse().ok(),
            subject_id: Some(Id::from_parts(1, u128::from(n))),
            region: "610116".parse().ok(),
            link_type: String::from("instructions"),
            title: format!("示例说明{n}"),
            href: String::from("https://www.example.cn/manual"),
            language: String::from("zh"),
            media_type: String::from("text/html"),
            in_use: true,
        }
    }
}

/// A link that the public is told.
#[derive(Debug, Clone)]
pub struct PublicLink {
    /// See [`LINK_TYPES`].
    pub link_type: String,
    /// 标题
    pub title: String,
    /// 地址
    pub href: String,
    /// `zh`, `en`
    pub language: String,
    /// 媒体类型
    pub media_type: String,
}

/// The links of a product and of one of its lots, those of the lot first.
pub async fn public_links(
    tx: &mut Tx,
    product_id: &str,
    lot: Option<&str>,
) -> Result<Vec<PublicLink>> {
    let sql = Sql::new(
        "SELECT link_type, title, href, language, media_type FROM resolver_link \
         WHERE product_id = $1 AND in_use = 1 AND (lot IS NULL OR lot = $2) \
         ORDER BY CASE WHEN lot IS NULL THEN 1 ELSE 0 END, id LIMIT $3",
    );
    let rows = tx.fetch(sql.arg(product_id).arg(lot.unwrap_or_default()).arg(LINKS_MAX)).await?;
    let read = |row: &Row| {
        let text = |index| row.text(index).map(String::from);
        Ok(PublicLink {
            link_type: text(0)?,
            title: text(1)?,
            href: text(2)?,
            language: text(3)?,
            media_type: text(4)?,
        })
    };
    rows.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn only_whole_addresses_over_tls_are_told() {
        assert!(address("https://www.example.cn/a?b=1#c").is_ok());
        for wrong in [
            "http://www.example.cn/",
            "javascript:alert(1)",
            "https://user@example.cn/",
            "https://localhost/",
            "https://www.example.cn/ a",
            "https://www.example.cn/\"",
        ] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
