//! Units of measure: the UN/CEFACT Recommendation 20 codes that trace data need, with exact
//! conversion inside one dimension.

use std::str::FromStr;

use crate::{Quantity, Ratio, Rejected, text::tidy};

/// What a unit measures. Quantities convert only inside one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// 质量
    Mass,
    /// 体积
    Volume,
    /// 长度
    Length,
    /// 面积
    Area,
    /// 件数
    Count,
    /// 包装: only a product's own ratio converts it.
    Package,
}

/// One unit.
#[derive(Debug)]
pub struct Unit {
    /// UN/CEFACT code.
    pub code: &'static str,
    /// 中文名称
    pub name: &'static str,
    /// What it measures.
    pub dimension: Dimension,
    /// How many base units of the dimension it is, as a fraction.
    factor: (i128, i128),
}

/// Code, name, dimension and size in base units (千克, 升, 米, 平方米, 个).
const UNITS: &[Unit] = &[
    unit("KGM", "千克", Dimension::Mass, 1, 1),
    unit("GRM", "克", Dimension::Mass, 1, 1000),
    unit("MGM", "毫克", Dimension::Mass, 1, 1_000_000),
    unit("TNE", "吨", Dimension::Mass, 1000, 1),
    unit("LTR", "升", Dimension::Volume, 1, 1),
    unit("MLT", "毫升", Dimension::Volume, 1, 1000),
    unit("MTQ", "立方米", Dimension::Volume, 1000, 1),
    unit("MTR", "米", Dimension::Length, 1, 1),
    unit("CMT", "厘米", Dimension::Length, 1, 100),
    unit("MMT", "毫米", Dimension::Length, 1, 1000),
    unit("KMT", "千米", Dimension::Length, 1000, 1),
    unit("MTK", "平方米", Dimension::Area, 1, 1),
    unit("HAR", "公顷", Dimension::Area, 10_000, 1),
    unit("MU", "亩", Dimension::Area, 2000, 3),
    unit("H87", "个", Dimension::Count, 1, 1),
    unit("EA", "件", Dimension::Count, 1, 1),
    unit("NIU", "计件单位", Dimension::Count, 1, 1),
    unit("HEA", "头", Dimension::Count, 1, 1),
    unit("DZN", "打", Dimension::Count, 12, 1),
    unit("PR", "双", Dimension::Count, 2, 1),
    unit("SET", "台套", Dimension::Package, 1, 1),
    unit("BX", "箱", Dimension::Package, 1, 1),
    unit("BG", "袋", Dimension::Package, 1, 1),
    unit("BO", "瓶", Dimension::Package, 1, 1),
    unit("CA", "罐", Dimension::Package, 1, 1),
    unit("CT", "纸箱", Dimension::Package, 1, 1),
    unit("PX", "托盘", Dimension::Package, 1, 1),
    unit("RO", "卷", Dimension::Package, 1, 1),
    unit("CY", "气瓶", Dimension::Package, 1, 1),
    unit("PK", "包", Dimension::Package, 1, 1),
    unit("BE", "捆", Dimension::Package, 1, 1),
];

/// Other Chinese names of units, and the code that they mean.
const OTHERWISE: &[(&str, &str)] = &[
    ("公斤", "KGM"),
    ("公吨", "TNE"),
    ("公升", "LTR"),
    ("立方", "MTQ"),
    ("公里", "KMT"),
    ("台", "SET"),
    ("套", "SET"),
];

/// Signs of units, in capitals. Some of them are codes of something else to UN/CEFACT, so that they are
/// units only where people write.
const SIGNS: &[(&str, &str)] = &[
    ("KG", "KGM"),
    ("G", "GRM"),
    ("MG", "MGM"),
    ("T", "TNE"),
    ("L", "LTR"),
    ("ML", "MLT"),
    ("M3", "MTQ"),
    ("M³", "MTQ"),
    ("M", "MTR"),
    ("CM", "CMT"),
    ("MM", "MMT"),
    ("KM", "KMT"),
    ("M2", "MTK"),
    ("M²", "MTK"),
];

const fn unit(
    code: &'static str,
    name: &'static str,
    dimension: Dimension,
    numerator: i128,
    denominator: i128,
) -> Unit {
    Unit { code, name, dimension, factor: (numerator, denominator) }
}

/// A known unit.
#[derive(Clone, Copy)]
pub struct UnitCode(&'static Unit);

impl UnitCode {
    /// 千克
    pub const KILOGRAM: Self = Self(&UNITS[0]);

    /// The unit.
    pub fn unit(self) -> &'static Unit {
        self.0
    }

    /// The code.
    pub fn as_str(self) -> &'static str {
        self.0.code
    }

    /// The unit that a cell of a form means: by its code, its name, or its sign, such as `kg`.
    pub fn meant(text: &str) -> Result<Self, Rejected> {
        let sign = tidy(text);
        let code = SIGNS.iter().find(|(known, _)| *known == sign).map(|(_, code)| *code);
        code.unwrap_or(text).parse()
    }

    /// All units.
    pub fn all() -> impl Iterator<Item = Self> {
        UNITS.iter().map(Self)
    }

    /// The unit in which amounts of its dimension are compared: itself, for packages.
    #[must_use]
    pub fn reference(self) -> Self {
        Self::all().find(|other| other.ratio(self).is_some()).unwrap_or(self)
    }

    /// Whether amounts in this unit and in another can be compared at all.
    pub fn is_comparable(self, other: Self) -> bool {
        let (one, two) = (self.0, other.0);
        self == other || (one.dimension == two.dimension && one.dimension != Dimension::Package)
    }

    /// The same amount in another unit of the same dimension, exactly; refused where four places
    /// cannot hold it.
    pub fn convert(self, quantity: Quantity, to: Self) -> Result<Quantity, Rejected> {
        if self == to {
            return Ok(quantity);
        }
        let (from, into) = (self.0, to.0);
        let Some((of, whole)) = self.ratio(to) else {
            return Err(Rejected::new(format!("{}不能换算为{}", from.name, into.name)));
        };
        let ratio = Ratio::of(of, whole);
        quantity.times_exactly(ratio).ok_or_else(|| {
            Rejected::new(format!(
                "{quantity} {}换算为{}后超出 4 位小数或范围",
                from.name, into.name
            ))
        })
    }

    /// The same amount in another unit, to the nearest of four places; nothing where it is of another
    /// dimension or too large.
    pub fn nearest(self, quantity: Quantity, to: Self) -> Option<Quantity> {
        if self == to {
            return Some(quantity);
        }
        let (of, whole) = self.ratio(to)?;
        quantity.times(Ratio::of(of, whole)).ok()
    }

    /// How much of another unit one of this is, as part and whole; nothing where it is of another
    /// dimension.
    pub fn ratio(self, to: Self) -> Option<(i128, i128)> {
        let (from, into) = (self.0, to.0);
        let comparable = from.dimension == into.dimension && from.dimension != Dimension::Package;
        (self == to).then_some((1, 1)).or_else(|| {
            comparable.then(|| (from.factor.0 * into.factor.1, from.factor.1 * into.factor.0))
        })
    }
}

impl FromStr for UnitCode {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let code = tidy(text);
        if code.is_empty() {
            return Err(Rejected::new("缺少计量单位，如 KGM 千克、TNE 吨、LTR 升、H87 个"));
        }
        let known = OTHERWISE.iter().find(|(word, _)| *word == code);
        let code = known.map_or(code.as_str(), |(_, meant)| *meant);
        let found = UNITS.iter().find(|unit| unit.code == code || unit.name == code);
        found.map(Self).ok_or_else(|| {
            // Half of a 千克: a quantity in it is not one in 千克, and is not converted behind backs.
            let hint = match code {
                "斤" | "市斤" => "1 斤为 0.5 千克，请换算后填写",
                "两" => "1 两为 0.05 千克，请换算后填写",
                "担" => "1 担为 50 千克，请换算后填写",
                _ => "应为 KGM 千克、TNE 吨、LTR 升、H87 个 等",
            };
            Rejected::new(format!("没有计量单位 {}，{hint}", text.trim()))
        })
    }
}

impl PartialEq for UnitCode {
    fn eq(&self, other: &Self) -> bool {
        self.0.code == other.0.code
    }
}
impl Eq for UnitCode {}
impl std::fmt::Display for UnitCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0.code)
    }
}
impl std::fmt::Debug for UnitCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0.code)
    }
}
crate::text::serde_as_text!(UnitCode);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn convert(quantity: &str, from: &str, to: &str) -> Result<String, Rejected> {
        let (from, to): (UnitCode, UnitCode) = (from.parse()?, to.parse()?);
        from.convert(quantity.parse()?, to).map(|quantity| quantity.to_string())
    }

    #[test]
    fn names_in_daily_use_mean_their_unit_and_half_kilograms_are_refused() {
        for (text, code) in [("公斤", "KGM"), ("台", "SET"), ("kgm", "KGM")] {
            assert_eq!(text.parse::<UnitCode>().unwrap().as_str(), code);
        }
        for (text, code) in [("kg", "KGM"), ("ｋｇ", "KGM"), ("t", "TNE"), ("吨", "TNE")] {
            assert_eq!(UnitCode::meant(text).unwrap().as_str(), code);
        }
        // To UN/CEFACT that is a thousand pieces.
        assert!("T".parse::<UnitCode>().is_err());
        for (_, code) in OTHERWISE.iter().chain(SIGNS) {
            assert!(code.parse::<UnitCode>().is_ok(), "{code}");
        }
        let refusal = |text: &str| text.parse::<UnitCode>().unwrap_err().to_string();
        assert_eq!(refusal("斤"), "没有计量单位 斤，1 斤为 0.5 千克，请换算后填写");
        assert!(refusal(" ").starts_with("缺少计量单位"));
    }

    #[test]
    fn amounts_convert_exactly_or_not_at_all() {
        assert_eq!(convert("1.5", "TNE", "KGM"), Ok("1500".into()));
        assert_eq!(convert("250", "克", "千克"), Ok("0.25".into()));
        assert_eq!(convert("3", "亩", "MTK"), Ok("2000".into()));
        assert!(convert("1", "亩", "MTK").is_err());
        assert!(convert("0.001", "GRM", "TNE").is_err());
        assert_eq!(convert("1", "KGM", "LTR").unwrap_err().to_string(), "千克不能换算为升");
        assert_eq!(convert("1", "BX", "BO").unwrap_err().to_string(), "箱不能换算为瓶");
    }

    proptest! {
        #[test]
        fn a_conversion_that_succeeds_can_be_undone(scaled in 0i64..1_000_000_000, from in 0..UNITS.len(), to in 0..UNITS.len()) {
            let (from, to) = (UnitCode(&UNITS[from]), UnitCode(&UNITS[to]));
            let quantity = Quantity::from_scaled(scaled).unwrap();
            if let Ok(converted) = from.convert(quantity, to) {
                prop_assert_eq!(to.convert(converted, from), Ok(quantity));
            }
        }
    }
}
