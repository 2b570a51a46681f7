//! The letters of a label: those of ASCII are those every reader of PDF has, Chinese ones and signs are
//! drawn from the outlines that come with this crate (see `font/README.md`).

use std::sync::LazyLock;

use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// Chinese letters first, then the signs that are not among them.
static FACES: LazyLock<Vec<Face<'static>>> = LazyLock::new(|| {
    let files: [&[u8]; 2] = [
        include_bytes!("../font/DroidSansFallback-GB2312.ttf"),
        include_bytes!("../font/NotoSansCJKsc-Signs.otf"),
    ];
    files.into_iter().filter_map(|file| Face::parse(file, 0).ok()).collect()
});
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

/// The outline of a letter in one of the faces.
fn glyph(letter: char) -> Option<(&'static Face<'static>, GlyphId)> {
    FACES.iter().find_map(|face| Some((face, face.glyph_index(letter)?)))
}

/// Width of a letter in thousandths of the size; Chinese ones are square.
pub(crate) fn letter_width(letter: char) -> u32 {
    if is_latin(letter) {
        return u32::from(HELVETICA[letter as usize - ' ' as usize]);
    }
    let Some((face, glyph)) = glyph(letter) else { return 1_000 };
    let advance = face.glyph_hor_advance(glyph).map(u32::from);
    advance.map_or(1_000, |advance| advance * 1_000 / u32::from(face.units_per_em()))
}

/// Width of words in thousandths of the size.
pub(crate) fn width(text: &str) -> u32 {
    text.chars().map(letter_width).sum()
}

/// The outline of a letter as operators of PDF, in thousandths of the size.
pub(crate) fn outline(letter: char) -> String {
    let Some((face, glyph)) = glyph(letter).or_else(|| glyph(MISSING)) else {
        return String::new();
    };
    let mut pen = Pen { scale: 1_000.0 / f32::from(face.units_per_em()), ..Pen::default() };
    face.outline_glyph(glyph, &mut pen);
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
        assert_eq!(width("°é码"), 370 + 554 + 1_000, "a sign is as wide as it is drawn");
    }

    /// What GB/T 2312—1980 fills of its rows; the others from 16 to 87 are full.
    fn cells(row: u8) -> Vec<std::ops::RangeInclusive<u8>> {
        match row {
            2 => vec![17..=66, 69..=78, 81..=92],
            4 => vec![1..=83],
            5 => vec![1..=86],
            6 => vec![1..=24, 33..=56],
            7 => vec![1..=33, 49..=81],
            8 => vec![1..=26, 37..=73],
            9 => vec![4..=79],
            55 => vec![1..=89],
            1 | 3 | 16..=87 => vec![1..=94],
            _ => Vec::new(),
        }
    }

    #[test]
    fn every_sign_of_gb_t_2312_has_an_outline() {
        let mut signs = Vec::new();
        for row in 1..=94_u8 {
            for cell in cells(row).into_iter().flatten() {
                let bytes = [0xA0 + row, 0xA0 + cell];
                let (text, _, wrong) = encoding_rs::GBK.decode(&bytes);
                assert!(!wrong, "{row:02}{cell:02}");
                signs.extend(text.chars());
            }
        }
        assert_eq!(signs.len(), 7_445, "682 signs and 6763 hanzi");
        let missing: String = signs.iter().filter(|sign| glyph(**sign).is_none()).collect();
        assert_eq!(missing, "");
    }

    #[test]
    fn the_other_signs_of_labels_have_outlines_too() {
        let signs = "㎡㎥㎏㎎㎝㎜µμéü™®©²³½¼¾€£¥•⑪⑳–・―ⅰ";
        let missing: String = signs.chars().filter(|sign| glyph(*sign).is_none()).collect();
        assert_eq!(missing, "");
        assert_ne!(outline('×'), outline('〓'));
    }
}
