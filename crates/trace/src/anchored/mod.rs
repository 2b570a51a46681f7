//! How events, orders and documents stand in the tables, against what was anchored of them (D-6.3): the
//! tamper audit and whoever opens a single record look through these.

mod documents;
mod events;
mod orders;

pub use documents::Documents;
pub use events::Events;
pub use orders::Orders;

use yj_kernel::{Problem, Result};

/// What was read, where the caller may read it; a refusal is no failure.
fn readable<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(Problem::NotFound(_) | Problem::Forbidden(_)) => Ok(None),
        Err(problem) => Err(problem),
    }
}
