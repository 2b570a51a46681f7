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
use yj_model::{
    Gs1Data, Quantity, Scheme, TraceCode, UnitCode, bare_code, candidates, sought_code, why_not,
};
use yj_product::ProductBrief;
use yj_subject::SubjectBrief;

use crate::{
    balance::{LinkRole, Object, Objects},
    handover::{self, Hands},
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
    /// 1 至 200 个：追溯码、其网址，或 GS1 数字链接、元素串、EPC（`/01/…/10/…`、`(01)…(10)…`、`/00/…`）
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
    let read = resolve(tx, &subject, &scan.codes).await?;
    let codes: BTreeSet<&str> =
        read.iter().flat_map(|one| one.codes.iter().map(String::as_str)).collect();
    let behind = Behind::load(ctx, tx, (scan, &subject), &codes).await?;
    let found = scan.codes.iter().zip(&read).map(|(text, read)| {
        let (exact, of_lot) = read.codes.split_at(read.exact);
        let known = behind.best(exact).or_else(|| behind.best(of_lot));
        // What is wrong with a text is said of it alone, whatever stands behind it.
        let problem = read.problem.clone().filter(|_| known.is_none());
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

/// What a scanned text may mean.
#[derive(Default)]
struct Meant {
    /// The code itself, as units are registered under it.
    codes: Vec<String>,
    /// A product's GTIN with the lot and the serial number that name a unit of it.
    item: Option<Item>,
    /// What is wrong with the text where nothing is behind it.
    problem: Option<String>,
}

struct Item {
    gtin: String,
    lot: Option<String>,
    serial: Option<String>,
}

fn meaning(text: &str) -> Meant {
    if text.chars().count() > TEXT_MAX {
        let problem = format!("扫到的内容过长，应不超过 {TEXT_MAX} 个字");
        return Meant { problem: Some(problem), ..Meant::default() };
    }
    let bare = bare_code(text).unwrap_or_default();
    let readings = candidates(&bare);
    let mut meant = Meant::default();
    let code = bare.parse::<TraceCode>();
    meant.codes.extend(code.as_ref().map(ToString::to_string));
    let gs1 = readings.iter().find(|one| one.scheme == Scheme::Gs1);
    if let Some(reading) = gs1 {
        let part = |name: &str| reading.part(name).map(String::from);
        meant.codes.extend(sought_code(text).ok().map(|code| code.to_string()));
        meant.codes.extend(part("sscc"));
        meant.item =
            part("gtin").map(|gtin| Item { gtin, lot: part("lot"), serial: part("serial") });
    }
    let own = readings.iter().filter(|one| one.scheme == Scheme::Own);
    meant.codes.extend(own.map(|one| one.canonical.clone()));
    meant.problem = match &meant.item {
        Some(Item { lot: None, serial: None, .. }) => {
            Some(String::from("只有商品条码，不能确定是哪一批；请扫带批次号或序列号的追溯码"))
        }
        None if readings.is_empty() && is_of_gs1(&bare) => Some(why_not(&bare).to_string()),
        _ => None,
    };
    let no_unit = gs1.is_some_and(|reading| reading.part("sscc").is_none()) && code.is_err();
    let nothing = meant.codes.is_empty() || no_unit;
    if nothing && meant.item.is_none() && meant.problem.is_none() {
        meant.problem = match gs1 {
            Some(_) => Some(String::from("此标识不是商品或物流单元；请扫带批次号或序列号的追溯码")),
            None => code.err().map(|error| error.to_string()),
        };
    }
    meant
}

/// Whether a text was meant to be of GS1: then what is wrong with it can be told. So is what a reader
/// sends without brackets, and the bare number of an item or of a logistic unit.
fn is_of_gs1(text: &str) -> bool {
    let begins = ["/", "(", "]", "^", "urn:epc:", "http://", "https://"];
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    begins.iter().any(|mark| text.starts_with(mark))
        || digits && matches!(text.len(), 8 | 12 | 13 | 14 | 18)
        || Gs1Data::read(text).is_some()
}

/// What one scanned text leads to.
struct Led {
    /// Codes of units, those most likely meant first.
    codes: Vec<String>,
    /// How many of them a serial number names itself; the others are of its lot.
    exact: usize,
    problem: Option<String>,
}

/// Units of one lot that are looked at: those that the subject holds first, then the newest.
const UNITS_MAX: i64 = 20;

/// The units that scanned texts may mean: those registered under the text itself, and those of the
/// product and lot that a GS1 key names.
async fn resolve(tx: &mut Tx, subject: &SubjectBrief, texts: &[String]) -> Result<Vec<Led>> {
    let meant: Vec<Meant> = texts.iter().map(|text| meaning(text)).collect();
    let items = || meant.iter().filter_map(|one| one.item.as_ref());
    let gtins: BTreeSet<&str> = items().map(|item| item.gtin.as_str()).collect();
    let gtins: Vec<&str> = gtins.into_iter().collect();
    let products = yj_product::by_gtins(tx, &gtins).await?;
    let query = |item: &Item| {
        let product = products.get(&item.gtin).map_or("", |product| product.id.as_str());
        let of_product = |sql: &mut Sql, rank: &str| {
            sql.push("SELECT code, id, ").push(rank).push(" AS place FROM trace_object");
            sql.push(" WHERE product_id = ").bind(product);
        };
        let (lot, serial) = (item.lot.as_deref(), item.serial.as_deref());
        let of_lot = |sql: &mut Sql| {
            sql.push(" AND lot = ").bind(lot.unwrap_or_default());
            sql.push(" ORDER BY id DESC LIMIT ").bind(UNITS_MAX);
        };
        let mut sql = Sql::new("SELECT code FROM (");
        of_product(&mut sql, "0");
        sql.push(" AND code = ").bind(serial.unwrap_or_default());
        sql.push(" UNION ALL SELECT * FROM (");
        of_product(&mut sql, "1");
        sql.push(" AND subject_id = ").bind(subject.id.as_str());
        of_lot(&mut sql);
        sql.push(") own UNION ALL SELECT * FROM (");
        of_product(&mut sql, "2");
        of_lot(&mut sql);
        sql.push(") all_of_lot) units GROUP BY code ORDER BY MIN(place), MIN(id) DESC LIMIT ");
        sql.bind(UNITS_MAX);
        sql
    };
    let mut answers = tx.fetch_all(items().map(query).collect()).await?.into_iter();
    let mut led = Vec::with_capacity(meant.len());
    for one in meant {
        let mut codes = one.codes;
        let mut exact = 0;
        if let Some(item) = one.item {
            let serial = item.serial.as_deref();
            // Another single piece of the lot is not the one that was scanned.
            let may_be = |code: &str| {
                serial.is_none_or(|serial| code == serial || !story::names_piece(code))
            };
            exact = if serial.is_some() { codes.len() } else { 0 };
            for row in answers.next().unwrap_or_default() {
                let code = row.text(0)?;
                exact += usize::from(serial == Some(code));
                codes.extend(may_be(code).then(|| String::from(code)));
            }
        }
        led.push(Led { codes, exact, problem: one.problem });
    }
    Ok(led)
}

/// What stands in the database behind the codes.
struct Behind<'a> {
    knowledge: Knowledge<'a>,
    subject: &'a SubjectBrief,
    objects: Objects,
    /// As they stand now, by the identifiers objects have.
    holders: BTreeMap<String, SubjectBrief>,
    products: BTreeMap<String, ProductBrief>,
    /// What was given of them, and what of it was taken.
    hands: Hands,
    /// Unix ms.
    now: i64,
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
        let holders: BTreeSet<&str> = objects.values().flat_map(Object::parties).collect();
        let holders: Vec<&str> = holders.into_iter().collect();
        let holders = yj_subject::heirs(tx, &holders).await?;
        let products: BTreeSet<&str> =
            objects.values().filter_map(|one| one.product_id.as_deref()).collect();
        let products: Vec<&str> = products.into_iter().collect();
        let products = yj_product::by_ids(tx, &products).await?;
        let hands = handover::load(tx, &codes).await?;
        let touched = tx.fetch(touching(ctx, tx, &codes)).await?;
        let recalled = tx.fetch(recalling(&codes)).await?;
        Ok(Self {
            knowledge: Knowledge::of(ctx, &scan.domain),
            subject,
            objects,
            holders,
            products,
            hands,
            now: ctx.now_ms(),
            touched: texts(&touched)?,
            recalled: texts(&recalled)?,
        })
    }

    /// The unit that somebody most likely means by one of some codes: one's own before one that was
    /// handed over, and that before one of others.
    fn best(&self, codes: &[String]) -> Option<Told<'_>> {
        let told = codes.iter().filter_map(|code| self.told(code));
        told.min_by_key(|told| told.holding as u8)
    }

    fn told(&self, code: &str) -> Option<Told<'_>> {
        let (code, object) = self.objects.get_key_value(code)?;
        let within = self.knowledge.covers(object, &self.holders);
        let (holding, amount) = self.holding(code, object);
        let own =
            holding == Holding::Own && self.knowledge.covers_subject(self.subject, object.stage);
        if !within && !own && holding != Holding::Handed && !self.touched.contains(code) {
            return None;
        }
        let balance = match holding {
            Holding::Own if own => store::quantity(amount).ok(),
            Holding::Handed if !within => store::quantity(amount).ok(),
            _ => within.then_some(object.balance),
        };
        let product = object.product_id.as_ref().and_then(|id| self.products.get(id));
        let holder = self.holders.get(&object.subject_id).filter(|_| within);
        let holder = if own { Some(self.subject) } else { holder };
        Some(Told {
            code,
            holding,
            product_code: product.map(|product| product.code.as_str()),
            product_name: product.map(|product| product.name.as_str()),
            product_state: product.map(|product| product.state.code()),
            lot: object.lot.as_deref(),
            unit: object.unit,
            balance,
            state: (within || own || holding == Holding::Handed).then(|| object.state.code()),
            holder: holder.map(|holder| holder.name.as_str()),
            recalled: self.recalled.contains(code),
        })
    }

    /// Whose it is to the subject, and how much of it, in ten-thousandths.
    fn holding(&self, code: &str, object: &Object) -> (Holding, i64) {
        let whose = (code, self.subject.id.as_str());
        let left = || handover::left(&[&self.hands], whose, self.now, |_| true);
        let sources = handover::sources((&self.subject.id, object), None, &self.holders, left);
        let (own, given) = sources.amounts(object);
        let holder = self.holders.get(&object.subject_id).map(|holder| holder.id.as_str());
        let last = object.subject_id == self.subject.id || holder == Some(self.subject.id.as_str());
        if own > 0 || (last && given == 0) {
            (Holding::Own, own)
        } else if given > 0 {
            (Holding::Handed, given)
        } else {
            (Holding::Other, 0)
        }
    }
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
