//! 设备数据 (D-6.3-2, D-5b, G-6.7.5): what devices measure and report by themselves, over signed HTTP
//! and MQTT, kept so that neither repetition nor disorder changes anything.

mod anchor;
mod anchored;
mod binding;
mod claim;
mod conditions;
mod derived;
mod door;
mod erased;
mod fate;
#[cfg(fuzzing)]
pub mod fuzz;
mod gaps;
mod http;
mod intake;
mod kind;
mod marks;
mod measure;
mod message;
mod picture;
mod query;
mod store;

pub use anchor::{anchor, anchor_hourly};
pub use anchored::DeviceBatches;
pub use binding::DeviceBinding;
pub use conditions::of_code as conditions_of;
pub use derived::Readings;
pub use door::{Door, password, shared_filter};
pub use erased::MessageCopies;
pub use fate::{Brought, Fate, Refusal, Told};
pub use http::routes;
pub use intake::Intake;
pub use kind::ReadingKind;
pub use measure::Measure;
pub use message::{MESSAGE_BYTES_MAX, sign};
pub use picture::picture;

use yj_kernel::{Entity, Migration};

/// 设备绑定
pub static BINDING: &Entity = Entity::of::<DeviceBinding>();

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "telemetry/0001_telemetry",
        script: include_str!("../migrations/0001_telemetry.sql"),
    },
    Migration {
        name: "telemetry/0002_binding",
        script: include_str!("../migrations/0002_binding.sql"),
    },
    Migration {
        name: "telemetry/0003_claim",
        script: include_str!("../migrations/0003_claim.sql"),
    },
    Migration {
        name: "telemetry/0004_again",
        script: include_str!("../migrations/0004_again.sql"),
    },
];
