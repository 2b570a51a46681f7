//! What papers of a domain say against themselves, at whatever door they come in: the bills of tankers, the
//! codes of medicines, and what consumers bring back.

use serde_json::{Value, json};

use super::{at, chains, like, lines, objections, says};
use crate::{
    capturing::{capture, captured},
    harness::TestApp,
    messages::laden,
};

/// A bill of methanol that is under way.
async fn bill(app: &TestApp, (code, number, departs): (&str, &str, &str), changes: Value) -> Value {
    let mut given = json!({
        "waybill_no": number, "vehicle_no": "陕K·示例7", "state": "moving",
        "load_at": format!("2026-11-18T{departs}:00+08:00"),
        "depart_at": format!("2026-11-18T{departs}:00+08:00"), "arrive_at": null, "unload_at": null,
    });
    for (name, value) in changes.as_object().unwrap() {
        given[name] = value.clone();
    }
    let load = lines(&[(code, "20", "TNE")]);
    let mut event = like(app, ("dangerous", "waybill"), (load.clone(), load), given).await;
    event["subject"] = app.subject("示例危货运输公司").await["code"].clone();
    event["documents"] = json!([{ "type": "waybill", "no": number }]);
    at(event, &format!("2026-11-18T{departs}:00+08:00"))
}

#[tokio::test]
async fn g_1_a_waybill_is_judged_alike_at_every_door() {
    let app = chains().await;
    laden(&app, "WR-1").await;
    for (changes, words) in [
        (
            json!({ "goods_name": "汽油", "tank_medium": "汽油" }),
            "UN1230）的品名应为甲醇，现为 汽油",
        ),
        (
            json!({ "goods_name": "二甲苯", "tank_medium": null, "packing": "drum", "subsidiary": "none", "un_no": "UN1294" }),
            "品名应为甲苯",
        ),
        (json!({ "tank_medium": "汽油" }), "不含品名 甲醇"),
        (json!({ "emergency_phone": "abc" }), "应为电话号码"),
        (json!({ "driver_phone": "一三八" }), "应为电话号码"),
        (json!({ "arrive_at": "2026-11-18T15:00:00+08:00" }), "应为“已到达”或“作废”"),
    ] {
        let wrong = bill(&app, ("WR-1", "示例运单-1", "09:00"), changes).await;
        says(&objections(&app, wrong).await, &[words]);
    }
    // More comes out of the tank than went in, by more than scales differ.
    let mut more =
        bill(&app, ("WR-1", "示例运单-1", "09:00"), json!({ "rated_load_t": "40" })).await;
    more["outputs"][0] = json!({ "code": "WR-1-Y", "quantity": "20.1", "unit": "TNE" });
    says(&objections(&app, more).await, &["应不超过投入的数量 20 吨"]);
    // What is called by more than its name is what it is.
    let fine = json!({ "goods_name": "工业用甲醇（99.9%）", "tank_medium": "乙醇、甲醇" });
    let fine = bill(&app, ("WR-1", "示例运单-1", "09:00"), fine).await;
    captured(&app, fine).await;
}

#[tokio::test]
async fn g_1_a_vehicle_is_on_one_trip_at_a_time_at_every_door() {
    let app = chains().await;
    for code in ["WT-1", "WT-2", "WT-3"] {
        laden(&app, code).await;
    }
    let plain = json!({});
    let first =
        captured(&app, bill(&app, ("WT-1", "示例运单-1", "09:00"), plain.clone()).await).await;
    assert_eq!(first["state"], "accepted", "{first}");
    // It has not arrived when it sets out again.
    let second = bill(&app, ("WT-2", "示例运单-2", "11:00"), plain.clone()).await;
    let found = objections(&app, second.clone()).await;
    says(&found, &["已有运单 示例运单-1（2026年11月18日 09:00 起运、尚未登记到达）"]);
    // A plan may lie behind it, and another vehicle may set out.
    let plan = json!({ "state": "waiting", "depart_at": "2026-11-19T20:00:00+08:00" });
    captured(&app, bill(&app, ("WT-3", "示例运单-3", "11:00"), plan).await).await;
    // Its next state is the same trip; what has arrived is over.
    let arrived = json!({ "state": "arrived", "arrive_at": "2026-11-18T10:30:00+08:00" });
    let mut arrived = bill(&app, ("WT-1", "示例运单-1", "09:00"), arrived).await;
    (arrived["correction_of"], arrived["correction_reason"]) = (first["id"].clone(), json!("到达"));
    captured(&app, arrived).await;
    let overlapping = bill(&app, ("WT-2", "示例运单-2", "10:00"), plain.clone()).await;
    let found = objections(&app, overlapping).await;
    says(&found, &["与本趟重叠"]);
    captured(&app, second).await;
    // Two in one request are as two after each other.
    let mut twice = [
        bill(&app, ("WT-3", "示例运单-4", "07:00"), plain.clone()).await,
        bill(&app, ("WT-3", "示例运单-5", "07:00"), plain).await,
    ];
    for event in &mut twice {
        event["inputs"][0]["quantity"] = json!("1");
        event["outputs"][0]["quantity"] = json!("1");
        event["attributes"]["vehicle_no"] = json!("陕K·示例8");
    }
    let refused = capture(&app, json!({ "events": twice })).await.body;
    let problem = &refused["results"][1]["problem"];
    assert_eq!(refused["results"][0]["state"], "accepted", "{refused}");
    assert!(problem.to_string().contains("一车一趟一单"), "{refused}");
}

#[tokio::test]
async fn g_1_a_medicine_of_special_control_is_told_by_its_code() {
    let app = chains().await;
    let made = async |code: &str, kind: Value| {
        let amounts = (lines(&[("YP-API", "1", "KGM")]), lines(&[(code, "1", "BX")]));
        like(&app, ("drug", "manufacture"), amounts, json!({ "drug_kind": kind })).await
    };
    let (plain, special) = ("81234560000000009001", "89234560000000009002");
    let found = objections(&app, made(special, json!("3")).await).await;
    says(&found, &["追溯码 89234560000000009002 以 89 开头，药品类别应为特药，现为普药"]);
    let found = objections(&app, made(plain, json!("2")).await).await;
    says(&found, &["药品类别为特药的，追溯码应以 89 开头，现为 81234560000000009001"]);
    captured(&app, made(special, json!("2")).await).await;
    captured(&app, made(plain, json!("3")).await).await;
}

#[tokio::test]
async fn g_1_what_a_consumer_brings_back_is_there_again() {
    let app = chains().await;
    let code = |number: u32| format!("8123456{number:013}");
    let (sold, unsold) = (code(1), code(2));
    let state = async |code: &str| {
        let path = format!("/api/v1/trace/objects/{code}");
        let object = app.get("supervisor", &path).await.expect(200);
        (object["state"].clone(), object["held"].clone())
    };
    assert_eq!(state(&sold).await.0, "sold");
    let sale = super::the(&app, "drug", "retail").await;
    let back = |codes: &[(&str, &str, &str)], reason: &str| {
        json!({
            "domain": "drug", "type": "consumer_return", "subject": sale["subject"]["code"],
            "event_time": "2026-11-18T08:00:00+08:00", "inputs": lines(codes), "outputs": lines(codes),
            "attributes": { "bill_no": format!("示例退-{reason}"), "reason": reason },
        })
    };
    let never = back(&[(&unsold, "1", "BX")], "未售");
    says(&objections(&app, never).await, &["没有售出，不能登记“消费者退货”"]);
    let twice = back(&[(&sold, "2", "BX")], "多退");
    says(&objections(&app, twice).await, &["售出未退 1"]);
    let returned = captured(&app, back(&[(&sold, "1", "BX")], "示例")).await;
    assert_eq!(returned["state"], "accepted", "{returned}");
    assert_eq!(state(&sold).await, (json!("held"), json!("1")));
    // What is back has not gone.
    let path = format!("/api/v1/trace/chain?code={sold}&direction=downstream");
    let chain = app.get("supervisor", &path).await.expect(200);
    assert_eq!((&chain["freeze"]["total"], &chain["gone"]["total"]), (&json!("1"), &json!("0")));
    // Once back it is not brought back again, until it is sold again.
    says(&objections(&app, back(&[(&sold, "1", "BX")], "再退")).await, &["没有售出"]);
    // Taken back, the return has not been: the consumer has it.
    let mut undone = back(&[], "示例");
    for name in ["inputs", "outputs", "attributes"] {
        undone.as_object_mut().unwrap().remove(name);
    }
    undone["withdraws"] = json!(true);
    (undone["correction_of"], undone["correction_reason"]) =
        (returned["id"].clone(), json!("误登"));
    captured(&app, undone).await;
    assert_eq!(state(&sold).await.0, "sold");
    // What was sold before the platform knew of it comes from outside.
    let old = code(900);
    let mut foreign = back(&[(&old, "1", "BX")], "外来");
    foreign["inputs"][0]["external"] = json!(true);
    captured(&app, foreign).await;
    assert_eq!(state(&old).await, (json!("held"), json!("1")));
    // What came back came in once, and everything adds up.
    captured(&app, back(&[(&sold, "1", "BX")], "又退")).await;
    for code in [&sold, &old] {
        let path = format!("/api/v1/trace/objects/{code}/balance");
        let balance = app.get("supervisor", &path).await.expect(200);
        let account = &balance["accounts"][0];
        assert_eq!((&account["closing"], &account["consistent"]), (&json!("1"), &json!(true)));
        let items = balance["items"].as_array().unwrap().iter();
        assert_eq!(items.filter(|one| one["movement"] == "116").count(), 1, "{balance}");
    }
    let path =
        format!("/api/v1/trace/balance?subject_id={}", sale["subject"]["id"].as_str().unwrap());
    for account in app.get("supervisor", &path).await.expect(200)["accounts"].as_array().unwrap() {
        assert_eq!(account["consistent"], true, "{account}");
    }
    let findings = yj_server::examine(&app.assembled, std::path::Path::new(".")).await;
    let found = findings.iter().find(|(name, ..)| *name == "结存一致").unwrap();
    assert!(found.1, "{}", found.2);
}
