//! Composing the chain of a code with its figures and the people to call.

use std::{collections::BTreeSet, iter};

use yj_kernel::{Ctx, Place, Problem, Result, Tx};
use yj_model::{Quantity, Ratio, regions};
use yj_product::ProductBrief;
use yj_subject::{Contact, SubjectBrief};

use crate::{
    chain,
    closure::{Closure, Direction, closure},
    lots,
    query::EVENT_COLUMNS,
    steps::Step,
    store,
    units::{Role, Unit},
};

/// A subject of a chain.
pub(crate) struct Party {
    pub(crate) brief: SubjectBrief,
    pub(crate) contact: Contact,
    pub(crate) region_name: String,
}

/// Everything that an answer is made of.
pub(crate) struct Chain {
    pub(crate) found: Closure,
    pub(crate) direction: &'static str,
    /// By the number of each object.
    pub(crate) shares: Vec<Option<Ratio>>,
    /// By the number of each object: what went into something before anything put it out.
    pub(crate) unmade: Vec<bool>,
    /// By the number of the identifier.
    pub(crate) parties: Vec<Option<Party>>,
    /// The same in the order of identifiers.
    pub(crate) listed: Vec<usize>,
    /// By the number of the identifier.
    pub(crate) products: Vec<Option<ProductBrief>>,
    /// By the number of the region: names of the places where something happened.
    pub(crate) places: Vec<Option<String>>,
    pub(crate) own_steps: bool,
}

/// Composes the chain of a code, or of the lot that is called so.
pub(crate) async fn compose(
    ctx: &Ctx,
    tx: &mut Tx,
    code: &str,
    directions: &[Direction],
) -> Result<Chain> {
    let named = lots::unit_named(tx, code).await?;
    let code = named.as_deref().unwrap_or(code);
    let root = store::read_object(tx, code).await?.ok_or(Problem::NotFound("追溯码"))?;
    let id = root.id.ok_or_else(|| Problem::internal("a stored object without id"))?;
    let mut found = closure(tx, id, directions).await?;
    give_roles(&mut found, directions);
    let mut unmade = vec![false; found.units.len()];
    if directions.contains(&Direction::Upstream) && !found.truncated.has(Direction::Upstream) {
        unmade = chain::unmade(found.root, &found.units, &found.steps);
    }
    let mut shares = vec![None; found.units.len()];
    for &direction in directions {
        let more = chain::shares(found.root, direction, &found.units, &found.steps);
        let own = found.units.iter().map(|unit| unit.reached.has(direction));
        for (share, (more, own)) in shares.iter_mut().zip(more.into_iter().zip(own)) {
            *share = share.or(more.filter(|_| own));
        }
    }
    let mut chain = Chain {
        found,
        direction: match directions {
            [Direction::Downstream] => "downstream",
            [Direction::Upstream] => "upstream",
            _ => "both",
        },
        shares,
        unmade,
        parties: Vec::new(),
        listed: Vec::new(),
        products: Vec::new(),
        places: Vec::new(),
        own_steps: false,
    };
    chain.look_up(ctx, tx).await?;
    require_reach(ctx, &chain)?;
    chain.keep_within(ctx);
    Ok(chain)
}

/// What is reached both ways has the role of the way looked first.
fn give_roles(found: &mut Closure, directions: &[Direction]) {
    for (number, unit) in found.units.iter_mut().enumerate() {
        let way = directions.iter().find(|direction| unit.reached.has(**direction));
        unit.role = match way {
            _ if number == found.root => Some(Role::Root),
            Some(Direction::Upstream) => Some(Role::Upstream),
            Some(Direction::Downstream) => Some(Role::Downstream),
            None => None,
        };
    }
    for edge in found.steps.iter().flat_map(|step| &step.edges) {
        found.units[edge.unit].role.get_or_insert(Role::Beside);
    }
}

/// Who may see any subject of the chain may see the chain: a recall does not stop at a border
/// between districts, but a stranger to all of it sees nothing.
fn require_reach(ctx: &Ctx, chain: &Chain) -> Result<()> {
    // An object is where its holder is; an event is supervised where it was registered to be.
    let root = &chain.found.units[chain.found.root];
    let is_within = |subject: usize| {
        chain.party(subject).is_some_and(|holder| {
            let place = Place {
                region: Some(&holder.brief.region),
                subject: Some(&holder.brief.id),
                stage: Some(root.stage.code()),
                ..Place::default()
            };
            ctx.scope().covers(&EVENT_COLUMNS, &place)
        })
    };
    // Who put it out before it went on under the same code has a part in it too.
    let mut holders = iter::once(root.subject).chain(root.put_out.iter().map(|once| once.subject));
    let holder = holders.any(is_within);
    let known = (&chain.found.names, &chain.found.kinds);
    if holder || chain.found.steps.iter().any(|step| step.is_within(ctx.scope(), known)) {
        Ok(())
    } else {
        Err(Problem::NotFound("追溯码"))
    }
}

impl Chain {
    /// Leaves out what the caller is not cleared for, and for those who see only their own
    /// organisations everything but their own steps and what directly went into and came out of
    /// them: whom a customer sells to is the customer's business (G-10.4).
    fn keep_within(&mut self, ctx: &Ctx) {
        let clearance = ctx.scope().clearance();
        let cleared = |step: &Step| step.label <= clearance.level();
        self.found.steps.retain(cleared);
        self.found.observations.retain(cleared);
        for party in self.parties.iter_mut().flatten() {
            party.brief.name = String::from(party.brief.name_for(clearance));
        }
        let limits = ctx.scope().limits().iter();
        let own: Option<Vec<_>> = limits.map(|limit| limit.organization.as_ref()).collect();
        let Some(own) = own else { return };
        self.own_steps = true;
        // When others made something is theirs to say.
        self.unmade.fill(false);
        let own: BTreeSet<&str> =
            own.iter().flat_map(|within| within.subjects.iter().map(String::as_str)).collect();
        let found = &mut self.found;
        let mine: Vec<bool> =
            (0..found.names.len()).map(|number| own.contains(found.names.text(number))).collect();
        found.steps.retain(|step| mine[step.subject]);
        let mut touched: Vec<Option<Quantity>> = vec![None; found.units.len()];
        // When each last was in their hands.
        let put_out = |unit: &Unit| {
            let own = unit.put_out.iter().rev().find(|once| mine[once.subject]);
            own.map(|once| once.at)
        };
        let mut last: Vec<Option<(i64, i64)>> = found.units.iter().map(put_out).collect();
        for step in &found.steps {
            for edge in &step.edges {
                let sum = touched[edge.unit].get_or_insert(Quantity::ZERO);
                last[edge.unit] = last[edge.unit].max(Some(step.at()));
                // What went on under its own code passed through once.
                let quantity = edge.quantity.filter(|_| !step.gives_back(edge));
                *sum = sum.plus(quantity.unwrap_or(Quantity::ZERO)).unwrap_or(*sum);
            }
        }
        for (number, unit) in found.units.iter_mut().enumerate() {
            // Of what several hold they know what is theirs.
            let mut own: Vec<_> = unit.holders().filter(|(holder, _)| mine[*holder]).collect();
            if let ([(holder, _), ..], true) = (&*own, !unit.parts.is_empty()) {
                unit.subject = *holder;
                let all = own.iter().try_fold(Quantity::ZERO, |all, (_, part)| all.plus(*part));
                unit.balance = all.unwrap_or(unit.balance);
                unit.parts = own.split_off(1);
                // How much the others have is not theirs to know, unless they made it.
                if !unit.put_out.first().is_some_and(|once| mine[once.subject]) {
                    let passed = touched[number].unwrap_or(Quantity::ZERO);
                    unit.produced = passed.min(unit.produced).max(unit.balance);
                }
                continue;
            }
            unit.parts.clear();
            if mine[unit.subject] {
                continue;
            }
            if touched[number].is_none() && number != found.root {
                unit.role = None;
            }
            // Of what is others' they know what passed through their own hands, and who got it from them.
            if let Some(last) = last[number] {
                unit.subject = unit.holder_after(last);
            }
            unit.produced = touched[number].unwrap_or(Quantity::ZERO);
            unit.balance = Quantity::ZERO;
            self.shares[number] = None;
        }
        let units = &found.units;
        found.observations.retain(|step| {
            let looks_at_mine = |unit: &Unit| mine[unit.subject];
            mine[step.subject]
                || step
                    .edges
                    .iter()
                    .any(|edge| chain::object(units, edge).is_some_and(looks_at_mine))
        });
        let known = subjects(&self.found);
        self.listed.retain(|subject| known.contains(subject));
    }

    async fn look_up(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let names = &self.found.names;
        let listed = subjects(&self.found);
        let mut numbers = listed.clone();
        numbers.extend(self.found.units[self.found.root].put_out.iter().map(|once| once.subject));
        let ids: Vec<&str> = numbers.iter().map(|number| names.text(*number)).collect();
        let mut briefs = yj_subject::by_ids(tx, &ids).await?;
        let mut contacts = yj_subject::contacts(ctx, tx, &ids).await?;
        self.parties.resize_with(names.len(), || None);
        for number in numbers {
            let id = names.text(number);
            let Some(brief) = briefs.remove(id) else { continue };
            let region_name = regions().full_name(&brief.region);
            let contact = contacts.remove(id).unwrap_or_default();
            self.parties[number] = Some(Party { brief, contact, region_name });
            if listed.contains(&number) {
                self.listed.push(number);
            }
        }
        self.listed.sort_by_key(|number| names.text(*number));
        let shown = self.found.units.iter().filter(|unit| unit.role.is_some());
        let numbers: BTreeSet<usize> = shown.filter_map(|unit| unit.product).collect();
        let ids: Vec<&str> = numbers.iter().map(|number| names.text(*number)).collect();
        let mut briefs = yj_product::by_ids(tx, &ids).await?;
        self.products.resize_with(names.len(), || None);
        for number in numbers {
            self.products[number] = briefs.remove(names.text(number));
        }
        self.places.resize_with(names.len(), || None);
        for step in self.found.steps.iter().chain(&self.found.observations) {
            let name = || regions().full_name(names.text(step.place));
            self.places[step.place].get_or_insert_with(name);
        }
        Ok(())
    }

    /// Objects of the chain, those beside it among them.
    pub(crate) fn len(&self) -> usize {
        self.found.units.iter().filter(|unit| unit.role.is_some()).count()
    }

    /// The subject of this number.
    pub(crate) fn party(&self, subject: usize) -> Option<&Party> {
        self.parties.get(subject)?.as_ref()
    }

    /// Why the chain breaks off at an object, if it does.
    pub(crate) fn broken(&self, number: usize) -> Option<&'static str> {
        let unit = self.found.units.get(number).filter(|unit| unit.role.is_some())?;
        chain::broken(unit, self.unmade[number])
    }
}

/// Numbers of the subjects that hold something of a chain, held it when it went on, or did something in it.
fn subjects(found: &Closure) -> BTreeSet<usize> {
    let mut named = vec![false; found.names.len()];
    for unit in found.units.iter().filter(|unit| unit.role.is_some()) {
        named[unit.subject] = true;
        unit.parts.iter().for_each(|(holder, _)| named[*holder] = true);
    }
    for step in found.steps.iter().chain(&found.observations) {
        named[step.subject] = true;
        for edge in step.edges.iter().filter(|edge| edge.role.goes_in()) {
            named[found.units[edge.unit].holder_before(step.at())] = true;
        }
    }
    named.iter().enumerate().filter(|(_, named)| **named).map(|(number, _)| number).collect()
}

/// Composes the downstream chain of a code in the platform's own name and writes it down; says how
/// many events it has and how many bytes were written. For measurements.
pub async fn chain_size(app: &yj_kernel::App, code: &str) -> Result<(usize, usize)> {
    let ctx = app.on_own_behalf("bench");
    let mut tx = ctx.snapshot().await?;
    let chain = compose(&ctx, &mut tx, code, &[Direction::Downstream]).await?;
    let events = chain.found.steps.len() + chain.found.observations.len();
    let mut bytes = 0;
    for part in chain.tell(&ctx)? {
        bytes += part.map_err(Problem::internal)?.len();
    }
    Ok((events, bytes))
}

/// 断链: the codes at which the upstream chain of a code breaks off, composed in the platform's own
/// name (G-6.5.4). Fails where there is no such code.
pub async fn breaks(app: &yj_kernel::App, code: &str) -> Result<Vec<String>> {
    let ctx = app.on_own_behalf("breaks");
    let mut tx = ctx.snapshot().await?;
    let chain = compose(&ctx, &mut tx, code, &[Direction::Upstream]).await?;
    let units = chain.found.units.iter().enumerate();
    let broken = units.filter(|(number, _)| chain.broken(*number).is_some());
    Ok(broken.map(|(_, unit)| unit.code.clone()).collect())
}
