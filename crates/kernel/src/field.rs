//! One field of a record: the single place that knows its name, label, checks and uses.

use serde_json::Value;
use yj_model::{Quantity, RegionCode};

use crate::{DataClass, Problem, Result, Sql, SqlValue, db::Cell, json::Object};

/// A code list: codes with their Chinese labels.
pub type Codes = &'static [(&'static str, &'static str)];

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Free or checked text.
    Text,
    /// A whole number.
    Int,
    /// An exact decimal with four places, stored scaled, written as a decimal string.
    Decimal,
    /// Yes or no, stored as 1 or 0.
    Bool,
    /// A moment, stored as Unix milliseconds, written as RFC 3339.
    Time,
    /// A calendar day, `2026-11-01`.
    Date,
    /// The identifier of a record in the named table.
    Id(&'static str),
    /// One of the listed codes.
    Code(Codes),
    /// Several of the listed codes.
    CodeList(Codes),
    /// A 行政区划代码. An unknown one is a warning, never an error (handbook §2.6).
    Region,
    /// A structure of its own, checked by its Rust type.
    Json,
}

/// How a list can be narrowed by a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// Not at all.
    Never,
    /// `?name=code` of a list of codes that form a tree, each beginning with the one above it: the
    /// code itself or any below it.
    Branch,
    /// `?name=value`
    Exact,
    /// `?name=start`
    Prefix,
    /// `?name=part`
    Contains,
    /// `?name=part` of the text, of its pinyin or of its initials, by an index: the table has a
    /// second column, the name with `_search`, and its indexes ([`crate::search`]).
    Name,
    /// `?name.from=…&name.to=…`, both inclusive.
    Range,
}

/// Turns what a client sent into the form we store, or says what is wrong.
pub type Normalise = fn(&str) -> Result<String, String>;

/// When a field that may be absent must be there all the same (条件必选).
#[derive(Debug, Clone, Copy)]
pub struct Need {
    /// The condition in words, as the data dictionary and refusals say it.
    pub said: &'static str,
    /// The same, asked of a record whose fields are in their normal form.
    pub holds: fn(&Object) -> bool,
}

/// A register that gives records further values of a field, each for a time: besides the market where
/// a merchant is registered first, those where it trades as well.
#[derive(Debug, Clone, Copy)]
pub struct Elsewhere {
    /// Its table. The column with the further value is called as the field is.
    pub table: &'static str,
    /// Its column with the identifier of the record.
    pub record: &'static str,
    /// Its column with the first day of the value.
    pub from: &'static str,
    /// Its column with the last day, empty while there is none.
    pub until: &'static str,
}

impl Elsewhere {
    /// Writes the condition that a record of a table has this value of a field on a day, by itself or
    /// here. Each half has its own index: an OR of them would be looked for row by row.
    pub(crate) fn narrow<'a>(
        self,
        sql: &'a mut Sql,
        (table, name): (&str, &str),
        (value, day): (&SqlValue, jiff::civil::Date),
    ) -> &'a mut Sql {
        sql.push("id IN (SELECT id FROM ").push(table).push(" WHERE ").push(name).push(" = ");
        sql.bind(value.clone()).push(" UNION ALL SELECT ").push(self.record).push(" FROM ");
        sql.push(self.table).push(" WHERE ").push(name).push(" = ").bind(value.clone());
        sql.push(" AND ");
        self.on(sql, day);
        sql.push(")")
    }

    /// Which of its rows hold on a day.
    pub(crate) fn on(self, sql: &mut Sql, day: jiff::civil::Date) {
        let day = day.to_string();
        sql.push(self.from).push(" <= ").bind(day.as_str());
        sql.push(" AND (").push(self.until).push(" IS NULL OR ").push(self.until);
        sql.push(" >= ").bind(day).push(")");
    }
}

/// One field of a record.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a thing of its own that holds or does not"
)]
pub struct Field {
    /// Column, JSON key and query parameter.
    pub name: &'static str,
    /// 中文名称, used in forms, imports, exports, audit and the data dictionary.
    pub label: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// How lists are narrowed by it.
    pub filter: Match,
    /// Whether lists can be ordered by it.
    pub sortable: bool,
    /// Whether it may be absent.
    pub optional: bool,
    /// When it must not be absent although it may.
    pub need: Option<Need>,
    /// Longest text, in characters.
    pub length_max: usize,
    /// 表示格式 in the data dictionary, where it says more than kind and length: `an18`.
    pub format: &'static str,
    /// Who may see it.
    pub class: DataClass,
    /// One sentence that helps to fill it in.
    pub hint: &'static str,
    /// Check and normal form of a text.
    pub normalise: Option<Normalise>,
    /// Whether the platform fills it, and people only read it.
    pub computed: bool,
    /// The field that people fill in and this computed one is made of: where this one repeats another
    /// record's, that one is told.
    pub made_of: Option<&'static str>,
    /// The [`crate::CodeList`] that its codes come from while the platform runs; those of its kind
    /// are what the list begins with.
    pub grows: Option<&'static str>,
    /// Whether it is the day of registration: where nobody gives one, that on which the record is
    /// written, which for a reviewed one is the day of approval.
    pub day_of_entry: bool,
    /// Whether it changes when whom the record belongs to is merged into another.
    pub passes_on: bool,
    /// Where the record has further values of it: lists and figures know them all.
    pub elsewhere: Option<Elsewhere>,
}

/// No register of this platform reaches further back than the republic.
pub const EARLIEST_DAY: jiff::civil::Date = jiff::civil::date(1949, 10, 1);

/// Texts that may be this long, such as reasons, may have several lines; names and addresses have one.
const PARAGRAPH: usize = 500;

/// Longest text where a field says nothing else.
const LENGTH_MAX: usize = 200;

impl Field {
    /// A field with no further uses.
    pub const fn new(name: &'static str, label: &'static str, kind: Kind) -> Self {
        let (filter, sortable, optional, length_max) = (Match::Never, false, false, LENGTH_MAX);
        let (class, hint, normalise, computed) = (DataClass::Internal, "", None, false);
        let (format, grows, day_of_entry, passes_on) = ("", None, false, false);
        let (need, elsewhere, made_of) = (None, None, None);
        Self {
            name,
            label,
            kind,
            filter,
            sortable,
            optional,
            need,
            length_max,
            format,
            class,
            hint,
            normalise,
            computed,
            made_of,
            grows,
            day_of_entry,
            passes_on,
            elsewhere,
        }
    }

    /// Lists can be narrowed by it.
    #[must_use]
    pub const fn filter(self, filter: Match) -> Self {
        Self { filter, ..self }
    }

    /// Lists can be ordered by it.
    #[must_use]
    pub const fn sortable(self) -> Self {
        Self { sortable: true, ..self }
    }

    /// It may be absent.
    #[must_use]
    pub const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// It may be absent from those records only of which the condition does not hold: asked of
    /// whatever is submitted. Older records without it stay, and are completed when they change.
    #[must_use]
    pub const fn needed(self, need: Need) -> Self {
        Self { optional: true, need: Some(need), ..self }
    }

    /// Longest text, in characters.
    #[must_use]
    pub const fn length_max(self, length_max: usize) -> Self {
        Self { length_max, ..self }
    }

    /// 表示格式 in the data dictionary.
    #[must_use]
    pub const fn format(self, format: &'static str) -> Self {
        Self { format, ..self }
    }

    /// The platform fills it; forms and templates leave it out.
    #[must_use]
    pub const fn computed(self) -> Self {
        Self { computed: true, optional: true, ..self }
    }

    /// The platform makes it of another field and of what that refers to.
    #[must_use]
    pub const fn made_of(self, field: &'static str) -> Self {
        Self { made_of: Some(field), ..self.computed() }
    }

    /// Its codes are those of a [`crate::CodeList`], which may hold more than its kind says.
    #[must_use]
    pub const fn grows(self, list: &'static str) -> Self {
        Self { grows: Some(list), ..self }
    }

    /// It is the day of registration: that of the approval where nobody gives one. A day to come,
    /// or one before [`EARLIEST_DAY`], is refused.
    #[must_use]
    pub const fn day_of_entry(self) -> Self {
        Self { day_of_entry: true, optional: true, ..self }
    }

    /// It says to whom the record belongs, or what the record has from them: when they are merged
    /// into another, it is the other's ([`crate::Succession`]).
    #[must_use]
    pub const fn passes_on(self) -> Self {
        Self { passes_on: true, ..self }
    }

    /// Records have further values of it in another register, each for a time: lists narrowed by an
    /// exact value find them by any that holds today, and figures count them at each.
    #[must_use]
    pub const fn elsewhere(self, elsewhere: Elsewhere) -> Self {
        Self { elsewhere: Some(elsewhere), ..self }
    }

    /// 可公开.
    #[must_use]
    pub const fn public(self) -> Self {
        Self { class: DataClass::Public, ..self }
    }

    /// 敏感: only readers cleared for it see the field.
    #[must_use]
    pub const fn sensitive(self) -> Self {
        Self { class: DataClass::Sensitive, ..self }
    }

    /// 个人信息: sealed at rest, masked unless revealed. Text only; where lists are narrowed by it,
    /// the table has a second column, the name with `_blind`.
    #[must_use]
    pub const fn personal(self) -> Self {
        Self { class: DataClass::Personal, ..self }
    }

    /// One sentence that helps to fill it in.
    #[must_use]
    pub const fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    /// Every text is checked and brought into its normal form by `normalise`, in bodies, filters
    /// and imports alike.
    #[must_use]
    pub const fn checked(self, normalise: Normalise) -> Self {
        Self { normalise: Some(normalise), ..self }
    }

    /// Checks a client's value and brings it into its normal form.
    pub(crate) fn accept(self, value: Value) -> Result<Value, String> {
        let absent = match &value {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        if absent {
            return if self.optional { Ok(Value::Null) } else { Err(String::from("必填")) };
        }
        match (self.kind, value) {
            (Kind::Json, value) => Ok(value),
            (Kind::Bool, value @ Value::Bool(_)) => Ok(value),
            (Kind::Bool, _) => Err(String::from("应为 true 或 false")),
            (Kind::Int, value) if value.as_i64().is_some() => Ok(value),
            (Kind::Int, _) => Err(String::from("应为整数")),
            (Kind::CodeList(codes), Value::Array(items)) => code_list(codes, &items),
            (Kind::CodeList(_), _) => Err(String::from("应为代码数组")),
            (_, Value::String(text)) => self.accept_text(text.trim()).map(Value::from),
            (Kind::Decimal, _) => Err(String::from("应为十进制字符串，如 \"12.5\"")),
            _ => Err(String::from("应为文本")),
        }
    }

    /// Whether a checked value can be a day of registration, today being `today`.
    pub(crate) fn require_past(value: &Value, today: jiff::civil::Date) -> Result<(), String> {
        let day = value.as_str().and_then(|text| text.parse::<jiff::civil::Date>().ok());
        match day {
            Some(day) if day > today => Err(format!("不能晚于今天（{today}）")),
            Some(day) if day < EARLIEST_DAY => Err(format!("不能早于 {EARLIEST_DAY}")),
            _ => Ok(()),
        }
    }

    /// What [`Field::accept`] does, for a text from a body, a filter, or a cell of a spreadsheet.
    pub(crate) fn accept_text(self, text: &str) -> Result<String, String> {
        let length = text.chars().count();
        if length > self.length_max {
            return Err(format!("至多 {} 个字，现为 {length} 个", self.length_max));
        }
        if text.chars().any(|letter| letter.is_control() && letter != '\n') {
            return Err(String::from("不能含控制字符"));
        }
        if text.contains('\n') && self.length_max < PARAGRAPH {
            return Err(String::from("应写在一行之内，不能换行"));
        }
        if let Some(normalise) = self.normalise {
            return normalise(text);
        }
        match self.kind {
            Kind::Code(codes) => known_code(codes, text),
            Kind::Region => parsed::<RegionCode>(text),
            Kind::Decimal => parsed::<Quantity>(text),
            Kind::Date => text
                .parse::<jiff::civil::Date>()
                .map(|date| date.to_string())
                .map_err(|_| String::from("应为日期，如 2026-11-01")),
            Kind::Time => text
                .parse::<jiff::Timestamp>()
                .map(|time| time.to_string())
                .map_err(|_| String::from("应为带时区的时间，如 2026-11-01T08:00:00+08:00")),
            Kind::Id(_) => parsed::<yj_model::Id<()>>(text),
            _ => Ok(String::from(text)),
        }
    }

    /// Reads a value of this field from a query parameter or a spreadsheet cell.
    pub(crate) fn read_text(self, text: &str) -> Result<Value, String> {
        if text.trim().is_empty() {
            return self.accept(Value::Null);
        }
        let text = text.trim();
        // As office programs write them.
        let meant = match self.kind {
            Kind::Date => yj_sheet::day(text),
            Kind::Time => yj_sheet::moment(text),
            _ => None,
        };
        let text = meant.as_deref().unwrap_or(text);
        let value = match self.kind {
            Kind::Bool => match text {
                "true" | "是" | "1" => Value::Bool(true),
                "false" | "否" | "0" => Value::Bool(false),
                _ => return Err(String::from("应为 是 或 否")),
            },
            Kind::Int => {
                text.parse::<i64>().map(Value::from).map_err(|_| String::from("应为整数"))?
            }
            Kind::Code(codes) => Value::from(code_by_label(codes, text)),
            Kind::CodeList(codes) => {
                let parts = text.split(['、', ',', '，', ';', '；']).map(str::trim);
                parts
                    .filter(|part| !part.is_empty())
                    .map(|part| code_by_label(codes, part))
                    .collect()
            }
            Kind::Json => return Err(String::from("不能用文本填写")),
            _ => Value::from(text),
        };
        self.accept(value)
    }

    /// Turns a checked JSON value into a database value.
    pub(crate) fn encode(self, value: &Value) -> Result<SqlValue> {
        let wrong =
            || Problem::internal(format!("field {} was not checked before storing", self.name));
        if value.is_null() {
            return Ok(SqlValue::Null);
        }
        Ok(match self.kind {
            Kind::Int => value.as_i64().ok_or_else(wrong)?.into(),
            Kind::Bool => value.as_bool().ok_or_else(wrong)?.into(),
            Kind::CodeList(_) | Kind::Json => value.to_string().into(),
            Kind::Decimal => {
                let quantity: Quantity =
                    value.as_str().ok_or_else(wrong)?.parse().map_err(|_| wrong())?;
                quantity.scaled().into()
            }
            Kind::Time => {
                let text = value.as_str().ok_or_else(wrong)?;
                let time: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
                time.as_millisecond().into()
            }
            _ => value.as_str().ok_or_else(wrong)?.into(),
        })
    }

    /// The reverse of [`Field::encode`].
    pub(crate) fn decode(self, value: Cell<'_>) -> Result<Value> {
        Ok(match (self.kind, value) {
            (_, Cell::Null) => Value::Null,
            (Kind::Bool, Cell::Int(flag)) => Value::from(flag != 0),
            (Kind::Time, Cell::Int(ms)) => time_text(ms)?,
            (Kind::Decimal, Cell::Int(scaled)) => {
                Value::from(Quantity::from_scaled(scaled).map_err(Problem::internal)?.to_string())
            }
            (_, Cell::Int(value)) => Value::from(value),
            (Kind::CodeList(_) | Kind::Json, Cell::Text(text)) => {
                serde_json::from_str(text).map_err(Problem::internal)?
            }
            (_, Cell::Text(text)) => Value::from(text),
            (_, Cell::Blob(_)) => {
                return Err(Problem::internal("a blob in a described record"));
            }
        })
    }

    /// A stored value as people read it in a spreadsheet: labels instead of codes.
    pub(crate) fn display(self, value: &Value) -> String {
        let label = |codes: Codes, code: &str| {
            let found = codes.iter().find(|(known, _)| *known == code);
            found.map_or_else(|| String::from(code), |(_, label)| String::from(*label))
        };
        match (self.kind, value) {
            (_, Value::Null) => String::new(),
            (Kind::Code(codes), Value::String(code)) => label(codes, code),
            (Kind::CodeList(codes), Value::Array(items)) => {
                let labels = items.iter().filter_map(Value::as_str).map(|code| label(codes, code));
                labels.collect::<Vec<_>>().join("、")
            }
            (_, Value::Bool(flag)) => String::from(if *flag { "是" } else { "否" }),
            (_, Value::String(text)) => text.clone(),
            (_, other) => other.to_string(),
        }
    }
}

/// A stored moment as clients see it: RFC 3339 with the offset of Beijing, where this platform
/// lives.
pub fn time_text(unix_ms: i64) -> Result<Value> {
    let time = jiff::Timestamp::from_millisecond(unix_ms).map_err(Problem::internal)?;
    let beijing = jiff::tz::Offset::constant(8);
    Ok(Value::from(time.display_with_offset(beijing).to_string()))
}

fn parsed<T: std::str::FromStr + std::fmt::Display>(text: &str) -> Result<String, String>
where
    T::Err: std::fmt::Display,
{
    text.parse::<T>().map(|value| value.to_string()).map_err(|error| error.to_string())
}

fn known_code(codes: Codes, text: &str) -> Result<String, String> {
    if codes.iter().any(|(code, _)| *code == text) {
        return Ok(String::from(text));
    }
    let choices = codes.iter().take(20).map(|(code, label)| format!("{code} {label}"));
    Err(format!("没有代码 {text}，应为：{}", choices.collect::<Vec<_>>().join("、")))
}

fn code_list(codes: Codes, items: &[Value]) -> Result<Value, String> {
    let mut accepted: Vec<String> = Vec::with_capacity(items.len());
    for item in items {
        let code = known_code(codes, item.as_str().unwrap_or_default())?;
        if accepted.contains(&code) {
            return Err(format!("{code} 重复"));
        }
        accepted.push(code);
    }
    Ok(accepted.into())
}

/// Spreadsheets may hold labels where programs hold codes.
fn code_by_label(codes: Codes, text: &str) -> String {
    let found = codes.iter().find(|(_, label)| *label == text);
    found.map_or_else(|| String::from(text), |(code, _)| String::from(*code))
}

/// 掩码: enough to recognise a value one already knows, not enough to learn it.
pub fn mask(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    match letters.len() {
        0 => String::new(),
        1 => String::from("*"),
        2..=4 => letters[..1].iter().chain(&vec!['*'; letters.len() - 1]).collect(),
        5..=10 => format!("{}****{}", letters[0], letters[letters.len() - 1]),
        length => {
            let (head, tail): (String, String) =
                (letters[..3].iter().collect(), letters[length - 4..].iter().collect());
            format!("{head}{}{tail}", "*".repeat(length - 7))
        }
    }
}
