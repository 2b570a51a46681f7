//! How events, orders and documents stand in the tables, against what was anchored of them (D-6.3): the
//! tamper audit and whoever opens a single record look through these.

mod documents;
mod events;
mod orders;

pub use documents::Documents;
pub use events::Events;
pub use orders::Orders;
