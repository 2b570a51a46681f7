//! Files of subjects (G-6.2.1), as of other registers, but that what is registered is recognised:
//! nothing is registered twice, other data become a change to be approved, and another name goes to
//! the queue of conflicts.

use axum::{body::Bytes, extract::RawQuery, http::Method, response::Response};
use futures_util::future::BoxFuture;
use serde_json::Value;
use yj_kernel::{
    Access, Ctx, Entity, Field, FieldError, JobKind, JobRun, Kind, Object, Outcome, Param, Problem,
    Resource as _, Result, Route, Shape, Tx, attachment, code_list, jobs::SheetRow, reference,
    transfer,
};
use yj_model::Id;

use crate::{
    arrival::{Arrival, register_a_site},
    conflict::{self, Channel, Claim},
    lookup::SubjectBrief,
    person,
    receive::{is_reached, renew},
    subject::TraceSubject,
};

const KIND: &str = "subject.import";

/// The background work of this crate.
pub const JOBS: [JobKind; 1] = [JobKind {
    name: KIND,
    title: "导入追溯主体",
    permission: |_| String::from("trace_subject:write"),
    run: |run| -> BoxFuture<'static, Result<Value>> { Box::pin(import(run)) },
    row: Some(import_row),
}];

/// Import, in place of the register's own.
pub(crate) fn routes() -> Vec<Route> {
    let queue = |ctx: Ctx, RawQuery(query): RawQuery, bytes: Bytes| async move {
        queue(&ctx, &query.unwrap_or_default(), bytes).await
    };
    vec![
        Route::new(
            (Method::POST, "/api/v1/trace_subject/import"),
            Access::permission("trace_subject:write"),
            "导入追溯主体",
            queue,
        )
        .query(&[Param { name: "name", label: "文件名", required: false }])
        .takes(Shape::Bytes("application/octet-stream"))
        .body_max(attachment::SIZE_MAX),
    ]
}

async fn queue(ctx: &Ctx, query: &str, bytes: Bytes) -> Result<Response> {
    let sheet = transfer::parse(bytes.clone()).await?;
    columns(&sheet.header)?;
    transfer::queue_file(ctx, (KIND, Entity::of::<TraceSubject>()), (query, bytes)).await
}

/// Which column holds which field; headers may be labels or names.
fn columns(header: &[String]) -> Result<Vec<&'static Field>> {
    let wrong = |field: &str, detail: String| FieldError { field: String::from(field), detail };
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    for name in header {
        let mut known = TraceSubject::FIELDS.iter();
        if let Some(field) = known.find(|one| one.label == name || one.name == name) {
            found.push(field);
        } else {
            let detail = format!("没有“{name}”这一列，请使用导入模板中的列名");
            errors.push(wrong(name, detail));
        }
    }
    let missing = TraceSubject::FIELDS.iter().filter(|field| {
        !field.optional && !found.iter().any(|known: &&Field| known.name == field.name)
    });
    errors
        .extend(missing.map(|field| wrong(field.label, format!("缺少必填的“{}”列", field.label))));
    if errors.is_empty() { Ok(found) } else { Err(Problem::Invalid(errors)) }
}

async fn import(run: JobRun) -> Result<Value> {
    let sheet = transfer::uploaded(&run).await?;
    let labels: Vec<_> = columns(&sheet.header)?.iter().map(|field| field.label).collect();
    transfer::take_in(&run, &labels, &sheet).await
}

fn import_row<'a>(
    ctx: &'a Ctx,
    tx: &'a mut Tx,
    row: SheetRow<'a>,
) -> BoxFuture<'a, Result<Outcome>> {
    Box::pin(settle(ctx, tx, row.cells))
}

/// What becomes of one row.
async fn settle(ctx: &Ctx, tx: &mut Tx, cells: &Object) -> Result<Outcome> {
    let mut body = Object::new();
    let register = code_list::present(ctx.app(), tx, Entity::of::<TraceSubject>()).await?;
    for field in register.fields.iter().filter(|field| !field.computed) {
        let Some(cell) = cells.get(field.label).and_then(Value::as_str) else { continue };
        body.insert(String::from(field.name), value(ctx, tx, field, cell.trim()).await?);
    }
    match Arrival::of(ctx, tx, &body).await? {
        Arrival::Unknown => {
            let request = person::file(ctx, tx, body).await?;
            Ok(Outcome::Done(String::from(request["id"].as_str().unwrap_or_default())))
        }
        Arrival::Same(ours) => renewed(ctx, tx, ours, body).await,
        Arrival::Person(ours) if !is_reached(ctx, tx, &ours).await? => {
            Err(person::already(ctx, tx, &ours).await)
        }
        Arrival::Person(ours) => renewed(ctx, tx, ours, body).await,
        Arrival::Elsewhere(ours) => Err(register_a_site(&ours.code)),
        Arrival::Renamed(ours) => {
            let claim = Claim { ours: &ours, body: &body, channel: Channel::Import };
            let conflict = conflict::file(ctx, tx, claim).await?;
            let detail = format!(
                "代码 {} 已以另一名称登记，此行已转入冲突队列（编号 {conflict}）等待裁定",
                ours.code
            );
            Ok(Outcome::Failed(vec![FieldError { field: String::from("主体名称"), detail }]))
        }
    }
}

/// What is registered already: a change to be approved where the row says something else.
async fn renewed(ctx: &Ctx, tx: &mut Tx, ours: SubjectBrief, body: Object) -> Result<Outcome> {
    Ok(match renew(ctx, tx, &ours, body).await? {
        None => Outcome::Duplicate(ours.id),
        Some(request) => Outcome::Changed(String::from(request["id"].as_str().unwrap_or_default())),
    })
}

/// A cell as the field's value, unchecked: labels become codes, codes of records identifiers.
async fn value(ctx: &Ctx, tx: &mut Tx, field: &Field, cell: &str) -> Result<Value> {
    if cell.is_empty() {
        return Ok(Value::Null);
    }
    let coded = |codes: yj_kernel::Codes, text: &str| {
        let found = codes.iter().find(|(_, label)| *label == text);
        Value::from(found.map_or(text, |(code, _)| code))
    };
    Ok(match field.kind {
        Kind::Code(codes) => coded(codes, cell),
        Kind::CodeList(codes) => {
            let parts = cell.split(['、', ',', '，', ';', '；']).map(str::trim);
            parts.filter(|part| !part.is_empty()).map(|part| coded(codes, part)).collect()
        }
        Kind::Id(_) if cell.parse::<Id<()>>().is_err() => {
            let target = (Entity::of::<TraceSubject>(), cell);
            let found = reference::identifier(ctx, tx, target).await?;
            let wrong =
                |detail| Problem::invalid(field.label, format!("{}：{detail}", field.label));
            found.map_err(wrong)?.into()
        }
        _ => Value::from(cell),
    })
}
