//! 由 cargo xtask clients 生成，请勿手改。

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Register;

/// 凭证
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// 编号
    pub no: String,
    /// 类型
    pub r#type: String,
}

/// 证据文件
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// 文件名
    pub name: String,
    /// SM3 摘要，64 位小写十六进制
    pub sm3: String,
}

/// 投入
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// 追溯码
    pub code: String,
    /// 来源于平台之外
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<bool>,
    /// 数量，十进制字符串；检测、监管类可不填
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<String>,
    /// 计量单位，UN/CEFACT 代码
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// 产出
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// 追溯码
    pub code: String,
    /// 批次号
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
    /// 产品代码
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// 数量，十进制字符串
    pub quantity: String,
    /// 计量单位
    pub unit: String,
}

/// 地点
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// 地址
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// 纬度
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lat: Option<String>,
    /// 经度
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lon: Option<String>,
    /// 行政区划代码
    pub region: String,
}

/// 追溯事件
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceEvent {
    /// 领域包规定的字段
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Value>,
    /// 被更正事件的标识
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction_of: Option<String>,
    /// 更正原因
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction_reason: Option<String>,
    /// 交易对方的代码，现用或旧代码；登记为现用代码
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterparty: Option<String>,
    /// 凭证
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents: Option<Vec<Document>>,
    /// 领域代码，如 agri
    pub domain: String,
    /// 发生时间，带时区偏移
    pub event_time: String,
    /// 证据文件
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Vec<Evidence>>,
    /// 来源系统自己的编号
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// 投入
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Vec<Input>>,
    /// 产出
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Vec<Output>>,
    /// 地点
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// 主体的代码：现用代码，或其任何一个旧代码；登记为现用代码
    pub subject: String,
    /// 事件类型，如 harvest
    pub r#type: String,
    /// 撤销：被更正的事件没有发生过，也没有别的取代它；不写投入、产出与字段
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdraws: Option<bool>,
}

/// 追溯主体（提交）
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceSubjectInput {
    /// 地址
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// 主体代码
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// 联系人
    pub contact_name: String,
    /// 联系电话
    pub contact_phone: String,
    /// 坐标系
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datum: Option<String>,
    /// 原坐标系
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datum_given: Option<String>,
    /// 电子邮箱
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// 备案时间
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filed_on: Option<String>,
    /// 行业代码
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub industry_code: Option<String>,
    /// 主体类型
    pub kind: String,
    /// 纬度
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lat: Option<String>,
    /// 法定代表人
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_rep: Option<String>,
    /// 法定代表人证件号码
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_rep_id: Option<String>,
    /// 法定代表人证件类型
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_rep_id_kind: Option<String>,
    /// 许可证号
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence_no: Option<String>,
    /// 经度
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lon: Option<String>,
    /// 主体名称
    pub name: String,
    /// 节点编码
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_code: Option<String>,
    /// 节点名称
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
    /// 拆分自
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predecessor_id: Option<String>,
    /// 产品种类
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_kinds: Option<Vec<String>>,
    /// 所属区域
    pub region: String,
    /// 环节角色
    pub roles: Vec<String>,
    /// 来源系统
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_system: Option<String>,
    /// 主体状态
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// 并入主体
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor_id: Option<String>,
}

/// 追溯主体
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceSubject {
    /// 地址
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// 主体代码
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// 联系人
    pub contact_name: String,
    /// 联系电话
    pub contact_phone: String,
    /// created_at
    pub created_at: String,
    /// created_by
    pub created_by: String,
    /// 坐标系
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datum: Option<String>,
    /// 原坐标系
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datum_given: Option<String>,
    /// 电子邮箱
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// 备案时间
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filed_on: Option<String>,
    /// id
    pub id: String,
    /// 行业代码
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub industry_code: Option<String>,
    /// 主体类型
    pub kind: String,
    /// label
    pub label: i64,
    /// 纬度
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lat: Option<String>,
    /// 法定代表人
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_rep: Option<String>,
    /// 法定代表人证件号码
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_rep_id: Option<String>,
    /// 法定代表人证件类型
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_rep_id_kind: Option<String>,
    /// 许可证号
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence_no: Option<String>,
    /// 经度
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lon: Option<String>,
    /// 主体名称
    pub name: String,
    /// 节点编码
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_code: Option<String>,
    /// 节点名称
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
    /// 拆分自
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predecessor_id: Option<String>,
    /// 产品种类
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_kinds: Option<Vec<String>>,
    /// 所属区域
    pub region: String,
    /// 环节角色
    pub roles: Vec<String>,
    /// 来源系统
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_system: Option<String>,
    /// 主体状态
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// 并入主体
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor_id: Option<String>,
    /// updated_at
    pub updated_at: String,
    /// updated_by
    pub updated_by: String,
    /// version
    pub version: i64,
}

/// 许可证照（提交）
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LicenceInput {
    /// 发证机关
    pub issuer: String,
    /// 证照类型
    pub kind: String,
    /// 证照编号
    pub no: String,
    /// 所属区域
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// 追溯主体
    pub subject_id: String,
    /// 有效期自
    pub valid_from: String,
    /// 有效期至
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<String>,
}

/// 许可证照
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Licence {
    /// created_at
    pub created_at: String,
    /// created_by
    pub created_by: String,
    /// id
    pub id: String,
    /// 发证机关
    pub issuer: String,
    /// 证照类型
    pub kind: String,
    /// label
    pub label: i64,
    /// 证照编号
    pub no: String,
    /// 所属区域
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// 追溯主体
    pub subject_id: String,
    /// updated_at
    pub updated_at: String,
    /// updated_by
    pub updated_by: String,
    /// 有效期自
    pub valid_from: String,
    /// 有效期至
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<String>,
    /// version
    pub version: i64,
}

/// 经营场所（提交）
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SiteInput {
    /// 地址
    pub address: String,
    /// 坐标系
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datum: Option<String>,
    /// 原坐标系
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datum_given: Option<String>,
    /// 是否在用
    pub in_use: bool,
    /// 场所类型
    pub kind: String,
    /// 纬度
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lat: Option<String>,
    /// 经度
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lon: Option<String>,
    /// 场所名称
    pub name: String,
    /// 所在节点
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_id: Option<String>,
    /// 所在区域
    pub region: String,
    /// 主体代码
    pub subject_code: String,
    /// 追溯主体
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_id: Option<String>,
}

/// 经营场所
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// 地址
    pub address: String,
    /// created_at
    pub created_at: String,
    /// created_by
    pub created_by: String,
    /// 坐标系
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datum: Option<String>,
    /// 原坐标系
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datum_given: Option<String>,
    /// id
    pub id: String,
    /// 是否在用
    pub in_use: bool,
    /// 场所类型
    pub kind: String,
    /// label
    pub label: i64,
    /// 纬度
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lat: Option<String>,
    /// 经度
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lon: Option<String>,
    /// 场所名称
    pub name: String,
    /// 所在节点
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_id: Option<String>,
    /// 所在区域
    pub region: String,
    /// 主体代码
    pub subject_code: String,
    /// 追溯主体
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_id: Option<String>,
    /// updated_at
    pub updated_at: String,
    /// updated_by
    pub updated_by: String,
    /// version
    pub version: i64,
}

/// 节点（提交）
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeInput {
    /// 地址
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// 节点编码
    pub code: String,
    /// 坐标系
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datum: Option<String>,
    /// 原坐标系
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datum_given: Option<String>,
    /// 备案时间
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filed_on: Option<String>,
    /// 是否启用
    pub in_use: bool,
    /// 节点类型
    pub kind: String,
    /// 纬度
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lat: Option<String>,
    /// 经度
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lon: Option<String>,
    /// 节点名称
    pub name: String,
    /// 产品种类
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_kinds: Option<Vec<String>>,
    /// 所属区域
    pub region: String,
    /// 追溯环节
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// 经营主体
    pub subject_id: String,
}

/// 节点
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// 地址
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// 节点编码
    pub code: String,
    /// created_at
    pub created_at: String,
    /// created_by
    pub created_by: String,
    /// 坐标系
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datum: Option<String>,
    /// 原坐标系
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datum_given: Option<String>,
    /// 备案时间
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filed_on: Option<String>,
    /// id
    pub id: String,
    /// 是否启用
    pub in_use: bool,
    /// 节点类型
    pub kind: String,
    /// label
    pub label: i64,
    /// 纬度
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lat: Option<String>,
    /// 经度
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lon: Option<String>,
    /// 节点名称
    pub name: String,
    /// 产品种类
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_kinds: Option<Vec<String>>,
    /// 所属区域
    pub region: String,
    /// 追溯环节
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// 经营主体
    pub subject_id: String,
    /// updated_at
    pub updated_at: String,
    /// updated_by
    pub updated_by: String,
    /// version
    pub version: i64,
}

/// 商户（提交）
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MerchantInput {
    /// 摊位号
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booth: Option<String>,
    /// 商户编码
    pub code: String,
    /// 联系人
    pub contact_name: String,
    /// 联系电话
    pub contact_phone: String,
    /// 品种
    pub goods: Vec<String>,
    /// 是否在营
    pub in_use: bool,
    /// 商户类型
    pub kind: String,
    /// 商户名称
    pub name: String,
    /// 注册所在节点
    pub node_id: String,
    /// 市场经营主体
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_id: Option<String>,
    /// 所属区域
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// 注册时间
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_on: Option<String>,
    /// 追溯环节
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// 对应追溯主体
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_id: Option<String>,
}

/// 商户
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Merchant {
    /// 摊位号
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booth: Option<String>,
    /// 商户编码
    pub code: String,
    /// 联系人
    pub contact_name: String,
    /// 联系电话
    pub contact_phone: String,
    /// created_at
    pub created_at: String,
    /// created_by
    pub created_by: String,
    /// 品种
    pub goods: Vec<String>,
    /// id
    pub id: String,
    /// 是否在营
    pub in_use: bool,
    /// 商户类型
    pub kind: String,
    /// label
    pub label: i64,
    /// 商户名称
    pub name: String,
    /// 注册所在节点
    pub node_id: String,
    /// 市场经营主体
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_id: Option<String>,
    /// 所属区域
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// 注册时间
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_on: Option<String>,
    /// 追溯环节
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// 对应追溯主体
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_id: Option<String>,
    /// updated_at
    pub updated_at: String,
    /// updated_by
    pub updated_by: String,
    /// version
    pub version: i64,
}

/// 重要产品（提交）
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProductInput {
    /// 批准文号
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_no: Option<String>,
    /// 批准有效期至
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_until: Option<String>,
    /// 产品属性
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Value>,
    /// 品牌
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// 产品分类
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue_code: Option<String>,
    /// 目录版本
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue_version: Option<i64>,
    /// 产品类别
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// 产品代码
    pub code: String,
    /// 产品领域
    pub domain: String,
    /// 通用名称
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generic_name: Option<String>,
    /// 商品条码
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtin: Option<String>,
    /// 内装数量
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inner_count: Option<i64>,
    /// 内装产品
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inner_id: Option<String>,
    /// 企业货号
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_code: Option<String>,
    /// 生产企业
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker_id: Option<String>,
    /// 型号
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// 产品名称
    pub name: String,
    /// 产地
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin_region: Option<String>,
    /// 包装层级
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack_level: Option<String>,
    /// 领域包版本
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack_version: Option<String>,
    /// 召回级别
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recall_level: Option<String>,
    /// 所属区域
    pub region: String,
    /// 保质期
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shelf_life: Option<i64>,
    /// 保质期单位
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shelf_life_unit: Option<String>,
    /// 规格
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
    /// 执行标准
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_no: Option<String>,
    /// 产品状态
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// 状态理由
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// 状态始于
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_since: Option<String>,
    /// 贮存条件
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// 责任主体
    pub subject_id: String,
    /// 计量单位
    pub unit: String,
}

/// 重要产品
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// 批准文号
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_no: Option<String>,
    /// 批准有效期至
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_until: Option<String>,
    /// 产品属性
    pub attributes: Value,
    /// 品牌
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// 产品分类
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue_code: Option<String>,
    /// 目录版本
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue_version: Option<i64>,
    /// 产品类别
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// 产品代码
    pub code: String,
    /// created_at
    pub created_at: String,
    /// created_by
    pub created_by: String,
    /// 产品领域
    pub domain: String,
    /// 通用名称
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generic_name: Option<String>,
    /// 商品条码
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtin: Option<String>,
    /// id
    pub id: String,
    /// 内装数量
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inner_count: Option<i64>,
    /// 内装产品
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inner_id: Option<String>,
    /// 企业货号
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_code: Option<String>,
    /// label
    pub label: i64,
    /// 生产企业
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker_id: Option<String>,
    /// 型号
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// 产品名称
    pub name: String,
    /// 产地
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin_region: Option<String>,
    /// 包装层级
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack_level: Option<String>,
    /// 领域包版本
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack_version: Option<String>,
    /// 召回级别
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recall_level: Option<String>,
    /// 所属区域
    pub region: String,
    /// 保质期
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shelf_life: Option<i64>,
    /// 保质期单位
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shelf_life_unit: Option<String>,
    /// 规格
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
    /// 执行标准
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_no: Option<String>,
    /// 产品状态
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// 状态理由
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// 状态始于
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_since: Option<String>,
    /// 贮存条件
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// 责任主体
    pub subject_id: String,
    /// 计量单位
    pub unit: String,
    /// updated_at
    pub updated_at: String,
    /// updated_by
    pub updated_by: String,
    /// version
    pub version: i64,
}

/// 设备（提交）
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceInput {
    /// 坐标系
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datum: Option<String>,
    /// 原坐标系
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datum_given: Option<String>,
    /// 固件版本
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// ICCID
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iccid: Option<String>,
    /// IMEI
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imei: Option<String>,
    /// 是否启用
    pub in_use: bool,
    /// 安装日期
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed_on: Option<String>,
    /// 上报间隔（分钟）
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_minutes: Option<i64>,
    /// 设备类型
    pub kind: String,
    /// 纬度
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lat: Option<String>,
    /// 本地管理地址
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locally_administered: Option<bool>,
    /// 经度
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lon: Option<String>,
    /// MAC 地址
    pub mac: String,
    /// 生产厂家
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker: Option<String>,
    /// 设备型号
    pub model: String,
    /// 安装位置
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// 所属区域
    pub region: String,
    /// 出厂编号
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_no: Option<String>,
    /// 在线状态
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// 所属企业
    pub subject_id: String,
    /// 检定有效期至
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_until: Option<String>,
}

/// 设备
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// created_at
    pub created_at: String,
    /// created_by
    pub created_by: String,
    /// 坐标系
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datum: Option<String>,
    /// 原坐标系
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datum_given: Option<String>,
    /// 固件版本
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// ICCID
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iccid: Option<String>,
    /// id
    pub id: String,
    /// IMEI
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imei: Option<String>,
    /// 是否启用
    pub in_use: bool,
    /// 安装日期
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed_on: Option<String>,
    /// 上报间隔（分钟）
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_minutes: Option<i64>,
    /// 设备类型
    pub kind: String,
    /// label
    pub label: i64,
    /// 纬度
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lat: Option<String>,
    /// 本地管理地址
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locally_administered: Option<bool>,
    /// 经度
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lon: Option<String>,
    /// MAC 地址
    pub mac: String,
    /// 生产厂家
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker: Option<String>,
    /// 设备型号
    pub model: String,
    /// 安装位置
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// 所属区域
    pub region: String,
    /// 出厂编号
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_no: Option<String>,
    /// 在线状态
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// 所属企业
    pub subject_id: String,
    /// updated_at
    pub updated_at: String,
    /// updated_by
    pub updated_by: String,
    /// 检定有效期至
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_until: Option<String>,
    /// version
    pub version: i64,
}

/// 采集来源策略（提交）
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SourcePolicyInput {
    /// 处理方式
    pub decision: String,
    /// 领域
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// 策略名称
    pub name: String,
    /// 主体所属区域
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// 来源
    pub source: String,
    /// 环节
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// 主体
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_id: Option<String>,
}

/// 采集来源策略
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SourcePolicy {
    /// created_at
    pub created_at: String,
    /// created_by
    pub created_by: String,
    /// 处理方式
    pub decision: String,
    /// 领域
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// id
    pub id: String,
    /// label
    pub label: i64,
    /// 策略名称
    pub name: String,
    /// 主体所属区域
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// 来源
    pub source: String,
    /// 环节
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// 主体
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_id: Option<String>,
    /// updated_at
    pub updated_at: String,
    /// updated_by
    pub updated_by: String,
    /// version
    pub version: i64,
}

/// What became of one event.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct CaptureResult {
    /// Its place in the request.
    pub index: usize,
    /// 事件标识
    pub id: Option<String>,
    /// `accepted` 或 `held`
    pub state: Option<String>,
    /// 此前已登记
    #[serde(default)]
    pub duplicate: bool,
    /// 没有接收的原因
    pub problem: Option<Value>,
}

impl Register for TraceSubjectInput {
    const NAME: &'static str = "trace_subject";
    type Stored = TraceSubject;
}

impl Register for LicenceInput {
    const NAME: &'static str = "licence";
    type Stored = Licence;
}

impl Register for SiteInput {
    const NAME: &'static str = "site";
    type Stored = Site;
}

impl Register for NodeInput {
    const NAME: &'static str = "node";
    type Stored = Node;
}

impl Register for MerchantInput {
    const NAME: &'static str = "merchant";
    type Stored = Merchant;
}

impl Register for ProductInput {
    const NAME: &'static str = "product";
    type Stored = Product;
}

impl Register for DeviceInput {
    const NAME: &'static str = "device";
    type Stored = Device;
}

impl Register for SourcePolicyInput {
    const NAME: &'static str = "source_policy";
    type Stored = SourcePolicy;
}
