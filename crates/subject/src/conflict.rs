//! 冲突队列 (handbook §2.3.3): a code of ours that came from elsewhere with another name. Nothing is
//! overwritten; somebody decides, with a reason.

use axum::{
    Json,
    extract::{Path, RawQuery},
    http::Method,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{
    Access, Body, Columns, Ctx, Entity, Kind, Object, Param, Problem, Reach, Resource as _, Result,
    Route, Row, Scoping, Shape, Sql, Tx, audit, number, outbox, review, sound_reason, time_text,
    vault, veil_always,
};
use yj_model::Id;

use crate::{
    arrival::{require_unknown, text},
    lookup::SubjectBrief,
    person,
    subject::TraceSubject,
};

/// The way something came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    /// 文件导入
    Import,
    /// 系统推送
    Api,
}

impl Channel {
    fn code(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Api => "api",
        }
    }
}

/// How a conflict was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// 保留本平台的
    Keep,
    /// 采用对方的, as a change request.
    Take,
    /// 是另一主体: its code is put right, as a registration.
    Correct,
}

impl Verdict {
    const ALL: [Self; 3] = [Self::Keep, Self::Take, Self::Correct];

    fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Take => "take",
            Self::Correct => "correct",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Keep => "保留本平台登记，结束冲突",
            Self::Take => "采用对方信息，转为变更申请",
            Self::Correct => "更正对方代码，转为登记申请",
        }
    }

    /// The state it comes to.
    fn state(self) -> &'static str {
        match self {
            Self::Keep => "kept",
            Self::Take => "taken",
            Self::Correct => "corrected",
        }
    }
}

const TABLE: &str = "subject_conflict";
const TITLE: &str = "主体冲突";
const SEALED: &str = "subject_conflict.body";
const STATES: [&str; 4] = ["open", "kept", "taken", "corrected"];
const PAGE: i64 = 50;
const PAGES_MAX: i64 = 100;

const REACHES: (Reach, Reach) = TraceSubject::SCOPING.reaches("s.product_kinds", "s.roles");

/// A conflict belongs to whom the subject belongs to.
const SCOPING: Scoping = Scoping::By(Columns {
    region: Some("s.region"),
    subject: Some("s.id"),
    organization: None,
    category: REACHES.0,
    stage: REACHES.1,
    label: Some("s.label"),
});

/// What came, from where.
pub(crate) struct Claim<'a> {
    pub(crate) ours: &'a SubjectBrief,
    pub(crate) body: &'a Object,
    pub(crate) channel: Channel,
}

/// Puts a claim into the queue, once however often it comes; its identifier.
pub(crate) async fn file(ctx: &Ctx, tx: &mut Tx, claim: Claim<'_>) -> Result<String> {
    let Claim { ours, body, channel } = claim;
    let their_name: String = text(body, "name").trim().chars().take(120).collect();
    let source = match text(body, "source_system").trim() {
        "" => ctx.actor(),
        named => named,
    };
    let source: String = source.chars().take(50).collect();
    let id = ctx.new_id::<()>().to_string();
    let key = vault::fresh_data_key(ctx, tx, &id)?;
    let sealed = key.seal(ctx, (SEALED, &id), &Value::Object(body.clone()).to_string())?;
    let sql = Sql::new(
        "INSERT INTO subject_conflict (id, at, code, subject_id, our_name, their_name, body, \
         source, channel, sent_by, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open') \
         ON CONFLICT DO NOTHING",
    );
    let sql = sql.arg(id.as_str()).arg(ctx.now_ms()).arg(ours.code.as_str()).arg(ours.id.as_str());
    let sql = sql.arg(ours.name.as_str()).arg(their_name.as_str()).arg(sealed);
    let sql = sql.arg(source.as_str()).arg(channel.code()).arg(ctx.actor());
    if tx.execute(sql).await? == 0 {
        let known = Sql::new(
            "SELECT id FROM subject_conflict \
             WHERE code = $1 AND their_name = $2 AND source = $3 AND state = 'open'",
        );
        let known = known.arg(ours.code.as_str()).arg(their_name).arg(source);
        let known = tx.fetch_one(known).await?;
        let known = known.ok_or_else(|| Problem::internal("a conflict that was there is gone"))?;
        return known.text(0).map(String::from);
    }
    let note = json!({
        "code": ours.code, "name": [ours.name, their_name], "source": source,
        "channel": channel.code(),
    });
    outbox::announce(ctx, tx, (TABLE, "opened"), &id, &note);
    let entry = audit::Entry { action: "conflict_opened", entity: TABLE, record: &id, body: note };
    audit::write(ctx, tx, entry);
    Ok(id)
}

/// Why, and the right code of another subject.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Decision {
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
    /// 更正后的主体代码；不填则由平台发给
    code: Option<String>,
}

/// The queue and its decisions.
pub(crate) fn routes() -> Vec<Route> {
    let read = || Access::permission("subject_conflict:read");
    let mut routes = vec![
        Route::new((Method::GET, "/api/v1/subject_conflict"), read(), "查询主体冲突", list).query(
            &[
                Param {
                    name: "state", label: "open、kept、taken 或 corrected", required: false
                },
                Param { name: "page", label: "页码，自 1 起", required: false },
            ],
        ),
        Route::new((Method::GET, "/api/v1/subject_conflict/{id}"), read(), "读取主体冲突", one),
    ];
    routes.extend(Verdict::ALL.map(|verdict| {
        let decide = move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Decision>| async move {
            let reason = sound_reason(&body.reason)?;
            let mut tx = ctx.begin().await?;
            let ruling = Ruling { verdict, reason, code: body.code.as_deref() };
            let answer = decide(&ctx, &mut tx, &id, ruling).await?;
            tx.commit().await?;
            Ok::<_, Problem>(Json(answer))
        };
        Route::new(
            (Method::POST, format!("/api/v1/subject_conflict/{{id}}/{}", verdict.name())),
            Access::permission("subject_conflict:review"),
            verdict.label(),
            decide,
        )
        .takes(Shape::of::<Decision>())
    }));
    routes
}

const SELECT: &str = "SELECT c.id, c.at, c.code, c.subject_id, c.our_name, c.their_name, c.source, \
                      c.channel, c.sent_by, c.state, c.change_request, c.reason, c.decided_by, \
                      c.decided_at, c.body FROM subject_conflict c \
                      JOIN trace_subject s ON s.id = c.subject_id WHERE 1 = 1";

fn json_of(row: &Row) -> Result<Value> {
    let decided_at = row.int_opt(13)?.map(time_text).transpose()?;
    Ok(json!({
        "id": row.text(0)?, "at": time_text(row.int(1)?)?, "code": row.text(2)?,
        "subject_id": row.text(3)?, "our_name": row.text(4)?, "their_name": row.text(5)?,
        "source": row.text(6)?, "channel": row.text(7)?, "sent_by": row.text(8)?,
        "state": row.text(9)?, "change_request": row.text_opt(10)?, "reason": row.text_opt(11)?,
        "decided_by": row.text_opt(12)?, "decided_at": decided_at,
    }))
}

async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    let (mut sql, mut page) = (Sql::new(SELECT), 1);
    for (name, text) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match &*name {
            "state" if STATES.contains(&&*text) => {
                sql.push(" AND c.state = ").bind(&*text);
            }
            "state" => {
                return Err(Problem::invalid("state", "应为 open、kept、taken 或 corrected"));
            }
            "page" => {
                page = number(&name, &text, PAGES_MAX)?;
            }
            _ => return Err(Problem::invalid(&*name, "没有这个查询条件")),
        }
    }
    ctx.scope().narrow(&mut sql, &tx, SCOPING);
    sql.push(" ORDER BY c.id DESC LIMIT ").bind(PAGE).push(" OFFSET ").bind((page - 1) * PAGE);
    let rows = tx.fetch(sql).await?;
    Ok(Json(json!({ "items": rows.iter().map(json_of).collect::<Result<Vec<_>>>()? })))
}

async fn find(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<Row> {
    let mut sql = Sql::new(SELECT);
    sql.push(" AND c.id = ").bind(id);
    ctx.scope().narrow(&mut sql, tx, SCOPING);
    tx.fetch_one(sql).await?.ok_or(Problem::NotFound(TITLE))
}

/// What came, opened. It is kept until the conflict is decided.
async fn opened(ctx: &Ctx, tx: &mut Tx, row: &Row) -> Result<Object> {
    let id = row.text(0)?;
    let text = vault::data_key(ctx, tx, id).await?.open((SEALED, id), row.text(14)?)?;
    serde_json::from_str(&text).map_err(Problem::internal)
}

async fn one(ctx: Ctx, Path(id): Path<String>) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    let row = find(&ctx, &mut tx, &id).await?;
    let mut answer = json_of(&row)?;
    if row.text(9)? == "open" {
        let mut theirs = opened(&ctx, &mut tx, &row).await?;
        veil_always(Entity::of::<TraceSubject>(), &mut theirs);
        answer["theirs"] = Value::Object(theirs);
    }
    Ok(Json(answer))
}

/// A decision on a conflict.
struct Ruling<'a> {
    verdict: Verdict,
    reason: &'a str,
    code: Option<&'a str>,
}

async fn decide(ctx: &Ctx, tx: &mut Tx, id: &str, ruling: Ruling<'_>) -> Result<Value> {
    let Ruling { verdict, reason, code } = ruling;
    let row = find(ctx, tx, id).await?;
    if row.text(9)? != "open" {
        return Err(settled());
    }
    let request = match verdict {
        Verdict::Keep => None,
        Verdict::Take => {
            let theirs = opened(ctx, tx, &row).await?;
            Some(take(ctx, tx, row.text(3)?, theirs).await?)
        }
        Verdict::Correct => {
            let mut theirs = opened(ctx, tx, &row).await?;
            theirs.insert(String::from("code"), code.map_or(Value::Null, Value::from));
            require_unknown(ctx, tx, &theirs).await?;
            Some(person::file(ctx, tx, theirs).await?)
        }
    };
    let request = request.as_ref().and_then(|request| request["id"].as_str());
    let sql = Sql::new(
        "UPDATE subject_conflict SET state = $1, change_request = $2, reason = $3, \
         decided_by = $4, decided_at = $5 WHERE id = $6 AND state = 'open'",
    );
    let sql = sql.arg(verdict.state()).arg(request).arg(reason).arg(ctx.actor());
    if tx.execute(sql.arg(ctx.now_ms()).arg(id)).await? == 0 {
        return Err(settled());
    }
    // What came has done its work; 个人信息 in it is not kept any longer.
    vault::destroy(ctx, tx, &[id]);
    let body =
        json!({ "state": ["open", verdict.state()], "change_request": request, "reason": reason });
    outbox::announce(ctx, tx, (TABLE, verdict.state()), id, &body);
    let action = match verdict {
        Verdict::Keep => "conflict_kept",
        Verdict::Take => "conflict_taken",
        Verdict::Correct => "conflict_corrected",
    };
    audit::write(ctx, tx, audit::Entry { action, entity: TABLE, record: id, body });
    json_of(&find(ctx, tx, id).await?)
}

fn settled() -> Problem {
    Problem::Conflict(String::from("该冲突已被他人处理，请刷新"))
}

/// A change request that makes ours what theirs is.
async fn take(ctx: &Ctx, tx: &mut Tx, subject: &str, theirs: Object) -> Result<Value> {
    let id: Id<TraceSubject> = subject.parse().map_err(Problem::internal)?;
    let stored = tx.get::<TraceSubject>(ctx, id).await?;
    let body = overlaid(&stored.data, theirs)?;
    let target = Some((subject, stored.version));
    review::propose(ctx, tx, Entity::of::<TraceSubject>(), target, body).await
}

/// A record with what came in place of what it held. The code stays, and so does what only the
/// platform writes or what did not come.
pub(crate) fn overlaid(ours: &TraceSubject, theirs: Object) -> Result<Object> {
    let Value::Object(mut body) = serde_json::to_value(ours).map_err(Problem::internal)? else {
        return Err(Problem::internal("a subject must serialize to an object"));
    };
    for (name, value) in theirs {
        let field = TraceSubject::FIELDS.iter().find(|field| field.name == name);
        let fixed = field.is_some_and(|field| field.computed || matches!(field.kind, Kind::Id(_)));
        let empty = value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
        if name != "code" && !fixed && !empty {
            body.insert(name, value);
        }
    }
    Ok(body)
}
