//! Where in its county somebody of the demonstration is: the seats of the counties as an atlas has
//! them, and how far around each people work.

/// County, longitude and latitude of its seat, kilometres around it.
const COUNTIES: [(&str, f64, f64, f64); 20] = [
    ("610102", 108.961, 34.267, 2.5),
    ("610104", 108.934, 34.266, 3.0),
    ("610112", 108.935, 34.312, 8.0),
    ("610113", 108.942, 34.222, 6.0),
    ("610116", 108.907, 34.145, 11.0),
    ("610118", 108.605, 34.128, 10.0),
    ("610302", 107.150, 34.360, 6.0),
    ("610303", 107.147, 34.392, 7.0),
    ("610304", 107.370, 34.365, 12.0),
    ("610305", 107.400, 34.521, 11.0),
    ("610403", 108.073, 34.276, 5.0),
    ("610502", 109.510, 34.505, 12.0),
    ("610525", 109.932, 35.190, 11.0),
    ("610526", 109.587, 34.956, 13.0),
    ("610528", 109.180, 34.751, 11.0),
    ("610802", 109.735, 38.285, 16.0),
    ("610100", 108.945, 34.268, 8.0),
    ("610600", 109.489, 36.585, 8.0),
    ("620502", 105.724, 34.581, 9.0),
    ("410102", 113.613, 34.748, 7.0),
];
/// Kilometres in a degree of latitude.
const DEGREE_KM: f64 = 111.2;

/// Longitude and latitude of the so-manyth in a county: no two of a few hundred are close together,
/// and they fill the county evenly. Of a county not listed, near the centre of its prefecture.
pub(super) fn position(region: &str, number: u32) -> Option<[String; 2]> {
    let listed = COUNTIES.iter().find(|(code, ..)| *code == region);
    let (lon, lat, km) = if let Some((_, lon, lat, km)) = listed {
        (*lon, *lat, *km)
    } else {
        let (lon, lat) = yj_model::regions().centre(region)?;
        (lon.parse().ok()?, lat.parse().ok()?, 3.0)
    };
    // Two fractions that never fall into step spread points evenly over radius and angle.
    let part = (f64::from(number) * 0.754_877_666).fract();
    let angle = (f64::from(number) * 0.569_840_291).fract() * std::f64::consts::TAU;
    Some(moved((lon, lat), km * part.sqrt(), angle))
}

/// Some twenty metres to the so-manyth side of a place: a device in the house.
pub(super) fn beside(place: &[String; 2], number: u32) -> Option<[String; 2]> {
    let [lon, lat] = place;
    let centre = (lon.parse().ok()?, lat.parse().ok()?);
    Some(moved(centre, 0.02, f64::from(number) * 2.399_963))
}

fn moved((lon, lat): (f64, f64), km: f64, angle: f64) -> [String; 2] {
    let north = km / DEGREE_KM * angle.sin();
    let east = km / (DEGREE_KM * lat.to_radians().cos()) * angle.cos();
    [format!("{:.5}", lon + east), format!("{:.5}", lat + north)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_county_is_filled_and_not_a_point() {
        let all: Vec<(f64, f64)> = (1000..1200)
            .filter_map(|number| position("610116", number))
            .map(|[lon, lat]| (lon.parse().unwrap(), lat.parse().unwrap()))
            .collect();
        let width = |values: Vec<f64>| {
            values.iter().copied().fold(f64::MIN, f64::max)
                - values.iter().copied().fold(f64::MAX, f64::min)
        };
        assert_eq!(all.len(), 200);
        assert!(width(all.iter().map(|place| place.0).collect()) > 0.2);
        assert!(width(all.iter().map(|place| place.1).collect()) > 0.17);
    }
}
