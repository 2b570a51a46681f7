//! Packets on a stream.

use std::{io, time::Duration};

use bytes::BytesMut;
use rumqttc::v5::mqttbytes::{self, v5::Packet};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// How long a peer may take to read what it is sent.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);
/// Read at once.
const READ: usize = 8 * 1024;

/// Why there is no packet.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The peer has gone.
    Gone,
    /// What it sent is no MQTT 5.
    Protocol(mqttbytes::Error),
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// A stream of packets.
pub(crate) struct Packets {
    stream: TcpStream,
    heard: BytesMut,
    packet_max: u32,
}

impl Packets {
    pub(crate) fn new(stream: TcpStream, packet_max: u32) -> Self {
        Self { stream, heard: BytesMut::with_capacity(READ), packet_max }
    }

    /// The next packet. Nothing is lost when it is not waited for to the end.
    pub(crate) async fn next(&mut self) -> Result<Packet, Broken> {
        loop {
            match Packet::read(&mut self.heard, Some(self.packet_max)) {
                Ok(packet) => return Ok(packet),
                Err(mqttbytes::Error::InsufficientBytes(_)) => {}
                Err(error) => return Err(Broken::Protocol(error)),
            }
            self.heard.reserve(READ);
            if self.stream.read_buf(&mut self.heard).await? == 0 {
                return Err(Broken::Gone);
            }
        }
    }

    /// Sends packets together.
    pub(crate) async fn send(&mut self, packets: &[Packet]) -> Result<(), Broken> {
        let mut bytes = BytesMut::new();
        for packet in packets {
            packet.write(&mut bytes, None).map_err(Broken::Protocol)?;
        }
        let written = timeout(WRITE_PATIENCE, self.stream.write_all(&bytes)).await;
        written.map_err(|_| Broken::Gone)?.map_err(Broken::from)
    }
}
