//! Subjects and products of the golden chains, and the policy that lets data in by interface.

use yj_kernel::{Ctx, Problem, Result, Stored, Tx};
use yj_model::{Id, SubjectCode, UnitCode};
use yj_product::Product;
use yj_subject::{Licence, Site, SubjectAlias, SubjectBrief, TraceSubject};
use yj_trace::SourcePolicy;

use crate::Assembled;

/// Short name, name, kind, roles, region, node.
type Plan = (&'static str, &'static str, &'static str, &'static [&'static str], &'static str);

const SUBJECTS: [Plan; 18] = [
    ("F1", "示例韭菜合作社一社", "03", &["10"], "610525"),
    ("F2", "示例韭菜合作社二社", "03", &["10"], "610525"),
    ("L1", "示例农产品检测中心", "04", &["50"], "610116"),
    ("P1", "示例蔬菜加工厂", "01", &["21"], "610116"),
    ("T1", "示例冷链运输公司", "01", &["41"], "610116"),
    ("W1", "示例市场批发商甲", "02", &["30"], "610104"),
    ("W2", "示例市场批发商乙", "02", &["30"], "610104"),
    ("R1", "示例蔬菜零售店甲", "02", &["31"], "610403"),
    ("R2", "示例蔬菜零售店乙", "02", &["31"], "610802"),
    ("C1", "示例学校食堂", "04", &["34"], "610116"),
    ("M1", "示例海绵钛厂", "01", &["21"], "610302"),
    ("M2", "示例钛业熔炼厂", "01", &["21"], "610302"),
    ("M3", "示例钛板轧制厂", "01", &["21"], "610303"),
    ("V1", "示例压力容器制造厂", "01", &["21"], "610112"),
    ("Q1", "示例特种设备检验院", "04", &["50"], "610112"),
    ("B1", "示例焊材厂", "01", &["21"], "610304"),
    ("U1", "示例化工使用单位", "01", &["62"], "610802"),
    ("U2", "示例制药使用单位", "01", &["62"], "610403"),
];

/// Code, name, class, domain, unit, maker, GTIN.
const PRODUCTS: [(&str, &str, &str, &str, &str, &str, Option<&str>); 6] = [
    ("YJ-JC-01", "示例韭菜", "010106", "agri", "KGM", "P1", Some("6901234567892")),
    ("YJ-TI-00", "示例海绵钛", "080101", "industrial", "KGM", "M1", None),
    ("YJ-TI-01", "示例钛锭", "080102", "industrial", "KGM", "M2", None),
    ("YJ-TI-02", "示例钛板", "080103", "industrial", "KGM", "M3", None),
    ("YJ-WJ-01", "示例钛焊丝", "080106", "industrial", "KGM", "B1", None),
    ("YJ-PV-01", "示例钛制压力容器", "081001", "industrial", "SET", "V1", None),
];

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

/// Longitude and latitude near the centre of a county: at most 3 km off it, each number elsewhere.
pub(super) fn position(region: &str, number: u32) -> Option<[String; 2]> {
    let (lon, lat) = yj_model::regions().centre(region)?;
    // Multiples of the golden ratio's fraction fill the square evenly.
    let off = |steps: u32| f64::from(number * steps % 1000) / 1000.0 * 0.06 - 0.03;
    let at = |centre: &str, off: f64| Some(format!("{:.5}", centre.parse::<f64>().ok()? + off));
    Some([at(lon, off(618))?, at(lat, off(383))?])
}

fn plan(name: &str) -> Result<(u32, &'static Plan)> {
    let at = SUBJECTS.iter().position(|plan| plan.0 == name);
    let at = at.ok_or_else(|| Problem::internal(format!("no demonstration subject {name}")))?;
    Ok((u32::try_from(at).map_err(Problem::internal)? + 100, &SUBJECTS[at]))
}

/// The code of a demonstration subject by its short name.
pub(crate) fn subject_code(name: &str) -> Result<SubjectCode> {
    let (number, (_, _, kind, _, region)) = plan(name)?;
    let prefix = match *kind {
        "02" => "92",
        "03" => "93",
        "04" => "12",
        _ => "91",
    };
    synthetic(prefix, region, number)
}

pub(super) async fn load(assembled: &Assembled) -> Result<()> {
    let ctx = assembled.app.on_own_behalf("demo");
    let mut tx = ctx.begin().await?;
    for (name, _, _, _, _) in SUBJECTS {
        subject(&ctx, &mut tx, name).await?;
    }
    papers(&ctx, &mut tx).await?;
    for (code, name, class, domain, unit, maker, gtin) in PRODUCTS {
        let found = yj_subject::by_codes(&mut tx, &[subject_code(maker)?.as_str()]).await?;
        let maker =
            found.into_values().next().ok_or_else(|| Problem::internal("a maker is missing"))?;
        let unit: UnitCode = unit.parse().map_err(Problem::internal)?;
        let owner = maker.id.parse().map_err(Problem::internal)?;
        let region = maker.region.parse().map_err(Problem::internal)?;
        let product = Product {
            code: String::from(code),
            gtin: gtin.map(str::parse).transpose().map_err(Problem::internal)?,
            name: String::from(name),
            brand: Some(String::from("示例牌")),
            domain: String::from(domain),
            catalogue_code: Some(String::from(class)),
            shelf_life: (domain == "agri").then_some(7),
            ..Product::plain(unit, owner, region)
        };
        tx.insert(&ctx, &product).await?;
    }
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
        tx.insert(&ctx, &policy).await?;
    }
    tx.commit().await
}

/// GB/T 4754 of who has this role.
fn industry(role: &str) -> Option<String> {
    let code = match role {
        "10" => "0141",
        "21" => "1371",
        "30" => "5123",
        "31" => "5223",
        "41" => "5431",
        "50" => "7452",
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
        ("L1", "901", String::from("SL2026000001"), "示例市场监督管理局", Some(700)),
        ("V1", "501", String::from("TSSL610000-2026"), "示例市场监督管理局", None),
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
    let (number, (_, title, kind, roles, region)) = plan(name)?;
    let [lon, lat] = position(region, number).map_or([None, None], |one| one.map(Some));
    let record =
        TraceSubject {
            code: Some(subject_code(name)?),
            name: String::from(*title),
            kind: String::from(*kind),
            roles: roles.iter().map(|role| String::from(*role)).collect(),
            region: region.parse().map_err(Problem::internal)?,
            industry_code: industry(roles[0]),
            legal_rep: Some(String::from("示例代表人")),
            legal_rep_id_kind: None,
            legal_rep_id: None,
            address: Some(format!("示例路 {number} 号")),
            lon,
            lat,
            datum: None,
            datum_given: None,
            node_code: None,
            node_name: matches!(name, "W1" | "W2").then(|| String::from("示例批发市场")),
            product_kinds: Some(vec![String::from(
                if name.starts_with(['M', 'V', 'Q', 'B', 'U']) { "industrial" } else { "agri" },
            )]),
            contact_name: String::from("示例联系人"),
            contact_phone: format!("138{number:04}0000"),
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

/// An enterprise of the ordinary trade.
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
    // Shops belong to individuals.
    let (prefix, kind) = if role == "31" { ("92", "02") } else { ("91", "01") };
    let code = synthetic(prefix, region, number)?;
    let [lon, lat] = position(region, number).map_or([None, None], |one| one.map(Some));
    let record = TraceSubject {
        code: Some(code.clone()),
        name: format!("示例{title}{number}号"),
        kind: String::from(kind),
        roles: vec![String::from(role)],
        region: region.parse().map_err(Problem::internal)?,
        industry_code: industry(role),
        legal_rep: None,
        legal_rep_id_kind: None,
        legal_rep_id: None,
        address: Some(format!("示例大道 {number} 号")),
        lon,
        lat,
        datum: None,
        datum_given: None,
        node_code: node.map(|node| format!("{region}{:03}", node + 1)),
        node_name: node.map(|node| format!("示例批发市场{}号", node + 1)),
        product_kinds: Some(vec![String::from(domain)]),
        contact_name: String::from("示例联系人"),
        contact_phone: format!("139{number:04}0000"),
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
    pub(super) maker: &'a SubjectCode,
}

pub(super) async fn product(ctx: &Ctx, tx: &mut Tx, goods: Goods<'_>) -> Result<()> {
    let found = yj_subject::by_codes(tx, &[goods.maker.as_str()]).await?;
    let maker =
        found.into_values().next().ok_or_else(|| Problem::internal("a maker is missing"))?;
    let owner = maker.id.parse().map_err(Problem::internal)?;
    let region = maker.region.parse().map_err(Problem::internal)?;
    let unit = "KGM".parse().map_err(Problem::internal)?;
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
