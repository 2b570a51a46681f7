//! G-8-2, G-6.2: a query for a place and what lies in it finds what the registers know to lie there.

use serde_json::{Value, json};

use crate::{
    epcis::{capture, document, observed, query},
    harness::TestApp,
    houses::id_of,
    identifiers::approved,
};

const MARKET: &str = "urn:epc:id:sgln:4012345.00005.0";
const STALL: &str = "urn:epc:id:sgln:4012345.00006.0";

fn at(id: &str, place: &str) -> Value {
    let mut event = observed(&format!("urn:example:{id}"), "urn:example:thing");
    event["readPoint"] = json!({ "id": place });
    event["bizLocation"] = json!({ "id": place });
    event
}

/// The names of the events of a query, in order.
async fn found(app: &TestApp, condition: &str) -> Vec<String> {
    let events = query(app, "supervisor", condition).await;
    let name = |event: &Value| {
        String::from(event["eventID"].as_str().unwrap().trim_start_matches("urn:example:"))
    };
    events.iter().map(name).collect()
}

#[tokio::test]
async fn g_8_2_a_place_holds_those_who_are_registered_in_its_nodes() {
    let app = TestApp::start().await;
    let operator = app.subject("示例蔬菜加工厂").await;
    let trader = app.subject("示例韭菜合作社一社").await;
    for (code, subject) in [("4012345000054", &operator), ("4012345000061", &trader)] {
        let alias = json!({ "kind": "gln13", "code": code, "subject_id": subject["id"] });
        approved(&app, "subject_alias", alias).await;
    }
    let sent = [at("market", MARKET), at("door", "urn:epc:id:sgln:4012345.00005.7")];
    capture(&app, "enterprise", &document(&sent), "rollback").await.expect(202);
    let sent = [
        at("stall", "https://example.com/414/4012345000061"),
        at("shelf", "urn:epc:id:sgln:4012345.00006.shelf"),
        at("yard", "urn:example:yard"),
    ];
    capture(&app, "farm", &document(&sent), "rollback").await.expect(202);
    let within = format!("WD_readPoint={MARKET}");
    assert_eq!(found(&app, &within).await, ["market", "door"], "nobody is registered there yet");
    // A merchant of a market that the operator runs works in the operator's place.
    let region = operator["region"].as_str().unwrap();
    let code = format!("{region}901");
    let node = json!({
        "code": code, "name": "示例市场", "kind": "market", "subject_id": operator["id"],
        "region": region, "in_use": true,
    });
    let node = approved(&app, "node", node).await;
    let merchant = json!({
        "code": format!("{code}0001"), "name": "示例商户", "kind": "individual", "node_id": node,
        "goods": ["0101"], "subject_id": trader["id"], "contact_name": "示例甲",
        "contact_phone": "13800000001", "in_use": true,
    });
    approved(&app, "merchant", merchant).await;
    let all = ["market", "door", "stall", "shelf"];
    assert_eq!(found(&app, &within).await, all);
    let link = "WD_bizLocation=https://id.gs1.org/414/4012345000054";
    assert_eq!(found(&app, link).await, all);
    // It does not hold the other way about, nor for a part of the market, nor for the place itself.
    assert_eq!(found(&app, &format!("WD_readPoint={STALL}")).await, ["stall", "shelf"]);
    let door = "WD_readPoint=urn:epc:id:sgln:4012345.00005.7";
    assert_eq!(found(&app, door).await, ["door"]);
    assert_eq!(found(&app, &format!("EQ_readPoint={MARKET}")).await, ["market"]);
    // Whoever cannot see the trader's events sees none of them so either.
    let own = query(&app, "enterprise", &within).await;
    assert_eq!(own.len(), 2, "{own:?}");
    // One who also works elsewhere has a GLN that says nothing of where something happened.
    let site = json!({
        "subject_code": trader["code"], "name": "示例基地", "kind": "base",
        "region": trader["region"], "address": "示例路 1 号", "in_use": true,
    });
    let site = approved(&app, "site", site).await;
    assert_eq!(found(&app, &within).await, ["market", "door"]);
    // A site in the same market is no elsewhere.
    let path = format!("/api/v1/site/{site}");
    let version = app.get("supervisor", &path).await.expect(200)["version"].as_i64().unwrap();
    let moved = json!({ "node_id": node });
    let filed = app.change("supervisor", ("PATCH", &path), version, moved).await.expect(202);
    let approve = format!("/api/v1/site/changes/{}/approve", id_of(&filed["change_request"]));
    app.post("reviewer", &approve, json!({})).await.expect(200);
    assert_eq!(found(&app, &within).await, all);
}
