//! Domain packs that do not ship with the product.

use serde_json::{Value, json};

use crate::harness::TestApp;

/// Lifts, from the factory to their yearly test.
pub fn lifts(version: &str) -> Value {
    json!({
        "code": "lift", "name": "示例电梯", "version": version,
        "effective_on": "2026-11-01",
        "product_fields": [
            { "name": "equipment_kind", "label": "设备种类", "kind": "code", "required": true,
              "codes": [["3000", "电梯"], ["4000", "起重机械"]] },
            { "name": "rated_load_kg", "label": "额定载荷（千克）", "kind": "int", "required": false,
              "min": "1", "max": "100000" },
            { "name": "type_test_no", "label": "型式试验证书号", "kind": "text", "required": false },
        ],
        "product_rules": [
            { "name": "电梯须有型式试验", "kind": "required_if", "field": "type_test_no",
              "when": "equipment_kind", "is": ["3000"] },
        ],
        "stages": [
            { "stage": "processing", "events": [{
                "code": "manufacture", "name": "制造", "movement": "101",
                "inputs": { "mode": "none", "min": 0, "max": 0 },
                "outputs": { "min": 1, "max": 50 },
                "fields": [
                    { "name": "equipment_code", "label": "设备代码", "kind": "text",
                      "required": true, "max_length": 18, "pattern": "^[0-9A-Z]{17,18}$",
                      "hint": "应为 17 或 18 位设备代码" },
                    { "name": "started_on", "label": "开工日期", "kind": "date", "required": false },
                    { "name": "finished_on", "label": "完工日期", "kind": "date", "required": false },
                    { "name": "welder", "label": "焊工", "kind": "text", "required": false,
                      "max_length": 20, "class": "personal" },
                ],
                "rules": [
                    { "name": "先开工后完工", "kind": "before", "a": "started_on", "b": "finished_on" },
                    { "name": "完工不晚于登记的时间", "kind": "before", "a": "finished_on", "b": "event_time" },
                ],
            }] },
            { "stage": "inspection", "events": [{
                "code": "periodic", "name": "定期检验",
                "inputs": { "mode": "observe", "min": 1, "max": 20 },
                "outputs": { "min": 0, "max": 0 },
                "fields": [
                    { "name": "verdict", "label": "结论", "kind": "code", "required": true,
                      "codes": [["pass", "合格"], ["fail", "不合格"]] },
                    { "name": "item", "label": "检验项目", "kind": "text", "required": true },
                    { "name": "defect", "label": "缺陷", "kind": "text", "required": false },
                ],
                "rules": [
                    { "name": "不合格须写明缺陷", "kind": "required_if", "field": "defect",
                      "when": "verdict", "is": ["fail"] },
                ],
            }] },
        ],
    })
}

/// The shipped pack of 特种设备 as it may follow: it asks more of what products hold.
pub async fn stricter(app: &TestApp) -> Value {
    let mut pack = app.get("sysadmin", "/api/v1/domains/special_equipment").await.expect(200);
    let more = lifts("1.0.0");
    pack["version"] = json!("1.1.0");
    let fields = pack["product_fields"].as_array_mut().unwrap();
    fields.extend(more["product_fields"].as_array().unwrap()[..2].iter().cloned());
    pack["product_rules"] = more["product_rules"].clone();
    pack
}

/// Fish, a domain outside the eight of the standards.
pub fn fish() -> Value {
    let mut pack = lifts("0.1.0");
    pack["code"] = json!("aquatic");
    pack["name"] = json!("示例水产");
    pack["product_fields"] = json!([]);
    pack["product_rules"] = json!([]);
    pack["stages"] = json!([{ "stage": "primary_production", "events": [{
        "code": "catch", "name": "捕捞", "movement": "101",
        "inputs": { "mode": "none", "min": 0, "max": 0 },
        "outputs": { "min": 1, "max": 50 },
        "fields": [
            { "name": "last_drug_on", "label": "最后用药日期", "kind": "date", "required": false },
            { "name": "withdrawal_days", "label": "休药期（天）", "kind": "int", "required": false },
            { "name": "pond", "label": "池塘", "kind": "text", "required": false },
            { "name": "vessel", "label": "渔船", "kind": "text", "required": false },
            { "name": "low", "label": "最低水温", "kind": "decimal", "required": false },
            { "name": "high", "label": "最高水温", "kind": "decimal", "required": false },
        ],
        "rules": [
            { "name": "休药期", "kind": "elapsed", "since": "last_drug_on",
              "days": "withdrawal_days", "until": "event_time" },
            { "name": "来源", "kind": "any_of", "fields": ["pond", "vessel"] },
            { "name": "水温", "kind": "not_above", "a": "low", "b": "high" },
        ],
    }] }]);
    pack
}
