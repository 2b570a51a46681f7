//! `yuanjian`: one binary for everything.

mod bench;
mod commands;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// Answers are many small pieces of memory, taken and given back on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "yuanjian", version, about = "源鉴 追溯管理平台")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// 写出带注释的配置文件
    Init {
        /// 配置文件
        #[arg(long, default_value = "yuanjian.toml")]
        config: PathBuf,
    },
    /// 按配置文件启动平台
    Serve {
        /// 配置文件
        #[arg(long)]
        config: PathBuf,
    },
    /// 启动演示省（仅限本机访问）
    Demo {
        /// 数据目录；为空时创建演示数据
        #[arg(long)]
        data: PathBuf,
        /// 监听地址，必须是本机地址
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: std::net::SocketAddr,
        /// golden、chains、small 或 province
        #[arg(long, default_value = "small")]
        size: String,
        /// province 规模的事件数
        #[arg(long, default_value_t = 1_000_000)]
        events: usize,
        /// 数据库；缺省为数据目录中的 SQLite
        #[arg(long)]
        database: Option<String>,
        /// 设备数据（MQTT 5）的监听地址，必须是本机地址；缺省为空闲时的 127.0.0.1:1883
        #[arg(long)]
        mqtt: Option<std::net::SocketAddr>,
    },
    /// 模拟设备上报：真实签名的消息，经 HTTP 或 MQTT
    Simulate {
        /// devices
        what: String,
        /// 设备及其密钥，如演示数据目录中的 demo-devices.json
        #[arg(long)]
        devices: PathBuf,
        /// 平台网址，经 HTTP 上报
        #[arg(long)]
        url: Option<String>,
        /// MQTT 5 服务的 主机:端口，经 MQTT 上报
        #[arg(long)]
        mqtt: Option<String>,
        /// 每秒消息数
        #[arg(long, default_value_t = 1_000)]
        rate: usize,
        /// 时长（秒）
        #[arg(long, default_value_t = 60)]
        seconds: usize,
        /// 重复发送的百分数
        #[arg(long, default_value_t = 10)]
        duplicates: usize,
        /// 打乱顺序的范围（条）；0 为不打乱
        #[arg(long, default_value_t = 50)]
        reorder: usize,
    },
    /// 只应用数据库迁移
    Migrate {
        /// 配置文件
        #[arg(long)]
        config: PathBuf,
    },
    /// 离线验证存证证明
    Verify {
        /// .yjproof 文件
        file: PathBuf,
        /// 所信任的链指纹（64 位十六进制）
        #[arg(long)]
        fingerprint: Option<String>,
        /// 所信任的见证方公钥（名称+标识+公钥），可多次给出；至少须有其一的签名
        #[arg(long = "witness")]
        witnesses: Vec<String>,
    },
    /// 离线验证防篡改检查的报告
    VerifyReport {
        /// 报告文件
        file: PathBuf,
        /// 所信任的平台公钥（130 位十六进制）
        #[arg(long)]
        key: Option<String>,
    },
    /// 导出存证原文与创世文件，供他方核验
    Export {
        /// 配置文件
        #[arg(long)]
        config: PathBuf,
        /// 目标目录
        #[arg(long)]
        out: PathBuf,
    },
    /// 存证日志
    Ledger {
        #[command(subcommand)]
        verb: LedgerVerb,
    },
    /// 见证另一个平台的存证日志：核对一致性并副署，自有状态与密钥
    Witness(yj_witness::Arguments),
    /// 为不能登录的用户作废口令与第二因素，打印一次性链接；管理员之间无法互相确认时使用
    Recover {
        /// 配置文件
        #[arg(long)]
        config: PathBuf,
        /// 用户名
        user: String,
    },
    /// 外部锚定：部署合约，或核对证明中的锚定
    Anchor {
        #[command(subcommand)]
        verb: AnchorVerb,
    },
    /// 自检
    Doctor {
        /// 配置文件
        #[arg(long)]
        config: PathBuf,
    },
    /// 性能测量
    Bench {
        /// access、anchor、capture、import、query、chain、search、codes、devices、growth、hash 或 epcis
        what: String,
        /// 数据库；缺省为临时 SQLite
        #[arg(long)]
        database: Option<String>,
        /// 事件数；search 为主体数，缺省一百万；codes 为编码数，缺省两千万；epcis 缺省十万；其余缺省五万
        #[arg(long)]
        events: Option<usize>,
        /// 数据目录，测量后保留；再次测量时不重新装入
        #[arg(long)]
        keep: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
enum AnchorVerb {
    /// 在所配置的网络上部署锚定合约，打印其地址
    Deploy {
        /// 配置文件
        #[arg(long)]
        config: PathBuf,
    },
    /// 向外部网络核对证明中的锚定：不需要本平台，也不需要账户
    Check {
        /// .yjproof 文件
        file: PathBuf,
        /// 该网络任意节点的 JSON-RPC 网址
        #[arg(long)]
        rpc: String,
    },
}

#[derive(Subcommand)]
enum LedgerVerb {
    /// 把整个存证日志与数据列写成有文档的普通文件，供与平台无关的程序核对（tools/check_platform.py）
    Export {
        /// 目标目录，须不存在或为空
        dir: PathBuf,
        /// 配置文件
        #[arg(long)]
        config: PathBuf,
    },
    /// 把检查点、哈希瓦片与创世文件写成静态文件，供网页服务器公布；再次执行只写新增的
    Publish {
        /// 目标目录
        dir: PathBuf,
        /// 配置文件
        #[arg(long)]
        config: PathBuf,
        /// 平台正在运行时，从其网址取得，如 http://127.0.0.1:8080
        #[arg(long)]
        from: Option<String>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("不能启动：{error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(async {
        let answer = match arguments.verb {
            Verb::Init { config } => commands::init(&config),
            Verb::Serve { config } => commands::serve(&config).await,
            Verb::Demo { data, listen, size, events, database, mqtt } => {
                commands::demo(commands::Demo { data, listen, size, events, database, mqtt }).await
            }
            Verb::Simulate { what, devices, url, mqtt, rate, seconds, duplicates, reorder } => {
                let plan = yj_server::simulate::Plan { rate, seconds, duplicates, reorder };
                commands::simulate((&what, &devices), (url, mqtt), plan).await
            }
            Verb::Migrate { config } => commands::migrate(&config).await,
            Verb::VerifyReport { file, key } => commands::verify_report(&file, key.as_deref()),
            Verb::Verify { file, fingerprint, witnesses } => {
                commands::verify(&file, fingerprint.as_deref(), &witnesses)
            }
            Verb::Export { config, out } => commands::export(&config, &out).await,
            Verb::Ledger { verb: LedgerVerb::Publish { dir, config, from } } => {
                commands::publish_ledger(&config, &dir, from.as_deref()).await
            }
            // It answers with more than yes or no, and has no use for this runtime.
            Verb::Witness(arguments) => return Ok(yj_witness::run(&arguments)),
            Verb::Ledger { verb: LedgerVerb::Export { dir, config } } => {
                commands::export_ledger(&config, &dir).await
            }
            Verb::Recover { config, user } => commands::recover(&config, &user).await,
            Verb::Anchor { verb: AnchorVerb::Deploy { config } } => {
                commands::anchor_deploy(&config).await
            }
            Verb::Anchor { verb: AnchorVerb::Check { file, rpc } } => {
                yj_server::anchoring::check(&file, rpc).await
            }
            Verb::Doctor { config } => commands::doctor(&config).await,
            Verb::Bench { what, database, events, keep } => {
                bench::run(&what, database, events, keep).await
            }
        };
        answer.map(|good| if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    });
    match result {
        Ok(code) => code,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
