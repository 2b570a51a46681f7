//! The answer of a chain, told piece by piece. A long chain makes an answer of hundreds of megabytes;
//! no more of it exists at a time than the reader has asked for.

use std::iter;

use axum::{
    body::Body,
    http::header::CONTENT_TYPE,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use yj_kernel::{Ctx, Problem, Result, time_text};
use yj_model::{Quantity, UnitCode, regions};

use crate::{
    answer::{
        Broken, EventLine, FlowLine, FreezeLine, GoneLine, Head, HolderLine, LinkLine, ObjectLine,
        Share, SubjectLine, Summary,
    },
    balance::{LinkRole, ObjectState},
    chain,
    compose::Chain,
    order::Quality,
    returned,
    steps::Step,
    units::{Edge, Role, Unit},
};

/// Bytes of one piece, and what its last line may have beyond.
const PIECE: usize = 64 << 10;

/// The lists of an answer, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Objects,
    /// What else went into the events of the chain.
    Beside,
    Events,
    Flows,
    Subjects,
    Freeze,
    Gone,
    Broken,
    /// 流量流向表
    FlowTable,
}

/// What was counted before the first line.
struct Known {
    /// How many events of each subject are in the chain, by its number.
    acted: Vec<usize>,
    /// What the events of the chain sold or used of each object, by its number.
    sold: Vec<Quantity>,
}

/// An answer that is being told.
pub(crate) struct Telling {
    chain: Chain,
    known: Known,
    /// What stands before each list, and behind the last.
    between: std::vec::IntoIter<(String, Option<List>)>,
    /// The list that is being told, and which line of it comes next.
    list: Option<List>,
    at: usize,
    pen: Pen,
    ended: bool,
}

/// What was written of the piece under way.
#[derive(Default)]
struct Pen {
    text: Vec<u8>,
    /// Whether the list has a line already.
    follows: bool,
}

impl Pen {
    fn line(&mut self, line: &impl Serialize) -> serde_json::Result<()> {
        if std::mem::replace(&mut self.follows, true) {
            self.text.push(b',');
        }
        serde_json::to_writer(&mut self.text, line)
    }
}

impl Iterator for Telling {
    type Item = serde_json::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        self.pen.text = Vec::with_capacity(PIECE + (PIECE >> 3));
        while self.pen.text.len() < PIECE && !self.ended {
            if let Err(error) = self.go_on() {
                self.ended = true;
                return Some(Err(error));
            }
        }
        Some(Ok(Bytes::from(std::mem::take(&mut self.pen.text))))
    }
}

impl Telling {
    /// The response that tells it. A short answer says how long it is.
    pub(crate) fn response(mut self) -> Result<Response> {
        let first = self.next().transpose().map_err(Problem::internal)?.unwrap_or_default();
        let body = if self.ended {
            Body::from(first)
        } else {
            Body::from_stream(stream::iter(iter::once(Ok(first)).chain(self)))
        };
        Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
    }

    fn go_on(&mut self) -> serde_json::Result<()> {
        if let Some(list) = self.list
            && self.chain.lines(list, self.at, &self.known, &mut self.pen)?
        {
            self.at += 1;
        } else if let Some((between, list)) = self.between.next() {
            self.pen.text.extend_from_slice(between.as_bytes());
            self.pen.follows = false;
            (self.list, self.at) = (list, 0);
        } else {
            self.ended = true;
        }
        Ok(())
    }
}

impl Chain {
    /// The whole answer.
    pub(crate) fn tell(self, ctx: &Ctx) -> Result<Telling> {
        let root = self.root();
        let unit = root.unit;
        let (mut held, mut gone, mut equivalent) = (Quantity::ZERO, Quantity::ZERO, Quantity::ZERO);
        let (mut objects, mut broken) = (0, 0);
        let sold = self.sold();
        for (number, object) in self.found.units.iter().enumerate() {
            objects += usize::from(matches!(object.role, Some(role) if role != Role::Beside));
            broken += usize::from(self.broken(number).is_some());
            if can_be_frozen(object) {
                held = add(held, (object.balance, object.measure), unit)?;
            }
            if let Some(left) = gone_of(object, sold[number]) {
                gone = add(gone, (left, object.measure), unit)?;
                if let Some(part) = self.equivalent(number, left)? {
                    equivalent = add(equivalent, (part, object.measure), unit)?;
                }
            }
        }
        let mut acted = vec![0; self.found.names.len()];
        // Whoever holds something of the chain is concerned as much as whoever did something in it.
        let mut concerned = vec![false; self.found.names.len()];
        for step in &self.found.steps {
            acted[step.subject] += 1;
            concerned[step.subject] = true;
        }
        for object in &self.found.units {
            if matches!(object.role, Some(role) if role != Role::Beside) {
                object.holders().for_each(|(holder, _)| concerned[holder] = true);
            }
        }
        let head = Head {
            code: root.code,
            direction: self.direction,
            truncated: self.found.truncated.any() || self.found.overlooked,
            own_steps: self.own_steps,
            generated_at: time_text(ctx.now_ms())?,
            summary: Summary {
                objects: objects - 1,
                events: self.found.steps.len(),
                subjects: concerned.iter().filter(|concerned| **concerned).count(),
                held,
                gone,
                equivalent,
                broken,
                unit,
            },
            root,
        };
        let head = serde_json::to_string(&head).map_err(Problem::internal)?;
        // The lists stand within the same object.
        let head = head.strip_suffix('}').unwrap_or(&head);
        let between = vec![
            (format!("{head},\"objects\":["), Some(List::Objects)),
            (String::from("],\"beside\":["), Some(List::Beside)),
            (String::from("],\"events\":["), Some(List::Events)),
            (String::from("],\"flows\":["), Some(List::Flows)),
            (String::from("],\"subjects\":["), Some(List::Subjects)),
            (format!("],\"freeze\":{{\"total\":\"{held}\",\"items\":["), Some(List::Freeze)),
            (
                format!(
                    "]}},\"gone\":{{\"total\":\"{gone}\",\"equivalent\":\"{equivalent}\",\"items\":["
                ),
                Some(List::Gone),
            ),
            (String::from("]},\"broken\":["), Some(List::Broken)),
            (String::from("],\"flow_table\":["), Some(List::FlowTable)),
            (String::from("]}"), None),
        ];
        Ok(Telling {
            chain: self,
            known: Known { acted, sold },
            between: between.into_iter(),
            list: None,
            at: 0,
            pen: Pen::default(),
            ended: false,
        })
    }

    /// Writes what a list says of the object, event or subject at this place; whether there is one.
    fn lines(
        &self,
        list: List,
        at: usize,
        known: &Known,
        pen: &mut Pen,
    ) -> serde_json::Result<bool> {
        match list {
            List::Events => self.event_line(at, pen),
            List::Flows | List::FlowTable => {
                let Some(step) = self.found.steps.get(at) else { return Ok(false) };
                if list == List::FlowTable {
                    return self.flow_lines(step, pen).map(|()| true);
                }
                for flow in chain::flows(step, &self.found.units) {
                    pen.line(&flow)?;
                }
                Ok(true)
            }
            List::Subjects => {
                let Some(number) = self.listed.get(at) else { return Ok(false) };
                if let Some(line) = self.subject_line(*number, &known.acted) {
                    pen.line(&line)?;
                }
                Ok(true)
            }
            List::Objects | List::Beside | List::Freeze | List::Gone | List::Broken => {
                let Some(unit) = self.found.units.get(at) else { return Ok(false) };
                self.unit_line(list, (at, unit), known, pen)?;
                Ok(true)
            }
        }
    }

    /// What the events of the chain sold or used of each object, by its number.
    fn sold(&self) -> Vec<Quantity> {
        let mut sold = vec![Quantity::ZERO; self.found.units.len()];
        for step in &self.found.steps {
            let spec = self.found.kinds.of(step).and_then(|kind| kind.spec.as_ref());
            let Some(spec) = spec else { continue };
            let (ends, returns) = (spec.outputs.terminal.is_some(), returned::takes_back(spec));
            for edge in &step.edges {
                let (quantity, sum) =
                    (edge.quantity.unwrap_or(Quantity::ZERO), &mut sold[edge.unit]);
                *sum = match edge.role {
                    LinkRole::Output if ends => sum.plus(quantity).unwrap_or(*sum),
                    // What consumers brought back is with them no more.
                    LinkRole::Input if returns => {
                        sum.minus(quantity).unwrap_or(*sum).max(Quantity::ZERO)
                    }
                    _ => *sum,
                };
            }
        }
        sold
    }

    fn unit_line(
        &self,
        list: List,
        (number, unit): (usize, &Unit),
        Known { sold, .. }: &Known,
        pen: &mut Pen,
    ) -> serde_json::Result<()> {
        let Some(role) = unit.role else { return Ok(()) };
        match list {
            List::Objects if role != Role::Beside => pen.line(&self.describe(number, unit, role)),
            List::Beside if role == Role::Beside => pen.line(&self.describe(number, unit, role)),
            List::Freeze if can_be_frozen(unit) => {
                unit.holders().try_for_each(|held| pen.line(&self.stock(number, unit, held)))
            }
            List::Gone => match gone_of(unit, sold[number]) {
                Some(gone) => pen.line(&GoneLine {
                    line: self.stock(number, unit, (unit.subject, gone)),
                    // That it can be said was seen when it was added up.
                    equivalent: self.equivalent(number, gone).ok().flatten(),
                    state: unit.state.code(),
                }),
                None => Ok(()),
            },
            List::Broken => match self.broken(number) {
                Some(reason) => pen.line(&Broken { code: &unit.code, reason }),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// The object asked for, as the answer describes it.
    pub(crate) fn root(&self) -> ObjectLine<'_> {
        let number = self.found.root;
        self.describe(number, &self.found.units[number], Role::Root)
    }

    fn describe<'a>(&'a self, number: usize, unit: &'a Unit, role: Role) -> ObjectLine<'a> {
        let consumed = unit.produced.minus(unit.balance).unwrap_or(Quantity::ZERO);
        let terminal = matches!(unit.state, ObjectState::Sold | ObjectState::Used);
        ObjectLine {
            code: &unit.code,
            product_id: unit.product.map(|product| self.found.names.text(product)),
            product_name: self.product_name(unit),
            lot: unit.lot.as_deref(),
            unit: unit.measure,
            produced: unit.produced,
            consumed: if terminal { Quantity::ZERO } else { consumed },
            held: unit.balance,
            state: unit.state.code(),
            quality: unit.quality.map(Quality::code),
            quality_name: unit.quality.map(Quality::label),
            stage: unit.stage.code(),
            subject_id: self.found.names.text(unit.subject),
            subject: self.subject_name(unit.subject),
            holders: self.holder_lines(unit),
            share: self.share(number),
            role: role.code(),
            external: unit.state == ObjectState::External,
        }
    }

    fn share(&self, number: usize) -> Option<Share> {
        self.shares.get(number).copied().flatten().map(Share)
    }

    fn product_name(&self, unit: &Unit) -> Option<&str> {
        Some(self.products.get(unit.product?)?.as_ref()?.name.as_str())
    }

    fn subject_name(&self, subject: usize) -> Option<&str> {
        self.party(subject).map(|party| party.brief.name.as_str())
    }

    /// Who holds how much, where several do.
    fn holder_lines(&self, unit: &Unit) -> Vec<HolderLine<'_>> {
        let several = unit.holders().filter(|_| !unit.parts.is_empty());
        let line = |(holder, quantity)| HolderLine {
            subject_id: self.found.names.text(holder),
            subject: self.subject_name(holder),
            quantity,
        };
        several.map(line).collect()
    }

    /// 折合: how much of so much of an object comes from the root.
    fn equivalent(&self, number: usize, quantity: Quantity) -> Result<Option<Quantity>> {
        let share = self.shares.get(number).copied().flatten();
        share.map(|share| quantity.times(share)).transpose().map_err(Problem::internal)
    }

    fn stock<'a>(
        &'a self,
        number: usize,
        unit: &'a Unit,
        (holder, quantity): (usize, Quantity),
    ) -> FreezeLine<'a> {
        FreezeLine {
            code: &unit.code,
            subject_id: self.found.names.text(holder),
            subject: self.subject_name(holder),
            quantity,
            unit: unit.measure,
            share: self.share(number),
        }
    }

    /// Those that looked on come after those that did something.
    fn event_line(&self, at: usize, pen: &mut Pen) -> serde_json::Result<bool> {
        let did = self.found.steps.len();
        let observes = at >= did;
        let step = match at.checked_sub(did) {
            None => self.found.steps.get(at),
            Some(at) => self.found.observations.get(at),
        };
        let Some(step) = step else { return Ok(false) };
        let (units, names) = (self.found.units.as_slice(), &self.found.names);
        let side = |role: LinkRole| {
            let item = |edge: &Edge| LinkLine {
                code: &units[edge.unit].code,
                quantity: edge.quantity,
                unit: chain::object(units, edge).map(|unit| unit.measure),
            };
            let same =
                |edge: &&Edge| edge.role == role || role == LinkRole::Input && edge.role.goes_in();
            let edges = step.edges.iter().filter(same);
            edges.map(item).collect::<Vec<_>>()
        };
        let kind = self.found.kinds.of(step);
        let spec = kind.and_then(|kind| kind.spec.as_ref());
        let loss = chain::loss(&step.edges, units, spec);
        let verdict = step.verdict.as_deref();
        pen.line(&EventLine {
            id: &step.uid,
            kind: kind.map_or("", |kind| kind.code.as_str()),
            type_name: spec.map(|spec| spec.name.as_str()),
            stage: names.text(step.stage),
            subject_id: names.text(step.subject),
            event_time: step.time,
            region: names.text(step.place),
            region_name: self.places[step.place].as_deref().unwrap_or_default(),
            inputs: side(if observes { LinkRole::Observed } else { LinkRole::Input }),
            outputs: side(LinkRole::Output),
            loss: loss.map(|loss| loss.quantity),
            loss_rate: loss.map(|loss| Share(loss.rate)),
            loss_outlier: loss.is_some_and(|loss| loss.outlier),
            anchor: step.anchor.map(|state| names.text(state)),
            observes,
            verdict: verdict.and_then(|code| spec?.label("verdict", code)),
        })?;
        Ok(true)
    }

    fn subject_line(&self, number: usize, acted: &[usize]) -> Option<SubjectLine<'_>> {
        let party = self.party(number)?;
        let brief = &party.brief;
        let centre = regions().centre(&brief.region);
        Some(SubjectLine {
            lon: brief.lon.as_deref().or(centre.map(|(lon, _)| lon)),
            lat: brief.lat.as_deref().or(centre.map(|(_, lat)| lat)),
            id: &brief.id,
            code: &brief.code,
            name: &brief.name,
            region: &brief.region,
            region_name: &party.region_name,
            contact_name: &party.contact.name,
            contact_phone: &party.contact.phone,
            events: acted.get(number).copied().unwrap_or(0),
        })
    }

    /// 流量流向表: one line for everything that went from one subject's object into an event.
    fn flow_lines(&self, step: &Step, pen: &mut Pen) -> serde_json::Result<()> {
        let receiver = self.party(step.subject);
        for edge in step.edges.iter().filter(|edge| edge.role.goes_in()) {
            let Some(unit) = chain::object(&self.found.units, edge) else { continue };
            let sender = self.party(unit.holder_before(step.at()));
            pen.line(&FlowLine {
                upstream: sender.map(|party| party.brief.name.as_str()),
                upstream_code: sender.map(|party| party.brief.code.as_str()),
                upstream_region: sender.map(|party| party.region_name.as_str()),
                downstream: receiver.map(|party| party.brief.name.as_str()),
                downstream_code: receiver.map(|party| party.brief.code.as_str()),
                downstream_region: receiver.map(|party| party.region_name.as_str()),
                stage: self.found.names.text(step.stage),
                product_name: self.product_name(unit),
                lot: unit.lot.as_deref(),
                code: &unit.code,
                quantity: edge.quantity,
                unit: unit.measure,
                event_time: step.time,
                event: &step.uid,
                document: step.document.as_deref(),
                contact_name: receiver.map(|party| party.contact.name.as_str()),
                contact_phone: receiver.map(|party| party.contact.phone.as_str()),
            })?;
        }
        Ok(())
    }
}

/// Whether a recall of the root concerns it.
fn is_concerned(unit: &Unit) -> bool {
    matches!(unit.role, Some(Role::Root | Role::Downstream)) && !unit.left
}

/// 可冻结: what is still held.
fn can_be_frozen(unit: &Unit) -> bool {
    is_concerned(unit) && unit.state == ObjectState::Held && unit.balance.is_positive()
}

/// 已售出或已使用: how much of it is beyond freezing, to be recalled. A lot that is sold in parts under its
/// own code is still held as far as it is not sold.
fn gone_of(unit: &Unit, sold: Quantity) -> Option<Quantity> {
    let gone = matches!(unit.state, ObjectState::Sold | ObjectState::Used);
    let quantity = if sold.is_positive() { sold } else { unit.produced };
    (is_concerned(unit) && (gone || sold.is_positive())).then_some(quantity)
}

/// Sums in `unit`; what cannot be converted is listed but not added.
fn add(sum: Quantity, (part, of): (Quantity, UnitCode), unit: UnitCode) -> Result<Quantity> {
    match of.convert(part, unit) {
        Ok(part) => sum.plus(part).map_err(Problem::internal),
        Err(_) => Ok(sum),
    }
}
