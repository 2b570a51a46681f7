//! The doors of what becomes of codes: activation, loss, packing, export, and looking one up.

use axum::{
    Json,
    extract::{Path, RawQuery},
    http::Method,
};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{
    Access, Body, Ctx, Param, Problem, Resource as _, Result, Route, Row, Shape, Sql, Stored, Tx,
    audit, outbox, sound_reason, time_text,
};
use yj_model::{LotNumber, candidates, is_ambiguous, why_not};

use crate::{
    code_batch::CodeBatch,
    code_export,
    code_lookup::{MintedCode, code_at, minted},
    code_span::{CodeState, CodeVerb, Range, Span, ranges, turn},
};

/// Codes named one by one in a request.
const CODES_MAX: usize = 2_000;
/// Spans that one act may touch.
const SPANS_MAX: i64 = 10_000;
/// Acts shown of a batch.
const ACTS_SHOWN: i64 = 200;
/// Lines of one packing list.
const PACKS_MAX: usize = 2_000;
/// Largest request body: the codes of [`CODES_MAX`].
const BODY_BYTES_MAX: usize = 4 << 20;

/// Which codes of a batch.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// 起始序号，从 1 计
    from: Option<i64>,
    /// 截止序号
    to: Option<i64>,
    /// 逐个列出的编码，至多 2000 个；与序号二选一
    codes: Option<Vec<String>>,
}

/// 激活
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Activation {
    /// 起始序号，从 1 计
    from: Option<i64>,
    /// 截止序号
    to: Option<i64>,
    /// 逐个列出的编码，至多 2000 个；与序号二选一
    codes: Option<Vec<String>>,
    /// 批次号
    lot: Option<String>,
    /// 生产日期
    produced_on: Option<String>,
    /// 有效期至
    expires_on: Option<String>,
}

/// 作废或损耗
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Removal {
    /// 起始序号，从 1 计
    from: Option<i64>,
    /// 截止序号
    to: Option<i64>,
    /// 逐个列出的编码，至多 2000 个；与序号二选一
    codes: Option<Vec<String>>,
    /// true 为损耗，false 为作废
    #[serde(default)]
    loss: bool,
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

/// 包装关联
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Packs {
    /// 1 至 2000 行
    packs: Vec<Pack>,
}

/// A line of a packing list.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pack {
    /// 外包装的编码
    parent: String,
    /// 内装的第一个编码
    first: String,
    /// 内装的最后一个编码，与第一个同批且序号相连；只有一个时不填
    last: Option<String>,
}

fn may(verb: &str) -> Access {
    Access::permission(format!("code_batch:{verb}"))
}

const EXPORT_QUERY: &[Param] = &[
    Param { name: "format", label: "csv 或 txt", required: false },
    Param { name: "from", label: "起始序号，从 1 计", required: false },
    Param { name: "to", label: "截止序号", required: false },
];

pub(crate) fn routes() -> Vec<Route> {
    let at = |method, tail: &str| (method, format!("/api/v1/code_batch/{{id}}/{tail}"));
    let activate = |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Activation>| async move {
        activate(&ctx, &id, body).await
    };
    let void = |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Removal>| async move {
        let reason = sound_reason(&body.reason)?;
        let verb = if body.loss { CodeVerb::Loss } else { CodeVerb::Void };
        let which = Which { from: body.from, to: body.to, codes: body.codes };
        act(&ctx, &id, which, Act { reason: Some(reason), ..Act::of(verb) }).await
    };
    let acts = |ctx: Ctx, Path(id): Path<String>| async move {
        let mut tx = ctx.snapshot().await?;
        let batch = batch(&ctx, &mut tx, &id).await?;
        acts(&mut tx, &batch).await
    };
    let export = |ctx: Ctx, Path(id): Path<String>, RawQuery(query): RawQuery| async move {
        let mut tx = ctx.begin().await?;
        let batch = batch(&ctx, &mut tx, &id).await?;
        code_export::answer(&ctx, tx, &batch, &query.unwrap_or_default()).await
    };
    let pack = |ctx: Ctx, Body(body): Body<Packs>| async move { pack(&ctx, &body.packs).await };
    let find = |ctx: Ctx, RawQuery(query): RawQuery| async move {
        find(&ctx, &query.unwrap_or_default()).await
    };
    vec![
        Route::new(at(Method::POST, "activate"), may("activate"), "激活编码", activate)
            .takes(Shape::of::<Activation>())
            .body_max(BODY_BYTES_MAX),
        Route::new(at(Method::POST, "void"), may("void"), "作废编码", void)
            .takes(Shape::of::<Removal>())
            .body_max(BODY_BYTES_MAX),
        Route::new(at(Method::GET, "acts"), may("read"), "编码使用记录", acts),
        Route::new(at(Method::GET, "codes"), may("export"), "导出编码", export)
            .query(EXPORT_QUERY)
            .gives(Shape::Bytes("text/csv")),
        Route::new((Method::POST, "/api/v1/code-packs"), may("activate"), "关联包装层级", pack)
            .takes(Shape::of::<Packs>())
            .body_max(BODY_BYTES_MAX),
        Route::new((Method::GET, "/api/v1/codes"), may("read"), "查验编码", find).query(&[Param {
            name: "code",
            label: "编码",
            required: true,
        }]),
    ]
}

/// Activates a range of a batch, numbers from 1: what the door does, for a measurement.
pub async fn activate_codes(ctx: &Ctx, id: &str, (from, to): (i64, i64)) -> Result<()> {
    let which = Which { from: Some(from), to: Some(to), codes: None };
    act(ctx, id, which, Act::of(CodeVerb::Activate)).await.map(drop)
}

/// The codes of a batch as a file: what the door gives, for a measurement.
pub async fn code_file(ctx: &Ctx, id: &str, query: &str) -> Result<axum::response::Response> {
    let mut tx = ctx.begin().await?;
    let batch = batch(ctx, &mut tx, id).await?;
    code_export::answer(ctx, tx, &batch, query).await
}

async fn batch(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<Stored<CodeBatch>> {
    let id = id.parse().map_err(|_| Problem::NotFound(CodeBatch::TITLE))?;
    tx.get::<CodeBatch>(ctx, id).await
}

/// What is done, and what is said with it.
struct Act<'a> {
    verb: CodeVerb,
    lot: Option<String>,
    produced_on: Option<String>,
    expires_on: Option<String>,
    reason: Option<&'a str>,
}

impl Act<'_> {
    fn of(verb: CodeVerb) -> Self {
        Self { verb, lot: None, produced_on: None, expires_on: None, reason: None }
    }
}

async fn activate(ctx: &Ctx, id: &str, body: Activation) -> Result<Json<Value>> {
    let day = |name: &str, text: Option<String>| {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        let wrong = || Problem::invalid(name, "应为日期，如 2026-11-01");
        text.trim().parse::<Date>().map(Some).map_err(|_| wrong())
    };
    let lot = body.lot.filter(|lot| !lot.trim().is_empty());
    let lot = lot.map(|lot| lot.parse::<LotNumber>()).transpose();
    let lot = lot.map_err(|error| Problem::invalid("lot", error.to_string()))?;
    let produced = day("produced_on", body.produced_on)?;
    let expires = day("expires_on", body.expires_on)?;
    if produced.is_some_and(|day| day > ctx.today()) {
        return Err(Problem::invalid("produced_on", "生产日期不能晚于今天"));
    }
    if produced.zip(expires).is_some_and(|(produced, expires)| expires < produced) {
        return Err(Problem::invalid("expires_on", "有效期不能早于生产日期"));
    }
    let text = |day: Option<Date>| day.map(|day| day.to_string());
    let act_of = Act {
        lot: lot.map(|lot| lot.to_string()),
        produced_on: text(produced),
        expires_on: text(expires),
        ..Act::of(CodeVerb::Activate)
    };
    let which = Which { from: body.from, to: body.to, codes: body.codes };
    act(ctx, id, which, act_of).await
}

/// The ranges that a request means, all of them inside the batch.
async fn meant(
    ctx: &Ctx,
    tx: &mut Tx,
    batch: &Stored<CodeBatch>,
    which: Which,
) -> Result<Vec<Range>> {
    let size = batch.data.size;
    match (which.from, which.to, which.codes) {
        (None, None, Some(codes)) => {
            if codes.is_empty() || codes.len() > CODES_MAX {
                return Err(Problem::invalid("codes", format!("应为 1 至 {CODES_MAX} 个编码")));
            }
            let mut numbers = Vec::with_capacity(codes.len());
            for code in codes {
                let found = minted(ctx.app(), tx, &candidates(&code)).await?.found;
                let found = found.filter(|found| found.batch_id == batch.id.to_string());
                let foreign = || Problem::invalid("codes", format!("{code} 不是这一批的编码"));
                numbers.push(found.ok_or_else(foreign)?.number);
            }
            Ok(ranges(numbers))
        }
        (Some(from), to, None) => {
            let to = to.unwrap_or(from);
            if from < 1 || to < from || to > size {
                let detail = format!("序号应在 1 至 {size} 之间，且起始不大于截止");
                return Err(Problem::invalid("from", detail));
            }
            Ok(vec![Range { first: from - 1, last: to - 1 }])
        }
        _ => Err(Problem::invalid("from", "请给出起止序号，或逐个列出编码")),
    }
}

async fn touched(tx: &mut Tx, batch: &str, range: Range) -> Result<Vec<Span>> {
    let sql = Sql::new(
        "SELECT first_index, last_index, state, act_id FROM code_span \
         WHERE batch_id = $1 AND last_index >= $2 AND first_index <= $3 \
         AND first_index >= COALESCE((SELECT MAX(first_index) FROM code_span \
         WHERE batch_id = $1 AND first_index <= $2), 0) \
         ORDER BY first_index LIMIT $4",
    );
    let sql = sql.arg(batch).arg(range.first).arg(range.last).arg(SPANS_MAX + 1);
    let rows = tx.fetch(sql).await?;
    if i64::try_from(rows.len()).unwrap_or(i64::MAX) > SPANS_MAX {
        let detail = "这一段涉及的记录过多，请缩小范围分次操作";
        return Err(Problem::invalid("to", detail));
    }
    rows.iter().map(span).collect()
}

fn span(row: &Row) -> Result<Span> {
    let state = row.text(2)?.parse().map_err(|error: String| Problem::internal(error))?;
    let range = Range { first: row.int(0)?, last: row.int(1)? };
    Ok(Span { range, state, act: row.text_opt(3)?.map(String::from) })
}

/// How far the codes of a batch are used up.
struct Standing {
    state: String,
    activated: i64,
    voided: i64,
    size: i64,
}

impl Standing {
    async fn read(tx: &mut Tx, id: &str) -> Result<Self> {
        let sql = Sql::new("SELECT state, activated, voided, size FROM code_batch WHERE id = $1");
        let row = tx.fetch_one(sql.arg(id)).await?;
        let row = row.ok_or(Problem::NotFound(CodeBatch::TITLE))?;
        let state = String::from(row.text(0)?);
        Ok(Self { state, activated: row.int(1)?, voided: row.int(2)?, size: row.int(3)? })
    }

    /// After so many more codes are active or void.
    fn after(&self, (activated, voided): (i64, i64)) -> Self {
        let (activated, voided) = (self.activated + activated, self.voided + voided);
        let state = match (voided >= self.size, activated > 0) {
            (true, _) => "void",
            (false, true) => "active",
            (false, false) => "planned",
        };
        Self { state: String::from(state), activated, voided, size: self.size }
    }

    /// What differs then, for the trail.
    fn changes(&self, more: (i64, i64)) -> Value {
        let after = self.after(more);
        json!({
            "state": [self.state, after.state], "activated": [self.activated, after.activated],
            "voided": [self.voided, after.voided],
        })
    }
}

/// One object with what another says besides.
fn merged(mut body: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name.as_str()] = value.clone();
    }
    body
}

async fn act(ctx: &Ctx, id: &str, which: Which, done: Act<'_>) -> Result<Json<Value>> {
    let mut tx = ctx.begin().await?;
    let batch = batch(ctx, &mut tx, id).await?;
    tx.lock(CodeBatch::TABLE, id).await?;
    let stood = Standing::read(&mut tx, id).await?;
    let act = ctx.new_id::<()>().to_string();
    let ranges = meant(ctx, &mut tx, &batch, which).await?;
    let codes: i64 = ranges.iter().map(|range| range.len()).sum();
    let (mut activated, mut voided) = (0, 0);
    note_act(ctx, &mut tx, (&act, id, done.verb.code(), codes), &done);
    for range in &ranges {
        let before = touched(&mut tx, id, *range).await?;
        let turned = turn(&before, *range, (done.verb, &act)).map_err(|taken| {
            let (number, label) = (taken.at + 1, taken.state.label());
            Problem::Conflict(format!("第 {number} 个编码{label}，编码只能使用一次"))
        })?;
        let forget = |span: &Span| {
            Sql::new("DELETE FROM code_span WHERE batch_id = $1 AND first_index = $2")
                .arg(id)
                .arg(span.range.first)
        };
        let keep = |span: &Span| {
            Sql::new(
                "INSERT INTO code_span (batch_id, first_index, last_index, state, act_id) \
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .arg(id)
            .arg(span.range.first)
            .arg(span.range.last)
            .arg(span.state.code())
            .arg(span.act.clone())
        };
        tx.later(before.iter().map(forget));
        tx.later(turned.spans.iter().map(keep));
        activated += turned.activated;
        voided += turned.voided;
    }
    let after = stood.after((activated, voided));
    let sql = Sql::new(
        "UPDATE code_batch SET activated = $1, voided = $2, state = $3, version = version + 1, \
         updated_at = $4, updated_by = $5 WHERE id = $6",
    );
    let sql = sql.arg(after.activated).arg(after.voided).arg(after.state.as_str());
    let sql = sql.arg(ctx.now_ms()).arg(ctx.actor()).arg(id);
    tx.later([sql]);
    let shown: Vec<_> =
        ranges.iter().take(100).map(|range| [range.first + 1, range.last + 1]).collect();
    let body = json!({
        "act": act, "ranges": shown, "codes": codes, "lot": done.lot,
        "produced_on": done.produced_on, "expires_on": done.expires_on, "reason": done.reason,
    });
    let action = match done.verb {
        CodeVerb::Activate => "activated",
        CodeVerb::Void => "voided",
        CodeVerb::Loss => "lost",
    };
    outbox::announce(ctx, &mut tx, (CodeBatch::TABLE, action), id, &body);
    let body = merged(body, &stood.changes((activated, voided)));
    let entry = audit::Entry { action, entity: CodeBatch::TABLE, record: id, body };
    audit::write(ctx, &mut tx, entry);
    tx.commit().await?;
    Ok(Json(json!({ "act": act, "codes": codes, "activated": activated, "voided": voided })))
}

fn note_act(
    ctx: &Ctx,
    tx: &mut Tx,
    (act, batch, verb, codes): (&str, &str, &str, i64),
    done: &Act<'_>,
) {
    let sql = Sql::new(
        "INSERT INTO code_act (id, batch_id, verb, codes, lot, produced_on, expires_on, reason, \
         done_at, done_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    );
    let sql = sql.arg(act).arg(batch).arg(verb).arg(codes).arg(done.lot.clone());
    let sql = sql.arg(done.produced_on.clone()).arg(done.expires_on.clone()).arg(done.reason);
    tx.later([sql.arg(ctx.now_ms()).arg(ctx.actor())]);
}

async fn acts(tx: &mut Tx, batch: &Stored<CodeBatch>) -> Result<Json<Value>> {
    let sql = Sql::new(
        "SELECT id, verb, codes, lot, produced_on, expires_on, reason, done_at, done_by \
         FROM code_act WHERE batch_id = $1 ORDER BY id DESC LIMIT $2",
    );
    let rows = tx.fetch(sql.arg(batch.id).arg(ACTS_SHOWN)).await?;
    let item = |row: &Row| {
        Ok::<_, Problem>(json!({
            "id": row.text(0)?, "verb": row.text(1)?, "codes": row.int(2)?,
            "lot": row.text_opt(3)?, "produced_on": row.text_opt(4)?,
            "expires_on": row.text_opt(5)?, "reason": row.text_opt(6)?,
            "at": time_text(row.int(7)?)?, "by": row.text(8)?,
        }))
    };
    let items = rows.iter().map(item).collect::<Result<Vec<_>>>()?;
    Ok(Json(json!({ "items": items })))
}

/// Both ends of a line, and the package they go into.
struct Line {
    batch: String,
    range: Range,
    parent: (String, i64),
    /// Its place among the levels of packages, and that of the package.
    levels: (String, String),
}

async fn read_line(ctx: &Ctx, tx: &mut Tx, index: usize, pack: &Pack) -> Result<Line> {
    let within = |problem: Problem| problem.within(&format!("packs[{index}]."));
    let known = |text: &str, field: &'static str| {
        let readings = candidates(text);
        let unknown = Problem::invalid(field, format!("没有编码 {text}，或不在您的数据权限范围内"));
        (readings, unknown)
    };
    let mut found = Vec::new();
    let last = pack.last.as_deref().filter(|last| !last.trim().is_empty()).unwrap_or(&pack.first);
    for (text, field) in [(pack.parent.as_str(), "parent"), (&pack.first, "first"), (last, "last")]
    {
        let (readings, unknown) = known(text, field);
        let code = minted(ctx.app(), tx, &readings).await?.found;
        let code = match code {
            Some(code) if batch(ctx, tx, &code.batch_id).await.is_ok() => code,
            _ => return Err(within(unknown)),
        };
        if code.state != Some(CodeState::Active) {
            let detail = format!("{text} 尚未激活或已作废，不能关联包装");
            return Err(within(Problem::invalid(field, detail)));
        }
        found.push(code);
    }
    let [parent, first, last] = <[MintedCode; 3]>::try_from(found)
        .map_err(|_| Problem::internal("a line of three codes"))?;
    if first.batch_id != last.batch_id || last.number < first.number {
        let detail = "内装的首尾编码应属于同一批次，且首码的序号不大于尾码";
        return Err(within(Problem::invalid("last", detail)));
    }
    Ok(Line {
        range: Range { first: first.number, last: last.number },
        batch: first.batch_id,
        parent: (parent.batch_id, parent.number),
        levels: (first.level, parent.level),
    })
}

/// Packs ranges into packages; all lines or none.
async fn pack(ctx: &Ctx, packs: &[Pack]) -> Result<Json<Value>> {
    if packs.is_empty() || packs.len() > PACKS_MAX {
        return Err(Problem::invalid("packs", format!("应为 1 至 {PACKS_MAX} 行")));
    }
    let mut tx = ctx.begin().await?;
    let mut lines = Vec::with_capacity(packs.len());
    for (index, line) in packs.iter().enumerate() {
        lines.push(read_line(ctx, &mut tx, index, line).await?);
    }
    let mut batches: Vec<String> = lines.iter().map(|line| line.batch.clone()).collect();
    batches.sort_unstable();
    batches.dedup();
    let act = ctx.new_id::<()>().to_string();
    for id in &batches {
        tx.lock(CodeBatch::TABLE, id.as_str()).await?;
    }
    let mut codes = 0;
    for (index, line) in lines.iter().enumerate() {
        let wrong = |field: &str, detail: String| {
            Err(Problem::invalid(field, detail).within(&format!("packs[{index}].")))
        };
        let rank =
            |level: &str| crate::packaging::PACK_LEVELS.iter().position(|(code, _)| *code == level);
        if rank(&line.levels.0) >= rank(&line.levels.1) {
            return wrong("parent", String::from("外包装的层级应大于内装编码的层级"));
        }
        let whole = touched(&mut tx, &line.batch, line.range).await?;
        let active: i64 = whole
            .iter()
            .filter(|span| span.state == CodeState::Active)
            .map(|span| {
                let (first, last) =
                    (span.range.first.max(line.range.first), span.range.last.min(line.range.last));
                (last - first + 1).max(0)
            })
            .sum();
        if active != line.range.len() {
            return wrong("last", String::from("这一段内有尚未激活或已作废的编码"));
        }
        let sql = Sql::new(
            "SELECT first_index FROM code_pack WHERE batch_id = $1 AND last_index >= $2 \
             AND first_index <= $3 AND first_index >= COALESCE((SELECT MAX(first_index) \
             FROM code_pack WHERE batch_id = $1 AND first_index <= $2), 0) LIMIT 1",
        );
        let sql = sql.arg(line.batch.as_str()).arg(line.range.first).arg(line.range.last);
        if tx.fetch_one(sql).await?.is_some() {
            return wrong("first", String::from("这一段内有已装入其他包装的编码"));
        }
        let sql = Sql::new(
            "INSERT INTO code_pack (batch_id, first_index, last_index, parent_batch_id, \
             parent_index, act_id) VALUES ($1, $2, $3, $4, $5, $6)",
        );
        let sql = sql.arg(line.batch.as_str()).arg(line.range.first).arg(line.range.last);
        if index == 0 {
            let count = lines.iter().map(|line| line.range.len()).sum();
            let done = Act::of(CodeVerb::Activate);
            note_act(ctx, &mut tx, (&act, &line.batch, "pack", count), &done);
        }
        tx.execute(sql.arg(line.parent.0.as_str()).arg(line.parent.1).arg(act.as_str())).await?;
        codes += line.range.len();
    }
    let body = json!({ "act": act, "lines": lines.len(), "codes": codes });
    for id in &batches {
        outbox::announce(ctx, &mut tx, (CodeBatch::TABLE, "packed"), id, &body);
        let body = body.clone();
        let entry = audit::Entry { action: "packed", entity: CodeBatch::TABLE, record: id, body };
        audit::write(ctx, &mut tx, entry);
    }
    tx.commit().await?;
    Ok(Json(json!({ "act": act, "lines": lines.len(), "codes": codes })))
}

/// What the holder of a batch may know of one of its codes.
async fn find(ctx: &Ctx, query: &str) -> Result<Json<Value>> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let code = pairs.find(|(name, _)| name == "code").map(|(_, code)| code.into_owned());
    let code = code.ok_or_else(|| Problem::invalid("code", "请给出编码"))?;
    let readings = candidates(&code);
    let told: Vec<_> = readings
        .iter()
        .map(|one| {
            let parts: serde_json::Map<_, _> = one
                .parts
                .iter()
                .map(|(name, value)| (String::from(*name), Value::from(value.as_str())))
                .collect();
            json!({
                "scheme": one.scheme.code(), "label": one.scheme.label(),
                "canonical": one.canonical, "parts": parts,
            })
        })
        .collect();
    let mut tx = ctx.snapshot().await?;
    let mut life = Value::Null;
    if let Some(found) = minted(ctx.app(), &mut tx, &readings).await?.found
        && let Ok(batch) = batch(ctx, &mut tx, &found.batch_id).await
    {
        life = describe(ctx, &mut tx, &found, &batch.data).await?;
    }
    let problem = readings.is_empty().then(|| why_not(&code).to_string());
    Ok(Json(json!({
        "code": code, "readings": told, "ambiguous": is_ambiguous(&readings), "problem": problem,
        "life": life,
    })))
}

async fn describe(ctx: &Ctx, tx: &mut Tx, found: &MintedCode, batch: &CodeBatch) -> Result<Value> {
    let parent = match &found.parent {
        Some((id, number)) => Some(code_at(ctx.app(), tx, (id, *number)).await?),
        None => None,
    };
    let id = found.batch_id.as_str();
    let children = Sql::new(
        "SELECT CAST(COALESCE(SUM(last_index - first_index + 1), 0) AS BIGINT) FROM code_pack \
         WHERE parent_batch_id = $1 AND parent_index = $2",
    );
    let children = tx.fetch_one(children.arg(id).arg(found.number)).await?;
    let children = children.map(|row| row.int(0)).transpose()?.unwrap_or(0);
    let scans = Sql::new("SELECT scans FROM code_scan WHERE batch_id = $1 AND number = $2");
    let scans = tx.fetch_one(scans.arg(id).arg(found.number)).await?;
    Ok(json!({
        "batch_id": id, "batch_code": batch.code, "number": found.number + 1,
        "canonical": found.canonical,
        "state": found.state.map_or("planned", CodeState::code),
        "lot": found.lot, "produced_on": found.produced_on, "expires_on": found.expires_on,
        "level": found.level, "parent": parent, "children": children,
        "scans": scans.map(|row| row.int(0)).transpose()?.unwrap_or(0),
    }))
}
