//! 标签 (G-5.4.4): a code as a symbol, the words beside it, and the sheet they are printed on. Pure:
//! texts in, drawings and files out.
//!
//! Lengths are tenths of a millimetre and whole numbers, as rulers have them; a file's own units
//! come last.

mod font;
mod layout;
mod pdf;
mod svg;
mod symbol;
mod wrap;
mod zpl;

pub use layout::{Drawing, Label, Place, Template, Words, draw};
pub use pdf::sheet;
pub use svg::{svg, symbol_svg};
pub use symbol::{Content, Matrix, SymbolKind, symbol};
pub use zpl::{Printer, zpl};

/// Why a label cannot be made, as a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit(pub String);

impl std::fmt::Display for Unfit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Unfit {}
