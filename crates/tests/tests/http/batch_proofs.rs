//! D-6.3: the proofs of all records of a code, or of those that are named, in one file.

use std::io::{Cursor, Read as _};

use serde_json::{Value, json};
use yj_proof::{Trust, verify};

use crate::{
    capturing::captured,
    documents::{CERTIFICATES, wanted},
    harness::{Answer, TestApp, harvest},
    houses::id_of,
};

const PROOFS: &str = "/api/v1/trace/proofs";

/// The proofs of a file by name, and what the file says of itself.
fn unpacked(answer: Answer) -> (Vec<(String, Vec<u8>)>, Vec<Value>) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let mut archive = zip::ZipArchive::new(Cursor::new(answer.bytes)).unwrap();
    let (mut proofs, mut contents) = (Vec::new(), Vec::new());
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let (name, mut bytes) = (file.name().unwrap().into_owned(), Vec::new());
        file.read_to_end(&mut bytes).unwrap();
        if name == "目录.json" {
            contents = serde_json::from_slice(&bytes).unwrap();
        } else {
            proofs.push((name, bytes));
        }
    }
    (proofs, contents)
}

/// Text as RFC 8187 writes it.
fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let write =
        |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(write).collect()
}

#[tokio::test]
async fn d_6_3_the_proofs_of_a_batch_come_in_one_file() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let first = id_of(&captured(&app, harvest(&farm, "ZIP-1")).await);
    let second = id_of(&captured(&app, harvest(&farm, "ZIP-2")).await);
    let made = app.post("farm", CERTIFICATES, wanted(&farm, "100", &["ZIP-1"])).await.expect(201);
    app.anchor().await;
    let (_, chain) = app.assembled.ledger.genesis();
    let (proofs, contents) = unpacked(app.post("farm", PROOFS, json!({ "code": "ZIP-1" })).await);
    let names: Vec<&str> = proofs.iter().map(|(name, _)| name.as_str()).collect();
    let number = made["number"].as_str().unwrap();
    let called = ["采收-ZIP-1-2026-11-10", &format!("承诺达标合格证-{number}")];
    assert_eq!(names, called.map(|name| format!("存证证明-{name}.yjproof")));
    assert_eq!(
        (&contents[0]["kind"], &contents[1]["kind"]),
        (&json!("trace_event"), &json!("batch_document"))
    );
    // Each alone is called as it is in the archive, whoever reads the header.
    let one = |id: &str, kind: &str| match kind {
        "event" => format!("/api/v1/trace/events/{id}/proof"),
        _ => format!("/api/v1/batch_document/{id}/proof"),
    };
    for (path, name, plain) in [
        (one(&first, "event"), names[0], "ZIP-1-2026-11-10"),
        (one(&id_of(&made), "document"), names[1], number),
    ] {
        let alone = app.get("farm", &path).await;
        let told = alone.headers["content-disposition"].to_str().unwrap();
        assert!(told.contains(&format!("filename=\"{plain}.yjproof\"")), "{told}");
        assert!(told.ends_with(&format!("filename*=UTF-8''{}", percent(name))), "{told}");
    }
    for (name, bytes) in &proofs {
        assert!(verify(bytes, &Trust::in_chain(chain)).ok, "{name}");
    }
    let named = json!({ "records": [first, second] });
    let (proofs, _) = unpacked(app.post("supervisor", PROOFS, named.clone()).await);
    assert_eq!(proofs.len(), 2);
    // Whoever may not read a record gets no proof of it, and is not told that it is there.
    app.post("enterprise", PROOFS, named).await.expect(404);
    app.post("enterprise", PROOFS, json!({ "code": "ZIP-1" })).await.expect(404);
    app.post("farm", PROOFS, json!({ "code": "NONE" })).await.expect(404);
    for wrong in
        [json!({}), json!({ "records": ["x"] }), json!({ "code": "ZIP-1", "records": [first] })]
    {
        app.post("farm", PROOFS, wrong).await.expect(422);
    }
    let many: Vec<&str> = vec![&first; 1001];
    assert!(
        [413, 422].contains(&app.post("farm", PROOFS, json!({ "records": many })).await.status)
    );
}

#[tokio::test]
async fn d_6_3_what_cannot_be_proved_yet_is_said_so_in_the_file() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let id = id_of(&captured(&app, harvest(&farm, "ZIP-3")).await);
    let (proofs, contents) = unpacked(app.post("farm", PROOFS, json!({ "records": [id] })).await);
    assert!(proofs.is_empty());
    assert!(contents[0]["missing"].as_str().unwrap().contains("尚未上链"), "{contents:?}");
}
