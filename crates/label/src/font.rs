//! The letters of a label: Latin ones are those every reader of PDF has, Chinese ones are drawn from
//! the outlines that come with this crate (see `font/README.md`).

use ttf_parser::{Face, OutlineBuilder};

const FONT: &[u8] = include_bytes!("../font/DroidSansFallback-GB2312.ttf");
/// Printed where there is no outline.
const MISSING: char = '〓';

/// Widths of the printable letters of ASCII in Helvetica, in thousandths of the size.
const HELVETICA: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

/// Whether a letter is one of Helvetica.
pub(crate) fn is_latin(letter: char) -> bool {
    (' '..='~').contains(&letter)
}

/// Width of a letter in thousandths of the size; Chinese ones are square.
fn letter_width(letter: char) -> u32 {
    if is_latin(letter) { u32::from(HELVETICA[letter as usize - ' ' as usize]) } else { 1_000 }
}

/// Width of words in thousandths of the size.
pub(crate) fn width(text: &str) -> u32 {
    text.chars().map(letter_width).sum()
}

/// The outline of a letter as operators of PDF, in thousandths of the size.
pub(crate) fn outline(letter: char) -> String {
    let Ok(face) = Face::parse(FONT, 0) else { return String::new() };
    let glyph = face.glyph_index(letter).or_else(|| face.glyph_index(MISSING));
    let mut pen = Pen { scale: 1_000.0 / f32::from(face.units_per_em()), ..Pen::default() };
    if let Some(glyph) = glyph {
        face.outline_glyph(glyph, &mut pen);
    }
    pen.path.push('f');
    pen.path
}

#[derive(Default)]
struct Pen {
    scale: f32,
    at: (f32, f32),
    path: String,
}

impl Pen {
    fn write(&mut self, points: &[(f32, f32)], operator: &str) {
        for (x, y) in points {
            self.path.push_str(&format!("{:.0} {:.0} ", x * self.scale, y * self.scale));
        }
        self.path.push_str(operator);
        self.path.push('\n');
        if let Some(last) = points.last() {
            self.at = *last;
        }
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.write(&[(x, y)], "m");
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.write(&[(x, y)], "l");
    }

    /// PDF has cubic curves only: the same curve with both handles two thirds of the way.
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (x0, y0) = self.at;
        let toward = |from: f32, to: f32| from + (to - from) * 2.0 / 3.0;
        let first = (toward(x0, x1), toward(y0, y1));
        let second = (toward(x, x1), toward(y, y1));
        self.write(&[first, second, (x, y)], "c");
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.write(&[(x1, y1), (x2, y2), (x, y)], "c");
    }

    fn close(&mut self) {
        self.path.push_str("h\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_labels_have_outlines() {
        let missing = outline('〓');
        for letter in
            "承诺达标合格证产品名称批次号生产日期有效期至责任主体农药兽药种子，。：（）".chars()
        {
            let drawn = outline(letter);
            assert!(drawn.contains(" c\n") || drawn.contains(" l\n"), "{letter}");
            assert_ne!(drawn, missing, "{letter}");
        }
        assert_eq!(outline('𠮷'), missing, "what is not there is shown as missing");
        assert_eq!(width("A1"), 667 + 556);
        assert_eq!(width("码A"), 1_667);
    }
}
