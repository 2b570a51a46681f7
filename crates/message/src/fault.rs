//! What is wrong with a message, and where.

/// One thing that is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The element or member; empty where it is the record as a whole.
    pub field: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

impl Fault {
    /// Says it of a field.
    pub fn new(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: field.into(), detail: detail.into() }
    }
}

/// Why a message as a whole cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MessageError(pub String);

pub(crate) fn refuse<T>(sentence: impl Into<String>) -> Result<T, MessageError> {
    Err(MessageError(sentence.into()))
}
