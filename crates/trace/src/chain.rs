//! 追溯链条合成 (G-6.5.4, D-7.3.3): the pure part. From objects, events and links to shares, losses,
//! stock that can be frozen, and what has gone out of reach.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use yj_kernel::Result;
use yj_model::{Quantity, Ratio, UnitCode};

use crate::{
    balance::{Link, LinkRole, Object, ObjectState},
    closure::Direction,
    pairing::SUM_MAX,
    store::{StoredEvent, quantity},
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

/// Which part of each object comes from the root (downstream), or which part of the root comes
/// from each object (upstream). Objects whose inputs are counted in units that cannot be added
/// have no share.
pub(crate) fn shares(
    root: &str,
    direction: Direction,
    objects: &BTreeMap<String, Object>,
    events: &[(StoredEvent, Vec<Link>)],
) -> BTreeMap<String, Ratio> {
    let mut shares = BTreeMap::from([(String::from(root), Ratio::ONE)]);
    let mut made: BTreeMap<String, Ratio> = BTreeMap::new();
    let ordered: Box<dyn Iterator<Item = &(StoredEvent, Vec<Link>)>> = match direction {
        Direction::Downstream => Box::new(events.iter()),
        Direction::Upstream => Box::new(events.iter().rev()),
    };
    for (_, links) in ordered {
        let side = |role| links.iter().filter(move |link: &&Link| link.role == role);
        let Some(total) = total(side(LinkRole::Input), objects) else { continue };
        match direction {
            Direction::Downstream => {
                let parts = side(LinkRole::Input).filter_map(|link| {
                    let share = shares.get(&link.code)?;
                    Some(share.times(Ratio::of(scaled(link), total)))
                });
                let share = parts.fold(Ratio::NONE, Ratio::plus);
                for output in side(LinkRole::Output) {
                    // An object made in several goes mixes them by quantity.
                    let before = made.get(&output.code).copied().unwrap_or(Ratio::NONE);
                    let Some(object) = objects.get(&output.code) else { continue };
                    let whole = i128::from(object.produced.scaled());
                    let sum = before.plus(share.times(Ratio::of(scaled(output), whole)));
                    made.insert(output.code.clone(), sum);
                    if output.code != root {
                        shares.insert(output.code.clone(), sum);
                    }
                }
            }
            Direction::Upstream => {
                let parts = side(LinkRole::Output).filter_map(|link| {
                    let share = shares.get(&link.code)?;
                    let whole = i128::from(objects.get(&link.code)?.produced.scaled());
                    Some(share.times(Ratio::of(scaled(link), whole)))
                });
                let share = parts.fold(Ratio::NONE, Ratio::plus);
                for input in side(LinkRole::Input) {
                    let part = share.times(Ratio::of(scaled(input), total));
                    let sum = shares.get(&input.code).copied().filter(|_| input.code != root);
                    shares.insert(input.code.clone(), sum.unwrap_or(Ratio::NONE).plus(part));
                }
            }
        }
    }
    shares.insert(String::from(root), Ratio::ONE);
    shares
}

fn scaled(link: &Link) -> i128 {
    i128::from(link.quantity.unwrap_or(Quantity::ZERO).scaled())
}

/// Sum of quantities, if all are counted in one unit.
fn total<'a>(
    links: impl Iterator<Item = &'a Link>,
    objects: &BTreeMap<String, Object>,
) -> Option<i128> {
    let (mut unit, mut sum) = (None, 0);
    for link in links {
        let found = objects.get(&link.code)?.unit;
        if unit.is_some_and(|unit| unit != found) {
            return None;
        }
        unit = Some(found);
        sum += scaled(link);
    }
    (sum > 0).then_some(sum)
}

/// What went in and did not come out, where both are counted in one unit.
pub(crate) fn loss(
    event: &StoredEvent,
    links: &[Link],
    objects: &BTreeMap<String, Object>,
) -> Result<Option<Loss>> {
    let side = |role| links.iter().filter(move |link: &&Link| link.role == role);
    let unit =
        |role| side(role).next().and_then(|link| objects.get(&link.code)).map(|object| object.unit);
    let same = unit(LinkRole::Input).is_some() && unit(LinkRole::Input) == unit(LinkRole::Output);
    let sums = (total(side(LinkRole::Input), objects), total(side(LinkRole::Output), objects));
    let (true, (Some(input), Some(output))) = (same, sums) else { return Ok(None) };
    let rate = Ratio::of(input - output, input);
    // More than can be said is said as the most that can.
    let most = i128::from(SUM_MAX);
    let lost = (input - output).clamp(-most, most);
    let lost = quantity(i64::try_from(lost).map_err(yj_kernel::Problem::internal)?)?;
    Ok(Some(Loss {
        quantity: lost,
        rate,
        outlier: event.spec.as_ref().is_some_and(|spec| spec.is_outlier(rate)),
    }))
}

/// The flows of one event: every input spread over the outputs by their quantities.
pub(crate) fn flows<'a>(
    event: &'a StoredEvent,
    links: &'a [Link],
    objects: &BTreeMap<String, Object>,
) -> Vec<Flow<'a>> {
    let side = |role| links.iter().filter(move |link: &&Link| link.role == role);
    let outputs: Vec<_> = side(LinkRole::Output).collect();
    let whole: i128 = outputs.iter().map(|link| scaled(link)).sum();
    let mut flows = Vec::new();
    for input in side(LinkRole::Input) {
        let Some(unit) = objects.get(&input.code).map(|object| object.unit) else { continue };
        for output in &outputs {
            let part = Ratio::of(scaled(output), whole);
            let quantity =
                input.quantity.unwrap_or(Quantity::ZERO).times(part).unwrap_or(Quantity::ZERO);
            let (from, to) = (input.code.as_str(), output.code.as_str());
            if from != to {
                flows.push(Flow { from, to, event: &event.uid, quantity, unit });
            }
        }
    }
    flows
}

/// 断链: objects that should have an origin and have none. `unmade` are those that [`unmade`] found.
pub(crate) fn broken<'a>(
    objects: &'a BTreeMap<String, Object>,
    unmade: &BTreeSet<String>,
) -> Vec<(&'a str, &'static str)> {
    let why = |code: &str, object: &Object| match object.state {
        ObjectState::External => Some("来源于平台之外，上游信息缺失"),
        _ if unmade.contains(code) => Some("投入之前没有产出记录，上游信息缺失或发生时间有误"),
        _ => None,
    };
    let broken =
        |(code, object): (&'a String, &'a Object)| Some((code.as_str(), why(code, object)?));
    objects.iter().filter_map(broken).collect()
}

/// Of an upstream closure, what went into something before anything put it out: sold before it was
/// made, or made by what nobody stands for any more. What was asked for has not gone into anything.
pub(crate) fn unmade(
    root: &str,
    objects: &BTreeMap<String, Object>,
    events: &[(StoredEvent, Vec<Link>)],
) -> BTreeSet<String> {
    let links = events.iter().flat_map(|(_, links)| links);
    let made: BTreeSet<&str> =
        links.filter(|link| link.role == LinkRole::Output).map(|link| link.code.as_str()).collect();
    let without = objects.iter().filter(|(code, object)| {
        *code != root && object.state != ObjectState::External && !made.contains(code.as_str())
    });
    without.map(|(code, _)| code.clone()).collect()
}

/// Codes of the objects that the events name but the closure does not hold: what else went in.
pub(crate) fn beside<'a>(
    objects: &BTreeMap<String, Object>,
    events: &'a [(StoredEvent, Vec<Link>)],
) -> Vec<&'a str> {
    let named: BTreeSet<&str> =
        events.iter().flat_map(|(_, links)| links).map(|link| link.code.as_str()).collect();
    named.into_iter().filter(|code| !objects.contains_key(*code)).collect()
}
