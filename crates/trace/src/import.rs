//! Excel 导入: one template for every event type; one row is one event with at most one thing in
//! and one thing out.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, RawQuery},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use yj_domain::{
    EventSpec, EventType, InputMode,
    columns::{
        DOCUMENT, IN_CODE, IN_QUANTITY, IN_UNIT, LOT, OUT_CODE, OUT_QUANTITY, OUT_UNIT, PRODUCT,
        REGION, SUBJECT, TIME,
    },
};
use yj_kernel::{
    Access, Ctx, FieldError, JobKind, JobRun, Outcome, Param, Problem, Result, Route, Shape, Tx,
    attachment,
    jobs::{self, NewJob, SheetRow},
    transfer,
};
use yj_sheet::{Column, Sheet, Table};

use crate::{
    capture::{Captured, Source, capture_in, event_id},
    event::{Input, Output, Place, TraceEvent},
};

/// The background work of this crate.
pub const JOBS: [JobKind; 1] = [JobKind {
    name: "trace.import",
    title: "导入追溯事件",
    permission: |_| String::from("trace:capture"),
    run: |run| -> BoxFuture<'static, Result<Value>> { Box::pin(import(run)) },
    row: Some(import_row),
}];

/// Templates and import.
pub(crate) fn routes() -> Vec<Route> {
    let template = |ctx: Ctx, Path((domain, kind)): Path<(String, String)>| async move {
        let kind = kind.strip_suffix(".xlsx").unwrap_or(&kind);
        let spec = find(&ctx, (&domain, kind)).await?;
        let bytes = yj_sheet::write_xlsx(&table(&spec)).map_err(Problem::internal)?;
        Ok::<_, Problem>(transfer::download(
            &format!("{}导入模板.xlsx", spec.name),
            transfer::XLSX,
            bytes.into(),
        ))
    };
    let queue = |ctx: Ctx, RawQuery(query): RawQuery, bytes: Bytes| async move {
        queue(&ctx, &query.unwrap_or_default(), bytes).await
    };
    let may = || Access::permission("trace:capture");
    vec![
        Route::new(
            (Method::GET, "/api/v1/trace/templates/{domain}/{type}"),
            may(),
            "采集导入模板",
            template,
        )
        .gives(Shape::Bytes(transfer::XLSX)),
        Route::new((Method::POST, "/api/v1/trace/imports"), may(), "导入追溯事件", queue)
            .query(&[
                Param { name: "domain", label: "领域", required: true },
                Param { name: "type", label: "事件类型", required: true },
                Param { name: "name", label: "文件名", required: false },
            ])
            .takes(Shape::Bytes("application/octet-stream"))
            .body_max(attachment::SIZE_MAX),
    ]
}

/// The event type as it may be recorded today.
async fn find(ctx: &Ctx, name: (&str, &str)) -> Result<EventType> {
    find_in(ctx, &mut ctx.snapshot().await?, name).await
}

async fn find_in(ctx: &Ctx, tx: &mut Tx, (domain, kind): (&str, &str)) -> Result<EventType> {
    let domains = yj_domain::current(tx).await?;
    let pack = domains.in_force(domain, ctx.today());
    pack.and_then(|pack| EventType::find(pack, kind)).ok_or(Problem::NotFound("事件类型"))
}

/// The columns of an event type.
fn table(spec: &EventSpec) -> Table {
    let column = |name: &str, note: &str| Column {
        name: String::from(name),
        note: String::from(note),
        choices: Vec::new(),
    };
    let mut columns = vec![
        column(SUBJECT, "必填。18 位主体代码，或该主体的旧代码"),
        column(TIME, "必填。如 2026-11-01 08:00，北京时间"),
        column(REGION, "选填。6 位行政区划代码"),
    ];
    if spec.inputs.max > 0 {
        let must = if spec.inputs.mode == InputMode::Observe { "选填" } else { "必填" };
        columns.push(column(IN_CODE, "必填。已登记的追溯码"));
        columns.push(column(IN_QUANTITY, &format!("{must}。十进制数，至多 4 位小数")));
        columns.push(column(IN_UNIT, &format!("{must}。如 KGM 或 千克")));
    }
    if spec.outputs.max > 0 {
        columns.push(column(OUT_CODE, "必填。新的追溯码"));
        columns.push(column(OUT_QUANTITY, "必填。十进制数，至多 4 位小数"));
        columns.push(column(OUT_UNIT, "必填。如 KGM 或 千克"));
        columns.push(column(PRODUCT, "选填。已登记的产品代码；不填则沿用投入的产品"));
        columns.push(column(LOT, "选填。批次号"));
    }
    columns.push(column(DOCUMENT, "选填。凭证编号"));
    columns.extend(spec.fields.iter().map(|field| Column {
        name: field.label.clone(),
        note: format!(
            "{}。{}",
            if field.required { "必填" } else { "选填" },
            field.hint.as_deref().unwrap_or_default()
        ),
        choices: field.codes.iter().map(|(_, label)| label.clone()).collect(),
    }));
    Table { title: spec.name.clone(), columns, ..Table::default() }
}

async fn queue(ctx: &Ctx, query: &str, bytes: Bytes) -> Result<Response> {
    let parameter = |wanted: &str| {
        let found = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted);
        found.map(|(_, text)| text.into_owned()).unwrap_or_default()
    };
    let (domain, kind, name) = (parameter("domain"), parameter("type"), parameter("name"));
    let spec = find(ctx, (&domain, &kind)).await?;
    let name = if name.is_empty() { format!("{}.xlsx", spec.name) } else { name };
    let sheet = transfer::parse(bytes.clone()).await?;
    check_header(&spec, &sheet)?;
    let mut tx = ctx.begin().await?;
    let upload = attachment::Upload { name: &name, bytes, of: None, expires_at: None };
    let file = attachment::store(ctx, &mut tx, upload).await?;
    let params = json!({ "domain": domain, "type": kind, "file": file["id"] });
    let title = format!("导入{}：{name}", spec.name);
    let new = NewJob { kind: "trace.import", title: &title, params: &params, rows: None };
    let id = jobs::enqueue(ctx, &mut tx, new).await?;
    tx.commit().await?;
    jobs::wake(ctx.app());
    Ok((StatusCode::ACCEPTED, Json(json!({ "job": id }))).into_response())
}

fn check_header(spec: &EventSpec, sheet: &Sheet) -> Result<()> {
    let known = table(spec).columns;
    let wrong = |field: &str, detail: String| FieldError { field: String::from(field), detail };
    let strange =
        sheet.header.iter().filter(|name| !known.iter().any(|column| column.name == **name));
    let mut errors: Vec<_> =
        strange.map(|name| wrong(name, format!("没有“{name}”这一列，请使用导入模板"))).collect();
    let missing = known
        .iter()
        .filter(|column| column.note.starts_with("必填") && !sheet.header.contains(&column.name));
    errors.extend(
        missing.map(|column| wrong(&column.name, format!("缺少必填的“{}”列", column.name))),
    );
    if errors.is_empty() { Ok(()) } else { Err(Problem::Invalid(errors)) }
}

async fn import(run: JobRun) -> Result<Value> {
    let sheet = transfer::uploaded(&run).await?;
    let labels: Vec<_> = sheet.header.iter().map(String::as_str).collect();
    transfer::take_in(&run, &labels, &sheet).await
}

fn import_row<'a>(
    ctx: &'a Ctx,
    tx: &'a mut Tx,
    row: SheetRow<'a>,
) -> BoxFuture<'a, Result<Outcome>> {
    Box::pin(async move {
        let text = |name: &str| row.params[name].as_str().unwrap_or_default();
        let name = (text("domain"), text("type"));
        let spec = find_in(ctx, tx, name).await?;
        let event = event_of(&spec, name, row.cells);
        let captured = capture_in(ctx, tx, Source::Import, std::slice::from_ref(&event)).await?;
        match captured.into_iter().next() {
            Some(Captured::New { id, .. }) => Ok(Outcome::Done(event_id(&id)?)),
            Some(Captured::Duplicate { id }) => Ok(Outcome::Duplicate(id)),
            Some(Captured::Refused(problem)) => Outcome::refused(problem),
            None => Err(Problem::internal("a captured row without a result")),
        }
    })
}

/// A row as an event. Cells keep their texts; the check of the event says what is wrong with them.
fn event_of(
    spec: &EventSpec,
    (domain, kind): (&str, &str),
    cells: &Map<String, Value>,
) -> TraceEvent {
    let cell = |name: &str| cells.get(name).and_then(Value::as_str).unwrap_or_default();
    let maybe = |name: &str| Some(cell(name)).filter(|text| !text.is_empty()).map(String::from);
    let mut event = TraceEvent {
        domain: String::from(domain),
        kind: String::from(kind),
        subject: String::from(cell(SUBJECT)),
        event_time: beijing(cell(TIME)),
        ..TraceEvent::default()
    };
    if let Some(region) = maybe(REGION) {
        event.place = Some(Place { region, ..Place::default() });
    }
    if let Some(code) = maybe(IN_CODE) {
        event.inputs.push(Input {
            code,
            quantity: maybe(IN_QUANTITY),
            unit: maybe(IN_UNIT),
            external: false,
        });
    }
    if let Some(code) = maybe(OUT_CODE) {
        let (quantity, unit) = (String::from(cell(OUT_QUANTITY)), String::from(cell(OUT_UNIT)));
        event.outputs.push(Output {
            code,
            quantity,
            unit,
            product: maybe(PRODUCT),
            lot: maybe(LOT),
        });
    }
    if let Some(no) = maybe(DOCUMENT) {
        event.documents.push(crate::event::Document { kind: String::from("voucher"), no });
    }
    for field in &spec.fields {
        let value = field.read_cell(cell(&field.label));
        if !value.is_null() {
            event.attributes.insert(field.name.clone(), value);
        }
    }
    event
}

/// People write times without an offset; in these files that means Beijing.
fn beijing(text: &str) -> String {
    let text = text.trim().replace(' ', "T");
    match text.len() {
        10 => format!("{text}T00:00:00+08:00"),
        16 => format!("{text}:00+08:00"),
        19 => format!("{text}+08:00"),
        _ => text,
    }
}
