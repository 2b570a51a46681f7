//! 追溯责任主体 (G-6.2.2): enterprises, individual businesses, co-operatives, farmers, laboratories
//! and authorities, each under one code that is unique in the whole country.

use serde::{Deserialize, Serialize};
use yj_kernel::{Columns, Ctx, Field, Kind, Match, Problem, Reach, Resource, Result, Scoping, Tx};
use yj_model::{DOMAINS, Phone, ROLE_KINDS, RegionCode, SUBJECT_KINDS, Stage, SubjectCode};

use crate::node::{LATITUDE, LONGITUDE, node_code, position};

/// 追溯责任主体
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceSubject {
    /// 主体代码
    pub code: SubjectCode,
    /// 主体名称
    pub name: String,
    /// 主体类型
    pub kind: String,
    /// 环节角色
    pub roles: Vec<String>,
    /// 所属区域
    pub region: RegionCode,
    /// 地址
    pub address: Option<String>,
    /// 经度
    pub lon: Option<String>,
    /// 纬度
    pub lat: Option<String>,
    /// 节点编码
    pub node_code: Option<String>,
    /// 节点名称
    pub node_name: Option<String>,
    /// 产品种类
    pub product_kinds: Option<Vec<String>>,
    /// 联系人
    pub contact_name: String,
    /// 联系电话
    pub contact_phone: String,
    /// 许可证号
    pub licence_no: Option<String>,
    /// 备案日期
    pub filed_on: Option<String>,
}

/// What a stage leaves in the list of roles: their first digit.
fn role_of(stage: &str) -> String {
    let digit = match Stage::from_code(stage) {
        Some(Stage::PrimaryProduction) => '1',
        Some(Stage::Processing) => '2',
        Some(Stage::Distribution) => '3',
        Some(Stage::Transport) => '4',
        Some(Stage::Inspection) => '5',
        Some(Stage::Consumption) => '6',
        Some(Stage::Supervision) => '7',
        None => '-',
    };
    format!("\"{digit}")
}

fn subject_code(text: &str) -> Result<String, String> {
    text.parse::<SubjectCode>().map(|code| code.to_string()).map_err(|error| error.to_string())
}

fn phone(text: &str) -> Result<String, String> {
    text.parse::<Phone>()
        .map(|phone| String::from(phone.reveal()))
        .map_err(|error| error.to_string())
}

/// 联系人
pub(crate) const CONTACT_NAME: Field =
    Field::new("contact_name", "联系人", Kind::Text).length_max(50).personal();

/// 联系电话
pub(crate) const CONTACT_PHONE: Field = Field::new("contact_phone", "联系电话", Kind::Text)
    .checked(phone)
    .format("an..20")
    .filter(Match::Exact)
    .personal()
    .hint("手机号或带区号的座机号");

impl Resource for TraceSubject {
    const TABLE: &'static str = "trace_subject";
    const TITLE: &'static str = "追溯主体";
    const SCOPING: Scoping = Scoping::By(Columns {
        region: Some("region"),
        subject: Some("id"),
        organization: None,
        category: Reach::Listed { column: "product_kinds", word: |domain| format!("\"{domain}\"") },
        stage: Reach::Listed { column: "roles", word: role_of },
        label: Some("label"),
    });
    const REVIEWED: bool = true;
    const FIELDS: &'static [Field] = &[
        Field::new("code", "主体代码", Kind::Text)
            .checked(subject_code)
            .format("an18")
            .filter(Match::Exact)
            .sortable()
            .public()
            .hint("统一社会信用代码；没有的由平台发给 ZS 开头的代码"),
        Field::new("name", "主体名称", Kind::Text)
            .length_max(120)
            .filter(Match::Name)
            .sortable()
            .public(),
        Field::new("kind", "主体类型", Kind::Code(SUBJECT_KINDS))
            .filter(Match::Exact)
            .sortable()
            .public(),
        Field::new("roles", "环节角色", Kind::CodeList(ROLE_KINDS))
            .filter(Match::Contains)
            .public(),
        Field::new("region", "所属区域", Kind::Region).filter(Match::Prefix).sortable().public(),
        Field::new("address", "地址", Kind::Text).optional(),
        LONGITUDE,
        LATITUDE,
        Field::new("node_code", "节点编码", Kind::Text)
            .checked(node_code)
            .format("n9")
            .filter(Match::Exact)
            .optional()
            .public(),
        Field::new("node_name", "节点名称", Kind::Text)
            .length_max(120)
            .filter(Match::Name)
            .optional()
            .public(),
        Field::new("product_kinds", "产品种类", Kind::CodeList(DOMAINS))
            .filter(Match::Contains)
            .optional()
            .public(),
        CONTACT_NAME,
        CONTACT_PHONE,
        Field::new("licence_no", "许可证号", Kind::Text)
            .length_max(50)
            .filter(Match::Exact)
            .optional()
            .public(),
        Field::new("filed_on", "备案时间", Kind::Date)
            .filter(Match::Range)
            .sortable()
            .optional()
            .public(),
    ];

    async fn check(&mut self, _: &Ctx, _: &mut Tx) -> Result<()> {
        position(&mut self.lon, &mut self.lat)?;
        let needs_credit_code = matches!(self.kind.as_str(), "01" | "02" | "03");
        if needs_credit_code && !self.code.is_credit_code() {
            return Err(Problem::invalid("code", "企业、个体工商户和合作社应填写统一社会信用代码"));
        }
        Ok(())
    }

    fn sample(n: u32) -> Self {
        Self {
            code: SubjectCode::issue(610_116, 7, n).expect("a division, a kind and a small number"),
            name: format!("示例农户{n}"),
            kind: String::from("07"),
            roles: vec![String::from("10")],
            region: "610116".parse().expect("six digits"),
            address: Some(String::from("示例路 1 号")),
            lon: Some(String::from("108.948024")),
            lat: Some(String::from("34.263161")),
            node_code: None,
            node_name: None,
            product_kinds: Some(vec![String::from("agri")]),
            contact_name: String::from("张示例"),
            contact_phone: String::from("13800000000"),
            licence_no: None,
            filed_on: Some(String::from("2026-01-01")),
        }
    }
}
