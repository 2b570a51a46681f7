//! Bytes of XML as tokens with namespaces. Entities other than XML's own five, document types that
//! say more than a name and encodings other than UTF-8 are refused, so that nothing grows or points
//! elsewhere.

use std::io::{BufReader, Read};

use quick_xml::{
    Reader,
    escape::unescape,
    events::{BytesRef, BytesStart, Event},
};

use super::{
    names::{is_local, is_xml_char},
    tree::{Element, Name},
};
use crate::{fault::ReadError, limits::Limits};

type Outcome<T> = Result<T, ReadError>;

const BUFFER: usize = 16 << 10;
const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// Lets only so many bytes through.
struct Metered<R> {
    reader: R,
    total_left: u64,
    left: u64,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let room = usize::try_from(self.left.min(self.total_left)).unwrap_or(usize::MAX);
        if room == 0 && !buffer.is_empty() {
            // One byte more tells a document that just fits from one that does not.
            let mut probe = [0];
            return match self.reader.read(&mut probe)? {
                0 => Ok(0),
                _ => Err(std::io::Error::from(std::io::ErrorKind::FileTooLarge)),
            };
        }
        let end = room.min(buffer.len());
        let count = self.reader.read(&mut buffer[..end])?;
        self.left -= count as u64;
        self.total_left -= count as u64;
        Ok(count)
    }
}

/// Whether a document type is a name and nothing else: it declares nothing and points nowhere. GS1's
/// own example documents have such a line.
fn is_bare_name(declared: &str) -> bool {
    let (prefix, local) = declared.trim().split_once(':').unwrap_or(("a", declared.trim()));
    is_local(prefix) && is_local(local)
}

pub(super) enum Token {
    /// An element begins; its children are not read yet.
    Start(Element),
    End,
    Text(String),
    Eof,
}

pub(super) struct XmlSource<R> {
    reader: Reader<BufReader<Metered<R>>>,
    buffer: Vec<u8>,
    /// Prefixes in force, each with the depth of the element that declared it.
    scope: Vec<(usize, String, String)>,
    depth: usize,
}

impl<R: Read> XmlSource<R> {
    pub(super) fn new(reader: R, limits: &Limits) -> Self {
        let total_left = limits.document_bytes_max;
        let metered = Metered { reader, total_left, left: total_left };
        let mut reader = Reader::from_reader(BufReader::with_capacity(BUFFER, metered));
        reader.config_mut().expand_empty_elements = true;
        Self { reader, buffer: Vec::new(), scope: Vec::new(), depth: 0 }
    }

    /// Allows what follows this many bytes, not counting what is buffered already.
    pub(super) fn allow(&mut self, bytes: usize) {
        self.reader.get_mut().get_mut().left = bytes as u64;
    }

    pub(super) fn syntax(&self, detail: impl Into<String>) -> ReadError {
        ReadError::Syntax { offset: self.reader.buffer_position(), detail: detail.into() }
    }

    pub(super) fn too_much(&self, detail: impl Into<String>) -> ReadError {
        ReadError::TooMuch { offset: self.reader.buffer_position(), detail: detail.into() }
    }

    fn failed(&self, error: quick_xml::Error) -> ReadError {
        match error {
            quick_xml::Error::Io(error) => match error.kind() {
                std::io::ErrorKind::FileTooLarge => self.too_much("文档或其中一个事件过大"),
                kind => ReadError::Broken(kind.into()),
            },
            _ => self.syntax("应为完好的 XML"),
        }
    }

    pub(super) fn next(&mut self) -> Outcome<Token> {
        loop {
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.clear();
            let event =
                self.reader.read_event_into(&mut buffer).map_err(|error| self.failed(error));
            let token = match event {
                Ok(event) => {
                    // Owned, because names are resolved against this very source.
                    let event = event.into_owned();
                    self.buffer = buffer;
                    self.token(event)?
                }
                Err(error) => return Err(error),
            };
            if let Some(token) = token {
                return Ok(token);
            }
        }
    }

    fn token(&mut self, event: Event<'static>) -> Outcome<Option<Token>> {
        Ok(match event {
            Event::Start(start) | Event::Empty(start) => Some(Token::Start(self.start(&start)?)),
            Event::End(_) => {
                let depth = self.depth;
                self.scope.retain(|(declared, ..)| *declared < depth);
                self.depth = depth.saturating_sub(1);
                Some(Token::End)
            }
            Event::Text(text) => Some(Token::Text(text.xml10_content().into_owned())),
            Event::CData(text) => Some(Token::Text(text.xml10_content().into_owned())),
            Event::GeneralRef(entity) => Some(Token::Text(self.entity(&entity)?.to_string())),
            Event::Comment(_) | Event::PI(_) => None,
            Event::Decl(declaration) => {
                let named = declaration.encoding().and_then(Result::ok);
                if named.is_some_and(|name| !name.eq_ignore_ascii_case("utf-8")) {
                    return Err(self.syntax("应为 UTF-8 编码的 XML"));
                }
                None
            }
            Event::DocType(declared) if is_bare_name(&declared.xml10_content()) => None,
            Event::DocType(_) => {
                return Err(self.syntax("不接受含实体声明或指向别处的 DOCTYPE；请去掉它"));
            }
            Event::Eof if self.depth > 0 => return Err(self.syntax("XML 在此中断")),
            Event::Eof => Some(Token::Eof),
        })
    }

    fn entity(&self, entity: &BytesRef<'_>) -> Outcome<char> {
        let unknown = || self.syntax("不接受 XML 自有五种之外的实体");
        if let Some(character) = entity.resolve_char_ref().map_err(|_| unknown())? {
            return if is_xml_char(character) { Ok(character) } else { Err(unknown()) };
        }
        match entity.xml10_content().as_ref() {
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "amp" => Ok('&'),
            "apos" => Ok('\''),
            "quot" => Ok('"'),
            _ => Err(unknown()),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Outcome<Element> {
        self.depth += 1;
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| self.syntax("属性的写法不对或重复"))?;
            let key = attribute.key.0;
            let value = unescape(&attribute.value);
            let value =
                value.map_err(|_| self.syntax("不接受 XML 自有五种之外的实体"))?.into_owned();
            match key.strip_prefix("xmlns") {
                Some("") => self.scope.push((self.depth, String::new(), value)),
                Some(prefix) if prefix.starts_with(':') => {
                    self.scope.push((self.depth, prefix[1..].to_owned(), value));
                }
                _ => attributes.push((key.to_owned(), value)),
            }
        }
        let name = self.resolve(start.name().0, true)?;
        let resolved =
            attributes.into_iter().map(|(key, value)| Ok((self.resolve(&key, false)?, value)));
        let attributes = resolved.collect::<Outcome<_>>()?;
        Ok(Element { name, attributes, children: Vec::new(), text: String::new() })
    }

    /// The default namespace holds for elements, not for attributes.
    fn resolve(&self, name: &str, element: bool) -> Outcome<Name> {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let find = || self.scope.iter().rev().find(|(_, known, _)| known == prefix);
        let namespace = match prefix {
            "" if !element => String::new(),
            "xml" => XML_NAMESPACE.to_owned(),
            "" => find().map(|(.., uri)| uri.clone()).unwrap_or_default(),
            _ => match find() {
                Some((.., uri)) => uri.clone(),
                None => return Err(self.syntax(format!("前缀 {prefix} 没有声明"))),
            },
        };
        Ok(Name { namespace, prefix: prefix.to_owned(), local: local.to_owned() })
    }

    /// The prefixes in force here, the outermost first.
    pub(super) fn prefixes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.scope.iter().map(|(_, prefix, uri)| (prefix.as_str(), uri.as_str()))
    }

    /// Reads what is inside an element that has begun, at most so many levels deep.
    pub(super) fn fill(&mut self, mut element: Element, levels: usize) -> Outcome<Element> {
        if levels == 0 {
            return Err(self.too_much("嵌套过深"));
        }
        loop {
            match self.next()? {
                Token::Start(child) => {
                    let child = self.fill(child, levels - 1)?;
                    element.children.push(child);
                }
                Token::Text(text) => element.text.push_str(&text),
                Token::End => return Ok(element),
                Token::Eof => return Err(self.syntax("XML 在此中断")),
            }
        }
    }
}
