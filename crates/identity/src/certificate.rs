//! 国密证书 (S-06, GB/T 39786 8.4 a): log-in by an SM2 signature over a challenge, with a certificate
//! of an authority that the operator trusts. Whatever cannot be checked is refused.

use serde::Deserialize;
use serde_json::{Value, json};
use x509_cert::{
    Certificate,
    crl::CertificateList,
    der::{Decode as _, DecodePem as _, Encode as _, Reader as _},
    ext::pkix::{BasicConstraints, KeyUsage},
};
use yj_crypto::{PublicKey, from_hex, sm3, to_hex};
use yj_kernel::{App, Ctx, Problem, Result, Sql, Tx};

use crate::{Identity, challenge, factor, rights};

/// What a holder of a certificate shows.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shown {
    /// `challenge` of the request for it.
    challenge: String,
    /// PEM.
    certificate: String,
    /// `r ‖ s` in hexadecimal, over `yj-login-v1`, origin, nonce and time, one to a line.
    signature: String,
    /// Unix seconds at the signer.
    time: i64,
}

/// The authorities whose certificates are taken, and what they have revoked.
#[derive(Default)]
pub(crate) struct Authorities {
    certificates: Vec<Certificate>,
    revoked: Vec<CertificateList>,
}

/// Clocks may differ by this many seconds.
const SKEW_S: i64 = 60;

impl Authorities {
    /// Reads a PEM file of certificates and revocation lists; an empty path for none.
    pub(crate) fn open(path: &str) -> Result<Self, String> {
        if path.is_empty() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path}：{error}"))?;
        let mut found = Self::default();
        for block in text.split_inclusive("-----\n").collect::<Vec<_>>().chunks(2) {
            let block = block.concat();
            let block = block.trim();
            if block.contains("BEGIN CERTIFICATE") {
                let read = Certificate::from_pem(block);
                found.certificates.push(read.map_err(|error| format!("{path}：{error}"))?);
            } else if block.contains("BEGIN X509 CRL") {
                let read = CertificateList::from_pem(block);
                found.revoked.push(read.map_err(|error| format!("{path}：{error}"))?);
            }
        }
        if found.certificates.is_empty() {
            return Err(format!("{path}：没有 CA 证书"));
        }
        Ok(found)
    }

    /// Whether SM2 certificates are taken at all.
    pub(crate) fn any(&self) -> bool {
        !self.certificates.is_empty()
    }

    /// The key of a certificate that an authority has issued, that is valid now, not revoked and
    /// meant for signatures; and the certificate's name among all.
    fn check(
        &self,
        certificate: &Certificate,
        now_s: i64,
    ) -> Result<(PublicKey, String), &'static str> {
        let body = certificate.tbs_certificate();
        let issuer = self
            .certificates
            .iter()
            .find(|known| known.tbs_certificate().subject() == body.issuer())
            .ok_or("证书不是受信任的机构签发的")?;
        let may_issue = matches!(
            issuer.tbs_certificate().get_extension::<BasicConstraints>(),
            Ok(Some((_, BasicConstraints { ca: true, .. })))
        );
        let key = key_of(issuer).filter(|_| may_issue).ok_or("签发机构的证书不是 SM2 CA 证书")?;
        let signed = body.to_der().map_err(|_| "证书无法读取")?;
        let signature = raw_signature(certificate.signature().raw_bytes());
        let signature = signature.ok_or("证书签名无法读取")?;
        key.verify(&signed, &signature).map_err(|_| "证书不是受信任的机构签发的")?;
        for one in [certificate, issuer] {
            let validity = one.tbs_certificate().validity();
            let second = |time: x509_cert::time::Time| {
                i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
            };
            if now_s < second(validity.not_before) || now_s > second(validity.not_after) {
                return Err("证书不在有效期内");
            }
        }
        match body.get_extension::<KeyUsage>() {
            Ok(Some((_, usage))) if usage.digital_signature() => {}
            _ => return Err("证书的密钥用途不含数字签名"),
        }
        self.require_not_revoked(certificate, (issuer, &key), now_s)?;
        let own = key_of(certificate).ok_or("证书的公钥不是 SM2")?;
        let serial = body.serial_number().as_bytes();
        let name = body.issuer().to_der().map_err(|_| "证书无法读取")?;
        Ok((own, to_hex(&sm3::parts(&[b"YJ/certificate\0", &name, serial]))))
    }

    /// A list that is missing, foreign or out of date proves nothing: then nobody comes in.
    fn require_not_revoked(
        &self,
        certificate: &Certificate,
        (issuer, key): (&Certificate, &PublicKey),
        now_s: i64,
    ) -> Result<(), &'static str> {
        let body = certificate.tbs_certificate();
        let list = self
            .revoked
            .iter()
            .find(|list| list.tbs_cert_list.issuer == *issuer.tbs_certificate().subject())
            .ok_or("没有签发机构的吊销列表，不能确认证书有效")?;
        let signed = list.tbs_cert_list.to_der().map_err(|_| "吊销列表无法读取")?;
        let signature = raw_signature(list.signature.raw_bytes()).ok_or("吊销列表签名无法读取")?;
        key.verify(&signed, &signature).map_err(|_| "吊销列表不是签发机构签发的")?;
        let next = list.tbs_cert_list.next_update.map(|time| time.to_unix_duration().as_secs());
        if next.is_none_or(|next| i64::try_from(next).unwrap_or(0) < now_s) {
            return Err("吊销列表已过期，不能确认证书有效");
        }
        let mut revoked = list.tbs_cert_list.revoked_certificates.iter().flatten();
        if revoked.any(|entry| entry.serial_number == *body.serial_number()) {
            return Err("证书已被吊销");
        }
        Ok(())
    }
}

/// The SM2 key of a certificate.
fn key_of(certificate: &Certificate) -> Option<PublicKey> {
    let info = certificate.tbs_certificate().subject_public_key_info();
    let bytes: [u8; 65] = info.subject_public_key.raw_bytes().try_into().ok()?;
    PublicKey::from_bytes(&bytes).ok()
}

/// `SEQUENCE { r, s }` as 64 bytes.
fn raw_signature(der: &[u8]) -> Option<[u8; 64]> {
    use x509_cert::der::{SliceReader, asn1::UintRef};
    let mut reader = SliceReader::new(der).ok()?;
    let (r, s) = reader
        .sequence(|inner| {
            Ok::<_, x509_cert::der::Error>((UintRef::decode(inner)?, UintRef::decode(inner)?))
        })
        .ok()?;
    let mut raw = [0; 64];
    for (half, number) in raw.chunks_exact_mut(32).zip([r.as_bytes(), s.as_bytes()]) {
        let start = half.len().checked_sub(number.len())?;
        half[start..].copy_from_slice(number);
    }
    Some(raw)
}

/// What a certificate says that an authority the operator trusts has issued and that is valid now.
#[derive(Debug, Clone)]
pub struct TrustedCertificate {
    /// SM3 over its DER form, in hexadecimal.
    pub fingerprint: String,
    /// Serial number, in hexadecimal.
    pub serial: String,
    /// Who issued it, as RFC 4514 writes names.
    pub issuer: String,
    /// Common name of whom or what it is for.
    pub name: String,
    /// Uncompressed SM2 point, in hexadecimal.
    pub public_key: String,
    /// First and last moment of its validity, Unix seconds.
    pub valid_s: (i64, i64),
}

impl Identity {
    /// Reads a PEM certificate by which something else than a person proves itself; or says why it
    /// proves nothing at `now_s`, Unix seconds.
    pub fn trusted_certificate(
        &self,
        pem: &str,
        now_s: i64,
    ) -> Result<TrustedCertificate, &'static str> {
        let authorities = self.authorities();
        if !authorities.any() {
            return Err("平台没有配置受信任的签发机构，不能核对证书");
        }
        let unreadable = "证书无法读取，应为 PEM";
        let certificate = Certificate::from_pem(pem.trim()).map_err(|_| unreadable)?;
        let (key, _) = authorities.check(&certificate, now_s)?;
        let body = certificate.tbs_certificate();
        let name = body.subject().common_name().ok().flatten().ok_or("证书没有主题名称（CN）")?;
        let der = certificate.to_der().map_err(|_| unreadable)?;
        let validity = body.validity();
        let valid_s = [validity.not_before, validity.not_after]
            .map(|time| i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX));
        Ok(TrustedCertificate {
            fingerprint: to_hex(&sm3::digest(&der)),
            serial: to_hex(body.serial_number().as_bytes()),
            issuer: body.issuer().to_string(),
            name: String::from(name.value().as_ref()),
            public_key: to_hex(&key.to_bytes()),
            valid_s: (valid_s[0], valid_s[1]),
        })
    }
}

/// Asks for a signature: `{challenge, origin, nonce}`.
pub(crate) async fn begin(ctx: &Ctx, tx: &mut Tx) -> Result<Value> {
    let nonce = format!("{:032x}{:032x}", ctx.app().random(), ctx.app().random());
    let id = challenge::keep(ctx, tx, ("sm2", &nonce)).await?;
    Ok(json!({ "challenge": id, "origin": origin(ctx.app()), "nonce": nonce }))
}

fn origin(app: &App) -> &str {
    app.platform().public_url.trim_end_matches('/')
}

/// Checks a signature and its certificate; the certificate's name.
async fn name_of(
    ctx: &Ctx,
    tx: &mut Tx,
    (authorities, shown): (&Authorities, &Shown),
) -> Result<String> {
    let refused = |detail: &str| Problem::invalid("sm2", detail);
    let nonce: String = challenge::take(ctx, tx, ("sm2", &shown.challenge)).await?;
    let certificate = Certificate::from_pem(shown.certificate.trim())
        .map_err(|_| refused("证书无法读取，应为 PEM"))?;
    let now = ctx.now.as_second();
    let (key, name) = authorities.check(&certificate, now).map_err(refused)?;
    if (shown.time - now).abs() > SKEW_S {
        return Err(refused("签名时间与平台时间相差过大"));
    }
    let message = format!("yj-login-v1\n{}\n{nonce}\n{}", origin(ctx.app()), shown.time);
    let signature =
        from_hex::<64>(&shown.signature).ok_or_else(|| refused("签名应为 128 位十六进制"))?;
    key.verify(message.as_bytes(), &signature).map_err(|_| refused("签名不符"))?;
    Ok(name)
}

/// Binds a certificate to the account of whoever holds its key.
pub(crate) async fn bind(
    ctx: &Ctx,
    tx: &mut Tx,
    authorities: &Authorities,
    (name, shown): (&str, &Shown),
) -> Result<()> {
    let certificate = name_of(ctx, tx, (authorities, shown)).await?;
    let taken = Sql::new("SELECT 1 FROM factor WHERE kind = 'sm2' AND secret = $1");
    if tx.fetch_one(taken.arg(certificate.as_str())).await?.is_some() {
        return Err(Problem::duplicate("该证书已绑定"));
    }
    let id = ctx.new_id::<()>().to_string();
    let sql = Sql::new(
        "INSERT INTO factor (id, account_id, kind, name, secret, confirmed, created_at) \
         VALUES ($1, $2, 'sm2', $3, $4, 1, $5)",
    );
    let sql = sql.arg(id.as_str()).arg(&ctx.principal().account).arg(name).arg(certificate);
    tx.execute(sql.arg(ctx.now_ms())).await?;
    rights::changed(tx);
    factor::note(ctx, tx, "factor_bound", json!({ "factor": id, "kind": "sm2" }));
    Ok(())
}

/// Checks that the account's own certificate has signed.
pub(crate) async fn check(
    ctx: &Ctx,
    tx: &mut Tx,
    (authorities, shown): (&Authorities, &Shown),
) -> Result<()> {
    let certificate = name_of(ctx, tx, (authorities, shown)).await?;
    let sql = Sql::new(
        "UPDATE factor SET used_at = $1 WHERE account_id = $2 AND kind = 'sm2' AND secret = $3",
    );
    let sql = sql.arg(ctx.now_ms()).arg(&ctx.principal().account).arg(certificate);
    match tx.execute(sql).await? {
        0 => Err(Problem::invalid("sm2", "该证书没有绑定到此账号")),
        _ => Ok(()),
    }
}
