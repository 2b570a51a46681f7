//! GC-8: methanol by road, with a driver at the wheel for too long (handbook §8.4).

use serde_json::{Value, json};

use super::step::{Calendar, Step};

const T: &str = "TNE";

pub(super) fn steps(calendar: Calendar) -> Vec<Step> {
    let mut journey = waybill(calendar, (4, "示例运单-0001"));
    for (name, value) in [
        ("driving_minutes_max", json!(275)),
        ("rest_minutes_min", json!(20)),
        ("speed_max_motorway", json!("84")),
        ("temperature_max", json!("41")),
        ("speed_alarms", json!(2)),
        ("temperature_alarms", json!(1)),
        ("deviation", json!("示例：连续驾驶 4 小时 35 分，已对驾驶员停班教育")),
    ] {
        journey[name] = value;
    }
    vec![
        Step::new(0, "raw_material", "X1").makes("YJ-WH-01", &[("JC-R", "800", T)]).with(json!({
            "material": "合成气", "batch_no": "JC-R", "source": "示例煤化工园区",
        })),
        Step::new(1, "produce", "X1")
            .takes(&[("JC-R", "700", T)])
            .makes("YJ-WH-02", &[("JC-A", "500", T)])
            .with(made("JC-A")),
        Step::new(2, "test", "L1").sees(&["JC-A"]).with(json!({
            "report_no": "示例甲醇检-01", "item": "甲醇含量", "value": "99.9", "value_unit": "%",
            "verdict": "pass",
        })),
        Step::new(3, "sale", "X1")
            .takes(&[("JC-A", "30", T)])
            .gives(&[("JC-S", "30", T)])
            .with(json!({
                "buyer": "示例化工经营公司", "control": "none",
            }))
            .naming("buyer_code", "X3"),
        Step::new(4, "waybill", "X2")
            .takes(&[("JC-S", "30", T)])
            .gives(&[("JC-Y", "29.95", T)])
            .with(journey),
        Step::new(6, "use", "U1")
            .takes(&[("JC-Y", "20", T)])
            .gives(&[("JC-IN-USE", "20", T)])
            .with(
                json!({ "use": "示例溶剂", "place": "示例罐区", "expires_on": calendar.date(12) }),
            ),
        Step::new(14, "dispose", "U1").takes(&[("JC-Y", "2", T)]).with(json!({
            "cause": "expired", "method": "harmless", "expires_on": calendar.date(12),
            "document_no": "示例处置-02", "manifest_no": "示例联单-01",
        })),
        Step::new(15, "recall", "X1").sees(&["JC-A"]).with(json!({
            "level": "3", "reason": "示例：水分超标", "advice": "请停止使用，联系供方退货",
        })),
    ]
}

/// What is known of a tank of methanol.
fn made(batch: &str) -> Value {
    json!({
        "goods_name": "甲醇", "cas_no": "67-56-1", "list_no": "1022", "un_no": "UN1230",
        "hazard_class": "3", "subsidiary": "6.1", "packing_group": "II", "safety_sheet_no": "示例一书一签-01",
        "licence_no": "示例安许-01", "batch_no": batch, "tank": "示例 1 号罐", "stored_t": "480",
        "stored_max_t": "1000", "hazard_ratio": "0.96",
    })
}

/// A waybill of methanol without anything to complain of.
pub(in super::super) fn waybill(calendar: Calendar, (day, number): (i64, &str)) -> Value {
    let mut whole = parties(number);
    if let (Value::Object(whole), Value::Object(trip)) = (&mut whole, trip(calendar, day)) {
        whole.extend(trip);
    }
    whole
}

/// Who sends, carries and receives what.
fn parties(number: &str) -> Value {
    json!({
        "waybill_no": number, "consignor": "示例甲醇厂", "loader": "示例甲醇厂",
        "carrier": "示例危货运输公司", "carrier_licence_no": "示例危运-01",
        "consignee": "示例化工使用单位", "vehicle_no": "陕K·示例1", "road_permit_no": "示例运输证-01",
        "trailer_no": "陕K·示例挂", "tank_no": "示例罐-01", "tank_medium": "甲醇",
        "driver": "示例驾驶员", "driver_certificate_no": "示例资格-01", "driver_phone": "13800000136",
        "escort": "示例押运员", "escort_certificate_no": "示例资格-02", "escort_phone": "13800000137",
        "goods_name": "甲醇", "un_no": "UN1230", "hazard_class": "3", "subsidiary": "6.1",
        "packing_group": "II", "packing": "tank", "emergency_phone": "13800000138",
    })
}

/// From where to where, and how it went.
fn trip(calendar: Calendar, day: i64) -> Value {
    json!({
        "load_place": "示例甲醇厂装车台", "load_at": calendar.time(day, 1),
        "unload_place": "示例化工使用单位罐区", "unload_at": calendar.time(day, 8),
        "city_delivery": false, "depart_at": calendar.time(day, 2),
        "arrive_at": calendar.time(day, 7), "state": "arrived",
        "permit_valid_to": calendar.date(day + 300), "insurance_valid_to": calendar.date(day + 200),
        "load_t": "30", "rated_load_t": "32", "fill_percent": "92", "driving_minutes_max": 180,
        "rest_minutes_min": 25, "speed_max_motorway": "78", "speed_max_other": "55",
        "position_interval_seconds": 20, "temperature_max": "28", "speed_alarms": 0,
        "temperature_alarms": 0,
    })
}
