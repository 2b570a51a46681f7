//! 统一日志管理 (G-5.4.3c, D-9.2.3): search, export and verification for the audit administrator,
//! and the door through which connected applications write and query their own entries.

use axum::{
    Json,
    extract::RawQuery,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use yj_kernel::{
    Access, Body, Ctx, Param, Problem, Result, Route, Shape,
    audit::{self, Ending, Search},
    transfer,
};

use crate::alarm;

const QUERY: &[Param] = &[
    Param { name: "entity", label: "对象种类", required: false },
    Param { name: "record", label: "对象标识", required: false },
    Param { name: "actor", label: "操作人", required: false },
    Param { name: "action", label: "操作", required: false },
    Param { name: "result", label: "结果：done 或 refused", required: false },
    Param { name: "source", label: "来源应用；空为本平台", required: false },
    Param { name: "address", label: "来源地址", required: false },
    Param { name: "request_id", label: "请求编号", required: false },
    Param { name: "at.from", label: "起", required: false },
    Param { name: "at.to", label: "止", required: false },
    Param { name: "after", label: "上一页答复中的 next", required: false },
    Param { name: "per_page", label: "每页条数", required: false },
];

/// Entries of one export.
const EXPORT_MAX: usize = 100_000;

/// One act of a connected application.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Act {
    /// 应用内的操作人
    actor: String,
    /// 操作，如 login、query、export
    action: String,
    /// 对象种类
    entity: String,
    /// 对象标识
    #[serde(default)]
    record: String,
    /// done 或 refused
    result: Option<String>,
    /// 内容；不得含个人信息与口令
    #[serde(default)]
    body: Map<String, Value>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Acts {
    /// 1 至 500 条
    entries: Vec<Act>,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            (Method::GET, "/api/v1/audit"),
            Access::permission("audit:read"),
            "行为审计",
            search,
        )
        .query(QUERY),
        Route::new(
            (Method::GET, "/api/v1/audit/export"),
            Access::permission("audit:export"),
            "导出行为审计（JSON Lines，可离线复算）",
            export,
        )
        .query(QUERY)
        .gives(Shape::Bytes("application/x-ndjson")),
        Route::new(
            (Method::POST, "/api/v1/audit/verify"),
            Access::permission("audit:verify"),
            "复算审计链",
            verify,
        ),
        Route::new(
            (Method::POST, "/api/v1/audit/entries"),
            Access::permission("audit_entry:write"),
            "接入应用写入日志",
            submit,
        )
        .takes(Shape::of::<Acts>()),
        Route::new(
            (Method::GET, "/api/v1/audit/entries"),
            Access::permission("audit_entry:read"),
            "接入应用查询自己的日志",
            own,
        )
        .query(QUERY),
    ]
}

/// Auditors of one organisation see what its people did.
fn within_reach(ctx: &Ctx, query: &str) -> Result<Search> {
    let people = ("SELECT a.user_name FROM account a WHERE 1 = 1", crate::ACCOUNTS);
    Ok(Search::parse(query)?.of_those(ctx.scope(), people))
}

async fn search(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    within_reach(&ctx, &query.unwrap_or_default())?.page(&mut tx).await.map(Json)
}

async fn export(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Response> {
    let query = query.unwrap_or_default();
    let mut search = within_reach(&ctx, &query)?.in_chunks();
    let (mut text, mut count) = (String::new(), 0);
    let mut tx = ctx.snapshot().await?;
    loop {
        let page = search.page(&mut tx).await?;
        for item in page["items"].as_array().into_iter().flatten() {
            text.push_str(&item.to_string());
            text.push('\n');
            count += 1;
        }
        match page["next"].as_str() {
            Some(next) if count < EXPORT_MAX => search.follow(next),
            Some(_) => {
                return Err(Problem::TooLarge(format!(
                    "超过 {EXPORT_MAX} 条，请用时间等条件分批导出"
                )));
            }
            None => break,
        }
    }
    drop(tx);
    let mut tx = ctx.begin().await?;
    let body = json!({
        "dataset": "audit_log", "query": query, "rows": count, "recipient": ctx.actor(),
    });
    let entry = audit::Entry { action: "exported", entity: "audit_log", record: "", body };
    audit::write(&ctx, &mut tx, entry);
    tx.commit().await?;
    Ok(transfer::download("行为审计.jsonl", "application/x-ndjson", text.into()))
}

async fn verify(ctx: Ctx) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    let known = ctx.app().anchored_audit_heads(&mut tx).await?;
    let anchored = known.iter().map(|head| head.seq).max();
    let found = audit::examine(&mut tx, &known).await?;
    drop(tx);
    for flaw in &found.flaws {
        let subject = format!("{}/{}", flaw.lane, flaw.seq);
        let about = alarm::About::platform(&subject);
        alarm::raise(ctx.app(), alarm::Kind::AuditBroken, about, &flaw.what).await;
    }
    let flaw =
        |flaw: &audit::Flaw| json!({ "lane": flaw.lane, "seq": flaw.seq, "finding": flaw.what });
    let flaws: Vec<_> = found.flaws.iter().map(flaw).collect();
    let mut tx = ctx.begin().await?;
    let body = json!({ "entries": found.entries, "flaws": flaws });
    let entry = audit::Entry { action: "verified", entity: "audit_log", record: "", body };
    audit::write(&ctx, &mut tx, entry);
    tx.commit().await?;
    Ok(Json(json!({
        "intact": flaws.is_empty(), "entries": found.entries, "chains": found.lanes,
        "anchored_to": anchored, "flaws": flaws,
    })))
}

/// Entries of one request.
const SUBMIT_MAX: usize = 500;
/// Letters of one entry's particulars.
const BODY_MAX: usize = 4_000;

async fn submit(ctx: Ctx, Body(body): Body<Acts>) -> Result<(StatusCode, Json<Value>)> {
    if !(1..=SUBMIT_MAX).contains(&body.entries.len()) {
        return Err(Problem::invalid("entries", format!("应为 1 至 {SUBMIT_MAX} 条")));
    }
    let mut tx = ctx.begin().await?;
    for (index, act) in body.entries.iter().enumerate() {
        let at = |field: &str| format!("entries[{index}].{field}");
        for (field, text, most) in
            [("actor", &act.actor, 100), ("action", &act.action, 60), ("entity", &act.entity, 60)]
        {
            let count = text.chars().count();
            if !(1..=most).contains(&count) || text.chars().any(char::is_control) {
                return Err(Problem::invalid(at(field), format!("应为 1 至 {most} 个字")));
            }
        }
        let ending = match act.result.as_deref() {
            None | Some("done") => Ending::Done,
            Some("refused") => Ending::Refused,
            Some(_) => return Err(Problem::invalid(at("result"), "应为 done 或 refused")),
        };
        let body = json!({ "actor": act.actor, "body": act.body });
        if body.to_string().chars().count() > BODY_MAX || act.record.chars().count() > 100 {
            return Err(Problem::invalid(at("body"), format!("内容至多 {BODY_MAX} 个字")));
        }
        let entry =
            audit::Entry { action: &act.action, entity: &act.entity, record: &act.record, body };
        audit::write_as(&ctx, &mut tx, (ctx.actor(), ending), entry);
    }
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(json!({ "accepted": body.entries.len() }))))
}

/// An application sees its own entries and no others.
async fn own(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Response> {
    let mut tx = ctx.snapshot().await?;
    let search = Search::parse(&query.unwrap_or_default())?.of_source(ctx.actor());
    Ok(Json(search.page(&mut tx).await?).into_response())
}
