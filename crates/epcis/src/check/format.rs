//! Texts that have a form.

/// Whether this is a URI (RFC 3986) with a scheme; a prefixed name such as `ex:field` is one too.
pub(crate) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let named = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && named
        && !rest.is_empty()
        && is_spelled(rest.as_bytes())
}

fn is_spelled(rest: &[u8]) -> bool {
    let mut at = 0;
    while let Some(&byte) = rest.get(at) {
        if byte == b'%' {
            let pair = rest.get(at + 1..at + 3);
            if !pair.is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit)) {
                return false;
            }
        } else if !(byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&byte)) {
            return false;
        }
        at += 1;
    }
    true
}

/// Whether this may name an extension: like a URI, but letters of any script may follow the scheme,
/// as element names of XML have them.
pub(super) fn is_extension_name(text: &str) -> bool {
    let spelled: String = text.chars().map(|c| if c.is_alphabetic() { 'a' } else { c }).collect();
    let latin_scheme = text.split(':').next().is_some_and(str::is_ascii);
    latin_scheme && is_uri(&spelled)
}

/// Whether this is a unit of UN/ECE Recommendation 20 by its form.
pub(super) fn is_unit(text: &str) -> bool {
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    (2..=3).contains(&text.len()) && text.bytes().all(upper)
}

/// `2.0`, and whatever else of the first two versions: what a later one means is not known here.
pub(crate) fn is_version(text: &str) -> bool {
    let mut parts = text.split('.');
    let known = parts.next().is_some_and(|major| matches!(major, "1" | "2"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    known && parts.all(is_number)
}

pub(super) fn is_hexadecimal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
