//! How events, orders and documents stand in the tables, against what was anchored of them (D-6.3): the
//! tamper audit and whoever opens a single record look through these.

mod balances;
mod documents;
mod events;
mod matches;
mod order_units;
mod orders;

pub use balances::Balances;
pub use documents::Documents;
pub use events::Events;
pub use matches::Matches;
pub use order_units::OrderUnits;
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
