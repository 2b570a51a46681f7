//! 检测不合格即停 (handbook §1.10): an accepted test that found a lot unqualified stops the lot and
//! everything made of it, in all later stages, by itself.

use std::collections::BTreeMap;

use serde_json::Value;
use yj_domain::EventType;
use yj_kernel::{ActorKind, Ctx, Problem, Result, Tx};
use yj_model::Stage;
use yj_subject::SubjectBrief;

use crate::{
    balance::{Link, LinkRole, Objects},
    order::OrderKind,
    ordering::{self, NewOrder},
};

/// Attributes in which packs keep what a test came to.
const VERDICTS: [&str; 2] = ["verdict", "conclusion"];
/// Longest number of a document that an order names, in characters.
const DOCUMENT_NO_MAX: usize = 60;
const UNQUALIFIED: &str = "不合格";

/// Whether an event is a test that came to 不合格.
pub(crate) fn is_failed(spec: &EventType, body: &Value) -> bool {
    spec.stage() == Stage::Inspection
        && VERDICTS.iter().any(|name| {
            let code = body["attributes"][name].as_str();
            code.and_then(|code| spec.label(name, code)) == Some(UNQUALIFIED)
        })
}

/// Why somebody else must look at a failed test first: it stops what others hold. Of one's own lots
/// one's own word is enough.
pub(crate) fn review_reason<'a>(
    codes: impl Iterator<Item = &'a str>,
    subject: &str,
    (objects, holders): (&Objects, &BTreeMap<String, SubjectBrief>),
) -> Option<String> {
    let mut codes = codes;
    let foreign = codes.any(|code| {
        objects.get(code).is_some_and(|object| {
            object.parties().any(|id| {
                id != subject && holders.get(id).is_none_or(|holder| holder.id != subject)
            })
        })
    });
    let reason = "检测结论为不合格，接收后将停止该批次及其全部下游的流通，须由他人核实";
    foreign.then(|| String::from(reason))
}

/// What a failed test says, in one sentence.
fn reason(body: &Value) -> String {
    let text = |name: &str| body["attributes"][name].as_str().unwrap_or_default();
    let mut said = String::from("检测结论为不合格");
    for (name, label) in
        [("report_no", "报告"), ("item", "项目"), ("value", "结果"), ("limit", "限量")]
    {
        if !text(name).is_empty() {
            let unit = if name == "value" { text("value_unit") } else { "" };
            said.push_str(&format!("，{label} {}{unit}", text(name)));
        }
    }
    said.chars().take(500).collect()
}

/// Stops what a test found unqualified; what is stopped for that already stays so. The platform's own
/// loading of records of the past stops nothing: what became of those lots is told by what follows.
pub(crate) async fn stop(
    ctx: &Ctx,
    tx: &mut Tx,
    (uid, body): (&str, &Value),
    links: &[Link],
) -> Result<()> {
    if ctx.principal().kind == ActorKind::Platform {
        return Ok(());
    }
    let own = ctx.app().on_own_behalf("verdict").at(ctx.now);
    let (reason, number) = (reason(body), body["attributes"]["report_no"].as_str());
    let number = number.filter(|number| number.chars().count() <= DOCUMENT_NO_MAX);
    for link in links.iter().filter(|link| link.role == LinkRole::Observed) {
        let order = |downstream| NewOrder {
            code: &link.code,
            kind: OrderKind::Fail,
            downstream,
            reason: &reason,
            document_no: number,
            authority: None,
            basis: Some(uid),
        };
        let issued = match ordering::issue(&own, tx, order(true)).await {
            // Too much for one order: the lot itself stops, and whatever is made of it from now on.
            Err(Problem::TooLarge(_)) => ordering::issue(&own, tx, order(false)).await,
            issued => issued,
        };
        match issued {
            Ok(_) | Err(Problem::Conflict(_)) => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(())
}
