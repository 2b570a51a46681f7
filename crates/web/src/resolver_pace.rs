//! How often one address may miss: who tries codes one after the other is told to wait
//! (handbook §2.9).

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// Misses of one address in a minute.
const MISSES_MAX: u32 = 120;
const MINUTE_MS: i64 = 60_000;
/// Addresses that are watched at once; beyond them the watch begins anew.
const ADDRESSES_MAX: usize = 50_000;

/// Misses by address, shared by all requests.
#[derive(Clone, Default)]
pub(crate) struct Pace(Arc<Mutex<HashMap<IpAddr, (i64, u32)>>>);

/// Whoever has a /64 has as many addresses as they like.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

impl Pace {
    /// Whether an address has missed too often in this minute.
    pub(crate) fn is_spent(&self, address: Option<IpAddr>, now: i64) -> bool {
        let Some(address) = address.map(network) else { return false };
        let watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        watched
            .get(&address)
            .is_some_and(|(since, misses)| now - since < MINUTE_MS && *misses >= MISSES_MAX)
    }

    /// Notes a miss.
    pub(crate) fn miss(&self, address: Option<IpAddr>, now: i64) {
        let Some(address) = address.map(network) else { return };
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.len() >= ADDRESSES_MAX {
            watched.retain(|_, (since, _)| now - *since < MINUTE_MS);
            if watched.len() >= ADDRESSES_MAX {
                watched.clear();
            }
        }
        let known = watched.entry(address).or_insert((now, 0));
        if now - known.0 >= MINUTE_MS {
            *known = (now, 0);
        }
        known.1 += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_misses_too_often_waits_a_minute() {
        let pace = Pace::default();
        let one = Some("2001:db8::1".parse().unwrap());
        let neighbour = Some("2001:db8::2".parse().unwrap());
        let other = Some("192.0.2.1".parse().unwrap());
        for _ in 0..MISSES_MAX {
            assert!(!pace.is_spent(one, 1_000));
            pace.miss(one, 1_000);
        }
        assert!(pace.is_spent(neighbour, 1_000), "one network is one");
        assert!(!pace.is_spent(other, 1_000));
        assert!(!pace.is_spent(one, 1_000 + MINUTE_MS));
        pace.miss(one, 1_000 + MINUTE_MS);
        assert!(!pace.is_spent(one, 1_000 + MINUTE_MS));
    }
}
