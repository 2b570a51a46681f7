//! The doors of devices besides HTTP, as the configuration opens them.

use std::{net::IpAddr, sync::Arc};

use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use yj_http::Network;
use yj_mqtt::{Admission, Broker};
use yj_telemetry::Door;

use crate::{Assembled, DevicesConfig};

/// Doors that are open.
#[derive(Debug, Default)]
pub struct Devices {
    /// Where the embedded broker listens.
    pub listens: Option<std::net::SocketAddr>,
    /// What keeps them open; each ends when it is told to stop.
    pub workers: Vec<JoinHandle<()>>,
}

/// Opens the doors that are configured. Connections are taken from this machine and from the
/// networks of the gateways alone.
pub async fn listen_to_devices(
    assembled: &Assembled,
    (config, gateways): (&DevicesConfig, Vec<Network>),
    stop: &watch::Receiver<bool>,
) -> Result<Devices, String> {
    let mut devices = Devices::default();
    let welcomes = move |address: IpAddr| {
        address.is_loopback() || gateways.iter().any(|network| network.contains(address))
    };
    let door = Arc::new(Door::new(&assembled.app, &assembled.intake, welcomes));
    let admission = Admission::default();
    if let Some(listen) = config.listen()? {
        let listener = TcpListener::bind(listen).await;
        let listener = listener.map_err(|error| format!("不能监听 {listen}：{error}"))?;
        // Asked for port 0, the system chose one.
        devices.listens = Some(listener.local_addr().map_err(|error| error.to_string())?);
        let serving = yj_mqtt::serve(listener, Arc::clone(&door), admission, stop.clone());
        devices.workers.push(tokio::spawn(serving));
    }
    if let Some((host, port)) = config.external()? {
        let broker = Broker {
            host,
            port,
            user: config.broker_user.clone(),
            password: config.broker_password.clone(),
            client_id: format!("yuanjian-{}", assembled.app.node()),
            filter: yj_telemetry::shared_filter(),
        };
        let consuming = yj_mqtt::consume(broker, door, admission.packet_max, stop.clone());
        devices.workers.push(tokio::spawn(consuming));
    }
    Ok(devices)
}
