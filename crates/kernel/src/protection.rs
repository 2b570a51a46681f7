//! 个人信息 and 密级 of single records (S-32, S-35): shown for a reason, erased, marked.

use serde_json::{Value, json};

use crate::{
    Ctx, DataClass, Entity, Problem, Result, Sql, Tx, audit,
    json::Object,
    record::{blind_column, get, personal, written},
    vault,
};

/// 揭示: 个人信息 of one record in clear, for a reason that the audit trail keeps (S-32).
pub(crate) async fn reveal(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    (id, reason): (&str, &str),
) -> Result<Value> {
    require_reveals_left(ctx, tx).await?;
    let found = get(ctx, tx, entity, id).await?;
    let shown: Object = personal(entity)
        .filter_map(|field| Some((String::from(field.name), found.get(field.name)?.clone())))
        .collect();
    let names: Vec<_> = shown.keys().collect();
    let body = json!({ "fields": names, "reason": reason });
    audit::write(
        ctx,
        tx,
        audit::Entry { action: "revealed", entity: entity.table, record: id, body },
    );
    Ok(Value::Object(shown))
}

/// Refuses who has had too much 个人信息 revealed within the hour.
pub async fn require_reveals_left(ctx: &Ctx, tx: &mut Tx) -> Result<()> {
    let since = ctx.now_ms() - 3_600_000;
    let done = audit::done_since(tx, (ctx.actor(), "revealed"), since).await?;
    if done < REVEALS_MAX {
        return Ok(());
    }
    Err(Problem::TooMany(format!("一小时内已揭示 {done} 次个人信息，达到上限；请稍后再试")))
}

/// Records whose 个人信息 one user may have revealed in an hour.
const REVEALS_MAX: i64 = 60;

/// 删除个人信息: destroys the key of the record's personal fields and of every request about it.
/// The record itself and everything anchored stay (S-35).
pub(crate) async fn erase(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    (id, reason): (&str, &str),
) -> Result<()> {
    get(ctx, tx, entity, id).await?;
    let sql = Sql::new("SELECT id FROM change_request WHERE entity = $1 AND record = $2");
    let rows = tx.fetch(sql.arg(entity.table).arg(id)).await?;
    let mut owners = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    owners.push(id);
    vault::destroy(ctx, tx, &owners);
    for field in personal(entity).filter(|field| field.filter != crate::Match::Never) {
        let mut sql = Sql::new("UPDATE ");
        sql.push(entity.table).push(" SET ").push(&blind_column(field)).push(" = NULL WHERE id = ");
        sql.bind(id);
        tx.later([sql]);
    }
    let body = json!({ "reason": reason });
    audit::write(
        ctx,
        tx,
        audit::Entry { action: "erased", entity: entity.table, record: id, body },
    );
    crate::outbox::announce(ctx, tx, (entity.table, "erased"), id, &json!({ "id": id }));
    Ok(())
}

/// 密级标记: who may see the record from now on.
pub(crate) async fn mark(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    (id, version): (&str, i64),
    (label, reason): (DataClass, &str),
) -> Result<Object> {
    let before = get(ctx, tx, entity, id).await?;
    if before.get("version").and_then(Value::as_i64) != Some(version) {
        return Err(Problem::Stale(entity.title));
    }
    if label > ctx.scope.clearance() {
        return Err(Problem::invalid("label", "不能标记为高于本人许可的密级"));
    }
    let mut sql = Sql::new("UPDATE ");
    sql.push(entity.table).push(" SET version = version + 1, label = ").bind(label.level());
    sql.push(", updated_at = ").bind(ctx.now_ms()).push(", updated_by = ").bind(ctx.actor());
    sql.push(" WHERE id = ").bind(id).push(" AND version = ").bind(version);
    if tx.execute(sql).await? == 0 {
        return Err(Problem::Stale(entity.title));
    }
    let mut sql = Sql::new("UPDATE change_request SET label = ");
    sql.bind(label.level()).push(" WHERE entity = ").bind(entity.table);
    sql.push(" AND record = ").bind(id);
    tx.later([sql]);
    let body = json!({ "label": [before.get("label"), label.level()], "reason": reason });
    audit::write(
        ctx,
        tx,
        audit::Entry { action: "labelled", entity: entity.table, record: id, body },
    );
    written(ctx, tx, entity, id).await
}
