//! GC-5: boxes of a medicine with a code each, to a pharmacy and to a hospital (handbook §8.4).

use serde_json::{Value, json};

use super::step::{Calendar, Step};

/// The medicine's identification code, with which every box begins.
const IDENTIFIER: &str = "8123456";
const BOXES: [&str; 4] = [
    "81234560000000000001",
    "81234560000000000002",
    "81234560000000000003",
    "81234560000000000004",
];
/// A box that nobody sold in time.
const OLD_BOX: &str = "81234560000000000099";

pub(super) fn steps(calendar: Calendar) -> Vec<Step> {
    let batches = [
        batch(calendar, (-760, "YP-API0", &[OLD_BOX], 730)),
        batch(calendar, (0, "YP-API", &BOXES, 730)),
    ];
    batches.into_iter().chain([trade(calendar), end(calendar)]).flatten().collect()
}

fn boxes(codes: &[&'static str]) -> Vec<(&'static str, &'static str, &'static str)> {
    codes.iter().map(|code| (*code, "1", "BX")).collect()
}

/// A batch of boxes from its raw material.
fn batch(
    calendar: Calendar,
    (day, raw, codes, shelf_days): (i64, &'static str, &[&'static str], i64),
) -> Vec<Step> {
    vec![
        Step::new(day, "raw_material", "Y1").makes("YJ-YY-01", &[(raw, "120", "KGM")]).with(
            json!({
                "material": "示例原料药", "material_lot": raw, "origin": "示例原料基地",
                "produced_on": calendar.date(day), "registration_no": "示例原料登记-01",
            }),
        ),
        Step::new(day + 1, "manufacture", "Y1")
            .takes(&[(raw, "100", "KGM")])
            .makes("YJ-YY-02", &boxes(codes))
            .with(json!({
                "holder": "示例制药公司", "maker": "示例制药公司", "common_name": "示例片",
                "dosage_form": "片剂", "strength": "0.25 克", "package_spec": "12 片/盒",
                "approval_no": "国药准字H20260000", "identifier": IDENTIFIER,
                "batch_no": format!("{raw}-1"), "produced_on": calendar.date(day + 1),
                "expires_on": calendar.date(day + 1 + shelf_days), "drug_kind": "3",
                "biological": false, "codes_active": true,
            })),
    ]
}

fn bill(calendar: Calendar, number: &str, (from, to): (&str, &str)) -> Value {
    json!({
        "bill_no": number, "bill_type": "201", "consignor": from, "consignee": to,
        "quality_state": "qualified", "batch_no": "YP-API-1", "expires_on": calendar.date(731),
        "storage": "cool", "temperature_min": "12", "temperature_max": "18",
        "humidity_percent": "55", "record_interval_minutes": 30,
    })
}

/// Every box goes its own way, so every box has its own bills.
fn trade(calendar: Calendar) -> Vec<Step> {
    let ship = |day, subject, code: &'static str, attributes| {
        Step::new(day, "ship", subject)
            .takes(&boxes(&[code]))
            .gives(&boxes(&[code]))
            .with(attributes)
    };
    let road = |code: &'static str| {
        Step::new(4, "transport", "T1").takes(&boxes(&[code])).gives(&boxes(&[code])).with(json!({
            "vehicle_no": "陕A·示例4", "storage": "cool", "temperature_min": "10",
            "temperature_max": "19", "record_interval_minutes": 5,
        }))
    };
    let [one, two, three, four] = BOXES;
    let (maker, first, second) = ("示例制药公司", "示例医药批发公司甲", "示例医药批发公司乙");
    vec![
        Step::new(2, "test", "L1").sees(&[one]).with(json!({
            "report_no": "示例放行检-01", "kind": "release", "item": "含量测定", "verdict": "pass",
        })),
        ship(3, "Y1", one, bill(calendar, "示例单-01", (maker, first))),
        ship(3, "Y1", two, bill(calendar, "示例单-02", (maker, first))),
        ship(3, "Y1", three, bill(calendar, "示例单-03", (maker, second))),
        ship(3, "Y1", four, bill(calendar, "示例单-04", (maker, second))),
        road(one),
        road(three),
        ship(5, "Y2", one, bill(calendar, "示例单-05", (first, "示例药店"))),
        ship(5, "Y3", three, bill(calendar, "示例单-06", (second, "示例医院"))),
    ]
}

fn end(calendar: Calendar) -> Vec<Step> {
    let [one, _, three, _] = BOXES;
    vec![
        Step::new(6, "retail", "Y4").takes(&boxes(&[one])).gives(&boxes(&[one])).with(json!({
            "bill_no": "示例零售-01", "expires_on": calendar.date(731), "drug_kind": "3",
            "prescription": true, "prescription_no": "示例处方-01", "physician": "示例医师",
            "patient": "示例患者", "pharmacist": "示例药师", "settled": true,
        })),
        Step::new(7, "dispense", "Y5").takes(&boxes(&[three])).gives(&boxes(&[three])).with(
            json!({
                "bill_no": "示例发药-01", "expires_on": calendar.date(731), "ward": "示例内科",
                "physician": "示例医师", "patient": "示例患者", "settled": true,
            }),
        ),
        Step::new(8, "dispose", "Y1").takes(&boxes(&[OLD_BOX])).with(json!({
            "cause": "expired", "method": "destroy", "expires_on": calendar.date(-29),
            "document_no": "示例销毁-02",
        })),
        Step::new(12, "recall", "Y1").sees(&["YP-API"]).with(json!({
            "level": "2", "reason": "示例：稳定性考察溶出度偏低",
            "advice": "请停止使用，到购药处退换",
        })),
    ]
}
