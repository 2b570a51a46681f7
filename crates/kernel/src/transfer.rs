//! 导入与导出 for every register: templates, files with Chinese headers, per-row results.

use axum::{
    Json,
    body::Bytes,
    extract::RawQuery,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use yj_sheet::{Column, Sheet, Table};

use crate::{
    Access, App, Ctx, Entity, FieldError, JobKind, JobRun, Kind, Outcome, Param, Problem, Result,
    Route, Shape, Tx, attachment, audit, called, code_list,
    dataset::{Asked, Collection, Dataset},
    export_approval,
    field::{self, Codes},
    jobs::{self, NewJob, SheetRow},
    json::Object,
    listing::Listing,
    record, reference, review,
    spread::{self, Part},
};

/// Rows of one export.
pub(crate) const EXPORT_MAX: i64 = 100_000;
/// How long the file of an export can be fetched (S-33).
const EXPORT_KEPT_MS: i64 = 7 * 24 * 3_600_000;

const IMPORT: &str = "register.import";

/// Import and export as background work, for every register of the application.
pub const JOBS: [JobKind; 2] = [
    JobKind {
        name: IMPORT,
        title: "导入",
        permission: |params| permission(params, "write"),
        run: |run| -> BoxFuture<'static, Result<Value>> { Box::pin(import(run)) },
        row: Some(import_row),
    },
    JobKind {
        name: export_approval::KIND,
        title: "导出",
        permission: |params| match params["read"].as_str() {
            Some(read) => String::from(read),
            // Queued before datasets could be taken out.
            None => permission(params, "read"),
        },
        run: |run| -> BoxFuture<'static, Result<Value>> { Box::pin(export(run)) },
        row: None,
    },
];

fn permission(params: &Value, verb: &str) -> String {
    format!("{}:{verb}", params["entity"].as_str().unwrap_or_default())
}

/// `export`, `template.xlsx` and `import` of one register.
pub(crate) fn routes(entity: &'static Entity) -> Vec<Route> {
    let title = entity.title;
    let path = |tail: &str| format!("/api/v1/{}/{tail}", entity.table);
    let export = move |ctx: Ctx, RawQuery(query): RawQuery| async move {
        queue_export(&ctx, Collection::Register(entity), &query.unwrap_or_default()).await
    };
    let template = move |ctx: Ctx, RawQuery(query): RawQuery| async move {
        let table = template(&ctx, entity, &query.unwrap_or_default()).await?;
        let bytes = yj_sheet::write_xlsx(&table).map_err(Problem::internal)?;
        Ok::<_, Problem>(download(&format!("{title}导入模板.xlsx"), XLSX, bytes.into()))
    };
    let import = move |ctx: Ctx, RawQuery(query): RawQuery, body: Bytes| async move {
        queue_import(&ctx, entity, &query.unwrap_or_default(), body).await
    };
    let (read, write) = (
        Access::Permission(entity.permission("read")),
        Access::Permission(entity.permission("write")),
    );
    vec![
        Route::new((Method::GET, path("export")), read, format!("导出{title}"), export)
            .query(EXPORT_QUERY),
        Route::new(
            (Method::GET, path("template.xlsx")),
            write.clone(),
            format!("{title}导入模板"),
            template,
        )
        .query(if entity.spread.is_some() { TEMPLATE_QUERY } else { &[] })
        .gives(Shape::Bytes(XLSX)),
        Route::new((Method::POST, path("import")), write, format!("导入{title}"), import)
            .query(IMPORT_QUERY)
            .takes(Shape::Bytes("application/octet-stream"))
            .body_max(attachment::SIZE_MAX),
    ]
}

/// `export` of a dataset, beside the list at this path, with the list's conditions and `format`.
pub fn export_route(set: &'static Dataset, list: &str, query: &'static [Param]) -> Route {
    let export = move |ctx: Ctx, RawQuery(query): RawQuery| async move {
        queue_export(&ctx, Collection::Dataset(set), &query.unwrap_or_default()).await
    };
    let (read, title) = (Access::permission(set.read), format!("导出{}", set.title));
    Route::new((Method::GET, format!("{list}/export")), read, title, export).query(query)
}

/// `format` of an export.
pub const FORMAT: Param = Param { name: "format", label: "xlsx 或 csv", required: false };
const EXPORT_QUERY: &[Param] = &[FORMAT];
const TEMPLATE_QUERY: &[Param] =
    &[Param {
        name: "of", label: "连同此代码的记录另有的列，如产品领域", required: false
    }];
const IMPORT_QUERY: &[Param] = &[Param { name: "name", label: "文件名", required: false }];
/// Media type of XLSX.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A file answer that no browser will open in place.
pub fn download(name: &str, media_type: &str, bytes: Bytes) -> Response {
    let disposition = crate::disposition(name);
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    for (name, value) in
        [(header::CONTENT_TYPE, media_type), (header::CONTENT_DISPOSITION, &disposition)]
    {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    response
}

/// Whether the `format` of a request for a small table is CSV; XLSX where nothing is said.
pub fn wants_csv(format: Option<&str>) -> Result<bool> {
    match format {
        None | Some("xlsx") => Ok(false),
        Some("csv") => Ok(true),
        Some(_) => Err(Problem::invalid("format", "应为 xlsx 或 csv")),
    }
}

/// A table small enough to be answered at once, as a file.
pub fn table_file(
    title: &str,
    (header, rows): (&[&str], Vec<Vec<String>>),
    csv: bool,
) -> Result<Response> {
    let column = |name: &&str| Column { name: String::from(*name), ..Column::default() };
    let columns = header.iter().map(column).collect();
    let table = Table { title: String::from(title), columns, rows, mark: Vec::new() };
    let written = if csv { yj_sheet::write_csv(&table) } else { yj_sheet::write_xlsx(&table) };
    let bytes = written.map_err(Problem::internal)?.into();
    let (end, media_type) = if csv { ("csv", "text/csv; charset=utf-8") } else { ("xlsx", XLSX) };
    Ok(download(&format!("{title}.{end}"), media_type, bytes))
}

async fn queue(ctx: &Ctx, new: NewJob<'_>) -> Result<Response> {
    let mut tx = ctx.begin().await?;
    let id = jobs::enqueue(ctx, &mut tx, new).await?;
    let body = json!({ "kind": new.kind, "title": new.title, "rows": new.rows });
    audit::write(ctx, &mut tx, audit::Entry { action: "queued", entity: "job", record: &id, body });
    let job = jobs::one(ctx, &mut tx, &id).await?;
    tx.commit().await?;
    jobs::wake(ctx.app());
    Ok((StatusCode::ACCEPTED, Json(json!({ "job": id, "state": job["state"] }))).into_response())
}

async fn queue_export(ctx: &Ctx, collection: Collection, query: &str) -> Result<Response> {
    let mut format = String::from("xlsx");
    let rest = {
        let mut rest = form_urlencoded::Serializer::new(String::new());
        for (name, text) in form_urlencoded::parse(query.as_bytes()) {
            if name == "format" {
                format = text.into_owned();
            } else {
                rest.append_pair(&name, &text);
            }
        }
        rest.finish()
    };
    if !matches!(format.as_str(), "xlsx" | "csv") {
        return Err(Problem::invalid("format", "应为 xlsx 或 csv"));
    }
    collection.require_askable(ctx, &rest).await?;
    let mut tx = ctx.snapshot().await?;
    let wanted = Asked { query: &rest, scopes: &[ctx.scope()] };
    let rows = collection.size(ctx.app(), &mut tx, wanted, EXPORT_MAX).await?;
    drop(tx);
    if rows > EXPORT_MAX {
        return Err(too_many());
    }
    if rows > ctx.app().export_approval_rows() && format != "xlsx" {
        let detail = "须批准的导出只提供带水印的 xlsx";
        return Err(Problem::invalid("format", detail));
    }
    let params = json!({
        "entity": collection.name(), "read": collection.permission(), "format": format, "query": rest,
    });
    let title = format!("导出{}", collection.title());
    let kind = export_approval::KIND;
    queue(ctx, NewJob { kind, title: &title, params: &params, rows: Some(rows) }).await
}

fn too_many() -> Problem {
    Problem::TooLarge(format!("超过 {EXPORT_MAX} 行，请增加查询条件后分批导出"))
}

async fn queue_import(
    ctx: &Ctx,
    entity: &'static Entity,
    query: &str,
    bytes: Bytes,
) -> Result<Response> {
    // Say at once what can be said at once.
    let sheet = parse(bytes.clone()).await?;
    let mut tx = ctx.snapshot().await?;
    let parts = spread::parts(ctx.app(), &mut tx, entity).await?;
    drop(tx);
    columns(entity, &parts, &sheet)?;
    queue_file(ctx, (IMPORT, entity), (query, bytes)).await
}

/// Keeps a file of records under the name its request gives it, and queues its import as a job of
/// this kind.
pub async fn queue_file(
    ctx: &Ctx,
    (kind, entity): (&'static str, &Entity),
    (query, bytes): (&str, Bytes),
) -> Result<Response> {
    let name = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "name");
    let name = name.map_or_else(|| format!("{}.xlsx", entity.title), |(_, text)| text.into_owned());
    let mut tx = ctx.begin().await?;
    // What was imported is in the register; the file goes, with whatever 个人信息 it holds.
    let expires_at = Some(ctx.now_ms() + jobs::SOURCE_KEPT_MS);
    let upload = attachment::Upload { name: &name, bytes, of: None, expires_at };
    let file = attachment::store(ctx, &mut tx, upload).await?;
    tx.commit().await?;
    let params = json!({ "entity": entity.table, "file": file["id"] });
    let title = format!("导入{}：{name}", entity.title);
    queue(ctx, NewJob { kind, title: &title, params: &params, rows: None }).await
}

/// The table in the file that an import was queued with.
pub async fn uploaded(run: &JobRun) -> Result<Sheet> {
    let file = run.params["file"].as_str().unwrap_or_default();
    let mut tx = run.ctx.snapshot().await?;
    let found = attachment::open(&run.ctx, &mut tx, file).await?;
    drop(tx);
    parse(found.bytes).await
}

/// Parsing a large file is work for a thread of its own.
pub async fn parse(bytes: Bytes) -> Result<Sheet> {
    let sheet = tokio::task::spawn_blocking(move || yj_sheet::read(&bytes))
        .await
        .map_err(Problem::internal)?;
    sheet.map_err(|error| Problem::invalid("file", error.to_string()))
}

/// The register's fields as columns to fill in, and the parts of its structure that records of one
/// code have.
async fn template(ctx: &Ctx, entity: &'static Entity, query: &str) -> Result<Table> {
    let mut tx = ctx.snapshot().await?;
    let entity = code_list::present(ctx.app(), &mut tx, entity).await?;
    let of = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "of");
    let parts = match of {
        Some((_, of)) => {
            let mut parts = spread::parts(ctx.app(), &mut tx, entity).await?;
            parts.retain(|part| part.of == of);
            parts
        }
        None => Vec::new(),
    };
    let entities = ctx.app().entities();
    let fields = entity.fields.iter().filter(|field| field.kind != Kind::Json && !field.computed);
    let columns = fields.map(|field| {
        let choices: Codes = match field.kind {
            Kind::Code(codes) => codes,
            _ => &[],
        };
        let must = match field.need {
            Some(need) => format!("条件必填：{}", need.said),
            None if field.optional => String::from("选填"),
            None => String::from("必填"),
        };
        let code = reference::target(entities, field)
            .map_or_else(String::new, |target| format!("填{}的代码。", target.title));
        Column {
            name: String::from(field.label),
            note: format!("{must}。{code}{}", field.hint),
            choices: choices.iter().map(|(_, label)| String::from(*label)).collect(),
        }
    });
    let columns = columns.chain(parts.into_iter().map(|part| part.column)).collect();
    Ok(Table { title: String::from(entity.title), columns, ..Table::default() })
}

/// Which column of the sheet holds which field; headers may be labels or names.
fn columns<'a>(entity: &'static Entity, parts: &'a [Part], sheet: &Sheet) -> Result<Vec<&'a str>> {
    let mut errors = Vec::new();
    let (mut found, mut labels) = (Vec::new(), Vec::new());
    for name in &sheet.header {
        match entity.fields.iter().find(|field| field.label == name || field.name == name) {
            Some(field) => {
                found.push(field);
                labels.push(field.label);
            }
            None => match parts.iter().find(|part| part.column.name == *name) {
                Some(part) => labels.push(part.column.name.as_str()),
                None => errors.push(FieldError {
                    field: name.clone(),
                    detail: format!("没有“{name}”这一列，请使用导入模板中的列名"),
                }),
            },
        }
    }
    let missing = entity
        .fields
        .iter()
        .filter(|field| !field.optional && !found.iter().any(|known| known.name == field.name));
    errors.extend(missing.map(|field| FieldError {
        field: String::from(field.label),
        detail: format!("缺少必填的“{}”列", field.label),
    }));
    if errors.is_empty() { Ok(labels) } else { Err(Problem::Invalid(errors)) }
}

async fn import(run: JobRun) -> Result<Value> {
    let entity = entity_of(run.ctx.app(), &run.params)?;
    let sheet = uploaded(&run).await?;
    let mut tx = run.ctx.snapshot().await?;
    let parts = spread::parts(run.ctx.app(), &mut tx, entity).await?;
    drop(tx);
    let labels = columns(entity, &parts, &sheet)?;
    take_in(&run, &labels, &sheet).await
}

/// Takes in the rows of a sheet whose columns have these labels; those that an earlier run took
/// in already are left alone.
pub async fn take_in(run: &JobRun, labels: &[&str], sheet: &Sheet) -> Result<Value> {
    run.expect(i64::try_from(sheet.rows.len()).unwrap_or(i64::MAX)).await?;
    for (number, row) in (1i64..).zip(&sheet.rows) {
        if number <= run.first_row {
            continue;
        }
        let cells = labels.iter().zip(&row.cells);
        let cells = cells.map(|(label, cell)| (String::from(*label), cell.trim().into()));
        run.take_in((number, sheet.place(row)), cells.collect()).await?;
    }
    Ok(json!({ "rows": sheet.rows.len() }))
}

/// What one row says, its references as identifiers; or everything that is wrong with it.
async fn row_body(
    ctx: &Ctx,
    tx: &mut Tx,
    (entity, cells): (&'static Entity, &Object),
) -> Result<Object> {
    let (mut body, mut errors) = (Object::new(), Vec::new());
    let entity = code_list::present(ctx.app(), tx, entity).await?;
    for field in entity.fields.iter().filter(|field| !field.computed) {
        let Some(cell) = cells.get(field.label).and_then(Value::as_str) else { continue };
        let target = reference::target(ctx.app().entities(), field);
        let value = match target.filter(|_| !reference::is_identifier(cell)) {
            Some(target) => {
                let found = reference::identifier(ctx, tx, (target, cell)).await?;
                found.map(Value::from)
            }
            None => field.read_text(cell),
        };
        match value {
            Ok(value) => {
                body.insert(String::from(field.name), value);
            }
            Err(detail) => errors.push(FieldError {
                field: String::from(field.label),
                detail: format!("{}：{detail}", field.label),
            }),
        }
    }
    let parts = spread::parts(ctx.app(), tx, entity).await?;
    errors.extend(spread::gather(entity, &parts, cells, &mut body));
    if errors.is_empty() { Ok(body) } else { Err(Problem::Invalid(errors)) }
}

/// A row becomes a record, or a change to be reviewed.
fn import_row<'a>(
    ctx: &'a Ctx,
    tx: &'a mut Tx,
    row: SheetRow<'a>,
) -> BoxFuture<'a, Result<Outcome>> {
    Box::pin(async move {
        let entity = entity_of(ctx.app(), row.params)?;
        let body = row_body(ctx, tx, (entity, row.cells)).await?;
        let written = if entity.reviewed {
            review::propose(ctx, tx, entity, None, body).await?
        } else {
            record::insert(ctx, tx, entity, body).await.map(Value::Object)?
        };
        Ok(Outcome::Done(String::from(written["id"].as_str().unwrap_or_default())))
    })
}

fn entity_of(app: &App, params: &Value) -> Result<&'static Entity> {
    let table = params["entity"].as_str().unwrap_or_default();
    let found = app.entities().iter().find(|entity| entity.table == table);
    found.copied().ok_or_else(|| Problem::internal(format!("no such register: {table}")))
}

/// Who took this out, when, under which number: printed on every page and kept in the file.
fn watermark(run: &JobRun, of: Collection, (query, rows): (&str, usize)) -> Vec<(String, String)> {
    let (ctx, own) = (&run.ctx, |text: &str| String::from(text));
    let at = field::time_text(ctx.now_ms()).map(|time| own(time.as_str().unwrap_or_default()));
    [
        ("导出平台", own(&ctx.app().platform().name)),
        ("导出人", own(ctx.actor())),
        ("导出时间", at.unwrap_or_default()),
        ("任务编号", own(&run.id)),
        ("数据", own(of.title())),
        ("查询条件", of.redacted(query)),
        ("行数", rows.to_string()),
    ]
    .map(|(name, text)| (own(name), text))
    .into()
}

/// Header and rows of a file.
type Filled = (Vec<String>, Vec<Vec<String>>);

fn require_few(rows: usize) -> Result<()> {
    if i64::try_from(rows).is_ok_and(|count| count > EXPORT_MAX) { Err(too_many()) } else { Ok(()) }
}

/// What a query finds in a dataset, all of it from one moment.
async fn dataset_rows(ctx: &Ctx, set: &Dataset, query: &str) -> Result<Filled> {
    let mut tx = ctx.snapshot().await?;
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let chunk = (set.rows)(ctx, &mut tx, (query, after)).await?;
        rows.extend(chunk.rows);
        require_few(rows.len())?;
        after = chunk.next;
        if after.is_none() {
            return Ok((set.columns.iter().map(|name| String::from(*name)).collect(), rows));
        }
    }
}

/// What a query finds in a register, all of it from one moment.
async fn register_rows(ctx: &Ctx, entity: &'static Entity, query: &str) -> Result<Filled> {
    let mut tx = ctx.snapshot().await?;
    let entity = code_list::present(ctx.app(), &mut tx, entity).await?;
    let mut listing = Listing::whole(ctx.app(), &mut tx, entity, query).await?;
    let fields: Vec<_> = entity.fields.iter().filter(|field| field.kind != Kind::Json).collect();
    let parts = spread::parts(ctx.app(), &mut tx, entity).await?;
    let (mut rows, mut spreading) = (Vec::new(), Vec::new());
    loop {
        let mut page = listing.page(ctx, &mut tx, entity).await?;
        let Some(last) = page.last() else { break };
        listing.continued(entity, last)?;
        let codes = called::called(ctx, &mut tx, entity, (&page, "code")).await?;
        for object in &mut page {
            record::veil(ctx, entity, object);
            let cell = |field: &&crate::Field| {
                let value = object.get(field.name).unwrap_or(&Value::Null);
                let code = value.as_str().filter(|_| matches!(field.kind, Kind::Id(_)));
                field.display(code.and_then(|id| codes.get(id)).unwrap_or(value))
            };
            rows.push(fields.iter().map(cell).collect::<Vec<_>>());
            if let Some(spread) = entity.spread {
                object.retain(|name, _| name == spread.by || name == spread.field);
                spreading.push(std::mem::take(object));
            }
        }
        require_few(rows.len())?;
    }
    let mut header: Vec<_> = fields.iter().map(|field| field.label).collect();
    if let Some(spread) = entity.spread {
        header.extend(spread::widen(spread, &parts, &mut rows, &spreading));
    }
    Ok((header.into_iter().map(String::from).collect(), rows))
}

async fn export(run: JobRun) -> Result<Value> {
    let (ctx, of) = (&run.ctx, Collection::of_job(run.ctx.app(), &run.params)?);
    let query = run.params["query"].as_str().unwrap_or_default();
    let (header, rows) = match of {
        Collection::Register(entity) => register_rows(ctx, entity, query).await?,
        Collection::Dataset(set) => dataset_rows(ctx, set, query).await?,
    };
    let count = rows.len();
    let table = Table {
        title: String::from(of.title()),
        columns: header.into_iter().map(|name| Column { name, ..Column::default() }).collect(),
        rows,
        mark: watermark(&run, of, (query, count)),
    };
    let csv = run.params["format"] == "csv";
    let bytes = tokio::task::spawn_blocking(move || {
        if csv { yj_sheet::write_csv(&table) } else { yj_sheet::write_xlsx(&table) }
    });
    let bytes = bytes.await.map_err(Problem::internal)?.map_err(Problem::internal)?;
    let name = format!("{}.{}", of.title(), if csv { "csv" } else { "xlsx" });
    let mut tx = ctx.begin().await?;
    let expires_at = Some(ctx.now_ms() + EXPORT_KEPT_MS);
    let upload = attachment::Upload { name: &name, bytes: bytes.into(), of: None, expires_at };
    let file = attachment::store(ctx, &mut tx, upload).await?;
    // D-9.2.3: what was taken out, with which filter, how much, by whom.
    let body = json!({
        "dataset": of.name(), "query": of.redacted(query), "rows": count,
        "recipient": ctx.actor(), "file": file["id"],
    });
    let entry = audit::Entry { action: "exported", entity: of.name(), record: &run.id, body };
    audit::write(ctx, &mut tx, entry);
    tx.commit().await?;
    ctx.app().authenticator().exported(ctx).await;
    Ok(json!({ "rows": count, "file": file["id"] }))
}
