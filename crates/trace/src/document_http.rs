//! The doors of 批次凭证: the register, issuing a 承诺达标合格证, voiding, how much is used, and where
//! goods came in without any.

use axum::{
    Json,
    extract::{Path, RawQuery},
    http::{Method, StatusCode},
};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{
    Access, Body, Columns, Ctx, Entity, Param, Problem, Result, Route, Row, Scoping, Shape, Sql,
    Tx, record_routes, sound_reason,
};
use yj_model::{Id, Quantity, UnitCode};

use crate::{
    document::{BatchDocument, CoveredUnit, number_of},
    store::quantity,
};

/// Lines of one count.
const LINES_MAX: i64 = 1_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Certificate {
    /// 承诺主体的代码
    subject: String,
    /// 产品代码
    product: String,
    /// 数量，十进制字符串
    quantity: String,
    /// 计量单位
    unit: String,
    /// 产地
    origin: String,
    /// 承诺依据：control 质量安全控制、self_test 自行检测、commissioned 委托检测
    basis: String,
    /// 联系方式
    contact: String,
    /// 承诺内容；留空为通行的承诺
    #[serde(default)]
    promise: Option<String>,
    /// 所附批次
    units: Vec<CoveredUnit>,
    /// 并批或分装后重新开具的，写原合格证的编号
    #[serde(default)]
    origins: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

fn may(verb: &str) -> Access {
    Access::permission(format!("batch_document:{verb}"))
}

/// The register: documents are written and read, never changed.
fn register() -> impl Iterator<Item = Route> {
    let keeps =
        |route: &Route| !matches!(route.method, Method::PUT | Method::PATCH | Method::DELETE);
    record_routes(Entity::of::<BatchDocument>()).into_iter().filter(keeps)
}

/// The routes.
pub(crate) fn routes() -> Vec<Route> {
    let one = "/api/v1/batch_document/{id}";
    let all = "/api/v1/trace/certificates";
    register()
        .chain([
            Route::new((Method::POST, all), may("write"), "开具承诺达标合格证", issue)
                .takes(Shape::of::<Certificate>()),
            Route::new(
                (Method::GET, format!("{all}/missing")),
                may("read"),
                "入场无凭证统计",
                missing,
            )
            .query(&[
                Param { name: "from", label: "自哪一天", required: false },
                Param { name: "to", label: "至哪一天", required: false },
            ]),
            Route::new((Method::POST, format!("{one}/void")), may("write"), "作废批次凭证", void)
                .takes(Shape::of::<Reason>()),
            Route::new((Method::GET, format!("{one}/uses")), may("read"), "批次凭证使用情况", uses),
        ])
        .collect()
}

/// 32 letters that are not mistaken for each other.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A number that nobody guesses: the page behind it is public.
fn fresh_number(ctx: &Ctx) -> String {
    let mut bits = ctx.app().random();
    let mut letters = String::new();
    for _ in 0..12 {
        letters.push(char::from(LETTERS[(bits & 31) as usize]));
        bits >>= 5;
    }
    format!("C{}{letters}", ctx.today().strftime("%Y%m%d"))
}

async fn issue(ctx: Ctx, Body(body): Body<Certificate>) -> Result<(StatusCode, Json<Value>)> {
    let unknown = |field: &'static str, what: &str| Problem::invalid(field, format!("没有{what}"));
    let mut tx = ctx.begin().await?;
    let subject = yj_subject::by_codes(&mut tx, &[&body.subject]).await?;
    let subject = subject.into_values().next().ok_or_else(|| unknown("subject", "这个主体"))?;
    let product = yj_product::by_codes(&mut tx, &[&body.product]).await?;
    let product = product.into_values().next().ok_or_else(|| unknown("product", "这个产品"))?;
    let wrong = |field: &'static str| {
        move |error: yj_model::Rejected| Problem::invalid(field, error.to_string())
    };
    let quantity: Quantity = body.quantity.parse().map_err(wrong("quantity"))?;
    let unit: UnitCode = body.unit.parse().map_err(wrong("unit"))?;
    if body.units.is_empty() {
        return Err(Problem::invalid("units", "请写明所附的批次"));
    }
    let document = BatchDocument {
        kind: String::from("commitment"),
        number: fresh_number(&ctx),
        issuer: subject.name.clone(),
        subject_id: subject.id.parse().map_err(Problem::internal)?,
        region: None,
        product_id: Some(product.id.parse().map_err(Problem::internal)?),
        product: product.name.clone(),
        quantity: Some(quantity),
        unit: Some(unit),
        issued_on: ctx.today().to_string(),
        valid_until: None,
        origin: Some(body.origin),
        basis: Some(body.basis),
        promise: body.promise,
        contact: Some(body.contact),
        units: Some(body.units),
        origins: (!body.origins.is_empty()).then_some(body.origins),
        vehicle_no: None,
        depart_at: None,
        arrive_at: None,
        state: None,
        void_reason: None,
    };
    let stored = tx.insert(&ctx, &document).await?;
    tx.commit().await?;
    let number = &stored.data.number;
    let page = format!("{}/c/{number}", ctx.app().platform().public_url);
    let answer = json!({
        "id": stored.id, "number": number, "page": page, "issued_on": stored.data.issued_on,
        "promise": stored.data.promise, "state": stored.data.state,
        // What the printed code says: the words, then where to look.
        "qr": format!("承诺达标合格证 {number} {page}"),
    });
    Ok((StatusCode::CREATED, Json(answer)))
}

async fn void(ctx: Ctx, Path(id): Path<String>, Body(body): Body<Reason>) -> Result<Json<Value>> {
    let reason = sound_reason(&body.reason)?;
    let id: Id<BatchDocument> = id.parse().map_err(|_| Problem::NotFound("批次凭证"))?;
    let mut tx = ctx.begin().await?;
    tx.lock("batch_document", id.to_string()).await?;
    let mut stored = tx.get::<BatchDocument>(&ctx, id).await?;
    if stored.data.state.as_deref() == Some("void") {
        return Err(Problem::Conflict(String::from("该凭证已经作废")));
    }
    stored.data.state = Some(String::from("void"));
    stored.data.void_reason = Some(String::from(reason));
    let stored = tx.update(&ctx, &stored).await?;
    tx.commit().await?;
    Ok(Json(json!({ "id": stored.id, "state": stored.data.state, "void_reason": reason })))
}

/// What a document was used for, and what is left of it to its own subject.
async fn uses(ctx: Ctx, Path(id): Path<String>) -> Result<Json<Value>> {
    let id: Id<BatchDocument> = id.parse().map_err(|_| Problem::NotFound("批次凭证"))?;
    let mut tx = ctx.snapshot().await?;
    let stored = tx.get::<BatchDocument>(&ctx, id).await?;
    let sql = Sql::new(
        "SELECT source, giver, side, quantity FROM batch_document_use WHERE document_id = $1 \
         ORDER BY source LIMIT 1000",
    );
    let rows = tx.fetch(sql.arg(id)).await?;
    let own = stored.data.subject_id.to_string();
    let mut used = Quantity::ZERO;
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        let (giver, side, amount) = (row.text(1)?, row.int(2)?, quantity(row.int(3)?)?);
        if giver == own && side != 1 {
            used = used.plus(amount).map_err(Problem::internal)?;
        }
        let name = ["流出", "收入", "重新开具"].get(usize::try_from(side).unwrap_or(0));
        items.push(json!({ "source": row.text(0)?, "side": name, "quantity": amount }));
    }
    let left = |covered: Quantity| covered.minus(used).unwrap_or(Quantity::ZERO);
    let remaining = stored.data.quantity.map(left);
    Ok(Json(json!({
        "number": stored.data.number, "quantity": stored.data.quantity, "unit": stored.data.unit,
        "used": used, "remaining": remaining, "items": items,
    })))
}

/// How often goods came in to a market without any voucher, by subject.
async fn missing(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Json<Value>> {
    let mut sql = Sql::new(
        "SELECT subject_id, COUNT(*), MIN(day), MAX(day) FROM batch_document_gap WHERE 1 = 1",
    );
    for (name, text) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let comparison = match &*name {
            "from" => " AND day >= ",
            "to" => " AND day <= ",
            other => return Err(Problem::invalid(other, "没有这个查询条件")),
        };
        let day: Date =
            text.parse().map_err(|_| Problem::invalid(&*name, "应为日期，如 2026-11-01"))?;
        sql.push(comparison).bind(day.to_string());
    }
    let mut tx = ctx.snapshot().await?;
    let columns = Columns { region: Some("region"), subject: Some("subject_id"), ..Columns::NONE };
    ctx.scope().narrow(&mut sql, &tx, Scoping::By(columns));
    sql.push(" GROUP BY subject_id ORDER BY 2 DESC, 1 LIMIT ").bind(LINES_MAX);
    let rows = tx.fetch(sql).await?;
    let who = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    let subjects = yj_subject::by_ids(&mut tx, &who).await?;
    let line = |row: &Row| {
        let subject = subjects.get(row.text(0)?);
        let name = subject.map(|one| one.name_for(ctx.scope().clearance()));
        Ok(json!({
            "subject_id": row.text(0)?, "name": name, "count": row.int(1)?,
            "first": row.text(2)?, "last": row.text(3)?,
        }))
    };
    let items = rows.iter().map(line).collect::<Result<Vec<_>>>()?;
    let mut total = 0;
    for row in &rows {
        total += row.int(1)?;
    }
    Ok(Json(json!({ "total": total, "items": items })))
}

/// What the public may read of a 承诺达标合格证: all that is printed on it but whom to call.
pub async fn certificate(tx: &mut Tx, number: &str) -> Result<Option<Value>> {
    let sql = Sql::new(
        "SELECT number, issuer, product, quantity, unit, issued_on, origin, basis, promise, state, \
         units, origins FROM batch_document WHERE kind = 'commitment' AND number = $1 \
         ORDER BY id LIMIT 1",
    );
    let Some(row) = tx.fetch_one(sql.arg(number_of(number))).await? else { return Ok(None) };
    let basis = match row.text_opt(7)? {
        Some("control") => "质量安全控制",
        Some("self_test") => "自行检测",
        Some("commissioned") => "委托检测",
        _ => "",
    };
    let units = match row.text_opt(10)? {
        Some(_) => row.json::<Vec<CoveredUnit>>(10)?,
        None => Vec::new(),
    };
    let unit: UnitCode = row.parsed(4)?;
    let origins = match row.text_opt(11)? {
        Some(_) => row.json::<Vec<String>>(11)?,
        None => Vec::new(),
    };
    Ok(Some(json!({
        "number": row.text(0)?, "issuer": row.text(1)?, "product": row.text(2)?,
        "quantity": quantity(row.int(3)?)?, "unit": unit.unit().name, "issued_on": row.text(5)?,
        "origin": row.text_opt(6)?, "basis": basis, "promise": row.text_opt(8)?,
        "state": row.text(9)?, "codes": units.iter().map(|unit| &unit.code).collect::<Vec<_>>(),
        "origins": origins,
    })))
}
