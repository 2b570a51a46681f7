//! The columns that every import template has, whatever the event type; no field of a pack may
//! carry the same label.

/// 主体代码
pub const SUBJECT: &str = "主体代码";
/// 发生时间
pub const TIME: &str = "发生时间";
/// 地点区划
pub const REGION: &str = "地点区划";
/// 投入追溯码
pub const IN_CODE: &str = "投入追溯码";
/// 投入数量
pub const IN_QUANTITY: &str = "投入数量";
/// 投入单位
pub const IN_UNIT: &str = "投入单位";
/// 产出追溯码
pub const OUT_CODE: &str = "产出追溯码";
/// 产出数量
pub const OUT_QUANTITY: &str = "产出数量";
/// 产出单位
pub const OUT_UNIT: &str = "产出单位";
/// 产品代码
pub const PRODUCT: &str = "产品代码";
/// 批次号
pub const LOT: &str = "批次号";
/// 凭证编号
pub const DOCUMENT: &str = "凭证编号";

/// All of them.
pub const ALL: [&str; 12] = [
    SUBJECT,
    TIME,
    REGION,
    IN_CODE,
    IN_QUANTITY,
    IN_UNIT,
    OUT_CODE,
    OUT_QUANTITY,
    OUT_UNIT,
    PRODUCT,
    LOT,
    DOCUMENT,
];
