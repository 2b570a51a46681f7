//! GC-6: a pesticide, from its active ingredient to the plot of GC-1's first lot, where it was
//! sprayed four days before the harvest with an interval of seven (handbook §8.4).

use serde_json::json;

use super::step::{Calendar, Step};

/// Three bottles that nobody sold in time.
const OLD: &str = "NY-OLD";

pub(super) fn steps(calendar: Calendar) -> Vec<Step> {
    [making(calendar), trade(calendar)].into_iter().flatten().collect()
}

fn bottles(
    calendar: Calendar,
    (day, raw, kilograms): (i64, &'static str, &'static str),
    (code, count): (&'static str, &'static str),
) -> Step {
    Step::new(day, "formulate", "A1")
        .takes(&[(raw, kilograms, "KGM")])
        .makes("YJ-NY-02", &[(code, count, "BO")])
        .with(json!({
            "input_kind": "pesticide", "origin": "domestic", "registration_no": "PD20260000",
            "standard_no": "Q/示例 001-2026", "batch_no": code, "active_ingredient": "示例菌核净",
            "content_percent": "40", "net_content": "500 克/瓶", "produced_on": calendar.date(day),
            "expires_on": calendar.date(day + 730), "unit_code": code,
            "pesticide_code": "12600011001000000000000000000001", "restricted": false,
        }))
}

fn making(calendar: Calendar) -> Vec<Step> {
    let raw = |day, code, kilograms| {
        Step::new(day, "raw_material", "A1").makes("YJ-NY-01", &[(code, kilograms, "KGM")]).with(
            json!({
                "material": "示例原药", "content_percent": "95", "batch_no": code,
                "produced_on": calendar.date(day),
            }),
        )
    };
    vec![
        raw(-780, "NY-R0", "2"),
        bottles(calendar, (-779, "NY-R0", "1"), (OLD, "3")),
        raw(-60, "NY-R", "100"),
        bottles(calendar, (-58, "NY-R", "50"), ("NY-A", "200")),
        Step::new(-57, "test", "L1").sees(&["NY-A"]).with(json!({
            "report_no": "示例农药检-01", "kind": "factory", "item": "有效成分含量",
            "declared_percent": "40", "measured_percent": "39.2", "verdict": "pass",
        })),
    ]
}

fn trade(calendar: Calendar) -> Vec<Step> {
    let expires_on = calendar.date(672);
    let supply = json!({
        "product_name": "示例杀菌剂", "registration_no": "PD20260000", "spec": "500 克/瓶",
        "producer": "示例农药厂", "supplier": "示例农药厂", "supplier_contact": "13800000123",
        "expires_on": expires_on,
    });
    vec![
        Step::new(-30, "wholesale", "A2")
            .takes(&[("NY-A", "100", "BO")])
            .gives(&[("NY-A2", "100", "BO")])
            .with(supply),
        Step::new(-8, "retail", "A2")
            .takes(&[("NY-A2", "10", "BO")])
            .gives(&[("NY-F1", "10", "BO")])
            .with(json!({
                "product_name": "示例杀菌剂", "spec": "500 克/瓶", "producer": "示例农药厂",
                "purchaser": "示例购买人", "expires_on": expires_on, "restricted": false,
            })),
        Step::new(-4, "apply", "F1")
            .takes(&[("NY-F1", "4", "BO")])
            .gives(&[("NY-F1-USED", "4", "BO")])
            .with(json!({
                "crop": "韭菜", "plot": "示例地块一", "dose": "每亩 100 克", "dilution": "800 倍",
                "safety_interval_days": 7, "expires_on": expires_on, "operator": "示例操作人",
            })),
        Step::new(2, "dispose", "A1").takes(&[(OLD, "3", "BO")]).with(json!({
            "cause": "expired", "method": "harmless", "expires_on": calendar.date(-49),
            "document_no": "示例处置-01",
        })),
        Step::new(10, "recall", "A1").sees(&["NY-A"]).with(json!({
            "level": "2", "reason": "示例：标签安全间隔期标注有误",
            "advice": "请停止使用，退回购买处",
        })),
    ]
}
