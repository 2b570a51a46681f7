//! What happens to goods of the golden chains after their chain has ended.

use serde_json::{Value, json};

use super::{at, like, lines, objections, recorded, says, the};
use crate::{harness::TestApp, houses::id_of};

/// A box is sent, received and compared, found wrong and sent back.
pub(super) async fn bought_and_sent_back(app: &TestApp, (code, buyer): (&str, &str)) {
    let one = || (lines(&[(code, "1", "BX")]), lines(&[(code, "1", "BX")]));
    let ship = async |changes: Value| like(app, ("drug", "ship"), one(), changes).await;
    // What nobody released is not sold; between one's own stores it may move.
    let waiting = |kind: &str| json!({ "bill_type": kind, "quality_state": "pending" });
    let found = objections(app, ship(waiting("201")).await).await;
    says(&found, &["不符合规则“未放行药品不得销售”"]);
    let old = json!({ "bill_type": "207", "expires_on": "2026-11-17" });
    says(&objections(app, ship(old).await).await, &["不符合规则“过期药品不得销售”"]);
    for kind in ["101", "202", "205", "211"] {
        let found = objections(app, ship(waiting(kind)).await).await;
        assert!(found[0].contains(&format!("没有代码 {kind}")), "{found:?}");
    }
    recorded(app, ship(waiting("203")).await).await;
    let buyer = app.subject(buyer).await;
    let mut sent = ship(json!({ "voucher_no": "示例随货-09" })).await;
    let seller = sent["subject"].clone();
    sent["counterparty"] = buyer["code"].clone();
    recorded(app, at(sent, "2026-11-18T09:00:00+08:00")).await;
    let (inputs, outputs) = one();
    let by_buyer = |kind: &str, hour: u8, attributes: Value| {
        json!({
            "domain": "drug", "type": kind, "subject": buyer["code"], "counterparty": seller,
            "event_time": format!("2026-11-18T{hour}:00:00+08:00"), "inputs": inputs,
            "outputs": outputs, "attributes": attributes,
        })
    };
    let got = json!({
        "bill_no": "示例入库-09", "bill_type": "102", "voucher_no": "示例随货-09", "consignor": "示例制药公司",
        "expires_on": "2028-10-31", "quality_state": "rejected",
    });
    recorded(app, by_buyer("receive", 10, got)).await;
    let path = format!("/api/v1/trace/matches?batch={code}");
    let found = app.get("supervisor", &path).await.expect(200);
    let found = found["items"].as_array().unwrap();
    let of_bill: Vec<_> = found.iter().filter(|one| !one["voucher"].is_null()).collect();
    assert_eq!(of_bill.len(), 1, "{found:#?}");
    assert_eq!((&of_bill[0]["state"], &of_bill[0]["given"]), (&json!("matched"), &json!("1")));
    // What was rejected and is out of date goes back, and comes back from a recall.
    for (kind, hour, paper) in [("return_out", 11, "bill_type"), ("recall_out", 12, "recall_no")] {
        let mut attributes = json!({
            "bill_no": format!("示例退-{hour}"), "consignee": "示例制药公司", "reason": "示例：破损",
            "quality_state": "rejected", "expires_on": "2026-11-01",
        });
        if kind == "recall_out" {
            for name in ["reason", "quality_state"] {
                attributes.as_object_mut().unwrap().remove(name);
            }
        }
        attributes[paper] = json!(if paper == "bill_type" { "202" } else { "示例召回-01" });
        recorded(app, by_buyer(kind, hour, attributes)).await;
    }
}

/// A cylinder that was used is the same cylinder: filled again, inspected, scrapped.
pub(super) async fn filled_again_and_scrapped(app: &TestApp, code: &str) {
    let used = the(app, "special_equipment", "use").await;
    let used = app.get("supervisor", &format!("/api/v1/trace/events/{}", id_of(&used))).await;
    let used = used.expect(200);
    assert_eq!((&used["inputs"][0]["code"], &used["outputs"]), (&json!(code), &json!([])));
    let cylinder = || lines(&[(code, "1", "CY")]);
    let filling = async || {
        let gas = json!({ "code": "LPG-1", "quantity": "14.5", "unit": "KGM" });
        let mut inputs = cylinder();
        inputs.as_array_mut().unwrap().push(gas);
        like(app, ("special_equipment", "fill"), (inputs, cylinder()), json!({})).await
    };
    recorded(app, filling().await).await;
    let seen = (json!([{ "code": code }]), json!([]));
    let sound = json!({ "conclusion": "pass", "defect": null, "next_due_on": "2030-11-17" });
    let seen = like(app, ("special_equipment", "periodic"), seen, sound).await;
    recorded(app, at(seen, "2026-11-18T09:00:00+08:00")).await;
    let end = like(app, ("special_equipment", "scrap"), (cylinder(), json!([])), json!({})).await;
    recorded(app, at(end, "2026-11-18T10:00:00+08:00")).await;
    let late = at(filling().await, "2026-11-18T11:00:00+08:00");
    says(&objections(app, late).await, &["数量超过结存"]);
}
