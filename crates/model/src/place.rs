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

fn shift(lon: f64, lat: f64) -> (f64, f64) {
    use std::f64::consts::PI;
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
