//! References as people write them: the code that stands on the licence, where records hold
//! identifiers.

use crate::{Ctx, Entity, Field, Kind, Result, Sql, Tx};

/// The register a field refers to, where its records have codes.
pub fn target(entities: &[&'static Entity], field: &Field) -> Option<&'static Entity> {
    let Kind::Id(table) = field.kind else { return None };
    let known = entities.iter().find(|entity| entity.table == table)?;
    known.field("code").map(|_| *known)
}

/// The one record a text means, by its code or its identifier, among those the reader may read.
/// Otherwise what is wrong with it.
pub async fn identifier(
    ctx: &Ctx,
    tx: &mut Tx,
    (target, text): (&Entity, &str),
) -> Result<Result<String, String>> {
    let text = text.trim();
    let nothing = || Ok(Err(format!("没有代码为“{text}”的{}", target.title)));
    let Ok(ctx) = ctx.under(&target.permission("read")) else { return nothing() };
    let mut sql = Sql::new("SELECT id FROM ");
    sql.push(target.table);
    if text.parse::<yj_model::Id<()>>().is_ok() {
        sql.push(" WHERE id = ").bind(text);
    } else {
        let normalise = target.field("code").and_then(|field| field.normalise);
        let code = normalise.map_or_else(|| Ok(String::from(text)), |normalise| normalise(text));
        let Ok(code) = code else { return nothing() };
        sql.push(" WHERE code = ").bind(code.as_str());
    }
    ctx.scope().narrow(&mut sql, tx, target.scoping);
    sql.push(" LIMIT 2");
    match tx.fetch(sql).await?.as_slice() {
        [] => nothing(),
        [only] => Ok(Ok(String::from(only.text(0)?))),
        _ => Ok(Err(format!("不止一条{}的代码是“{text}”，请改填记录标识", target.title))),
    }
}
