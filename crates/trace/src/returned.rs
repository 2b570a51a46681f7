//! 消费者退货 (handbook §4.3, bill 116): what was sold comes back and is there again. Only what was sold
//! here can come back, and no more of it than was; what was sold before the platform knew of it comes from
//! outside, as with every other 入库.

use std::collections::BTreeMap;

use yj_domain::{Domains, EventSpec, InputMode, Terminal};
use yj_kernel::{Problem, Result, Sql, Tx};
use yj_model::Quantity;

use crate::{
    balance::{Link, LinkRole, Objects},
    event::Checked,
};

/// 消费者退货入库
const TAKEN_BACK: &str = "116";
/// Sales and returns of one code that are counted.
const EVENTS_MAX: i64 = 20_000;

/// Whether events of a type take back what consumers bought.
pub(crate) fn takes_back(spec: &EventSpec) -> bool {
    spec.movement.as_deref() == Some(TAKEN_BACK) && spec.inputs.mode == InputMode::Consume
}

/// What became of how much of a code: sold, or taken back.
enum Deed {
    Sold(i64),
    Returned(i64),
}

impl Deed {
    fn of(spec: &EventSpec, role: LinkRole, quantity: i64) -> Option<Self> {
        match role {
            LinkRole::Output if spec.outputs.terminal == Some(Terminal::Sold) => {
                Some(Self::Sold(quantity))
            }
            LinkRole::Input if takes_back(spec) => Some(Self::Returned(quantity)),
            _ => None,
        }
    }
}

/// How much is with consumers, by what was done in turn. More came back than went where it was sold
/// elsewhere.
fn out(deeds: &[Deed]) -> i64 {
    deeds.iter().fold(0, |out, deed| match deed {
        Deed::Sold(quantity) => out + quantity,
        Deed::Returned(quantity) => (out - quantity).max(0),
    })
}

/// Refuses to take back what was not sold, or more than was. `pending` are links of the batch that is being
/// written, `but` a stored event that is corrected by this one.
pub(crate) async fn require_sold(
    tx: &mut Tx,
    (event, domains): (&Checked, &Domains),
    objects: &Objects,
    pending: &[(&EventSpec, &[Link])],
    but: Option<i64>,
) -> Result<()> {
    if !takes_back(&event.spec) || event.withdraws {
        return Ok(());
    }
    let codes: Vec<&str> =
        event.inputs.iter().filter(|line| !line.external).map(|line| line.code.as_str()).collect();
    let mut deeds = stored(tx, domains, (&codes, but)).await?;
    for (spec, links) in pending {
        for link in *links {
            let quantity = link.quantity.map_or(0, Quantity::scaled);
            let deed = Deed::of(spec, link.role, quantity);
            deeds.entry(link.code.clone()).or_default().extend(deed);
        }
    }
    for (at, line) in event.inputs.iter().enumerate().filter(|(_, line)| !line.external) {
        let (code, Some(object)) = (&line.code, objects.get(line.code.as_str())) else { continue };
        let sold = deeds.get(code.as_str()).map_or(0, |deeds| out(deeds));
        let wrong =
            |name: &str, detail| Err(Problem::invalid(format!("inputs[{at}].{name}"), detail));
        if sold == 0 {
            let state = object.state.label();
            let detail =
                format!("追溯码 {code} 现为“{state}”，没有售出，不能登记“{}”", event.spec.name);
            return wrong("code", detail);
        }
        let Some((quantity, unit)) = line.amount else { continue };
        // What cannot be converted is refused where it is applied.
        if unit.convert(quantity, object.unit).is_ok_and(|amount| amount.scaled() > sold) {
            let (sold, unit) =
                (Quantity::from_scaled(sold).unwrap_or_default(), object.unit.unit().name);
            return wrong(
                "quantity",
                format!("退货数量超过售出：追溯码 {code} 售出未退 {sold} {unit}"),
            );
        }
    }
    Ok(())
}

async fn stored(
    tx: &mut Tx,
    domains: &Domains,
    (codes, but): (&[&str], Option<i64>),
) -> Result<BTreeMap<String, Vec<Deed>>> {
    let mut sql = Sql::new(
        "SELECT o.code, e.domain, e.pack_version, e.kind, l.role, COALESCE(l.quantity, 0) \
         FROM trace_object o CROSS JOIN trace_link l CROSS JOIN trace_event e \
         WHERE l.object_id = o.id AND l.role IN (0, 1) AND e.id = l.event_id \
         AND e.event_time = l.event_time AND e.state = 'accepted' AND e.id <> ",
    );
    sql.bind(but.unwrap_or(-1)).push(" AND o.code ").bind_texts(codes.iter().copied());
    sql.push(" ORDER BY l.event_time, e.id LIMIT ").bind(EVENTS_MAX);
    let mut deeds: BTreeMap<String, Vec<Deed>> = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let spec = domains.event(row.text(1)?, row.text(2)?, row.text(3)?);
        let role = LinkRole::from_code(row.int(4)?);
        let (Some(spec), Some(role)) = (spec, role) else { continue };
        let deed = Deed::of(&spec, role, row.int(5)?);
        deeds.entry(String::from(row.text(0)?)).or_default().extend(deed);
    }
    Ok(deeds)
}
