//! 并发导入 (G-6.2.1): many files of registrations at once, with rows that several of them have.
//!
//! A build for debugging takes more than a minute for 8 × 1 000; it does 8 × 240 unless `YJ_IMPORT_ROWS=1000`
//! asks for more.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yj_model::SubjectCode;

use crate::harness::TestApp;

const IMPORTERS: u32 = 8;
/// Registrations of each file where nobody asks for more.
const EACH: u32 = 240;
/// Requests that are decided in one go.
const BULK: usize = 100;

fn code(number: u32) -> String {
    SubjectCode::issue(610_116, 7, number).unwrap().to_string()
}

/// Registrations of each file, and how far apart files begin: each has its last eighth in common
/// with the next.
fn size() -> (u32, u32) {
    let asked = std::env::var("YJ_IMPORT_ROWS").ok().and_then(|rows| rows.parse().ok());
    let each: u32 = asked.unwrap_or(EACH);
    (each, each / 8 * 7)
}

fn sheet(importer: u32, (each, step): (u32, u32)) -> String {
    let mut sheet = String::from("主体代码,主体名称,主体类型,环节角色,所属区域,联系人,联系电话\n");
    for number in importer * step + 1..=importer * step + each {
        let code = code(number);
        let line =
            format!("{code},示例农户{number},家庭农场或农户,种植,610116,示例联系人,13800000001\n");
        sheet.push_str(&line);
    }
    sheet
}

/// Everything that waits for a reviewer.
async fn waiting(app: &TestApp) -> Vec<Value> {
    let (mut ids, mut page) = (Vec::new(), 1);
    loop {
        let path =
            format!("/api/v1/trace_subject/changes?state=submitted&per_page=100&page={page}");
        let found = app.get("reviewer", &path).await.expect(200);
        let items = found["items"].as_array().unwrap();
        ids.extend(items.iter().map(|one| one["id"].clone()));
        if items.len() < BULK {
            return ids;
        }
        page += 1;
    }
}

#[tokio::test]
async fn g_6_2_1_eight_importers_of_subjects_at_once_lose_and_double_nothing() {
    let (each, step) = size();
    let app = TestApp::start().await;
    let before = app.count("SELECT COUNT(*) FROM trace_subject").await;
    let mut queued = Vec::new();
    for importer in 0..IMPORTERS {
        let kind = [("content-type", "application/octet-stream")];
        let (path, file) =
            ("/api/v1/trace_subject/import", sheet(importer, (each, step)).into_bytes());
        let answer = app.send("POST", path, Some("supervisor"), &kind, Some(file)).await;
        queued.push(answer.expect(202)["job"].as_str().unwrap().to_owned());
    }
    let importers = (0..IMPORTERS).map(|_| {
        let app = app.assembled.app.clone();
        tokio::spawn(async move { yj_kernel::jobs::run_next(&app).await.unwrap() })
    });
    for importer in importers.collect::<Vec<_>>() {
        assert!(importer.await.unwrap(), "every one had a file");
    }
    for job in &queued {
        let job = app.get("supervisor", &format!("/api/v1/jobs/{job}")).await.expect(200);
        assert_eq!((&job["state"], &job["succeeded"]), (&"done".into(), &each.into()), "{job}");
    }
    // Every row waits for a reviewer; four of them at once let nobody in twice.
    let ids = waiting(&app).await;
    assert_eq!(ids.len(), (IMPORTERS * each) as usize);
    let approve = async |part: usize| {
        let mine: Vec<_> = ids.iter().skip(part).step_by(4).collect();
        let (mut approved, mut refused) = (0, 0);
        for some in mine.chunks(BULK) {
            let path = "/api/v1/trace_subject/changes/approve";
            let answer = app.post("reviewer", path, json!({ "ids": some })).await.expect(200);
            approved += answer["approved"].as_u64().unwrap();
            refused += answer["refused"].as_u64().unwrap();
        }
        (approved, refused)
    };
    let parts = tokio::join!(approve(0), approve(1), approve(2), approve(3));
    let parts = [parts.0, parts.1, parts.2, parts.3];
    let distinct = u64::from((IMPORTERS - 1) * step + each);
    let sums = parts.iter().fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
    assert_eq!(sums, (distinct, u64::from(IMPORTERS * each) - distinct));
    let after = before + i64::try_from(distinct).unwrap();
    assert_eq!(app.count("SELECT COUNT(*) FROM trace_subject").await, after);
    assert_eq!(app.count("SELECT COUNT(DISTINCT code) FROM trace_subject").await, after);
    // None is lost: each code of each file, also those at the seams, leads to one subject.
    let seams: BTreeSet<u32> =
        (0..IMPORTERS).flat_map(|file| [file * step + 1, file * step + each]).collect();
    for number in seams {
        let path = format!("/api/v1/trace_subject?count=only&code={}", code(number));
        let found = app.get("supervisor", &path).await.expect(200);
        assert_eq!(found["total"]["count"], 1, "{number}");
    }
}
