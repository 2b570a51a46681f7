//! Our own accept loop. `axum::serve` sets no header deadline, so that a client which never
//! finishes its header holds its connection for ever.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use hyper::body::Incoming;
use hyper_util::rt::TokioTimer;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    time::Instant,
};
use tower::ServiceExt as _;

use crate::{
    Limits, Metrics, network,
    seat::{Census, Seat, Seated},
};

/// Where a request comes from, as its extension: the other end of the connection, or whom a
/// gateway of ours names.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddr(pub IpAddr);

/// How far a listener is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Stage {
    /// It takes new connections.
    Open,
    /// It still answers, so that a load balancer loses none; what outlives its request ends.
    Draining,
    /// Connections end with the request they are at.
    Leaving,
}

/// Tells what outlives its request, a WebSocket for example, that the listener stops. An extension
/// of every request that came over a listener.
#[derive(Debug, Clone)]
pub struct Stopping(watch::Receiver<Stage>);

impl Stopping {
    async fn reached(&mut self, stage: Stage) {
        // A listener that is gone has stopped.
        let _ = self.0.wait_for(|now| *now >= stage).await;
    }

    /// Ends when the listener stops. Whoever waits for it has as long as [`Limits::drain`] and
    /// [`Limits::farewell`] together to say goodbye.
    pub async fn begun(&mut self) {
        self.reached(Stage::Draining).await;
    }
}

/// Answers requests until `shutdown` ends, then drains: for a moment new requests still get
/// answers and are told to close, so that a load balancer loses none. A connection that has become
/// something else than HTTP (an upgrade) keeps its place until it is closed, and is waited for as
/// others are.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    (limits, metrics): (Limits, Metrics),
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let slots = Arc::new(Semaphore::new(limits.connections_max));
    let (stage, stages) = watch::channel(Stage::Open);
    let (stopping, census) = (Stopping(stages), Census::default());
    let accept_one = async || -> io::Result<()> {
        let permit = Arc::clone(&slots).acquire_owned().await.map_err(io::Error::other)?;
        match listener.accept().await {
            Ok((stream, peer)) => {
                if let Some(seat) =
                    Seat::take(&census, peer.ip(), &limits, (permit, metrics.clone()))
                {
                    let around = (router.clone(), limits.clone());
                    converse(Seated::new(stream, seat), peer, around, stopping.clone());
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
    stage.send_replace(Stage::Draining);
    let end = Instant::now() + limits.drain;
    while let Ok(accepted) = tokio::time::timeout_at(end, accept_one()).await {
        accepted?;
    }
    drop(listener);
    stage.send_replace(Stage::Leaving);
    let all = u32::try_from(limits.connections_max).unwrap_or(u32::MAX);
    if tokio::time::timeout(limits.farewell, slots.acquire_many(all)).await.is_err() {
        tracing::warn!("some requests did not end in time and were cut off");
    }
    Ok(())
}

fn converse(
    stream: Seated,
    peer: SocketAddr,
    (router, limits): (Router, Limits),
    mut stopping: Stopping,
) {
    let (gateways, told) = (limits.gateways.clone(), stopping.clone());
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        let address = network::client(peer.ip(), request.headers(), &gateways);
        request.extensions_mut().insert(PeerAddr(address));
        request.extensions_mut().insert(told.clone());
        router.clone().oneshot(request)
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_deadline)
        .max_headers(limits.headers_max)
        .max_buf_size(limits.header_bytes_max.max(8192))
        .keep_alive(true);
    let connection = http.serve_connection(stream, service).with_upgrades();
    let conversation = async move {
        tokio::pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = stopping.reached(Stage::Leaving) => {}
        }
        connection.as_mut().graceful_shutdown();
        connection.await
    };
    // A whole conversation is bounded too, so that a slow reader cannot stay for ever.
    let longest = Duration::from_hours(1);
    tokio::spawn(async move {
        if let Ok(Err(error)) = tokio::time::timeout(longest, conversation).await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}
