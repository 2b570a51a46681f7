//! The golden chains, whose answers are known (handbook §8.1, §8.2).

use jiff::{SignedDuration, Timestamp, tz::Offset};
use serde_json::{Value, json};
use yj_kernel::{Problem, Result};
use yj_trace::TraceEvent;

use super::registers::subject_code;
use crate::Assembled;

/// Day after the first, type, subject, inputs, outputs, attributes.
type Step = (
    i64,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [(&'static str, &'static str)],
    Value,
);

fn chive() -> Vec<Step> {
    let plot = |plot: &str| json!({ "plot": plot, "variety": "示例紫根韭" });
    let empty = || json!({});
    vec![
        (0, "harvest", "F1", &[], &[("F1-A", "1200")], plot("示例地块一")),
        (0, "harvest", "F2", &[], &[("F2-A", "800")], plot("示例地块二")),
        (1, "harvest", "F1", &[], &[("F1-B", "500")], plot("示例地块三")),
        (
            1,
            "processing",
            "P1",
            &[("F1-A", "1000"), ("F2-A", "600")],
            &[("P1-X", "1540")],
            json!({ "line": "1 号线" }),
        ),
        (1, "retail", "F1", &[("F1-A", "200")], &[("R3-sold", "195")], empty()),
        (
            2,
            "processing",
            "P1",
            &[("F1-B", "500"), ("F2-A", "200")],
            &[("P1-Y", "680")],
            json!({ "line": "2 号线" }),
        ),
        (
            2,
            "transport",
            "T1",
            &[("P1-X", "1540")],
            &[("P1-X#1", "900"), ("P1-X#2", "638")],
            json!({ "vehicle_no": "陕A·示例1" }),
        ),
        (3, "wholesale", "W1", &[("P1-X#1", "900")], &[("W1-1", "500"), ("W1-2", "390")], empty()),
        (
            3,
            "wholesale",
            "W2",
            &[("P1-X#2", "638"), ("P1-Y", "680")],
            &[("W2-1", "700"), ("W2-2", "600")],
            empty(),
        ),
        (4, "retail", "R1", &[("W1-1", "500")], &[("R1-sold", "480")], empty()),
        (4, "retail", "R2", &[("W1-2", "200"), ("W2-1", "300")], &[("R2-sold", "490")], empty()),
        (
            4,
            "consume",
            "C1",
            &[("W2-2", "600")],
            &[("C1-used", "590")],
            json!({ "meal": "lunch", "sample_kept": true }),
        ),
        (
            4,
            "test",
            "L1",
            &[("F1-A", "")],
            &[],
            json!({ "report_no": "示例检-0001", "item": "腐霉利", "value": "0.9", "value_unit": "mg/kg", "limit": "0.2", "verdict": "fail" }),
        ),
    ]
}

fn vessel() -> Vec<Step> {
    let heat = |heat: &str| json!({ "heat_no": heat, "grade": "TA1" });
    let order = |order: &str| json!({ "work_order": order });
    vec![
        (0, "raw_material", "M1", &[], &[("S1", "2400")], heat("S1")),
        (0, "raw_material", "M1", &[], &[("S2", "1600")], heat("S2")),
        (0, "raw_material", "B1", &[], &[("W7", "40")], heat("W7")),
        (0, "raw_material", "M1", &[], &[("S3", "1500")], heat("S3")),
        (
            1,
            "smelt",
            "M2",
            &[("S1", "2400"), ("S2", "1600")],
            &[("I1", "3920")],
            order("示例工单-1"),
        ),
        (1, "smelt", "M2", &[("S3", "1500")], &[("I2", "1470")], order("示例工单-2")),
        (
            2,
            "roll",
            "M3",
            &[("I1", "3920")],
            &[("H1", "1800"), ("H2", "1900")],
            order("示例工单-3"),
        ),
        (2, "roll", "M3", &[("I2", "1470")], &[("H3", "1400")], order("示例工单-4")),
        (
            2,
            "test",
            "Q1",
            &[("H1", "")],
            &[],
            json!({ "report_no": "示例检-0101", "item": "氧含量", "value": "0.18", "value_unit": "%", "limit": "0.2", "verdict": "pass" }),
        ),
        (
            3,
            "assemble",
            "V1",
            &[("H1", "1800"), ("H2", "1900"), ("W7", "18")],
            &[("215010001202600001", "1")],
            json!({ "work_order": "示例工单-5", "equipment_code": "215010001202600001" }),
        ),
        (
            3,
            "assemble",
            "V1",
            &[("H3", "1400"), ("W7", "9")],
            &[("215010001202600002", "1")],
            json!({ "work_order": "示例工单-6", "equipment_code": "215010001202600002" }),
        ),
        (
            4,
            "supervision",
            "Q1",
            &[("215010001202600001", "")],
            &[],
            json!({ "authority": "示例特种设备检验院", "kind": "daily", "result": "pass", "document_no": "示例监检-01" }),
        ),
        (
            5,
            "commission",
            "U1",
            &[("215010001202600001", "1")],
            &[("VESSEL-1-IN-USE", "1")],
            json!({ "registration_no": "容15陕A00001(26)", "next_inspection_on": "2029-11-01" }),
        ),
        (
            5,
            "commission",
            "U2",
            &[("215010001202600002", "1")],
            &[("VESSEL-2-IN-USE", "1")],
            json!({ "next_inspection_on": "2029-11-01" }),
        ),
    ]
}

/// Unit and product of a code that an event makes.
fn product(kind: &str, code: &str) -> (&'static str, Option<&'static str>) {
    match (kind, code) {
        ("harvest" | "processing", _) => ("KGM", Some("YJ-JC-01")),
        ("raw_material", "W7") => ("KGM", Some("YJ-WJ-01")),
        ("raw_material", _) => ("KGM", Some("YJ-TI-00")),
        ("smelt", _) => ("KGM", Some("YJ-TI-01")),
        ("roll", _) => ("KGM", Some("YJ-TI-02")),
        ("assemble", _) => ("SET", Some("YJ-PV-01")),
        ("commission", _) => ("SET", None),
        _ => ("KGM", None),
    }
}

fn event(
    domain: &str,
    (hour, step): (i64, &Step),
    first_day: Timestamp,
) -> Result<(Timestamp, TraceEvent)> {
    let (day, kind, subject, inputs, outputs, attributes) = step;
    let midnight = Offset::constant(8).to_datetime(first_day).date();
    let midnight = midnight
        .to_zoned(jiff::tz::TimeZone::fixed(Offset::constant(8)))
        .map_err(Problem::internal)?;
    let when = midnight.timestamp()
        + SignedDuration::from_hours(day * 24 + 8)
        + SignedDuration::from_mins(hour * 10);
    let unit = |code: &str| if code.starts_with("2150") { "SET" } else { "KGM" };
    let input = |(code, quantity): &(&str, &str)| match *quantity {
        "" => json!({ "code": code }),
        quantity => json!({ "code": code, "quantity": quantity, "unit": unit(code) }),
    };
    let output = |(code, quantity): &(&str, &str)| {
        let (unit, product) = product(kind, code);
        json!({ "code": code, "quantity": quantity, "unit": unit, "product": product, "lot": code })
    };
    let event = json!({
        "domain": domain, "type": kind, "subject": subject_code(subject)?,
        "event_time": when.display_with_offset(Offset::constant(8)).to_string(),
        "inputs": inputs.iter().map(input).collect::<Vec<_>>(),
        "outputs": outputs.iter().map(output).collect::<Vec<_>>(),
        "attributes": attributes,
    });
    Ok((when, serde_json::from_value(event).map_err(Problem::internal)?))
}

pub(super) async fn load(assembled: &Assembled, first_day: Timestamp) -> Result<usize> {
    let mut count = 0;
    for (domain, steps) in [("agri", chive()), ("industrial", vessel())] {
        for (hour, step) in (0i64..).zip(&steps) {
            let (when, event) = event(domain, (hour, step), first_day)?;
            super::capture(assembled, when + SignedDuration::from_mins(5), &[event]).await?;
            count += 1;
        }
    }
    Ok(count)
}
