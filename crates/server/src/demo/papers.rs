//! Documents of batches, sound ones and planted defects (handbook §4.1, §8.5).

use jiff::{SignedDuration, Timestamp, tz::Offset};
use serde_json::{Value, json};
use yj_kernel::{Ctx, Problem, Result, Tx};
use yj_model::Id;
use yj_product::Product;
use yj_trace::{BatchDocument, CoveredUnit, NewOrder, OrderKind, issue};

use super::{
    golden::Calendar,
    planted::{DAY, Finding, Planted, event, line, parsed, subject},
    registers::subject_code,
};
use crate::Assembled;

const LEEK: &str = "YJ-JC-01";
const PORK: &str = "YJ-XZ-01";
/// Of these defects the one that handbook §8.5 lists.
const OVERUSED: (&str, u8) = ("检疫证超量使用 2.4 倍", 12);

/// Kind, number, quantity, the day after the first until which it holds, the batch it goes with.
type Paper = (&'static str, &'static str, &'static str, Option<i64>, Option<&'static str>);

const PAPERS: [Paper; 6] = [
    ("commitment", "CDEMO-A", "100", None, Some("PZ-A")),
    ("commitment", "CDEMO-B", "80", None, Some("PZ-B")),
    ("commitment", "CDEMO-OLD", "100", Some(DAY - 2), Some("PZ-C")),
    ("commitment", "CDEMO-VOID", "100", None, Some("PZ-C")),
    ("quarantine", "JYDEMO-1", "50", None, Some("PZ-D")),
    ("origin", "CDDEMO-1", "100", None, None),
];

/// A sale of one lot under a paper.
fn sale(
    first_day: Timestamp,
    (code, quantity): (&str, &str),
    (kind, number): (&str, &str),
) -> Result<Value> {
    let mut sale = event(first_day, "wholesale", "F1")?;
    sale["inputs"] = json!([line(code, quantity)]);
    sale["outputs"] = json!([line(&format!("{code}-{number}"), quantity)]);
    if !number.is_empty() {
        sale["documents"] = json!([{ "type": kind, "no": number }]);
    }
    Ok(sale)
}

fn entry(first_day: Timestamp, code: &str, (voucher, number): (&str, &str)) -> Result<Value> {
    let mut entry = event(first_day, "market_entry", "F1")?;
    entry["inputs"] = json!([line(code, "10")]);
    entry["attributes"] = json!({ "voucher": voucher, "quick_test": "pass" });
    if !number.is_empty() {
        entry["attributes"]["voucher_no"] = json!(number);
    }
    Ok(entry)
}

fn report(first_day: Timestamp, (value, verdict): (&str, &str)) -> Result<Value> {
    let mut report = event(first_day, "test", "L1")?;
    report["inputs"] = json!([{ "code": "PZ-A" }]);
    report["attributes"] = json!({
        "report_no": format!("示例检-PZ-{verdict}"), "item": "腐霉利", "value": value,
        "value_unit": "mg/kg", "limit": "0.2", "lod": "0.5", "verdict": verdict,
    });
    Ok(report)
}

/// The planted defects of a province whose GC-1 begins on this day.
pub(super) fn planted(first_day: Timestamp) -> Result<Vec<Planted>> {
    let mut mixed = event(first_day, "processing", "F1")?;
    mixed["inputs"] = json!([line("PZ-A", "20"), line("PZ-B", "20")]);
    mixed["outputs"] = json!([line("PZ-AB", "40")]);
    let mut ride = event(first_day, "transport", "F1")?;
    ride["inputs"] = json!([line("PZ-D", "10")]);
    ride["outputs"] = json!([line("PZ-D-RIDE", "10")]);
    ride["attributes"] = json!({ "vehicle_no": "陕A·示例2" });
    let mut beasts = sale(first_day, ("PZ-D", "120"), ("动物检疫证明", "JYDEMO-1"))?;
    beasts["outputs"][0]["code"] = json!("PZ-D-SOLD");
    let certificate = "承诺达标合格证";
    let sale = |lot, paper| sale(first_day, lot, paper);
    let all = [
        (
            "合格证过期",
            sale(("PZ-C", "10"), (certificate, "CDEMO-OLD"))?,
            Finding::Refused("已过期"),
        ),
        (
            "合格证已作废",
            sale(("PZ-C", "10"), (certificate, "CDEMO-VOID"))?,
            Finding::Refused("已作废"),
        ),
        (
            "超过合格证数量",
            sale(("PZ-A", "150"), (certificate, "CDEMO-A"))?,
            Finding::Refused("超出 50"),
        ),
        (OVERUSED.0, beasts, Finding::Refused("超出 70")),
        (
            "他批次的合格证",
            sale(("PZ-C", "10"), (certificate, "CDEMO-B"))?,
            Finding::Reviewed("不含本事件的批次"),
        ),
        (
            "他产品的凭证",
            sale(("PZ-C", "10"), ("产地证明", "CDDEMO-1"))?,
            Finding::Refused("与本事件的产品不符"),
        ),
        ("并批未重新开具", mixed, Finding::Refused("重新开具")),
        ("畜禽运输无检疫证", ride, Finding::Refused("畜禽及其产品运输须附检疫证")),
        (
            "畜禽入场无检疫证",
            entry(first_day, "PZ-D", ("purchase", "示例进货-1"))?,
            Finding::Reviewed("畜禽及其产品入场须有检疫证"),
        ),
        (
            "未登记的合格证",
            entry(first_day, "PZ-C", ("certificate", "CDEMO-NONE"))?,
            Finding::Reviewed("没有在平台登记"),
        ),
        ("入场无凭证", entry(first_day, "PZ-C", ("none", ""))?, Finding::Counted("入场须有凭证")),
        ("检测不合格后继续销售", sale(("PZ-E", "10"), ("", ""))?, Finding::Refused("检测不合格")),
        (
            "检出限高于限量而判合格",
            report(first_day, ("ND", "pass"))?,
            Finding::Refused("不能判定"),
        ),
        ("低于检出限而报数值", report(first_day, ("0", "pass"))?, Finding::Refused("低于检出限")),
    ];
    let row = |(what, event, found)| {
        let number = (what == OVERUSED.0).then_some(OVERUSED.1);
        Planted { number, what, event, found }
    };
    Ok(all.into_iter().map(row).collect())
}

/// Loads the lots and documents that come before the planted events; how many events there are.
pub(super) async fn prepare(assembled: &Assembled, first_day: Timestamp) -> Result<usize> {
    let when = first_day + SignedDuration::from_hours(24 * (DAY - 4) + 4);
    let ctx = assembled.app.on_own_behalf("demo").at(when);
    register(&ctx).await?;
    let time = when.display_with_offset(Offset::constant(8)).to_string();
    let lots = ["PZ-A", "PZ-B", "PZ-C", "PZ-D", "PZ-E"];
    let lots = lots.map(|code| {
        let product = if code == "PZ-D" { PORK } else { LEEK };
        let mut output = line(code, "300");
        output["product"] = json!(product);
        output["lot"] = json!(code);
        json!({
            "domain": "agri", "type": "harvest", "subject": subject_code("F1").ok(),
            "event_time": time, "outputs": [output], "attributes": {
                "plot": "示例地块九", "area_mu": "5", "variety": "示例紫根韭",
                "sown_on": Calendar::from(first_day).date(-90),
            },
        })
    });
    let mut count = 0;
    for lot in lots {
        super::capture(assembled, when, &[parsed(lot)?]).await?;
        count += 1;
    }
    let mut tx = ctx.begin().await?;
    for paper in PAPERS {
        let document = document(&mut tx, first_day, paper).await?;
        let stored = tx.insert(&ctx, &document).await?;
        if paper.1 == "CDEMO-VOID" {
            yj_trace::void(&ctx, &mut tx, stored.id, "示例：数量有误").await?;
        }
    }
    let stopped = NewOrder {
        code: "PZ-E",
        kind: OrderKind::Fail,
        downstream: true,
        reason: "检测结论为不合格，项目 腐霉利，结果 0.9mg/kg，限量 0.2",
        document_no: Some("示例检-PZ-E"),
        authority: None,
        basis: None,
    };
    issue(&ctx, &mut tx, stopped).await?;
    tx.commit().await?;
    Ok(count)
}

/// The goods that the papers need besides those of the golden chains.
async fn register(ctx: &Ctx) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let leek = yj_product::by_codes(&mut tx, &[LEEK]).await?;
    let leek = leek.get(LEEK).ok_or_else(|| Problem::internal("no leeks"))?.clone();
    let maker = yj_subject::by_ids(&mut tx, &[leek.subject_id.as_str()]).await?;
    let maker = maker.into_values().next().ok_or_else(|| Problem::internal("no maker"))?;
    let pork = Product {
        code: String::from(PORK),
        name: String::from("示例生猪"),
        domain: String::from("agri"),
        catalogue_code: Some(String::from("010601")),
        attributes: Some(json!({ "sector": "livestock" })),
        ..Product::plain(
            leek.unit,
            leek.subject_id.parse().map_err(Problem::internal)?,
            maker.region.parse().map_err(Problem::internal)?,
        )
    };
    tx.insert(ctx, &pork).await?;
    tx.commit().await
}

async fn document(
    tx: &mut Tx,
    first_day: Timestamp,
    (kind, number, quantity, until, unit): Paper,
) -> Result<BatchDocument> {
    let holder = subject(tx, "F1").await?;
    let ware = if kind == "commitment" { LEEK } else { PORK };
    let product = yj_product::by_codes(tx, &[ware]).await?.remove(ware);
    let product = product.ok_or_else(|| Problem::internal("no product"))?;
    let calendar = Calendar::from(first_day);
    let id = |text: &str| text.parse::<Id<()>>().map_err(Problem::internal);
    let text = |text: &str| Some(String::from(text));
    let commitment = kind == "commitment";
    let issuer = if commitment { holder.name.as_str() } else { "示例动物卫生监督所" };
    Ok(BatchDocument {
        product_id: Some(id(&product.id)?),
        quantity: quantity.parse().ok(),
        unit: Some(product.unit),
        valid_until: until.map(|day| calendar.date(day)),
        origin: text("示例县示例乡"),
        basis: commitment.then(|| String::from("self_test")),
        contact: commitment.then(|| String::from("13800000139")),
        units: unit.map(|code| vec![CoveredUnit { code: String::from(code), quantity: None }]),
        ..BatchDocument::plain(
            (kind, String::from(number)),
            String::from(issuer),
            (id(&holder.id)?, product.name.clone()),
            calendar.date(DAY - 4),
        )
    })
}
