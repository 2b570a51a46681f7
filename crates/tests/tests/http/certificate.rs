//! 国密证书登录 (GB/T 39786 8.4 a; S-06): certificates as OpenSSL makes them, and everything that
//! must be refused.

use std::{path::Path, process::Command};

use jiff::SignedDuration;
use serde_json::{Value, json};
use yj_crypto::{Signer as _, SigningKey, to_hex};
use yj_identity::Security;

use crate::harness::{Session, TestApp};

const IDENTITY: &str = "distid:1234567812345678";

fn openssl(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("openssl");
    let output = command.current_dir(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// An authority with its revocation list.
pub fn authority(folder: &Path, name: &str) {
    let (key, pem) = (format!("{name}.key"), format!("{name}.pem"));
    let curve = "ec_paramgen_curve:SM2";
    openssl(folder, &["genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-out", &key]);
    openssl(
        folder,
        &[
            "req",
            "-x509",
            "-new",
            "-key",
            &key,
            "-sm3",
            "-sigopt",
            IDENTITY,
            "-days",
            "3650",
            "-subj",
            &format!("/C=CN/O={name}"),
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
            "-out",
            &pem,
        ],
    );
    let settings = format!(
        "[ca]\ndefault_ca=c\n[c]\ndatabase={name}.index\ncrlnumber={name}.number\ndefault_md=sm3\n"
    );
    std::fs::write(folder.join(format!("{name}.cnf")), settings).unwrap();
    std::fs::write(folder.join(format!("{name}.index")), "").unwrap();
    std::fs::write(folder.join(format!("{name}.number")), "01").unwrap();
    revoke(folder, name, None);
}

/// Makes the revocation list anew, with one certificate more on it.
pub fn revoke(folder: &Path, name: &str, certificate: Option<&str>) {
    let (config, key, pem) = (format!("{name}.cnf"), format!("{name}.key"), format!("{name}.pem"));
    let common =
        ["-config", &config, "-keyfile", &key, "-cert", &pem, "-md", "sm3", "-sigopt", IDENTITY];
    if let Some(certificate) = certificate {
        let mut arguments = vec!["ca", "-revoke", certificate];
        arguments.extend(common);
        openssl(folder, &arguments);
    }
    let list = format!("{name}.crl");
    let mut arguments = vec!["ca", "-gencrl", "-crldays", "3000", "-out", &list];
    arguments.extend(common);
    openssl(folder, &arguments);
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    std::fs::write(folder.join(format!("{name}.bundle")), text(&pem) + &text(&list)).unwrap();
}

/// A certificate of an authority: `(key, certificate)`.
pub fn issue(folder: &Path, authority: &str, (name, curve, usage, days): (&str, &str, &str, &str)) {
    let file = |extension: &str| format!("{name}.{extension}");
    let curve = format!("ec_paramgen_curve:{curve}");
    openssl(folder, &["genpkey", "-algorithm", "EC", "-pkeyopt", &curve, "-out", &file("key")]);
    let mut request = vec!["req", "-new", "-key"];
    let (key, csr, pem, ext) = (file("key"), file("csr"), file("pem"), file("ext"));
    let subject = format!("/C=CN/CN={name}");
    request.extend([key.as_str(), "-subj", &subject, "-out", &csr]);
    let sm2 = curve.ends_with("SM2");
    if sm2 {
        request.extend(["-sm3", "-sigopt", IDENTITY]);
    }
    openssl(folder, &request);
    std::fs::write(folder.join(&ext), format!("keyUsage=critical,{usage}\n")).unwrap();
    let (ca, ca_key) = (format!("{authority}.pem"), format!("{authority}.key"));
    let mut sign =
        vec!["x509", "-req", "-in", &csr, "-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial"];
    sign.extend(["-sm3", "-sigopt", IDENTITY, "-days", days, "-extfile", &ext, "-out", &pem]);
    if sm2 {
        sign.extend(["-vfyopt", IDENTITY]);
    }
    openssl(folder, &sign);
}

/// Somebody who holds a certificate and its key.
struct Holder<'a> {
    folder: &'a Path,
    name: &'a str,
}

impl Holder<'_> {
    /// What they show for a challenge; `change` bends the signed text.
    fn show(&self, app: &TestApp, asked: &Value, change: impl Fn(String) -> String) -> Value {
        let text = |extension: &str| {
            std::fs::read_to_string(self.folder.join(format!("{}.{extension}", self.name))).unwrap()
        };
        let key = SigningKey::from_pem(&text("key")).unwrap();
        let time = app.now().as_second();
        let (origin, nonce) = (asked["origin"].as_str().unwrap(), asked["nonce"].as_str().unwrap());
        let message = change(format!("yj-login-v1\n{origin}\n{nonce}\n{time}"));
        let signature = to_hex(&key.sign(message.as_bytes()).unwrap());
        json!({ "challenge": asked["challenge"], "certificate": text("pem"), "signature": signature, "time": time })
    }
}

/// Certificates are of today; the platform's clock is set to it.
#[expect(clippy::disallowed_methods, reason = "OpenSSL signs with the real date")]
pub fn to_today(app: &TestApp) {
    let now = jiff::Timestamp::now();
    app.pass(SignedDuration::from_millis(
        now.as_millisecond() - app.now().as_millisecond() + 2_000,
    ));
}

async fn ask(app: &TestApp, user: &str) -> Value {
    app.post(user, "/api/v1/session/challenge", json!({ "kind": "sm2" })).await.expect(200)
}

async fn show(app: &TestApp, user: &str, shown: &Value) -> (Option<Session>, Value) {
    let before = app.session(user).clone();
    app.open_session("/api/v1/session/factor", Some(&before), json!({ "sm2": shown })).await
}

fn plain(text: String) -> String {
    text
}

#[tokio::test]
async fn s_06_an_sm2_certificate_opens_the_door_and_nothing_like_it_does() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    authority(folder, "ca");
    authority(folder, "stranger");
    let year = "365";
    issue(folder, "ca", ("li", "SM2", "digitalSignature", year));
    issue(folder, "ca", ("wu", "SM2", "digitalSignature", year));
    issue(folder, "ca", ("revoked", "SM2", "digitalSignature", year));
    issue(folder, "ca", ("cipher", "SM2", "keyEncipherment", year));
    issue(folder, "ca", ("short", "SM2", "digitalSignature", "1"));
    issue(folder, "ca", ("nist", "P-256", "digitalSignature", year));
    issue(folder, "stranger", ("foreign", "SM2", "digitalSignature", year));
    revoke(folder, "ca", Some("revoked.pem"));
    let bundle = folder.join("ca.bundle").display().to_string();
    let security = Security { sm2_authorities: bundle, ..Security::demonstration() };
    let mut app = TestApp::start_under(security).await;
    to_today(&app);
    let holder = |name| Holder { folder, name };
    for (user, name) in [("supervisor", "li"), ("reviewer", "wu")] {
        let password = String::from(app.password_of(user));
        app.log_in(user, &password).await;
        let asked = ask(&app, user).await;
        let body = json!({ "name": "单位 UKey", "sm2": holder(name).show(&app, &asked, plain) });
        let before = app.session(user).clone();
        let (session, answer) =
            app.open_session("/api/v1/me/factors/sm2", Some(&before), body).await;
        assert_eq!(answer["http_status"], 200, "{answer}");
        app.keep(user, session.unwrap());
        app.get(user, "/api/v1/trace_subject").await.expect(200);
    }
    // A new log-in has to show it.
    let password = String::from(app.password_of("supervisor"));
    let again = async |app: &mut TestApp| {
        // Wrong factors are counted; their window is over by then.
        app.pass(SignedDuration::from_mins(16));
        let me = app.log_in("supervisor", &password).await;
        assert_eq!(me["me"]["next"], "second_factor");
        ask(app, "supervisor").await
    };
    let asked = again(&mut app).await;
    let shown = holder("li").show(&app, &asked, plain);
    let (session, answer) = show(&app, "supervisor", &shown).await;
    assert_eq!(
        (&answer["http_status"], &answer["me"]["next"]),
        (&200.into(), &Value::Null),
        "{answer}"
    );
    app.keep("supervisor", session.unwrap());
    app.get("supervisor", "/api/v1/trace_subject").await.expect(200);
    // Shown twice, or by somebody else.
    let refuse = async |app: &TestApp, shown: &Value, word: &str| {
        let (_, answer) = show(app, "supervisor", shown).await;
        let detail = answer["detail"].as_str().unwrap();
        assert!(answer["http_status"] == 422 && detail.contains(word), "{word}: {answer}");
    };
    let _ = again(&mut app).await;
    refuse(&app, &shown, "已过期或已用过").await;
    for (name, word) in [
        ("wu", "没有绑定到此账号"),
        ("revoked", "已被吊销"),
        ("cipher", "不含数字签名"),
        ("foreign", "不是受信任的机构"),
    ] {
        let asked = again(&mut app).await;
        let shown = holder(name).show(&app, &asked, plain);
        refuse(&app, &shown, word).await;
    }
    // A key of another curve, another text, another time.
    let asked = again(&mut app).await;
    let mut shown = holder("li").show(&app, &asked, plain);
    shown["certificate"] = json!(std::fs::read_to_string(folder.join("nist.pem")).unwrap());
    refuse(&app, &shown, "不是 SM2").await;
    let asked = again(&mut app).await;
    let shown = holder("li").show(&app, &asked, |text| text.replace("http://", "https://"));
    refuse(&app, &shown, "签名不符").await;
    let asked = again(&mut app).await;
    let mut shown = holder("li").show(&app, &asked, plain);
    shown["time"] = json!(shown["time"].as_i64().unwrap() + 5);
    refuse(&app, &shown, "签名不符").await;
    let asked = again(&mut app).await;
    let mut shown = holder("li").show(&app, &asked, plain);
    shown["time"] = json!(shown["time"].as_i64().unwrap() - 120);
    refuse(&app, &shown, "相差过大").await;
    // A certificate of yesterday.
    app.pass(SignedDuration::from_hours(26));
    let asked = again(&mut app).await;
    let shown = holder("short").show(&app, &asked, plain);
    refuse(&app, &shown, "不在有效期内").await;
}
