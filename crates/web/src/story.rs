//! `/t/{code}`: the page behind every printed code (G-6.9-3, D-6.6.2). Mobile first, whole without
//! scripts, no prices, no quantities, no people.

use std::sync::Arc;

use askama::Template;
use axum::{
    Json,
    extract::{Path, RawQuery},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde_json::{Value, json};
use yj_kernel::{App, Param, Problem, Result, Route, Tx, time_text};
use yj_ledger::Ledger;
use yj_model::{TraceCode, bare_code, candidates};
use yj_product::MintedCode;
use yj_trace::Scans;

use crate::{
    certificate, class,
    class::Sought,
    embed::{self, Embedders},
    files,
    frame::Frame,
    resolver,
    resolver_find::{follow, name},
    resolver_upstream::redirect,
    telling::{Telling, wants_page},
    told::Told,
    typed::Typed,
    verify,
};

#[derive(Template)]
#[template(path = "story.html")]
struct Page<'a> {
    frame: Frame<'a>,
    code: &'a str,
    /// The unit whose proofs stand behind the page: of the code itself, or of its lot.
    unit: &'a str,
    /// The same as a part of an address.
    part: String,
    found: bool,
    state: &'a str,
    /// What stops it from being passed on.
    orders: Vec<Order>,
    /// Why it was called back, and what to do; none where it was not.
    recall: Option<(&'a str, &'a str)>,
    product: &'a str,
    facts: Vec<(&'static str, String)>,
    steps: Vec<Step>,
    anchored: usize,
    fingerprint: &'a str,
    scans: i64,
    first_scan: String,
    /// Whether the scripts of the page are in this binary.
    islands: bool,
}

impl Page<'_> {
    fn is_recalled(&self) -> bool {
        self.state == "recalled"
    }

    /// Whether a test found it unqualified, be it before the steps that are shown.
    fn is_failed(&self) -> bool {
        self.steps.iter().any(|step| step.failed)
            || self.state == "warning" && self.orders.is_empty()
    }
}

struct Order {
    kind: String,
    authority: String,
    date: String,
}

struct Step {
    stage: String,
    kind: String,
    subject: String,
    region: String,
    date: String,
    day: String,
    stage_code: String,
    verdict: String,
    failed: bool,
    /// Whether it stands in the place of what was recorded wrongly.
    corrects: bool,
    confirmed: bool,
}

/// The public routes.
pub fn routes(ledger: &Ledger, embedders: Embedders) -> Vec<Route> {
    let open = "公众扫码查询，不含价格、数量和个人信息";
    let door = Door { ledger: ledger.clone(), scans: Scans::default(), told: Told::default() };
    let (mut routes, for_proofs) = (resolver::routes(&door), ledger.clone());
    routes.extend(embed::routes(&door, embedders));
    let (for_certificates, for_certificate_proofs) = (ledger.clone(), ledger.clone());
    let by_code = door;
    routes.extend(
        [
            Route::public(
                (Method::GET, "/t/{code}"),
                open,
                "产品追溯页",
                move |app: App,
                      Typed(code): Typed,
                      RawQuery(query): RawQuery,
                      headers: HeaderMap| async move {
                    // As people type it: full-width letters are letters.
                    let code = bare_code(&code).unwrap_or(code);
                    let telling = Telling::of(&headers);
                    resolver::open(answer(&app, &by_code, (code, lot_of(query)), telling).await)
                },
            )
            .query(LOT_QUERY),
            Route::public(
                (Method::GET, "/api/v1/public/proof/{code}"),
                open,
                "公众页所示各记录的存证证明（部分披露）",
                move |app: App, Path(code): Path<String>| async move {
                    let mut tx = app.db().snapshot().await?;
                    let proofs = yj_trace::public_proofs(&for_proofs, &mut tx, &code).await?;
                    Ok::<_, Problem>(Json(proofs.ok_or(Problem::NotFound("追溯码"))?))
                },
            ),
            Route::public(
                (Method::GET, "/portal/{name}"),
                open,
                "公众页脚本",
                |_: App, Path(name): Path<String>, headers: HeaderMap| async move {
                    verify::script(&name, &headers)
                },
            ),
            Route::public(
                (Method::GET, "/c/{number}"),
                "公众核对承诺达标合格证，不含联系方式",
                "承诺达标合格证",
                move |app: App, Typed(number): Typed| async move {
                    certificate::page(&app, &for_certificates, &number).await
                },
            ),
            Route::public(
                (Method::GET, "/c/{number}/proof"),
                "公众核对承诺达标合格证的存证，不含联系方式",
                "承诺达标合格证的存证证明",
                move |app: App, Path(number): Path<String>| async move {
                    certificate::proof(&app, &for_certificate_proofs, &number).await
                },
            ),
            Route::public((Method::GET, "/portal.css"), open, "公众页样式", |_: App| async {
                style()
            }),
            verify::route(ledger),
        ],
    );
    routes
}

fn style() -> Response {
    let mut response = include_str!("../assets/portal.css").into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}

pub(crate) const LOT_QUERY: &[Param] =
    &[Param {
        name: "lot", label: "批次号：码只标明产品时，查找其中一批", required: false
    }];

/// What the form on the page of a product asks for.
pub(crate) fn lot_of(query: Option<String>) -> Option<String> {
    let query = query.unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "lot").map(|(_, lot)| lot.into_owned())
}

/// What stories are told from.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) ledger: Ledger,
    scans: Scans,
    told: Told,
}

/// The page or the document of a code: the story of a unit, or what is known of a single code, a
/// product or a location.
pub(crate) async fn answer(
    app: &App,
    door: &Door,
    (code, lot): (String, Option<String>),
    telling: Telling,
) -> Result<Response> {
    let (story, minted) = match told(app, &door.told, (&code, lot.as_deref())).await? {
        None => return missing(app, &door.ledger, &code, telling),
        Some(Answer::Void) => return void(app, &door.ledger, &code, telling),
        Some(Answer::Story(story, minted)) => (story, minted),
        Some(Answer::Class(_, Sought::Unit(unit))) => {
            let page = format!("{}{}", telling.door(), certificate::encoded(&unit));
            return redirect(&page).ok_or_else(|| Problem::internal("a code no header takes"));
        }
        Some(Answer::Class(mut story, sought)) => {
            // Whose scan it was nobody knows.
            story["scans"] = 0.into();
            story["first_scanned_at"] = "".into();
            story["chain_fingerprint"] = fingerprint(&door.ledger).into();
            return class::page(app, (&code, &story), &sought, telling);
        }
    };
    let (scans, first_scan) = if telling == Telling::Embedded {
        // Who reads the page of a shop holds nothing in hand yet.
        (0, None)
    } else if let Some(minted) = &minted {
        yj_product::count_code_scan(app, minted).await?
    } else {
        // One unit has one count, however its code is spelled.
        let scan = door.scans.count(app, story["code"].as_str().unwrap_or(&code)).await?;
        (scan.count, scan.first.map(time_text).transpose()?)
    };
    let first_scan = first_scan.and_then(|time| time.as_str().map(String::from));
    let first_scan = first_scan.unwrap_or_default();
    let fingerprint = fingerprint(&door.ledger);
    if telling == Telling::Document {
        let mut body = Arc::unwrap_or_clone(story);
        body["scans"] = scans.into();
        body["first_scanned_at"] = first_scan.into();
        body["chain_fingerprint"] = fingerprint.into();
        return Ok(Json(body).into_response());
    }
    let page = page(app, (&code, telling), Some(&story), (&fingerprint, scans, first_scan));
    Ok(Html(page.render().map_err(Problem::internal)?).into_response())
}

/// What there is to tell.
enum Answer {
    /// Of a unit or a location, or of a code of a batch.
    Story(Arc<Value>, Option<Box<MintedCode>>),
    /// Of a product, and of the lot that was looked for.
    Class(Value, Sought),
    /// Of a code that its issuer made void: nothing but that.
    Void,
}

/// What there is to tell of a code, and the code of a batch that it is.
async fn told(app: &App, told: &Told, (code, lot): (&str, Option<&str>)) -> Result<Option<Answer>> {
    let readings = candidates(code);
    if let Some(story) = told.again(app, (code, &readings)).await? {
        return Ok(Some(Answer::Story(story, None)));
    }
    let mut tx = app.db().snapshot().await?;
    let known = code.parse::<TraceCode>().ok();
    let text = known.as_ref().map_or(code, TraceCode::as_str);
    let named = name(app, &mut tx, (text, &readings)).await?;
    if let Some(unit) = named.unit()
        && let Some(story) = told.stories.tell(&mut tx, unit).await?
    {
        let lot = named.product_of_piece(&readings).zip(story["lot"].as_str());
        let story = match lot.filter(|_| story["state"] != "recalled") {
            Some(lot) => with_recall_of_lot(app, (&mut tx, told), (unit, lot), &story).await?,
            None => None,
        }
        .unwrap_or(story);
        return Ok(Some(Answer::Story(story, None)));
    }
    let found = follow(app, &mut tx, (named, &readings)).await?;
    if found.is_void {
        return Ok(Some(Answer::Void));
    }
    let Some(own) = found.story(code) else { return Ok(None) };
    if let Some(product) = found.class() {
        let sought = class::seek(app, &mut tx, (product, lot)).await?;
        return Ok(Some(Answer::Class(class::story(&mut tx, own, product).await?, sought)));
    }
    // Where its lot has a story, that is the code's story too.
    let of_lot = match &found.unit {
        Some(unit) => told.stories.tell(&mut tx, unit).await?,
        None => None,
    };
    let mut story = own.clone();
    if let Some(of_lot) = of_lot {
        let mut of_lot = Arc::unwrap_or_clone(of_lot);
        of_lot["unit"] = of_lot["code"].clone();
        of_lot["code"] = code.into();
        if own["state"] == "recalled" && of_lot["state"] != "recalled" {
            of_lot["state"] = own["state"].clone();
            of_lot["recall"] = own["recall"].clone();
        }
        for name in ["produced_on", "expires_on"] {
            of_lot[name] = own[name].clone();
        }
        story = of_lot;
    }
    Ok(Some(Answer::Story(Arc::new(story), found.minted.map(Box::new))))
}

/// The story of a single piece, which is not recalled itself, where its lot was recalled as a whole.
async fn with_recall_of_lot(
    app: &App,
    (tx, told): (&mut Tx, &Told),
    (unit, (product, lot)): (&str, (&str, &str)),
    story: &Value,
) -> Result<Option<Arc<Value>>> {
    let of_lot = yj_trace::unit_of_lot(app, tx, (product, Some(lot))).await?.unit;
    let Some(of_lot) = of_lot.filter(|one| one != unit) else { return Ok(None) };
    let Some(of_lot) = told.stories.tell(tx, &of_lot).await? else { return Ok(None) };
    if of_lot["state"] != "recalled" {
        return Ok(None);
    }
    let mut story = story.clone();
    story["state"] = of_lot["state"].clone();
    story["recall"] = of_lot["recall"].clone();
    Ok(Some(Arc::new(story)))
}

/// The one answer for what is unknown and for what is not public.
pub(crate) fn missing(
    app: &App,
    ledger: &Ledger,
    code: &str,
    telling: Telling,
) -> Result<Response> {
    let fingerprint = fingerprint(ledger);
    if telling == Telling::Document {
        let body = json!({
            "code": code, "state": "not_found", "scans": 0, "first_scanned_at": "",
            "chain_fingerprint": fingerprint,
        });
        return Ok((StatusCode::NOT_FOUND, Json(body)).into_response());
    }
    let page = page(app, (code, telling), None, (&fingerprint, 0, String::new()));
    let html = page.render().map_err(Problem::internal)?;
    Ok((StatusCode::NOT_FOUND, Html(html)).into_response())
}

#[derive(Template)]
#[template(path = "void.html")]
struct Void<'a> {
    frame: Frame<'a>,
    code: &'a str,
}

/// The answer for a code that its issuer made void: who made it so and why is not for everybody.
pub(crate) fn void(app: &App, ledger: &Ledger, code: &str, telling: Telling) -> Result<Response> {
    if telling == Telling::Document {
        let body = json!({
            "code": code, "state": "void", "state_name": "此码已由赋码主体作废", "scans": 0,
            "first_scanned_at": "", "chain_fingerprint": fingerprint(ledger),
        });
        return Ok((StatusCode::GONE, Json(body)).into_response());
    }
    let html = Void { frame: Frame::around(app, telling, code), code }
        .render()
        .map_err(Problem::internal)?;
    Ok((StatusCode::GONE, Html(html)).into_response())
}

#[derive(Template)]
#[template(path = "malformed.html")]
struct Malformed<'a> {
    frame: Frame<'a>,
    code: &'a str,
    detail: &'a str,
}

/// What is wrong with a text that is no identifier: a page for whoever asks for one by name, the
/// problem for everybody else.
pub(crate) fn malformed(
    app: &App,
    code: &str,
    (detail, problem): (&str, Problem),
    headers: &HeaderMap,
) -> Result<Response> {
    if !wants_page(headers) {
        return Err(problem);
    }
    let (_, status, _) = problem.class();
    let html = Malformed { frame: Frame::of(app), code, detail }.render();
    Ok((status, Html(html.map_err(Problem::internal)?)).into_response())
}

/// Of this platform's chain.
pub(crate) fn fingerprint(ledger: &Ledger) -> String {
    let (_, chain) = ledger.genesis();
    chain.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn page<'a>(
    app: &'a App,
    (code, telling): (&'a str, Telling),
    story: Option<&'a Value>,
    (fingerprint, scans, first_scan): (&'a str, i64, String),
) -> Page<'a> {
    let null = &Value::Null;
    let story = story.unwrap_or(null);
    let product = &story["product"];
    let fact = |label, value: &Value| {
        value.as_str().filter(|text| !text.is_empty()).map(|text| (label, String::from(text)))
    };
    let facts = [
        fact("品牌", &product["brand"]),
        fact("规格", &product["spec"]),
        fact("执行标准", &product["standard_no"]),
        fact("批次号", &story["lot"]),
        fact("生产日期", &story["produced_on"]),
        fact("有效期至", &story["expires_on"]),
    ];
    let steps: Vec<Step> = story["steps"].as_array().into_iter().flatten().map(step).collect();
    Page {
        frame: Frame::around(app, telling, code),
        code,
        unit: story["unit"].as_str().unwrap_or(code),
        part: certificate::encoded(story["unit"].as_str().unwrap_or(code)),
        found: !story.is_null(),
        state: story["state"].as_str().unwrap_or_default(),
        orders: story["orders"].as_array().into_iter().flatten().map(order).collect(),
        recall: story["recall"]["reason"]
            .as_str()
            .map(|reason| (reason, story["recall"]["advice"].as_str().unwrap_or_default())),
        product: product["name"].as_str().unwrap_or_else(|| nameless(code)),
        facts: facts.into_iter().flatten().collect(),
        anchored: steps.iter().filter(|step| step.confirmed).count(),
        steps,
        fingerprint,
        scans,
        islands: telling == Telling::Page && files::has_portal(),
        first_scan: first_scan.get(..16).unwrap_or_default().replace('T', " "),
    }
}

/// What stands where no product is known: a logistic unit may hold many.
fn nameless(code: &str) -> &'static str {
    let readings = candidates(code);
    let is_logistic = readings.first().is_some_and(|reading| reading.part("sscc").is_some());
    if is_logistic { "物流单元" } else { "产品" }
}

fn order(value: &Value) -> Order {
    let text = |name: &str| String::from(value[name].as_str().unwrap_or_default());
    Order {
        kind: text("kind_name"),
        authority: text("authority"),
        date: spoken(value["date"].as_str().unwrap_or_default()),
    }
}

fn step(value: &Value) -> Step {
    let text = |name: &str| String::from(value[name].as_str().unwrap_or_default());
    Step {
        stage: text("stage_name"),
        kind: text("type_name"),
        subject: text("subject"),
        region: text("region_name"),
        date: spoken(value["date"].as_str().unwrap_or_default()),
        day: text("date"),
        stage_code: text("stage"),
        verdict: text("verdict"),
        failed: value["verdict"] == "不合格",
        corrects: value["corrects"] == true,
        confirmed: value["anchor"] == "confirmed",
    }
}

/// `2026-11-02` as people say it.
pub(crate) fn spoken(date: &str) -> String {
    let mut parts = date.split('-').map(|part| part.trim_start_matches('0'));
    match (parts.next(), parts.next(), parts.next()) {
        (Some(year), Some(month), Some(day)) => format!("{year} 年 {month} 月 {day} 日"),
        _ => String::from(date),
    }
}
