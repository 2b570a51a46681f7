//! The same consumer at an external broker: a shared subscription, acknowledged by hand.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesOrdered};
use rumqttc::v5::{
    AsyncClient, Event, EventLoop, MqttOptions,
    mqttbytes::{
        QoS,
        v5::{Packet, Publish},
    },
};
use tokio::sync::{mpsc, watch};

use crate::{
    connection::RECEIVE_MAX,
    keeper::{Keeper, Reason, Taken},
};

/// A broker that others run.
#[derive(Clone)]
pub struct Broker {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Name to log in with; empty for none.
    pub user: String,
    /// Password to log in with.
    pub password: String,
    /// Name of this node at the broker.
    pub client_id: String,
    /// What to subscribe to, such as `$share/group/topic`.
    pub filter: String,
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Broker({}:{}, {})", self.host, self.port, self.filter)
    }
}

/// How long to wait before the broker is tried again.
const AGAIN: Duration = Duration::from_secs(2);
/// How often both sides show that they live.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long the broker keeps the session of a node that is away, in seconds.
const SESSION_S: u32 = 86_400;

fn options(broker: &Broker, packet_max: u32) -> MqttOptions {
    let mut options = MqttOptions::new(&broker.client_id, &broker.host, broker.port);
    options.set_keep_alive(KEEP_ALIVE).set_manual_acks(true).set_clean_start(false);
    options.set_receive_maximum(Some(RECEIVE_MAX)).set_max_packet_size(Some(packet_max));
    options.set_session_expiry_interval(Some(SESSION_S));
    if !broker.user.is_empty() {
        options.set_credentials(&broker.user, &broker.password);
    }
    options
}

/// Takes what comes at a broker until `stop` says so. What the keeper cannot take for now is given to
/// it again after a while, and acknowledged no sooner; what is not acknowledged when it stops, the
/// broker sends again when the connection is next made.
pub async fn consume<K: Keeper>(
    broker: Broker,
    keeper: Arc<K>,
    packet_max: u32,
    mut stop: watch::Receiver<bool>,
) {
    // More requests than acknowledgements that may be outstanding, so that nobody waits in a circle.
    let capacity = usize::from(RECEIVE_MAX) * 4;
    let (client, events) = AsyncClient::new(options(&broker, packet_max), capacity);
    let (heard, mut hears) = mpsc::channel(usize::from(RECEIVE_MAX));
    let polling = tokio::spawn(poll((client.clone(), events), broker, heard, stop.clone()));
    let mut taking = FuturesOrdered::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            Some(settled) = taking.next(), if !taking.is_empty() => {
                let settled: Option<(Publish, Taken)> = settled;
                let Some((publish, taken)) = settled else { break };
                if client.ack(&publish).await.is_err() {
                    break;
                }
                if let Some((topic, payload)) = taken.answer {
                    // Whoever listens hears it once; nobody waits for it.
                    let _ = client.try_publish(topic, QoS::AtMostOnce, false, payload);
                }
            }
            next = hears.recv(), if taking.len() < usize::from(RECEIVE_MAX) => {
                let Some(publish) = next else { break };
                taking.push_back(settle(Arc::clone(&keeper), publish, stop.clone()));
            }
        }
    }
    // What is not acknowledged now comes again: the messages themselves say that they came before.
    let _ = client.try_disconnect();
    drop(hears);
    let _ = polling.await;
}

/// Gives a message to the keeper until it takes or refuses it; nothing when told to stop before.
async fn settle<K: Keeper>(
    keeper: Arc<K>,
    publish: Publish,
    mut stop: watch::Receiver<bool>,
) -> Option<(Publish, Taken)> {
    let topic = String::from_utf8_lossy(&publish.topic).into_owned();
    loop {
        let taken = keeper.take(&topic, publish.payload.clone()).await;
        if taken.reason != Reason::Later {
            return Some((publish, taken));
        }
        if tokio::time::timeout(AGAIN, stop.changed()).await.is_ok() {
            return None;
        }
    }
}

/// Keeps the connection and hands on what comes.
async fn poll(
    (client, mut events): (AsyncClient, EventLoop),
    broker: Broker,
    heard: mpsc::Sender<Publish>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let event = tokio::select! {
            _ = stop.changed() => return,
            event = events.poll() => event,
        };
        match event {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                // Every time: a broker that has forgotten the session has forgotten this too.
                let _ = client.try_subscribe(broker.filter.as_str(), QoS::AtLeastOnce);
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                if heard.send(publish).await.is_err() {
                    return;
                }
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, ?broker, "the external broker is away");
                if tokio::time::timeout(AGAIN, stop.changed()).await.is_ok() {
                    return;
                }
            }
        }
    }
}
