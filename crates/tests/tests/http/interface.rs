//! G-8-2, D-5f: the interface specification is published whole, and says what the platform does.

mod contract;
mod documents;
mod snapshot;

use std::collections::BTreeMap;

use axum::{body::Body, http::Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use yj_crypto::sm3;

use crate::{harness::TestApp, packs::fish};

const INDEX: &str = "/api/v1/interface";

/// The index and every file, fetched by nobody in particular.
pub struct Published {
    pub index: Value,
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Published {
    pub async fn of(app: &TestApp) -> Self {
        let index = app.send("GET", INDEX, None, &[], None).await.expect(200);
        let base = index["base"].as_str().unwrap();
        let mut files = BTreeMap::new();
        for artefact in index["artefacts"].as_array().unwrap() {
            let path = artefact["path"].as_str().unwrap();
            let answer = app.send("GET", &format!("{base}{path}"), None, &[], None).await;
            assert_eq!(answer.status, 200, "{path}");
            files.insert(String::from(path), answer.bytes);
        }
        Self { index, files }
    }

    pub fn json(&self, path: &str) -> Value {
        let bytes = self.files.get(path);
        serde_json::from_slice(bytes.unwrap_or_else(|| panic!("{path} is not published"))).unwrap()
    }

    /// Paths that begin and end like this.
    pub fn paths(&self, start: &str, end: &str) -> Vec<&str> {
        let all = self.files.keys().map(String::as_str);
        all.filter(|path| path.starts_with(start) && path.ends_with(end)).collect()
    }
}

#[tokio::test]
async fn d_5_f_the_interface_is_published_whole() {
    let app = TestApp::start().await;
    let published = Published::of(&app).await;
    let artefacts = published.index["artefacts"].as_array().unwrap();
    for artefact in artefacts {
        let bytes = &published.files[artefact["path"].as_str().unwrap()];
        assert_eq!(artefact["sm3"], sm3::hex(&sm3::digest(bytes)), "{artefact}");
        assert_eq!(artefact["size"], bytes.len(), "{artefact}");
        assert!(artefact["title"].as_str().is_some_and(|title| !title.is_empty()));
    }
    let kinds = ["openapi", "schema", "xsd", "codes", "example", "guide"];
    for kind in kinds {
        assert!(artefacts.iter().any(|artefact| artefact["kind"] == kind), "{kind}");
    }
    // Every event type of every domain has a schema and an example in both forms.
    let mut types = 0;
    for pack in published.index["packs"].as_array().unwrap() {
        let (code, version) = (pack["code"].as_str().unwrap(), pack["version"].as_str().unwrap());
        let whole = app.get("supervisor", &format!("/api/v1/domains/{code}")).await.expect(200);
        for stage in whole["stages"].as_array().unwrap() {
            for event in stage["events"].as_array().unwrap() {
                let event = event["code"].as_str().unwrap();
                let schema =
                    published.json(&format!("schemas/{code}/{version}/{event}.schema.json"));
                assert_eq!(schema["properties"]["domain"]["const"], code);
                for form in ["json", "xml"] {
                    let path = format!("examples/{code}/{version}/{event}.{form}");
                    assert!(published.files.contains_key(&path), "{path}");
                }
                types += 1;
            }
        }
        assert!(published.files.contains_key(&format!("xsd/{code}/{version}.xsd")), "{code}");
    }
    assert!(types > 100, "{types}");
    assert_eq!(
        published.json("openapi.json"),
        app.send("GET", "/openapi.json", None, &[], None).await.expect(200)
    );
    // The archive holds the same files.
    let base = published.index["base"].as_str().unwrap();
    let archive = published.index["archive"]["path"].as_str().unwrap();
    let bytes = app.send("GET", &format!("{base}{archive}"), None, &[], None).await.bytes;
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    assert_eq!(archive.len(), published.files.len());
    for (path, bytes) in &published.files {
        let mut found = Vec::new();
        std::io::copy(&mut archive.by_name(path).unwrap(), &mut found).unwrap();
        assert_eq!(&found, bytes, "{path}");
    }
    let guide = String::from_utf8(published.files["README.md"].clone()).unwrap();
    assert!(guide.contains("/oauth/token") && guide.contains("食用农产品"), "{guide}");
}

#[tokio::test]
async fn d_5_f_an_edition_never_changes_and_is_fetched_once() {
    let app = TestApp::start().await;
    let index = app.send("GET", INDEX, None, &[], None).await.expect(200);
    let (base, digest) = (index["base"].as_str().unwrap(), index["digest"].as_str().unwrap());
    let fetch = async |path: String, tag: Option<&str>| {
        let mut request = Request::get(path);
        if let Some(tag) = tag {
            request = request.header("if-none-match", tag);
        }
        let request = request.body(Body::empty()).unwrap();
        app.assembled.router.clone().oneshot(request).await.unwrap()
    };
    let file = fetch(format!("{base}codelists/unit.csv"), None).await;
    assert!(file.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    assert!(file.headers()["content-type"].to_str().unwrap().starts_with("text/csv"));
    let tag = file.headers()["etag"].to_str().unwrap().to_owned();
    let body = file.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("KGM"));
    assert_eq!(fetch(format!("{base}codelists/unit.csv"), Some(&tag)).await.status(), 304);
    let again = fetch(String::from(INDEX), Some(&format!("\"{digest}\""))).await;
    assert_eq!(again.status(), 304);
    assert_eq!(again.headers()["cache-control"], "no-cache");
    for unknown in [
        format!("{INDEX}/{}/openapi.json", "0".repeat(64)),
        format!("{base}nothing.json"),
        format!("{base}../../audit"),
    ] {
        assert_eq!(fetch(unknown.clone(), None).await.status(), 404, "{unknown}");
    }
}

/// An uploaded pack is published when two people have put it into use, and its data is taken.
#[tokio::test]
async fn d_5_f_a_pack_put_into_use_is_published_without_a_restart() {
    let mut app = TestApp::start().await;
    let before = app.send("GET", INDEX, None, &[], None).await.expect(200);
    let kept = app.post("sysadmin", "/api/v1/domains", fish()).await.expect(201);
    let draft = app.send("GET", INDEX, None, &[], None).await.expect(200);
    assert_eq!(draft["digest"], before["digest"], "a draft is nobody's business");
    let path = format!("/api/v1/domains/packs/{}/activate", kept["id"].as_str().unwrap());
    app.post("secadmin", &path, json!({ "reason": "首次启用" })).await.expect(200);
    let published = Published::of(&app).await;
    assert_ne!(published.index["digest"], before["digest"]);
    let example = published.json("examples/aquatic/0.1.0/catch.json");
    app.post("supervisor", "/api/v1/trace/events", example).await.expect(201);
    // The former edition is still there for those who are reading it, and after a restart the present
    // one is there for those who come with its name alone.
    let path = |index: &Value| format!("{}README.md", index["base"].as_str().unwrap());
    assert_eq!(app.send("GET", &path(&before), None, &[], None).await.status, 200);
    app.restart().await;
    assert_eq!(app.send("GET", &path(&published.index), None, &[], None).await.status, 200);
    // What GB/T 38154 calls an element is told as soon as somebody has written it down.
    let name = json!({ "gbt38154_name": "示例地块标识" });
    let path = "/api/v1/dictionary/agri.harvest/plot";
    let body = Some(name.to_string().into());
    let told = app.send("PUT", path, Some("sysadmin"), &[], body).await;
    assert_eq!(told.status, 204, "{}", told.body);
    let published = Published::of(&app).await;
    let schema = published.json("schemas/agri/1.2.0/harvest.schema.json");
    let plot = &schema["properties"]["attributes"]["properties"]["plot"];
    assert_eq!(plot["x-yj-gbt38154"], "示例地块标识");
    let xsd = String::from_utf8_lossy(&published.files["xsd/agri/1.2.0.xsd"]).into_owned();
    assert!(xsd.contains("示例地块标识"));
}
