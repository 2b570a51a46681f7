//! 密钥登记: with which key an organisation signs what is anchored in its name. Whoever registers
//! one proves to hold it; another person approves it; the next block says since when it counts.

use axum::{
    Json,
    http::{Method, StatusCode},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use yj_crypto::{PublicKey, from_hex};
use yj_identity::Identity;
use yj_kernel::{
    Access, Body, Changed, Codes, Columns, Ctx, Entity, Field, Kind, Match, Object, Problem,
    Resource, Result, Route, Scoping, Shape, Tx, record_routes, review,
};
use yj_ledger::{KeyOrder, order_key};
use yj_model::{Id, RegionCode};
use yj_proof::KeyEntry;
use yj_subject::TraceSubject;

use crate::EVIDENCE_KEY;

/// 密钥状态
pub(crate) const STATES: Codes = &[("active", "有效"), ("revoked", "已吊销")];

/// Letters of a key's name at most.
const KID_MAX: usize = 32;
/// Letters of a certificate at most.
const PEM_MAX: usize = 16_384;

/// 存证密钥
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceKey {
    /// 主体代码
    pub subject_code: String,
    /// 密钥名称
    pub kid: String,
    /// 公钥
    pub public_key: String,
    /// 持有证明
    pub proof: String,
    /// 证书
    pub certificate: Option<String>,
    /// 备注
    pub note: Option<String>,
    /// The subject that the code means.
    pub subject_id: Option<Id<TraceSubject>>,
    /// Region of the subject.
    pub region: Option<RegionCode>,
    /// Common name in the certificate.
    pub certificate_name: Option<String>,
    /// SM3 of the certificate, in hexadecimal.
    pub certificate_digest: Option<String>,
    /// Last day of the certificate.
    pub certificate_until: Option<String>,
    /// 状态
    pub state: Option<String>,
}

fn kid(text: &str) -> Result<String, String> {
    let text = text.trim().to_ascii_lowercase();
    let sound =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if (1..=KID_MAX).contains(&text.len()) && text.chars().all(sound) {
        return Ok(text);
    }
    Err(format!("应为 1 至 {KID_MAX} 位小写字母、数字或连字符"))
}

fn point(text: &str) -> Option<PublicKey> {
    PublicKey::from_bytes(&from_hex(text)?).ok()
}

fn public_key(text: &str) -> Result<String, String> {
    let text = text.trim().to_ascii_lowercase();
    match point(&text) {
        Some(_) => Ok(text),
        None => Err(String::from("应为 SM2 曲线上的一点：04 开头的 130 位十六进制")),
    }
}

fn signature(text: &str) -> Result<String, String> {
    let text = text.trim().to_ascii_lowercase();
    match from_hex::<64>(&text) {
        Some(_) => Ok(text),
        None => Err(String::from("应为 128 位十六进制的 SM2 签名")),
    }
}

impl Resource for EvidenceKey {
    const TABLE: &'static str = "evidence_key";
    const TITLE: &'static str = "存证密钥";
    const SCOPING: Scoping = Scoping::By(Columns {
        region: Some("region"),
        subject: Some("subject_id"),
        label: Some("label"),
        ..Columns::NONE
    });
    const REVIEWED: bool = true;
    const REMOVABLE: bool = false;
    const FIELDS: &'static [Field] = &[
        Field::new("subject_code", "主体代码", Kind::Text)
            .length_max(32)
            .format("an..20")
            .filter(Match::Exact)
            .sortable(),
        Field::new("kid", "密钥名称", Kind::Text)
            .checked(kid)
            .length_max(32)
            .filter(Match::Exact)
            .sortable()
            .hint("同一主体内不重复；吊销后不再使用"),
        Field::new("public_key", "公钥", Kind::Text)
            .checked(public_key)
            .length_max(130)
            .format("an130")
            .filter(Match::Exact)
            .hint("未压缩的 SM2 公钥，十六进制，04 开头"),
        Field::new("proof", "持有证明", Kind::Text)
            .checked(signature)
            .length_max(128)
            .format("an128")
            .hint("用该私钥对主体代码、密钥名称与公钥的签名，由 yj-sign prove 给出"),
        Field::new("certificate", "证书", Kind::Text)
            .length_max(PEM_MAX)
            .optional()
            .hint("PEM；须由平台信任的签发机构签发，公钥与上面的相同"),
        Field::new("note", "备注", Kind::Text).length_max(500).optional(),
        Field::new("subject_id", "追溯主体", Kind::Id("trace_subject"))
            .filter(Match::Exact)
            .computed()
            .hint("由主体代码确定"),
        Field::new("region", "所属区域", Kind::Region)
            .filter(Match::Prefix)
            .computed()
            .hint("由追溯主体确定"),
        Field::new("certificate_name", "证书主题", Kind::Text).length_max(200).computed(),
        Field::new("certificate_digest", "证书摘要", Kind::Text).length_max(64).computed(),
        Field::new("certificate_until", "证书有效期至", Kind::Date).computed(),
        Field::new("state", "状态", Kind::Code(STATES)).filter(Match::Exact).sortable().computed(),
    ];

    async fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let code = self.subject_code.trim().to_ascii_uppercase();
        let subject = yj_subject::by_codes(tx, &[&code]).await?.into_values().next();
        let subject = subject.ok_or_else(|| {
            let detail = format!("没有代码为 {code} 的追溯主体，请先登记主体");
            Problem::invalid("subject_code", detail)
        })?;
        let id: Id<TraceSubject> = subject.id.parse().map_err(Problem::internal)?;
        // Both in the same words: whose code it is is nobody else's to find out.
        tx.get(ctx, id).await.map_err(|problem| match problem {
            Problem::NotFound(_) => {
                let detail = format!("没有代码为 {code} 的追溯主体，请先登记主体");
                Problem::invalid("subject_code", detail)
            }
            other => other,
        })?;
        self.subject_id = Some(id);
        self.region = Some(subject.region.parse().map_err(Problem::internal)?);
        self.subject_code = subject.code;
        self.state.get_or_insert_with(|| String::from("active"));
        let key = point(&self.public_key).ok_or_else(|| Problem::internal("checked before"))?;
        let proof = from_hex(&self.proof).ok_or_else(|| Problem::internal("checked before"))?;
        let message = KeyEntry::possession(&self.subject_code, &self.kid, &key);
        key.verify(&message, &proof).map_err(|_| {
            let detail = "持有证明与主体代码、密钥名称、公钥不符，请用 yj-sign prove 重新生成";
            Problem::invalid("proof", detail)
        })
    }

    async fn admit(&self, before: Option<&Self>, _: &Ctx, _: &mut Tx) -> Result<()> {
        let Some(_) = before else { return Ok(()) };
        let detail = "密钥登记后不能改动；要更换密钥，请登记新密钥，再吊销旧的";
        Err(Problem::Conflict(String::from(detail)))
    }

    async fn follow(ctx: &Ctx, tx: &mut Tx, change: &Changed<'_, Self>) -> Result<()> {
        let (None, Some(key)) = (change.before, change.after) else { return Ok(()) };
        order(ctx, tx, key, true)
    }

    fn sample(n: u32) -> Self {
        use yj_crypto::Signer as _;
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&n.to_be_bytes());
        let key = yj_crypto::SigningKey::from_seed(&seed).expect("a scalar below the order");
        let code = format!("示例{n}");
        let kid = format!("k{n}");
        let message = KeyEntry::possession(&code, &kid, key.public_key());
        let proof = key.sign(&message).expect("a key in memory");
        Self {
            subject_code: code,
            kid,
            public_key: yj_crypto::to_hex(&key.public_key().to_bytes()),
            proof: yj_crypto::to_hex(&proof),
            certificate: None,
            note: Some(String::from("示例签名机")),
            subject_id: None,
            region: None,
            certificate_name: None,
            certificate_digest: None,
            certificate_until: None,
            state: Some(String::from("active")),
        }
    }
}

/// Tells the ledger what has been decided.
pub(crate) fn order(ctx: &Ctx, tx: &mut Tx, key: &EvidenceKey, enrols: bool) -> Result<()> {
    let digest = key.certificate_digest.as_deref().and_then(from_hex);
    let point = point(&key.public_key).ok_or_else(|| Problem::internal("checked before"))?;
    let order = KeyOrder {
        org: &key.subject_code,
        kid: &key.kid,
        key: &point,
        certificate: digest,
        enrols,
    };
    order_key(ctx, tx, &order);
    Ok(())
}

/// Those of a register, but that a key is filed here, where its certificate can be checked, and is
/// never written over.
pub(crate) fn routes(identity: &Identity) -> Vec<Route> {
    let kept = |route: &Route| {
        let changes = route.path.contains("/changes");
        match route.method {
            Method::GET => !route.path.ends_with("/template.xlsx"),
            Method::POST => changes,
            Method::PUT => route.path.ends_with("/label"),
            _ => false,
        }
    };
    let mut routes: Vec<Route> = record_routes(EVIDENCE_KEY).into_iter().filter(kept).collect();
    let identity = identity.clone();
    let file = move |ctx: Ctx, Body(body): Body<Object>| {
        let identity = identity.clone();
        async move {
            let mut tx = ctx.begin().await?;
            let filed = file(&ctx, &mut tx, &identity, body).await?;
            tx.commit().await?;
            Ok::<_, Problem>((StatusCode::ACCEPTED, Json(json!({ "change_request": filed }))))
        }
    };
    routes.push(
        Route::new(
            (Method::POST, "/api/v1/evidence_key"),
            Access::Permission(EVIDENCE_KEY.permission("write")),
            "登记存证密钥",
            file,
        )
        .takes(Shape::Record(EVIDENCE_KEY)),
    );
    routes
}

async fn file(ctx: &Ctx, tx: &mut Tx, identity: &Identity, mut body: Object) -> Result<Value> {
    for name in ["certificate_name", "certificate_digest", "certificate_until", "state"] {
        body.remove(name);
    }
    let pem = body.get("certificate").and_then(Value::as_str).unwrap_or_default();
    if !pem.trim().is_empty() {
        let refused = |detail: &str| Problem::invalid("certificate", detail);
        if pem.len() > PEM_MAX {
            return Err(refused("证书过长，应为一张 PEM 证书"));
        }
        let trusted = identity.trusted_certificate(pem, ctx.now.as_second()).map_err(refused)?;
        let given = body.get("public_key").and_then(Value::as_str).unwrap_or_default();
        if !given.trim().eq_ignore_ascii_case(&trusted.public_key) {
            return Err(refused("证书的公钥与所填公钥不同"));
        }
        let until = yj_kernel::time_text(trusted.valid_s.1.saturating_mul(1_000))?;
        let until = until.as_str().and_then(|text| text.get(..10)).map(String::from);
        body.insert(String::from("certificate_name"), trusted.name.into());
        body.insert(String::from("certificate_digest"), trusted.fingerprint.into());
        body.insert(String::from("certificate_until"), until.into());
    }
    let entity: &Entity = EVIDENCE_KEY;
    review::propose(ctx, tx, entity, None, body).await
}
