//! 审核 (G-6.2.2-2, G-6.3.3, D-7.2.2): changes that need a second person.
//!
//! A record under review never sits half-approved in its own table. What someone wants to change
//! waits in `change_request`; tables of records hold only what has been approved.

use serde_json::{Value, json};

use crate::{
    App, Columns, Ctx, DataClass, Entity, Place, Problem, Result, Row, Scoping, Sql, Tx, audit,
    called, change_rule,
    field::time_text,
    json::Object,
    listing,
    record::{self, Update},
    scope::place_of,
    vault::{self, DataKey},
};

/// Where a change request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// 待审核
    Submitted,
    /// 退回补正
    Returned,
    /// 已通过
    Approved,
    /// 已驳回
    Rejected,
    /// 已撤回
    Withdrawn,
}

/// What someone does to a change request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// 通过
    Approve,
    /// 退回补正
    Return,
    /// 驳回
    Reject,
    /// 撤回
    Withdraw,
    /// 补正后再提交
    Resubmit,
}

impl State {
    const ALL: [Self; 5] =
        [Self::Submitted, Self::Returned, Self::Approved, Self::Rejected, Self::Withdrawn];

    /// The whole life of a change request. `None`: not possible from here.
    pub fn after(self, verb: Verb) -> Option<Self> {
        match (self, verb) {
            (Self::Submitted, Verb::Approve) => Some(Self::Approved),
            (Self::Submitted, Verb::Return) => Some(Self::Returned),
            (Self::Submitted, Verb::Reject) => Some(Self::Rejected),
            (Self::Submitted | Self::Returned, Verb::Withdraw) => Some(Self::Withdrawn),
            (Self::Returned, Verb::Resubmit) => Some(Self::Submitted),
            _ => None,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Returned => "returned",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Submitted => "待审核",
            Self::Returned => "已退回补正",
            Self::Approved => "已通过",
            Self::Rejected => "已驳回",
            Self::Withdrawn => "已撤回",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

impl Verb {
    fn action(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Return => "returned",
            Self::Reject => "rejected",
            Self::Withdraw => "withdrawn",
            Self::Resubmit => "resubmitted",
        }
    }

    /// Whether the submitter does this; everything else is done by somebody else.
    fn by_submitter(self) -> bool {
        matches!(self, Self::Withdraw | Self::Resubmit)
    }
}

/// The record a request wants to change, and the version it was written against. `None` asks for
/// a new record.
pub type Target<'a> = Option<(&'a str, i64)>;

/// Files a request. The body is checked now, so that reviewers only see acceptable ones.
pub async fn propose(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    target: Target<'_>,
    body: Object,
) -> Result<Value> {
    propose_from(ctx, tx, entity, target, (body, None)).await
}

/// The same for a change that holds from another day than the one it is approved on.
pub(crate) async fn propose_from(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    target: Target<'_>,
    (body, effective_on): (Object, Option<&str>),
) -> Result<Value> {
    let body = acceptable(ctx, tx, entity, target, body).await?;
    let id = ctx.new_id::<()>().to_string();
    let (record, version) = target.map_or((None, 0), |(id, version)| (Some(id), version));
    let place = Located::of(entity, record, &body);
    let sealed = record::seal_body(ctx, tx, entity, (&id, true), &body).await?;
    let sql = Sql::new(
        "INSERT INTO change_request (id, entity, record, base_version, region, subject_id, \
         category, stage, label, body, state, submitted_by, submitted_at, effective_on) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    );
    let sql = sql.arg(id.as_str()).arg(entity.table).arg(record).arg(version);
    let sql = sql.arg(place.region).arg(place.subject).arg(place.category).arg(place.stage);
    let label = label_of(tx, entity, record).await?;
    let sql = sql.arg(label).arg(Value::Object(sealed).to_string()).arg(State::Submitted.code());
    tx.execute(sql.arg(ctx.actor()).arg(ctx.now_ms()).arg(effective_on)).await?;
    log(ctx, tx, &id, "submitted", "");
    Ok(request(ctx.app(), tx, entity, &id).await?.json(ctx, entity))
}

/// Checks a body as the final write will, without writing.
async fn acceptable(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    target: Target<'_>,
    body: Object,
) -> Result<Object> {
    let mut body = body;
    if let Some((id, version)) = target {
        let stored = record::get(ctx, tx, entity, id).await?;
        record::unveil(ctx, entity, &stored, &mut body);
        record::require_version(ctx, entity, version, (&stored, &body))?;
        let body = entity.accept((body, Some(&stored)), ctx, tx).await?;
        change_rule::demand(tx, entity, (&stored, &body)).await?;
        record::require_reach(ctx, entity, Some(id), &body)?;
        return Ok(body);
    }
    let body = entity.accept((body, None), ctx, tx).await?;
    record::require_reach(ctx, entity, None, &body)?;
    Ok(body)
}

/// Where a proposed record belongs, so that its reviewers find it.
struct Located {
    region: Option<String>,
    subject: Option<String>,
    category: Option<String>,
    stage: Option<String>,
}

impl Located {
    fn of(entity: &Entity, record: Option<&str>, body: &Object) -> Self {
        let Scoping::By(columns) = entity.scoping else {
            return Self { region: None, subject: None, category: None, stage: None };
        };
        let found = place_of(&columns, record, body);
        Self {
            region: found.region.map(String::from),
            subject: found.subject.map(String::from),
            category: found.category,
            stage: found.stage,
        }
    }
}

/// The columns of `change_request` that stand for those of the register.
pub fn request_columns(entity: &Entity) -> Option<Columns> {
    let Scoping::By(columns) = entity.scoping else { return None };
    Some(Columns {
        region: columns.region.map(|_| "region"),
        subject: columns.subject.map(|_| "subject_id"),
        category: columns.category.named("category"),
        stage: columns.stage.named("stage"),
        label: columns.label.map(|_| "label"),
        ..Columns::NONE
    })
}

/// A request about a record is labelled as the record is; marking the record marks them too.
async fn label_of(tx: &mut Tx, entity: &Entity, record: Option<&str>) -> Result<i64> {
    let Some(record) = record else { return Ok(DataClass::Internal.level()) };
    let mut sql = Sql::new("SELECT label FROM ");
    sql.push(entity.table).push(" WHERE id = ").bind(record);
    tx.fetch_one(sql).await?.map_or(Ok(DataClass::Internal.level()), |row| row.int(0))
}

/// Limits a statement over `change_request` to what a reviewer of this register reaches.
pub fn narrow_requests(ctx: &Ctx, sql: &mut Sql, tx: &Tx, entity: &Entity) {
    if let Some(columns) = request_columns(entity) {
        ctx.scope().narrow(sql, tx, Scoping::By(columns));
    }
}

/// Decides a request. Approval applies the change in the same transaction.
pub async fn decide(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    id: &str,
    (verb, comment): (Verb, &str),
) -> Result<Value> {
    let (mut request, next) = open(ctx, tx, entity, id, verb).await?;
    if matches!(verb, Verb::Return | Verb::Reject) && comment.trim().is_empty() {
        return Err(Problem::invalid("comment", "请写明理由，提交人据此补正"));
    }
    if verb == Verb::Approve {
        let body = request.body.clone();
        let applied = match &request.record {
            None => record::insert(ctx, tx, entity, body).await?,
            Some(record) => {
                let before = record::get(ctx, tx, entity, record).await?;
                change_rule::require_level(ctx, tx, entity, (&before, &body)).await?;
                let at = (record.as_str(), request.base_version);
                let effective_on = request.effective_on.as_deref();
                record::update(ctx, tx, entity, Update { at, body, effective_on }).await?
            }
        };
        request.record = applied.get("id").and_then(Value::as_str).map(String::from);
    }
    let mut sql = Sql::new("UPDATE change_request SET state = ");
    sql.bind(next.code()).push(", record = ").bind(request.record.clone());
    sql.push(", decided_by = ").bind(ctx.actor()).push(", decided_at = ").bind(ctx.now_ms());
    sql.push(", comment = ").bind(comment.trim()).push(" WHERE id = ").bind(id);
    settle(tx, sql, request.state).await?;
    log(ctx, tx, id, verb.action(), comment.trim());
    Ok(self::request(ctx.app(), tx, entity, id).await?.json(ctx, entity))
}

/// Files a returned request again with a corrected body.
pub async fn resubmit(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    id: &str,
    body: Object,
) -> Result<Value> {
    let (request, next) = open(ctx, tx, entity, id, Verb::Resubmit).await?;
    let target = request.record.as_deref().map(|record| (record, request.base_version));
    let body = acceptable(ctx, tx, entity, target, body).await?;
    let place = Located::of(entity, request.record.as_deref(), &body);
    let sealed = record::seal_body(ctx, tx, entity, (id, false), &body).await?;
    let mut sql = Sql::new("UPDATE change_request SET state = ");
    sql.bind(next.code()).push(", body = ").bind(Value::Object(sealed).to_string());
    sql.push(", region = ").bind(place.region).push(", subject_id = ").bind(place.subject);
    sql.push(", category = ").bind(place.category).push(", stage = ").bind(place.stage);
    sql.push(", submitted_at = ").bind(ctx.now_ms()).push(" WHERE id = ").bind(id);
    settle(tx, sql, request.state).await?;
    log(ctx, tx, id, Verb::Resubmit.action(), "");
    Ok(self::request(ctx.app(), tx, entity, id).await?.json(ctx, entity))
}

/// A request that this actor may treat this way now, and the state it comes to.
async fn open(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    id: &str,
    verb: Verb,
) -> Result<(Request, State)> {
    let request = request(ctx.app(), tx, entity, id).await?;
    request.require_visible(ctx, entity)?;
    let own = request.submitted_by == ctx.actor();
    if own != verb.by_submitter() {
        let reason = if own {
            "不能审核自己提交的申请，请由他人审核"
        } else {
            "只能处理自己提交的申请"
        };
        return Err(Problem::Conflict(String::from(reason)));
    }
    let next = request.state.after(verb).ok_or_else(|| settled(request.state))?;
    Ok((request, next))
}

fn settled(state: State) -> Problem {
    Problem::Conflict(format!("该申请{}，不能再做此操作", state.label()))
}

/// Runs an update that must find the request still in `state`.
async fn settle(tx: &mut Tx, mut sql: Sql, state: State) -> Result<()> {
    sql.push(" AND state = ").bind(state.code());
    if tx.execute(sql).await? == 0 {
        return Err(Problem::Conflict(String::from("该申请刚刚被他人处理，请刷新")));
    }
    Ok(())
}

fn log(ctx: &Ctx, tx: &mut Tx, id: &str, action: &str, comment: &str) {
    let body = json!({ "comment": comment });
    audit::write(ctx, tx, audit::Entry { action, entity: "change_request", record: id, body });
}

/// The requests for one kind of record: for reviewers those within their reach, for others their
/// own. Newest first.
pub async fn list(ctx: &Ctx, tx: &mut Tx, entity: &Entity, query: &str) -> Result<Value> {
    let mut sql = Sql::new(REQUEST);
    sql.bind(entity.table);
    let (mut page, mut per_page, mut mine) = (1, 20, false);
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "state" => {
                let state = State::from_code(&text);
                let unknown = || {
                    Problem::invalid(
                        "state",
                        "应为 submitted、returned、approved、rejected 或 withdrawn",
                    )
                };
                sql.push(" AND state = ").bind(state.ok_or_else(unknown)?.code());
            }
            "record" => {
                sql.push(" AND record = ").bind(&*text);
            }
            "mine" => mine = text == "true",
            "page" => page = listing::number(&name, &text, 500)?,
            "per_page" => per_page = listing::number(&name, &text, 100)?,
            _ => return Err(Problem::invalid(&*name, "没有这个查询条件")),
        }
    }
    match reviewer(ctx, entity) {
        Some(scope) if !mine => {
            if let Some(columns) = request_columns(entity) {
                scope.narrow(&mut sql, tx, Scoping::By(columns));
            }
        }
        _ => {
            sql.push(" AND submitted_by = ").bind(ctx.actor());
        }
    }
    sql.push(" ORDER BY id DESC LIMIT ")
        .bind(per_page)
        .push(" OFFSET ")
        .bind((page - 1) * per_page);
    let items = requests(ctx.app(), tx, entity, sql).await?;
    let items: Vec<_> = items.iter().map(|request| request.json(ctx, entity)).collect();
    Ok(json!({ "items": items }))
}

/// One request with what it would change and how it came about.
pub async fn one(ctx: &Ctx, tx: &mut Tx, entity: &Entity, id: &str) -> Result<Value> {
    let request = request(ctx.app(), tx, entity, id).await?;
    request.require_visible(ctx, entity)?;
    let mut before = match &request.record {
        Some(record) => record::get(ctx, tx, entity, record).await.ok(),
        None => None,
    };
    let mut diff = record::differences(entity, before.as_ref(), Some(&request.body));
    let both: Vec<Object> = before.iter().chain([&request.body]).cloned().collect();
    let names = called::called(ctx, tx, entity, (&both, "name")).await?;
    record::conceal(ctx, entity, &mut diff);
    if let Some(before) = &mut before {
        record::veil(ctx, entity, before);
    }
    let mut answer = request.json(ctx, entity);
    let sql = Sql::new(
        "SELECT at, actor, action, body FROM audit_log \
         WHERE source = '' AND entity = 'change_request' AND record = $1 ORDER BY id LIMIT 100",
    );
    let rows = tx.fetch(sql.arg(id)).await?;
    let entry = |row: &Row| {
        let body: Value = row.json(3)?;
        Ok(
            json!({ "at": time_text(row.int(0)?)?, "actor": row.text(1)?, "action": row.text(2)?, "comment": body["comment"] }),
        )
    };
    answer["log"] = rows.iter().map(entry).collect::<Result<Vec<_>>>()?.into();
    answer["names"] = Value::Object(names);
    answer["before"] = before.map_or(Value::Null, Value::Object);
    answer["diff"] = diff;
    Ok(answer)
}

/// How far the caller may review this kind of record; `None` for those who may not.
fn reviewer(ctx: &Ctx, entity: &Entity) -> Option<crate::Scope> {
    ctx.under(&entity.permission("review")).ok().map(|ctx| ctx.scope)
}

/// 审核意见的最多字数
pub(crate) const COMMENT_MAX: usize = 500;

const REQUEST: &str = "SELECT id, record, base_version, body, state, submitted_by, submitted_at, \
                       decided_by, decided_at, comment, region, subject_id, category, stage, label, \
                       effective_on FROM change_request WHERE entity = ";

struct Request {
    id: String,
    record: Option<String>,
    base_version: i64,
    body: Object,
    state: State,
    submitted_by: String,
    submitted_at: i64,
    decided_by: Option<String>,
    decided_at: Option<i64>,
    comment: Option<String>,
    place: Located,
    label: i64,
    effective_on: Option<String>,
}

impl Request {
    fn read(row: &Row) -> Result<Self> {
        let state = row.text(4)?;
        let text = |index| Ok::<_, Problem>(row.text_opt(index)?.map(String::from));
        Ok(Self {
            id: String::from(row.text(0)?),
            record: text(1)?,
            base_version: row.int(2)?,
            body: row.json(3)?,
            state: State::from_code(state)
                .ok_or_else(|| Problem::internal(format!("change_request.state is {state}")))?,
            submitted_by: String::from(row.text(5)?),
            submitted_at: row.int(6)?,
            decided_by: text(7)?,
            decided_at: row.int_opt(8)?,
            comment: text(9)?,
            place: Located {
                region: text(10)?,
                subject: text(11)?,
                category: text(12)?,
                stage: text(13)?,
            },
            label: row.int(14)?,
            effective_on: text(15)?,
        })
    }

    /// Submitters see their own, reviewers those within their reach.
    fn require_visible(&self, ctx: &Ctx, entity: &Entity) -> Result<()> {
        let reach = reviewer(ctx, entity).is_some_and(|scope| {
            let place = Place {
                region: self.place.region.as_deref(),
                subject: self.place.subject.as_deref(),
                category: self.place.category.as_deref(),
                stage: self.place.stage.as_deref(),
                label: Some(self.label),
                ..Place::default()
            };
            request_columns(entity).is_none_or(|columns| scope.covers(&columns, &place))
        });
        if reach || self.submitted_by == ctx.actor() {
            Ok(())
        } else {
            Err(Problem::NotFound("变更申请"))
        }
    }

    fn json(&self, ctx: &Ctx, entity: &Entity) -> Value {
        let mut body = self.body.clone();
        if self.submitted_by != ctx.actor() {
            record::veil(ctx, entity, &mut body);
        }
        let time = |ms: Option<i64>| ms.and_then(|ms| time_text(ms).ok());
        json!({
            "id": self.id, "entity": entity.table, "record": self.record,
            "base_version": self.base_version, "state": self.state.code(), "body": body,
            "submitted_by": self.submitted_by, "submitted_at": time(Some(self.submitted_at)),
            "decided_by": self.decided_by, "decided_at": time(self.decided_at),
            "comment": self.comment, "effective_on": self.effective_on,
        })
    }
}

async fn request(app: &App, tx: &mut Tx, entity: &Entity, id: &str) -> Result<Request> {
    let mut sql = Sql::new(REQUEST);
    sql.bind(entity.table).push(" AND id = ").bind(id);
    let found = requests(app, tx, entity, sql).await?;
    found.into_iter().next().ok_or(Problem::NotFound("变更申请"))
}

/// The requests that a statement finds, with 个人信息 opened.
async fn requests(app: &App, tx: &mut Tx, entity: &Entity, sql: Sql) -> Result<Vec<Request>> {
    let rows = tx.fetch(sql).await?;
    let mut found = rows.iter().map(Request::read).collect::<Result<Vec<_>>>()?;
    let ids: Vec<_> = found.iter().map(|request| request.id.clone()).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let keys = vault::data_keys(app, tx, &ids).await?;
    for request in &mut found {
        let key: Option<&DataKey> = keys.get(&request.id);
        record::open_body(entity, (&request.id, key), &mut request.body)?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decided_request_stays_decided() {
        let verbs = [Verb::Approve, Verb::Return, Verb::Reject, Verb::Withdraw, Verb::Resubmit];
        for state in [State::Approved, State::Rejected, State::Withdrawn] {
            for verb in verbs {
                assert_eq!(state.after(verb), None);
            }
        }
    }

    #[test]
    fn a_returned_request_can_be_mended_or_given_up() {
        assert_eq!(State::Returned.after(Verb::Resubmit), Some(State::Submitted));
        assert_eq!(State::Returned.after(Verb::Withdraw), Some(State::Withdrawn));
        assert_eq!(State::Returned.after(Verb::Approve), None);
    }
}
