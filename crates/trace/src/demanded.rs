//! 应附凭证 (handbook §4): the papers that a domain pack demands of an event, held against those that it
//! names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use yj_domain::{DocumentDemand, Lacking, Moved};
use yj_kernel::{Problem, Result, Sql, Tx};
use yj_model::DocumentKind;

use crate::{balance::Objects, event::Checked};

/// Attributes of products, by identifier.
pub(crate) type Goods = BTreeMap<String, Map<String, Value>>;

/// What comes of papers that are missing.
#[derive(Debug, Default)]
pub(crate) struct Lacks {
    /// Why somebody must look at it.
    pub(crate) reason: Option<String>,
    /// What is counted.
    pub(crate) noted: Vec<String>,
}

/// The kinds of papers that an event names, and those of them that are registered.
#[derive(Debug, Default)]
pub(crate) struct Named {
    pub(crate) all: BTreeSet<DocumentKind>,
    pub(crate) registered: BTreeSet<DocumentKind>,
}

/// The query for what the goods of some events are, to travel with others; none where no demand
/// depends on that.
pub(crate) fn query(events: &[&Checked]) -> Option<Sql> {
    let asking: Vec<_> = events.iter().filter(|event| event.spec.asks_of_products()).collect();
    if asking.is_empty() {
        return None;
    }
    // What one of them makes another may move, before any of it is stored.
    let outputs = events.iter().flat_map(|event| &event.outputs);
    let made: BTreeSet<&str> = outputs.filter_map(|line| line.product.as_deref()).collect();
    let inputs = asking.iter().flat_map(|event| &event.inputs);
    let moved: BTreeSet<&str> = inputs.map(|line| line.code.as_str()).collect();
    Some(yj_product::query_attributes(&made.into_iter().collect::<Vec<_>>(), |sql| {
        sql.push("SELECT product_id FROM trace_object WHERE code ").bind_texts(moved);
    }))
}

/// Refuses a new lot of which nobody says what it is, where rules go by that: leaving the product out
/// does not lead around them. A subject that has registered no product of the domain has none to name.
pub(crate) async fn require_known(
    tx: &mut Tx,
    (event, subject): (&Checked, &str),
    objects: &Objects,
) -> Result<()> {
    let Some((at, rule)) = unknown(event, objects) else { return Ok(()) };
    if !yj_product::has_any(tx, subject, &event.domain).await? {
        return Ok(());
    }
    let detail = format!("请写明产品：{}的规则因产品而异（{rule}）", event.spec.name);
    Err(Problem::invalid(format!("outputs[{at}].product"), detail))
}

/// The first output that is of no known product, and the first rule that may be for it.
fn unknown<'e>(event: &'e Checked, objects: &Objects) -> Option<(usize, &'e str)> {
    let rule = event.spec.goods_rules.iter().find(|rule| !rule.is_for_all())?;
    let of_product = |code: &str| objects.get(code).is_some_and(|one| one.product_id.is_some());
    // Where all inputs are known, the rules go by what they are.
    if !event.inputs.is_empty() && event.inputs.iter().all(|line| of_product(line.code.as_str())) {
        return None;
    }
    let at = event.outputs.iter().position(|line| line.product.is_none())?;
    Some((at, &rule.name))
}

/// Holds what is demanded against what is named.
pub(crate) fn judge(
    event: &Checked,
    named: &Named,
    (products, goods): (&BTreeSet<&str>, &Goods),
) -> Result<Lacks> {
    let nothing = Map::new();
    let attributes = event.body["attributes"].as_object().unwrap_or(&nothing);
    let of_goods: Vec<_> = products.iter().filter_map(|id| goods.get(*id)).collect();
    let outputs: Vec<_> = event.outputs.iter().map(|line| (line.quantity, line.unit)).collect();
    let inputs: Vec<_> = event.inputs.iter().filter_map(|line| line.amount).collect();
    let codes: Vec<_> = event.outputs.iter().map(|line| line.code.as_str()).collect();
    let moved = Moved { inputs: &inputs, outputs: &outputs, codes: &codes };
    // What takes another event back says nothing of its own.
    let rules = event.spec.goods_rules.iter().filter(|_| !event.withdraws);
    let broken = rules.filter_map(|rule| rule.broken(&event.spec, attributes, (&of_goods, moved)));
    let broken: Vec<_> = broken.collect();
    if !broken.is_empty() {
        return Err(Problem::Invalid(broken));
    }
    let mut lacks = Lacks::default();
    for demand in &event.spec.documents {
        let of_goods = products.iter().filter_map(|id| goods.get(*id));
        if !demand.is_meant(attributes, of_goods) || is_met(demand, named) {
            continue;
        }
        match demand.lacking {
            Lacking::Refuse => return Err(Problem::invalid("documents", lacking(event, demand))),
            Lacking::Review => {
                let reason = lacking(event, demand);
                lacks.reason = Some(match lacks.reason {
                    Some(before) => format!("{before}；{reason}"),
                    None => reason,
                });
            }
            Lacking::Note => lacks.noted.push(demand.name.clone()),
        }
    }
    Ok(lacks)
}

fn is_met(demand: &DocumentDemand, named: &Named) -> bool {
    let those = if demand.registered { &named.registered } else { &named.all };
    demand.any_of.iter().any(|kind| those.contains(kind))
}

/// Which paper is missing, and where its number would go.
fn lacking(event: &Checked, demand: &DocumentDemand) -> String {
    let field = event.spec.fields.iter().find(|field| {
        let kind = DocumentKind::meant(&field.label);
        kind.is_some_and(|kind| demand.any_of.contains(&kind)) && field.name.ends_with("_no")
    });
    let place = match field {
        Some(field) => format!("“{}”或凭证", field.label),
        None => String::from("凭证"),
    };
    let one = if demand.any_of.len() > 1 { "之一" } else { "" };
    let registered = if demand.registered { "，并须已在平台登记" } else { "" };
    format!(
        "缺少凭证（{}）：请在{place}中写明{}{one}的编号{registered}",
        demand.name,
        demand.kinds()
    )
}
