//! 地图底图 (G-3.2): official outlines with their 审图号 in place of the bundled ones. One
//! administrator brings a file, another puts it on the maps; withdrawn, the maps are 示意图 again.

mod approval_number;
mod check;
#[cfg(fuzzing)]
pub mod fuzz;
mod geometry;
mod http;
mod outline;
mod pack;
mod sent;

pub use approval_number::MapApproval;
pub(crate) use http::routes;
