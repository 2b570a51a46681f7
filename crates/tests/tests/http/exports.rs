//! 导出审批 (GB/T 22239 8.1.4.11; S-33): many rows leave only with somebody else's word.

use jiff::SignedDuration;
use serde_json::{Value, json};
use yj_identity::Security;

use crate::harness::TestApp;

/// One part of an XLSX file, as text.
fn part_of(file: &[u8], part: &str) -> String {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(file)).unwrap();
    std::io::read_to_string(archive.by_name(part).unwrap()).unwrap()
}

#[tokio::test]
async fn s_33_many_rows_leave_only_with_somebody_elses_word_and_for_seven_days() {
    let security = Security { export_approval_rows: 3, ..Security::demonstration() };
    let app = TestApp::start_under(security).await;
    let ask = async |user: &str, format: &str| {
        app.get(user, &format!("/api/v1/trace_subject/export?format={format}")).await
    };
    let refused = ask("supervisor", "csv").await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("水印"));
    let queued = ask("supervisor", "xlsx").await.expect(202);
    assert_eq!(queued["state"], "waiting");
    let id = String::from(queued["job"].as_str().unwrap());
    app.run_jobs().await;
    let job = app.get("supervisor", &format!("/api/v1/jobs/{id}")).await.expect(200);
    assert_eq!((&job["state"], &job["file"]), (&"waiting".into(), &Value::Null), "nothing is made");
    // An enterprise's few rows need nobody.
    assert_eq!(ask("farm", "xlsx").await.expect(202)["state"], "queued");

    // Nobody agrees to their own request, nor to one they may not see, nor without a fresh factor.
    let word = json!({ "reason": "示例年度检查用" });
    let approve = format!("/api/v1/exports/{id}/approve");
    assert_eq!(app.post("supervisor", &approve, word.clone()).await.status, 403);
    assert_eq!(app.post("farm", &approve, word.clone()).await.status, 403);
    let shown = app.get("reviewer", "/api/v1/exports").await.expect(200);
    assert_eq!(shown["items"].as_array().unwrap().len(), 1);
    assert_eq!(shown["items"][0]["created_by"], "supervisor");
    assert!(shown["items"][0]["rows"].as_i64().unwrap() > 3);
    app.post("reviewer", &approve, json!({ "reason": " " })).await.expect(422);
    app.pass(SignedDuration::from_mins(6));
    assert_eq!(app.post("reviewer", &approve, word.clone()).await.expect(403)["code"], "step-up");
    let again = json!({ "password": app.password_of("reviewer") });
    assert_eq!(app.post("reviewer", "/api/v1/session/proof", again).await.status, 204);
    assert_eq!(app.post("reviewer", &approve, word.clone()).await.status, 204);
    assert_eq!(app.post("reviewer", &approve, word).await.status, 404, "once");
    app.run_jobs().await;

    let job = app.get("supervisor", &format!("/api/v1/jobs/{id}")).await.expect(200);
    assert_eq!((&job["state"], &job["decided_by"]), (&"done".into(), &"reviewer".into()));
    let path = format!("/api/v1/attachments/{}", job["file"].as_str().unwrap());
    let file = app.get("supervisor", &path).await;
    assert_eq!(file.status, 200);
    for part in ["docProps/core.xml", "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"] {
        let text = part_of(&file.bytes, part);
        assert!(text.contains("supervisor") && text.contains(&id), "{part}: {text}");
    }
    app.pass(SignedDuration::from_hours(7 * 24));
    assert_eq!(app.get("supervisor", &path).await.status, 401, "the session is long over");
    let mut app = app;
    let password = String::from(app.password_of("supervisor"));
    app.log_in("supervisor", &password).await;
    assert_eq!(app.get("supervisor", &path).await.expect(410)["code"], "gone");
    app.run_jobs().await;
    assert_eq!(
        app.count("SELECT COUNT(*) FROM attachment WHERE removed_at IS NOT NULL").await,
        2,
        "the bytes go too"
    );
    let password = String::from(app.password_of("auditor"));
    app.log_in("auditor", &password).await;
    for (action, times) in [("approved", 1), ("downloaded", 1), ("removed", 2)] {
        let found = app.get("auditor", &format!("/api/v1/audit?action={action}")).await.expect(200);
        assert_eq!(found["items"].as_array().unwrap().len(), times, "{action}: {found}");
    }
}

#[tokio::test]
async fn s_33_who_cannot_see_every_row_cannot_agree_to_them() {
    let security = Security { export_approval_rows: 3, ..Security::demonstration() };
    let app = TestApp::start_under(security).await;
    let path = "/api/v1/trace_subject/export";
    let queued = app.get("supervisor", path).await.expect(202);
    let id = queued["job"].as_str().unwrap();
    // A reviewer of one county.
    let admin = "secadmin";
    let found = app.get(admin, "/api/v1/assignment?per_page=100").await.expect(200);
    let reviewer = app.get("sysadmin", "/api/v1/account?user_name=reviewer").await.expect(200);
    let reviewer = reviewer["items"][0]["id"].clone();
    let one = found["items"].as_array().unwrap().iter().find(|one| one["account_id"] == reviewer);
    let one = one.unwrap();
    let at = format!("/api/v1/assignment/{}", one["id"].as_str().unwrap());
    let version = one["version"].as_i64().unwrap();
    let narrow = json!({ "region": "610116" });
    app.change(admin, ("PATCH", &at), version, narrow).await.expect(200);
    let shown = app.get("reviewer", "/api/v1/exports").await.expect(200);
    assert_eq!(shown["items"], json!([]));
    let approve = format!("/api/v1/exports/{id}/approve");
    let word = json!({ "reason": "示例年度检查用" });
    assert_eq!(app.post("reviewer", &approve, word).await.status, 404);
}

/// The rows of the file that a job made, with its header.
pub async fn file_of(app: &TestApp, user: &str, queued: &Value) -> (Vec<String>, Vec<Vec<String>>) {
    app.run_jobs().await;
    let job = format!("/api/v1/jobs/{}", queued["job"].as_str().unwrap());
    let job = app.get(user, &job).await.expect(200);
    assert_eq!(job["state"], "done", "{job}");
    let path = format!("/api/v1/attachments/{}", job["file"].as_str().unwrap());
    let sheet = yj_sheet::read(&app.get(user, &path).await.bytes).unwrap();
    (sheet.header, sheet.rows.into_iter().map(|row| row.cells).collect())
}

#[tokio::test]
async fn g_6_2_3_what_a_search_of_trace_data_finds_is_one_file() {
    let app = TestApp::start().await;
    let list = "/api/v1/trace/events";
    let export = |query: &str| format!("{list}/export?format=csv&{query}");
    for query in ["", "stage=processing", "catalogue_code=0101&sort=event_time", "lot=none-such"] {
        let path = format!("{list}?per_page=200&count=true&{query}");
        let found = app.get("supervisor", &path).await.expect(200);
        let items = found["items"].as_array().unwrap();
        let queued = app.get("supervisor", &export(query)).await.expect(202);
        let (header, rows) = file_of(&app, "supervisor", &queued).await;
        assert_eq!((header.len(), &header[0]), (18, &String::from("事件标识")));
        assert_eq!(found["total"]["count"], json!(rows.len()), "{query}");
        // The same in the same order, in the words of the page.
        let ids: Vec<_> = rows.iter().map(|row| row[0].as_str()).collect();
        let shown: Vec<_> = items.iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!(ids[..shown.len()], shown[..], "{query}");
        for (row, item) in rows.iter().zip(items) {
            let cell = |name: &str| &row[header.iter().position(|one| one == name).unwrap()];
            assert_eq!(cell("主体名称"), item["subject"]["name"].as_str().unwrap());
            let code = item["outputs"][0]["code"].as_str().unwrap_or_default();
            assert!(cell("产出").starts_with(code), "{row:?}");
            assert!(cell("状态") == "已接收" || item["state"] != "accepted", "{row:?}");
        }
    }
    // Whoever sees less takes less out, and a wrong question is no file.
    let theirs = app.get("farm", &format!("{list}?count=only")).await.expect(200);
    let queued = app.get("farm", &export("")).await.expect(202);
    let (_, rows) = file_of(&app, "farm", &queued).await;
    assert_eq!(theirs["total"]["count"], json!(rows.len()));
    app.get("supervisor", &export("stage=nowhere")).await.expect(422);
    app.get("supervisor", &export("colour=red")).await.expect(422);
    app.get("supervisor", &format!("{list}/export?format=doc")).await.expect(422);
    assert_eq!(app.get("secadmin", &export("")).await.status, 403);
    let trail = app.get("auditor", "/api/v1/audit?entity=trace_event&action=exported").await;
    let trail = trail.expect(200);
    assert_eq!(trail["items"].as_array().unwrap().len(), 5, "{trail}");
}

#[tokio::test]
async fn s_33_many_trace_events_leave_only_with_the_word_of_somebody_who_sees_them_all() {
    let security = Security { export_approval_rows: 3, ..Security::demonstration() };
    let app = TestApp::start_under(security).await;
    let path = "/api/v1/trace/events/export";
    app.get("supervisor", &format!("{path}?format=csv")).await.expect(422);
    let queued = app.get("supervisor", path).await.expect(202);
    assert_eq!(queued["state"], "waiting");
    let id = String::from(queued["job"].as_str().unwrap());
    let shown = app.get("reviewer", "/api/v1/exports").await.expect(200);
    assert_eq!(shown["items"][0]["dataset"], "追溯事件", "{shown}");
    let word = json!({ "reason": "示例年度检查用" });
    let approve = format!("/api/v1/exports/{id}/approve");
    assert_eq!(app.post("farm", &approve, word.clone()).await.status, 403);
    assert_eq!(app.post("reviewer", &approve, word).await.status, 204);
    let (_, rows) = file_of(&app, "supervisor", &queued).await;
    assert!(rows.len() > 3, "{}", rows.len());
}

#[tokio::test]
async fn g_6_2_3_a_search_of_trace_data_is_kept_under_a_name() {
    let app = TestApp::start().await;
    let views = "/api/v1/views";
    let view = |query: &str, shared: bool| json!({ "entity": "trace_event", "title": "示例加工", "query": query, "shared": shared });
    let kept = app.post("supervisor", views, view("stage=processing&domain=agri", true)).await;
    assert_eq!(kept.expect(201)["entity"], "trace_event");
    for query in ["stage=nowhere", "colour=red", "event_time.from=yesterday"] {
        app.post("supervisor", views, view(query, false)).await.expect(422);
    }
    let mut figure = view("", false);
    figure["figure"] = json!("by=stage");
    app.post("supervisor", views, figure).await.expect(422);
    // Shared ones are for everybody who may read trace data, and for nobody else.
    for (user, count) in [("supervisor", 1), ("farm", 1), ("secadmin", 0)] {
        let found = app.get(user, &format!("{views}?entity=trace_event")).await.expect(200);
        assert_eq!(found["items"].as_array().unwrap().len(), count, "{user}: {found}");
    }
}
