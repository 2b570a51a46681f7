//! G-6.2.1, G-6.4.1: files in and out, with Chinese headers and a result for every row.

use serde_json::{Value, json};
use yj_sheet::{Column, Table};

use crate::harness::{Answer, TestApp};

fn table(header: &[&str], rows: &[&[&str]]) -> Table {
    let column = |name: &&str| Column { name: String::from(*name), ..Column::default() };
    let row = |row: &&[&str]| row.iter().map(|cell| String::from(*cell)).collect();
    Table {
        title: String::from("示例"),
        columns: header.iter().map(column).collect(),
        rows: rows.iter().map(row).collect(),
        ..Table::default()
    }
}

const SUBJECT_HEADER: [&str; 7] =
    ["主体代码", "主体名称", "主体类型", "环节角色", "所属区域", "联系人", "联系电话"];

fn code(number: u32) -> String {
    yj_model::SubjectCode::issue(610_116, 7, number).unwrap().to_string()
}

async fn rows(app: &TestApp, user: &str, job: &Value, outcome: &str) -> Vec<Value> {
    let path = format!("/api/v1/jobs/{}/rows?outcome={outcome}", job["id"].as_str().unwrap());
    app.get(user, &path).await.expect(200)["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn g_6_2_1_subjects_are_imported_row_by_row() {
    let app = TestApp::start().await;
    let (first, second) = (code(1), code(2));
    let sheet = table(
        &SUBJECT_HEADER,
        &[
            &[
                &first,
                "示例农户一",
                "家庭农场或农户",
                "种植",
                "610116",
                "示例联系人",
                "13800000001",
            ],
            &[&second, "示例农户二", "家庭农场或农户", "种植", "610116", "示例联系人", "12"],
            &["错误代码", "示例农户三", "没有这种", "种植", "610116", "", "13800000003"],
        ],
    );
    for bytes in [yj_sheet::write_xlsx(&sheet).unwrap(), yj_sheet::write_csv(&sheet).unwrap()] {
        let job = app
            .import(
                "supervisor",
                "/api/v1/trace_subject/import?name=%E7%A4%BA%E4%BE%8B.xlsx",
                bytes,
            )
            .await;
        let failed = rows(&app, "supervisor", &job, "failed").await;
        let counts =
            ["state", "done", "total", "succeeded", "failed"].map(|name| job[name].clone());
        assert_eq!(counts, [json!("done"), json!(3), json!(3), json!(1), json!(2)], "{failed:?}");
        assert_eq!(
            (&failed[0]["row"], &failed[0]["place"], &failed[0]["source"]["主体名称"]),
            (&2.into(), &"第 3 行".into(), &"示例农户二".into())
        );
        assert!(failed[0]["detail"].as_str().unwrap().contains("联系电话"), "{failed:?}");
        assert_eq!(failed[1]["errors"].as_array().unwrap().len(), 3, "{failed:?}");
        // Nobody else sees the job or its rows.
        assert_eq!(
            app.get("reviewer", &format!("/api/v1/jobs/{}", job["id"].as_str().unwrap()))
                .await
                .status,
            404
        );
    }
    let waiting =
        app.get("reviewer", "/api/v1/trace_subject/changes?state=submitted").await.expect(200);
    assert_eq!(waiting["items"].as_array().unwrap().len(), 2);
}

/// Corrects cells of a row of an import.
async fn mend(app: &TestApp, user: &str, (job, row): (&Value, &str), cells: Value) -> Answer {
    let path = format!("/api/v1/jobs/{}/rows/{row}", job["id"].as_str().unwrap());
    app.send("PUT", &path, Some(user), &[], Some(cells.to_string().into())).await
}

fn figures(job: &Value) -> [i64; 3] {
    ["done", "succeeded", "failed"].map(|name| job[name].as_i64().unwrap())
}

/// Changes the check digit.
fn miswritten(code: &str) -> String {
    let (body, digit) = code.split_at(code.len() - 1);
    format!("{body}{}", if digit == "1" { "2" } else { "1" })
}

#[tokio::test]
async fn g_6_2_1_a_wrong_row_is_mended_in_place_without_a_new_file() {
    let app = TestApp::start().await;
    let known = app.subject("示例韭菜合作社一社").await;
    let (known_code, known_name) = (known["code"].as_str().unwrap(), "示例韭菜合作社一社");
    let (first, second, third, fourth) = (code(1), code(2), code(3), code(4));
    let (wrong, kind) = (miswritten(&second), "家庭农场或农户");
    let line = |code: &str, name: &str, phone: &str| {
        [code, name, kind, "种植", "610116", "示例联系人", phone].map(String::from)
    };
    let mut cells = [
        line(&first, "示例农户一", "13800000001"),
        line(&wrong, "示例农户二", "13800000002"),
        line(&third, "示例农户三", "12"),
        line(known_code, known_name, "13800000100"),
    ];
    // As it is registered, so that it says nothing new.
    cells[3][2] = String::from("农民专业合作社");
    cells[3][4] = String::from(known["region"].as_str().unwrap());
    let cells: Vec<Vec<&str>> =
        cells.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    let cells: Vec<&[&str]> = cells.iter().map(Vec::as_slice).collect();
    let sheet = yj_sheet::write_xlsx(&table(&SUBJECT_HEADER, &cells)).unwrap();
    let job = app.import("supervisor", "/api/v1/trace_subject/import", sheet).await;
    assert_eq!(figures(&job), [4, 2, 2], "{job}");
    let requests = async || app.count("SELECT COUNT(*) FROM change_request").await;
    assert_eq!(requests().await, 1);

    // What cannot be a correction changes nothing.
    let right = json!({ "主体代码": second });
    let refused = mend(&app, "reviewer", (&job, "2"), right.clone()).await.expect(404);
    let nowhere = json!({ "id": "01900000-0000-7000-8000-000000000000" });
    let unknown = mend(&app, "reviewer", (&nowhere, "2"), right.clone()).await.expect(404);
    assert_eq!(refused["detail"], unknown["detail"]);
    for none in ["9", "two"] {
        mend(&app, "supervisor", (&job, none), right.clone()).await.expect(404);
    }
    let refused = mend(&app, "supervisor", (&job, "2"), json!({ "颜色": "红" })).await.expect(422);
    assert!(refused.to_string().contains("没有“颜色”这一列"), "{refused}");
    let long = json!({ "主体名称": "长".repeat(4_001) });
    let refused = mend(&app, "supervisor", (&job, "2"), long).await.expect(422);
    assert!(refused.to_string().contains("至多 4000 字，现为 4001 字"), "{refused}");
    mend(&app, "supervisor", (&job, "2"), json!({ "主体名称": 1 })).await.expect(422);
    let path = format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
    assert_eq!(app.get("supervisor", &path).await.expect(200), job);

    // Wrong in another way: the row keeps what was written last and what is wrong with that.
    let still = json!({ "主体代码": second, "联系电话": "13" });
    let answer = mend(&app, "supervisor", (&job, "2"), still).await.expect(200);
    assert_eq!((&answer["row"]["outcome"], figures(&answer["job"])), (&"failed".into(), [4, 2, 2]));
    assert!(answer["row"]["detail"].as_str().unwrap().contains("联系电话"), "{answer}");
    let failed = rows(&app, "supervisor", &job, "failed").await;
    assert_eq!((&failed[0], failed.len()), (&answer["row"], 2));
    assert_eq!(failed[0]["source"]["主体代码"], second);
    assert_eq!(requests().await, 1);

    // Right: what was corrected before stays, and the change waits for its review.
    let phone = json!({ "联系电话": "13800000002" });
    let answer = mend(&app, "supervisor", (&job, "2"), phone.clone()).await.expect(200);
    assert_eq!((&answer["row"]["outcome"], figures(&answer["job"])), (&"ok".into(), [4, 3, 1]));
    let request = answer["row"]["record"].as_str().unwrap();
    let path = format!("/api/v1/trace_subject/changes/{request}");
    let change = app.get("reviewer", &path).await.expect(200);
    assert_eq!((&change["state"], requests().await), (&"submitted".into(), 2), "{change}");
    assert!(change.to_string().contains(&second), "{change}");

    // Once is enough.
    let again = mend(&app, "supervisor", (&job, "2"), phone).await.expect(409);
    assert!(again["detail"].as_str().unwrap().contains("已导入成功"), "{again}");
    assert_eq!(requests().await, 2);

    // What was there already may have been meant otherwise; the figures know it as taken in.
    let meant = json!({
        "主体代码": fourth, "主体名称": "示例农户四", "主体类型": kind, "所属区域": "610116",
    });
    let answer = mend(&app, "supervisor", (&job, "4"), meant).await.expect(200);
    assert_eq!((&answer["row"]["outcome"], figures(&answer["job"])), (&"ok".into(), [4, 3, 1]));
    let last = json!({ "联系电话": "13800000003" });
    let answer = mend(&app, "supervisor", (&job, "3"), last).await.expect(200);
    assert_eq!((figures(&answer["job"]), requests().await), ([4, 4, 0], 4));
    assert_eq!(rows(&app, "supervisor", &job, "failed").await, Vec::<Value>::new());

    // Every attempt is on record, without what the cells hold; corrections are sealed as files are.
    let audit = app.get("auditor", "/api/v1/audit?entity=job&action=repaired").await.expect(200);
    assert_eq!(audit["items"].as_array().unwrap().len(), 4, "{audit}");
    assert!(!audit.to_string().contains("13800000003"), "{audit}");
    let plain = "SELECT COUNT(*) FROM job_row WHERE source LIKE '%示例%' OR source LIKE '%1380%'";
    assert_eq!(app.count(plain).await, 0);
}

#[tokio::test]
async fn g_6_2_1_two_corrections_of_a_row_at_once_take_it_in_once() {
    let app = TestApp::start().await;
    let (code, wrong) = (code(1), "12");
    let row = [&*code, "示例农户", "家庭农场或农户", "种植", "610116", "示例联系人", wrong];
    let sheet = yj_sheet::write_csv(&table(&SUBJECT_HEADER, &[&row])).unwrap();
    let kind = [("content-type", "application/octet-stream")];
    let path = "/api/v1/trace_subject/import";
    let queued = app.send("POST", path, Some("supervisor"), &kind, Some(sheet)).await.expect(202);
    let job = json!({ "id": queued["job"] });
    let phone = json!({ "联系电话": "13800000001" });
    let early = mend(&app, "supervisor", (&job, "1"), phone.clone()).await.expect(409);
    assert!(early["detail"].as_str().unwrap().contains("任务完成后"), "{early}");
    app.run_jobs().await;
    let once = || mend(&app, "supervisor", (&job, "1"), phone.clone());
    let (one, two, three, four) = tokio::join!(once(), once(), once(), once());
    let mut answers = [one, two, three, four].map(|answer| answer.status);
    answers.sort_unstable();
    assert_eq!(answers, [200, 409, 409, 409]);
    assert_eq!(app.count("SELECT COUNT(*) FROM change_request").await, 1);
    // An export has no rows to correct.
    let queued = app.get("farm", "/api/v1/trace_subject/export").await.expect(202);
    app.run_jobs().await;
    let export = json!({ "id": queued["job"] });
    let refused = mend(&app, "farm", (&export, "1"), json!({})).await.expect(409);
    assert!(refused["detail"].as_str().unwrap().contains("不是导入"), "{refused}");
}

#[tokio::test]
async fn g_6_2_1_rows_of_any_register_are_mended_by_its_own_import() {
    let app = TestApp::start().await;
    let owner = app.subject("示例蔬菜加工厂").await;
    let owner = owner["code"].as_str().unwrap();
    let header = ["MAC 地址", "设备类型", "设备型号", "所属企业", "所属区域", "是否启用"];
    let row = ["A4BB6D", "电子秤", "示例-C30", owner, "610116", "也许"];
    let sheet = yj_sheet::write_csv(&table(&header, &[&row])).unwrap();
    let job = app.import("enterprise", "/api/v1/device/import", sheet).await;
    assert_eq!(figures(&job), [1, 0, 1], "{job}");
    let used = json!({ "是否启用": "是" });
    let answer = mend(&app, "enterprise", (&job, "1"), used).await.expect(200);
    let detail = answer["row"]["detail"].as_str().unwrap();
    assert!(detail.contains("MAC"), "what was said of the other cell is over: {answer}");
    let nobody = json!({ "MAC 地址": "A4BB6D000001", "所属企业": code(99) });
    let answer = mend(&app, "enterprise", (&job, "1"), nobody).await.expect(200);
    assert!(answer["row"]["detail"].as_str().unwrap().contains("没有代码为"), "{answer}");
    let right = json!({ "所属企业": owner });
    let answer = mend(&app, "enterprise", (&job, "1"), right).await.expect(200);
    assert_eq!((&answer["row"]["outcome"], figures(&answer["job"])), (&"ok".into(), [1, 1, 0]));
    let path =
        format!("/api/v1/device/changes/{}", answer["row"]["record"].as_str().unwrap_or_default());
    assert_eq!(app.get("reviewer", &path).await.expect(200)["state"], "submitted");
}

#[tokio::test]
async fn files_that_cannot_be_read_are_refused_at_the_door() {
    let app = TestApp::start().await;
    let send = async |bytes: Vec<u8>| {
        let kind = [("content-type", "application/octet-stream")];
        let refused = app
            .send("POST", "/api/v1/trace_subject/import", Some("supervisor"), &kind, Some(bytes))
            .await
            .expect(422);
        refused["errors"].to_string()
    };
    assert!(send(b"PK\x03\x04nothing".to_vec()).await.contains("损坏"));
    assert!(send(Vec::new()).await.contains('空'));
    let strange = yj_sheet::write_csv(&table(&["主体代码", "颜色"], &[&["1", "红"]])).unwrap();
    let detail = send(strange).await;
    assert!(
        detail.contains("没有“颜色”这一列") && detail.contains("缺少必填的“主体名称”列"),
        "{detail}"
    );
    assert_eq!(app.count("SELECT COUNT(*) FROM job").await, 0);
}

#[tokio::test]
async fn a_file_in_gb_18030_is_read_like_any_other() {
    let app = TestApp::start().await;
    let first = code(1);
    let text = format!(
        "{}\r\n{first},示例农户一,家庭农场或农户,种植,610116,示例联系人,13800000001\r\n",
        SUBJECT_HEADER.join(",")
    );
    let (bytes, _, lossy) = encoding_rs::GB18030.encode(&text);
    assert!(!lossy);
    let job = app.import("supervisor", "/api/v1/trace_subject/import", bytes.into_owned()).await;
    assert_eq!((&job["succeeded"], &job["failed"]), (&1.into(), &0.into()), "{job}");
}

#[tokio::test]
async fn g_6_4_1_trace_events_are_imported_by_template() {
    let app = TestApp::start().await;
    let subject = app.subject("示例韭菜合作社一社").await;
    let own = subject["code"].as_str().unwrap();
    let header = [
        "主体代码",
        "发生时间",
        "产出追溯码",
        "产出数量",
        "产出单位",
        "产品代码",
        "批次号",
        "地块编号",
        "面积（亩）",
        "品种",
        "播种日期",
    ];
    let good: &[&str] = &[
        own,
        "2026-11-10 08:00",
        "IMP-1",
        "100",
        "千克",
        "YJ-JC-01",
        "L1",
        "示例地块",
        "5",
        "示例品种",
        "2026-08-01",
    ];
    let sheet = table(
        &header,
        &[
            good,
            good,
            &[
                own,
                "2026-11-10 08:00",
                "IMP-2",
                "=1+1",
                "千克",
                "YJ-JC-01",
                "L1",
                "示例地块",
                "5",
                "示例品种",
                "2026-08-01",
            ],
            &[
                own,
                "2027-11-10 08:00",
                "IMP-3",
                "5",
                "KGM",
                "YJ-JC-01",
                "L1",
                "示例地块",
                "5",
                "示例品种",
                "2026-08-01",
            ],
            &[
                own,
                "11/10/26",
                "IMP-4",
                "5",
                "KGM",
                "YJ-JC-01",
                "L1",
                "示例地块",
                "5",
                "示例品种",
                "2026-08-01",
            ],
        ],
    );
    let path = "/api/v1/trace/imports?domain=agri&type=harvest&name=a.csv";
    let mut csv = Vec::new();
    for row in std::iter::once(header.map(String::from).to_vec()).chain(sheet.rows.clone()) {
        csv.extend_from_slice(row.join(",").as_bytes());
        csv.push(b'\n');
    }
    let job = app.import("farm", path, csv).await;
    assert_eq!(
        (&job["state"], &job["done"], &job["failed"]),
        (&"done".into(), &5.into(), &3.into()),
        "{job}"
    );
    let duplicate = rows(&app, "farm", &job, "duplicate").await;
    assert_eq!(duplicate[0]["row"], 2);
    let details: Vec<_> = rows(&app, "farm", &job, "failed")
        .await
        .iter()
        .map(|row| String::from(row["detail"].as_str().unwrap()))
        .collect();
    for (detail, word) in details.iter().zip(["数", "未来", "时间"]) {
        assert!(detail.contains(word), "{detail} should say {word}");
    }
    let found = app.get("farm", "/api/v1/trace/events?code=IMP-1").await.expect(200);
    assert_eq!(
        (&found["items"][0]["source"], found["items"].as_array().unwrap().len()),
        (&"import".into(), 1)
    );
    // A wrong row is mended in place, by the same capture.
    let mended = mend(&app, "farm", (&job, "3"), json!({ "产出数量": "11" })).await.expect(200);
    assert_eq!((&mended["row"]["outcome"], &mended["job"]["failed"]), (&"ok".into(), &2.into()));
    let found = app.get("farm", "/api/v1/trace/events?code=IMP-2").await.expect(200);
    assert_eq!(found["items"][0]["id"], mended["row"]["record"]);
    let template = app.get("farm", "/api/v1/trace/templates/agri/harvest.xlsx").await;
    assert_eq!(&template.bytes[..2], b"PK");
    assert_eq!(yj_sheet::read(&template.bytes).unwrap().header[0], "主体代码");
}

/// A file of harvests, each row with these cells behind the subject's code.
async fn harvests(app: &TestApp, rows: &[[&str; 4]]) -> Value {
    let own = app.subject("示例韭菜合作社一社").await["code"].as_str().unwrap().to_owned();
    let mut csv =
        String::from("主体代码,发生时间,产出追溯码,产出数量,产出单位,地块编号,播种日期\n");
    for [time, code, quantity, unit] in rows {
        csv += &format!("{own},{time},{code},\"{quantity}\",{unit},示例地块,2026年3月1日\n");
    }
    app.import("farm", "/api/v1/trace/imports?domain=agri&type=harvest&name=a.csv", csv.into())
        .await
}

#[tokio::test]
async fn g_6_4_1_cells_are_read_as_office_programs_write_them() {
    let app = TestApp::start().await;
    let files = [
        ["2026/11/10 8:05", "WPS-1", "1,200", "公斤"],
        ["2026年11月10日 8时5分", "WPS-2", "１２００", "kg"],
        ["20261110 8:05", "WPS-3", "1200", "KGM"],
    ];
    let job = harvests(&app, &files).await;
    assert_eq!((&job["succeeded"], &job["failed"]), (&json!(3), &json!(0)), "{job}");
    for code in ["WPS-1", "WPS-2", "WPS-3"] {
        let path = format!("/api/v1/trace/events?code={code}");
        let found = app.get("supervisor", &path).await.expect(200);
        let event = &found["items"][0];
        assert_eq!(event["event_time"], "2026-11-10T08:05:00+08:00");
        assert_eq!(event["outputs"][0]["quantity"], "1200");
        assert_eq!(event["outputs"][0]["unit"], "KGM");
        assert_eq!(event["attributes"]["sown_on"], "2026-03-01");
    }
}

#[tokio::test]
async fn g_6_4_1_a_wrong_cell_is_named_by_its_column_and_nothing_of_a_row_is_left_out() {
    let app = TestApp::start().await;
    let good = "2026-11-10 08:00";
    let job = harvests(
        &app,
        &[
            ["11/10/2026 8:05", "BAD-1", "100", "千克"],
            [good, "BAD-2", "约一百", "千克"],
            [good, "BAD-3", "100", "斤"],
            [good, "ＢＡＤ", "100", "千克"],
            [good, "", "100", "千克"],
            [good, "BAD-4", "100", ""],
            [good, "8.10000E+19", "100", "千克"],
        ],
    )
    .await;
    let failed = rows(&app, "farm", &job, "failed").await;
    let said: Vec<_> = failed
        .iter()
        .map(|row| (row["errors"][0]["field"].as_str(), row["errors"][0]["detail"].as_str()))
        .map(|(field, detail)| (field.unwrap(), detail.unwrap()))
        .collect();
    assert_eq!(
        said,
        [
            ("发生时间", "发生时间：应为北京时间，如 2026-11-10 08:00"),
            ("产出数量", "产出数量：应为十进制数，整数至多 11 位、小数至多 4 位，如 12.5"),
            ("产出单位", "产出单位：没有计量单位 斤，1 斤为 0.5 千克，请换算后填写"),
            ("产出追溯码", "产出追溯码：追溯码不能用全角字符 Ｂ，应为半角 B"),
            ("产出追溯码", "产出追溯码：必填"),
            ("产出单位", "产出单位：必填"),
            (
                "产出追溯码",
                "产出追溯码：表格软件把长数字写成了 8.10000E+19，末尾几位已丢失；请将该列设为文本格式后重新填写",
            ),
        ]
    );
}

#[tokio::test]
async fn g_6_4_1_files_that_are_no_tables_say_what_to_save_them_as() {
    let app = TestApp::start().await;
    let path = "/api/v1/trace/imports?domain=agri&type=harvest&name=a";
    for (begins, word) in [
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".as_slice(), "另存为 XLSX"),
        (b"\xFF\xFEN;".as_slice(), "CSV UTF-8"),
        (b"%PDF-1.7\n".as_slice(), "应为 XLSX 或 CSV"),
        ("采收登记表,,,\n主体代码,发生时间\n".as_bytes(), "列名之上不要有标题行"),
    ] {
        let kind = [("content-type", "application/octet-stream")];
        let sent = app.send("POST", path, Some("farm"), &kind, Some(begins.to_vec())).await;
        let refused = sent.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains(word), "{refused}");
    }
}

#[tokio::test]
async fn g_6_3_2_exports_are_whole_masked_safe_and_audited() {
    let app = TestApp::start().await;
    for (format, magic) in [("xlsx", b"PK".as_slice()), ("csv", "\u{feff}".as_bytes())] {
        let queued = app
            .get("farm", &format!("/api/v1/trace_subject/export?format={format}"))
            .await
            .expect(202);
        app.run_jobs().await;
        let job = app
            .get("farm", &format!("/api/v1/jobs/{}", queued["job"].as_str().unwrap()))
            .await
            .expect(200);
        let path = format!("/api/v1/attachments/{}", job["file"].as_str().unwrap());
        let file = app.get("farm", &path).await;
        assert!(file.bytes.starts_with(magic), "{format}");
        let sheet = yj_sheet::read(&file.bytes).unwrap();
        assert_eq!(
            (sheet.header[1].as_str(), sheet.rows.len()),
            ("主体名称", 1),
            "only what is in reach"
        );
        assert!(
            sheet.rows[0].cells.iter().any(|cell| cell.contains('*')),
            "{:?}",
            sheet.rows[0].cells
        );
        assert_eq!(app.get("enterprise", &path).await.status, 404);
    }
    let audit =
        app.get("auditor", "/api/v1/audit?entity=trace_subject&action=exported").await.expect(200);
    assert_eq!(
        (audit["items"].as_array().unwrap().len(), &audit["items"][0]["changes"]["rows"]),
        (2, &1.into())
    );
    let refused = app.get("farm", "/api/v1/trace_subject/export?format=pdf").await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("xlsx 或 csv"));
}

#[tokio::test]
async fn a_job_that_lost_its_rights_does_nothing() {
    let app = TestApp::start().await;
    let sheet = yj_sheet::write_csv(&table(
        &SUBJECT_HEADER,
        &[&[&code(1), "示例农户", "家庭农场或农户", "种植", "610116", "示例联系人", "13800000001"]],
    ))
    .unwrap();
    let kind = [("content-type", "application/octet-stream")];
    let queued = app
        .send("POST", "/api/v1/trace_subject/import", Some("supervisor"), &kind, Some(sheet))
        .await
        .expect(202);
    app.tamper("UPDATE account SET state = 'disabled' WHERE user_name = 'supervisor'").await;
    app.run_jobs().await;
    assert!(queued["job"].is_string());
    assert_eq!(app.count("SELECT COUNT(*) FROM job WHERE state = 'failed' AND done = 0").await, 1);
    assert_eq!(app.count("SELECT COUNT(*) FROM change_request").await, 0);
}
