//! 体系建设管理 (G-6.7): what the scheme of traceability is built from; so far its devices, with
//! their certificates and heartbeats, and the base maps that everything is shown on.

mod alive;
mod certificate;
mod device;
mod heartbeat;
mod http;
mod map_pack;
mod numbers;
mod place;
mod presence;
mod speaker;
mod state;

pub use alive::{Held, hold};
pub use device::Device;
pub use heartbeat::hear;
pub use map_pack::MapApproval;
#[cfg(fuzzing)]
pub use map_pack::fuzz;
pub use presence::{mark_offline, watch};
pub use speaker::{Distrust, Speaker, distrust, speakers, vouch_for};

use yj_identity::Identity;
use yj_kernel::{Entity, Migration, Route, record_routes};

/// The register of devices.
pub static DEVICE: &Entity = Entity::of::<Device>();

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "construction/0001_device",
        script: include_str!("../migrations/0001_device.sql"),
    },
    Migration {
        name: "construction/0002_status",
        script: include_str!("../migrations/0002_status.sql"),
    },
    Migration {
        name: "construction/0010_place",
        script: include_str!("../migrations/0010_place.sql"),
    },
    Migration {
        name: "construction/0011_map_pack",
        script: include_str!("../migrations/0011_map_pack.sql"),
    },
    Migration {
        name: "construction/0016_device_datum",
        script: include_str!("../migrations/0016_device_datum.sql"),
    },
];

/// The routes of this crate. `identity` knows which authorities may vouch for a device.
pub fn routes(identity: &Identity) -> Vec<Route> {
    let mut routes = record_routes(DEVICE);
    routes.extend(http::routes(identity));
    routes.extend(map_pack::routes());
    routes
}
