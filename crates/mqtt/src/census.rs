//! How many connections an address has: none may take the places of all others.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::keeper::Admission;

/// Connections that are open.
#[derive(Clone, Default)]
pub(crate) struct Census(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    all: usize,
    by_address: BTreeMap<IpAddr, Count>,
}

#[derive(Default)]
struct Count {
    open: usize,
    greeting: usize,
}

/// A connection's seat, given back when it is dropped.
pub(crate) struct Seat {
    census: Census,
    address: IpAddr,
    greeting: bool,
}

impl Census {
    /// A seat for a connection that has not said yet who it is, where there is room.
    pub(crate) fn seat(&self, address: IpAddr, admission: &Admission) -> Option<Seat> {
        let address = address.to_canonical();
        let mut counts = self.counts();
        let count = counts.by_address.get(&address);
        let (open, greeting) = count.map_or((0, 0), |count| (count.open, count.greeting));
        let full = counts.all >= admission.connections_max
            || open >= admission.address_max
            || greeting >= admission.greeting_max;
        if full {
            return None;
        }
        counts.all += 1;
        let count = counts.by_address.entry(address).or_default();
        (count.open, count.greeting) = (open + 1, greeting + 1);
        Some(Seat { census: self.clone(), address, greeting: true })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// It has been let in.
    pub(crate) fn let_in(&mut self) {
        if std::mem::take(&mut self.greeting)
            && let Some(count) = self.census.counts().by_address.get_mut(&self.address)
        {
            count.greeting -= 1;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.let_in();
        let mut counts = self.census.counts();
        counts.all -= 1;
        if let Some(count) = counts.by_address.get_mut(&self.address) {
            count.open -= 1;
            if count.open == 0 {
                counts.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn no_address_takes_the_places_of_all_others() {
        let admission =
            Admission { connections_max: 5, address_max: 3, greeting_max: 2, packet_max: 1 };
        let (one, other) = (Ipv4Addr::new(192, 0, 2, 1).into(), Ipv4Addr::new(192, 0, 2, 2).into());
        let census = Census::default();
        let mut greeting: Vec<Seat> =
            std::iter::from_fn(|| census.seat(one, &admission)).take(9).collect();
        assert_eq!(greeting.len(), 2, "who does not say who they are waits outside");
        greeting[0].let_in();
        greeting.extend(census.seat(one, &admission));
        greeting[1].let_in();
        assert!(census.seat(one, &admission).is_none(), "three of one address");
        let mapped = Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped().into();
        assert!(census.seat(mapped, &admission).is_none(), "under any notation");
        let others: Vec<Seat> =
            std::iter::from_fn(|| census.seat(other, &admission)).take(9).collect();
        assert_eq!(others.len(), 2);
        let third = Ipv4Addr::new(192, 0, 2, 3).into();
        assert!(census.seat(third, &admission).is_none(), "five of all");
        drop((greeting, others));
        assert!(census.seat(one, &admission).is_some());
        assert!(census.counts().by_address.is_empty(), "nothing is kept of who has gone");
    }
}
