//! Areas of the map (G-3.2, G-6.2.3): polygons and circles that lists, figures and maps are
//! limited to.
//!
//! A register whose records lie somewhere has the fields `lon` and `lat`; its table keeps them
//! again as whole ten-millionths of a degree, in `lon_e7` and `lat_e7`, so that both engines
//! compare and group them as numbers.

use yj_model::{Datum, GeoPoint};

use crate::{Entity, Problem, Result, Sql, SqlValue, json::Object};

/// Corners of a polygon.
const CORNERS: std::ops::RangeInclusive<usize> = 3..=200;
/// Metres of a radius.
const RADIUS: std::ops::RangeInclusive<f64> = 1.0..=1_000_000.0;
/// Corners that stand for a circle: it is off by less than two in a thousand of the radius.
const ROUND: u32 = 64;
/// Metres in a degree of latitude.
const DEGREE: f64 = 111_132.0;

/// Columns of a position as numbers.
pub(crate) const COLUMNS: [&str; 2] = ["lon_e7", "lat_e7"];

/// Whether records of this register lie somewhere.
pub(crate) fn placed(entity: &Entity) -> bool {
    entity.field("lon").is_some() && entity.field("lat").is_some()
}

/// The position of a checked record as numbers.
pub(crate) fn stored(body: &Object) -> [SqlValue; 2] {
    let text = |name: &str| body.get(name).and_then(serde_json::Value::as_str);
    let point = text("lon").zip(text("lat"));
    let point = point.and_then(|(lon, lat)| GeoPoint::parse(lon, lat, Datum::Cgcs2000).ok());
    point.map_or([SqlValue::Null, SqlValue::Null], |point| {
        let (lon, lat) = point.scaled();
        [lon.into(), lat.into()]
    })
}

/// A polygon; a circle is one of many corners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Area(Vec<(i64, i64)>);

impl Area {
    /// `108.9,34.2 109.0,34.2 109.0,34.3`: the corners in order, the last joined to the first.
    pub(crate) fn polygon(text: &str) -> Result<Self> {
        let wrong = || {
            let form =
                "应为 3 至 200 个“经度,纬度”，以空格分隔，如 108.9,34.2 109.0,34.2 109.0,34.3";
            Problem::invalid("within", form)
        };
        let corners = text.split_whitespace().map(|pair| {
            let (lon, lat) = pair.split_once(',').ok_or_else(wrong)?;
            let point = GeoPoint::parse(lon, lat, Datum::Cgcs2000);
            point
                .map(GeoPoint::scaled)
                .map_err(|error| Problem::invalid("within", error.to_string()))
        });
        let corners = corners.collect::<Result<Vec<_>>>()?;
        if CORNERS.contains(&corners.len()) { Ok(Self(corners)) } else { Err(wrong()) }
    }

    /// `108.9,34.2,5000`: a centre and a radius in metres.
    pub(crate) fn circle(text: &str) -> Result<Self> {
        let wrong = || {
            let form = "应为“经度,纬度,半径（米）”，半径 1 至 1000000，如 108.9,34.2,5000";
            Problem::invalid("near", form)
        };
        let parts: Vec<_> = text.split(',').collect();
        let [lon, lat, radius] = parts.as_slice() else { return Err(wrong()) };
        let radius: f64 = radius.trim().parse().map_err(|_| wrong())?;
        let centre = GeoPoint::parse(lon, lat, Datum::Cgcs2000);
        let (lon, lat) =
            centre.map_err(|error| Problem::invalid("near", error.to_string()))?.scaled();
        if !RADIUS.contains(&radius) {
            return Err(wrong());
        }
        Ok(Self((0..ROUND).map(|corner| around((lon, lat), radius, corner)).collect()))
    }

    /// Limits a statement to records inside.
    pub(crate) fn narrow(&self, sql: &mut Sql) {
        let [lon, lat] = COLUMNS;
        let bounds = |of: fn(&(i64, i64)) -> i64| {
            let values = || self.0.iter().map(of);
            (values().min().unwrap_or(0), values().max().unwrap_or(0))
        };
        for (column, (least, most)) in
            [(lon, bounds(|(lon, _)| *lon)), (lat, bounds(|(_, lat)| *lat))]
        {
            sql.push(" AND ").push(column).push(" BETWEEN ").bind(least);
            sql.push(" AND ").bind(most);
        }
        // A point is inside if a line from it to the east crosses the border an odd number of times.
        sql.push(" AND (0");
        let following = self.0.iter().skip(1).chain(self.0.first());
        for ((x1, y1), (x2, y2)) in self.0.iter().zip(following).filter(|(a, b)| a.1 != b.1) {
            sql.push(" + CASE WHEN (lat_e7 < ").bind(*y1).push(") <> (lat_e7 < ").bind(*y2);
            sql.push(") AND lon_e7 < ").bind(*x1).push(" + ").bind(x2 - x1);
            sql.push(" * (lat_e7 - ")
                .bind(*y1)
                .push(") / ")
                .bind(y2 - y1)
                .push(" THEN 1 ELSE 0 END");
        }
        sql.push(") % 2 = 1");
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "degrees times ten million, far below both bounds"
)]
fn around((lon, lat): (i64, i64), radius: f64, corner: u32) -> (i64, i64) {
    let angle = f64::from(corner) * std::f64::consts::TAU / f64::from(ROUND);
    let north = radius / DEGREE * 1e7;
    // Near the poles a degree of longitude is nothing; nobody registers there.
    let shrink = (lat as f64 / 1e7).to_radians().cos().max(0.01);
    let east = north / shrink;
    (lon + (east * angle.cos()).round() as i64, lat + (north * angle.sin()).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_area_is_refused() {
        for text in ["", "108,34", "108,34 109,34", "108,34 109,34 109", "108,34 109,34 200,35"] {
            assert!(Area::polygon(text).is_err(), "{text}");
        }
        for text in ["108,34", "108,34,0", "108,34,2000000", "108,34,x", "108,95,10"] {
            assert!(Area::circle(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_circle_is_as_wide_as_its_radius() {
        let Area(corners) = Area::circle("108.9,34.0,11113.2").unwrap();
        let north = corners.iter().map(|(_, lat)| *lat).max().unwrap();
        assert_eq!(north, 341_000_000);
        let east = corners.iter().map(|(lon, _)| *lon).max().unwrap();
        assert!((1_090_200_000..1_090_210_000).contains(&east), "{east}");
    }
}
