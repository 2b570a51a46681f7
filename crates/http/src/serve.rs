//! Our own accept loop. `axum::serve` sets no header deadline, so that a client which never
//! finishes its header holds its connection for ever.

use std::{
    collections::HashMap,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tower::ServiceExt as _;

use crate::{Limits, Metrics, network};

/// Where a request comes from, as its extension: the other end of the connection, or whom a
/// gateway of ours names.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddr(pub IpAddr);

/// Open connections by address.
type Census = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// Answers requests until `shutdown` ends, then drains: for a moment new requests still get
/// answers and are told to close, so that a load balancer loses none.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    (limits, metrics): (Limits, Metrics),
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let slots = Arc::new(Semaphore::new(limits.connections_max));
    let (graceful, census) = (GracefulShutdown::new(), Census::default());
    let accept_one = async || -> io::Result<()> {
        let permit = Arc::clone(&slots).acquire_owned().await.map_err(io::Error::other)?;
        match listener.accept().await {
            Ok((stream, peer)) => {
                if let Some(seat) =
                    Seat::take(&census, peer.ip(), &limits, (permit, metrics.clone()))
                {
                    converse(stream, peer, (router.clone(), limits.clone()), (&graceful, seat));
                }
            }
            // Out of descriptors and the like: let others finish, then go on.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    };
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = accept_one() => accepted?,
        }
    }
    tracing::info!("draining connections");
    let end = Instant::now() + limits.drain;
    while let Ok(accepted) = tokio::time::timeout_at(end, accept_one()).await {
        accepted?;
    }
    drop(listener);
    if tokio::time::timeout(limits.farewell, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time and were cut off");
    }
    Ok(())
}

/// A connection's place; given up when dropped.
struct Seat {
    census: Census,
    address: IpAddr,
    metrics: Metrics,
    _permit: OwnedSemaphorePermit,
}

impl Seat {
    fn take(
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

fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    (router, limits): (Router, Limits),
    (graceful, seat): (&GracefulShutdown, Seat),
) {
    // Answers are small; waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let gateways = limits.gateways.clone();
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        let address = network::client(peer.ip(), request.headers(), &gateways);
        request.extensions_mut().insert(PeerAddr(address));
        router.clone().oneshot(request)
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_deadline)
        .max_headers(limits.headers_max)
        .max_buf_size(limits.header_bytes_max.max(8192))
        .keep_alive(true);
    let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
    // A whole conversation is bounded too, so that a slow reader cannot stay for ever.
    let longest = Duration::from_hours(1);
    tokio::spawn(async move {
        if let Ok(Err(error)) = tokio::time::timeout(longest, connection).await {
            tracing::debug!(%error, "a connection ended early");
        }
        drop(seat);
    });
}
