//! Searches by 个人信息: what of them the audit trail keeps, and what they cost (S-32).

use serde_json::json;

use crate::{Ctx, DataClass, Entity, Problem, Result, audit};

/// A query as the audit trail may keep it: values of 个人信息 are masked.
pub(crate) fn redacted(entity: &Entity, query: &str) -> String {
    let mut kept = form_urlencoded::Serializer::new(String::new());
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let personal = entity.field(&name).is_some_and(|field| field.class == DataClass::Personal);
        let text = if personal { crate::mask(&text) } else { text.into_owned() };
        kept.append_pair(&name, &text);
    }
    kept.finish()
}

/// Who looks for the owner of a telephone number learns it just as somebody who has it revealed:
/// it takes the same right, leaves an entry and counts towards the same limit (S-32).
pub(crate) async fn note_personal_search(
    ctx: &Ctx,
    entity: &'static Entity,
    query: &str,
) -> Result<()> {
    let mut asked = form_urlencoded::parse(query.as_bytes())
        .filter_map(|(name, text)| entity.field(&name).filter(|_| !text.is_empty()))
        .filter(|field| field.class == DataClass::Personal);
    let Some(field) = asked.next() else { return Ok(()) };
    let permission = entity.permission("personal");
    if !ctx.allows(&permission) {
        let detail = format!("按{}查询须有 {permission} 权限", field.label);
        return Err(Problem::Forbidden(detail));
    }
    let mut tx = ctx.begin().await?;
    crate::require_reveals_left(ctx, &mut tx).await?;
    let body = json!({ "fields": [field.name], "query": redacted(entity, query) });
    let entry = audit::Entry { action: "revealed", entity: entity.table, record: "", body };
    audit::write(ctx, &mut tx, entry);
    tx.commit().await
}
