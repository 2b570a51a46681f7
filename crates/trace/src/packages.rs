//! Shares through packages (ADR 47), as [`crate::chain::shares`] works them out. What comes out of a package is
//! as much of the root as it was before it went in, and the package is as what is left in it.

use std::collections::{BTreeMap, HashSet};

use yj_model::Ratio;

use crate::{
    balance::LinkRole,
    chain::{scaled, side},
    steps::Step,
    units::Unit,
};

/// The packages of a chain that are opened in it. Where there are none, nothing is kept.
#[derive(Debug, Default)]
pub(crate) struct Packages {
    opened: HashSet<usize>,
    /// What is in each, by the numbers of the units.
    inside: BTreeMap<usize, BTreeMap<usize, i128>>,
    /// Upstream: which part of the root travelled in each.
    rode: BTreeMap<usize, Ratio>,
}

impl Packages {
    pub(crate) fn of<'a>(steps: impl Iterator<Item = &'a Step>) -> Self {
        Self { opened: steps.filter_map(Step::opened).collect(), ..Self::default() }
    }

    /// Downstream: notes what went into a package.
    pub(crate) fn put_in(&mut self, step: &Step) {
        if self.opened.is_empty() {
            return;
        }
        let mut outputs = side(&step.edges, LinkRole::Output);
        let (Some(package), None) = (outputs.next(), outputs.next()) else { return };
        if !self.opened.contains(&package.unit) {
            return;
        }
        let inside = self.inside.entry(package.unit).or_default();
        for input in side(&step.edges, LinkRole::Input) {
            if input.unit != package.unit {
                *inside.entry(input.unit).or_default() += scaled(input);
            }
        }
    }

    /// Downstream: what comes out keeps its share, or has the package's where it is reached by it alone;
    /// the package has the share of what is left.
    pub(crate) fn take_out(
        &mut self,
        (step, package): (&Step, usize),
        root: usize,
        shares: &mut [Option<Ratio>],
    ) {
        let whole = shares[package];
        let inside = self.inside.entry(package).or_default();
        for output in side(&step.edges, LinkRole::Output).filter(|one| one.unit != package) {
            if shares[output.unit].is_none() {
                shares[output.unit] = whole;
            }
        }
        come_out(inside, step);
        let total: i128 = inside.values().sum();
        if package == root || total == 0 {
            return;
        }
        let parts = inside
            .iter()
            .filter_map(|(unit, quantity)| Some(shares[*unit]?.times(Ratio::of(*quantity, total))));
        let parts: Vec<Ratio> = parts.collect();
        if inside.keys().any(|unit| shares[*unit].is_some()) {
            shares[package] = Some(parts.into_iter().fold(Ratio::NONE, Ratio::plus));
        }
    }

    /// Upstream: notes everything that went in and came out, so that what an event put into a package counts
    /// as far as it stayed there.
    pub(crate) fn settle<'a>(&mut self, steps: impl Iterator<Item = &'a Step>) {
        if self.opened.is_empty() {
            return;
        }
        for step in steps {
            let Some(package) = step.opened() else {
                self.put_in(step);
                continue;
            };
            come_out(self.inside.entry(package).or_default(), step);
        }
    }

    /// Upstream: how much of something that an event put into a package stayed in it, of how much; `None`
    /// where it is no package, or nothing stayed.
    pub(crate) fn stayed(&self, step: &Step, unit: usize) -> Option<Ratio> {
        let package = side(&step.edges, LinkRole::Output).next()?.unit;
        let inside = self.inside.get(&package).filter(|_| self.opened.contains(&package))?;
        let total: i128 = inside.values().sum();
        (total > 0).then(|| Ratio::of(inside.get(&unit).copied().unwrap_or(0), total))
    }

    /// Upstream: what came out of a package came by it; what was in it beside did not.
    pub(crate) fn lead(
        &mut self,
        (step, package): (&Step, usize),
        left: &[Ratio],
        (units, shares): (&[Unit], &mut [Option<Ratio>]),
    ) {
        let mut rode = Ratio::NONE;
        for output in side(&step.edges, LinkRole::Output).filter(|one| one.unit != package) {
            let whole = units[output.unit].made_until(step.at()).max(scaled(output));
            let own = self.rode.get(&output.unit).copied().unwrap_or(Ratio::NONE);
            let part = left[output.unit].plus(own);
            rode = rode.plus(part.times(Ratio::of(scaled(output), whole)));
        }
        let all = self.rode.entry(package).or_insert(Ratio::NONE);
        *all = all.plus(rode);
        let sum = shares[package].unwrap_or(Ratio::NONE);
        shares[package] = Some(sum.plus(rode));
    }
}

/// What an event takes out of a package is in it no more. The package is not in itself.
fn come_out(inside: &mut BTreeMap<usize, i128>, step: &Step) {
    for output in side(&step.edges, LinkRole::Output) {
        if let Some(left) = inside.get_mut(&output.unit) {
            *left = (*left - scaled(output)).max(0);
        }
    }
}
