//! What each verb does. `Ok(false)` means that the verb ran and its answer is no.

use std::{
    fs,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::json;
use tokio::{net::TcpListener, sync::watch};
use yj_crypto::to_hex;
use yj_exchange::epcis::{Callbacks, SocketLimits};
use yj_http::Limits;
use yj_identity::{Security, SingleSignOn};
use yj_kernel::{Db, Platform, Problem, RootKey, Sql, SystemEnvironment};
use yj_proof::Trust;
use yj_server::{
    Assembled, Config, Devices, DevicesConfig, Embedders, Module, Parts, TEMPLATE, assemble, demo,
    examine, listen_to_devices,
    simulate::{self, Target},
};

type Answer = Result<bool, String>;

/// A problem as an operator reads it: with its cause.
pub(crate) fn say(problem: Problem) -> String {
    match problem {
        Problem::Internal(cause) => format!("内部错误：{cause}"),
        other => other.to_string(),
    }
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> String {
    let path = path.display().to_string();
    move |error| format!("{path}：{error}")
}

/// Writes a private file that did not exist before.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), String> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(io(path))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io(path))
}

pub(crate) fn init(config: &Path) -> Answer {
    write_private(config, TEMPLATE)?;
    println!(
        "已写出 {}；请填写 platform.operator，然后执行 yuanjian serve --config {0}",
        config.display()
    );
    Ok(true)
}

fn read(config: &Path) -> Result<Config, String> {
    Config::load(config, std::env::vars())
}

async fn open(config: &Config) -> Result<Assembled, String> {
    fs::create_dir_all(&config.data).map_err(io(&config.data))?;
    let platform = Platform {
        name: config.platform.name.clone(),
        operator: config.platform.operator.clone(),
        profile: config.platform.profile.clone(),
        public_url: config.platform.public_url.clone(),
    };
    let guard = Guard {
        security: config.security.clone(),
        single_sign_on: config.sso.clone(),
        root_key: config.keys.root_key()?,
        without: config.modules_off()?,
        callbacks: config.exchange.callbacks(),
        embedders: config.platform.embedders()?,
    };
    build(&config.database_url(), &config.data, platform, guard).await
}

/// What stands between the platform and the world.
pub(crate) struct Guard {
    security: Security,
    single_sign_on: SingleSignOn,
    root_key: Option<Arc<dyn RootKey>>,
    without: Vec<Module>,
    callbacks: Callbacks,
    embedders: Embedders,
}

impl Guard {
    /// For demonstrations and measurements on one machine.
    pub(crate) fn demonstration() -> Self {
        let (security, single_sign_on) = (Security::demonstration(), SingleSignOn::default());
        let callbacks = Callbacks::default();
        Self {
            security,
            single_sign_on,
            root_key: None,
            without: Vec::new(),
            callbacks,
            embedders: Embedders::on_this_machine(),
        }
    }
}

/// Assembles an application on the real clock.
pub(crate) async fn build(
    database: &str,
    data: &Path,
    platform: Platform,
    guard: Guard,
) -> Result<Assembled, String> {
    let parts = Parts {
        db: Db::open(database).map_err(say)?,
        environment: Arc::new(SystemEnvironment),
        data: PathBuf::from(data),
        platform,
        limits: Limits::default(),
        security: guard.security,
        single_sign_on: guard.single_sign_on,
        root_key: guard.root_key,
        without: guard.without,
        callbacks: guard.callbacks,
        sockets: SocketLimits::default(),
        embedders: guard.embedders,
    };
    assemble(parts).await.map_err(say)
}

fn start_log(level: &str) {
    let filter = tracing_subscriber::EnvFilter::new(format!(
        "warn,yj_http={level},yj_kernel={level},yj_ledger={level},yuanjian={level}"
    ));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
}

pub(crate) async fn serve(config: &Path) -> Answer {
    let config = read(config)?;
    start_log(&config.log);
    let assembled = open(&config).await?;
    assembled.tamper.nightly_at(config.tamper.minute()?);
    if let Some((chain, plan)) = config.anchor.open(&config.data)? {
        assembled.anchoring.set_up(chain, plan);
    }
    if let Some(token) = yj_identity::setup_token(&assembled.app).await.map_err(say)? {
        println!("尚未初始化：请在浏览器打开 {}/console/setup", config.platform.public_url);
        println!("设置令牌（24 小时内有效，只显示这一次）：{token}");
    }
    let listen = config.listen.parse().map_err(|_| String::from("listen 应为 地址:端口"))?;
    let limits = Limits { gateways: config.gateways()?, ..Limits::default() };
    listen_until_stopped(assembled, (listen, limits), &config.devices).await
}

/// When the embedded database looks at what its tables hold for the first time, and how often.
const LEARN_FIRST: std::time::Duration = std::time::Duration::from_mins(10);
const LEARN_EVERY: std::time::Duration = std::time::Duration::from_hours(6);

/// How long the database may take to close.
const CLOSING_MAX: std::time::Duration = std::time::Duration::from_secs(10);

/// Keeps the embedded database's choice of indexes fit; PostgreSQL sees to that itself.
async fn learn(db: Db, mut stopped: watch::Receiver<bool>) {
    if db.file().is_none() {
        return;
    }
    let mut wait = LEARN_FIRST;
    while tokio::time::timeout(wait, stopped.changed()).await.is_err() {
        if let Err(problem) = db.learn().await {
            problem.log();
        }
        wait = LEARN_EVERY;
    }
}

/// Serves until told to stop, then lets requests and workers end, and closes the files.
async fn listen_until_stopped(
    assembled: Assembled,
    (listen, limits): (SocketAddr, Limits),
    devices: &DevicesConfig,
) -> Answer {
    let told = told_to_stop().map_err(|error| format!("不能接收停止信号：{error}"))?;
    let listener =
        TcpListener::bind(listen).await.map_err(|error| format!("不能监听 {listen}：{error}"))?;
    let (stop, stopped) = watch::channel(false);
    // Where devices are off, nobody hears them.
    let doors = if assembled.app.offers("device:read") {
        listen_to_devices(&assembled, (devices, limits.gateways.clone()), &stopped).await?
    } else {
        Devices::default()
    };
    let Assembled {
        app,
        ledger,
        tamper,
        digests,
        anchoring,
        identity,
        router,
        metrics,
        callbacks,
        ..
    } = assembled;
    let (anchored, db) = (ledger.clone(), app.db().clone());
    let mut workers = vec![
        tokio::spawn(yj_kernel::jobs::work(app.clone(), stopped.clone())),
        tokio::spawn(identity.work(app.clone(), stopped.clone())),
        tokio::spawn(learn(app.db().clone(), stopped.clone())),
        tokio::spawn(yj_trace::watch_months(app.clone(), stopped.clone())),
        tokio::spawn(yj_trace::watch_reporters(app.clone(), stopped.clone())),
        tokio::spawn(yj_ledger::watch_witnesses(app.clone(), ledger.clone(), stopped.clone())),
        tokio::spawn(ledger.run(app.clone(), stopped.clone())),
        tokio::spawn(tamper.run(app.clone(), stopped.clone())),
        tokio::spawn(digests.run(stopped.clone())),
        tokio::spawn(yj_exchange::epcis::watch(app.clone(), callbacks, stopped.clone())),
    ];
    let outside = anchoring.run(app.clone(), anchored.clone(), stopped.clone());
    workers.push(tokio::spawn(outside));
    workers.extend(doors.workers);
    if app.offers("device:read") {
        let anchor = yj_telemetry::anchor_hourly(app.clone(), anchored, stopped.clone());
        workers.push(tokio::spawn(anchor));
        workers.push(tokio::spawn(yj_construction::watch(app, stopped)));
    }
    // Asked for port 0, the system chose one.
    let listen = listener.local_addr().map_err(|error| error.to_string())?;
    announce(&format!("源鉴已启动：http://{listen}"));
    if let Some(mqtt) = doors.listens {
        announce(&format!("设备数据（MQTT 5）：mqtt://{mqtt}"));
    }
    let served = yj_http::serve(listener, router, (limits, metrics), told).await;
    // Nobody listening is no harm: the workers have then already ended.
    let _ = stop.send(true);
    for worker in workers {
        worker.await.map_err(|error| error.to_string())?;
    }
    if tokio::time::timeout(CLOSING_MAX, db.close()).await.is_err() {
        tracing::warn!("the database was still in use and was left as it is");
    }
    served.map(|()| true).map_err(|error| error.to_string())
}

/// Says something to whoever started the program. Where they have stopped listening, it serves all
/// the same.
fn announce(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Ends when somebody wants the program to end, at any time after this was called.
fn told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Devices of the demonstration that a simulator can speak for.
const DEMO_SENSORS: usize = 20;

/// What the demonstration is made of.
pub(crate) struct Demo {
    /// Folder of everything.
    pub(crate) data: PathBuf,
    /// Where to listen; this machine only.
    pub(crate) listen: SocketAddr,
    /// `golden`, `small` or `province`.
    pub(crate) size: String,
    /// Events of a `province`.
    pub(crate) events: usize,
    /// A database other than the embedded one.
    pub(crate) database: Option<String>,
    /// Where devices speak MQTT; nothing for the usual port where it is free.
    pub(crate) mqtt: Option<SocketAddr>,
}

/// Where the demonstration listens to devices: the usual port of this machine if nobody has it.
fn mqtt_of_demo(asked: Option<SocketAddr>) -> Result<DevicesConfig, String> {
    let usual = SocketAddr::from(([127, 0, 0, 1], 1883));
    let listen = match asked {
        Some(asked) if !asked.ip().is_loopback() => {
            return Err(format!("演示只允许本机访问，--mqtt 不能是 {asked}"));
        }
        Some(asked) => Some(asked),
        None => std::net::TcpListener::bind(usual).ok().map(|_| usual),
    };
    let mqtt = listen.map(|listen| listen.to_string()).unwrap_or_default();
    Ok(DevicesConfig { mqtt, ..DevicesConfig::default() })
}

pub(crate) async fn demo(Demo { data, listen, size, events, database, mqtt }: Demo) -> Answer {
    let data = data.as_path();
    if !listen.ip().is_loopback() {
        return Err(format!(
            "演示数据含公开的示例口令，只允许本机访问；{listen} 不是本机地址，请用 127.0.0.1"
        ));
    }
    // The platform knows its own address from the beginning: printed codes and log-ins need it.
    let probe = std::net::TcpListener::bind(listen)
        .map_err(|error| format!("不能监听 {listen}：{error}"))?;
    let listen = probe.local_addr().map_err(|error| error.to_string())?;
    drop(probe);
    let size = match size.as_str() {
        "golden" => demo::Size::Golden,
        "chains" => demo::Size::Chains,
        "small" => demo::Size::Small,
        "province" => demo::Size::Province { events },
        other => {
            return Err(format!("--size 应为 golden、chains、small 或 province，现为 {other}"));
        }
    };
    start_log("warn");
    fs::create_dir_all(data).map_err(io(data))?;
    let accounts = data.join("demo-accounts.json");
    let fresh = !accounts.exists();
    if fresh && fs::read_dir(data).map_err(io(data))?.next().is_some() {
        return Err(format!(
            "{} 不是空目录，也不是演示数据；请换一个目录，或清空后重试",
            data.display()
        ));
    }
    let platform = Platform {
        name: String::from("示例省重要产品追溯管理平台"),
        operator: String::from("示例省市场监督管理局（演示）"),
        profile: String::from("gbt38157"),
        public_url: format!("http://{listen}"),
    };
    let database =
        database.unwrap_or_else(|| format!("sqlite:{}", data.join("yuanjian.sqlite").display()));
    let assembled = build(&database, data, platform, Guard::demonstration()).await?;
    if fresh {
        let begun = std::time::Instant::now();
        let mut progress =
            |text: &str| println!("[{:>5.1} 秒] {text}", begun.elapsed().as_secs_f32());
        let count = demo::load(&assembled, size, &mut progress).await.map_err(say)?;
        progress("创建演示账号");
        let made = demo::create_accounts(&assembled).await.map_err(say)?;
        let list: Vec<_> = made.iter().map(demo::Account::json).collect();
        // Written last: its presence says that the province is complete.
        let text = serde_json::to_string_pretty(&json!({ "accounts": list }))
            .map_err(|error| error.to_string())?;
        let sensors = demo::fleet(&assembled, DEMO_SENSORS).await.map_err(say)?;
        let sensors: Vec<_> = sensors.iter().map(demo::Sensor::json).collect();
        let keys = serde_json::to_string_pretty(&json!({ "devices": sensors }))
            .map_err(|error| error.to_string())?;
        write_private(&data.join("demo-devices.json"), &keys)?;
        write_private(&accounts, &text)?;
        progress(&format!("演示省已就绪，共 {count} 条追溯事件"));
    }
    println!("账号与口令：{}", accounts.display());
    println!("管理平台：http://{listen}/console/    公众查询示例：http://{listen}/t/R1-sold");
    listen_until_stopped(assembled, (listen, Limits::default()), &mqtt_of_demo(mqtt)?).await
}

pub(crate) async fn migrate(config: &Path) -> Answer {
    open(&read(config)?).await?.app.db().close().await;
    println!("数据库已是最新结构");
    Ok(true)
}

pub(crate) fn verify(file: &Path, fingerprint: Option<&str>, witnesses: &[String]) -> Answer {
    let bytes = fs::read(file).map_err(io(file))?;
    let verdict = yj_proof::verify(&bytes, &Trust::from_words(fingerprint, witnesses)?);
    print!("{verdict}");
    Ok(verdict.ok)
}

/// Checks a report of the tamper audit.
pub(crate) fn verify_report(file: &Path, key: Option<&str>) -> Answer {
    let bytes = fs::read(file).map_err(io(file))?;
    let verdict = yj_ledger::verify_report(&bytes, key);
    for line in &verdict.lines {
        println!("{line}");
    }
    Ok(verdict.ok)
}

/// Puts the contract of outside anchors on the configured network.
pub(crate) async fn anchor_deploy(config: &Path) -> Answer {
    let config = read(config)?;
    let assembled = open(&config).await?;
    let (_, origin) = assembled.ledger.genesis();
    let (account, address) = yj_server::anchoring::deploy(&config, origin).await?;
    println!("锚定账户：{account}");
    println!("合约地址：{address}");
    println!(
        "请填写 [anchor] contract = \"{address}\"，在公开渠道公布网络与合约地址，然后重新启动平台"
    );
    Ok(true)
}

/// Rows of one export query.
const EXPORT_CHUNK: i64 = 5_000;

pub(crate) async fn export(config: &Path, out: &Path) -> Answer {
    let assembled = open(&read(config)?).await?;
    fs::create_dir_all(out).map_err(io(out))?;
    let (genesis, chain_id) = assembled.ledger.genesis();
    fs::write(out.join("genesis.bin"), genesis).map_err(io(out))?;
    fs::write(out.join("fingerprint.txt"), to_hex(&chain_id)).map_err(io(out))?;
    let target = out.join("envelopes.jsonl");
    let mut file = fs::File::create(&target).map_err(io(&target))?;
    let (mut last, mut count) = (0, 0);
    loop {
        let mut tx = assembled.app.db().snapshot().await.map_err(say)?;
        let sql =
            Sql::new("SELECT id, record FROM anchor_export WHERE id > $1 ORDER BY id LIMIT $2");
        let rows = tx.fetch(sql.arg(last).arg(EXPORT_CHUNK)).await.map_err(say)?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            last = row.int(0).map_err(say)?;
            let proof =
                assembled.ledger.proof(&mut tx, row.text(1).map_err(say)?).await.map_err(say)?;
            file.write_all(&proof).and_then(|()| file.write_all(b"\n")).map_err(io(&target))?;
            count += 1;
        }
    }
    println!("已导出 {count} 份存证证明到 {}", target.display());
    Ok(true)
}

pub(crate) async fn publish_ledger(config: &Path, folder: &Path, from: Option<&str>) -> Answer {
    let config = read(config)?;
    let published = if let Some(url) = from {
        yj_server::publish_from(url, folder)
    } else {
        let hint = |why| format!("{why}；如平台正在运行，请加 --from http://{}", config.listen);
        yj_ledger::publish(&open(&config).await.map_err(hint)?.ledger, folder)
    };
    let published = published.map_err(say)?;
    println!(
        "已公布 {} 条，本次写入 {} 个瓦片：{}",
        published.size,
        published.tiles,
        folder.join("ledger").display()
    );
    Ok(true)
}

pub(crate) async fn export_ledger(config: &Path, folder: &Path) -> Answer {
    let assembled = open(&read(config)?).await?;
    let exported = yj_server::export_ledger(&assembled, folder).await?;
    assembled.app.db().close().await;
    println!(
        "已导出 {} 个区块、{} 项提交到 {}",
        exported.height,
        exported.tree_size,
        folder.display()
    );
    Ok(true)
}

/// For whoever runs the server, when no administrator can come in any more.
pub(crate) async fn recover(config: &Path, user: &str) -> Answer {
    let config = read(config)?;
    let assembled = open(&config).await?;
    let token = yj_identity::recover(&assembled.app, user).await.map_err(say)?;
    assembled.app.db().close().await;
    println!("{}/console/activate#{token}", config.platform.public_url);
    println!("一次性链接，24 小时内有效；{user} 的旧口令与第二因素已作废，此操作已记入审计");
    Ok(true)
}

pub(crate) async fn doctor(config: &Path) -> Answer {
    let config = read(config)?;
    println!("正常 配置：键与取值均有效");
    let assembled = open(&config).await?;
    let findings = examine(&assembled, &config.data).await;
    assembled.app.db().close().await;
    for (name, well, detail) in &findings {
        println!("{} {name}：{detail}", if *well { "正常" } else { "异常" });
    }
    Ok(findings.iter().all(|(_, well, _)| *well))
}

/// Lets devices report to a platform that runs, and says what came of it.
pub(crate) async fn simulate(
    (what, devices): (&str, &Path),
    (url, mqtt): (Option<String>, Option<String>),
    plan: simulate::Plan,
) -> Answer {
    if what != "devices" {
        return Err(format!("没有 {what} 可以模拟，应为 devices"));
    }
    let target = match (url, mqtt) {
        (Some(url), None) => Target::Http(url),
        (None, Some(mqtt)) => Target::Mqtt(mqtt),
        _ => return Err(String::from("请给出 --url 或 --mqtt 之一")),
    };
    let sensors = demo::Sensor::read_all(&fs::read_to_string(devices).map_err(io(devices))?)?;
    println!("{} 台设备，为 {} 条消息签名……", sensors.len(), plan.rate * plan.seconds);
    let now = simulate::now();
    let begin = simulate::beginning(now, plan.seconds);
    let messages = simulate::generate(&sensors, plan, (begin, now.as_second()))?;
    let messages = plan.disturb(messages);
    let mut outcome = simulate::run(&target, &sensors, messages, plan.rate).await?;
    outcome.times.sort_unstable();
    let edge = outcome.times.len().saturating_sub(1) * 99 / 100;
    let edge = outcome.times.get(edge).copied().unwrap_or_default();
    println!(
        "发出 {} 条：入库 {}，重复 {}，拒绝 {}；用时 {:.1?}，至落盘 p99 {edge:.1?}",
        outcome.sent,
        outcome.stored,
        outcome.duplicates,
        outcome.refused.len(),
        outcome.took
    );
    if let Some(code) = outcome.refused.first() {
        println!("拒绝的原因，如：{code}");
    }
    Ok(outcome.refused.is_empty())
}
