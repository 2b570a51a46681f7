//! Whose codes an event may put on what it puts out (G-5.4.4): not those that were made for another
//! subject's goods, nor those that their issuer made void.

use std::collections::BTreeMap;

use yj_kernel::{Problem, Result, Tx};
use yj_product::MadeFor;

use crate::{balance::Objects, event::Checked};

/// Refuses codes that are void, and codes that were made for another subject, unless what goes in is of the product that they were
/// made for, or the other is who this subject was before. What is registered already is not new.
pub(crate) async fn require_rightful(
    tx: &mut Tx,
    (subject, event): (&str, &Checked),
    objects: &Objects,
    owners: &BTreeMap<String, MadeFor>,
) -> Result<()> {
    if owners.is_empty() {
        return Ok(());
    }
    for (at, line) in event.outputs.iter().enumerate() {
        let code = line.code.as_str();
        let Some(made) = owners.get(code).filter(|_| !objects.contains_key(code)) else { continue };
        if made.is_void {
            let detail = format!("追溯码 {code} 已由赋码主体作废，不能再用于产出；请改用有效的码");
            return Err(Problem::invalid(format!("outputs[{at}].code"), detail));
        }
        let goes_in = |product: &str| {
            let inputs = event.inputs.iter().filter_map(|line| objects.get(line.code.as_str()));
            inputs.filter_map(|object| object.product_id.as_deref()).any(|one| one == product)
        };
        if made.subject_id == subject || made.product_id.as_deref().is_some_and(goes_in) {
            continue;
        }
        let heirs = yj_subject::heirs(tx, &[made.subject_id.as_str()]).await?;
        if heirs.get(&made.subject_id).is_some_and(|heir| heir.id == subject) {
            continue;
        }
        let detail = format!(
            "追溯码 {code} 是为其他主体的产品赋予的，不能用于本主体的产出；请改用本主体的码，\
             或先以该产品的批次作为投入"
        );
        return Err(Problem::invalid(format!("outputs[{at}].code"), detail));
    }
    Ok(())
}
