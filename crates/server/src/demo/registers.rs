//! Subjects and products of the golden chains, and the policy that lets data in by interface.

use yj_kernel::{Ctx, Problem, Result, Stored, Tx};
use yj_model::{Id, SubjectCode, UnitCode};
use yj_product::Product;
use yj_subject::{Licence, Site, SubjectAlias, SubjectBrief, TraceSubject};
use yj_trace::SourcePolicy;

use super::{
    cast::{self, Actor, Ware},
    places::position,
};
use crate::Assembled;

/// Synthetic codes from the block of organisation codes that is not issued (handbook §2.3).
pub(crate) fn synthetic(prefix: &str, region: &str, number: u32) -> Result<SubjectCode> {
    const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    let body = format!("MAYJ{number:04}");
    let organizations = ALPHABET.chars().map(|check| format!("{prefix}{region}{body}{check}"));
    for head in organizations {
        for check in ALPHABET.chars() {
            if let Ok(code) = format!("{head}{check}").parse() {
                return Ok(code);
            }
        }
    }
    Err(Problem::internal("no check digits fit"))
}

/// An actor of the golden chains, and its number.
fn actor(short: &str) -> Result<(u32, &'static Actor)> {
    let mut all = (100..).zip(cast::FIRST.iter().chain(&cast::OTHERS));
    let found = all.find(|(_, actor)| actor.short == short);
    found.ok_or_else(|| Problem::internal(format!("no demonstration subject {short}")))
}

/// The code of a demonstration subject by its short name.
pub(crate) fn subject_code(name: &str) -> Result<SubjectCode> {
    let (number, Actor { kind, region, .. }) = actor(name)?;
    let prefix = match *kind {
        "02" => "92",
        "03" => "93",
        "04" => "12",
        _ => "91",
    };
    synthetic(prefix, region, number)
}

/// Subjects and products of GC-1 and GC-2, and the policies.
pub(super) async fn load(assembled: &Assembled) -> Result<()> {
    let ctx = assembled.app.on_own_behalf("demo");
    let mut tx = ctx.begin().await?;
    members(&ctx, &mut tx, (&cast::FIRST, &cast::FIRST_WARES)).await?;
    papers(&ctx, &mut tx).await?;
    policies(&ctx, &mut tx).await?;
    tx.commit().await
}

/// Subjects and products of GC-3 to GC-8.
pub(super) async fn load_others(assembled: &Assembled) -> Result<()> {
    let ctx = assembled.app.on_own_behalf("demo");
    let mut tx = ctx.begin().await?;
    members(&ctx, &mut tx, (&cast::OTHERS, &cast::OTHER_WARES)).await?;
    tx.commit().await
}

async fn members(ctx: &Ctx, tx: &mut Tx, (actors, wares): (&[Actor], &[Ware])) -> Result<()> {
    for actor in actors {
        subject(ctx, tx, actor.short).await?;
    }
    for ware in wares {
        let maker = brief(tx, ware.maker).await?;
        let unit: UnitCode = ware.unit.parse().map_err(Problem::internal)?;
        let owner = maker.id.parse().map_err(Problem::internal)?;
        let region = maker.region.parse().map_err(Problem::internal)?;
        let product = Product {
            code: String::from(ware.code),
            gtin: ware.gtin.map(str::parse).transpose().map_err(Problem::internal)?,
            name: String::from(ware.name),
            brand: Some(String::from("示例牌")),
            domain: String::from(ware.domain),
            catalogue_code: Some(String::from(ware.class)),
            shelf_life: (ware.domain == "agri").then_some(7),
            ..Product::plain(unit, owner, region)
        };
        tx.insert(ctx, &product).await?;
    }
    Ok(())
}

async fn policies(ctx: &Ctx, tx: &mut Tx) -> Result<()> {
    let province = Some("610000");
    for (name, region, source, decision) in [
        ("接口数据自动接收", province, "api", "auto"),
        ("设备数据自动接收", province, "device", "auto"),
        ("手工录入须人工审核", province, "form", "manual"),
        ("导入数据自动接收", province, "import", "auto"),
        // Trade with other provinces comes through the interfaces of their platforms.
        ("省外接口数据自动接收", None, "api", "auto"),
        ("省外导入数据自动接收", None, "import", "auto"),
    ] {
        let policy = SourcePolicy {
            region: region.and_then(|code| code.parse().ok()),
            name: String::from(name),
            source: String::from(source),
            subject_id: None,
            domain: None,
            stage: None,
            decision: String::from(decision),
        };
        tx.insert(ctx, &policy).await?;
    }
    Ok(())
}

/// GB/T 4754 of who has this role in a domain.
fn industry(role: &str, domain: &str) -> Option<String> {
    let code = match (role, domain) {
        ("10", _) => "0141",
        ("11", _) => "0313",
        ("13", _) => "0932",
        ("21", "agri") => "1371",
        ("21", "food") => "1442",
        ("21", "drug") => "2720",
        ("21", "agri_input") => "2631",
        ("21", "special_equipment") => "3332",
        ("21", "dangerous") | ("62", "industrial") => "2614",
        ("21", _) => "3240",
        ("23", _) => "3232",
        ("30", "drug") => "5151",
        ("30", "dangerous") => "5169",
        ("30", _) => "5123",
        ("31", _) => "5223",
        ("34" | "62", "agri" | "special_equipment") => "6210",
        ("36", _) => "5251",
        ("37", _) => "8411",
        ("41", _) => "5431",
        ("50", _) => "7452",
        ("62", "rare_earth") => "3985",
        ("63", _) => "4512",
        _ => return None,
    };
    Some(String::from(code))
}

/// A licence number with its check digit.
fn licence_number(prefix: &str, body: &str) -> Result<String> {
    let check = yj_model::mod11_10(body.as_bytes());
    let check = check.ok_or_else(|| Problem::internal("a licence number of digits"))?;
    Ok(format!("{prefix}{body}{}", char::from(check)))
}

/// A subject of the demonstration, by its short name.
async fn brief(tx: &mut Tx, name: &str) -> Result<SubjectBrief> {
    let code = subject_code(name)?;
    let found = yj_subject::by_codes(tx, &[code.as_str()]).await?.into_values().next();
    found.ok_or_else(|| Problem::internal("a demonstration subject is missing"))
}

fn id<T>(text: &str) -> Result<Id<T>> {
    text.parse().map_err(Problem::internal)
}

/// Licences, sites and former codes of some.
async fn papers(ctx: &Ctx, tx: &mut Tx) -> Result<()> {
    let day = |days: i64| {
        let day = ctx.now + jiff::SignedDuration::from_hours(days * 24);
        day.strftime("%Y-%m-%d").to_string()
    };
    for (name, kind, no, issuer, until) in [
        ("P1", "201", licence_number("SC", "1166101169001")?, "示例市场监督管理局", Some(400)),
        ("R1", "202", licence_number("JY", "1610403900001")?, "示例市场监督管理局", Some(20)),
        ("R2", "202", licence_number("JY", "1610802900002")?, "示例市场监督管理局", Some(-10)),
        ("L1", "901", String::from("示例2026000000"), "示例市场监督管理局", Some(700)),
        ("V1", "501", String::from("TS示例0000-2026"), "示例市场监督管理局", None),
    ] {
        let licence = Licence {
            subject_id: id(&brief(tx, name).await?.id)?,
            kind: String::from(kind),
            no,
            issuer: String::from(issuer),
            valid_from: day(-300),
            valid_to: until.map(day),
            region: None,
        };
        tx.insert(ctx, &licence).await?;
    }
    let plant = Site {
        subject_code: subject_code("P1")?.to_string(),
        name: String::from("示例蔬菜加工厂杨陵分厂"),
        kind: String::from("plant"),
        region: "610403".parse().map_err(Problem::internal)?,
        address: String::from("示例园区 2 号"),
        lon: Some(String::from("108.0893200")),
        lat: Some(String::from("34.2714500")),
        datum: Some(String::from("gcj02")),
        datum_given: None,
        node_id: None,
        in_use: true,
        subject_id: None,
    };
    tx.insert(ctx, &plant).await?;
    let organization = String::from(&subject_code("P1")?.as_str()[8..17]);
    for (name, kind, code) in [
        ("P1", "org9", organization),
        ("W1", "merchant13", String::from("6101049010001")),
        ("W2", "merchant13", String::from("6101049010002")),
    ] {
        let alias = SubjectAlias {
            code,
            kind: String::from(kind),
            subject_id: id(&brief(tx, name).await?.id)?,
            note: Some(String::from("示例旧平台")),
            region: None,
        };
        tx.insert(ctx, &alias).await?;
    }
    Ok(())
}

async fn subject(ctx: &Ctx, tx: &mut Tx, name: &str) -> Result<Stored<TraceSubject>> {
    let (number, Actor { name: title, kind, role, region, domain, .. }) = actor(name)?;
    let [lon, lat] = position(region, number).map_or([None, None], |one| one.map(Some));
    let record = TraceSubject {
        code: Some(subject_code(name)?),
        name: String::from(*title),
        kind: String::from(*kind),
        roles: vec![String::from(*role)],
        region: region.parse().map_err(Problem::internal)?,
        industry_code: industry(role, domain),
        legal_rep: Some(String::from("示例代表人")),
        legal_rep_id_kind: None,
        legal_rep_id: None,
        address: Some(format!("示例路 {number} 号")),
        lon,
        lat,
        datum: None,
        datum_given: None,
        node_code: None,
        node_name: None,
        product_kinds: Some(vec![String::from(*domain)]),
        contact_name: String::from("示例联系人"),
        contact_phone: format!("1380000{number:04}"),
        email: None,
        licence_no: None,
        filed_on: Some(String::from("2025-10-01")),
        source_system: None,
        predecessor_id: None,
        status: None,
        successor_id: None,
    };
    tx.insert(ctx, &record).await
}

/// A subject of the ordinary trade.
pub(super) struct Enterprise<'a> {
    pub(super) number: u32,
    pub(super) title: &'a str,
    pub(super) role: &'a str,
    pub(super) domain: &'a str,
    pub(super) region: &'a str,
    /// The market it trades in.
    pub(super) node: Option<usize>,
}

pub(super) async fn enterprise(
    ctx: &Ctx,
    tx: &mut Tx,
    plan: Enterprise<'_>,
) -> Result<SubjectCode> {
    let Enterprise { number, title, role, domain, region, node } = plan;
    // Shops belong to individuals, farms to co-operatives, laboratories to public institutions.
    let (prefix, kind) = match role {
        "31" => ("92", "02"),
        "10" => ("93", "03"),
        "50" => ("12", "04"),
        _ => ("91", "01"),
    };
    let code = synthetic(prefix, region, number)?;
    let [lon, lat] = position(region, number).map_or([None, None], |one| one.map(Some));
    let record = TraceSubject {
        code: Some(code.clone()),
        name: format!("示例{title}{number}号"),
        kind: String::from(kind),
        roles: vec![String::from(role)],
        region: region.parse().map_err(Problem::internal)?,
        industry_code: industry(role, domain),
        legal_rep: Some(String::from("示例代表人")),
        legal_rep_id_kind: None,
        legal_rep_id: None,
        address: Some(format!("示例大道 {number} 号")),
        lon,
        lat,
        datum: None,
        datum_given: None,
        node_code: node.map(|node| format!("{region}{:03}", node + 1)),
        node_name: None,
        product_kinds: Some(vec![String::from(domain)]),
        contact_name: String::from("示例联系人"),
        contact_phone: format!("1390000{number:04}"),
        email: None,
        licence_no: None,
        filed_on: Some(String::from("2025-10-15")),
        source_system: None,
        predecessor_id: None,
        status: None,
        successor_id: None,
    };
    tx.insert(ctx, &record).await?;
    Ok(code)
}

/// A product of the ordinary trade.
pub(super) struct Goods<'a> {
    pub(super) code: &'a str,
    pub(super) name: &'a str,
    /// Code of its class.
    pub(super) class: &'a str,
    pub(super) domain: &'a str,
    pub(super) unit: &'a str,
    pub(super) maker: &'a SubjectCode,
}

pub(super) async fn product(ctx: &Ctx, tx: &mut Tx, goods: Goods<'_>) -> Result<()> {
    let found = yj_subject::by_codes(tx, &[goods.maker.as_str()]).await?;
    let maker =
        found.into_values().next().ok_or_else(|| Problem::internal("a maker is missing"))?;
    let owner = maker.id.parse().map_err(Problem::internal)?;
    let region = maker.region.parse().map_err(Problem::internal)?;
    let unit = goods.unit.parse().map_err(Problem::internal)?;
    let product = Product {
        code: String::from(goods.code),
        name: format!("示例{}", goods.name),
        brand: Some(String::from("示例牌")),
        domain: String::from(goods.domain),
        catalogue_code: Some(String::from(goods.class)),
        ..Product::plain(unit, owner, region)
    };
    tx.insert(ctx, &product).await.map(drop)
}
