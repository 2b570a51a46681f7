//! 导入: files of trace events by the templates of their domain packs, and 行业报文. In a file, one row is
//! one event with at most one thing in and one thing out.

mod export;
mod intake;
mod known;
mod layout;
mod map_bill;
mod map_meat;
mod map_waybill;
mod messages;
mod reception;
mod telling;
mod work;

use axum::{
    Json,
    extract::{Path, RawQuery, Request},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use yj_domain::{EventType, Pack};
use yj_kernel::{
    Access, Ctx, JobKind, JobRun, Outcome, Param, Problem, Result, Route, Shape, Tx, audit,
    jobs::{self, NewJob, SheetRow},
    transfer,
};
use yj_ledger::Ledger;
use yj_sheet::Form;

use self::{
    intake::{FILE_BYTES_MAX, Wanted},
    layout::Layout,
    messages::Door,
};

/// The background work of this crate.
pub const JOBS: [JobKind; 1] = [JobKind {
    name: "trace.import",
    title: "导入追溯事件",
    permission: |_| String::from("trace:capture"),
    run: |run| -> BoxFuture<'static, Result<Value>> { Box::pin(import(run)) },
    row: Some(import_row),
}];

async fn import(run: JobRun) -> Result<Value> {
    if run.params["parts"].is_array() { work::run(&run).await } else { work::run_whole(&run).await }
}

fn import_row<'a>(
    ctx: &'a Ctx,
    tx: &'a mut Tx,
    row: SheetRow<'a>,
) -> BoxFuture<'a, Result<Outcome>> {
    Box::pin(work::row_outcome(ctx, tx, row))
}

const QUERY: &[Param] = &[
    Param { name: "domain", label: "领域；表格必填", required: false },
    Param {
        name: "type", label: "事件类型；不填则由工作表名称与列名识别", required: false
    },
    Param { name: "stage", label: "环节；按环节模板导入时填写", required: false },
    Param {
        name: "message",
        label: "行业报文：meat-vegetable、drug-bill 或 waybill",
        required: false,
    },
    Param { name: "name", label: "文件名", required: false },
];

/// Templates, import and messages.
pub(crate) fn routes(ledger: &Ledger) -> Vec<Route> {
    let template = |ctx: Ctx, Path((domain, kind)): Path<(String, String)>| async move {
        let (kind, csv) = format_of(&kind);
        let layout = layouts(&ctx, (&domain, Some(kind), None)).await?.remove(0);
        let form = layout.form();
        let name = format!("{}导入模板", form.title);
        file(&name, &[form], csv)
    };
    let of_stage = |ctx: Ctx, Path((domain, stage)): Path<(String, String)>| async move {
        let stage = stage.strip_suffix(".xlsx").unwrap_or(&stage);
        let layouts = layouts(&ctx, (&domain, None, Some(stage))).await?;
        let label =
            yj_model::Stage::from_code(stage).map(yj_model::Stage::label).unwrap_or_default();
        let forms: Vec<_> = layouts.iter().map(Layout::form).collect();
        file(&format!("{label}导入模板"), &forms, false)
    };
    let queue = |ctx: Ctx, RawQuery(query): RawQuery, request: Request| async move {
        queue(&ctx, &query.unwrap_or_default(), request).await
    };
    let out = |ctx: Ctx, RawQuery(query): RawQuery| async move {
        export::sheet(&ctx, &query.unwrap_or_default()).await
    };
    let may = || Access::permission("trace:capture");
    let mut routes = reception::routes(ledger);
    routes.extend([
        Route::new(
            (Method::GET, "/api/v1/trace/templates/{domain}/{type}"),
            may(),
            "采集导入模板",
            template,
        )
        .gives(Shape::Bytes(transfer::XLSX)),
        Route::new(
            (Method::GET, "/api/v1/trace/templates/{domain}/stages/{stage}"),
            may(),
            "环节的采集导入模板",
            of_stage,
        )
        .gives(Shape::Bytes(transfer::XLSX)),
        Route::new(
            (Method::GET, "/api/v1/trace/events/sheet"),
            Access::permission("trace:read"),
            "按模板的列导出追溯事件",
            out,
        )
        .query(export::QUERY)
        .gives(Shape::Bytes(transfer::XLSX)),
        Route::new((Method::POST, "/api/v1/trace/imports"), may(), "导入追溯事件", queue)
            .query(QUERY)
            .takes(Shape::Bytes("application/octet-stream"))
            .body_max(FILE_BYTES_MAX),
    ]);
    routes
}

/// The event type that a file's name names, and whether it is to be CSV.
fn format_of(name: &str) -> (&str, bool) {
    match name.strip_suffix(".csv") {
        Some(kind) => (kind, true),
        None => (name.strip_suffix(".xlsx").unwrap_or(name), false),
    }
}

fn file(name: &str, forms: &[Form], csv: bool) -> Result<Response> {
    let (bytes, ending, media) = written(forms, (csv, true))?;
    Ok(transfer::download(&format!("{name}.{ending}"), media, bytes.into()))
}

/// Forms as a file, with its ending and its media type; of several, only a workbook holds them.
fn written(
    forms: &[Form],
    (csv, example): (bool, bool),
) -> Result<(Vec<u8>, &'static str, &'static str)> {
    let (bytes, ending, media) = match forms {
        [form] if csv => {
            (yj_sheet::write_form_csv(form, example), "csv", "text/csv; charset=utf-8")
        }
        forms => (yj_sheet::write_forms(forms, example), "xlsx", transfer::XLSX),
    };
    Ok((bytes.map_err(Problem::internal)?, ending, media))
}

/// The columns of the event types that may be recorded today: one, those of a stage, or all.
async fn layouts(
    ctx: &Ctx,
    (domain, kind, stage): (&str, Option<&str>, Option<&str>),
) -> Result<Vec<Layout>> {
    let mut tx = ctx.snapshot().await?;
    let domains = yj_domain::current(&mut tx).await?;
    drop(tx);
    let pack = domains.in_force(domain, ctx.today()).ok_or(Problem::NotFound("领域"))?;
    let fits = |of: &str, code: &str| {
        kind.is_none_or(|kind| kind == code) && stage.is_none_or(|stage| stage == of)
    };
    let found = types(pack, fits);
    if found.is_empty() {
        return Err(Problem::NotFound(if kind.is_some() { "事件类型" } else { "环节" }));
    }
    Ok(found.into_iter().map(Layout::of).collect())
}

fn types(pack: &std::sync::Arc<Pack>, fits: impl Fn(&str, &str) -> bool) -> Vec<EventType> {
    let wanted = pack.events().filter(|(stage, event)| fits(stage, &event.code));
    wanted.filter_map(|(_, event)| EventType::find(pack, &event.code)).collect()
}

async fn queue(ctx: &Ctx, query: &str, request: Request) -> Result<Response> {
    let parameter = |wanted: &str| {
        let found = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted);
        found.map(|(_, text)| text.into_owned()).filter(|text| !text.is_empty())
    };
    let (domain, kind) = (parameter("domain"), parameter("type"));
    let (stage, message) = (parameter("stage"), parameter("message"));
    let (wanted, title) = if let Some(code) = &message {
        let door = Door::find(code).ok_or(Problem::NotFound("报文类型"))?;
        (Wanted::Message(door), String::from(door.label()))
    } else {
        let domain = domain.as_deref().unwrap_or_default();
        let layouts = layouts(ctx, (domain, kind.as_deref(), stage.as_deref())).await?;
        let title = match layouts.as_slice() {
            [only] => only.spec().name.clone(),
            _ => String::from("追溯事件"),
        };
        (Wanted::Events(layouts), title)
    };
    let name = parameter("name").unwrap_or_else(|| title.clone());
    let taken = intake::take_in(ctx, (wanted, &name), request).await?;
    let part = |(file, rows): &(String, usize)| json!({ "file": file, "rows": rows });
    let params = json!({
        "domain": domain, "type": kind, "stage": stage, "message": message, "rows": taken.rows,
        "parts": taken.parts.iter().map(part).collect::<Vec<_>>(),
        "sheets": taken.sheets.iter().map(intake::SheetOf::json).collect::<Vec<_>>(),
    });
    let mut tx = ctx.begin().await?;
    let title = format!("导入{title}：{name}");
    let new = NewJob { kind: "trace.import", title: &title, params: &params, rows: None };
    let id = jobs::enqueue(ctx, &mut tx, new).await?;
    let body = json!({ "kind": "trace.import", "title": title, "rows": taken.rows });
    audit::write(ctx, &mut tx, audit::Entry { action: "queued", entity: "job", record: &id, body });
    tx.commit().await?;
    jobs::wake(ctx.app());
    Ok((StatusCode::ACCEPTED, Json(json!({ "job": id }))).into_response())
}
