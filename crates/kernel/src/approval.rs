//! 批量审核: registrations come by the thousand in one file, and are let in by the hundred.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Ctx, Entity, Problem, Result,
    review::{self, COMMENT_MAX, Verb},
};

/// Requests of one call.
const IDS_MAX: usize = 500;

/// Requests to be approved together.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Approval {
    /// 变更申请的标识，1 至 500 个
    #[schemars(length(min = 1, max = 500))]
    ids: Vec<String>,
    /// 审核意见
    #[schemars(length(max = 500))]
    comment: Option<String>,
}

/// Approves each request in a transaction of its own; what stands in the way of one is no harm to
/// the others: `{approved, refused, results: [{id, approved, record | detail}]}`.
pub(crate) async fn approve(
    ctx: &Ctx,
    entity: &'static Entity,
    approval: Approval,
) -> Result<Value> {
    let Approval { ids, comment } = approval;
    if !(1..=IDS_MAX).contains(&ids.len()) {
        let detail = format!("一次应为 1 至 {IDS_MAX} 个申请，现为 {} 个", ids.len());
        return Err(Problem::invalid("ids", detail));
    }
    let comment = comment.unwrap_or_default();
    if comment.chars().count() > COMMENT_MAX {
        return Err(Problem::invalid("comment", format!("审核意见至多 {COMMENT_MAX} 个字")));
    }
    let (mut results, mut approved) = (Vec::with_capacity(ids.len()), 0);
    for id in ids {
        results.push(match one(ctx, entity, (&id, &comment)).await {
            Ok(record) => {
                approved += 1;
                json!({ "id": id, "approved": true, "record": record })
            }
            Err(Problem::Internal(cause)) => return Err(Problem::Internal(cause)),
            Err(problem) => {
                json!({ "id": id, "approved": false, "detail": problem.to_string() })
            }
        });
    }
    let refused = results.len() - approved;
    Ok(json!({ "approved": approved, "refused": refused, "results": results }))
}

async fn one(ctx: &Ctx, entity: &'static Entity, (id, comment): (&str, &str)) -> Result<Value> {
    let mut tx = ctx.begin().await?;
    let decided = review::decide(ctx, &mut tx, entity, id, (Verb::Approve, comment)).await?;
    tx.commit().await?;
    Ok(decided["record"].clone())
}
