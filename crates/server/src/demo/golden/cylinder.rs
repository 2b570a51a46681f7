//! GC-7: two cylinders for liquefied petroleum gas, one filled and used, one overdue for its
//! inspection (handbook §8.4).

use serde_json::{Value, json};

use super::step::{Calendar, Step};

const GOOD: &str = "QP-0001";
const OVERDUE: &str = "QP-0002";

pub(super) fn steps(calendar: Calendar) -> Vec<Step> {
    [making(calendar), use_of(calendar)].into_iter().flatten().collect()
}

fn cylinder(calendar: Calendar, day: i64, (code, serial, due): (&'static str, &str, i64)) -> Step {
    Step::new(day, "manufacture", "E1")
        .takes(&[("QP-MAT", "17", "KGM")])
        .makes("YJ-QP-02", &[(code, "1", "CY")])
        .with(json!({
            "equipment_code": format!("230011120260000{serial}"), "variety": "2000",
            "model": "YSP35.5", "serial_no": serial, "licence_no": "示例制造许可-01",
            "design_no": "示例设计鉴定-01", "supervision_no": format!("示例监检-{serial}"),
            "rated_pressure_mpa": "2.1", "volume_l": "35.5", "medium": "lpg",
            "certificate_no": format!("示例合格证-{serial}"), "material_lots": "QP-MAT",
            "ndt_no": format!("示例探伤-{serial}"),
            "made_on": calendar.date(day), "next_due_on": calendar.date(due),
        }))
}

fn making(calendar: Calendar) -> Vec<Step> {
    vec![
        Step::new(-1470, "material", "E1").makes("YJ-QP-01", &[("QP-MAT", "500", "KGM")]).with(
            json!({
                "material_lot": "QP-MAT", "grade": "HP295", "standard_no": "GB/T 6653",
                "quality_certificate_no": "示例质保书-01",
            }),
        ),
        cylinder(calendar, -1465, (OVERDUE, "002", -5)),
        cylinder(calendar, -400, (GOOD, "001", 1060)),
        Step::new(-395, "register", "E2").sees(&[GOOD]).with(json!({
            "registration_no": "瓶11陕A00000(26)", "user": "示例液化气充装站",
            "place": "示例路 132 号", "internal_no": GOOD, "safety_manager": "示例安全员",
            "operator_certificate_no": "示例作业证-01", "put_into_use_on": calendar.date(-398),
        })),
    ]
}

fn filling(calendar: Calendar) -> Value {
    json!({
        "cylinder_no": GOOD, "filling_licence_no": "示例充装许可-01", "medium": "lpg",
        "before_check": "pass", "after_check": "pass", "weight_kg": "14.5",
        "rated_weight_kg": "15", "operator_certificate_no": "示例作业证-02",
        "next_due_on": calendar.date(1060),
    })
}

fn use_of(calendar: Calendar) -> Vec<Step> {
    vec![
        Step::new(0, "raw_material", "E2")
            .of("dangerous")
            .makes("YJ-QP-03", &[("LPG-1", "5000", "KGM")])
            .with(json!({ "material": "液化石油气", "batch_no": "LPG-1", "source": "示例炼厂" })),
        Step::new(1, "periodic", "Q1").sees(&[OVERDUE]).with(json!({
            "report_no": "示例气瓶检-01", "institution": "示例特种设备检验院", "kind": "periodic",
            "interval_kind": "lpg_cylinder",
            "conclusion": "fail", "defect": "超期未检，瓶体腐蚀", "next_due_on": calendar.date(60),
        })),
        Step::new(2, "fill", "E2")
            .takes(&[(GOOD, "1", "CY"), ("LPG-1", "14.5", "KGM")])
            .makes("YJ-QP-02", &[(GOOD, "1", "CY")])
            .with(filling(calendar)),
        Step::new(3, "deliver", "E3")
            .takes(&[(GOOD, "1", "CY")])
            .gives(&[(GOOD, "1", "CY")])
            .with(json!({
                "receiver": "示例用户", "receiver_address": "示例路 134 号",
                "deliverer": "示例配送员", "safety_check": "pass", "next_due_on": calendar.date(1060),
            })),
        Step::new(4, "use", "E4")
            .sees(&[GOOD])
            .with(json!({ "place": "示例餐馆厨房", "next_due_on": calendar.date(1060) })),
        Step::new(5, "scrap", "E2").takes(&[(OVERDUE, "1", "CY")]).with(json!({
            "kind": "scrap", "reason": "超过检验有效期且检验不合格", "evidence_no": "示例销毁证明-01",
            "next_due_on": calendar.date(-5),
        })),
        Step::new(12, "recall", "E1").sees(&["QP-MAT"]).with(json!({
            "level": "2", "reason": "示例：瓶阀批次密封不良", "advice": "请停止使用，由充装站更换",
        })),
    ]
}
