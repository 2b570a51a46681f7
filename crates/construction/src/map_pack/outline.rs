//! An official outline as it is kept and sent: divisions with their boundaries, in steps of about
//! ten metres, each point as its distance from the one before. Nothing is left out or smoothed: an
//! official map is not ours to change.

use jiff::civil::Date;
use serde::Serialize;
use yj_crypto::sm3;

/// Steps in a degree.
const SCALE: f64 = 1e4;
/// The code of the whole country (GB/T 2260).
pub(super) const CHINA: &str = "100000";

/// Longitude and latitude of the first point, then the way to each next one, in steps.
pub(super) type Path = Vec<i32>;

/// One division.
#[derive(Debug, Serialize)]
pub(super) struct Division {
    /// Of six digits.
    pub(super) code: String,
    pub(super) name: String,
    /// Of each polygon the outer ring and its holes.
    pub(super) polygons: Vec<Vec<Path>>,
}

/// Everything about an outline that its digest covers.
#[derive(Debug, Serialize)]
pub(super) struct Outline {
    pub(super) name: String,
    /// In its one form.
    pub(super) approval_number: String,
    pub(super) source: String,
    pub(super) issued_year: i16,
    /// The datum of the file; what is kept is CGCS2000.
    pub(super) datum: String,
    /// Last day on which the 审图号 holds.
    pub(super) valid_until: Option<Date>,
    /// The country or the province of which it is a whole map.
    pub(super) coverage: String,
    /// Steps in a degree.
    pub(super) scale: u32,
    pub(super) divisions: Vec<Division>,
    /// Lines that bound no division, such as the one in the South China Sea.
    pub(super) lines: Vec<Path>,
}

/// Points in steps, each once; a ring so small that nothing would be left of it keeps its points.
#[expect(clippy::cast_possible_truncation, reason = "degrees of China in steps fit 32 bits")]
pub(super) fn path(points: &[[f64; 2]]) -> Path {
    let step = |degrees: f64| (degrees * SCALE).round() as i32;
    let all: Vec<_> = points.iter().map(|[lon, lat]| (step(*lon), step(*lat))).collect();
    let mut distinct = all.clone();
    distinct.dedup();
    let kept = if distinct.len() < 4 { all } else { distinct };
    let mut before = (0, 0);
    let mut path = Vec::with_capacity(kept.len() * 2);
    for (lon, lat) in kept {
        path.extend([lon - before.0, lat - before.1]);
        before = (lon, lat);
    }
    path
}

/// Steps in a degree, as the document says it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
pub(super) const fn scale() -> u32 {
    SCALE as u32
}

/// SM3 of an outline as it is stored.
pub(super) fn digest_of(content: &str) -> String {
    sm3::hex(&sm3::parts(&[b"YJ/map-pack/v1\0", content.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_kept_as_ways_and_never_fewer_than_a_ring_has() {
        let ring = [[108.0, 34.0], [108.000_01, 34.0], [109.0, 34.0], [109.0, 35.5], [108.0, 34.0]];
        assert_eq!(path(&ring), [1_080_000, 340_000, 10_000, 0, 0, 15_000, -10_000, -15_000]);
        let island = [[123.0, 25.0], [123.000_01, 25.0], [123.0, 25.000_01], [123.0, 25.0]];
        assert_eq!(path(&island), [1_230_000, 250_000, 0, 0, 0, 0, 0, 0]);
    }
}
