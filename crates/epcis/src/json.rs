//! JSON that comes back as it went in: the text of every number and the order of every member are
//! kept, which no floating-point value and no map would do.

use std::fmt;

use crate::{
    fault::ReadError,
    limits::Limits,
    read::{Source, document},
};

/// Members of an object in their order; no name occurs twice.
pub type Members = Vec<(String, Json)>;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number in the characters that were sent.
    Number(String),
    /// A string.
    Text(String),
    /// A list.
    Array(Vec<Json>),
    /// An object.
    Object(Members),
}

impl Json {
    /// Reads one value from bytes that hold nothing else.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, ReadError> {
        document(&mut Source::new(bytes, limits))
    }

    /// A string.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The member of this name, when this is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.members().iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The string, when this is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The string under this name.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Self::as_text)
    }

    /// The items, when this is a list; otherwise none.
    pub fn items(&self) -> &[Json] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }

    /// The list that an object of JSON-LD stands for: `{"@list": […]}`, whose order means something, or
    /// `{"@set": […]}`. XML has several elements for either.
    pub(crate) fn as_ld_list(&self) -> Option<&Json> {
        match self.members() {
            [(name, list @ Self::Array(_))] if name == "@list" || name == "@set" => Some(list),
            _ => None,
        }
    }

    /// The members, when this is an object; otherwise none.
    pub fn members(&self) -> &[(String, Json)] {
        match self {
            Self::Object(members) => members,
            _ => &[],
        }
    }

    /// What a plain value says: the characters of a string or a number, `true`, `false`.
    pub fn scalar(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Null | Self::Array(_) | Self::Object(_) => None,
        }
    }
}

impl fmt::Display for Json {
    /// The shortest JSON text: no space, and no escape that is not needed.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Number(text) => out.write_str(text),
            Self::Text(text) => quote(text, out),
            Self::Array(items) => {
                out.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.write_str(",")?;
                    }
                    write!(out, "{item}")?;
                }
                out.write_str("]")
            }
            Self::Object(members) => {
                out.write_str("{")?;
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.write_str(",")?;
                    }
                    quote(name, out)?;
                    write!(out, ":{value}")?;
                }
                out.write_str("}")
            }
        }
    }
}

fn quote(text: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    out.write_str("\"")?;
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.write_str(&text[plain_from..at])?;
        plain_from = at + 1;
        match byte {
            b'"' => out.write_str("\\\"")?,
            b'\\' => out.write_str("\\\\")?,
            b'\n' => out.write_str("\\n")?,
            b'\r' => out.write_str("\\r")?,
            b'\t' => out.write_str("\\t")?,
            other => write!(out, "\\u{other:04x}")?,
        }
    }
    out.write_str(&text[plain_from..])?;
    out.write_str("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Json, ReadError> {
        Json::parse(text.as_bytes(), &Limits::default())
    }

    #[test]
    fn numbers_and_order_come_back_as_sent() {
        for text in [
            r#"{"z":1.10,"a":-0,"b":1E+5,"c":123456789012345678901234567890.000}"#,
            r#"[null,true,false,"\"\\\n中\u0001",{}]"#,
        ] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        assert_eq!(parse("\u{feff} [ 1 , 2 ] ").unwrap().to_string(), "[1,2]");
        assert_eq!(parse(r#""\ud83c\udf4e\/""#).unwrap(), Json::text("🍎/"));
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "nul",
            "\"\\x\"",
            "\"a",
            "\"\\ud800\"",
            "\"\u{1}\"",
            "1 2",
            "{\"a\":1,\"a\":2}",
            "{a:1}",
            "[1 2]",
            "NaN",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let bad_utf8 = Json::parse(b"\"\xff\"", &Limits::default());
        assert!(matches!(bad_utf8, Err(ReadError::Syntax { .. })));
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(64)).is_ok());
        assert!(matches!(parse(&nested(65)), Err(ReadError::TooMuch { .. })));
        assert!(matches!(parse(&"[".repeat(1_000_000)), Err(ReadError::TooMuch { .. })));
        let small = Limits { document_bytes_max: 4, ..Limits::default() };
        assert!(matches!(Json::parse(b"[1,2,3]", &small), Err(ReadError::TooMuch { .. })));
    }
}
