//! 见证 (G-10.4, D-6.3): a program of its own, that others run. It follows the log of a platform,
//! refuses every log that is not the old one grown, and countersigns what it accepted.
//!
//! It keeps its own state and believes nothing that it cannot compute: it needs of ours only what a
//! proof means (`yj-proof`) and the arithmetic (`yj-crypto`).

mod arguments;
mod examine;
mod files;
mod key;
mod log;
mod peers;
mod round;
mod run;
mod serve;
mod state;

pub use arguments::Arguments;
pub use log::{Log, Unfetched};
pub use round::{Outcome, Witness};
pub use run::run;

/// Seconds since 1970.
pub type Clock = fn() -> u64;
