//! Coordinates with their datum (handbook §3.4): stored as CGCS2000, converted only at the edge.

use crate::Rejected;

/// The datum a coordinate was measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datum {
    /// CGCS2000; within centimetres of WGS-84.
    Cgcs2000,
    /// GCJ-02, used by most web maps in China.
    Gcj02,
    /// BD-09, used by 百度.
    Bd09,
}

impl Datum {
    /// The datum with this code of [`DATUMS`](crate::DATUMS).
    pub fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "cgcs2000" => Self::Cgcs2000,
            "gcj02" => Self::Gcj02,
            "bd09" => Self::Bd09,
            _ => return None,
        })
    }

    /// The code of [`DATUMS`](crate::DATUMS) that a text means, as people and programs write it:
    /// `GCJ-02`, `gcj02`, `火星坐标系`; WGS-84 is CGCS2000 to within centimetres.
    pub fn code_of(text: &str) -> Result<String, Rejected> {
        let known = crate::DATUMS.iter().find(|(code, label)| *code == text || *label == text);
        let plain: String = text.chars().filter(|letter| letter.is_alphanumeric()).collect();
        let code = match plain.to_ascii_lowercase().as_str() {
            _ if known.is_some() => known.map_or("", |(code, _)| code),
            "cgcs2000"
            | "cgcs"
            | "2000"
            | "国家2000"
            | "2000国家大地坐标系"
            | "国家2000坐标系"
            | "epsg4490"
            | "wgs84"
            | "wgs1984"
            | "epsg4326"
            | "gps"
            | "天地图"
            | "北斗" => "cgcs2000",
            "gcj02" | "gcj" | "gcj2002" | "火星" | "火星坐标" | "火星坐标系" | "国测局"
            | "高德" | "腾讯" => "gcj02",
            "bd09" | "bd09ll" | "bd" | "百度" | "百度坐标" | "百度坐标系" => "bd09",
            _ => {
                return Err(Rejected::new(
                    "应为 CGCS2000（WGS-84 视同）、GCJ-02（高德、腾讯地图）或 BD-09（百度地图）",
                ));
            }
        };
        Ok(String::from(code))
    }
}

/// A point in CGCS2000, in ten-millionths of a degree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeoPoint {
    lon: i64,
    lat: i64,
}

const SCALE: f64 = 1e7;

impl GeoPoint {
    /// From stored parts.
    pub const fn from_scaled(lon: i64, lat: i64) -> Self {
        Self { lon, lat }
    }

    /// Longitude and latitude in ten-millionths of a degree.
    pub const fn scaled(self) -> (i64, i64) {
        (self.lon, self.lat)
    }

    /// Longitude and latitude as decimal texts.
    pub fn texts(self) -> (String, String) {
        let text = |scaled: i64| {
            let sign = if scaled < 0 { "-" } else { "" };
            let text =
                format!("{sign}{}.{:07}", scaled.abs() / 10_000_000, scaled.abs() % 10_000_000);
            String::from(text.trim_end_matches('0').trim_end_matches('.'))
        };
        (text(self.lon), text(self.lat))
    }

    /// The same place in another datum: what a map of that datum must be given, as
    /// ten-millionths of a degree.
    pub fn in_datum(self, datum: Datum) -> (i64, i64) {
        let (lon, lat) = (degrees_of(self.lon), degrees_of(self.lat));
        let (lon, lat) = match datum {
            Datum::Cgcs2000 => return self.scaled(),
            Datum::Gcj02 => shift(lon, lat),
            Datum::Bd09 => {
                let (lon, lat) = shift(lon, lat);
                baidu(lon, lat)
            }
        };
        (scale(lon), scale(lat))
    }

    /// Reads decimal degrees of a datum.
    pub fn parse(lon: &str, lat: &str, datum: Datum) -> Result<Self, Rejected> {
        let (lon, lat) = (degrees(lon, 180, "经度")?, degrees(lat, 90, "纬度")?);
        let (lon, lat) = match datum {
            Datum::Cgcs2000 => (lon, lat),
            Datum::Gcj02 => unshift(lon, lat),
            Datum::Bd09 => {
                let (lon, lat) = unbaidu(lon, lat);
                unshift(lon, lat)
            }
        };
        Ok(Self { lon: scale(lon), lat: scale(lat) })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "bounded to ±180 degrees before scaling")]
fn scale(degrees: f64) -> i64 {
    (degrees * SCALE).round() as i64
}

#[expect(clippy::cast_precision_loss, reason = "degrees scaled by ten million fit 53 bits")]
fn degrees_of(scaled: i64) -> f64 {
    scaled as f64 / SCALE
}

fn degrees(text: &str, bound: u32, name: &str) -> Result<f64, Rejected> {
    let wrong =
        || Rejected(format!("{name}应为 -{bound} 至 {bound} 之间的十进制度数，如 108.9480000"));
    let text = text.trim();
    let sound = !text.is_empty()
        && text.len() <= 14
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
    let value: f64 = if sound { text.parse().map_err(|_| wrong())? } else { return Err(wrong()) };
    if value.abs() <= f64::from(bound) { Ok(value) } else { Err(wrong()) }
}

/// Krasovsky 1940, as the public GCJ-02 formula has it.
const RADIUS: f64 = 6_378_245.0;
const ECCENTRICITY: f64 = 0.006_693_421_622_965_943;

/// Outside this box the maps do not shift.
fn is_shifted(lon: f64, lat: f64) -> bool {
    (72.004..=137.8347).contains(&lon) && (0.8293..=55.8271).contains(&lat)
}

fn shift(lon: f64, lat: f64) -> (f64, f64) {
    use std::f64::consts::PI;
    if !is_shifted(lon, lat) {
        return (lon, lat);
    }
    let (x, y) = (lon - 105.0, lat - 35.0);
    let wave = |value: f64, unit: f64| (value * unit * PI).sin();
    let common = (20.0 * wave(x, 6.0) + 20.0 * wave(x, 2.0)) * 2.0 / 3.0;
    let north = -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * x.abs().sqrt()
        + common
        + (20.0 * wave(y, 1.0) + 40.0 * wave(y, 1.0 / 3.0)) * 2.0 / 3.0
        + (160.0 * wave(y, 1.0 / 12.0) + 320.0 * wave(y, 1.0 / 30.0)) * 2.0 / 3.0;
    let east = 300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * x.abs().sqrt()
        + common
        + (20.0 * wave(x, 1.0) + 40.0 * wave(x, 1.0 / 3.0)) * 2.0 / 3.0
        + (150.0 * wave(x, 1.0 / 12.0) + 300.0 * wave(x, 1.0 / 30.0)) * 2.0 / 3.0;
    let radians = lat / 180.0 * PI;
    let magic = 1.0 - ECCENTRICITY * radians.sin().powi(2);
    let north = north * 180.0 / ((RADIUS * (1.0 - ECCENTRICITY)) / (magic * magic.sqrt()) * PI);
    let east = east * 180.0 / (RADIUS / magic.sqrt() * radians.cos() * PI);
    (lon + east, lat + north)
}

/// The shift has no closed inverse; three corrections bring it below a centimetre.
fn unshift(lon: f64, lat: f64) -> (f64, f64) {
    let (mut x, mut y) = (lon, lat);
    for _ in 0..3 {
        let (shifted_x, shifted_y) = shift(x, y);
        (x, y) = (x + lon - shifted_x, y + lat - shifted_y);
    }
    (x, y)
}

fn baidu(lon: f64, lat: f64) -> (f64, f64) {
    let turn = std::f64::consts::PI * 3000.0 / 180.0;
    let radius = lon.hypot(lat) + 0.000_02 * (lat * turn).sin();
    let angle = lat.atan2(lon) + 0.000_003 * (lon * turn).cos();
    (radius * angle.cos() + 0.0065, radius * angle.sin() + 0.006)
}

fn unbaidu(lon: f64, lat: f64) -> (f64, f64) {
    let turn = std::f64::consts::PI * 3000.0 / 180.0;
    let (x, y) = (lon - 0.0065, lat - 0.006);
    let radius = x.hypot(y) - 0.000_02 * (y * turn).sin();
    let angle = y.atan2(x) - 0.000_003 * (x * turn).cos();
    (radius * angle.cos(), radius * angle.sin())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgetting_the_datum_would_be_hundreds_of_metres_wrong() {
        let (lon, lat) = ("108.9480240", "34.2631610");
        let plain = GeoPoint::parse(lon, lat, Datum::Cgcs2000).unwrap();
        for datum in [Datum::Gcj02, Datum::Bd09] {
            let other = GeoPoint::parse(lon, lat, datum).unwrap();
            let metres = (plain.lon - other.lon).abs().max((plain.lat - other.lat).abs()) / 100;
            assert!((300..2000).contains(&metres), "{metres}");
        }
    }

    #[test]
    fn the_shift_can_be_undone_to_a_centimetre() {
        let (x, y) = shift(108.948_024, 34.263_161);
        let (lon, lat) = unshift(x, y);
        assert!((lon - 108.948_024).abs() < 1e-7 && (lat - 34.263_161).abs() < 1e-7);
    }

    /// Metres between two points of the same datum, well enough for a kilometre.
    fn metres(one: (f64, f64), other: (f64, f64)) -> f64 {
        let north = (one.1 - other.1) * 111_320.0;
        let east = (one.0 - other.0) * 111_320.0 * one.1.to_radians().cos();
        north.hypot(east)
    }

    /// Points published with the widely used formulas: 116.404, 39.915 read as each datum.
    #[test]
    fn published_points_come_out_as_published() {
        let point = (116.404, 39.915);
        for (found, published) in [
            (shift(point.0, point.1), (116.410_244_499_169_38, 39.916_404_281_501_64)),
            (baidu(point.0, point.1), (116.410_369_493_710_29, 39.921_336_993_510_21)),
            (unbaidu(point.0, point.1), (116.397_627_291_193_15, 39.908_656_739_576_31)),
        ] {
            assert!(metres(found, published) < 0.01, "{found:?} {published:?}");
        }
    }

    #[test]
    fn cities_of_the_whole_country_come_back_within_a_metre() {
        for (lon, lat) in [
            (108.948_024, 34.263_161),
            (116.404, 39.915),
            (121.473_7, 31.230_4),
            (113.264_4, 23.129_1),
            (87.616_8, 43.825_6),
            (126.534_9, 45.803_8),
            (91.140_9, 29.645_6),
            (110.349_2, 20.017_4),
        ] {
            let point = GeoPoint::from_scaled(scale(lon), scale(lat));
            for datum in [Datum::Gcj02, Datum::Bd09] {
                let (east, north) = point.in_datum(datum);
                let (east, north) = GeoPoint::from_scaled(east, north).texts();
                let back = GeoPoint::parse(&east, &north, datum).unwrap();
                let back = (degrees_of(back.lon), degrees_of(back.lat));
                assert!(metres((lon, lat), back) < 1.0, "{lon} {lat} {datum:?} {back:?}");
            }
            let apart = metres((lon, lat), shift(lon, lat));
            assert!((200.0..=700.0).contains(&apart), "{lon} {lat}: {apart} m");
        }
        let here = (108.948_024, 34.263_161);
        assert!((300.0..=600.0).contains(&metres(here, shift(here.0, here.1))));
        assert_eq!(GeoPoint::from_scaled(0, 0).in_datum(Datum::Gcj02), (0, 0));
        assert!(crate::DATUMS.iter().all(|(code, _)| Datum::from_code(code).is_some()));
    }

    #[test]
    fn a_datum_is_known_by_the_names_people_give_it() {
        for (text, code) in [
            ("CGCS2000", "cgcs2000"),
            ("WGS-84", "cgcs2000"),
            ("EPSG:4326", "cgcs2000"),
            ("GCJ-02", "gcj02"),
            ("gcj_02", "gcj02"),
            ("火星坐标系", "gcj02"),
            ("GCJ-02（高德、腾讯地图）", "gcj02"),
            ("BD-09", "bd09"),
            ("bd09ll", "bd09"),
        ] {
            assert_eq!(Datum::code_of(text).as_deref(), Ok(code), "{text}");
        }
        assert!(Datum::code_of("北京54").is_err() && Datum::code_of("").is_err());
    }

    #[test]
    fn texts_are_exact_and_bounds_are_kept() {
        let point = GeoPoint::parse("108.948024", "-34.5", Datum::Cgcs2000).unwrap();
        assert_eq!(point.texts(), ("108.948024".into(), "-34.5".into()));
        assert_eq!(GeoPoint::from_scaled(point.scaled().0, point.scaled().1), point);
        for (lon, lat) in [("181", "0"), ("0", "91"), ("1e2", "0"), ("", "0"), ("NaN", "0")] {
            assert!(GeoPoint::parse(lon, lat, Datum::Cgcs2000).is_err(), "{lon} {lat}");
        }
    }
}
