//! What makes a boundary file a base map: divisions that are there, each once, the whole of what the
//! 审图号 was given for. Everything that is wrong is said at once.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use yj_kernel::FieldError;
use yj_model::{Datum, Known, Region, RegionKind, regions};

use super::{
    approval_number::MapApproval,
    geometry::{Reader, Shape},
    outline::{self, CHINA, Division, Outline},
    sent::{Collection, FEATURES_MAX, Feature, Sent, Word},
};

/// Points of a file.
const POINTS_MAX: usize = 600_000;
/// Mistakes that are named one by one.
const ERRORS_MAX: usize = 100;
/// What does not speak against a file but is worth a look.
const NOTICES_MAX: usize = 50;
const YEARS_FROM: i16 = 1990;
/// Reference systems of older files that are longitude and latitude.
const DEGREES: [&str; 4] = ["CRS84", "4326", "4490", "CGCS2000"];

/// What a file holds.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) outline: Outline,
    pub(super) points: usize,
    pub(super) notices: Vec<String>,
}

/// The divisions of a file that were understood.
struct Divisions {
    kept: Vec<Division>,
    lines: Vec<outline::Path>,
    seen: BTreeMap<String, usize>,
    notices: Vec<String>,
}

/// Checks a document on a day.
pub(super) fn check(sent: &Sent, today: Date) -> Result<Checked, Vec<FieldError>> {
    let mut errors = Errors::default();
    let name = errors.text("name", &sent.name, 2..=60);
    let source = errors.text("source", &sent.source, 2..=200);
    let approval = errors.approval(&sent.approval_number, today);
    let issued_year = errors.year(&sent.issued_year, today);
    let datum = errors.datum(&sent.datum);
    let valid_until = errors.last_day(&sent.valid_until, today);
    let mut reader =
        Reader { datum: datum.unwrap_or(Datum::Cgcs2000), points: 0, errors: Vec::new(), more: 0 };
    let found = if let Some(collection) = &sent.outline {
        divisions(&mut errors, &mut reader, collection, today)
    } else {
        errors.add("outline", "缺少边界文件：GeoJSON 的 FeatureCollection");
        Divisions::new()
    };
    // Parts that are missing are worth saying only of a file whose features are right.
    let coverage = (errors.count() == 0 && !found.kept.is_empty())
        .then(|| coverage(&mut errors, &found.seen, today))
        .flatten();
    if let (Some(approval), Some(coverage)) = (&approval, coverage.as_deref()) {
        errors.authority(approval, coverage);
    }
    if errors.count() > 0 {
        return Err(errors.capped());
    }
    let (Some(approval), Some(coverage)) = (approval, coverage) else {
        return Err(vec![FieldError {
            field: String::from("outline"),
            detail: String::from("边界文件中没有行政区划"),
        }]);
    };
    let outline = Outline {
        name,
        approval_number: String::from(approval.as_str()),
        source,
        issued_year,
        datum: match &sent.datum {
            Word::Text(code) => code.to_lowercase(),
            _ => String::new(),
        },
        valid_until,
        coverage,
        scale: outline::scale(),
        divisions: found.kept,
        lines: found.lines,
    };
    Ok(Checked { outline, points: reader.points, notices: found.notices })
}

/// The first mistakes, and how many more there are.
#[derive(Default)]
struct Errors {
    said: Vec<FieldError>,
    more: usize,
}

impl Errors {
    const fn count(&self) -> usize {
        self.said.len() + self.more
    }

    fn add(&mut self, field: impl Into<String>, detail: impl Into<String>) {
        if self.said.len() < ERRORS_MAX {
            self.said.push(FieldError { field: field.into(), detail: detail.into() });
        } else {
            self.more += 1;
        }
    }

    fn text(
        &mut self,
        field: &str,
        word: &Word,
        length: std::ops::RangeInclusive<usize>,
    ) -> String {
        match word {
            Word::Text(text)
                if length.contains(&text.chars().count())
                    && !text.chars().any(char::is_control) =>
            {
                text.clone()
            }
            _ => {
                let (least, most) = (length.start(), length.end());
                self.add(field, format!("应为 {least} 至 {most} 个字的文本"));
                String::new()
            }
        }
    }

    fn approval(&mut self, word: &Word, today: Date) -> Option<MapApproval> {
        let text = if let Word::Text(text) = word { text.as_str() } else { "" };
        match text.parse::<MapApproval>() {
            Ok(approval) if approval.year() > today.year() => {
                self.add("approval_number", "审图号的年份不能晚于今年");
                None
            }
            Ok(approval) => Some(approval),
            Err(error) => {
                self.add("approval_number", error.0);
                None
            }
        }
    }

    fn year(&mut self, word: &Word, today: Date) -> i16 {
        let year = match word {
            Word::Number(text) | Word::Text(text) => text.parse().ok(),
            _ => None,
        };
        let sound = year.filter(|year| (YEARS_FROM..=today.year()).contains(year));
        if sound.is_none() {
            let detail = format!("应为 {YEARS_FROM} 至 {} 之间的年份，如 2024", today.year());
            self.add("issued_year", detail);
        }
        sound.unwrap_or_default()
    }

    fn datum(&mut self, word: &Word) -> Option<Datum> {
        let code = if let Word::Text(code) = word { code.to_lowercase() } else { String::new() };
        // WGS-84 is CGCS2000 to the centimetre.
        let datum = match code.as_str() {
            "wgs84" => Some(Datum::Cgcs2000),
            other => Datum::from_code(other),
        };
        let detail = match datum {
            Some(Datum::Cgcs2000 | Datum::Gcj02) => return datum,
            Some(Datum::Bd09) => {
                "不接受 BD-09：没有公开的精确换算，界线会偏移；请改用 CGCS2000（或 WGS-84、GCJ-02）坐标的文件"
            }
            None => "应为坐标系代码：cgcs2000、wgs84 或 gcj02",
        };
        self.add("datum", detail);
        None
    }

    fn last_day(&mut self, word: &Word, today: Date) -> Option<Date> {
        let day = match word {
            Word::Absent => return None,
            Word::Text(text) if text.is_empty() => return None,
            Word::Text(text) => text.parse::<Date>().ok(),
            _ => None,
        };
        match day {
            Some(day) if day >= today => Some(day),
            Some(_) => {
                self.add("valid_until", "审图号已过有效期；请使用有效的底图");
                None
            }
            None => {
                self.add("valid_until", "应为日期，如 2027-12-31；没有有效期的不填");
                None
            }
        }
    }

    /// An authority approves maps of its own province; one of the nation any.
    fn authority(&mut self, approval: &MapApproval, coverage: &str) {
        let Some(province) = approval.province() else { return };
        let name = |digits: &str| called(&format!("{}0000", &digits[..2]));
        if coverage == CHINA {
            let detail = format!(
                "{approval} 由{}审核，只用于该省地图；全国底图应有 GS 开头的审图号",
                name(province)
            );
            self.add("approval_number", detail);
        } else if !coverage.starts_with(province) {
            let detail =
                format!("{approval} 由{}审核，与底图的{}不符", name(province), called(coverage));
            self.add("approval_number", detail);
        }
    }

    /// What is answered.
    fn capped(mut self) -> Vec<FieldError> {
        if self.more > 0 {
            let detail = format!("另有 {} 处错误，改正以上各处后再查", self.more);
            self.said.push(FieldError { field: String::from("outline"), detail });
        }
        self.said
    }
}

impl Divisions {
    const fn new() -> Self {
        Self { kept: Vec::new(), lines: Vec::new(), seen: BTreeMap::new(), notices: Vec::new() }
    }

    fn notice(&mut self, text: String) {
        if self.notices.len() < NOTICES_MAX {
            self.notices.push(text);
        }
    }
}

fn divisions(
    errors: &mut Errors,
    reader: &mut Reader,
    collection: &Collection,
    today: Date,
) -> Divisions {
    let mut found = Divisions::new();
    if collection.kind != Word::Text(String::from("FeatureCollection")) {
        errors.add("outline.type", "应为 FeatureCollection");
    }
    if let Some(crs) = &collection.crs
        && let Word::Text(name) = &crs.properties.name
        && !DEGREES.iter().any(|known| name.contains(known))
    {
        errors.add("outline.crs", format!("{name} 不是经纬度；请转换为 CGCS2000 经纬度"));
    }
    let features = &collection.features;
    if features.count == 0 {
        errors.add("outline.features", "没有要素；每个行政区划应为一个要素");
    }
    if features.count > FEATURES_MAX {
        let detail = format!("要素至多 {FEATURES_MAX} 个，现为 {} 个", features.count);
        errors.add("outline.features", detail);
        return found;
    }
    for (index, feature) in features.kept.iter().enumerate() {
        let at = format!("outline.features[{index}]");
        let shape = if let Some(geometry) = &feature.geometry {
            reader.read(&format!("{at}.geometry"), geometry)
        } else {
            errors.add(format!("{at}.geometry"), "缺少几何：应为 Polygon 或 MultiPolygon");
            None
        };
        for (field, detail) in std::mem::take(&mut reader.errors) {
            errors.add(field, detail);
        }
        errors.more += std::mem::take(&mut reader.more);
        match shape {
            // A line bounds and is no division.
            Some(Shape::Lines(lines)) => found.lines.extend(lines),
            Some(Shape::Area(polygons)) => {
                if let Some((code, name)) = division(errors, &mut found, (index, feature), today) {
                    found.kept.push(Division { code, name, polygons });
                }
            }
            None => {
                division(errors, &mut found, (index, feature), today);
            }
        }
    }
    if reader.points > POINTS_MAX {
        let detail = format!(
            "坐标至多 {POINTS_MAX} 个，现为 {} 个；请使用比例尺较小的官方底图",
            reader.points
        );
        errors.add("outline.features", detail);
    }
    found
}

/// Which division a feature is, by its code and name.
fn division(
    errors: &mut Errors,
    found: &mut Divisions,
    (index, feature): (usize, &Feature),
    today: Date,
) -> Option<(String, String)> {
    let at = format!("outline.features[{index}].properties");
    let before = errors.count();
    let name = errors.text(&format!("{at}.name"), &feature.properties.name, 2..=50);
    let code_at = format!("{at}.code");
    let code = match &feature.properties.code {
        Word::Text(code) | Word::Number(code) => plain_code(code),
        _ => None,
    };
    let Some(code) = code else {
        errors.add(code_at, "应为 GB/T 2260 的 6 位行政区划代码，如 610100");
        return None;
    };
    match known(&code, &name, today) {
        Ok(Some(notice)) => found.notice(format!("{code} {name}：{notice}")),
        Ok(None) => {}
        Err(detail) => errors.add(code_at.as_str(), detail),
    }
    if let Some(first) = found.seen.insert(code.clone(), index) {
        let detail = format!("{code} 与 features[{first}] 重复；一个行政区划应为一个要素");
        errors.add(code_at, detail);
    }
    (errors.count() == before).then_some((code, name))
}

/// Six digits; 天地图 writes the code of the country, 156, before them.
fn plain_code(code: &str) -> Option<String> {
    let code = code.trim();
    let code = if code.len() == 9 { code.strip_prefix("156")? } else { code };
    let sound = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
    sound.then(|| String::from(code))
}

/// What the register says about a division. The register is incomplete, so that an unknown county
/// is worth a look and no mistake; a code that belongs to somebody else is one.
fn known(code: &str, name: &str, today: Date) -> Result<Option<String>, String> {
    let province = format!("{}0000", &code[..2]);
    if regions().get(&province).is_none() {
        return Err(format!("{code} 不属于任何省级行政区；应为 GB/T 2260 的代码"));
    }
    let (region, notice) = match regions().on(code, today) {
        Known::Unknown => return Ok(Some(String::from("平台的区划表中没有，请核对代码"))),
        Known::Yes(region) => (region, None),
        Known::NotThen(region) => (region, Some(String::from("今日不是现行的区划，请核对版本"))),
    };
    if region.kind == RegionKind::Statistical {
        return Err(format!("{code}（{}）是汇总行，没有自己的区域", region.name));
    }
    let same = region.name.starts_with(name) || name.starts_with(region.name);
    if same {
        Ok(notice)
    } else {
        Err(format!("{code} 是{}，与名称“{name}”不符", region.name))
    }
}

fn called(code: &str) -> String {
    regions().get(code).map_or_else(|| String::from(code), |region| String::from(region.name))
}

/// What a file is a whole map of: the country or one province. A map from which parts are missing
/// is none (公开地图内容表示规范).
fn coverage(errors: &mut Errors, seen: &BTreeMap<String, usize>, today: Date) -> Option<String> {
    let provinces: BTreeSet<&str> = seen.keys().map(|code| &code[..2]).collect();
    let (whole, missing) = if provinces.len() == 1 {
        let province = format!("{}0000", provinces.first()?);
        let missing = lacking(seen, &province, today);
        (province, missing)
    } else {
        let all = regions().children(None);
        let missing = all.filter(|region| !seen.contains_key(region.code)).collect();
        (String::from(CHINA), missing)
    };
    if missing.is_empty() {
        return Some(whole);
    }
    let names: Vec<_> = missing
        .iter()
        .take(10)
        .map(|region| format!("{}（{}）", region.name, region.code))
        .collect();
    let (count, names) = (missing.len(), names.join("、"));
    let rule = if whole == CHINA {
        "全国底图应包含全部省级行政区，一个都不能少"
    } else {
        "省级底图应包含该省本身，或其全部地级（直辖市为县级）行政区"
    };
    errors.add("outline.features", format!("缺少 {count} 个：{names}；{rule}"));
    None
}

/// What a map of a province lacks: nothing where the province itself is there.
fn lacking(seen: &BTreeMap<String, usize>, province: &str, today: Date) -> Vec<&'static Region> {
    if seen.contains_key(province) {
        return Vec::new();
    }
    let official = |region: &&Region| {
        region.kind == RegionKind::Official
            && matches!(regions().on(region.code, today), Known::Yes(_))
    };
    let below = |parent: &str| -> Vec<_> {
        regions().children(Some(parent)).filter(official).collect::<Vec<_>>()
    };
    let prefectures = below(province);
    let parts = if prefectures.is_empty() {
        let headings = regions().children(Some(province));
        headings.flat_map(|heading| below(heading.code)).collect()
    } else {
        prefectures
    };
    if parts.is_empty() {
        return regions().get(province).into_iter().collect();
    }
    parts.into_iter().filter(|region| !seen.contains_key(region.code)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_the_maps_of_the_nation_write_them() {
        assert_eq!(plain_code("610100").as_deref(), Some("610100"));
        assert_eq!(plain_code("156610100").as_deref(), Some("610100"));
        for wrong in ["61", "61010", "610100001", "6101OO", "１２３４５６"] {
            assert_eq!(plain_code(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_code_and_a_name_belong_together() {
        let today = "2026-11-19".parse().unwrap();
        assert_eq!(known("610100", "西安市", today), Ok(None));
        assert_eq!(known("150000", "内蒙古", today), Ok(None));
        assert!(known("610199", "新设区", today).unwrap().is_some());
        assert!(known("500105", "江北区", today).unwrap().unwrap().contains("现行"));
        assert!(known("610100", "宝鸡市", today).unwrap_err().contains("西安市"));
        assert!(known("110100", "市辖区", today).unwrap_err().contains("汇总行"));
        assert!(known("990000", "示例", today).unwrap_err().contains("省级"));
    }

    #[test]
    fn a_province_is_whole_by_itself_or_by_all_its_parts() {
        let today = "2026-11-19".parse().unwrap();
        let seen = |codes: &[&str]| codes.iter().map(|code| (String::from(*code), 0)).collect();
        assert!(lacking(&seen(&["610000"]), "610000", today).is_empty());
        let missing = lacking(&seen(&["610100"]), "610000", today);
        assert_eq!(missing.len(), 9);
        assert!(missing.iter().any(|region| region.name == "宝鸡市"));
        // A 直辖市 has no prefectures.
        assert!(lacking(&seen(&["110101"]), "110000", today).iter().all(|one| one.level == 3));
        assert_eq!(lacking(&seen(&[]), "710000", today)[0].code, "710000");
    }
}
