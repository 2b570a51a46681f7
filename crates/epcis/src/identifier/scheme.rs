//! How each kind of key is made up, as data.

/// A scheme of EPC URNs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are GS1's")]
pub enum EpcScheme {
    Sgtin,
    Lgtin,
    Upui,
    Itip,
    Sscc,
    Sgln,
    Pgln,
    Grai,
    Gdti,
    Gcn,
    Gsrn,
    Gsrnp,
    Gsin,
    Giai,
    Ginc,
    Cpi,
}

/// Where the serial part stands in a Digital Link.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Nowhere,
    /// Directly behind the key.
    Behind,
    /// As a key qualifier of this application identifier.
    Qualifier(&'static str),
}

#[derive(Clone, Copy)]
pub(super) struct Spec {
    pub(super) scheme: EpcScheme,
    /// In the URN.
    pub(super) name: &'static str,
    /// Application identifier of the key.
    pub(super) ai: &'static str,
    /// Name of the key in older Digital Links.
    pub(super) word: &'static str,
    /// Digits of company prefix and reference together; `None` for references of free length.
    pub(super) digits: Option<usize>,
    /// The reference's first digit stands before the company prefix in the key.
    pub(super) leading: bool,
    /// Characters of the serial part at most.
    pub(super) serial_max: usize,
    pub(super) serial_numeric: bool,
    pub(super) place: Place,
    /// Whether `urn:epc:idpat:` names a class of these.
    pub(super) pattern: bool,
}

const NUMBER: Spec = Spec {
    scheme: EpcScheme::Sscc,
    name: "",
    ai: "",
    word: "",
    digits: None,
    leading: false,
    serial_max: 0,
    serial_numeric: false,
    place: Place::Nowhere,
    pattern: false,
};

const fn item(scheme: EpcScheme, name: &'static str, ai: &'static str, word: &'static str) -> Spec {
    let place = Place::Qualifier("21");
    let digits = Some(13);
    Spec { scheme, name, ai, word, digits, leading: true, serial_max: 20, place, ..NUMBER }
}

const fn place(
    scheme: EpcScheme,
    name: &'static str,
    ai: &'static str,
    word: &'static str,
) -> Spec {
    Spec { scheme, name, ai, word, digits: Some(12), ..NUMBER }
}

const fn service(scheme: EpcScheme, name: &'static str, ai: &'static str, digits: usize) -> Spec {
    Spec { scheme, name, ai, word: name, digits: Some(digits), ..NUMBER }
}

const fn behind(scheme: EpcScheme, name: &'static str, ai: &'static str, max: usize) -> Spec {
    let place = Place::Behind;
    let digits = Some(12);
    Spec { scheme, name, ai, word: name, digits, serial_max: max, place, pattern: true, ..NUMBER }
}

pub(super) static SPECS: [Spec; 16] = [
    Spec { pattern: true, ..item(EpcScheme::Sgtin, "sgtin", "01", "gtin") },
    Spec { place: Place::Qualifier("10"), ..item(EpcScheme::Lgtin, "lgtin", "01", "gtin") },
    Spec {
        place: Place::Qualifier("235"),
        serial_max: 28,
        ..item(EpcScheme::Upui, "upui", "01", "gtin")
    },
    Spec { pattern: true, ..item(EpcScheme::Itip, "itip", "8006", "itip") },
    Spec { leading: true, ..service(EpcScheme::Sscc, "sscc", "00", 17) },
    Spec {
        place: Place::Qualifier("254"),
        serial_max: 20,
        ..place(EpcScheme::Sgln, "sgln", "414", "gln")
    },
    place(EpcScheme::Pgln, "pgln", "417", "party"),
    behind(EpcScheme::Grai, "grai", "8003", 16),
    behind(EpcScheme::Gdti, "gdti", "253", 17),
    Spec { word: "gcn", serial_numeric: true, ..behind(EpcScheme::Gcn, "sgcn", "255", 12) },
    service(EpcScheme::Gsrn, "gsrn", "8018", 17),
    service(EpcScheme::Gsrnp, "gsrnp", "8017", 17),
    service(EpcScheme::Gsin, "gsin", "402", 16),
    Spec { scheme: EpcScheme::Giai, name: "giai", ai: "8004", word: "giai", ..NUMBER },
    Spec { scheme: EpcScheme::Ginc, name: "ginc", ai: "401", word: "ginc", ..NUMBER },
    Spec {
        scheme: EpcScheme::Cpi,
        name: "cpi",
        ai: "8010",
        word: "cpid",
        serial_max: 12,
        serial_numeric: true,
        place: Place::Qualifier("8011"),
        pattern: true,
        ..NUMBER
    },
];

/// Schemes of the Tag Data Standard that are no GS1 keys; their parts are not looked into.
pub(crate) const OTHER_SCHEMES: [&str; 5] = ["gid", "usdod", "adi", "bic", "imovn"];

impl EpcScheme {
    pub(super) fn spec(self) -> &'static Spec {
        let found = SPECS.iter().find(|spec| spec.scheme == self);
        found.unwrap_or(&SPECS[0])
    }

    /// The scheme that a URN calls so.
    pub fn named(name: &str) -> Option<Self> {
        SPECS.iter().find(|spec| spec.name == name).map(|spec| spec.scheme)
    }

    /// Digits of company prefix and reference together; `None` where the reference has any length.
    pub fn digits(self) -> Option<usize> {
        self.spec().digits
    }

    /// As the URN writes it.
    pub fn name(self) -> &'static str {
        self.spec().name
    }
}

/// The check digit that belongs behind these digits.
pub(super) fn check_digit(digits: &str) -> Option<char> {
    yj_model::gs1_mod10(digits.as_bytes()).map(char::from)
}

pub(super) fn is_numeric(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}
