//! 体系建设管理 (G-6.7): what the scheme of traceability is built from; so far its devices.

mod device;

pub use device::Device;

use yj_kernel::{Entity, Migration, Route, record_routes};

/// The register of devices.
pub static DEVICE: &Entity = Entity::of::<Device>();

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "construction/0001_device",
    script: include_str!("../migrations/0001_device.sql"),
}];

/// The routes of this crate.
pub fn routes() -> Vec<Route> {
    record_routes(DEVICE)
}
