//! Trace events in XML, as the published XML Schemas describe them: the same names as in JSON, one
//! element for each event, named by its type. Document types and entities other than XML's own five
//! are refused, so that nothing grows or points elsewhere.

use jiff::civil::Date;
use quick_xml::{
    NsReader,
    events::{BytesRef, BytesStart, Event},
    name::ResolveResult,
};
use serde_json::{Map, Value, json};
use yj_domain::{Domains, EventType, FieldKind, schema::XML_NAMESPACE};
use yj_kernel::{Problem, Result};

/// events → one event → inputs → input → code
const DEPTH_MAX: usize = 5;
/// Elements of one document.
const ELEMENTS_MAX: usize = 200_000;

/// The media types of XML.
pub(crate) fn is_xml(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/xml") || kind.eq_ignore_ascii_case("text/xml")
}

/// The document as the JSON that says the same: a lone event by itself, several as a batch.
pub(crate) fn read(document: &[u8], domains: &Domains, day: Date) -> Result<Value> {
    let text = std::str::from_utf8(document)
        .map_err(|_| Problem::Malformed(String::from("XML 应为 UTF-8 编码")))?;
    let root = Parser { reader: NsReader::from_str(text), elements: 0 }.root()?;
    let domain = root.attribute("domain").unwrap_or_default();
    let pack = domains.in_force(domain, day);
    let event = |node: &Node| {
        let spec = pack.and_then(|pack| EventType::find(pack, &node.name));
        let kind = |name: &str| {
            let fields = spec.as_deref().map(|event| event.fields.as_slice()).unwrap_or_default();
            fields.iter().find(|field| field.name == name).map(|field| field.kind)
        };
        event(node, domain, &kind)
    };
    let mut events = root.children.iter().map(event).collect::<Result<Vec<_>>>()?;
    match (root.attribute("atomic"), events.len()) {
        (None, 1) => Ok(events.swap_remove(0)),
        (atomic, _) => Ok(json!({ "events": events, "atomic": atomic.map_or(json!(false), flag) })),
    }
}

fn event(node: &Node, domain: &str, kind: &dyn Fn(&str) -> Option<FieldKind>) -> Result<Value> {
    let mut event = Map::new();
    event.insert(String::from("domain"), json!(domain));
    event.insert(String::from("type"), json!(node.name));
    for part in &node.children {
        let value = match part.name.as_str() {
            "inputs" => part.items("input")?,
            "outputs" => part.items("output")?,
            "documents" => part.items("document")?,
            "evidence" => part.items("file")?,
            "place" => part.object(&|_| None)?,
            "attributes" => part.object(kind)?,
            _ => part.leaf(None)?,
        };
        put(&mut event, part, value)?;
    }
    Ok(Value::Object(event))
}

fn put(object: &mut Map<String, Value>, part: &Node, value: Value) -> Result<()> {
    if object.contains_key(&part.name) {
        return Err(Problem::Malformed(format!("重复的元素 {}", part.name)));
    }
    // An element without text says as much as none.
    if !value.is_null() {
        object.insert(part.name.clone(), value);
    }
    Ok(())
}

fn flag(text: &str) -> Value {
    match text {
        "true" | "1" => Value::Bool(true),
        "false" | "0" => Value::Bool(false),
        other => json!(other),
    }
}

/// An element with what is inside it.
struct Node {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Self>,
    text: String,
}

impl Node {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim())
    }

    fn leaf(&self, kind: Option<FieldKind>) -> Result<Value> {
        if let Some(child) = self.children.first() {
            let detail = format!("元素 {} 中不应有元素 {}", self.name, child.name);
            return Err(Problem::Malformed(detail));
        }
        let text = self.text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        Ok(match kind {
            _ if text.is_empty() => Value::Null,
            Some(FieldKind::Bool) => flag(&text),
            Some(FieldKind::Int) => text.parse::<i64>().map_or_else(|_| json!(text), Value::from),
            _ => json!(text),
        })
    }

    fn only_elements(&self) -> Result<()> {
        if self.text.trim().is_empty() {
            return Ok(());
        }
        Err(Problem::Malformed(format!("元素 {} 中不应有文字", self.name)))
    }

    fn object(&self, kind: &dyn Fn(&str) -> Option<FieldKind>) -> Result<Value> {
        self.only_elements()?;
        let mut object = Map::new();
        for part in &self.children {
            put(&mut object, part, part.leaf(kind(&part.name))?)?;
        }
        Ok(Value::Object(object))
    }

    fn items(&self, name: &str) -> Result<Value> {
        self.only_elements()?;
        let kind = |name: &str| (name == "external").then_some(FieldKind::Bool);
        let item = |part: &Self| {
            if part.name == name {
                return part.object(&kind);
            }
            let detail = format!("元素 {} 中应为 {name}，现为 {}", self.name, part.name);
            Err(Problem::Malformed(detail))
        };
        self.children.iter().map(item).collect()
    }
}

struct Parser<'a> {
    reader: NsReader<&'a [u8]>,
    elements: usize,
}

impl Parser<'_> {
    fn malformed(&self, detail: impl std::fmt::Display) -> Problem {
        Problem::Malformed(format!("{detail}（第 {} 字节处）", self.reader.buffer_position()))
    }

    /// The root with everything inside it.
    fn root(mut self) -> Result<Node> {
        self.reader.config_mut().expand_empty_elements = true;
        let mut open: Vec<Node> = Vec::new();
        let mut whole: Option<Node> = None;
        loop {
            let event = self.reader.read_event();
            match event.map_err(|_| self.malformed("不是完好的 XML"))? {
                Event::Start(start) => {
                    let (namespace, _) = self.reader.resolver().resolve_element(start.name());
                    let ours = matches!(&namespace, ResolveResult::Bound(found) if found.0 == XML_NAMESPACE);
                    if !ours {
                        return Err(self.malformed(format!("元素的命名空间应为 {XML_NAMESPACE}")));
                    }
                    let node = self.start(&start)?;
                    let right = (whole.is_none() && node.name == "events") || !open.is_empty();
                    if !right {
                        return Err(self.malformed("根元素应为 events"));
                    }
                    if open.len() >= DEPTH_MAX {
                        return Err(self.malformed("嵌套过深"));
                    }
                    open.push(node);
                }
                Event::End(_) => {
                    let Some(done) = open.pop() else {
                        return Err(self.malformed("多余的结束标签"));
                    };
                    match open.last_mut() {
                        Some(parent) => parent.children.push(done),
                        None => whole = Some(done),
                    }
                }
                Event::Text(text) => self.add(&mut open, &text.xml10_content())?,
                Event::CData(text) => self.add(&mut open, &text.xml10_content())?,
                Event::GeneralRef(entity) => {
                    let letter = self.entity(&entity)?.to_string();
                    self.add(&mut open, &letter)?;
                }
                Event::Decl(declaration) => {
                    let named = declaration.encoding().and_then(std::result::Result::ok);
                    if named.is_some_and(|name| !name.eq_ignore_ascii_case("utf-8")) {
                        return Err(self.malformed("XML 应为 UTF-8 编码"));
                    }
                }
                Event::DocType(_) => return Err(self.malformed("不接受 DOCTYPE")),
                Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {}
                Event::Eof => break,
            }
        }
        let root = whole.filter(|_| open.is_empty());
        let root = root.ok_or_else(|| self.malformed("XML 在此中断"))?;
        root.only_elements()?;
        Ok(root)
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<Node> {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            let detail = format!("一份文档至多 {ELEMENTS_MAX} 个元素，请分批提交");
            return Err(Problem::TooLarge(detail));
        }
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| self.malformed("属性的写法不对或重复"))?;
            let value = quick_xml::escape::unescape(&attribute.value)
                .map_err(|_| self.malformed("不接受 XML 自有五种之外的实体"))?;
            attributes.push((attribute.key.0.to_owned(), value.into_owned()));
        }
        let name = start.local_name().into_inner().to_owned();
        Ok(Node { name, attributes, children: Vec::new(), text: String::new() })
    }

    fn add(&self, open: &mut [Node], text: &str) -> Result<()> {
        match open.last_mut() {
            Some(node) => node.text.push_str(text),
            None if text.trim_start_matches('\u{FEFF}').trim().is_empty() => {}
            None => return Err(self.malformed("此处不应有文字")),
        }
        Ok(())
    }

    fn entity(&self, entity: &BytesRef<'_>) -> Result<char> {
        let unknown = || self.malformed("不接受 XML 自有五种之外的实体");
        if let Some(letter) = entity.resolve_char_ref().map_err(|_| unknown())? {
            let plain = !letter.is_control() || letter.is_whitespace();
            return if plain { Ok(letter) } else { Err(unknown()) };
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
}
