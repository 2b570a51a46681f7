//! Many records at once: a register that the operator moves in, or a measurement.

use serde_json::json;

use crate::{
    Ctx, DataClass, Entity, Resource, Result, SqlValue, Tx, audit, code_list,
    entity::to_object,
    insert_rows,
    record::{HEADER, encoded, require_reach},
    search,
};

/// Writes many new records in few trips: a register that the operator moves in, or a measurement.
/// They are checked field by field, written as any other, and leave one audit entry together; what
/// [`Resource::check`] and [`Resource::follow`] do for one at a time is not done.
pub async fn load<R: Resource>(ctx: &Ctx, tx: &mut Tx, records: &[R]) -> Result<()> {
    let entity = code_list::present(ctx.app(), tx, Entity::of::<R>()).await?;
    let (mut names, mut rows) = (Vec::new(), Vec::new());
    for record in records {
        let body = entity.normalise(to_object(record)?)?;
        let id = ctx.new_id::<()>().to_string();
        require_reach(ctx, entity, Some(&id), &body)?;
        let fields = encoded(ctx, tx, entity, (&id, true), &body).await?;
        let (now, actor) = (ctx.now_ms(), ctx.actor());
        let mut row: Vec<SqlValue> =
            vec![id.as_str().into(), 1_i64.into(), now.into(), actor.into()];
        row.extend([now.into(), actor.into(), DataClass::Internal.level().into()]);
        names.clear();
        for (name, value) in fields {
            names.push(name);
            row.push(value);
        }
        rows.push(row);
        search::keep(tx, entity, &id, (None, Some(&body)));
    }
    let columns = HEADER.into_iter().chain(names.iter().map(String::as_str));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let head = format!("INSERT INTO {} ({columns})", entity.table);
    tx.later(insert_rows(&head, "", rows));
    let body = json!({ "rows": records.len() });
    audit::write(
        ctx,
        tx,
        audit::Entry { action: "loaded", entity: entity.table, record: "", body },
    );
    Ok(())
}
