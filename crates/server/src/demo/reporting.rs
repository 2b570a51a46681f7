//! Planted defects of reporting (handbook §8.5, 8, 17, 18 and 27): a price in another unit than it says, who has
//! fallen silent, a month that came in the last hour, and a merchant that does nothing any more.

use jiff::{SignedDuration, Span, Timestamp, civil::Date, tz::Offset};
use serde_json::{Value, json};
use yj_kernel::{Ctx, Problem, Result, Sql, Tx};
use yj_model::Id;
use yj_subject::{Merchant, Node};

use super::{
    golden::Calendar,
    planted::{DAY, Finding, Planted, event, line, missed, parsed, subject},
    registers::subject_code,
};
use crate::Assembled;

/// Sells every day of a week, and then nothing more.
const DILIGENT: &str = "S1";
const STOCK: &str = "QX-P";
/// What a kilogram costs on each of those days.
const PRICES: [&str; 7] = ["5.6", "5.8", "5.7", "6", "5.8", "5.6", "5.9"];
/// Trades at a market where the province has none besides, and did so last forty days ago.
const IDLE: &str = "S2";
const IDLE_DAY: i64 = -22;
const MARKET: &str = "610104901";
/// What is mined in a month, each a batch of its own.
const BATCHES: i8 = 12;
/// Minutes before the midnight of the deadline.
const LAST_MINUTES: i64 = 1;

/// Kilograms of a leek of one's own.
fn grown(subject: &str, (code, quantity): (&str, &str), at: String) -> Result<Value> {
    let mut output = line(code, quantity);
    output["product"] = json!("YJ-JC-01");
    output["lot"] = json!(code);
    let day: Date = at[..10].parse().map_err(Problem::internal)?;
    let sown = day.saturating_sub(Span::new().days(90));
    Ok(json!({
        "domain": "agri", "type": "harvest", "subject": subject_code(subject)?, "event_time": at,
        "outputs": [output],
        "attributes": {
            "plot": "示例地块十二", "area_mu": "5", "variety": "示例紫根韭", "sown_on": sown.to_string(),
        },
    }))
}

/// Ten kilograms sold by who sells every day.
fn sold(code: &str, price: &str, at: String) -> Result<Value> {
    Ok(json!({
        "domain": "agri", "type": "retail", "subject": subject_code(DILIGENT)?, "event_time": at,
        "inputs": [line(STOCK, "10")], "outputs": [line(code, "10")],
        "attributes": { "unit_price": price },
    }))
}

/// Loads the sound events before the planted price; how many.
pub(super) async fn prepare(assembled: &Assembled, first_day: Timestamp) -> Result<usize> {
    let calendar = Calendar::from(first_day);
    let from = DAY - 7;
    let mut events = vec![
        grown(IDLE, ("QX-Q", "80"), calendar.time(IDLE_DAY, 6))?,
        grown(DILIGENT, (STOCK, "200"), calendar.time(from, 6))?,
    ];
    for ((day, price), number) in (from..).zip(PRICES).zip(1..) {
        events.push(sold(&format!("{STOCK}{number}"), price, calendar.time(day, 10))?);
    }
    let count = events.len();
    for event in events {
        let event = parsed(event)?;
        let when: Timestamp = event.event_time.parse().map_err(Problem::internal)?;
        super::capture(assembled, when + SignedDuration::from_mins(5), &[event]).await?;
    }
    Ok(count)
}

/// The price that is ten times what it should be: of a hundred pounds, not of a kilogram.
pub(super) fn planted(first_day: Timestamp) -> Result<Vec<Planted>> {
    let mut sale = event(first_day, "retail", DILIGENT)?;
    sale["inputs"] = json!([line(STOCK, "10")]);
    sale["outputs"] = json!([line("QX-P8", "10")]);
    sale["attributes"] = json!({ "unit_price": "58" });
    let what = "蔬菜单价多写了一位";
    Ok(vec![Planted { number: Some(8), what, event: sale, found: Finding::Unusual("10") }])
}

/// Plants the rest, and looks at what is found of it; how many events there are of it.
pub(super) async fn load(assembled: &Assembled) -> Result<usize> {
    let ctx = assembled.app.on_own_behalf("demo");
    let mut tx = ctx.begin().await?;
    let merchants = tx.fetch_one(Sql::new("SELECT 1 FROM merchant LIMIT 1")).await?;
    if merchants.is_none() {
        trade(&ctx, &mut tx).await?;
    }
    tx.commit().await?;
    let count = burst(assembled, &ctx).await?;
    yj_trace::examine_reporters(&assembled.app).await?;
    let mut tx = ctx.snapshot().await?;
    let silent = subject(&mut tx, DILIGENT).await?;
    let sql = Sql::new("SELECT 1 FROM trace_reporter WHERE state = 'silent' AND subject_id = $1");
    if tx.fetch_one(sql.arg(silent.id.as_str())).await?.is_none() {
        return Err(missed("主体三天没有报送", silent.name));
    }
    // Where a province has markets, some of their many merchants do nothing any more.
    let idle = Sql::new("SELECT 1 FROM trace_reporter WHERE state = 'idle' LIMIT 1");
    if tx.fetch_one(idle).await?.is_none() {
        return Err(missed("商户三十天没有交易", "trace_reporter"));
    }
    let miner = subject(&mut tx, "K1").await?;
    let sql = Sql::new(
        "SELECT 1 FROM trace_report WHERE subject_id = $1 AND last_hour = $2 AND last_hour * 2 >= events",
    );
    match tx.fetch_one(sql.arg(miner.id.as_str()).arg(i64::from(BATCHES))).await? {
        Some(_) => Ok(count),
        None => Err(missed("期限前一分钟报送全月", "trace_report")),
    }
}

/// A market, and the merchant there that does nothing any more.
async fn trade(ctx: &Ctx, tx: &mut Tx) -> Result<()> {
    let (operator, idle) = (subject(tx, "W1").await?, subject(tx, IDLE).await?);
    let since = ctx.today().saturating_sub(Span::new().days(200)).to_string();
    let node = Node {
        code: String::from(MARKET),
        name: String::from("示例早市"),
        kind: String::from("wholesale"),
        subject_id: id(&operator.id)?,
        region: operator.region.parse().map_err(Problem::internal)?,
        address: Some(String::from("示例早市路 1 号")),
        lon: None,
        lat: None,
        datum: None,
        datum_given: None,
        product_kinds: Some(vec![String::from("agri")]),
        filed_on: Some(since.clone()),
        in_use: true,
        stage: None,
    };
    let node = tx.insert(ctx, &node).await?;
    let merchant = Merchant {
        code: format!("{MARKET}0001"),
        name: idle.name.clone(),
        kind: String::from("farmer"),
        node_id: id(&node.id.to_string())?,
        booth: Some(String::from("A-01")),
        goods: vec![String::from("0101")],
        subject_id: Some(id(&idle.id)?),
        contact_name: String::from("示例联系人"),
        contact_phone: String::from("13800000142"),
        registered_on: Some(since),
        in_use: true,
        region: None,
        operator_id: None,
        stage: None,
    };
    tx.insert(ctx, &merchant).await.map(drop)
}

fn id<T>(text: &str) -> Result<Id<T>> {
    text.parse().map_err(Problem::internal)
}

/// A month of mining that is told a minute before it must be; how many events.
async fn burst(assembled: &Assembled, ctx: &Ctx) -> Result<usize> {
    let by_day = 10;
    // The last deadline that is over.
    let over = ctx.today().saturating_sub(Span::new().days(i64::from(by_day)));
    let deadline = over.with().day(by_day).build().map_err(Problem::internal)?;
    let month = deadline.saturating_sub(Span::new().months(1)).first_of_month();
    let beijing = Offset::constant(8).to_time_zone();
    let end =
        deadline.tomorrow().and_then(|day| day.to_zoned(beijing)).map_err(Problem::internal)?;
    let when = end.timestamp() - SignedDuration::from_mins(LAST_MINUTES);
    for at in 1..=BATCHES {
        let day = month.with().day(at * 2).build().map_err(Problem::internal)?;
        let code = format!("XT-M{at:02}");
        let mined = json!({
            "domain": "rare_earth", "type": "mine", "subject": subject_code("K1")?,
            "event_time": format!("{day}T16:00:00+08:00"),
            "outputs": [{
                "code": code, "quantity": "10", "unit": "TNE", "product": "YJ-XT-01", "lot": code,
            }],
            "attributes": {
                "determined_no": "示例稀土确定-01", "mine": "示例稀土矿", "ore_type": "mixed",
                "period": month.strftime("%Y-%m").to_string(), "concentrate_t": "10",
                "grade_percent": "60", "reo_t": "6",
            },
        });
        super::capture(assembled, when, &[parsed(mined)?]).await?;
    }
    usize::try_from(BATCHES).map_err(Problem::internal)
}
