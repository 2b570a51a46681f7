//! Statements and rows: what travels between business code and either engine.

use std::borrow::Cow;

use serde_json::Value;

use super::Dialect;
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

    /// Appends `IN (…)` for a list of texts of any length; an empty list matches nothing. The
    /// statement stays the same whatever the length, so it is prepared once.
    pub fn bind_texts<'a>(&mut self, values: impl IntoIterator<Item = &'a str>) -> &mut Self {
        self.push("IN @texts(").bind(Value::from_iter(values).to_string()).push(")")
    }

    /// The same for numbers.
    pub fn bind_ints(&mut self, values: impl IntoIterator<Item = i64>) -> &mut Self {
        self.push("IN @ints(").bind(Value::from_iter(values).to_string()).push(")")
    }

    /// The same for numbers in ascending order of which the caller throws away those that it did not ask
    /// for. Where nearly all between the first and the last are asked for, an engine reads them on end,
    /// which costs a fraction of looking up each.
    pub fn bind_near(&mut self, values: &[i64]) -> &mut Self {
        match values {
            [first, .., last] if lie_near(values) => {
                self.push("BETWEEN ").bind(*first).push(" AND ").bind(*last)
            }
            _ => self.bind_ints(values.iter().copied()),
        }
    }
}

/// Whether numbers in ascending order, enough of them to matter, are four fifths of all between the first
/// and the last.
pub fn lie_near(values: &[i64]) -> bool {
    const ENOUGH: usize = 100;
    let (count, between) = match values {
        [first, .., last] => (values.len(), last.checked_sub(*first)),
        _ => return false,
    };
    let between = between.and_then(|all| usize::try_from(all).ok());
    count >= ENOUGH && between.is_some_and(|all| all <= count + count / 4)
}

impl Dialect {
    /// The text of a statement in the words of this engine.
    pub(super) fn statement(self, text: &str) -> Cow<'_, str> {
        let [texts, ints] = match self {
            Self::Sqlite => [LIST_OF_SQLITE; 2],
            Self::Postgres => [TEXTS_OF_POSTGRES, INTS_OF_POSTGRES],
        };
        let mut text = Cow::Borrowed(text);
        for (marker, (head, tail)) in [("IN @texts(", texts), ("IN @ints(", ints)] {
            while let Some((before, after)) = text.split_once(marker) {
                let (list, rest) = after.split_once(')').unwrap_or((after, ""));
                text = Cow::Owned(format!("{before}{head}{list}{tail}{rest}"));
            }
        }
        if self == Self::Sqlite { Cow::Owned(numbered(&text)) } else { text }
    }
}

/// What stands before and after the placeholder of a list. PostgreSQL must hear that the value is a
/// text, or it expects one in the form of the type it is cast to.
const LIST_OF_SQLITE: (&str, &str) = ("IN (SELECT value FROM json_each(", "))");
const TEXTS_OF_POSTGRES: (&str, &str) =
    ("= ANY (ARRAY (SELECT jsonb_array_elements_text(CAST(CAST(", " AS text) AS jsonb))))");
/// Numbers are read at a fifth of the price as one value of their own kind, which PostgreSQL writes with
/// other brackets. In a query of its own, for how many there are is nothing to make a plan for.
const INTS_OF_POSTGRES: (&str, &str) = (
    "= ANY (CAST((SELECT CAST(translate(CAST(",
    " AS text), '[]', '{}') AS bigint[])) AS bigint[]))",
);

/// To SQLite `$1` is a name, looked up among all names before it: a statement with thousands of
/// values takes seconds to prepare. `?1` is a number.
fn numbered(text: &str) -> String {
    let mut numbered = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        let number = after.as_bytes().first().is_some_and(u8::is_ascii_digit);
        numbered.push_str(before);
        numbered.push(if number { '?' } else { '$' });
        rest = after;
    }
    numbered.push_str(rest);
    numbered
}

/// The widest statement both engines take: SQLite allows 32,766 values, PostgreSQL 65,535.
pub const VALUES_MAX: usize = 30_000;

/// Multi-row `INSERT`s, in the order of the rows. Each holds a power of two of them: statements are
/// prepared once for each text, and of these there are few whatever comes.
pub fn insert_rows(head: &str, tail: &str, rows: Vec<Vec<SqlValue>>) -> Vec<Sql> {
    let width = rows.first().map_or(1, |row| row.len().max(1));
    let most = 1 << (VALUES_MAX / width).max(1).ilog2();
    let mut statements = Vec::new();
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        let count = (1 << rows.len().ilog2()).min(most);
        let mut sql = Sql::default();
        sql.push(head).push(" VALUES ");
        for (index, row) in rows.by_ref().take(count).enumerate() {
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

/// One value of a row, where the engine put it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
}

/// One row of a result, by position.
#[derive(Debug)]
pub struct Row(Values);

/// A row of PostgreSQL stays as it came: most of its values are looked at once and thrown away.
#[derive(Debug)]
enum Values {
    Own(Vec<SqlValue>),
    Postgres(tokio_postgres::Row),
}

impl From<tokio_postgres::Row> for Row {
    fn from(row: tokio_postgres::Row) -> Self {
        Self(Values::Postgres(row))
    }
}

impl Row {
    pub(super) fn of(values: Vec<SqlValue>) -> Self {
        Self(Values::Own(values))
    }

    /// The value at `index`.
    pub(crate) fn cell(&self, index: usize) -> Result<Cell<'_>> {
        match &self.0 {
            Values::Postgres(row) => row.try_get(index).map_err(Problem::internal),
            Values::Own(values) => {
                let missing = || Problem::internal("no such column in this row");
                Ok(match values.get(index).ok_or_else(missing)? {
                    SqlValue::Null => Cell::Null,
                    SqlValue::Int(value) => Cell::Int(*value),
                    SqlValue::Text(value) => Cell::Text(value),
                    SqlValue::Blob(value) => Cell::Blob(value),
                })
            }
        }
    }

    /// The value at `index` for a statement to come.
    pub fn value(&self, index: usize) -> Result<SqlValue> {
        Ok(match self.cell(index)? {
            Cell::Null => SqlValue::Null,
            Cell::Int(value) => SqlValue::Int(value),
            Cell::Text(value) => SqlValue::Text(String::from(value)),
            Cell::Blob(value) => SqlValue::Blob(value.to_vec()),
        })
    }

    /// A non-null integer.
    pub fn int(&self, index: usize) -> Result<i64> {
        match self.cell(index)? {
            Cell::Int(value) => Ok(value),
            other => Err(unexpected(index, "an integer", other)),
        }
    }

    /// An integer or nothing.
    pub fn int_opt(&self, index: usize) -> Result<Option<i64>> {
        match self.cell(index)? {
            Cell::Null => Ok(None),
            Cell::Int(value) => Ok(Some(value)),
            other => Err(unexpected(index, "an integer", other)),
        }
    }

    /// A non-null text.
    pub fn text(&self, index: usize) -> Result<&str> {
        match self.cell(index)? {
            Cell::Text(value) => Ok(value),
            other => Err(unexpected(index, "a text", other)),
        }
    }

    /// A text or nothing.
    pub fn text_opt(&self, index: usize) -> Result<Option<&str>> {
        match self.cell(index)? {
            Cell::Null => Ok(None),
            Cell::Text(value) => Ok(Some(value)),
            other => Err(unexpected(index, "a text", other)),
        }
    }

    /// Non-null bytes.
    pub fn blob(&self, index: usize) -> Result<&[u8]> {
        match self.cell(index)? {
            Cell::Blob(value) => Ok(value),
            other => Err(unexpected(index, "bytes", other)),
        }
    }

    /// Bytes or nothing.
    pub fn blob_opt(&self, index: usize) -> Result<Option<&[u8]>> {
        match self.cell(index)? {
            Cell::Null => Ok(None),
            Cell::Blob(value) => Ok(Some(value)),
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
fn unexpected(index: usize, wanted: &str, found: Cell<'_>) -> Problem {
    let kind = match found {
        Cell::Null => "NULL",
        Cell::Int(_) => "an integer",
        Cell::Text(_) => "a text",
        Cell::Blob(_) => "bytes",
    };
    Problem::internal(format!("column {index}: wanted {wanted}, found {kind}"))
}
