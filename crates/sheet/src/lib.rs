//! Tables in and out: XLSX and CSV as people in offices make them, and GeoJSON of points. Pure functions over bytes.
//!
//! Reading is suspicious (bounds, encodings, formulas), writing is harmless (no cell of ours is
//! ever taken for a formula).

mod bounds;
mod cell;
mod csv_file;
mod form;
mod geojson;
mod read;
mod visit;
mod write;
mod xlsx;

pub use bounds::Bounds;
pub use cell::{amount, day, is_rounded, moment};
pub use form::{CODES, EXAMPLE, Form, FormColumn, NOTES, write_form_csv, write_forms};
pub use read::{Row, Sheet, decode, is_xlsx, read, visit_csv, visit_xlsx};
pub use visit::Visit;
pub use write::{Column, Table, write_csv, write_xlsx};

/// Why a file cannot be read or written, as a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SheetError(pub String);

/// `A`, `B` … `AA`: how spreadsheets name columns.
pub(crate) fn column_name(index: usize) -> String {
    let letter = |value: usize| char::from(b'A' + u8::try_from(value % 26).unwrap_or(0));
    if index < 26 {
        return String::from(letter(index));
    }
    column_name(index / 26 - 1) + &String::from(letter(index))
}
