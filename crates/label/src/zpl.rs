//! Labels in the language of Zebra's printers, which draw symbol and words themselves.

use crate::{Content, Drawing, SymbolKind, layout::letter};

/// What must be known of the printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printer<'a> {
    /// Dots to the millimetre: 8 (203 dpi), 12 (300 dpi) or 24 (600 dpi).
    pub dots: u32,
    /// The Chinese font in its memory, such as `E:SIMSUN.FNT`.
    pub font: &'a str,
    /// Which symbol.
    pub kind: SymbolKind,
}

/// Text behind `^FH_`: what would be a command is written as its bytes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '^' | '~' | '_' | '\\' => safe.push_str(&format!("_{:02X}", u32::from(letter))),
            control if control.is_control() => {
                safe.push_str(&format!("_{:02X}", u32::from(control)));
            }
            other => safe.push(other),
        }
    }
    safe
}

/// One label.
pub fn zpl(drawing: &Drawing, printer: Printer<'_>) -> String {
    let dots = |tenths: u32| tenths * printer.dots / 10;
    let template = &drawing.template;
    let mut text =
        format!("^XA\n^CI28\n^PW{}\n^LL{}\n", dots(template.width), dots(template.height));
    let modules = u32::try_from(drawing.label.symbol.whole()).unwrap_or(1).max(1);
    let module = (dots(template.symbol) / modules).max(1);
    let quiet = module * u32::try_from(drawing.label.symbol.quiet).unwrap_or(0);
    let (x, y) = (dots(drawing.symbol.0) + quiet, dots(drawing.symbol.1) + quiet);
    text.push_str(&format!("^FO{x},{y}"));
    match (printer.kind, &drawing.label.content) {
        (SymbolKind::Qr, Content::Text(said) | Content::Elements(said)) => {
            text.push_str(&format!("^BQN,2,{}^FH_^FDMA,{}^FS\n", module.min(10), escaped(said)));
        }
        (SymbolKind::DataMatrix, Content::Text(said)) => {
            text.push_str(&format!("^BXN,{module},200^FH_^FD{}^FS\n", escaped(said)));
        }
        // `_1` is FNC1 to ^BX, so that here no byte is written by its number.
        (SymbolKind::DataMatrix, Content::Elements(said)) => {
            let said = said.replace('_', "__").replace('\u{1d}', "_1");
            let plain: String = said.chars().filter(|letter| !"^~".contains(*letter)).collect();
            text.push_str(&format!("^BXN,{module},200,,,,_^FD_1{plain}^FS\n"));
        }
    }
    let size = dots(letter(template));
    for one in &drawing.words {
        let (x, y) = (dots(one.x), dots(one.y).saturating_sub(size));
        text.push_str(&format!(
            "^FO{x},{y}^A@N,{size},{size},{}^FH_^FD{}^FS\n",
            printer.font,
            escaped(&one.text)
        ));
    }
    text.push_str("^XZ\n");
    text
}
