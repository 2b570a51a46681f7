//! Uploaded packs: from a draft that one person brings, to a version in use that another has put
//! there, to one under which nothing new is written. Every step audited and announced.

use serde_json::{Value, json};
use yj_kernel::{Ctx, FieldError, Problem, Result, Row, Sql, Tx, audit, outbox, time_text};

use crate::{
    domains::{self, Domains, built_in, content, current, digest_of},
    field::FieldClass,
    pack::Pack,
    read::read,
    successor::{additions, objections},
};

/// Uploads kept, the discarded ones included.
const UPLOADS_MAX: i64 = 200;

/// 领域包状态
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackState {
    /// 待启用
    Draft,
    /// 已启用
    Active,
    /// 已停用
    Retired,
    /// 已作废
    Discarded,
}

impl PackState {
    const ALL: [Self; 4] = [Self::Draft, Self::Active, Self::Retired, Self::Discarded];

    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Discarded => "discarded",
        }
    }

    fn read(code: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|state| state.code() == code);
        found.ok_or_else(|| Problem::internal(format!("domain_pack.state is {code}")))
    }
}

/// What somebody does with an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// 启用
    Activate,
    /// 停用
    Retire,
    /// 作废
    Discard,
}

impl Step {
    /// From which state it leads to which, and how that is written down.
    const fn way(self) -> (PackState, PackState, &'static str) {
        match self {
            Self::Activate => (PackState::Draft, PackState::Active, "enabled"),
            Self::Retire => (PackState::Active, PackState::Retired, "disabled"),
            Self::Discard => (PackState::Draft, PackState::Discarded, "discarded"),
        }
    }
}

/// What a document holds and what is wrong with it, without keeping it.
pub(crate) async fn examine(tx: &mut Tx, document: &Value) -> Result<Value> {
    let (pack, errors) = match read(document) {
        Ok(pack) => {
            let errors = misfits(tx, &pack).await?;
            (Some(pack), errors)
        }
        Err(errors) => (None, errors),
    };
    let summary = match &pack {
        Some(pack) => {
            let mut summary = summary(pack);
            let before = current(tx).await?;
            let before = before.newest(&pack.code);
            summary["follows"] = json!(before.map(|before| before.version));
            summary["adds"] = json!(additions(before.map(|before| &**before), pack));
            summary
        }
        None => Value::Null,
    };
    let error = |error: FieldError| json!({ "field": error.field, "detail": error.detail });
    Ok(json!({
        "sound": errors.is_empty(), "pack": summary,
        "errors": errors.into_iter().map(error).collect::<Vec<_>>(),
    }))
}

/// What forbids a sound pack beside those there are.
async fn misfits(tx: &mut Tx, pack: &Pack) -> Result<Vec<FieldError>> {
    let known = current(tx).await?;
    let newest = known.newest(&pack.code);
    let mut found = newest.map(|newest| objections(newest, pack)).unwrap_or_default();
    let draft =
        Sql::new("SELECT 1 FROM domain_pack WHERE code = $1 AND version = $2 AND state = 'draft'");
    let draft = draft.arg(pack.code.as_str()).arg(pack.version.to_string());
    if tx.fetch_one(draft).await?.is_some() {
        let detail = format!(
            "{} {} 版已上传，待启用；请作废后重新上传，或提高版本号",
            pack.name, pack.version
        );
        found.push(FieldError { field: String::from("version"), detail });
    }
    Ok(found)
}

/// Keeps a document as a draft.
pub(crate) async fn upload(ctx: &Ctx, tx: &mut Tx, document: &Value) -> Result<Value> {
    let pack = read(document).map_err(Problem::Invalid)?;
    domains::lock(tx).await?;
    let errors = misfits(tx, &pack).await?;
    if !errors.is_empty() {
        return Err(Problem::Invalid(errors));
    }
    let count = tx.fetch_one(Sql::new("SELECT COUNT(*) FROM domain_pack")).await?;
    if count.map_or(Ok(0), |row| row.int(0))? >= UPLOADS_MAX {
        let detail = format!("上传的领域包至多 {UPLOADS_MAX} 个");
        return Err(Problem::Conflict(detail));
    }
    let (id, content) = (ctx.new_id::<()>().to_string(), serde_json::to_string(&pack));
    let content = content.map_err(Problem::internal)?;
    let digest = digest_of(&content);
    let sql = Sql::new(
        "INSERT INTO domain_pack (id, code, version, name, effective_on, content, digest, state, \
         uploaded_by, uploaded_at, summary) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'draft', $8, $9, $10)",
    );
    let sql = sql.arg(id.as_str()).arg(pack.code.as_str()).arg(pack.version.to_string());
    let sql = sql.arg(pack.name.as_str()).arg(pack.effective_on.to_string()).arg(content);
    let sql = sql.arg(digest.as_str()).arg(ctx.actor()).arg(ctx.now_ms());
    tx.execute(sql.arg(summary(&pack).to_string())).await?;
    note(
        ctx,
        tx,
        ("uploaded", &id),
        &json!({
            "code": pack.code, "version": pack.version, "effective_on": pack.effective_on, "digest": digest,
        }),
    );
    one(ctx, tx, &id).await
}

/// Takes an upload a step further. Returns it as it then is.
pub(crate) async fn advance(
    ctx: &Ctx,
    tx: &mut Tx,
    (id, step, reason): (&str, Step, &str),
) -> Result<Value> {
    if built_in().iter().any(|pack| pack.code == id) {
        let detail = "随平台发布的领域包始终可用；可以上传更高的版本取代它";
        return Err(Problem::Conflict(String::from(detail)));
    }
    domains::lock(tx).await?;
    let row = row(tx, id).await?;
    let (from, to, action) = step.way();
    let state = PackState::read(row.text(STATE)?)?;
    if state != from {
        return Err(Problem::Conflict(String::from(
            "该领域包的状态不允许此操作，可能已被他人处理，请刷新",
        )));
    }
    let pack = content(row.text(CONTENT)?, row.text(DIGEST)?);
    if step == Step::Activate {
        if row.text(UPLOADED_BY)? == ctx.actor() {
            return Err(Problem::Forbidden(String::from("不能启用自己上传的领域包，请由他人启用")));
        }
        let pack = pack.ok_or_else(|| {
            Problem::Conflict(String::from(
                "该领域包的内容与其摘要不符，不能启用；请作废后重新上传",
            ))
        })?;
        let known = current(tx).await?;
        let errors = known.newest(&pack.code).map(|newest| objections(newest, &pack));
        if let Some(first) = errors.unwrap_or_default().into_iter().next() {
            let detail = format!("上传之后已有其他版本启用，不再能启用：{}", first.detail);
            return Err(Problem::Conflict(detail));
        }
    }
    let mut sql = Sql::new("UPDATE domain_pack SET state = ");
    sql.bind(to.code()).push(match step {
        Step::Activate => ", activated_by = ",
        Step::Retire | Step::Discard => ", closed_by = ",
    });
    sql.bind(ctx.actor()).push(match step {
        Step::Activate => ", activated_at = ",
        Step::Retire | Step::Discard => ", closed_at = ",
    });
    sql.bind(ctx.now_ms()).push(", reason = ").bind(reason);
    sql.push(" WHERE id = ").bind(id).push(" AND state = ").bind(from.code());
    if tx.execute(sql).await? == 0 {
        return Err(Problem::Conflict(String::from("该领域包刚刚被他人处理，请刷新")));
    }
    domains::changed(tx).await?;
    note(
        ctx,
        tx,
        (action, id),
        &json!({
            "code": row.text(CODE)?, "version": row.text(VERSION)?, "digest": row.text(DIGEST)?,
            "uploaded_by": row.text(UPLOADED_BY)?, "reason": reason,
        }),
    );
    one(ctx, tx, id).await
}

fn note(ctx: &Ctx, tx: &mut Tx, (action, record): (&str, &str), body: &Value) {
    let entry = audit::Entry { action, entity: "domain_pack", record, body: body.clone() };
    audit::write(ctx, tx, entry);
    outbox::announce(ctx, tx, ("domain_pack", action), record, body);
}

/// What a list needs; the content is read one at a time.
const LISTED: &str = "SELECT id, code, version, summary, digest, state, uploaded_by, uploaded_at, \
                      activated_by, activated_at, closed_by, closed_at, reason";
const CODE: usize = 1;
const VERSION: usize = 2;
const SUMMARY: usize = 3;
const DIGEST: usize = 4;
const STATE: usize = 5;
const UPLOADED_BY: usize = 6;
const CONTENT: usize = 13;

async fn row(tx: &mut Tx, id: &str) -> Result<Row> {
    let mut sql = Sql::new(LISTED);
    sql.push(", content FROM domain_pack WHERE id = ").bind(id);
    tx.fetch_one(sql).await?.ok_or(Problem::NotFound("领域包"))
}

/// An upload as it is listed.
async fn one(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<Value> {
    let (row, known) = (row(tx, id).await?, current(tx).await?);
    describe(ctx, &known, &row)
}

/// Shipped packs, then uploads, the newest first.
pub(crate) async fn list(ctx: &Ctx, tx: &mut Tx) -> Result<Value> {
    let known = current(tx).await?;
    let day = ctx.today();
    let in_force = |code: &str, version: &str| {
        let pack = known.in_force(code, day);
        pack.is_some_and(|pack| pack.version.to_string() == version)
    };
    let mut sql = Sql::new(LISTED);
    sql.push(" FROM domain_pack ORDER BY id DESC LIMIT ").bind(UPLOADS_MAX);
    let rows = tx.fetch(sql).await?;
    let mut items =
        rows.iter().map(|row| describe(ctx, &known, row)).collect::<Result<Vec<_>>>()?;
    items.extend(built_in().iter().map(|pack| {
        let mut item = summary(pack);
        item["id"] = json!(pack.code);
        item["state"] = json!(PackState::Active.code());
        item["built_in"] = json!(true);
        item["intact"] = json!(true);
        item
    }));
    for item in &mut items {
        let of = |name: &str| item[name].as_str().unwrap_or_default();
        let applies = item["state"] == "active" && in_force(of("code"), of("version"));
        item["in_force"] = json!(applies);
    }
    Ok(json!({ "items": items }))
}

fn describe(ctx: &Ctx, known: &Domains, row: &Row) -> Result<Value> {
    let mut item: Value = row.json(SUMMARY)?;
    // A draft is looked at when it is put into use.
    let used = matches!(PackState::read(row.text(STATE)?)?, PackState::Active | PackState::Retired);
    let intact = !used || known.holds(row.text(CODE)?, row.text(DIGEST)?);
    let time = |index| row.int_opt(index)?.map(time_text).transpose();
    let own = row.text(UPLOADED_BY)? == ctx.actor();
    for (name, value) in [
        ("id", json!(row.text(0)?)),
        ("code", json!(row.text(CODE)?)),
        ("version", json!(row.text(VERSION)?)),
        ("digest", json!(row.text(DIGEST)?)),
        ("state", json!(row.text(STATE)?)),
        ("built_in", json!(false)),
        ("intact", json!(intact)),
        ("own", json!(own)),
        ("uploaded_by", json!(row.text(UPLOADED_BY)?)),
        ("uploaded_at", json!(time(7)?)),
        ("activated_by", json!(row.text_opt(8)?)),
        ("activated_at", json!(time(9)?)),
        ("closed_by", json!(row.text_opt(10)?)),
        ("closed_at", json!(time(11)?)),
        ("reason", json!(row.text_opt(12)?)),
    ] {
        item[name] = value;
    }
    Ok(item)
}

fn summary(pack: &Pack) -> Value {
    let fields = pack.events().flat_map(|(_, event)| &event.fields).chain(&pack.product_fields);
    let fields: Vec<_> = fields.collect();
    let of = |class| fields.iter().filter(|field| field.class == Some(class)).count();
    let (personal, sensitive) = (of(FieldClass::Personal), of(FieldClass::Sensitive));
    let rules = pack.events().map(|(_, event)| event.rules.len()).sum::<usize>();
    json!({
        "code": pack.code, "name": pack.name, "version": pack.version,
        "effective_on": pack.effective_on,
        "stages": pack.stages.iter().map(|stage| &stage.stage).collect::<Vec<_>>(),
        "events": pack.events().count(), "fields": fields.len(), "personal": personal, "sensitive": sensitive,
        "rules": rules + pack.product_rules.len(),
    })
}

/// The document of a shipped pack or an upload, for people to read, with the name of its file.
pub(crate) async fn document(tx: &mut Tx, id: &str) -> Result<(String, Vec<u8>)> {
    if let Some(pack) = built_in().iter().find(|pack| pack.code == id) {
        let bytes = serde_json::to_vec_pretty(&**pack).map_err(Problem::internal)?;
        return Ok((format!("{}-{}.json", pack.code, pack.version), bytes));
    }
    let row = row(tx, id).await?;
    let name = format!("{}-{}.json", row.text(CODE)?, row.text(VERSION)?);
    match content(row.text(CONTENT)?, row.text(DIGEST)?) {
        Some(pack) => Ok((name, serde_json::to_vec_pretty(&pack).map_err(Problem::internal)?)),
        None => Err(Problem::Conflict(String::from("该领域包的内容与其摘要不符，不能下载"))),
    }
}
