//! What an administrator sends: what the outline is, and the boundary file itself (RFC 7946). Read
//! without building a tree of it, so that a file of the largest size stays small in memory; what is
//! wrong inside is kept as it is and said later, all of it at once.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use yj_kernel::{Problem, Result};

/// Divisions there are at most in one file: all of China has some 3 300.
pub(super) const FEATURES_MAX: usize = 4000;

/// The document as it came.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Sent {
    pub(super) name: Word,
    pub(super) approval_number: Word,
    pub(super) source: Word,
    pub(super) issued_year: Word,
    pub(super) datum: Word,
    pub(super) valid_until: Word,
    pub(super) outline: Option<Collection>,
}

/// A FeatureCollection; members that mean nothing to us are passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Collection {
    #[serde(rename = "type")]
    pub(super) kind: Word,
    pub(super) crs: Option<Crs>,
    pub(super) features: Features,
}

/// The reference system of files older than RFC 7946.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Crs {
    pub(super) properties: CrsName,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CrsName {
    pub(super) name: Word,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Feature {
    pub(super) properties: Properties,
    pub(super) geometry: Option<Geometry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Geometry {
    #[serde(rename = "type")]
    pub(super) kind: Word,
    pub(super) coordinates: Nest,
}

/// A text, a number as it is written, or what is neither.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Word {
    #[default]
    Absent,
    Text(String),
    Number(String),
    Other,
}

/// The features that are kept, and how many there are.
#[derive(Debug, Default)]
pub(super) struct Features {
    pub(super) kept: Vec<Feature>,
    pub(super) count: usize,
}

/// Which division a feature is.
#[derive(Debug, Default)]
pub(super) struct Properties {
    pub(super) code: Word,
    pub(super) name: Word,
}

/// Coordinates of any depth. A position that is none is not a number in its ring.
#[derive(Debug, Default)]
pub(super) enum Nest {
    #[default]
    Wrong,
    Number(f64),
    Position([f64; 2]),
    Ring(Vec<[f64; 2]>),
    List(Vec<Nest>),
}

/// A position that could not be read.
pub(super) const UNREAD: [f64; 2] = [f64::NAN, f64::NAN];

/// Rings or polygons of one geometry: as many as there may be points for.
const LIST_MAX: usize = 150_000;

/// Reads the body of a request.
pub(super) fn read(bytes: &[u8]) -> Result<Sent> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if std::str::from_utf8(bytes).is_err() {
        return Err(Problem::Malformed(String::from(
            "文件应为 UTF-8 编码；GB 18030 文件请转换后再传",
        )));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let sent: Sent = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let cause = error.inner();
        if cause.is_data() {
            let path = error.path().to_string();
            let said = cause.to_string();
            let detail = match said.split('`').nth(1) {
                Some(field) if said.starts_with("unknown field") => {
                    format!("没有 {field} 这个字段")
                }
                Some(field) if said.starts_with("duplicate field") => format!("重复的字段 {field}"),
                _ => {
                    String::from("类型不正确；边界文件应为 GeoJSON（RFC 7946）的 FeatureCollection")
                }
            };
            return Problem::invalid(if path == "." { String::new() } else { path }, detail);
        }
        let (line, column) = (cause.line(), cause.column());
        Problem::Malformed(format!("不是合法的 JSON（第 {line} 行第 {column} 列）"))
    })?;
    json.end().map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Problem::Malformed(format!("JSON 之后还有内容（第 {line} 行第 {column} 列）"))
    })?;
    Ok(sent)
}

/// Passes over the rest of a list.
fn skip<'de, A: SeqAccess<'de>>(items: &mut A) -> Result<(), A::Error> {
    while items.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

struct WordVisitor;

impl<'de> Visitor<'de> for WordVisitor {
    type Value = Word;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text or a number")
    }

    fn visit_str<E>(self, text: &str) -> Result<Word, E> {
        Ok(Word::Text(String::from(text.trim())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Word, E> {
        Ok(Word::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Word, E> {
        Ok(Word::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Word, E> {
        Ok(Word::Number(number.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Word, E> {
        Ok(Word::Absent)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Word, E> {
        Ok(Word::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Word, A::Error> {
        skip(&mut items).map(|()| Word::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Word, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Word::Other)
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordVisitor)
    }
}

struct FeaturesVisitor;

impl<'de> Visitor<'de> for FeaturesVisitor {
    type Value = Features;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of features")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Features, A::Error> {
        let mut features = Features::default();
        while features.kept.len() < FEATURES_MAX {
            let Some(feature) = items.next_element()? else { break };
            features.kept.push(feature);
        }
        features.count = features.kept.len();
        while items.next_element::<IgnoredAny>()?.is_some() {
            features.count += 1;
        }
        Ok(features)
    }
}

impl<'de> Deserialize<'de> for Features {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FeaturesVisitor)
    }
}

struct PropertiesVisitor;

impl<'de> Visitor<'de> for PropertiesVisitor {
    type Value = Properties;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("properties")
    }

    fn visit_unit<E>(self) -> Result<Properties, E> {
        Ok(Properties::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Properties, A::Error> {
        let mut found = Properties::default();
        while let Some(key) = entries.next_key::<String>()? {
            let place = match key.as_str() {
                // As the maps of 天地图 and of others call it.
                "code" | "adcode" | "gb" | "区划代码" | "行政区划代码" => &mut found.code,
                "name" | "名称" => &mut found.name,
                _ => {
                    entries.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let word = entries.next_value()?;
            if *place == Word::Absent {
                *place = word;
            }
        }
        Ok(found)
    }
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PropertiesVisitor)
    }
}

struct NestVisitor;

impl<'de> Visitor<'de> for NestVisitor {
    type Value = Nest;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("coordinates")
    }

    fn visit_f64<E>(self, number: f64) -> Result<Nest, E> {
        Ok(Nest::Number(number))
    }

    #[expect(clippy::cast_precision_loss, reason = "what is no degree is refused afterwards")]
    fn visit_i64<E>(self, number: i64) -> Result<Nest, E> {
        Ok(Nest::Number(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "what is no degree is refused afterwards")]
    fn visit_u64<E>(self, number: u64) -> Result<Nest, E> {
        Ok(Nest::Number(number as f64))
    }

    fn visit_unit<E>(self) -> Result<Nest, E> {
        Ok(Nest::Wrong)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Nest, E> {
        Ok(Nest::Wrong)
    }

    fn visit_str<E>(self, _: &str) -> Result<Nest, E> {
        Ok(Nest::Wrong)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Nest, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Nest::Wrong)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Nest, A::Error> {
        match items.next_element()? {
            None => Ok(Nest::List(Vec::new())),
            Some(Nest::Number(lon)) => position(lon, items),
            Some(Nest::Position(first)) => {
                let mut ring = vec![first];
                while let Some(item) = items.next_element()? {
                    ring.push(if let Nest::Position(position) = item { position } else { UNREAD });
                }
                Ok(Nest::Ring(ring))
            }
            Some(first) => {
                let mut list = vec![first];
                while list.len() < LIST_MAX {
                    let Some(item) = items.next_element()? else { return Ok(Nest::List(list)) };
                    list.push(item);
                }
                skip(&mut items)?;
                Ok(Nest::Wrong)
            }
        }
    }
}

/// Two numbers; a third, the height, is left aside.
fn position<'de, A: SeqAccess<'de>>(lon: f64, mut items: A) -> Result<Nest, A::Error> {
    let lat = items.next_element()?;
    let height = items.next_element()?;
    skip(&mut items)?;
    Ok(match (lat, height) {
        (Some(Nest::Number(lat)), None | Some(Nest::Number(_))) => Nest::Position([lon, lat]),
        _ => Nest::Wrong,
    })
}

impl<'de> Deserialize<'de> for Nest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NestVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whatever_is_wrong_inside() {
        let text = r#"{ "name": " 示例 ", "issued_year": 2024, "outline": { "type": "FeatureCollection",
            "features": [ { "properties": { "gb": 156610000, "name": ["x"], "other": {} },
            "geometry": { "coordinates": [[[1, 2, 9], [3], "x"]], "type": "Polygon" } } ] } }"#;
        let sent = read(text.as_bytes()).unwrap();
        assert_eq!(sent.name, Word::Text("示例".into()));
        assert_eq!(sent.issued_year, Word::Number("2024".into()));
        let feature = &sent.outline.unwrap().features.kept[0];
        assert_eq!(feature.properties.code, Word::Number("156610000".into()));
        assert_eq!(feature.properties.name, Word::Other);
        let Some(Geometry { coordinates: Nest::List(rings), .. }) = &feature.geometry else {
            panic!()
        };
        let Nest::Ring(ring) = &rings[0] else { panic!("{rings:?}") };
        assert_eq!(format!("{:?}", ring[0]), "[1.0, 2.0]");
        assert!(ring[1][0].is_nan() && ring[2][0].is_nan());
    }

    #[test]
    fn more_features_than_are_kept_are_only_counted() {
        let features = vec!["{}"; FEATURES_MAX + 3].join(",");
        let text = format!(r#"{{ "outline": {{ "features": [{features}] }} }}"#);
        let features = read(text.as_bytes()).unwrap().outline.unwrap().features;
        assert_eq!((features.kept.len(), features.count), (FEATURES_MAX, FEATURES_MAX + 3));
    }
}
