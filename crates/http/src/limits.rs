//! Bounds of everything a client may send or keep (security.md §3.4).

use std::time::Duration;

use crate::Network;

/// Bounds of one listener. The defaults suit the open Internet.
#[derive(Debug, Clone)]
pub struct Limits {
    /// A connection must have sent its whole header this long after it began.
    pub header_deadline: Duration,
    /// Header lines of one request.
    pub headers_max: usize,
    /// Bytes of one request's header.
    pub header_bytes_max: usize,
    /// A request must be answered, body included, this long after its header.
    pub request_deadline: Duration,
    /// Connections at once.
    pub connections_max: usize,
    /// Connections of one address at once.
    pub connections_per_address_max: usize,
    /// Requests being answered at once; more are told to come back.
    pub in_flight_max: usize,
    /// After the order to stop, connections still get answers for this long, told to close.
    pub drain: Duration,
    /// After the drain, open requests get this long to end.
    pub farewell: Duration,
    /// Gateways in front of the listener. Where there are any, nobody but they and this machine
    /// connects, and requests come from whom they say.
    pub gateways: Vec<Network>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_deadline: Duration::from_secs(10),
            headers_max: 64,
            header_bytes_max: 32 * 1024,
            request_deadline: Duration::from_mins(1),
            connections_max: 4096,
            connections_per_address_max: 1024,
            in_flight_max: 1024,
            drain: Duration::from_secs(2),
            farewell: Duration::from_secs(10),
            gateways: Vec::new(),
        }
    }
}
