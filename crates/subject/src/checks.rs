//! Checks and normal forms of what a subject is registered with.

use yj_kernel::{Problem, Result, vault::ERASED};
use yj_model::{Email, IdentityNumber, IndustryCode, Phone, SubjectCode, former_code};

pub(crate) fn subject_code(text: &str) -> Result<String, String> {
    text.parse::<SubjectCode>().map(|code| code.to_string()).map_err(|error| error.to_string())
}

pub(crate) fn phone(text: &str) -> Result<String, String> {
    text.parse::<Phone>()
        .map(|phone| String::from(phone.reveal()))
        .map_err(|error| error.to_string())
}

pub(crate) fn industry_code(text: &str) -> Result<String, String> {
    text.parse::<IndustryCode>().map(|code| code.to_string()).map_err(|error| error.to_string())
}

pub(crate) fn email(text: &str) -> Result<String, String> {
    text.parse::<Email>()
        .map(|email| String::from(email.reveal()))
        .map_err(|error| error.to_string())
}

/// Numbers of documents are compared by their blind index: one form for all spellings.
#[expect(clippy::unnecessary_wraps, reason = "what a field's check is")]
pub(crate) fn document_number(text: &str) -> Result<String, String> {
    Ok(former_code(text))
}

/// The document of a person: its number with its kind, and the check digit where there is one.
pub(crate) fn document(kind: Option<&str>, number: Option<&str>) -> Result<()> {
    match (kind, number) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(Problem::invalid("legal_rep_id", "填写证件类型时应填写证件号码")),
        (None, Some(_)) => {
            Err(Problem::invalid("legal_rep_id_kind", "填写证件号码时应选择证件类型"))
        }
        (Some("111"), Some(number)) if number != ERASED => number
            .parse::<IdentityNumber>()
            .map(drop)
            .map_err(|error| Problem::invalid("legal_rep_id", format!("身份证号码{error}"))),
        _ => Ok(()),
    }
}
