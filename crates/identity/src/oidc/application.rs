//! 接入应用: applications that people open without logging in again.

use serde::{Deserialize, Serialize};
use serde_json::json;
use yj_kernel::{
    Changed, Ctx, Field, Kind, Match, Problem, Resource, Result, Scoping, Sql, Tx, audit,
};

/// 接入应用
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// 应用标识
    pub client_id: String,
    /// 应用名称
    pub name: String,
    /// 回调地址
    pub redirect_uris: String,
    /// 退出后返回地址
    pub post_logout_uris: Option<String>,
    /// 后台退出通知地址
    pub backchannel_logout_uri: Option<String>,
    /// 状态
    pub state: Option<String>,
}

const STATES: &[(&str, &str)] = &[("active", "正常"), ("revoked", "已停用")];

fn client_id(text: &str) -> Result<String, String> {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (3..=40).contains(&text.len()) && text.bytes().all(sound) {
        Ok(String::from(text))
    } else {
        Err(String::from("应为 3 至 40 位小写字母、数字或 -"))
    }
}

/// An address is compared to the letter, so it must be plain: no fragment, no white space, TLS
/// unless it stays on this machine.
fn address(text: &str) -> Result<&str, String> {
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let local = local.iter().any(|start| {
        text.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    });
    let sound =
        text.is_ascii() && !text.contains(['#', '"', '<', '>', '\\']) && !text.contains('@');
    if sound && (local || text.starts_with("https://")) {
        Ok(text)
    } else {
        Err(format!("{text} 应为 https 地址（本机可用 http），不含 # 和用户信息"))
    }
}

fn addresses(text: &str) -> Result<String, String> {
    let all: Result<Vec<_>, _> = text.split_whitespace().map(address).collect();
    Ok(all?.join("\n"))
}

fn one_address(text: &str) -> Result<String, String> {
    address(text.trim()).map(String::from)
}

impl Resource for Application {
    const TABLE: &'static str = "application";
    const TITLE: &'static str = "接入应用";
    const SCOPING: Scoping = Scoping::Shared;
    const REMOVABLE: bool = false;
    const FIELDS: &'static [Field] = &[
        Field::new("client_id", "应用标识", Kind::Text)
            .checked(client_id)
            .filter(Match::Exact)
            .sortable()
            .hint("建立后不能更改"),
        Field::new("name", "应用名称", Kind::Text).length_max(60).filter(Match::Contains),
        Field::new("redirect_uris", "回调地址", Kind::Text)
            .checked(addresses)
            .length_max(2000)
            .hint("逐字比对；多个以空格分隔"),
        Field::new("post_logout_uris", "退出后返回地址", Kind::Text)
            .checked(addresses)
            .length_max(2000)
            .optional(),
        Field::new("backchannel_logout_uri", "后台退出通知地址", Kind::Text)
            .checked(one_address)
            .length_max(500)
            .optional()
            .hint("会话结束时由平台通知，应用据此退出"),
        Field::new("state", "状态", Kind::Code(STATES)).filter(Match::Exact).optional(),
    ];

    async fn check(&mut self, _: &Ctx, _: &mut Tx) -> Result<()> {
        self.state.get_or_insert_with(|| String::from("active"));
        Ok(())
    }

    async fn follow(_: &Ctx, _: &mut Tx, change: &Changed<'_, Self>) -> Result<()> {
        match (change.before, change.after) {
            (Some(before), Some(after)) if before.client_id != after.client_id => {
                Err(Problem::invalid("client_id", "应用标识建立后不能更改"))
            }
            _ => Ok(()),
        }
    }

    fn sample(n: u32) -> Self {
        Self {
            client_id: format!("sample-app-{n}"),
            name: format!("示例应用{n}"),
            redirect_uris: String::from("https://app.example.cn/callback"),
            post_logout_uris: None,
            backchannel_logout_uri: None,
            state: None,
        }
    }
}

/// Makes a secret for an application, replacing the one before. Returned this once.
pub(crate) async fn new_secret(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<(String, String)> {
    let sql = Sql::new("SELECT client_id FROM application WHERE id = $1 AND state = 'active'");
    let row = tx.fetch_one(sql.arg(id)).await?.ok_or(Problem::NotFound("接入应用"))?;
    let client_id = String::from(row.text(0)?);
    let (app, secret) = (ctx.app(), super::secret(ctx.app()));
    let sealed =
        app.vault().seal_secret(app, &format!("application.{client_id}"), secret.as_bytes())?;
    let sql = Sql::new("UPDATE application SET secret = $1 WHERE id = $2");
    tx.execute(sql.arg(sealed).arg(id)).await?;
    let entry = audit::Entry {
        action: "secret_made",
        entity: "application",
        record: id,
        body: json!({ "client_id": client_id }),
    };
    audit::write(ctx, tx, entry);
    Ok((client_id, secret))
}

/// What is stored of an application that is connected now.
pub(crate) struct Connected {
    pub(crate) client_id: String,
    redirect_uris: String,
    post_logout_uris: String,
    pub(crate) backchannel_logout_uri: Option<String>,
    secret: Option<String>,
}

impl Connected {
    /// Addresses are compared letter by letter (RFC 9700 §2.1).
    pub(crate) fn may_return_to(&self, uri: &str) -> bool {
        self.redirect_uris.split('\n').any(|known| known == uri)
    }

    pub(crate) fn may_leave_to(&self, uri: &str) -> bool {
        self.post_logout_uris.split('\n').any(|known| known == uri)
    }

    /// Whether the application must show a secret, and this is it.
    pub(crate) fn proves(&self, app: &yj_kernel::App, given: Option<&str>) -> Result<bool> {
        let Some(sealed) = &self.secret else { return Ok(true) };
        let known = app.vault().open_secret(&format!("application.{}", self.client_id), sealed)?;
        Ok(given.is_some_and(|given| yj_crypto::equal_in_constant_time(&known, given.as_bytes())))
    }
}

pub(crate) async fn find(tx: &mut Tx, client_id: &str) -> Result<Option<Connected>> {
    let sql = Sql::new(
        "SELECT client_id, redirect_uris, post_logout_uris, backchannel_logout_uri, secret \
         FROM application WHERE client_id = $1 AND state = 'active'",
    );
    let Some(row) = tx.fetch_one(sql.arg(client_id)).await? else { return Ok(None) };
    let text = |index| Ok::<_, Problem>(row.text_opt(index)?.map(String::from));
    Ok(Some(Connected {
        client_id: String::from(row.text(0)?),
        redirect_uris: String::from(row.text(1)?),
        post_logout_uris: text(2)?.unwrap_or_default(),
        backchannel_logout_uri: text(3)?,
        secret: text(4)?,
    }))
}
