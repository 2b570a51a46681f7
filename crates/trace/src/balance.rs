//! 批次结存: the pure part of capture. Given the trace objects an event touches, says what becomes
//! of them, or why that cannot be. No batch ever holds less than nothing.

use std::collections::{BTreeMap, BTreeSet};

use yj_domain::{EventSpec, InputMode, Terminal};
use yj_kernel::{Problem, Result};
use yj_model::{Quantity, Stage, UnitCode};

use crate::{
    brought::Brought,
    event::{Checked, InLine, OutLine},
    handover,
    holders::{Handover, Holders},
    order::Quality,
    returned::takes_back,
};

/// What has become of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ObjectState {
    /// 在库
    Held,
    /// 已售出
    Sold,
    /// 已使用
    Used,
    /// 来源于平台之外
    External,
}

impl ObjectState {
    pub(crate) const ALL: [Self; 4] = [Self::Held, Self::Sold, Self::Used, Self::External];

    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Sold => "sold",
            Self::Used => "used",
            Self::External => "external",
        }
    }

    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Held => "在库",
            Self::Sold => "已售出",
            Self::Used => "已使用",
            Self::External => "来源于平台之外",
        }
    }

    pub(crate) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// 追溯单元: one lot or item behind one code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    /// `None` until it is stored.
    pub(crate) id: Option<i64>,
    pub(crate) product_id: Option<String>,
    pub(crate) lot: Option<String>,
    pub(crate) unit: UnitCode,
    /// Who put it out last.
    pub(crate) subject_id: String,
    /// Who holds how much of the balance.
    pub(crate) holders: Holders,
    pub(crate) stage: Stage,
    pub(crate) produced: Quantity,
    pub(crate) balance: Quantity,
    pub(crate) state: ObjectState,
    /// What the gravest order in force says of it; `None` where there is none.
    pub(crate) quality: Option<Quality>,
    /// Whether it differs from what is stored.
    pub(crate) changed: bool,
}

impl Object {
    /// Everybody who holds some of it, and who put it out last, as identifiers; one may be named twice.
    pub(crate) fn parties(&self) -> impl Iterator<Item = &str> {
        self.holders.all().map(|(holder, _)| holder).chain([self.subject_id.as_str()])
    }

    /// Whoever put it out last is somebody else now.
    pub(crate) fn pass_to(&mut self, subject: &str) {
        if self.subject_id != subject {
            self.holders.touch(&self.subject_id);
            self.holders.touch(subject);
            self.subject_id = String::from(subject);
        }
    }
}

/// Which side of an event an object is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkRole {
    /// 投入
    Input,
    /// 产出
    Output,
    /// 涉及
    Observed,
    /// 拆开: a package that things were taken out of. Whatever else follows inputs does not follow it:
    /// what comes out of it was not made of it (ADR 47).
    Opened,
}

impl LinkRole {
    pub(crate) const ALL: [Self; 4] = [Self::Input, Self::Output, Self::Observed, Self::Opened];

    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Input => 0,
            Self::Output => 1,
            Self::Observed => 2,
            Self::Opened => 3,
        }
    }

    pub(crate) fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    /// Whether an event takes it, and less of it is left.
    pub(crate) const fn goes_in(self) -> bool {
        matches!(self, Self::Input | Self::Opened)
    }
}

/// An object's part in an event, in the object's own unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) code: String,
    pub(crate) role: LinkRole,
    pub(crate) quantity: Option<Quantity>,
}

/// The objects that a batch of events touches, by code.
pub(crate) type Objects = BTreeMap<String, Object>;

/// What an event has done.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) links: Vec<Link>,
    /// What of that came with it from outside.
    pub(crate) brought: Vec<Brought>,
    /// What it took from the hands of others.
    pub(crate) handovers: Vec<Handover>,
}

/// From whom a subject takes what an event consumes of a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    /// The subject itself, and those it goes on for.
    pub(crate) own: Vec<String>,
    /// Who gave it, and how much of that is not taken yet.
    pub(crate) given: Vec<(String, i64)>,
}

/// Who does it, and what is made.
pub(crate) struct Maker<'a> {
    pub(crate) subject_id: &'a str,
    /// The other party, by identifier.
    pub(crate) counterparty: Option<&'a str>,
    /// From whom it takes of a unit.
    pub(crate) sources: &'a (dyn Fn(&str, &Object) -> Sources + Sync),
    /// Whether who asks may be told how much the subject itself holds, and is to be refused what is more:
    /// the platform speaks for all sides, and a reviewer of what others hold decides.
    pub(crate) own_only: bool,
    /// Products by their codes: id and counting unit.
    pub(crate) products: &'a BTreeMap<String, (String, UnitCode)>,
    /// Whether who asks may read what happened to an object: only they are told how much is left.
    pub(crate) may_know: &'a (dyn Fn(&Object) -> bool + Sync),
    /// Registered codes under which goods came from outside before, and may again.
    pub(crate) outside: &'a BTreeSet<String>,
    /// Codes whose balance and state are not judged yet: the event waits for review, and a refusal
    /// would say what is somebody else's to know. Approval judges them.
    pub(crate) unjudged: &'a BTreeSet<String>,
}

/// What a corrected event has left behind.
#[derive(Debug, Default)]
pub(crate) struct Before {
    /// Codes that it put out; they may be put out again.
    pub(crate) made: BTreeSet<String>,
    /// Those that another event has put out since: who holds them and what became of them is that
    /// one's to say, and a correction of what was before does not bring them back.
    pub(crate) moved_on: BTreeSet<String>,
    /// What it had brought from outside.
    pub(crate) outside: BTreeSet<String>,
    /// From whom it had taken anything: they have it again, and it is theirs to give where that was needed.
    pub(crate) givers: BTreeSet<String>,
}

/// Takes back what a corrected event of a subject did. `spec`: its rules, by which its outputs went into the
/// balance or not; `None` where they are not at hand. Balances may be negative until the correction is
/// applied.
pub(crate) fn revert(
    objects: &mut Objects,
    subject: &str,
    done: &Applied,
    spec: Option<&EventSpec>,
) -> Result<()> {
    let counted = spec.map(|spec| spec.outputs.terminal.is_none());
    let took_back = spec.is_some_and(takes_back);
    for handover in &done.handovers {
        if let Some(object) = objects.get_mut(&handover.code) {
            object.holders.add(&handover.giver, handover.quantity);
            object.holders.add(&handover.receiver, -handover.quantity);
            object.changed = true;
        }
    }
    for link in &done.links {
        let (Some(object), Some(quantity)) = (objects.get_mut(&link.code), link.quantity) else {
            continue;
        };
        match link.role {
            LinkRole::Observed => continue,
            // It is with the consumer again, or was never here.
            LinkRole::Input if took_back => {
                let sold = object.produced.is_positive();
                object.state = if sold { ObjectState::Sold } else { ObjectState::External };
            }
            LinkRole::Input | LinkRole::Opened => {
                let brought = done.brought.iter().find(|one| one.code == link.code);
                let brought = brought.map_or(Quantity::ZERO, |one| one.quantity);
                object.produced = sum(object.produced, brought, -1)?;
                let quantity = sum(quantity, brought, -1)?;
                object.balance = sum(object.balance, quantity, 1)?;
                object.holders.add(subject, quantity.scaled());
            }
            LinkRole::Output => {
                object.produced = sum(object.produced, quantity, -1)?;
                let by_state = matches!(object.state, ObjectState::Held | ObjectState::External);
                if counted.unwrap_or(by_state) {
                    object.balance = sum(object.balance, quantity, -1)?;
                    object.holders.add(subject, -quantity.scaled());
                }
            }
        }
        object.changed = true;
    }
    Ok(())
}

fn sum(left: Quantity, right: Quantity, sign: i64) -> Result<Quantity> {
    Quantity::from_scaled(left.scaled() + sign * right.scaled())
        .map_err(|error| Problem::invalid("quantity", error.to_string()))
}

/// Applies an event. `before` is what the event that it corrects has left. On a problem the objects may be half changed; the caller throws them away.
pub(crate) fn apply(
    objects: &mut Objects,
    event: &Checked,
    maker: &Maker<'_>,
    before: &Before,
) -> Result<Applied> {
    event.require_lots_said(objects)?;
    let mut links = Vec::with_capacity(event.inputs.len() + event.outputs.len());
    let (mut handovers, mut brought) = (Vec::new(), Vec::new());
    for (at, line) in event.inputs.iter().enumerate() {
        let link = take(objects, event, maker, (line, before, &mut handovers))
            .map_err(|problem| problem.within(&format!("inputs[{at}].")))?;
        let quantity = link.quantity.filter(|some| line.external && some.is_positive());
        if let Some(quantity) = quantity.filter(|_| !takes_back(&event.spec)) {
            brought.push(Brought { code: link.code.clone(), quantity });
        }
        links.push(link);
    }
    for (at, line) in event.outputs.iter().enumerate() {
        let link = put(objects, event, maker, (line, before))
            .map_err(|problem| problem.within(&format!("outputs[{at}].")))?;
        links.push(link);
    }
    // Of what is there nothing is sold or used up; what said so was taken back.
    for object in objects.values_mut().filter(|one| one.changed && one.balance.is_positive()) {
        if matches!(object.state, ObjectState::Sold | ObjectState::Used) {
            object.state = ObjectState::Held;
        }
    }
    for (code, object) in objects.iter() {
        if object.balance.scaled() < 0 && !maker.unjudged.contains(code) {
            let short =
                Quantity::from_scaled(-object.balance.scaled()).map_err(Problem::internal)?;
            let short = if (maker.may_know)(object) {
                format!("（差 {short} {}）", object.unit)
            } else {
                String::new()
            };
            let detail = format!("更正后追溯码 {code} 的结存将为负{short}，请先更正下游记录");
            return Err(Problem::invalid("correction_of", detail));
        }
    }
    for (code, object) in objects.iter_mut().filter(|(_, object)| object.changed) {
        if object.balance.scaled() >= 0 {
            let givers = before.givers.iter().map(String::as_str);
            let first: Vec<&str> = givers.chain([object.subject_id.as_str()]).collect();
            handovers.extend(object.holders.settle(code, &first));
        }
    }
    Ok(Applied { links, brought, handovers })
}

fn take(
    objects: &mut Objects,
    event: &Checked,
    maker: &Maker<'_>,
    (line, before, handovers): (&InLine, &Before, &mut Vec<Handover>),
) -> Result<Link> {
    let code = line.code.as_str();
    let observing = event.spec.inputs.mode == InputMode::Observe;
    let Some(object) = objects.get_mut(code) else {
        let (true, Some((quantity, unit))) = (line.external && !observing, line.amount) else {
            let detail =
                format!("追溯码 {code} 不存在；请核对，或先登记其来源，或标明“来源于平台之外”");
            return Err(Problem::invalid("code", detail));
        };
        objects.insert(
            String::from(code),
            Object {
                id: None,
                product_id: None,
                lot: None,
                unit,
                subject_id: String::from(maker.subject_id),
                holders: Holders::default(),
                stage: event.stage,
                // What a consumer brings back is only what comes out.
                produced: if takes_back(&event.spec) { Quantity::ZERO } else { quantity },
                balance: Quantity::ZERO,
                state: ObjectState::External,
                quality: None,
                changed: true,
            },
        );
        return Ok(Link {
            code: String::from(code),
            role: LinkRole::Input,
            quantity: Some(quantity),
        });
    };
    let returned = takes_back(&event.spec);
    let again = if returned { &before.made } else { &before.outside }.contains(code)
        || maker.outside.contains(code);
    if line.external && (observing || !again) {
        return Err(Problem::invalid(
            "external",
            format!("追溯码 {code} 已在平台登记，不能标为来源于平台之外"),
        ));
    }
    let quantity = match line.amount {
        Some((quantity, unit)) => {
            let converted = unit.convert(quantity, object.unit);
            Some(converted.map_err(|error| Problem::invalid("unit", error.to_string()))?)
        }
        None => None,
    };
    if observing {
        return Ok(Link { code: String::from(code), role: LinkRole::Observed, quantity });
    }
    if returned {
        // Sold, it is not in the balance; coming out it is again.
        return Ok(Link { code: String::from(code), role: LinkRole::Input, quantity });
    }
    let wanted = quantity.unwrap_or(Quantity::ZERO);
    if line.external {
        // It comes and goes at once; what is here of it already stays.
        object.produced = sum(object.produced, wanted, 1)?;
        object.changed = true;
        return Ok(Link { code: String::from(code), role: LinkRole::Input, quantity });
    }
    let judged = !maker.unjudged.contains(code);
    if judged && matches!(object.state, ObjectState::Sold | ObjectState::Used) {
        let detail = format!("追溯码 {code} {}，不能再投入", object.state.label());
        return Err(Problem::invalid("code", detail));
    }
    let sources = (maker.sources)(code, object);
    if judged && maker.own_only {
        require_own(code, object, (event, &sources), wanted)?;
    }
    if judged && wanted > object.balance {
        let unit = object.unit.unit().name;
        let detail = if (maker.may_know)(object) {
            format!(
                "数量超过结存：追溯码 {code} 结存 {} {unit}，本次投入 {wanted} {unit}",
                object.balance
            )
        } else {
            format!("数量超过结存：追溯码 {code} 的结存不足以投入 {wanted} {unit}")
        };
        return Err(Problem::invalid("quantity", detail));
    }
    draw(object, (event, maker), (code, sources, wanted.scaled()), handovers);
    object.balance = sum(object.balance, wanted, -1)?;
    object.changed = true;
    let role = if event.spec.unpacks() { LinkRole::Opened } else { LinkRole::Input };
    Ok(Link { code: String::from(code), role, quantity })
}

impl Sources {
    /// How much of a unit the subject holds, and how much of it others have given it and still hold.
    pub(crate) fn amounts(&self, object: &Object) -> (i64, i64) {
        let own = self.own.iter().map(|one| object.holders.amount(one).max(0)).sum();
        let given = |(giver, left): &(String, i64)| object.holders.amount(giver).clamp(0, *left);
        (own, self.given.iter().map(given).sum())
    }
}

/// Refuses to a subject that holds a part of a unit what it neither holds nor was given. What comes in is
/// another's by its nature: whether that is so somebody looks at.
fn require_own(
    code: &str,
    object: &Object,
    (event, sources): (&Checked, &Sources),
    wanted: Quantity,
) -> Result<()> {
    let (own, given) = sources.amounts(object);
    let others = object.balance.scaled() - own - given;
    if own <= 0 || others <= 0 || wanted.scaled() <= own + given || handover::comes_in(&event.spec)
    {
        return Ok(());
    }
    let own = Quantity::from_scaled(own).map_err(Problem::internal)?;
    let unit = object.unit.unit().name;
    let given = match Quantity::from_scaled(given).map_err(Problem::internal)? {
        Quantity::ZERO => String::new(),
        given => format!("、他人交来尚未接收的 {given} {unit}"),
    };
    let detail = format!(
        "数量超过结存：追溯码 {code} 本主体持有 {own} {unit}{given}，本次投入 {wanted} {unit}；其余由其他主体持有"
    );
    Err(Problem::invalid("quantity", detail))
}

/// Brings what an event takes of a unit into its subject's hands and takes it out of them. What comes in
/// is what others gave, as far as they did; what goes out is first one's own. What is taken beyond both
/// was looked at by somebody: it is the other party's, or else whoever's it is.
fn draw(
    object: &mut Object,
    (event, maker): (&Checked, &Maker<'_>),
    (code, sources, wanted): (&str, Sources, i64),
    handovers: &mut Vec<Handover>,
) {
    let unlimited = |holder: String| (holder, i64::MAX);
    let own = sources.own.into_iter().map(unlimited);
    let mut from: Vec<(String, i64)> = if handover::comes_in(&event.spec) {
        sources.given.into_iter().chain(own).collect()
    } else {
        own.chain(sources.given).collect()
    };
    from.extend(maker.counterparty.map(String::from).map(unlimited));
    from.push(unlimited(object.subject_id.clone()));
    from.extend(object.holders.all().map(|(holder, _)| unlimited(String::from(holder))));
    let mut left = wanted;
    for (giver, most) in from {
        let quantity = object.holders.amount(&giver).min(most).min(left);
        if quantity <= 0 {
            continue;
        }
        left -= quantity;
        if giver == maker.subject_id {
            object.holders.add(&giver, -quantity);
            continue;
        }
        let (code, receiver) = (String::from(code), String::from(maker.subject_id));
        let handover = Handover { code, giver, receiver, quantity };
        object.holders.hand_over(&handover);
        object.holders.add(maker.subject_id, -quantity);
        handovers.push(handover);
    }
    object.holders.add(maker.subject_id, -left);
}

fn put(
    objects: &mut Objects,
    event: &Checked,
    maker: &Maker<'_>,
    (line, before): (&OutLine, &Before),
) -> Result<Link> {
    let code = line.code.as_str();
    let state = match event.spec.outputs.terminal {
        None => ObjectState::Held,
        Some(Terminal::Sold) => ObjectState::Sold,
        Some(Terminal::Used) => ObjectState::Used,
    };
    let product_id = match &line.product {
        None => inherited(objects, event),
        Some(product) => {
            let (id, unit) = maker.products.get(product).ok_or_else(|| {
                Problem::invalid("product", format!("产品代码 {product} 没有登记"))
            })?;
            unit.convert(Quantity::ZERO, line.unit).map_err(|error| {
                Problem::invalid("unit", format!("与产品登记的计量单位不符：{error}"))
            })?;
            Some(id.clone())
        }
    };
    // What comes out of a package was seen to have been put in.
    let goes_on = event.inputs.iter().any(|input| input.code == line.code)
        || before.made.contains(code)
        || event.spec.unpacks();
    match objects.get_mut(code) {
        Some(_) if !goes_on => {
            Err(Problem::invalid("code", format!("追溯码 {code} 已被使用，请换用新的追溯码")))
        }
        Some(object) => {
            let quantity = line.unit.convert(line.quantity, object.unit);
            let quantity = quantity.map_err(|error| Problem::invalid("unit", error.to_string()))?;
            object.produced = sum(object.produced, quantity, 1)?;
            if state == ObjectState::Held {
                object.balance = sum(object.balance, quantity, 1)?;
                object.holders.add(maker.subject_id, quantity.scaled());
            }
            object.changed = true;
            if !before.moved_on.contains(code) {
                // Of a lot that goes on under its own code the rest is still there.
                let rest = object.balance.is_positive();
                object.state = if rest { ObjectState::Held } else { state };
                object.pass_to(maker.subject_id);
                object.stage = event.stage;
                if line.product.is_some() {
                    object.product_id = product_id;
                }
                if let Some(lot) = &line.lot {
                    object.lot = Some(lot.to_string());
                }
            }
            Ok(Link { code: String::from(code), role: LinkRole::Output, quantity: Some(quantity) })
        }
        None => {
            let balance = if state == ObjectState::Held { line.quantity } else { Quantity::ZERO };
            objects.insert(
                String::from(code),
                Object {
                    id: None,
                    product_id,
                    lot: line.lot.as_ref().map(ToString::to_string),
                    unit: line.unit,
                    subject_id: String::from(maker.subject_id),
                    holders: Holders::of_new(maker.subject_id, balance.scaled()),
                    stage: event.stage,
                    produced: line.quantity,
                    balance,
                    state,
                    quality: None,
                    changed: true,
                },
            );
            Ok(Link {
                code: String::from(code),
                role: LinkRole::Output,
                quantity: Some(line.quantity),
            })
        }
    }
}

/// Where an event names no product, its outputs are what all its inputs are.
fn inherited(objects: &Objects, event: &Checked) -> Option<String> {
    let mut products =
        event.inputs.iter().map(|line| objects.get(line.code.as_str())?.product_id.as_ref());
    let first = products.next()??;
    products.all(|product| product == Some(first)).then(|| first.clone())
}
