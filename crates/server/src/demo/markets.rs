//! Twelve markets, one for each county of the province, with those who trade there and the devices
//! that capture what they do.

use jiff::SignedDuration;
use yj_construction::Device;
use yj_kernel::{Ctx, Problem, Result, Sql, Tx};
use yj_model::{Id, SubjectCode};
use yj_subject::{Merchant, MerchantPlace, Node, SubjectBrief};

use super::places::{beside, position};
use crate::Assembled;

/// 蔬菜、水果、生猪产品、水产品、禽蛋、粮食 of the catalogue.
const GOODS: [&str; 6] = ["0101", "0102", "0106", "0112", "0110", "0104"];
/// Half of the devices are sensors.
const DEVICES: [(&str, &str); 8] = [
    ("scale", "示例-C30"),
    ("sensor", "示例-T1"),
    ("scanner", "示例-S2"),
    ("sensor", "示例-T1"),
    ("gateway", "示例-G4"),
    ("sensor", "示例-T1"),
    ("scale", "示例-C30"),
    ("sensor", "示例-T1"),
];
/// Devices of the whole province (handbook §8.6).
const DEVICE_COUNT: u8 = 40;
/// Minutes between two heartbeats: once a day, so that the picture lasts where nothing simulates
/// the devices.
const INTERVAL: i64 = 1_440;

async fn briefs(tx: &mut Tx, codes: &[SubjectCode]) -> Result<Vec<SubjectBrief>> {
    let texts: Vec<_> = codes.iter().map(SubjectCode::as_str).collect();
    let mut found = yj_subject::by_codes(tx, &texts).await?;
    let brief = |code: &SubjectCode| {
        found.remove(code.as_str()).ok_or_else(|| Problem::internal("a demonstration subject"))
    };
    codes.iter().map(brief).collect()
}

fn id<T>(text: &str) -> Result<Id<T>> {
    text.parse().map_err(Problem::internal)
}

/// The day so many days before the province was made.
fn day(ctx: &Ctx, before: usize) -> String {
    let hours = i64::try_from(before * 24).unwrap_or(0);
    (ctx.now - SignedDuration::from_hours(hours)).strftime("%Y-%m-%d").to_string()
}

/// The last day of the year.
fn year_end(ctx: &Ctx) -> String {
    ctx.now.strftime("%Y-12-31").to_string()
}

/// The code of the market that an operator runs.
fn market(operator: &SubjectBrief, at: usize) -> String {
    format!("{}{:03}", operator.region, at + 1)
}

/// Every wholesaler runs a market.
pub(super) async fn open(ctx: &Ctx, tx: &mut Tx, wholesalers: &[SubjectCode]) -> Result<()> {
    for (at, operator) in briefs(tx, wholesalers).await?.iter().enumerate() {
        let number = u32::try_from(at).map_err(Problem::internal)?;
        let [lon, lat] =
            position(&operator.region, number + 1).map_or([None, None], |one| one.map(Some));
        let node = Node {
            code: market(operator, at),
            name: format!("示例批发市场{}号", at + 1),
            kind: String::from("wholesale"),
            subject_id: id(&operator.id)?,
            region: operator.region.parse().map_err(Problem::internal)?,
            address: Some(format!("示例市场路 {} 号", at + 1)),
            lon,
            lat,
            datum: None,
            datum_given: None,
            product_kinds: Some(vec![String::from("agri")]),
            filed_on: Some(day(ctx, 380 - at * 7)),
            in_use: true,
            stage: None,
        };
        tx.insert(ctx, &node).await?;
    }
    Ok(())
}

async fn node_of(tx: &mut Tx, code: &str) -> Result<Id<Node>> {
    let found = tx.fetch_one(Sql::new("SELECT id FROM node WHERE code = $1").arg(code)).await?;
    let found = found.ok_or_else(|| Problem::internal("a demonstration market"))?;
    id(found.text(0)?)
}

/// The shops are spread over the markets.
pub(super) async fn fill(
    ctx: &Ctx,
    tx: &mut Tx,
    (wholesalers, shops): (&[SubjectCode], &[SubjectCode]),
) -> Result<()> {
    let (operators, shops) = (briefs(tx, wholesalers).await?, briefs(tx, shops).await?);
    for (at, operator) in operators.iter().enumerate() {
        let code = market(operator, at);
        let node = node_of(tx, &code).await?;
        let here = shops.iter().enumerate().filter(|(number, _)| number % operators.len() == at);
        for (number, shop) in here {
            let own = number / operators.len();
            let merchant = Merchant {
                code: format!("{code}{:04}", own + 1),
                name: shop.name.clone(),
                kind: String::from("individual"),
                node_id: node,
                booth: Some(format!("{}-{:02}", ["A", "B", "C"][own % 3], own + 1)),
                goods: vec![String::from(GOODS[(own + at) % GOODS.len()])],
                subject_id: Some(id(&shop.id)?),
                contact_name: String::from("示例联系人"),
                contact_phone: format!("1370000{number:04}"),
                registered_on: Some(day(ctx, 5 + (number * 37) % 390)),
                in_use: true,
                region: None,
                operator_id: None,
                stage: None,
            };
            tx.insert(ctx, &merchant).await?;
        }
    }
    spread(ctx, tx, &operators).await?;
    devices(ctx, tx, &operators).await
}

/// The first merchants of the first two markets trade at the last two as well.
async fn spread(ctx: &Ctx, tx: &mut Tx, operators: &[SubjectBrief]) -> Result<()> {
    for (own, other) in [(0, operators.len() - 1), (1, operators.len() - 2)] {
        let node = node_of(tx, &market(&operators[other], other)).await?;
        let place = MerchantPlace {
            merchant_code: format!("{}0001", market(&operators[own], own)),
            node_id: node,
            booth: Some(String::from("D-01")),
            registered_on: Some(day(ctx, 60)),
            left_on: None,
            merchant_id: None,
            region: None,
            operator_id: None,
            stage: None,
        };
        tx.insert(ctx, &place).await?;
    }
    Ok(())
}

fn mac(number: u8) -> String {
    format!("A4:BB:6D:00:01:{number:02X}")
}

async fn devices(ctx: &Ctx, tx: &mut Tx, owners: &[SubjectBrief]) -> Result<()> {
    for number in 0..DEVICE_COUNT {
        let at = usize::from(number);
        let (market, (kind, model)) = (at % owners.len(), DEVICES[at % DEVICES.len()]);
        let owner = &owners[market];
        let stands = u32::try_from(market).map_err(Problem::internal)? + 1;
        let stands = position(&owner.region, stands);
        let stands = stands.and_then(|market| beside(&market, u32::from(number)));
        let [lon, lat] = stands.map_or([None, None], |one| one.map(Some));
        let device = Device {
            mac: mac(number),
            kind: String::from(kind),
            model: String::from(model),
            maker: Some(String::from("示例仪器厂")),
            serial_no: Some(format!("SL-{number:04}")),
            imei: None,
            iccid: None,
            firmware: Some(String::from("1.0.0")),
            subject_id: id(&owner.id)?,
            region: owner.region.parse().map_err(Problem::internal)?,
            place: Some(format!("示例 {} 号位", number + 1)),
            lon,
            lat,
            datum: None,
            datum_given: None,
            installed_on: Some(String::from("2025-10-01")),
            // Scales are verified every year; until its end.
            verified_until: (kind == "scale").then(|| year_end(ctx)),
            interval_minutes: Some(INTERVAL),
            in_use: true,
            locally_administered: None,
            state: None,
        };
        tx.insert(ctx, &device).await?;
    }
    Ok(())
}

/// Of ten devices seven are heard today, two were heard days ago and one never.
pub(super) async fn heartbeats(assembled: &Assembled) -> Result<()> {
    let ctx = assembled.app.on_own_behalf("demo");
    for number in 0..DEVICE_COUNT {
        let minutes = i64::from(number) * 17 % 360 + 3;
        let before = match number % 10 {
            9 => continue,
            7 | 8 => SignedDuration::from_hours(24 * 4) + SignedDuration::from_mins(minutes),
            _ => SignedDuration::from_mins(minutes),
        };
        let battery = 100 - i64::from(number) * 7 % 60;
        yj_construction::hear(&ctx.at(ctx.now - before), (&mac(number), battery)).await?;
    }
    yj_construction::mark_offline(&assembled.app).await.map(drop)
}
