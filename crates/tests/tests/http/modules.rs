//! 模块停用 (G-4b): what is off has no menu, no interface and no permissions; its data stay.

use serde_json::{Value, json};
use yj_server::Module;

use crate::{devices, harness::TestApp};

async fn permissions(app: &TestApp, user: &str) -> Vec<String> {
    let me = app.get(user, "/api/v1/me").await.expect(200);
    let names = me["permissions"].as_array().unwrap().iter();
    names.map(|name| String::from(name.as_str().unwrap())).collect()
}

#[tokio::test]
async fn g_4_b_a_module_that_is_off_leaves_nothing_but_its_data() {
    let mut app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let scale = devices::device(&subject, "02:00:00:00:00:77");
    let device = devices::registered(&app, "supervisor", scale).await;
    let all = permissions(&app, "supervisor").await;
    assert!(all.iter().any(|name| name == "device:read"));
    let stored = "SELECT COUNT(*) FROM device";
    let before = app.count(stored).await;

    app.restart_without(&[Module::Device, Module::SelfRegistration]).await;
    for path in ["/api/v1/device", "/api/v1/device/status", "/api/v1/subject_application"] {
        let gone = app.get("supervisor", path).await.expect(404);
        assert_eq!(gone["detail"], "没有这个地址", "{path}");
    }
    app.post("supervisor", "/api/v1/device", json!({})).await.expect(404);
    app.post("supervisor", "/api/v1/applications", json!({})).await.expect(404);
    let left = permissions(&app, "supervisor").await;
    let off = |name: &String| {
        ["device:", "device_binding:", "subject_application:"]
            .iter()
            .any(|stem| name.starts_with(stem))
    };
    let expected: Vec<_> = all.iter().filter(|name| !off(name)).cloned().collect();
    assert_eq!(left, expected);
    let meta = app.get("supervisor", "/api/v1/meta").await.expect(200);
    let there = |meta: &Value| {
        meta["entities"].as_array().unwrap().iter().any(|entity| entity["table"] == "device")
    };
    assert!(!there(&meta));
    let paths = app.get("supervisor", "/openapi.json").await.expect(200)["paths"].to_string();
    assert!(!paths.contains("/api/v1/device") && paths.contains("/api/v1/merchant"));
    // A role keeps what it held of them, and gets no more.
    let found = app.get("secadmin", "/api/v1/role?code=supervisor").await.expect(200);
    let role = &found["items"][0];
    let held = role["permissions"].as_array().unwrap();
    assert!(held.contains(&json!("device:read")));
    let path = format!("/api/v1/role/{}", role["id"].as_str().unwrap());
    let said = json!({ "remark": "示例说明", "permissions": held });
    let version = role["version"].as_i64().unwrap();
    let kept = app.change("secadmin", ("PATCH", &path), version, said).await.expect(200);
    assert_eq!(&kept["permissions"], &role["permissions"]);
    let more: Vec<_> = held.iter().cloned().chain([json!("device:nonsense")]).collect();
    let more = json!({ "permissions": more });
    app.change("secadmin", ("PATCH", &path), version + 1, more).await.expect(422);
    // Nothing leads there: no tile, no way to register, no rules of change.
    let bench = app.get("supervisor", "/api/v1/workbench").await.expect(200);
    assert!(!bench.to_string().contains("device"), "{bench}");
    let ways = app.send("GET", "/api/v1/sso", None, &[], None).await.expect(200);
    assert_eq!(ways["apply"], false);
    let rules = app.get("secadmin", "/api/v1/change-rules?entity=device").await;
    assert_eq!(rules.status, 404);
    let offered = app.count("SELECT COUNT(*) FROM permission WHERE name LIKE 'device:%'").await;
    assert_eq!((offered, app.count(stored).await), (0, before));

    app.restart().await;
    assert_eq!(app.send("GET", "/api/v1/sso", None, &[], None).await.expect(200)["apply"], true);
    assert_eq!(permissions(&app, "supervisor").await, all);
    let path = format!("/api/v1/device/{device}");
    assert_eq!(app.get("supervisor", &path).await.expect(200)["id"], json!(device));
}

#[test]
fn g_4_b_a_module_that_cannot_be_off_is_named() {
    let refused = Module::from_code("trace").unwrap_err();
    assert!(refused.contains("device（感知设备）"), "{refused}");
}
