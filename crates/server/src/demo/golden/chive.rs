//! GC-1: leeks, and a test that comes too late (handbook §8.1).

use serde_json::{Value, json};

use super::step::{Calendar, Step};

const LEEK: &str = "YJ-JC-01";
const KG: &str = "KGM";

fn plot(calendar: Calendar, plot: &str) -> Value {
    json!({
        "plot": plot, "area_mu": "5", "variety": "示例紫根韭", "sown_on": calendar.date(-90),
    })
}

pub(super) fn steps(calendar: Calendar) -> Vec<Step> {
    let harvest = |day, subject, code, quantity, at| {
        Step::new(day, "harvest", subject)
            .makes(LEEK, &[(code, quantity, KG)])
            .with(plot(calendar, at))
    };
    vec![
        harvest(0, "F1", "F1-A", "1200", "示例地块一"),
        harvest(0, "F2", "F2-A", "800", "示例地块二"),
        harvest(1, "F1", "F1-B", "500", "示例地块三"),
        Step::new(1, "processing", "P1")
            .takes(&[("F1-A", "1000", KG), ("F2-A", "600", KG)])
            .makes(LEEK, &[("P1-X", "1540", KG)])
            .with(json!({ "line": "1 号线" })),
        Step::new(1, "retail", "F1").takes(&[("F1-A", "200", KG)]).gives(&[("R3-sold", "195", KG)]),
        Step::new(2, "processing", "P1")
            .takes(&[("F1-B", "500", KG), ("F2-A", "200", KG)])
            .makes(LEEK, &[("P1-Y", "680", KG)])
            .with(json!({ "line": "2 号线" })),
        Step::new(2, "transport", "T1")
            .takes(&[("P1-X", "1540", KG)])
            .gives(&[("P1-X#1", "900", KG), ("P1-X#2", "638", KG)])
            .with(json!({ "vehicle_no": "陕A·示例1" })),
        Step::new(3, "wholesale", "W1")
            .takes(&[("P1-X#1", "900", KG)])
            .gives(&[("W1-1", "500", KG), ("W1-2", "390", KG)]),
        Step::new(3, "wholesale", "W2")
            .takes(&[("P1-X#2", "638", KG), ("P1-Y", "680", KG)])
            .gives(&[("W2-1", "700", KG), ("W2-2", "600", KG)]),
        Step::new(4, "retail", "R1").takes(&[("W1-1", "500", KG)]).gives(&[("R1-sold", "480", KG)]),
        Step::new(4, "retail", "R2")
            .takes(&[("W1-2", "200", KG), ("W2-1", "300", KG)])
            .gives(&[("R2-sold", "490", KG)]),
        Step::new(4, "consume", "C1")
            .takes(&[("W2-2", "600", KG)])
            .gives(&[("C1-used", "590", KG)])
            .with(json!({ "meal": "lunch", "sample_kept": true })),
        Step::new(4, "test", "L1").sees(&["F1-A"]).with(json!({
            "report_no": "示例检-0001", "item": "腐霉利", "value": "0.9", "value_unit": "mg/kg",
            "limit": "0.2", "verdict": "fail",
        })),
    ]
}
