//! 扫码 (G-6.4.1): what whoever scans may know of the codes before them, many in one request.
//!
//! A code is told of where its batch is held within reach, where its holder gave it to the subject
//! that scans, or where an event within reach used it up or put it out. Of everything else the answer says that it
//! is not known, whether it exists or not: a trace code is no secret, and what is behind it may be.

use std::collections::{BTreeMap, BTreeSet};

use axum::{Json, http::Method};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use yj_kernel::{
    Access, Body, Columns, Ctx, Place, Problem, Reach, Result, Route, Row, Shape, Sql, Tx, audit,
};
use yj_model::{DigitalLink, Quantity, TraceCode, UnitCode};
use yj_product::ProductBrief;
use yj_subject::SubjectBrief;

use crate::{
    balance::{LinkRole, Object, Objects},
    handover::{self, Handed},
    knowledge::Knowledge,
    query::{self, EVENT_COLUMNS},
    store, story,
};

/// Codes of one request.
const CODES_MAX: usize = 200;
/// Longest text a scanner may have read.
const TEXT_MAX: usize = 256;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Scan {
    /// 为哪个主体扫码，主体代码
    subject: String,
    /// 领域代码，如 agri
    domain: String,
    /// 1 至 200 个：追溯码，或 GS1 数字链接的路径（`/01/…/10/…`、`/00/…`）
    codes: Vec<String>,
}

/// 归属: whose a batch is, to the subject that scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Holding {
    /// 本主体持有
    Own,
    /// 持有者已交给本主体
    Handed,
    /// 由其他主体持有
    Other,
}

/// One scanned code, as whoever scans may know it.
#[derive(Serialize)]
struct Found<'a> {
    scanned: &'a str,
    known: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(flatten)]
    unit: Option<Told<'a>>,
}

/// What is told of a trace object.
#[derive(Serialize)]
struct Told<'a> {
    code: &'a str,
    holding: Holding,
    product_code: Option<&'a str>,
    product_name: Option<&'a str>,
    /// `active`, `suspended` or `recalling`.
    product_state: Option<&'static str>,
    lot: Option<&'a str>,
    unit: UnitCode,
    /// 结存; of what was handed over the quantity that was; of others' nothing.
    balance: Option<Quantity>,
    state: Option<&'static str>,
    /// Who holds it, where that is within reach.
    holder: Option<&'a str>,
    recalled: bool,
}

/// The routes of scanning.
pub(crate) fn routes() -> Vec<Route> {
    let look = |ctx: Ctx, Body(body): Body<Scan>| async move {
        let mut tx = ctx.snapshot().await?;
        let answer = look_up(&ctx, &mut tx, &body).await?;
        drop(tx);
        let rows = answer["items"].as_array().map_or(0, Vec::len);
        audit::note_use(&ctx, "trace_object", ("scan", rows)).await?;
        Ok::<_, Problem>(Json(answer))
    };
    let path = (Method::POST, "/api/v1/trace/scan");
    vec![
        Route::new(path, Access::permission(String::from("trace:read")), "扫码查询追溯单元", look)
            .takes(Shape::of::<Scan>()),
    ]
}

async fn look_up(ctx: &Ctx, tx: &mut Tx, scan: &Scan) -> Result<Value> {
    if !(1..=CODES_MAX).contains(&scan.codes.len()) {
        let detail = format!("应为 1 至 {CODES_MAX} 个，现为 {} 个", scan.codes.len());
        return Err(Problem::invalid("codes", detail));
    }
    let subject = subject(ctx, tx, scan).await?;
    let mut read = Vec::with_capacity(scan.codes.len());
    for text in &scan.codes {
        read.push(resolve(tx, text).await?);
    }
    let codes: BTreeSet<&str> =
        read.iter().filter_map(|one| one.as_ref().ok()?.as_deref()).collect();
    let behind = Behind::load(ctx, tx, (scan, &subject), &codes).await?;
    let found = scan.codes.iter().zip(&read).map(|(text, read)| {
        let known = read.as_ref().ok().and_then(|code| behind.told(code.as_deref()?));
        let problem = read.as_ref().err().cloned();
        Found { scanned: text, known: known.is_some(), problem, unit: known }
    });
    let items = serde_json::to_value(found.collect::<Vec<_>>()).map_err(Problem::internal)?;
    Ok(json!({ "items": items }))
}

/// Who scans; the words are those of capture.
async fn subject(ctx: &Ctx, tx: &mut Tx, scan: &Scan) -> Result<SubjectBrief> {
    let found = yj_subject::by_codes(tx, &[&scan.subject]).await?.into_values().next();
    let reach = |subject: &SubjectBrief| {
        let place = Place {
            region: Some(&subject.region),
            subject: Some(&subject.id),
            category: Some(&scan.domain),
            ..Place::default()
        };
        ctx.scope().covers(&Columns { stage: Reach::Every, ..EVENT_COLUMNS }, &place)
    };
    found.filter(reach).ok_or_else(|| {
        let detail = format!("主体 {} 没有登记，或不在您的数据权限范围内", scan.subject);
        Problem::invalid("subject", detail)
    })
}

/// The code that a scanned text means; `None` where nothing is behind a link, the reason where the
/// text means no trace object at all.
async fn resolve(tx: &mut Tx, text: &str) -> Result<std::result::Result<Option<String>, String>> {
    if text.chars().count() > TEXT_MAX {
        return Ok(Err(format!("扫到的内容过长，应不超过 {TEXT_MAX} 个字")));
    }
    if !text.starts_with('/') {
        let code = text.parse::<TraceCode>();
        return Ok(code.map(|code| Some(code.to_string())).map_err(|error| error.to_string()));
    }
    match DigitalLink::parse_path(text) {
        Err(error) => Ok(Err(error.to_string())),
        Ok(DigitalLink::LogisticUnit(sscc)) => Ok(Ok(Some(sscc.to_string()))),
        Ok(DigitalLink::TradeItem { lot: None, serial: None, .. }) => {
            Ok(Err(String::from("只有商品条码，不能确定是哪一批；请扫带批次号或序列号的追溯码")))
        }
        Ok(DigitalLink::TradeItem { gtin, lot, serial, .. }) => {
            let code = story::code_of(tx, gtin.as_str(), lot.as_deref(), serial.as_deref());
            Ok(Ok(code.await?))
        }
    }
}

/// What stands in the database behind the codes.
struct Behind<'a> {
    knowledge: Knowledge<'a>,
    subject: &'a SubjectBrief,
    objects: Objects,
    /// As they stand now, by the identifiers objects have.
    holders: BTreeMap<String, SubjectBrief>,
    products: BTreeMap<String, ProductBrief>,
    /// What was given to the subject, and how much of it.
    handed: BTreeMap<String, Quantity>,
    /// Codes that events within reach used up or put out.
    touched: BTreeSet<String>,
    recalled: BTreeSet<String>,
}

impl<'a> Behind<'a> {
    async fn load(
        ctx: &Ctx,
        tx: &mut Tx,
        (scan, subject): (&'a Scan, &'a SubjectBrief),
        codes: &BTreeSet<&str>,
    ) -> Result<Self> {
        let codes: Vec<&str> = codes.iter().copied().collect();
        let objects = store::read_objects(tx, &codes).await?;
        let holders: Vec<&str> = objects.values().map(|one| one.subject_id.as_str()).collect();
        let holders = yj_subject::heirs(tx, &holders).await?;
        let products: BTreeSet<&str> =
            objects.values().filter_map(|one| one.product_id.as_deref()).collect();
        let products: Vec<&str> = products.into_iter().collect();
        let products = yj_product::by_ids(tx, &products).await?;
        let domains = yj_domain::current(tx).await?;
        let given = tx.fetch(handover::query(&codes)).await?;
        let given = handover::read(&domains, &given)?;
        let handed = quantities(tx, (subject, &objects), given).await?;
        let touched = tx.fetch(touching(ctx, tx, &codes)).await?;
        let recalled = tx.fetch(recalling(&codes)).await?;
        Ok(Self {
            knowledge: Knowledge::of(ctx, &scan.domain),
            subject,
            objects,
            holders,
            products,
            handed,
            touched: texts(&touched)?,
            recalled: texts(&recalled)?,
        })
    }

    fn told(&self, code: &str) -> Option<Told<'_>> {
        let (code, object) = self.objects.get_key_value(code)?;
        let within = self.knowledge.covers(object, &self.holders);
        let holding = self.holding(code, object);
        if !within && holding != Holding::Handed && !self.touched.contains(code) {
            return None;
        }
        let balance = match holding {
            Holding::Handed if !within => self.handed.get(code).copied(),
            _ => within.then_some(object.balance),
        };
        let product = object.product_id.as_ref().and_then(|id| self.products.get(id));
        let holder = self.holders.get(&object.subject_id).filter(|_| within);
        Some(Told {
            code,
            holding,
            product_code: product.map(|product| product.code.as_str()),
            product_name: product.map(|product| product.name.as_str()),
            product_state: product.map(|product| product.state.code()),
            lot: object.lot.as_deref(),
            unit: object.unit,
            balance,
            state: (within || holding == Holding::Handed).then(|| object.state.code()),
            holder: holder.map(|holder| holder.name.as_str()),
            recalled: self.recalled.contains(code),
        })
    }

    fn holding(&self, code: &str, object: &Object) -> Holding {
        let holder = self.holders.get(&object.subject_id).map(|holder| holder.id.as_str());
        if object.subject_id == self.subject.id || holder == Some(self.subject.id.as_str()) {
            Holding::Own
        } else if self.handed.contains_key(code) {
            Holding::Handed
        } else {
            Holding::Other
        }
    }
}

/// How much of each code its present holder gave to the subject.
async fn quantities(
    tx: &mut Tx,
    (subject, objects): (&SubjectBrief, &Objects),
    given: Vec<Handed>,
) -> Result<BTreeMap<String, Quantity>> {
    let to_subject = |one: &Handed| {
        one.receiver == subject.id
            && objects.get(&one.code).is_some_and(|object| object.subject_id == one.holder)
    };
    let given: Vec<Handed> = given.into_iter().filter(to_subject).collect();
    let mut sql = Sql::new(
        "SELECT l.event_id, o.code, l.quantity FROM trace_link l JOIN trace_object o ON o.id = l.object_id \
         WHERE l.role = ",
    );
    sql.bind(LinkRole::Output.code()).push(" AND l.event_id ");
    sql.bind_ints(given.iter().filter_map(|one| one.event));
    let mut told = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let quantity = row.int_opt(2)?.map(store::quantity).transpose()?;
        told.insert((row.int(0)?, String::from(row.text(1)?)), quantity.unwrap_or(Quantity::ZERO));
    }
    let mut sums: BTreeMap<String, Quantity> = BTreeMap::new();
    for one in given {
        let quantity = one.event.and_then(|event| told.get(&(event, one.code.clone())).copied());
        let sum = sums.entry(one.code).or_insert(Quantity::ZERO);
        *sum = sum.plus(quantity.unwrap_or(Quantity::ZERO)).unwrap_or(*sum);
    }
    Ok(sums)
}

/// The query for those of the codes that events within reach used up or put out. Who merely looked
/// at a batch learns nothing by it, for anybody may say that they did.
fn touching(ctx: &Ctx, tx: &Tx, codes: &[&str]) -> Sql {
    let mut sql = Sql::new(
        "SELECT DISTINCT o.code FROM trace_object o JOIN trace_link l ON l.object_id = o.id \
         JOIN trace_event e ON e.id = l.event_id WHERE l.role <> ",
    );
    sql.bind(LinkRole::Observed.code()).push(" AND o.code ");
    sql.bind_texts(codes.iter().copied());
    query::narrow(ctx, &mut sql, tx);
    sql
}

/// The query for those of the codes that were called back.
fn recalling(codes: &[&str]) -> Sql {
    let mut sql = Sql::new(
        "SELECT DISTINCT o.code FROM trace_object o JOIN trace_link l ON l.object_id = o.id \
         JOIN trace_event e ON e.id = l.event_id WHERE e.kind = ",
    );
    sql.bind(story::RECALL).push(" AND e.state = 'accepted' AND l.role = ");
    sql.bind(LinkRole::Observed.code()).push(" AND o.code ");
    sql.bind_texts(codes.iter().copied());
    sql
}

fn texts(rows: &[Row]) -> Result<BTreeSet<String>> {
    rows.iter().map(|row| row.text(0).map(String::from)).collect()
}
