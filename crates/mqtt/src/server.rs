//! The embedded broker.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use crate::{
    census::Census,
    connection,
    keeper::{Admission, Keeper},
    packets::Packets,
};

/// Which connection speaks for which client: one at a time, the last that came.
#[derive(Clone, Default)]
pub(crate) struct Places(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    next: u64,
    taken: BTreeMap<String, (u64, watch::Sender<()>)>,
}

/// A client's place, given back when it is dropped.
pub(crate) struct Place {
    places: Places,
    name: String,
    number: u64,
    pub(crate) gone: watch::Receiver<()>,
}

impl Places {
    /// Takes the place of a client; whoever had it is told.
    pub(crate) fn take(&self, name: &str) -> Place {
        let mut table = self.table();
        table.next += 1;
        let number = table.next;
        let (sender, gone) = watch::channel(());
        if let Some((_, before)) = table.taken.insert(String::from(name), (number, sender)) {
            before.send_replace(());
        }
        Place { places: self.clone(), name: String::from(name), number, gone }
    }

    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.places.table();
        if table.taken.get(&self.name).is_some_and(|(number, _)| *number == self.number) {
            table.taken.remove(&self.name);
        }
    }
}

/// Serves clients until `stop` says so; then tells each and lets what it brought be finished.
pub async fn serve<K: Keeper>(
    listener: TcpListener,
    keeper: Arc<K>,
    admission: Admission,
    mut stop: watch::Receiver<bool>,
) {
    let (places, census) = (Places::default(), Census::default());
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = stop.changed() => break,
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of descriptors and the like: let others finish, then go on.
            tokio::task::yield_now().await;
            continue;
        };
        if !keeper.welcomes(peer.ip()) {
            continue;
        }
        let Some(seat) = census.seat(peer.ip(), &admission) else { continue };
        // Small answers at once; a peer that forbids it is served all the same.
        let _ = stream.set_nodelay(true);
        let packets = Packets::new(stream, admission.packet_max);
        let (keeper, places, stop) = (Arc::clone(&keeper), places.clone(), stop.clone());
        connections.spawn(async move {
            let spoken = connection::converse((packets, seat), keeper, (places, stop)).await;
            if let Err(broken) = spoken {
                tracing::debug!(?broken, "a client has gone");
            }
        });
    }
    while connections.join_next().await.is_some() {}
}
