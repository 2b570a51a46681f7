//! 主体代码 (handbook §2.3): issued to those who have no credit code, and found by every code a
//! subject ever had.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::RawQuery,
    http::{Method, StatusCode},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{
    Access, Body, Columns, Ctx, Param, Place, Problem, Resource as _, Result, Route, Shape, Sql, Tx,
};
use yj_model::{RegionCode, SUBJECT_KINDS, SubjectCode, former_code};

use crate::{standing::Status, subject::TraceSubject};

/// Numbers looked at in one go, and how often: codes of elsewhere may have taken many.
const CHUNK: i64 = 500;
const CHUNKS: usize = 200;

/// Whether subjects of this kind have a 统一社会信用代码.
pub(crate) fn has_credit_code(kind: &str) -> bool {
    matches!(kind, "01" | "02" | "03")
}

/// The next code of a division and a kind of subject. Those who ask at the same time wait for each
/// other, and no code is issued twice.
pub(crate) async fn issue(tx: &mut Tx, region: &RegionCode, kind: &str) -> Result<SubjectCode> {
    let division: u32 = region.as_str()[..6].parse().map_err(Problem::internal)?;
    let kind: u32 = kind[1..].parse().map_err(Problem::internal)?;
    let stem = format!("{division:06}{kind}");
    let next = Sql::new(
        "INSERT INTO subject_code_counter (stem, value) VALUES ($1, 1) \
         ON CONFLICT (stem) DO UPDATE SET value = subject_code_counter.value + 1 RETURNING value",
    );
    let row = tx.fetch_one(next.arg(stem.as_str())).await?;
    let first = row.ok_or_else(|| Problem::internal("a counter without a value"))?.int(0)?;
    let mut from = first;
    for _ in 0..CHUNKS {
        let numbers = from..from + CHUNK;
        let codes: Vec<(i64, SubjectCode)> = numbers
            .filter_map(|number| {
                let sequence = u32::try_from(number).ok()?;
                Some((number, SubjectCode::issue(division, kind, sequence)?))
            })
            .collect();
        let taken = taken(tx, codes.iter().map(|(_, code)| code.as_str())).await?;
        if let Some((number, code)) =
            codes.into_iter().find(|(_, code)| !taken.contains(code.as_str()))
        {
            if number > first {
                let sql = Sql::new("UPDATE subject_code_counter SET value = $1 WHERE stem = $2");
                tx.execute(sql.arg(number).arg(stem.as_str())).await?;
            }
            return Ok(code);
        }
        from += CHUNK;
    }
    Err(Problem::Conflict(format!("区划 {division:06} 的主体代码已用尽，请联系平台运营机构")))
}

/// Which of these codes somebody has or had.
async fn taken<'a>(
    tx: &mut Tx,
    codes: impl Iterator<Item = &'a str> + Clone,
) -> Result<BTreeSet<String>> {
    let mut sql = Sql::new("SELECT code FROM trace_subject WHERE code ");
    sql.bind_texts(codes.clone()).push(" UNION ALL SELECT code FROM subject_alias WHERE code ");
    sql.bind_texts(codes);
    let rows = tx.fetch(sql).await?;
    rows.iter().map(|row| row.text(0).map(String::from)).collect()
}

/// Whom a code is wanted for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// 所属区域，6 位以上行政区划代码
    region: String,
    /// 主体类型
    kind: String,
}

/// 发码 and 查码.
pub(crate) fn routes() -> Vec<Route> {
    let resolve = |ctx: Ctx, RawQuery(query): RawQuery| async move {
        let query = query.unwrap_or_default();
        let asked = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code");
        let asked = asked.map(|(_, text)| former_code(&text)).unwrap_or_default();
        Ok::<_, Problem>(Json(resolve(&ctx, &asked).await?))
    };
    vec![
        Route::new(
            (Method::POST, "/api/v1/trace_subject/code"),
            Access::permission("trace_subject:write"),
            "发给主体代码",
            assign,
        )
        .takes(Shape::of::<Wanted>()),
        Route::new(
            (Method::GET, "/api/v1/trace_subject/resolve"),
            Access::permission("trace_subject:read"),
            "按现用或旧代码查找追溯主体",
            resolve,
        )
        .query(&[Param { name: "code", label: "现用或旧代码", required: true }]),
    ]
}

async fn assign(ctx: Ctx, Body(wanted): Body<Wanted>) -> Result<(StatusCode, Json<Value>)> {
    let region: RegionCode = wanted
        .region
        .parse()
        .map_err(|error: yj_model::Rejected| Problem::invalid("region", error.to_string()))?;
    if !SUBJECT_KINDS.iter().any(|(code, _)| *code == wanted.kind) {
        return Err(Problem::invalid("kind", "没有这种主体类型，应为 01 至 09 或 99"));
    }
    if has_credit_code(&wanted.kind) {
        return Err(Problem::invalid("kind", "企业、个体工商户和合作社使用统一社会信用代码"));
    }
    let columns = Columns { region: Some("region"), ..Columns::NONE };
    let place = Place { region: Some(region.as_str()), ..Place::default() };
    if !ctx.scope().covers(&columns, &place) {
        return Err(Problem::invalid("region", "超出您的数据权限范围"));
    }
    let mut tx = ctx.begin().await?;
    let code = issue(&mut tx, &region, &wanted.kind).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(json!({ "code": code }))))
}

/// Whom a code means now, among those the reader may read.
async fn resolve(ctx: &Ctx, asked: &str) -> Result<Value> {
    if asked.is_empty() || asked.chars().count() > 32 {
        return Err(Problem::invalid("code", "请给出要查找的代码，至多 32 位"));
    }
    let mut tx = ctx.snapshot().await?;
    let alias = Sql::new("SELECT subject_id, kind FROM subject_alias WHERE code = $1");
    let alias = tx.fetch_one(alias.arg(asked)).await?;
    let mut sql = Sql::new("SELECT id, code, name, region, status FROM trace_subject WHERE ");
    match &alias {
        Some(row) => sql.push("id = ").bind(row.text(0)?),
        None => sql.push("code = ").bind(asked),
    };
    ctx.scope().narrow(&mut sql, &tx, TraceSubject::SCOPING);
    let found = tx.fetch_one(sql).await?.ok_or(Problem::NotFound(TraceSubject::TITLE))?;
    let former = alias.map(|row| row.text(1).map(String::from)).transpose()?;
    Ok(json!({
        "asked": asked, "former": former, "id": found.text(0)?, "code": found.text(1)?,
        "name": found.text(2)?, "region": found.text(3)?,
        "status": Status::stored(found.text(4)?)?,
    }))
}
