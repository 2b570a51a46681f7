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
