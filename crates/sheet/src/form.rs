//! Forms to fill in: a workbook with a sheet for each kind of record, what every column means, and the
//! codes there are.

use rust_xlsxwriter::{
    Color, DataValidation, Format, FormatAlign, Note, Workbook, Worksheet, XlsxError,
};

use crate::{SheetError, Table, write::sheet_name, write_csv};

/// One column to fill in.
#[derive(Debug, Clone, Default)]
pub struct FormColumn {
    /// Its name.
    pub name: String,
    /// Whether it must be filled in.
    pub required: bool,
    /// What belongs there.
    pub note: String,
    /// What could be there.
    pub example: String,
    /// The codes it may hold, with their labels; people write labels.
    pub choices: Vec<(String, String)>,
}

/// One kind of record.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// Name of its sheet.
    pub title: String,
    /// Its columns.
    pub columns: Vec<FormColumn>,
    /// What is filled in already.
    pub rows: Vec<Vec<String>>,
}

/// Sheet that says what the columns mean.
pub const NOTES: &str = "填写说明";
/// Sheet with the codes.
pub const CODES: &str = "代码表";
/// What the first cell of the example row says.
pub const EXAMPLE: &str = "示例行（导入时不读）";

/// Excel refuses lists longer than this.
const CHOICES_MAX: usize = 255;
/// Rows that offer lists.
const OFFERED_ROWS: u32 = 5000;

/// The forms as XLSX. With `example`, the first row of each sheet is one that is not read.
pub fn write_forms(forms: &[Form], example: bool) -> Result<Vec<u8>, SheetError> {
    build(forms, example).map_err(|error| SheetError(format!("表格不能生成：{error}")))
}

/// One form as CSV.
pub fn write_form_csv(form: &Form, example: bool) -> Result<Vec<u8>, SheetError> {
    let column = |column: &FormColumn| crate::Column {
        name: column.name.clone(),
        note: String::new(),
        choices: Vec::new(),
    };
    let first = example.then(|| example_row(form));
    let table = Table {
        title: form.title.clone(),
        columns: form.columns.iter().map(column).collect(),
        rows: first.into_iter().chain(form.rows.iter().cloned()).collect(),
        ..Table::default()
    };
    write_csv(&table)
}

fn example_row(form: &Form) -> Vec<String> {
    let rest = form.columns.iter().skip(1).map(|column| column.example.clone());
    std::iter::once(String::from(EXAMPLE)).chain(rest).collect()
}

fn build(forms: &[Form], example: bool) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // Where the labels of a list lie among the codes.
    let mut line = 1u32;
    for form in forms {
        let sheet = book.add_worksheet();
        fill(sheet, (form, example), &mut line)?;
    }
    explain(book.add_worksheet(), forms)?;
    if line > 1 {
        codes(book.add_worksheet(), forms)?;
    }
    book.save_to_buffer()
}

fn heading() -> Format {
    Format::new().set_bold().set_background_color(0x00E8_F0FB).set_align(FormatAlign::Center)
}

fn fill(
    sheet: &mut Worksheet,
    (form, example): (&Form, bool),
    line: &mut u32,
) -> Result<(), XlsxError> {
    sheet.set_name(sheet_name(&form.title))?;
    let text = Format::new().set_num_format("@");
    for (index, column) in (0u16..).zip(&form.columns) {
        let heading = if column.required {
            heading().set_font_color(Color::RGB(0x00B0_2A37))
        } else {
            heading()
        };
        sheet.write_string_with_format(0, index, &column.name, &heading)?;
        let must = if column.required { "必填" } else { "选填" };
        sheet.insert_note(0, index, &Note::new(format!("{must}。{}", column.note)))?;
        let width: u32 =
            column.name.chars().map(|letter| if letter.is_ascii() { 1 } else { 2 }).sum();
        sheet.set_column_width(index, f64::from(width.clamp(10, 40) + 2))?;
        sheet.set_column_format(index, &text)?;
        let count = u32::try_from(column.choices.len()).unwrap_or(0);
        if count > 0 {
            let labels: Vec<&str> =
                column.choices.iter().map(|(_, label)| label.as_str()).collect();
            let letters: usize = labels.iter().map(|label| label.chars().count() + 1).sum();
            let commas = labels.iter().any(|label| label.contains(','));
            let list = if letters <= CHOICES_MAX && !commas {
                DataValidation::new().allow_list_strings(&labels)?
            } else {
                let range = format!("='{CODES}'!$D${}:$D${}", *line + 1, *line + count);
                DataValidation::new().allow_list_formula(range.as_str().into())
            };
            sheet.add_data_validation(1, index, OFFERED_ROWS, index, &list)?;
            *line += count;
        }
    }
    let mut first = 1u32;
    if example {
        let grey = Format::new().set_num_format("@").set_italic().set_font_color(Color::Gray);
        for (index, cell) in (0u16..).zip(example_row(form)) {
            sheet.write_string_with_format(1, index, cell, &grey)?;
        }
        first = 2;
    }
    for (number, row) in (first..).zip(&form.rows) {
        for (index, cell) in (0u16..).zip(row) {
            sheet.write_string(number, index, cell)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

fn titles(sheet: &mut Worksheet, titles: &[(&str, f64)]) -> Result<(), XlsxError> {
    let heading = heading();
    for (index, (title, width)) in (0u16..).zip(titles) {
        sheet.write_string_with_format(0, index, *title, &heading)?;
        sheet.set_column_width(index, *width)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

fn explain(sheet: &mut Worksheet, forms: &[Form]) -> Result<(), XlsxError> {
    sheet.set_name(NOTES)?;
    titles(sheet, &[("表", 20.0), ("列名", 22.0), ("必填", 8.0), ("说明", 60.0), ("示例", 28.0)])?;
    let columns = forms.iter().flat_map(|form| form.columns.iter().map(move |one| (form, one)));
    for (row, (form, column)) in (1u32..).zip(columns) {
        sheet.write_string(row, 0, &form.title)?;
        sheet.write_string(row, 1, &column.name)?;
        sheet.write_string(row, 2, if column.required { "必填" } else { "选填" })?;
        sheet.write_string(row, 3, &column.note)?;
        sheet.write_string(row, 4, &column.example)?;
    }
    Ok(())
}

fn codes(sheet: &mut Worksheet, forms: &[Form]) -> Result<(), XlsxError> {
    sheet.set_name(CODES)?;
    titles(sheet, &[("表", 20.0), ("列名", 22.0), ("代码", 16.0), ("填写", 36.0)])?;
    let columns = forms.iter().flat_map(|form| form.columns.iter().map(move |one| (form, one)));
    let choices = columns
        .flat_map(|(form, column)| column.choices.iter().map(move |choice| (form, column, choice)));
    for (row, (form, column, (code, label))) in (1u32..).zip(choices) {
        for (index, text) in [&form.title, &column.name, code, label].into_iter().enumerate() {
            sheet.write_string(row, u16::try_from(index).unwrap_or(0), text)?;
        }
    }
    Ok(())
}
