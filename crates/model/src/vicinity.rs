//! Whether a position can be in the region it is said to be in.
//!
//! The bundled register knows centres of prefectures and provinces and no borders, so this finds
//! what is certainly wrong (coordinates swapped, zero, of another province) and nothing finer.

use crate::{GeoPoint, RegionCode, region::Regions};

/// No place of an ordinary prefecture is further from its centre, in kilometres.
const ORDINARY_KM: f64 = 300.0;
/// The same in the provinces whose prefectures are as large as provinces elsewhere.
const VAST_KM: f64 = 900.0;
/// 内蒙古、黑龙江、四川、西藏、甘肃、青海、新疆
const VAST: [&str; 7] = ["15", "23", "51", "54", "62", "63", "65"];
/// 三沙 lies spread over the South China Sea.
const ISLANDS: &str = "4603";
const ISLANDS_KM: f64 = 2_000.0;
/// Kilometres in a degree of latitude.
const DEGREE_KM: f64 = 111.2;

/// How far a position is from where it is said to be, and how far it could be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Astray {
    /// Kilometres from the centre of the region.
    pub km: u32,
    /// The most that is possible, in kilometres.
    pub km_max: u32,
}

impl Regions {
    /// Whether this position cannot be in this region; nothing where it can, or where the register
    /// knows too little of the region to say.
    pub fn astray(&self, region: &RegionCode, point: GeoPoint) -> Option<Astray> {
        let code = region.as_str();
        let km_max = match &code[..2] {
            _ if code.starts_with(ISLANDS) => ISLANDS_KM,
            province if VAST.contains(&province) => VAST_KM,
            _ => ORDINARY_KM,
        };
        let prefecture = format!("{}00", &code[..4]);
        // Of a province, and of counties that belong to no prefecture, any part will do.
        let near = self.centres_within(&prefecture, &code[..2]);
        let km = near.filter_map(|centre| distance(point, centre)).reduce(f64::min)?;
        (km > km_max).then(|| Astray { km: whole(km), km_max: whole(km_max) })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "distances on the earth are at most 20 000 km"
)]
fn whole(km: f64) -> u32 {
    km.round() as u32
}

#[expect(clippy::cast_precision_loss, reason = "degrees scaled by ten million fit 53 bits")]
fn distance(point: GeoPoint, (lon, lat): (&str, &str)) -> Option<f64> {
    let (east, north) = point.scaled();
    let (east, north) = (east as f64 / 1e7, north as f64 / 1e7);
    let (lon, lat): (f64, f64) = (lon.parse().ok()?, lat.parse().ok()?);
    let (up, across) = ((north - lat).to_radians(), (east - lon).to_radians());
    let chord = (up / 2.0).sin().powi(2)
        + north.to_radians().cos() * lat.to_radians().cos() * (across / 2.0).sin().powi(2);
    Some(2.0 * chord.sqrt().min(1.0).asin().to_degrees() * DEGREE_KM)
}

#[cfg(test)]
mod tests {
    use crate::{Datum, regions};

    use super::*;

    fn astray(region: &str, lon: &str, lat: &str) -> Option<Astray> {
        let point = GeoPoint::parse(lon, lat, Datum::Cgcs2000).unwrap();
        regions().astray(&region.parse().unwrap(), point)
    }

    #[test]
    fn what_is_certainly_elsewhere_is_found() {
        for (lon, lat) in [("0", "0"), ("-74.006", "40.7128"), ("34.26", "80"), ("121.47", "31.23")]
        {
            assert!(astray("610116", lon, lat).is_some(), "{lon},{lat}");
        }
        let new_york = astray("610116", "-74.006", "40.7128").unwrap();
        assert!((11_000..13_000).contains(&new_york.km), "{new_york:?}");
    }

    #[test]
    fn the_ends_of_large_regions_are_inside() {
        for (region, lon, lat) in [
            ("610116", "108.948", "34.263"),
            ("610116012", "108.7", "33.8"),
            ("610822", "110.99", "39.03"),
            ("610000", "111.2", "39.5"),
            ("429021", "110.67", "31.74"),
            ("659002", "81.28", "40.55"),
            ("652825", "85.53", "38.13"),
            ("150785", "120.18", "50.78"),
            ("460300", "113.0", "10.0"),
            ("632801", "92.7", "34.2"),
            ("810000", "114.17", "22.28"),
        ] {
            assert_eq!(astray(region, lon, lat), None, "{region}");
        }
    }

    #[test]
    fn nothing_is_said_of_regions_that_nobody_knows() {
        assert_eq!(astray("990101", "0", "0"), None);
    }

    #[test]
    fn every_known_centre_is_in_its_own_region() {
        for region in regions().children(None) {
            let (lon, lat) = regions().centre(region.code).unwrap();
            assert_eq!(astray(region.code, lon, lat), None, "{}", region.code);
        }
    }
}
