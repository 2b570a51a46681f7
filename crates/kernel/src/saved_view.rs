//! 保存的查询 (G-6.2.3, G-6.2.4): the conditions of a list, or an indicator composed of figures,
//! kept under a name for oneself or for everybody. It holds conditions, never data: what it finds
//! is what its reader may see.

use axum::{
    Json,
    extract::{Path, RawQuery},
    http::{Method, StatusCode},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Access, Body, Ctx, Param, Problem, Result, Route, Row, Shape, Sql, Tx, audit,
    dataset::Collection, listing::apart,
};

/// Those of one person, and shared ones, for one register.
const VIEWS_MAX: i64 = 100;
const TITLE_MAX: usize = 40;
const QUERY_MAX: usize = 2_000;

/// A query to keep.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewView {
    /// 登记表
    entity: String,
    /// 名称
    #[schemars(length(min = 1, max = 40))]
    title: String,
    /// 列表的查询条件
    #[serde(default)]
    #[schemars(length(max = 2000))]
    query: String,
    /// 指标：by、part 与图形
    #[serde(default)]
    #[schemars(length(max = 2000))]
    figure: Option<String>,
    /// 是否供所有人使用
    #[serde(default)]
    shared: bool,
}

/// Whether others use it as well.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Shared {
    /// 是否供所有人使用
    shared: bool,
}

/// The right to offer a query to everybody.
const SHARE: &str = "view:share";

/// `views`
pub(crate) fn routes() -> Vec<Route> {
    let all = "/api/v1/views";
    let one = "/api/v1/views/{id}";
    vec![
        Route::new((Method::GET, all), Access::SignedIn, "保存的查询", list).query(&[Param {
            name: "entity",
            label: "登记表",
            required: false,
        }]),
        Route::new((Method::POST, all), Access::SignedIn, "保存查询", save)
            .takes(Shape::of::<NewView>()),
        Route::new((Method::DELETE, one), Access::SignedIn, "删除保存的查询", remove),
        Route::new(
            (Method::PUT, "/api/v1/views/{id}/shared"),
            Access::permission(SHARE),
            "供所有人使用",
            share,
        )
        .takes(Shape::of::<Shared>()),
    ]
}

/// What the reader may see anything of at all.
fn readable(ctx: &Ctx, name: &str) -> Option<Collection> {
    Collection::named(ctx.app(), name).filter(|known| ctx.allows(&known.permission()))
}

fn shown(ctx: &Ctx, row: &Row) -> Result<Value> {
    Ok(json!({
        "id": row.text(0)?, "entity": row.text(3)?, "title": row.text(4)?, "query": row.text(5)?,
        "figure": row.text_opt(6)?, "shared": row.int(2)? != 0, "mine": row.text(1)? == ctx.actor(),
    }))
}

async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Json<Value>> {
    let ([entity], _) = apart(&query.unwrap_or_default(), ["entity"]);
    let mut sql = Sql::new(
        "SELECT id, owner, shared, entity, title, query, figure FROM saved_view WHERE (owner = $1 \
         OR shared = 1)",
    )
    .arg(ctx.actor());
    if let Some(entity) = entity {
        sql.push(" AND entity = ").bind(entity);
    }
    sql.push(" ORDER BY id LIMIT ").bind(VIEWS_MAX * 2);
    let mut tx = ctx.snapshot().await?;
    let rows = tx.fetch(sql).await?;
    let seen =
        rows.iter().filter(|row| row.text(3).is_ok_and(|table| readable(&ctx, table).is_some()));
    let items = seen.map(|row| shown(&ctx, row)).collect::<Result<Vec<_>>>()?;
    Ok(Json(json!({ "items": items })))
}

/// What is kept must be a question that can be asked, and names nobody.
async fn require_sound(
    ctx: &Ctx,
    tx: &mut Tx,
    collection: Collection,
    view: &NewView,
) -> Result<()> {
    let long = |text: &str| text.len() > QUERY_MAX;
    if long(&view.query) || view.figure.as_deref().is_some_and(long) {
        return Err(Problem::invalid("query", format!("至多 {QUERY_MAX} 个字符")));
    }
    collection.require_sound(ctx, tx, (&view.query, view.figure.as_deref())).await
}

async fn save(ctx: Ctx, Body(view): Body<NewView>) -> Result<(StatusCode, Json<Value>)> {
    let unknown = || Problem::invalid("entity", "没有这张登记表，或没有查看它的权限");
    let collection = readable(&ctx, &view.entity).ok_or_else(unknown)?;
    let title = view.title.trim();
    let length = title.chars().count();
    if !(1..=TITLE_MAX).contains(&length) || title.chars().any(char::is_control) {
        return Err(Problem::invalid("title", format!("应为 1 至 {TITLE_MAX} 个字")));
    }
    if view.shared && !ctx.allows(SHARE) {
        return Err(Problem::Forbidden(String::from("供所有人使用的查询须有 view:share 权限")));
    }
    let mut tx = ctx.begin().await?;
    require_sound(&ctx, &mut tx, collection, &view).await?;
    let sql = Sql::new("SELECT COUNT(*) FROM saved_view WHERE owner = $1 AND entity = $2");
    let kept = tx.fetch_one(sql.arg(ctx.actor()).arg(collection.name())).await?;
    if kept.map_or(Ok(0), |row| row.int(0))? >= VIEWS_MAX {
        let detail = format!("每张登记表至多保存 {VIEWS_MAX} 个查询，请先删除不用的");
        return Err(Problem::Conflict(detail));
    }
    let id = ctx.new_id::<()>().to_string();
    let sql = Sql::new(
        "INSERT INTO saved_view (id, owner, shared, entity, title, query, figure, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    );
    let sql = sql.arg(id.as_str()).arg(ctx.actor()).arg(view.shared);
    let sql = sql.arg(collection.name()).arg(title);
    tx.later([sql.arg(&view.query).arg(view.figure.as_deref()).arg(ctx.now_ms())]);
    let body = json!({ "entity": collection.name(), "title": title, "shared": view.shared });
    audit::write(
        &ctx,
        &mut tx,
        audit::Entry { action: "created", entity: "saved_view", record: &id, body },
    );
    tx.commit().await?;
    let body = json!({
        "id": id, "entity": collection.name(), "title": title, "query": view.query,
        "figure": view.figure, "shared": view.shared, "mine": true,
    });
    Ok((StatusCode::CREATED, Json(body)))
}

async fn share(ctx: Ctx, Path(id): Path<String>, Body(body): Body<Shared>) -> Result<StatusCode> {
    let mut tx = ctx.begin().await?;
    let sql = Sql::new("UPDATE saved_view SET shared = $1 WHERE id = $2 AND owner = $3");
    if tx.execute(sql.arg(body.shared).arg(id.as_str()).arg(ctx.actor())).await? == 0 {
        return Err(Problem::NotFound("保存的查询"));
    }
    let body = json!({ "shared": body.shared });
    audit::write(
        &ctx,
        &mut tx,
        audit::Entry { action: "updated", entity: "saved_view", record: &id, body },
    );
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove(ctx: Ctx, Path(id): Path<String>) -> Result<StatusCode> {
    let mut tx = ctx.begin().await?;
    let sql = Sql::new("DELETE FROM saved_view WHERE id = $1 AND owner = $2");
    if tx.execute(sql.arg(id.as_str()).arg(ctx.actor())).await? == 0 {
        return Err(Problem::NotFound("保存的查询"));
    }
    let body = Value::Null;
    audit::write(
        &ctx,
        &mut tx,
        audit::Entry { action: "removed", entity: "saved_view", record: &id, body },
    );
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
