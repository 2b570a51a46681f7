//! Who and what the golden chains are about.

/// A subject of a golden chain.
pub(super) struct Actor {
    /// What the chains call it.
    pub(super) short: &'static str,
    /// 名称
    pub(super) name: &'static str,
    /// 主体类型
    pub(super) kind: &'static str,
    /// 环节角色
    pub(super) role: &'static str,
    /// 区划
    pub(super) region: &'static str,
    /// 产品领域
    pub(super) domain: &'static str,
}

const fn actor(
    short: &'static str,
    name: &'static str,
    (kind, role): (&'static str, &'static str),
    region: &'static str,
    domain: &'static str,
) -> Actor {
    Actor { short, name, kind, role, region, domain }
}

/// Those of GC-1 and GC-2.
pub(super) const FIRST: [Actor; 18] = [
    actor("F1", "示例韭菜合作社一社", ("03", "10"), "610525", "agri"),
    actor("F2", "示例韭菜合作社二社", ("03", "10"), "610525", "agri"),
    actor("L1", "示例农产品检测中心", ("04", "50"), "610116", "agri"),
    actor("P1", "示例蔬菜加工厂", ("01", "21"), "610116", "agri"),
    actor("T1", "示例冷链运输公司", ("01", "41"), "610116", "agri"),
    actor("W1", "示例市场批发商甲", ("02", "30"), "610104", "agri"),
    actor("W2", "示例市场批发商乙", ("02", "30"), "610104", "agri"),
    actor("R1", "示例蔬菜零售店甲", ("02", "31"), "610403", "agri"),
    actor("R2", "示例蔬菜零售店乙", ("02", "31"), "610802", "agri"),
    actor("C1", "示例学校食堂", ("04", "34"), "610116", "agri"),
    actor("M1", "示例海绵钛厂", ("01", "21"), "610302", "industrial"),
    actor("M2", "示例钛业熔炼厂", ("01", "21"), "610302", "industrial"),
    actor("M3", "示例钛板轧制厂", ("01", "21"), "610303", "industrial"),
    actor("V1", "示例压力容器制造厂", ("01", "21"), "610112", "industrial"),
    actor("Q1", "示例特种设备检验院", ("04", "50"), "610112", "industrial"),
    actor("B1", "示例焊材厂", ("01", "21"), "610304", "industrial"),
    actor("U1", "示例化工使用单位", ("01", "62"), "610802", "industrial"),
    actor("U2", "示例制药使用单位", ("01", "62"), "610403", "industrial"),
];

/// Those that GC-3 to GC-8 have besides.
pub(super) const OTHERS: [Actor; 24] = [
    actor("K1", "示例稀土矿业公司", ("01", "13"), "610528", "rare_earth"),
    actor("K2", "示例稀土冶炼分离厂", ("01", "23"), "610304", "rare_earth"),
    actor("K3", "示例稀土金属厂", ("01", "23"), "610302", "rare_earth"),
    actor("K4", "示例永磁材料厂", ("01", "62"), "610112", "rare_earth"),
    actor("K5", "示例稀土检测中心", ("04", "50"), "610112", "rare_earth"),
    actor("D1", "示例奶牛牧场", ("01", "11"), "610116", "food"),
    actor("D2", "示例婴配乳粉厂", ("01", "21"), "610118", "food"),
    actor("D4", "示例母婴用品店", ("02", "31"), "610403", "food"),
    actor("Y1", "示例制药公司", ("01", "21"), "610112", "drug"),
    actor("Y2", "示例医药批发公司甲", ("01", "30"), "610104", "drug"),
    actor("Y3", "示例医药批发公司乙", ("01", "30"), "610302", "drug"),
    actor("Y4", "示例药店", ("01", "36"), "610403", "drug"),
    actor("Y5", "示例医院", ("04", "37"), "610116", "drug"),
    actor("A1", "示例农药厂", ("01", "21"), "610526", "agri_input"),
    actor("A2", "示例农资经营部", ("02", "31"), "610525", "agri_input"),
    actor("E1", "示例气瓶制造厂", ("01", "21"), "610303", "special_equipment"),
    actor("E2", "示例液化气充装站", ("01", "63"), "610116", "special_equipment"),
    actor("E3", "示例燃气配送公司", ("01", "41"), "610116", "special_equipment"),
    actor("E4", "示例餐馆", ("02", "62"), "610104", "special_equipment"),
    actor("X1", "示例甲醇厂", ("01", "21"), "610802", "dangerous"),
    actor("X2", "示例危货运输公司", ("01", "41"), "610802", "dangerous"),
    actor("X3", "示例化工经营公司", ("01", "30"), "610802", "dangerous"),
    actor("S1", "示例韭菜种植户", ("02", "10"), "610525", "agri"),
    actor("S2", "示例早市菜农", ("02", "10"), "610104", "agri"),
];

/// A product of a golden chain.
pub(super) struct Ware {
    /// 产品代码
    pub(super) code: &'static str,
    /// 名称
    pub(super) name: &'static str,
    /// 分类代码
    pub(super) class: &'static str,
    /// 产品领域
    pub(super) domain: &'static str,
    /// 计量单位
    pub(super) unit: &'static str,
    /// Short name of its maker.
    pub(super) maker: &'static str,
    /// GTIN
    pub(super) gtin: Option<&'static str>,
}

const fn ware(
    code: &'static str,
    name: &'static str,
    (class, domain): (&'static str, &'static str),
    unit: &'static str,
    maker: &'static str,
) -> Ware {
    Ware { code, name, class, domain, unit, maker, gtin: None }
}

/// Those of GC-1 and GC-2.
pub(super) const FIRST_WARES: [Ware; 6] = [
    Ware {
        gtin: Some("6901234567892"),
        ..ware("YJ-JC-01", "示例韭菜", ("010106", "agri"), "KGM", "P1")
    },
    ware("YJ-TI-00", "示例海绵钛", ("080101", "industrial"), "KGM", "M1"),
    ware("YJ-TI-01", "示例钛锭", ("080102", "industrial"), "KGM", "M2"),
    ware("YJ-TI-02", "示例钛板", ("080103", "industrial"), "KGM", "M3"),
    ware("YJ-WJ-01", "示例钛焊丝", ("080106", "industrial"), "KGM", "B1"),
    ware("YJ-PV-01", "示例钛制压力容器", ("081001", "industrial"), "SET", "V1"),
];

/// Those of GC-3 to GC-8.
pub(super) const OTHER_WARES: [Ware; 19] = [
    ware("YJ-XT-01", "示例稀土精矿", ("070103", "rare_earth"), "TNE", "K1"),
    ware("YJ-XT-02", "示例氧化镧", ("070203", "rare_earth"), "TNE", "K2"),
    ware("YJ-XT-03", "示例氧化铈", ("070203", "rare_earth"), "TNE", "K2"),
    ware("YJ-XT-04", "示例氧化镨", ("070203", "rare_earth"), "TNE", "K2"),
    ware("YJ-XT-05", "示例氧化钕", ("070203", "rare_earth"), "TNE", "K2"),
    ware("YJ-XT-06", "示例其他稀土氧化物", ("070203", "rare_earth"), "TNE", "K2"),
    ware("YJ-XT-07", "示例金属钕", ("070301", "rare_earth"), "TNE", "K3"),
    ware("YJ-YP-01", "示例生鲜乳", ("020149", "food"), "KGM", "D1"),
    ware("YJ-YP-02", "示例婴配基粉", ("020201", "food"), "KGM", "D2"),
    ware("YJ-YP-03", "示例婴儿配方乳粉", ("020201", "food"), "CA", "D2"),
    ware("YJ-YY-01", "示例原料药", ("030149", "drug"), "KGM", "Y1"),
    ware("YJ-YY-02", "示例片", ("030101", "drug"), "BX", "Y1"),
    ware("YJ-NY-01", "示例农药原药", ("040102", "agri_input"), "KGM", "A1"),
    ware("YJ-NY-02", "示例杀菌剂", ("040102", "agri_input"), "BO", "A1"),
    ware("YJ-QP-01", "示例气瓶钢板", ("050203", "special_equipment"), "KGM", "E1"),
    ware("YJ-QP-02", "示例液化石油气钢瓶", ("050203", "special_equipment"), "CY", "E1"),
    ware("YJ-QP-03", "示例液化石油气", ("060102", "dangerous"), "KGM", "E2"),
    ware("YJ-WH-01", "示例合成气", ("060102", "dangerous"), "TNE", "X1"),
    ware("YJ-WH-02", "示例甲醇", ("060103", "dangerous"), "TNE", "X1"),
];
