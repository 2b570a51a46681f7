//! 注册申请的审核 (G-6.2.2-1): reviewers decide within their region; what they approve waits for the
//! system administrator, who opens the account.

use axum::{
    Json,
    extract::{Path, RawQuery},
    http::Method,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{
    Access, Body, Columns, Ctx, Entity, Param, Problem, Reach, Resource as _, Result, Route, Row,
    Scoping, Shape, Sql, Tx, audit, mask, number, outbox,
    review::{self, Verb},
    sound_reason, time_text, vault, veil_always,
};

use crate::{
    application::{Request, SEALED, TABLE, TITLE, existing, hand},
    lookup,
    subject::TraceSubject,
};

/// What a reviewer says of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Approve,
    Return,
    Reject,
}

impl Verdict {
    const ALL: [Self; 3] = [Self::Approve, Self::Return, Self::Reject];

    fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Return => "return",
            Self::Reject => "reject",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Approve => "通过注册申请，登记或关联主体",
            Self::Return => "退回注册申请",
            Self::Reject => "驳回注册申请",
        }
    }

    /// The state it comes to.
    fn state(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Return => "returned",
            Self::Reject => "rejected",
        }
    }

    fn action(self) -> &'static str {
        match self {
            Self::Approve => "application_approved",
            Self::Return => "application_returned",
            Self::Reject => "application_rejected",
        }
    }
}

const STATES: [&str; 4] = ["waiting", "returned", "rejected", "approved"];
const PAGE: i64 = 50;
const PAGES_MAX: i64 = 100;

const REACHES: (Reach, Reach) = TraceSubject::SCOPING.reaches("a.product_kinds", "a.roles");

/// Reviewers see what will be theirs to see once it is registered; nobody of an enterprise does.
const REVIEWERS: Scoping = Scoping::By(Columns {
    region: Some("a.region"),
    category: REACHES.0,
    stage: REACHES.1,
    ..Columns::NONE
});

/// Administrators see what was approved by somebody of an organisation within their reach.
const ADMINISTRATORS: Scoping =
    Scoping::By(Columns { organization: Some("a.organization_path"), ..Columns::NONE });

/// Why, and whether the account shall belong to the subject that is registered already.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Decision {
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
    /// 通过时：代码已登记，关联已有主体
    #[serde(default)]
    link: bool,
}

pub(crate) fn routes() -> Vec<Route> {
    let read = || Access::permission("subject_application:read");
    let mut routes = vec![
        Route::new((Method::GET, "/api/v1/subject_application"), read(), "查询注册申请", list)
            .query(&[
                Param {
                    name: "state",
                    label: "waiting、returned、rejected 或 approved",
                    required: false,
                },
                Param { name: "page", label: "页码，自 1 起", required: false },
            ]),
        Route::new(
            (Method::GET, "/api/v1/subject_application/unopened"),
            Access::permission("account:write"),
            "已通过、待开通账号的注册申请",
            unopened,
        ),
        Route::new((Method::GET, "/api/v1/subject_application/{id}"), read(), "读取注册申请", one),
    ];
    routes.extend(Verdict::ALL.map(|verdict| {
        let decide = move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Decision>| async move {
            let reason = sound_reason(&body.reason)?;
            let mut tx = ctx.begin().await?;
            let answer = decide(&ctx, &mut tx, &id, (verdict, reason, body.link)).await?;
            tx.commit().await?;
            Ok::<_, Problem>(Json(answer))
        };
        Route::new(
            (Method::POST, format!("/api/v1/subject_application/{{id}}/{}", verdict.name())),
            Access::permission("subject_application:review"),
            verdict.label(),
            decide,
        )
        .takes(Shape::of::<Decision>())
    }));
    routes
}

const SELECT: &str = "SELECT a.id, a.receipt, a.at, a.code, a.name, a.kind, a.region, a.state, \
                      a.subject_id, a.linked, a.reason, a.decided_by, a.decided_at, a.account_id, \
                      a.opened_by, a.opened_at, a.body, a.organization_path \
                      FROM subject_application a WHERE 1 = 1";

fn json_of(row: &Row) -> Result<Value> {
    let time = |index| row.int_opt(index)?.map(time_text).transpose();
    Ok(json!({
        "id": row.text(0)?, "receipt": row.text(1)?, "at": time_text(row.int(2)?)?,
        "code": row.text_opt(3)?, "name": row.text(4)?, "kind": row.text(5)?,
        "region": row.text(6)?, "state": row.text(7)?, "subject_id": row.text_opt(8)?,
        "linked": row.int(9)? == 1, "reason": row.text_opt(10)?,
        "decided_by": row.text_opt(11)?, "decided_at": time(12)?,
        "account_id": row.text_opt(13)?, "opened_by": row.text_opt(14)?, "opened_at": time(15)?,
    }))
}

async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    let (mut sql, mut page) = (Sql::new(SELECT), 1);
    for (name, text) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match &*name {
            "state" if STATES.contains(&&*text) => {
                sql.push(" AND a.state = ").bind(&*text);
            }
            "state" => {
                let detail = format!("应为 {}", STATES.join("、"));
                return Err(Problem::invalid("state", detail));
            }
            "page" => {
                page = number(&name, &text, PAGES_MAX)?;
            }
            _ => return Err(Problem::invalid(&*name, "没有这个查询条件")),
        }
    }
    ctx.scope().narrow(&mut sql, &tx, REVIEWERS);
    sql.push(" ORDER BY a.id DESC LIMIT ").bind(PAGE).push(" OFFSET ").bind((page - 1) * PAGE);
    let rows = tx.fetch(sql).await?;
    Ok(Json(json!({ "items": rows.iter().map(json_of).collect::<Result<Vec<_>>>()? })))
}

async fn unopened(ctx: Ctx) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    let mut sql = Sql::new(SELECT);
    sql.push(" AND a.state = 'approved' AND a.account_id IS NULL");
    ctx.scope().narrow(&mut sql, &tx, ADMINISTRATORS);
    sql.push(" ORDER BY a.id LIMIT ").bind(PAGE);
    let mut items = Vec::new();
    for row in tx.fetch(sql).await? {
        let mut item = json_of(&row)?;
        let request = opened(&ctx, &mut tx, &row).await?;
        item["applicant_name"] = mask(&request.applicant_name).into();
        item["user_name"] = request.user_name.into();
        items.push(item);
    }
    Ok(Json(json!({ "items": items })))
}

async fn find(ctx: &Ctx, tx: &mut Tx, (id, scoping): (&str, Scoping)) -> Result<Row> {
    let mut sql = Sql::new(SELECT);
    sql.push(" AND a.id = ").bind(id);
    ctx.scope().narrow(&mut sql, tx, scoping);
    tx.fetch_one(sql).await?.ok_or(Problem::NotFound(TITLE))
}

/// What the applicant sent, opened. It is kept until the application has come to its end.
async fn opened(ctx: &Ctx, tx: &mut Tx, row: &Row) -> Result<Request> {
    let id = row.text(0)?;
    let text = vault::data_key(ctx, tx, id).await?.open((SEALED, id), row.text(16)?)?;
    serde_json::from_str(&text).map_err(Problem::internal)
}

async fn one(ctx: Ctx, Path(id): Path<String>) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    let row = find(&ctx, &mut tx, (&id, REVIEWERS)).await?;
    let mut answer = json_of(&row)?;
    if row.text(7)? == "waiting" {
        let mut request = opened(&ctx, &mut tx, &row).await?;
        let known = existing(&ctx, &mut tx, &request.subject).await?;
        answer["existing"] = known.map_or(
            Value::Null,
            |ours| json!({ "code": ours.code, "name": ours.name, "region": ours.region }),
        );
        veil_always(Entity::of::<TraceSubject>(), &mut request.subject);
        answer["subject"] = Value::Object(request.subject);
        answer["applicant_name"] = mask(&request.applicant_name).into();
        answer["applicant_phone"] = mask(&request.applicant_phone).into();
        answer["user_name"] = request.user_name.into();
    }
    Ok(Json(answer))
}

/// The subject that an approval leads to: the registered one, or one that is registered by it.
async fn subject_of(ctx: &Ctx, tx: &mut Tx, (row, link): (&Row, bool)) -> Result<String> {
    let reviewing = ctx.under("trace_subject:review")?;
    let body = opened(ctx, tx, row).await?.subject;
    match (existing(ctx, tx, &body).await?, link) {
        (Some(ours), true) => {
            lookup::require_reach(&reviewing, tx, ("link", &ours.id)).await?;
            Ok(ours.id)
        }
        (Some(ours), false) => Err(Problem::Conflict(format!(
            "该主体已以代码 {} 登记为“{}”；核实申请人确属该主体后，请选择关联已有主体再通过",
            ours.code, ours.name
        ))),
        (None, true) => {
            Err(Problem::invalid("link", "没有以该代码或证件号码登记的主体可以关联，请直接通过"))
        }
        (None, false) => {
            let entity = Entity::of::<TraceSubject>();
            let filed = review::propose(&hand(ctx.app()), tx, entity, None, body).await?;
            let request = filed["id"].as_str().unwrap_or_default();
            let comment = format!("注册申请 {}", row.text(1)?);
            let done =
                review::decide(&reviewing, tx, entity, request, (Verb::Approve, &comment)).await?;
            let record = done["record"].as_str();
            record.map(String::from).ok_or_else(|| Problem::internal("approved, yet no record"))
        }
    }
}

async fn decide(
    ctx: &Ctx,
    tx: &mut Tx,
    id: &str,
    (verdict, reason, link): (Verdict, &str, bool),
) -> Result<Value> {
    let row = find(ctx, tx, (id, REVIEWERS)).await?;
    if row.text(7)? != "waiting" {
        return Err(settled());
    }
    let approved = verdict == Verdict::Approve;
    if link && !approved {
        return Err(Problem::invalid("link", "只在通过时关联已有主体"));
    }
    let sql = Sql::new(
        "UPDATE subject_application SET state = $1, subject_id = $2, linked = $3, \
         organization_path = $4, reason = $5, decided_by = $6, decided_at = $7 \
         WHERE id = $8 AND state = 'waiting'",
    );
    let subject = if approved { Some(subject_of(ctx, tx, (&row, link)).await?) } else { None };
    let path = approved.then_some(ctx.principal().organization_path.as_str());
    let sql = sql.arg(verdict.state()).arg(subject.as_deref()).arg(link).arg(path).arg(reason);
    if tx.execute(sql.arg(ctx.actor()).arg(ctx.now_ms()).arg(id)).await? == 0 {
        return Err(settled());
    }
    if !approved {
        // 个人信息 of somebody who is not registered is not kept any longer.
        vault::destroy(ctx, tx, &[id]);
    }
    let body = json!({
        "state": ["waiting", verdict.state()], "subject_id": subject, "linked": link,
        "reason": reason,
    });
    outbox::announce(ctx, tx, (TABLE, verdict.state()), id, &body);
    let entry = audit::Entry { action: verdict.action(), entity: TABLE, record: id, body };
    audit::write(ctx, tx, entry);
    json_of(&find(ctx, tx, (id, REVIEWERS)).await?)
}

fn settled() -> Problem {
    Problem::Conflict(String::from("该申请已被他人处理，请刷新"))
}

/// An approved application whose account is not open yet.
#[derive(Debug, Clone)]
pub struct ApprovedApplication {
    /// Identifier of the 追溯主体.
    pub subject_id: String,
    /// Place of the organisation that approved it, under which the subject's own will be.
    pub organization_path: String,
    /// 管理人姓名
    pub name: String,
    /// 管理人手机
    pub phone: String,
    /// 希望使用的用户名
    pub user_name: String,
}

/// An approved application within the caller's reach in the tree of organisations, locked for the
/// transaction; refuses one whose account is open.
pub async fn approved_application(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<ApprovedApplication> {
    tx.lock(TABLE, id).await?;
    let row = find(ctx, tx, (id, ADMINISTRATORS)).await?;
    let (Some(subject_id), Some(path)) = (row.text_opt(8)?, row.text_opt(17)?) else {
        return Err(Problem::NotFound(TITLE));
    };
    if row.text_opt(13)?.is_some() {
        return Err(Problem::Conflict(String::from("该申请的账号已开通")));
    }
    let request = opened(ctx, tx, &row).await?;
    Ok(ApprovedApplication {
        subject_id: String::from(subject_id),
        organization_path: String::from(path),
        name: request.applicant_name,
        phone: request.applicant_phone,
        user_name: request.user_name,
    })
}

/// Notes that the account of an application is open: what the applicant sent has done its work.
pub async fn close_application(ctx: &Ctx, tx: &mut Tx, (id, account): (&str, &str)) -> Result<()> {
    let sql = Sql::new(
        "UPDATE subject_application SET account_id = $1, opened_by = $2, opened_at = $3 \
         WHERE id = $4 AND account_id IS NULL",
    );
    if tx.execute(sql.arg(account).arg(ctx.actor()).arg(ctx.now_ms()).arg(id)).await? == 0 {
        return Err(settled());
    }
    vault::destroy(ctx, tx, &[id]);
    let body = json!({ "account_id": account });
    outbox::announce(ctx, tx, (TABLE, "opened"), id, &body);
    let entry = audit::Entry { action: "application_opened", entity: TABLE, record: id, body };
    audit::write(ctx, tx, entry);
    Ok(())
}
