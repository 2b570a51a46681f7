//! The answer of `GET /api/v1/trace/chain`: the chain with its figures and the people to call.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use yj_kernel::{Ctx, Problem, Result, Tx, time_text};
use yj_model::{Quantity, Ratio, UnitCode, regions};
use yj_product::ProductBrief;
use yj_subject::SubjectBrief;

use crate::{
    balance::{Link, LinkRole, Object, ObjectState},
    chain::{self, Flow},
    closure::{Direction, closure},
    store::{self, StoredEvent},
};

/// Places after the point of a share.
const SHARE_PLACES: u32 = 6;

/// Everything that an answer is made of.
struct Chain {
    root: String,
    objects: BTreeMap<String, Object>,
    /// Objects that are not part of the chain but went into its events.
    beside: BTreeMap<String, Object>,
    roles: BTreeMap<String, &'static str>,
    shares: BTreeMap<String, Ratio>,
    events: Vec<(StoredEvent, Vec<Link>)>,
    observations: Vec<(StoredEvent, Vec<Link>)>,
    subjects: BTreeMap<String, SubjectBrief>,
    products: BTreeMap<String, ProductBrief>,
    truncated: bool,
}

/// Composes the chain of a code.
pub(crate) async fn compose(
    ctx: &Ctx,
    tx: &mut Tx,
    code: &str,
    directions: &[Direction],
) -> Result<Value> {
    let root = store::read_object(tx, code).await?.ok_or(Problem::NotFound("追溯码"))?;
    let id = root.id.ok_or_else(|| Problem::internal("a stored object without id"))?;
    let mut chain = Chain {
        root: String::from(code),
        objects: BTreeMap::new(),
        beside: BTreeMap::new(),
        roles: BTreeMap::new(),
        shares: BTreeMap::new(),
        events: Vec::new(),
        observations: Vec::new(),
        subjects: BTreeMap::new(),
        products: BTreeMap::new(),
        truncated: false,
    };
    for &direction in directions {
        let found = closure(tx, id, direction).await?;
        let missing = chain::beside(&found.objects, &found.events);
        let beside = store::read_objects(tx, &missing).await?;
        let mut all = found.objects.clone();
        all.extend(beside.clone());
        let label = if direction == Direction::Downstream { "downstream" } else { "upstream" };
        let shares = chain::shares(code, direction, &all, &found.events);
        for name in found.objects.keys() {
            let role = if name == code { "root" } else { label };
            chain.roles.entry(name.clone()).or_insert(role);
            if let Some(share) = shares.get(name) {
                chain.shares.entry(name.clone()).or_insert(*share);
            }
        }
        chain.objects.extend(found.objects);
        chain.beside.extend(beside);
        chain.truncated |= found.truncated;
        merge(&mut chain.events, found.events);
        merge(&mut chain.observations, found.observations);
    }
    chain.beside.retain(|code, _| !chain.objects.contains_key(code));
    chain.look_up(ctx, tx).await?;
    require_reach(ctx, &chain)?;
    chain.answer(ctx, directions)
}

fn merge(into: &mut Vec<(StoredEvent, Vec<Link>)>, more: Vec<(StoredEvent, Vec<Link>)>) {
    let known: BTreeSet<i64> = into.iter().map(|(event, _)| event.id).collect();
    into.extend(more.into_iter().filter(|(event, _)| !known.contains(&event.id)));
    into.sort_by_key(|(event, _)| (event.time.unix_ms(), event.id));
}

/// Who may see any subject of the chain may see the chain: a recall does not stop at a border
/// between districts, but a stranger to all of it sees nothing.
fn require_reach(ctx: &Ctx, chain: &Chain) -> Result<()> {
    let own = |subject: &SubjectBrief| ctx.scope().covers(Some(&subject.region), Some(&subject.id));
    let root = chain.objects.get(&chain.root).and_then(|root| chain.subjects.get(&root.subject_id));
    let of_events =
        chain.events.iter().filter_map(|(event, _)| chain.subjects.get(&event.subject_id));
    if root.into_iter().chain(of_events).any(own) {
        Ok(())
    } else {
        Err(Problem::NotFound("追溯码"))
    }
}

impl Chain {
    async fn look_up(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let objects = self.objects.values().chain(self.beside.values());
        let mut subjects: BTreeSet<&str> =
            objects.clone().map(|object| object.subject_id.as_str()).collect();
        let events = self.events.iter().chain(&self.observations);
        subjects.extend(events.map(|(event, _)| event.subject_id.as_str()));
        let subjects: Vec<_> = subjects.into_iter().collect();
        let products: BTreeSet<&str> =
            objects.filter_map(|object| object.product_id.as_deref()).collect();
        let products: Vec<_> = products.into_iter().collect();
        let found = yj_subject::by_ids(ctx, tx, &subjects).await?;
        self.products = yj_product::by_ids(tx, &products).await?;
        self.subjects = found;
        Ok(())
    }

    fn object(&self, code: &str) -> Option<&Object> {
        self.objects.get(code).or_else(|| self.beside.get(code))
    }

    fn product_name(&self, object: &Object) -> Option<&str> {
        let product = self.products.get(object.product_id.as_ref()?)?;
        Some(product.name.as_str())
    }

    fn share(&self, code: &str) -> Value {
        self.shares.get(code).map_or(Value::Null, |share| Value::from(share.decimal(SHARE_PLACES)))
    }

    fn answer(&self, ctx: &Ctx, directions: &[Direction]) -> Result<Value> {
        let downstream: Vec<_> = self
            .objects
            .iter()
            .filter(|(code, _)| self.roles.get(*code) != Some(&"upstream"))
            .collect();
        let (freeze, held) = self.freeze(&downstream)?;
        let (gone, sums) = self.gone(&downstream)?;
        let all: BTreeMap<String, Object> = self
            .objects
            .iter()
            .chain(&self.beside)
            .map(|(code, object)| (code.clone(), object.clone()))
            .collect();
        let mut events = Vec::new();
        for (event, links) in &self.events {
            events.push(Self::event(event, links, &all, false)?);
        }
        for (event, links) in &self.observations {
            events.push(Self::event(event, links, &all, true)?);
        }
        let flows: Vec<Flow> = self
            .events
            .iter()
            .flat_map(|(event, links)| chain::flows(event, links, &all))
            .collect();
        let broken = chain::broken(&all);
        let root = &self.objects[&self.root];
        let direction = match directions {
            [Direction::Downstream] => "downstream",
            [Direction::Upstream] => "upstream",
            _ => "both",
        };
        let acting: BTreeSet<&str> =
            self.events.iter().map(|(event, _)| event.subject_id.as_str()).collect();
        Ok(json!({
            "code": self.root, "direction": direction, "truncated": self.truncated,
            "generated_at": time_text(ctx.now_ms())?,
            "root": self.describe(&self.root, root),
            "summary": {
                "objects": self.objects.len() - 1, "events": self.events.len(),
                "subjects": acting.len(), "held": held, "gone": sums.0, "equivalent": sums.1,
                "broken": broken.len(), "unit": root.unit,
            },
            "objects": self.objects.iter().map(|(code, object)| self.describe(code, object)).collect::<Vec<_>>(),
            "beside": self.beside.iter().map(|(code, object)| self.describe(code, object)).collect::<Vec<_>>(),
            "events": events,
            "flows": flows.iter().map(flow_json).collect::<Vec<_>>(),
            "subjects": self.subject_list(),
            "freeze": { "total": held, "items": freeze },
            "gone": { "total": sums.0, "equivalent": sums.1, "items": gone },
            "broken": broken.iter().map(|(code, reason)| json!({ "code": code, "reason": reason })).collect::<Vec<_>>(),
            "flow_table": self.flow_table(),
        }))
    }

    fn describe(&self, code: &str, object: &Object) -> Value {
        let consumed = object.produced.minus(object.balance).unwrap_or(Quantity::ZERO);
        let terminal = matches!(object.state, ObjectState::Sold | ObjectState::Used);
        json!({
            "code": code, "product_id": object.product_id, "product_name": self.product_name(object),
            "lot": object.lot, "unit": object.unit, "produced": object.produced,
            "consumed": if terminal { Quantity::ZERO } else { consumed }, "held": object.balance,
            "state": object.state.code(), "stage": object.stage.code(), "subject_id": object.subject_id,
            "subject": self.subjects.get(&object.subject_id).map(|subject| subject.name.as_str()),
            "share": self.share(code), "role": self.roles.get(code).copied().unwrap_or("beside"),
            "external": object.state == ObjectState::External,
        })
    }

    fn event(
        event: &StoredEvent,
        links: &[Link],
        all: &BTreeMap<String, Object>,
        observes: bool,
    ) -> Result<Value> {
        let side = |role: LinkRole| {
            let links = links.iter().filter(move |link| link.role == role);
            let item = |link: &Link| json!({ "code": link.code, "quantity": link.quantity, "unit": all.get(&link.code).map(|object| object.unit) });
            links.map(item).collect::<Vec<_>>()
        };
        let loss = chain::loss(event, links, all)?;
        let spec = chain::spec(event);
        let verdict = event.body["attributes"]["verdict"].as_str();
        let verdict = verdict.and_then(|code| {
            let field = spec?.fields.iter().find(|field| field.name == "verdict")?;
            field.codes.iter().find(|(known, _)| known == code).map(|(_, label)| label.clone())
        });
        let inputs = if observes { side(LinkRole::Observed) } else { side(LinkRole::Input) };
        Ok(json!({
            "id": event.uid, "type": event.kind, "type_name": spec.map(|spec| spec.name.as_str()),
            "stage": event.stage, "subject_id": event.subject_id, "event_time": event.time,
            "region": event.region, "region_name": regions().full_name(&event.region),
            "inputs": inputs, "outputs": side(LinkRole::Output),
            "loss": loss.map(|loss| loss.quantity), "loss_rate": loss.map(|loss| loss.rate.decimal(SHARE_PLACES)),
            "loss_outlier": loss.is_some_and(|loss| loss.outlier),
            "anchor": event.anchor, "observes": observes, "verdict": verdict,
        }))
    }

    /// 可冻结: what is still held, and by whom.
    fn freeze(&self, objects: &[(&String, &Object)]) -> Result<(Vec<Value>, Quantity)> {
        let mut sum = Quantity::ZERO;
        let mut items = Vec::new();
        for (code, object) in objects {
            if object.state == ObjectState::Held && object.balance.is_positive() {
                sum = self.add(sum, object.balance, object.unit)?;
                items.push(json!({
                    "code": code, "subject_id": object.subject_id, "quantity": object.balance,
                    "unit": object.unit, "share": self.share(code),
                    "subject": self.subjects.get(&object.subject_id).map(|subject| subject.name.as_str()),
                }));
            }
        }
        Ok((items, sum))
    }

    /// 已售出或已使用: beyond freezing, to be recalled.
    fn gone(&self, objects: &[(&String, &Object)]) -> Result<(Vec<Value>, (Quantity, Quantity))> {
        let (mut sum, mut equivalents, mut items) = (Quantity::ZERO, Quantity::ZERO, Vec::new());
        for (code, object) in objects {
            if !matches!(object.state, ObjectState::Sold | ObjectState::Used) {
                continue;
            }
            let share = self.shares.get(*code).copied();
            let equivalent = share
                .map(|share| object.produced.times(share))
                .transpose()
                .map_err(Problem::internal)?;
            sum = self.add(sum, object.produced, object.unit)?;
            if let Some(equivalent) = equivalent {
                equivalents = self.add(equivalents, equivalent, object.unit)?;
            }
            items.push(json!({
                "code": code, "subject_id": object.subject_id, "quantity": object.produced, "unit": object.unit,
                "share": self.share(code), "equivalent": equivalent, "state": object.state.code(),
                "subject": self.subjects.get(&object.subject_id).map(|subject| subject.name.as_str()),
            }));
        }
        Ok((items, (sum, equivalents)))
    }

    /// Sums in the root's unit; what cannot be converted is listed but not added.
    fn add(&self, sum: Quantity, part: Quantity, unit: UnitCode) -> Result<Quantity> {
        match unit.convert(part, self.objects[&self.root].unit) {
            Ok(part) => sum.plus(part).map_err(Problem::internal),
            Err(_) => Ok(sum),
        }
    }

    fn subject_list(&self) -> Vec<Value> {
        let mut events: BTreeMap<&str, usize> = BTreeMap::new();
        for (event, _) in &self.events {
            *events.entry(event.subject_id.as_str()).or_default() += 1;
        }
        let item = |subject: &SubjectBrief| {
            let centre = regions().centre(&subject.region);
            let lon = subject.lon.clone().or_else(|| centre.map(|(lon, _)| String::from(lon)));
            let lat = subject.lat.clone().or_else(|| centre.map(|(_, lat)| String::from(lat)));
            json!({
                "id": subject.id, "code": subject.code, "name": subject.name, "region": subject.region,
                "region_name": regions().full_name(&subject.region), "lon": lon, "lat": lat,
                "contact_name": subject.contact_name, "contact_phone": subject.contact_phone,
                "events": events.get(subject.id.as_str()).copied().unwrap_or(0),
            })
        };
        self.subjects.values().map(item).collect()
    }

    /// 流量流向表: one line for everything that went from one subject's object into an event.
    fn flow_table(&self) -> Vec<Value> {
        let mut lines = Vec::new();
        for (event, links) in &self.events {
            let receiver = self.subjects.get(&event.subject_id);
            for link in links.iter().filter(|link| link.role == LinkRole::Input) {
                let Some(object) = self.object(&link.code) else { continue };
                let sender = self.subjects.get(&object.subject_id);
                let field = |subject: Option<&SubjectBrief>, get: fn(&SubjectBrief) -> String| {
                    subject.map(get)
                };
                let region = |subject: &SubjectBrief| regions().full_name(&subject.region);
                lines.push(json!({
                    "upstream": field(sender, |subject| subject.name.clone()),
                    "upstream_code": field(sender, |subject| subject.code.clone()),
                    "upstream_region": field(sender, region),
                    "downstream": field(receiver, |subject| subject.name.clone()),
                    "downstream_code": field(receiver, |subject| subject.code.clone()),
                    "downstream_region": field(receiver, region),
                    "stage": event.stage, "product_name": self.product_name(object), "lot": object.lot,
                    "code": link.code, "quantity": link.quantity, "unit": object.unit,
                    "event_time": event.time, "event": event.uid, "document": event.body["documents"][0]["no"],
                    "contact_name": field(receiver, |subject| subject.contact_name.clone()),
                    "contact_phone": field(receiver, |subject| subject.contact_phone.clone()),
                }));
            }
        }
        lines
    }
}

fn flow_json(flow: &Flow) -> Value {
    json!({ "from": flow.from, "to": flow.to, "event": flow.event, "quantity": flow.quantity, "unit": flow.unit })
}

/// Composes the downstream chain of a code in the platform's own name and says how many events it
/// has: for measurements.
pub async fn chain_size(app: &yj_kernel::App, code: &str) -> Result<usize> {
    let ctx = app.on_own_behalf("bench");
    let mut tx = ctx.snapshot().await?;
    let chain = compose(&ctx, &mut tx, code, &[Direction::Downstream]).await?;
    Ok(chain["events"].as_array().map_or(0, Vec::len))
}
