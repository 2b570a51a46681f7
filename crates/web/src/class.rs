//! The page of a product whose barcode names no lot (handbook §2.9): what is the same of all its
//! lots, a warning where one of them is stopped, and how to find one's own. No unit is counted as
//! scanned, for nobody knows which one it was.

use askama::Template;
use axum::{
    Json,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use serde_json::{Value, json};
use yj_kernel::{App, DataClass, Problem, Result, Tx};
use yj_model::{LotNumber, regions};
use yj_product::ProductBrief;
use yj_trace::{WarnedLot, unit_of_lot, warned_lots};

use crate::{certificate::encoded, frame::Frame, telling::Telling};

/// Lots that the page names.
const LOTS_MAX: usize = 50;

#[derive(Template)]
#[template(path = "class.html")]
struct Page<'a> {
    frame: Frame<'a>,
    gtin: &'a str,
    /// Where the form leads.
    form: String,
    product: &'a str,
    facts: Vec<(&'static str, String)>,
    recalled: bool,
    lots: Vec<Lot>,
    /// Whether there are more than are named.
    more: usize,
    /// Whether units without a lot number are among those that are stopped.
    unnamed: bool,
    /// The lot that was looked for and not found, or what is wrong with it.
    asked: &'a str,
    problem: &'a str,
}

struct Lot {
    number: String,
    why: &'static str,
}

/// What is told of a product: its story so far with its maker and the lots to be warned of.
pub(crate) async fn story(tx: &mut Tx, mut own: Value, product: &ProductBrief) -> Result<Value> {
    let maker = yj_subject::by_ids(tx, &[&product.subject_id]).await?.into_values().next();
    own["maker"] = maker.map_or(Value::Null, |maker| {
        json!({
            "name": maker.name_for(DataClass::Internal),
            "region_name": regions().full_name(&maker.region),
        })
    });
    own["gtin"] = product.gtin.clone().into();
    let lots = warned_lots(tx, &product.id).await?;
    let line = |lot: &WarnedLot| {
        let state = if lot.recalled { "recalled" } else { "warning" };
        json!({ "lot": lot.lot, "state": state, "quality_name": lot.quality })
    };
    own["warned_lots"] = lots.iter().take(LOTS_MAX).map(line).collect();
    own["warned_lots_total"] = lots.len().into();
    Ok(own)
}

/// What somebody asked for by the form of the page: where the lot is told of, or why it is not.
pub(crate) enum Sought {
    /// Nothing was asked for.
    Nothing,
    /// The unit to which the lot leads.
    Unit(String),
    /// No unit of that lot, or none that is public.
    Missing(String),
    /// No lot number, and why.
    Wrong(String, String),
}

/// Looks for a lot of a product.
pub(crate) async fn seek(
    app: &App,
    tx: &mut Tx,
    (product, lot): (&ProductBrief, Option<&str>),
) -> Result<Sought> {
    let Some(text) = lot else { return Ok(Sought::Nothing) };
    let lot = match text.parse::<LotNumber>() {
        Ok(lot) => lot,
        Err(error) => {
            let text = text.chars().take(50).collect();
            return Ok(Sought::Wrong(text, error.to_string()));
        }
    };
    let found = unit_of_lot(app, tx, (&product.id, Some(lot.as_str()))).await?;
    Ok(found.unit.map_or_else(|| Sought::Missing(lot.to_string()), Sought::Unit))
}

/// The page, or its document for machines.
pub(crate) fn page(
    app: &App,
    (code, story): (&str, &Value),
    sought: &Sought,
    telling: Telling,
) -> Result<Response> {
    let status = match sought {
        Sought::Missing(_) => StatusCode::NOT_FOUND,
        Sought::Wrong(..) => StatusCode::UNPROCESSABLE_ENTITY,
        Sought::Nothing | Sought::Unit(_) => StatusCode::OK,
    };
    if telling == Telling::Document {
        return Ok((status, Json(story.clone())).into_response());
    }
    let lots = story["warned_lots"].as_array().map_or(&[][..], Vec::as_slice);
    let named = |lot: &Value| {
        Some(Lot { number: String::from(lot["lot"].as_str()?), why: why(&lot["quality_name"]) })
    };
    let total = story["warned_lots_total"].as_u64().unwrap_or(0);
    let more = usize::try_from(total).unwrap_or(usize::MAX).saturating_sub(lots.len());
    let (asked, problem) = match sought {
        Sought::Missing(lot) => (lot.as_str(), ""),
        Sought::Wrong(lot, why) => (lot.as_str(), why.as_str()),
        Sought::Nothing | Sought::Unit(_) => ("", ""),
    };
    let page = Page {
        frame: Frame::around(app, telling, code),
        gtin: story["gtin"].as_str().unwrap_or(code),
        form: format!("{}{}", telling.door(), encoded(code)),
        product: story["product"]["name"].as_str().unwrap_or("产品"),
        facts: facts(story),
        recalled: story["state"] == "recalled",
        unnamed: lots.iter().any(|lot| lot["lot"].is_null()),
        lots: lots.iter().filter_map(named).collect(),
        more,
        asked,
        problem,
    };
    Ok((status, Html(page.render().map_err(Problem::internal)?)).into_response())
}

/// A 质量状态 as people say it of what they hold.
fn why(quality: &Value) -> &'static str {
    match quality.as_str().unwrap_or_default() {
        "召回" => "已召回",
        "不合格" => "检测不合格",
        "冻结" => "停止销售",
        "销毁" => "责令销毁",
        _ => "待检，暂停流通",
    }
}

fn facts(story: &Value) -> Vec<(&'static str, String)> {
    let (product, maker) = (&story["product"], &story["maker"]);
    let all = [
        ("品牌", &product["brand"]),
        ("规格", &product["spec"]),
        ("执行标准", &product["standard_no"]),
        ("责任主体", &maker["name"]),
        ("所在地", &maker["region_name"]),
    ];
    let told = all.into_iter().filter_map(|(label, value)| {
        value.as_str().filter(|text| !text.is_empty()).map(|text| (label, String::from(text)))
    });
    told.collect()
}
