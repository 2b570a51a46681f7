//! Planted defects of events (handbook §8.5): of quantities, times, repetitions, chains and quotas.

use jiff::Timestamp;
use serde_json::{Value, json};
use yj_kernel::Result;

use super::{
    golden::Calendar,
    planted::{DAY, Finding, Planted, event, line, parsed},
    registers::subject_code,
};
use crate::Assembled;

/// What is sold twice, and scanned by everybody.
pub(super) const BOX: &str = "QX-BOX";
/// What a device watches over.
pub(super) const COOLED: [&str; 2] = ["QX-A", "QX-B"];
/// Three hundred kilograms.
const LOT: &str = COOLED[0];
/// What both parties speak of.
const TRADED: &str = COOLED[1];
const BACK: &str = "QX-C";
const EARLY: &str = "QX-D";
/// Something of which nobody knows where it came from.
const FOUNDLING: &str = "QX-X";
const VOUCHER: &str = "示例单-15";
/// A development zone that keeps its own statistics and is in no register of divisions.
const ZONE: &str = "610171";

fn moved(
    first_day: Timestamp,
    (kind, subject): (&str, &str),
    (from, to, quantity): (&str, &str, &str),
) -> Result<Value> {
    let mut moved = event(first_day, kind, subject)?;
    moved["inputs"] = json!([line(from, quantity)]);
    moved["outputs"] = json!([line(to, quantity)]);
    Ok(moved)
}

fn grown(first_day: Timestamp, code: &str, quantity: &str) -> Result<Value> {
    let mut grown = event(first_day, "harvest", "F1")?;
    let mut output = line(code, quantity);
    output["product"] = json!("YJ-JC-01");
    output["lot"] = json!(code);
    grown["outputs"] = json!([output]);
    grown["attributes"] = json!({
        "plot": "示例地块十", "area_mu": "5", "variety": "示例紫根韭",
        "sown_on": Calendar::from(first_day).date(-90),
    });
    // In the morning, before anything is done with it.
    grown["event_time"] = json!(Calendar::from(first_day).time(DAY, 6));
    Ok(grown)
}

/// A time of the day of the planted events.
fn at(first_day: Timestamp, clock: &str) -> Value {
    json!(format!("{}T{clock}:00+08:00", Calendar::from(first_day).date(DAY)))
}

/// The sale of the one box, by whom at what time.
fn sold(first_day: Timestamp, subject: &str, clock: &str) -> Result<Value> {
    let mut sold = moved(first_day, ("retail", subject), (BOX, BOX, "1"))?;
    sold["event_time"] = at(first_day, clock);
    Ok(sold)
}

/// Loads the sound events that come before the planted ones, at this time of their day; how many.
pub(super) async fn prepare(
    assembled: &Assembled,
    (first_day, when): (Timestamp, Timestamp),
) -> Result<usize> {
    let mut handed = moved(first_day, ("wholesale", "F1"), (TRADED, "QX-B1", "100"))?;
    handed["counterparty"] = json!(subject_code("W1")?);
    handed["outputs"][0]["lot"] = json!(TRADED);
    handed["attributes"] = json!({ "voucher_no": VOUCHER });
    let events = [
        grown(first_day, LOT, "300")?,
        grown(first_day, TRADED, "100")?,
        grown(first_day, BACK, "40")?,
        grown(first_day, EARLY, "20")?,
        grown(first_day, BOX, "1")?,
        handed,
        moved(first_day, ("wholesale", "W1"), (BACK, "QX-C1", "40"))?,
        sold(first_day, "W1", "10:00")?,
    ];
    let count = events.len();
    for event in events {
        super::capture(assembled, when, &[parsed(event)?]).await?;
    }
    Ok(count)
}

/// The planted defects of a province whose GC-1 begins on this day.
pub(super) fn planted(first_day: Timestamp) -> Result<Vec<Planted>> {
    let mut all = of_trade(first_day)?;
    all.extend(of_rules(first_day)?);
    Ok(all)
}

type Row = (u8, &'static str, Value, Finding);

fn rows(all: impl IntoIterator<Item = Row>) -> Vec<Planted> {
    let row = |(number, what, event, found)| Planted { number: Some(number), what, event, found };
    all.into_iter().map(row).collect()
}

/// What quantities, codes and chains show.
fn of_trade(first_day: Timestamp) -> Result<Vec<Planted>> {
    let mut early = moved(first_day, ("wholesale", "F1"), (EARLY, "QX-D1", "20"))?;
    early["event_time"] = json!(Calendar::from(first_day).time(DAY - 1, 9));
    let mut foundling = moved(first_day, ("wholesale", "W2"), (FOUNDLING, "QX-X1", "60"))?;
    foundling["inputs"][0]["external"] = json!(true);
    let mut received = event(first_day, "market_entry", "W1")?;
    received["counterparty"] = json!(subject_code("F1")?);
    received["inputs"] = json!([line("QX-B1", "90")]);
    received["attributes"] =
        json!({ "voucher": "purchase", "voucher_no": VOUCHER, "quick_test": "pass" });
    Ok(rows([
        (3, "批次重发", grown(first_day, LOT, "300")?, Finding::Repeated),
        (
            4,
            "同一追溯码二十分钟内在西安、榆林各售一次",
            sold(first_day, "R2", "10:20")?,
            Finding::Refused("已售出，不能再投入"),
        ),
        (5, "先销售后生产", early, Finding::Broken(EARLY)),
        (
            7,
            "出库超过结存 50 千克",
            moved(first_day, ("wholesale", "F1"), (LOT, "QX-A1", "350"))?,
            Finding::Refused("数量超过结存"),
        ),
        (14, "上游缺失", foundling, Finding::Broken(FOUNDLING)),
        (15, "双方数量 100 与 90 不符", received, Finding::Mismatched(TRADED)),
        (
            16,
            "同一批次甲售乙、乙又售回甲",
            moved(first_day, ("wholesale", "F1"), ("QX-C1", BACK, "40"))?,
            Finding::Refused("已被使用"),
        ),
    ]))
}

/// What a date, a rule of a domain or a division shows.
fn of_rules(first_day: Timestamp) -> Result<Vec<Planted>> {
    let calendar = Calendar::from(first_day);
    let mut backwards = moved(first_day, ("transport", "T1"), (LOT, "QX-A2", "10"))?;
    backwards["attributes"] = json!({
        "vehicle_no": "陕A·示例5", "depart_at": calendar.time(DAY, 8),
        "arrive_at": calendar.time(DAY, 7),
    });
    let mut tomorrow = grown(first_day, "QX-T", "10")?;
    tomorrow["event_time"] = json!(calendar.time(19, 9));
    let mut sprayed = grown(first_day, "QX-S", "10")?;
    sprayed["attributes"]["last_pesticide_on"] = json!(calendar.date(DAY - 4));
    sprayed["attributes"]["safety_interval_days"] = json!(7);
    let mut zone = grown(first_day, "QX-Z", "20")?;
    zone["place"] = json!({ "region": ZONE, "address": "示例开发区 1 号" });
    Ok(rows([
        (6, "先到达后启运", backwards, Finding::Refused("先启运后到达")),
        (19, "发生时间为明日", tomorrow, Finding::Refused("不能登记未来的事件")),
        (
            21,
            "超出年度控制指标而无说明",
            over_quota(first_day)?,
            Finding::Refused("超过指标须说明"),
        ),
        (22, "安全间隔期未满而采收", sprayed, Finding::Refused("安全间隔期")),
        (23, "销售过期食品", expired(first_day)?, Finding::Refused("过期食品不得销售")),
        (24, "登记册中没有的开发区区划", zone, Finding::Unlisted),
    ]))
}

/// What GC-3 separates above its quota, without a word on it.
fn over_quota(first_day: Timestamp) -> Result<Value> {
    let tonnes =
        |code: &str, quantity: &str| json!({ "code": code, "quantity": quantity, "unit": "TNE" });
    let mut over = event(first_day, "separate", "K2")?;
    over["domain"] = json!("rare_earth");
    over["inputs"] = json!([tonnes("XT-K", "1000")]);
    let mut output = tonnes("QX-XT", "558");
    output["product"] = json!("YJ-XT-06");
    over["outputs"] = json!([output]);
    over["attributes"] = json!({
        "determined_no": "示例稀土确定-02", "source": "own",
        "period": Calendar::from(first_day).month(DAY), "input_reo_t": "600",
        "recovery_percent": "93", "output_reo_t": "558", "other_t": "558", "form": "oxide",
        "purity": "3N", "quota_t": "550", "year_total_t": "558", "quota_used_percent": "101.45",
    });
    Ok(over)
}

/// Cans of GC-4 with yesterday's date on them.
fn expired(first_day: Timestamp) -> Result<Value> {
    let mut expired = event(first_day, "retail", "D4")?;
    expired["domain"] = json!("food");
    expired["inputs"] = json!([{ "code": "NR-S1", "quantity": "1", "unit": "CT" }]);
    expired["outputs"] = json!([{ "code": "QX-NR", "quantity": "6", "unit": "CA" }]);
    expired["attributes"] = json!({ "expires_on": Calendar::from(first_day).date(DAY - 1) });
    Ok(expired)
}
