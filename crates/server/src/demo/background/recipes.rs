//! What ordinary chains are made of, one recipe for each domain.

use serde_json::{Value, json};
use yj_kernel::{Problem, Result};
use yj_model::SubjectCode;

use super::{
    super::golden::{Calendar, waybill},
    CHAIN, Seeded, Trade,
};

/// One link of a chain: what happened to everything the link before it left.
pub(super) struct Link<'a> {
    pub(super) kind: &'static str,
    pub(super) subject: &'a SubjectCode,
    pub(super) product: &'a str,
    pub(super) unit: &'static str,
    /// Of what came in, how many thousandths came out; [`SEEN`] where it stays what it is.
    pub(super) yields: u64,
    pub(super) attributes: Value,
}

/// Where a chain begins.
#[derive(Clone, Copy)]
pub(super) struct Start {
    pub(super) domain: &'static str,
    /// How often each domain had its turn before.
    pub(super) turn: usize,
    /// What the first link makes.
    pub(super) quantity: u64,
    /// The day of the first link.
    pub(super) day: Calendar,
}

pub(super) fn links<'a>(
    trade: &'a Trade,
    seeded: &mut Seeded,
    start: Start,
) -> Result<[Link<'a>; CHAIN]> {
    match start.domain {
        "agri" => crops(trade, seeded, start),
        "industrial" => metals(trade, seeded, start),
        _ => others(trade, seeded, start),
    }
}

/// Nothing comes out of what is only seen; no link may follow.
pub(super) const SEEN: u64 = 0;

/// A day long after the chain.
const LATER: i64 = 700;

/// Type, subject, whether it is still the raw material, thousandths, attributes.
type Part<'a> = (&'static str, &'a SubjectCode, bool, u64, Value);

/// The unit that the goods of a domain are counted in.
pub(super) fn unit(domain: &str) -> &'static str {
    match domain {
        "special_equipment" => "SET",
        "dangerous" | "rare_earth" => "TNE",
        _ => "KGM",
    }
}

fn others<'a>(trade: &'a Trade, seeded: &mut Seeded, start: Start) -> Result<[Link<'a>; CHAIN]> {
    let missing = || Problem::internal("a domain without makers");
    let [raw, made] = trade.others.get(start.domain).ok_or_else(missing)?;
    let maker = seeded.pick(trade.makers.get(start.domain).ok_or_else(missing)?)?;
    let making = (maker, start.day);
    let parts = match start.domain {
        "food" => food(trade, seeded, making)?,
        "drug" => drug(trade, seeded, making)?,
        "agri_input" => agri_input(trade, seeded, making)?,
        "special_equipment" => special_equipment(trade, seeded, making)?,
        "dangerous" => dangerous(trade, seeded, (maker, start))?,
        _ => rare_earth(trade, seeded, (maker, start))?,
    };
    let unit = unit(start.domain);
    Ok(parts.map(|(kind, subject, is_raw, yields, attributes)| Link {
        kind,
        subject,
        product: if is_raw { raw } else { made },
        unit,
        yields,
        attributes,
    }))
}

type Making<'a> = (&'a SubjectCode, Calendar);

fn number(seeded: &mut Seeded, title: &str) -> String {
    format!("{title}-{:05}", seeded.below(100_000))
}

fn food<'a>(
    trade: &'a Trade,
    seeded: &mut Seeded,
    (maker, day): Making<'a>,
) -> Result<[Part<'a>; CHAIN]> {
    let (batch, expires_on) = (number(seeded, "SP"), day.date(LATER));
    Ok([
        (
            "raw_material",
            maker,
            true,
            1000,
            json!({
                "supplier": "示例油料站", "supplier_licence_no": "示例许可-01", "material_lot": batch,
                "produced_on": day.date(-1), "expires_on": expires_on, "incoming_check": "pass",
                "report_no": "示例进检-02",
            }),
        ),
        (
            "produce",
            maker,
            false,
            960,
            json!({
                "batch_no": batch, "formula_version": "示例配方 1.0", "batch_sheet_no": batch,
                "line": "精炼线", "shift": "白班", "control_point": "other", "equipment": "示例精炼罐",
                "cleaning_no": "示例清洗-02", "health_certificate_no": "示例健康证-02",
                "produced_on": day.date(1), "expires_on": expires_on,
            }),
        ),
        (
            "transport",
            seeded.pick(&trade.carriers)?,
            false,
            1000,
            json!({
                "vehicle_no": "陕A·示例", "storage": "room",
            }),
        ),
        (
            "sale",
            maker,
            false,
            1000,
            json!({
                "purchaser": "示例商户", "purchaser_address": "示例市场路 1 号",
                "purchaser_contact": "13900000000", "batch_no": batch, "expires_on": expires_on,
            }),
        ),
        ("retail", seeded.pick(&trade.shops)?, false, 995, json!({ "expires_on": expires_on })),
    ])
}

fn drug<'a>(
    trade: &'a Trade,
    seeded: &mut Seeded,
    (maker, day): Making<'a>,
) -> Result<[Part<'a>; CHAIN]> {
    let (batch, expires_on) = (number(seeded, "YP"), day.date(LATER));
    Ok([
        (
            "raw_material",
            maker,
            true,
            1000,
            json!({
                "material": "黄芪", "material_lot": batch, "origin": "示例药材基地",
                "produced_on": day.date(-1),
            }),
        ),
        (
            "manufacture",
            maker,
            false,
            880,
            json!({
                "holder": "示例药厂", "maker": "示例药厂", "common_name": "示例饮片",
                "dosage_form": "饮片", "strength": "统货", "package_spec": "1 千克/袋",
                "approval_no": "国药准字Z20260000", "identifier": "8765432", "batch_no": batch,
                "produced_on": day.date(0), "expires_on": expires_on, "drug_kind": "3",
            }),
        ),
        (
            "aggregate",
            maker,
            false,
            1000,
            json!({
                "level": "large", "per_pack": 20, "batch_no": batch, "expires_on": expires_on,
            }),
        ),
        (
            "ship",
            maker,
            false,
            1000,
            json!({
                "bill_no": batch, "bill_type": "201", "consignor": "示例药厂", "consignee": "示例医院",
                "quality_state": "qualified", "expires_on": expires_on,
            }),
        ),
        (
            "transport",
            seeded.pick(&trade.carriers)?,
            false,
            1000,
            json!({
                "vehicle_no": "陕A·示例", "storage": "cool", "temperature_max": "18",
            }),
        ),
    ])
}

fn agri_input<'a>(
    trade: &'a Trade,
    seeded: &mut Seeded,
    (maker, day): Making<'a>,
) -> Result<[Part<'a>; CHAIN]> {
    let (batch, expires_on) = (number(seeded, "NZ"), day.date(LATER));
    Ok([
        (
            "raw_material",
            maker,
            true,
            1000,
            json!({
                "material": "合成氨", "batch_no": batch, "produced_on": day.date(-1),
            }),
        ),
        (
            "formulate",
            maker,
            false,
            980,
            json!({
                "input_kind": "fertiliser", "origin": "domestic", "registration_no": "示例肥登-01",
                "standard_no": "GB/T 2440", "batch_no": batch, "active_ingredient": "总氮",
                "content_percent": "46.4", "net_content": "40 千克/袋", "produced_on": day.date(0),
                "expires_on": expires_on, "unit_code": batch,
            }),
        ),
        (
            "transport",
            seeded.pick(&trade.carriers)?,
            false,
            1000,
            json!({
                "vehicle_no": "陕A·示例", "separate": true,
            }),
        ),
        (
            "retail",
            maker,
            false,
            1000,
            json!({
                "product_name": "尿素", "spec": "40 千克/袋", "producer": "示例农资厂",
                "purchaser": "示例农场", "expires_on": expires_on, "restricted": false,
            }),
        ),
        (
            "apply",
            seeded.pick(&trade.farms)?,
            false,
            1000,
            json!({
                "crop": "小麦", "plot": "示例地块", "dose": "每亩 15 千克", "safety_interval_days": 0,
            }),
        ),
    ])
}

fn special_equipment<'a>(
    trade: &'a Trade,
    seeded: &mut Seeded,
    (maker, day): Making<'a>,
) -> Result<[Part<'a>; CHAIN]> {
    let (serial, due) = (seeded.below(10_000), day.date(LATER));
    Ok([
        (
            "material",
            maker,
            true,
            1000,
            json!({ "material_lot": format!("GL-{serial:04}"), "grade": "Q245R" }),
        ),
        (
            "manufacture",
            maker,
            false,
            1000,
            json!({
                "equipment_code": format!("12001012026{serial:06}"), "variety": "1000",
                "model": "示例 WNS1", "serial_no": format!("{serial:04}"),
                "licence_no": "示例制造许可-02", "design_no": "示例设计鉴定-02",
                "supervision_no": format!("示例监检-{serial:04}"),
                "material_lots": format!("GL-{serial:04}"), "ndt_no": format!("示例探伤-{serial:04}"), "rated_pressure_mpa": "1",
                "certificate_no": format!("示例合格证-{serial:04}"), "next_due_on": due,
            }),
        ),
        ("sale", maker, false, 1000, json!({ "buyer": "示例使用单位" })),
        (
            "transport",
            seeded.pick(&trade.carriers)?,
            false,
            1000,
            json!({ "vehicle_no": "陕A·示例" }),
        ),
        ("use", seeded.pick(&trade.users)?, false, SEEN, json!({ "next_due_on": due })),
    ])
}

/// Vehicles of the tankers, each on its way in its turn: in the largest province that a demonstration is
/// made of several hundred set out on one day.
const VEHICLES: usize = 900;
/// Thousandths of a ton of synthesis gas that become methanol.
const METHANOL: u64 = 700;

fn dangerous<'a>(
    trade: &'a Trade,
    seeded: &mut Seeded,
    (maker, start): (&'a SubjectCode, Start),
) -> Result<[Part<'a>; CHAIN]> {
    let batch = number(seeded, "WX");
    let mut journey = waybill(start.day, (3, &batch));
    // One vehicle makes one trip at a time (一车一趟一单).
    journey["vehicle_no"] = format!("陕K·示例{:03}", 100 + start.turn % VEHICLES).into();
    journey["load_t"] = (start.quantity * METHANOL / 1000).to_string().into();
    Ok([
        ("raw_material", maker, true, 1000, json!({ "material": "煤制合成气", "batch_no": batch })),
        (
            "produce",
            maker,
            false,
            METHANOL,
            json!({
                "goods_name": "甲醇", "cas_no": "67-56-1", "list_no": "1022", "un_no": "UN1230",
                "hazard_class": "3", "subsidiary": "6.1", "packing_group": "II", "safety_sheet_no": "示例一书一签-02",
                "licence_no": "示例安许-02", "batch_no": batch, "tank": "示例 2 号罐",
                "stored_t": "400", "stored_max_t": "2000",
            }),
        ),
        (
            "sale",
            maker,
            false,
            1000,
            json!({
                "buyer": "示例使用单位", "buyer_code": maker, "control": "none",
            }),
        ),
        ("waybill", seeded.pick(&trade.tankers)?, false, 1000, journey),
        ("use", seeded.pick(&trade.users)?, false, 1000, json!({ "use": "示例溶剂" })),
    ])
}

/// Thousandths of a ton as tons.
fn tons(thousandths: u64) -> String {
    format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
}

fn rare_earth<'a>(
    trade: &'a Trade,
    seeded: &mut Seeded,
    (maker, start): (&'a SubjectCode, Start),
) -> Result<[Part<'a>; CHAIN]> {
    let (month, ore) = (start.day.month(0), start.quantity);
    let (reo, made) = (tons(ore * 600), tons(ore * 558));
    let other = seeded.pick(trade.makers.get("rare_earth").map_or(&[], Vec::as_slice))?;
    Ok([
        (
            "mine",
            maker,
            true,
            1000,
            json!({
                "determined_no": "示例稀土确定-03", "mine": "示例矿山", "ore_type": "bastnaesite",
                "period": month, "concentrate_t": ore.to_string(), "grade_percent": "60", "reo_t": reo,
            }),
        ),
        (
            "separate",
            maker,
            false,
            558,
            json!({
                "determined_no": "示例稀土确定-03", "source": "own", "period": month,
                "input_reo_t": reo, "recovery_percent": "93", "output_reo_t": made, "other_t": made,
                "form": "oxide",
                "purity": "3N",
            }),
        ),
        (
            "transport",
            seeded.pick(&trade.carriers)?,
            false,
            1000,
            json!({ "vehicle_no": "陕A·示例" }),
        ),
        (
            "sale",
            other,
            false,
            1000,
            json!({
                "buyer": "示例使用单位", "use": "示例抛光材料", "contract_no": number(seeded, "HT"),
                "period": month,
            }),
        ),
        ("apply", seeded.pick(&trade.users)?, false, 1000, json!({ "use": "polish" })),
    ])
}

fn crops<'a>(trade: &'a Trade, seeded: &mut Seeded, start: Start) -> Result<[Link<'a>; CHAIN]> {
    let product = seeded.pick(&trade.crops)?;
    let mut link = |kind, subjects: &'a [SubjectCode], yields, attributes| {
        Ok::<_, Problem>(Link {
            kind,
            subject: seeded.pick(subjects)?,
            product,
            unit: "KGM",
            yields,
            attributes,
        })
    };
    Ok([
        link(
            "harvest",
            &trade.farms,
            1000,
            json!({
                "plot": "示例地块", "area_mu": "20", "variety": "示例品种", "sown_on": start.day.date(-90),
            }),
        )?,
        link("processing", &trade.plants, 960, json!({}))?,
        link("transport", &trade.carriers, 995, json!({ "vehicle_no": "陕A·示例" }))?,
        link("wholesale", &trade.wholesalers, 995, json!({}))?,
        link("retail", &trade.shops, 990, json!({}))?,
    ])
}

fn metals<'a>(trade: &'a Trade, seeded: &mut Seeded, start: Start) -> Result<[Link<'a>; CHAIN]> {
    let [raw, blank, finished] = seeded.pick(&trade.metals)?;
    let works = seeded.pick(&trade.works)?;
    let heat = format!("SL-{:05}", seeded.below(100_000));
    let order = json!({ "work_order": format!("GD-{:05}", seeded.below(100_000)) });
    // Some goods are carried by others, some sold where they were made.
    let (kind, subject, attributes) = if start.turn.is_multiple_of(2) {
        ("transport", seeded.pick(&trade.carriers)?, json!({ "vehicle_no": "陕C·示例" }))
    } else {
        ("sale", works, json!({ "contract_no": number(seeded, "HT"), "buyer": "示例使用单位" }))
    };
    let moved = Link { kind, subject, product: finished, unit: "KGM", yields: 1000, attributes };
    Ok([
        Link {
            kind: "raw_material",
            subject: seeded.pick(&trade.works)?,
            product: raw,
            unit: "KGM",
            yields: 1000,
            attributes: json!({ "heat_no": heat, "grade": "示例牌号" }),
        },
        Link {
            kind: "smelt",
            subject: works,
            product: blank,
            unit: "KGM",
            yields: 975,
            attributes: order.clone(),
        },
        Link {
            kind: "roll",
            subject: works,
            product: finished,
            unit: "KGM",
            yields: 930,
            attributes: order,
        },
        moved,
        Link {
            kind: "commission",
            subject: seeded.pick(&trade.users)?,
            product: finished,
            unit: "KGM",
            yields: 1000,
            attributes: json!({ "next_inspection_on": start.day.date(LATER), "installer": "示例安装单位" }),
        },
    ])
}
