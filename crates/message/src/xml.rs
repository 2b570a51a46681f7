//! Records in XML: `<any><record><field>text</field><list><item>text</item>…</list></record>…</any>`.
//! Document types, attributes and entities of one's own are refused, so that nothing grows or points
//! elsewhere.

use quick_xml::{
    Reader,
    events::{BytesRef, Event},
};

use crate::{
    RECORDS_MAX, TEXT_MAX, VALUES_MAX,
    fault::{MessageError, refuse},
    flat::Flat,
};

/// Root, record, field, item of a list.
const DEPTH_MAX: usize = 4;
/// Letters of the name of an element.
const NAME_MAX: usize = 64;

/// The records of a text, one after the other.
pub(crate) struct Records<'a> {
    reader: Reader<&'a [u8]>,
    names: &'a [&'a str],
    /// Names of the open elements.
    open: Vec<String>,
    /// At which depth records lie: 2, or 1 where the outermost element is a record.
    at: usize,
    count: usize,
    over: bool,
}

pub(crate) fn records<'a>(text: &'a str, names: &'a [&'a str]) -> Records<'a> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    Records { reader, names, open: Vec::new(), at: 2, count: 0, over: false }
}

impl Iterator for Records<'_> {
    type Item = Result<Flat, MessageError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.record().transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}

impl Records<'_> {
    fn place(&self) -> u64 {
        self.reader.buffer_position()
    }

    fn broken<T>(&self, what: &str) -> Result<T, MessageError> {
        refuse(format!("第 {} 字节处：{what}", self.place()))
    }

    fn record(&mut self) -> Result<Option<Flat>, MessageError> {
        let mut flat = Flat::default();
        let (mut text, mut items) = (String::new(), 0usize);
        loop {
            let Ok(event) = self.reader.read_event() else {
                return self.broken("应为完好的 XML");
            };
            match event {
                Event::Start(start) => {
                    let name = start.name();
                    let local = name.0.rsplit(':').next().unwrap_or_default();
                    if local.chars().count() > NAME_MAX {
                        return self.broken("元素名过长");
                    }
                    let strange = start.attributes().any(|attribute| {
                        attribute.map_or(true, |attribute| {
                            let key = attribute.key.0;
                            key != "xmlns" && !key.starts_with("xmlns:")
                        })
                    });
                    if strange {
                        return self.broken("不接受属性，请写为子元素");
                    }
                    if !text.trim().is_empty() {
                        return self.broken("元素中不应既有文字又有子元素");
                    }
                    text.clear();
                    self.open.push(String::from(local));
                    if self.open.len() == 1 && self.names.contains(&local) {
                        self.at = 1;
                    }
                    if self.open.len() > self.at + DEPTH_MAX - 2 {
                        return self.broken("嵌套过深，记录的字段下至多再有一层");
                    }
                    if self.open.len() == self.at {
                        self.count += 1;
                        if self.count > RECORDS_MAX {
                            return refuse(format!(
                                "一份报文至多 {RECORDS_MAX} 条记录，请分批发送"
                            ));
                        }
                        flat = Flat {
                            number: self.count,
                            name: String::from(local),
                            fields: Vec::new(),
                        };
                    }
                    items = 0;
                }
                Event::End(_) => {
                    let depth = self.open.len();
                    let Some(name) = self.open.pop() else {
                        return self.broken("应为完好的 XML");
                    };
                    let value = std::mem::take(&mut text);
                    if depth == self.at {
                        if !value.trim().is_empty() {
                            return self.broken("记录中应只有字段，不应直接有文字");
                        }
                        return Ok(Some(flat));
                    }
                    if depth < self.at && !value.trim().is_empty() {
                        return self.broken("记录之外不应有文字");
                    }
                    if depth == self.at + 1 && items > 0 && !value.trim().is_empty() {
                        return self.broken("元素中不应既有文字又有子元素");
                    }
                    if depth == self.at + 1 && items == 0 {
                        flat.fields.push((name, String::from(value.trim())));
                    } else if depth == self.at + 2 {
                        let field = self.open.last().cloned().unwrap_or_default();
                        flat.fields.push((field, String::from(value.trim())));
                        items += 1;
                    }
                    if depth == self.at + 1 {
                        items = 0;
                    }
                    if flat.fields.len() > VALUES_MAX {
                        return refuse(format!("一条记录至多 {VALUES_MAX} 个值"));
                    }
                }
                Event::Text(part) => text.push_str(&part.xml10_content()),
                Event::CData(part) => text.push_str(&part.xml10_content()),
                Event::GeneralRef(entity) => match entity_of(&entity) {
                    Some(letter) => text.push(letter),
                    None => return self.broken("不接受 XML 自有五种之外的实体"),
                },
                Event::DocType(_) => return self.broken("不接受 DOCTYPE"),
                Event::Eof if self.open.is_empty() => return Ok(None),
                Event::Eof => return self.broken("XML 在此中断"),
                _ => {}
            }
            if text.len() > TEXT_MAX * 4 {
                return self.broken(&format!("一个值至多 {TEXT_MAX} 个字"));
            }
        }
    }
}

fn entity_of(entity: &BytesRef<'_>) -> Option<char> {
    if let Some(letter) = entity.resolve_char_ref().ok()? {
        return (letter >= ' ' || matches!(letter, '\t' | '\n' | '\r')).then_some(letter);
    }
    match entity.xml10_content().as_ref() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => None,
    }
}
