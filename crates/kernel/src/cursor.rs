//! Where a page of a list ended, as programs carry it to the next.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{Field, Kind, Problem, Result, SqlValue};

/// Where the last page ended: the sort value and the identifier of its last record.
#[derive(Debug)]
pub(crate) struct Cursor {
    pub(crate) value: SqlValue,
    pub(crate) id: String,
}

impl Cursor {
    pub(crate) fn encode(&self) -> String {
        let value = match &self.value {
            SqlValue::Int(value) => json!([value, self.id]),
            SqlValue::Text(value) => json!([value, self.id]),
            _ => json!([null, self.id]),
        };
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    /// Reads a cursor of a list in the order of a field, or of identifiers.
    pub(crate) fn decode(text: &str, order: Option<&Field>) -> Result<Self> {
        let wrong = || Problem::invalid("after", "游标无效，请使用上一页答复中的 next");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
        let (value, id): (Value, String) = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
        let value = match value {
            Value::Null => SqlValue::Null,
            Value::String(text) => SqlValue::Text(text),
            Value::Number(number) => SqlValue::Int(number.as_i64().ok_or_else(wrong)?),
            _ => return Err(wrong()),
        };
        let numeric = order.map(|field| is_numeric(field.kind));
        match (&value, numeric) {
            (SqlValue::Null, _) | (SqlValue::Int(_), Some(true)) => Ok(Self { value, id }),
            (SqlValue::Text(_), Some(false)) => Ok(Self { value, id }),
            _ => Err(wrong()),
        }
    }
}

/// Whether a field of this kind is stored as a number.
pub(crate) fn is_numeric(kind: Kind) -> bool {
    matches!(kind, Kind::Int | Kind::Decimal | Kind::Bool | Kind::Time)
}
