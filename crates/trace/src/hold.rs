//! What orders in force let happen to a trace object: the pure part. An order names what is still
//! allowed; everything else that would move the goods on is refused, in words that say by whom, under
//! which number, since when, and what remains possible.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use yj_domain::InputMode;
use yj_kernel::{Problem, Result, Row, Sql};
use yj_model::OffsetTime;

use crate::{
    balance::{Link, LinkRole, Objects},
    event::{Checked, InLine, OutLine},
    order::{OrderKind, Quality},
};

/// 退货入库, 召回入库, 消费者退货入库, 退货出库, 召回出库, 直调退货
const RETURNS: [&str; 6] = ["103", "108", "116", "202", "211", "237"];
/// 销毁出库, 报废出库
const DESTROYS: [&str; 2] = ["205", "216"];
/// 抽检出库
const SAMPLING: &str = "206";

/// An order in force, as far as an event needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) order: String,
    pub(crate) kind: OrderKind,
    pub(crate) official: bool,
    pub(crate) authority: String,
    pub(crate) document_no: Option<String>,
    /// When it was made, Unix ms.
    pub(crate) since: i64,
}

/// The orders in force over each code.
pub(crate) type Holds = BTreeMap<String, Vec<Arc<Hold>>>;

/// The query for the orders in force over these codes, to travel with others.
pub(crate) fn query(codes: &[&str]) -> Sql {
    let mut sql = Sql::new(
        "SELECT o.code, r.id, r.kind, r.official, r.authority, r.document_no, r.created_at \
         FROM trace_object o CROSS JOIN trace_order_unit u CROSS JOIN trace_order r \
         WHERE u.object_id = o.id AND r.id = u.order_id AND r.state = 'in_force' AND o.code ",
    );
    sql.bind_texts(codes.iter().copied()).push(" ORDER BY o.code, r.id");
    sql
}

/// Reads an order from a row of [`query`].
fn hold(row: &Row) -> Result<Hold> {
    let kind = row.text(2)?;
    let kind = OrderKind::from_code(kind)
        .ok_or_else(|| Problem::internal(format!("trace_order.kind is {kind}")))?;
    Ok(Hold {
        order: String::from(row.text(1)?),
        kind,
        official: row.int(3)? != 0,
        authority: String::from(row.text(4)?),
        document_no: row.text_opt(5)?.map(String::from),
        since: row.int(6)?,
    })
}

/// The answer to [`query`].
pub(crate) fn read(rows: &[Row]) -> Result<Holds> {
    let mut orders: BTreeMap<String, Arc<Hold>> = BTreeMap::new();
    let mut holds = Holds::new();
    for row in rows {
        let id = row.text(1)?;
        let hold = if let Some(known) = orders.get(id) {
            Arc::clone(known)
        } else {
            let hold = Arc::new(hold(row)?);
            orders.insert(String::from(id), Arc::clone(&hold));
            hold
        };
        holds.entry(String::from(row.text(0)?)).or_default().push(hold);
    }
    Ok(holds)
}

/// The gravest of some orders.
pub(crate) fn gravest(holds: &[Arc<Hold>]) -> Option<Quality> {
    holds.iter().map(|hold| hold.kind.quality()).max()
}

impl Hold {
    /// Whether goods may still move so under this order.
    fn allows(&self, movement: Option<&str>) -> bool {
        let Some(movement) = movement else { return false };
        let destroys = DESTROYS.contains(&movement);
        movement == SAMPLING
            || match self.kind {
                OrderKind::Freeze => false,
                OrderKind::Destroy => destroys,
                OrderKind::Await | OrderKind::Fail | OrderKind::Stop | OrderKind::Recall => {
                    destroys || RETURNS.contains(&movement)
                }
            }
    }

    const fn allowed(&self) -> &'static str {
        match self.kind {
            OrderKind::Freeze => "抽检、检测与监督检查",
            OrderKind::Destroy => "销毁、抽检、检测与监督检查",
            OrderKind::Await | OrderKind::Fail | OrderKind::Stop | OrderKind::Recall => {
                "退回与召回出入库、销毁、抽检、检测与监督检查"
            }
        }
    }

    /// Whether the other says what happens in its place: a graver order goes on from a lighter one, but
    /// no subject's own order from an authority's.
    fn yields_to(&self, other: &Self) -> bool {
        other.kind.quality() > self.kind.quality() && (other.official || !self.official)
    }

    fn refusal(&self, code: &str, event: &str) -> String {
        let since = OffsetTime::from_parts(self.since, 480);
        let since =
            since.map_or_else(|_| String::new(), |since| format!("，自 {} 起", since.in_words()));
        let number = self.document_no.as_ref();
        let number = number.map_or_else(String::new, |number| format!("，文号 {number}"));
        format!(
            "追溯码 {code} 已被{}“{}”（{}{number}{since}），不能登记“{event}”；仍可登记：{}",
            if self.official { "责令" } else { "主体自行" },
            self.kind.label(),
            self.authority,
            self.allowed()
        )
    }
}

/// What an event does that an order may stop.
fn moves(event: &Checked) -> bool {
    let movement = event.spec.movement.as_deref();
    match event.spec.inputs.mode {
        InputMode::None => false,
        InputMode::Consume => true,
        // 采购入库 admits goods to a market; what goes out is told as such.
        InputMode::Observe => {
            movement.is_some_and(|code| code == "102" || code.starts_with(['2', '3']))
        }
    }
}

/// Judges an event by the orders over what goes into it: refused, or to be reviewed for a reason, or
/// free. `exempt` are lines that repeat what an event that is corrected did already.
pub(crate) fn judge(
    event: &Checked,
    holds: &Holds,
    exempt: impl Fn(&InLine) -> bool,
) -> Result<Option<String>> {
    if holds.is_empty() || !moves(event) {
        return Ok(None);
    }
    let mut late: BTreeSet<String> = BTreeSet::new();
    let lines = event.inputs.iter().cloned().enumerate();
    let lines = lines.map(|(at, line)| (format!("inputs[{at}].code"), line));
    // Nor does anything come out of a package that must not move.
    let out = event.outputs.iter().enumerate().filter(|_| event.spec.unpacks());
    let out = out.map(|(at, line)| (format!("outputs[{at}].code"), taken_out(line)));
    for (field, line) in lines.chain(out) {
        let code = line.code.as_str();
        let Some(orders) = holds.get(code) else { continue };
        if exempt(&line) {
            continue;
        }
        for hold in orders {
            let yields = orders.iter().any(|other| hold.yields_to(other));
            if yields || hold.allows(event.spec.movement.as_deref()) {
                continue;
            }
            if event.time.unix_ms() >= hold.since {
                let detail = hold.refusal(code, &event.spec.name);
                return Err(Problem::invalid(field, detail));
            }
            late.insert(format!("{code}（{}，{}）", hold.kind.label(), hold.authority));
        }
    }
    if late.is_empty() {
        return Ok(None);
    }
    let named: Vec<String> = late.into_iter().take(5).collect();
    Ok(Some(format!("投入的追溯码 {} 已被管控，事件发生在此之前，须由他人核实", named.join("、"))))
}

/// What comes out of a package, as something that moves.
fn taken_out(line: &OutLine) -> InLine {
    let amount = Some((line.quantity, line.unit));
    InLine { code: line.code.clone(), amount, external: false }
}

/// Whether a line takes no more of a code than the event that is corrected did.
pub(crate) fn repeats(line: &InLine, objects: &Objects, corrected: &[Link]) -> bool {
    let Some(object) = objects.get(line.code.as_str()) else { return false };
    let opens = corrected.iter().any(|link| link.role == LinkRole::Opened);
    let moved = |link: &&Link| opens || link.role != LinkRole::Output;
    let taken = corrected.iter().filter(moved).find(|link| link.code == line.code.as_str());
    let wanted = line.amount.and_then(|(quantity, unit)| unit.convert(quantity, object.unit).ok());
    taken.is_some_and(|taken| wanted <= taken.quantity)
}

/// Puts what came out of an event under the orders over what went in.
pub(crate) fn hand_down(
    orders: &[Arc<Hold>],
    links: &[Link],
    (objects, holds): (&mut Objects, &mut Holds),
) -> Vec<Under> {
    let mut under = Vec::new();
    if orders.is_empty() {
        return under;
    }
    for link in links.iter().filter(|link| link.role == LinkRole::Output) {
        let Some(object) = objects.get_mut(&link.code) else { continue };
        let known = holds.entry(link.code.clone()).or_default();
        for hold in orders {
            if !known.contains(hold) {
                known.push(Arc::clone(hold));
                under.push(Under { code: link.code.clone(), hold: Arc::clone(hold) });
            }
        }
        object.quality = gravest(known);
        object.changed = true;
    }
    under
}

/// A code that has fallen under an order.
#[derive(Debug, Clone)]
pub(crate) struct Under {
    pub(crate) code: String,
    pub(crate) hold: Arc<Hold>,
}

/// The orders that what comes out of an event falls under: all those over what it consumes.
pub(crate) fn inherited(event: &Checked, holds: &Holds) -> Vec<Arc<Hold>> {
    if holds.is_empty() || event.spec.inputs.mode != InputMode::Consume {
        return Vec::new();
    }
    let mut found: BTreeMap<&str, &Arc<Hold>> = BTreeMap::new();
    let over = event.inputs.iter().filter_map(|line| holds.get(line.code.as_str()));
    found.extend(over.flatten().map(|hold| (hold.order.as_str(), hold)));
    if event.spec.unpacks() {
        // A package is under the order over something in it; what else is in it is not.
        let taken = event
            .outputs
            .iter()
            .filter(|line| event.inputs.iter().all(|one| one.code != line.code));
        let own: BTreeSet<&str> = taken
            .filter_map(|line| holds.get(line.code.as_str()))
            .flatten()
            .map(|hold| hold.order.as_str())
            .collect();
        found.retain(|order, _| !own.contains(order));
    }
    found.into_values().map(Arc::clone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(kind: OrderKind, official: bool) -> Hold {
        Hold {
            order: String::from(kind.code()),
            kind,
            official,
            authority: String::from("示例市场监督管理局"),
            document_no: Some(String::from("示监〔2026〕1号")),
            since: 0,
        }
    }

    #[test]
    fn every_order_lets_through_what_it_says_and_no_sale() {
        for kind in OrderKind::ALL {
            let hold = made(kind, true);
            assert!(hold.allows(Some("206")), "{kind:?}");
            for movement in ["101", "102", "104", "201", "203", "208", "212", "217", "321", "322"] {
                assert!(!hold.allows(Some(movement)), "{kind:?} {movement}");
            }
            assert!(!hold.allows(None), "{kind:?}");
            assert_eq!(hold.allowed().contains("退回"), hold.allows(Some("211")), "{kind:?}");
            assert_eq!(hold.allowed().contains("销毁"), hold.allows(Some("205")), "{kind:?}");
        }
    }

    #[test]
    fn a_graver_order_goes_on_from_a_lighter_one_but_never_over_an_authority() {
        use OrderKind::{Await, Destroy, Freeze, Recall, Stop};

        let yields = |left: (OrderKind, bool), right: (OrderKind, bool)| {
            made(left.0, left.1).yields_to(&made(right.0, right.1))
        };
        assert!(yields((Freeze, true), (Recall, true)));
        assert!(!yields((Freeze, true), (Recall, false)));
        assert!(yields((Freeze, false), (Recall, false)));
        assert!(yields((Recall, true), (Destroy, true)));
        assert!(!yields((Freeze, true), (Stop, true)));
        assert!(!yields((Destroy, true), (Await, true)));
    }
}
