//! G-5.4.4, CBV 2.0 §8: a unit has one code, whatever spelling it arrives in and by whatever door; what is
//! told of a single piece is of that piece or of its lot as a whole.

use serde_json::{Value, json};

use crate::{
    capturing::{capture, captured, processing},
    epcis::{capture as capture_epcis, document, job},
    harness::{TestApp, encoded, harvest},
    houses::id_of,
    identifiers::single_codes,
    messages::chains,
    subjects::detail,
};

const GTIN: &str = "06901234567892";

/// Every spelling of one piece of 示例韭菜.
fn spellings(serial: &str) -> Vec<String> {
    spelled((GTIN, "056789"), serial)
}

fn spelled((gtin, item): (&str, &str), serial: &str) -> Vec<String> {
    vec![
        format!("(01){gtin}(21){serial}"),
        format!("(01){gtin}(10)L-9(21){serial}"),
        format!("01{gtin}21{serial}"),
        format!("urn:epc:id:sgtin:6901234.{item}.{serial}"),
        format!("https://id.gs1.org/01/{gtin}/21/{serial}"),
        format!("/01/{gtin}/21/{serial}"),
        format!("http://127.0.0.1/t/(01){gtin}(21){serial}"),
    ]
}

async fn told(app: &TestApp, path: &str) -> Value {
    app.send("GET", path, None, &[("accept", "application/json")], None).await.body
}

/// What the resolver and the page tell of a text: the state, and what the reason of a recall is.
async fn resolved(app: &TestApp, text: &str) -> (Value, Value) {
    let story = told(app, &format!("/resolve?id={}", encoded(text))).await;
    let page = told(app, &format!("/t/{}", encoded(text))).await;
    assert_eq!((&story["state"], &story["recall"]), (&page["state"], &page["recall"]), "{text}");
    (story["state"].clone(), story["recall"]["reason"].clone())
}

fn piece(subject: &Value, code: &str, lot: &str) -> Value {
    let mut event = harvest(subject, code);
    event["outputs"][0]["quantity"] = json!("1");
    event["outputs"][0]["lot"] = json!(lot);
    event
}

async fn recalled(app: &TestApp, subject: &Value, code: &str) {
    let event = json!({
        "domain": "agri", "type": "recall", "subject": subject["code"],
        "event_time": "2026-11-12T08:00:00+08:00", "inputs": [{ "code": code }],
        "attributes": { "level": "1", "reason": format!("召回 {code}"), "advice": "请停止食用" },
    });
    let event = captured(app, event).await;
    if event["state"] == "held" {
        let path = format!("/api/v1/trace/events/{}/approve", id_of(&event));
        app.post("reviewer", &path, json!({})).await.expect(200);
    }
}

#[tokio::test]
async fn g_5_4_4_a_piece_is_one_unit_in_every_spelling_at_every_door() {
    let app = chains().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let maker = app.subject("示例海绵钛厂").await;
    let commissioned = json!({
        "type": "ObjectEvent", "eventID": "urn:example:one-code", "action": "ADD",
        "bizStep": "commissioning", "eventTime": "2026-11-10T08:00:00+08:00",
        "eventTimeZoneOffset": "+08:00", "epcList": ["urn:epc:id:sgtin:6901234.000011.E1"],
        "yj:subject": maker["code"], "yj:domain": "industrial", "yj:type": "raw_material",
        "yj:heat_no": "1", "yj:grade": "示例",
    });
    let taken = capture_epcis(&app, "gateway", &document(&[commissioned]), "rollback").await;
    let done = job(&app, "gateway", &taken).await;
    assert_eq!(done["told"], 1, "{done}");
    let one = "(01)06901234000115(21)E1";
    for text in spelled(("06901234000115", "000011"), "E1") {
        // Questions of the console.
        for path in [
            format!("/api/v1/trace/objects/{}", encoded(&text)),
            format!("/api/v1/trace/chain?code={}", encoded(&text)),
        ] {
            let found = app.get("supervisor", &path).await.expect(200);
            assert!(found.to_string().contains(one), "{text}: {found}");
        }
        let events = format!("/api/v1/trace/events?code={}", encoded(&text));
        let events = app.get("supervisor", &events).await.expect(200);
        assert_eq!(events["items"].as_array().unwrap().len(), 1, "{text}: {events}");
        let body = json!({ "subject": maker["code"], "domain": "industrial", "codes": [text] });
        let scan = app.post("supervisor", "/api/v1/trace/scan", body).await.expect(200);
        assert_eq!(scan["items"][0]["code"], json!(one), "{text}: {scan}");
        // Those of the public.
        for door in [format!("/t/{}", encoded(&text)), format!("/resolve?id={}", encoded(&text))] {
            let story = told(&app, &door).await;
            assert_eq!(story["code"], json!(one), "{door}: {story}");
            assert_eq!(story["steps"].as_array().map(Vec::len), Some(1), "{door}: {story}");
        }
    }
    // Who puts it out by any name stores it by the one, and the same event is the same.
    let first = captured(&app, piece(&farm, &spellings("J1")[5], "L-9")).await;
    assert_eq!(first["outputs"][0]["code"], json!(format!("(01){GTIN}(21)J1")), "{first}");
    for text in spellings("J1") {
        let again = capture(&app, piece(&farm, &text, "L-9")).await;
        assert_eq!(again.body["results"][0]["id"], first["id"], "{text}: {}", again.body);
    }
    let sscc = captured(&app, harvest(&farm, "(00)106141412345678908")).await;
    assert_eq!(sscc["outputs"][0]["code"], "106141412345678908");
    let asset = captured(&app, harvest(&farm, "urn:epc:id:giai:0614141.Q7")).await;
    assert_eq!(asset["outputs"][0]["code"], "(8004)0614141Q7");
}

#[tokio::test]
async fn g_5_4_4_the_lot_that_a_code_says_beside_its_serial_is_kept_and_held_to() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let of_lot =
        |serial: &str, lot: &str| format!("https://id.gs1.org/01/{GTIN}/10/{lot}/21/{serial}");
    let mut made = harvest(&farm, &of_lot("K1", "L-7"));
    made["outputs"][0]["quantity"] = json!("1");
    made["outputs"][0].as_object_mut().unwrap().remove("lot");
    let made_event = captured(&app, made.clone()).await;
    let stored = json!(format!("(01){GTIN}(21)K1"));
    assert_eq!(made_event["outputs"][0]["code"], stored, "{made_event}");
    assert_eq!(made_event["outputs"][0]["lot"], "L-7", "{made_event}");
    let found = app.get("supervisor", "/api/v1/trace/events?lot=L-7").await.expect(200);
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1), "{found}");
    // A lot in so many words must be the one in the code.
    made["outputs"][0]["lot"] = json!("L-8");
    let refused = capture(&app, made).await.expect(422);
    assert!(detail(&refused).contains("追溯码中写的批次号是 L-7"), "{refused}");
    // Nor does anybody sell it, or speak of it, as of another lot.
    let sale = |input: &str, output: &str| {
        let line = |code: &str| json!([{ "code": code, "quantity": "1", "unit": "KGM" }]);
        json!({
            "domain": "agri", "type": "wholesale", "subject": farm["code"],
            "event_time": "2026-11-12T08:00:00+08:00", "inputs": line(input), "outputs": line(output),
        })
    };
    let (right, wrong) = (of_lot("K1", "L-7"), of_lot("K1", "L-9"));
    for (input, output, field) in
        [(&wrong, &wrong, "inputs[0].code"), (&right, &wrong, "outputs[0].code")]
    {
        let refused = capture(&app, sale(input, output)).await.expect(422);
        assert!(detail(&refused).contains("登记的批次号不是 L-9"), "{refused}");
        let fields = refused["errors"].as_array().unwrap();
        assert!(fields.iter().any(|one| one["field"] == field), "{refused}");
    }
    let recall = json!({
        "domain": "agri", "type": "recall", "subject": farm["code"],
        "event_time": "2026-11-12T08:00:00+08:00", "inputs": [{ "code": wrong }],
        "attributes": { "level": "1", "reason": "示例", "advice": "请停止食用" },
    });
    capture(&app, recall).await.expect(422);
    assert_eq!(captured(&app, sale(&right, &right)).await["state"], "accepted");
}

#[tokio::test]
async fn g_5_4_4_what_was_registered_in_another_spelling_is_still_found_by_it() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    // As units were stored before there was one spelling for all.
    for (code, old) in
        [("OLD-1", "urn:epc:id:sgtin:6901234.056789.OLD"), ("OLD-2", "(01)06901234567893(21)OLD")]
    {
        captured(&app, harvest(&farm, code)).await;
        let before = format!("UPDATE trace_object SET code = '{old}' WHERE code = '{code}'");
        app.run_sql(&before).await;
        for path in [
            format!("/api/v1/trace/objects/{}", encoded(old)),
            format!("/api/v1/trace/chain?code={}", encoded(old)),
        ] {
            let found = app.get("supervisor", &path).await.expect(200);
            assert!(found.to_string().contains(old), "{found}");
        }
        assert_eq!(told(&app, &format!("/t/{}", encoded(old))).await["code"], json!(old));
        // It goes on under the code it has.
        let made = captured(&app, processing(&farm, (old, "40"), &format!("{code}-NEXT"))).await;
        assert_eq!(made["inputs"][0]["code"], json!(old), "{made}");
    }
}

#[tokio::test]
async fn g_5_4_4_a_code_that_claims_to_be_of_gs1_or_of_a_drug_must_be_sound() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    for (code, says) in [
        ("(01)06901234567893(21)S4", "校验位应为 2"),
        ("(00)106141412345678909", "校验位应为 8"),
        ("https://id.gs1.org/01/06901234567893/21/S4", "校验位应为 2"),
        ("urn:epc:id:sgtin:6901234.0567890.77", "共 13 位数字，现为 14 位"),
        ("(01)06901234567892", "只到商品品种"),
        ("urn:epc:idpat:sgtin:6901234.056789.*", "只到商品品种"),
        ("(01)06901234567892(21)", "1 至 20"),
    ] {
        let refused = capture(&app, harvest(&farm, code)).await.expect(422);
        assert!(detail(&refused).contains(says), "{code}: {refused}");
        assert_eq!(refused["errors"][0]["field"], "outputs[0].code", "{code}: {refused}");
    }
    // What claims nothing is a name of one's own.
    for code in ["6901234567893", "OWN/1", "106141412345678909", "(X)1"] {
        capture(&app, harvest(&farm, code)).await.expect(201);
    }
    let app = chains().await;
    let maker = app.subject("示例制药公司").await;
    for (code, says) in
        [("8123456000000000001", "现为 19 位"), ("71234560000000000011", "首位为 7")]
    {
        let made = json!({
            "domain": "drug", "type": "raw_material", "subject": maker["code"],
            "event_time": "2026-11-10T08:00:00+08:00",
            "outputs": [{ "code": code, "quantity": "1", "unit": "KGM", "product": "YJ-YY-01" }],
            "attributes": {
                "material": "示例原料药", "material_lot": "1", "origin": "示例原料基地",
                "produced_on": "2026-11-01", "registration_no": "示例原料登记-01",
            },
        });
        let refused = capture(&app, made).await.expect(422);
        assert!(
            refused.to_string().contains("首位") || refused.to_string().contains(says),
            "{refused}"
        );
        assert!(refused.to_string().contains("药品追溯码应为 20 位数字、以 8 开头"), "{refused}");
    }
}

#[tokio::test]
async fn g_6_9_3_a_recall_of_a_piece_is_of_that_piece_and_one_of_a_lot_of_all_of_it() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let (path, code) = single_codes(&app, "PIECES", 5).await;
    let code = code.as_str();
    let lot = json!({ "from": 1, "lot": "L-9", "produced_on": "2026-11-03" });
    app.post("supervisor", &format!("{path}/activate"), lot).await.expect(200);
    for serial in ["P1", "P2"] {
        captured(&app, piece(&farm, &format!("(01){GTIN}(21){serial}"), "L-9")).await;
    }
    recalled(&app, &farm, &format!("(01){GTIN}(21)P1")).await;
    let reason = json!(format!("召回 (01){GTIN}(21)P1"));
    for text in spellings("P1") {
        assert_eq!(resolved(&app, &text).await, (json!("recalled"), reason.clone()), "{text}");
    }
    for text in spellings("P2") {
        assert_eq!(resolved(&app, &text).await.1, Value::Null, "{text}");
    }
    // A code of another batch of the lot has nothing of the pieces, neither steps nor recall.
    let (state, why) = resolved(&app, code).await;
    assert_eq!((state, why), (json!("found"), Value::Null));
    assert_eq!(told(&app, &format!("/t/{code}")).await["steps"], json!([]));
    // The lot by its own name is a unit, and its recall is of all.
    captured(&app, piece(&farm, "LOT-NINE", "L-9")).await;
    let story = told(&app, &format!("/t/{code}")).await;
    assert_eq!(story["unit"], "LOT-NINE", "{story}");
    recalled(&app, &farm, "LOT-NINE").await;
    for text in [code, &spellings("P2")[0], &spellings("P2")[3]] {
        assert_eq!(
            resolved(&app, text).await,
            (json!("recalled"), json!("召回 LOT-NINE")),
            "{text}"
        );
    }
    // The piece that was recalled itself says so for its own reason.
    assert_eq!(resolved(&app, &spellings("P1")[0]).await.1, reason);
}

#[tokio::test]
async fn g_5_4_4_a_void_code_is_not_put_out() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let (path, code) = single_codes(&app, "VOIDS", 4).await;
    let code = code.as_str();
    let range = json!({ "from": 1, "reason": "示例标签报废" });
    app.post("supervisor", &format!("{path}/void"), range).await.expect(200);
    let refused = capture(&app, harvest(&farm, code)).await.expect(422);
    assert!(detail(&refused).contains("已由赋码主体作废"), "{refused}");
    assert_eq!(refused["errors"][0]["field"], "outputs[0].code");
}

#[tokio::test]
async fn d_6_4_3_2_a_code_of_one_s_own_making_has_links_too() {
    let app = TestApp::start().await;
    for (path, headers) in [
        ("/resolve?id=R1-sold&linkType=linkset", &[][..]),
        ("/resolve?id=R1-sold&linkType=all", &[]),
        ("/resolve?id=R1-sold", &[("accept", "application/linkset+json")]),
        ("/id/R1-sold", &[("accept", "application/linkset+json")]),
    ] {
        let answer = app.send("GET", path, None, headers, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        let context = &answer.body["linkset"][0];
        assert_eq!(context["anchor"], "http://127.0.0.1/id/R1-sold", "{path}: {}", answer.body);
        assert!(context.to_string().contains("/t/R1-sold#steps"), "{context}");
    }
    let to =
        app.send("GET", "/resolve?id=R1-sold&linkType=gs1:traceability", None, &[], None).await;
    assert_eq!(to.status, 307, "{}", to.body);
    for path in ["/resolve?id=R1-none&linkType=linkset", "/resolve?id=R1-none"] {
        app.send("GET", path, None, &[], None).await.expect(422);
    }
}
