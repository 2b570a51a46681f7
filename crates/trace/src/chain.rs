//! 追溯链条合成 (G-6.5.4, D-7.3.3): the pure part. From objects, events and links to shares, losses,
//! stock that can be frozen, and what has gone out of reach.

use serde::Serialize;
use yj_domain::EventType;
use yj_model::{Quantity, Ratio, Stage, UnitCode};

use crate::{
    balance::{LinkRole, ObjectState},
    closure::Direction,
    packages::Packages,
    pairing::SUM_MAX,
    steps::Step,
    units::{Edge, Unit},
};

/// What an event lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) quantity: Quantity,
    pub(crate) rate: Ratio,
    pub(crate) outlier: bool,
}

/// A quantity on its way from one object into another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Flow<'a> {
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) event: &'a str,
    pub(crate) quantity: Quantity,
    pub(crate) unit: UnitCode,
}

/// The object of an edge, if it is part of what the caller is told.
pub(crate) fn object<'a>(units: &'a [Unit], edge: &Edge) -> Option<&'a Unit> {
    units.get(edge.unit).filter(|unit| unit.role.is_some())
}

pub(crate) fn side(edges: &[Edge], role: LinkRole) -> impl Iterator<Item = &Edge> {
    edges.iter().filter(move |edge| edge.role == role)
}

/// By the number of each object: which part of it comes from the root (downstream), or which part of
/// the root comes from it (upstream). Objects whose inputs are counted in units that cannot be added
/// have no share. An object made in several goes mixes them by quantity; what goes on under its own code
/// keeps its share, as far as nothing is added to it.
pub(crate) fn shares(
    root: usize,
    direction: Direction,
    units: &[Unit],
    steps: &[Step],
) -> Vec<Option<Ratio>> {
    let mut shares = vec![None; units.len()];
    shares[root] = Some(Ratio::ONE);
    let led = steps.iter().filter(|step| step.ways.has(direction));
    let mut packages = Packages::of(led.clone());
    match direction {
        Direction::Downstream => {
            for step in led {
                if let Some(package) = step.opened() {
                    packages.take_out((step, package), root, &mut shares);
                    continue;
                }
                packages.put_in(step);
                let Some(Inputs { each, total }) = Inputs::of(step, units) else { continue };
                // Of all that went in, or of all but one of them.
                let share_of = |but: Option<usize>, total| {
                    let inputs = each.iter().filter(|(unit, _)| Some(*unit) != but);
                    let parts = inputs.filter_map(|(unit, amount)| {
                        Some(shares[*unit]?.times(Ratio::of(*amount, total)))
                    });
                    parts.fold(Ratio::NONE, Ratio::plus)
                };
                let share = share_of(None, total);
                let mut mixed = Vec::new();
                for output in side(&step.edges, LinkRole::Output) {
                    let own = each.iter().find(|(unit, _)| *unit == output.unit);
                    let share = match own {
                        Some((unit, own)) if *own < total => share_of(Some(*unit), total - own),
                        _ => share,
                    };
                    let (new, old) = parts(step, output, &units[output.unit]);
                    let before = shares[output.unit].unwrap_or(Ratio::NONE);
                    mixed.push((output.unit, share.times(new).plus(before.times(old))));
                }
                for (unit, share) in mixed.into_iter().filter(|(unit, _)| *unit != root) {
                    shares[unit] = Some(share);
                }
            }
        }
        Direction::Upstream => {
            // What of the share of each object is not told yet of those that made it.
            let mut left = vec![Ratio::NONE; units.len()];
            left[root] = Ratio::ONE;
            packages.settle(led.clone());
            for step in led.rev() {
                if let Some(package) = step.opened() {
                    packages.lead((step, package), &left, (units, &mut shares));
                    continue;
                }
                let Some(Inputs { each, total }) = Inputs::of(step, units) else { continue };
                // What went on under its own code comes from the others that went in, as far as it is
                // more than it was.
                let mut mixed = Ratio::NONE;
                let mut grown = Vec::new();
                for output in side(&step.edges, LinkRole::Output) {
                    let (new, old) = parts(step, output, &units[output.unit]);
                    let part = left[output.unit].times(new);
                    match each.iter().find(|(unit, _)| *unit == output.unit) {
                        None => mixed = mixed.plus(part),
                        Some((_, own)) if *own < total => {
                            grown.push((output.unit, total - own, part));
                        }
                        Some(_) => continue,
                    }
                    left[output.unit] = left[output.unit].times(old);
                }
                for (input, amount) in each {
                    let of_all = packages.stayed(step, input);
                    let of_all = of_all.unwrap_or_else(|| Ratio::of(amount, total));
                    let part = mixed.times(of_all);
                    let others = grown.iter().filter(|(unit, ..)| *unit != input);
                    let part = others
                        .map(|(_, total, share)| share.times(Ratio::of(amount, *total)))
                        .fold(part, Ratio::plus);
                    left[input] = left[input].plus(part);
                    let sum = shares[input].unwrap_or(Ratio::NONE);
                    shares[input] = Some(sum.plus(part));
                }
            }
        }
    }
    shares[root] = Some(Ratio::ONE);
    shares
}

pub(crate) fn scaled(edge: &Edge) -> i128 {
    i128::from(edge.quantity.unwrap_or(Quantity::ZERO).scaled())
}

/// Which part of a unit an event made, and which part was there before, of all that there was then.
fn parts(step: &Step, output: &Edge, unit: &Unit) -> (Ratio, Ratio) {
    let own = taken(&step.edges, output.unit).unwrap_or(0);
    let new = scaled(output) - own.min(scaled(output));
    let whole = unit.made_until(step.at());
    (Ratio::of(new, whole), Ratio::of((whole - new).max(0), whole))
}

/// How much of a unit went into an event; none where none did.
fn taken(edges: &[Edge], unit: usize) -> Option<i128> {
    edge_of(edges, LinkRole::Input, unit).map(scaled)
}

/// The edge of a unit among those of an event, which are in the order of roles and units.
fn edge_of(edges: &[Edge], role: LinkRole, unit: usize) -> Option<&Edge> {
    let order = |edge: &Edge| (edge.role.code(), edge.unit);
    let at = edges.binary_search_by_key(&(role.code(), unit), order);
    at.ok().and_then(|at| edges.get(at))
}

/// What went into an event, all counted alike.
struct Inputs {
    /// Number of each object, and how much of it.
    each: Vec<(usize, i128)>,
    total: i128,
}

impl Inputs {
    /// `None` where what went in cannot be added, or nothing did.
    fn of(step: &Step, units: &[Unit]) -> Option<Self> {
        let (mut each, mut measure, mut whole) = (Vec::new(), None, 1);
        for edge in side(&step.edges, LinkRole::Input) {
            let own = object(units, edge)?.measure;
            let (part, of) = own.ratio(*measure.get_or_insert(own))?;
            // A measure of which the first is no whole number is kept whole by counting more finely.
            if scaled(edge) * part % of != 0 {
                each.iter_mut().for_each(|(_, amount): &mut (usize, i128)| *amount *= of);
                whole *= of;
            }
            each.push((edge.unit, scaled(edge) * part * whole / of));
        }
        let total = each.iter().map(|(_, amount)| amount).sum();
        (total > 0).then_some(Self { each, total })
    }
}

/// Sum of quantities, if all are counted in one unit.
fn total<'a>(edges: impl Iterator<Item = &'a Edge>, units: &[Unit]) -> Option<i128> {
    let (mut unit, mut sum) = (None, 0);
    for edge in edges {
        let found = object(units, edge)?.measure;
        if unit.is_some_and(|unit| unit != found) {
            return None;
        }
        unit = Some(found);
        sum += scaled(edge);
    }
    (sum > 0).then_some(sum)
}

/// What went in and did not come out, where both are counted in one unit. `spec` says what is more than
/// such an event should lose.
pub(crate) fn loss(edges: &[Edge], units: &[Unit], spec: Option<&EventType>) -> Option<Loss> {
    if spec.is_some_and(|spec| spec.packing.is_some() && counts_pieces(edges, units)) {
        return None;
    }
    let unit =
        |role| side(edges, role).next().and_then(|edge| object(units, edge)).map(|one| one.measure);
    if unit(LinkRole::Input)? != unit(LinkRole::Output)? {
        return None;
    }
    let input = total(side(edges, LinkRole::Input), units)?;
    let output = total(side(edges, LinkRole::Output), units)?;
    let rate = Ratio::of(input - output, input);
    // More than can be said is said as the most that can.
    let most = i128::from(SUM_MAX);
    let lost = i64::try_from((input - output).clamp(-most, most)).ok()?;
    let quantity = Quantity::from_scaled(lost).ok()?;
    // What comes out of nothing is as strange as what is lost.
    let gain = Ratio::of(output - input, input);
    let outlier = spec.is_some_and(|spec| spec.is_outlier(rate) || is_gain(spec, gain));
    Some(Loss { quantity, rate, outlier })
}

/// Whether more came out than an event of this type can weigh wrongly. Work may add what nobody counts, water
/// above all; goods that are moved, sold or used do not grow.
fn is_gain(spec: &EventType, gain: Ratio) -> bool {
    let grows = spec.loss_max_percent.is_none()
        && matches!(spec.stage(), Stage::PrimaryProduction | Stage::Processing);
    spec.is_outlier(gain) || spec.loss_max_percent.is_none() && !grows && gain.exceeds(Ratio::NONE)
}

/// Whether an event puts out pieces: of boxes that are in one box none is lost.
fn counts_pieces(edges: &[Edge], units: &[Unit]) -> bool {
    let pieces = |edge| object(units, edge).is_some_and(|unit| unit.measure.as_str() == "H87");
    side(edges, LinkRole::Output).any(pieces)
}

/// The flows of one event: every input spread over the outputs by their quantities, as far as they did not
/// only go on under their own codes; out of a package what was in it.
pub(crate) fn flows<'a>(step: &'a Step, units: &'a [Unit]) -> impl Iterator<Item = Flow<'a>> {
    let amount = |role, unit| edge_of(&step.edges, role, unit).map(scaled);
    // What is new of an output, and what does not come out again of an input.
    let more = move |role, than, unit| {
        (amount(role, unit).unwrap_or(0) - amount(than, unit).unwrap_or(0)).max(0)
    };
    let new = move |unit| more(LinkRole::Output, LinkRole::Input, unit);
    let gone = move |unit| more(LinkRole::Input, LinkRole::Output, unit);
    let whole: i128 = side(&step.edges, LinkRole::Output).map(|edge| new(edge.unit)).sum();
    let all: i128 = side(&step.edges, LinkRole::Output).map(scaled).sum();
    let goes_on = move |unit| {
        amount(LinkRole::Input, unit).is_some() && amount(LinkRole::Output, unit).is_some()
    };
    let package = step.opened().map(|package| &units[package]).filter(|one| one.role.is_some());
    let taken_out = side(&step.edges, LinkRole::Output).filter_map(move |output| {
        let (from, to) = (package?, units.get(output.unit)?);
        (from.code != to.code).then(|| Flow {
            from: &from.code,
            to: &to.code,
            event: &step.uid,
            quantity: output.quantity.unwrap_or(Quantity::ZERO),
            unit: to.measure,
        })
    });
    let mixed = side(&step.edges, LinkRole::Input).flat_map(move |input| {
        let from = object(units, input);
        side(&step.edges, LinkRole::Output).filter_map(move |output| {
            let (from, to) = (from?, units.get(output.unit)?);
            let on = goes_on(input.unit);
            let apart = on && goes_on(output.unit) && new(output.unit) == 0;
            if input.unit == output.unit || apart {
                return None;
            }
            // What was added to something that did not grow by it is in it all the same.
            let part = match whole {
                0 => Ratio::of(scaled(output), all),
                _ => Ratio::of(new(output.unit), whole),
            };
            let left = if on { gone(input.unit) } else { scaled(input) };
            let moved = Quantity::from_scaled(i64::try_from(left).ok()?).ok()?.times(part);
            Some(Flow {
                from: &from.code,
                to: &to.code,
                event: &step.uid,
                quantity: moved.unwrap_or(Quantity::ZERO),
                unit: from.measure,
            })
        })
    });
    taken_out.chain(mixed)
}

/// 断链: why an object that should have an origin has none. `unmade` says of each object whether it was
/// found to be so.
pub(crate) fn broken(unit: &Unit, unmade: bool) -> Option<&'static str> {
    match unit.state {
        ObjectState::External => Some("来源于平台之外，上游信息缺失"),
        _ if unmade => Some("投入之前没有产出记录，上游信息缺失或发生时间有误"),
        _ => None,
    }
}

/// Of an upstream closure, by the number of each object, whether it went into something before anything
/// put it out: sold before it was made, or made by what nobody stands for any more. What was asked for
/// has not gone into anything.
pub(crate) fn unmade(root: usize, units: &[Unit], steps: &[Step]) -> Vec<bool> {
    let went_in = |(number, unit): (usize, &Unit)| {
        number != root
            && unit.reached.has(Direction::Upstream)
            && unit.state != ObjectState::External
    };
    let mut unmade: Vec<bool> = units.iter().enumerate().map(went_in).collect();
    for step in steps.iter().filter(|step| step.ways.has(Direction::Upstream)) {
        let outputs = side(&step.edges, LinkRole::Output);
        // What only went on was there before.
        let unpacks = step.opened().is_some();
        for edge in outputs.filter(|edge| !unpacks && taken(&step.edges, edge.unit).is_none()) {
            unmade[edge.unit] = false;
        }
    }
    unmade
}
