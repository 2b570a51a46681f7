//! What the tamper audit can find, in words.

use serde_json::{Value, json};
use yj_kernel::{Result, mask, time_text};
use yj_model::OffsetTime;

/// A field that is not as it was anchored.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Its name, as a path into the record.
    pub field: String,
    /// What was anchored, or what follows from it.
    pub anchored: Value,
    /// What the tables say now.
    pub found: Value,
}

impl Difference {
    /// One field.
    pub fn new(field: impl Into<String>, anchored: Value, found: Value) -> Self {
        Self { field: field.into(), anchored, found }
    }

    /// For lists and reports: what may be a person's or a trade secret is masked.
    pub(crate) fn masked(&self, shown: bool) -> Value {
        let value = |value: &Value| match value {
            Value::String(text) if !shown => Value::from(mask(text)),
            Value::Array(_) | Value::Object(_) => Value::from(format!("（{} 项）", items(value))),
            Value::Number(_) if !shown => Value::from("＊"),
            other => other.clone(),
        };
        json!({ "field": self.field, "anchored": value(&self.anchored), "found": value(&self.found) })
    }
}

fn items(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => 1,
    }
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// 数据与存证不符
    Changed,
    /// 存证原文或盐与区块中的摘要不符
    Envelope,
    /// 存证过的记录，其数据已不在
    Removed,
    /// 区块中的记录，其存证原文已不在，也没有墓碑
    EntryRemoved,
    /// 标为已确认，而区块中没有
    Forged,
    /// 已接收而没有存证
    Unanchored,
    /// 所记的高度与区块不符
    Misplaced,
    /// 所记的时间与区块的时间矛盾
    Backdated,
    /// 存证的种类没有人认识
    Unknown,
    /// 删除没有墓碑，或墓碑不成立
    Erasure,
    /// 区块缺失或不成立
    Block,
    /// 与他人持有的检查点不一致
    Checkpoint,
    /// 与由存证记录推算的不符
    Derived,
}

impl What {
    /// Everything that can be found.
    pub const ALL: [Self; 13] = [
        Self::Changed,
        Self::Envelope,
        Self::Removed,
        Self::EntryRemoved,
        Self::Forged,
        Self::Unanchored,
        Self::Misplaced,
        Self::Backdated,
        Self::Unknown,
        Self::Erasure,
        Self::Block,
        Self::Checkpoint,
        Self::Derived,
    ];

    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Envelope => "envelope",
            Self::Removed => "removed",
            Self::EntryRemoved => "entry_removed",
            Self::Forged => "forged",
            Self::Unanchored => "unanchored",
            Self::Misplaced => "misplaced",
            Self::Backdated => "backdated",
            Self::Unknown => "unknown",
            Self::Erasure => "erasure",
            Self::Block => "block",
            Self::Checkpoint => "checkpoint",
            Self::Derived => "derived",
        }
    }

    /// 中文名称
    pub const fn title(self) -> &'static str {
        match self {
            Self::Changed => "数据被改动",
            Self::Envelope => "存证原文被改动",
            Self::Removed => "记录被删除",
            Self::EntryRemoved => "存证原文被删除",
            Self::Forged => "伪造的存证",
            Self::Unanchored => "绕过平台添加",
            Self::Misplaced => "区块高度被改动",
            Self::Backdated => "时间被倒签",
            Self::Unknown => "不认识的存证",
            Self::Erasure => "删除不成立",
            Self::Block => "区块不成立",
            Self::Checkpoint => "与检查点不一致",
            Self::Derived => "推算的数据被改动",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What.
    pub what: What,
    /// The record; `block:<height>` and `checkpoint:<size>` for the log itself.
    pub record: String,
    /// Its kind, as its envelope says; empty where nothing says it.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// The block that holds it, or claims to.
    pub height: Option<u64>,
    /// When that block was made; of a record in no block, when it says that it was made. Unix ms.
    pub at: Option<i64>,
    /// In words: what was found.
    pub detail: String,
    /// Fields that differ.
    pub fields: Vec<Difference>,
    /// Whether their values may be shown to whoever may see findings.
    pub shown: bool,
}

impl Found {
    pub(crate) fn new(what: What, record: &str, detail: impl Into<String>) -> Self {
        Self {
            what,
            record: String::from(record),
            kind: String::new(),
            name: String::new(),
            height: None,
            at: None,
            detail: detail.into(),
            fields: Vec::new(),
            shown: true,
        }
    }

    #[must_use]
    pub(crate) fn of(mut self, kind: &str, name: &str) -> Self {
        self.kind = String::from(kind);
        self.name = String::from(name);
        self
    }

    #[must_use]
    pub(crate) fn in_block(mut self, height: u64, at: Option<i64>) -> Self {
        self.height = Some(height);
        self.at = at;
        self
    }

    /// In one sentence, with record, block and time.
    pub fn sentence(&self) -> String {
        let block =
            self.height.map_or(String::from("不在区块中"), |height| format!("区块 {height}"));
        let at = self.at.and_then(|at| OffsetTime::from_parts(at, 480).ok());
        let at = at.map_or_else(|| String::from("时间不明"), OffsetTime::in_words);
        let name = if self.name.is_empty() { self.record.as_str() } else { self.name.as_str() };
        format!("{}：{name}（{}，{block}，{at}）：{}", self.what.title(), self.record, self.detail)
    }

    pub(crate) fn masked_fields(&self) -> Value {
        self.fields.iter().map(|field| field.masked(self.shown && open(&field.field))).collect()
    }
}

/// Whether the values of a field may stand in findings as they are. Who, where, and what a domain
/// pack asks for may be a person's or a trade secret.
fn open(field: &str) -> bool {
    const CLOSED: [&str; 9] = [
        "attributes",
        "place",
        "counterparty",
        "issuer",
        "origin",
        "evidence",
        "documents",
        "reason",
        "vehicle_no",
    ];
    let stem = field.split(['.', '[']).next().unwrap_or(field);
    !CLOSED.contains(&stem)
}

/// When something was, for a row.
pub(crate) fn moment(at: Option<i64>) -> Result<Value> {
    at.map_or(Ok(Value::Null), time_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_names_record_block_and_time() {
        let found = Found::new(What::Changed, "r-1", "lot 被改动").of("trace_event", "");
        let sentence = found.in_block(7, Some(0)).sentence();
        for part in ["数据被改动", "r-1", "区块 7", "1970年1月1日 08:00", "lot"] {
            assert!(sentence.contains(part), "{part}: {sentence}");
        }
    }

    #[test]
    fn secrets_are_masked_in_findings() {
        let mut found = Found::new(What::Changed, "r-1", "");
        found.fields = vec![
            Difference::new("attributes.driver", json!("示例司机姓名"), json!("示例其他姓名")),
            Difference::new("lot", json!("L1"), json!("L2")),
        ];
        let text = found.masked_fields().to_string();
        assert!(!text.contains("示例司机姓名") && text.contains("L1"), "{text}");
    }
}
