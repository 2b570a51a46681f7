//! The doors of the catalogue.

use axum::{
    Json,
    extract::{Path, RawQuery},
    http::{HeaderMap, Method, StatusCode},
    response::Response,
};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{
    Access, Body, Ctx, Entity, Object, Param, Place, Problem, Resource, Result, Route, Shape, Sql,
    Stored, Tx, audit, expected_version, json as strict, outbox, sound_reason, transfer,
};

use crate::{
    catalogue::{COLUMNS, CatalogueClass},
    catalogue_view::{Class, tree},
    edition,
};

const ALL: &str = "/api/v1/catalogue";
const ONE: &str = "/api/v1/catalogue/{id}";

/// What may be changed of a local class.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wording {
    /// 分类名称
    name: String,
    /// GB/T 7635.1 代码，1 至 5 位或 8 位数字
    gbt7635_1: Option<String>,
    /// GPC 砖代码，8 位数字
    gpc_brick: Option<String>,
    /// HS 编码，章、品目或子目，2、4 或 6 位数字
    hs6: Option<String>,
    /// 法定目录
    legal_list: Option<String>,
}

/// From when a class is in or out of scope, and why.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Switch {
    /// 自哪一天起，如 2026-12-01；不早于今天
    from: String,
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

/// A new version.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Publication {
    /// 生效日期，如 2026-12-01；不早于今天与上一版的生效日期
    effective_on: String,
    /// 说明
    #[schemars(length(min = 2, max = 200))]
    note: String,
}

fn may(verb: &str) -> Access {
    Access::permission(format!("catalogue:{verb}"))
}

pub(crate) fn routes() -> Vec<Route> {
    let record = || Shape::Record(Entity::of::<CatalogueClass>());
    let at = |verb: &str| (Method::POST, format!("{ONE}/{verb}"));
    let exclude = |ctx: Ctx,
                   Path(id): Path<String>,
                   headers: HeaderMap,
                   Body(body): Body<Switch>| async move {
        switch(&ctx, (&id, expected_version(&headers)?), (false, &body)).await
    };
    let include = |ctx: Ctx,
                   Path(id): Path<String>,
                   headers: HeaderMap,
                   Body(body): Body<Switch>| async move {
        switch(&ctx, (&id, expected_version(&headers)?), (true, &body)).await
    };
    vec![
        Route::new((Method::GET, ALL), may("read"), "产品分类目录", list).query(&[Param {
            name: "version",
            label: "目录版本号；缺省为现状，含待发布的分类",
            required: false,
        }]),
        Route::new((Method::GET, format!("{ALL}/export")), may("read"), "导出产品分类目录", export)
            .query(&[
                Param { name: "format", label: "xlsx 或 csv", required: false },
                Param {
                    name: "version", label: "目录版本号；缺省为现状", required: false
                },
            ])
            .gives(Shape::Bytes(transfer::XLSX)),
        Route::new((Method::POST, ALL), may("write"), "新增地方分类", create).takes(record()),
        Route::new((Method::GET, ONE), may("read"), "读取产品分类", read),
        Route::new((Method::PUT, ONE), may("write"), "修改地方分类", change)
            .versioned()
            .takes(Shape::of::<Wording>()),
        Route::new((Method::DELETE, ONE), may("write"), "删除未发布的地方分类", remove).versioned(),
        Route::new(at("exclude"), may("write"), "将产品分类移出追溯范围", exclude)
            .versioned()
            .takes(Shape::of::<Switch>()),
        Route::new(at("include"), may("write"), "将产品分类重新纳入追溯范围", include)
            .versioned()
            .takes(Shape::of::<Switch>()),
        Route::new((Method::GET, format!("{ALL}/versions")), may("read"), "目录版本", versions),
        Route::new(
            (Method::POST, format!("{ALL}/publish")),
            may("publish"),
            "发布目录版本",
            publish,
        )
        .takes(Shape::of::<Publication>()),
    ]
}

async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Json<Value>> {
    let query = query.unwrap_or_default();
    let version = match query.strip_prefix("version=") {
        None if query.is_empty() => None,
        None => return Err(Problem::invalid("query", "没有这个查询条件，可用：version")),
        Some(text) => Some(version(text)?),
    };
    let mut tx = ctx.snapshot().await?;
    known(&ctx, &mut tx, version).await.map(Json)
}

fn version(text: &str) -> Result<i64> {
    let number = text.parse::<i64>().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Problem::invalid("version", "应为目录版本号，如 1"))
}

/// The tree as it stands, or as a version has it.
async fn known(ctx: &Ctx, tx: &mut Tx, version: Option<i64>) -> Result<Value> {
    if let Some(number) = version {
        let known = Sql::new("SELECT 1 FROM catalogue_version WHERE number = $1");
        tx.fetch_one(known.arg(number)).await?.ok_or(Problem::NotFound("目录版本"))?;
    }
    tree(ctx, tx, version).await
}

/// Columns of the file: what a class is, and what it is called elsewhere.
const COLUMNS_OUT: [(&str, &str); 13] = [
    ("code", "分类代码"),
    ("name", "分类名称"),
    ("level", "级别"),
    ("parent_code", "上级分类"),
    ("region", "所属区域"),
    ("gbt7635_1", "GB/T 7635.1 代码"),
    ("gpc_brick", "GPC 砖代码"),
    ("hs6", "HS 编码"),
    ("legal_list", "法定目录"),
    ("in_scope_from", "纳入日期"),
    ("out_of_scope_from", "移出日期"),
    ("in_scope", "在追溯范围内"),
    ("edition", "最近版本"),
];

/// The tree as a file, as far as the caller sees it.
async fn export(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Response> {
    let query = query.unwrap_or_default();
    let (mut format, mut wanted) = (None, None);
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "format" => format = Some(text.into_owned()),
            "version" => wanted = Some(version(&text)?),
            _ => return Err(Problem::invalid(name, "没有这个参数，可用：format、version")),
        }
    }
    let csv = transfer::wants_csv(format.as_deref())?;
    let mut tx = ctx.begin().await?;
    let tree = known(&ctx, &mut tx, wanted).await?;
    let cell = |class: &Value, name: &str| match &class[name] {
        Value::Null => String::new(),
        Value::Bool(flag) => String::from(if *flag { "是" } else { "否" }),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let row = |class: &Value| COLUMNS_OUT.map(|(name, _)| cell(class, name)).into();
    let rows: Vec<_> = tree["items"].as_array().into_iter().flatten().map(row).collect();
    let body = json!({
        "dataset": "catalogue", "query": query, "rows": rows.len(), "recipient": ctx.actor(),
    });
    let entry = audit::Entry { action: "exported", entity: "catalogue", record: "", body };
    audit::write(&ctx, &mut tx, entry);
    tx.commit().await?;
    transfer::table_file("产品分类目录", (&COLUMNS_OUT.map(|(_, label)| label), rows), csv)
}

async fn versions(ctx: Ctx) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    Ok(Json(json!({ "items": edition::versions(&mut tx).await? })))
}

/// One class as it stands, with what the versions said of it.
async fn read(ctx: Ctx, Path(id): Path<String>) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    let class = Class::find(&ctx, &mut tx, &id).await?;
    let mut answer = class.json();
    let editions = edition::history(&mut tx, &class.code).await?;
    answer["editions"] = editions.iter().map(crate::catalogue_view::content).collect();
    Ok(Json(answer))
}

async fn create(ctx: Ctx, Body(body): Body<Object>) -> Result<(StatusCode, Json<Value>)> {
    let class: CatalogueClass = strict::typed(body.into())?;
    let mut tx = ctx.begin().await?;
    let stored = tx.insert(&ctx, &class).await?;
    let answer = Class::find(&ctx, &mut tx, &stored.id.to_string()).await?.json();
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// A class that is the caller's to change.
async fn own(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<Class> {
    let class = Class::find(ctx, tx, id).await?;
    let Some(region) = &class.region else {
        return Err(Problem::Forbidden(String::from(
            "国家分类随产品发布，只读；可在其下新增地方分类",
        )));
    };
    require_reach(ctx, region.as_str())?;
    Ok(class)
}

fn require_reach(ctx: &Ctx, region: &str) -> Result<()> {
    if ctx.scope().covers(&COLUMNS, &Place { region: Some(region), ..Place::default() }) {
        return Ok(());
    }
    Err(Problem::Forbidden(String::from("该分类属于上级或其他区域，只有其所属区域可以更改")))
}

fn require_version(class: &Class, version: i64) -> Result<()> {
    if class.version == version { Ok(()) } else { Err(Problem::Stale(CatalogueClass::TITLE)) }
}

async fn change(
    ctx: Ctx,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(body): Body<Wording>,
) -> Result<Json<Value>> {
    let version = expected_version(&headers)?;
    let mut tx = ctx.begin().await?;
    let class = own(&ctx, &mut tx, &id).await?;
    let key = class.id.parse().map_err(Problem::internal)?;
    let stored: Stored<CatalogueClass> = tx.get(&ctx, key).await?;
    let Wording { name, gbt7635_1, gpc_brick, hs6, legal_list } = body;
    let data = CatalogueClass { name, gbt7635_1, gpc_brick, hs6, legal_list, ..stored.data };
    tx.update(&ctx, &Stored { version, data, ..stored }).await?;
    let answer = Class::find(&ctx, &mut tx, &id).await?.json();
    tx.commit().await?;
    Ok(Json(answer))
}

/// Only drafts go; what has been published stays for those who named it.
async fn remove(ctx: Ctx, Path(id): Path<String>, headers: HeaderMap) -> Result<StatusCode> {
    let version = expected_version(&headers)?;
    let mut tx = ctx.begin().await?;
    let class = own(&ctx, &mut tx, &id).await?;
    tx.lock(CatalogueClass::TABLE, class.id.as_str()).await?;
    require_version(&class, version)?;
    let conflict = |detail: &str| Err(Problem::Conflict(String::from(detail)));
    if class.edition.is_some() {
        return conflict("已发布的分类不能删除，可能已有产品使用；请移出范围并写明日期");
    }
    let children = Sql::new("SELECT 1 FROM catalogue WHERE parent_code = $1 LIMIT 1");
    if tx.fetch_one(children.arg(class.code.as_str())).await?.is_some() {
        return conflict("该分类有下级分类，不能删除；请先删除下级，或发布后移出范围");
    }
    let sql = Sql::new("DELETE FROM catalogue WHERE id = $1 AND version = $2");
    if tx.execute(sql.arg(class.id.as_str()).arg(version)).await? == 0 {
        return Err(Problem::Stale(CatalogueClass::TITLE));
    }
    let body = json!({ "code": [class.code, null], "name": [class.name, null] });
    note(&ctx, &mut tx, ("removed", &class.id), &body);
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn note(ctx: &Ctx, tx: &mut Tx, (action, record): (&str, &str), body: &Value) {
    let entity = CatalogueClass::TABLE;
    audit::write(ctx, tx, audit::Entry { action, entity, record, body: body.clone() });
    outbox::announce(ctx, tx, (entity, action), record, body);
}

fn date(field: &str, text: &str) -> Result<Date> {
    let wrong = |_| Problem::invalid(field, "应为日期，如 2026-12-01");
    text.trim().parse().map_err(wrong)
}

/// In or out of scope. A local class is its region's to switch; the scope of a national one is
/// decided by those who publish the catalogue.
async fn switch(
    ctx: &Ctx,
    (id, version): (&str, i64),
    (inward, body): (bool, &Switch),
) -> Result<Json<Value>> {
    let reason = sound_reason(&body.reason)?;
    let from = date("from", &body.from)?;
    let mut tx = ctx.begin().await?;
    let class = Class::find(ctx, &mut tx, id).await?;
    match &class.region {
        Some(region) => require_reach(ctx, region.as_str())?,
        None if ctx.allows("catalogue:publish") => {}
        None => {
            let detail = "国家分类是否纳入由发布目录的机构决定，须有 catalogue:publish 权限";
            return Err(Problem::Forbidden(String::from(detail)));
        }
    }
    require_version(&class, version)?;
    if class.edition.is_none() {
        let detail = "尚未发布的分类没有范围可言；不需要时请直接删除";
        return Err(Problem::Conflict(String::from(detail)));
    }
    let today = ctx.today();
    let span =
        if inward { class.span.taken_in(from, today) } else { class.span.taken_out(from, today) };
    let span = span.map_err(|detail| Problem::invalid("from", detail))?;
    let sql = Sql::new(
        "UPDATE catalogue SET in_scope_from = $1, out_of_scope_from = $2, draft = 1, \
         version = version + 1, updated_at = $3, updated_by = $4 WHERE id = $5 AND version = $6",
    );
    let text = |day: Option<Date>| day.map(|day| day.to_string());
    let sql = sql.arg(span.from.to_string()).arg(text(span.until)).arg(ctx.now_ms());
    if tx.execute(sql.arg(ctx.actor()).arg(id).arg(version)).await? == 0 {
        return Err(Problem::Stale(CatalogueClass::TITLE));
    }
    let body = json!({
        "in_scope_from": [text(Some(class.span.from)), text(Some(span.from))],
        "out_of_scope_from": [text(class.span.until), text(span.until)],
        "code": class.code, "reason": reason,
    });
    note(ctx, &mut tx, (if inward { "included" } else { "excluded" }, id), &body);
    let answer = Class::find(ctx, &mut tx, id).await?.json();
    tx.commit().await?;
    Ok(Json(answer))
}

async fn publish(ctx: Ctx, Body(body): Body<Publication>) -> Result<Json<Value>> {
    let effective_on = date("effective_on", &body.effective_on)?;
    let note = body.note.trim();
    if !(2..=200).contains(&note.chars().count()) {
        return Err(Problem::invalid("note", "请写明本版说明，2 至 200 个字"));
    }
    let mut tx = ctx.begin().await?;
    let (number, classes) = edition::publish(&ctx, &mut tx, (effective_on, note)).await?;
    tx.commit().await?;
    Ok(Json(json!({
        "number": number, "effective_on": effective_on.to_string(), "classes": classes,
    })))
}
