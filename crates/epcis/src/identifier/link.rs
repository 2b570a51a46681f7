//! GS1 Digital Link URIs.

use yj_model::Scheme;

use super::{
    escape::{for_link, for_urn, is_key_text, is_part_text, unescape},
    scheme::{EpcScheme, Place, SPECS, Spec, check_digit, is_numeric},
};

/// The domain of canonical Digital Links.
const CANONICAL: &str = "https://id.gs1.org";

/// A GS1 key with its finest qualifier; what comes with it in a link and does not identify is
/// left out (CBV 2.0 §8.9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gs1Key {
    ai: &'static str,
    value: String,
    qualifier: Option<(&'static str, String)>,
}

/// A sequence of qualifiers from the coarsest to the finest, with the words of older links.
type Row = &'static [(&'static str, &'static str)];

/// The qualifiers of a key; of several sequences one holds (GS1 Digital Link §4.7).
const QUALIFIERS: [(&str, Row); 5] = [
    ("01", &[("22", "cpv"), ("10", "lot"), ("21", "ser")]),
    ("01", &[("235", "tpx")]),
    ("8006", &[("22", "cpv"), ("10", "lot"), ("21", "ser")]),
    ("414", &[("254", "glnx")]),
    ("8010", &[("8011", "cpsn")]),
];

impl Gs1Key {
    pub(super) fn of(
        ai: &'static str,
        value: String,
        qualifier: Option<(&'static str, String)>,
    ) -> Self {
        Self { ai, value, qualifier }
    }

    /// Application identifier, such as `01`.
    pub fn ai(&self) -> &'static str {
        self.ai
    }

    /// The key with its check digit, and whatever is behind it.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Application identifier and value of the finest qualifier.
    pub fn qualifier(&self) -> Option<(&'static str, &str)> {
        self.qualifier.as_ref().map(|(ai, value)| (*ai, value.as_str()))
    }

    /// Reads a Digital Link on any domain; `None` when the URI is none, such as one with a slash at
    /// its end. Check digits are not checked here, because the hash of an event does not depend on
    /// their being right.
    pub fn parse(uri: &str) -> Option<Self> {
        let (scheme, rest) = uri.split_once("://")?;
        if !["https", "http"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return None;
        }
        let (host, path) = rest.split(['?', '#']).next()?.split_once('/')?;
        if host.is_empty() {
            return None;
        }
        let segments: Vec<&str> = path.split('/').collect();
        // Whatever stands before the key belongs to whoever owns the domain.
        (0..segments.len()).find_map(|from| Self::from_segments(&segments[from..]))
    }

    fn from_segments(segments: &[&str]) -> Option<Self> {
        let (name, rest) = segments.split_first()?;
        let (value, rest) = rest.split_first()?;
        let spec = SPECS.iter().find(|spec| spec.ai == *name || spec.word == *name)?;
        let value = checked_value(spec, unescape(value)?)?;
        let mut rows = QUALIFIERS.iter().filter(|(ai, _)| *ai == spec.ai);
        let finest = if rest.is_empty() {
            None
        } else {
            rows.find_map(|(_, row)| qualifiers(row, rest))?.pop()
        };
        Some(Self { ai: spec.ai, value, qualifier: finest })
    }

    /// The canonical link.
    pub fn to_link(&self) -> String {
        self.written(for_link)
    }

    /// The canonical link as the event hash has it: only what an EPC URN escapes is escaped.
    pub(super) fn to_hash_link(&self) -> String {
        self.written(for_urn)
    }

    fn written(&self, escape: fn(&str) -> String) -> String {
        let mut link = format!("{CANONICAL}/{}/{}", self.ai, escape(&self.value));
        if let Some((ai, value)) = &self.qualifier {
            link.push_str(&format!("/{ai}/{}", escape(value)));
        }
        link
    }

    /// Its digits from the company prefix on.
    pub fn from_company(&self) -> &str {
        let leading = self.spec().is_some_and(|spec| spec.leading) || self.ai == "8003";
        self.value.get(usize::from(leading)..).unwrap_or_default()
    }

    /// How many digits its company prefix has, where a rule says so: Chinese prefixes, 690 to 697.
    pub fn known_company_digits(&self) -> Option<usize> {
        let digits = self.from_company();
        let ruled =
            digits.strip_prefix("69")?.starts_with(|next: char| ('0'..='7').contains(&next));
        let is_prefix = |length: &usize| {
            let prefix = digits.get(..*length);
            prefix.is_some_and(|prefix| yj_model::prefix_of(Scheme::Gs1, prefix).is_ok())
        };
        (7..=9).find(is_prefix).filter(|_| ruled)
    }

    /// Whether its check digit is right; keys without one have no wrong one.
    pub fn has_right_check_digit(&self) -> bool {
        let Some(spec) = self.spec() else { return true };
        let Some(count) = spec.digits else { return true };
        let body = usize::from(spec.scheme == EpcScheme::Grai) + count;
        let parts = self.value.split_at_checked(body);
        parts.is_some_and(|(digits, rest)| {
            check_digit(digits).is_some_and(|right| rest.starts_with(right))
        })
    }

    /// Whether it names every thing of a class, a lot among them, rather than one thing.
    pub fn is_class(&self) -> bool {
        let Some(spec) = self.spec() else { return true };
        match spec.place {
            Place::Nowhere => false,
            Place::Behind => {
                let body = usize::from(spec.scheme == EpcScheme::Grai) + spec.digits.unwrap_or(0);
                self.value.len() <= body + 1
            }
            Place::Qualifier("254") => false,
            Place::Qualifier(ai) => match &self.qualifier {
                Some((found, _)) => *found == "10" || *found != ai,
                None => true,
            },
        }
    }

    /// The scheme of EPC that this key belongs to.
    pub(super) fn spec(&self) -> Option<&'static Spec> {
        let mut of_key = SPECS.iter().filter(|spec| spec.ai == self.ai);
        match &self.qualifier {
            None => of_key.next(),
            Some((ai, _)) => of_key.find(|spec| spec.place == Place::Qualifier(ai)),
        }
    }
}

/// The qualifiers of a path that identify more finely than the key, in the order of their sequence;
/// none of a variant, which no EPC tells. `None` where the path does not follow the sequence.
fn qualifiers(row: Row, segments: &[&str]) -> Option<Vec<(&'static str, String)>> {
    let mut left = row.iter();
    let mut found = Vec::new();
    for pair in segments.chunks(2) {
        let [name, value] = pair else { return None };
        let (ai, _) = left.find(|(ai, word)| ai == name || word == name)?;
        let value = unescape(value).filter(|value| is_qualifier(ai, value))?;
        if *ai != "22" {
            found.push((*ai, value));
        }
    }
    Some(found)
}

fn is_qualifier(ai: &str, value: &str) -> bool {
    let length = (1..=if ai == "235" { 28 } else { 20 }).contains(&value.len());
    match ai {
        "8011" => (1..=12).contains(&value.len()) && is_numeric(value),
        _ => length && is_key_text(value),
    }
}

/// The value when it may be one of this key; trade item numbers are filled up to 14 digits.
fn checked_value(spec: &Spec, value: String) -> Option<String> {
    let numeric = |from: usize| value.get(..from).is_some_and(is_numeric);
    let exactly = |count: usize| value.len() == count && numeric(count);
    let behind = |count: usize, max: usize| {
        let rest = value.get(count..).filter(|_| numeric(count));
        rest.is_some_and(|rest| rest.len() <= max && is_key_text(rest))
    };
    let sound = match spec.scheme {
        EpcScheme::Sgtin | EpcScheme::Lgtin | EpcScheme::Upui => {
            let padded = matches!(value.len(), 8 | 12 | 13 | 14) && is_numeric(&value);
            return padded.then(|| format!("{value:0>14}"));
        }
        EpcScheme::Itip => exactly(18),
        EpcScheme::Grai => behind(14, 16) && value.starts_with('0'),
        EpcScheme::Gdti => behind(13, 17),
        EpcScheme::Gcn => behind(13, 12) && is_numeric(&value),
        EpcScheme::Giai | EpcScheme::Ginc => value.len() > 4 && behind(4, 26),
        EpcScheme::Cpi => (5..=30).contains(&value.len()) && numeric(4) && is_part_text(&value),
        _ => spec.digits.is_some_and(|digits| exactly(digits + 1)),
    };
    sound.then_some(value)
}
