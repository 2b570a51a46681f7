//! Networks, and who is behind a gateway that speaks for others.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};

/// A network, `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Reads `address/prefix`, or an address alone.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address.parse().ok()?, prefix.parse().ok()?),
            None => (text.parse().ok()?, u32::MAX),
        };
        let most = if matches!(address, IpAddr::V4(_)) { 32 } else { 128 };
        let prefix = if prefix == u32::MAX { most } else { prefix };
        (prefix <= most).then_some(Self { address, prefix })
    }

    /// Whether an address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        use std::net::IpAddr::{V4, V6};
        let same = |left: u128, right: u128, width: u32| {
            self.prefix == 0 || (left ^ right) >> (width - self.prefix) == 0
        };
        match (self.address, address.to_canonical()) {
            (V4(own), V4(other)) => {
                same(u128::from(own.to_bits()), u128::from(other.to_bits()), 32)
            }
            (V6(own), V6(other)) => same(own.to_bits(), other.to_bits(), 128),
            _ => false,
        }
    }
}

const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address a request comes from: its peer, or, where the peer is one of our gateways, the last
/// address the gateways name that is not a gateway itself. What others write into the header
/// counts for nothing.
pub(crate) fn client(peer: IpAddr, headers: &HeaderMap, gateways: &[Network]) -> IpAddr {
    let is_gateway = |address: IpAddr| gateways.iter().any(|network| network.contains(address));
    if !is_gateway(peer) {
        return peer;
    }
    let named = headers.get_all(FORWARDED).into_iter().filter_map(|value| value.to_str().ok());
    let named: Vec<&str> = named.flat_map(|value| value.split(',')).collect();
    for text in named.iter().rev() {
        match text.trim().parse::<IpAddr>() {
            Ok(address) if is_gateway(address) => {}
            Ok(address) => return address,
            // A gateway names addresses; what is none was written by somebody before it.
            Err(_) => break,
        }
    }
    peer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_their_addresses() {
        let inside = |network: &str, address: &str| {
            Network::parse(network).unwrap().contains(address.parse().unwrap())
        };
        assert!(inside("10.0.0.0/8", "10.200.3.4"));
        assert!(!inside("10.0.0.0/8", "11.0.0.1"));
        assert!(inside("::1/128", "::1"));
        assert!(inside("127.0.0.0/8", "::ffff:127.0.0.1"));
        assert!(inside("0.0.0.0/0", "1.2.3.4"));
        assert!(!inside("192.168.1.7", "192.168.1.8"));
        assert!(Network::parse("10.0.0.0/33").is_none());
    }

    #[test]
    fn s_11_only_our_gateways_speak_for_others() {
        let gateways = ["10.0.0.0/24", "127.0.0.1"].map(|text| Network::parse(text).unwrap());
        let of = |peer: &str, named: &[&str]| {
            let mut headers = HeaderMap::new();
            for text in named {
                headers.append(FORWARDED, text.parse().unwrap());
            }
            client(peer.parse().unwrap(), &headers, &gateways).to_string()
        };
        assert_eq!(of("203.0.113.9", &["192.168.1.1"]), "203.0.113.9");
        assert_eq!(of("10.0.0.7", &["198.51.100.4"]), "198.51.100.4");
        assert_eq!(of("10.0.0.7", &["127.0.0.1, 198.51.100.4, 10.0.0.8"]), "198.51.100.4");
        assert_eq!(of("10.0.0.7", &["192.168.1.1", "198.51.100.4"]), "198.51.100.4");
        assert_eq!(of("10.0.0.7", &["192.168.1.1, unknown"]), "10.0.0.7");
        assert_eq!(of("127.0.0.1", &[]), "127.0.0.1");
    }
}
