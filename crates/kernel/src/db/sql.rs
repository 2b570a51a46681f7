//! Statements and rows: what travels between business code and either engine.

use crate::{Problem, Result};

/// A value on its way to or from the database. There is no floating point: quantities are scaled
/// integers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlValue {
    /// NULL of any type.
    Null,
    /// BIGINT
    Int(i64),
    /// TEXT
    Text(String),
    /// BYTEA / BLOB
    Blob(Vec<u8>),
}

impl From<i64> for SqlValue {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<u32> for SqlValue {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}
impl From<bool> for SqlValue {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}
impl From<&str> for SqlValue {
    fn from(value: &str) -> Self {
        Self::Text(String::from(value))
    }
}
impl From<String> for SqlValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}
impl From<&String> for SqlValue {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}
impl From<Vec<u8>> for SqlValue {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}
impl From<&[u8]> for SqlValue {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_vec())
    }
}
impl<T> From<yj_model::Id<T>> for SqlValue {
    fn from(value: yj_model::Id<T>) -> Self {
        Self::Text(value.to_string())
    }
}
impl<V: Into<SqlValue>> From<Option<V>> for SqlValue {
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A statement under construction. Text comes only from the program (literals, or names in an
/// [`Entity`](crate::Entity)); data comes only through [`Sql::bind`] and [`Sql::arg`].
#[derive(Debug, Clone, Default)]
pub struct Sql {
    pub(crate) text: String,
    pub(crate) values: Vec<SqlValue>,
}

impl Sql {
    /// Starts a statement. Text may already hold `$1`, `$2` …, filled in order by [`Sql::arg`].
    pub fn new(text: &'static str) -> Self {
        Self { text: String::from(text), values: Vec::new() }
    }

    /// Supplies the value of the next placeholder that the text already holds.
    #[must_use]
    pub fn arg(mut self, value: impl Into<SqlValue>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Appends program text.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a placeholder for `value`.
    pub fn bind(&mut self, value: impl Into<SqlValue>) -> &mut Self {
        self.values.push(value.into());
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
        self
    }

    /// Appends `(a, b, …)` placeholders for one row of values.
    pub fn bind_row(&mut self, values: impl IntoIterator<Item = SqlValue>) -> &mut Self {
        self.push("(");
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.bind(value);
        }
        self.push(")")
    }

    /// Appends `IN (a, b, …)`; an empty list matches nothing.
    pub fn bind_in(&mut self, values: impl IntoIterator<Item = SqlValue>) -> &mut Self {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return self.push("IN (NULL)");
        }
        self.push("IN ").bind_row(values)
    }
}

/// The widest statement both engines take: SQLite allows 32,766 values, PostgreSQL 65,535.
pub const VALUES_MAX: usize = 30_000;

/// One multi-row `INSERT` per chunk that fits into [`VALUES_MAX`].
pub fn insert_rows(head: &'static str, tail: &'static str, rows: Vec<Vec<SqlValue>>) -> Vec<Sql> {
    let width = rows.first().map_or(1, |row| row.len().max(1));
    let mut statements = Vec::new();
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut sql = Sql::new(head);
        sql.push(" VALUES ");
        for (index, row) in rows.by_ref().take(VALUES_MAX / width).enumerate() {
            if index > 0 {
                sql.push(", ");
            }
            sql.bind_row(row);
        }
        sql.push(" ").push(tail);
        statements.push(sql);
    }
    statements
}

/// One row of a result, by position.
#[derive(Debug, Clone)]
pub struct Row(pub(crate) Vec<SqlValue>);

impl Row {
    /// The value at `index`.
    pub fn value(&self, index: usize) -> Result<&SqlValue> {
        self.0.get(index).ok_or_else(|| Problem::internal("no such column in this row"))
    }

    /// A non-null integer.
    pub fn int(&self, index: usize) -> Result<i64> {
        match self.value(index)? {
            SqlValue::Int(value) => Ok(*value),
            other => Err(unexpected(index, "an integer", other)),
        }
    }

    /// An integer or nothing.
    pub fn int_opt(&self, index: usize) -> Result<Option<i64>> {
        match self.value(index)? {
            SqlValue::Null => Ok(None),
            SqlValue::Int(value) => Ok(Some(*value)),
            other => Err(unexpected(index, "an integer", other)),
        }
    }

    /// A non-null text.
    pub fn text(&self, index: usize) -> Result<&str> {
        match self.value(index)? {
            SqlValue::Text(value) => Ok(value),
            other => Err(unexpected(index, "a text", other)),
        }
    }

    /// A text or nothing.
    pub fn text_opt(&self, index: usize) -> Result<Option<&str>> {
        match self.value(index)? {
            SqlValue::Null => Ok(None),
            SqlValue::Text(value) => Ok(Some(value)),
            other => Err(unexpected(index, "a text", other)),
        }
    }

    /// Non-null bytes.
    pub fn blob(&self, index: usize) -> Result<&[u8]> {
        match self.value(index)? {
            SqlValue::Blob(value) => Ok(value),
            other => Err(unexpected(index, "bytes", other)),
        }
    }

    /// Bytes or nothing.
    pub fn blob_opt(&self, index: usize) -> Result<Option<&[u8]>> {
        match self.value(index)? {
            SqlValue::Null => Ok(None),
            SqlValue::Blob(value) => Ok(Some(value)),
            other => Err(unexpected(index, "bytes", other)),
        }
    }

    /// A text column read as a checked type. Failure means that the database disagrees with the
    /// program, so it is our fault and names the column.
    pub fn parsed<T>(&self, index: usize) -> Result<T>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        let text = self.text(index)?;
        text.parse().map_err(|error| {
            Problem::internal(format!(
                "column {index} holds {text:?}, which is no longer valid: {error}"
            ))
        })
    }

    /// A text column holding JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&self, index: usize) -> Result<T> {
        serde_json::from_str(self.text(index)?).map_err(Problem::internal)
    }
}

/// Does not print the value: it may be personal.
fn unexpected(index: usize, wanted: &str, found: &SqlValue) -> Problem {
    let kind = match found {
        SqlValue::Null => "NULL",
        SqlValue::Int(_) => "an integer",
        SqlValue::Text(_) => "a text",
        SqlValue::Blob(_) => "bytes",
    };
    Problem::internal(format!("column {index}: wanted {wanted}, found {kind}"))
}
