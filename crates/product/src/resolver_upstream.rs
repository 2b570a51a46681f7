//! 上级解析 (G-5.4.4): who is asked for identifiers that this platform does not answer for.

use serde::{Deserialize, Serialize};
use yj_kernel::{Ctx, Field, Kind, Match, Problem, Resource, Result, Row, Scoping, Sql, Tx};
use yj_model::{Recognised, SCHEMES};

/// 上级解析
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolverUpstream {
    /// 名称
    pub name: String,
    /// 编码体系
    pub scheme: String,
    /// What an identifier begins with in its one form; none for all of the scheme.
    pub prefix: Option<String>,
    /// 解析地址, with `{id}` or `{path}` where the identifier goes.
    pub address: String,
    /// 是否启用
    pub in_use: bool,
}

fn address(text: &str) -> Result<String, String> {
    let wrong = || {
        String::from(
            "应为 https:// 或 http:// 开头的地址，以 {id} 或 {path} 标明标识的位置，如 https://id.example.cn/resolve?id={id}",
        )
    };
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.ok_or_else(wrong)?.split(['/', '?', '#', '{']).next().unwrap_or_default();
    let sound = !host.is_empty()
        && !host.contains('@')
        && (text.matches("{id}").count() + text.matches("{path}").count()) == 1
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\`".contains(&byte));
    if sound { Ok(String::from(text)) } else { Err(wrong()) }
}

impl Resource for ResolverUpstream {
    const TABLE: &'static str = "resolver_upstream";
    const TITLE: &'static str = "上级解析";
    const SCOPING: Scoping = Scoping::Shared;
    const FIELDS: &'static [Field] = &[
        Field::new("name", "名称", Kind::Text).length_max(60).filter(Match::Contains),
        Field::new("scheme", "编码体系", Kind::Code(SCHEMES)).filter(Match::Exact).sortable(),
        Field::new("prefix", "标识前缀", Kind::Text)
            .length_max(64)
            .filter(Match::Prefix)
            .optional()
            .hint("如 88.100 或 /01/0690；不填为此编码体系的全部标识，最长的前缀优先"),
        Field::new("address", "解析地址", Kind::Text)
            .length_max(300)
            .checked(address)
            .hint("以 {id} 标明标识的位置；GS1 可用 {path} 代替，如 https://id.gs1.org{path}"),
        Field::new("in_use", "是否启用", Kind::Bool).filter(Match::Exact),
    ];

    /// The platform asks nobody who is itself.
    async fn check(&mut self, ctx: &Ctx, _: &mut Tx) -> Result<()> {
        let own = host(&ctx.app().platform().public_url);
        if own.is_some() && host(&self.address) == own {
            let detail = "上级解析不能是本平台自己的地址";
            return Err(Problem::invalid("address", detail));
        }
        Ok(())
    }

    fn sample(n: u32) -> Self {
        Self {
            name: format!("示例解析{n}"),
            scheme: String::from("handle"),
            prefix: Some(format!("88.{n}.")),
            address: String::from("https://id.example.cn/resolve?id={id}"),
            in_use: true,
        }
    }
}

/// Host and port of an address.
pub fn host(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    rest.split(['/', '?', '#', '{']).next().filter(|host| !host.is_empty())
}

/// The address at which an identifier is asked for further up, if there is any: that of the
/// longest prefix.
pub async fn upstream_of(tx: &mut Tx, reading: Option<&Recognised>) -> Result<Option<String>> {
    let (scheme, canonical) =
        reading.map_or(("", ""), |one| (one.scheme.code(), one.canonical.as_str()));
    let sql = Sql::new(
        "SELECT prefix, address FROM resolver_upstream WHERE scheme = $1 AND in_use = 1 \
         ORDER BY prefix LIMIT 1000",
    );
    let rows = tx.fetch(sql.arg(scheme)).await?;
    let fits = |row: &&Row| {
        let prefix = row.text_opt(0).ok().flatten().unwrap_or_default();
        canonical.starts_with(prefix)
    };
    let length = |row: &&Row| row.text_opt(0).ok().flatten().map_or(0, str::len);
    let found = rows.iter().filter(fits).max_by_key(length);
    let Some(row) = found else { return Ok(None) };
    let escaped: String = form_urlencoded::byte_serialize(canonical.as_bytes()).collect();
    Ok(Some(row.text(1)?.replace("{id}", &escaped).replace("{path}", canonical)))
}

#[cfg(test)]
mod tests {
    use super::{address, host};

    #[test]
    fn an_address_says_where_the_identifier_goes() {
        assert!(address("https://id.example.cn/resolve?id={id}").is_ok());
        assert!(address("https://id.gs1.org{path}").is_ok());
        for wrong in
            ["https://id.example.cn/", "ftp://a/{id}", "https://a/{id}{path}", "https:///{id}"]
        {
            assert!(address(wrong).is_err(), "{wrong}");
        }
        assert_eq!(host("http://127.0.0.1:80/{id}"), Some("127.0.0.1:80"));
    }
}
