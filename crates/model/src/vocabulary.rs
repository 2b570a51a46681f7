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

/// What registers call the code list that [`DOMAINS`] begins and uploaded domains extend (G-4b).
pub const DOMAIN_LIST: &str = "product_domain";

/// What registers call the code list of the classes of the published catalogue (G-6.3.2).
pub const CLASS_LIST: &str = "product_class";

/// What is in no class of the catalogue.
pub const UNCLASSED: &[(&str, &str)] = &[("other", "其他")];

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

/// 坐标系 a coordinate is given in (handbook §3.4).
pub const DATUMS: &[(&str, &str)] = &[
    ("cgcs2000", "CGCS2000（天地图、北斗、GPS）"),
    ("gcj02", "GCJ-02（高德、腾讯地图）"),
    ("bd09", "BD-09（百度地图）"),
];

/// 证件类型 of persons (GA/T 517).
pub const DOCUMENT_KINDS: &[(&str, &str)] = &[
    ("111", "居民身份证"),
    ("114", "军官证"),
    ("414", "普通护照"),
    ("511", "台湾居民来往大陆通行证"),
    ("516", "港澳居民来往内地通行证"),
    ("553", "外国人永久居留身份证"),
    ("990", "其他"),
];

/// 许可证照类型 of the eight domains (YJ-core A, handbook §4).
pub const LICENCE_KINDS: &[(&str, &str)] = &[
    ("101", "营业执照"),
    ("201", "食品生产许可证"),
    ("202", "食品经营许可证"),
    ("203", "仅销售预包装食品备案"),
    ("204", "动物防疫条件合格证"),
    ("205", "生猪定点屠宰证"),
    ("206", "有机产品认证证书"),
    ("301", "药品生产许可证"),
    ("302", "药品经营许可证"),
    ("303", "医疗机构执业许可证"),
    ("401", "农药生产许可证"),
    ("402", "农药经营许可证"),
    ("403", "肥料登记证"),
    ("404", "种子生产经营许可证"),
    ("405", "兽药生产许可证"),
    ("406", "兽药经营许可证"),
    ("407", "饲料生产许可证"),
    ("501", "特种设备生产许可证"),
    ("502", "特种设备使用登记证"),
    ("503", "移动式压力容器气瓶充装许可证"),
    ("601", "危险化学品安全生产许可证"),
    ("602", "危险化学品经营许可证"),
    ("603", "烟花爆竹经营许可证"),
    ("604", "道路危险货物运输许可证"),
    ("701", "采矿许可证"),
    ("702", "排污许可证"),
    ("801", "工业产品生产许可证"),
    ("901", "检验检测机构资质认定证书"),
    ("902", "实验室认可证书"),
    ("903", "道路运输经营许可证"),
    ("990", "其他"),
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

/// 追溯环节, as registers list them.
pub const STAGES: &[(&str, &str)] = &[
    (Stage::PrimaryProduction.code(), Stage::PrimaryProduction.label()),
    (Stage::Processing.code(), Stage::Processing.label()),
    (Stage::Distribution.code(), Stage::Distribution.label()),
    (Stage::Transport.code(), Stage::Transport.label()),
    (Stage::Inspection.code(), Stage::Inspection.label()),
    (Stage::Supervision.code(), Stage::Supervision.label()),
    (Stage::Consumption.code(), Stage::Consumption.label()),
];

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

    /// What a movement is called on one side of it: what one party sells out of its store comes into
    /// that of the other by purchase. `into`: whether the goods come in there.
    pub fn on_side(code: &str, into: bool) -> Option<Self> {
        let known = Self::from_code(code)?;
        if known.code.starts_with('1') == into {
            return Some(known);
        }
        let pair = PAIRS.iter().find(|(incoming, outgoing)| [*incoming, *outgoing].contains(&code));
        Self::from_code(match (pair, into) {
            (Some((incoming, _)), true) => incoming,
            (Some((_, outgoing)), false) => outgoing,
            (None, true) => "113",
            (None, false) => "217",
        })
    }
}

/// Movement types that are two sides of one; the first of several is meant.
const PAIRS: [(&str, &str); 9] = [
    ("101", "208"),
    ("102", "201"),
    ("103", "202"),
    ("104", "203"),
    ("107", "209"),
    ("108", "211"),
    ("110", "212"),
    ("102", "207"),
    ("103", "237"),
];

const fn movement(code: &'static str, label: &'static str) -> Movement {
    Movement { code, label }
}
