//! Uploaded packs: from a draft that one person brings, to the one that is on every map, to one that
//! was taken off again. Every step audited and announced.

use jiff::civil::Date;
use serde_json::{Value, json};
use yj_kernel::{Ctx, Problem, Result, Row, Sql, Tx, audit, outbox, time_text};
use yj_model::regions;

use super::{
    check::Checked,
    outline::{CHINA, digest_of},
};

/// Uploads kept, the discarded ones included.
const UPLOADS_MAX: i64 = 200;
const ENTITY: &str = "map_pack";

/// 底图状态
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PackState {
    /// 待启用
    Draft,
    /// 已启用
    Active,
    /// 已撤下
    Withdrawn,
    /// 已作废
    Discarded,
}

impl PackState {
    const ALL: [Self; 4] = [Self::Draft, Self::Active, Self::Withdrawn, Self::Discarded];

    const fn code(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Withdrawn => "withdrawn",
            Self::Discarded => "discarded",
        }
    }

    fn read(code: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|state| state.code() == code);
        found.ok_or_else(|| Problem::internal(format!("map_pack.state is {code}")))
    }
}

/// What somebody does with an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// 启用
    Activate,
    /// 撤下
    Withdraw,
    /// 作废
    Discard,
}

impl Step {
    /// From which state it leads to which, and how that is written down.
    const fn way(self) -> (PackState, PackState, &'static str) {
        match self {
            Self::Activate => (PackState::Draft, PackState::Active, "enabled"),
            Self::Withdraw => (PackState::Active, PackState::Withdrawn, "disabled"),
            Self::Discard => (PackState::Draft, PackState::Discarded, "discarded"),
        }
    }
}

/// What a file holds, for people.
pub(super) fn summary(checked: &Checked) -> Value {
    let Checked { outline, points, notices } = checked;
    let level = |level: usize| {
        let of = |code: &str| match (&code[2..4], &code[4..]) {
            ("00", "00") => 1,
            (_, "00") => 2,
            _ => 3,
        };
        outline.divisions.iter().filter(|division| of(&division.code) == level).count()
    };
    let coverage = outline.coverage.as_str();
    let called = match coverage {
        CHINA => "全国",
        code => regions().get(code).map_or(code, |region| region.name),
    };
    json!({
        "name": outline.name, "approval_number": outline.approval_number,
        "source": outline.source, "issued_year": outline.issued_year, "datum": outline.datum,
        "valid_until": outline.valid_until, "coverage": coverage, "coverage_name": called,
        "provinces": level(1), "prefectures": level(2), "counties": level(3),
        "lines": outline.lines.len(), "points": points, "notices": notices,
    })
}

/// Keeps what was checked as a draft.
pub(super) async fn upload(
    ctx: &Ctx,
    tx: &mut Tx,
    (checked, content): (&Checked, String),
) -> Result<Value> {
    let count = tx.fetch_one(Sql::new("SELECT COUNT(*) FROM map_pack")).await?;
    if count.map_or(Ok(0), |row| row.int(0))? >= UPLOADS_MAX {
        return Err(Problem::Conflict(format!("上传的地图底图至多 {UPLOADS_MAX} 份")));
    }
    let next = "UPDATE map_pack_version SET last = last + 1 WHERE id = 1 RETURNING last";
    let row = tx.fetch_one(Sql::new(next)).await?;
    let row = row.ok_or_else(|| Problem::internal("map_pack_version is empty"))?;
    let (version, id, digest) = (row.int(0)?, ctx.new_id::<()>().to_string(), digest_of(&content));
    let outline = &checked.outline;
    let ends_on = outline.valid_until.and_then(|day| day.tomorrow().ok());
    let sql = Sql::new(
        "INSERT INTO map_pack (id, version, name, approval_number, ends_on, summary, content, \
         digest, state, uploaded_by, uploaded_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'draft', $9, $10)",
    );
    let sql = sql.arg(id.as_str()).arg(version).arg(outline.name.as_str());
    let sql = sql.arg(outline.approval_number.as_str()).arg(ends_on.map(|day| day.to_string()));
    let sql = sql.arg(summary(checked).to_string()).arg(content).arg(digest.as_str());
    tx.execute(sql.arg(ctx.actor()).arg(ctx.now_ms())).await?;
    let body = json!({
        "version": version, "name": outline.name, "approval_number": outline.approval_number,
        "coverage": outline.coverage, "digest": digest,
    });
    note(ctx, tx, ("uploaded", &id), &body);
    let row = row_of(tx, &id).await?;
    describe(ctx, &row)
}

/// Takes an upload a step further. Returns it as it then is.
pub(super) async fn advance(
    ctx: &Ctx,
    tx: &mut Tx,
    (id, step, reason): (&str, Step, &str),
) -> Result<Value> {
    tx.lock("map_pack_version", 1_i64).await?;
    let row = row_of(tx, id).await?;
    let (from, _, _) = step.way();
    if PackState::read(row.text(STATE)?)? != from {
        return Err(Problem::Conflict(String::from(
            "该底图的状态不允许此操作，可能已被他人处理，请刷新",
        )));
    }
    if step == Step::Activate {
        require_fit(ctx, tx, &row).await?;
        let active = tx.fetch_one(Sql::new("SELECT id FROM map_pack WHERE state = 'active'"));
        if let Some(active) = active.await? {
            let before = row_of(tx, active.text(0)?).await?;
            let reason = format!("由第 {} 版取代", row.int(VERSION)?);
            walk(ctx, tx, (&before, Step::Withdraw, &reason)).await?;
        }
    }
    walk(ctx, tx, (&row, step, reason)).await?;
    let row = row_of(tx, id).await?;
    describe(ctx, &row)
}

/// What an upload needs to be put on the maps.
async fn require_fit(ctx: &Ctx, tx: &mut Tx, row: &Row) -> Result<()> {
    if row.text(UPLOADED_BY)? == ctx.actor() {
        let detail = "不能启用自己上传的地图底图，请由他人启用";
        return Err(Problem::Forbidden(String::from(detail)));
    }
    if !holds_on(row, ctx.today())? {
        let detail = format!("{} 已过有效期，不能启用", row.text(APPROVAL_NUMBER)?);
        return Err(Problem::Conflict(detail));
    }
    content(tx, row).await.map(drop)
}

/// Whether the 审图号 holds on this day.
fn holds_on(row: &Row, day: Date) -> Result<bool> {
    Ok(row.text_opt(ENDS_ON)?.is_none_or(|end| day.to_string().as_str() < end))
}

/// Writes one step down.
async fn walk(ctx: &Ctx, tx: &mut Tx, (row, step, reason): (&Row, Step, &str)) -> Result<()> {
    let (from, to, action) = step.way();
    let id = row.text(0)?;
    let (by, at) = match step {
        Step::Activate => (", activated_by = ", ", activated_at = "),
        Step::Withdraw | Step::Discard => (", closed_by = ", ", closed_at = "),
    };
    let mut sql = Sql::new("UPDATE map_pack SET state = ");
    sql.bind(to.code()).push(by).bind(ctx.actor()).push(at).bind(ctx.now_ms());
    sql.push(", reason = ").bind(reason).push(" WHERE id = ").bind(id);
    sql.push(" AND state = ").bind(from.code());
    if tx.execute(sql).await? == 0 {
        return Err(Problem::Conflict(String::from("该底图刚刚被他人处理，请刷新")));
    }
    let body = json!({
        "version": row.int(VERSION)?, "name": row.text(NAME)?,
        "approval_number": row.text(APPROVAL_NUMBER)?, "digest": row.text(DIGEST)?,
        "uploaded_by": row.text(UPLOADED_BY)?, "reason": reason,
    });
    note(ctx, tx, (action, id), &body);
    Ok(())
}

fn note(ctx: &Ctx, tx: &mut Tx, (action, record): (&str, &str), body: &Value) {
    let entry = audit::Entry { action, entity: ENTITY, record, body: body.clone() };
    audit::write(ctx, tx, entry);
    outbox::announce(ctx, tx, (ENTITY, action), record, body);
}

/// What a list needs; the content is read one at a time.
const LISTED: &str = "SELECT id, version, name, approval_number, ends_on, summary, digest, state, \
                      uploaded_by, uploaded_at, activated_by, activated_at, closed_by, closed_at, \
                      reason FROM map_pack";
const VERSION: usize = 1;
const NAME: usize = 2;
const APPROVAL_NUMBER: usize = 3;
const ENDS_ON: usize = 4;
const SUMMARY: usize = 5;
const DIGEST: usize = 6;
const STATE: usize = 7;
const UPLOADED_BY: usize = 8;

async fn row_of(tx: &mut Tx, id: &str) -> Result<Row> {
    let mut sql = Sql::new(LISTED);
    sql.push(" WHERE id = ").bind(id);
    tx.fetch_one(sql).await?.ok_or(Problem::NotFound("地图底图"))
}

async fn active_row(tx: &mut Tx) -> Result<Option<Row>> {
    let mut sql = Sql::new(LISTED);
    sql.push(" WHERE state = 'active'");
    tx.fetch_one(sql).await
}

/// The outline of a pack, unless it is not what its digest says.
async fn content(tx: &mut Tx, row: &Row) -> Result<String> {
    let mut sql = Sql::new("SELECT content FROM map_pack WHERE id = ");
    sql.bind(row.text(0)?);
    let found = tx.fetch_one(sql).await?.ok_or(Problem::NotFound("地图底图"))?;
    let content = String::from(found.text(0)?);
    if digest_of(&content) == row.text(DIGEST)? {
        return Ok(content);
    }
    tracing::error!(id = row.text(0)?, "地图底图与其摘要不符，已停用");
    Err(Problem::Conflict(String::from("该底图的内容与其摘要不符，不能使用；请重新上传")))
}

/// Every upload, the newest first.
pub(super) async fn list(ctx: &Ctx, tx: &mut Tx) -> Result<Value> {
    let mut sql = Sql::new(LISTED);
    sql.push(" ORDER BY version DESC LIMIT ").bind(UPLOADS_MAX);
    let rows = tx.fetch(sql).await?;
    let items = rows.iter().map(|row| describe(ctx, row)).collect::<Result<Vec<_>>>()?;
    Ok(json!({ "items": items }))
}

fn describe(ctx: &Ctx, row: &Row) -> Result<Value> {
    let mut item: Value = row.json(SUMMARY)?;
    let time = |index| row.int_opt(index)?.map(time_text).transpose();
    let state = row.text(STATE)?;
    for (name, value) in [
        ("id", json!(row.text(0)?)),
        ("version", json!(row.int(VERSION)?)),
        ("digest", json!(row.text(DIGEST)?)),
        ("state", json!(state)),
        ("in_force", json!(state == PackState::Active.code() && holds_on(row, ctx.today())?)),
        ("own", json!(row.text(UPLOADED_BY)? == ctx.actor())),
        ("uploaded_by", json!(row.text(UPLOADED_BY)?)),
        ("uploaded_at", json!(time(9)?)),
        ("activated_by", json!(row.text_opt(10)?)),
        ("activated_at", json!(time(11)?)),
        ("closed_by", json!(row.text_opt(12)?)),
        ("closed_at", json!(time(13)?)),
        ("reason", json!(row.text_opt(14)?)),
    ] {
        item[name] = value;
    }
    Ok(item)
}

/// What every map is drawn from: nothing where the bundled outlines are.
pub(super) async fn active(ctx: &Ctx, tx: &mut Tx) -> Result<Value> {
    let Some(row) = active_row(tx).await? else { return Ok(json!({ "pack": null })) };
    if !holds_on(&row, ctx.today())? {
        return Ok(json!({ "pack": null }));
    }
    let summary: Value = row.json(SUMMARY)?;
    Ok(json!({ "pack": {
        "version": row.int(VERSION)?, "digest": row.text(DIGEST)?,
        "name": row.text(NAME)?, "approval_number": row.text(APPROVAL_NUMBER)?,
        "source": summary["source"], "issued_year": summary["issued_year"],
        "valid_until": summary["valid_until"], "coverage": summary["coverage"],
    } }))
}

/// The outline of the active pack, where this is its digest.
pub(super) async fn active_outline(ctx: &Ctx, tx: &mut Tx, digest: &str) -> Result<String> {
    let row = active_row(tx).await?.ok_or(Problem::NotFound("地图底图"))?;
    if row.text(DIGEST)? != digest || !holds_on(&row, ctx.today())? {
        return Err(Problem::NotFound("地图底图"));
    }
    content(tx, &row).await
}

/// The outline of any upload, for those who decide about it.
pub(super) async fn outline(tx: &mut Tx, id: &str) -> Result<String> {
    let row = row_of(tx, id).await?;
    content(tx, &row).await
}
