//! What a happening of the meat and vegetable messages is as events of the domain `agri`
//! (docs/messages/meat-vegetable.md has the table).

use std::collections::BTreeSet;

use yj_kernel::{Problem, Result};
use yj_message::meat::{
    Happening, MarketTrade, RetailIn, RetailInDetail, RetailSale, SupermarketIn,
};
use yj_model::{Quantity, Ratio, RegionCode};

use super::telling::{Draft, Mentions, Scene};
use crate::event::{Document, Input, Output, Place, TraceEvent};

/// Weights in these messages are kilograms.
const UNIT: &str = "KGM";

/// The code under which goods of a voucher go: the voucher's own number, or with the goods where it is
/// for several.
fn unit_code(voucher: &str, goods: &str, several: bool) -> String {
    if several { format!("{voucher}-{goods}") } else { String::from(voucher) }
}

pub(super) fn mentions(happening: &Happening) -> Mentions {
    match happening {
        Happening::Trade(trades) => Mentions {
            door: "meat-trade",
            number: trades[0].tran_id.clone(),
            party: ("ws_supplier_id", trades[0].ws_supplier_id.clone()),
            others: trades[0].retailer_id.clone().into_iter().collect(),
            objects: trades.iter().map(|trade| trade.batch_id.clone()).collect(),
            products: trades.iter().map(|trade| trade.goods_code.clone()).collect(),
        },
        Happening::Arrival(base, details) => Mentions {
            door: "meat-in",
            number: base.tran_id.clone(),
            party: ("retailer_id", base.retailer_id.clone()),
            others: details
                .first()
                .and_then(|one| one.ws_supplier_id.clone())
                .into_iter()
                .collect(),
            objects: std::iter::once(base.tran_id.clone())
                .chain(details.iter().map(|one| unit_code(&base.tran_id, &one.goods_code, true)))
                .collect(),
            products: Vec::new(),
        },
        Happening::SupermarketArrival(base) => Mentions {
            door: "meat-in",
            number: base.tran_id.clone(),
            party: ("supermarket_id", base.supermarket_id.clone()),
            others: base.supplier_id.clone().into_iter().collect(),
            objects: vec![base.tran_id.clone()],
            products: Vec::new(),
        },
        Happening::Sale(sales) => Mentions {
            door: "meat-sale",
            number: sales[0].sale_tran_id.clone(),
            party: ("retailer_id", sales[0].retailer_id.clone()),
            others: Vec::new(),
            objects: sales
                .iter()
                .flat_map(|sale| {
                    [sale.tran_id.clone(), unit_code(&sale.tran_id, &sale.goods_code, true)]
                })
                .collect(),
            products: sales.iter().map(|sale| sale.goods_code.clone()).collect(),
        },
    }
}

pub(super) fn draft(happening: &Happening, scene: &Scene<'_>) -> Result<Draft> {
    let (event, names) = match happening {
        Happening::Trade(trades) => (trade(trades, scene)?, TRADE),
        Happening::Arrival(base, details) => (arrival(base, details, scene)?, ARRIVAL),
        Happening::SupermarketArrival(base) => (supermarket(base, scene), SUPERMARKET),
        Happening::Sale(sales) => (sale(sales, scene)?, SALE),
    };
    Ok(Draft { events: vec![event], names })
}

const TRADE: &[(&str, &str)] = &[
    ("event_time", "tran_date"),
    ("counterparty", "retailer_id"),
    ("inputs", "batch_id"),
    ("outputs", "tran_id"),
];
const ARRIVAL: &[(&str, &str)] =
    &[("event_time", "in_date"), ("counterparty", "ws_supplier_id"), ("inputs", "tran_id")];
const SUPERMARKET: &[(&str, &str)] =
    &[("event_time", "in_date"), ("counterparty", "supplier_id"), ("inputs", "tran_id")];
const SALE: &[(&str, &str)] =
    &[("event_time", "sale_date"), ("inputs", "tran_id"), ("outputs", "sale_tran_id")];

fn event(kind: &str, subject: &str, (time, number): (&str, &str)) -> TraceEvent {
    TraceEvent {
        domain: String::from("agri"),
        kind: String::from(kind),
        subject: String::from(subject),
        event_time: String::from(time),
        external_id: Some(String::from(number)),
        ..TraceEvent::default()
    }
}

fn note(event: &mut TraceEvent, kind: &str, number: Option<impl Into<String>>) {
    let Some(no) = number.map(Into::into) else { return };
    let known = event.documents.iter().any(|one| one.kind == kind && one.no == no);
    if !known {
        event.documents.push(Document { kind: String::from(kind), no });
    }
}

/// The other party where it is registered; else what it is called, among the papers.
fn other(
    event: &mut TraceEvent,
    scene: &Scene<'_>,
    (code, name): (Option<&String>, Option<&String>),
) {
    let registered = code.filter(|code| scene.subjects.get(code).is_some());
    event.counterparty = registered.cloned();
    if registered.is_none() {
        let named: Vec<_> = [code, name].into_iter().flatten().map(String::as_str).collect();
        note(event, "交易对方", (!named.is_empty()).then(|| short(&named.join(" "))));
    }
}

/// As much of a text as a paper's number may hold.
fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

/// A market's code begins with its division, where it is a code of nine digits.
fn place(market: &str, name: Option<&String>) -> Option<Place> {
    let region: RegionCode = market.get(..6).filter(|_| market.len() == 9)?.parse().ok()?;
    Some(Place { region: region.to_string(), address: name.cloned(), ..Place::default() })
}

fn attribute(event: &mut TraceEvent, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        event.attributes.insert(String::from(name), text.into());
    }
}

/// Adds a part to what goes in under a code.
fn put_in(event: &mut TraceEvent, (code, external): (String, bool), weight: &str) -> Result<()> {
    let found = event.inputs.iter_mut().find(|input| input.code == code);
    match found {
        None => event.inputs.push(Input {
            code,
            quantity: Some(String::from(weight)),
            unit: Some(String::from(UNIT)),
            external,
        }),
        Some(input) => {
            let number = |text: &str| text.parse::<Quantity>().map_err(Problem::internal);
            let before = number(input.quantity.as_deref().unwrap_or("0"))?;
            let sum = before.plus(number(weight)?);
            let sum = sum.map_err(|error| Problem::invalid("weight", error.to_string()))?;
            input.quantity = Some(sum.to_string());
        }
    }
    Ok(())
}

fn goods(event: &mut TraceEvent, (code, name): (&str, &str)) {
    note(event, "商品", Some(short(&format!("{code} {name}"))));
}

/// What each weight costs per kilogram, where that is said of all: the price, where there is one, and the
/// amount.
fn cost<'a>(
    event: &mut TraceEvent,
    lines: impl Iterator<Item = (&'a String, Option<&'a String>)>,
) -> Result<()> {
    let number = |text: &str| text.parse::<Quantity>().map_err(Problem::internal);
    let (mut prices, mut amount) = (BTreeSet::new(), Quantity::ZERO);
    for (weight, price) in lines {
        let Some(price) = price else { return Ok(()) };
        let (weight, each) = (number(weight)?, number(price)?);
        let share = Ratio::of(i128::from(weight.scaled()), i128::from(Quantity::ONE.scaled()));
        let of_line = each.times(share).and_then(|of_line| amount.plus(of_line));
        amount = of_line.map_err(|error| Problem::invalid("price", error.to_string()))?;
        prices.insert(price);
    }
    if let Some(price) = prices.pop_first() {
        attribute(event, "unit_price", Some(price.as_str()).filter(|_| prices.is_empty()));
        attribute(event, "amount", Some(&amount.to_string()));
    }
    Ok(())
}

fn trade(trades: &[MarketTrade], scene: &Scene<'_>) -> Result<TraceEvent> {
    let first = &trades[0];
    let mut event = event("wholesale", &first.ws_supplier_id, (&first.tran_date, &first.tran_id));
    event.place = place(&first.market_id, first.market_name.as_ref());
    attribute(&mut event, "voucher_no", Some(&first.tran_id));
    for trade in trades {
        let code = unit_code(&trade.tran_id, &trade.goods_code, trades.len() > 1);
        // A batch that is not of this platform comes in with the part that this trade takes of it.
        let from = match scene.existing(&[&trade.batch_id]) {
            Some(batch) => (String::from(batch), false),
            None => (format!("{}-{code}", trade.batch_id), true),
        };
        put_in(&mut event, from, &trade.weight)?;
        event.outputs.push(Output {
            code,
            quantity: trade.weight.clone(),
            unit: String::from(UNIT),
            product: scene.products.get(&trade.goods_code).cloned(),
            lot: Some(trade.batch_id.clone()),
        });
        goods(&mut event, (&trade.goods_code, &trade.goods_name));
        note(&mut event, "检疫证", trade.quarantine_animal_products_id.clone());
        note(&mut event, "销往地", trade.dest.clone());
    }
    other(&mut event, scene, (first.retailer_id.as_ref(), first.retailer_name.as_ref()));
    cost(&mut event, trades.iter().map(|one| (&one.weight, one.price.as_ref())))?;
    Ok(event)
}

/// Which paper goods came in with, the strongest there is.
fn voucher(
    event: &mut TraceEvent,
    quarantine: Option<&String>,
    others: [Option<&String>; 2],
    tran: &str,
) {
    let purchase = || others.into_iter().flatten().next().map_or(tran, String::as_str);
    let (kind, number) = quarantine
        .map_or_else(|| ("purchase", purchase()), |number| ("quarantine", number.as_str()));
    attribute(event, "voucher", Some(kind));
    attribute(event, "voucher_no", Some(number));
}

fn arrival(base: &RetailIn, details: &[RetailInDetail], scene: &Scene<'_>) -> Result<TraceEvent> {
    let mut event = event("market_entry", &base.retailer_id, (&base.in_date, &base.tran_id));
    event.place = place(&base.retail_market_id, base.retail_market_name.as_ref());
    let of_details = details.iter().find_map(|one| one.quarantine_animal_products_id.clone());
    let quarantine = base.quarantine_animal_products_id.clone().or(of_details);
    voucher(&mut event, quarantine.as_ref(), [base.prov_id.as_ref(), None], &base.tran_id);
    for detail in details {
        let long = unit_code(&base.tran_id, &detail.goods_code, true);
        let code = scene.existing(&[&long, &base.tran_id]).unwrap_or(&base.tran_id);
        put_in(&mut event, (String::from(code), false), &detail.weight)?;
        goods(&mut event, (&detail.goods_code, &detail.goods_name));
        let origin = [&detail.area_origin_id, &detail.area_origin_name].into_iter().flatten();
        let origin: Vec<_> = origin.map(String::as_str).collect();
        note(&mut event, "产地", (!origin.is_empty()).then(|| short(&origin.join(" "))));
    }
    if details.is_empty() {
        event.inputs.push(Input { code: base.tran_id.clone(), ..Input::default() });
    }
    note(&mut event, "检疫证", quarantine);
    note(&mut event, "肉品品质检验证", base.inspection_meat_id.clone());
    note(&mut event, "产地证明", base.prov_id.clone());
    let supplier = details.first();
    other(
        &mut event,
        scene,
        (
            supplier.and_then(|one| one.ws_supplier_id.as_ref()),
            supplier.and_then(|one| one.ws_supplier_name.as_ref()),
        ),
    );
    cost(&mut event, details.iter().map(|one| (&one.weight, one.price.as_ref())))?;
    Ok(event)
}

fn supermarket(base: &SupermarketIn, scene: &Scene<'_>) -> TraceEvent {
    let mut event = event("market_entry", &base.supermarket_id, (&base.in_date, &base.tran_id));
    let quarantine = &base.quarantine_animal_products_id;
    let others = [base.prov_id.as_ref(), base.quarantine_vege_id.as_ref()];
    voucher(&mut event, quarantine.as_ref(), others, &base.tran_id);
    event.inputs.push(Input { code: base.tran_id.clone(), ..Input::default() });
    note(&mut event, "检疫证", quarantine.clone());
    note(&mut event, "肉品品质检验证", base.inspection_meat_id.clone());
    note(&mut event, "产地证明", base.prov_id.clone());
    note(&mut event, "蔬菜检测证", base.quarantine_vege_id.clone());
    other(&mut event, scene, (base.supplier_id.as_ref(), base.supplier_name.as_ref()));
    event
}

fn sale(sales: &[RetailSale], scene: &Scene<'_>) -> Result<TraceEvent> {
    let first = &sales[0];
    let mut event = event("retail", &first.retailer_id, (&first.sale_date, &first.sale_tran_id));
    event.place = place(&first.retail_market_id, first.retail_market_name.as_ref());
    attribute(&mut event, "stall", first.position_id.as_deref());
    attribute(&mut event, "voucher_no", Some(&first.sale_tran_id));
    for sale in sales {
        let code = unit_code(&sale.sale_tran_id, &sale.goods_code, sales.len() > 1);
        let long = unit_code(&sale.tran_id, &sale.goods_code, true);
        let from = match scene.existing(&[&long, &sale.tran_id]) {
            Some(unit) => (String::from(unit), false),
            None => (format!("{}-{}", sale.tran_id, sale.sale_tran_id), true),
        };
        put_in(&mut event, from, &sale.weight)?;
        event.outputs.push(Output {
            code,
            quantity: sale.weight.clone(),
            unit: String::from(UNIT),
            product: scene.products.get(&sale.goods_code).cloned(),
            lot: sale.batch_id.clone(),
        });
        goods(&mut event, (&sale.goods_code, &sale.goods_name));
        note(&mut event, "检疫证", sale.quarantine_animal_products_id.clone());
    }
    cost(&mut event, sales.iter().map(|one| (&one.weight, one.price.as_ref())))?;
    Ok(event)
}
