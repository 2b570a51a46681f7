//! 节点、商户与设备 (G-6.2.3, G-6.7.5): registered, searched by the words of the standard, imported.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};
use yj_identity::Security;

use crate::{
    harness::{TestApp, encoded},
    houses::id_of,
    subjects::{approved, detail},
};

/// A province with its markets, and hardly any events.
pub async fn province() -> TestApp {
    let mut app = TestApp::bare(Security::demonstration()).await;
    let size = yj_server::demo::Size::Province { events: 10 };
    yj_server::demo::load(&app.assembled, size, &mut |_| {}).await.unwrap();
    for account in yj_server::demo::create_accounts(&app.assembled).await.unwrap() {
        if account.role != "client" {
            app.log_in(account.user, &account.password).await;
        }
    }
    app
}

/// How many a search finds, and the first.
async fn search(app: &TestApp, table: &str, conditions: &[(&str, &str)]) -> (i64, Value) {
    let pairs: Vec<_> =
        conditions.iter().map(|(name, text)| format!("{name}={}", encoded(text))).collect();
    let path = format!("/api/v1/{table}?count=true&per_page=100&{}", pairs.join("&"));
    let found = app.get("supervisor", &path).await.expect(200);
    let items = found["items"].as_array().unwrap();
    let count = found["total"]["count"].as_i64().unwrap();
    assert_eq!(i64::try_from(items.len()).unwrap(), count.min(100), "{path}");
    (count, items.first().cloned().unwrap_or(Value::Null))
}

#[tokio::test]
async fn g_6_2_3_merchants_are_searched_by_kind_node_name_goods_code_and_time() {
    let app = province().await;
    assert_eq!(search(&app, "node", &[]).await.0, 12);
    let (one, node) = search(&app, "node", &[("name", "批发市场3号")]).await;
    assert_eq!(one, 1);
    let id = node["id"].as_str().unwrap();
    assert_eq!(search(&app, "node", &[("code", node["code"].as_str().unwrap())]).await.0, 1);
    assert_eq!(search(&app, "merchant", &[]).await.0, 240);
    assert_eq!(search(&app, "merchant", &[("kind", "individual")]).await.0, 240);
    assert_eq!(search(&app, "merchant", &[("kind", "farmer")]).await.0, 0);
    let (count, first) = search(&app, "merchant", &[("node_id", id)]).await;
    assert_eq!((count, &first["region"]), (20, &node["region"]));
    assert_eq!(first["operator_id"], node["subject_id"]);
    let code = first["code"].as_str().unwrap();
    assert!(code.starts_with(node["code"].as_str().unwrap()));
    assert_eq!(search(&app, "merchant", &[("code", code)]).await.0, 1);
    assert_eq!(search(&app, "merchant", &[("goods", "0106")]).await.0, 40);
    let name = first["name"].as_str().unwrap();
    assert_eq!(search(&app, "merchant", &[("name", name)]).await.1["id"], first["id"]);
    // Those of two markets are found at both and are one each (handbook §2.4).
    let at_last = search(&app, "node", &[("name", "批发市场12号")]).await.1;
    let last = at_last["id"].as_str().unwrap();
    assert_eq!(search(&app, "merchant", &[("node_id", last)]).await.0, 20 + 1);
    assert_eq!(search(&app, "merchant_place", &[("node_id", last)]).await.0, 1);
    // Together they narrow, and time has two ends.
    let both = [("node_id", id), ("goods", first["goods"][0].as_str().unwrap())];
    let together = search(&app, "merchant", &both).await.0;
    assert!((1..20).contains(&together), "{together}");
    let day = first["registered_on"].as_str().unwrap();
    let until = search(&app, "merchant", &[("registered_on.to", day)]).await.0;
    let from = search(&app, "merchant", &[("registered_on.from", day)]).await.0;
    let on = [("registered_on.from", day), ("registered_on.to", day)];
    assert_eq!(until + from - search(&app, "merchant", &on).await.0, 240);
    let region = [("region", "610100")];
    let regional = search(&app, "merchant", &region).await.0;
    assert!(regional > 0 && regional < 240, "{regional}");
}

#[tokio::test]
async fn g_6_2_2_a_node_lies_in_its_region_and_a_merchant_at_a_node_that_is_open() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let node = |code: &str| {
        json!({
            "code": code, "name": "示例市场", "kind": "market", "subject_id": subject["id"],
            "region": "610116", "in_use": true,
        })
    };
    for (code, word) in [("610104001", "不在所属区域"), ("61011600", "9 位"), ("61011600A", "9 位")]
    {
        let refused = app.post("supervisor", "/api/v1/node", node(code)).await.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains(word), "{refused}");
    }
    let approve = async |table: &str, filed: &Value| {
        let id = filed["change_request"]["id"].as_str().unwrap();
        let path = format!("/api/v1/{table}/changes/{id}/approve");
        app.post("reviewer", &path, json!({})).await.expect(200)["record"].clone()
    };
    let filed = app.post("enterprise", "/api/v1/node", node("610116001")).await.expect(202);
    let id = approve("node", &filed).await;
    let merchant = |node: &Value| {
        json!({
            "code": "6101160010001", "name": "示例商户", "kind": "individual", "node_id": node,
            "goods": ["0102"], "contact_name": "示例甲", "contact_phone": "13800000001",
            "in_use": true,
        })
    };
    // The market's own people register who trades there; others do not see it.
    assert_eq!(app.post("farm", "/api/v1/merchant", merchant(&id)).await.status, 422);
    let filed = app.post("enterprise", "/api/v1/merchant", merchant(&id)).await.expect(202);
    let record = approve("merchant", &filed).await;
    let one = format!("/api/v1/merchant/{}", record.as_str().unwrap());
    let seen = app.get("enterprise", &one).await.expect(200);
    assert_eq!(
        (&seen["region"], &seen["contact_phone"]),
        (&"610116".into(), &"138****0001".into())
    );
    assert_eq!(app.get("farm", &one).await.status, 404);
    let path = format!("/api/v1/node/{}", id.as_str().unwrap());
    let filed = app.change("enterprise", ("PATCH", &path), 1, json!({ "in_use": false })).await;
    approve("node", &filed.expect(202)).await;
    let mut late = merchant(&id);
    late["code"] = json!("6101160010002");
    let refused = app.post("enterprise", "/api/v1/merchant", late).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("停用"), "{refused}");
    // Those who traded there can still be closed.
    let closed = json!({ "in_use": false });
    let filed = app.change("enterprise", ("PATCH", &one), 1, closed).await.expect(202);
    approve("merchant", &filed).await;
    // The market is sold: its merchants are the new operator's to keep, no longer the old one's.
    let buyer = app.subject("示例韭菜合作社一社").await;
    let sold = json!({ "subject_id": buyer["id"] });
    let filed = app.change("supervisor", ("PATCH", &path), 2, sold).await.expect(202);
    approve("node", &filed).await;
    assert_eq!(app.get("enterprise", &one).await.status, 404);
    let seen = app.get("farm", &one).await.expect(200);
    assert_eq!((&seen["operator_id"], &seen["version"]), (&buyer["id"], &json!(3)));
    let history = app.get("farm", &format!("{one}/history")).await.expect(200).to_string();
    assert!(history.contains(buyer["id"].as_str().unwrap()), "{history}");
}

#[tokio::test]
async fn g_6_2_1_a_file_names_what_it_refers_to_by_its_code() {
    let app = province().await;
    let queued = app.get("supervisor", "/api/v1/merchant/export?format=csv").await.expect(202);
    app.run_jobs().await;
    let job = format!("/api/v1/jobs/{}", queued["job"].as_str().unwrap());
    let job = app.get("supervisor", &job).await.expect(200);
    let file = format!("/api/v1/attachments/{}", job["result"]["file"].as_str().unwrap());
    let sheet = yj_sheet::read(&app.get("supervisor", &file).await.bytes).unwrap();
    let column = sheet.header.iter().position(|name| name == "注册所在节点").unwrap();
    let nodes = app.get("supervisor", "/api/v1/node?per_page=100").await.expect(200);
    let codes: Vec<_> = nodes["items"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert_eq!(sheet.rows.len(), 240);
    for row in &sheet.rows {
        assert!(codes.iter().any(|code| **code == row.cells[column]), "{:?}", row.cells);
    }
}

#[tokio::test]
async fn g_6_2_4_every_tile_of_the_workbench_is_the_number_of_its_list() {
    let app = province().await;
    let bench = app.get("supervisor", "/api/v1/workbench").await.expect(200);
    // The daily counts are of days of the calendar, also of those on which nothing happened.
    let days: Vec<i64> = bench["trend"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| {
            let day: jiff::civil::Date = day["day"].as_str().unwrap().parse().unwrap();
            day.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_second() / 86_400
        })
        .collect();
    assert_eq!(days.len(), 30);
    assert!(days.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{days:?}");
    let tiles = bench["figures"].as_array().unwrap();
    // What the demonstration is made of (handbook §8.6).
    for (kind, planned) in [("node", 12), ("merchant", 240), ("device", 40), ("product", 96)] {
        let tile = tiles.iter().find(|tile| tile["kind"] == kind);
        assert_eq!(tile.unwrap()["value"], planned, "{kind}");
    }
    assert_eq!(tiles.len(), 5);
    // Enterprises and merchants are subjects; so are co-operatives, institutions and the individuals
    // of the golden chains.
    let of_kind = async |kind: &str| search(&app, "trace_subject", &[("kind", kind)]).await.0;
    // Two beyond the province are nobody's here.
    let enterprises = "SELECT COUNT(*) FROM trace_subject WHERE kind = '01'";
    assert_eq!((of_kind("01").await, app.count(enterprises).await), (60, 62));
    let others = of_kind("03").await + of_kind("04").await;
    let individuals = of_kind("02").await;
    assert_eq!((individuals - 9, others), (240, 18));
    let subjects = tiles.iter().find(|tile| tile["kind"] == "trace_subject").unwrap();
    assert_eq!(subjects["value"], 60 + individuals + others);
    for tile in tiles {
        let [kind, query] = ["kind", "query"].map(|name| tile[name].as_str().unwrap());
        let path = format!("/api/v1/{kind}?count=only&{query}");
        let list = app.get("supervisor", &path).await.expect(200);
        assert_eq!(list["total"]["count"], tile["value"], "{tile}");
    }
    let bench = app.get("reviewer", "/api/v1/workbench").await.expect(200);
    let todo = bench["todo"].as_array().unwrap();
    assert!(todo.iter().any(|tile| tile["count"].as_i64().unwrap() > 0), "{todo:?}");
    for tile in todo {
        let kind = tile["kind"].as_str().unwrap();
        let path = match kind {
            "trace_event" => String::from("/api/v1/trace/events?state=held&per_page=100"),
            _ => format!("/api/v1/{kind}/changes?state=submitted&per_page=100"),
        };
        let list = app.get("reviewer", &path).await.expect(200);
        let waiting = list["items"].as_array().unwrap().len();
        assert_eq!(tile["count"], json!(waiting.min(100)), "{tile}");
    }
}

/// Everything that figures by node say: how many at each, by its identifier, and in all.
async fn by_node(app: &TestApp) -> (BTreeMap<String, i64>, i64) {
    let figures = app.get("supervisor", "/api/v1/merchant/figures?by=node_id").await.expect(200);
    let mut groups = BTreeMap::new();
    for group in figures["groups"].as_array().unwrap() {
        let count = group["count"].as_i64().unwrap();
        // Every figure is the number of its list.
        let path = format!("/api/v1/merchant?count=only&{}", group["query"].as_str().unwrap());
        let list = app.get("supervisor", &path).await.expect(200);
        assert_eq!(list["total"]["count"], count, "{group}");
        groups.insert(group["key"][0].as_str().unwrap().to_owned(), count);
    }
    (groups, figures["count"].as_i64().unwrap())
}

#[tokio::test]
async fn g_6_2_3_a_merchant_of_several_markets_is_found_at_each_and_counted_once() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let mut nodes = Vec::new();
    for code in ["610116001", "610116002", "610116003"] {
        let node = json!({
            "code": code, "name": format!("示例市场{code}"), "kind": "market",
            "subject_id": subject["id"], "region": "610116", "in_use": true,
        });
        let filed = app.post("supervisor", "/api/v1/node", node).await.expect(202);
        nodes.push(approved(&app, "node", &filed).await);
    }
    let [first, second, third] = <[String; 3]>::try_from(nodes).unwrap();
    let merchant = json!({
        "code": "6101160010001", "name": "示例商户", "kind": "individual", "node_id": first,
        "goods": ["0102"], "contact_name": "示例甲", "contact_phone": "13800000001",
        "in_use": true,
    });
    let filed = app.post("supervisor", "/api/v1/merchant", merchant).await.expect(202);
    let merchant = approved(&app, "merchant", &filed).await;
    let path = "/api/v1/merchant_place";
    let place = |node: &str| json!({ "merchant_code": "6101160010001", "node_id": node });
    // It is at its first market already, and nobody settles under a code that nobody has.
    let refused = app.post("supervisor", path, place(&first)).await.expect(422);
    assert!(detail(&refused).contains("就注册在这个节点"), "{refused}");
    let unknown = json!({ "merchant_code": "6101160010009", "node_id": second });
    let refused = app.post("supervisor", path, unknown).await.expect(422);
    assert!(detail(&refused).contains("没有编码为 6101160010009 的商户"), "{refused}");
    // The market's own people file it; others neither see it nor file it.
    assert_eq!(app.post("farm", path, place(&second)).await.status, 422);
    let filed = app.post("enterprise", path, place(&second)).await.expect(202);
    let stays = approved(&app, "merchant_place", &filed).await;
    assert_eq!(app.get("farm", &format!("{path}/{stays}")).await.status, 404);
    let refused = app.post("supervisor", path, place(&second)).await.expect(409);
    assert!(detail(&refused).contains("已有驻场登记"), "{refused}");
    // A file says it by codes.
    let sheet = "商户编码,驻场节点,摊位号,进场时间,离场时间\n\
                 6101160010001,610116003,B-07,2026-01-10,2026-11-18\n\
                 6101160010001,610116003,B-07,2026-01-10,2026-01-09\n";
    let job = app.import("supervisor", &format!("{path}/import"), sheet.as_bytes().to_vec()).await;
    let rows = format!("/api/v1/jobs/{}/rows", id_of(&job));
    let rows = app.get("supervisor", &rows).await.expect(200);
    let told: Vec<_> = ["outcome", "detail"].map(|key| rows["items"][1][key].clone()).into();
    assert!(told[0] == "failed" && told[1].as_str().unwrap().contains("离场时间"), "{rows}");
    let filed = app.get("supervisor", &format!("{path}/changes?state=submitted")).await.expect(200);
    let left =
        approved(&app, "merchant_place", &json!({ "change_request": filed["items"][0] })).await;

    // Today it is at two of the three; it is one merchant with its first code.
    for (node, count) in [(&first, 1), (&second, 1), (&third, 0)] {
        let (found, one) = search(&app, "merchant", &[("node_id", node)]).await;
        assert_eq!(found, count, "{node}");
        assert!(count == 0 || one["code"] == "6101160010001");
    }
    let counted = |nodes: &[&String]| {
        (nodes.iter().map(|node| ((*node).clone(), 1)).collect::<BTreeMap<_, _>>(), 1)
    };
    assert_eq!(by_node(&app).await, counted(&[&first, &second]));
    // It comes back to the third and goes from the second: what was stays readable.
    let one = format!("{path}/{left}");
    let known = app.now();
    app.pass(SignedDuration::from_mins(1));
    let filed = app.change("supervisor", ("PATCH", &one), 1, json!({ "left_on": null })).await;
    approved(&app, "merchant_place", &filed.expect(202)).await;
    let history = app.get("supervisor", &format!("{one}/history")).await.expect(200);
    let last = history.as_array().unwrap().last().unwrap();
    assert_eq!(last["changes"]["left_on"], json!(["2026-11-18", null]), "{history}");
    let then = app.get("supervisor", &format!("{one}?known_at={known}")).await.expect(200);
    assert_eq!((&then["left_on"], &then["version"]), (&json!("2026-11-18"), &json!(1)));
    assert_eq!(by_node(&app).await, counted(&[&first, &second, &third]));
    let gone = json!({ "registered_on": "2026-11-01", "left_on": "2026-11-18" });
    let place = format!("{path}/{stays}");
    let filed = app.change("supervisor", ("PATCH", &place), 1, gone).await.expect(202);
    approved(&app, "merchant_place", &filed).await;
    assert_eq!(by_node(&app).await, counted(&[&first, &third]));
    // A market that is sold takes those who trade there along, whose first market it is or not.
    let buyer = app.subject("示例韭菜合作社一社").await;
    let node = format!("/api/v1/node/{third}");
    let sold = json!({ "subject_id": buyer["id"] });
    let filed = app.change("supervisor", ("PATCH", &node), 1, sold).await.expect(202);
    approved(&app, "node", &filed).await;
    let seen = app.get("farm", &one).await.expect(200);
    assert_eq!((&seen["operator_id"], &seen["merchant_id"]), (&buyer["id"], &json!(merchant)));
    assert_eq!(app.get("farm", &format!("/api/v1/merchant/{merchant}")).await.status, 404);
}

#[tokio::test]
async fn g_6_2_3_a_merchant_of_any_domain_says_what_it_trades_by_the_catalogue() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let node = json!({
        "code": "610116001", "name": "示例市场", "kind": "market", "subject_id": subject["id"],
        "region": "610116", "in_use": true,
    });
    let filed = app.post("supervisor", "/api/v1/node", node).await.expect(202);
    let node = approved(&app, "node", &filed).await;
    let merchant = |number: u32, goods: &[&str]| {
        json!({
            "code": format!("610116001{number:04}"), "name": format!("示例商户{number}"),
            "kind": "enterprise", "node_id": node, "goods": goods, "contact_name": "示例甲",
            "contact_phone": "13800000001", "in_use": true,
        })
    };
    let path = "/api/v1/merchant";
    // 韭菜 and 菠菜; 钢铁材料; a drug and 水果; what is in no class.
    for (number, goods) in
        [(1, &["01010650", "010101"][..]), (2, &["0804"]), (3, &["0302", "0102"]), (4, &["other"])]
    {
        let filed = app.post("supervisor", path, merchant(number, goods)).await.expect(202);
        approved(&app, "merchant", &filed).await;
    }
    let refused = app.post("supervisor", path, merchant(5, &["0199"])).await.expect(422);
    assert!(detail(&refused).contains("没有代码 0199"), "{refused}");
    let many: Vec<_> = (1..=51).map(|number| format!("0101{number:02}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert_eq!(app.post("supervisor", path, merchant(5, &many)).await.status, 422);
    // By the class itself and by every class above it.
    for (code, count) in [
        ("01010650", 1),
        ("010106", 1),
        ("0101", 1),
        ("01", 2),
        ("0102", 1),
        ("03", 1),
        ("08", 1),
        ("0804", 1),
        ("02", 0),
        ("other", 1),
    ] {
        assert_eq!(search(&app, "merchant", &[("goods", code)]).await.0, count, "{code}");
    }
    app.get("supervisor", &format!("{path}?goods=0199")).await.expect(422);
    // Figures compare the upper levels, once for every merchant, and each is its list.
    let figures = app.get("supervisor", &format!("{path}/figures?by=goods")).await.expect(200);
    let groups: Vec<_> = figures["groups"].as_array().unwrap().iter().collect();
    let said: Vec<_> =
        groups.iter().map(|group| (group["key"][0].as_str().unwrap(), &group["count"])).collect();
    let one = json!(1);
    let two = json!(2);
    assert_eq!(
        said,
        [
            ("01", &two),
            ("0101", &one),
            ("0102", &one),
            ("03", &one),
            ("0302", &one),
            ("08", &one),
            ("0804", &one),
            ("other", &one)
        ]
    );
    assert_eq!(figures["count"], 4);
    for group in groups {
        let list = format!("{path}?count=only&{}", group["query"].as_str().unwrap());
        let list = app.get("supervisor", &list).await.expect(200);
        assert_eq!(list["total"]["count"], group["count"], "{group}");
    }
    // A file says it by names.
    let sheet = "商户编码,商户名称,商户类型,注册所在节点,品种,联系人,联系电话,是否在营\n\
                 6101160010006,示例商户6,企业,610116001,韭菜、钢铁材料,示例甲,13800000001,是\n";
    let job = app.import("supervisor", &format!("{path}/import"), sheet.as_bytes().to_vec()).await;
    assert_eq!((&job["state"], &job["failed"]), (&json!("done"), &json!(0)), "{job}");
    let filed = app.get("supervisor", &format!("{path}/changes?state=submitted")).await.expect(200);
    assert_eq!(filed["items"][0]["body"]["goods"], json!(["01010650", "0804"]));
}

#[tokio::test]
async fn g_6_2_3_what_merchants_traded_before_reads_as_classes_of_the_catalogue() {
    let app = province().await;
    let (_, one) = search(&app, "merchant", &[("goods", "0106")]).await;
    let id = one["id"].as_str().unwrap();
    app.tamper(&format!(
        r#"UPDATE merchant SET goods = '["pork","beef","herb","other"]' WHERE id = '{id}'"#
    ))
    .await;
    let script = include_str!("../../../subject/migrations/0017_merchant.sql");
    for line in script.lines().filter(|line| line.starts_with("UPDATE merchant SET goods")) {
        app.run_sql(line).await;
    }
    let path = format!("/api/v1/merchant/{id}");
    let stored = app.get("supervisor", &path).await.expect(200);
    assert_eq!(stored["goods"], json!(["0106", "0107", "0108", "0306", "other"]));
    // It is a sound record: something else of it can change.
    let change = json!({ "booth": "Z-01" });
    app.change("supervisor", ("PATCH", &path), 1, change).await.expect(202);
}
