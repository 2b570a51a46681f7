//! Subjects and products of the golden chains, and the policy that lets data in by interface.

use yj_kernel::{Ctx, Problem, Result, Stored, Tx};
use yj_model::{SubjectCode, UnitCode};
use yj_product::Product;
use yj_subject::TraceSubject;
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

/// Code, name, category, domain, unit, maker, GTIN.
const PRODUCTS: [(&str, &str, &str, &str, &str, &str, Option<&str>); 6] = [
    ("YJ-JC-01", "示例韭菜", "蔬菜", "agri", "KGM", "P1", Some("6901234567892")),
    ("YJ-TI-00", "示例海绵钛", "有色金属", "industrial", "KGM", "M1", None),
    ("YJ-TI-01", "示例钛锭", "有色金属", "industrial", "KGM", "M2", None),
    ("YJ-TI-02", "示例钛板", "有色金属", "industrial", "KGM", "M3", None),
    ("YJ-WJ-01", "示例钛焊丝", "焊接材料", "industrial", "KGM", "B1", None),
    ("YJ-PV-01", "示例钛制压力容器", "特种设备", "industrial", "SET", "V1", None),
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
    for (code, name, category, domain, unit, maker, gtin) in PRODUCTS {
        let found = yj_subject::by_codes(&mut tx, &[subject_code(maker)?.as_str()]).await?;
        let maker =
            found.into_values().next().ok_or_else(|| Problem::internal("a maker is missing"))?;
        let unit: UnitCode = unit.parse().map_err(Problem::internal)?;
        let product = Product {
            code: String::from(code),
            gtin: gtin.map(str::parse).transpose().map_err(Problem::internal)?,
            name: String::from(name),
            brand: Some(String::from("示例牌")),
            domain: String::from(domain),
            category: String::from(category),
            spec: None,
            unit,
            shelf_life_days: (domain == "agri").then_some(7),
            standard_no: None,
            approval_no: None,
            subject_id: maker.id.parse().map_err(Problem::internal)?,
            region: maker.region.parse().map_err(Problem::internal)?,
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

async fn subject(ctx: &Ctx, tx: &mut Tx, name: &str) -> Result<Stored<TraceSubject>> {
    let (number, (_, title, kind, roles, region)) = plan(name)?;
    let [lon, lat] = position(region, number).map_or([None, None], |one| one.map(Some));
    let record =
        TraceSubject {
            code: subject_code(name)?,
            name: String::from(*title),
            kind: String::from(*kind),
            roles: roles.iter().map(|role| String::from(*role)).collect(),
            region: region.parse().map_err(Problem::internal)?,
            address: Some(format!("示例路 {number} 号")),
            lon,
            lat,
            node_code: None,
            node_name: matches!(name, "W1" | "W2").then(|| String::from("示例批发市场")),
            product_kinds: Some(vec![String::from(
                if name.starts_with(['M', 'V', 'Q', 'B', 'U']) { "industrial" } else { "agri" },
            )]),
            contact_name: String::from("示例联系人"),
            contact_phone: format!("138{number:04}0000"),
            licence_no: None,
            filed_on: Some(String::from("2025-10-01")),
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
        code: code.clone(),
        name: format!("示例{title}{number}号"),
        kind: String::from(kind),
        roles: vec![String::from(role)],
        region: region.parse().map_err(Problem::internal)?,
        address: Some(format!("示例大道 {number} 号")),
        lon,
        lat,
        node_code: node.map(|node| format!("{region}{:03}", node + 1)),
        node_name: node.map(|node| format!("示例批发市场{}号", node + 1)),
        product_kinds: Some(vec![String::from(domain)]),
        contact_name: String::from("示例联系人"),
        contact_phone: format!("139{number:04}0000"),
        licence_no: None,
        filed_on: Some(String::from("2025-10-15")),
    };
    tx.insert(ctx, &record).await?;
    Ok(code)
}

/// A product of the ordinary trade.
pub(super) struct Goods<'a> {
    pub(super) code: &'a str,
    pub(super) name: &'a str,
    pub(super) category: &'a str,
    pub(super) domain: &'a str,
    pub(super) maker: &'a SubjectCode,
}

pub(super) async fn product(ctx: &Ctx, tx: &mut Tx, goods: Goods<'_>) -> Result<()> {
    let found = yj_subject::by_codes(tx, &[goods.maker.as_str()]).await?;
    let maker =
        found.into_values().next().ok_or_else(|| Problem::internal("a maker is missing"))?;
    let product = Product {
        code: String::from(goods.code),
        gtin: None,
        name: format!("示例{}", goods.name),
        brand: Some(String::from("示例牌")),
        domain: String::from(goods.domain),
        category: String::from(goods.category),
        spec: None,
        unit: "KGM".parse().map_err(Problem::internal)?,
        shelf_life_days: None,
        standard_no: None,
        approval_no: None,
        subject_id: maker.id.parse().map_err(Problem::internal)?,
        region: maker.region.parse().map_err(Problem::internal)?,
    };
    tx.insert(ctx, &product).await.map(drop)
}
