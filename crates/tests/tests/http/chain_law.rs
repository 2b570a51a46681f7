//! G-6.5.4, D-7.3.3: whatever the events are, a chain has those that its definition says, in the order in
//! which they follow from each other, with the units and shares that come of it. The expected chain is
//! worked out here from the events alone, in the plainest way.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    capturing::capture,
    chain_cases::{ids, objects},
    chain_walk::Walk,
    harness::TestApp,
};

/// Numbers that look like chance and are the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

/// An event as it was sent, once it counts.
#[derive(Clone)]
pub struct Fact {
    id: String,
    pub time: usize,
    by: usize,
    /// As it can be sent again.
    sent: Value,
    pub inputs: BTreeMap<String, i64>,
    pub outputs: BTreeMap<String, i64>,
    observed: BTreeSet<String>,
}

impl Fact {
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it puts out that did not go into it, and was not taken out of a package.
    pub fn makes(&self, unit: &str) -> bool {
        let new = self.outputs.contains_key(unit) && !self.inputs.contains_key(unit);
        new && self.opened().is_none()
    }

    /// The package that it takes things out of.
    pub fn opened(&self) -> Option<&String> {
        self.inputs.keys().next().filter(|_| self.sent["type"] == "disaggregate")
    }

    /// Whether it puts things into a package.
    pub fn packs(&self) -> bool {
        self.sent["type"] == "aggregate"
    }
}

/// Hours of one day: most events share one with others.
const HOURS: usize = 3;

/// What waits for a reviewer.
struct Waiting {
    fact: Fact,
    /// The event in whose place it would stand.
    of: Option<String>,
}

pub struct World {
    pub facts: Vec<Fact>,
    waiting: Vec<Waiting>,
    /// How often each kind of thing came about, so that nothing is left out unnoticed.
    tally: BTreeMap<&'static str, usize>,
    chance: Chance,
    prefix: usize,
    made: usize,
    people: [Value; 2],
}

impl World {
    /// The events in the order of time, one a line.
    fn told(&self) -> String {
        let mut facts: Vec<&Fact> = self.facts.iter().collect();
        facts.sort_by_key(|fact| fact.time);
        let line = |fact: &Fact| {
            let Fact { time, sent, inputs, outputs, .. } = fact;
            format!("{time} {} {inputs:?} → {outputs:?}\n", sent["type"])
        };
        facts.into_iter().map(line).collect()
    }

    fn code(&mut self) -> String {
        self.made += 1;
        format!("LAW-{}-{}", self.prefix, self.made)
    }

    fn left(&self) -> Vec<(String, i64)> {
        let mut left: BTreeMap<String, i64> = BTreeMap::new();
        for fact in &self.facts {
            for (code, quantity) in &fact.inputs {
                *left.entry(code.clone()).or_default() -= quantity;
            }
            for (code, quantity) in fact.outputs.iter().filter(|_| fact.sent["type"] != "retail") {
                *left.entry(code.clone()).or_default() += quantity;
            }
        }
        left.into_iter().filter(|(_, quantity)| *quantity > 0).collect()
    }

    /// An event of a kind, which may be refused.
    fn dream(&mut self) -> Fact {
        let by = self.chance.below(2);
        let mut fact = Fact {
            id: String::new(),
            time: self.chance.below(HOURS),
            by,
            sent: json!({}),
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            observed: BTreeSet::new(),
        };
        let left = self.left();
        let (mut packs, mut unpacks, mut part) = (false, false, false);
        let full = self.full();
        let opens = !full.is_empty() && self.chance.below(3) == 0;
        let harvested = json!({ "plot": "示例地块", "area_mu": "5", "variety": "示例品种", "sown_on": "2026-08-01" });
        let (kind, attributes) = match self.chance.below(17) {
            _ if left.is_empty() => ("harvest", harvested),
            0 | 1 => ("harvest", harvested),
            2 => {
                let verdict = if self.chance.below(4) == 0 { "pass" } else { "undetermined" };
                fact.observed.insert(left[self.chance.below(left.len())].0.clone());
                let no = format!("示例-{}-{}", self.prefix, self.facts.len());
                ("test", json!({ "report_no": no, "item": "腐霉利", "verdict": verdict }))
            }
            3 | 4 => ("wholesale", json!({})),
            5 => ("retail", json!({})),
            6 => {
                let no = format!("示例-{}-{}", self.prefix, self.facts.len());
                let method = json!({ "cause": "damaged", "method": "destroy", "document_no": no });
                ("dispose", method)
            }
            _ if opens => ("disaggregate", json!({})),
            14..=16 => {
                (packs, part) = (true, self.chance.below(2) == 0);
                ("aggregate", json!({}))
            }
            7 | 8 => {
                packs = true;
                ("processing", json!({}))
            }
            9 | 10 => {
                unpacks = true;
                ("processing", json!({}))
            }
            _ => ("processing", json!({})),
        };
        match kind {
            "harvest" => {
                let code = self.code();
                fact.outputs.insert(code, 100);
            }
            "test" => {}
            "disaggregate" => {
                // Of what is in a package one thing or several, or all without naming any; what becomes of
                // the package the platform says.
                let (package, inside) = &full[self.chance.below(full.len())];
                // Of packages that are many part may be opened.
                let there =
                    left.iter().find(|(code, _)| code == package).map(|(_, most)| (most + 1) / 2);
                let part = there.filter(|_| self.chance.below(3) == 0).unwrap_or(0);
                fact.inputs.insert(package.clone(), part);
                let named = self.chance.below(inside.len() + 1);
                for (code, most) in inside.iter().take(named) {
                    let half = self.chance.below(3) == 0;
                    fact.outputs.insert(code.clone(), if half { (*most + 1) / 2 } else { *most });
                }
            }
            // Several whole lots into one new one, and a whole one into several.
            _ if packs => {
                for (code, most) in left.iter().take(2 + self.chance.below(3)) {
                    fact.inputs.insert(code.clone(), if part { (*most + 1) / 2 } else { *most });
                }
                let (code, total) = (self.code(), fact.inputs.values().sum());
                fact.outputs.insert(code, total);
            }
            _ if unpacks => {
                let (code, total) = left[self.chance.below(left.len())].clone();
                fact.inputs.insert(code, total);
                let parts = (2 + self.chance.below(3)).min(usize::try_from(total).unwrap());
                let each = total / i64::try_from(parts).unwrap();
                for at in 0..parts {
                    let rest =
                        if at == 0 { total - each * i64::try_from(parts).unwrap() } else { 0 };
                    let code = self.code();
                    fact.outputs.insert(code, each + rest);
                }
            }
            _ => {
                for _ in 0..=self.chance.below(3) {
                    let (code, most) = &left[self.chance.below(left.len())];
                    let part = if self.chance.below(2) == 0 { *most } else { (*most + 1) / 2 };
                    fact.inputs.insert(code.clone(), part);
                }
                let total: i64 = fact.inputs.values().sum();
                if kind == "dispose" {
                    // Nothing comes of it.
                } else if kind == "processing" {
                    // A new lot or two, into one of which what went in may go on.
                    let goes_on = self.chance.below(3) == 0;
                    let first = fact.inputs.keys().next().cloned().filter(|_| goes_on);
                    let first = first.unwrap_or_else(|| self.code());
                    let second = (total / 3).max(1);
                    if total > second && self.chance.below(2) == 0 {
                        let code = self.code();
                        fact.outputs.insert(code, second);
                        fact.outputs.insert(first, total - second);
                    } else {
                        fact.outputs.insert(first, total);
                    }
                } else {
                    // Sent on, or sold, under the same codes.
                    fact.outputs = fact.inputs.clone();
                }
            }
        }
        let line = |(code, quantity): (&String, &i64)| json!({ "code": code, "quantity": quantity.to_string(), "unit": "KGM" });
        let mut inputs: Vec<Value> = fact.inputs.iter().map(line).collect();
        if kind == "disaggregate" {
            inputs.retain(|input| input["quantity"] != "0");
            let whole = fact.inputs.iter().filter(|(_, part)| **part == 0);
            inputs.extend(whole.map(|(code, _)| json!({ "code": code })));
        }
        inputs.extend(fact.observed.iter().map(|code| json!({ "code": code })));
        let mut sent = json!({
            "domain": "agri", "type": kind, "subject": self.people[by]["code"],
            "event_time": time(fact.time), "inputs": inputs,
            "outputs": fact.outputs.iter().map(line).collect::<Vec<_>>(), "attributes": attributes,
        });
        for output in sent["outputs"].as_array_mut().unwrap() {
            output["product"] = json!("YJ-JC-01");
        }
        if !["test", "retail", "dispose", "disaggregate"].contains(&kind) {
            sent["counterparty"] = self.people[1 - by]["code"].clone();
        }
        fact.sent = sent;
        fact
    }

    /// What is sent, and the event that it corrects.
    fn next(&mut self) -> (Fact, Option<String>) {
        let again = self.facts.len() > 4 && self.chance.below(6) == 0;
        if !again {
            return (self.dream(), None);
        }
        let mut fact = self.facts[self.chance.below(self.facts.len())].clone();
        fact.time = self.chance.below(HOURS);
        fact.sent["event_time"] = json!(time(fact.time));
        fact.sent["correction_of"] = json!(fact.id);
        fact.sent["correction_reason"] = json!("示例：时间有误");
        let of = fact.id.clone();
        (fact, Some(of))
    }

    async fn go(&mut self, app: &TestApp) {
        if !self.waiting.is_empty() && self.chance.below(3) == 0 {
            return self.decide(app).await;
        }
        if self.facts.len() > 4 && self.chance.below(12) == 0 {
            return self.withdraw(app).await;
        }
        let (mut fact, of) = self.next();
        // What the first types in by hand waits for a reviewer; what comes by an interface does not.
        let typed = fact.by == 0 && self.chance.below(3) == 0;
        let by = if typed { "farm" } else { "gateway" };
        let answer = app.post(by, "/api/v1/trace/events", fact.sent.clone()).await;
        let result = &answer.body["results"][0];
        if answer.status != 201 || result["duplicate"] == true {
            return;
        }
        fact.id = String::from(result["id"].as_str().unwrap());
        for name in ["correction_of", "correction_reason"] {
            fact.sent.as_object_mut().unwrap().remove(name);
        }
        match result["state"].as_str() {
            Some("accepted") => {
                complete(app, &mut fact).await;
                self.counts(fact, of);
            }
            _ => self.waiting.push(Waiting { fact, of }),
        }
    }

    fn counts(&mut self, fact: Fact, of: Option<String>) {
        let kind = match (of.is_some(), fact.inputs.len(), fact.outputs.len()) {
            _ if fact.packs() => "aggregated",
            _ if fact.opened().is_some_and(|package| fact.outputs.contains_key(package)) => {
                "in part"
            }
            _ if fact.opened().is_some() => "disaggregated",
            (true, ..) => "corrected",
            (false, 2.., 1) => "packed",
            (false, 1, 2..) => "unpacked",
            (false, 1.., 0) => "disposed",
            _ => "other",
        };
        *self.tally.entry(kind).or_default() += 1;
        self.facts.retain(|one| Some(&one.id) != of.as_ref());
        self.facts.push(fact);
    }

    /// A reviewer takes something that waits, or does not; it may be too late for it.
    async fn decide(&mut self, app: &TestApp) {
        let Waiting { mut fact, of } = self.waiting.remove(self.chance.below(self.waiting.len()));
        let verb = if self.chance.below(2) == 0 { "approve" } else { "reject" };
        let path = format!("/api/v1/trace/events/{}/{verb}", fact.id);
        let answer = app.post("reviewer", &path, json!({ "comment": "示例" })).await;
        let state = app.get("supervisor", &format!("/api/v1/trace/events/{}", fact.id)).await;
        if answer.status == 200 && state.body["state"] == "accepted" {
            *self.tally.entry("approved").or_default() += 1;
            complete(app, &mut fact).await;
            self.counts(fact, of);
        } else if answer.status == 200 && state.body["state"] == "rejected" {
            *self.tally.entry("rejected").or_default() += 1;
        } else {
            *self.tally.entry("too late").or_default() += 1;
        }
    }

    /// An event is said not to have been; nothing may have come of it.
    async fn withdraw(&mut self, app: &TestApp) {
        let fact = self.facts[self.chance.below(self.facts.len())].clone();
        let sent = json!({
            "domain": "agri", "type": fact.sent["type"], "subject": fact.sent["subject"],
            "event_time": fact.sent["event_time"], "correction_of": fact.id,
            "correction_reason": "示例：没有发生", "withdraws": true,
        });
        let answer = capture(app, sent).await;
        if answer.status == 201 && answer.body["results"][0]["state"] == "accepted" {
            *self.tally.entry("withdrawn").or_default() += 1;
            self.facts.retain(|one| one.id != fact.id);
        }
    }

    /// What was put out of a unit beyond what had gone in, and what is left.
    fn produced(&self, code: &str) -> i64 {
        let made = |fact: &&Fact| fact.opened().is_none_or(|package| package == code);
        let of = |fact: &Fact| {
            let (input, output) = (fact.inputs.get(code), fact.outputs.get(code));
            let output = output.copied().unwrap_or(0);
            output - input.copied().unwrap_or(0).min(output)
        };
        self.facts.iter().filter(made).map(of).sum()
    }
}

/// What of an event that opens a package the platform has filled in.
async fn complete(app: &TestApp, fact: &mut Fact) {
    if fact.sent["type"] == "disaggregate" {
        let event = app.get("supervisor", &format!("/api/v1/trace/events/{}", fact.id)).await;
        fact.inputs = lines(&event.body["inputs"]);
        fact.outputs = lines(&event.body["outputs"]);
    }
}

fn time(hour: usize) -> String {
    format!("2026-11-1{hour}T08:00:00+08:00")
}

fn texts(list: &Value, name: &str) -> BTreeSet<String> {
    let list = list.as_array().unwrap().iter();
    list.map(|one| String::from(one[name].as_str().unwrap())).collect()
}

fn lines(lines: &Value) -> BTreeMap<String, i64> {
    let line = |line: &Value| {
        let quantity = line["quantity"].as_str().unwrap().parse().unwrap();
        (String::from(line["code"].as_str().unwrap()), quantity)
    };
    lines.as_array().unwrap().iter().map(line).collect()
}

pub async fn chain(app: &TestApp, user: &str, code: &str, direction: &str) -> Value {
    let path = format!("/api/v1/trace/chain?code={code}&direction={direction}");
    app.get(user, &path).await.expect(200)
}

/// Compares a chain with what it should be.
fn judge(world: &World, root: &str, (direction, chain): (&str, &Value)) {
    let facts = &world.facts;
    let (up, down) = (direction != "downstream", direction != "upstream");
    let walked = |wanted, walk: fn(&World, &str) -> Walk| {
        if wanted { walk(world, root) } else { Walk::default() }
    };
    let Walk { events: before, units: sources } = walked(up, World::upstream);
    let Walk { events: after, units: results } = walked(down, World::downstream);
    let steps: BTreeSet<usize> = before.union(&after).copied().collect();
    let place = |id: &String| facts.iter().position(|fact| fact.id == *id).unwrap();
    let told: Vec<usize> = ids(chain, false).iter().map(place).collect();
    assert_eq!(
        told.iter().copied().collect::<BTreeSet<_>>(),
        steps,
        "{root} {direction}\n{}",
        world.told()
    );
    assert_eq!(told.len(), steps.len(), "each event once");
    for (at, one) in told.iter().enumerate() {
        let (earlier, event) = (&facts[*one], &chain["events"][at]);
        assert_eq!(lines(&event["inputs"]), earlier.inputs, "{root} {direction}");
        assert_eq!(lines(&event["outputs"]), earlier.outputs, "{root} {direction}");
        for other in &told[at + 1..] {
            let later = &facts[*other];
            assert!(earlier.time <= later.time, "{root} {direction}: the order of time");
            let wrong = earlier.time == later.time
                && earlier.inputs.keys().any(|code| later.makes(code))
                && !world.follows(*one, *other, &steps);
            assert!(!wrong, "{root} {direction}: what makes comes before what takes");
        }
    }
    let mut roles: BTreeMap<&str, &str> = BTreeMap::new();
    for at in &steps {
        let fact = &facts[*at];
        for code in fact.inputs.keys().chain(fact.outputs.keys()) {
            roles.entry(code).or_insert("beside");
        }
    }
    roles.extend(results.iter().map(|code| (code.as_str(), "downstream")));
    roles.extend(sources.iter().map(|code| (code.as_str(), "upstream")));
    roles.insert(root, "root");
    let objects = chain["objects"].as_array().unwrap().iter();
    let objects: Vec<&Value> = objects.chain(chain["beside"].as_array().unwrap()).collect();
    let told: BTreeMap<&str, &str> = objects
        .iter()
        .map(|one| (one["code"].as_str().unwrap(), one["role"].as_str().unwrap()))
        .collect();
    assert_eq!(told, roles, "{root} {direction}\n{}", world.told());
    let left: BTreeMap<String, i64> = world.left().into_iter().collect();
    let (mut freeze, concerned) = (0, world.recalled(root));
    for object in &objects {
        let code = object["code"].as_str().unwrap();
        assert_eq!(object["produced"], world.produced(code).to_string(), "{code}");
        let left = left.get(code).copied().unwrap_or(0);
        assert_eq!(object["held"], left.to_string(), "{code}");
        // A package that it was taken out of has nothing of it.
        if matches!(told[code], "root" | "downstream") && concerned.contains(code) {
            freeze += left;
        }
    }
    assert_eq!(
        chain["freeze"]["total"],
        freeze.to_string(),
        "{root} {direction}\n{}",
        world.told()
    );
    assert_eq!(chain["summary"]["events"], steps.len());
    let looked_at = |fact: &&Fact| {
        fact.observed
            .iter()
            .any(|code| roles.get(code.as_str()).is_some_and(|role| *role != "beside"))
    };
    let observations: BTreeSet<String> =
        facts.iter().filter(looked_at).map(|fact| fact.id.clone()).collect();
    assert_eq!(ids(chain, true).into_iter().collect::<BTreeSet<_>>(), observations);
    assert_eq!(chain["truncated"], false);
}

fn share(chain: &Value, code: &str) -> Option<f64> {
    let objects = chain["objects"].as_array().unwrap();
    let object = objects.iter().find(|object| object["code"] == code)?;
    object["share"].as_str().map(|share| share.parse().unwrap())
}

#[tokio::test]
async fn g_6_5_4_a_chain_is_what_its_definition_says_whatever_the_events_are() {
    let app = TestApp::start().await;
    let people = [app.subject("示例韭菜合作社一社").await, app.subject("示例韭菜合作社二社").await];
    let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..SEEDS {
        let mut world = World {
            facts: Vec::new(),
            waiting: Vec::new(),
            tally: BTreeMap::new(),
            chance: Chance(seed),
            prefix: usize::try_from(seed).unwrap(),
            made: 0,
            people: people.clone(),
        };
        for _ in 0..EVENTS {
            world.go(&app).await;
        }
        for (kind, count) in &world.tally {
            *tally.entry(*kind).or_insert(0) += count;
        }
        let codes: BTreeSet<String> =
            world.facts.iter().flat_map(|fact| fact.outputs.keys().cloned()).collect();
        let mut downstream = BTreeMap::new();
        let mut upstream = BTreeMap::new();
        for code in &codes {
            let down = chain(&app, "supervisor", code, "downstream").await;
            judge(&world, code, ("downstream", &down));
            let up = chain(&app, "supervisor", code, "upstream").await;
            judge(&world, code, ("upstream", &up));
            let path =
                format!("/api/v1/trace/objects/{code}/orders/preview?act=recall&downstream=true");
            let recall = app.get("supervisor", &path).await.expect(200);
            assert_eq!(recall["units"], world.recalled(code).len(), "{code}\n{}", world.told());
            let both = chain(&app, "supervisor", code, "both").await;
            let known = |chain: &Value| ids(chain, false).into_iter().collect::<BTreeSet<_>>();
            assert_eq!(known(&both), known(&down).union(&known(&up)).cloned().collect());
            // The public is shown the same events.
            let json = [("accept", "application/json")];
            let page = app.send("GET", &format!("/t/{code}"), None, &json, None).await.expect(200);
            let told: BTreeSet<String> = texts(&up["events"], "id");
            assert_eq!(texts(&page["steps"], "id"), told, "{code}");
            // Whoever sees only what is theirs sees their own steps of it.
            let own = app.get("farm", &format!("/api/v1/trace/chain?code={code}")).await;
            let mine: BTreeSet<String> = known(&both)
                .into_iter()
                .filter(|id| world.facts.iter().any(|fact| fact.id == *id && fact.by == 0))
                .collect();
            if own.status == 200 {
                assert_eq!(known(&own.body), mine, "{code}");
            } else {
                assert!(own.status == 404 && mine.is_empty(), "{code} {}", own.body);
            }
            downstream.insert(code, down);
            upstream.insert(code, up);
        }
        // As much of one comes from the other as of the other goes into the one, where no lot was filled
        // up with what had been made of it, and none before it was made.
        let opened = world.facts.iter().any(|fact| fact.opened().is_some());
        if opened || world.has_circle() || world.grew_before_made() {
            continue;
        }
        for (from, down) in &downstream {
            for (to, up) in upstream.iter().filter(|(to, _)| to != &from) {
                let (there, back) = (share(down, to), share(up, from));
                let near = match (there, back) {
                    (Some(there), Some(back)) => (there - back).abs() < 0.000_01,
                    (there, back) => there.unwrap_or(0.0) == 0.0 && back.unwrap_or(0.0) == 0.0,
                };
                assert!(
                    near,
                    "seed {seed}: {from} to {to}: {there:?} and {back:?}\n{}{:?}\n{:?}",
                    world.told(),
                    flow(down),
                    objects(down),
                );
                assert!(there.unwrap_or(0.0) <= 1.000_001, "{from} to {to}: {there:?}");
            }
        }
    }
    for kind in [
        "packed",
        "unpacked",
        "aggregated",
        "disaggregated",
        "in part",
        "disposed",
        "corrected",
        "approved",
        "rejected",
        "withdrawn",
    ] {
        assert!(tally.contains_key(kind), "{kind}: {tally:?}");
    }
}

const SEEDS: u64 = 12;
const EVENTS: usize = 40;

/// What went into each event of a chain and came out of it, in its order.
fn flow(chain: &Value) -> Vec<String> {
    let events = chain["events"].as_array().unwrap().iter();
    events
        .filter(|event| event["observes"] == false)
        .map(|event| format!("{:?} → {:?}", lines(&event["inputs"]), lines(&event["outputs"])))
        .collect()
}
