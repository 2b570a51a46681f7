//! Which place lies in which. Identifiers say (CBV §8.3) that a GLN with an extension is a part of the
//! GLN without; the registers say who works in whose node. What else lies where is master data: see
//! [`super::master`].

use std::collections::{BTreeMap, BTreeSet};

use yj_epcis::{
    Query, canonical_link, id_matches,
    query::{Condition, PlaceField},
};
use yj_kernel::{Problem, Result, Tx};

use super::{owner::gln, prepare::Role, seen};

/// Between a GLN and the extension that names a part of it, in a canonical link.
const EXTENSION: &str = "/254/";
/// Places inside those that one query asks for.
const PLACES_MAX: usize = 400;

/// Places by their identifiers, and those inside them that are registered.
#[derive(Default)]
pub(crate) struct Sites(BTreeMap<String, BTreeSet<String>>);

impl Sites {
    /// What the registers say today about the places of a query that mean what lies in them too.
    pub(crate) async fn load(tx: &mut Tx, query: &Query) -> Result<Self> {
        let asked = query.conditions.iter().filter_map(|condition| match condition {
            Condition::Place { field, descendants: true, any } => Some((field, any)),
            _ => None,
        });
        let mut glns: BTreeSet<String> = BTreeSet::new();
        let mut name = "WD_bizLocation";
        for (field, any) in asked {
            if *field == PlaceField::ReadPoint {
                name = "WD_readPoint";
            }
            // A part of a place has no parts of its own.
            let whole = any.iter().filter(|id| parts_of(id).is_some());
            glns.extend(whole.filter_map(|id| gln(id)));
        }
        if glns.is_empty() {
            return Ok(Self::default());
        }
        let glns: Vec<&str> = glns.iter().map(String::as_str).collect();
        let within = yj_subject::glns_within(tx, &glns, PLACES_MAX + 1).await?;
        if within.values().map(BTreeSet::len).sum::<usize>() > PLACES_MAX {
            let detail = format!("其中登记的下级地点多于 {PLACES_MAX} 个，请逐个写出要查的地点");
            return Err(Problem::invalid(name, detail));
        }
        Ok(Self(within))
    }

    /// The canonical links of what is registered inside a place.
    pub(crate) fn inside(&self, place: &str) -> impl Iterator<Item = String> {
        let whole = parts_of(place).and_then(|_| gln(place));
        let found = whole.and_then(|gln| self.0.get(&gln));
        found.into_iter().flatten().filter_map(|gln| link_of(gln))
    }
}

/// The canonical link of a GLN.
fn link_of(gln: &str) -> Option<String> {
    canonical_link(&format!("https://id.gs1.org/414/{gln}"))
}

impl Sites {
    /// The canonical links of the parts of places, and of those that are registered inside them; none
    /// where there are more than [`TERMS_MAX`](super::plan::TERMS_MAX).
    pub(super) async fn parts(
        &self,
        tx: &mut Tx,
        role: Role,
        places: &[String],
    ) -> Result<Option<Vec<String>>> {
        let own = places.iter().filter_map(|id| parts_of(id));
        let inside = places.iter().flat_map(|id| self.inside(id)).map(|link| parts_in(&link));
        let heads: Vec<String> = own.chain(inside).collect();
        seen::beginning(tx, role, &heads).await
    }

    /// Whether a place is the other or lies in it, as identifiers and registers say.
    pub(crate) fn hold(&self, place: &str, ancestor: &str) -> bool {
        if id_matches(ancestor, place) {
            return true;
        }
        let Some(place) = canonical_link(place) else { return false };
        let is_part = |parts: &str| place.len() > parts.len() && place.starts_with(parts);
        parts_of(ancestor).is_some_and(|parts| is_part(&parts))
            || self.inside(ancestor).any(|link| place == link || is_part(&parts_in(&link)))
    }
}

/// With what the canonical links of the parts of a place begin, where it may have any.
fn parts_of(place: &str) -> Option<String> {
    let link = canonical_link(place)?;
    let is_whole = link.contains("/414/") && !link.contains(EXTENSION);
    is_whole.then(|| parts_in(&link))
}

/// With what the canonical links of the parts of a place begin.
fn parts_in(link: &str) -> String {
    format!("{link}{EXTENSION}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gln_holds_its_extensions_however_they_are_written() {
        let sites = Sites::default();
        let lies = |place: &str, ancestor: &str| sites.hold(place, ancestor);
        let (site, link) =
            ("urn:epc:id:sgln:4012345.00005.0", "https://id.gs1.org/414/4012345000054");
        let door = "urn:epc:id:sgln:4012345.00005.122";
        for ancestor in [site, link] {
            assert!(lies(door, ancestor) && lies(site, ancestor) && lies(link, ancestor));
            assert!(lies("https://example.com/414/4012345000054/254/9", ancestor));
            assert!(!lies("urn:epc:id:sgln:4012345.00006.122", ancestor));
            assert!(!lies("urn:example:place", ancestor));
        }
        assert!(!lies(site, door) && lies(door, door));
        assert!(lies("urn:example:place", "urn:example:place"));
        assert_eq!(parts_of(door), None);
    }
    #[test]
    fn a_gln_holds_those_that_are_registered_inside() {
        let inside = BTreeSet::from([String::from("4012345000061")]);
        let sites = Sites(BTreeMap::from([(String::from("4012345000054"), inside)]));
        let market = "urn:epc:id:sgln:4012345.00005.0";
        for place in [
            "urn:epc:id:sgln:4012345.00006.0",
            "urn:epc:id:sgln:4012345.00006.7",
            "https://example.com/414/4012345000061",
            "urn:epc:id:sgln:4012345.00005.7",
        ] {
            assert!(sites.hold(place, market), "{place}");
        }
        for (place, ancestor) in [
            ("urn:epc:id:sgln:4012345.00007.0", market),
            ("urn:epc:id:sgln:4012345.00005.0", "urn:epc:id:sgln:4012345.00006.0"),
            ("urn:epc:id:sgln:4012345.00006.0", "urn:epc:id:sgln:4012345.00005.7"),
        ] {
            assert!(!sites.hold(place, ancestor), "{place}");
        }
    }
}
