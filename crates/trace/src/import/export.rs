//! Events of a type out, in the columns in which they come in.

use axum::response::Response;
use serde_json::{Value, json};
use yj_kernel::{Ctx, Param, Problem, Result, audit, transfer};

use crate::query;

/// Rows of one file; more go out by the pages of the interface.
const ROWS_MAX: usize = 10_000;
/// Events of one page.
const PAGE: usize = 200;

/// What may be asked for besides what the list of events may be.
pub(super) const QUERY: &[Param] = &[
    Param { name: "domain", label: "领域", required: true },
    Param { name: "type", label: "事件类型", required: true },
    Param { name: "format", label: "xlsx 或 csv", required: false },
    Param { name: "region", label: "主体所属区域", required: false },
    Param { name: "subject_id", label: "上报节点（主体）", required: false },
    Param { name: "product_id", label: "产品品种", required: false },
    Param { name: "lot", label: "批次号", required: false },
    Param { name: "state", label: "状态", required: false },
    Param { name: "source", label: "来源", required: false },
    Param { name: "event_time.from", label: "发生时间起", required: false },
    Param { name: "event_time.to", label: "发生时间止", required: false },
];

pub(super) async fn sheet(ctx: &Ctx, query: &str) -> Result<Response> {
    let (mut domain, mut kind, mut csv) = (String::new(), String::new(), false);
    let filters = {
        let mut filters = form_urlencoded::Serializer::new(String::new());
        for (name, text) in form_urlencoded::parse(query.as_bytes()) {
            match (&*name, &*text) {
                ("format", "csv") => csv = true,
                ("format", "xlsx" | "") => {}
                ("format", _) => return Err(Problem::invalid("format", "应为 xlsx 或 csv")),
                ("page" | "per_page" | "after" | "sort", _) => {
                    return Err(Problem::invalid(&*name, "没有这个查询条件"));
                }
                ("domain", text) => domain = String::from(text),
                ("type", text) => kind = String::from(text),
                _ => {}
            }
            if name != "format" {
                filters.append_pair(&name, &text);
            }
        }
        filters.finish()
    };
    let layout = super::layouts(ctx, (&domain, Some(&kind), None)).await?.remove(0);
    let mut form = layout.form();
    let most = usize::try_from(ctx.app().export_approval_rows()).unwrap_or(ROWS_MAX).min(ROWS_MAX);
    let (mut tx, mut after, mut events) = (ctx.snapshot().await?, String::new(), 0);
    loop {
        let page = format!("{filters}&per_page={PAGE}&after={after}");
        let found = query::list(ctx, &mut tx, &page).await?;
        let items = found["items"].as_array().map_or(&[][..], Vec::as_slice);
        events += items.len();
        for event in items {
            form.rows.extend(layout.rows(event));
        }
        if form.rows.len() > most {
            let detail = format!("超过 {most} 行，请增加查询条件后分批导出");
            return Err(Problem::TooLarge(detail));
        }
        match &found["next"] {
            Value::String(next) => after.clone_from(next),
            _ => break,
        }
    }
    drop(tx);
    let mut tx = ctx.begin().await?;
    // D-9.2.3: what was taken out, with which filter, how much, by whom.
    let body = json!({
        "dataset": "trace_event", "query": filters, "rows": events, "recipient": ctx.actor(),
    });
    let entry =
        audit::Entry { action: "exported", entity: "trace_event", record: &form.title, body };
    audit::write(ctx, &mut tx, entry);
    tx.commit().await?;
    let (name, forms) = (form.title.clone(), vec![form]);
    let written = tokio::task::spawn_blocking(move || super::written(&forms, (csv, false)));
    let (bytes, ending, media) = written.await.map_err(Problem::internal)??;
    Ok(transfer::download(&format!("{name}.{ending}"), media, bytes.into()))
}
