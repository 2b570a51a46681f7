//! Where a record of any register lies: given in the datum of whatever map it was read from,
//! stored in CGCS2000 with the datum it came in (handbook §3.4), and refused where it cannot be in
//! the region the record names.

use yj_model::{DATUMS, Datum, GeoPoint, RegionCode, regions};

use crate::{Field, Kind, Problem, Result};

/// 经度 of a register whose records lie somewhere.
pub const LONGITUDE: Field = Field::new("lon", "经度", Kind::Text)
    .format("n..11,7")
    .optional()
    .hint("十进制度数，保存为 CGCS2000");

/// 纬度 of a register whose records lie somewhere.
pub const LATITUDE: Field = Field::new("lat", "纬度", Kind::Text)
    .format("n..10,7")
    .optional()
    .hint("十进制度数，保存为 CGCS2000");

/// 坐标系
pub const DATUM: Field = Field::new("datum", "坐标系", Kind::Code(DATUMS))
    .checked(datum)
    .optional()
    .hint("所填经纬度的坐标系：CGCS2000（WGS-84 视同）、GCJ-02 或 BD-09，不填为 CGCS2000；保存时换算为 CGCS2000");

/// 原坐标系
pub const DATUM_GIVEN: Field =
    Field::new("datum_given", "原坐标系", Kind::Code(DATUMS)).computed().hint("换算之前的坐标系");

fn datum(text: &str) -> Result<String, String> {
    Datum::code_of(text).map_err(|error| error.to_string())
}

/// What coordinates are stored in.
const STORED: &str = "cgcs2000";

/// A position as it was given, in the fields of a record.
#[derive(Debug)]
pub struct Position<'a> {
    /// Longitude in decimal degrees.
    pub lon: &'a mut Option<String>,
    /// Latitude in decimal degrees.
    pub lat: &'a mut Option<String>,
    /// The datum of both.
    pub datum: &'a mut Option<String>,
    /// The datum they came in.
    pub datum_given: &'a mut Option<String>,
}

impl Position<'_> {
    /// Brings it into CGCS2000 and remembers what it was. One coordinate alone says nothing and is
    /// refused, and so is a position that cannot be in the region of the record.
    pub fn settle(self, region: &RegionCode) -> Result<()> {
        let code = self.datum.as_deref().unwrap_or(STORED);
        let datum = Datum::from_code(code)
            .ok_or_else(|| Problem::internal("a datum outside its code list"))?;
        let (Some(lon), Some(lat)) = (&self.lon, &self.lat) else {
            if self.lon.is_some() || self.lat.is_some() {
                return Err(Problem::invalid("lat", "经度与纬度应同时填写或同时留空"));
            }
            (*self.datum, *self.datum_given) = (None, None);
            return Ok(());
        };
        let point = GeoPoint::parse(lon, lat, datum)
            .map_err(|error| Problem::invalid("lon", error.to_string()))?;
        require_near(region, point)?;
        let (east, north) = point.texts();
        (*self.lon, *self.lat) = (Some(east), Some(north));
        if datum != Datum::Cgcs2000 || self.datum_given.is_none() {
            *self.datum_given = Some(String::from(code));
        }
        *self.datum = Some(String::from(STORED));
        Ok(())
    }
}

fn require_near(region: &RegionCode, point: GeoPoint) -> Result<()> {
    let Some(astray) = regions().astray(region, point) else { return Ok(()) };
    let (lon, lat) = point.texts();
    let detail = format!(
        "经度 {lon}、纬度 {lat} 距所属区域 {}（{}）的中心约 {} 公里，应在 {} 公里以内；\
         请核对所属区域，以及经度与纬度是否颠倒或漏填",
        region.as_str(),
        regions().full_name(region.as_str()),
        astray.km,
        astray.km_max,
    );
    Err(Problem::invalid("lon", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longitude, latitude, datum, datum given.
    type Parts = [Option<String>; 4];

    fn settled(parts: &mut Parts) -> Result<()> {
        let [lon, lat, datum, datum_given] = parts;
        Position { lon, lat, datum, datum_given }.settle(&"610116".parse().unwrap())
    }

    #[test]
    fn what_was_converted_is_not_converted_again() {
        let given = ["108.9527300", "34.2615500", "gcj02"].map(|text| Some(String::from(text)));
        let [lon, lat, datum] = given.clone();
        let mut parts = [lon, lat, datum, None];
        settled(&mut parts).unwrap();
        assert_ne!(parts[0], given[0]);
        assert_eq!(parts[2..], [Some(String::from("cgcs2000")), Some(String::from("gcj02"))]);
        let once = parts.clone();
        settled(&mut parts).unwrap();
        assert_eq!(parts, once);
    }

    #[test]
    fn nowhere_has_no_datum_and_half_a_place_is_refused() {
        let mut parts = [None, None, Some(String::from("bd09")), None];
        settled(&mut parts).unwrap();
        assert_eq!(parts, [None, None, None, None]);
        assert!(settled(&mut [Some(String::from("108")), None, None, None]).is_err());
    }

    #[test]
    fn what_cannot_be_there_is_refused_with_what_would_be_right() {
        for (lon, lat) in [("0", "0"), ("-74.006", "40.7128"), ("34.26", "80.5")] {
            let mut parts = [Some(String::from(lon)), Some(String::from(lat)), None, None];
            let problem = settled(&mut parts).unwrap_err().body().to_string();
            assert!(problem.contains("西安市长安区") && problem.contains("300 公里"), "{problem}");
        }
    }
}
