//! 应用标识符 (GS1 General Specifications §3): every one of them with the form of its value, and with
//! what Digital Link makes of it: primary keys with their qualifiers in order, all others attributes.
//! Whatever reads or writes GS1 data, in whichever syntax, does it by this table.

use super::ai_value::{Part, Rule};

/// One application identifier, or a range of them that differ in their last digit.
#[derive(Debug)]
pub(super) struct Ai {
    /// Its digits; an `n` at the end stands for 0 to [`Ai::last`].
    pub(super) number: &'static str,
    /// Highest digit that `n` may be.
    last: u8,
    /// What we call it in lists of parts.
    pub(super) name: &'static str,
    /// 中文名称
    pub(super) label: &'static str,
    /// Its value, part by part.
    pub(super) form: &'static [Part],
    /// Of a primary key: the sequences of qualifiers, of which any may be left out.
    pub(super) qualifiers: Option<&'static [&'static [&'static str]]>,
}

type Form = &'static [Part];
type Rows = &'static [&'static [&'static str]];

const fn key(
    number: &'static str,
    name: &'static str,
    label: &'static str,
    form: Form,
    rows: Rows,
) -> Ai {
    Ai { number, last: 0, name, label, form, qualifiers: Some(rows) }
}

const fn other(number: &'static str, name: &'static str, label: &'static str, form: Form) -> Ai {
    Ai { number, last: 0, name, label, form, qualifiers: None }
}

const fn range(
    number: &'static str,
    last: u8,
    name: &'static str,
    label: &'static str,
    form: Form,
) -> Ai {
    Ai { number, last, name, label, form, qualifiers: None }
}

const fn measure(number: &'static str, name: &'static str, label: &'static str) -> Ai {
    range(number, 5, name, label, N6)
}

const N2: Form = &[Part::digits(2)];
const N6: Form = &[Part::digits(6)];
const COUNT: Form = &[Part::up_to(8)];
const AMOUNT: Form = &[Part::up_to(15)];
const AMOUNT_IN: Form = &[Part::digits(3).of(Rule::Currency), Part::up_to(15)];
const X20: Form = &[Part::text(20)];
const X25: Form = &[Part::text(25)];
const X28: Form = &[Part::text(28)];
const X30: Form = &[Part::text(30)];
const X35: Form = &[Part::text(35).of(Rule::Escaped)];
const X70: Form = &[Part::text(70).of(Rule::Escaped)];
const X90: Form = &[Part::text(90)];
/// A day; 00 stands for the last of its month.
const DAY0: Form = &[Part::digits(6).of(Rule::DayOrMonth)];
const DAY: Form = &[Part::digits(6).of(Rule::Day)];
const MOMENT: Form = &[Part::digits(6).of(Rule::Day), Part::digits(4).of(Rule::HourMinute)];
const MOMENT0: Form =
    &[Part::digits(6).of(Rule::DayOrMonth), Part::digits(4).of(Rule::HourMinuteOrNone)];
const ITEM: Form = &[Part::digits(14).of(Rule::Check)];
const PLACE: Form = &[Part::digits(13).of(Rule::Check)];
const SERVICE: Form = &[Part::digits(18).of(Rule::Check)];
const PIECE: Form = &[Part::digits(14).of(Rule::Check), Part::digits(4).of(Rule::PieceOfTotal)];
const COUNTRY: Form = &[Part::digits(3).of(Rule::Country)];
const COUNTRIES: Form = &[
    Part::digits(3).of(Rule::Country),
    Part::digits(3).of(Rule::Country).maybe(),
    Part::digits(3).of(Rule::Country).maybe(),
    Part::digits(3).of(Rule::Country).maybe(),
    Part::digits(3).of(Rule::Country).maybe(),
];
const LAND: Form = &[Part::letters(2).of(Rule::CountryAlpha)];
const FLAG: Form = &[Part::digits(1).of(Rule::Flag)];
const ASSET: Form = &[Part::text(30).of(Rule::Company)];
const DEGREES: Form = &[Part::digits(6), Part::letters(1).of(Rule::Hyphen).maybe()];
const NONE: Rows = &[];
const ITEM_ROWS: Rows = &[&["22", "10", "21"], &["235"]];

/// Every application identifier.
pub(super) static AIS: &[Ai] = &[
    key("00", "sscc", "系列货运包装箱代码", SERVICE, NONE),
    key("01", "gtin", "商品条码（GTIN）", ITEM, ITEM_ROWS),
    other("02", "content", "物流单元内贸易项目", ITEM),
    other("03", "made_to_order_gtin", "按订单制造的贸易项目", ITEM),
    other("10", "lot", "批号", X20),
    other("11", "production_date", "生产日期", DAY0),
    other("12", "due_date", "付款截止日期", DAY0),
    other("13", "packaging_date", "包装日期", DAY0),
    other("15", "best_before", "保质期", DAY0),
    other("16", "sell_by", "销售截止日期", DAY0),
    other("17", "expiry", "有效期", DAY0),
    other("20", "variant", "内部产品变体", N2),
    other("21", "serial", "序列号", X20),
    other("22", "consumer_variant", "消费产品变体", X20),
    other("235", "third_party_serial", "第三方控制的序列号", X28),
    other("240", "additional_id", "附加产品标识", X30),
    other("241", "customer_part", "客户方代码", X30),
    other("242", "made_to_order", "定制产品变体", &[Part::up_to(6)]),
    other("243", "packaging_component", "包装组件代码", X20),
    other("250", "secondary_serial", "二级序列号", X30),
    other("251", "source", "源实体参考代码", X30),
    key(
        "253",
        "gdti",
        "全球文件类型代码（GDTI）",
        &[Part::digits(13).of(Rule::Check), Part::text(17).maybe()],
        NONE,
    ),
    other("254", "extension", "位置码扩展部分", X20),
    key(
        "255",
        "gcn",
        "全球优惠券代码（GCN）",
        &[Part::digits(13).of(Rule::Check), Part::up_to(12).maybe()],
        NONE,
    ),
    other("30", "count", "变量贸易项目中项目的数量", COUNT),
    measure("310n", "net_content", "净重（千克）"),
    measure("311n", "length", "长度（米）"),
    measure("312n", "width", "宽度（米）"),
    measure("313n", "depth", "高度（米）"),
    measure("314n", "area", "面积（平方米）"),
    measure("315n", "net_volume", "净容积（升）"),
    measure("316n", "net_cubic", "净体积（立方米）"),
    measure("320n", "net_pounds", "净重（磅）"),
    measure("321n", "length_inches", "长度（英寸）"),
    measure("322n", "length_feet", "长度（英尺）"),
    measure("323n", "length_yards", "长度（码）"),
    measure("324n", "width_inches", "宽度（英寸）"),
    measure("325n", "width_feet", "宽度（英尺）"),
    measure("326n", "width_yards", "宽度（码）"),
    measure("327n", "depth_inches", "高度（英寸）"),
    measure("328n", "depth_feet", "高度（英尺）"),
    measure("329n", "depth_yards", "高度（码）"),
    measure("330n", "gross_weight", "物流重量（千克）"),
    measure("331n", "gross_length", "物流长度（米）"),
    measure("332n", "gross_width", "物流宽度（米）"),
    measure("333n", "gross_depth", "物流高度（米）"),
    measure("334n", "gross_area", "物流面积（平方米）"),
    measure("335n", "gross_volume", "物流容积（升）"),
    measure("336n", "gross_cubic", "物流体积（立方米）"),
    measure("337n", "kg_per_square_metre", "每平方米千克"),
    measure("340n", "gross_pounds", "物流重量（磅）"),
    measure("341n", "gross_length_inches", "物流长度（英寸）"),
    measure("342n", "gross_length_feet", "物流长度（英尺）"),
    measure("343n", "gross_length_yards", "物流长度（码）"),
    measure("344n", "gross_width_inches", "物流宽度（英寸）"),
    measure("345n", "gross_width_feet", "物流宽度（英尺）"),
    measure("346n", "gross_width_yards", "物流宽度（码）"),
    measure("347n", "gross_depth_inches", "物流高度（英寸）"),
    measure("348n", "gross_depth_feet", "物流高度（英尺）"),
    measure("349n", "gross_depth_yards", "物流高度（码）"),
    measure("350n", "area_inches", "面积（平方英寸）"),
    measure("351n", "area_feet", "面积（平方英尺）"),
    measure("352n", "area_yards", "面积（平方码）"),
    measure("353n", "gross_area_inches", "物流面积（平方英寸）"),
    measure("354n", "gross_area_feet", "物流面积（平方英尺）"),
    measure("355n", "gross_area_yards", "物流面积（平方码）"),
    measure("356n", "net_troy_ounces", "净重（金衡盎司）"),
    measure("357n", "net_ounces", "净重（盎司）"),
    measure("360n", "net_quarts", "净容积（夸脱）"),
    measure("361n", "net_gallons", "净容积（加仑）"),
    measure("362n", "gross_quarts", "物流容积（夸脱）"),
    measure("363n", "gross_gallons", "物流容积（加仑）"),
    measure("364n", "net_cubic_inches", "净体积（立方英寸）"),
    measure("365n", "net_cubic_feet", "净体积（立方英尺）"),
    measure("366n", "net_cubic_yards", "净体积（立方码）"),
    measure("367n", "gross_cubic_inches", "物流体积（立方英寸）"),
    measure("368n", "gross_cubic_feet", "物流体积（立方英尺）"),
    measure("369n", "gross_cubic_yards", "物流体积（立方码）"),
    other("37", "pieces", "物流单元内贸易项目的数量", COUNT),
    range("390n", 9, "amount", "应付金额", AMOUNT),
    range("391n", 9, "amount_in", "应付金额与货币", AMOUNT_IN),
    range("392n", 9, "price", "变量贸易项目应付金额", AMOUNT),
    range("393n", 9, "price_in", "变量贸易项目应付金额与货币", AMOUNT_IN),
    range("394n", 3, "percent_off", "优惠券折扣百分比", &[Part::digits(4)]),
    range("395n", 5, "unit_price", "单位计价", N6),
    other("400", "order", "客户订购单代码", X30),
    key("401", "ginc", "全球托运标识代码（GINC）", ASSET, NONE),
    key("402", "gsin", "全球装运标识代码（GSIN）", &[Part::digits(17).of(Rule::Check)], NONE),
    other("403", "route", "路径代码", X30),
    other("410", "ship_to", "交货地位置码", PLACE),
    other("411", "bill_to", "受票方位置码", PLACE),
    other("412", "purchased_from", "供货方位置码", PLACE),
    other("413", "ship_for", "最终目的地位置码", PLACE),
    key("414", "gln", "物理位置码", PLACE, &[&["254"], &["7040"]]),
    key("415", "pay_to", "开票方位置码", PLACE, &[&["8020"]]),
    other("416", "production_location", "生产或服务位置码", PLACE),
    key("417", "party", "参与方位置码", PLACE, &[&["7040"]]),
    other("420", "ship_to_post", "交货地邮政编码", X20),
    other(
        "421",
        "ship_to_country_post",
        "交货地国家与邮政编码",
        &[Part::digits(3).of(Rule::Country), Part::text(9)],
    ),
    other("422", "origin", "原产国", COUNTRY),
    other("423", "initial_processing", "初始加工国", COUNTRIES),
    other("424", "processing", "加工国", COUNTRY),
    other("425", "disassembly", "拆分国", COUNTRIES),
    other("426", "full_processing", "全程加工国", COUNTRY),
    other("427", "origin_subdivision", "原产国内行政区划", &[Part::text(3)]),
    other("4300", "ship_to_company", "收货单位", X35),
    other("4301", "ship_to_name", "收货联系人", X35),
    other("4302", "ship_to_address", "收货地址第一行", X70),
    other("4303", "ship_to_address_more", "收货地址第二行", X70),
    other("4304", "ship_to_suburb", "收货区县", X70),
    other("4305", "ship_to_locality", "收货城市", X70),
    other("4306", "ship_to_region", "收货省份", X70),
    other("4307", "ship_to_country", "收货国家", LAND),
    other("4308", "ship_to_phone", "收货电话", X30),
    other("4309", "ship_to_geo", "收货地经纬度", &[Part::digits(20).of(Rule::Geo)]),
    other("4310", "return_to_company", "退货单位", X35),
    other("4311", "return_to_name", "退货联系人", X35),
    other("4312", "return_to_address", "退货地址第一行", X70),
    other("4313", "return_to_address_more", "退货地址第二行", X70),
    other("4314", "return_to_suburb", "退货区县", X70),
    other("4315", "return_to_locality", "退货城市", X70),
    other("4316", "return_to_region", "退货省份", X70),
    other("4317", "return_to_country", "退货国家", LAND),
    other("4318", "return_to_post", "退货邮政编码", X20),
    other("4319", "return_to_phone", "退货电话", X30),
    other("4320", "service", "服务说明", X35),
    other("4321", "dangerous", "危险品标志", FLAG),
    other("4322", "leave_unattended", "允许无人签收", FLAG),
    other("4323", "signature_wanted", "须签收", FLAG),
    other("4324", "not_before", "最早交货时间", MOMENT0),
    other("4325", "not_after", "最晚交货时间", MOMENT0),
    other("4326", "release_date", "放行日期", DAY),
    other("4330", "highest_fahrenheit", "最高温度（华氏）", DEGREES),
    other("4331", "highest_celsius", "最高温度（摄氏）", DEGREES),
    other("4332", "lowest_fahrenheit", "最低温度（华氏）", DEGREES),
    other("4333", "lowest_celsius", "最低温度（摄氏）", DEGREES),
    other("7001", "nato_stock", "北约物资编号", &[Part::digits(13)]),
    other("7002", "meat_cut", "肉类分割产品代码", X30),
    other("7003", "expiry_time", "失效日期和时间", MOMENT),
    other("7004", "potency", "有效成分活性", &[Part::up_to(4)]),
    other("7005", "catch_area", "捕捞区域", &[Part::text(12)]),
    other("7006", "first_frozen", "首次冷冻日期", DAY),
    other(
        "7007",
        "harvest_date",
        "收获日期",
        &[Part::digits(6).of(Rule::Day), Part::digits(6).of(Rule::Day).maybe()],
    ),
    other("7008", "species", "水产品种", &[Part::text(3)]),
    other("7009", "fishing_gear", "渔具种类", &[Part::text(10)]),
    other("7010", "production_method", "生产方式", &[Part::text(2)]),
    other(
        "7011",
        "test_by",
        "检测截止日期",
        &[Part::digits(6).of(Rule::Day), Part::digits(4).of(Rule::HourMinute).maybe()],
    ),
    other("7020", "refurbishment_lot", "翻新批号", X20),
    other("7021", "functional_status", "功能状态", X20),
    other("7022", "revision_status", "修订状态", X20),
    other("7023", "assembly", "装配件单个资产代码", ASSET),
    range(
        "703n",
        9,
        "processor",
        "加工者核准号码",
        &[Part::digits(3).of(Rule::CountryOrAny), Part::text(27)],
    ),
    other(
        "7040",
        "importer",
        "唯一识别码扩展与进口商索引",
        &[Part::digits(1), Part::text_of(2), Part::text_of(1).of(Rule::Index)],
    ),
    other("7041", "freight_unit", "货运单元类型", &[Part::text(4)]),
    other("710", "nhrn_de", "国家医疗报销号（德国）", X20),
    other("711", "nhrn_fr", "国家医疗报销号（法国）", X20),
    other("712", "nhrn_es", "国家医疗报销号（西班牙）", X20),
    other("713", "nhrn_br", "国家医疗报销号（巴西）", X20),
    other("714", "nhrn_pt", "国家医疗报销号（葡萄牙）", X20),
    other("715", "nhrn_us", "国家医疗报销号（美国）", X20),
    other("716", "nhrn_it", "国家医疗报销号（意大利）", X20),
    other("717", "nhrn_cr", "国家医疗报销号（哥斯达黎加）", X20),
    range("723n", 9, "certification", "认证参考号", &[Part::text_of(2), Part::text(28)]),
    other("7240", "protocol", "试验方案号", X20),
    other("7241", "media_type", "自动识别介质类型", &[Part::digits(2).of(Rule::Media)]),
    other("7242", "version_control", "版本控制号", X25),
    other("7250", "born_on", "出生日期", &[Part::digits(8).of(Rule::LongDay)]),
    other(
        "7251",
        "born_at",
        "出生日期和时间",
        &[Part::digits(8).of(Rule::LongDay), Part::digits(4).of(Rule::HourMinute)],
    ),
    other("7252", "sex", "生理性别", &[Part::digits(1).of(Rule::Sex)]),
    other("7253", "family_name", "姓", &[Part::text(40).of(Rule::Escaped)]),
    other("7254", "given_name", "名", &[Part::text(40).of(Rule::Escaped)]),
    other("7255", "name_suffix", "姓名后缀", &[Part::text(10)]),
    other("7256", "full_name", "姓名", &[Part::text(90).of(Rule::Escaped)]),
    other("7257", "address", "个人地址", X70),
    other("7258", "birth_sequence", "出生顺序", &[Part::text_of(3).of(Rule::OfTotal)]),
    other("7259", "baby", "新生儿姓", &[Part::text(40).of(Rule::Escaped)]),
    other(
        "8001",
        "roll",
        "卷状产品",
        &[
            Part::digits(4).of(Rule::NotZero),
            Part::digits(5).of(Rule::NotZero),
            Part::digits(3).of(Rule::NotZero),
            Part::digits(1).of(Rule::Winding),
            Part::digits(1),
        ],
    ),
    other("8002", "mobile", "移动电话标识", X20),
    key(
        "8003",
        "grai",
        "全球可回收资产代码（GRAI）",
        &[Part::digits(1).of(Rule::Zero), Part::digits(13).of(Rule::Check), Part::text(16).maybe()],
        NONE,
    ),
    key("8004", "giai", "全球单个资产代码（GIAI）", ASSET, &[&["7040"]]),
    other("8005", "price_per_unit", "单价", N6),
    key("8006", "itip", "贸易项目组件代码（ITIP）", PIECE, &[&["22", "10", "21"]]),
    other("8007", "iban", "国际银行账号", &[Part::text(34).of(Rule::Iban)]),
    other(
        "8008",
        "production_time",
        "生产日期和时间",
        &[
            Part::digits(6).of(Rule::Day),
            Part::digits(2).of(Rule::Hour),
            Part::digits(2).of(Rule::Minute).maybe(),
            Part::digits(2).of(Rule::Minute).maybe(),
        ],
    ),
    other("8009", "sensor", "光学传感器参数", &[Part::text(50)]),
    key(
        "8010",
        "cpid",
        "组件部件代码（CPID）",
        &[Part::part_text(30).of(Rule::Company)],
        &[&["8011"]],
    ),
    other("8011", "cpid_serial", "组件部件序列号", &[Part::up_to(12).of(Rule::Plain)]),
    other("8012", "software_version", "软件版本", X20),
    key("8013", "gmn", "全球型号代码（GMN）", &[Part::text(25).of(Rule::Pair)], NONE),
    other(
        "8014",
        "device_model",
        "高度个体化医疗器械注册标识",
        &[Part::text(25).of(Rule::PairWithLetter)],
    ),
    key("8017", "gsrn_provider", "全球服务关系代码（提供方）", SERVICE, &[&["8019"]]),
    key("8018", "gsrn_recipient", "全球服务关系代码（接受方）", SERVICE, &[&["8019"]]),
    other("8019", "service_instance", "服务关系事项代码", &[Part::up_to(10)]),
    other("8020", "payment_reference", "付款单参考代码", X25),
    other("8026", "content_piece", "物流单元内贸易项目组件", PIECE),
    other("8030", "signature", "数字签名", &[Part::url_text(90).of(Rule::Padded)]),
    other("8110", "coupon", "北美优惠券代码", &[Part::text(70).of(Rule::Coupon)]),
    other("8111", "points", "优惠券积分", &[Part::digits(4)]),
    other("8112", "coupon_offer", "北美正向优惠券代码", &[Part::text(70).of(Rule::CouponOffer)]),
    other("8200", "product_url", "扩展包装网址", &[Part::text(70)]),
    other("90", "agreed", "贸易伙伴间约定的信息", X30),
    range("9n", 9, "internal", "公司内部信息", X90),
];

/// The identifier with this number.
pub(super) fn by_number(number: &str) -> Option<&'static Ai> {
    if !(2..=4).contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (stem, digit) = number.split_at(number.len() - 1);
    let in_range = |ai: &&Ai| {
        ai.number.strip_suffix('n') == Some(stem)
            && digit.parse::<u8>().is_ok_and(|digit| digit <= ai.last)
    };
    let exact = AIS.iter().find(|ai| ai.number == number);
    exact.or_else(|| AIS.iter().find(in_range))
}

/// The words that stood for numbers in links before version 1.2 of the standard; codes printed then
/// are still on the market, so they are read wherever a number may stand, and never written.
const WORDS: &[(&str, &str)] = &[
    ("sscc", "00"),
    ("gtin", "01"),
    ("cpv", "22"),
    ("lot", "10"),
    ("ser", "21"),
    ("gdti", "253"),
    ("glnx", "254"),
    ("gcn", "255"),
    ("ginc", "401"),
    ("gsin", "402"),
    ("gln", "414"),
    ("payTo", "415"),
    ("party", "417"),
    ("grai", "8003"),
    ("giai", "8004"),
    ("itip", "8006"),
    ("cpid", "8010"),
    ("cpsn", "8011"),
    ("gmn", "8013"),
    ("gsrnp", "8017"),
    ("gsrn", "8018"),
    ("srin", "8019"),
    ("refno", "8020"),
];

/// The number that a part of a path means.
pub(super) fn numbered(word: &str) -> &str {
    WORDS.iter().find(|(known, _)| *known == word).map_or(word, |(_, number)| number)
}

/// What may not stand in the query of a Digital Link: qualifiers belong to a key in the path, and the
/// others are of symbols alone. A lot number may, where the path has no place for it.
const NO_ATTRIBUTES: [&str; 12] =
    ["03", "21", "22", "235", "254", "7040", "7041", "8011", "8014", "8019", "8020", "8200"];

/// Whether a number may stand in the query of a Digital Link.
pub(super) fn is_attribute(number: &str) -> bool {
    !NO_ATTRIBUTES.contains(&number)
}

/// What begins the path of a Digital Link: the numbers of all primary keys, and their words.
pub fn link_keys() -> impl Iterator<Item = &'static str> {
    let keys = AIS.iter().filter(|ai| ai.qualifiers.is_some()).map(|ai| ai.number);
    let is_key = |number: &str| by_number(number).is_some_and(|ai| ai.qualifiers.is_some());
    keys.chain(WORDS.iter().filter(move |(_, number)| is_key(number)).map(|(word, _)| *word))
}

/// The length of number and value of those identifiers whose element needs no separator behind it,
/// by their first two digits (General Specifications, table of predefined lengths).
pub(super) fn predefined(number: &str) -> Option<usize> {
    Some(match number.get(..2)? {
        "00" => 20,
        "01" | "02" | "03" | "41" => 16,
        "04" => 18,
        "11" | "12" | "13" | "14" | "15" | "16" | "17" | "18" | "19" => 8,
        "20" => 4,
        "31" | "32" | "33" | "34" | "35" | "36" => 10,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        for (index, ai) in AIS.iter().enumerate() {
            assert!(
                AIS[..index].iter().all(|known| known.number != ai.number && known.name != ai.name),
                "{} is there twice",
                ai.number
            );
            for row in ai.qualifiers.unwrap_or_default() {
                for number in *row {
                    let qualifier = by_number(number).unwrap();
                    assert!(qualifier.qualifiers.is_none(), "{number} of {}", ai.number);
                }
            }
            // Lengths that need no separator are those of the table.
            let number = ai.number.replace('n', "0");
            if let Some(length) = predefined(&number) {
                let value: usize = ai.form.iter().map(Part::longest).sum();
                assert_eq!(number.len() + value, length, "{number}");
            }
            assert!(by_number(&number).is_some() || ai.number == "9n", "{number}");
        }
        for (word, number) in WORDS {
            assert!(by_number(number).is_some(), "{word}");
        }
        for number in NO_ATTRIBUTES {
            assert!(by_number(number).is_some_and(|ai| ai.qualifiers.is_none()), "{number}");
        }
        assert_eq!(link_keys().filter(|key| by_number(key).is_some()).count(), 16);
        for number in [
            "04", "14", "18", "19", "236", "3106", "3706", "3944", "7043", "8015", "1", "99999",
            "0a",
        ] {
            assert!(by_number(number).is_none(), "{number}");
        }
        assert_eq!(by_number("3103").unwrap().name, "net_content");
        assert_eq!(
            (by_number("90").unwrap().name, by_number("99").unwrap().name),
            ("agreed", "internal")
        );
    }
}
