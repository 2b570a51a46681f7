//! Planted defects of registers (handbook §8.5): codes, names, licences, coordinates and addresses of
//! devices.

use jiff::Span;
use serde_json::{Value, json};
use yj_construction::Device;
use yj_kernel::{Ctx, Object, Problem, Result, Sql};
use yj_model::{Datum, GeoPoint, SubjectCode};
use yj_subject::{Licence, Site, Validity};

use super::{
    planted::{missed, subject},
    registers::subject_code,
};
use crate::Assembled;

/// The system that pushes what is wrong.
const SENDER: &str = "示例旧平台";
/// Where a site really lies, in CGCS2000.
const TRUE_PLACE: (&str, &str) = ("108.9412000", "34.1605000");
/// In ten-millionths of a degree: about a metre, and the least by which BD-09 is off.
const METRE: i64 = 100;
const OFF: i64 = 300 * METRE;

/// Plants them; each is found at once.
pub(super) async fn load(assembled: &Assembled) -> Result<()> {
    let ctx = assembled.app.on_own_behalf("demo");
    mistyped(&ctx).await?;
    renamed(&ctx).await?;
    expired(&ctx).await?;
    shifted(&ctx).await?;
    twin(&ctx).await
}

/// A subject as another system pushes it.
fn pushed(code: &str, name: &str) -> Result<Object> {
    let body = json!({
        "code": code, "name": name, "kind": "01", "roles": ["21"], "region": "610116",
        "industry_code": "1371", "legal_rep": "示例代表人",
        "contact_name": "示例联系人", "contact_phone": "13800000141", "source_system": SENDER,
    });
    match body {
        Value::Object(body) => Ok(body),
        _ => Err(Problem::internal("a subject is an object")),
    }
}

/// The code with another check digit.
fn mistype(code: &SubjectCode) -> String {
    let (stem, check) = code.as_str().split_at(17);
    format!("{stem}{}", if check == "A" { "B" } else { "A" })
}

async fn mistyped(ctx: &Ctx) -> Result<()> {
    let body = pushed(&mistype(&subject_code("P1")?), "示例来函企业")?;
    match yj_subject::push(ctx, body).await {
        Err(Problem::Invalid(errors)) if errors.iter().any(|one| one.field == "code") => Ok(()),
        answer => Err(missed("统一社会信用代码校验位有误", format!("{answer:?}"))),
    }
}

async fn renamed(ctx: &Ctx) -> Result<()> {
    let body = pushed(subject_code("P1")?.as_str(), "示例净菜加工厂")?;
    let answer = yj_subject::push(ctx, body).await?;
    if answer["result"] == "conflict" {
        Ok(())
    } else {
        Err(missed("同一代码两个名称", answer))
    }
}

async fn expired(ctx: &Ctx) -> Result<()> {
    let yesterday = ctx.today().saturating_sub(Span::new().days(1));
    let since = ctx.today().saturating_sub(Span::new().days(366));
    let mut tx = ctx.begin().await?;
    let holder = subject(&mut tx, "W2").await?;
    let licence = Licence {
        subject_id: holder.id.parse().map_err(Problem::internal)?,
        kind: String::from("204"),
        no: String::from("示例动防000011"),
        issuer: String::from("示例农业农村局"),
        valid_from: since.to_string(),
        valid_to: Some(yesterday.to_string()),
        region: None,
    };
    let stored = tx.insert(ctx, &licence).await?.data;
    let date = |text: &str| text.parse().map_err(Problem::internal);
    let ends = (date(&stored.valid_from)?, stored.valid_to.as_deref().map(date).transpose()?);
    let state = Validity::on(ends, ctx.today(), ctx.today());
    if state != Validity::Expired {
        return Err(missed("许可证昨日到期", state.code()));
    }
    tx.commit().await
}

/// A site of which only a map of another datum was at hand.
async fn shifted(ctx: &Ctx) -> Result<()> {
    let (lon, lat) = TRUE_PLACE;
    let place = |lon: &str, lat: &str| {
        GeoPoint::parse(lon, lat, Datum::Cgcs2000).map_err(Problem::internal)
    };
    let (true_lon, true_lat) = place(lon, lat)?.scaled();
    let (given_lon, given_lat) = place(lon, lat)?.in_datum(Datum::Bd09);
    let (lon, lat) = GeoPoint::from_scaled(given_lon, given_lat).texts();
    let site = Site {
        subject_code: subject_code("P1")?.to_string(),
        name: String::from("示例蔬菜加工厂长安冷库"),
        kind: String::from("warehouse"),
        region: "610116".parse().map_err(Problem::internal)?,
        address: String::from("示例物流路 13 号"),
        lon: Some(lon),
        lat: Some(lat),
        datum: Some(String::from("bd09")),
        datum_given: None,
        node_id: None,
        in_use: true,
        subject_id: None,
    };
    let mut tx = ctx.begin().await?;
    let stored = tx.insert(ctx, &site).await?.data;
    let said = [&stored.datum, &stored.datum_given].map(|text| text.as_deref());
    let (lon, lat) = (stored.lon.unwrap_or_default(), stored.lat.unwrap_or_default());
    let (lon, lat) = place(&lon, &lat)?.scaled();
    let near = (lon - true_lon).abs() <= METRE && (lat - true_lat).abs() <= METRE;
    let off = (given_lon - lon).abs().max((given_lat - lat).abs()) >= OFF;
    if said != [Some("cgcs2000"), Some("bd09")] || !near || !off {
        return Err(missed("坐标为 BD-09", format!("{said:?} {lon} {lat}")));
    }
    tx.commit().await
}

/// A second device under an address that is one's already.
async fn twin(ctx: &Ctx) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let known = tx.fetch_one(Sql::new("SELECT id FROM device ORDER BY mac LIMIT 1")).await?;
    let known = known.ok_or_else(|| Problem::internal("no device"))?;
    let known = tx.get::<Device>(ctx, known.parsed(0)?).await?.data;
    let owner = subject(&mut tx, "P1").await?;
    let device = Device {
        subject_id: owner.id.parse().map_err(Problem::internal)?,
        region: owner.region.parse().map_err(Problem::internal)?,
        locally_administered: None,
        state: None,
        ..known
    };
    // Nothing of it is kept: the transaction ends here.
    match tx.insert(ctx, &device).await {
        Err(Problem::Duplicate(_)) => Ok(()),
        answer => Err(missed("MAC 地址重复登记", format!("{:?}", answer.map(|one| one.id)))),
    }
}
