//! Writing tables that Excel and WPS open as they are.

use rust_xlsxwriter::{
    DataValidation, DocProperties, Format, FormatAlign, Workbook, Worksheet, XlsxError,
};

use crate::SheetError;

/// Beginnings that spreadsheet programs take for formulas, full width included.
pub(crate) const DANGEROUS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// One column of a table.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// Name in the header.
    pub name: String,
    /// What people should know to fill it in; goes to the second sheet.
    pub note: String,
    /// The only values it takes, offered as a list.
    pub choices: Vec<String>,
}

/// A table.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Name of the sheet, up to 31 characters.
    pub title: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its cells, all of them text.
    pub rows: Vec<Vec<String>>,
    /// Where it comes from, by name: printed on every page, on a sheet of its own and among the
    /// properties of the file. Only XLSX can carry it.
    pub mark: Vec<(String, String)>,
}

/// Excel refuses lists longer than this.
const CHOICES_MAX: usize = 255;
/// Rows of a template that offer lists.
const TEMPLATE_ROWS: u32 = 2000;

/// The table as XLSX; with a sheet 填写说明 when any column has a note.
pub fn write_xlsx(table: &Table) -> Result<Vec<u8>, SheetError> {
    build(table).map_err(|error| SheetError(format!("表格不能生成：{error}")))
}

fn build(table: &Table) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    fill(book.add_worksheet(), table)?;
    if table.columns.iter().any(|column| !column.note.is_empty()) {
        explain(book.add_worksheet(), table)?;
    }
    if !table.mark.is_empty() {
        let line: Vec<_> =
            table.mark.iter().map(|(name, text)| format!("{name}：{text}")).collect();
        let line = line.join("；");
        book.set_properties(&DocProperties::new().set_title(&table.title).set_comment(&line));
        account(book.add_worksheet(), table)?;
    }
    book.save_to_buffer()
}

/// Letters of the line printed at the head of every page; Excel takes no more than 255.
const HEAD_MAX: usize = 200;

/// `&` begins a command in a page head.
fn head(table: &Table) -> String {
    let parts = table.mark.iter().take(4).map(|(name, text)| format!("{name}：{text}"));
    let line = parts.collect::<Vec<_>>().join("  ").replace('&', "&&");
    line.chars().take(HEAD_MAX).collect()
}

fn account(sheet: &mut Worksheet, table: &Table) -> Result<(), XlsxError> {
    sheet.set_name("导出说明")?;
    for (row, (name, text)) in (0u32..).zip(&table.mark) {
        sheet.write_string_with_format(row, 0, name, &heading())?;
        sheet.write_string(row, 1, text)?;
    }
    sheet.set_column_width(0, 16.0)?;
    sheet.set_column_width(1, 60.0)?;
    Ok(())
}

fn heading() -> Format {
    Format::new().set_bold().set_background_color(0x00E8_F0FB).set_align(FormatAlign::Center)
}

/// A title as the name of a sheet: 31 letters, none that Excel refuses.
pub(crate) fn sheet_name(title: &str) -> String {
    let name: String =
        title.chars().filter(|letter| !"[]:*?/\\'".contains(*letter)).take(31).collect();
    if name.is_empty() { String::from("数据") } else { name }
}

fn fill(sheet: &mut Worksheet, table: &Table) -> Result<(), XlsxError> {
    sheet.set_name(sheet_name(&table.title))?;
    let (heading, text) = (heading(), Format::new().set_num_format("@"));
    for (index, column) in (0u16..).zip(&table.columns) {
        sheet.write_string_with_format(0, index, &column.name, &heading)?;
        let widest = table.rows.iter().take(200).filter_map(|row| row.get(usize::from(index)));
        let widest = widest.map(|cell| width(cell)).max().unwrap_or(0).max(width(&column.name));
        sheet.set_column_width(index, f64::from(widest.clamp(8, 48) + 2))?;
        sheet.set_column_format(index, &text)?;
        let length: usize = column.choices.iter().map(|choice| choice.chars().count() + 1).sum();
        if !column.choices.is_empty() && length <= CHOICES_MAX {
            let list = DataValidation::new().allow_list_strings(&column.choices)?;
            sheet.add_data_validation(1, index, TEMPLATE_ROWS, index, &list)?;
        }
    }
    for (number, row) in (1u32..).zip(&table.rows) {
        for (index, cell) in (0u16..).zip(row) {
            sheet.write_string(number, index, cell)?;
        }
    }
    if !table.mark.is_empty() {
        sheet.set_header(format!("&L&8{}", head(table)));
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

fn explain(sheet: &mut Worksheet, table: &Table) -> Result<(), XlsxError> {
    sheet.set_name("填写说明")?;
    let heading = heading();
    for (index, name) in (0u16..).zip(["列名", "说明", "可用取值"]) {
        sheet.write_string_with_format(0, index, name, &heading)?;
        sheet.set_column_width(index, [20.0, 60.0, 60.0][usize::from(index)])?;
    }
    for (row, column) in (1u32..).zip(&table.columns) {
        sheet.write_string(row, 0, &column.name)?;
        sheet.write_string(row, 1, &column.note)?;
        sheet.write_string(row, 2, column.choices.join("、"))?;
    }
    Ok(())
}

/// Chinese characters are twice as wide as Latin ones.
fn width(text: &str) -> u32 {
    text.chars().map(|letter| if letter.is_ascii() { 1 } else { 2 }).sum()
}

/// The table as CSV: UTF-8 with a byte order mark, CRLF, and a `'` before every cell that a
/// spreadsheet program would run.
pub fn write_csv(table: &Table) -> Result<Vec<u8>, SheetError> {
    let failed = |error: csv::Error| SheetError(format!("CSV 不能生成：{error}"));
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .flexible(true)
        .from_writer(b"\xEF\xBB\xBF".to_vec());
    writer
        .write_record(table.columns.iter().map(|column| guarded(&column.name)))
        .map_err(failed)?;
    for row in &table.rows {
        writer.write_record(row.iter().map(|cell| guarded(cell))).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| SheetError(format!("CSV 不能生成：{error}")))
}

fn guarded(cell: &str) -> String {
    if cell.starts_with(DANGEROUS) { format!("'{cell}") } else { String::from(cell) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::read;

    fn table(rows: Vec<Vec<String>>) -> Table {
        let column = |name: &str| Column { name: name.into(), ..Column::default() };
        Table {
            title: "主体/表".into(),
            columns: vec![column("名称"), column("代码")],
            rows,
            mark: vec![],
        }
    }

    fn rows(bytes: &[u8]) -> Vec<Vec<String>> {
        read(bytes).unwrap().rows.into_iter().map(|row| row.cells).collect()
    }

    proptest! {
        #[test]
        fn tables_read_back_as_they_were(cells in prop::collection::vec(("[a-z韭菜=+@'\",;]{1,8}", "[0-9A-Z-]{1,8}"), 1..20)) {
            let wanted: Vec<Vec<String>> = cells.into_iter().map(|(a, b)| vec![a, b]).collect();
            prop_assert_eq!(rows(&write_xlsx(&table(wanted.clone())).unwrap()), wanted.clone());
            let csv_safe = wanted.iter().flatten().all(|cell| !cell.starts_with('\''));
            if csv_safe {
                prop_assert_eq!(rows(&write_csv(&table(wanted.clone())).unwrap()), wanted);
            }
        }
    }

    #[test]
    fn cells_that_look_like_formulas_are_disarmed() {
        let dangerous = ["=HYPERLINK(1)", "+1", "-2+3", "@SUM", "＝1+1"];
        let rows = dangerous.iter().map(|cell| vec![String::from(*cell), "陕西".into()]).collect();
        let text = String::from_utf8(write_csv(&table(rows)).unwrap()).unwrap();
        for cell in dangerous {
            assert!(text.contains(&format!("'{cell}")), "{cell}");
        }
        assert!(text.contains(",陕西\r\n"));
    }

    #[test]
    fn gb_18030_files_are_understood() {
        let (bytes, _, _) =
            encoding_rs::GB18030.encode("名称,代码\n示例合作社㐂,A1\n\n示例公司,B2\n");
        let sheet = read(&bytes).unwrap();
        assert_eq!(sheet.header, ["名称", "代码"]);
        assert_eq!(sheet.rows[0].cells, ["示例合作社㐂", "A1"]);
        assert_eq!(sheet.rows[1].number, 4);
    }

    #[test]
    fn wrong_files_are_refused_with_a_reason() {
        let refusal = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
        assert!(refusal(b"").contains("空的"));
        assert!(refusal(b"PK\x03\x04garbage").contains("损坏"));
        assert!(refusal(b"\x89PNG\x00").contains("XLSX 或 CSV"));
        assert!(refusal(b"a,a\n1,2\n").contains("重复"));
        assert!(refusal(b"a,b\n1,2,3\n").contains("第 2 行 C 列"));
        assert!(refusal(format!("a\n{}", "1\n".repeat(100_001)).as_bytes()).contains("100000 行"));
        assert!(refusal(&vec![b'a'; (16 << 20) + 1]).contains("16 MiB"));
    }

    #[test]
    fn formulas_in_cells_are_named() {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write_string(0, 0, "名称").unwrap().write_formula(2, 0, "=1+1").unwrap();
        assert!(
            read(&book.save_to_buffer().unwrap())
                .unwrap_err()
                .to_string()
                .contains("单元格 A3 是公式")
        );
    }

    #[test]
    fn numbers_and_dates_read_as_people_see_them() {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        let date = Format::new().set_num_format("yyyy-mm-dd");
        sheet.write_string(0, 0, "量").unwrap().write_string(0, 1, "日").unwrap();
        sheet.write_number(1, 0, 1540.0).unwrap().write_number(2, 0, 0.1 + 0.2).unwrap();
        sheet.write_number_with_format(1, 1, 46327.0, &date).unwrap();
        let rows = rows(&book.save_to_buffer().unwrap());
        assert_eq!(rows, [["1540", "2026-11-01"], ["0.3", ""]]);
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        use std::io::Write as _;
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let packed = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated);
        archive.start_file("xl/worksheets/sheet1.xml", packed).unwrap();
        let zeros = vec![0; 1 << 20];
        for _ in 0..257 {
            archive.write_all(&zeros).unwrap();
        }
        let bytes = archive.finish().unwrap().into_inner();
        assert!(bytes.len() < 1 << 20);
        assert!(read(&bytes).unwrap_err().to_string().contains("256 MiB"));
    }
}
