//! Where a device may stand.

use yj_kernel::{Ctx, Problem, Result, Sql, Tx};
use yj_model::{Id, RegionCode};

/// Whether the request's right reaches a place as a place, and not only as somebody's own: that of
/// a supervisor.
fn supervises(ctx: &Ctx, region: &RegionCode) -> bool {
    ctx.scope().limits().iter().any(|limit| {
        let within = |wanted: &RegionCode| wanted.covers(region.as_str());
        limit.organization.is_none() && limit.region.as_ref().is_none_or(within)
    })
}

/// A device stands where its owner or one of the owner's nodes is, or inside; only supervisors of
/// the place register it elsewhere.
pub(crate) async fn require_sound_region(
    ctx: &Ctx,
    tx: &mut Tx,
    (owner, region): (Id<()>, &RegionCode),
) -> Result<()> {
    if supervises(ctx, region) {
        return Ok(());
    }
    let sql = Sql::new(
        "SELECT region FROM trace_subject WHERE id = $1 \
         UNION SELECT region FROM node WHERE subject_id = $1",
    );
    for row in tx.fetch(sql.arg(owner)).await? {
        if row.parsed::<RegionCode>(0)?.covers(region.as_str()) {
            return Ok(());
        }
    }
    let detail =
        "所属区域：应在所属企业或其名下节点的所属区域之内；设在别处的设备由当地监管人员登记";
    Err(Problem::invalid("region", detail))
}
