//! A label as a picture for the screen.

use crate::{Drawing, Matrix, layout::letter};

fn mm(tenths: u32) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}

/// The dark modules as a path, one unit to the module.
fn dark(matrix: &Matrix) -> String {
    let mut path = String::new();
    for row in 0..matrix.side {
        for column in (0..matrix.side).filter(|column| matrix.is_dark(*column, row)) {
            path.push_str(&format!("M{} {}h1v1h-1z", column + matrix.quiet, row + matrix.quiet));
        }
    }
    path
}

/// A symbol alone, quiet zone included, for a page that says how large it is; `name` is read to those who
/// do not see it.
pub fn symbol_svg(matrix: &Matrix, name: &str) -> String {
    format!(
        "<svg class=\"symbol\" viewBox=\"0 0 {0} {0}\" shape-rendering=\"crispEdges\" role=\"img\" \
         aria-label=\"{1}\"><rect width=\"{0}\" height=\"{0}\" fill=\"#fff\"/><path d=\"{2}\"/></svg>",
        matrix.whole(),
        escaped(name),
        dark(matrix)
    )
}

/// The label as SVG, one unit to the millimetre.
pub fn svg(drawing: &Drawing) -> String {
    let template = &drawing.template;
    let (wide, high) = (mm(template.width), mm(template.height));
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}mm\" height=\"{high}mm\" viewBox=\"0 0 {wide} {high}\" role=\"img\">\
         <rect width=\"{wide}\" height=\"{high}\" fill=\"#fff\"/>"
    );
    let matrix = &drawing.label.symbol;
    let (x, y) = drawing.symbol;
    // One unit to the module inside the symbol.
    text.push_str(&format!(
        "<svg x=\"{}\" y=\"{}\" width=\"{2}\" height=\"{2}\" viewBox=\"0 0 {3} {3}\" shape-rendering=\"crispEdges\"><path d=\"",
        mm(x),
        mm(y),
        mm(template.symbol),
        matrix.whole()
    ));
    text.push_str(&dark(matrix));
    text.push_str("\"/></svg>");
    let size = mm(letter(template));
    for one in &drawing.words {
        text.push_str(&format!(
            "<text x=\"{}\" y=\"{}\" font-size=\"{size}\" font-family=\"sans-serif\">{}</text>",
            mm(one.x),
            mm(one.y),
            escaped(&one.text)
        ));
    }
    text.push_str("</svg>");
    text
}
