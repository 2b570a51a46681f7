//! Records in JSON: one object, a list of objects, or an object whose only member is such a list.

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};

use crate::{
    RECORDS_MAX, TEXT_MAX, VALUES_MAX,
    fault::{MessageError, refuse},
    flat::Flat,
};

/// Member that names the kind of a record.
const KIND: &str = "message";

enum Node {
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Nodes)
    }
}

struct Nodes;

impl<'de> Visitor<'de> for Nodes {
    type Value = Node;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Text(String::new()))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Text(flag.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Text(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Text(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Text(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(String::from(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut object: Vec<(String, Node)> = Vec::new();
        while let Some((name, value)) = members.next_entry::<String, Node>()? {
            if object.len() >= VALUES_MAX {
                return Err(A::Error::custom("太多成员"));
            }
            object.push((name, value));
        }
        Ok(Node::Object(object))
    }
}

pub(crate) fn records(text: &str) -> Result<Vec<Flat>, MessageError> {
    let node: Node = serde_json::from_str(text).map_err(|error| {
        let place = format!("第 {} 行第 {} 列", error.line(), error.column());
        MessageError(format!("不是合法的 JSON（{place}）"))
    })?;
    let list = match node {
        Node::List(list) => list,
        Node::Object(mut members) if is_wrapped(&members) => match members.pop() {
            Some((_, Node::List(list))) => list,
            _ => Vec::new(),
        },
        Node::Object(members) => vec![Node::Object(members)],
        Node::Text(_) => return refuse("报文应为对象或对象的列表"),
    };
    if list.len() > RECORDS_MAX {
        return refuse(format!("一份报文至多 {RECORDS_MAX} 条记录，请分批发送"));
    }
    (1..).zip(list).map(|(number, node)| flat(number, node)).collect()
}

/// An object around a list of objects.
fn is_wrapped(members: &[(String, Node)]) -> bool {
    let [(_, Node::List(list))] = members else { return false };
    list.iter().all(|item| matches!(item, Node::Object(_)))
}

fn flat(number: usize, node: Node) -> Result<Flat, MessageError> {
    let Node::Object(members) = node else {
        return refuse(format!("第 {number} 条记录应为对象"));
    };
    let mut flat = Flat { number, ..Flat::default() };
    for (name, value) in members {
        if flat.fields.iter().any(|(known, _)| *known == name) {
            return refuse(format!("第 {number} 条记录的 {name} 重复"));
        }
        let texts = match value {
            Node::Text(text) if name == KIND => {
                flat.name = text;
                continue;
            }
            Node::Text(text) => vec![text],
            Node::List(items) => {
                let text = |item| match item {
                    Node::Text(text) => Ok(text),
                    _ => refuse(format!("第 {number} 条记录的 {name} 应为文本的列表")),
                };
                items.into_iter().map(text).collect::<Result<Vec<_>, _>>()?
            }
            Node::Object(_) => {
                return refuse(format!("第 {number} 条记录的 {name} 应为文本，不应为对象"));
            }
        };
        let longest = texts.iter().map(String::len).max().unwrap_or(0);
        if longest > TEXT_MAX * 4 || flat.fields.len() + texts.len() > VALUES_MAX {
            return refuse(format!("第 {number} 条记录的 {name} 过长"));
        }
        flat.fields.extend(texts.into_iter().map(|text| (name.clone(), String::from(text.trim()))));
    }
    Ok(flat)
}
