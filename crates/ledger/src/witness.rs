//! 见证方 (G-10.4): whose countersignatures under the log the platform takes.

use serde::{Deserialize, Serialize};
use yj_kernel::{Ctx, Entity, Field, Kind, Match, Problem, Resource, Result, Scoping, Sql, Tx};
use yj_proof::{NoteKey, NoteKind};

/// The register of witnesses.
pub static LEDGER_WITNESS: &Entity = Entity::of::<LedgerWitness>();

/// How long a witness may stay behind where its registration says nothing, in minutes.
pub(crate) const LAG_DEFAULT: i64 = 60;
/// A week.
const LAG_MAX: i64 = 10_080;
/// Witnesses in use at most: each is one line of a note.
const ACTIVE_MAX: i64 = 50;

/// 见证方
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerWitness {
    /// 见证机构
    pub organization: String,
    /// 见证公钥, as `yuanjian witness` prints it.
    pub verifier_key: String,
    /// 公布地址: where it shows its own notes and evidence.
    pub address: Option<String>,
    /// 起始日期
    pub since: String,
    /// 见证时限, in minutes.
    pub lag_minutes: Option<i64>,
    /// 是否启用
    pub active: bool,
}

fn verifier_key(text: &str) -> Result<String, String> {
    let wrong = "应为见证程序打印的公钥，形如 名称+8 位十六进制+Base64";
    let key: NoteKey = text.parse().map_err(|_| String::from(wrong))?;
    if key.kind() == NoteKind::Witness {
        return Ok(key.to_string());
    }
    Err(String::from("这是日志自己的公钥；应为见证程序打印的公钥"))
}

fn address(text: &str) -> Result<String, String> {
    let wrong =
        || String::from("应为 https:// 或 http:// 开头的地址，如 https://witness.example.cn");
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.ok_or_else(wrong)?.split(['/', '?', '#']).next().unwrap_or_default();
    let sound = !host.is_empty()
        && !host.contains('@')
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\`".contains(&byte));
    if sound { Ok(String::from(text)) } else { Err(wrong()) }
}

impl Resource for LedgerWitness {
    const TABLE: &'static str = "ledger_witness";
    const TITLE: &'static str = "见证方";
    const SCOPING: Scoping = Scoping::Shared;
    // Its countersignatures stay; who witnesses no longer is taken out of use.
    const REMOVABLE: bool = false;
    const FIELDS: &'static [Field] = &[
        Field::new("organization", "见证机构", Kind::Text)
            .length_max(120)
            .filter(Match::Contains)
            .hint("以自己的程序见证的机构，如上级平台、检测机构、审计机构"),
        Field::new("verifier_key", "见证公钥", Kind::Text)
            .length_max(300)
            .checked(verifier_key)
            .filter(Match::Exact)
            .hint("见证方运行 yuanjian witness 时打印的一行；登记后不能更改"),
        Field::new("address", "公布地址", Kind::Text)
            .length_max(300)
            .checked(address)
            .optional()
            .hint("见证方以 --listen 公布见证与证据的地址，没有可不填"),
        Field::new("since", "起始日期", Kind::Date).filter(Match::Range).sortable(),
        Field::new("lag_minutes", "见证时限（分钟）", Kind::Int)
            .optional()
            .hint("单位为分钟，1 至 10080，留空为 60；有新区块而超过时限未见证即为滞后"),
        Field::new("active", "是否启用", Kind::Bool).filter(Match::Exact),
    ];

    async fn check(&mut self, _: &Ctx, _: &mut Tx) -> Result<()> {
        let lag = self.lag_minutes.unwrap_or(LAG_DEFAULT);
        if !(1..=LAG_MAX).contains(&lag) {
            let detail = format!("见证时限：应为 1 至 {LAG_MAX} 分钟");
            return Err(Problem::invalid("lag_minutes", detail));
        }
        self.lag_minutes = Some(lag);
        Ok(())
    }

    /// Another key is another witness.
    async fn admit(&self, before: Option<&Self>, _: &Ctx, tx: &mut Tx) -> Result<()> {
        if before.is_some_and(|before| before.verifier_key != self.verifier_key) {
            let detail = "见证公钥登记后不能更改；更换密钥请停用本条，另行登记";
            return Err(Problem::invalid("verifier_key", detail));
        }
        let starts = self.active && before.is_none_or(|before| !before.active);
        let sql = Sql::new("SELECT COUNT(*) FROM ledger_witness WHERE active = 1");
        let active = tx.fetch_one(sql).await?.map_or(Ok(0), |row| row.int(0))?;
        if starts && active >= ACTIVE_MAX {
            let detail = format!("启用的见证方已有 {ACTIVE_MAX} 个，请先停用其他的");
            return Err(Problem::invalid("active", detail));
        }
        Ok(())
    }

    fn sample(n: u32) -> Self {
        let mut seed = [1; 32];
        seed[..4].copy_from_slice(&n.to_be_bytes());
        let signer = yj_crypto::SigningKey::from_seed(&seed).expect("a small number is a scalar");
        let key = yj_crypto::Signer::public_key(&signer).clone();
        let key = NoteKey::new("示例检测中心", NoteKind::Witness, key).expect("a sound name");
        Self {
            organization: String::from("示例检测中心"),
            verifier_key: key.to_string(),
            address: Some(String::from("https://witness.example.cn")),
            since: String::from("2026-11-19"),
            lag_minutes: Some(LAG_DEFAULT),
            active: true,
        }
    }
}

/// The witness in use that signed under this name and key id, if it is registered.
pub(crate) async fn registered(
    tx: &mut Tx,
    wanted: impl Fn(&NoteKey) -> bool,
) -> Result<Option<(NoteKey, String)>> {
    let sql = Sql::new(
        "SELECT verifier_key, organization FROM ledger_witness WHERE active = 1 ORDER BY id",
    );
    for row in tx.fetch(sql).await? {
        let key: NoteKey = row.text(0)?.parse().map_err(Problem::internal)?;
        if wanted(&key) {
            return Ok(Some((key, String::from(row.text(1)?))));
        }
    }
    Ok(None)
}
