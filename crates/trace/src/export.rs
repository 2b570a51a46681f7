//! 追溯事件 as a dataset (G-6.2.3): queries of the list are kept, and what they find is taken out as one
//! file, under the rules of every export.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use serde_json::Value;
use yj_kernel::{Asked, Chunk, Codes, Ctx, Dataset, Result, Tx};
use yj_model::{STAGES, regions};

use crate::{
    policy::SOURCES,
    query::{self, STATES, Search},
};

/// Events read at once.
const CHUNK: i64 = 1_000;

/// Every trace event.
pub static EVENTS: Dataset = Dataset {
    name: "trace_event",
    title: "追溯事件",
    read: "trace:read",
    columns: &[
        "事件标识",
        "领域",
        "环节",
        "事件类型",
        "发生时间",
        "主体代码",
        "主体名称",
        "所属区域",
        "产品代码",
        "产品名称",
        "批次号",
        "投入",
        "产出",
        "附加数据",
        "状态",
        "来源",
        "登记时间",
        "存证",
    ],
    size: |wanted, tx, most| -> BoxFuture<'_, Result<i64>> { Box::pin(size(wanted, tx, most)) },
    rows: |ctx, tx, at| -> BoxFuture<'_, Result<Chunk>> { Box::pin(rows(ctx, tx, at)) },
};

/// 存证状态
const ANCHORS: Codes =
    &[("none", "未上链"), ("pending", "待上链"), ("packed", "已打包"), ("confirmed", "已确认")];

async fn size(Asked { query, scopes }: Asked<'_>, tx: &mut Tx, most: i64) -> Result<i64> {
    Search::read(tx, query).await?.size(scopes, tx, most).await
}

async fn rows(ctx: &Ctx, tx: &mut Tx, (query, after): (&str, Option<String>)) -> Result<Chunk> {
    let search = Search::whole(tx, query, (CHUNK, after.as_deref())).await?;
    let events = query::page(ctx, tx, &search).await?;
    let next = search.next(&events);
    let domains = yj_domain::current(tx).await?;
    let domains: BTreeMap<&str, &str> = domains
        .all_shown(ctx.today())
        .map(|pack| (pack.code.as_str(), pack.name.as_str()))
        .collect();
    let described = query::describe(ctx, tx, &events).await?;
    let row = |(event, said): (&crate::store::StoredEvent, &Value)| {
        let text = |value: &Value| value.as_str().map_or_else(String::new, String::from);
        let domain = domains.get(event.domain.as_str()).copied().unwrap_or(&event.domain);
        let region = regions().get(&event.region).map_or(event.region.as_str(), |one| one.name);
        let spec = event.spec.as_ref();
        vec![
            event.uid.clone(),
            String::from(domain),
            label(STAGES, &event.stage),
            String::from(spec.map_or(event.kind.as_str(), |spec| spec.name.as_str())),
            event.time.to_string(),
            event.subject_code.clone(),
            text(&said["subject"]["name"]),
            String::from(region),
            text(&said["product"]["code"]),
            text(&said["product"]["name"]),
            event.lot.clone().unwrap_or_default(),
            lines(&said["inputs"]),
            lines(&said["outputs"]),
            attributes(spec, &said["attributes"]),
            label(&STATES, &event.state),
            label(SOURCES, &event.source),
            text(&said["recorded_at"]),
            label(ANCHORS, event.anchor.as_deref().unwrap_or("none")),
        ]
    };
    Ok(Chunk { rows: events.iter().zip(&described).map(row).collect(), next })
}

fn label(codes: Codes, code: &str) -> String {
    let found = codes.iter().find(|(known, _)| *known == code);
    String::from(found.map_or(code, |(_, label)| label))
}

/// What went in or came out: `码 数量 单位` of each.
fn lines(lines: &Value) -> String {
    let line = |line: &Value| {
        let parts = ["code", "quantity", "unit"].map(|part| line[part].as_str());
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    let lines = lines.as_array().map_or(&[][..], Vec::as_slice);
    lines.iter().map(line).collect::<Vec<_>>().join("；")
}

/// What the domain asks for besides, in the words of its pack; nothing personal.
fn attributes(spec: Option<&yj_domain::EventType>, found: &Value) -> String {
    let said = |(name, value): (&String, &Value)| {
        let field = spec.and_then(|spec| spec.fields.iter().find(|field| field.name == *name));
        match field {
            Some(field) => format!("{}：{}", field.label, field.show_cell(value)),
            None => format!("{name}：{value}"),
        }
    };
    found.as_object().into_iter().flatten().map(said).collect::<Vec<_>>().join("；")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_and_labels_read_as_people_say_them() {
        let two = json!([{ "code": "A-1", "quantity": "2", "unit": "KGM" }, { "code": "A-2" }]);
        assert_eq!(lines(&two), "A-1 2 KGM；A-2");
        assert_eq!(lines(&Value::Null), "");
        assert_eq!((label(&STATES, "held"), label(&STATES, "new")), ("待审".into(), "new".into()));
    }
}
