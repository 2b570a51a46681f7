//! MQTT 5 on the side of the platform: a small embedded broker for what devices report, and the same
//! consumer at an external broker. A message is acknowledged after the [`Keeper`] has it safe, never
//! before; the codec is that of `rumqttc`. Knows nothing of devices.

mod census;
mod client;
mod connection;
#[cfg(fuzzing)]
pub mod fuzz;
mod keeper;
mod packets;
mod server;

pub use client::{Broker, consume};
pub use keeper::{Admission, Keeper, Reason, Taken};
pub use server::serve;
