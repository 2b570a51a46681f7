//! G-6.4.1, G-8-1: the templates of the domain packs, and files of any size that come back by them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use yj_sheet::{Bounds, EXAMPLE, Form, FormColumn, NOTES, Row, SheetError, Visit};

use crate::harness::TestApp;

const IMPORTS: &str = "/api/v1/trace/imports";

/// Sheets of a workbook by name: header and rows.
#[derive(Default)]
struct Book {
    current: String,
    sheets: BTreeMap<String, (Vec<String>, Vec<Vec<String>>)>,
}

impl Visit for Book {
    fn sheet(&mut self, name: &str) -> bool {
        self.current = String::from(name);
        true
    }

    fn header(&mut self, names: &[String]) -> Result<(), SheetError> {
        self.sheets.insert(self.current.clone(), (names.to_vec(), Vec::new()));
        Ok(())
    }

    fn row(&mut self, row: Row) -> Result<(), SheetError> {
        self.sheets.get_mut(&self.current).unwrap().1.push(row.cells);
        Ok(())
    }
}

fn book(bytes: &[u8]) -> Book {
    let mut book = Book::default();
    yj_sheet::visit_xlsx(bytes, &Bounds::WHOLE, &mut book).unwrap();
    book
}

fn form(title: &str, names: &[String], rows: Vec<Vec<String>>) -> Form {
    let column = |name: &String| FormColumn { name: name.clone(), ..FormColumn::default() };
    Form { title: String::from(title), columns: names.iter().map(column).collect(), rows }
}

async fn failures(app: &TestApp, user: &str, job: &Value) -> Vec<Value> {
    let id = job["id"].as_str().unwrap();
    let path = format!("/api/v1/jobs/{id}/rows?outcome=failed&per_page=200");
    app.get(user, &path).await.expect(200)["items"].as_array().unwrap().clone()
}

/// What the rules of a pack want besides what a field wants for itself.
fn besides(domain: &str, kind: &str) -> &'static [(&'static str, &'static str)] {
    match (domain, kind) {
        ("agri", "husbandry") => &[("饲料或药品名称", "示例饲料")],
        ("agri", "market_entry") => &[("凭证号", "示例凭证-01")],
        ("dangerous", "dispose") => {
            &[("处置原因", "其他"), ("危险废物转移联单编号", "示例联单-01")]
        }
        ("agri", "into_pen") => {
            &[("首个耳标号", "161010000000001"), ("末个耳标号", "161010000000002")]
        }
        (_, "dispose") => &[("处置原因", "其他")],
        ("drug", "manufacture") => &[("批准文号", "国药准字H20260000"), ("药品标识码", "8123456")],
        ("dangerous", "produce") => &[
            ("品名", "甲醇"),
            ("CAS 号", "67-56-1"),
            ("联合国编号", "UN1230"),
            ("危险性类别", "3 易燃液体"),
            ("包装类别", "Ⅱ 类包装"),
            ("次要危险性", "6.1"),
        ],
        ("dangerous", "waybill") => &[
            ("品名", "甲醇"),
            ("驾驶员电话", "13800000136"),
            ("押运员电话", "13800000137"),
            ("应急联系电话", "119"),
            ("联合国编号", "UN1230"),
            ("类别或项别", "3 易燃液体"),
            ("包装类别", "Ⅱ 类包装"),
            ("次要危险性", "6.1"),
            ("核定载质量（吨）", "32"),
            ("罐体编号", "示例罐-01"),
            ("罐体适装介质", "甲醇"),
        ],
        ("dangerous", "sale") => &[("购买单位信用代码", "91350100M000100Y43")],
        ("agri_input", "formulate") => &[
            ("农资种类", "种子"),
            ("品种名称", "示例品种"),
            ("净含量", "1 千克"),
            ("保质期至", "2027-11-01"),
        ],
        ("special_equipment", "manufacture") => &[
            ("设备代码", "21501011020260001"),
            ("额定压力（MPa）", "2.1"),
            ("无损检测报告编号", "示例探伤-01"),
        ],
        ("special_equipment", "fill") => &[("充装重量（千克）", "14.5")],
        ("special_equipment", "scrap") => &[("销毁证明编号", "示例销毁-01")],
        ("special_equipment", "register") => &[("使用登记证编号", "瓶11陕A00000(26)")],
        ("rare_earth", "mine") => &[
            ("流向所属年月", "2026-10"),
            ("精矿量（吨）", "100"),
            ("精矿品位 REO（%）", "60"),
            ("折 REO（吨）", "60"),
        ],
        ("rare_earth", "separate") => &[
            ("流向所属年月", "2026-10"),
            ("投入 REO（吨）", "100"),
            ("收率（%）", "95"),
            ("产出 REO（吨）", "95"),
            ("氧化镧（吨 REO）", "95"),
        ],
        ("rare_earth", "metal") => &[
            ("流向所属年月", "2026-10"),
            ("投入氧化物（吨）", "117.28"),
            ("金属收率（%）", "100"),
            ("产出金属（吨）", "100"),
        ],
        ("rare_earth", "recycle") => &[
            ("流向所属年月", "2026-10"),
            ("废料量（吨）", "100"),
            ("废料含 REO（%）", "30"),
            ("投入 REO（吨）", "30"),
            ("收率（%）", "90"),
            ("产出 REO（吨）", "27"),
        ],
        ("rare_earth", "sale" | "receive" | "export") => &[("流向所属年月", "2026-10")],
        ("food", "produce") => &[("杀菌温度（℃）", "85"), ("杀菌时间（秒）", "30")],
        _ => &[],
    }
}

#[tokio::test]
async fn g_6_4_1_every_event_type_of_every_pack_comes_back_by_its_template() {
    let app = TestApp::start().await;
    let subject = app.subject("示例韭菜合作社一社").await;
    let own = subject["code"].as_str().unwrap();
    let known = app.get("gateway", "/api/v1/domains").await.expect(200);
    let mut domains = Vec::new();
    for one in known.as_array().unwrap() {
        let path = format!("/api/v1/domains/{}", one["code"].as_str().unwrap());
        domains.push(app.get("gateway", &path).await.expect(200));
    }
    let (mut count, mut wrong) = (0, Vec::new());
    for domain in &domains {
        let code = domain["code"].as_str().unwrap();
        let (mut made, mut package) = (String::new(), String::new());
        for stage in domain["stages"].as_array().unwrap() {
            let stage_code = stage["stage"].as_str().unwrap();
            let path = format!("/api/v1/trace/templates/{code}/stages/{stage_code}");
            let template = book(&app.get("gateway", &path).await.bytes);
            assert!(template.sheets.contains_key(NOTES), "{code} {stage_code}");
            for row in &template.sheets[NOTES].1 {
                let note = row.get(3).map_or("", String::as_str);
                let bare = note.trim_matches(['；', '。', ';', ' ']);
                assert!(note == bare && !note.contains("；；"), "{code} {row:?}");
            }
            let mut forms = Vec::new();
            for event in stage["events"].as_array().unwrap() {
                let (kind, name) =
                    (event["code"].as_str().unwrap(), event["name"].as_str().unwrap());
                let (names, rows) = &template.sheets[name];
                assert_eq!(rows[0][0], EXAMPLE, "{code} {kind}");
                let mut cells: BTreeMap<&str, String> =
                    names.iter().map(String::as_str).zip(rows[0].iter().cloned()).collect();
                cells.insert("主体代码", String::from(own));
                let observed = event["inputs"]["mode"] == "observe";
                if observed {
                    cells.insert("投入追溯码", made.clone());
                } else if cells.contains_key("投入追溯码") {
                    cells.insert("投入追溯码", format!("IN-{code}-{kind}"));
                    cells.insert("来源于平台之外", String::from("是"));
                }
                if cells.contains_key("产出追溯码") {
                    let output = format!("OUT-{code}-{kind}");
                    if made.is_empty() {
                        made.clone_from(&output);
                    }
                    cells.insert("产出追溯码", output);
                }
                if event["packing"] == "pack" {
                    package = format!("OUT-{code}-{kind}");
                } else if event["packing"] == "unpack" {
                    // Everything that is in it.
                    cells.retain(|label, _| !label.starts_with("产出") && *label != "产品代码");
                    cells.insert("投入追溯码", package.clone());
                    for label in ["投入数量", "投入单位", "来源于平台之外", "批次号"]
                    {
                        cells.remove(label);
                    }
                }
                for (label, text) in besides(code, kind) {
                    let before = cells.insert(label, String::from(*text));
                    assert!(before.is_some(), "{code} {kind} has no {label}");
                }
                // Columns may come in any order.
                let mut order: Vec<String> = names.clone();
                order.reverse();
                let row = order.iter().map(|label| cells.get(label.as_str()).cloned());
                let row = row.map(Option::unwrap_or_default).collect();
                forms.push(form(name, &order, vec![row]));
                count += 1;
            }
            let file = yj_sheet::write_forms(&forms, true).unwrap();
            let path = format!("{IMPORTS}?domain={code}&stage={stage_code}&name=a.xlsx");
            let job = app.import("gateway", &path, file).await;
            assert_eq!(job["state"], "done", "{job}");
            for row in failures(&app, "gateway", &job).await {
                wrong.push(format!("{code} {}: {}", row["source"]["事件类型"], row["errors"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 120, "{count}");
    let stored = app.count("SELECT COUNT(*) FROM trace_event WHERE source = 'import'").await;
    assert_eq!(stored, i64::from(count));
}

fn csv(header: &[&str], rows: &[Vec<String>]) -> Vec<u8> {
    let mut text = header.join(",");
    for row in rows {
        text.push('\n');
        text.push_str(&row.join(","));
    }
    text.into_bytes()
}

const HARVEST: [&str; 10] = [
    "主体代码",
    "发生时间",
    "产出追溯码",
    "产出数量",
    "产出单位",
    "产品代码",
    "地块编号",
    "面积（亩）",
    "品种",
    "播种日期",
];

fn harvests(
    subject: &str,
    codes: impl Iterator<Item = (String, &'static str)>,
) -> Vec<Vec<String>> {
    let row = |(code, quantity): (String, &str)| {
        [
            subject,
            "2026-11-10 08:00",
            &code,
            quantity,
            "千克",
            "YJ-JC-01",
            "示例地块",
            "5",
            "示例品种",
            "2026-08-01",
        ]
        .map(String::from)
        .into()
    };
    codes.map(row).collect()
}

#[tokio::test]
async fn g_6_4_1_a_sheet_is_known_by_its_columns_and_a_wrong_one_is_refused_at_the_door() {
    let app = TestApp::start().await;
    let subject = app.subject("示例韭菜合作社一社").await;
    let own = subject["code"].as_str().unwrap();
    let send = async |query: &str, file: Vec<u8>| {
        let kind = [("content-type", "application/octet-stream")];
        app.send("POST", &format!("{IMPORTS}?{query}"), Some("farm"), &kind, Some(file)).await
    };
    let template = app.get("farm", "/api/v1/trace/templates/agri/harvest.csv").await;
    let text = String::from_utf8(template.bytes).unwrap();
    assert!(text.lines().nth(1).unwrap().starts_with(EXAMPLE), "{text}");
    // Nothing but the example row: nothing to take in.
    let empty = send("domain=agri&type=harvest", text.clone().into()).await.expect(422);
    assert!(empty["detail"].as_str().unwrap().contains("没有数据行"), "{empty}");
    // A CSV file has no name of its own; its columns say what it is.
    let rows = harvests(own, std::iter::once((String::from("KNOWN-1"), "5")));
    let path = format!("{IMPORTS}?domain=agri&name=a.csv");
    let job = app.import("farm", &path, csv(&HARVEST, &rows)).await;
    assert_eq!((&job["succeeded"], &job["failed"]), (&json!(1), &json!(0)), "{job}");
    let found = app.get("farm", "/api/v1/trace/events?code=KNOWN-1").await.expect(200);
    assert_eq!(found["items"][0]["type"], "harvest");
    // Columns that fit nothing, or more than one thing.
    for (file, word) in [("主体代码,发生时间,颜色\n1,2,3\n", "不能对应到事件类型"), ("", "空的")]
    {
        let refused = send("domain=agri", file.into()).await.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains(word), "{refused}");
    }
    let refused = send("domain=agri&type=harvest", "主体代码,颜色\n1,2\n".into()).await.expect(422);
    let errors = refused["errors"].to_string();
    assert!(
        errors.contains("没有“颜色”这一列") && errors.contains("缺少必填的“地块编号”列"),
        "{errors}"
    );
    let wide = (0..1_000_000).map(|at| format!("c{at}")).collect::<Vec<_>>().join(",");
    let refused = send("domain=agri&type=harvest", wide.into()).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("过长"), "{refused}");
    let wide = (0..300).map(|at| format!("c{at}")).collect::<Vec<_>>().join(",");
    let refused = send("domain=agri&type=harvest", wide.into()).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("超过 200 列"), "{refused}");
    assert_eq!(send("domain=nothing", b"a".to_vec()).await.status, 404);
    assert_eq!(send("domain=agri&type=nothing", b"a".to_vec()).await.status, 404);
    assert_eq!(send("domain=agri&stage=nothing", b"a".to_vec()).await.status, 404);
    assert_eq!(send("message=nothing", b"a".to_vec()).await.status, 404);
    assert_eq!(app.count("SELECT COUNT(*) FROM job").await, 1);
}

/// A file of one part that unpacks to this many MiB of one letter.
fn bomb(part: &str, mebibytes: usize, head: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let packed = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    archive.start_file(part, packed).unwrap();
    archive.write_all(head.as_bytes()).unwrap();
    let block = vec![b' '; 1 << 20];
    for _ in 0..mebibytes {
        archive.write_all(&block).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[tokio::test]
async fn g_6_4_1_a_file_that_would_burst_is_refused_before_it_is_read() {
    let app = TestApp::start().await;
    let send = async |file: Vec<u8>| {
        let kind = [("content-type", "application/octet-stream")];
        let path = format!("{IMPORTS}?domain=agri&type=harvest");
        let refused = app.send("POST", &path, Some("farm"), &kind, Some(file)).await.expect(422);
        String::from(refused["detail"].as_str().unwrap())
    };
    let sheet = "xl/worksheets/sheet1.xml";
    assert!(send(bomb(sheet, 3, "<a/>")).await.contains("过长的单元格"));
    assert!(
        send(bomb("xl/sharedStrings.xml", 0, "<sst uniqueCount=\"99999999999\"/>"))
            .await
            .contains("损坏")
    );
    assert!(send(bomb("xl/media/a.png", 2100, "")).await.contains("解压后超过 2048 MiB"));
}

#[tokio::test]
async fn g_6_4_1_wrong_rows_come_back_as_a_file_and_go_in_again_when_mended() {
    let app = TestApp::start().await;
    let subject = app.subject("示例韭菜合作社一社").await;
    let own = subject["code"].as_str().unwrap();
    // More than one transaction and, of these, not the first rows.
    let codes = (0..1300)
        .map(|number| (format!("MANY-{number:05}"), if number % 100 == 50 { "很多" } else { "1" }));
    let file = csv(&HARVEST, &harvests(own, codes));
    let path = format!("{IMPORTS}?domain=agri&type=harvest&name=many.csv");
    let job = app.import("farm", &path, file.clone()).await;
    let counts = |job: &Value| {
        ["done", "total", "succeeded", "failed"].map(|name| job[name].as_i64().unwrap())
    };
    assert_eq!(counts(&job), [1300, 1300, 1287, 13], "{job}");
    assert_eq!(
        (&job["result"]["wrong"], job["result"]["stopped"].is_null()),
        (&json!(13), true),
        "{job}"
    );
    let wrong =
        app.get("farm", &format!("/api/v1/attachments/{}", job["file"].as_str().unwrap())).await;
    let sheet = yj_sheet::read(&wrong.bytes).unwrap();
    assert_eq!(sheet.header[..3], ["表", "行", "错误"]);
    assert_eq!(
        (sheet.rows.len(), sheet.rows[0].cells[1].as_str()),
        (13, "52"),
        "the row as people count"
    );
    assert!(sheet.rows[0].cells[2].contains("数"), "{:?}", sheet.rows[0].cells);
    // Mended in that file, and only that file is sent again.
    let mended = String::from_utf8(wrong.bytes).unwrap().replace("很多", "2");
    let again = app.import("farm", &path, mended.into_bytes()).await;
    assert_eq!(counts(&again), [13, 13, 13, 0], "{again}");
    // The whole file again: what is in is known.
    let whole = app.import("farm", &path, file).await;
    assert_eq!(counts(&whole), [1300, 1300, 1287, 13], "{whole}");
    let stored = app.count("SELECT COUNT(*) FROM trace_event WHERE source = 'import'").await;
    assert_eq!(stored, 1300);
    // What was taken in is a record; a copy of what was sent is kept of the wrong rows alone.
    let id = job["id"].as_str().unwrap();
    let rows = app.get("farm", &format!("/api/v1/jobs/{id}/rows?outcome=ok")).await.expect(200);
    assert!(rows["items"][0]["source"].is_null(), "{}", rows["items"][0]);
}

#[tokio::test]
async fn g_6_4_1_a_file_of_nothing_but_mistakes_is_not_read_to_its_end() {
    let app = TestApp::start().await;
    let subject = app.subject("示例韭菜合作社一社").await;
    let own = subject["code"].as_str().unwrap();
    let codes = (0..12_000).map(|number| (format!("BAD-{number:05}"), "很多"));
    let file = csv(&HARVEST, &harvests(own, codes));
    let path = format!("{IMPORTS}?domain=agri&type=harvest&name=bad.csv");
    let job = app.import("farm", &path, file).await;
    assert!(job["result"]["stopped"].as_str().unwrap().contains("错误超过 10000 行"), "{job}");
    assert_eq!((&job["failed"], &job["total"]), (&json!(10_500), &json!(12_000)));
}

#[tokio::test]
async fn g_8_1_messages_come_as_files_too_and_wrong_records_are_mended_in_place() {
    let app = TestApp::start().await;
    let seller = app.subject("示例市场批发商甲").await;
    let text = include_str!("../../../message/samples/meat-vegetable.xml");
    let end = text.find("<retail_market_in_info_base>").unwrap();
    let code = seller["code"].as_str().unwrap();
    let trade =
        text[..end].replace("6101040010001<", &format!("{code}<")).replace(">60.00<", ">六十<");
    let path = format!("{IMPORTS}?message=meat-vegetable&name=a.xml");
    let job = app.import("gateway", &path, format!("{trade}</messages>").into_bytes()).await;
    assert_eq!((&job["done"], &job["failed"]), (&json!(1), &json!(1)), "{job}");
    let row = failures(&app, "gateway", &job).await.remove(0);
    assert_eq!(
        (&row["field"], &row["place"], &row["source"]["tran_id"]),
        (&json!("weight"), &json!("第 1 条"), &json!("61010400100010000001"))
    );
    let repair = format!("/api/v1/jobs/{}/rows/1", job["id"].as_str().unwrap());
    let body = json!({ "weight": "60" }).to_string();
    let mended =
        app.send("PUT", &repair, Some("gateway"), &[], Some(body.into())).await.expect(200);
    assert_eq!(mended["row"]["outcome"], "ok", "{mended}");
    let there =
        app.get("supervisor", "/api/v1/trace/objects/61010400100010000001").await.expect(200);
    assert_eq!(there["held"], "60");
}

#[tokio::test]
async fn g_6_4_1_events_go_out_in_the_columns_in_which_they_come_in() {
    let app = TestApp::start().await;
    let subject = app.subject("示例韭菜合作社一社").await;
    let own = subject["code"].as_str().unwrap();
    let codes = (0..3).map(|number| (format!("ROUND-{number}"), "7.5"));
    let file = csv(&HARVEST, &harvests(own, codes));
    let path = format!("{IMPORTS}?domain=agri&type=harvest&name=a.csv");
    app.import("farm", &path, file).await;
    let query = "domain=agri&type=harvest&source=import";
    for format in ["xlsx", "csv"] {
        let out =
            app.get("farm", &format!("/api/v1/trace/events/sheet?{query}&format={format}")).await;
        assert_eq!(out.status, 200, "{}", out.body);
        let sheet = yj_sheet::read(&out.bytes).unwrap();
        assert_eq!(sheet.rows.len(), 3, "{format}");
        let at = sheet.header.iter().position(|name| name == "地块编号").unwrap();
        assert_eq!(sheet.rows[0].cells[at], "示例地块");
        // The very file is a file to take in; what it says is known.
        let again = app.import("farm", &path, out.bytes).await;
        assert_eq!((&again["done"], &again["failed"]), (&json!(3), &json!(0)), "{again}");
        let id = again["id"].as_str().unwrap();
        let rows =
            app.get("farm", &format!("/api/v1/jobs/{id}/rows?outcome=duplicate")).await.expect(200);
        assert_eq!(rows["items"].as_array().unwrap().len(), 3, "{format}");
    }
    // Of others' events nothing goes out, and it is noted who took what.
    let none =
        app.get("enterprise", &format!("/api/v1/trace/events/sheet?{query}&format=csv")).await;
    assert!(yj_sheet::read(&none.bytes).unwrap().rows.is_empty());
    let audit =
        app.get("auditor", "/api/v1/audit?entity=trace_event&action=exported").await.expect(200);
    assert_eq!(audit["items"].as_array().unwrap().len(), 3, "{audit}");
    for wrong in [
        "domain=agri&type=harvest&format=pdf",
        "domain=agri&type=harvest&page=2",
        "domain=agri&type=harvest&colour=red",
    ] {
        assert_eq!(
            app.get("farm", &format!("/api/v1/trace/events/sheet?{wrong}")).await.status,
            422,
            "{wrong}"
        );
    }
    assert_eq!(app.get("farm", "/api/v1/trace/events/sheet?domain=agri").await.status, 404);
}
