//! Where symbol and words stand on a label.

use crate::{
    Matrix, Unfit,
    font::width,
    wrap::{broken, wrapped},
};

/// Where the symbol stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Words to its right.
    Left,
    /// Words to its left.
    Right,
    /// Words below it.
    Top,
}

/// The shape of labels; lengths in tenths of a millimetre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// 宽
    pub width: u32,
    /// 高
    pub height: u32,
    /// Side of the symbol, quiet zone included.
    pub symbol: u32,
    /// Where it stands.
    pub place: Place,
    /// Height of letters, in tenths of a typographic point.
    pub font: u32,
}

/// What one label says.
#[derive(Debug, Clone)]
pub struct Label {
    /// The symbol.
    pub symbol: Matrix,
    /// What it carries, for printers that draw it themselves.
    pub content: crate::Content,
    /// The words, line by line.
    pub lines: Vec<String>,
}

/// One line of words where it stands; lengths in tenths of a millimetre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// From the left.
    pub x: u32,
    /// Of the base line, from the top.
    pub y: u32,
    /// The words.
    pub text: String,
}

/// A label with everything in its place.
#[derive(Debug, Clone)]
pub struct Drawing {
    /// The shape.
    pub template: Template,
    /// The symbol and what it carries.
    pub label: Label,
    /// Left and top edge of the symbol, quiet zone included.
    pub symbol: (u32, u32),
    /// The words.
    pub words: Vec<Words>,
}

/// Around everything.
const MARGIN: u32 = 10;
/// Tenths of a millimetre in a tenth of a point, times 1000.
const POINT: u32 = 353;

/// Height of a letter in tenths of a millimetre.
pub(crate) fn letter(template: &Template) -> u32 {
    template.font * POINT / 1_000
}

/// Puts everything in its place, or says what does not fit.
pub fn draw(template: Template, label: Label) -> Result<Drawing, Unfit> {
    let Template { width: wide, height: high, symbol: side, place, .. } = template;
    let unfit = |text: &str| Err(Unfit(String::from(text)));
    if side + 2 * MARGIN > wide || side + 2 * MARGIN > high {
        return unfit("码的边长加边距超过标签的宽或高，请加大标签或缩小码");
    }
    // Readers want a quarter of a millimetre to a module at least.
    let modules = u32::try_from(label.symbol.whole()).unwrap_or(u32::MAX);
    if side * 4 < modules.saturating_mul(10) {
        return Err(Unfit(format!(
            "码的边长过小：内容需要 {modules} 个模块，边长至少 {} 毫米",
            modules.div_ceil(4)
        )));
    }
    let (symbol, left, top, room) = match place {
        Place::Left => {
            let left = MARGIN + side + MARGIN;
            ((MARGIN, (high - side) / 2), left, MARGIN, wide.saturating_sub(left + MARGIN))
        }
        Place::Right => {
            let right = wide - MARGIN - side;
            ((right, (high - side) / 2), MARGIN, MARGIN, right.saturating_sub(2 * MARGIN))
        }
        Place::Top => {
            (((wide - side) / 2, MARGIN), MARGIN, MARGIN + side + MARGIN / 2, wide - 2 * MARGIN)
        }
    };
    let size = letter(&template);
    let step = size + size / 4;
    let most = (high - top) / step.max(1);
    // As many thousandths of a letter as round to the room.
    let letters = ((room + 1) * 1_000 - 1) / size.max(1);
    let lines = |way: fn(&str, u32) -> Vec<String>| -> Vec<String> {
        label.lines.iter().flat_map(|line| way(line, letters)).collect()
    };
    let fits = |lines: &Vec<String>| {
        u32::try_from(lines.len()).is_ok_and(|count| count <= most)
            && lines.iter().all(|line| width(line) <= letters)
    };
    // Words are torn only where they would not go on the label otherwise.
    let Some(lines) =
        Some(lines(wrapped)).filter(&fits).or_else(|| Some(lines(broken)).filter(&fits))
    else {
        return unfit("文字放不下，请加大标签、缩小字号或减少内容");
    };
    let count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    // Beside the symbol the words stand at its middle, which is that of the label.
    let top = if place == Place::Top { top } else { (high - count * step) / 2 };
    let words =
        (0..).zip(lines).map(|(index, text)| Words { x: left, y: top + index * step + size, text });
    let words = words.collect();
    Ok(Drawing { template, label, symbol, words })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Content, SymbolKind, symbol};

    pub(crate) fn label(lines: &[&str]) -> Label {
        let content =
            Content::Text(String::from("https://trace.example.cn/t/00A7K29QX4T0VB8M3EJB"));
        Label {
            symbol: symbol(SymbolKind::Qr, &content).unwrap(),
            content,
            lines: lines.iter().map(|line| String::from(*line)).collect(),
        }
    }

    const TEMPLATE: Template =
        Template { width: 600, height: 400, symbol: 250, place: Place::Left, font: 80 };

    #[test]
    fn nothing_stands_outside_the_label_or_on_the_symbol() {
        for place in [Place::Left, Place::Right, Place::Top] {
            let template = Template { place, ..TEMPLATE };
            let lines = ["承诺达标合格证", "产品名称：示例韭菜", "00A7K29QX4T0VB8M3EJB"];
            let drawing = draw(template, label(&lines)).unwrap();
            let (x, y) = drawing.symbol;
            assert!(x + 250 <= 600 && y + 250 <= 400);
            for one in &drawing.words {
                let right = one.x + width(&one.text) * letter(&template) / 1_000;
                assert!(right <= 600 && one.y <= 400, "{one:?}");
                let apart = one.x >= x + 250 || right <= x || one.y - letter(&template) >= y + 250;
                assert!(apart, "{place:?} {one:?}");
            }
        }
    }

    #[test]
    fn the_words_stand_at_the_middle_of_the_symbol() {
        for place in [Place::Left, Place::Right] {
            let template = Template { place, ..TEMPLATE };
            for lines in [&["一行"][..], &["一行", "两行", "三行"]] {
                let drawing = draw(template, label(lines)).unwrap();
                let size = letter(&template);
                let top = drawing.words[0].y - size;
                let bottom = drawing.words.last().unwrap().y + size / 4;
                assert!(top.abs_diff(400 - bottom) <= 1, "{top} above, {} below", 400 - bottom);
            }
        }
    }

    #[test]
    fn a_label_that_is_full_is_torn_rather_than_refused() {
        let template = Template { width: 500, height: 300, symbol: 250, ..TEMPLATE };
        let text = |words: usize| -> Vec<String> {
            let drawing = draw(template, label(&[&["ABCDEF"; 10][..words].join(" ")])).unwrap();
            drawing.words.into_iter().map(|one| one.text).collect()
        };
        assert_eq!(text(8), ["ABCDEF"; 8], "a word to a line while there are lines");
        let torn = text(10);
        assert_eq!(torn.concat(), ["ABCDEF"; 10].join(" "));
        assert!(torn[0].starts_with("ABCDEF ABC"), "{torn:?}");
    }

    #[test]
    fn long_lines_are_wrapped_and_what_does_not_fit_is_refused() {
        let drawing =
            draw(TEMPLATE, label(&["示例蔬菜加工厂有限责任公司第一分厂生产的韭菜盒"])).unwrap();
        assert!(drawing.words.len() > 1);
        let long = "很长".repeat(200);
        assert!(draw(TEMPLATE, label(&[&long])).unwrap_err().0.contains("放不下"));
        let small = Template { symbol: 60, ..TEMPLATE };
        assert!(draw(small, label(&[])).unwrap_err().0.contains("边长至少"));
        let large = Template { symbol: 500, ..TEMPLATE };
        assert!(draw(large, label(&[])).is_err());
    }
}
