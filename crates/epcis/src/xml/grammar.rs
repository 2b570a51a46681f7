//! The grammar of XML 1.0 and its namespaces, as far as the tokens of the parser leave it open.

use std::borrow::Cow;

use quick_xml::{XmlVersion, events::attributes::Attribute, name::QName};

use super::names::{is_local, is_namespace, is_xml_text};
use crate::context::XML_NAMESPACE;

/// Attributes as they are written, each with what stands between its quotes (productions 10, 40 and
/// 41); `None` where the text is no list of attributes.
pub(super) fn attributes(text: &str) -> Option<Vec<(&str, &str)>> {
    let (mut found, mut rest) = (Vec::new(), text);
    loop {
        let next = rest.trim_start_matches(is_space);
        if next.is_empty() {
            return Some(found);
        }
        let (name, value) = next.split_once('=').filter(|_| next.len() < rest.len())?;
        let value = value.trim_start_matches(is_space);
        let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''))?;
        let (value, behind) = value[1..].split_once(quote)?;
        if value.contains('<') {
            return None;
        }
        found.push((name.trim_end_matches(is_space), value));
        rest = behind;
    }
}

/// White space of XML (production 3).
pub(super) fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n')
}

/// The value of an attribute (§3.3.3): references resolved, and white space that is no reference as
/// spaces. `None` where it refers to what XML does not know.
pub(super) fn value_of(written: &str) -> Option<String> {
    let attribute = Attribute { key: QName("a"), value: Cow::Borrowed(written) };
    let value = attribute.normalized_value(XmlVersion::Explicit1_0).ok()?;
    is_xml_text(&value).then(|| value.into_owned())
}

/// Which encoding the declaration of a document names (production 23), the empty text where it names
/// none; `None` where the declaration is damaged.
pub(super) fn declared_encoding(declaration: &str) -> Option<&str> {
    let mut list = attributes(declaration.strip_prefix("xml")?)?.into_iter().peekable();
    let (_, version) = list.next_if(|(name, _)| *name == "version")?;
    let minor = version.strip_prefix("1.")?;
    let encoding = list.next_if(|(name, _)| *name == "encoding").map(|(_, value)| value);
    let standalone = list.next_if(|(name, _)| *name == "standalone");
    let sound = !minor.is_empty()
        && minor.bytes().all(|byte| byte.is_ascii_digit())
        && standalone.is_none_or(|(_, value)| matches!(value, "yes" | "no"))
        && list.next().is_none();
    sound.then_some(encoding.unwrap_or_default())
}

/// Prefix and local name (Namespaces in XML, production 7); the prefix is empty where there is none.
pub(super) fn qualified(name: &str) -> Option<(&str, &str)> {
    match name.split_once(':') {
        Some((prefix, local)) => (is_local(prefix) && is_local(local)).then_some((prefix, local)),
        None => is_local(name).then_some(("", name)),
    }
}

/// Whether a prefix, or the empty one, may be declared to stand for this (Namespaces in XML §3).
pub(super) fn may_declare(prefix: &str, namespace: &str) -> bool {
    match prefix {
        "" => namespace.is_empty() || is_namespace(namespace),
        "xml" => namespace == XML_NAMESPACE,
        "xmlns" => false,
        _ => is_local(prefix) && is_namespace(namespace),
    }
}

/// Whether a document type is a name and nothing else: it declares nothing and points nowhere. GS1's
/// own example documents have such a line.
pub(super) fn is_bare_name(declared: &str) -> bool {
    qualified(declared.trim()).is_some()
}

/// Whether the bytes of a document type begin as XML wants it; the parser takes any letters.
pub(super) fn is_doctype(written: &[u8]) -> bool {
    let behind = written.strip_prefix(b"<!DOCTYPE").and_then(<[u8]>::first);
    behind.is_some_and(|byte| is_space(char::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_divided_as_the_grammar_says() {
        for (text, wanted) in [
            ("", Some(vec![])),
            (" \n", Some(vec![])),
            (" a='1'", Some(vec![("a", "1")])),
            (" a = \"'\"\tb='>&lt;' ", Some(vec![("a", "'"), ("b", ">&lt;")])),
            ("a='1'", None),
            (" a='1'b='2'", None),
            (" a='<'", None),
            (" a=1", None),
            (" a", None),
            (" a='1", None),
        ] {
            assert_eq!(attributes(text), wanted, "{text}");
        }
    }

    #[test]
    fn white_space_in_a_value_is_a_space_unless_it_is_a_reference() {
        for (written, wanted) in [
            ("a\tb\nc\r\nd\re  f", Some("a b c d e  f")),
            ("a&#9;b&#xA;c&#13;d&#32;", Some("a\tb\nc\rd ")),
            ("&lt;&gt;&amp;&quot;&apos;&amp;lt;", Some("<>&\"'&lt;")),
            ("&bomb;", None),
            ("a & b", None),
            ("&#1;", None),
            ("\u{1}", None),
        ] {
            assert_eq!(value_of(written).as_deref(), wanted, "{written:?}");
        }
    }

    #[test]
    fn a_declaration_has_its_parts_in_order() {
        for (text, wanted) in [
            ("xml version='1.0'", Some("")),
            ("xml version=\"1.0\" encoding='GBK' standalone=\"no\" ", Some("GBK")),
            ("xml version='1.1' standalone='yes'", Some("")),
            ("xml", None),
            ("xml encoding='UTF-8'", None),
            ("xml encoding='UTF-8' version='1.0'", None),
            ("xml version='1.0' standalone='yes' encoding='UTF-8'", None),
            ("xml version='1.0' standalone='maybe'", None),
            ("xml version='1.0' other='1'", None),
            ("xml version='2.0'", None),
            ("xml version='1.'", None),
            ("xml version=1.0", None),
        ] {
            assert_eq!(declared_encoding(text), wanted, "{text}");
        }
    }

    #[test]
    fn some_prefixes_are_bound_for_good() {
        assert!(may_declare("xml", XML_NAMESPACE) && may_declare("a", "urn:a"));
        assert!(may_declare("", "") && may_declare("", "urn:a"));
        for (prefix, namespace) in [
            ("xml", "urn:a"),
            ("a", XML_NAMESPACE),
            ("", XML_NAMESPACE),
            ("xmlns", "urn:a"),
            ("a", "http://www.w3.org/2000/xmlns/"),
            ("a", ""),
            ("1", "urn:a"),
        ] {
            assert!(!may_declare(prefix, namespace), "{prefix} {namespace}");
        }
        assert_eq!(qualified("a:b"), Some(("a", "b")));
        for name in ["", ":", ":a", "a:", "a:b:c", "1a", "a:1", "a b"] {
            assert_eq!(qualified(name), None, "{name}");
        }
    }
}
