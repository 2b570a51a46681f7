//! 400 days of ordinary trade, so that lists, counts and charts have something to show.

use jiff::{SignedDuration, Timestamp, tz::Offset};
use serde_json::json;
use yj_kernel::{Problem, Result};
use yj_model::SubjectCode;
use yj_trace::{EVENTS_MAX, TraceEvent};

use super::{Size, registers::enterprise};
use crate::Assembled;

const DAYS: i64 = 400;
const REGIONS: [&str; 12] = [
    "610102", "610104", "610116", "610118", "610302", "610303", "610403", "610425", "610502",
    "610525", "610802", "610881",
];
/// Events of one little chain: harvest, processing, transport, wholesale, retail.
const CHAIN: usize = 5;

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

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let at = usize::try_from(self.below(items.len() as u64)).unwrap_or(0);
        &items[at]
    }
}

struct Trade {
    farms: Vec<SubjectCode>,
    plants: Vec<SubjectCode>,
    carriers: Vec<SubjectCode>,
    wholesalers: Vec<SubjectCode>,
    shops: Vec<SubjectCode>,
}

pub(super) async fn load(
    assembled: &Assembled,
    size: Size,
    progress: &mut dyn FnMut(&str),
) -> Result<usize> {
    let trade = enterprises(assembled).await?;
    let wanted = match size {
        Size::Golden => 0,
        Size::Small => 12_000,
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
        if waiting.len() + CHAIN > EVENTS_MAX || number + 1 == chains {
            // The chain's last event is five days after its first.
            let when = (start + SignedDuration::from_hours(24 * 6)).min(now);
            super::capture(assembled, when, &waiting).await?;
            done += waiting.len();
            waiting.clear();
            progress(&format!("载入示例追溯事件 {done} / {wanted}"));
            assembled.ledger.drain(&assembled.app).await?;
        }
    }
    Ok(done)
}

async fn enterprises(assembled: &Assembled) -> Result<Trade> {
    let plan = [
        ("农场", "10", 20),
        ("加工厂", "21", 10),
        ("运输公司", "41", 6),
        ("批发商", "30", 24),
        ("商户", "31", 240),
    ];
    let ctx = assembled.app.on_own_behalf("demo");
    let mut tx = ctx.begin().await?;
    let (mut groups, mut number) = (Vec::new(), 1000);
    for (title, role, count) in plan {
        let mut codes = Vec::new();
        for at in 0..count {
            let region = REGIONS[at % REGIONS.len()];
            codes.push(enterprise(&ctx, &mut tx, number, (title, role, region)).await?.1);
            number += 1;
        }
        groups.push(codes);
    }
    tx.commit().await?;
    let mut groups = groups.into_iter();
    let mut next = || groups.next().ok_or_else(|| Problem::internal("a group is missing"));
    Ok(Trade {
        farms: next()?,
        plants: next()?,
        carriers: next()?,
        wholesalers: next()?,
        shops: next()?,
    })
}

fn chain(
    trade: &Trade,
    seeded: &mut Seeded,
    (number, start): (usize, Timestamp),
) -> Result<Vec<TraceEvent>> {
    let code = |letter: char| format!("B{number:07}-{letter}");
    let grown = 200 + seeded.below(1800);
    let (packed, moved, sold, bought) =
        (grown * 96 / 100, grown * 955 / 1000, grown * 95 / 100, grown * 94 / 100);
    let steps = [
        (
            0,
            "harvest",
            seeded.pick(&trade.farms).clone(),
            None,
            (code('A'), grown),
            json!({ "plot": format!("示例地块{}", seeded.below(60)) }),
        ),
        (
            1,
            "processing",
            seeded.pick(&trade.plants).clone(),
            Some((code('A'), grown)),
            (code('B'), packed),
            json!({}),
        ),
        (
            2,
            "transport",
            seeded.pick(&trade.carriers).clone(),
            Some((code('B'), packed)),
            (code('C'), moved),
            json!({ "vehicle_no": format!("陕A·示例{}", seeded.below(90)) }),
        ),
        (
            3,
            "wholesale",
            seeded.pick(&trade.wholesalers).clone(),
            Some((code('C'), moved)),
            (code('D'), sold),
            json!({}),
        ),
        (
            4,
            "retail",
            seeded.pick(&trade.shops).clone(),
            Some((code('D'), sold)),
            (code('E'), bought),
            json!({}),
        ),
    ];
    let event = |(day, kind, subject, input, (out, quantity), attributes): (
        i64,
        &str,
        SubjectCode,
        Option<(String, u64)>,
        (String, u64),
        serde_json::Value,
    )| {
        let when = start + SignedDuration::from_hours(24 * day);
        let input = input.map(|(code, quantity)| json!({ "code": code, "quantity": quantity.to_string(), "unit": "KGM" }));
        let event = json!({
            "domain": "agri", "type": kind, "subject": subject,
            "event_time": when.display_with_offset(Offset::constant(8)).to_string(),
            "inputs": input.into_iter().collect::<Vec<_>>(),
            "outputs": [{ "code": out, "quantity": quantity.to_string(), "unit": "KGM", "product": "YJ-JC-01", "lot": format!("B{number:07}") }],
            "attributes": attributes,
        });
        serde_json::from_value(event).map_err(Problem::internal)
    };
    steps.into_iter().map(event).collect()
}
