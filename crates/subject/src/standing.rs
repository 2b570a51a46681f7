//! 主体状态 (YJ-core A): in force, suspended, closed, merged. It is changed by acts with a reason,
//! never by editing the record.

use axum::{
    Json,
    extract::Path,
    http::{HeaderMap, Method},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use yj_kernel::{
    Access, Body, Codes, Ctx, Problem, Resource as _, Result, Route, Shape, Sql, Tx, audit,
    expected_version, outbox, sound_reason,
};
use yj_model::Id;

use crate::subject::TraceSubject;

/// Codes of [`Status`] with their labels, as YJ-core numbers them.
pub(crate) const STATUSES: Codes =
    &[("40", "有效"), ("60", "暂停"), ("70", "注销"), ("80", "已合并")];

/// The condition of lists and figures for subjects that are registered: in force or suspended.
/// Whoever is closed, or merged into another, is not counted any longer.
pub const REGISTERED: &str = "status.any=40,60";

/// 主体状态
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// 有效
    #[serde(rename = "40")]
    Valid,
    /// 暂停
    #[serde(rename = "60")]
    Suspended,
    /// 注销
    #[serde(rename = "70")]
    Closed,
    /// 已合并
    #[serde(rename = "80")]
    Merged,
}

/// What is done to a subject's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// 暂停
    Suspend,
    /// 恢复
    Resume,
    /// 注销
    Close,
    /// 合并
    Merge,
}

impl Status {
    const ALL: [Self; 4] = [Self::Valid, Self::Suspended, Self::Closed, Self::Merged];

    /// The whole life of a subject. `None`: not possible from here.
    pub(crate) fn after(self, verb: Verb) -> Option<Self> {
        match (self, verb) {
            (Self::Valid, Verb::Suspend) => Some(Self::Suspended),
            (Self::Suspended, Verb::Resume) => Some(Self::Valid),
            (Self::Valid | Self::Suspended, Verb::Close) => Some(Self::Closed),
            (Self::Valid | Self::Suspended | Self::Closed, Verb::Merge) => Some(Self::Merged),
            _ => None,
        }
    }

    /// Stable code, as stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Valid => "40",
            Self::Suspended => "60",
            Self::Closed => "70",
            Self::Merged => "80",
        }
    }

    /// 中文名称
    pub fn label(self) -> &'static str {
        let found = STATUSES.iter().find(|(code, _)| *code == self.code());
        found.map_or("", |(_, label)| label)
    }

    /// The state that is stored as this code.
    pub(crate) fn stored(code: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|status| status.code() == code);
        found.ok_or_else(|| Problem::internal(format!("trace_subject.status is {code}")))
    }
}

impl Verb {
    const ACTS: [Self; 3] = [Self::Suspend, Self::Resume, Self::Close];

    fn name(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Close => "close",
            Self::Merge => "merge",
        }
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Suspend => "暂停",
            Self::Resume => "恢复",
            Self::Close => "注销",
            Self::Merge => "合并",
        }
    }

    fn action(self) -> &'static str {
        match self {
            Self::Suspend => "suspended",
            Self::Resume => "resumed",
            Self::Close => "closed",
            Self::Merge => "merged",
        }
    }
}

/// Why the state changes; kept in the history.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

/// One route for every act.
pub(crate) fn routes() -> Vec<Route> {
    let route = |verb: Verb| {
        let act = move |ctx: Ctx,
                        Path(id): Path<String>,
                        headers: HeaderMap,
                        Body(body): Body<Reason>| async move {
            let reason = sound_reason(&body.reason)?;
            let version = expected_version(&headers)?;
            let mut tx = ctx.begin().await?;
            let id = id.parse().map_err(|_| Problem::NotFound(TraceSubject::TITLE))?;
            let answer = act(&ctx, &mut tx, (id, version), (verb, reason)).await?;
            tx.commit().await?;
            Ok::<_, Problem>(Json(answer))
        };
        Route::new(
            (Method::POST, format!("/api/v1/trace_subject/{{id}}/{}", verb.name())),
            Access::permission("trace_subject:status"),
            format!("{}追溯主体", verb.label()),
            act,
        )
        .versioned()
        .takes(Shape::of::<Reason>())
    };
    Verb::ACTS.map(route).into()
}

async fn act(
    ctx: &Ctx,
    tx: &mut Tx,
    (id, version): (Id<TraceSubject>, i64),
    (verb, reason): (Verb, &str),
) -> Result<Value> {
    tx.lock(TraceSubject::TABLE, id).await?;
    let stored = tx.get::<TraceSubject>(ctx, id).await?;
    if stored.version != version {
        return Err(Problem::Stale(TraceSubject::TITLE));
    }
    let step = Step { id, from: stored.data.status(), verb, successor: None };
    let next = step.take(ctx, tx, reason).await?;
    Ok(json!({ "id": id.to_string(), "version": version + 1, "status": next }))
}

/// One step in the life of a subject whose row is locked.
pub(crate) struct Step {
    pub(crate) id: Id<TraceSubject>,
    pub(crate) from: Status,
    pub(crate) verb: Verb,
    /// Into which it is merged.
    pub(crate) successor: Option<Id<TraceSubject>>,
}

impl Step {
    /// Takes it, with its entry in the history and its announcement; the state it comes to.
    pub(crate) async fn take(self, ctx: &Ctx, tx: &mut Tx, reason: &str) -> Result<Status> {
        let Self { id, from, verb, successor } = self;
        let next = from.after(verb).ok_or_else(|| {
            let detail = format!("该主体当前为“{}”，不能{}", from.label(), verb.label());
            Problem::Conflict(detail)
        })?;
        let mut sql = Sql::new("UPDATE trace_subject SET version = version + 1, status = ");
        sql.bind(next.code()).push(", successor_id = ").bind(successor);
        // Since when it has been in force, or not: whatever else becomes of what is not in force, the
        // time before is not opened again.
        if (from == Status::Valid) != (next == Status::Valid) {
            sql.push(", status_since = ").bind(ctx.now_ms());
        }
        sql.push(", updated_at = ").bind(ctx.now_ms()).push(", updated_by = ").bind(ctx.actor());
        sql.push(" WHERE id = ").bind(id).push(" AND status = ").bind(from.code());
        if tx.execute(sql).await? == 0 {
            return Err(Problem::Stale(TraceSubject::TITLE));
        }
        let mut body = json!({ "status": [from, next], "reason": reason });
        if let Some(successor) = successor {
            body["successor_id"] = json!([null, successor.to_string()]);
        }
        let record = id.to_string();
        let table = TraceSubject::TABLE;
        outbox::announce(ctx, tx, (table, verb.action()), &record, &body);
        let entry = audit::Entry { action: verb.action(), entity: table, record: &record, body };
        audit::write(ctx, tx, entry);
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_closed_or_merged_stays_so() {
        for verb in Verb::ACTS {
            assert_eq!(Status::Closed.after(verb), None);
            assert_eq!(Status::Merged.after(verb), None);
        }
        assert_eq!(Status::Merged.after(Verb::Merge), None);
        assert_eq!(Status::Valid.after(Verb::Resume), None);
    }

    #[test]
    fn codes_are_those_of_the_list() {
        for status in Status::ALL {
            assert_eq!(Status::stored(status.code()).unwrap(), status);
            assert_eq!(serde_json::to_value(status).unwrap(), status.code());
            assert!(!status.label().is_empty());
        }
        assert_eq!(STATUSES.len(), Status::ALL.len());
    }
}
