//! 词汇: the field's codes, identifiers, places, quantities and times as checked types.
//!
//! Pure: no I/O, no clock, no randomness. A value of one of these types is always valid; a text
//! becomes one only through its check, and every refusal is a Chinese sentence that says what
//! would be right.

mod approval;
mod check_digit;
mod document_kind;
mod former_code;
mod gs1;
mod id;
mod identifier;
mod industry;
mod measured;
mod person;
mod place;
mod quantity;
mod region;
mod subject_code;
mod text;
mod time;
mod trace_code;
mod unit;
mod vicinity;
mod vocabulary;

pub use approval::{ApprovalKind, ApprovalNumber, CasNumber, UnNumber};
pub use check_digit::{gs1_mod10, mod11_2, mod11_10};
pub use document_kind::DocumentKind;
pub use former_code::{FORMER_CODE_KINDS, FormerCodeKind, KnownCode, former_code};
pub use gs1::{Gln, Gtin, SgtinEpc, Sscc, sgtin96};
pub use id::Id;
pub use identifier::{
    Form, Gs1Data, IDENTIFIER_MAX, PREFIX_SCHEMES, Recognised, SCHEMES, Scheme, Split, Tail,
    Wanted, bare_code, candidates, forms_of, gs1_unit_code, is_ambiguous, link_keys, lot_beside,
    prefix_of, recognise, sought_code, uncompressed_path, unit_code, why_not,
};
pub use industry::{DIVISIONS, IndustryCode};
pub use measured::{Against, Detection, Measured};
pub use person::{Email, FoodLicence, IdentityNumber, MacAddress, Phone, user_name};
pub use place::{Datum, GeoPoint};
pub use quantity::{Quantity, Ratio};
pub use region::{Known, Region, RegionCode, RegionKind, Regions, regions};
pub use subject_code::{CreditCode, SubjectCode};
pub use text::{Rejected, narrow};
pub use time::OffsetTime;
pub use trace_code::{CodeScheme, LotNumber, TraceCode};
pub use unit::{Dimension, Unit, UnitCode};
pub use vicinity::Astray;
pub use vocabulary::{
    CLASS_LIST, DATUMS, DOCUMENT_KINDS, DOMAIN_LIST, DOMAINS, LICENCE_KINDS, Movement, ROLE_KINDS,
    STAGES, SUBJECT_KINDS, Stage, UNCLASSED,
};
