//! The doors of 批次凭证: the register, issuing a 承诺达标合格证, voiding, how much is used, and where
//! goods came in without any.

use std::collections::BTreeSet;

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
    Access, Body, Columns, Ctx, Entity, Param, Problem, READ_QUERY, Result, Route, Row, Scoping,
    Shape, Sql, Tx, again, record_routes, sound_reason, transfer,
};
use yj_ledger::Ledger;
use yj_model::{Id, Quantity, UnitCode};

use crate::{
    document::{BatchDocument, CoveredUnit},
    document_proof,
    erasure::{Act, Erasing},
    http::Whole,
    keeping::Keeping,
    lots, promised, proofs, reissue,
    store::quantity,
    story::products_of,
};

/// Tries of one voiding when captures under the same documents get in its way.
const TRIES: usize = 3;
/// Lines of one count.
const LINES_MAX: i64 = 1_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Certificate {
    /// 承诺主体的代码
    subject: String,
    /// 产品代码；留空为所附批次的产品
    #[serde(default)]
    product: Option<String>,
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
    /// 理由；承诺达标合格证的作废理由在其公开页上显示，不写姓名、电话等个人信息
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

/// One document.
const ONE: &str = "/api/v1/batch_document/{id}";

fn may(verb: &str) -> Access {
    Access::permission(format!("batch_document:{verb}"))
}

/// The register: documents are written and read, never changed.
fn register() -> impl Iterator<Item = Route> {
    let entity = Entity::of::<BatchDocument>();
    let keeps = |route: &Route| {
        let changes = matches!(route.method, Method::PUT | Method::PATCH | Method::DELETE);
        let reads_one = route.method == Method::GET && route.path == ONE;
        !changes && !reads_one
    };
    let read = |ctx: Ctx, Path(id): Path<String>, RawQuery(query): RawQuery| async move {
        read(&ctx, &id, &query.unwrap_or_default()).await.map(Json)
    };
    let one = Route::new((Method::GET, ONE), may("read"), "读取批次凭证", read)
        .query(READ_QUERY)
        .gives(Shape::Stored(entity));
    record_routes(entity).into_iter().filter(keeps).chain([one])
}

/// A document as the register has it, and until when it is kept.
async fn read(ctx: &Ctx, id: &str, query: &str) -> Result<serde_json::Map<String, Value>> {
    let mut found = yj_kernel::read_record(ctx, Entity::of::<BatchDocument>(), (id, query)).await?;
    let mut tx = ctx.snapshot().await?;
    let id = id.parse().map_err(|_| Problem::NotFound("批次凭证"))?;
    let document = tx.get::<BatchDocument>(ctx, id).await?.data;
    let kept = Keeping::of_document(ctx, &mut tx, &document).await?.json();
    found.insert(String::from("kept"), kept);
    Ok(found)
}

/// The routes.
pub(crate) fn routes(erasing: &Erasing) -> Vec<Route> {
    let (ledger, by) = (erasing.ledger(), erasing.clone());
    let (made, voided) = (ledger.clone(), ledger.clone());
    let (checker, prover) = (ledger.clone(), ledger.clone());
    let issue = move |ctx: Ctx, Body(body): Body<Certificate>| async move {
        let answer = issue(&ctx, body).await?;
        made.ring();
        Ok::<_, Problem>((StatusCode::CREATED, Json(answer)))
    };
    let void = move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Reason>| async move {
        let answer = void(&ctx, &id, &body.reason).await?;
        voided.ring();
        Ok::<_, Problem>(Json(answer))
    };
    let uses =
        move |ctx: Ctx, Path(id): Path<String>| async move { uses(&ctx, &checker, &id).await };
    let proof = move |ctx: Ctx, Path(id): Path<String>| async move {
        let id: Id<BatchDocument> = id.parse().map_err(|_| Problem::NotFound("批次凭证"))?;
        let mut tx = ctx.snapshot().await?;
        let name = proofs::document_name(&tx.get::<BatchDocument>(&ctx, id).await?.data);
        let bytes = prover.proof(&mut tx, &id.to_string()).await?;
        Ok::<_, Problem>(transfer::download(&name, "application/json", bytes.into()))
    };
    let forget = move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Whole>| async move {
        let id: Id<BatchDocument> = id.parse().map_err(|_| Problem::NotFound("批次凭证"))?;
        let (id, reason) = (id.to_string(), sound_reason(&body.reason)?);
        by.document(&ctx, Act { id: &id, ground: body.ground, reason }).await?;
        Ok::<_, Problem>(StatusCode::NO_CONTENT)
    };
    let one = ONE;
    let all = "/api/v1/trace/certificates";
    register()
        .chain([
            Route::new((Method::POST, all), may("write"), "开具承诺达标合格证", issue)
                .takes(Shape::of::<Certificate>()),
            Route::new(
                (Method::GET, format!("{all}/missing")),
                may("read"),
                "缺少凭证统计",
                missing,
            )
            .query(&[
                Param { name: "from", label: "自哪一天", required: false },
                Param { name: "to", label: "至哪一天", required: false },
            ]),
            Route::new((Method::POST, format!("{one}/void")), may("write"), "作废批次凭证", void)
                .takes(Shape::of::<Reason>()),
            Route::new(
                (Method::POST, format!("{one}/forget")),
                may("erase"),
                "整条删除自然人的批次凭证",
                forget,
            )
            .takes(Shape::of::<Whole>())
            .fresh(),
            Route::new((Method::GET, format!("{one}/uses")), may("read"), "批次凭证使用情况", uses),
            Route::new(
                (Method::GET, format!("{one}/proof")),
                may("read"),
                "批次凭证存证证明",
                proof,
            )
            .gives(Shape::Bytes("application/json")),
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

/// The one product that all of some batches are of.
async fn product_of(
    tx: &mut Tx,
    (subject, units): (&str, &[CoveredUnit]),
) -> Result<yj_product::ProductBrief> {
    let codes: Vec<&str> = units.iter().map(|unit| unit.code.as_str()).collect();
    let named = lots::units_named(tx, &codes, subject).await?;
    let codes: Vec<&str> =
        codes.into_iter().map(|code| named.get(code).map_or(code, String::as_str)).collect();
    let products: BTreeSet<String> =
        products_of(tx, &codes).await?.into_values().flatten().collect();
    let ids: Vec<&str> = products.iter().map(String::as_str).collect();
    let mut found = yj_product::by_ids(tx, &ids).await?.into_values();
    match (found.next(), found.next()) {
        (Some(product), None) => Ok(product),
        (None, _) => Err(Problem::invalid("product", "所附批次没有登记产品，请写明产品")),
        _ => Err(Problem::invalid("product", "所附批次不是同一种产品，请写明产品，或分别开具")),
    }
}

async fn issue(ctx: &Ctx, body: Certificate) -> Result<Value> {
    let unknown = |field: &'static str, what: &str| Problem::invalid(field, format!("没有{what}"));
    let mut tx = ctx.begin().await?;
    let subject = yj_subject::by_codes(&mut tx, &[&body.subject]).await?;
    let subject = subject.into_values().next().ok_or_else(|| unknown("subject", "这个主体"))?;
    if body.units.is_empty() {
        return Err(Problem::invalid("units", "请写明所附的批次"));
    }
    let product = match body.product.as_deref().map(str::trim).filter(|code| !code.is_empty()) {
        Some(code) => {
            let found = yj_product::by_codes(&mut tx, &[code]).await?.into_values().next();
            found.ok_or_else(|| unknown("product", "这个产品"))?
        }
        None => product_of(&mut tx, (&subject.id, &body.units)).await?,
    };
    let wrong = |field: &'static str| {
        move |error: yj_model::Rejected| Problem::invalid(field, error.to_string())
    };
    let quantity: Quantity = body.quantity.parse().map_err(wrong("quantity"))?;
    let unit: UnitCode = body.unit.parse().map_err(wrong("unit"))?;
    let subject_id = subject.id.parse().map_err(Problem::internal)?;
    let document = BatchDocument {
        product_id: Some(product.id.parse().map_err(Problem::internal)?),
        quantity: Some(quantity),
        unit: Some(unit),
        origin: Some(body.origin),
        basis: Some(body.basis),
        promise: body.promise,
        contact: Some(body.contact),
        units: Some(body.units),
        origins: (!body.origins.is_empty()).then_some(body.origins),
        ..BatchDocument::plain(
            ("commitment", fresh_number(ctx)),
            subject.name,
            (subject_id, product.name),
            ctx.today().to_string(),
        )
    };
    // Whether it is theirs to make is said first, and what of others' lots is to be known with it.
    let stored = tx.insert(ctx, &document).await?;
    promised::require_there(&mut tx, &stored.data).await?;
    tx.commit().await?;
    let number = &stored.data.number;
    let page = format!("{}/c/{number}", ctx.app().platform().public_url);
    Ok(json!({
        "id": stored.id, "number": number, "page": page, "issued_on": stored.data.issued_on,
        "promise": stored.data.promise, "state": stored.data.state,
        // What the printed code says: the words, then where to look.
        "qr": format!("承诺达标合格证 {number} {page}"),
    }))
}

async fn void(ctx: &Ctx, id: &str, reason: &str) -> Result<Value> {
    let id: Id<BatchDocument> = id.parse().map_err(|_| Problem::NotFound("批次凭证"))?;
    again(TRIES, Problem::is_passing, || async move {
        let mut tx = ctx.begin().await?;
        void_in(ctx, &mut tx, id, reason).await?;
        tx.commit().await
    })
    .await?;
    Ok(json!({ "id": id, "state": "void", "void_reason": reason.trim() }))
}

/// Voids a document: it covers nothing any more, and what it was made out of gets back what nobody has
/// used of it.
pub async fn void_in(ctx: &Ctx, tx: &mut Tx, id: Id<BatchDocument>, reason: &str) -> Result<()> {
    let reason = sound_reason(reason)?;
    tx.lock("batch_document", id.to_string()).await?;
    let mut stored = tx.get::<BatchDocument>(ctx, id).await?;
    if stored.data.state.as_deref() == Some("void") {
        return Err(Problem::Conflict(String::from("该凭证已经作废")));
    }
    stored.data.state = Some(String::from("void"));
    stored.data.void_reason = Some(String::from(reason));
    let known = (&*id.to_string(), &stored.data);
    let record = document_proof::anchor_voided(ctx, tx, known, reason).await?;
    reissue::give_back(ctx, tx, known).await?;
    stored.data.void_record = Some(record);
    tx.update(ctx, &stored).await.map(drop)
}

/// What a document was used for, and what is left of it to its own subject.
async fn uses(ctx: &Ctx, ledger: &Ledger, id: &str) -> Result<Json<Value>> {
    let id: Id<BatchDocument> = id.parse().map_err(|_| Problem::NotFound("批次凭证"))?;
    let mut tx = ctx.snapshot().await?;
    let stored = tx.get::<BatchDocument>(ctx, id).await?;
    let (integrity, since) =
        document_proof::integrity(ledger, (ctx, &mut tx), &id.to_string()).await?;
    let sql = Sql::new(
        "SELECT u.source, u.giver, u.side, u.quantity, d.number FROM batch_document_use u \
         LEFT JOIN batch_document d ON d.id = u.source WHERE u.document_id = $1 \
         ORDER BY u.source LIMIT 1000",
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
        // A new certificate made out of this one is known by its number; an event has none.
        items.push(json!({
            "source": row.text(0)?, "number": row.text_opt(4)?, "side": name, "quantity": amount,
        }));
    }
    let left = |covered: Quantity| covered.minus(used).unwrap_or(Quantity::ZERO);
    let remaining = stored.data.quantity.map(left);
    Ok(Json(json!({
        "number": stored.data.number, "quantity": stored.data.quantity, "unit": stored.data.unit,
        "used": used, "remaining": remaining, "items": items,
        "integrity": {
            "intact": integrity.intact, "finding": integrity.finding, "since": since,
            "height": integrity.height,
        },
    })))
}

/// How often papers were lacking that are counted only, by subject and by what demands them.
async fn missing(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Json<Value>> {
    let mut sql = Sql::new(
        "SELECT subject_id, COUNT(*), MIN(day), MAX(day), COALESCE(demand, '入场无凭证') \
         FROM batch_document_gap WHERE 1 = 1",
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
    sql.push(" GROUP BY subject_id, COALESCE(demand, '入场无凭证') ORDER BY 2 DESC, 1, 5 LIMIT ");
    sql.bind(LINES_MAX);
    let rows = tx.fetch(sql).await?;
    let who = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    let subjects = yj_subject::by_ids(&mut tx, &who).await?;
    let line = |row: &Row| {
        let subject = subjects.get(row.text(0)?);
        let name = subject.map(|one| one.name_for(ctx.scope().clearance()));
        Ok(json!({
            "subject_id": row.text(0)?, "name": name, "count": row.int(1)?,
            "first": row.text(2)?, "last": row.text(3)?, "demand": row.text(4)?,
        }))
    };
    let items = rows.iter().map(line).collect::<Result<Vec<_>>>()?;
    let mut total = 0;
    for row in &rows {
        total += row.int(1)?;
    }
    Ok(Json(json!({ "total": total, "items": items })))
}
