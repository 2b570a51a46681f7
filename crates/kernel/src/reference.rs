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

/// The one record a text means, by its code, a former one, or its identifier, among those the
/// reader may read. Otherwise what is wrong with it.
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
    let mut wrong = None;
    let mut found = Vec::new();
    if let Ok(id) = text.parse::<Id<()>>() {
        found = within(&ctx, tx, target, ("id", &id.to_string())).await?;
    } else {
        let normalise = target.field("code").and_then(|field| field.normalise);
        match normalise.map_or_else(|| Ok(String::from(text)), |normalise| normalise(text)) {
            Ok(code) => found = within(&ctx, tx, target, ("code", &code)).await?,
            Err(detail) => wrong = Some(detail),
        }
        if found.is_empty()
            && let Some(id) = target.formerly(tx, text).await?
        {
            found = within(&ctx, tx, target, ("id", &id)).await?;
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(Ok(only)),
        (Some(_), false) => {
            Ok(Err(format!("不止一条{}的代码是“{shown}”，请改填记录标识", target.title)))
        }
        // The same words whether it is a former code out of reach or none at all.
        (None, _) => wrong.map_or_else(nothing, |detail| Ok(Err(detail))),
    }
}

/// Up to two records within reach that hold a value.
async fn within(
    ctx: &Ctx,
    tx: &mut Tx,
    target: &Entity,
    (column, value): (&'static str, &str),
) -> Result<Vec<String>> {
    let mut sql = Sql::new("SELECT id FROM ");
    sql.push(target.table).push(" WHERE ").push(column).push(" = ").bind(value);
    ctx.scope().narrow(&mut sql, tx, target.scoping);
    sql.push(" LIMIT 2");
    tx.fetch(sql).await?.iter().map(|row| row.text(0).map(String::from)).collect()
}
