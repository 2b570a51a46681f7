//! How many connections there are, and of whom. A connection's place goes with its stream, whatever
//! becomes of it: what is no longer HTTP is counted all the same.

use std::{
    collections::HashMap,
    io::{self, IoSlice},
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::OwnedSemaphorePermit};

use crate::{Limits, Metrics};

/// Open connections by address.
pub(crate) type Census = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// A connection's place; given up when dropped.
pub(crate) struct Seat {
    census: Census,
    address: IpAddr,
    metrics: Metrics,
    _permit: OwnedSemaphorePermit,
}

impl Seat {
    pub(crate) fn take(
        census: &Census,
        address: IpAddr,
        limits: &Limits,
        (permit, metrics): (OwnedSemaphorePermit, Metrics),
    ) -> Option<Self> {
        let is_gateway = limits.gateways.iter().any(|network| network.contains(address));
        if !limits.gateways.is_empty() && !is_gateway && !address.to_canonical().is_loopback() {
            return None;
        }
        let mut open = census.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        // A gateway speaks for many.
        if !is_gateway && *count >= limits.connections_per_address_max {
            return None;
        }
        *count += 1;
        metrics.shift("http_connections", "Open connections.", 1);
        Some(Self { census: Arc::clone(census), address, metrics, _permit: permit })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.metrics.shift("http_connections", "Open connections.", -1);
        let mut open = self.census.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

/// A stream with its place.
pub(crate) struct Seated {
    stream: TokioIo<TcpStream>,
    _seat: Seat,
}

impl Seated {
    pub(crate) fn new(stream: TcpStream, seat: Seat) -> Self {
        // Answers are small; waiting to fill a packet would only delay them.
        let _ = stream.set_nodelay(true);
        Self { stream: TokioIo::new(stream), _seat: seat }
    }
}

impl Read for Seated {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Write for Seated {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }
}
