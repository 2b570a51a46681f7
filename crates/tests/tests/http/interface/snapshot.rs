//! The interface does not change without anybody noticing.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::Published;
use crate::harness::TestApp;

/// `docs/interface/` keeps the digest of every file of every version that was published. What is
/// released does not change any more: raise `VERSION` in `crates/server/src/interface`, write down in
/// `docs/interface/README.md` what is new, and run this test with `YJ_WRITE_INTERFACE=1`.
#[tokio::test]
async fn g_8_2_the_interface_does_not_change_without_a_version() {
    let app = TestApp::start().await;
    let index = Published::of(&app).await.index;
    let version = index["version"].as_str().unwrap();
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/interface"));
    let history = std::fs::read_to_string(folder.join("README.md")).unwrap();
    assert!(
        history.contains(&format!("## {version}\n")),
        "docs/interface/README.md 没有 {version}"
    );
    let files = index["artefacts"].as_array().unwrap().iter();
    let files: Value = files
        .map(|file| (file["path"].as_str().unwrap().to_owned(), file["sm3"].clone()))
        .collect();
    let path = folder.join(format!("{version}.json"));
    let known: Option<Value> =
        std::fs::read(&path).ok().map(|bytes| serde_json::from_slice(&bytes).unwrap());
    if std::env::var_os("YJ_WRITE_INTERFACE").is_some() {
        let released = known.is_some_and(|known| known["released"] == true);
        assert!(!released, "{version} 已发布，不能改写；请提高版本");
        let snapshot = json!({ "version": version, "released": false, "files": files });
        std::fs::write(path, serde_json::to_string_pretty(&snapshot).unwrap() + "\n").unwrap();
        return;
    }
    let known = known.unwrap_or_else(|| panic!("没有 docs/interface/{version}.json"));
    let differs: Vec<_> = files
        .as_object()
        .unwrap()
        .keys()
        .chain(known["files"].as_object().unwrap().keys())
        .filter(|path| files[path.as_str()] != known["files"][path.as_str()])
        .collect();
    assert!(
        differs.is_empty(),
        "接口规范已变：{differs:?}。未发布的版本：YJ_WRITE_INTERFACE=1 cargo test -p yj-tests --test http g_8_2；已发布的：先提高版本"
    );
}
