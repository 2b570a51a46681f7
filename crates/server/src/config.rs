//! Configuration: a file, overridden by the environment. Every key is documented in
//! [`TEMPLATE`]; unknown keys are refused.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;
use yj_exchange::epcis::Callbacks;
use yj_identity::{Security, SingleSignOn};
use yj_kernel::RootKey;
use yj_web::Embedders;

use crate::{Module, anchoring::AnchorConfig};

/// The file that `yuanjian init` writes.
pub const TEMPLATE: &str = r#"# 源鉴 配置。每一项都可用环境变量覆盖：YJ_ 加大写键名，层级以两个下划线相连，如 YJ_PLATFORM__NAME。

# 监听地址。对外服务时请置于 TLS 终端之后。
listen = "127.0.0.1:8080"

# 网关（TLS 终端、负载均衡）的网络。对外监听时必填：只有网关和本机可以连接，来访地址取自网关的 X-Forwarded-For。
gateway = []

# 数据目录：账本、密钥、附件；内嵌数据库也在其中。
data = "data"

# 数据库。留空使用内嵌 SQLite（data/yuanjian.sqlite）；生产环境填写 postgres://用户:口令@主机/库。
database = ""

# 停用的模块：device（感知设备）、merchant（商户）、self_registration（企业自助注册）。停用后菜单、接口、权限都没有，数据保留。
modules_off = []

# 日志级别：error、warn、info、debug。
log = "info"

# 安全策略（GB/T 22239 三级）。各项缺省值即三级要求，低于底线的设置拒绝启动；全部键见 docs/SECURITY.md。
[security]
# 口令最短长度（≥ 8）
password_min_length = 12
# 审计保存天数（≥ 183）
audit_retention_days = 1095
# 管理员可用的网络
admin_networks = ["127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]

# 审计转发：tls://主机:端口（另填颁发机构的 PEM 文件）或内网的 tcp://主机:端口；留空为不转发
audit_forward = ""
audit_forward_authority = ""
# 与之比较时钟的时间服务器（NTP），如 ["ntp.example.cn:123"]
time_servers = []

# 根密钥。library 留空为数据目录中的密钥文件（软件密码模块，未经认证）；接密码机或密码卡时填写厂商的 PKCS#11 动态库，
# 口令宜用环境变量 YJ_KEYS__PIN 给出。
[keys]
library = ""
token = ""
key = "yj-root"
pin = ""

# 经政务云等统一身份认证（OpenID Connect）登录；issuer 留空为不接入。密钥宜用环境变量 YJ_SSO__CLIENT_SECRET 给出。
[sso]
issuer = ""
client_id = ""
client_secret = ""
label = "统一身份认证登录"
# 对方令牌声明使用了多因素（amr 含 mfa）时，是否可代替本平台的第二因素
trust_second_factor = false

# 设备数据（MQTT 5）。HTTP 一直可用；两项都留空即不用 MQTT。
[devices]
# 内嵌 MQTT 服务的监听地址，如 127.0.0.1:1883；对外须置于 TLS 终端之后，只有本机与 gateway 中的网络可以连接。
mqtt = ""
# 改用外部的 MQTT 5 服务：主机:端口。各节点以共享订阅分担。口令宜用环境变量 YJ_DEVICES__BROKER_PASSWORD 给出。
broker = ""
broker_user = ""
broker_password = ""

# 与其他系统的交换。EPCIS 订阅只投递到 https 的公网地址；这里列出的主机（可带端口）不受此限，如 ["erp.example.lan:8443"]。
[exchange]
callback_hosts = []

# 防篡改检查：每晚全面检查一次，平时每分钟抽样。见证方另行给的检查点（.txt）放入数据目录的 checkpoints 中，检查时以之为准。
[tamper]
# 全面检查开始的时刻（北京时间）
nightly_at = "02:30"

# 外部锚定：把存证链的检查点写到他人运行的网络上（EVM 链，或 FISCO BCOS 3.9 起的非国密链），见 docs/anchoring.md。url 留空为不锚定。
[anchor]
# 节点的 JSON-RPC 网址；含服务商密钥时宜用环境变量 YJ_ANCHOR__URL 给出
url = ""
# 链号（EIP-155）；与节点所答不同即不发送任何交易
chain_id = 0
# 锚定合约的地址，由 yuanjian anchor deploy 部署后填写
contract = ""
# 账户的密钥文件；留空为数据目录中的 keys/anchor.key，首次使用时生成，只有属主可读
key = ""
# 多少个区块之后视为确认；FISCO BCOS 为 1
confirmations = 12
# 每隔多少分钟锚定一次；存证链每增加多少区块也锚定一次，0 为不按区块
every_minutes = 60
every_blocks = 0
# 燃料价格上限（该网络最小币值）；0 为不限
gas_price_max = 0

[platform]
# 平台名称，显示在页眉、报告和接口中。
name = "重要产品追溯管理平台"
# 运营机构：政府部门或其授权的机构，必填。
operator = ""
# 采用哪部标准的用词：gbt38157（追溯）或 db61（溯源）。
profile = "gbt38157"
# 公众扫码所到的网址，打印在追溯码中。
public_url = "http://127.0.0.1:8080"
# 可以在自己的网页中嵌入公众查询（/embed.js、/embed/{码}）的网站，如 ["https://shop.example.cn"]；留空为都不可以。
embed_origins = []
"#;

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen.
    pub listen: String,
    /// Networks of the gateways in front of it.
    #[serde(default)]
    pub gateway: Vec<String>,
    /// Folder of ledger, keys and files.
    pub data: PathBuf,
    /// `postgres://…`; empty for the embedded engine.
    #[serde(default)]
    pub database: String,
    /// Codes of modules that are off.
    #[serde(default)]
    pub modules_off: Vec<String>,
    /// Level of the log.
    #[serde(default = "info")]
    pub log: String,
    /// How the platform calls itself.
    pub platform: PlatformConfig,
    /// Who may come in, and how.
    #[serde(default)]
    pub security: Security,
    /// An identity provider above us.
    #[serde(default)]
    pub sso: SingleSignOn,
    /// Where the root key lives.
    #[serde(default)]
    pub keys: KeysConfig,
    /// Where devices speak besides HTTP.
    #[serde(default)]
    pub devices: DevicesConfig,
    /// Exchange with other systems.
    #[serde(default)]
    pub exchange: ExchangeConfig,
    /// When the tamper audit looks at everything.
    #[serde(default)]
    pub tamper: TamperConfig,
    /// Where the ledger is written besides.
    #[serde(default)]
    pub anchor: AnchorConfig,
}

/// When the tamper audit looks at everything.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TamperConfig {
    /// `HH:MM` in China.
    pub nightly_at: String,
}

impl Default for TamperConfig {
    fn default() -> Self {
        Self { nightly_at: String::from("02:30") }
    }
}

impl TamperConfig {
    /// Minutes after midnight; otherwise what would be right.
    pub fn minute(&self) -> Result<u16, String> {
        let wrong = || format!("tamper.nightly_at 应为 时:分，如 02:30，现为 {}", self.nightly_at);
        let (hour, minute) = self.nightly_at.split_once(':').ok_or_else(wrong)?;
        let number = |text: &str, below: u16| {
            let sound = text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_digit());
            text.parse::<u16>().ok().filter(|number| sound && *number < below)
        };
        let (hour, minute) = number(hour, 24).zip(number(minute, 60)).ok_or_else(wrong)?;
        Ok(hour * 60 + minute)
    }
}

/// Where devices speak besides HTTP: at a broker of our own, or at one that others run.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DevicesConfig {
    /// Where the embedded broker listens; empty for none.
    pub mqtt: String,
    /// `host:port` of an external one; empty for none.
    pub broker: String,
    /// Name to log in with there.
    pub broker_user: String,
    /// Password to log in with there.
    pub broker_password: String,
}

impl std::fmt::Debug for DevicesConfig {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "DevicesConfig({}, {}, {})", self.mqtt, self.broker, self.broker_user)
    }
}

impl DevicesConfig {
    /// Where the embedded broker listens, if it does.
    pub fn listen(&self) -> Result<Option<std::net::SocketAddr>, String> {
        let wrong = |_| format!("devices.mqtt 应为 地址:端口，现为 {}", self.mqtt);
        (!self.mqtt.is_empty()).then(|| self.mqtt.parse().map_err(wrong)).transpose()
    }

    /// Host and port of the external broker, if there is one.
    pub fn external(&self) -> Result<Option<(String, u16)>, String> {
        if self.broker.is_empty() {
            return Ok(None);
        }
        let split = self.broker.rsplit_once(':');
        let found = split.and_then(|(host, port)| Some((String::from(host), port.parse().ok()?)));
        let wrong = || format!("devices.broker 应为 主机:端口，现为 {}", self.broker);
        found.filter(|(host, _)| !host.is_empty()).map(Some).ok_or_else(wrong)
    }
}

/// Exchange with other systems.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExchangeConfig {
    /// Hosts that subscribers may have though they are inside, or without TLS.
    pub callback_hosts: Vec<String>,
}

impl ExchangeConfig {
    /// Whom subscriptions may call.
    pub fn callbacks(&self) -> Callbacks {
        Callbacks { allowed_hosts: self.callback_hosts.clone() }
    }
}

/// Where the root key lives: a file of the data folder, or a cryptographic module.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeysConfig {
    /// The maker's PKCS#11 library; empty for a file.
    pub library: String,
    /// Label of the token.
    pub token: String,
    /// Label of the root key in it.
    pub key: String,
    /// PIN of the token's user.
    pub pin: String,
}

impl std::fmt::Debug for KeysConfig {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "KeysConfig({}, {}, {})", self.library, self.token, self.key)
    }
}

impl KeysConfig {
    /// Opens the module, where there is one.
    pub fn root_key(&self) -> Result<Option<Arc<dyn RootKey>>, String> {
        if self.library.is_empty() {
            return Ok(None);
        }
        let place = yj_hsm::Place {
            library: PathBuf::from(&self.library),
            token: self.token.clone(),
            key: self.key.clone(),
        };
        Ok(Some(Arc::new(yj_hsm::Pkcs11RootKey::open(&place, &self.pin)?)))
    }
}

/// How the platform calls itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformConfig {
    /// 平台名称
    pub name: String,
    /// 运营机构
    pub operator: String,
    /// `gbt38157` or `db61`
    pub profile: String,
    /// Where printed codes lead.
    pub public_url: String,
    /// In whose pages the page of a code may stand.
    #[serde(default)]
    pub embed_origins: Vec<String>,
}

impl PlatformConfig {
    /// In whose pages the page of a code may stand.
    pub fn embedders(&self) -> Result<Embedders, String> {
        Embedders::parse(&self.embed_origins)
    }
}

fn info() -> String {
    String::from("info")
}

impl Config {
    /// Reads a file and the environment over it.
    pub fn load(
        file: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, String> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("不能读取配置文件 {}：{error}", file.display()))?;
        Self::parse(&text, environment)
    }

    /// The same from a text.
    pub fn parse(
        text: &str,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, String> {
        let mut table: toml::Table =
            text.parse().map_err(|error| format!("配置文件不是有效的 TOML：{error}"))?;
        for (name, value) in environment {
            let Some(path) = name.strip_prefix("YJ_") else { continue };
            // Test switches share the prefix.
            if path.starts_with("TEST_") {
                continue;
            }
            set(&mut table, &path.to_lowercase().split("__").collect::<Vec<_>>(), value);
        }
        let config: Self = table.try_into().map_err(|error| format!("配置有误：{error}"))?;
        config.check()?;
        Ok(config)
    }

    /// The modules that are off.
    pub fn modules_off(&self) -> Result<Vec<Module>, String> {
        self.modules_off.iter().map(|code| Module::from_code(code)).collect()
    }

    fn check(&self) -> Result<(), String> {
        self.modules_off()?;
        if self.platform.operator.trim().is_empty() {
            return Err(String::from("platform.operator 必填：请写明运营机构（G-3.1）"));
        }
        if !matches!(self.platform.profile.as_str(), "gbt38157" | "db61") {
            return Err(format!(
                "platform.profile 应为 gbt38157 或 db61，现为 {}",
                self.platform.profile
            ));
        }
        let listen: std::net::SocketAddr = self
            .listen
            .parse()
            .map_err(|_| format!("listen 应为 地址:端口，现为 {}", self.listen))?;
        self.gateways()?;
        if !listen.ip().is_loopback() && self.gateway.is_empty() {
            return Err(format!(
                "对外监听 {listen} 须置于 TLS 终端之后：请在 gateway 写明其网络，或改为监听本机地址（S-50）"
            ));
        }
        if self.devices.listen()?.is_some_and(|listen| !listen.ip().is_loopback())
            && self.gateway.is_empty()
        {
            return Err(String::from(
                "devices.mqtt 对外监听须置于 TLS 终端之后：请在 gateway 写明其网络，或改为监听本机地址（S-50）",
            ));
        }
        self.devices.external()?;
        self.platform.embedders()?;
        self.anchor.check()?;
        if !matches!(self.log.as_str(), "error" | "warn" | "info" | "debug") {
            return Err(format!("log 应为 error、warn、info 或 debug，现为 {}", self.log));
        }
        if self.security.is_demonstration() {
            return Err(String::from("security.profile = demo 只用于 yuanjian demo"));
        }
        self.sso.check()?;
        self.security.check()
    }

    /// The gateways in front of the listener.
    pub fn gateways(&self) -> Result<Vec<yj_http::Network>, String> {
        let read = |text: &String| {
            yj_http::Network::parse(text)
                .ok_or_else(|| format!("gateway 应为 地址 或 地址/前缀长度，现有 {text}"))
        };
        self.gateway.iter().map(read).collect()
    }

    /// The database this configuration means.
    pub fn database_url(&self) -> String {
        if self.database.is_empty() {
            return format!("sqlite:{}", self.data.join("yuanjian.sqlite").display());
        }
        self.database.clone()
    }
}

fn set(table: &mut toml::Table, path: &[&str], value: String) {
    match path {
        [] => {}
        [key] => drop(table.insert(String::from(*key), typed(value))),
        [key, rest @ ..] => {
            let inner = table.entry(*key).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let toml::Value::Table(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}

/// A value of the environment as the file would hold it: numbers, lists in brackets, texts.
fn typed(value: String) -> toml::Value {
    let read = |text: &str| format!("value = {text}").parse::<toml::Table>().ok()?.remove("value");
    let plain = value.parse::<i64>().is_ok() || value.starts_with('[');
    let found = if plain { read(&value) } else { None };
    found.unwrap_or(toml::Value::String(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<Config, String> {
        let operator = ("YJ_PLATFORM__OPERATOR", "示例市市场监督管理局");
        let pairs = std::iter::once(&operator).chain(pairs);
        Config::parse(
            TEMPLATE,
            pairs.map(|(name, value)| (String::from(*name), String::from(*value))),
        )
    }

    #[test]
    fn the_template_needs_only_an_operator() {
        assert!(Config::parse(TEMPLATE, std::iter::empty()).unwrap_err().contains("operator"));
        let config = with(&[("YJ_LISTEN", "127.0.0.1:9000"), ("PATH", "/bin")]).unwrap();
        assert_eq!(config.listen, "127.0.0.1:9000");
        assert!(config.database_url().starts_with("sqlite:"));
    }

    #[test]
    fn unknown_keys_and_impossible_values_are_refused() {
        let short = with(&[("YJ_SECURITY__AUDIT_RETENTION_DAYS", "90")]).unwrap_err();
        assert!(short.contains("audit_retention_days"), "{short}");
        assert!(with(&[("YJ_SECURITY__PROFILE", "demo")]).is_err());
        let url = ("YJ_ANCHOR__URL", "http://127.0.0.1:8545/k7f3q9");
        let anchor = with(&[url]).unwrap_err();
        assert!(anchor.contains("anchor.chain_id") && !anchor.contains("k7f3q9"), "{anchor}");
        let of_chain = |more| with(&[url, ("YJ_ANCHOR__CHAIN_ID", "1"), more]);
        assert!(of_chain(("YJ_ANCHOR__CONTRACT", "0x12")).unwrap_err().contains("anchor.contract"));
        assert!(of_chain(("YJ_ANCHOR__CONFIRMATIONS", "0")).unwrap_err().contains("confirmations"));
        let sound = of_chain(("YJ_ANCHOR__CONTRACT", "0x00000000000000000000000000000000000000aa"));
        assert!(!format!("{:?}", sound.unwrap()).contains("k7f3q9"));
        assert!(with(&[("YJ_LISTNE", "x")]).unwrap_err().contains("listne"));
        let page = with(&[("YJ_PLATFORM__EMBED_ORIGINS", "[\"https://a.cn/x\"]")]).unwrap_err();
        assert!(page.contains("https://*.example.cn"), "{page}");
        assert!(with(&[("YJ_PLATFORM__PROFILE", "x")]).unwrap_err().contains("profile"));
        assert!(with(&[("YJ_LISTEN", "8080")]).unwrap_err().contains("listen"));
    }

    #[test]
    fn s_50_nobody_listens_to_the_world_without_a_gateway() {
        let open = ("YJ_LISTEN", "0.0.0.0:8080");
        assert!(with(&[open]).unwrap_err().contains("gateway"));
        assert!(with(&[open, ("YJ_GATEWAY", "[\"x\"]")]).unwrap_err().contains("gateway"));
        let mqtt = ("YJ_DEVICES__MQTT", "0.0.0.0:1883");
        assert!(with(&[mqtt]).unwrap_err().contains("devices.mqtt"));
        assert!(with(&[("YJ_DEVICES__MQTT", "1883x")]).is_err());
        assert!(with(&[("YJ_DEVICES__BROKER", "broker")]).unwrap_err().contains("主机:端口"));
        let outside = with(&[("YJ_DEVICES__BROKER", "10.0.0.9:1883")]).unwrap();
        assert_eq!(outside.devices.external().unwrap(), Some((String::from("10.0.0.9"), 1883)));
        let behind = with(&[open, ("YJ_GATEWAY", "[\"10.0.0.0/24\"]")]).unwrap();
        assert_eq!(behind.gateways().unwrap().len(), 1);
    }
}
