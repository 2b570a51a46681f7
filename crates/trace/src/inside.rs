//! Where something is that is held no more: in which packages (ADR 47), each told to whoever may read what
//! happens at its holder.

use serde_json::{Value, json};
use yj_kernel::{Ctx, Place, Problem, Result, Sql, Tx};

use crate::{query::EVENT_COLUMNS, unpacked};

/// Events that took something of a unit, beyond which it is a lot that lies in many places, and is not
/// looked for.
const TAKERS_MAX: usize = 1_000;

/// The packages that an object lies in now, those that these lie in among them, in the order of codes.
pub(crate) async fn packages(ctx: &Ctx, tx: &mut Tx, object: i64) -> Result<Vec<Value>> {
    let takers =
        Sql::new("SELECT event_id FROM trace_link WHERE object_id = $1 AND role = 0 LIMIT $2");
    let most = i64::try_from(TAKERS_MAX).map_err(Problem::internal)?;
    if tx.fetch(takers.arg(object).arg(most + 1)).await?.len() > TAKERS_MAX {
        return Ok(Vec::new());
    }
    let mut around = unpacked::packages_around(tx, object).await?;
    around.remove(&object);
    if around.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new("SELECT code, subject_id, stage FROM trace_object WHERE id ");
    sql.bind_ints(around).push(" ORDER BY code");
    let rows = tx.fetch(sql).await?;
    let holders = rows.iter().map(|row| row.text(1)).collect::<Result<Vec<_>>>()?;
    let holders = yj_subject::heirs(tx, &holders).await?;
    let mut found = Vec::new();
    for row in &rows {
        let Some(holder) = holders.get(row.text(1)?) else { continue };
        let place = Place {
            region: Some(&holder.region),
            subject: Some(&holder.id),
            stage: Some(row.text(2)?),
            ..Place::default()
        };
        if ctx.scope().covers(&EVENT_COLUMNS, &place) {
            found.push(json!({
                "code": row.text(0)?, "subject_id": holder.id,
                "subject": holder.name_for(ctx.scope().clearance()),
            }));
        }
    }
    Ok(found)
}
