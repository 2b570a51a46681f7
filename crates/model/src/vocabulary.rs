//! Code lists that the standards and the data dictionary fix (handbook §1.2, §4.3).

/// 产品领域: those of both standards (G-1, D-1).
pub const DOMAINS: &[(&str, &str)] = &[
    ("agri", "食用农产品"),
    ("food", "食品"),
    ("drug", "药品"),
    ("agri_input", "农业生产资料"),
    ("special_equipment", "特种设备"),
    ("dangerous", "危险品"),
    ("rare_earth", "稀土产品"),
    ("industrial", "工业产品"),
];

/// 主体类型 (YJ-core A).
pub const SUBJECT_KINDS: &[(&str, &str)] = &[
    ("01", "企业"),
    ("02", "个体工商户"),
    ("03", "农民专业合作社"),
    ("04", "事业单位"),
    ("05", "社会团体或民办非企业"),
    ("06", "机关"),
    ("07", "家庭农场或农户"),
    ("08", "自然人"),
    ("09", "集体经济组织"),
    ("99", "其他"),
];

/// 环节角色 (YJ-core A).
pub const ROLE_KINDS: &[(&str, &str)] = &[
    ("10", "种植"),
    ("11", "养殖"),
    ("12", "捕捞"),
    ("13", "开采"),
    ("20", "屠宰"),
    ("21", "生产加工"),
    ("22", "分装"),
    ("23", "冶炼分离"),
    ("30", "批发"),
    ("31", "零售"),
    ("32", "超市"),
    ("33", "电商"),
    ("34", "团体消费"),
    ("35", "餐饮"),
    ("36", "药店"),
    ("37", "医疗机构"),
    ("40", "仓储"),
    ("41", "运输"),
    ("50", "检测检验"),
    ("60", "安装"),
    ("61", "维保"),
    ("62", "使用单位"),
    ("63", "充装"),
    ("70", "监管机构"),
    ("99", "其他"),
];

/// 环节: the union of both standards' stages (handbook §0.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// 初级生产
    PrimaryProduction,
    /// 生产加工
    Processing,
    /// 产品流通
    Distribution,
    /// 产品运输
    Transport,
    /// 产品检测
    Inspection,
    /// 产品监管 (DB61/T)
    Supervision,
    /// 产品消费或使用
    Consumption,
}

impl Stage {
    /// All stages in the order a product passes them.
    pub const ALL: [Self; 7] = [
        Self::PrimaryProduction,
        Self::Processing,
        Self::Inspection,
        Self::Transport,
        Self::Distribution,
        Self::Supervision,
        Self::Consumption,
    ];

    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::PrimaryProduction => "primary_production",
            Self::Processing => "processing",
            Self::Distribution => "distribution",
            Self::Transport => "transport",
            Self::Inspection => "inspection",
            Self::Supervision => "supervision",
            Self::Consumption => "consumption",
        }
    }

    /// The standard's word.
    pub const fn label(self) -> &'static str {
        match self {
            Self::PrimaryProduction => "初级生产",
            Self::Processing => "生产加工",
            Self::Distribution => "产品流通",
            Self::Transport => "产品运输",
            Self::Inspection => "产品检测",
            Self::Supervision => "产品监管",
            Self::Consumption => "产品消费或使用",
        }
    }

    /// The stage with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.code() == code)
    }
}

/// 出入库类型: the bill types of the drug platforms, used in every domain (handbook §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movement {
    /// Three digits: 1xx in, 2xx out, 3xx to the end user.
    pub code: &'static str,
    /// 中文名称
    pub label: &'static str,
}

impl Movement {
    /// All movement types.
    pub const ALL: &'static [Self] = &[
        movement("101", "生产入库"),
        movement("102", "采购入库"),
        movement("103", "退货入库"),
        movement("104", "调拨入库"),
        movement("106", "零头入库"),
        movement("107", "供应入库"),
        movement("108", "召回入库"),
        movement("110", "赠品入库"),
        movement("111", "盘盈入库"),
        movement("112", "报废入库"),
        movement("113", "其他入库"),
        movement("116", "消费者退货入库"),
        movement("201", "销售出库"),
        movement("202", "退货出库"),
        movement("203", "调拨出库"),
        movement("204", "返工出库"),
        movement("205", "销毁出库"),
        movement("206", "抽检出库"),
        movement("207", "直调出库"),
        movement("208", "生产出库"),
        movement("209", "供应出库"),
        movement("211", "召回出库"),
        movement("212", "赠品出库"),
        movement("214", "盘亏出库"),
        movement("215", "损坏出库"),
        movement("216", "报废出库"),
        movement("217", "其他出库"),
        movement("237", "直调退货"),
        movement("321", "零售出库"),
        movement("322", "疫苗接种"),
    ];

    /// The movement type with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|movement| movement.code == code)
    }
}

const fn movement(code: &'static str, label: &'static str) -> Movement {
    Movement { code, label }
}
