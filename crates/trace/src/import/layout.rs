//! The columns of an event type: what a template offers, what an import understands and what an export
//! shows are the same.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use yj_domain::{
    DocumentDemand, EventSpec, EventType, FieldKind, FieldSpec, GoodsDemand, GoodsRule, InputMode,
    columns::{
        DOCUMENT, IN_CODE, IN_QUANTITY, IN_UNIT, LOT, OUT_CODE, OUT_QUANTITY, OUT_UNIT, PRODUCT,
        REGION, SUBJECT, TIME,
    },
};
use yj_kernel::FieldError;
use yj_model::{DocumentKind, OffsetTime, UnitCode};
use yj_sheet::{EXAMPLE, Form, FormColumn};

use crate::event::{Document, Input, Output, Place, TraceEvent};

/// Columns that came later: where a pack has a field of the same name, that is what the column means.
const ADDRESS: &str = "详细地址";
const COUNTERPARTY: &str = "交易对方代码";
const OUTSIDE: &str = "来源于平台之外";
const NUMBER: &str = "来源编号";
/// Which event type a row is of, where a file holds several.
pub(super) const KIND: &str = "事件类型";
/// What a file of wrong rows says besides; a corrected one may keep them.
pub(super) const WRONG: [&str; 3] = ["表", "行", "错误"];

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Subject,
    Time,
    Region,
    Address,
    InCode,
    InQuantity,
    InUnit,
    Outside,
    OutCode,
    OutQuantity,
    OutUnit,
    Product,
    Lot,
    Counterparty,
    Document,
    Number,
    /// A field of the pack, by its place.
    Field(usize),
}

/// One column.
struct Column {
    label: String,
    what: What,
    required: bool,
    note: String,
    example: String,
    choices: Vec<(String, String)>,
}

/// The columns of an event type, in the order of its template.
pub(super) struct Layout {
    spec: EventType,
    columns: Vec<Column>,
}

impl Layout {
    pub(super) fn of(spec: EventType) -> Self {
        let mut columns = common(&spec);
        columns.retain(|column| !is_later(&column.label) || !has_field(&spec, &column.label));
        let fields = spec.fields.iter().enumerate().map(|(at, field)| Column {
            label: field.label.clone(),
            what: What::Field(at),
            required: field.required,
            note: note(&spec, field),
            example: example(field),
            choices: choices(field),
        });
        columns.extend(fields.collect::<Vec<_>>());
        Self { spec, columns }
    }

    pub(super) fn spec(&self) -> &EventType {
        &self.spec
    }

    /// The form to fill in.
    pub(super) fn form(&self) -> Form {
        let column = |column: &Column| FormColumn {
            name: column.label.clone(),
            required: column.required,
            note: column.note.clone(),
            example: column.example.clone(),
            choices: column.choices.clone(),
        };
        Form {
            title: self.spec.name.clone(),
            columns: self.columns.iter().map(column).collect(),
            rows: Vec::new(),
        }
    }

    /// What is wrong with a header, whatever the order of its columns.
    pub(super) fn check(&self, names: &[String]) -> Vec<FieldError> {
        let wrong = |field: &str, detail: String| FieldError { field: String::from(field), detail };
        let known = |name: &str| {
            name == KIND
                || WRONG.contains(&name)
                || self.columns.iter().any(|column| column.label == name)
        };
        if let Some(first) = names.first().filter(|_| !names.iter().any(|name| known(name))) {
            let detail =
                format!("第一行应为列名，现为“{first}”；请使用导入模板，列名之上不要有标题行");
            return vec![wrong(first, detail)];
        }
        let strange = names.iter().filter(|name| !known(name));
        let mut errors: Vec<_> = strange
            .map(|name| wrong(name, format!("没有“{name}”这一列，请使用导入模板")))
            .collect();
        let missing =
            self.columns.iter().filter(|column| column.required && !names.contains(&column.label));
        errors.extend(
            missing.map(|column| wrong(&column.label, format!("缺少必填的“{}”列", column.label))),
        );
        errors
    }

    /// A row as an event, or what in it cannot be told as one. What else is wrong with its cells the check
    /// of the event says.
    pub(super) fn event(
        &self,
        domain: &str,
        cells: &Map<String, Value>,
    ) -> Result<TraceEvent, Vec<FieldError>> {
        let mut event = TraceEvent {
            domain: String::from(domain),
            kind: self.spec.code.clone(),
            ..TraceEvent::default()
        };
        let (mut input, mut output) = (Input::default(), Output::default());
        let mut place = Place::default();
        let mut wrong = Vec::new();
        let mut blame = |column: &Column, detail: &str| {
            wrong.push(FieldError {
                field: column.label.clone(),
                detail: format!("{}：{detail}", column.label),
            });
        };
        let amount = |cell: &str| yj_sheet::amount(cell);
        let unit = |cell: &str| {
            UnitCode::meant(cell).map_or_else(|_| String::from(cell), |unit| unit.to_string())
        };
        for column in &self.columns {
            let cell = cells.get(&column.label).and_then(Value::as_str).unwrap_or_default();
            let maybe = || Some(cell).filter(|text| !text.is_empty()).map(String::from);
            if column.required && cell.is_empty() {
                blame(column, "必填");
                continue;
            }
            if !self.is_number(column) && yj_sheet::is_rounded(cell) {
                let detail = format!(
                    "表格软件把长数字写成了 {cell}，末尾几位已丢失；请将该列设为文本格式后重新填写"
                );
                blame(column, &detail);
                continue;
            }
            match column.what {
                What::Subject => event.subject = String::from(cell),
                What::Time => match moment(cell) {
                    Some(moment) => event.event_time = moment,
                    None => blame(column, "应为北京时间，如 2026-11-10 08:00"),
                },
                What::Region => place.region = String::from(cell),
                What::Address => place.address = maybe(),
                What::InCode => input.code = String::from(cell),
                What::InQuantity => input.quantity = maybe().map(|cell| amount(&cell)),
                What::InUnit => input.unit = maybe().map(|cell| unit(&cell)),
                What::Outside => match cell {
                    "是" | "true" | "1" => input.external = true,
                    "否" | "false" | "0" | "" => {}
                    _ => blame(column, "应为 是 或 否"),
                },
                What::OutCode => output.code = String::from(cell),
                What::OutQuantity => output.quantity = amount(cell),
                What::OutUnit => output.unit = unit(cell),
                What::Product => output.product = maybe(),
                What::Lot => output.lot = maybe(),
                What::Counterparty => event.counterparty = maybe(),
                What::Document => event.documents.extend(papers(cell)),
                What::Number => event.external_id = maybe(),
                What::Field(at) => {
                    let field = &self.spec.fields[at];
                    let value = field.read_cell(&meant(field.kind, cell));
                    if !value.is_null() {
                        event.attributes.insert(field.name.clone(), value);
                    }
                }
            }
        }
        // What goes with no code would be lost.
        for (what, code, said) in [
            (What::InCode, &input.code, input.quantity.is_some() || input.unit.is_some()),
            (What::OutCode, &output.code, !output.quantity.is_empty() || !output.unit.is_empty()),
        ] {
            let column = self.columns.iter().find(|column| column.what == what);
            if let Some(column) = column.filter(|column| said && !column.required)
                && code.is_empty()
            {
                blame(column, "必填");
            }
        }
        if !input.code.is_empty() {
            event.inputs.push(input);
        }
        if !output.code.is_empty() {
            event.outputs.push(output);
        }
        if !place.region.is_empty() || place.address.is_some() {
            event.place = Some(place);
        }
        if wrong.is_empty() { Ok(event) } else { Err(wrong) }
    }

    /// Whether a column holds numbers, and not digits that name something.
    fn is_number(&self, column: &Column) -> bool {
        match column.what {
            What::InQuantity | What::OutQuantity => true,
            What::Field(at) => matches!(
                self.spec.fields[at].kind,
                FieldKind::Decimal | FieldKind::Result | FieldKind::Int
            ),
            _ => false,
        }
    }

    /// What is wrong with an event, said of the columns that it came from.
    pub(super) fn blamed(&self, errors: Vec<FieldError>) -> Vec<FieldError> {
        errors.into_iter().map(|error| self.of_column(error)).collect()
    }

    fn of_column(&self, error: FieldError) -> FieldError {
        let what = match error.field.as_str() {
            "subject" => What::Subject,
            "event_time" => What::Time,
            "place.region" => What::Region,
            "place.address" => What::Address,
            "inputs[0].code" => What::InCode,
            "inputs[0].quantity" => What::InQuantity,
            "inputs[0].unit" => What::InUnit,
            "outputs[0].code" => What::OutCode,
            "outputs[0].quantity" => What::OutQuantity,
            "outputs[0].unit" => What::OutUnit,
            "outputs[0].product" => What::Product,
            "outputs[0].lot" => What::Lot,
            "counterparty" => What::Counterparty,
            "external_id" => What::Number,
            field if field.starts_with("documents[") => What::Document,
            field => {
                let name = field.strip_prefix("attributes.").unwrap_or(field);
                match self.spec.fields.iter().position(|known| known.name == name) {
                    Some(at) => What::Field(at),
                    None => return error,
                }
            }
        };
        let Some(column) = self.columns.iter().find(|column| column.what == what) else {
            return error;
        };
        let named = error.detail.contains(&column.label);
        let detail =
            if named { error.detail } else { format!("{}：{}", column.label, error.detail) };
        FieldError { field: column.label.clone(), detail }
    }

    /// An event as rows: one for each pair of what went in and what came out. `shown` is the event as
    /// it is told to whoever asks.
    pub(super) fn rows(&self, shown: &Value) -> Vec<Vec<String>> {
        let lines = |side: &str| shown[side].as_array().map_or(&[][..], Vec::as_slice);
        let (inputs, outputs) = (lines("inputs"), lines("outputs"));
        let count = inputs.len().max(outputs.len()).max(1);
        let text = |value: &Value| value.as_str().map(String::from).unwrap_or_default();
        let row = |at: usize| {
            let line = |lines: &[Value], name: &str| {
                lines.get(at).map_or_else(String::new, |line| text(&line[name]))
            };
            let cell = |column: &Column| match column.what {
                What::Subject => text(&shown["subject"]["code"]),
                What::Time => text(&shown["event_time"]),
                What::Region => text(&shown["place"]["region"]),
                What::Address => text(&shown["place"]["address"]),
                What::InCode => line(inputs, "code"),
                What::InQuantity => line(inputs, "quantity"),
                What::InUnit => line(inputs, "unit"),
                What::Outside => {
                    let outside = inputs.get(at).is_some_and(|line| line["external"] == true);
                    String::from(if outside { "是" } else { "" })
                }
                What::OutCode => line(outputs, "code"),
                What::OutQuantity => line(outputs, "quantity"),
                What::OutUnit => line(outputs, "unit"),
                What::Product => line(outputs, "product"),
                What::Lot => line(outputs, "lot"),
                What::Counterparty => text(&shown["counterparty"]),
                What::Document => {
                    let papers = shown["documents"].as_array().into_iter().flatten();
                    papers.map(told).collect::<Vec<_>>().join("；")
                }
                What::Number => text(&shown["external_id"]),
                What::Field(field) => {
                    let field = &self.spec.fields[field];
                    field.show_cell(&shown["attributes"][&field.name])
                }
            };
            self.columns.iter().map(cell).collect()
        };
        (0..count).map(row).collect()
    }
}

/// The papers that a cell names: “动物检疫证明 1234；5678”.
fn papers(cell: &str) -> impl Iterator<Item = Document> + '_ {
    let parts = cell.split(['；', ';']).map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| {
        let two = part.split_once([' ', '：', ':']).map(|(kind, no)| (kind, no.trim()));
        let meant = two.and_then(|(kind, no)| Some((DocumentKind::meant(kind)?, no)));
        match meant.filter(|(_, no)| !no.is_empty()) {
            Some((kind, no)) => Document { kind: String::from(kind.label()), no: String::from(no) },
            None => Document { kind: String::from("voucher"), no: String::from(part) },
        }
    })
}

/// The reverse of [`papers`].
fn told(paper: &Value) -> String {
    let text = |name: &str| paper[name].as_str().unwrap_or_default();
    match DocumentKind::meant(text("type")) {
        Some(kind) => format!("{} {}", kind.label(), text("no")),
        None => String::from(text("no")),
    }
}

fn demands(said: &[String]) -> String {
    if said.is_empty() { String::new() } else { format!("。{}", said.join("；")) }
}

fn is_later(label: &str) -> bool {
    [ADDRESS, COUNTERPARTY, OUTSIDE, NUMBER].contains(&label)
}

fn has_field(spec: &EventSpec, label: &str) -> bool {
    spec.fields.iter().any(|field| field.label == label)
}

fn common(spec: &EventSpec) -> Vec<Column> {
    let column = |label: &str, what, required, (note, example): (&str, &str)| Column {
        label: String::from(label),
        what,
        required,
        note: String::from(note),
        example: String::from(example),
        choices: Vec::new(),
    };
    let units = |mut column: Column| {
        let one = |unit: UnitCode| (String::from(unit.as_str()), String::from(unit.unit().name));
        column.choices = UnitCode::all().map(one).collect();
        column
    };
    let number = "十进制数，至多 4 位小数";
    let mut columns = vec![
        column(SUBJECT, What::Subject, true, ("18 位主体代码，或该主体的旧代码", EXAMPLE)),
        column(TIME, What::Time, true, ("如 2026-11-10 08:00，北京时间", "2026-11-10 08:00")),
        column(REGION, What::Region, false, ("6 位行政区划代码", "610116")),
        column(ADDRESS, What::Address, false, ("至多 200 个字；填写时须有地点区划", "")),
    ];
    if spec.inputs.max > 0 {
        // A package that is opened need not be counted.
        let must = spec.inputs.mode != InputMode::Observe && !spec.unpacks();
        let needed = spec.inputs.min > 0;
        columns.push(column(IN_CODE, What::InCode, needed, ("已登记的追溯码", "EX-IN-0001")));
        let amount = must && needed;
        columns.push(column(IN_QUANTITY, What::InQuantity, amount, (number, "100")));
        columns.push(units(column(
            IN_UNIT,
            What::InUnit,
            amount,
            ("名称或代码，如 千克 或 KGM", "千克"),
        )));
        if must {
            let mut outside =
                column(OUTSIDE, What::Outside, false, ("投入的追溯码不在本平台登记时填 是", ""));
            outside.choices = yes_no();
            columns.push(outside);
        }
    }
    if spec.outputs.max > 0 {
        let needed = spec.outputs.min > 0;
        columns.push(column(
            OUT_CODE,
            What::OutCode,
            needed,
            ("新的追溯码，或与投入相同", "EX-OUT-0001"),
        ));
        columns.push(column(OUT_QUANTITY, What::OutQuantity, needed, (number, "100")));
        columns.push(units(column(
            OUT_UNIT,
            What::OutUnit,
            needed,
            ("名称或代码，如 千克 或 KGM", "千克"),
        )));
        columns.push(column(
            PRODUCT,
            What::Product,
            false,
            ("已登记的产品代码；不填则沿用投入的产品", ""),
        ));
        columns.push(column(LOT, What::Lot, false, ("批次号", "示例批-01")));
    }
    columns.push(column(
        COUNTERPARTY,
        What::Counterparty,
        false,
        ("交易对方的主体代码；交付他人时填写，对方方可接着登记", ""),
    ));
    let said: Vec<_> = spec.documents.iter().map(DocumentDemand::said).collect();
    let note = format!("编号，或“种类 编号”，多件以；隔开{}", demands(&said));
    columns.push(column(DOCUMENT, What::Document, false, (&note, "")));
    columns.push(column(NUMBER, What::Number, false, ("来源系统自己的编号，至多 64 个字", "")));
    columns
}

fn yes_no() -> Vec<(String, String)> {
    [("true", "是"), ("false", "否")].map(|(code, label)| (code.into(), label.into())).into()
}

fn choices(field: &FieldSpec) -> Vec<(String, String)> {
    match field.kind {
        FieldKind::Bool => yes_no(),
        _ => field.codes.clone(),
    }
}

/// Of which goods a field is asked for, where it is not of all.
fn asked(spec: &EventSpec, field: &FieldSpec) -> Vec<String> {
    let asks = |rule: &&GoodsRule| match &rule.demand {
        GoodsDemand::Filled { fields } => fields.contains(&field.name),
        GoodsDemand::OutputMax { .. } | GoodsDemand::NoMore { .. } | GoodsDemand::Marked { .. } => {
            false
        }
    };
    let said = spec.goods_rules.iter().filter(asks);
    said.map(|rule| rule.said(spec)).collect()
}

/// What belongs in a field, in parts that a semicolon stands between: before the first and behind the last
/// there is none.
fn note(spec: &EventSpec, field: &FieldSpec) -> String {
    let kind = match field.kind {
        FieldKind::Text => String::new(),
        FieldKind::Decimal => String::from("十进制数"),
        FieldKind::Result => String::from("数值、<、> 或未检出"),
        FieldKind::Int => String::from("整数"),
        FieldKind::Bool => String::from("是或否"),
        FieldKind::Time => String::from("带时区的时间，如 2026-11-01T08:00:00+08:00"),
        FieldKind::Date => String::from("日期，如 2026-11-01"),
        FieldKind::Code => String::from("见代码表"),
    };
    let bounds = match (field.min, field.max) {
        (Some(min), Some(max)) => format!("{min} 至 {max}"),
        (Some(min), None) => format!("不小于 {min}"),
        (None, Some(max)) => format!("不大于 {max}"),
        (None, None) => String::new(),
    };
    let parts = [Some(kind), Some(bounds), field.hint.clone()];
    let parts = parts.into_iter().flatten().chain(asked(spec, field));
    let parts = parts.map(|part| String::from(part.trim_end_matches(['；', '。', ';'])));
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("；")
}

/// A value that a field which must be filled in would take, where one can be thought of.
fn example(field: &FieldSpec) -> String {
    if !field.required {
        return String::new();
    }
    match field.kind {
        FieldKind::Text if field.pattern.is_some() => String::new(),
        FieldKind::Text => String::from("示例"),
        FieldKind::Decimal | FieldKind::Result | FieldKind::Int => {
            field.min.map_or_else(|| String::from("1"), |min| min.to_string())
        }
        FieldKind::Code => field.codes.first().map(|(_, label)| label.clone()).unwrap_or_default(),
        FieldKind::Bool => String::from("否"),
        // What something is valid to, or comes next, lies ahead.
        FieldKind::Date if ["至", "下次"].iter().any(|word| field.label.contains(word)) => {
            String::from("2027-11-01")
        }
        FieldKind::Date => String::from("2026-11-01"),
        FieldKind::Time => String::from("2026-11-01T08:00:00+08:00"),
    }
}

/// People write times without an offset; in these files that means Beijing.
fn moment(cell: &str) -> Option<String> {
    let written = || cell.parse::<OffsetTime>().is_ok().then(|| String::from(cell));
    let read = yj_sheet::moment(cell).filter(|read| read.parse::<OffsetTime>().is_ok());
    read.or_else(written)
}

/// A cell of a field as its kind writes it, where it is written as offices do.
fn meant(kind: FieldKind, cell: &str) -> String {
    let read = match kind {
        FieldKind::Date => yj_sheet::day(cell),
        FieldKind::Time => yj_sheet::moment(cell),
        FieldKind::Decimal | FieldKind::Int => Some(yj_sheet::amount(cell)),
        FieldKind::Text | FieldKind::Result | FieldKind::Bool | FieldKind::Code => None,
    };
    read.unwrap_or_else(|| String::from(cell))
}

/// Of several event types the one that a sheet is of: by its name, or as the only one whose columns it
/// has.
pub(super) fn recognise<'a>(
    layouts: &'a [Layout],
    (sheet, names): (&str, &[String]),
) -> Option<&'a Layout> {
    let named = layouts.iter().find(|one| one.spec.name == sheet || one.spec.code == sheet);
    if named.is_some() {
        return named;
    }
    let has: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let fits = |one: &&Layout| one.check(names).is_empty();
    let mut fitting = layouts.iter().filter(fits);
    // The more of a sheet's own columns a layout explains, the likelier it is; two alike are none.
    let first = fitting.next()?;
    let own = |one: &Layout| {
        let fields = one.spec.fields.iter();
        fields.filter(|field| has.contains(field.label.as_str())).count()
    };
    let others: Vec<_> = fitting.collect();
    if others.is_empty() {
        return Some(first);
    }
    let best = std::iter::once(first).chain(others).map(|one| (own(one), one));
    let best: Vec<_> = best.collect();
    let most = best.iter().map(|(count, _)| *count).max()?;
    let mut top = best.into_iter().filter(|(count, _)| *count == most);
    let (_, only) = top.next()?;
    top.next().is_none().then_some(only)
}

/// Whether a cell marks the example row of a template.
pub(super) fn is_example(cell: &str) -> bool {
    cell == EXAMPLE || cell.starts_with("示例行")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_of_an_example_row_is_no_code() {
        assert!(EXAMPLE.parse::<yj_model::KnownCode>().is_err());
        assert!(is_example(EXAMPLE) && !is_example("91350100M000100Y43"));
    }
}
