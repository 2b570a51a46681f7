//! 合并与拆分 (handbook §2.3.3): two records of one subject become one, or one becomes two. Somebody
//! else approves, nothing is deleted, and every code leads on.

use axum::{
    Json,
    extract::Path,
    http::{Method, StatusCode},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use yj_kernel::{
    Access, Body, Changed, Columns, Ctx, Entity, Field, Kind, Match, Object, Problem, Resource,
    Result, Route, Scoping, Shape, Stored, Succession, Tx, audit, outbox, reference, review,
    sound_reason,
};
use yj_model::{Id, RegionCode};

use crate::{
    alias, lookup,
    standing::{Status, Step, Verb},
    subject::TraceSubject,
};

/// 主体合并
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectMerger {
    /// 被合并主体
    pub from_id: Id<TraceSubject>,
    /// 并入主体
    pub into_id: Id<TraceSubject>,
    /// 理由
    pub reason: String,
    /// Region of the one that is merged.
    pub region: Option<RegionCode>,
}

impl Resource for SubjectMerger {
    const TABLE: &'static str = "subject_merger";
    const TITLE: &'static str = "主体合并";
    const SCOPING: Scoping = Scoping::By(Columns {
        region: Some("region"),
        subject: Some("from_id"),
        label: Some("label"),
        ..Columns::NONE
    });
    const REVIEWED: bool = true;
    const REMOVABLE: bool = false;
    const FIELDS: &'static [Field] = &[
        Field::new("from_id", "被合并主体", Kind::Id("trace_subject")).filter(Match::Exact),
        Field::new("into_id", "并入主体", Kind::Id("trace_subject")).filter(Match::Exact),
        Field::new("reason", "理由", Kind::Text).length_max(500),
        Field::new("region", "所属区域", Kind::Region)
            .filter(Match::Prefix)
            .computed()
            .hint("由被合并主体确定"),
    ];

    /// Who asks and who approves must both reach both.
    async fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        self.reason = String::from(sound_reason(&self.reason)?);
        if self.from_id == self.into_id {
            return Err(Problem::invalid("into_id", "不能并入自身"));
        }
        let from = reached(ctx, tx, ("from_id", self.from_id)).await?;
        let into = reached(ctx, tx, ("into_id", self.into_id)).await?;
        if from.data.status().after(Verb::Merge).is_none() {
            return Err(Problem::Conflict(String::from("该主体已并入其他主体，不能再次合并")));
        }
        if into.data.status() != Status::Valid {
            let label = into.data.status().label();
            let detail = format!("并入的主体应为“有效”，现为“{label}”");
            return Err(Problem::invalid("into_id", detail));
        }
        self.region = Some(from.data.region);
        Ok(())
    }

    async fn follow(ctx: &Ctx, tx: &mut Tx, change: &Changed<'_, Self>) -> Result<()> {
        match (change.before, change.after) {
            (None, Some(merger)) => merger.perform(ctx, tx).await,
            _ => Err(Problem::Conflict(String::from("合并已经生效，不能改动"))),
        }
    }

    fn sample(n: u32) -> Self {
        Self {
            from_id: Id::from_parts(1, u128::from(n)),
            into_id: Id::from_parts(2, u128::from(n)),
            reason: String::from("同一主体重复登记"),
            region: None,
        }
    }
}

async fn reached(
    ctx: &Ctx,
    tx: &mut Tx,
    (field, id): (&'static str, Id<TraceSubject>),
) -> Result<Stored<TraceSubject>> {
    lookup::require_reach(ctx, tx, (field, &id.to_string())).await?;
    tx.get(ctx, id).await
}

impl SubjectMerger {
    async fn perform(&self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let (from, into) = (self.from_id, self.into_id);
        // Two mergers that cross wait for each other in the same order.
        for id in [from.min(into), from.max(into)] {
            tx.lock(TraceSubject::TABLE, id).await?;
        }
        let merged = tx.get::<TraceSubject>(ctx, from).await?.data;
        let kept = tx.get::<TraceSubject>(ctx, into).await?.data;
        if kept.status() != Status::Valid {
            let detail = "并入的主体刚刚被他人暂停、注销或合并，请刷新";
            return Err(Problem::Conflict(String::from(detail)));
        }
        let step =
            Step { id: from, from: merged.status(), verb: Verb::Merge, successor: Some(into) };
        step.take(ctx, tx, &self.reason).await?;
        alias::hand_over(ctx, tx, (from, into)).await?;
        let handed = hand_over(ctx, tx, (from, into), &kept).await?;
        let body = json!({
            "absorbed": [null, from.to_string()], "absorbed_code": [null, merged.code],
            "reason": self.reason, "handed_over": handed,
        });
        let (table, record) = (TraceSubject::TABLE, into.to_string());
        outbox::announce(ctx, tx, (table, "absorbed"), &record, &body);
        let entry = audit::Entry { action: "absorbed", entity: table, record: &record, body };
        audit::write(ctx, tx, entry);
        Ok(())
    }
}

/// What was the one's is the other's from now on: products, nodes, merchants, devices, licences and
/// sites, with their codes as they are. How many records it was.
async fn hand_over(
    ctx: &Ctx,
    tx: &mut Tx,
    (from, into): (Id<TraceSubject>, Id<TraceSubject>),
    kept: &TraceSubject,
) -> Result<usize> {
    let mut values = Object::new();
    values.insert(String::from("region"), json!(kept.region));
    values.insert(String::from("subject_code"), json!(kept.code));
    let (from, into) = (from.to_string(), into.to_string());
    let succession =
        Succession { table: TraceSubject::TABLE, from: &from, into: &into, values: &values };
    succession.hand_over(ctx, tx).await
}

/// Into whom, and why.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Merge {
    /// 并入主体的代码或记录标识
    into: String,
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

/// What becomes independent, and why.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Split {
    /// 拆分出的主体，字段与登记相同
    subject: Object,
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

/// 合并 and 拆分 of one subject; both wait for somebody else's word.
pub(crate) fn routes() -> Vec<Route> {
    let at = |verb: &str| (Method::POST, format!("/api/v1/trace_subject/{{id}}/{verb}"));
    vec![
        Route::new(
            at("merge"),
            Access::permission("subject_merger:write"),
            "申请将主体并入另一主体",
            merge,
        )
        .takes(Shape::of::<Merge>()),
        Route::new(
            at("split"),
            Access::permission("trace_subject:write"),
            "申请从主体拆分出新的主体",
            split,
        )
        .takes(Shape::of::<Split>()),
    ]
}

/// The subject a path names.
async fn named(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<Stored<TraceSubject>> {
    let id = id.parse().map_err(|_| Problem::NotFound(TraceSubject::TITLE))?;
    tx.get(ctx, id).await
}

async fn merge(
    ctx: Ctx,
    Path(id): Path<String>,
    Body(body): Body<Merge>,
) -> Result<(StatusCode, Json<Value>)> {
    let mut tx = ctx.begin().await?;
    let from = named(&ctx, &mut tx, &id).await?;
    let target = (Entity::of::<TraceSubject>(), body.into.as_str());
    let into = reference::identifier(&ctx, &mut tx, target).await?;
    let into = into.map_err(|detail| Problem::invalid("into", detail))?;
    let mut record = Object::new();
    for (name, value) in
        [("from_id", from.id.to_string()), ("into_id", into), ("reason", body.reason)]
    {
        record.insert(String::from(name), value.into());
    }
    let entity = Entity::of::<SubjectMerger>();
    let request = review::propose(&ctx, &mut tx, entity, None, record).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "change_request": request }))))
}

async fn split(
    ctx: Ctx,
    Path(id): Path<String>,
    Body(body): Body<Split>,
) -> Result<(StatusCode, Json<Value>)> {
    let reason = sound_reason(&body.reason)?;
    let mut tx = ctx.begin().await?;
    let from = named(&ctx, &mut tx, &id).await?;
    if from.data.status() != Status::Valid {
        let detail = format!("该主体当前为“{}”，不能拆分", from.data.status().label());
        return Err(Problem::Conflict(detail));
    }
    let mut record = body.subject;
    crate::arrival::require_unknown(&ctx, &mut tx, &record)
        .await
        .map_err(|problem| problem.within("subject."))?;
    record.insert(String::from("predecessor_id"), from.id.to_string().into());
    let request = crate::person::file(&ctx, &mut tx, record).await;
    let request = request.map_err(|problem| problem.within("subject."))?;
    let note = json!({ "change_request": request["id"], "reason": reason });
    let (table, record) = (TraceSubject::TABLE, from.id.to_string());
    let entry = audit::Entry { action: "split_asked", entity: table, record: &record, body: note };
    audit::write(&ctx, &mut tx, entry);
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "change_request": request }))))
}
