//! References in files: people write the code that stands on the licence, records hold identifiers.

use crate::{Ctx, Entity, Field, Kind, Result, Sql, Tx};

/// The register a field refers to, where its records have codes.
pub(crate) fn target(entities: &[&'static Entity], field: &Field) -> Option<&'static Entity> {
    let Kind::Id(table) = field.kind else { return None };
    let known = entities.iter().find(|entity| entity.table == table)?;
    known.field("code").map(|_| *known)
}

/// The identifier a cell means: itself, or that of the one record with this code among those the
/// reader may read. Otherwise what is wrong with it.
pub(crate) async fn identifier(
    ctx: &Ctx,
    tx: &mut Tx,
    (target, cell): (&Entity, &str),
) -> Result<Result<String, String>> {
    let cell = cell.trim();
    if cell.parse::<yj_model::Id<()>>().is_ok() {
        return Ok(Ok(String::from(cell)));
    }
    let nothing = || Ok(Err(format!("没有代码为“{cell}”的{}", target.title)));
    let Ok(ctx) = ctx.under(&target.permission("read")) else { return nothing() };
    let normalise = target.field("code").and_then(|field| field.normalise);
    let code = normalise.map_or_else(|| Ok(String::from(cell)), |normalise| normalise(cell));
    let Ok(code) = code else { return nothing() };
    let mut sql = Sql::new("SELECT id FROM ");
    sql.push(target.table).push(" WHERE code = ").bind(code.as_str());
    ctx.scope().narrow(&mut sql, tx, target.scoping);
    sql.push(" LIMIT 2");
    match tx.fetch(sql).await?.as_slice() {
        [] => nothing(),
        [only] => Ok(Ok(String::from(only.text(0)?))),
        _ => Ok(Err(format!("不止一条{}的代码是“{cell}”，请改填记录标识", target.title))),
    }
}
