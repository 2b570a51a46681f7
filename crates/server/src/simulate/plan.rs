//! What devices say in a simulation, and what happens to it on the way.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::demo::Sensor;

/// How much, how fast, and how badly.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Messages a second.
    pub rate: usize,
    /// Seconds.
    pub seconds: usize,
    /// How many of a hundred are sent twice.
    pub duplicates: usize,
    /// How far a message may be moved, in messages; 0 leaves the order.
    pub reorder: usize,
}

/// One message on its way.
#[derive(Debug, Clone)]
pub struct Message {
    /// Which device says it.
    pub sensor: usize,
    /// What it says, signed.
    pub body: Value,
}

/// A cold store: slow waves, some tenths of noise, a minute's standstill now and then.
fn temperature(seq: usize, sensor: usize) -> String {
    let wave = (seq / 7 + sensor) % 40;
    let tenths = 20 + if wave < 20 { wave } else { 40 - wave };
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// The messages of a clean run: each device in turn, one reading a message, taken when it is sent.
/// Signing them is work: call it where nothing else runs. The epoch tells runs apart.
pub fn generate(
    sensors: &[Sensor],
    plan: Plan,
    (begin, epoch): (Timestamp, i64),
) -> Result<Vec<Message>, String> {
    let (total, devices) = (plan.rate * plan.seconds, sensors.len().max(1));
    let step =
        SignedDuration::from_micros(1_000_000 / i64::try_from(plan.rate.max(1)).unwrap_or(1));
    let mut messages = Vec::with_capacity(total);
    let mut at = begin;
    for number in 0..total {
        let (index, seq) = (number % devices, number / devices + 1);
        let sensor = sensors.get(index).ok_or("没有设备")?;
        let time = at.to_string();
        let mut body = json!({
            "device": sensor.mac, "epoch": epoch, "seq": seq, "sent_at": time,
            "readings": [{
                "time": time, "kind": "temperature", "unit": "CEL",
                "value": temperature(seq, index),
            }],
        });
        yj_telemetry::sign(&mut body, &*sensor.key).ok_or("消息无法签名")?;
        messages.push(Message { sensor: index, body });
        at += step;
    }
    Ok(messages)
}

impl Plan {
    /// What becomes of the messages of a clean run on a bad line: some come twice, all out of order.
    /// The same every time.
    pub fn disturb(self, mut messages: Vec<Message>) -> Vec<Message> {
        let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
        let mut dice = move |end: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(seed >> 33).unwrap_or(0) % end.max(1)
        };
        let mut twice = Vec::with_capacity(messages.len() * (100 + self.duplicates) / 100);
        for message in messages.drain(..) {
            if dice(100) < self.duplicates {
                twice.push(message.clone());
            }
            twice.push(message);
        }
        if self.reorder > 0 {
            for at in 0..twice.len() {
                let to = (at + dice(self.reorder + 1)).min(twice.len() - 1);
                twice.swap(at, to);
            }
        }
        twice
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_loses_nothing() {
        let plan = Plan { rate: 100, seconds: 10, duplicates: 10, reorder: 50 };
        let clean: Vec<Message> =
            (0..1_000).map(|number| Message { sensor: number, body: Value::Null }).collect();
        let rough = plan.disturb(clean);
        let mut seen: Vec<usize> = rough.iter().map(|one| one.sensor).collect();
        assert!(seen.len() > 1_050 && seen.len() < 1_150, "{}", seen.len());
        assert!(seen.windows(2).filter(|pair| pair[0] > pair[1]).count() > 300);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 1_000);
    }
}
