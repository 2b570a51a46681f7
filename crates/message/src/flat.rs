//! A record as names and texts, whichever notation it came in.

use crate::{
    BYTES_MAX, decode,
    fault::{Fault, MessageError, refuse},
    json, xml,
};

/// One record of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flat {
    /// Which record of the message, counted from 1.
    pub number: usize,
    /// Name of its element, or what its member `message` says; empty where it says nothing.
    pub name: String,
    /// Names and texts in their order; a list is its name several times.
    pub fields: Vec<(String, String)>,
}

impl Flat {
    /// The first text of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }
}

/// A record that was read, or what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<T> {
    /// The record as it came.
    pub flat: Flat,
    /// What it means.
    pub record: Result<T, Vec<Fault>>,
}

/// Reads the records of a message, in XML or JSON; which one is decided by the bytes. `names` are the
/// names that a record may have as the outermost element of an XML message.
pub fn read_flat(bytes: &[u8], names: &[&str]) -> Result<Vec<Flat>, MessageError> {
    if bytes.len() > BYTES_MAX {
        return refuse(format!("报文至多 {} MiB，请分批发送", BYTES_MAX >> 20));
    }
    let text = decode::text_of(bytes)?;
    let flats = match text.trim_start().chars().next() {
        Some('<') => xml::records(&text, names).collect::<Result<Vec<_>, _>>()?,
        Some('{' | '[') => json::records(&text)?,
        Some(_) => return refuse("报文应为 XML 或 JSON"),
        None => return refuse("报文是空的"),
    };
    if flats.is_empty() {
        return refuse("报文中没有记录");
    }
    Ok(flats)
}

/// Reads a message whose records are all of one kind.
pub(crate) fn read_all<T>(
    bytes: &[u8],
    name: &str,
    read: impl Fn(&Flat) -> Result<T, Vec<Fault>>,
) -> Result<Vec<Read<T>>, MessageError> {
    let one = |flat: Flat| {
        let record = if flat.name.is_empty() || flat.name == name {
            read(&flat)
        } else {
            let detail = format!("没有 {} 这种记录，应为 {name}", flat.name);
            Err(vec![Fault::new("", detail)])
        };
        Read { flat, record }
    };
    Ok(read_flat(bytes, &[name])?.into_iter().map(one).collect())
}
