//! XLSX, cell by cell: of a sheet nothing is kept but the row that is being read.

use std::io::{Cursor, Read};

use calamine::{Cell, DataRef, Reader as _, Xlsx};

use crate::{
    Bounds, SheetError, Visit, column_name,
    read::{number_text, refuse},
    visit::Shaper,
};

const PARTS_MAX: usize = 10_000;
/// Bytes of one piece of XML between two angle brackets; the reader holds one in memory.
const PIECE_MAX: usize = 1 << 20;
/// What is between cells, and what describes them: all of it is held in memory.
const FRAME_MAX: u64 = 32 << 20;

fn broken() -> SheetError {
    SheetError(String::from("不是有效的 XLSX 文件，请用 Excel 或 WPS 另存为 .xlsx 后重试"))
}

/// Which sheets are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sheets {
    First,
    All,
}

pub(crate) fn visit<V: Visit + ?Sized>(
    bytes: &[u8],
    bounds: &Bounds,
    (sheets, to): (Sheets, &mut V),
) -> Result<(), SheetError> {
    let formulas = measure(bytes, bounds)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| broken())?;
    let names = book.sheet_names();
    let wanted = if sheets == Sheets::First { 1 } else { names.len() };
    let (mut rows, mut any) = (0, false);
    for name in names.iter().take(wanted) {
        if !to.sheet(name) {
            continue;
        }
        if formulas {
            no_formulas(&mut book, name)?;
        }
        let (read, header) = sheet(&mut book, name, (bounds, rows), to)?;
        (rows, any) = (read, any || header);
    }
    if names.is_empty() {
        return Err(broken());
    }
    if any { Ok(()) } else { refuse("文件是空的，第一行应为列名") }
}

/// From here on spreadsheets no longer keep every digit of a whole number: a code of twenty digits typed
/// as a number is another code.
const NUMBER_END: f64 = 1e15;

/// What people see is a number, what is in the cell is a program.
fn no_formulas(book: &mut Xlsx<Cursor<&[u8]>>, name: &str) -> Result<(), SheetError> {
    let mut cells = book.worksheet_cells_reader(name).map_err(|_| broken())?;
    while let Some(cell) = cells.next_formula().map_err(|_| broken())? {
        if !cell.get_value().is_empty() {
            let (row, column) = cell.get_position();
            let cell = format!("{}{}", column_name(column as usize), row as usize + 1);
            return refuse(format!("单元格 {cell} 是公式，请改为数值（复制后选择性粘贴为值）"));
        }
    }
    Ok(())
}

fn sheet<V: Visit + ?Sized>(
    book: &mut Xlsx<Cursor<&[u8]>>,
    name: &str,
    (bounds, before): (&Bounds, usize),
    to: &mut V,
) -> Result<(usize, bool), SheetError> {
    let mut reader = book.worksheet_cells_reader(name).map_err(|_| broken())?;
    let mut shaper = Shaper::new(to, *bounds, before);
    let (mut at, mut cells) = (0, Vec::new());
    while let Some(cell) = reader.next_cell().map_err(|_| broken())? {
        let (row, column) = position(&cell);
        if column >= bounds.columns {
            return refuse(format!("超过 {} 列，请使用导入模板", bounds.columns));
        }
        if row < at || (row == at && column < cells.len()) {
            return refuse("表格中单元格的次序不对，请用 Excel 或 WPS 重新保存后再试");
        }
        if row > at {
            shaper.push(at + 1, std::mem::take(&mut cells))?;
            at = row;
        }
        cells.resize(column, String::new());
        if let DataRef::Float(value) = cell.get_value()
            && value.abs() >= NUMBER_END
        {
            let cell = format!("{}{}", column_name(column), row + 1);
            return refuse(format!(
                "单元格 {cell} 是超过 15 位的数字，末尾几位已被表格软件改动；请将该列设为文本格式后重新填写"
            ));
        }
        cells.push(text(cell.get_value()));
    }
    shaper.push(at + 1, cells)?;
    Ok(shaper.end())
}

fn position(cell: &Cell<DataRef<'_>>) -> (usize, usize) {
    let (row, column) = cell.get_position();
    (row as usize, column as usize)
}

fn text(cell: &DataRef<'_>) -> String {
    match cell {
        DataRef::Empty => String::new(),
        // `#N/A`: what was meant is lost, and an empty cell would hide it.
        DataRef::Error(error) => error.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            String::from(text.trim())
        }
        DataRef::SharedString(text) => String::from(text.trim()),
        DataRef::Int(value) => value.to_string(),
        DataRef::Bool(value) => String::from(if *value { "是" } else { "否" }),
        DataRef::Float(value) => number_text(*value),
        DataRef::DateTime(value) => {
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

/// Unpacks everything once, before any parser sees it: a small file may unpack to more than there is
/// memory, and so may a single piece of it. Returns whether some cell may be a formula.
fn measure(bytes: &[u8], bounds: &Bounds) -> Result<bool, SheetError> {
    let damaged = || SheetError(String::from("XLSX 文件已损坏，请重新保存后再试"));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| damaged())?;
    if archive.len() > PARTS_MAX {
        return refuse("XLSX 文件内的部件过多");
    }
    let (mut total, mut frame, mut formulas) = (0, 0, false);
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|_| damaged())?;
        let name = entry.name().map_err(|_| damaged())?.to_ascii_lowercase();
        let left = bounds.unpacked_bytes - total;
        // One that says itself that it is too large is not unpacked; one that says less is counted.
        if entry.size() > left {
            return burst(bounds);
        }
        let found = Scan::of(&mut entry, left).map_err(|_| damaged())?;
        total += found.bytes;
        if found.bytes > left {
            return burst(bounds);
        }
        let xml = [".xml", ".rels", ".vml"].iter().any(|ending| name.ends_with(ending));
        if xml && found.longest > PIECE_MAX {
            return refuse("XLSX 文件中有过长的单元格，拒绝读取");
        }
        if name.contains("sharedstrings") {
            if found.bytes > bounds.shared_bytes {
                let most = bounds.shared_bytes >> 20;
                return refuse(format!(
                    "XLSX 中的文字超过 {most} MiB，请拆分，或另存为 CSV 后导入"
                ));
            }
            // A reader makes room for as many texts as the file says there are.
            if found.declared.is_some_and(|count| count > found.bytes) {
                return Err(damaged());
            }
            continue;
        }
        // A sheet may lie anywhere; only those in the usual place may be large.
        formulas |= found.formulas;
        if xml && !name.contains("worksheets/") {
            frame += found.bytes;
        }
    }
    if frame > FRAME_MAX {
        return refuse("XLSX 文件的格式说明过多，请用导入模板重新填写");
    }
    Ok(formulas)
}

fn burst<T>(bounds: &Bounds) -> Result<T, SheetError> {
    refuse(format!("XLSX 解压后超过 {} MiB，拒绝读取", bounds.unpacked_bytes >> 20))
}

/// What is seen of a part without understanding it.
#[derive(Default)]
struct Scan {
    bytes: u64,
    /// Bytes of the longest piece without an opening bracket.
    longest: usize,
    formulas: bool,
    /// `uniqueCount` of the shared texts.
    declared: Option<u64>,
}

impl Scan {
    fn of(entry: &mut impl Read, left: u64) -> std::io::Result<Self> {
        let mut scan = Self::default();
        let (mut run, mut after, mut head) = (0usize, [0u8; 2], Vec::new());
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = entry.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            scan.bytes += count as u64;
            if scan.bytes > left {
                break;
            }
            if head.len() < 2048 {
                head.extend_from_slice(&buffer[..count.min(2048)]);
            }
            for &byte in &buffer[..count] {
                if byte == b'<' {
                    run = 0;
                } else {
                    run += 1;
                    scan.longest = scan.longest.max(run);
                }
                // `<f>`, `<f …` or `<f/`.
                scan.formulas |= after == *b"<f" && matches!(byte, b'>' | b' ' | b'/');
                after = [after[1], byte];
            }
        }
        let head = String::from_utf8_lossy(&head);
        scan.declared = head.split("uniqueCount=").nth(1).and_then(|rest| {
            let rest = rest.trim_start_matches(['"', '\'']);
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            // What is no number that a machine holds is too large.
            Some(digits.parse().unwrap_or(u64::MAX)).filter(|_| !digits.is_empty())
        });
        Ok(scan)
    }
}

#[cfg(test)]
mod tests {
    use rust_xlsxwriter::Workbook;

    fn of_number(value: f64) -> Vec<u8> {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write_string(0, 0, "追溯码").unwrap();
        sheet.write_number(1, 0, value).unwrap();
        book.save_to_buffer().unwrap()
    }

    #[test]
    fn a_code_of_twenty_digits_typed_as_a_number_is_refused_for_it_is_another_code() {
        let refused = crate::read(&of_number(12_345_678_901_234_567_890.0)).unwrap_err();
        assert!(refused.0.contains("单元格 A2") && refused.0.contains("文本格式"), "{refused}");
        let read = crate::read(&of_number(123_456_789_012_345.0)).unwrap();
        assert_eq!(read.rows[0].cells[0], "123456789012345");
    }
}
