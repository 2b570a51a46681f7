//! Codes, numbers and times: what is read is written back as something that reads the same.
#![no_main]

use std::{fmt::Display, str::FromStr};

use libfuzzer_sys::fuzz_target;
use yj_model::{
    ApprovalNumber, CasNumber, CreditCode, DOMAINS, Email, FORMER_CODE_KINDS, FoodLicence,
    FormerCodeKind, Gln, Gtin, Id, IdentityNumber, IndustryCode, KnownCode, LotNumber, MacAddress,
    OffsetTime, Phone, Quantity, RegionCode, Sscc, SubjectCode, TraceCode, UnNumber, UnitCode,
    candidates, forms_of,
};

fn stable<T: FromStr + Display>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        let written = read.to_string();
        let again = written.parse::<T>().ok().map(|again| again.to_string());
        assert_eq!(again.as_ref(), Some(&written));
    }
}

fuzz_target!(|text: &str| {
    stable::<TraceCode>(text);
    stable::<LotNumber>(text);
    stable::<KnownCode>(text);
    stable::<SubjectCode>(text);
    stable::<CreditCode>(text);
    stable::<Quantity>(text);
    stable::<OffsetTime>(text);
    stable::<RegionCode>(text);
    stable::<Gtin>(text);
    stable::<Sscc>(text);
    stable::<Gln>(text);
    stable::<Id<()>>(text);
    stable::<IndustryCode>(text);
    stable::<MacAddress>(text);
    stable::<FoodLicence>(text);
    stable::<CasNumber>(text);
    stable::<UnNumber>(text);
    drop(text.parse::<IdentityNumber>());
    drop(text.parse::<Phone>());
    drop(text.parse::<Email>());
    drop(text.parse::<UnitCode>());
    for reading in candidates(text) {
        forms_of(&reading);
    }
    for (domain, _) in DOMAINS {
        drop(ApprovalNumber::parse(domain, text));
    }
    for (kind, _) in FORMER_CODE_KINDS {
        drop(FormerCodeKind::from_code(kind).map(|kind| kind.check(text)));
    }
    if let Ok(code) = text.parse::<TraceCode>() {
        code.scheme();
    }
});
