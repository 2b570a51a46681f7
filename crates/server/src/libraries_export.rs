//! A 信息资源库 of trace events as a file (handbook §7, G-5.3-1): everything of its stage and
//! domains that the reader may see, one row an event.

use axum::{
    extract::{Path, RawQuery},
    response::Response,
};
use serde_json::{Value, json};
use yj_kernel::{Ctx, Problem, Result, Tx, audit, transfer};
use yj_model::Stage;

use crate::libraries_catalogue::{Library, Part, libraries};

/// Rows of one file; more go out in several periods.
const ROWS_MAX: usize = 10_000;
/// Events that are read at once.
const PAGE: usize = 200;

const HEADER: [&str; 20] = [
    "事件标识",
    "领域",
    "环节",
    "事件类型",
    "主体代码",
    "主体名称",
    "产品代码",
    "产品名称",
    "批次号",
    "主体所属区域",
    "发生时间",
    "登记时间",
    "投入",
    "产出",
    "地点",
    "交易对方",
    "凭证",
    "属性",
    "状态",
    "存证状态",
];

/// What is asked for: a format, and a period that events happened in.
struct Wanted {
    csv: bool,
    period: String,
}

impl Wanted {
    fn parse(query: &str) -> Result<Self> {
        let (mut format, mut period) = (None, form_urlencoded::Serializer::new(String::new()));
        for (name, text) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "format" => format = Some(text.into_owned()),
                "event_time.from" | "event_time.to" => {
                    period.append_pair(&name, &text);
                }
                _ => {
                    let detail = "没有这个参数，可用：format、event_time.from、event_time.to";
                    return Err(Problem::invalid(name, detail));
                }
            }
        }
        Ok(Self { csv: transfer::wants_csv(format.as_deref())?, period: period.finish() })
    }
}

/// The library of this number, if it is one of events.
fn library_of(number: &str) -> Result<Library> {
    let at = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let library = at.and_then(|at| libraries().into_iter().nth(at));
    let library = library.ok_or(Problem::NotFound("信息资源库"))?;
    if library.parts.iter().any(|part| matches!(part, Part::Events { .. })) {
        Ok(library)
    } else {
        Err(Problem::invalid("number", "这个信息资源库由登记组成，请按其组成分别导出"))
    }
}

/// Answers `GET /api/v1/libraries/{number}/export`.
pub(crate) async fn export(
    ctx: Ctx,
    Path(number): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let query = query.unwrap_or_default();
    let (library, wanted) = (library_of(&number)?, Wanted::parse(&query)?);
    let most = usize::try_from(ctx.app().export_approval_rows()).unwrap_or(ROWS_MAX).min(ROWS_MAX);
    let mut rows = Vec::new();
    let mut tx = ctx.snapshot().await?;
    for part in &library.parts {
        let Part::Events { stage, domains, .. } = part else { continue };
        let every: &[&str] = &[""];
        for domain in if domains.is_empty() { every } else { *domains } {
            let of = format!("stage={stage}&domain={domain}&{}", wanted.period);
            collect(&ctx, &mut tx, (&of, most), &mut rows).await?;
        }
    }
    drop(tx);
    let mut tx = ctx.begin().await?;
    // D-9.2.3: what was taken out, with which filter, how much, by whom.
    let body = json!({
        "dataset": library.name, "query": query, "rows": rows.len(), "recipient": ctx.actor(),
    });
    let entry = audit::Entry { action: "exported", entity: "library", record: &number, body };
    audit::write(&ctx, &mut tx, entry);
    tx.commit().await?;
    let written = tokio::task::spawn_blocking(move || {
        transfer::table_file(library.name, (&HEADER, rows), wanted.csv)
    });
    written.await.map_err(Problem::internal)?
}

/// Adds the rows of every event that matches.
async fn collect(
    ctx: &Ctx,
    tx: &mut Tx,
    (of, most): (&str, usize),
    rows: &mut Vec<Vec<String>>,
) -> Result<()> {
    let mut after = String::new();
    loop {
        let found =
            yj_trace::events(ctx, tx, &format!("{of}&per_page={PAGE}&after={after}")).await?;
        rows.extend(found["items"].as_array().into_iter().flatten().map(row));
        if rows.len() > most {
            let detail =
                format!("超过 {most} 行，请用 event_time.from 与 event_time.to 分时段导出");
            return Err(Problem::TooLarge(detail));
        }
        match &found["next"] {
            Value::String(next) => after.clone_from(next),
            _ => return Ok(()),
        }
    }
}

fn row(event: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => String::new(),
        Value::Object(fields) if fields.is_empty() => String::new(),
        other => other.to_string(),
    };
    let stage = event["stage"].as_str().and_then(Stage::from_code);
    let domain = yj_model::DOMAINS.iter().find(|(code, _)| event["domain"] == *code);
    vec![
        text(&event["id"]),
        domain.map_or_else(|| text(&event["domain"]), |(_, label)| String::from(*label)),
        stage.map_or_else(|| text(&event["stage"]), |stage| String::from(stage.label())),
        event["type_name"].as_str().map_or_else(|| text(&event["type"]), String::from),
        text(&event["subject"]["code"]),
        text(&event["subject"]["name"]),
        text(&event["product"]["code"]),
        text(&event["product"]["name"]),
        text(&event["lot"]),
        text(&event["region"]),
        text(&event["event_time"]),
        text(&event["recorded_at"]),
        units(&event["inputs"]),
        units(&event["outputs"]),
        text(&event["place"]),
        text(&event["counterparty"]),
        text(&event["documents"]),
        text(&event["attributes"]),
        text(&event["state"]),
        text(&event["anchor"]),
    ]
}

/// `F1-A 1000 KGM、F2-A 600 KGM`
fn units(units: &Value) -> String {
    let one = |unit: &Value| {
        let parts = ["code", "quantity", "unit"].iter().filter_map(|name| unit[*name].as_str());
        parts.collect::<Vec<_>>().join(" ")
    };
    units.as_array().into_iter().flatten().map(one).collect::<Vec<_>>().join("、")
}
