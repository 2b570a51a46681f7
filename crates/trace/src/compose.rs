//! Composing the chain of a code with its figures and the people to call.

use std::collections::{BTreeMap, BTreeSet};

use yj_kernel::{Ctx, Place, Problem, Result, Tx, time_text};
use yj_model::{Quantity, Ratio, UnitCode, regions};
use yj_product::ProductBrief;
use yj_subject::{Contact, SubjectBrief};

use crate::{
    answer::{
        Answer, Broken, EventLine, FlowLine, Freeze, FreezeLine, Gone, GoneLine, LinkLine,
        ObjectLine, SubjectLine, Summary,
    },
    balance::{Link, LinkRole, Object, ObjectState, Objects},
    chain,
    closure::{Direction, closure},
    lots,
    order::Quality,
    query::EVENT_COLUMNS,
    store::{self, StoredEvent},
};

/// Places after the point of a share.
const SHARE_PLACES: u32 = 6;
/// Role of objects that are not part of the chain but went into its events.
const BESIDE: &str = "beside";

/// Everything that an answer is made of.
pub(crate) struct Chain {
    root: String,
    direction: &'static str,
    objects: Objects,
    /// `root`, `upstream`, `downstream` or [`BESIDE`], for every object.
    roles: BTreeMap<String, &'static str>,
    shares: BTreeMap<String, Ratio>,
    events: Vec<(StoredEvent, Vec<Link>)>,
    observations: Vec<(StoredEvent, Vec<Link>)>,
    subjects: BTreeMap<String, SubjectBrief>,
    contacts: BTreeMap<String, Contact>,
    nobody: Contact,
    products: BTreeMap<String, ProductBrief>,
    truncated: bool,
    own_steps: bool,
    /// What went into something before anything put it out.
    unmade: BTreeSet<String>,
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
    let mut chain = Chain {
        root: String::from(code),
        direction: match directions {
            [Direction::Downstream] => "downstream",
            [Direction::Upstream] => "upstream",
            _ => "both",
        },
        objects: Objects::new(),
        roles: BTreeMap::new(),
        shares: BTreeMap::new(),
        events: Vec::new(),
        observations: Vec::new(),
        subjects: BTreeMap::new(),
        contacts: BTreeMap::new(),
        nobody: Contact::default(),
        products: BTreeMap::new(),
        truncated: false,
        own_steps: false,
        unmade: BTreeSet::new(),
    };
    for &direction in directions {
        let found = closure(tx, id, direction).await?;
        let label = if direction == Direction::Downstream { "downstream" } else { "upstream" };
        for name in found.objects.keys() {
            let role = if name == code { "root" } else { label };
            let known = chain.roles.entry(name.clone()).or_insert(role);
            if *known == BESIDE {
                *known = role;
            }
        }
        if direction == Direction::Upstream && !found.truncated {
            chain.unmade = chain::unmade(code, &found.objects, &found.events);
        }
        let missing = chain::beside(&found.objects, &found.events);
        for (name, object) in store::read_objects(tx, &missing).await? {
            chain.roles.entry(name.clone()).or_insert(BESIDE);
            chain.objects.insert(name, object);
        }
        let own: Vec<String> = found.objects.keys().cloned().collect();
        chain.objects.extend(found.objects);
        let mut shares = chain::shares(code, direction, &chain.objects, &found.events);
        for name in own {
            if let Some(share) = shares.remove(&name) {
                chain.shares.entry(name).or_insert(share);
            }
        }
        chain.truncated |= found.truncated;
        merge(&mut chain.events, found.events);
        merge(&mut chain.observations, found.observations);
    }
    chain.look_up(ctx, tx).await?;
    require_reach(ctx, &chain)?;
    chain.keep_within(ctx);
    Ok(chain)
}

fn merge(into: &mut Vec<(StoredEvent, Vec<Link>)>, more: Vec<(StoredEvent, Vec<Link>)>) {
    let known: BTreeSet<i64> = into.iter().map(|(event, _)| event.id).collect();
    into.extend(more.into_iter().filter(|(event, _)| !known.contains(&event.id)));
    into.sort_by_key(|(event, _)| (event.time.unix_ms(), event.id));
}

/// Who may see any subject of the chain may see the chain: a recall does not stop at a border
/// between districts, but a stranger to all of it sees nothing.
fn require_reach(ctx: &Ctx, chain: &Chain) -> Result<()> {
    // An object is where its holder is; an event is supervised where it was registered to be.
    let root = chain.objects.get(&chain.root).is_some_and(|root| {
        let holder = chain.subjects.get(&root.subject_id);
        holder.is_some_and(|holder| {
            let place = Place {
                region: Some(&holder.region),
                subject: Some(&holder.id),
                stage: Some(root.stage.code()),
                ..Place::default()
            };
            ctx.scope().covers(&EVENT_COLUMNS, &place)
        })
    });
    if root || chain.events.iter().any(|(event, _)| event.is_within(ctx.scope())) {
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
        let cleared = |event: &StoredEvent| event.label <= clearance.level();
        self.events.retain(|(event, _)| cleared(event));
        self.observations.retain(|(event, _)| cleared(event));
        for subject in self.subjects.values_mut() {
            subject.name = String::from(subject.name_for(clearance));
        }
        let limits = ctx.scope().limits().iter();
        let own: Option<Vec<_>> = limits.map(|limit| limit.organization.as_ref()).collect();
        let Some(own) = own else { return };
        self.own_steps = true;
        // When others made something is theirs to say.
        self.unmade.clear();
        let own: BTreeSet<&str> =
            own.iter().flat_map(|within| within.subjects.iter().map(String::as_str)).collect();
        let mine = |subject: &str| own.contains(subject);
        self.events.retain(|(event, _)| mine(&event.subject_id));
        let mut touched: BTreeMap<String, Quantity> = BTreeMap::new();
        for link in self.events.iter().flat_map(|(_, links)| links) {
            let sum = touched.entry(link.code.clone()).or_insert(Quantity::ZERO);
            let quantity = link.quantity.unwrap_or(Quantity::ZERO);
            *sum = sum.plus(quantity).unwrap_or(*sum);
        }
        let root = self.root.clone();
        self.objects.retain(|code, object| {
            mine(&object.subject_id) || touched.contains_key(code) || *code == root
        });
        for (code, object) in &mut self.objects {
            if !mine(&object.subject_id) {
                // Of what is others' they know what passed through their own hands.
                object.produced = touched.get(code).copied().unwrap_or(Quantity::ZERO);
                object.balance = Quantity::ZERO;
            }
        }
        self.roles.retain(|code, _| self.objects.contains_key(code));
        self.shares.retain(|code, _| {
            self.objects.get(code).is_some_and(|object| mine(&object.subject_id))
        });
        self.observations.retain(|(event, links)| {
            mine(&event.subject_id)
                || links.iter().any(|link| {
                    self.objects.get(&link.code).is_some_and(|object| mine(&object.subject_id))
                })
        });
        let mut known: BTreeSet<&str> =
            self.objects.values().map(|object| object.subject_id.as_str()).collect();
        let events = self.events.iter().chain(&self.observations);
        known.extend(events.map(|(event, _)| event.subject_id.as_str()));
        self.subjects.retain(|id, _| known.contains(id.as_str()));
    }

    async fn look_up(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let objects = self.objects.values();
        let mut subjects: BTreeSet<&str> =
            objects.clone().map(|object| object.subject_id.as_str()).collect();
        let events = self.events.iter().chain(&self.observations);
        subjects.extend(events.map(|(event, _)| event.subject_id.as_str()));
        let subjects: Vec<_> = subjects.into_iter().collect();
        let products: BTreeSet<&str> =
            objects.filter_map(|object| object.product_id.as_deref()).collect();
        let products: Vec<_> = products.into_iter().collect();
        let found = yj_subject::by_ids(tx, &subjects).await?;
        self.products = yj_product::by_ids(tx, &products).await?;
        self.contacts = yj_subject::contacts(ctx, tx, &subjects).await?;
        self.subjects = found;
        Ok(())
    }

    /// Objects of the chain.
    pub(crate) fn len(&self) -> usize {
        self.objects.len()
    }

    fn contact(&self, subject: &str) -> &Contact {
        self.contacts.get(subject).unwrap_or(&self.nobody)
    }

    fn product_name(&self, object: &Object) -> Option<&str> {
        let product = self.products.get(object.product_id.as_ref()?)?;
        Some(product.name.as_str())
    }

    fn subject_name(&self, object: &Object) -> Option<&str> {
        self.subjects.get(&object.subject_id).map(|subject| subject.name.as_str())
    }

    fn share(&self, code: &str) -> Option<String> {
        self.shares.get(code).map(|share| share.decimal(SHARE_PLACES))
    }

    /// The objects of which `wanted` holds for the role.
    fn in_role(
        &self,
        wanted: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = (&str, &Object, &'static str)> {
        let objects = self.objects.iter().zip(self.roles.iter());
        objects
            .filter(move |(_, (_, role))| wanted(role))
            .map(|((code, object), (_, role))| (code.as_str(), object, *role))
    }

    /// The object asked for, as the answer describes it.
    pub(crate) fn root(&self) -> Result<ObjectLine<'_>> {
        let root = self.objects.get(&self.root);
        let root = root.ok_or_else(|| Problem::internal("a chain without its root"))?;
        Ok(self.describe((&self.root, root, "root")))
    }

    /// The whole answer.
    pub(crate) fn answer(&self, ctx: &Ctx) -> Result<Answer<'_>> {
        let root = self.root()?;
        let (freeze, gone) = (self.freeze(root.unit)?, self.gone(root.unit)?);
        let mut events = Vec::with_capacity(self.events.len() + self.observations.len());
        for (event, links) in &self.events {
            events.push(self.event(event, links, false)?);
        }
        for (event, links) in &self.observations {
            events.push(self.event(event, links, true)?);
        }
        let flows = self.events.iter();
        let flows = flows.flat_map(|(event, links)| chain::flows(event, links, &self.objects));
        let broken = chain::broken(&self.objects, &self.unmade);
        let acting: BTreeSet<&str> =
            self.events.iter().map(|(event, _)| event.subject_id.as_str()).collect();
        let describe = |line| self.describe(line);
        let objects: Vec<_> = self.in_role(|role| role != BESIDE).map(describe).collect();
        Ok(Answer {
            code: &self.root,
            direction: self.direction,
            truncated: self.truncated,
            own_steps: self.own_steps,
            generated_at: time_text(ctx.now_ms())?,
            summary: Summary {
                objects: objects.len() - 1,
                events: self.events.len(),
                subjects: acting.len(),
                held: freeze.total,
                gone: gone.total,
                equivalent: gone.equivalent,
                broken: broken.len(),
                unit: root.unit,
            },
            root,
            objects,
            beside: self.in_role(|role| role == BESIDE).map(describe).collect(),
            events,
            flows: flows.collect(),
            subjects: self.subject_list(),
            freeze,
            gone,
            broken: broken.into_iter().map(|(code, reason)| Broken { code, reason }).collect(),
            flow_table: self.flow_table(),
        })
    }

    fn describe<'a>(
        &'a self,
        (code, object, role): (&'a str, &'a Object, &'static str),
    ) -> ObjectLine<'a> {
        let consumed = object.produced.minus(object.balance).unwrap_or(Quantity::ZERO);
        let terminal = matches!(object.state, ObjectState::Sold | ObjectState::Used);
        ObjectLine {
            code,
            product_id: object.product_id.as_deref(),
            product_name: self.product_name(object),
            lot: object.lot.as_deref(),
            unit: object.unit,
            produced: object.produced,
            consumed: if terminal { Quantity::ZERO } else { consumed },
            held: object.balance,
            state: object.state.code(),
            quality: object.quality.map(Quality::code),
            quality_name: object.quality.map(Quality::label),
            stage: object.stage.code(),
            subject_id: &object.subject_id,
            subject: self.subject_name(object),
            share: self.share(code),
            role,
            external: object.state == ObjectState::External,
        }
    }

    fn event<'a>(
        &'a self,
        event: &'a StoredEvent,
        links: &'a [Link],
        observes: bool,
    ) -> Result<EventLine<'a>> {
        let side = |role: LinkRole| {
            let links = links.iter().filter(move |link| link.role == role);
            let item = |link: &'a Link| LinkLine {
                code: &link.code,
                quantity: link.quantity,
                unit: self.objects.get(&link.code).map(|object| object.unit),
            };
            links.map(item).collect::<Vec<_>>()
        };
        let loss = chain::loss(event, links, &self.objects)?;
        let spec = event.spec.as_ref();
        let verdict = event.body["attributes"]["verdict"].as_str();
        let verdict = verdict.and_then(|code| spec?.label("verdict", code));
        Ok(EventLine {
            id: &event.uid,
            kind: &event.kind,
            type_name: spec.map(|spec| spec.name.as_str()),
            stage: &event.stage,
            subject_id: &event.subject_id,
            event_time: event.time,
            region: event.place(),
            region_name: regions().full_name(event.place()),
            inputs: side(if observes { LinkRole::Observed } else { LinkRole::Input }),
            outputs: side(LinkRole::Output),
            loss: loss.map(|loss| loss.quantity),
            loss_rate: loss.map(|loss| loss.rate.decimal(SHARE_PLACES)),
            loss_outlier: loss.is_some_and(|loss| loss.outlier),
            anchor: event.anchor.as_deref(),
            observes,
            verdict,
        })
    }

    /// What a recall of the root concerns.
    fn concerned(&self) -> impl Iterator<Item = (&str, &Object)> {
        let downstream = self.in_role(|role| matches!(role, "root" | "downstream"));
        downstream.map(|(code, object, _)| (code, object))
    }

    fn stock<'a>(
        &'a self,
        code: &'a str,
        object: &'a Object,
        quantity: Quantity,
    ) -> FreezeLine<'a> {
        FreezeLine {
            code,
            subject_id: &object.subject_id,
            subject: self.subject_name(object),
            quantity,
            unit: object.unit,
            share: self.share(code),
        }
    }

    /// 可冻结: what is still held, and by whom.
    fn freeze(&self, unit: UnitCode) -> Result<Freeze<'_>> {
        let mut freeze = Freeze { total: Quantity::ZERO, items: Vec::new() };
        for (code, object) in self.concerned() {
            if object.state == ObjectState::Held && object.balance.is_positive() {
                freeze.total = add(freeze.total, (object.balance, object.unit), unit)?;
                freeze.items.push(self.stock(code, object, object.balance));
            }
        }
        Ok(freeze)
    }

    /// 已售出或已使用: beyond freezing, to be recalled.
    fn gone(&self, unit: UnitCode) -> Result<Gone<'_>> {
        let mut gone =
            Gone { total: Quantity::ZERO, equivalent: Quantity::ZERO, items: Vec::new() };
        for (code, object) in self.concerned() {
            if !matches!(object.state, ObjectState::Sold | ObjectState::Used) {
                continue;
            }
            let share = self.shares.get(code).copied();
            let equivalent = share
                .map(|share| object.produced.times(share))
                .transpose()
                .map_err(Problem::internal)?;
            gone.total = add(gone.total, (object.produced, object.unit), unit)?;
            if let Some(equivalent) = equivalent {
                gone.equivalent = add(gone.equivalent, (equivalent, object.unit), unit)?;
            }
            let line = self.stock(code, object, object.produced);
            gone.items.push(GoneLine { line, equivalent, state: object.state.code() });
        }
        Ok(gone)
    }

    fn subject_list(&self) -> Vec<SubjectLine<'_>> {
        let mut events: BTreeMap<&str, usize> = BTreeMap::new();
        for (event, _) in &self.events {
            *events.entry(event.subject_id.as_str()).or_default() += 1;
        }
        let mut lines = Vec::with_capacity(self.subjects.len());
        for subject in self.subjects.values() {
            let centre = regions().centre(&subject.region);
            let or_middle = |own: &Option<String>, middle: Option<&str>| {
                own.clone().or_else(|| middle.map(String::from))
            };
            lines.push(SubjectLine {
                lon: or_middle(&subject.lon, centre.map(|(lon, _)| lon)),
                lat: or_middle(&subject.lat, centre.map(|(_, lat)| lat)),
                id: &subject.id,
                code: &subject.code,
                name: &subject.name,
                region: &subject.region,
                region_name: regions().full_name(&subject.region),
                contact_name: &self.contact(&subject.id).name,
                contact_phone: &self.contact(&subject.id).phone,
                events: events.get(subject.id.as_str()).copied().unwrap_or(0),
            });
        }
        lines
    }

    /// 流量流向表: one line for everything that went from one subject's object into an event.
    fn flow_table(&self) -> Vec<FlowLine<'_>> {
        let mut lines = Vec::new();
        let region = |subject: &SubjectBrief| regions().full_name(&subject.region);
        for (event, links) in &self.events {
            let receiver = self.subjects.get(&event.subject_id);
            for link in links.iter().filter(|link| link.role == LinkRole::Input) {
                let Some(object) = self.objects.get(&link.code) else { continue };
                let sender = self.subjects.get(&object.subject_id);
                lines.push(FlowLine {
                    upstream: sender.map(|subject| subject.name.as_str()),
                    upstream_code: sender.map(|subject| subject.code.as_str()),
                    upstream_region: sender.map(region),
                    downstream: receiver.map(|subject| subject.name.as_str()),
                    downstream_code: receiver.map(|subject| subject.code.as_str()),
                    downstream_region: receiver.map(region),
                    stage: &event.stage,
                    product_name: self.product_name(object),
                    lot: object.lot.as_deref(),
                    code: &link.code,
                    quantity: link.quantity,
                    unit: object.unit,
                    event_time: event.time,
                    event: &event.uid,
                    document: event.body["documents"][0]["no"].as_str(),
                    contact_name: receiver.map(|one| self.contact(&one.id).name.as_str()),
                    contact_phone: receiver.map(|one| self.contact(&one.id).phone.as_str()),
                });
            }
        }
        lines
    }
}

/// Sums in `unit`; what cannot be converted is listed but not added.
fn add(sum: Quantity, (part, of): (Quantity, UnitCode), unit: UnitCode) -> Result<Quantity> {
    match of.convert(part, unit) {
        Ok(part) => sum.plus(part).map_err(Problem::internal),
        Err(_) => Ok(sum),
    }
}

/// Composes the downstream chain of a code in the platform's own name and writes it down; says how
/// many events it has. For measurements.
pub async fn chain_size(app: &yj_kernel::App, code: &str) -> Result<usize> {
    let ctx = app.on_own_behalf("bench");
    let mut tx = ctx.snapshot().await?;
    let chain = compose(&ctx, &mut tx, code, &[Direction::Downstream]).await?;
    let answer = chain.answer(&ctx)?;
    serde_json::to_writer(std::io::sink(), &answer).map_err(Problem::internal)?;
    Ok(answer.events.len())
}

/// 断链: the codes at which the upstream chain of a code breaks off, composed in the platform's own
/// name (G-6.5.4). Fails where there is no such code.
pub async fn breaks(app: &yj_kernel::App, code: &str) -> Result<Vec<String>> {
    let ctx = app.on_own_behalf("breaks");
    let mut tx = ctx.snapshot().await?;
    let chain = compose(&ctx, &mut tx, code, &[Direction::Upstream]).await?;
    let broken = chain::broken(&chain.objects, &chain.unmade).into_iter();
    Ok(broken.map(|(code, _)| String::from(code)).collect())
}
