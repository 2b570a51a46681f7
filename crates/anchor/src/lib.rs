//! 外部锚定 (D-6.3): the state of the log is written to networks that others run, so that nobody,
//! the platform included, can later tell another history. Only digests leave the platform.

mod chain;
#[cfg(feature = "evm")]
pub mod evm;

pub use chain::{Chain, Mark, Offer, Place, Status, Trouble};
