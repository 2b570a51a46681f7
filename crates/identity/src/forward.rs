//! 审计转发 (S-25, GB/T 22239 8.1.5.4): every entry of the trail to the collector of the security
//! management centre, as syslog (RFC 5424) over TCP or TLS (RFC 6587, RFC 5425). The trail itself
//! is the spool: what the collector has is noted only after it has taken the whole batch, so
//! nothing is lost while it is away, and the order of every chain is kept.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream, ToSocketAddrs as _},
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use serde_json::Value;
use yj_kernel::{App, Problem, Result, Sql, audit};

use crate::{Identity, alarm};

/// Entries of one connection.
const BATCH: i64 = 500;
const WAIT: Duration = Duration::from_secs(5);
/// Facility 13, "log audit", severity informational.
const DONE: u32 = 13 * 8 + 6;
/// The same with severity warning.
const REFUSED: u32 = 13 * 8 + 4;
/// The same with severity alert.
const ALARMED: u32 = 13 * 8 + 1;

/// Where the trail goes.
#[derive(Clone)]
pub(crate) struct Collector {
    host: String,
    port: u16,
    /// Absent for plain TCP.
    tls: Option<Arc<ClientConfig>>,
}

impl Collector {
    /// `tls://host:port` with the PEM file of the authority that vouches for it, or
    /// `tcp://host:port` inside a protected network; nothing where no address is given.
    pub(crate) fn open(address: &str, authority: &str) -> Result<Option<Self>, String> {
        if address.is_empty() {
            return Ok(None);
        }
        let wrong = || {
            format!(
                "security.audit_forward 应为 tls://主机:端口 或 tcp://主机:端口，现为 {address}"
            )
        };
        let (scheme, place) = address.split_once("://").ok_or_else(wrong)?;
        let (host, port) = place.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let tls = match scheme {
            "tcp" => None,
            "tls" => Some(Arc::new(trusting(authority)?)),
            _ => return Err(wrong()),
        };
        Ok(Some(Self { host: String::from(host), port, tls }))
    }

    /// Sends a batch and waits until the collector has closed its side: then it has read all.
    fn send(&self, batch: &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let mut places = (self.host.as_str(), self.port).to_socket_addrs()?;
        let place = places.next().ok_or("no address")?;
        let mut socket = TcpStream::connect_timeout(&place, WAIT)?;
        socket.set_read_timeout(Some(WAIT))?;
        socket.set_write_timeout(Some(WAIT))?;
        let Some(tls) = &self.tls else {
            socket.write_all(batch)?;
            socket.shutdown(Shutdown::Write)?;
            return finished(&mut socket);
        };
        let name = ServerName::try_from(self.host.clone())?;
        let connection = ClientConnection::new(Arc::clone(tls), name)?;
        let mut stream = StreamOwned::new(connection, socket);
        stream.write_all(batch)?;
        stream.conn.send_close_notify();
        stream.flush()?;
        stream.sock.shutdown(Shutdown::Write)?;
        finished(&mut stream)
    }
}

/// Waits for the end of what the other side says.
fn finished(stream: &mut impl Read) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut rest = [0; 256];
    loop {
        match stream.read(&mut rest) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            // Many collectors close without a farewell of TLS.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn trusting(authority: &str) -> Result<ClientConfig, String> {
    let wrong = |error: &dyn std::fmt::Display| {
        format!("security.audit_forward_authority 应为收集端证书颁发机构的 PEM 文件：{error}")
    };
    let mut roots = RootCertStore::empty();
    let found = CertificateDer::pem_file_iter(authority).map_err(|error| wrong(&error))?;
    for certificate in found {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        roots.add(certificate).map_err(|error| wrong(&error))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(&error))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// One entry as a syslog message, with its length before it.
fn message(entry: &Value) -> String {
    let text = |name: &str| entry[name].as_str().unwrap_or_default();
    let word = |text: &str, most: usize| {
        let word: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
        if word.is_empty() { String::from("-") } else { word }
    };
    let priority = match (text("action"), text("result")) {
        ("alarmed", _) => ALARMED,
        (_, "refused") => REFUSED,
        _ => DONE,
    };
    let head = format!(
        "<{priority}>1 {} - yuanjian {} {} -",
        text("at"),
        word(text("node"), 128),
        word(text("action"), 32)
    );
    let message = format!("{head} \u{feff}{entry}");
    format!("{} {message}", message.len())
}

/// Entries that have waited this long for the collector are an alarm.
const STALLED_MS: i64 = 10 * 60_000;

/// Raises an alarm where the oldest entry that the collector lacks is old.
async fn stalled(app: &App, oldest: &Value) {
    let at = oldest["at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
    let waits_ms = at.map_or(0, |at| app.now().as_millisecond() - at.as_millisecond());
    if waits_ms > STALLED_MS {
        let detail = "安全管理中心收集端不可达，审计记录在本平台等待转发";
        let about = alarm::About::platform("audit_forward");
        alarm::raise(app, alarm::Kind::ForwardStalled, about, detail).await;
    }
}

impl Identity {
    /// Sends the collector what it does not have yet; how many entries that were.
    pub async fn forward_audit(&self, app: &App) -> Result<usize> {
        let Some(collector) = self.collector() else { return Ok(0) };
        let mut sent = 0;
        let mut tx = app.db().snapshot().await?;
        let ends = audit::heads(&mut tx).await?;
        let known = tx.fetch(Sql::new("SELECT lane, seq FROM audit_forward")).await?;
        drop(tx);
        for end in ends {
            let mut at = 0;
            for row in &known {
                if row.int(0)? == end.lane {
                    at = row.int(1)?;
                }
            }
            while at < end.seq {
                let mut tx = app.db().snapshot().await?;
                let entries = audit::after(&mut tx, (end.lane, at), BATCH).await?;
                drop(tx);
                let Some(last) = entries.last().and_then(|entry| entry["seq"].as_i64()) else {
                    break;
                };
                let batch: String = entries.iter().map(message).collect();
                let collector = collector.clone();
                let work = move || collector.send(batch.as_bytes());
                let done = tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?;
                if let Err(error) = done {
                    stalled(app, &entries[0]).await;
                    return Err(Problem::internal(error));
                }
                let sql = Sql::new(
                    "INSERT INTO audit_forward (lane, seq) VALUES ($1, $2) \
                     ON CONFLICT (lane) DO UPDATE SET seq = excluded.seq",
                );
                let mut tx = app.db().begin().await?;
                tx.later([sql.arg(end.lane).arg(last)]);
                tx.commit().await?;
                sent += entries.len();
                at = last;
            }
        }
        Ok(sent)
    }
}
