//! References as people write them: the code that stands on the licence, where records hold
//! identifiers.

use yj_model::Id;

use crate::{Ctx, Entity, Field, Kind, Result, Sql, Tx};

/// How much of a text that means nothing is said back.
const SHOWN: usize = 40;

/// The register a field refers to, where its records have codes.
pub fn target(entities: &[&'static Entity], field: &Field) -> Option<&'static Entity> {
    let Kind::Id(table) = field.kind else { return None };
    let known = entities.iter().find(|entity| entity.table == table)?;
    known.field("code").map(|_| *known)
}

/// Whether a text is nobody's code: empty, or an identifier.
pub(crate) fn is_identifier(text: &str) -> bool {
    text.trim().is_empty() || text.trim().parse::<Id<()>>().is_ok()
}

/// The one record a text means, by its code, a former one, or its identifier, among those the reader may read.
/// Otherwise what is wrong with it.
pub async fn identifier(
    ctx: &Ctx,
    tx: &mut Tx,
    (target, text): (&Entity, &str),
) -> Result<Result<String, String>> {
    let text = text.trim();
    let shown: String = text.chars().take(SHOWN).collect();
    let nothing = || {
        let found = format!("没有代码为“{shown}”的{}，或不在您的数据权限范围内", target.title);
        Ok(Err(found))
    };
    let Ok(ctx) = ctx.under(&target.permission("read")) else { return nothing() };
    let mut sql = Sql::new("SELECT id FROM ");
    sql.push(target.table);
    if let Ok(id) = text.parse::<Id<()>>() {
        sql.push(" WHERE id = ").bind(id);
    } else {
        let normalise = target.field("code").and_then(|field| field.normalise);
        let code = normalise.map_or_else(|| Ok(String::from(text)), |normalise| normalise(text));
        match (code, target.formerly(tx, text).await?) {
            (_, Some(id)) => sql.push(" WHERE id = ").bind(id),
            (Ok(code), None) => sql.push(" WHERE code = ").bind(code.as_str()),
            (Err(detail), None) => return Ok(Err(detail)),
        };
    }
    ctx.scope().narrow(&mut sql, tx, target.scoping);
    sql.push(" LIMIT 2");
    match tx.fetch(sql).await?.as_slice() {
        [] => nothing(),
        [only] => Ok(Ok(String::from(only.text(0)?))),
        _ => Ok(Err(format!("不止一条{}的代码是“{shown}”，请改填记录标识", target.title))),
    }
}
