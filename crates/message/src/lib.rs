//! 行业报文 (G-8-1): what other systems of a field speak, read into plain records and written again:
//! the meat and vegetable circulation messages of 2010 (handbook §1.10), the bills of the drug
//! platforms (§4.3) and the electronic waybill of dangerous goods (§4.6).
//!
//! Pure: no database, no clock, and no panic on any bytes. What is wrong is told record by record and
//! field by field, with what would be right. Which event a record becomes is said above, in the crate
//! that knows events.

mod decode;
pub mod drug;
mod fault;
mod flat;
mod form;
mod json;
pub mod meat;
mod record;
pub mod waybill;
mod write;
mod xml;

pub use fault::{Fault, MessageError};
pub use flat::{Flat, Read, read_flat};
pub use form::Form;
pub use record::{FieldSpec, Need};
pub use write::{to_json, to_xml};

/// Bytes of one message.
pub const BYTES_MAX: usize = 16 << 20;
/// Records of one message.
pub const RECORDS_MAX: usize = 10_000;
/// Values of one record, those of its lists counted singly.
pub const VALUES_MAX: usize = 12_000;
/// Letters of one value.
pub const TEXT_MAX: usize = 4_000;

#[cfg(test)]
mod properties;
