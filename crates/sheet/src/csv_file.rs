//! CSV, record by record as it comes: of a file nothing is kept but the record that is being read.

use std::io::{BufRead, BufReader, Read};

use encoding_rs::GB18030;

use crate::{
    Bounds, SheetError, Visit,
    read::{refuse, uninjected},
    visit::Shaper,
};

/// Bytes of one line: as many as the widest row may have, and more.
const LINE_MAX: u64 = 4 << 20;

pub(crate) fn visit<V: Visit + ?Sized>(
    reader: impl Read,
    bounds: &Bounds,
    to: &mut V,
) -> Result<(), SheetError> {
    let mut lines = Lines::new(BufReader::with_capacity(64 << 10, reader), bounds);
    // The first line shows by what cells are separated.
    let delimiter = lines.delimiter().map_err(wrong)?;
    let mut records = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(lines);
    if !to.sheet("") {
        return Ok(());
    }
    let mut shaper = Shaper::new(to, *bounds, 0);
    let (mut record, mut last, mut folded) = (csv::StringRecord::new(), 0, 0);
    while records.read_record(&mut record).map_err(failed)? {
        if record.len() > bounds.columns {
            return refuse(format!("超过 {} 列，请使用导入模板", bounds.columns));
        }
        // Rows have the numbers people see: empty lines count, lines within a cell do not.
        let within = record.iter().map(|cell| cell.matches('\n').count()).sum::<usize>();
        folded += within;
        let line = usize::try_from(records.position().line()).unwrap_or(usize::MAX);
        let number = line.saturating_sub(1 + folded).max(last + 1);
        last = number;
        shaper.push(number, record.iter().map(uninjected).collect())?;
    }
    if shaper.end().1 { Ok(()) } else { refuse("文件是空的，第一行应为列名") }
}

fn failed(error: csv::Error) -> SheetError {
    let line = error.position().map_or(0, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(error) => wrong(error),
        _ => SheetError(format!("第 {line} 行的引号不成对，请检查")),
    }
}

/// Our own sentences travel as errors of reading.
fn wrong(error: std::io::Error) -> SheetError {
    match error.kind() {
        std::io::ErrorKind::InvalidData => SheetError(error.to_string()),
        _ => SheetError(String::from("文件没有完整到达，请重试")),
    }
}

fn invalid(sentence: impl Into<String>) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, sentence.into())
}

const NO_TABLE: &str = "不是可识别的表格文件，应为 XLSX 或 CSV";

/// What to do about a file that begins as none of ours does.
pub(crate) fn foreign(bytes: &[u8]) -> Option<&'static str> {
    let begins = |mark: &[u8]| bytes.starts_with(mark);
    if begins(b"\xD0\xCF\x11\xE0") {
        return Some("这是旧式 XLS 或加密的文件，请在表格软件中另存为 XLSX（不设密码）后再试");
    }
    if begins(b"\xFF\xFE") || begins(b"\xFE\xFF") {
        return Some("文件为 UTF-16（“Unicode 文本”），请另存为“CSV UTF-8”或 XLSX 后再试");
    }
    if begins(b"%PDF") || begins(b"<!DOCTYPE") || begins(b"<html") || begins(b"{\\rtf") {
        return Some(NO_TABLE);
    }
    None
}

/// In which encoding a file is; known as soon as a line is not plain ASCII.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Unknown,
    Utf8,
    Gb18030,
}

/// Lines of a file as UTF-8, each ended by a line feed.
struct Lines<R> {
    reader: R,
    left: u64,
    encoding: Encoding,
    line: Vec<u8>,
    at: usize,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    fn new(reader: R, bounds: &Bounds) -> Self {
        let left = bounds.file_bytes;
        Self { reader, left, encoding: Encoding::Unknown, line: Vec::new(), at: 0, number: 0 }
    }

    fn delimiter(&mut self) -> std::io::Result<u8> {
        self.next_line()?;
        let count = |mark: u8| self.line.split(|byte| *byte == mark).count();
        let marks = [b'\t', b';', b','].into_iter().max_by_key(|mark| count(*mark));
        Ok(marks.unwrap_or(b','))
    }

    /// Reads the next line; none is left where it is empty.
    fn next_line(&mut self) -> std::io::Result<()> {
        self.line.clear();
        self.at = 0;
        let read = (&mut self.reader).take(LINE_MAX).read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(());
        }
        self.number += 1;
        if read as u64 == LINE_MAX && self.line.last() != Some(&b'\n') {
            return Err(invalid(format!("第 {} 行过长", self.number)));
        }
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| invalid("文件过大，请拆分后分批导入"))?;
        if self.number == 1 && self.line.starts_with(b"\xEF\xBB\xBF") {
            self.line.drain(..3);
        }
        if self.number == 1
            && let Some(other) = foreign(&self.line)
        {
            return Err(invalid(other));
        }
        if self.line.contains(&0) {
            return Err(invalid(NO_TABLE));
        }
        self.decode()?;
        if self.line.last() != Some(&b'\n') {
            self.line.push(b'\n');
        }
        Ok(())
    }

    fn decode(&mut self) -> std::io::Result<()> {
        if self.line.is_ascii() {
            return Ok(());
        }
        let utf8 = std::str::from_utf8(&self.line).is_ok();
        if self.encoding == Encoding::Unknown {
            self.encoding = if utf8 { Encoding::Utf8 } else { Encoding::Gb18030 };
        }
        let wrong = match self.encoding {
            Encoding::Gb18030 => {
                let (text, wrong) = GB18030.decode_without_bom_handling(&self.line);
                let text = text.into_owned();
                self.line = text.into_bytes();
                wrong
            }
            Encoding::Utf8 | Encoding::Unknown => !utf8,
        };
        if wrong {
            let detail = "行的文字编码无法识别，整个文件应为 UTF-8 或 GB 18030";
            return Err(invalid(format!("第 {} {detail}", self.number)));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.line.len() {
            self.next_line()?;
        }
        let count = buffer.len().min(self.line.len() - self.at);
        buffer[..count].copy_from_slice(&self.line[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
