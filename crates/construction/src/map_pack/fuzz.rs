//! A door for `fuzz/`.

use jiff::civil::date;

use super::{check, sent};

/// Reads a base map as an administrator sends it, and checks it.
pub fn map_pack(bytes: &[u8]) {
    if let Ok(sent) = sent::read(bytes) {
        drop(check::check(&sent, date(2026, 11, 26)));
    }
}
