//! What XML 1.0 and its namespaces allow in texts and names.

use crate::context::{Context, XML_NAMESPACE};

/// Namespaces that only XML itself may use.
const RESERVED: [&str; 2] = [XML_NAMESPACE, "http://www.w3.org/2000/xmlns/"];

/// Whether XML 1.0 may hold this character (production 2, `Char`).
pub(crate) fn is_xml_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Whether XML 1.0 may hold this text.
pub(crate) fn is_xml_text(text: &str) -> bool {
    text.chars().all(is_xml_char)
}

/// Whether this is a name without colon (XML 1.0 productions 4 and 4a, XML Namespaces `NCName`).
pub(crate) fn is_local(name: &str) -> bool {
    name.starts_with(begins) && name.chars().all(goes_on)
}

fn begins(letter: char) -> bool {
    matches!(letter,
        'A'..='Z' | 'a'..='z' | '_' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}'
        | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}'
        | '\u{200c}' | '\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
        | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

fn goes_on(letter: char) -> bool {
    begins(letter)
        || matches!(letter,
            '0'..='9' | '-' | '.' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}' | '\u{2040}')
}

/// Whether a prefix of one's own may stand for this namespace in XML.
pub(crate) fn is_namespace(uri: &str) -> bool {
    !uri.is_empty() && is_xml_text(uri) && !RESERVED.contains(&uri)
}

/// Why a member cannot be a name of XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unnamed {
    /// Nothing says what its prefix means.
    Undeclared,
    /// Its letters are none that names may have.
    Letters,
}

/// Whether a member's name can be one of XML: with the namespace that its prefix or its URI has,
/// or without any.
pub(crate) fn unnamed(key: &str, context: &Context) -> Option<Unnamed> {
    match context.resolve(key) {
        Some((namespace, local)) => {
            let named = is_namespace(namespace) || namespace == XML_NAMESPACE;
            (!named || !is_local(local)).then_some(Unnamed::Letters)
        }
        None if is_local(key) => None,
        None if key
            .split_once(':')
            .is_some_and(|(prefix, local)| is_local(prefix) && is_local(local)) =>
        {
            Some(Unnamed::Undeclared)
        }
        None => Some(Unnamed::Letters),
    }
}
