//! 行政区划 (GB/T 2260 and below), with validity. The public lists are incomplete, so an unknown
//! region is a warning and never a reason to refuse data (handbook §2.6, §3).

use std::{collections::BTreeMap, str::FromStr, sync::LazyLock};

use jiff::civil::Date;

use crate::{Rejected, text::checked_text};

/// A 行政区划代码 of 6 digits, or 9 or 12 below the county.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionCode(String);
checked_text!(RegionCode);

impl RegionCode {
    /// The significant digits: `61` for 陕西省, `6101` for 西安市. Everything inside a region
    /// starts with them.
    pub fn stem(&self) -> &str {
        match self.0.as_str() {
            code if code.len() > 6 => code,
            code if code.ends_with("0000") => &code[..2],
            code if code.ends_with("00") => &code[..4],
            code => code,
        }
    }

    /// Whether `other` is this region or lies inside it.
    pub fn covers(&self, other: &str) -> bool {
        other.starts_with(self.stem())
    }

    /// 1 province, 2 prefecture, 3 county, 4 town, 5 village.
    pub fn level(&self) -> u8 {
        match self.0.len() {
            12 => 5,
            9 => 4,
            _ => u8::try_from(self.stem().len() / 2).unwrap_or(3),
        }
    }

    /// The county, prefecture or province that this lies in.
    pub fn parent(&self) -> Option<Self> {
        let text = match self.level() {
            5 => String::from(&self.0[..9]),
            4 => String::from(&self.0[..6]),
            3 => format!("{}00", &self.0[..4]),
            2 => format!("{}0000", &self.0[..2]),
            _ => return None,
        };
        Some(Self(text))
    }
}

impl FromStr for RegionCode {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let text = text.trim();
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !matches!(text.len(), 6 | 9 | 12) || text.starts_with('0') {
            return Err(Rejected::new("行政区划代码应为 6、9 或 12 位数字，如 610116"));
        }
        Ok(Self(String::from(text)))
    }
}

/// What kind of row a region is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionKind {
    /// In GB/T 2260.
    Official,
    /// A development zone that only statistics count.
    Zone,
    /// A heading without territory of its own, such as 市辖区.
    Statistical,
}

/// One region of the register.
#[derive(Debug, Clone)]
pub struct Region {
    /// Its code.
    pub code: &'static str,
    /// Its own name.
    pub name: &'static str,
    /// 1 province, 2 prefecture, 3 county.
    pub level: u8,
    /// What kind of row it is.
    pub kind: RegionKind,
    /// First day, where known.
    pub valid_from: Option<Date>,
    /// First day on which it was no more.
    pub valid_to: Option<Date>,
    /// What it became.
    pub successors: Vec<&'static str>,
    parent: &'static str,
}

/// What the register says about a code on a day.
#[derive(Debug)]
pub enum Known<'a> {
    /// In force.
    Yes(&'a Region),
    /// Abolished, or not yet made.
    NotThen(&'a Region),
    /// Not in the register; show a warning.
    Unknown,
}

/// The register of regions.
pub struct Regions {
    by_code: BTreeMap<&'static str, Region>,
    centres: BTreeMap<&'static str, (&'static str, &'static str)>,
}

/// The register that ships with the product.
pub fn regions() -> &'static Regions {
    static REGIONS: LazyLock<Regions> = LazyLock::new(|| {
        let rows = include_str!("../../../data/regions/regions.csv").lines().skip(1);
        let centres = include_str!("../../../data/regions/centres.csv").lines().skip(1);
        Regions {
            by_code: rows.filter_map(read).map(|region| (region.code, region)).collect(),
            centres: centres
                .filter_map(|line| {
                    let mut cells = line.split(',');
                    Some((cells.next()?, (cells.next()?, cells.next()?)))
                })
                .collect(),
        }
    });
    &REGIONS
}

fn read(line: &'static str) -> Option<Region> {
    let mut cells = line.split(',');
    let mut next = || cells.next();
    let (code, name, level, parent) = (next()?, next()?, next()?.parse().ok()?, next()?);
    let (from, to, successors, kind) = (next()?, next()?, next()?, next()?);
    let kind = match kind {
        "zone" => RegionKind::Zone,
        "statistical" => RegionKind::Statistical,
        _ => RegionKind::Official,
    };
    let successors = successors.split(';').filter(|code| !code.is_empty()).collect();
    let (valid_from, valid_to) = (from.parse().ok(), to.parse().ok());
    Some(Region { code, name, level, kind, valid_from, valid_to, successors, parent })
}

impl Regions {
    /// The region with this code.
    pub fn get(&self, code: &str) -> Option<&Region> {
        self.by_code.get(code)
    }

    /// What a code means on a day.
    pub fn on(&self, code: &str, day: Date) -> Known<'_> {
        match self.get(code.get(..6).unwrap_or(code)) {
            None => Known::Unknown,
            Some(region)
                if region.valid_from.is_some_and(|from| day < from)
                    || region.valid_to.is_some_and(|to| day >= to) =>
            {
                Known::NotThen(region)
            }
            Some(region) => Known::Yes(region),
        }
    }

    /// The regions directly inside `parent`; the provinces for `None`.
    pub fn children(&self, parent: Option<&str>) -> impl Iterator<Item = &Region> {
        let parent = parent.unwrap_or_default();
        self.by_code.values().filter(move |region| region.parent == parent)
    }

    /// "陕西省西安市长安区"; the nearest known region above for codes below the county; the code
    /// itself when nothing is known.
    pub fn full_name(&self, code: &str) -> String {
        let Some(region) = self.get(code.get(..6).unwrap_or(code)) else {
            return String::from(code);
        };
        let name = if region.kind == RegionKind::Statistical { "" } else { region.name };
        if region.parent.is_empty() {
            return String::from(name);
        }
        self.full_name(region.parent) + name
    }

    /// Centre of a region, or of the nearest one above whose centre is known: longitude and
    /// latitude in degrees.
    pub fn centre(&self, code: &str) -> Option<(&'static str, &'static str)> {
        let code: RegionCode = code.parse().ok()?;
        match self.centres.get(code.as_str()) {
            Some(centre) => Some(*centre),
            None => self.centre(code.parent()?.as_str()),
        }
    }

    /// The centre of this prefecture; where it is not known, or all of the province is meant, those of
    /// everything in the province of these two digits.
    pub(crate) fn centres_within<'a>(
        &'a self,
        prefecture: &str,
        province: &'a str,
    ) -> impl Iterator<Item = (&'static str, &'static str)> + use<'a> {
        let whole = prefecture.ends_with("0000");
        let own = self.centres.get(prefecture).copied().filter(|_| !whole);
        let parts = self.centres.iter().filter(move |(code, _)| code.starts_with(province));
        own.into_iter().chain(parts.filter(move |_| own.is_none()).map(|(_, centre)| *centre))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn names_run_from_province_to_county() {
        assert_eq!(regions().full_name("610116"), "陕西省西安市长安区");
        assert_eq!(regions().full_name("110101"), "北京市东城区");
        assert_eq!(regions().full_name("810000"), "香港特别行政区");
        assert_eq!(regions().full_name("610116001"), "陕西省西安市长安区");
    }

    #[test]
    fn a_region_is_known_only_while_it_exists() {
        assert!(matches!(regions().on("500105", day("2024-01-01")), Known::Yes(_)));
        let Known::NotThen(former) = regions().on("500105", day("2026-01-01")) else { panic!() };
        assert_eq!(former.successors, ["500157"]);
        assert!(matches!(regions().on("653228", day("2020-01-01")), Known::NotThen(_)));
        assert!(matches!(regions().on("653228", day("2026-01-01")), Known::Yes(_)));
        assert!(matches!(
            regions().on("340174", day("2026-01-01")),
            Known::Yes(_) | Known::Unknown
        ));
        assert!(matches!(regions().on("999999", day("2026-01-01")), Known::Unknown));
    }

    #[test]
    fn regions_contain_what_starts_with_their_stem() {
        let code = |text: &str| text.parse::<RegionCode>().unwrap();
        assert!(code("610000").covers("610116"));
        assert!(code("610100").covers("610116001002"));
        assert!(!code("610100").covers("610403"));
        assert_eq!(code("610116001").parent(), Some(code("610116")));
        assert_eq!(code("610000").parent(), None);
        assert_eq!((code("610000").level(), code("610116").level()), (1, 3));
    }

    #[test]
    fn development_zones_are_marked() {
        let zones =
            regions().by_code.values().filter(|region| region.kind == RegionKind::Zone).count();
        assert_eq!(zones, 124);
    }

    #[test]
    fn every_region_has_a_centre_to_draw_it_at() {
        for code in regions().by_code.keys() {
            assert!(regions().centre(code).is_some(), "{code}");
        }
    }
}
