//! 信息资源库 (G-5.3-1): thirteen of them, with true figures.

use serde_json::{Value, json};
use yj_identity::Security;

use crate::{
    harness::{TestApp, harvest},
    houses::{everything, house},
};

const LIBRARIES: &str = "/api/v1/libraries";

/// In the words and the order of §5.3.
const NAMES: [&str; 13] = [
    "生产经营主体注册信息",
    "产品属性信息",
    "产品初级生产信息",
    "产品生产加工信息",
    "产品流通信息",
    "产品运输信息",
    "检测信息",
    "产品消费信息",
    "产品使用信息",
    "应急管理信息",
    "统计分析信息",
    "体系建设管理信息",
    "运行监测信息",
];

async fn libraries(app: &TestApp) -> Vec<Value> {
    let found = app.get("supervisor", LIBRARIES).await.expect(200);
    found["items"].as_array().unwrap().clone()
}

/// Events that the list shows of a stage.
async fn listed(app: &TestApp, query: &str) -> i64 {
    let (mut count, mut after) = (0, String::new());
    for _ in 0..100 {
        let path = format!("/api/v1/trace/events?{query}&per_page=100{after}");
        let page = app.get("supervisor", &path).await.expect(200);
        count += page["items"].as_array().unwrap().len();
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    i64::try_from(count).unwrap()
}

#[tokio::test]
async fn g_5_3_1_the_thirteen_libraries_count_what_the_lists_show() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let device = json!({
        "mac": "A4BB6D070001", "kind": "scale", "model": "示例-1", "subject_id": subject["id"],
        "region": "610116", "in_use": true,
    });
    let filed = app.post("enterprise", "/api/v1/device", device).await.expect(202);
    let request = filed["change_request"]["id"].as_str().unwrap();
    let path = format!("/api/v1/device/changes/{request}/approve");
    app.post("reviewer", &path, json!({})).await.expect(200);
    let entries = app.count("SELECT COUNT(*) FROM audit_log").await;
    let all = libraries(&app).await;
    let names: Vec<_> = all.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, NAMES);
    let routes = app.send("GET", "/openapi.json", None, &[], None).await.expect(200);
    let mut registers = 0;
    for (number, library) in (1..).zip(&all) {
        assert_eq!(library["number"], number);
        for name in ["partition", "class", "owner", "state"] {
            assert!(library[name].as_str().is_some_and(|text| !text.is_empty()), "{library}");
        }
        assert!(library["retention"]["rule"].as_str().unwrap().contains("不少于"), "{library}");
        assert!(!library["retention"]["source"].as_str().unwrap().is_empty(), "{library}");
        let parts = library["parts"].as_array().unwrap();
        let rows: i64 = parts.iter().map(|part| part["rows"].as_i64().unwrap()).sum();
        assert_eq!((&library["rows"], &library["rows_approximate"]), (&rows.into(), &false.into()));
        for part in parts {
            let some = part["rows"] != 0;
            assert_eq!(part["last_update"].is_string(), some, "{part}");
            assert!(!some || part["bytes"].as_i64().unwrap() > 0, "{part}");
            if let Some(export) = part["export"].as_str() {
                let numbered = format!("/libraries/{number}/");
                let export = export.replace(&numbered, "/libraries/{number}/");
                let route = &routes["paths"][&export]["get"];
                assert_eq!(route["x-permission"], part["export_permission"], "{export}");
            }
            if part["kind"] == "register" {
                let path = format!("/api/v1/{}?count=true", part["table"].as_str().unwrap());
                let list = app.get("supervisor", &path).await.expect(200);
                assert_eq!(part["rows"], list["total"]["count"], "{part}");
                registers += 1;
            }
        }
    }
    assert_eq!(registers, 9);
    // Subjects, their licences, sites and former codes.
    assert_eq!((&all[0]["rows"], &all[11]["rows"]), (&(18 + 5 + 1 + 3).into(), &1.into()));
    for (at, query) in [
        (2, "stage=primary_production"),
        (3, "stage=processing"),
        (4, "stage=distribution"),
        (5, "stage=transport"),
        (6, "stage=inspection"),
        (7, "stage=consumption&domain=agri"),
        (8, "stage=consumption&domain=industrial"),
        (9, "stage=supervision"),
    ] {
        assert_eq!(all[at]["rows"], listed(&app, query).await, "{query}");
    }
    let events: i64 = all[2..10].iter().map(|one| one["rows"].as_i64().unwrap()).sum();
    assert_eq!(events, app.count("SELECT COUNT(*) FROM trace_event").await);
    assert!(all[2]["rows"].as_i64().unwrap() > 0 && all[8]["rows"].as_i64().unwrap() > 0);
    assert_eq!(all[12]["parts"][0]["rows"], entries);
    // What is not built is not called ready.
    assert_eq!((&all[0]["state"], &all[9]["state"]), (&"ready".into(), &"partial".into()));
    assert!(all[9]["missing"].as_str().unwrap().contains("未启用"));
    // One more is one more, from now.
    app.pass(jiff::SignedDuration::from_mins(5));
    let farm = app.subject("示例韭菜合作社一社").await;
    app.post("gateway", "/api/v1/trace/events", harvest(&farm, "LIB-1")).await.expect(201);
    let after = libraries(&app).await;
    assert_eq!(after[2]["rows"].as_i64().unwrap(), all[2]["rows"].as_i64().unwrap() + 1);
    assert_eq!(after[2]["last_update"], "2026-11-19T12:05:00+08:00");
    assert_eq!(after[3]["rows"], all[3]["rows"]);
}

#[tokio::test]
async fn g_5_3_1_every_library_of_events_is_taken_out_whole() {
    let app = TestApp::start().await;
    let mut taken = 0;
    for (number, library) in (1..).zip(libraries(&app).await) {
        if library["parts"][0]["kind"] != "events" {
            continue;
        }
        for format in ["csv", "xlsx"] {
            let path = format!("{LIBRARIES}/{number}/export?format={format}");
            let file = app.get("supervisor", &path).await;
            assert_eq!(file.status, 200, "{library}");
            let sheet = yj_sheet::read(&file.bytes).unwrap();
            assert_eq!(library["rows"], sheet.rows.len(), "{library}");
        }
        taken += 1;
    }
    assert_eq!(taken, 8);
    let of = |query: &str| format!("{LIBRARIES}/3/export?{query}");
    let sheet = yj_sheet::read(&app.get("supervisor", &of("format=csv")).await.bytes).unwrap();
    let harvest = sheet.rows.iter().find(|row| row.cells.iter().any(|cell| cell.contains("F1-A")));
    let harvest = harvest.unwrap();
    assert!(harvest.cells.contains(&String::from("初级生产")), "{harvest:?}");
    assert!(harvest.cells.contains(&String::from("F1-A 1200 KGM")), "{harvest:?}");
    // A period, and nobody else's events.
    let none = of("format=csv&event_time.to=2020-01-01T00:00:00%2B08:00");
    assert!(yj_sheet::read(&app.get("supervisor", &none).await.bytes).unwrap().rows.is_empty());
    let own = yj_sheet::read(&app.get("farm", &of("format=csv")).await.bytes).unwrap();
    assert!(own.rows.len() < sheet.rows.len(), "{}", own.rows.len());
    app.get("supervisor", &of("state=held")).await.expect(422);
    app.get("supervisor", &format!("{LIBRARIES}/1/export")).await.expect(422);
    app.get("supervisor", &format!("{LIBRARIES}/14/export")).await.expect(404);
    let entries = app.get("auditor", "/api/v1/audit?entity=library&action=exported").await;
    assert!(!entries.expect(200)["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn g_5_3_1_the_libraries_are_for_readers_of_the_whole_platform() {
    let security = Security { export_approval_rows: 1, ..Security::demonstration() };
    let mut app = TestApp::start_under(security).await;
    for user in ["enterprise", "reviewer", "sysadmin", "gateway"] {
        assert_eq!(app.get(user, LIBRARIES).await.status, 403, "{user}");
    }
    let role = everything(&app).await;
    let house = house(&mut app, 0, ("示例韭菜合作社一社", &role)).await;
    let refused = app.get(&house.user("boss"), LIBRARIES).await.expect(403);
    assert!(refused["detail"].as_str().unwrap().contains("覆盖全平台"), "{refused}");
    // A part of the area, one domain or one stage is not the whole either.
    let account = house.things["account"].clone();
    for limit in [
        json!({ "region": "610100" }),
        json!({ "region": "610000", "category": "agri" }),
        json!({ "region": "610000", "stage": "transport" }),
    ] {
        let mut grant = json!({ "account_id": account, "role_id": role, "clearance": 2 });
        grant.as_object_mut().unwrap().extend(limit.as_object().unwrap().clone());
        app.post("secadmin", "/api/v1/assignment", grant).await.expect(201);
        assert_eq!(app.get(&house.user("boss"), LIBRARIES).await.status, 403, "{limit}");
    }
    let whole = json!({
        "account_id": account, "role_id": role, "clearance": 2, "region": "610000",
    });
    app.post("secadmin", "/api/v1/assignment", whole).await.expect(201);
    app.get(&house.user("boss"), LIBRARIES).await.expect(200);
}
