//! Whether a geometry is one: closed rings of enough points, inside China, in degrees.

use yj_model::{Datum, GeoPoint};

use super::{
    outline::{Path, path},
    sent::{Geometry, Nest, Word},
};

/// Longitude and latitude between which China lies, from 曾母暗沙 to 漠河.
const LON: std::ops::RangeInclusive<f64> = 73.0..=136.0;
const LAT: std::ops::RangeInclusive<f64> = 3.0..=54.0;

/// A geometry as it is kept.
#[derive(Debug, PartialEq)]
pub(super) enum Shape {
    /// Of each polygon the outer ring and its holes.
    Area(Vec<Vec<Path>>),
    /// Lines.
    Lines(Vec<Path>),
}

/// Reads geometries of one datum and counts their points. What is wrong is put down as path and
/// sentence.
pub(super) struct Reader {
    pub(super) datum: Datum,
    pub(super) points: usize,
    pub(super) errors: Vec<(String, String)>,
    /// Mistakes that were only counted: a list of numbers in place of rings has millions.
    pub(super) more: usize,
}

/// Mistakes of one geometry that are put into words.
const SAID_MAX: usize = 100;

impl Reader {
    fn wrong(&mut self, at: &str, detail: impl Into<String>) {
        if self.errors.len() < SAID_MAX {
            self.errors.push((String::from(at), detail.into()));
        } else {
            self.more += 1;
        }
    }

    /// Reads one geometry; where something is wrong, what comes back is not to be used.
    pub(super) fn read(&mut self, at: &str, geometry: &Geometry) -> Option<Shape> {
        let kind = match &geometry.kind {
            Word::Text(kind) => kind.as_str(),
            _ => "",
        };
        let place = format!("{at}.coordinates");
        match (kind, &geometry.coordinates) {
            ("Polygon", Nest::List(rings)) => Some(Shape::Area(vec![self.polygon(&place, rings)])),
            ("MultiPolygon", Nest::List(polygons)) if !polygons.is_empty() => {
                let mut kept = Vec::new();
                for (index, polygon) in polygons.iter().enumerate() {
                    let place = format!("{place}[{index}]");
                    match polygon {
                        Nest::List(rings) => kept.push(self.polygon(&place, rings)),
                        _ => self.wrong(&place, "应为多边形：由环组成的数组"),
                    }
                }
                Some(Shape::Area(kept))
            }
            ("LineString", Nest::Ring(points)) => {
                Some(Shape::Lines(vec![self.line(&place, points)]))
            }
            ("MultiLineString", Nest::List(lines)) if !lines.is_empty() => {
                let mut kept = Vec::new();
                for (index, line) in lines.iter().enumerate() {
                    let place = format!("{place}[{index}]");
                    match line {
                        Nest::Ring(points) => kept.push(self.line(&place, points)),
                        _ => self.wrong(&place, "应为线：由坐标组成的数组"),
                    }
                }
                Some(Shape::Lines(kept))
            }
            ("Polygon" | "MultiPolygon" | "LineString" | "MultiLineString", _) => {
                self.wrong(&place, format!("不是 {kind} 的坐标；应按 RFC 7946 的层次书写"));
                None
            }
            _ => {
                let detail = "应为 Polygon 或 MultiPolygon；界线用 LineString 或 MultiLineString";
                self.wrong(&format!("{at}.type"), detail);
                None
            }
        }
    }

    fn polygon(&mut self, at: &str, rings: &[Nest]) -> Vec<Path> {
        if rings.is_empty() {
            self.wrong(at, "多边形没有环");
        }
        let mut kept = Vec::new();
        for (index, ring) in rings.iter().enumerate() {
            let at = format!("{at}[{index}]");
            match ring {
                Nest::Ring(points) => kept.push(self.ring(&at, points)),
                _ => self.wrong(&at, "应为环：由至少 4 个坐标组成的数组"),
            }
        }
        kept
    }

    fn ring(&mut self, at: &str, points: &[[f64; 2]]) -> Path {
        let read = self.points(at, points);
        if points.len() < 4 {
            self.wrong(at, format!("环至少要有 4 个坐标，现为 {} 个", points.len()));
        } else if let Some(read) = &read {
            if read.first() != read.last() {
                self.wrong(at, "环没有闭合：最后一个坐标应与第一个相同");
            } else if area(read).abs() == 0.0 {
                self.wrong(at, "环的面积为零：坐标应围成一块区域");
            }
        }
        path(&read.unwrap_or_default())
    }

    fn line(&mut self, at: &str, points: &[[f64; 2]]) -> Path {
        let read = self.points(at, points);
        if points.len() < 2 {
            self.wrong(at, "线至少要有 2 个坐标");
        }
        path(&read.unwrap_or_default())
    }

    /// The points in CGCS2000. Of a ring only its first wrong point is named: one projected file
    /// has hundreds of thousands.
    fn points(&mut self, at: &str, points: &[[f64; 2]]) -> Option<Vec<[f64; 2]>> {
        self.points += points.len();
        let mut kept = Vec::with_capacity(points.len());
        for (index, point) in points.iter().enumerate() {
            match inside(*point, self.datum) {
                Ok(point) => kept.push(point),
                Err(detail) => {
                    self.wrong(&format!("{at}[{index}]"), detail);
                    return None;
                }
            }
        }
        Some(kept)
    }
}

fn inside(point: [f64; 2], datum: Datum) -> Result<[f64; 2], String> {
    let [lon, lat] = point;
    if !lon.is_finite() || !lat.is_finite() {
        return Err(String::from("应为 [经度, 纬度] 两个数字"));
    }
    if LON.contains(&lon) && LAT.contains(&lat) {
        return Ok(converted(point, datum));
    }
    Err(if LON.contains(&lat) && LAT.contains(&lon) {
        format!("[{lon}, {lat}] 的次序不对：经度在前，纬度在后")
    } else if lon.abs() > 180.0 || lat.abs() > 90.0 {
        format!("[{lon}, {lat}] 不是经纬度；投影坐标请转换为以度为单位的经纬度")
    } else {
        format!("[{lon}, {lat}] 不在中国范围内（经度 73 至 136，纬度 3 至 54）")
    })
}

/// The same place in CGCS2000.
#[expect(clippy::cast_precision_loss, reason = "degrees scaled by ten million fit 53 bits")]
fn converted([lon, lat]: [f64; 2], datum: Datum) -> [f64; 2] {
    if datum == Datum::Cgcs2000 {
        return [lon, lat];
    }
    let point = GeoPoint::parse(&format!("{lon:.7}"), &format!("{lat:.7}"), datum);
    point.map_or([lon, lat], |point| {
        let (lon, lat) = point.scaled();
        [lon as f64 / 1e7, lat as f64 / 1e7]
    })
}

/// Twice the area a ring encloses, in square degrees.
fn area(ring: &[[f64; 2]]) -> f64 {
    // From its own corner, so that a small ring is not lost among large numbers.
    let Some([x, y]) = ring.first() else { return 0.0 };
    let cross = |pair: &[[f64; 2]]| {
        (pair[0][0] - x) * (pair[1][1] - y) - (pair[1][0] - x) * (pair[0][1] - y)
    };
    ring.windows(2).map(cross).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(datum: Datum) -> Reader {
        Reader { datum, points: 0, errors: Vec::new(), more: 0 }
    }

    fn geometry(text: &str) -> Geometry {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn every_wrong_ring_is_named_where_it_stands() {
        let mut reader = reader(Datum::Cgcs2000);
        let wrong = geometry(
            r#"{ "type": "MultiPolygon", "coordinates": [
                [[[108,34],[109,34],[109,35],[108,34]]],
                [[[108,34],[109,34],[108,34]], [[108,34],[109,34],[109,35],[108,34.5]]],
                [[[108,34],[109,34],[110,34],[108,34]], [[34,108],[34,109],[35,109],[34,108]]],
                [[[108,34],[4e6,1e5],["x"],[108,34]]], 7 ] }"#,
        );
        reader.read("g", &wrong);
        let found: Vec<_> =
            reader.errors.iter().map(|(at, detail)| (at.as_str(), detail.as_str())).collect();
        for (at, word) in [
            ("g.coordinates[1][0]", "现为 3 个"),
            ("g.coordinates[1][1]", "没有闭合"),
            ("g.coordinates[2][0]", "面积为零"),
            ("g.coordinates[2][1][0]", "经度在前"),
            ("g.coordinates[3][0][1]", "不是经纬度"),
            ("g.coordinates[4]", "应为多边形"),
        ] {
            assert!(found.iter().any(|(a, d)| *a == at && d.contains(word)), "{at} {found:?}");
        }
        assert_eq!(found.len(), 6);
    }

    #[test]
    fn beyond_the_first_hundred_mistakes_are_only_counted() {
        let mut reader = reader(Datum::Cgcs2000);
        let many =
            format!(r#"{{ "type": "MultiPolygon", "coordinates": [[]{}] }}"#, ", 7".repeat(500));
        reader.read("g", &geometry(&many));
        assert_eq!((reader.errors.len(), reader.more), (SAID_MAX, 501 - SAID_MAX));
    }

    #[test]
    fn other_kinds_and_wrong_depths_are_refused() {
        for (text, at) in [
            (r#"{ "type": "Point", "coordinates": [108, 34] }"#, "g.type"),
            (r#"{ "coordinates": [] }"#, "g.type"),
            (r#"{ "type": "Polygon", "coordinates": [108, 34] }"#, "g.coordinates"),
            (r#"{ "type": "Polygon", "coordinates": [] }"#, "g.coordinates"),
            (r#"{ "type": "MultiPolygon", "coordinates": [] }"#, "g.coordinates"),
            (r#"{ "type": "LineString", "coordinates": [[108, 34]] }"#, "g.coordinates"),
        ] {
            let mut reader = reader(Datum::Cgcs2000);
            reader.read("g", &geometry(text));
            assert_eq!(reader.errors.len(), 1, "{text}");
            assert_eq!(reader.errors[0].0, at, "{text}");
        }
    }

    #[test]
    fn a_file_in_gcj_02_is_kept_in_cgcs2000() {
        let ring =
            r#"{ "type": "Polygon", "coordinates": [[[108,34],[109,34],[109,35],[108,34]]] }"#;
        let (mut plain, mut shifted) = (reader(Datum::Cgcs2000), reader(Datum::Gcj02));
        let (plain, shifted) = (
            plain.read("g", &geometry(ring)).unwrap(),
            shifted.read("g", &geometry(ring)).unwrap(),
        );
        let (Shape::Area(plain), Shape::Area(shifted)) = (plain, shifted) else { panic!() };
        let apart = plain[0][0][0] - shifted[0][0][0];
        assert!((20..=80).contains(&apart), "{apart} steps of ten metres");
    }
}
