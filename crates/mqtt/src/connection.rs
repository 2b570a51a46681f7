//! One connection of the embedded broker.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream::FuturesOrdered};
use rumqttc::v5::mqttbytes::{
    self, QoS,
    v5::{
        ConnAck, ConnAckProperties, Connect, ConnectReturnCode, Disconnect, DisconnectReasonCode,
        Packet, PingResp, PubAck, PubAckProperties, PubAckReason, Publish, PublishProperties,
        SubAck, Subscribe, SubscribeReasonCode, UnsubAck, UnsubAckReason, Unsubscribe,
    },
};
use tokio::{sync::watch, time::timeout};

use crate::{
    census::Seat,
    keeper::{Keeper, Reason, Taken},
    packets::{Broken, Packets},
    server::{Place, Places},
};

/// How long a client may take to say who it is.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// Messages of one connection that are not acknowledged yet.
pub(crate) const RECEIVE_MAX: u16 = 128;
/// Longest silence that a client may ask for, in seconds.
const KEEP_ALIVE_MAX: u16 = 600;
/// Filters of one connection.
const FILTERS_MAX: usize = 8;

/// A client that was let in.
struct Client<K> {
    keeper: Arc<K>,
    name: String,
    filters: Vec<String>,
}

/// What a packet leads to.
enum Next {
    /// These answers.
    Answer(Vec<Packet>),
    /// A message to be taken; its number where it wants an acknowledgement.
    Take(Box<Publish>),
    /// The end, for a reason that the client is told.
    End(DisconnectReasonCode),
    /// The client has said goodbye.
    Goodbye,
}

/// Speaks with a client until either is tired of it.
pub(crate) async fn converse<K: Keeper>(
    (mut packets, mut seat): (Packets, Seat),
    keeper: Arc<K>,
    (places, mut stop): (Places, watch::Receiver<bool>),
) -> Result<(), Broken> {
    let greeted = timeout(CONNECT_PATIENCE, greet(&mut packets, &*keeper)).await;
    let Some((name, keep_alive)) = greeted.map_err(|_| Broken::Gone)?? else { return Ok(()) };
    seat.let_in();
    let mut place = places.take(&name);
    let mut client = Client { keeper, name, filters: Vec::new() };
    let silence = Duration::from_millis(u64::from(keep_alive) * 1_500);
    let mut taking = FuturesOrdered::new();
    loop {
        let next = tokio::select! {
            _ = stop.changed() => Next::End(DisconnectReasonCode::ServerShuttingDown),
            () = place.lost() => Next::End(DisconnectReasonCode::SessionTakenOver),
            Some((publish, taken)) = taking.next(), if !taking.is_empty() => {
                Next::Answer(client.answers(&publish, &taken))
            }
            packet = timeout(silence, packets.next()), if taking.len() < usize::from(RECEIVE_MAX) => {
                match packet {
                    Err(_) => Next::End(DisconnectReasonCode::KeepAliveTimeout),
                    // An empty goodbye, which this codec does not read.
                    Ok(Err(Broken::Protocol(mqttbytes::Error::PayloadRequired))) => Next::Goodbye,
                    Ok(Err(Broken::Protocol(error))) => Next::End(why(&error)),
                    Ok(Err(Broken::Gone)) => break,
                    Ok(Ok(packet)) => client.hear(packet),
                }
            }
        };
        match next {
            Next::Answer(answers) => packets.send(&answers).await?,
            Next::Take(publish) => {
                let (publish, keeper) = (*publish, Arc::clone(&client.keeper));
                taking.push_back(async move {
                    let topic = String::from_utf8_lossy(&publish.topic).into_owned();
                    let taken = keeper.take(&topic, publish.payload.clone()).await;
                    (publish, taken)
                });
            }
            Next::End(reason) => return packets.send(&[disconnect(reason)]).await,
            Next::Goodbye => break,
        }
    }
    // What was taken in is finished; nobody waits for the acknowledgements any more.
    while taking.next().await.is_some() {}
    Ok(())
}

/// Hears who it is and lets it in: its name, and after how many seconds of silence it has gone.
async fn greet<K: Keeper>(
    packets: &mut Packets,
    keeper: &K,
) -> Result<Option<(String, u16)>, Broken> {
    let refuse =
        |code| [Packet::ConnAck(ConnAck { session_present: false, code, properties: None })];
    let (connect, will, login) = match packets.next().await {
        Ok(Packet::Connect(connect, will, login)) => (connect, will, login),
        Ok(_) => return Err(Broken::Gone),
        Err(Broken::Protocol(mqttbytes::Error::InvalidProtocolLevel(_))) => {
            packets.send(&refuse(ConnectReturnCode::UnsupportedProtocolVersion)).await?;
            return Ok(None);
        }
        Err(broken) => return Err(broken),
    };
    let name = match (&will, &login) {
        // Nobody subscribes to anybody's last words.
        (Some(_), _) => None,
        (None, Some(login)) => keeper.admit(&login.username, &login.password).await,
        (None, None) => None,
    };
    let Some(name) = name else {
        packets.send(&refuse(ConnectReturnCode::NotAuthorized)).await?;
        return Ok(None);
    };
    let (keep_alive, welcome) = welcome(&connect, &name);
    packets.send(&[welcome]).await?;
    Ok(Some((name, keep_alive)))
}

fn welcome(connect: &Connect, name: &str) -> (u16, Packet) {
    let keep_alive = match connect.keep_alive {
        0 => KEEP_ALIVE_MAX,
        asked => asked.min(KEEP_ALIVE_MAX),
    };
    let properties = ConnAckProperties {
        session_expiry_interval: Some(0),
        receive_max: Some(RECEIVE_MAX),
        max_qos: Some(1),
        retain_available: Some(0),
        max_packet_size: None,
        assigned_client_identifier: connect.client_id.is_empty().then(|| String::from(name)),
        topic_alias_max: Some(0),
        reason_string: None,
        user_properties: Vec::new(),
        wildcard_subscription_available: Some(0),
        subscription_identifiers_available: Some(0),
        shared_subscription_available: Some(0),
        server_keep_alive: (keep_alive != connect.keep_alive).then_some(keep_alive),
        response_information: None,
        server_reference: None,
        authentication_method: None,
        authentication_data: None,
    };
    let code = ConnectReturnCode::Success;
    let ack = ConnAck { session_present: false, code, properties: Some(properties) };
    (keep_alive, Packet::ConnAck(ack))
}

fn why(error: &mqttbytes::Error) -> DisconnectReasonCode {
    match error {
        mqttbytes::Error::PayloadSizeLimitExceeded { .. } => DisconnectReasonCode::PacketTooLarge,
        _ => DisconnectReasonCode::MalformedPacket,
    }
}

fn disconnect(reason: DisconnectReasonCode) -> Packet {
    Packet::Disconnect(Disconnect { reason_code: reason, properties: None })
}

impl<K: Keeper> Client<K> {
    fn hear(&mut self, packet: Packet) -> Next {
        match packet {
            Packet::Publish(publish) => self.publish(publish),
            Packet::Subscribe(subscribe) => self.subscribe(&subscribe),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(&unsubscribe),
            Packet::PingReq(_) => Next::Answer(vec![Packet::PingResp(PingResp)]),
            Packet::Disconnect(_) => Next::Goodbye,
            // Acknowledgements of what was sent without asking for any.
            Packet::PubAck(_) => Next::Answer(Vec::new()),
            _ => Next::End(DisconnectReasonCode::ProtocolError),
        }
    }

    fn publish(&self, publish: Publish) -> Next {
        let alias = publish.properties.as_ref().is_some_and(|found| found.topic_alias.is_some());
        if publish.qos == QoS::ExactlyOnce {
            return Next::End(DisconnectReasonCode::QoSNotSupported);
        }
        if publish.retain {
            return Next::End(DisconnectReasonCode::RetainNotSupported);
        }
        if alias {
            return Next::End(DisconnectReasonCode::TopicAliasInvalid);
        }
        let topic = String::from_utf8_lossy(&publish.topic);
        if self.keeper.may_publish(&self.name, &topic) {
            return Next::Take(Box::new(publish));
        }
        let taken = Taken {
            reason: Reason::NotAuthorized,
            code: "forbidden_topic",
            detail: None,
            answer: None,
        };
        Next::Answer(self.answers(&publish, &taken))
    }

    fn subscribe(&mut self, subscribe: &Subscribe) -> Next {
        let judge = |filter: &mqttbytes::v5::Filter| {
            let known = self.filters.contains(&filter.path);
            if !self.keeper.may_subscribe(&self.name, &filter.path) {
                return SubscribeReasonCode::NotAuthorized;
            }
            if !known {
                if self.filters.len() >= FILTERS_MAX {
                    return SubscribeReasonCode::QuotaExceeded;
                }
                self.filters.push(filter.path.clone());
            }
            // Answers can be asked for again by sending again: they are sent once.
            SubscribeReasonCode::Success(QoS::AtMostOnce)
        };
        let return_codes = subscribe.filters.iter().map(judge).collect();
        let ack = SubAck { pkid: subscribe.pkid, return_codes, properties: None };
        Next::Answer(vec![Packet::SubAck(ack)])
    }

    fn unsubscribe(&mut self, unsubscribe: &Unsubscribe) -> Next {
        let reasons = unsubscribe.filters.iter().map(|filter| {
            let before = self.filters.len();
            self.filters.retain(|known| known != filter);
            if self.filters.len() < before {
                UnsubAckReason::Success
            } else {
                UnsubAckReason::NoSubscriptionExisted
            }
        });
        let reasons = reasons.collect();
        let ack = UnsubAck { pkid: unsubscribe.pkid, reasons, properties: None };
        Next::Answer(vec![Packet::UnsubAck(ack)])
    }

    /// The acknowledgement, where one is wanted, and the words to the topic for answers, where the
    /// client listens to it.
    fn answers(&self, publish: &Publish, taken: &Taken) -> Vec<Packet> {
        let mut answers = Vec::new();
        if publish.qos == QoS::AtLeastOnce {
            answers.push(Packet::PubAck(acknowledge(publish.pkid, taken)));
        }
        if let Some((topic, payload)) = &taken.answer
            && self.filters.contains(topic)
        {
            answers.push(Packet::Publish(answer(topic, payload, taken.code)));
        }
        answers
    }
}

fn acknowledge(pkid: u16, taken: &Taken) -> PubAck {
    let reason = match taken.reason {
        Reason::Success => PubAckReason::Success,
        Reason::NotAuthorized => PubAckReason::NotAuthorized,
        Reason::PayloadFormatInvalid => PubAckReason::PayloadFormatInvalid,
        Reason::Refused => PubAckReason::ImplementationSpecificError,
        Reason::Later => PubAckReason::QuotaExceeded,
    };
    let properties = PubAckProperties {
        reason_string: taken.detail.clone(),
        user_properties: vec![(String::from("code"), String::from(taken.code))],
    };
    PubAck { pkid, reason, properties: Some(properties) }
}

/// Words to a topic for answers, with the code as a user property.
pub(crate) fn answer(topic: &str, payload: &Bytes, code: &str) -> Publish {
    let properties = PublishProperties {
        content_type: Some(String::from("application/json")),
        user_properties: vec![(String::from("code"), String::from(code))],
        ..PublishProperties::default()
    };
    Publish::new(topic, QoS::AtMostOnce, payload.clone(), Some(properties))
}

impl Place {
    /// Waits until another connection comes under the same name.
    async fn lost(&mut self) {
        // The sender is kept by the register, so it ends only with the message.
        let _ = self.gone.changed().await;
    }
}
