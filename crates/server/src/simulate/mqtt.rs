//! Over MQTT 5: one connection for each device, every message with an acknowledgement.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rumqttc::v5::{
    AsyncClient, Event, EventLoop, MqttOptions,
    mqttbytes::{
        QoS,
        v5::{ConnectReturnCode, Packet, PubAck},
    },
};
use tokio::sync::mpsc;

use super::{Answered, Message};
use crate::demo::Sensor;

type Answers = mpsc::Sender<Result<Answered, String>>;
/// When what a device has sent, and is not acknowledged, was sent: acknowledgements come in order.
type Begun = Arc<Mutex<VecDeque<Instant>>>;

/// Sends over MQTT.
pub(super) struct Sender {
    lines: Vec<Line>,
    answers: Answers,
}

struct Line {
    client: AsyncClient,
    topic: String,
    begun: Begun,
}

impl Sender {
    /// Connects every device.
    pub(super) async fn connect(
        broker: &str,
        sensors: &[Sensor],
        answers: Answers,
    ) -> Result<Self, String> {
        let wrong = || format!("--mqtt 应为 主机:端口，现为 {broker}");
        let (host, port) = broker.rsplit_once(':').ok_or_else(wrong)?;
        let port: u16 = port.parse().map_err(|_| wrong())?;
        let mut lines = Vec::with_capacity(sensors.len());
        for sensor in sensors {
            lines.push(line((host, port), sensor, answers.clone()).await?);
        }
        Ok(Self { lines, answers })
    }

    /// Sends messages, each on its device's line.
    pub(super) async fn send(&self, part: Vec<Message>) {
        for message in part {
            let Some(line) = self.lines.get(message.sensor) else { continue };
            let body = message.body.to_string();
            line.begun.lock().unwrap_or_else(PoisonError::into_inner).push_back(Instant::now());
            let sent =
                line.client.publish(line.topic.as_str(), QoS::AtLeastOnce, false, body).await;
            if let Err(error) = sent {
                // Whoever counts the answers has given up.
                let _ = self.answers.send(Err(error.to_string())).await;
            }
        }
    }
}

async fn line(
    (host, port): (&str, u16),
    sensor: &Sensor,
    answers: Answers,
) -> Result<Line, String> {
    let mut options = MqttOptions::new(sensor.mac.replace(':', ""), host, port);
    let now = crate::simulate::now();
    let password =
        yj_telemetry::password(&sensor.mac, now, &*sensor.key).ok_or("登录口令无法签名")?;
    options.set_credentials(&sensor.mac, password).set_keep_alive(Duration::from_secs(30));
    let (client, mut events) = AsyncClient::new(options, 256);
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(ack))) => {
                if ack.code == ConnectReturnCode::Success {
                    break;
                }
                return Err(format!("{} 未能登录：{:?}", sensor.mac, ack.code));
            }
            Ok(_) => {}
            Err(error) => return Err(format!("{}：{error}", sensor.mac)),
        }
    }
    let begun = Begun::default();
    tokio::spawn(listen(events, Arc::clone(&begun), answers));
    let topic = format!("yj/v1/{}/up", sensor.mac);
    Ok(Line { client, topic, begun })
}

/// Counts the acknowledgements until nobody wants to know.
async fn listen(mut events: EventLoop, begun: Begun, answers: Answers) {
    loop {
        let answer = match events.poll().await {
            Ok(Event::Incoming(Packet::PubAck(ack))) => {
                let first = begun.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let took = first.map(|first| first.elapsed()).unwrap_or_default();
                Ok(Answered { code: code(&ack), took })
            }
            Ok(_) => continue,
            Err(error) => Err(error.to_string()),
        };
        let failed = answer.is_err();
        if answers.send(answer).await.is_err() || failed {
            return;
        }
    }
}

/// The code of an acknowledgement; brokers that are not ours give none.
fn code(ack: &PubAck) -> String {
    let properties = ack.properties.iter().flat_map(|found| &found.user_properties);
    let code = properties.filter(|(name, _)| name == "code").map(|(_, code)| code.clone()).next();
    code.unwrap_or_else(|| String::from("stored"))
}
