//! 检查报告: what a pass looked at and found, signed by the platform. See `docs/proof-format.md` §5.

use serde_json::{Map, Value, json};
use yj_crypto::{PublicKey, Signer as _, from_hex, to_hex};
use yj_kernel::{Ctx, Problem, Result, Tx, time_text};

use super::keep;
use crate::Ledger;

const FORMAT: &str = "yjreport/1";
const TAG: &[u8] = b"YJ/report/v1\0";

/// What the signature covers: `"YJ/report/v1\0" ‖ JCS(report)`.
fn signed_bytes(report: &Value) -> Result<Vec<u8>> {
    let canonical = serde_json_canonicalizer::to_vec(report).map_err(Problem::internal)?;
    Ok([TAG, &canonical].concat())
}

/// The report of a full pass that has come to its end, in canonical form.
pub(crate) async fn make(
    ctx: &Ctx,
    tx: &mut Tx,
    (ledger, pass): (&Ledger, &str),
) -> Result<Vec<u8>> {
    let facts = keep::one_pass(tx, pass).await?;
    if facts["state"] != "done" {
        return Err(Problem::Conflict(String::from("检查尚未结束，报告稍后可取")));
    }
    let (_, chain_id) = ledger.genesis();
    let findings = keep::seen_by(tx, pass).await?;
    let kid = ledger.register(|register| register.platform().map(|entry| entry.kid.clone()));
    let checkpoint = ledger.signed_checkpoint()?.map(|note| note.to_text());
    let report = json!({
        "format": FORMAT, "kid": kid, "checkpoint": checkpoint, "chain_id": to_hex(&chain_id), "platform": ctx.app().platform().name,
        "operator": ctx.app().platform().operator, "made_at": time_text(ctx.now_ms())?,
        "pass": facts, "findings": findings,
    });
    let platform = &ledger.0.keys.platform;
    let signature = platform.sign(&signed_bytes(&report)?).map_err(Problem::internal)?;
    let (key, signature) = (to_hex(&platform.public_key().to_bytes()), to_hex(&signature));
    let signed = json!({ "report": report, "key": key, "signature": signature });
    serde_json_canonicalizer::to_vec(&signed).map_err(Problem::internal)
}

/// What a reader may believe of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportVerdict {
    /// Whether the key signed exactly this.
    pub ok: bool,
    /// In words, a line each.
    pub lines: Vec<String>,
}

/// Checks a report file; `trusted` is the platform's key as its reader has it from elsewhere, such as
/// from a proof that was checked.
pub fn verify_report(bytes: &[u8], trusted: Option<&str>) -> ReportVerdict {
    let refused = |line: &str| ReportVerdict { ok: false, lines: vec![String::from(line)] };
    let Ok(Value::Object(file)) = serde_json::from_slice::<Value>(bytes) else {
        return refused("不是检查报告：应为 JSON 对象");
    };
    if serde_json_canonicalizer::to_vec(&file).ok().as_deref() != Some(bytes) {
        return refused("不是规范形式（RFC 8785），文件可能被改动过");
    }
    match read(&file) {
        None => refused("不是检查报告 yjreport/1"),
        Some((report, key, signature)) => judge(report, (&key, &signature), trusted),
    }
}

fn read(file: &Map<String, Value>) -> Option<(&Value, [u8; 65], [u8; 64])> {
    let report = file.get("report")?;
    let sound = file.len() == 3 && report["format"] == FORMAT;
    let text = |name: &str| file.get(name).and_then(Value::as_str);
    let (key, signature) = (from_hex::<65>(text("key")?)?, from_hex::<64>(text("signature")?)?);
    sound.then_some((report, key, signature))
}

fn judge(
    report: &Value,
    (key, signature): (&[u8; 65], &[u8; 64]),
    trusted: Option<&str>,
) -> ReportVerdict {
    let mut lines = Vec::new();
    let signed = PublicKey::from_bytes(key).ok().zip(signed_bytes(report).ok());
    let is_signed = signed.is_some_and(|(key, bytes)| key.verify(&bytes, signature).is_ok());
    lines.push(String::from(if is_signed {
        "通过 签名：与报告相符"
    } else {
        "未通过 签名：与报告不符"
    }));
    let known = trusted.map(|trusted| trusted.eq_ignore_ascii_case(&to_hex(key)));
    lines.push(match known {
        None => format!("提示 密钥：请与平台公布的密钥核对 {}", to_hex(key)),
        Some(true) => String::from("通过 密钥：与所给的一致"),
        Some(false) => format!("未通过 密钥：不是所给的那一把，而是 {}", to_hex(key)),
    });
    let pass = &report["pass"];
    lines.push(format!(
        "{} 至 {}：{} 个区块、{} 条记录、{} 项已确认存证、{} 条业务记录，发现 {} 项",
        pass["began"].as_str().unwrap_or_default(),
        pass["ended"].as_str().unwrap_or_default(),
        pass["blocks"],
        pass["records"],
        pass["entries"],
        pass["facts"],
        pass["findings"],
    ));
    ReportVerdict { ok: is_signed && known != Some(false), lines }
}

#[cfg(test)]
mod tests {
    use yj_crypto::SigningKey;

    use super::*;

    fn signed() -> (Vec<u8>, String) {
        let key = SigningKey::from_seed(&[7; 32]).unwrap();
        let report = json!({ "format": FORMAT, "kid": "platform-1", "pass": { "records": 3 } });
        let signature = key.sign(&signed_bytes(&report).unwrap()).unwrap();
        let public = to_hex(&key.public_key().to_bytes());
        let file = json!({ "report": report, "key": public, "signature": to_hex(&signature) });
        (serde_json_canonicalizer::to_vec(&file).unwrap(), public)
    }

    #[test]
    fn a_report_is_believed_as_it_was_signed_and_no_other() {
        let (bytes, key) = signed();
        assert!(verify_report(&bytes, None).ok);
        assert!(verify_report(&bytes, Some(&key)).ok);
        assert!(!verify_report(&bytes, Some(&key.replace('4', "5"))).ok);
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert!(!verify_report(&other, Some(&key)).ok, "byte {at}");
        }
    }
}
