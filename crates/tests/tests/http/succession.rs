//! Handbook §2.3.3: what belonged to a subject that is merged is its successor's; who is merged or
//! closed is counted no longer.

use serde_json::{Value, json};

use crate::{
    devices,
    harness::TestApp,
    houses::id_of,
    subjects::{REGISTER, act, approved, farmer, registered},
};

async fn made(app: &TestApp, table: &str, body: Value) -> String {
    let filed = app.post("supervisor", &format!("/api/v1/{table}"), body).await.expect(202);
    approved(app, table, &filed).await
}

pub async fn merge(app: &TestApp, (from, into): (&Value, &Value)) -> crate::harness::Answer {
    let path = format!("{REGISTER}/{}/merge", id_of(from));
    let body = json!({ "into": into["code"], "reason": "同一主体重复登记" });
    let filed = app.post("supervisor", &path, body).await.expect(202);
    let request = filed["change_request"]["id"].as_str().unwrap();
    let approve = format!("/api/v1/subject_merger/changes/{request}/approve");
    app.post("reviewer", &approve, json!({})).await
}

fn product(subject: &Value, code: &str, item: &str) -> Value {
    json!({
        "code": code, "name": "示例产品", "domain": "agri", "catalogue_code": "010106",
        "unit": "KGM", "subject_id": subject["id"], "region": "610116", "item_code": item,
    })
}

#[tokio::test]
async fn g_6_2_2_1_what_belonged_to_a_merged_subject_is_its_successors() {
    let app = TestApp::start().await;
    let twin = registered(&app, farmer("示例农户甲")).await;
    let mut body = farmer("示例农户乙");
    body["region"] = json!("610403");
    let kept = registered(&app, body).await;
    let node = json!({
        "code": "610116001", "name": "示例市场", "kind": "market", "subject_id": twin["id"],
        "region": "610116", "in_use": true,
    });
    let node = made(&app, "node", node).await;
    let merchant = json!({
        "code": "6101160010001", "name": "示例商户", "kind": "individual", "node_id": node,
        "goods": ["0102"], "contact_name": "示例甲", "contact_phone": "13800000001",
        "in_use": true, "subject_id": twin["id"],
    });
    let licence = json!({
        "subject_id": twin["id"], "kind": "204", "no": "示例动防000001", "issuer": "示例农业农村局",
        "valid_from": "2026-01-01",
    });
    let site = json!({
        "subject_code": twin["code"], "name": "示例门店", "kind": "shop", "region": "610116",
        "address": "示例路 1 号", "in_use": true,
    });
    let device =
        devices::registered(&app, "supervisor", devices::device(&twin, "A4:BB:6D:11:22:33"));
    let things = [
        ("product", made(&app, "product", product(&twin, "M-1", "H-1")).await),
        ("merchant", made(&app, "merchant", merchant).await),
        ("licence", made(&app, "licence", licence).await),
        ("site", made(&app, "site", site).await),
        ("device", device.await),
        ("node", node),
    ];
    let before = things.len();
    merge(&app, (&twin, &kept)).await.expect(200);
    for (table, id) in &things {
        let list = format!("/api/v1/{table}?subject_id={}", kept["id"].as_str().unwrap());
        let found = app.get("supervisor", &list).await.expect(200);
        assert_eq!(found["items"][0]["id"], json!(id), "{table}: {found}");
        let one = format!("/api/v1/{table}/{id}");
        let history = app.get("supervisor", &format!("{one}/history")).await.expect(200);
        let changes: Vec<_> = history
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["action"] == "updated")
            .map(|entry| entry["changes"]["subject_id"].clone())
            .collect();
        assert!(changes.contains(&json!([twin["id"], kept["id"]])), "{table}: {history}");
    }
    let at = async |table: usize| {
        let (table, id) = &things[table];
        app.get("supervisor", &format!("/api/v1/{table}/{id}")).await.expect(200)
    };
    let [product, merchant, licence, site] = [at(0).await, at(1).await, at(2).await, at(3).await];
    assert_eq!((&product["code"], &product["region"]), (&json!("M-1"), &json!("610116")));
    assert_eq!(product["maker_id"], kept["id"]);
    assert_eq!((&merchant["operator_id"], &merchant["region"]), (&kept["id"], &json!("610116")));
    assert_eq!(licence["region"], "610403");
    assert_eq!((&site["subject_code"], &site["region"]), (&kept["code"], &json!("610116")));
    let history = format!("{REGISTER}/{}/history", id_of(&kept));
    let history = app.get("supervisor", &history).await.expect(200);
    let absorbed = history.as_array().unwrap().iter().find(|one| one["action"] == "absorbed");
    assert!(absorbed.unwrap()["changes"]["handed_over"].as_u64().unwrap() >= before as u64);
    let told = "SELECT COUNT(*) FROM outbox WHERE topic = 'product.updated'";
    assert_eq!(app.count(told).await, 1);
}

#[tokio::test]
async fn g_6_2_2_1_two_things_of_one_number_stand_in_the_way_of_a_merger() {
    let app = TestApp::start().await;
    let twin = registered(&app, farmer("示例农户甲")).await;
    let kept = registered(&app, farmer("示例农户乙")).await;
    made(&app, "product", product(&twin, "M-1", "H-1")).await;
    made(&app, "product", product(&kept, "M-2", "H-1")).await;
    let refused = merge(&app, (&twin, &kept)).await.expect(409);
    assert!(
        refused["detail"].as_str().unwrap().contains("重要产品有相同的代码或编号"),
        "{refused}"
    );
    // Nothing of it happened.
    let path = format!("{REGISTER}/{}", id_of(&twin));
    assert_eq!(app.get("supervisor", &path).await.expect(200)["status"], "40");
}

#[tokio::test]
async fn g_6_2_4_who_is_merged_or_closed_is_counted_no_longer() {
    let app = TestApp::start().await;
    let tile = async || {
        let bench = app.get("supervisor", "/api/v1/workbench").await.expect(200);
        let tile = bench["figures"].as_array().unwrap().iter();
        let tile = tile.clone().find(|tile| tile["kind"] == "trace_subject").unwrap().clone();
        let query = tile["query"].as_str().unwrap();
        let list = app.get("supervisor", &format!("{REGISTER}?count=only&{query}")).await;
        assert_eq!(list.expect(200)["total"]["count"], tile["value"]);
        let figures = app.get("supervisor", &format!("{REGISTER}/figures?{query}")).await;
        assert_eq!(figures.expect(200)["count"], tile["value"]);
        tile["value"].as_i64().unwrap()
    };
    let first = tile().await;
    let mut farmers = Vec::new();
    for name in ["示例农户甲", "示例农户乙", "示例农户丙", "示例农户丁"] {
        farmers.push(registered(&app, farmer(name)).await);
    }
    assert_eq!(tile().await, first + 4);
    act(&app, "supervisor", (&farmers[0], "suspend"), 1).await.expect(200);
    assert_eq!(tile().await, first + 4, "suspended, yet registered");
    act(&app, "supervisor", (&farmers[1], "close"), 1).await.expect(200);
    merge(&app, (&farmers[2], &farmers[3])).await.expect(200);
    assert_eq!(tile().await, first + 2);
    for (query, word) in [("status.any=40,99", "没有代码 99"), ("name.any=a", "没有这个查询条件")]
    {
        let refused = app.get("supervisor", &format!("{REGISTER}?{query}")).await.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains(word), "{refused}");
    }
}
