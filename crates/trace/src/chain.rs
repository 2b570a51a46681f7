//! 追溯链条合成 (G-6.5.4, D-7.3.3): the pure part. From objects, events and links to shares, losses,
//! stock that can be frozen, and what has gone out of reach.

use serde::Serialize;
use yj_domain::EventType;
use yj_model::{Quantity, Ratio, UnitCode};

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
                let Some(total) = total(side(&step.edges, LinkRole::Input), units) else {
                    continue;
                };
                let share_of = |inputs: &mut dyn Iterator<Item = &Edge>, total| {
                    let parts = inputs.filter_map(|edge| {
                        Some(shares[edge.unit]?.times(Ratio::of(scaled(edge), total)))
                    });
                    parts.fold(Ratio::NONE, Ratio::plus)
                };
                let share = share_of(&mut side(&step.edges, LinkRole::Input), total);
                let mut mixed = Vec::new();
                for output in side(&step.edges, LinkRole::Output) {
                    let share = match taken(&step.edges, output.unit) {
                        Some(own) if own < total => {
                            let inputs = side(&step.edges, LinkRole::Input);
                            let others = &mut inputs.filter(|edge| edge.unit != output.unit);
                            share_of(others, total - own)
                        }
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
                let Some(total) = total(side(&step.edges, LinkRole::Input), units) else {
                    continue;
                };
                // What went on under its own code comes from the others that went in, as far as it is
                // more than it was.
                let mut mixed = Ratio::NONE;
                let mut grown = Vec::new();
                for output in side(&step.edges, LinkRole::Output) {
                    let (new, old) = parts(step, output, &units[output.unit]);
                    let part = left[output.unit].times(new);
                    match taken(&step.edges, output.unit) {
                        None => mixed = mixed.plus(part),
                        Some(own) if own < total => grown.push((output.unit, total - own, part)),
                        Some(_) => continue,
                    }
                    left[output.unit] = left[output.unit].times(old);
                }
                for input in side(&step.edges, LinkRole::Input) {
                    let of_all = packages.stayed(step, input.unit);
                    let of_all = of_all.unwrap_or_else(|| Ratio::of(scaled(input), total));
                    let part = mixed.times(of_all);
                    let others = grown.iter().filter(|(unit, ..)| *unit != input.unit);
                    let part = others
                        .map(|(_, total, share)| share.times(Ratio::of(scaled(input), *total)))
                        .fold(part, Ratio::plus);
                    left[input.unit] = left[input.unit].plus(part);
                    let sum = shares[input.unit].unwrap_or(Ratio::NONE);
                    shares[input.unit] = Some(sum.plus(part));
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
    side(edges, LinkRole::Input).find(|edge| edge.unit == unit).map(scaled)
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
    Some(Loss { quantity, rate, outlier: spec.is_some_and(|spec| spec.is_outlier(rate)) })
}

/// Whether an event puts out pieces: of boxes that are in one box none is lost.
fn counts_pieces(edges: &[Edge], units: &[Unit]) -> bool {
    let pieces = |edge| object(units, edge).is_some_and(|unit| unit.measure.as_str() == "H87");
    side(edges, LinkRole::Output).any(pieces)
}

/// The flows of one event: every input spread over the outputs by their quantities; out of a package what
/// was in it.
pub(crate) fn flows<'a>(step: &'a Step, units: &'a [Unit]) -> impl Iterator<Item = Flow<'a>> {
    let whole: i128 = side(&step.edges, LinkRole::Output).map(scaled).sum();
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
            let part = Ratio::of(scaled(output), whole);
            let moved = input.quantity.unwrap_or(Quantity::ZERO).times(part);
            (input.unit != output.unit).then(|| Flow {
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
