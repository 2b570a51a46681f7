//! EPC URNs.

use super::{
    escape::{for_urn, is_key_text, is_part_text, is_urn_text, unescape},
    link::Gs1Key,
    scheme::{EpcScheme, Place, SPECS, Spec, check_digit, is_numeric},
};

/// The part of an EPC that tells single things apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Serial {
    /// The scheme has none, or a location has no extension.
    None,
    /// This one: serial number, lot, extension.
    One(String),
    /// Every one: the URN is a class (`urn:epc:idpat:…​.*`).
    Any,
}

/// A key as an EPC URN divides it. Parts are plain text, not escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epc {
    /// Which scheme.
    pub scheme: EpcScheme,
    /// GS1 company prefix, 6 to 12 digits.
    pub company: String,
    /// Reference given by the company; with its indicator or extension digit first.
    pub reference: String,
    /// Piece and total of an ITIP, two digits each.
    pub piece_of_total: Option<(String, String)>,
    /// What tells single things apart.
    pub serial: Serial,
}

const COMPANY_DIGITS: std::ops::RangeInclusive<usize> = 6..=12;
const FREE_MAX: usize = 30;

impl Epc {
    /// Reads `urn:epc:id:…`, `urn:epc:class:lgtin:…` and classes `urn:epc:idpat:…​.*`; `None` for
    /// anything that is not exactly one of these.
    pub fn parse(urn: &str) -> Option<Self> {
        let rest = urn.strip_prefix("urn:epc:")?;
        let (kind, rest) = rest.split_once(':')?;
        let (name, rest) = rest.split_once(':').filter(|(_, rest)| is_urn_text(rest))?;
        let spec = SPECS.iter().find(|spec| spec.name == name)?;
        let lot = spec.scheme == EpcScheme::Lgtin;
        let class = match kind {
            "id" if !lot => false,
            "class" if lot => false,
            "idpat" if spec.pattern || spec.scheme == EpcScheme::Upui => true,
            _ => return None,
        };
        let epc = Self::divide(spec, rest, class)?;
        epc.is_sound(spec).then_some(epc)
    }

    fn divide(spec: &Spec, rest: &str, class: bool) -> Option<Self> {
        let (company, rest) = rest.split_once('.')?;
        let (reference, rest) = match spec.place {
            Place::Nowhere => (rest, None),
            _ => rest.split_once('.').map(|(reference, rest)| (reference, Some(rest)))?,
        };
        let (piece_of_total, rest) = match rest {
            Some(rest) if spec.scheme == EpcScheme::Itip => {
                let mut parts = rest.splitn(3, '.');
                let pair = (parts.next()?.to_owned(), parts.next()?.to_owned());
                (Some(pair), Some(parts.next()?))
            }
            rest => (None, rest),
        };
        let serial = match rest {
            None => Serial::None,
            Some("*") if class => Serial::Any,
            Some(_) if class => return None,
            Some("0") if spec.scheme == EpcScheme::Sgln => Serial::None,
            Some(serial) => Serial::One(unescape(serial)?),
        };
        let (company, reference) = (company.to_owned(), unescape(reference)?);
        Some(Self { scheme: spec.scheme, company, reference, piece_of_total, serial })
    }

    fn is_sound(&self, spec: &Spec) -> bool {
        let company = is_numeric(&self.company) && COMPANY_DIGITS.contains(&self.company.len());
        let length = self.company.len() + self.reference.len();
        let reference = if let Some(digits) = spec.digits {
            is_numeric(&self.reference) && length == digits
        } else {
            let text = if self.scheme == EpcScheme::Cpi { is_part_text } else { is_key_text };
            !self.reference.is_empty() && length <= FREE_MAX && text(&self.reference)
        };
        let two_digits = |text: &str| text.len() == 2 && is_numeric(text);
        let pieces = self.piece_of_total.as_ref();
        let pieces = pieces.is_none_or(|(piece, total)| two_digits(piece) && two_digits(total));
        company && reference && pieces && self.serial.fits(spec)
    }

    /// Whether it names every thing of a class, a lot among them, rather than one thing.
    pub fn is_class(&self) -> bool {
        self.scheme == EpcScheme::Lgtin || self.serial == Serial::Any
    }

    /// The URN.
    pub fn to_urn(&self) -> String {
        let kind = match (self.scheme, &self.serial) {
            (_, Serial::Any) => "idpat",
            (EpcScheme::Lgtin, _) => "class",
            _ => "id",
        };
        let mut urn = format!("urn:epc:{kind}:{}:{}", self.scheme.name(), self.company);
        urn.push('.');
        urn.push_str(&for_urn(&self.reference));
        if let Some((piece, total)) = &self.piece_of_total {
            urn.push_str(&format!(".{piece}.{total}"));
        }
        match &self.serial {
            Serial::None if self.scheme == EpcScheme::Sgln => urn.push_str(".0"),
            Serial::None => {}
            Serial::One(serial) => urn.push_str(&format!(".{}", for_urn(serial))),
            Serial::Any => urn.push_str(".*"),
        }
        urn
    }

    /// The key that a Digital Link names; the length of the company prefix is lost.
    pub fn to_key(&self) -> Gs1Key {
        let spec = self.scheme.spec();
        let mut value = String::new();
        if self.scheme == EpcScheme::Grai {
            value.push('0');
        }
        let split = usize::from(spec.leading).min(self.reference.len());
        let (first, reference) = self.reference.split_at(split);
        value.push_str(&format!("{first}{}{reference}", self.company));
        if spec.digits.is_some() {
            value.extend(check_digit(&value));
        }
        if let Some((piece, total)) = &self.piece_of_total {
            value.push_str(&format!("{piece}{total}"));
        }
        let mut qualifier = None;
        if let Serial::One(serial) = &self.serial {
            match spec.place {
                Place::Nowhere => {}
                Place::Behind => value.push_str(serial),
                Place::Qualifier(ai) => qualifier = Some((ai, serial.clone())),
            }
        }
        Gs1Key::of(spec.ai, value, qualifier)
    }

    /// Divides a key after this many digits of company prefix. `None` when the key is no EPC
    /// (an ITIP with a lot, say), its check digit is wrong, or the length is impossible.
    pub fn from_key(key: &Gs1Key, company_digits: usize) -> Option<Self> {
        let spec = key.spec()?;
        let value = key.value();
        let (digits, rest) = match spec.digits {
            None => (value, ""),
            Some(count) => {
                let zero = usize::from(spec.scheme == EpcScheme::Grai);
                if !key.has_right_check_digit() {
                    return None;
                }
                let (checked, rest) = value.split_at_checked(zero + count + 1)?;
                (&checked[zero..zero + count], rest)
            }
        };
        let split = usize::from(spec.leading);
        let (first, digits) = digits.split_at_checked(split)?;
        let (company, reference) = digits.split_at_checked(company_digits)?;
        let (piece_of_total, behind) = if spec.scheme == EpcScheme::Itip {
            let (piece, total) = rest.split_at_checked(2)?;
            (Some((piece.to_owned(), total.to_owned())), "")
        } else {
            (None, rest)
        };
        let serial = match (spec.place, key.qualifier()) {
            (Place::Qualifier(_), Some((_, serial))) => Serial::One(serial.to_owned()),
            (Place::Behind, _) if !behind.is_empty() => Serial::One(behind.to_owned()),
            (Place::Nowhere, _) => Serial::None,
            _ if spec.scheme == EpcScheme::Sgln => Serial::None,
            _ => Serial::Any,
        };
        let epc = Self {
            scheme: spec.scheme,
            company: company.to_owned(),
            reference: format!("{first}{reference}"),
            piece_of_total,
            serial,
        };
        epc.is_sound(spec).then_some(epc)
    }
}

impl Serial {
    fn fits(&self, spec: &Spec) -> bool {
        match self {
            Self::None => spec.place == Place::Nowhere || spec.scheme == EpcScheme::Sgln,
            Self::Any => spec.place != Place::Nowhere,
            Self::One(text) => {
                let characters = if spec.serial_numeric { is_numeric } else { is_key_text };
                (1..=spec.serial_max).contains(&text.len()) && characters(text)
            }
        }
    }
}
