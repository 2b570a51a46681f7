//! 数据字典 (G-5.3-3, G-4f): the elements of all registers and domain packs, on a page and as a file.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, RawQuery},
    http::{Method, StatusCode},
    response::Response,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{
    Access, Body, Ctx, Param, Problem, Result, Route, Shape, Tx, audit, code_list,
    dictionary::{self, Element},
    transfer,
};

const PATH: &str = "/api/v1/dictionary";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Alignment {
    /// GB/T 38154 中的名称；留空为取消对照
    gbt38154_name: String,
}

pub(crate) fn routes() -> Vec<Route> {
    let read = || Access::permission("dictionary:read");
    vec![
        Route::new((Method::GET, PATH), read(), "数据字典", list),
        Route::new((Method::GET, format!("{PATH}/export")), read(), "导出数据字典", export)
            .query(&[Param { name: "format", label: "xlsx 或 csv", required: false }])
            .gives(Shape::Bytes(transfer::XLSX)),
        Route::new(
            (Method::PUT, format!("{PATH}/{{set}}/{{name}}")),
            Access::permission("dictionary:write"),
            "填写数据元在 GB/T 38154 中的名称",
            align,
        )
        .takes(Shape::of::<Alignment>()),
    ]
}

async fn elements(ctx: &Ctx, tx: &mut Tx) -> Result<Vec<Element>> {
    let entities = code_list::all_present(ctx.app(), tx).await?;
    let mut all = dictionary::elements(&entities);
    let domains = yj_domain::current(tx).await?;
    all.extend(yj_trace::elements(&domains, ctx.today()));
    Ok(all)
}

/// Every element with its name in the standard; empty while nobody has compared it.
async fn described(ctx: &Ctx, tx: &mut Tx) -> Result<Vec<(Element, String)>> {
    let names = dictionary::standard_names(tx).await?;
    let mut names: BTreeMap<_, _> =
        names.into_iter().map(|(set, element, name)| ((set, element), name)).collect();
    let named = |element: Element| {
        let name = names.remove(&(element.set.clone(), element.name.clone()));
        (element, name.unwrap_or_default())
    };
    Ok(elements(ctx, tx).await?.into_iter().map(named).collect())
}

async fn list(ctx: Ctx) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    let item = |(element, name): (Element, String)| {
        json!({
            "set": element.set, "set_title": element.set_title, "name": element.name,
            "label": element.label, "definition": element.definition, "format": element.format,
            "codes": element.codes, "obligation": element.obligation.code(),
            "repeats": element.repeats, "class": element.class.code(), "gbt38154_name": name,
            "english": element.english, "short_name": element.short_name(),
            "condition": element.condition, "since": element.since,
        })
    };
    let items: Vec<_> = described(&ctx, &mut tx).await?.into_iter().map(item).collect();
    Ok(Json(json!({ "items": items })))
}

fn row((element, name): (Element, String)) -> Vec<String> {
    let codes: Vec<_> =
        element.codes.iter().map(|(code, label)| format!("{code} {label}")).collect();
    let short_name = element.short_name();
    vec![
        element.set_title,
        element.label,
        element.english,
        short_name,
        format!("{}.{}", element.set, element.name),
        element.definition,
        element.format,
        codes.join("；"),
        String::from(element.obligation.label()),
        element.condition,
        String::from(if element.repeats { "多次" } else { "1" }),
        String::from(element.class.label()),
        if name.is_empty() { String::from("待对照") } else { name },
        format!("YJ-core {}", element.since),
    ]
}

async fn export(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Response> {
    let query = query.unwrap_or_default();
    let format = match query.as_str() {
        "" => None,
        query => Some(query.strip_prefix("format=").unwrap_or_default()),
    };
    let csv = transfer::wants_csv(format)?;
    let mut tx = ctx.begin().await?;
    let rows: Vec<_> = described(&ctx, &mut tx).await?.into_iter().map(row).collect();
    let columns = [
        "数据集",
        "中文名称",
        "英文名称",
        "短名",
        "内部标识符",
        "定义",
        "表示格式",
        "代码表",
        "约束",
        "条件",
        "最大出现次数",
        "数据分级",
        "GB/T 38154 名称",
        "收录版本",
    ];
    let body = json!({
        "dataset": "dictionary", "query": query, "elements": rows.len(), "recipient": ctx.actor(),
    });
    let entry = audit::Entry { action: "exported", entity: "dictionary", record: "", body };
    audit::write(&ctx, &mut tx, entry);
    tx.commit().await?;
    transfer::table_file("数据字典", (&columns, rows), csv)
}

async fn align(
    ctx: Ctx,
    Path((set, name)): Path<(String, String)>,
    Body(body): Body<Alignment>,
) -> Result<StatusCode> {
    let mut tx = ctx.begin().await?;
    let all = elements(&ctx, &mut tx).await?;
    let element = all.iter().find(|element| element.set == set && element.name == name);
    let element = element.ok_or(Problem::NotFound("数据元"))?;
    dictionary::align(&ctx, &mut tx, (element, &body.gbt38154_name)).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
