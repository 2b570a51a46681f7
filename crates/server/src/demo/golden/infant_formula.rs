//! GC-4: infant formula, from milk to a can, packed 1 : 6 : 80 (handbook §8.4).

use serde_json::{Value, json};

use super::step::{Calendar, Step};

const KG: &str = "KGM";

pub(super) fn steps(calendar: Calendar) -> Vec<Step> {
    [old_lot(calendar), making(calendar), trade(calendar)].into_iter().flatten().collect()
}

/// Milk of a day, good for a while after it.
fn milk(calendar: Calendar, (day, code, quantity): (i64, &'static str, &'static str)) -> Step {
    Step::new(day, "raw_material", "D1").makes("YJ-YP-01", &[(code, quantity, KG)]).with(json!({
        "supplier": "示例奶牛牧场", "supplier_licence_no": "示例收购-01", "material_lot": code,
        "produced_on": calendar.date(day), "expires_on": calendar.date(day + 2),
        "incoming_check": "pass", "report_no": "示例进检-01", "origin": "示例牧区",
    }))
}

fn powder(calendar: Calendar, (day, lot, shelf_days): (i64, &str, i64)) -> Value {
    json!({
        "batch_no": lot, "formula_version": "示例配方 3.1", "batch_sheet_no": format!("示例投料-{lot}"),
        "weight_deviation_percent": "0.2", "line": "1 号喷雾塔", "shift": "白班",
        "control_point": "sterilise", "sterilise_c": "88", "sterilise_seconds": "15",
        "equipment": "示例杀菌机", "cleaning_no": "示例清洗-01",
        "health_certificate_no": "示例健康证-01", "produced_on": calendar.date(day),
        "expires_on": calendar.date(day + shelf_days),
    })
}

/// A lot of two years ago that nobody sold in time.
fn old_lot(calendar: Calendar) -> Vec<Step> {
    let day = -560;
    vec![
        milk(calendar, (day, "NR-M0", "100")),
        Step::new(day + 1, "produce", "D2")
            .takes(&[("NR-M0", "100", KG)])
            .makes("YJ-YP-02", &[("NR-B0", "12", KG)])
            .with(powder(calendar, (day + 1, "NR-B0", 540))),
        Step::new(-10, "dispose", "D2").takes(&[("NR-B0", "12", KG)]).with(json!({
            "cause": "expired", "method": "destroy", "expires_on": calendar.date(day + 541),
            "document_no": "示例销毁-01",
        })),
    ]
}

fn making(calendar: Calendar) -> Vec<Step> {
    let pack = |level: &str, first: &str, last: &str| {
        json!({
            "batch_no": "NR-B", "level": level, "per_pack": if level == "case" { 6 } else { 80 },
            "code_first": first, "code_last": last, "expires_on": calendar.date(541),
        })
    };
    let mut cans = pack("unit", "NR-G00001", "NR-G00480");
    cans["per_pack"] = Value::Null;
    vec![
        milk(calendar, (0, "NR-M", "8000")),
        Step::new(1, "produce", "D2")
            .takes(&[("NR-M", "8000", KG)])
            .makes("YJ-YP-02", &[("NR-B", "960", KG)])
            .with(powder(calendar, (1, "NR-B", 540))),
        Step::new(2, "test", "L1").sees(&["NR-B"]).with(json!({
            "report_no": "示例出厂检-01", "kind": "factory", "item": "菌落总数",
            "item_code": "total_count_infant", "counts": "120 300 80 950 1100",
            "sampled_on": calendar.date(1), "verdict": "pass",
        })),
        Step::new(3, "pack", "D2")
            .takes(&[("NR-B", "400", KG)])
            .makes("YJ-YP-03", &[("NR-G", "480", "CA")])
            .with(cans),
        Step::new(3, "pack", "D2")
            .takes(&[("NR-G", "480", "CA")])
            .gives(&[("NR-X", "80", "CT")])
            .with(pack("case", "NR-X00001", "NR-X00080")),
        Step::new(3, "pack", "D2")
            .takes(&[("NR-X", "80", "CT")])
            .gives(&[("NR-T", "1", "PX")])
            .with(pack("pallet", "NR-T00001", "NR-T00001")),
    ]
}

fn trade(calendar: Calendar) -> Vec<Step> {
    let expires_on = calendar.date(541);
    vec![
        Step::new(4, "transport", "T1")
            .takes(&[("NR-T", "1", "PX")])
            .gives(&[("NR-T", "1", "PX")])
            .with(json!({
                "vehicle_no": "陕A·示例3", "storage": "room", "temperature_min": "8",
                "temperature_max": "22", "depart_at": calendar.time(4, 6),
                "arrive_at": calendar.time(4, 8),
            })),
        Step::new(5, "sale", "D2")
            .takes(&[("NR-T", "1", "PX")])
            .gives(&[("NR-S1", "50", "CT"), ("NR-S2", "30", "CT")])
            .with(json!({
                "purchaser": "示例母婴用品店", "purchaser_address": "示例路 121 号",
                "purchaser_contact": "13800000121", "batch_no": "NR-B", "expires_on": expires_on,
            })),
        Step::new(6, "retail", "D4")
            .takes(&[("NR-S1", "10", "CT")])
            .gives(&[("NR-SOLD", "60", "CA")])
            .with(json!({ "expires_on": expires_on })),
        Step::new(7, "consume", "Y5")
            .takes(&[("NR-S1", "1", "CT")])
            .gives(&[("NR-USED", "6", "CA")])
            .with(json!({ "expires_on": expires_on })),
        Step::new(12, "recall", "D2").sees(&["NR-B"]).with(json!({
            "level": "1", "reason": "示例：标签营养成分标示有误",
            "advice": "请停止食用，凭购物凭证退货",
        })),
    ]
}
