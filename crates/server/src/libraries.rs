//! 信息资源库 (G-5.3-1): the thirteen libraries that the standard asks for, with what each holds,
//! how much of it, since when, for how long and under whose care.

use axum::{Json, http::Method};
use serde_json::{Value, json};
use yj_kernel::{Access, Ctx, DataClass, Param, Problem, Result, Route, Shape, Sql, Tx, transfer};
use yj_model::RegionCode;

use crate::{
    libraries_catalogue::{EVENTS_PERMISSION, Library, Part, libraries},
    libraries_export,
    libraries_measure::{Measured, Survey},
};

pub(crate) fn routes() -> Vec<Route> {
    let access = Access::permission("library:read");
    let export = Access::permission(EVENTS_PERMISSION);
    vec![
        Route::new((Method::GET, "/api/v1/libraries"), access, "信息资源库", list),
        Route::new(
            (Method::GET, "/api/v1/libraries/{number}/export"),
            export,
            "导出事件类信息资源库",
            libraries_export::export,
        )
        .query(&[
            Param { name: "format", label: "xlsx 或 csv", required: false },
            Param { name: "event_time.from", label: "发生时间起", required: false },
            Param { name: "event_time.to", label: "发生时间止", required: false },
        ])
        .gives(Shape::Bytes(transfer::XLSX)),
    ]
}

/// The figures are of the whole platform: only those see them whose right is not limited to an
/// organisation, a domain, a stage, or a part of the area.
async fn require_whole_platform(ctx: &Ctx, tx: &mut Tx) -> Result<()> {
    let sql = Sql::new("SELECT region FROM organization WHERE parent_id IS NULL");
    let row = tx.fetch_one(sql).await?;
    let area = row.as_ref().map_or(Ok(None), |row| row.text_opt(0))?;
    let within = |wanted: &RegionCode| area.is_some_and(|area| wanted.covers(area));
    let whole = ctx.scope().limits().iter().any(|limit| {
        limit.organization.is_none()
            && limit.category.is_none()
            && limit.stage.is_none()
            && limit.region.as_ref().is_none_or(within)
    });
    if whole {
        return Ok(());
    }
    let detail = "信息资源库是全平台的统计，只供数据权限覆盖全平台的用户查看";
    Err(Problem::Forbidden(String::from(detail)))
}

async fn list(ctx: Ctx) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    require_whole_platform(&ctx, &mut tx).await?;
    let all = libraries();
    let parts: Vec<_> = all.iter().flat_map(|library| &library.parts).collect();
    let survey = Survey::of(&mut tx, &parts).await?;
    let domains = yj_domain::current(&mut tx).await?;
    let of_events = yj_trace::elements(&domains, ctx.today());
    let of_events = of_events.iter().map(|element| element.class).max();
    let of_events = of_events.unwrap_or(DataClass::Internal);
    let items = (1..)
        .zip(&all)
        .map(|(number, library)| describe(&ctx, (number, library), &survey, of_events));
    let items = items.collect::<Result<Vec<_>>>()?;
    Ok(Json(json!({ "items": items, "event_partitions": survey.event_parts() })))
}

/// How a library is divided: by what it is asked for, and its events by how the engine keeps them.
fn partition(library: &Library, survey: &Survey) -> String {
    let of_events = library.parts.iter().any(|part| matches!(part, Part::Events { .. }));
    match survey.event_parts().len() {
        count if of_events && count > 0 => {
            format!("{}；存储按发生月份，{count} 个分区", library.partition)
        }
        _ => String::from(library.partition),
    }
}

/// 未启用, 部分启用 or 已启用.
fn state(library: &Library) -> &'static str {
    match (library.parts.is_empty(), library.missing.is_empty()) {
        (true, _) => "absent",
        (false, false) => "partial",
        (false, true) => "ready",
    }
}

fn describe(
    ctx: &Ctx,
    (number, library): (u32, &Library),
    survey: &Survey,
    of_events: DataClass,
) -> Result<Value> {
    let (mut sum, mut parts) = (Measured::default(), Vec::new());
    let mut class = DataClass::Public;
    for part in &library.parts {
        let measured = survey.measured(part);
        let mut answer = json!({
            "kind": part.kind(), "table": part.table(), "title": part.title(),
            "export": part.export(number).map(|(path, _)| path),
            "export_permission": part.export(number).map(|(_, permission)| permission),
        });
        measured.tell(&mut answer)?;
        parts.push(answer);
        sum = sum.plus(measured);
        class = class.max(class_of(part, of_events));
    }
    let class = (!library.parts.is_empty()).then(|| class.code());
    let mut answer = json!({
        "number": number, "name": library.name, "clause": "GB/T 38157—2019 5.3",
        "state": state(library), "missing": library.missing, "parts": parts,
        "owner": ctx.app().platform().operator, "partition": partition(library, survey), "class": class,
        "retention": { "rule": library.retention.rule, "source": library.retention.source },
    });
    sum.tell(&mut answer)?;
    Ok(answer)
}

/// The highest class of anything in it.
fn class_of(part: &Part, of_events: DataClass) -> DataClass {
    match part {
        Part::Register(entity) => {
            let classes = entity.fields.iter().map(|field| field.class);
            classes.max().unwrap_or(DataClass::Internal)
        }
        Part::Events { .. } => of_events,
        Part::Rollup | Part::Audit | Part::Log { .. } => DataClass::Internal,
    }
}
