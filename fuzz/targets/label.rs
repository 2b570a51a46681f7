//! Labels: any words in any allowed shape are drawn or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yj_label::{
    Content, Label, Place, Printer, SymbolKind, Template, draw, sheet, svg, symbol, zpl,
};

fuzz_target!(|input: ([u8; 5], &str)| {
    let ([width, height, side, font, which], text) = input;
    let kind = if which & 1 == 0 { SymbolKind::Qr } else { SymbolKind::DataMatrix };
    let content = if which & 2 == 0 {
        Content::Text(String::from(text))
    } else {
        Content::Elements(String::from(text))
    };
    let place = [Place::Left, Place::Right, Place::Top][usize::from(which >> 2) % 3];
    // What the register of templates takes, in tenths.
    let within =
        |value: u8, least: u32, most: u32| 10 * (least + u32::from(value) % (most - least + 1));
    let template = Template {
        width: within(width, 15, 190),
        height: within(height, 15, 270),
        symbol: within(side, 8, 150),
        font: within(font, 4, 48),
        place,
    };
    let Ok(symbol) = symbol(kind, &content) else { return };
    let lines = text.lines().map(String::from).collect();
    let Ok(drawing) = draw(template, Label { symbol, content, lines }) else { return };
    svg(&drawing);
    zpl(&drawing, Printer { dots: 8, font: "E:FONT.TTF", kind });
    sheet(&[drawing]);
});
