//! Which characters keys may hold, and how they stand in a URI.

/// Characters of GS1's set 82 besides letters and digits.
const SET_82: &[u8] = b"!\"%&'()*+,-./:;<=>?_";

pub(super) fn is_key_text(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || SET_82.contains(&byte))
}

/// GS1's set 39, of component and part identifiers.
pub(super) fn is_part_text(text: &str) -> bool {
    let capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    text.bytes().all(|byte| capital(byte) || b"#-/".contains(&byte))
}

/// Resolves `%2F` and its like; `None` where it is no escape or no text.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let code = digit()? * 16 + digit()?;
            plain.push(u8::try_from(code).ok()?);
        } else {
            plain.push(byte);
        }
    }
    String::from_utf8(plain).ok()
}

fn escape(text: &str, keep: impl Fn(u8) -> bool) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || keep(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// What an EPC URN holds as it is besides letters and digits (Tag Data Standard §6.3, table A-1).
const PLAIN_IN_URN: &[u8] = b"!'()*+,-.:;=_";

/// Whether everything that an EPC URN must escape is escaped.
pub(super) fn is_urn_text(text: &str) -> bool {
    let plain = |byte: u8| byte == b'%' || PLAIN_IN_URN.contains(&byte);
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || plain(byte))
}

/// As an EPC URN has it.
pub(super) fn for_urn(text: &str) -> String {
    escape(text, |byte| PLAIN_IN_URN.contains(&byte))
}

/// As a Digital Link has it (GS1 Digital Link §7, table 7-1).
pub(super) fn for_link(text: &str) -> String {
    escape(text, |byte| b"'-.;=_".contains(&byte))
}
