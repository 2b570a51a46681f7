//! Sheets of labels on A4 as PDF 1.4: symbols as masks of one bit, Latin words in Helvetica, Chinese
//! ones in a font of the sheet's own that holds exactly the letters it uses.

use std::collections::BTreeMap;

use crate::{
    Drawing, Matrix,
    font::{is_latin, letter_width, outline},
    layout::letter,
};

/// A4 in tenths of a millimetre.
const PAGE: (u32, u32) = (2_100, 2_970);
/// Edge of the page that printers leave white.
const EDGE: u32 = 100;
/// Between labels.
const GAP: u32 = 30;
/// Length of a cut mark.
const MARK: u32 = 20;
/// Letters of one font of Type 3.
const LETTERS: usize = 255;
/// Around every one of them, in thousandths of their size.
const BOX: &str = "-50 -300 1050 1000";

/// Tenths of a millimetre as points.
fn points(tenths: u32) -> f64 {
    f64::from(tenths) * 72.0 / 254.0
}

/// The Chinese letters of a sheet, each with its font and its place there.
struct Letters(BTreeMap<char, usize>);

impl Letters {
    fn of(drawings: &[Drawing]) -> Self {
        let mut found = BTreeMap::new();
        for drawing in drawings {
            for letter in drawing.words.iter().flat_map(|one| one.text.chars()) {
                if !is_latin(letter) {
                    found.entry(letter).or_insert(0);
                }
            }
        }
        for (index, place) in found.values_mut().enumerate() {
            *place = index;
        }
        Self(found)
    }

    fn fonts(&self) -> usize {
        self.0.len().div_ceil(LETTERS)
    }

    fn at(&self, letter: char) -> (usize, usize) {
        let index = self.0.get(&letter).copied().unwrap_or(0);
        (index / LETTERS, index % LETTERS + 1)
    }
}

/// An object file under construction.
#[derive(Default)]
struct File {
    bytes: Vec<u8>,
    offsets: BTreeMap<usize, usize>,
}

impl File {
    fn object(&mut self, number: usize, body: &str) {
        self.offsets.insert(number, self.bytes.len());
        self.bytes.extend_from_slice(format!("{number} 0 obj\n{body}\nendobj\n").as_bytes());
    }

    fn stream(&mut self, number: usize, content: &str) {
        let body = format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len() + 1);
        self.object(number, &body);
    }

    fn finish(mut self, root: usize) -> Vec<u8> {
        let start = self.bytes.len();
        let count = self.offsets.keys().max().map_or(1, |last| last + 1);
        let mut table = format!("xref\n0 {count}\n0000000000 65535 f \n");
        for number in 1..count {
            let offset = self.offsets.get(&number).copied().unwrap_or(0);
            table.push_str(&format!("{offset:010} 00000 n \n"));
        }
        table.push_str(&format!(
            "trailer\n<< /Size {count} /Root {root} 0 R >>\nstartxref\n{start}\n%%EOF\n"
        ));
        self.bytes.extend_from_slice(table.as_bytes());
        self.bytes
    }
}

/// A symbol as an image mask inside the page.
fn mask(matrix: &Matrix) -> String {
    let side = matrix.side;
    let mut hexadecimal = String::new();
    for row in 0..side {
        for start in (0..side).step_by(8) {
            let byte = (start..start + 8)
                .fold(0_u8, |byte, column| byte << 1 | u8::from(matrix.is_dark(column, row)));
            hexadecimal.push_str(&format!("{byte:02X}"));
        }
    }
    format!("BI /W {side} /H {side} /IM true /D [1 0] /F /AHx ID {hexadecimal}> EI")
}

/// Words as the texts of one font after the other.
fn runs(text: &str, letters: &Letters) -> Vec<(Option<usize>, String)> {
    let mut runs: Vec<(Option<usize>, String)> = Vec::new();
    for letter in text.chars() {
        let (font, byte) = if is_latin(letter) {
            (None, letter as usize)
        } else {
            let (font, place) = letters.at(letter);
            (Some(font), place)
        };
        let byte = format!("{byte:02X}");
        match runs.last_mut() {
            Some((known, text)) if *known == font => text.push_str(&byte),
            _ => runs.push((font, byte)),
        }
    }
    runs
}

/// One label at a corner of the page; lengths from the bottom, as PDF has them.
fn content(drawing: &Drawing, (left, top): (u32, u32), letters: &Letters) -> String {
    let template = &drawing.template;
    let x = |tenths: u32| points(left + tenths);
    let y = |tenths: u32| points(PAGE.1.saturating_sub(top + tenths));
    let matrix = &drawing.label.symbol;
    let module = points(template.symbol) / f64::from(u32::try_from(matrix.whole()).unwrap_or(1));
    let quiet = module * f64::from(u32::try_from(matrix.quiet).unwrap_or(0));
    let side = module * f64::from(u32::try_from(matrix.side).unwrap_or(1));
    let (sx, sy) = (x(drawing.symbol.0) + quiet, y(drawing.symbol.1 + template.symbol) + quiet);
    let mut text = format!("q {side:.3} 0 0 {side:.3} {sx:.3} {sy:.3} cm {} Q\n", mask(matrix));
    let size = points(letter(template));
    for one in &drawing.words {
        text.push_str(&format!("BT 1 0 0 1 {:.3} {:.3} Tm ", x(one.x), y(one.y)));
        for (font, bytes) in runs(&one.text, letters) {
            let name = font.map_or_else(|| String::from("L"), |font| format!("C{font}"));
            text.push_str(&format!("/{name} {size:.3} Tf <{bytes}> Tj "));
        }
        text.push_str("ET\n");
    }
    text
}

/// Marks at the four corners along which sheets are cut.
fn cut_marks((left, top): (u32, u32), (wide, high): (u32, u32)) -> String {
    let mut text = String::from("0.3 w\n");
    let mut line = |from: (u32, u32), to: (u32, u32)| {
        let y = |tenths: u32| points(PAGE.1.saturating_sub(tenths));
        text.push_str(&format!(
            "{:.3} {:.3} m {:.3} {:.3} l S\n",
            points(from.0),
            y(from.1),
            points(to.0),
            y(to.1)
        ));
    };
    let length = MARK / 2;
    for x in [left, left + wide] {
        line((x, top - length), (x, top));
        line((x, top + high), (x, top + high + length));
    }
    for y in [top, top + high] {
        line((left - length, y), (left, y));
        line((left + wide, y), (left + wide + length, y));
    }
    text
}

/// Labels of one shape on as many pages as they need; none for no labels.
pub fn sheet(drawings: &[Drawing]) -> Vec<u8> {
    let letters = Letters::of(drawings);
    let (wide, high) = drawings
        .first()
        .map_or((1, 1), |drawing| (drawing.template.width.max(1), drawing.template.height.max(1)));
    let across = ((PAGE.0 - 2 * EDGE + GAP) / (wide + GAP)).max(1);
    let down = ((PAGE.1 - 2 * EDGE + GAP) / (high + GAP)).max(1);
    let each = usize::try_from(across * down).unwrap_or(1);
    let pages: Vec<&[Drawing]> = drawings.chunks(each).collect();

    let mut file = File::default();
    file.bytes.extend_from_slice(b"%PDF-1.4\n%\xE4\xB8\xAD\xE6\x96\x87\n");
    let (fonts, first_font) = (letters.fonts(), 4);
    // Each font: itself, its encoding to Unicode, and its letters.
    let mut next = first_font + 2 * fonts;
    let mut names = String::from("/L 3 0 R");
    for font in 0..fonts {
        names.push_str(&format!(" /C{font} {} 0 R", first_font + 2 * font));
    }
    for font in 0..fonts {
        next = write_font(&mut file, (&letters, font), (first_font + 2 * font, next));
    }
    let mut kids = String::new();
    for page in &pages {
        let mut text = String::new();
        for (index, drawing) in page.iter().enumerate() {
            let index = u32::try_from(index).unwrap_or(0);
            let left = EDGE + index % across * (wide + GAP);
            let top = EDGE + index / across * (high + GAP);
            text.push_str(&cut_marks((left, top), (wide, high)));
            text.push_str(&content(drawing, (left, top), &letters));
        }
        file.stream(next, &text);
        let (page_wide, page_high) = (points(PAGE.0), points(PAGE.1));
        let body = format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {page_wide:.2} {page_high:.2}] \
             /Contents {next} 0 R /Resources << /Font << {names} >> >> >>"
        );
        file.object(next + 1, &body);
        kids.push_str(&format!("{} 0 R ", next + 1));
        next += 2;
    }
    file.object(1, "<< /Type /Catalog /Pages 2 0 R >>");
    let count = pages.len();
    file.object(2, &format!("<< /Type /Pages /Kids [{kids}] /Count {count} >>"));
    file.object(
        3,
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    );
    file.finish(1)
}

/// One font of the sheet's own: its letters are drawn by their outlines, and copied as what they
/// are. Says which number is free behind it.
fn write_font(
    file: &mut File,
    (letters, font): (&Letters, usize),
    (number, mut next): (usize, usize),
) -> usize {
    let own: Vec<char> = letters.0.keys().copied().skip(font * LETTERS).take(LETTERS).collect();
    let (mut procedures, mut names, mut unicode) = (String::new(), String::new(), String::new());
    let mut widths = String::new();
    for (index, letter) in own.iter().enumerate() {
        let code = index + 1;
        let width = letter_width(*letter);
        widths.push_str(&format!("{width} "));
        file.stream(next, &format!("{width} 0 {BOX} d1\n{}", outline(*letter)));
        procedures.push_str(&format!("/c{code} {next} 0 R "));
        names.push_str(&format!("/c{code} "));
        let mut units = [0; 2];
        let units: String =
            letter.encode_utf16(&mut units).iter().map(|unit| format!("{unit:04X}")).collect();
        unicode.push_str(&format!("<{code:02X}> <{units}>\n"));
        next += 1;
    }
    let count = own.len();
    // A table takes a hundred lines at once.
    let mut tables = String::new();
    let lines: Vec<&str> = unicode.lines().collect();
    for chunk in lines.chunks(100) {
        tables.push_str(&format!("{} beginbfchar\n{}\nendbfchar\n", chunk.len(), chunk.join("\n")));
    }
    let map = format!(
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n\
         /CMapName /Sheet def /CMapType 2 def\n\
         1 begincodespacerange\n<00> <FF>\nendcodespacerange\n{tables}endcmap end end"
    );
    file.stream(number + 1, &map);
    file.object(
        number,
        &format!(
            "<< /Type /Font /Subtype /Type3 /FontBBox [{BOX}] \
             /FontMatrix [0.001 0 0 0.001 0 0] /CharProcs << {procedures}>> \
             /Encoding << /Type /Encoding /Differences [1 {names}] >> \
             /FirstChar 1 /LastChar {count} /Widths [{widths}] /Resources << >> \
             /ToUnicode {} 0 R >>",
            number + 1
        ),
    );
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Content, Label, Place, Printer, SymbolKind, Template, draw, svg, symbol, zpl};

    fn drawing(lines: &[&str]) -> Drawing {
        let content =
            Content::Text(String::from("https://trace.example.cn/t/00A7K29QX4T0VB8M3EJB"));
        let label = Label {
            symbol: symbol(SymbolKind::Qr, &content).unwrap(),
            content,
            lines: lines.iter().map(|line| String::from(*line)).collect(),
        };
        let template =
            Template { width: 600, height: 400, symbol: 250, place: Place::Left, font: 80 };
        draw(template, label).unwrap()
    }

    #[test]
    fn every_object_of_a_sheet_is_where_its_table_says() {
        let drawings: Vec<Drawing> =
            (0..30).map(|number| drawing(&["承诺达标合格证", &format!("批次 {number}")])).collect();
        let bytes = sheet(&drawings);
        let text = String::from_utf8_lossy(&bytes);
        assert!(bytes.starts_with(b"%PDF-1.4") && bytes.ends_with(b"%%EOF\n"));
        let start = bytes.windows(5).rposition(|part| part == b"xref\n").unwrap();
        // `startxref` holds the word too.
        let table = &bytes[..start].windows(5).rposition(|part| part == b"xref\n").unwrap_or(start);
        let table = std::str::from_utf8(&bytes[*table..]).unwrap();
        let mut number = 0;
        for line in table.lines().skip(2).take_while(|line| line.len() == 19) {
            let offset: usize = line[..10].parse().unwrap();
            if number > 0 {
                let head = format!("{number} 0 obj");
                assert!(bytes[offset..].starts_with(head.as_bytes()), "{head}");
            }
            number += 1;
        }
        assert!(number > 10);
        // Three across, six down.
        assert!(text.contains("/Count 2"), "two pages");
        assert!(text.contains("<627F>"), "承 can be copied");
        assert!(text.contains("/Subtype /Type3"));
        assert!(bytes.len() < 200_000, "{} bytes", bytes.len());
    }

    #[test]
    fn a_sign_takes_the_room_it_needs() {
        let text = String::from_utf8(sheet(&[drawing(&["5°"])])[20..].to_vec()).unwrap();
        assert!(text.contains("/Widths [370 ]") && text.contains("370 0 -50 -300 1050 1000 d1"));
        assert!(text.contains("<00B0>"), "° can be copied");
    }

    #[test]
    fn the_same_label_is_drawn_for_screens_and_printers() {
        let drawing = drawing(&["示例<韭菜>", "A^B_C"]);
        let shown = svg(&drawing);
        assert!(shown.contains("示例&lt;韭菜&gt;") && shown.contains("viewBox=\"0 0 60.0 40.0\""));
        let printer = Printer { dots: 8, font: "E:SIMSUN.FNT", kind: SymbolKind::Qr };
        let sent = zpl(&drawing, printer);
        assert!(sent.starts_with("^XA\n^CI28\n^PW480\n^LL320\n") && sent.ends_with("^XZ\n"));
        assert!(sent.contains("^BQN,2,") && sent.contains("^FDMA,https://trace.example.cn/t/"));
        assert!(sent.contains("A_5EB_5FC") && !sent.contains("A^B"), "no command from a text");
        let matrix = Printer { kind: SymbolKind::DataMatrix, ..printer };
        assert!(zpl(&drawing, matrix).contains("^BXN,"));
        let mut elements = drawing;
        elements.label.content = Content::Elements(String::from("010690123456789210L1\u{1d}215"));
        assert!(zpl(&elements, matrix).contains("^FD_1010690123456789210L1_1215^FS"));
    }
}
