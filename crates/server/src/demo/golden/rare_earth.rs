//! GC-3: rare earth from the mine to a magnet, balanced in REO (handbook §8.3).

use serde_json::json;

use super::step::{Calendar, Step};

const T: &str = "TNE";

pub(super) fn steps(calendar: Calendar) -> Vec<Step> {
    [making(calendar), trade(calendar)].into_iter().flatten().collect()
}

fn making(calendar: Calendar) -> Vec<Step> {
    let month = calendar.month(0);
    vec![
        Step::new(0, "mine", "K1").makes("YJ-XT-01", &[("XT-K", "1000", T)]).with(json!({
            "determined_no": "示例稀土确定-01", "mine": "示例稀土矿", "ore_type": "mixed",
            "period": month, "ore_t": "15000", "concentrate_t": "1000", "grade_percent": "60",
            "reo_t": "600", "quota_t": "600", "year_total_t": "600", "quota_used_percent": "100",
        })),
        Step::new(1, "test", "K5").sees(&["XT-K"]).with(json!({
            "report_no": "示例稀检-01", "item": "REO 品位", "value": "60", "value_unit": "%",
            "reo_percent": "60", "verdict": "pass",
        })),
        Step::new(3, "separate", "K2")
            .takes(&[("XT-K", "1000", T)])
            .makes("YJ-XT-02", &[("XT-LA", "139.5", T)])
            .makes("YJ-XT-03", &[("XT-CE", "279", T)])
            .makes("YJ-XT-04", &[("XT-PR", "27.9", T)])
            .makes("YJ-XT-05", &[("XT-ND", "94.86", T)])
            .makes("YJ-XT-06", &[("XT-QT", "16.74", T)])
            .with(json!({
                "determined_no": "示例稀土确定-02", "source": "own", "period": month,
                "input_reo_t": "600", "recovery_percent": "93", "output_reo_t": "558",
                "la_t": "139.5", "ce_t": "279", "pr_t": "27.9", "nd_t": "94.86",
                "other_t": "16.74", "form": "oxide", "purity": "3N", "quota_t": "550",
                "year_total_t": "558", "quota_used_percent": "101.45",
                "quota_note": "示例：已超年度控制指标，停产核查",
            })),
        Step::new(5, "metal", "K3")
            .takes(&[("XT-ND", "94.86", T)])
            .makes("YJ-XT-07", &[("XT-ND-M", "78.889", T)])
            .with(json!({
                "element": "Nd", "oxide_t": "94.86", "yield_percent": "97", "metal_t": "78.889",
                "current_efficiency_percent": "78", "period": month,
            })),
    ]
}

fn trade(calendar: Calendar) -> Vec<Step> {
    let month = calendar.month(6);
    vec![
        Step::new(6, "transport", "T1")
            .takes(&[("XT-ND-M", "40", T)])
            .gives(&[("XT-ND-M1", "40", T)])
            .with(json!({ "vehicle_no": "陕A·示例2", "seal_no": "示例封-01" })),
        Step::new(7, "sale", "K3")
            .takes(&[("XT-ND-M1", "40", T)])
            .gives(&[("XT-ND-S", "40", T)])
            .with(json!({
                "buyer": "示例永磁材料厂", "use": "钕铁硼永磁", "contract_no": "示例合同-01",
                "period": month,
            })),
        Step::new(9, "apply", "K4")
            .takes(&[("XT-ND-S", "30", T)])
            .gives(&[("XT-ND-IN-USE", "30", T)])
            .with(json!({ "use": "magnet", "final_product": "示例驱动电机磁钢" })),
        Step::new(11, "recall", "K3").sees(&["XT-ND-M"]).with(json!({
            "level": "3", "reason": "示例：氧含量偏高", "advice": "请停止投料，联系供方换货",
        })),
    ]
}
