//! Which place lies in which, as their identifiers say (CBV §8.3): a GLN with an extension is a part of
//! the GLN without. What else lies where is master data that nobody has told this platform.

use yj_epcis::{Places, canonical_link, id_matches};

/// Between a GLN and the extension that names a part of it, in a canonical link.
const EXTENSION: &str = "/254/";

/// Places by their identifiers.
pub(crate) struct Sites;

impl Places for Sites {
    fn lies_in(&self, place: &str, ancestor: &str) -> bool {
        if id_matches(ancestor, place) {
            return true;
        }
        let (Some(place), Some(parts)) = (canonical_link(place), parts_of(ancestor)) else {
            return false;
        };
        place.len() > parts.len() && place.starts_with(&parts)
    }
}

/// With what the canonical links of the parts of a place begin, where it may have any.
pub(crate) fn parts_of(place: &str) -> Option<String> {
    let link = canonical_link(place)?;
    let is_whole = link.contains("/414/") && !link.contains(EXTENSION);
    is_whole.then(|| format!("{link}{EXTENSION}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gln_holds_its_extensions_however_they_are_written() {
        let lies = |place: &str, ancestor: &str| Sites.lies_in(place, ancestor);
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
}
