//! GC-2: titanium, from heats to vessels in use (handbook §8.2).

use serde_json::{Value, json};

use super::step::{Calendar, Step};

const KG: &str = "KGM";

fn order(order: &str) -> Value {
    json!({ "work_order": order })
}

pub(super) fn steps(_: Calendar) -> Vec<Step> {
    [metal(), vessels()].into_iter().flatten().collect()
}

fn metal() -> Vec<Step> {
    let heat = |subject, product, code, quantity| {
        Step::new(0, "raw_material", subject)
            .makes(product, &[(code, quantity, KG)])
            .with(json!({ "heat_no": code, "grade": "TA1" }))
    };
    vec![
        heat("M1", "YJ-TI-00", "S1", "2400"),
        heat("M1", "YJ-TI-00", "S2", "1600"),
        heat("B1", "YJ-WJ-01", "W7", "40"),
        heat("M1", "YJ-TI-00", "S3", "1500"),
        // Flanges are bought ready-made.
        heat("M3", "YJ-TI-02", "FL-1", "260"),
        Step::new(1, "smelt", "M2")
            .takes(&[("S1", "2400", KG), ("S2", "1600", KG)])
            .makes("YJ-TI-01", &[("I1", "3920", KG)])
            .with(order("示例工单-1")),
        Step::new(1, "smelt", "M2")
            .takes(&[("S3", "1500", KG)])
            .makes("YJ-TI-01", &[("I2", "1470", KG)])
            .with(order("示例工单-2")),
        Step::new(2, "roll", "M3")
            .takes(&[("I1", "3920", KG)])
            .makes("YJ-TI-02", &[("H1", "1800", KG), ("H2", "1900", KG)])
            .with(order("示例工单-3")),
        Step::new(2, "roll", "M3")
            .takes(&[("I2", "1470", KG)])
            .makes("YJ-TI-02", &[("H3", "1400", KG)])
            .with(order("示例工单-4")),
        Step::new(2, "test", "Q1").sees(&["H1", "H2"]).with(json!({
            "report_no": "示例检-0101", "item": "氧含量", "value": "0.18", "value_unit": "%",
            "limit": "0.2", "verdict": "pass",
        })),
    ]
}

fn vessels() -> Vec<Step> {
    let (one, two) = ("215010001202600001", "215010001202600002");
    vec![
        Step::new(3, "assemble", "V1")
            .takes(&[("H1", "1800", KG), ("H2", "1900", KG), ("FL-1", "150", KG), ("W7", "18", KG)])
            .makes("YJ-PV-01", &[(one, "1", "SET")])
            .with(json!({ "work_order": "示例工单-5", "equipment_code": one })),
        Step::new(3, "assemble", "V1")
            .takes(&[("H3", "1400", KG), ("FL-1", "110", KG), ("W7", "9", KG)])
            .makes("YJ-PV-01", &[(two, "1", "SET")])
            .with(json!({ "work_order": "示例工单-6", "equipment_code": two })),
        Step::new(4, "supervision", "Q1").sees(&[one]).with(json!({
            "authority": "示例特种设备检验院", "kind": "daily", "result": "pass",
            "document_no": "示例监检-01",
        })),
        Step::new(5, "commission", "U1")
            .takes(&[(one, "1", "SET")])
            .gives(&[("VESSEL-1-IN-USE", "1", "SET")])
            .with(json!({ "registration_no": "容15陕A00000(26)", "next_inspection_on": "2029-11-01" })),
        Step::new(5, "commission", "U2")
            .takes(&[(two, "1", "SET")])
            .gives(&[("VESSEL-2-IN-USE", "1", "SET")])
            .with(json!({ "next_inspection_on": "2029-11-01" })),
    ]
}
