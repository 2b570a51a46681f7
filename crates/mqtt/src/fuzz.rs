//! A door for `fuzz/`: what strangers send, without a network.

use bytes::BytesMut;
use rumqttc::v5::mqttbytes::v5::Packet;

/// Reads the packets of a stream until it ends or is none.
pub fn packets(bytes: &[u8], packet_max: u32) {
    let mut heard = BytesMut::from(bytes);
    while Packet::read(&mut heard, Some(packet_max)).is_ok() {}
}
