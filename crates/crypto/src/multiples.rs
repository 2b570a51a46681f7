//! Ready-made multiples of points that are asked for often: the base point, and the keys whose
//! signatures come one after the other. Everything here is public, so the time it takes may depend
//! on the values.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use sm2::{
    ProjectivePoint, Scalar,
    elliptic_curve::{Group as _, PrimeField as _},
};

/// Hexadecimal digits of a scalar.
const DIGITS: usize = 64;
/// Values of a digit that add something.
const VALUES: usize = 15;

/// For each hexadecimal digit of a scalar, the multiples that its values stand for: 92 KB, made in
/// the time of about three verifications, after which a multiplication is 64 additions.
pub(crate) struct Multiples(Vec<[ProjectivePoint; VALUES]>);

impl Multiples {
    fn of(mut unit: ProjectivePoint) -> Self {
        let digits = (0..DIGITS).map(|_| {
            let mut values = [unit; VALUES];
            for value in 1..VALUES {
                values[value] = values[value - 1] + unit;
            }
            unit += values[VALUES - 1];
            values
        });
        Self(digits.collect())
    }

    /// The point so many times.
    fn times(&self, scalar: &Scalar) -> ProjectivePoint {
        let bytes = scalar.to_repr();
        let digits = bytes.iter().rev().flat_map(|byte| [byte & 15, byte >> 4]);
        let mut sum = ProjectivePoint::IDENTITY;
        for (values, digit) in self.0.iter().zip(digits) {
            if let Some(value) = usize::from(digit).checked_sub(1) {
                sum += &values[value];
            }
        }
        sum
    }
}

static BASE: LazyLock<Multiples> = LazyLock::new(|| Multiples::of(ProjectivePoint::generator()));

/// Keys that are remembered; with their multiples 12 MB at most.
const PLACES: usize = 128;
/// After so many uses a key has its multiples made.
const OFTEN: u8 = 16;
/// A key that was used more often than that is forgotten no later than one used just so often.
const OFTEN_ENOUGH: u8 = 64;

/// A key that was seen at this place, and how much oftener than others that belong here.
struct Place {
    key: [u8; 65],
    uses: u8,
    multiples: Option<Arc<Multiples>>,
}

/// Keys seen lately, each at the place its own bytes name. A key that is used oftener than the
/// others of its place stays; so keys without number cost no more than one comparison each.
static SEEN: Mutex<[Option<Place>; PLACES]> = Mutex::new([const { None }; PLACES]);

/// `[base] G + [scalar] point`, where `key` is the point's bytes.
pub(crate) fn sum(
    base: &Scalar,
    scalar: &Scalar,
    (key, point): (&[u8; 65], &ProjectivePoint),
) -> ProjectivePoint {
    use sm2::elliptic_curve::ops::MulByGeneratorVartime as _;
    match multiples(key, point) {
        Some(multiples) => BASE.times(base) + multiples.times(scalar),
        None => ProjectivePoint::mul_by_generator_and_mul_add_vartime(base, scalar, point),
    }
}

/// The multiples of a key, if it is used often.
fn multiples(key: &[u8; 65], point: &ProjectivePoint) -> Option<Arc<Multiples>> {
    let seen = || SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let at = usize::from(key[32]) % PLACES;
    {
        let place = &mut seen()[at];
        match place {
            Some(place) if place.key == *key => {
                place.uses = place.uses.saturating_add(1).min(OFTEN_ENOUGH);
                if place.uses < OFTEN || place.multiples.is_some() {
                    return place.multiples.clone();
                }
            }
            Some(other) if other.uses > 1 => {
                other.uses -= 1;
                return None;
            }
            _ => {
                *place = Some(Place { key: *key, uses: 1, multiples: None });
                return None;
            }
        }
    }
    // Made outside the lock: others go on meanwhile.
    let made = Arc::new(Multiples::of(*point));
    if let Some(place) = seen()[at].as_mut().filter(|place| place.key == *key) {
        place.multiples = Some(Arc::clone(&made));
    }
    Some(made)
}

#[cfg(test)]
mod tests {
    use sm2::elliptic_curve::ops::MulByGeneratorVartime as _;

    use super::*;

    #[test]
    fn every_scalar_gives_what_the_library_gives() {
        let point = ProjectivePoint::generator() * Scalar::from(7_u64);
        let multiples = Multiples::of(point);
        let mut scalar = Scalar::ZERO;
        for step in 0..40_u64 {
            assert_eq!(multiples.times(&scalar), point * scalar);
            assert_eq!(BASE.times(&scalar), ProjectivePoint::mul_by_generator_vartime(&scalar));
            scalar = scalar * Scalar::from(0xFFFF_FFFF_FFF1_u64) + Scalar::from(step);
        }
        assert_eq!(multiples.times(&-Scalar::ONE), -point);
    }

    #[test]
    fn a_key_used_often_has_its_multiples_and_others_of_its_place_do_not_take_it() {
        let point = ProjectivePoint::generator();
        let (mut often, mut seldom) = ([0xA5; 65], [0xA5; 65]);
        (often[0], seldom[0]) = (1, 2);
        let has = |key: &[u8; 65]| multiples(key, &point).is_some();
        let uses: Vec<bool> = (0..usize::from(OFTEN)).map(|_| has(&often)).collect();
        assert_eq!(uses.iter().filter(|has| **has).count(), 1);
        assert!(!has(&seldom) && has(&often));
        // Who comes oftener from now on takes the place.
        assert!((0..2 * usize::from(OFTEN)).filter(|_| has(&seldom)).count() > 0);
        assert!(!has(&often));
    }
}
