//! D-6.3: the log is written to networks that others run, whatever they do meanwhile, and its
//! proofs say where (外部锚定).

mod network;

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use jiff::SignedDuration;
use serde_json::{Value, json};
use yj_anchor::{
    Chain, Plan,
    evm::{Evm, EvmKey, EvmSettings, deploy},
};
use yj_proof::{StepId, Trust, verify};

use crate::harness::{TestApp, harvest};
use network::Network;

const PATH: &str = "/api/v1/ledger/anchors";
const PLAN: Plan = Plan { confirmations: 3, every_minutes: 60, every_blocks: 0 };

/// A record on the ledger, so that it has grown.
async fn grown(app: &TestApp, code: &str) -> String {
    let subject = app.subject("示例韭菜合作社一社").await;
    let answer =
        app.post("gateway", "/api/v1/trace/events", harvest(&subject, code)).await.expect(201);
    app.anchor().await;
    String::from(answer["results"][0]["id"].as_str().unwrap())
}

/// The worker's turn, `seconds` later.
async fn turn(app: &TestApp, seconds: i64) {
    app.pass(SignedDuration::from_secs(seconds));
    app.assembled.anchoring.turn(&app.assembled.app, &app.assembled.ledger).await.unwrap();
}

async fn listed(app: &TestApp) -> Value {
    app.get("supervisor", PATH).await.expect(200)
}

async fn newest(app: &TestApp) -> Value {
    listed(app).await["items"][0].clone()
}

/// A platform that anchors on a network in memory.
async fn anchoring(plan: Plan) -> (TestApp, Network) {
    let (app, network) = (TestApp::start().await, Network::default());
    grown(&app, "ANC-1").await;
    app.assembled.anchoring.set_up(Arc::new(network.clone()), plan);
    (app, network)
}

#[tokio::test]
async fn d_6_3_an_anchor_is_asked_for_by_whoever_may_and_confirmed_when_deep_enough() {
    let app = TestApp::start().await;
    assert_eq!(listed(&app).await["configured"], false);
    let refused = app.post("sysadmin", PATH, json!({})).await.expect(409);
    assert!(refused["detail"].as_str().unwrap().contains("[anchor]"), "{refused}");
    for user in ["supervisor", "enterprise", "secadmin"] {
        assert_eq!(app.post(user, PATH, json!({})).await.status, 403, "{user}");
    }
    grown(&app, "ANC-1").await;
    let network = Network::default();
    app.assembled.anchoring.set_up(Arc::new(network.clone()), PLAN);
    let id = app.post("sysadmin", PATH, json!({})).await.expect(200)["id"].clone();
    assert_eq!(app.post("sysadmin", PATH, json!({})).await.status, 409, "one at a time");
    turn(&app, 0).await;
    let sent = newest(&app).await;
    assert_eq!((&sent["id"], &sent["state"]), (&id, &json!("sent")));
    network.now().mine(2);
    turn(&app, 10).await;
    let shallow = newest(&app).await;
    assert_eq!((&shallow["state"], &shallow["depth"]), (&json!("sent"), &json!(2)));
    network.now().mine(1);
    turn(&app, 10).await;
    let whole = listed(&app).await;
    let deep = &whole["items"][0];
    assert_eq!((&deep["state"], &deep["depth"]), (&json!("confirmed"), &json!(3)));
    let size = app.assembled.ledger.checkpoint().unwrap().unwrap().size;
    assert_eq!(
        (&deep["tree_size"], &deep["network"], &deep["block_number"], &deep["created_by"]),
        (&json!(size), &json!("eip155:20200"), &json!(1), &json!("sysadmin"))
    );
    assert_eq!((&whole["configured"], &whole["next"]), (&json!(true), &Value::Null));
    let refused = app.post("sysadmin", PATH, json!({})).await.expect(409);
    assert!(refused["detail"].as_str().unwrap().contains("已经锚定"), "{refused}");
    let audited = app
        .count(
            "SELECT COUNT(*) FROM audit_log WHERE entity = 'ledger_anchor' AND actor = 'sysadmin'",
        )
        .await;
    assert_eq!(audited, 1);
}

#[tokio::test]
async fn d_6_3_anchors_are_made_at_their_time_and_only_of_what_has_grown() {
    let (app, network) = anchoring(Plan { every_minutes: 5, every_blocks: 2, ..PLAN }).await;
    let count = async || app.count("SELECT COUNT(*) FROM ledger_anchor").await;
    turn(&app, 0).await;
    network.now().mine(3);
    turn(&app, 10).await;
    assert_eq!(newest(&app).await["state"], "confirmed");
    turn(&app, 400).await;
    assert_eq!(count().await, 1, "nothing has grown");
    grown(&app, "ANC-2").await;
    turn(&app, 1).await;
    assert_eq!(count().await, 2, "five minutes have passed");
    network.now().mine(3);
    turn(&app, 10).await;
    grown(&app, "ANC-3").await;
    turn(&app, 10).await;
    assert_eq!(count().await, 2, "neither five minutes nor two blocks");
    grown(&app, "ANC-4").await;
    turn(&app, 10).await;
    assert_eq!(count().await, 3, "two blocks");
}

#[tokio::test]
async fn d_6_3_while_the_network_is_down_pauses_grow_and_business_goes_on() {
    let (app, network) = anchoring(PLAN).await;
    network.now().down = true;
    turn(&app, 0).await;
    let waiting = newest(&app).await;
    assert_eq!(waiting["state"], "waiting");
    assert!(waiting["last_error"].as_str().unwrap().contains("没有应答"), "{waiting}");
    // Nobody waits for it.
    let id = grown(&app, "ANC-2").await;
    let read = app.get("supervisor", &format!("/api/v1/trace/events/{id}")).await.expect(200);
    assert_eq!(read["anchor"], "confirmed");
    let mut pauses = Vec::new();
    for _ in 0..12 {
        let next = app.count("SELECT next_at FROM ledger_anchor WHERE state = 'waiting'").await;
        let pause = next - app.now().as_millisecond();
        pauses.push(pause / 1_000);
        turn(&app, pause / 1_000 + 1).await;
    }
    assert_eq!(pauses[..4], [15, 30, 60, 120]);
    assert_eq!(pauses.last(), Some(&3_600), "no longer than an hour");
    assert_eq!(app.count("SELECT COUNT(*) FROM ledger_anchor").await, 1);
    network.now().down = false;
    turn(&app, 3_601).await;
    network.now().mine(3);
    turn(&app, 10).await;
    let done =
        "SELECT COUNT(*) FROM ledger_anchor WHERE state = 'confirmed' AND last_error IS NULL";
    assert_eq!(app.count(done).await, 1);
}

#[tokio::test]
async fn d_6_3_on_the_wrong_chain_nothing_is_sent_and_the_page_says_why() {
    let (app, network) = anchoring(PLAN).await;
    network.now().wrong = true;
    for _ in 0..3 {
        turn(&app, 100).await;
    }
    let stopped = newest(&app).await;
    assert_eq!(stopped["state"], "waiting");
    let said = stopped["last_error"].as_str().unwrap();
    assert!(said.contains("节点属于链 1") && said.contains("20200"), "{said}");
    assert_eq!((network.now().sent, &stopped["tx"]), (0, &Value::Null));
}

#[tokio::test]
async fn d_6_3_what_networks_lose_is_sent_again_and_stands_once() {
    let (app, network) = anchoring(PLAN).await;
    let subject = app.get("supervisor", "/api/v1/trace/events").await.expect(200);
    let id = String::from(subject["items"][0]["id"].as_str().unwrap());
    let (_, origin) = app.assembled.ledger.genesis();
    let stands = async || {
        let path = format!("/api/v1/trace/events/{id}/proof");
        let proof = app.get("supervisor", &path).await.bytes;
        let verdict = verify(&proof, &Trust::in_chain(origin));
        assert!(verdict.ok, "{verdict:?}");
        verdict.facts.unwrap().anchors
    };
    turn(&app, 0).await;
    let first = newest(&app).await["tx"].clone();
    // Dropped.
    network.now().waiting.clear();
    turn(&app, 10).await;
    let again = newest(&app).await;
    assert_eq!((&again["state"], &again["tx"]), (&json!("sent"), &first), "the very same");
    assert!(again["last_error"].as_str().unwrap().contains("重新发送"));
    assert_eq!(network.now().sent, 2);
    // Waiting too long: the same place at a better price.
    turn(&app, 700).await;
    let dearer = newest(&app).await;
    assert_ne!(dearer["tx"], first);
    assert_eq!(dearer["nonce"], again["nonce"]);
    // Replaced by what we did not send.
    network.now().replace();
    turn(&app, 10).await;
    assert!(newest(&app).await["last_error"].as_str().unwrap().contains("交易序号"));
    turn(&app, 10).await;
    let anew = newest(&app).await;
    assert_eq!((&anew["state"], &anew["nonce"]), (&json!("sent"), &json!(1)));
    // Taken up and forgotten again, before it was deep enough.
    network.now().mine(2);
    turn(&app, 10).await;
    assert_eq!(newest(&app).await["depth"], 2);
    network.now().reorganise(2);
    turn(&app, 10).await;
    assert!(newest(&app).await["last_error"].as_str().unwrap().contains("区块重组"));
    network.now().mine(3);
    turn(&app, 10).await;
    assert_eq!(newest(&app).await["state"], "confirmed");
    let stated = stands().await;
    assert_eq!(stated.len(), 1);
    // And once more after it was: no proof says any longer that it stands there.
    network.now().reorganise(3);
    turn(&app, 120).await;
    assert_eq!(stands().await, Vec::new());
    let back = newest(&app).await;
    assert_eq!((&back["state"], &back["confirmed_at"]), (&json!("sent"), &Value::Null));
    turn(&app, 10).await;
    network.now().mine(3);
    turn(&app, 10).await;
    let done = newest(&app).await;
    assert_eq!((&done["state"], &done["last_error"]), (&json!("confirmed"), &Value::Null));
    assert_eq!(app.count("SELECT COUNT(*) FROM ledger_anchor").await, 1);
    let again = stands().await;
    assert_eq!(again.len(), 1, "it stands once");
    assert_eq!(json!(again[0].transaction), done["tx"]);
}

#[tokio::test]
async fn d_6_3_another_root_outside_is_an_alarm() {
    let (app, network) = anchoring(PLAN).await;
    let size = app.assembled.ledger.checkpoint().unwrap().unwrap().size;
    network.now().roots.insert(size, [9; 32]);
    turn(&app, 0).await;
    let failed = newest(&app).await;
    assert_eq!(failed["state"], "failed");
    assert!(failed["last_error"].as_str().unwrap().contains("与本链不同"), "{failed}");
    assert_eq!(network.now().sent, 0);
    let alarms = app.get("secadmin", "/api/v1/alarms").await.expect(200);
    let raised = |one: &&Value| one["kind"] == "anchor_failed" && one["subject"] == "eip155:20200";
    assert_eq!(alarms["items"].as_array().unwrap().iter().filter(raised).count(), 1);
    let audited =
        "SELECT COUNT(*) FROM audit_log WHERE entity = 'ledger_anchor' AND action = 'changed'";
    assert_eq!(app.count(audited).await, 1);
}

/// anvil, which ends with the test.
struct Node(Child, String);

impl Node {
    fn start() -> Option<Self> {
        let program = std::env::var("YJ_TEST_ANVIL").ok()?;
        let mut process = Command::new(program)
            .args(["--host", "127.0.0.1", "--accounts", "1", "--port", "0"])
            .args(["--gas-price", "0", "--base-fee", "0", "--disable-min-priority-fee"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .take(200)
            .map(Result::unwrap)
            .find_map(|line| Some(String::from(line.split_once("Listening on ")?.1.trim())));
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self(process, format!("http://{}", address.unwrap())))
    }

    fn mine(&self, count: u64) {
        let params = json!([format!("{count:#x}")]);
        let question =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "anvil_mine", "params": params });
        ureq::post(&self.1).send_json(&question).unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It has ended already, or ends now.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The whole way, on a real network: whoever wants it run says where anvil is; the check of the
/// whole project does.
#[tokio::test]
async fn d_6_3_a_proof_says_where_its_log_stands_outside_and_a_stranger_finds_it_there() {
    let Some(node) = Node::start() else { return };
    let app = TestApp::start().await;
    let id = grown(&app, "ANC-1").await;
    let key = || EvmKey::open(&app.folder.path().join("anchor.key"), &|| 7).unwrap();
    let settings =
        EvmSettings { url: node.1.clone(), chain_id: 31_337, contract: None, gas_price_max: 0 };
    let (_, origin) = app.assembled.ledger.genesis();
    let contract = deploy(Arc::new(Evm::new(settings.clone(), key())), origin).await.unwrap();
    let evm = Evm::new(EvmSettings { contract: Some(contract), ..settings }, key());
    let proof = async || {
        let path = format!("/api/v1/trace/events/{id}/proof");
        app.get("supervisor", &path).await.bytes
    };
    let trust = Trust::in_chain(origin);
    let before = verify(&proof().await, &trust);
    assert!(before.ok && before.facts.unwrap().anchors.is_empty(), "not anchored yet");
    app.assembled.anchoring.set_up(Arc::new(evm) as Arc<dyn Chain>, PLAN);
    turn(&app, 0).await;
    node.mine(3);
    turn(&app, 10).await;
    let anchored = newest(&app).await;
    assert_eq!(anchored["state"], "confirmed", "{anchored}");
    let bytes = proof().await;
    let verdict = verify(&bytes, &trust);
    assert!(verdict.ok, "{verdict:?}");
    let fact = &verdict.facts.as_ref().unwrap().anchors[0];
    assert_eq!(fact.network, "eip155:31337");
    assert_eq!(json!(fact.transaction), anchored["tx"]);
    // A later record is not covered by it; the next anchor covers both.
    grown(&app, "ANC-2").await;
    assert!(verify(&proof().await, &trust).ok);
    // A stranger with the file and any node.
    let file = app.folder.path().join("one.yjproof");
    std::fs::write(&file, &bytes).unwrap();
    let check =
        async |file: &std::path::Path| yj_server::anchoring::check(file, node.1.clone()).await;
    assert_eq!(check(&file).await, Ok(true));
    // What the platform states and what the network says must be the same: another network.
    drop(node);
    let other = Node::start().unwrap();
    assert_eq!(yj_server::anchoring::check(&file, other.1.clone()).await, Ok(false));
    // And a statement somebody edited is no statement.
    let text = String::from_utf8(bytes).unwrap();
    let (from, to) = (hex("eip155:31337"), hex("eip155:31338"));
    let edited = text.replacen(&from, &to, 1);
    assert_ne!(edited, text);
    assert_eq!(verify(edited.as_bytes(), &trust).failed(), Some(StepId::Anchor));
}

fn hex(text: &str) -> String {
    yj_crypto::to_hex(text.as_bytes())
}
