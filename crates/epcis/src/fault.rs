//! What is wrong with a document, and where.

use std::fmt;

use crate::json::Json;

/// One thing that is wrong, told so that the sender can put it right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: a JSON pointer (RFC 6901) from the event or the document.
    pub pointer: String,
    /// What would be right, in Chinese.
    pub detail: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}：{}", self.pointer, self.detail)
    }
}

/// Why bytes could not be read. Reading cannot go on after it.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes did not come.
    #[error("读取中断：{0}")]
    Broken(#[from] std::io::Error),
    /// The bytes are no JSON, no XML, or no document of EPCIS.
    #[error("第 {offset} 字节处：{detail}")]
    Syntax {
        /// Bytes from the beginning.
        offset: u64,
        /// What would be right.
        detail: String,
    },
    /// More than [`Limits`](crate::Limits) allows.
    #[error("第 {offset} 字节处：{detail}")]
    TooMuch {
        /// Bytes from the beginning.
        offset: u64,
        /// Which bound.
        detail: String,
    },
}

/// The way to a value, kept on the stack and written out only when something is wrong.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    pub(crate) const ROOT: Self = Self { parent: None, step: Step::Root };

    pub(crate) fn key(&'a self, key: &'a str) -> Path<'a> {
        Path { parent: Some(self), step: Step::Key(key) }
    }

    pub(crate) fn index(&'a self, index: usize) -> Path<'a> {
        Path { parent: Some(self), step: Step::Index(index) }
    }

    pub(crate) fn pointer(&self) -> String {
        let mut text = self.parent.map(Path::pointer).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Key(key) => {
                text.push('/');
                text.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Step::Index(index) => text.push_str(&format!("/{index}")),
        }
        text
    }
}

/// Collects faults up to a bound.
pub(crate) struct Faults {
    list: Vec<Fault>,
    max: usize,
}

impl Faults {
    pub(crate) fn new(max: usize) -> Self {
        Self { list: Vec::new(), max }
    }

    pub(crate) fn note(&mut self, path: &Path<'_>, detail: impl Into<String>) {
        if self.list.len() < self.max {
            self.list.push(Fault { pointer: path.pointer(), detail: detail.into() });
        }
    }

    pub(crate) fn into_list(self) -> Vec<Fault> {
        self.list
    }
}

/// How a value is named when it is of the wrong kind.
pub(crate) fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "空值",
        Json::Bool(_) => "真假值",
        Json::Number(_) => "数",
        Json::Text(_) => "文本",
        Json::Array(_) => "列表",
        Json::Object(_) => "对象",
    }
}
