//! A door for `fuzz/`.

use jiff::civil::date;
use yj_domain::Domains;

/// Reads trace events in XML, under the shipped packs.
pub fn event_xml(bytes: &[u8]) {
    drop(crate::xml::read(bytes, &Domains::shipped(), date(2026, 11, 26)));
}
