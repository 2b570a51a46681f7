//! Reading what people upload.

use crate::{
    Bounds, SheetError, Visit, csv_file, geojson,
    visit::Shaper,
    xlsx::{self, Sheets},
};

pub(crate) const ROWS_MAX: usize = Bounds::WHOLE.rows;
pub(crate) const COLUMNS_MAX: usize = Bounds::WHOLE.columns;

/// The first sheet of a file: a header and rows of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Names of the columns.
    pub header: Vec<String>,
    /// The rows that hold anything.
    pub rows: Vec<Row>,
    /// Whether the rows are features of a map.
    of_map: bool,
}

impl Sheet {
    /// How people are told where a row stands.
    pub fn place(&self, row: &Row) -> String {
        if self.of_map {
            format!("第 {} 个要素", row.number.saturating_sub(1))
        } else {
            format!("第 {} 行", row.number)
        }
    }
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

/// Keeps what it is shown.
#[derive(Default)]
struct Keep {
    header: Vec<String>,
    rows: Vec<Row>,
}

impl Visit for Keep {
    fn sheet(&mut self, _: &str) -> bool {
        true
    }

    fn header(&mut self, names: &[String]) -> Result<(), SheetError> {
        self.header = names.to_vec();
        Ok(())
    }

    fn row(&mut self, row: Row) -> Result<(), SheetError> {
        self.rows.push(row);
        Ok(())
    }
}

/// Whether these are the first bytes of an XLSX file.
pub fn is_xlsx(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// Reads XLSX, CSV or GeoJSON; which one is decided by the bytes, never by the name.
pub fn read(bytes: &[u8]) -> Result<Sheet, SheetError> {
    let (bounds, mut keep) = (Bounds::WHOLE, Keep::default());
    require_size(bytes, &bounds)?;
    let of_map = !is_xlsx(bytes) && geojson::looks_like(bytes);
    if is_xlsx(bytes) {
        xlsx::visit(bytes, &bounds, (Sheets::First, &mut keep))?;
    } else if of_map {
        let mut shaper = Shaper::new(&mut keep, bounds, 0);
        for (number, cells) in (1..).zip(geojson::read(bytes)?) {
            shaper.push(number, cells)?;
        }
    } else {
        csv_file::visit(decode(bytes)?.as_bytes(), &bounds, &mut keep)?;
    }
    Ok(Sheet { header: keep.header, rows: keep.rows, of_map })
}

/// Shows every sheet of an XLSX file row by row. Besides one row, only the texts that cells share are
/// held in memory.
pub fn visit_xlsx<V: Visit + ?Sized>(
    bytes: &[u8],
    bounds: &Bounds,
    to: &mut V,
) -> Result<(), SheetError> {
    require_size(bytes, bounds)?;
    xlsx::visit(bytes, bounds, (Sheets::All, to))
}

/// Shows a CSV file row by row as it comes, in UTF-8 or GB 18030; its one sheet has no name.
pub fn visit_csv<V: Visit + ?Sized>(
    reader: impl std::io::Read,
    bounds: &Bounds,
    to: &mut V,
) -> Result<(), SheetError> {
    csv_file::visit(reader, bounds, to)
}

fn require_size(bytes: &[u8], bounds: &Bounds) -> Result<(), SheetError> {
    if bytes.len() as u64 > bounds.file_bytes {
        return refuse(format!("文件超过 {} MiB，请拆分后分批导入", bounds.file_bytes >> 20));
    }
    Ok(())
}

/// Spreadsheets keep 15 significant digits; the 16th and 17th are noise of the binary form.
pub(crate) fn number_text(value: f64) -> String {
    let exact = format!("{value}");
    let digits = exact.bytes().filter(u8::is_ascii_digit).count();
    if digits <= 15 || exact.contains('e') {
        return exact;
    }
    let rounded: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    format!("{rounded}")
}

/// Our own exports guard cells that look like formulas with a `'`; reading takes it off again.
pub(crate) fn uninjected(cell: &str) -> String {
    let cell = cell.trim();
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(crate::write::DANGEROUS) => String::from(rest),
        _ => String::from(cell),
    }
}

/// A text in either of the encodings that offices use: UTF-8, or GB 18030.
pub fn decode(bytes: &[u8]) -> Result<String, SheetError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Some(other) = csv_file::foreign(bytes) {
        return refuse(other);
    }
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
