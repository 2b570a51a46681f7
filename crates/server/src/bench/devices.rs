//! How fast devices report, and whether repetition and disorder change anything (D-6.3-2): the same
//! messages clean and disturbed, over HTTP and MQTT, on real connections.

use tokio::{net::TcpListener, sync::watch};
use yj_server::{
    Assembled, DevicesConfig,
    demo::{self, Sensor},
    listen_to_devices,
    simulate::{self, Plan, Target},
};

use super::{line, rate, spread};
use crate::commands::say;

/// Devices of each run.
const DEVICES: usize = 100;
/// Messages a second.
const RATE: usize = 1_000;
/// How much is disturbed.
const DUPLICATES: usize = 10;
/// How far.
const REORDER: usize = 100;

/// Measures with so many messages in each run.
pub(super) async fn run(assembled: &Assembled, messages: usize) -> Result<(), String> {
    let plan = Plan {
        rate: RATE.min(messages.max(1)),
        seconds: (messages / RATE).max(1),
        duplicates: DUPLICATES,
        reorder: REORDER,
    };
    let (stop, stopped) = watch::channel(false);
    let config = DevicesConfig { mqtt: String::from("127.0.0.1:0"), ..DevicesConfig::default() };
    let doors = listen_to_devices(assembled, (&config, Vec::new()), &stopped).await?;
    let mqtt = doors.listens.ok_or("没有 MQTT 的监听地址")?;
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
    let http = listener.local_addr().map_err(|error| error.to_string())?;
    let (router, metrics) = (assembled.router.clone(), assembled.metrics.clone());
    let mut stops = stopped.clone();
    let serving = tokio::spawn(async move {
        let stop = async move {
            // The sender has gone when the measurement is over, too.
            let _ = stops.changed().await;
        };
        yj_http::serve(listener, router, (yj_http::Limits::default(), metrics), stop).await
    });
    let targets = [
        ("HTTP", Target::Http(format!("http://{http}"))),
        ("MQTT", Target::Mqtt(mqtt.to_string())),
    ];
    let mut pictures = Vec::new();
    for (name, target) in targets {
        for disturbed in [false, true] {
            let what = if disturbed { "重复 10%、乱序" } else { "干净" };
            let sensors = demo::fleet(assembled, DEVICES).await.map_err(say)?;
            one(&sensors, plan, (&target, &format!("{name}，{what}"), disturbed)).await?;
            pictures.push(picture(assembled, &sensors).await?);
        }
    }
    let _ = stop.send(true);
    serving.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    for door in doors.workers {
        door.await.map_err(|error| error.to_string())?;
    }
    let same = pictures.windows(2).all(|pair| pair[0] == pair[1]);
    line("四次的最终状态", if same { "完全相同" } else { "不同" }, "完全相同");
    if same { Ok(()) } else { Err(format!("最终状态不同：{pictures:?}")) }
}

async fn one(
    sensors: &[Sensor],
    plan: Plan,
    (target, name, disturbed): (&Target, &str, bool),
) -> Result<(), String> {
    // Of the same times in every run, so that the final states can be compared.
    let begin = day_before(simulate::now());
    let own = sensors.to_vec();
    let messages = tokio::task::spawn_blocking(move || simulate::generate(&own, plan, (begin, 1)));
    let messages = messages.await.map_err(|error| error.to_string())??;
    let count = messages.len();
    let messages = if disturbed { plan.disturb(messages) } else { messages };
    let mut outcome = simulate::run(target, sensors, messages, plan.rate).await?;
    if let Some(code) = outcome.refused.first() {
        return Err(format!("{name}：{} 条被拒绝，如 {code}", outcome.refused.len()));
    }
    if outcome.stored != count {
        return Err(format!("{name}：应入库 {count} 条，实为 {}", outcome.stored));
    }
    line(name, &rate(outcome.sent, outcome.took), "1000 条/秒");
    spread("　至落盘 p50 / p99", &mut outcome.times, "p99 ≤ 2 s");
    Ok(())
}

/// Midnight in UTC of the day before: the same in every run of one day.
fn day_before(now: jiff::Timestamp) -> jiff::Timestamp {
    let day = 86_400;
    jiff::Timestamp::from_second((now.as_second() / day - 1) * day).unwrap_or(now)
}

async fn picture(assembled: &Assembled, sensors: &[Sensor]) -> Result<String, String> {
    let mut tx = assembled.app.db().snapshot().await.map_err(say)?;
    let macs: Vec<&str> = sensors.iter().map(|sensor| sensor.mac.as_str()).collect();
    yj_telemetry::picture(&mut tx, &macs).await.map_err(say)
}
