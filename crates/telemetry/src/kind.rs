//! 测量项目: what devices measure, in which unit, within which bounds a value can be true, and whether
//! one that does not change for hours is suspect (handbook §5.6 rule 36).

use yj_kernel::Codes;

/// What a device measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReadingKind {
    /// 温度
    Temperature,
    /// 相对湿度
    Humidity,
    /// 质量
    Weight,
    /// 经度, CGCS2000
    Longitude,
    /// 纬度, CGCS2000
    Latitude,
    /// 速度
    Speed,
    /// 压力
    Pressure,
    /// 计数
    Count,
    /// 光照度
    Illuminance,
    /// 二氧化碳浓度
    CarbonDioxide,
    /// 酸碱度
    Acidity,
    /// 电能
    Energy,
}

/// What there is to know of one.
struct About {
    kind: ReadingKind,
    code: &'static str,
    title: &'static str,
    /// UN/CEFACT code and how people write it.
    unit: (&'static str, &'static str),
    /// Values outside are marked 超出可信范围.
    plausible: (i64, i64),
    /// Whether nature never keeps it still for hours.
    varies: bool,
}

const fn about(
    (kind, code, title): (ReadingKind, &'static str, &'static str),
    unit: (&'static str, &'static str),
    plausible: (i64, i64),
    varies: bool,
) -> About {
    About { kind, code, title, unit, plausible, varies }
}

const ALL: [About; 12] = [
    about((ReadingKind::Temperature, "temperature", "温度"), ("CEL", "℃"), (-100, 2_000), true),
    about((ReadingKind::Humidity, "humidity", "相对湿度"), ("P1", "%"), (0, 100), true),
    about((ReadingKind::Weight, "weight", "质量"), ("KGM", "千克"), (-100, 10_000_000), false),
    about((ReadingKind::Longitude, "longitude", "经度"), ("DD", "°"), (-180, 180), false),
    about((ReadingKind::Latitude, "latitude", "纬度"), ("DD", "°"), (-90, 90), false),
    about((ReadingKind::Speed, "speed", "速度"), ("KMH", "千米/时"), (0, 1_200), false),
    about((ReadingKind::Pressure, "pressure", "压力"), ("KPA", "千帕"), (-101, 1_000_000), true),
    about((ReadingKind::Count, "count", "计数"), ("H87", "件"), (0, 1_000_000_000), false),
    about(
        (ReadingKind::Illuminance, "illuminance", "光照度"),
        ("LUX", "勒克斯"),
        (0, 200_000),
        false,
    ),
    about(
        (ReadingKind::CarbonDioxide, "carbon_dioxide", "二氧化碳"),
        ("59", "ppm"),
        (0, 1_000_000),
        true,
    ),
    about((ReadingKind::Acidity, "acidity", "酸碱度"), ("Q30", "pH"), (0, 14), false),
    about((ReadingKind::Energy, "energy", "电能"), ("KWH", "千瓦时"), (0, 1_000_000_000), false),
];

impl ReadingKind {
    /// Codes with labels.
    pub const CODES: Codes = &[
        ("temperature", "温度"),
        ("humidity", "相对湿度"),
        ("weight", "质量"),
        ("longitude", "经度"),
        ("latitude", "纬度"),
        ("speed", "速度"),
        ("pressure", "压力"),
        ("count", "计数"),
        ("illuminance", "光照度"),
        ("carbon_dioxide", "二氧化碳"),
        ("acidity", "酸碱度"),
        ("energy", "电能"),
    ];

    fn about(self) -> &'static About {
        // Every kind is listed; a test says so.
        ALL.iter().find(|about| about.kind == self).unwrap_or(&ALL[0])
    }

    /// The kind of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        ALL.iter().find(|about| about.code == code).map(|about| about.kind)
    }

    /// Stable code.
    pub fn code(self) -> &'static str {
        self.about().code
    }

    /// 中文名称
    pub fn title(self) -> &'static str {
        self.about().title
    }

    /// UN/CEFACT code of the one unit it is reported in.
    pub fn unit(self) -> &'static str {
        self.about().unit.0
    }

    /// The unit as people write it.
    pub fn unit_name(self) -> &'static str {
        self.about().unit.1
    }

    /// Between which whole units a value can be true.
    pub(crate) fn plausible(self) -> (i64, i64) {
        self.about().plausible
    }

    /// Whether a value that stays equal for hours is suspect.
    pub(crate) fn varies(self) -> bool {
        self.about().varies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_a_kind_of_its_own() {
        assert_eq!(ReadingKind::CODES.len(), ALL.len());
        for (code, title) in ReadingKind::CODES {
            let kind = ReadingKind::from_code(code).expect("listed");
            assert_eq!((kind.code(), kind.title()), (*code, *title));
        }
    }
}
