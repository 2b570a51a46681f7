//! 400 days of ordinary trade, so that lists, counts and charts have something to show.

mod recipes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, tz::Offset};
use serde_json::{Value, json};
use yj_kernel::{Ctx, Problem, Result, Tx};
use yj_model::SubjectCode;
use yj_trace::{EVENTS_MAX, TraceEvent};

use super::{
    Size,
    catalogue::{CROPS, METALS, OTHERS},
    golden::Calendar,
    registers::{Enterprise, Goods, enterprise, product},
};
use crate::Assembled;
use recipes::Start;

const DAYS: i64 = 400;
/// Three cities of four counties each.
const REGIONS: [&str; 12] = [
    "610102", "610104", "610116", "610118", "610302", "610303", "610304", "610305", "610502",
    "610525", "610526", "610528",
];
/// Two counties beyond the province (handbook §8.6).
const OUTSIDE: [&str; 2] = ["620502", "410102"];
/// Tons of synthesis gas, of which a tanker takes the methanol of at most one and a half times as much.
const TANKER: u64 = 28;
/// Links of one little chain.
const CHAIN: usize = 5;
/// With the test of its goods and somebody who looks at them.
const CHAIN_MAX: usize = CHAIN + 2;
/// Of so many chains in turn, the last few are of metal and of the other domains, one of each.
const TURN: usize = 16;
/// One chain in so many is tested, and one test in so many fails.
const TESTED_EVERY: u64 = 8;
const FAILED_EVERY: u64 = 60;

/// A small generator of our own: the same province every time.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> Result<&'a T> {
        let at = usize::try_from(self.below(items.len() as u64)).unwrap_or(0);
        items.get(at).ok_or_else(|| Problem::internal("nothing to pick from"))
    }
}

/// Who trades, and in what.
#[derive(Default)]
struct Trade {
    farms: Vec<SubjectCode>,
    plants: Vec<SubjectCode>,
    carriers: Vec<SubjectCode>,
    wholesalers: Vec<SubjectCode>,
    shops: Vec<SubjectCode>,
    works: Vec<SubjectCode>,
    users: Vec<SubjectCode>,
    laboratories: Vec<SubjectCode>,
    tankers: Vec<SubjectCode>,
    /// Who makes the goods of the other domains, by domain.
    makers: BTreeMap<&'static str, Vec<SubjectCode>>,
    crops: Vec<String>,
    metals: Vec<[String; 3]>,
    /// What the makers of the other domains make of what, by domain.
    others: BTreeMap<&'static str, [String; 2]>,
}

pub(super) async fn load(
    assembled: &Assembled,
    size: Size,
    progress: &mut dyn FnMut(&str),
) -> Result<usize> {
    let trade = trade(assembled).await?;
    let wanted = match size {
        Size::Golden | Size::Chains => 0,
        Size::Small => 60_000,
        Size::Province { events } => events,
    };
    let now = assembled.app.now();
    let first = now - SignedDuration::from_hours(24 * DAYS);
    let days = u64::try_from(DAYS - 6).unwrap_or(1);
    let chains = wanted / CHAIN;
    let (mut seeded, mut waiting, mut done) = (Seeded(38_157), Vec::new(), 0);
    for number in 0..chains {
        let day = i64::try_from(number as u64 * days / chains as u64).unwrap_or(0);
        let start = first + SignedDuration::from_hours(24 * day + 6);
        waiting.extend(chain(&trade, &mut seeded, (number, start))?);
        if waiting.len() + CHAIN_MAX > EVENTS_MAX || number + 1 == chains {
            // The chain's last event is five days after its first.
            let when = (start + SignedDuration::from_hours(24 * 6)).min(now);
            super::capture(assembled, when, &waiting).await?;
            done += waiting.len();
            waiting.clear();
            progress(&format!("载入示例追溯事件 {done} / 约 {wanted}"));
            assembled.ledger.drain(&assembled.app).await?;
        }
    }
    Ok(done)
}

async fn trade(assembled: &Assembled) -> Result<Trade> {
    let ctx = assembled.app.on_own_behalf("demo");
    let mut tx = ctx.begin().await?;
    let mut trade = Trade::default();
    let made_by = |domain| match domain {
        "food" => ("食品厂", "21", 2),
        "drug" => ("药厂", "21", 2),
        "agri_input" => ("农资厂", "21", 1),
        "special_equipment" => ("锅炉厂", "21", 1),
        "dangerous" => ("化工厂", "21", 1),
        _ => ("稀土厂", "23", 1),
    };
    let mut makers = OTHERS.map(|(domain, _)| (domain, made_by(domain), Vec::new()));
    // 34 enterprises, sixty with those of the golden chains, and 240 merchants (handbook §8.6);
    // farms are co-operatives and laboratories public institutions.
    let mut plan = vec![
        (&mut trade.farms, "种植合作社", "10", "agri", 8),
        (&mut trade.plants, "加工厂", "21", "agri", 4),
        (&mut trade.carriers, "运输公司", "41", "agri", 4),
        (&mut trade.wholesalers, "批发商", "30", "agri", 12),
        (&mut trade.shops, "商户", "31", "agri", 240),
        (&mut trade.works, "材料厂", "21", "industrial", 3),
        (&mut trade.users, "使用单位", "62", "industrial", 2),
        (&mut trade.laboratories, "检测站", "50", "agri", 3),
        (&mut trade.tankers, "危货运输公司", "41", "dangerous", 1),
    ];
    for (domain, (title, role, count), group) in &mut makers {
        plan.push((group, title, role, domain, *count));
    }
    let (mut number, mut elsewhere) = (1000, 0);
    for (group, title, role, domain, count) in plan {
        for at in 0..count {
            // Trade goes through twelve markets, one for each county; the others come in turn.
            let market = matches!(role, "30" | "31").then_some(at % REGIONS.len());
            let region = REGIONS[market.unwrap_or(elsewhere % REGIONS.len())];
            elsewhere += usize::from(market.is_none());
            // Who runs a market is registered before it.
            let node = market.filter(|_| role == "31");
            let plan = Enterprise { number, title, role, domain, region, node };
            group.push(enterprise(&ctx, &mut tx, plan).await?);
            number += 1;
        }
        if role == "30" {
            super::markets::open(&ctx, &mut tx, group).await?;
        }
    }
    // Who supervises the province does not see those beyond it.
    for region in OUTSIDE {
        let (title, role, domain) = ("省外供应商", "30", "agri");
        let plan = Enterprise { number, title, role, domain, region, node: None };
        enterprise(&ctx, &mut tx, plan).await?;
        number += 1;
    }
    trade.makers = makers.into_iter().map(|(domain, _, group)| (domain, group)).collect();
    goods(&ctx, &mut tx, &mut trade).await?;
    super::markets::fill(&ctx, &mut tx, (&trade.wholesalers, &trade.shops)).await?;
    tx.commit().await?;
    Ok(trade)
}

/// Every product belongs to the enterprise that makes it.
async fn goods(ctx: &Ctx, tx: &mut Tx, trade: &mut Trade) -> Result<()> {
    let crops = CROPS.iter().flat_map(|(class, names)| names.iter().map(|name| (*class, *name)));
    for (at, (class, name)) in crops.enumerate() {
        let code = format!("YJ-NC-{:02}", at + 1);
        let maker = &trade.plants[at % trade.plants.len()];
        let goods = Goods { code: &code, name, class, domain: "agri", unit: "KGM", maker };
        product(ctx, tx, goods).await?;
        trade.crops.push(code);
    }
    for (family, (class, names)) in METALS.into_iter().enumerate() {
        let maker = &trade.works[family % trade.works.len()];
        let codes = [1, 2, 3].map(|step| format!("YJ-GC-{:02}{step}", family + 1));
        for (code, name) in codes.iter().zip(names) {
            let goods = Goods { code, name, class, domain: "industrial", unit: "KGM", maker };
            product(ctx, tx, goods).await?;
        }
        trade.metals.push(codes);
    }
    for (family, (domain, wares)) in OTHERS.into_iter().enumerate() {
        let maker = trade.makers.get(domain).and_then(|makers| makers.first());
        let maker = maker.ok_or_else(|| Problem::internal("a maker is missing"))?;
        let codes = [1, 2].map(|step| format!("YJ-QT-{:02}{step}", family + 1));
        for (code, (class, name, unit)) in codes.iter().zip(wares) {
            let goods = Goods { code, name, class, domain, unit, maker };
            product(ctx, tx, goods).await?;
        }
        trade.others.insert(domain, codes);
    }
    Ok(())
}

/// The domain of a chain by its number: of [`TURN`] chains nine are of crops, one is of each other
/// domain.
fn domain_of(number: usize) -> &'static str {
    match number % TURN {
        15 => "industrial",
        place @ 9..15 => OTHERS[place - 9].0,
        _ => "agri",
    }
}

fn chain(
    trade: &Trade,
    seeded: &mut Seeded,
    (number, start): (usize, Timestamp),
) -> Result<Vec<TraceEvent>> {
    let (domain, turn) = (domain_of(number), number / TURN);
    let drawn = seeded.below(1800);
    // What one tanker takes of it is all that is made.
    let mut quantity =
        if domain == "dangerous" { TANKER / 2 + drawn % TANKER } else { 200 + drawn };
    let begin = Start { domain, turn, quantity, day: Calendar::from(start) };
    let links = recipes::links(trade, seeded, begin)?;
    let code = |link: usize| {
        format!("B{number:07}-{}", char::from(b'A' + u8::try_from(link).unwrap_or(0)))
    };
    let mut events = Vec::with_capacity(CHAIN_MAX);
    for (at, link) in links.iter().enumerate() {
        let unit = link.unit;
        let input = (at > 0).then(
            || json!({ "code": code(at - 1), "quantity": quantity.to_string(), "unit": unit }),
        );
        let seen = link.yields == recipes::SEEN;
        if !seen {
            quantity = (quantity * link.yields / 1000).max(1);
        }
        let output = (!seen).then(
            || json!({ "code": code(at), "quantity": quantity.to_string(), "unit": unit, "product": link.product, "lot": format!("B{number:07}") }),
        );
        let hours = i64::try_from(24 * at as u64 + seeded.below(12)).unwrap_or(0);
        events.push(json!({
            "domain": domain, "type": link.kind, "subject": link.subject,
            "event_time": time(start, hours),
            "inputs": input.into_iter().collect::<Vec<_>>(),
            "outputs": output.into_iter().collect::<Vec<_>>(),
            "attributes": link.attributes,
        }));
        if at == 1 {
            let seen = (domain, &*code(at), quantity, time(start, hours + 2));
            events.extend(looked_at(trade, seeded, (turn, seen))?);
        }
    }
    let read = |event| serde_json::from_value(event).map_err(Problem::internal);
    events.into_iter().map(read).collect()
}

fn time(start: Timestamp, hours: i64) -> String {
    let when = start + SignedDuration::from_hours(hours);
    when.display_with_offset(Offset::constant(8)).to_string()
}

/// Domain, code and quantity of what is looked at, and when.
type Seen<'a> = (&'a str, &'a str, u64, String);

/// Tests and inspections of what was made: in every fourth turn one of each, and now and then a
/// test besides.
fn looked_at(
    trade: &Trade,
    seeded: &mut Seeded,
    (turn, seen): (usize, Seen<'_>),
) -> Result<Vec<Value>> {
    let mut events = Vec::new();
    if turn.is_multiple_of(4) || seeded.below(TESTED_EVERY) == 0 {
        events.push(test(trade, seeded, &seen)?);
    }
    if turn.is_multiple_of(4) {
        events.push(observed(
            trade,
            seeded,
            (&seen, "supervision"),
            json!({
                "authority": "示例监管所", "kind": "random", "result": "pass",
            }),
        )?);
    }
    Ok(events)
}

fn observed(
    trade: &Trade,
    seeded: &mut Seeded,
    ((domain, code, quantity, when), kind): (&Seen<'_>, &str),
    attributes: Value,
) -> Result<Value> {
    let unit = recipes::unit(domain);
    Ok(json!({
        "domain": domain, "type": kind, "subject": seeded.pick(&trade.laboratories)?,
        "event_time": when,
        "inputs": [{ "code": code, "quantity": quantity.to_string(), "unit": unit }],
        "attributes": attributes,
    }))
}

fn test(trade: &Trade, seeded: &mut Seeded, seen: &Seen<'_>) -> Result<Value> {
    let failed = seeded.below(FAILED_EVERY) == 0;
    let (item, kind) = match seen.0 {
        "agri" => ("农药残留", None),
        "food" => ("酸价", Some("factory")),
        "drug" => ("含量测定", Some("release")),
        "agri_input" => ("总氮", Some("factory")),
        _ => ("化学成分", None),
    };
    let mut attributes = json!({
        "report_no": format!("示例-{:06}", seeded.below(1_000_000)), "item": item,
        "verdict": if failed { "fail" } else { "pass" },
    });
    if let Some(kind) = kind {
        attributes["kind"] = json!(kind);
    }
    observed(trade, seeded, (seen, "test"), attributes)
}
