//! 主体状态与登记: what may still be registered of a subject that is suspended or closed (G-6.2.2,
//! handbook §5.6 rule 30).
//!
//! The state at the moment of registration decides. Of a subject that is not in force
//!
//! * what concerns its goods coming back, going away or being looked into stays possible, for it must
//!   be: everything of 产品监管, 召回 (108, 211), 销毁 (205) and 抽检 (206);
//! * what happened before its state changed is taken too: the fact is from when it was in force, and
//!   records that come late are no reason for a gap in the chain;
//! * everything else is refused.
//!
//! Whatever is taken of it awaits somebody's review, also where the source's data are accepted by
//! themselves: a time of the event is what the sender says. Approving an event that was registered
//! earlier is not registering one, and stays possible.

use std::collections::BTreeMap;

use yj_domain::{Domains, InputMode};
use yj_kernel::{Problem, Result};
use yj_model::{DOMAINS, OffsetTime, Stage};
use yj_product::ProductBrief;
use yj_subject::{Status, SubjectBrief};

use crate::event::Checked;

/// 召回入库, 销毁出库, 抽检出库, 召回出库
const STILL_POSSIBLE: [&str; 4] = ["108", "205", "206", "211"];

/// Whether the event may be registered, and if so why somebody must review it; `None`: by reason of
/// its subject's state nobody has to.
pub(crate) fn review_reason(subject: &SubjectBrief, event: &Checked) -> Result<Option<String>> {
    if subject.status == Status::Valid {
        return Ok(None);
    }
    let state = subject.status.label();
    let movement = event.spec.movement.as_deref();
    if is_still_possible(event.stage, movement) {
        return Ok(Some(format!("主体当前为“{state}”，其召回、销毁、抽检与监管须由他人审核")));
    }
    if subject.status_since.is_some_and(|since| event.time.unix_ms() < since) {
        return Ok(Some(format!("主体当前为“{state}”，事件发生在此之前，须由他人审核")));
    }
    let since = subject.status_since.and_then(|since| OffsetTime::from_parts(since, 480).ok());
    let since = since.map_or_else(String::new, |since| format!("自 {} 起", since.in_words()));
    let remedy = match subject.status {
        Status::Suspended => "，恢复后方可登记",
        _ => "",
    };
    let detail = format!(
        "主体 {} {} {since}不再有效，现为“{state}”，不能登记此后的“{}”{remedy}；召回、销毁、抽检与监管仍可登记",
        subject.code, subject.name, event.spec.name
    );
    Err(Problem::invalid("subject", detail))
}

fn is_still_possible(stage: Stage, movement: Option<&str>) -> bool {
    stage == Stage::Supervision || movement.is_some_and(|code| STILL_POSSIBLE.contains(&code))
}

/// Nothing more is made of a product that is suspended or recalled; what there is may still move,
/// for it must come back.
pub(crate) fn require_going(
    event: &Checked,
    halted: &BTreeMap<String, ProductBrief>,
) -> Result<()> {
    let named = event.outputs.iter().filter_map(|line| line.product.as_deref());
    let stopped = |product: &&ProductBrief| !product.may_be_made(event.time.unix_ms());
    let Some(product) = named.filter_map(|code| halted.get(code)).find(stopped) else {
        return Ok(());
    };
    let detail = format!(
        "产品 {} {}为“{}”，不能再登记其后的产出",
        product.code,
        product.name,
        product.state.label()
    );
    Err(Problem::invalid("outputs", detail))
}

/// Goods of one domain do not come to be by an event of another of the eight, whose pack asks nothing of
/// them. A domain that the operator adds may speak of goods of any.
pub(crate) fn require_domain(
    event: &Checked,
    (of_products, domains): (&BTreeMap<String, String>, &Domains),
) -> Result<()> {
    let is_of_standard = DOMAINS.iter().any(|(code, _)| *code == event.domain);
    if event.spec.inputs.mode != InputMode::None || !is_of_standard {
        return Ok(());
    }
    for (at, line) in event.outputs.iter().enumerate() {
        let Some(code) = line.product.as_deref() else { continue };
        let Some(domain) = of_products.get(code).filter(|domain| **domain != event.domain) else {
            continue;
        };
        let day = event.time.beijing_day();
        let name = domains.shown(domain, day).map_or(domain.as_str(), |pack| &pack.name);
        let detail =
            format!("产品 {code} 属于“{name}”领域，其产出应登记为该领域（{domain}）的事件");
        return Err(Problem::invalid(format!("outputs[{at}].product"), detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goods_come_back_and_go_away_but_are_not_sold() {
        assert!(is_still_possible(Stage::Supervision, None));
        for movement in STILL_POSSIBLE {
            assert!(is_still_possible(Stage::Distribution, Some(movement)), "{movement}");
        }
        for movement in ["101", "102", "201", "203", "208", "321"] {
            assert!(!is_still_possible(Stage::Distribution, Some(movement)), "{movement}");
        }
        assert!(!is_still_possible(Stage::Inspection, None));
    }
}
