//! 接口客户端 (§5.4.2 b, S-38, S-49): applications and enterprise systems. A client proves itself by
//! OAuth 2.0 client credentials or by signing each request (RFC 9421); its rights are those of the
//! service account behind it.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use serde_json::json;
use yj_crypto::{PublicKey, equal_in_constant_time, from_hex, sm3, to_hex};
use yj_kernel::{
    ActorKind, App, Changed, Columns, Credentials, Ctx, Field, Kind, Match, Principal, Problem,
    Resource, Result, Row, Scoping, Sql, Tx, audit,
};
use yj_model::Id;

use crate::{Account, Identity, rights, settings::Network, signature, tokens::Tokens};

/// 认证方式
const METHODS: &[(&str, &str)] = &[
    ("oauth", "OAuth 2.0 客户端凭据"),
    ("hmac-sm3", "请求签名 HMAC-SM3"),
    ("sm2-sm3", "请求签名 SM2"),
];
const STATES: &[(&str, &str)] = &[("active", "正常"), ("revoked", "已吊销")];
/// 批准情况: whoever makes a client or a secret knows how to come in; the security administrator
/// says that it may.
const APPROVALS: &[(&str, &str)] =
    &[("waiting", "待批准"), ("secret_waiting", "新密钥待批准"), ("approved", "已批准")];

/// 接口客户端
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// 客户端标识
    pub client_id: String,
    /// 名称
    pub name: String,
    /// 服务账号
    pub account_id: Id<Account>,
    /// Place of the service account's organisation.
    pub account_path: Option<String>,
    /// 认证方式
    pub method: String,
    /// SM2 公钥
    pub public_key: Option<String>,
    /// 来源网络
    pub networks: Option<String>,
    /// 每分钟请求数
    pub quota_per_minute: i64,
    /// 有效期至
    pub valid_until: Option<String>,
    /// 状态
    pub state: Option<String>,
    /// 批准情况
    pub approval: Option<String>,
}

fn client_id(text: &str) -> Result<String, String> {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (3..=40).contains(&text.len()) && text.bytes().all(sound) {
        Ok(String::from(text))
    } else {
        Err(String::from("应为 3 至 40 位小写字母、数字或 -"))
    }
}

fn public_key(text: &str) -> Result<String, String> {
    let text = text.to_lowercase();
    let bytes = from_hex::<65>(&text).ok_or("应为 130 位十六进制的未压缩 SM2 公钥（04 开头）")?;
    PublicKey::from_bytes(&bytes).map_err(|error| error.to_string())?;
    Ok(text)
}

fn networks(text: &str) -> Result<String, String> {
    let mut found = Vec::new();
    for part in text.split([',', '，', ' ', '\n']).filter(|part| !part.is_empty()) {
        Network::parse(part).ok_or_else(|| format!("{part} 不是 地址 或 地址/前缀长度"))?;
        found.push(part);
    }
    Ok(found.join(","))
}

const QUOTA_MAX: i64 = 600_000;

impl Resource for Client {
    const TABLE: &'static str = "client";
    const TITLE: &'static str = "接口客户端";
    const SCOPING: Scoping =
        Scoping::By(Columns { organization: Some("account_path"), ..Columns::NONE });
    const REMOVABLE: bool = false;
    const FIELDS: &'static [Field] = &[
        Field::new("client_id", "客户端标识", Kind::Text)
            .checked(client_id)
            .filter(Match::Exact)
            .sortable()
            .hint("建立后不能更改"),
        Field::new("name", "名称", Kind::Text).length_max(60).filter(Match::Contains),
        Field::new("account_id", "服务账号", Kind::Id("account")).filter(Match::Exact),
        Field::new("account_path", "机构路径", Kind::Text)
            .length_max(400)
            .computed()
            .hint("由平台生成"),
        Field::new("method", "认证方式", Kind::Code(METHODS)).filter(Match::Exact),
        Field::new("public_key", "SM2 公钥", Kind::Text)
            .checked(public_key)
            .optional()
            .hint("认证方式为 SM2 时必填，130 位十六进制"),
        Field::new("networks", "来源网络", Kind::Text)
            .checked(networks)
            .length_max(1000)
            .optional()
            .hint("逗号分隔，如 203.0.113.0/24；留空为不限"),
        Field::new("quota_per_minute", "每分钟请求数", Kind::Int),
        Field::new("valid_until", "有效期至", Kind::Date).optional(),
        Field::new("state", "状态", Kind::Code(STATES))
            .filter(Match::Exact)
            .computed()
            .hint("由吊销操作改变"),
        Field::new("approval", "批准情况", Kind::Code(APPROVALS))
            .filter(Match::Exact)
            .computed()
            .hint("新客户端、新密钥和新公钥须经安全管理员批准"),
    ];

    async fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        if !(1..=QUOTA_MAX).contains(&self.quota_per_minute) {
            return Err(Problem::invalid("quota_per_minute", format!("应为 1 至 {QUOTA_MAX}")));
        }
        let sql = Sql::new("SELECT organization_path, kind FROM account WHERE id = $1");
        let row = tx.fetch_one(sql.arg(self.account_id)).await?.ok_or_else(crate::missing)?;
        crate::require_reach(ctx, row.text(0)?, crate::missing)?;
        if row.text(1)? != "service" {
            return Err(Problem::invalid("account_id", "应为服务账号，人员不能用接口客户端登录"));
        }
        if (self.method == "sm2-sm3") != self.public_key.is_some() {
            return Err(Problem::invalid("public_key", "认证方式为 SM2 时填写公钥，其他方式留空"));
        }
        self.account_path = Some(String::from(row.text(0)?));
        self.state.get_or_insert_with(|| String::from("active"));
        self.approval = Some(self.approval_after(ctx, tx).await?);
        Ok(())
    }

    async fn follow(_: &Ctx, tx: &mut Tx, change: &Changed<'_, Self>) -> Result<()> {
        rights::changed(tx);
        let fixed = |field, detail| Err(Problem::invalid(field, detail));
        match (change.before, change.after) {
            (None, Some(after)) if after.state.as_deref() != Some("active") => {
                fixed("state", "新客户端应为正常状态")
            }
            (Some(before), Some(after)) if before.client_id != after.client_id => {
                fixed("client_id", "客户端标识建立后不能更改")
            }
            (Some(before), Some(after)) if before.account_id != after.account_id => {
                fixed("account_id", "服务账号建立后不能更改")
            }
            (Some(before), Some(after)) if before.state != after.state => {
                fixed("state", "请使用吊销操作")
            }
            _ => Ok(()),
        }
    }

    fn sample(n: u32) -> Self {
        Self {
            client_id: format!("sample-{n}"),
            name: format!("示例客户端{n}"),
            account_id: Id::from_parts(1, u128::from(n)),
            account_path: None,
            method: String::from("oauth"),
            public_key: None,
            networks: None,
            quota_per_minute: 600,
            valid_until: None,
            state: None,
            approval: None,
        }
    }
}

impl Client {
    /// Another way in waits for somebody's word; everything else leaves it as it is.
    async fn approval_after(&self, ctx: &Ctx, tx: &mut Tx) -> Result<String> {
        if ctx.principal().kind == ActorKind::Platform {
            return Ok(String::from("approved"));
        }
        let sql = Sql::new("SELECT approval, method, public_key FROM client WHERE client_id = $1");
        match tx.fetch_one(sql.arg(self.client_id.as_str())).await? {
            Some(row)
                if row.text(1)? == self.method
                    && row.text_opt(2)? == self.public_key.as_deref() =>
            {
                Ok(String::from(row.text(0)?))
            }
            _ => Ok(String::from("waiting")),
        }
    }
}

/// A replaced secret still works for this long, so that systems can be changed one by one.
const OVERLAP_MS: i64 = 24 * 3_600_000;
/// With what the name of a client begins where others name their session.
pub(crate) const SESSION: &str = "client:";
/// How long an access token lives.
const TOKEN_MS: i64 = 15 * 60_000;

/// Makes a new secret for a client; older ones end within a day, or at once. Returns it, for the
/// only time.
pub async fn new_secret(
    ctx: &Ctx,
    tx: &mut Tx,
    (client_id, at_once): (&str, bool),
) -> Result<String> {
    let app = ctx.app();
    let secret = format!("{:032x}{:032x}", app.random(), app.random());
    // One that nobody has approved yet is forgotten with the next.
    let void = Sql::new("DELETE FROM client_secret WHERE client_id = $1 AND approved = 0");
    tx.execute(void.arg(client_id)).await?;
    let approved = ctx.principal().kind == ActorKind::Platform;
    if at_once || approved {
        let ends = if at_once { ctx.now_ms() } else { ctx.now_ms() + OVERLAP_MS };
        end_secrets(tx, client_id, ends).await?;
    }
    if !approved {
        let sql = Sql::new(
            "UPDATE client SET approval = 'secret_waiting', version = version + 1, \
             updated_at = $1, updated_by = $2 WHERE client_id = $3 AND approval = 'approved'",
        );
        tx.execute(sql.arg(ctx.now_ms()).arg(ctx.actor()).arg(client_id)).await?;
    }
    let sealed = app.vault().seal_secret(app, &format!("client.{client_id}"), secret.as_bytes())?;
    let sql = Sql::new(
        "INSERT INTO client_secret (id, client_id, secret, created_at, approved) \
         VALUES ($1, $2, $3, $4, $5)",
    );
    let sql = sql.arg(ctx.new_id::<()>()).arg(client_id).arg(sealed).arg(ctx.now_ms());
    tx.execute(sql.arg(approved)).await?;
    let body = json!({ "client_id": client_id, "old_ends_at_once": at_once });
    audit::write(
        ctx,
        tx,
        audit::Entry { action: "secret_made", entity: "client", record: client_id, body },
    );
    Ok(secret)
}

async fn end_secrets(tx: &mut Tx, client_id: &str, at: i64) -> Result<()> {
    let sql = Sql::new(
        "UPDATE client_secret SET expires_at = $1 \
         WHERE client_id = $2 AND approved = 1 AND (expires_at IS NULL OR expires_at > $1)",
    );
    tx.execute(sql.arg(at).arg(client_id)).await.map(drop)
}

/// Lets a client, and the secret that was made for it last, come in.
pub(crate) async fn approve(ctx: &Ctx, tx: &mut Tx, client_id: &str) -> Result<()> {
    let sql = Sql::new(
        "UPDATE client SET approval = 'approved', version = version + 1, updated_at = $1, \
         updated_by = $2 WHERE client_id = $3 AND approval <> 'approved'",
    );
    if tx.execute(sql.arg(ctx.now_ms()).arg(ctx.actor()).arg(client_id)).await? == 0 {
        return Err(Problem::Conflict(String::from("该客户端没有待批准的事项")));
    }
    let waits = Sql::new("SELECT 1 FROM client_secret WHERE client_id = $1 AND approved = 0");
    if tx.fetch_one(waits.arg(client_id)).await?.is_some() {
        end_secrets(tx, client_id, ctx.now_ms() + OVERLAP_MS).await?;
        let sql = Sql::new("UPDATE client_secret SET approved = 1 WHERE client_id = $1");
        tx.execute(sql.arg(client_id)).await?;
    }
    rights::changed(tx);
    let entry =
        audit::Entry { action: "approved", entity: "client", record: client_id, body: json!({}) };
    audit::write(ctx, tx, entry);
    Ok(())
}

/// Ends a client for ever: its tokens and secrets stop working with this transaction.
pub(crate) async fn revoke(ctx: &Ctx, tx: &mut Tx, client_id: &str) -> Result<()> {
    for table in ["access_token", "client_secret"] {
        let mut sql = Sql::new("DELETE FROM ");
        sql.push(table).push(" WHERE client_id = ").bind(client_id);
        tx.execute(sql).await?;
    }
    let sql = Sql::new(
        "UPDATE client SET state = 'revoked', version = version + 1, updated_at = $1, \
         updated_by = $2 WHERE client_id = $3",
    );
    tx.execute(sql.arg(ctx.now_ms()).arg(ctx.actor()).arg(client_id)).await?;
    rights::changed(tx);
    let entry =
        audit::Entry { action: "revoked", entity: "client", record: client_id, body: json!({}) };
    audit::write(ctx, tx, entry);
    Ok(())
}

/// What is stored of a client that may come in now.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) client_id: String,
    pub(crate) account: String,
    pub(crate) method: String,
    pub(crate) public_key: Option<String>,
    networks: Option<String>,
    quota: i64,
    epoch: i64,
}

const CLIENT: &str = "SELECT c.client_id, c.account_id, c.method, c.public_key, c.networks, \
    c.quota_per_minute, e.value";
const OF_CLIENT: &str = " FROM client c JOIN access_epoch e ON e.id = 1 ";

/// Appends that a client may come in now.
fn admissible<'s>(sql: &'s mut Sql, app: &App) -> &'s mut Sql {
    let today = app.now().to_zoned(jiff::tz::Offset::constant(8).to_time_zone()).date();
    sql.push(" c.state = 'active' AND c.approval <> 'waiting'");
    sql.push(" AND (c.valid_until IS NULL OR c.valid_until >= ").bind(today.to_string()).push(")")
}

pub(crate) async fn find(app: &App, tx: &mut Tx, client_id: &str) -> Result<Option<Stored>> {
    let mut sql = Sql::new(CLIENT);
    sql.push(OF_CLIENT).push("WHERE");
    admissible(&mut sql, app).push(" AND c.client_id = ").bind(client_id);
    tx.fetch_one(sql).await?.as_ref().map(Stored::read).transpose()
}

/// Where access tokens are looked up.
pub(crate) fn tokens() -> Tokens<Stored> {
    let query = |app: &App, digests: &[&str]| {
        let mut sql = Sql::new(CLIENT);
        sql.push(", t.token_digest").push(OF_CLIENT);
        sql.push("JOIN access_token t ON t.client_id = c.client_id WHERE");
        admissible(&mut sql, app).push(" AND t.expires_at > ").bind(app.now().as_millisecond());
        sql.push(" AND t.token_digest ").bind_texts(digests.iter().copied());
        sql
    };
    let read = |row: &Row| Ok((String::from(row.text(7)?), Stored::read(row)?));
    Tokens::new("访问令牌暂不能核对，请稍后重试", query, read)
}

/// The live secrets of a client, newest first.
pub(crate) async fn secrets(
    app: &App,
    tx: &mut Tx,
    client_id: &str,
) -> Result<Vec<zeroize::Zeroizing<Vec<u8>>>> {
    let sql = Sql::new(
        "SELECT secret FROM client_secret \
         WHERE client_id = $1 AND approved = 1 AND (expires_at IS NULL OR expires_at > $2) \
         ORDER BY id DESC LIMIT 4",
    );
    let rows = tx.fetch(sql.arg(client_id).arg(app.now().as_millisecond())).await?;
    let place = format!("client.{client_id}");
    rows.iter().map(|row| app.vault().open_secret(&place, row.text(0)?)).collect()
}

fn token_digest(token: &str) -> String {
    to_hex(&sm3::parts(&[b"YJ/access-token\0", token.as_bytes()]))
}

/// Requests of each client in the running minute, on this node.
#[derive(Default)]
pub(crate) struct Quotas(Mutex<HashMap<String, (i64, i64)>>);

impl Quotas {
    fn take(&self, client: &Stored, now_ms: i64) -> Result<()> {
        let minute = now_ms / 60_000;
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, count) = used.entry(client.client_id.clone()).or_insert((minute, 0));
        if *at != minute {
            (*at, *count) = (minute, 0);
        }
        *count += 1;
        if *count > client.quota {
            return Err(Problem::TooMany(format!("超过每分钟 {} 次的配额", client.quota)));
        }
        Ok(())
    }
}

impl Stored {
    fn read(row: &Row) -> Result<Self> {
        let text = |index| Ok::<_, Problem>(row.text_opt(index)?.map(String::from));
        Ok(Self {
            client_id: String::from(row.text(0)?),
            account: String::from(row.text(1)?),
            method: String::from(row.text(2)?),
            public_key: text(3)?,
            networks: text(4)?,
            quota: row.int(5)?,
            epoch: row.int(6)?,
        })
    }

    /// Whether it may come from there; requests inside the process have no address.
    fn allows(&self, address: Option<IpAddr>) -> bool {
        self.networks.as_deref().is_none_or(|networks| {
            address.is_none_or(|address| {
                let mut all = networks.split(',').filter_map(Network::parse);
                all.any(|network| network.contains(address))
            })
        })
    }
}

fn outside() -> Problem {
    Problem::Forbidden(String::from("来源地址不在该客户端允许的网络之内"))
}

/// A client that has proved itself becomes a principal with its account's rights.
async fn admit(
    identity: &Identity,
    app: &App,
    (client, address): (&Stored, Option<IpAddr>),
) -> Result<Option<Principal>> {
    if !client.allows(address) {
        return Err(outside());
    }
    identity.quotas().take(client, app.now().as_millisecond())?;
    let at = (client.account.as_str(), client.epoch);
    let Some(known) = identity.memory().now(app, at).await? else { return Ok(None) };
    if known.usable(identity.settings(), app.now()).is_err() {
        return Ok(None);
    }
    let mut principal = known.principal.clone();
    principal.session = format!("{SESSION}{}", client.client_id);
    Ok(Some(principal))
}

/// Who is behind an access token.
pub(crate) async fn by_token(
    identity: &Identity,
    app: &App,
    (token, credentials): (&str, Credentials<'_>),
) -> Result<Option<Principal>> {
    let client = identity.access_tokens().find(app, token_digest(token)).await?;
    let Some(client) = client else { return Ok(None) };
    admit(identity, app, (&client, credentials.origin.address)).await
}

/// Whether a client that came in some time ago may still come in from there. That it has proved
/// itself once is enough: a token or a signature is short-lived by itself.
pub(crate) async fn lasts(app: &App, client_id: &str, address: Option<IpAddr>) -> Result<bool> {
    let mut tx = app.db().snapshot().await?;
    Ok(find(app, &mut tx, client_id).await?.is_some_and(|client| client.allows(address)))
}

fn unknown() -> Problem {
    Problem::Signature(String::from("签名不符，或客户端不存在、未批准、已吊销或已过期"))
}

/// Whether a request that says to be signed comes from a client that may come in from there.
pub(crate) async fn expects(app: &App, credentials: Credentials<'_>) -> Result<()> {
    let key_id = signature::key_id(credentials)?;
    let mut tx = app.db().snapshot().await?;
    let client = find(app, &mut tx, &key_id).await?.ok_or_else(unknown)?;
    if client.allows(credentials.origin.address) { Ok(()) } else { Err(outside()) }
}

/// Who has signed this request.
pub(crate) async fn by_signature(
    identity: &Identity,
    app: &App,
    credentials: Credentials<'_>,
) -> Result<Option<Principal>> {
    let mut tx = app.db().snapshot().await?;
    let signed = signature::read(credentials, &app.platform().public_url)?;
    let client = find(app, &mut tx, &signed.key_id).await?.ok_or_else(unknown)?;
    if client.method != signed.algorithm {
        return Err(unknown());
    }
    let age = app.now().as_second() - signed.created;
    if age.abs() > signature::WINDOW_S {
        return Err(Problem::Signature(format!(
            "签名时间与平台时间相差 {} 秒，应在 {} 秒之内",
            age.abs(),
            signature::WINDOW_S
        )));
    }
    let right = match client.method.as_str() {
        "sm2-sm3" => {
            let key = client.public_key.as_deref().and_then(from_hex::<65>);
            let key = key.and_then(|bytes| PublicKey::from_bytes(&bytes).ok());
            let given: Option<[u8; 64]> = signed.signature.as_slice().try_into().ok();
            match (key, given) {
                (Some(key), Some(given)) => key.verify(signed.base.as_bytes(), &given).is_ok(),
                _ => false,
            }
        }
        "hmac-sm3" => secrets(app, &mut tx, &client.client_id).await?.iter().any(|secret| {
            let mac = sm3::hmac(secret, signed.base.as_bytes());
            equal_in_constant_time(&mac, &signed.signature)
        }),
        _ => false,
    };
    if !right {
        identity.note_bad_signature(app, &client.client_id).await;
        return Err(unknown());
    }
    drop(tx);
    let principal = admit(identity, app, (&client, credentials.origin.address)).await?;
    signature::use_up(app, &client.client_id, &signed).await?;
    Ok(principal)
}

/// RFC 6749 §4.4: an access token for a client that shows its secret.
pub(crate) async fn grant_token(
    identity: &Identity,
    app: &App,
    (client_id, secret, address): (&str, &str, Option<IpAddr>),
) -> Result<String> {
    identity.throttle().take(address, app.now().as_millisecond())?;
    let refused = || Problem::LoginRefused(String::from("客户端标识或密钥不正确"));
    let mut tx = app.db().snapshot().await?;
    let client = find(app, &mut tx, client_id).await?.filter(|client| client.method == "oauth");
    let client = client.ok_or_else(refused)?;
    let known = secrets(app, &mut tx, client_id).await?;
    drop(tx);
    if !known.iter().any(|known| equal_in_constant_time(known, secret.as_bytes())) {
        identity.note_bad_signature(app, client_id).await;
        return Err(refused());
    }
    admit(identity, app, (&client, address)).await?.ok_or_else(refused)?;
    let token = format!("{:032x}{:032x}", app.random(), app.random());
    let ctx = app.on_own_behalf("oauth");
    let mut tx = ctx.begin().await?;
    let now = ctx.now_ms();
    tx.later([Sql::new("DELETE FROM access_token WHERE expires_at < $1").arg(now)]);
    let sql = Sql::new(
        "INSERT INTO access_token (token_digest, client_id, account_id, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5)",
    );
    let sql = sql.arg(token_digest(&token)).arg(client_id).arg(client.account.as_str());
    tx.later([sql.arg(now).arg(now + TOKEN_MS)]);
    let record = client.account.as_str();
    let body = json!({ "client_id": client_id });
    audit::write(
        &ctx,
        &mut tx,
        audit::Entry { action: "token_granted", entity: "account", record, body },
    );
    tx.commit().await?;
    Ok(token)
}

/// Seconds an access token lives, as the token endpoint says.
pub(crate) const TOKEN_S: i64 = TOKEN_MS / 1_000;
