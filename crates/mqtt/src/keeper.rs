//! Who stands behind the door.

use std::net::IpAddr;

use bytes::Bytes;

/// Lets clients in and takes what they bring.
pub trait Keeper: Send + Sync + 'static {
    /// Whether connections from this address are taken at all.
    fn welcomes(&self, address: IpAddr) -> bool;

    /// Lets a client in by the name and the password it shows, under the name it is known by from
    /// then on; `None` keeps it out.
    fn admit(&self, user: &str, password: &str) -> impl Future<Output = Option<String>> + Send;

    /// Whether a client may publish to a topic.
    fn may_publish(&self, client: &str, topic: &str) -> bool;

    /// Whether a client may subscribe to what a filter means.
    fn may_subscribe(&self, client: &str, filter: &str) -> bool;

    /// Takes a message. Returns once it is durable, or refused for good or for now.
    fn take(&self, topic: &str, payload: Bytes) -> impl Future<Output = Taken> + Send;
}

/// What became of a message.
#[derive(Debug, Clone)]
pub struct Taken {
    /// What the acknowledgement says.
    pub reason: Reason,
    /// Stable code, as a user property `code`.
    pub code: &'static str,
    /// In words, where it was refused.
    pub detail: Option<String>,
    /// Where to say more, and what.
    pub answer: Option<(String, Bytes)>,
}

/// How a message is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is durable.
    Success,
    /// Its sender may not, or is not who they say.
    NotAuthorized,
    /// It cannot be read.
    PayloadFormatInvalid,
    /// It contradicts what is known.
    Refused,
    /// Not now; to be sent again.
    Later,
}

/// How many may come in.
#[derive(Debug, Clone, Copy)]
pub struct Admission {
    /// Connections at once.
    pub connections_max: usize,
    /// Those of them from one address: a gateway speaks for many, but not for all.
    pub address_max: usize,
    /// Those of an address that have not said yet who they are.
    pub greeting_max: usize,
    /// Largest packet, in bytes.
    pub packet_max: u32,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            connections_max: 20_000,
            address_max: 10_000,
            greeting_max: 1_000,
            packet_max: 128 * 1024,
        }
    }
}
