//! Wrong input at every door gets a clear Chinese problem and changes nothing.

use serde_json::{Value, json};

use crate::{
    capturing::captured,
    documents::livestock,
    harness::{TestApp, harvest},
};

async fn refusal(app: &TestApp, event: Value) -> (u16, String) {
    let answer = app.post("gateway", "/api/v1/trace/events", event).await;
    (answer.status, String::from(answer.body["detail"].as_str().unwrap_or_default()))
}

#[tokio::test]
async fn wrong_events_are_refused_with_a_reason_and_change_nothing() {
    let app = TestApp::start().await;
    let subject = app.subject("示例韭菜合作社一社").await;
    let good = harvest(&subject, "NEW-1");
    let events = app.count("SELECT COUNT(*) FROM trace_event").await;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut event = good.clone();
        change(&mut event);
        event
    };
    let pack = |code: &str, quantity: &str, unit: &str| {
        json!({
            "domain": "agri", "type": "processing", "subject": subject["code"], "event_time": "2026-11-10T08:00:00+08:00",
            "inputs": [{ "code": code, "quantity": quantity, "unit": unit }],
            "outputs": [{ "code": "OUT-1", "quantity": "1", "unit": "KGM" }],
        })
    };
    let cases = [
        (with(&|event| event["surprise"] = json!(1)), "没有 surprise 这个字段"),
        (with(&|event| event["domain"] = json!("x")), "没有领域 x"),
        (with(&|event| event["type"] = json!("x")), "没有事件类型 x"),
        (with(&|event| event["subject"] = json!("91350100M000100Y44")), "校验位不符"),
        (with(&|event| event["subject"] = json!("91350100M000100Y43")), "没有登记"),
        (with(&|event| event["event_time"] = json!("2026-11-10T08:00:00")), "带时区偏移"),
        (
            with(&|event| event["event_time"] = json!("2026-12-24T00:00:00Z")),
            "2026年12月24日 08:00 晚于当前时间",
        ),
        (
            with(&|event| {
                event["event_time"] = json!("1900-01-01T08:00:00+08:00");
                event["attributes"]["sown_on"] = json!("1899-08-01");
            }),
            "请核对年份",
        ),
        (json!([with(&|_| {})]), "应为一个对象 {…}，现为列表"),
        (with(&|event| event["outputs"] = json!([])), "应有 1 至 200 项产出，现有 0 项"),
        (with(&|event| event["outputs"][0]["quantity"] = json!("1.23456")), "小数至多 4 位"),
        (with(&|event| event["outputs"][0]["quantity"] = json!("-5")), "数量应大于 0"),
        (with(&|event| event["outputs"][0]["unit"] = json!("XYZ")), "没有计量单位 XYZ"),
        (with(&|event| event["outputs"][0]["unit"] = json!("LTR")), "与产品登记的计量单位不符"),
        (with(&|event| event["outputs"][0]["product"] = json!("NONE")), "产品代码 NONE 没有登记"),
        (with(&|event| event["outputs"][0]["code"] = json!("F1-A")), "已被使用"),
        (with(&|event| event["attributes"] = json!({})), "地块编号：必填"),
        (with(&|event| event["attributes"]["area_mu"] = json!("0")), "应在 0.01 至 100000 之间"),
        (pack("W1-2", "191", "KGM"), "结存 190 千克，本次投入 191 千克"),
        (pack("W1-2", "1", "TNE"), "数量超过结存"),
        (pack("W1-2", "1", "LTR"), "升不能换算为千克"),
        (pack("UNKNOWN-1", "1", "KGM"), "追溯码 UNKNOWN-1 不存在"),
        (pack("R1-sold", "1", "KGM"), "已售出，不能再投入"),
    ];
    for (event, expected) in cases {
        let (status, detail) = refusal(&app, event.clone()).await;
        assert!(status == 422 && detail.contains(expected), "{expected}: {status} {detail}");
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM trace_event").await, events);
}

#[tokio::test]
async fn wrong_bodies_are_refused_before_anything_reads_them() {
    let app = TestApp::start().await;
    let path = "/api/v1/trace/events";
    let send = async |body: Vec<u8>, kind: &str| {
        app.send("POST", path, Some("supervisor"), &[("content-type", kind)], Some(body)).await
    };
    let json_kind = "application/json";
    assert_eq!(send(b"{\"domain\":".to_vec(), json_kind).await.expect(400)["code"], "malformed");
    assert!(
        send(b"{\"a\":1,\"a\":2}".to_vec(), json_kind).await.expect(400)["detail"]
            .as_str()
            .unwrap()
            .contains("重复的字段 a")
    );
    assert!(
        send(b"\xc9\xc2\xce\xf7".to_vec(), json_kind).await.expect(400)["detail"]
            .as_str()
            .unwrap()
            .contains("UTF-8")
    );
    assert_eq!(
        send(b"a=1".to_vec(), "application/x-www-form-urlencoded").await.expect(415)["code"],
        "unsupported-media-type"
    );
    let large = send(vec![b' '; 200 << 20], json_kind).await.expect(413);
    assert!(large["detail"].as_str().unwrap().contains("拆分"));
    let many: Vec<Value> = vec![json!({}); 1001];
    assert_eq!(app.post("supervisor", path, json!({ "events": many })).await.status, 422);
}

#[tokio::test]
async fn a_batch_reports_each_event_for_itself_and_repeats_are_harmless() {
    let app = TestApp::start().await;
    let subject = app.subject("示例韭菜合作社一社").await;
    let mut wrong = harvest(&subject, "NEW-2");
    wrong["outputs"][0]["quantity"] = json!("0");
    let batch =
        json!({ "events": [harvest(&subject, "NEW-1"), wrong, harvest(&subject, "NEW-3")] });
    let answer = app.post("gateway", "/api/v1/trace/events", batch.clone()).await.expect(201);
    assert_eq!(answer["results"][1]["problem"]["errors"][0]["field"], "outputs[0].quantity");
    assert_eq!(
        (&answer["results"][0]["state"], &answer["results"][2]["state"]),
        (&"accepted".into(), &"accepted".into())
    );
    let again = app.post("gateway", "/api/v1/trace/events", batch.clone()).await.expect(200);
    assert_eq!(
        (&again["results"][0]["duplicate"], &again["results"][0]["id"]),
        (&true.into(), &answer["results"][0]["id"])
    );
    let mut atomic = batch;
    atomic["atomic"] = json!(true);
    atomic["events"][0]["outputs"][0]["code"] = json!("NEW-9");
    let refused = app.post("gateway", "/api/v1/trace/events", atomic).await.expect(422);
    assert_eq!(refused["stored"], false);
    assert_eq!(app.get("supervisor", "/api/v1/trace/chain?code=NEW-9").await.status, 404);
}

#[tokio::test]
async fn what_lies_outside_the_platform_is_shown_as_a_broken_link() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let event = json!({
        "domain": "agri", "type": "processing", "subject": subject["code"], "event_time": "2026-11-10T08:00:00+08:00",
        "inputs": [{ "code": "ELSEWHERE-1", "quantity": "50", "unit": "KGM", "external": true }],
        "outputs": [{ "code": "OUT-1", "quantity": "48", "unit": "KGM", "product": "YJ-JC-01" }],
    });
    app.post("gateway", "/api/v1/trace/events", event).await.expect(201);
    let chain = app
        .get("supervisor", "/api/v1/trace/chain?code=OUT-1&direction=upstream")
        .await
        .expect(200);
    assert_eq!(
        (&chain["broken"][0]["code"], &chain["summary"]["broken"]),
        (&"ELSEWHERE-1".into(), &1.into())
    );
}

#[tokio::test]
async fn an_enterprise_can_only_speak_for_itself() {
    let app = TestApp::start().await;
    let (own, other) =
        (app.subject("示例韭菜合作社一社").await, app.subject("示例韭菜合作社二社").await);
    app.post("farm", "/api/v1/trace/events", harvest(&own, "NEW-1")).await.expect(201);
    let refused =
        app.post("farm", "/api/v1/trace/events", harvest(&other, "NEW-2")).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("数据权限"));
    let listed = app.get("farm", "/api/v1/trace/events?per_page=100").await.expect(200);
    let items = listed["items"].as_array().unwrap();
    assert!(!items.is_empty() && items.iter().all(|event| event["subject"]["code"] == own["code"]));
    let hidden =
        app.get("supervisor", "/api/v1/trace/events?code=F2-A&type=harvest").await.expect(200);
    let id = hidden["items"][0]["id"].as_str().unwrap();
    for tail in ["", "/proof"] {
        assert_eq!(app.get("farm", &format!("/api/v1/trace/events/{id}{tail}")).await.status, 404);
    }
}

#[tokio::test]
async fn g_6_2_3_events_are_searched_by_every_condition_and_paged_stably() {
    let app = TestApp::start().await;
    for (query, count) in [
        ("stage=primary_production&domain=agri", 3),
        ("code=F1-A", 4),
        ("lot=P1-X", 2),
        ("region=610500&type=harvest", 3),
        ("stage=inspection", 2),
        ("event_time.from=2026-11-05T00:00:00%2B08:00&domain=agri", 4),
    ] {
        let found =
            app.get("supervisor", &format!("/api/v1/trace/events?{query}")).await.expect(200);
        assert_eq!(found["items"].as_array().unwrap().len(), count, "{query}");
    }
    let (mut seen, mut after) = (std::collections::BTreeSet::new(), String::new());
    for _ in 0..20 {
        let page = app
            .get("supervisor", &format!("/api/v1/trace/events?per_page=5&after={after}"))
            .await
            .expect(200);
        for item in page["items"].as_array().unwrap() {
            assert!(seen.insert(String::from(item["id"].as_str().unwrap())));
        }
        match page["next"].as_str() {
            Some(next) => after = String::from(next),
            None => break,
        }
    }
    assert_eq!(seen.len(), 28);
    assert_eq!(app.get("supervisor", "/api/v1/trace/events?colour=red").await.status, 422);
}

/// An event stands under every product and lot that it names, a class of the catalogue leads to the
/// products below it, and a node to whoever trades there.
#[tokio::test]
async fn g_6_2_3_events_are_found_by_every_lot_and_product_by_class_and_by_node() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let line = |code: &str, product: &str, lot: &str| json!({ "code": code, "product": product, "lot": lot, "quantity": "10", "unit": "KGM" });
    livestock(&app, &farm).await;
    let product = async |code: &str| {
        let path = format!("/api/v1/product?code={code}");
        app.get("supervisor", &path).await.expect(200)["items"][0].clone()
    };
    let (one, other) = (product("YJ-JC-01").await, product("PIG-1").await);
    let event = json!({
        "domain": "agri", "type": "harvest", "subject": farm["code"],
        "event_time": "2026-11-19T11:00:00+08:00",
        "outputs": [
            line("SRC-1", one["code"].as_str().unwrap(), "SRC-A"),
            line("SRC-2", other["code"].as_str().unwrap(), "SRC-B"),
        ],
        "attributes": { "plot": "示例地块一", "area_mu": "5", "variety": "示例品种", "sown_on": "2026-08-01" },
    });
    let event = captured(&app, event).await["id"].clone();
    let found = async |query: &str| {
        let path = format!("/api/v1/trace/events?{query}&per_page=200&count=true");
        let page = app.get("supervisor", &path).await.expect(200);
        let items = page["items"].as_array().unwrap();
        assert_eq!(page["total"]["count"], items.len(), "{query}");
        items.iter().filter(|item| item["id"] == event).count()
    };
    let of = |product: &Value| format!("product_id={}", product["id"].as_str().unwrap());
    let class = other["catalogue_code"].as_str().unwrap();
    for query in [
        String::from("lot=SRC-A"),
        String::from("lot=SRC-B"),
        of(&one),
        of(&other),
        format!("catalogue_code={class}"),
        format!("catalogue_code={}", &class[..4]),
        format!("catalogue_code={}&region=610000&stage=primary_production", &class[..2]),
    ] {
        assert_eq!(found(&query).await, 1, "{query}");
    }
    for query in ["lot=SRC-C", "catalogue_code=0299", "node_code=610199999"] {
        assert_eq!(found(query).await, 0, "{query}");
    }
    // Whoever trades at a node, runs it or belongs to it: here a farm that belongs to a market.
    let (id, node) = (farm["id"].as_str().unwrap(), "610116001");
    let at_node = format!("node_code={node}");
    assert_eq!(found(&at_node).await, 0);
    app.tamper(&format!("UPDATE trace_subject SET node_code = '{node}' WHERE id = '{id}'")).await;
    assert_eq!(found(&at_node).await, 1);
    for wrong in ["product_id=1", "subject_id=x", "stage=none", "state=lost", "catalogue_code=x"] {
        app.get("supervisor", &format!("/api/v1/trace/events?{wrong}")).await.expect(422);
    }
}

/// The page of a region is the same as that of all its towns together, whichever way it is found.
#[tokio::test]
async fn g_6_2_3_a_region_is_paged_in_the_order_of_time() {
    let app = TestApp::start().await;
    for direction in ["event_time", "-event_time"] {
        let all = format!("/api/v1/trace/events?sort={direction}&per_page=200");
        let all = app.get("supervisor", &all).await.expect(200)["items"].clone();
        let wanted = all.as_array().unwrap().iter();
        let wanted = wanted.filter(|one| one["region"].as_str().unwrap().starts_with("6101"));
        let wanted: Vec<_> = wanted.map(|one| one["id"].clone()).collect();
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!(
                "/api/v1/trace/events?region=610100&sort={direction}&per_page=3&after={after}"
            );
            let page = app.get("supervisor", &path).await.expect(200);
            found.extend(page["items"].as_array().unwrap().iter().map(|one| one["id"].clone()));
            match page["next"].as_str() {
                Some(next) => after = String::from(next),
                None => break,
            }
        }
        assert!(wanted.len() > 6, "{wanted:?}");
        assert_eq!(found, wanted, "{direction}");
        let second =
            format!("/api/v1/trace/events?region=610100&sort={direction}&per_page=3&page=2");
        let second = app.get("supervisor", &second).await.expect(200);
        let second = second["items"].as_array().unwrap().iter().map(|one| one["id"].clone());
        assert_eq!(second.collect::<Vec<_>>(), wanted[3..6], "{direction}");
    }
}
