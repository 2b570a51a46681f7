//! Where something lies: stored in CGCS2000, with the datum it was given in (handbook §3.4).

use yj_kernel::{Field, Kind, Problem, Result, in_cgcs2000};
use yj_model::{DATUMS, Datum};

/// 坐标系
pub(crate) const DATUM: Field = Field::new("datum", "坐标系", Kind::Code(DATUMS))
    .optional()
    .hint("所填经纬度的坐标系，不填为 CGCS2000；保存时换算为 CGCS2000");

/// 原坐标系
pub(crate) const DATUM_GIVEN: Field =
    Field::new("datum_given", "原坐标系", Kind::Code(DATUMS)).computed().hint("换算之前的坐标系");

/// What coordinates are stored in.
const STORED: &str = "cgcs2000";

/// A position as it was given, in the fields of a record.
pub(crate) struct Position<'a> {
    /// Longitude in decimal degrees.
    pub(crate) lon: &'a mut Option<String>,
    /// Latitude in decimal degrees.
    pub(crate) lat: &'a mut Option<String>,
    /// The datum of both.
    pub(crate) datum: &'a mut Option<String>,
    /// The datum they came in.
    pub(crate) datum_given: &'a mut Option<String>,
}

impl Position<'_> {
    /// Brings it into CGCS2000 and remembers what it was. One coordinate alone says nothing.
    pub(crate) fn settle(self) -> Result<()> {
        let code = self.datum.as_deref().unwrap_or(STORED);
        let datum = Datum::from_code(code)
            .ok_or_else(|| Problem::internal("a datum outside its code list"))?;
        if !in_cgcs2000(self.lon, self.lat, datum)? {
            (*self.datum, *self.datum_given) = (None, None);
            return Ok(());
        }
        if datum != Datum::Cgcs2000 || self.datum_given.is_none() {
            *self.datum_given = Some(String::from(code));
        }
        *self.datum = Some(String::from(STORED));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longitude, latitude, datum, datum given.
    type Parts = [Option<String>; 4];

    fn settled(parts: &mut Parts) -> Result<()> {
        let [lon, lat, datum, datum_given] = parts;
        Position { lon, lat, datum, datum_given }.settle()
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
}
