//! Bytes of XML as tokens with namespaces. Entities other than XML's own five, document types that
//! say more than a name and encodings other than UTF-8 and UTF-16 are refused, so that nothing grows
//! or points elsewhere.

use std::{
    collections::HashSet,
    io::{BufReader, ErrorKind, Read},
};

use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart, Event},
};

use super::{
    encoding::Decoded,
    grammar::{
        attributes, declared_encoding, is_bare_name, is_doctype, is_space, may_declare, qualified,
        value_of,
    },
    names::{is_xml_char, is_xml_text},
    tree::{Element, Name},
};
use crate::{context::XML_NAMESPACE, fault::ReadError, limits::Limits};

type Outcome<T> = Result<T, ReadError>;

const BUFFER: usize = 16 << 10;
const ENTITIES: &str = "不接受 XML 自有五种之外的实体；字符 & 应写成 &amp;";

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
                _ => Err(std::io::Error::from(ErrorKind::FileTooLarge)),
            };
        }
        let end = room.min(buffer.len());
        let count = self.reader.read(&mut buffer[..end])?;
        self.left -= count as u64;
        self.total_left -= count as u64;
        Ok(count)
    }
}

pub(super) enum Token {
    /// An element begins; its children are not read yet.
    Start(Element),
    End,
    Text(String),
    Eof,
}

pub(super) struct XmlSource<R> {
    reader: Reader<BufReader<Metered<Decoded<R>>>>,
    buffer: Vec<u8>,
    /// Prefixes in force, each with the depth of the element that declared it.
    scope: Vec<(usize, String, String)>,
    depth: usize,
    /// Whether anything was read: a declaration comes before it.
    begun: bool,
    /// Whether a document type or an element was read: a document type comes before it.
    typed: bool,
}

impl<R: Read> XmlSource<R> {
    pub(super) fn new(reader: R, limits: &Limits) -> Self {
        let total_left = limits.document_bytes_max;
        let metered = Metered { reader: Decoded::new(reader), total_left, left: total_left };
        let mut reader = Reader::from_reader(BufReader::with_capacity(BUFFER, metered));
        reader.config_mut().expand_empty_elements = true;
        reader.config_mut().check_comments = true;
        let (buffer, scope) = (Vec::new(), Vec::new());
        Self { reader, buffer, scope, depth: 0, begun: false, typed: false }
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
                ErrorKind::FileTooLarge => self.too_much("文档或其中一个事件过大"),
                ErrorKind::InvalidData => self.syntax("字符编码不对；请以 UTF-8 发送"),
                kind => ReadError::Broken(kind.into()),
            },
            _ => self.syntax("应为完好的 XML"),
        }
    }

    pub(super) fn next(&mut self) -> Outcome<Token> {
        loop {
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.clear();
            // Owned, because names are resolved against this very source.
            let event = self.reader.read_event_into(&mut buffer).map(Event::into_owned);
            let event = event.map_err(|error| self.failed(error))?;
            if matches!(event, Event::DocType(_)) && !is_doctype(&buffer) {
                return Err(self.syntax("DOCTYPE 应为大写，其后为空格与根元素的名称"));
            }
            self.buffer = buffer;
            if let Some(token) = self.token(event)? {
                return Ok(token);
            }
        }
    }

    fn token(&mut self, event: Event<'static>) -> Outcome<Option<Token>> {
        let first = !std::mem::replace(&mut self.begun, true);
        Ok(match event {
            Event::Start(start) | Event::Empty(start) => {
                self.typed = true;
                Some(Token::Start(self.start(&start)?))
            }
            Event::End(_) => {
                let depth = self.depth;
                self.scope.retain(|(declared, ..)| *declared < depth);
                self.depth = depth.saturating_sub(1);
                Some(Token::End)
            }
            Event::Text(text) if text.contains("]]>") => {
                return Err(self.syntax("文字中的 ]]> 应写成 ]]&gt;"));
            }
            Event::Text(text) if self.depth == 0 && !text.chars().all(is_space) => {
                return Err(self.syntax("根元素之外不应有文字"));
            }
            Event::CData(_) | Event::GeneralRef(_) if self.depth == 0 => {
                return Err(self.syntax("根元素之外不应有文字"));
            }
            Event::Text(text) => Some(self.text(&text.xml10_content())?),
            Event::CData(text) => Some(self.text(&text.xml10_content())?),
            Event::GeneralRef(entity) => Some(Token::Text(self.entity(&entity)?.to_string())),
            Event::Comment(text) => self.text(&text).map(|_| None)?,
            Event::PI(text) if text.target().eq_ignore_ascii_case("xml") => {
                return Err(self.syntax("XML 声明应为 <?xml version=\"1.0\" encoding=\"UTF-8\"?>"));
            }
            Event::PI(text) => self.text(&text).map(|_| None)?,
            Event::Decl(_) if !first => {
                return Err(self.syntax("XML 声明只应有一个，且应在文档的最前面"));
            }
            Event::Decl(declaration) => self.declaration(&declaration).map(|()| None)?,
            Event::DocType(_) if self.typed => {
                return Err(self.syntax("DOCTYPE 只应有一个，且应在根元素之前"));
            }
            Event::DocType(declared) if is_bare_name(&declared.xml10_content()) => {
                self.typed = true;
                None
            }
            Event::DocType(_) => {
                return Err(self.syntax("不接受含实体声明或指向别处的 DOCTYPE；请去掉它"));
            }
            Event::Eof if self.depth > 0 => return Err(self.syntax("XML 在此中断")),
            Event::Eof => Some(Token::Eof),
        })
    }

    fn text(&self, text: &str) -> Outcome<Token> {
        if is_xml_text(text) {
            return Ok(Token::Text(text.to_owned()));
        }
        Err(self.syntax("不能含控制字符（换行与制表符除外）"))
    }

    fn declaration(&self, text: &str) -> Outcome<()> {
        let damaged = || self.syntax("XML 声明应为 <?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        let wanted =
            if self.reader.get_ref().get_ref().reader.is_utf16() { "utf-16" } else { "utf-8" };
        match declared_encoding(text).ok_or_else(damaged)? {
            "" => Ok(()),
            named if named.eq_ignore_ascii_case(wanted) => Ok(()),
            named => Err(self.syntax(format!("声明的编码是 {named}；请以 UTF-8 发送"))),
        }
    }

    fn entity(&self, entity: &BytesRef<'_>) -> Outcome<char> {
        let unknown = || self.syntax(ENTITIES);
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
        let written = attributes(start.attributes_raw()).ok_or_else(|| {
            self.syntax("属性应写成 名称=\"值\"，以空格分隔，值中的 < 应写成 &lt;")
        })?;
        let (mut own, mut all_declared) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        for (key, value) in written {
            if !seen.insert(key) {
                return Err(self.syntax(format!("属性 {key} 重复")));
            }
            let value = value_of(value).ok_or_else(|| self.syntax(ENTITIES))?;
            let declared = match key.split_once(':') {
                Some(("xmlns", prefix)) => prefix,
                None if key == "xmlns" => "",
                _ => {
                    own.push((key, value));
                    continue;
                }
            };
            if !may_declare(declared, &value) || (key != "xmlns" && declared.is_empty()) {
                return Err(self.syntax(format!("{key} 不应声明为“{value}”")));
            }
            all_declared.push((declared.to_owned(), value.clone()));
            self.scope.push((self.depth, declared.to_owned(), value));
        }
        let name = self.resolve(start.name().0, true)?;
        let mut attributes: Vec<(Name, String)> = Vec::with_capacity(own.len());
        let mut names = HashSet::new();
        for (key, value) in own {
            let name = self.resolve(key, false)?;
            if !names.insert((name.namespace.clone(), name.local.clone())) {
                return Err(self.syntax(format!("属性 {key} 以另一前缀重复")));
            }
            attributes.push((name, value));
        }
        let (children, text, declared) = (Vec::new(), String::new(), all_declared);
        Ok(Element { name, attributes, children, text, declared })
    }

    /// The default namespace holds for elements, not for attributes.
    fn resolve(&self, name: &str, element: bool) -> Outcome<Name> {
        let (prefix, local) =
            qualified(name).ok_or_else(|| self.syntax(format!("{name} 不是 XML 的名称")))?;
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
