//! Reading what people upload.

use std::io::{Cursor, Read as _};

use calamine::{Data, Reader as _, Xlsx};

use crate::{SheetError, column_name, geojson};

const FILE_MAX: usize = 16 << 20;
const UNPACKED_MAX: u64 = 256 << 20;
const ENTRIES_MAX: usize = 10_000;
pub(crate) const ROWS_MAX: usize = 100_000;
pub(crate) const COLUMNS_MAX: usize = 200;
const CELL_MAX: usize = 4_000;

/// The first sheet of a file: a header and rows of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Names of the columns.
    pub header: Vec<String>,
    /// The rows that hold anything.
    pub rows: Vec<Row>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// As the spreadsheet counts it, the header being 1.
    pub number: usize,
    /// As many cells as the header has names.
    pub cells: Vec<String>,
}

pub(crate) fn refuse<T>(sentence: impl Into<String>) -> Result<T, SheetError> {
    Err(SheetError(sentence.into()))
}

/// Reads XLSX, CSV or GeoJSON; which one is decided by the bytes, never by the name.
pub fn read(bytes: &[u8]) -> Result<Sheet, SheetError> {
    if bytes.len() > FILE_MAX {
        return refuse(format!("文件超过 {} MiB，请拆分后分批导入", FILE_MAX >> 20));
    }
    let rows = if bytes.starts_with(b"PK\x03\x04") {
        read_xlsx(bytes)?
    } else if geojson::looks_like(bytes) {
        geojson::read(bytes)?
    } else {
        read_csv(bytes)?
    };
    shape(rows)
}

fn read_xlsx(bytes: &[u8]) -> Result<Vec<Vec<String>>, SheetError> {
    let broken =
        || SheetError(String::from("不是有效的 XLSX 文件，请用 Excel 或 WPS 另存为 .xlsx 后重试"));
    measure(bytes)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| broken())?;
    let name = book.sheet_names().first().cloned().ok_or_else(broken)?;
    let formulas = book.worksheet_formula(&name).map_err(|_| broken())?;
    if let Some((row, column, _)) = formulas.used_cells().find(|(_, _, text)| !text.is_empty()) {
        let (top, left) = formulas.start().unwrap_or_default();
        let cell = format!("{}{}", column_name(column + left as usize), row + top as usize + 1);
        return refuse(format!("单元格 {cell} 是公式，请改为数值（复制后选择性粘贴为值）"));
    }
    let range = book.worksheet_range(&name).map_err(|_| broken())?;
    let (top, left) = range.start().map_or((0, 0), |(row, column)| (row as usize, column as usize));
    if range.height() + top > ROWS_MAX + 1 {
        return refuse(format!("数据超过 {ROWS_MAX} 行，请拆分后分批导入"));
    }
    if range.width() + left > COLUMNS_MAX {
        return refuse(format!("超过 {COLUMNS_MAX} 列，请使用导入模板"));
    }
    let above = std::iter::repeat_n(Vec::new(), top);
    let rows = range.rows().map(|row| {
        std::iter::repeat_n(String::new(), left).chain(row.iter().map(cell_text)).collect()
    });
    Ok(above.chain(rows).collect())
}

/// Unpacks everything once, counting only, before any parser sees it: a small file may unpack to
/// more than there is memory.
fn measure(bytes: &[u8]) -> Result<(), SheetError> {
    let broken = |_| SheetError(String::from("XLSX 文件已损坏，请重新保存后再试"));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if archive.len() > ENTRIES_MAX {
        return refuse("XLSX 文件内的部件过多");
    }
    let mut total = 0;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(broken)?;
        let mut limited = entry.take(UNPACKED_MAX + 1 - total);
        let counted = std::io::copy(&mut limited, &mut std::io::sink());
        total +=
            counted.map_err(|_| SheetError(String::from("XLSX 文件已损坏，请重新保存后再试")))?;
        if total > UNPACKED_MAX {
            return refuse(format!("XLSX 解压后超过 {} MiB，拒绝读取", UNPACKED_MAX >> 20));
        }
    }
    Ok(())
}

fn cell_text(cell: &Data) -> String {
    match cell {
        Data::Empty | Data::Error(_) => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => {
            String::from(text.trim())
        }
        Data::Int(value) => value.to_string(),
        Data::Bool(value) => String::from(if *value { "是" } else { "否" }),
        Data::Float(value) => number_text(*value),
        Data::DateTime(value) => {
            let (year, month, day, hour, minute, second, _) = value.to_ymd_hms_milli();
            if (hour, minute, second) == (0, 0, 0) {
                format!("{year:04}-{month:02}-{day:02}")
            } else {
                format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
            }
        }
        #[expect(unreachable_patterns, reason = "newer versions of the library know more kinds")]
        _ => String::new(),
    }
}

/// Spreadsheets keep 15 significant digits; the 16th and 17th are noise of the binary form.
fn number_text(value: f64) -> String {
    let exact = format!("{value}");
    let digits = exact.bytes().filter(u8::is_ascii_digit).count();
    if digits <= 15 || exact.contains('e') {
        return exact;
    }
    let rounded: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    format!("{rounded}")
}

fn read_csv(bytes: &[u8]) -> Result<Vec<Vec<String>>, SheetError> {
    let text = decode(bytes)?;
    let first = text.lines().next().unwrap_or_default();
    let delimiter = [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|mark| first.bytes().filter(|byte| byte == mark).count());
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter.unwrap_or(b','))
        .from_reader(text.as_bytes());
    let mut rows: Vec<Vec<String>> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            SheetError(format!("第 {line} 行的引号不成对，请检查"))
        })?;
        if record.len() > COLUMNS_MAX {
            return refuse(format!("超过 {COLUMNS_MAX} 列，请使用导入模板"));
        }
        // The reader skips empty lines; count them, so that rows have the numbers people see.
        let start =
            record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(0));
        let blank = text.get(start..).unwrap_or_default().chars();
        let blank = blank
            .take_while(|letter| matches!(letter, '\n' | '\r'))
            .filter(|letter| *letter == '\n');
        rows.extend(std::iter::repeat_n(Vec::new(), blank.count().min(ROWS_MAX)));
        rows.push(record.iter().map(uninjected).collect());
        if rows.len() > ROWS_MAX + 1 {
            return refuse(format!("数据超过 {ROWS_MAX} 行，请拆分后分批导入"));
        }
    }
    Ok(rows)
}

/// Our own exports guard cells that look like formulas with a `'`; reading takes it off again.
fn uninjected(cell: &str) -> String {
    let cell = cell.trim();
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(crate::write::DANGEROUS) => String::from(rest),
        _ => String::from(cell),
    }
}

/// A text in either of the encodings that offices use: UTF-8, or GB 18030.
pub fn decode(bytes: &[u8]) -> Result<String, SheetError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if bytes.contains(&0) {
        return refuse("不是可识别的表格文件，应为 XLSX 或 CSV");
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(String::from(text));
    }
    // What is not UTF-8 comes from an office program set to GB 18030.
    let (text, wrong) = encoding_rs::GB18030.decode_without_bom_handling(bytes);
    if wrong {
        return refuse("文字编码无法识别，应为 UTF-8 或 GB 18030");
    }
    Ok(text.into_owned())
}

fn shape(rows: Vec<Vec<String>>) -> Result<Sheet, SheetError> {
    let mut rows =
        rows.into_iter().enumerate().skip_while(|(_, row)| row.iter().all(String::is_empty));
    let Some((_, mut header)) = rows.next() else {
        return refuse("文件是空的，第一行应为列名");
    };
    while header.last().is_some_and(String::is_empty) {
        header.pop();
    }
    for (at, name) in header.iter().enumerate() {
        if name.is_empty() {
            return refuse(format!("{} 列没有列名", column_name(at)));
        }
        if header[..at].contains(name) {
            return refuse(format!("列名“{name}”重复"));
        }
    }
    let width = header.len();
    let mut kept = Vec::new();
    for (index, mut cells) in rows {
        if cells.iter().all(String::is_empty) {
            continue;
        }
        let number = index + 1;
        if let Some(at) = (width..cells.len()).find(|&at| !cells[at].is_empty()) {
            return refuse(format!("第 {number} 行 {} 列有内容但没有列名", column_name(at)));
        }
        if let Some(at) = cells.iter().position(|cell| cell.chars().count() > CELL_MAX) {
            return refuse(format!("第 {number} 行 {} 列超过 {CELL_MAX} 个字", column_name(at)));
        }
        cells.resize(width, String::new());
        kept.push(Row { number, cells });
    }
    Ok(Sheet { header, rows: kept })
}
