//! The accept loop and what surrounds every request: deadlines, limits, request names, security
//! headers, access log, figures. Nothing of business.

mod layer;
mod limits;
mod metrics;
mod network;
mod problem;
mod seat;
mod serve;

pub use layer::{Surroundings, surround};
pub use limits::Limits;
pub use metrics::Metrics;
pub use network::Network;
pub use problem::problem;
pub use serve::{PeerAddr, Stopping, serve};
