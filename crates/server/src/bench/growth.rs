//! Whether what people ask costs the same when ten times as many events lie beside the answer.
//!
//! The first tenth is captured like any other; the rest are copies of it made by the engine, with
//! codes and identifiers of their own, and no place on the ledger. They are ballast: what is asked
//! for is the first tenth, what is listed is all.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use yj_kernel::{Dialect, Sql, Tx};
use yj_server::{Assembled, demo};

use super::{client::Client, harvest, line, rate, store, subject};
use crate::commands::say;

/// Copies of everything.
const COPIES: i64 = 9;
/// Distance of the identifiers of one copy from those of the next.
const APART: i64 = 1 << 36;
/// How often each thing is asked, every time for another value; before it counts, a tenth as often.
const EACH: usize = 60;

pub(super) async fn run(
    (assembled, folder): (&Assembled, &Path),
    events: usize,
) -> Result<(), String> {
    let copies = usize::try_from(COPIES).map_err(|error| error.to_string())?;
    let grown = kept(assembled).await?;
    if grown > events * copies {
        // What an earlier run left: it is asked once more.
        let client = Client::log_in(assembled, folder).await?;
        let questions = questions(&client, grown / (copies + 1)).await?;
        println!("库中已有 {grown} 条事件；每项各问 {EACH} 次，p50 / p95");
        return ask(assembled, &client, &questions, grown).await.map(|asked| told(&asked, "—"));
    }
    let begun = Instant::now();
    let stored = demo::load_background(assembled, events).await.map_err(say)?;
    line("装入", &rate(stored, begun.elapsed()), "—");
    assembled.app.db().learn().await.map_err(say)?;
    let client = Client::log_in(assembled, folder).await?;
    let questions = questions(&client, stored).await?;
    let before = ask(assembled, &client, &questions, 0).await?;
    println!("{stored} 条事件；每项各问 {EACH} 次，p50 / p95");
    told(&before, "—");
    let begun = Instant::now();
    for copy in 1..=COPIES {
        let mut tx = assembled.app.db().begin().await.map_err(say)?;
        multiply(&mut tx, copy).await.map_err(say)?;
        tx.commit().await.map_err(say)?;
    }
    line("由引擎复制", &rate(stored * copies, begun.elapsed()), "—");
    assembled.app.db().learn().await.map_err(say)?;
    // That took longer than a session lasts without use.
    let client = Client::log_in(assembled, folder).await?;
    let after = ask(assembled, &client, &questions, stored).await?;
    println!("事件由 {stored} 条增至 {} 条；每项各问 {EACH} 次，p50 / p95", stored * (copies + 1));
    let mut over = 0;
    for ((name, before), (_, after)) in before.iter().zip(&after) {
        let ratio = after.0.as_secs_f64() / before.0.as_secs_f64();
        over += usize::from(ratio > 2.0);
        let figure = format!(
            "{:.1?} / {:.1?} → {:.1?} / {:.1?}，{ratio:.2} 倍",
            before.0, before.1, after.0, after.1
        );
        line(name, &figure, if ratio > 2.0 { "≤ 2 倍，超出" } else { "≤ 2 倍" });
    }
    line("超出预算的项", &over.to_string(), "0");
    Ok(())
}

fn told(asked: &[(&'static str, Spread)], budget: &str) {
    for (name, (middle, edge)) in asked {
        line(name, &format!("{middle:.1?} / {edge:.1?}"), budget);
    }
}

/// Events in the database.
async fn kept(assembled: &Assembled) -> Result<usize, String> {
    let mut tx = assembled.app.db().snapshot().await.map_err(say)?;
    let row = tx.fetch_one(Sql::new("SELECT COUNT(*) FROM trace_event")).await.map_err(say)?;
    usize::try_from(row.map_or(Ok(0), |row| row.int(0)).map_err(say)?)
        .map_err(|error| error.to_string())
}

/// Something that is asked: its name, and the paths that are fetched in turn.
type Question = (&'static str, Vec<String>);

async fn questions(client: &Client, stored: usize) -> Result<Vec<Question>, String> {
    /// Of so many chains of the background in turn, the first are of crops.
    const TURN: usize = 16;
    let (events, lots) = ("/api/v1/trace/events?per_page=20", "/api/v1/trace/events?per_page=5");
    let chains = (stored / 7 / TURN).max(1);
    let codes: Vec<_> =
        (0..EACH).map(|nth| format!("B{:07}-E", nth * 7_919 % chains * TURN)).collect();
    let mut answers = Vec::new();
    for code in &codes {
        let answer = client.get(&format!("{events}&code={code}")).await?;
        let answer: serde_json::Value =
            serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
        let one = answer["items"].get(0).ok_or_else(|| format!("没有 {code} 的事件"))?;
        answers.push(one.clone());
    }
    let each = |write: &dyn Fn(&str, &serde_json::Value) -> String| {
        codes.iter().zip(&answers).map(|(code, one)| write(code, one)).collect::<Vec<_>>()
    };
    let text = |one: &serde_json::Value, place: &str| {
        one.pointer(place).and_then(serde_json::Value::as_str).map(String::from)
    };
    // A search without its condition would be measured as if it had one.
    let places = ["/id", "/stage", "/product/id", "/region", "/subject/id", "/lot"];
    if let Some(place) =
        places.iter().find(|place| answers.iter().any(|one| text(one, place).is_none()))
    {
        return Err(format!("答复中没有 {place}"));
    }
    let text = |one: &serde_json::Value, place: &str| text(one, place).unwrap_or_default();
    let by = |name: &'static str, place: &'static str| {
        each(&|_, one| format!("{events}&{name}={}", text(one, place)))
    };
    Ok(vec![
        ("公众追溯页", each(&|code, _| format!("/t/{code}"))),
        ("读取一个事件", each(&|_, one| format!("/api/v1/trace/events/{}", text(one, "/id")))),
        ("追溯链条", each(&|code, _| format!("/api/v1/trace/chain?code={code}"))),
        ("检索：最新", vec![String::from(events)]),
        ("检索：环节", by("stage", "/stage")),
        ("检索：产品", by("product_id", "/product/id")),
        ("检索：区域", by("region", "/region")),
        ("检索：上报主体", by("subject_id", "/subject/id")),
        // The copies have the same lots: a page that is full before as well.
        ("检索：批次号", each(&|_, one| format!("{lots}&lot={}", text(one, "/lot")))),
        ("检索：追溯码", each(&|code, _| format!("{events}&code={code}"))),
        (
            "检索：主体、环节、时间",
            each(&|_, one| {
                let (subject, stage) = (text(one, "/subject/id"), text(one, "/stage"));
                format!(
                    "{events}&subject_id={subject}&stage={stage}&event_time.to=2026-06-01T00:00:00Z"
                )
            }),
        ),
        ("检索：待审核", vec![format!("{events}&state=held")]),
        ("检索：已驳回", vec![format!("{events}&state=rejected")]),
    ])
}

type Spread = (Duration, Duration);

/// Asks everything; what is captured meanwhile is numbered from `first` on.
async fn ask(
    assembled: &Assembled,
    client: &Client,
    questions: &[Question],
    first: usize,
) -> Result<Vec<(&'static str, Spread)>, String> {
    let mut answers = Vec::new();
    for (name, paths) in questions {
        let mut times = Vec::with_capacity(EACH);
        for (nth, path) in paths.iter().cycle().take(EACH + EACH / 10).enumerate() {
            let begun = Instant::now();
            client.get(path).await?;
            if nth >= EACH / 10 {
                times.push(begun.elapsed());
            }
        }
        answers.push((*name, spread(times)));
    }
    let (subject, mut times) = (subject(assembled).await?, Vec::with_capacity(EACH));
    for batch in 0..EACH {
        let first = 300_000_000 + first + batch * 100;
        let events = (first..first + 100).map(|number| harvest(&subject, number));
        let events = events.collect::<Result<Vec<_>, _>>()?;
        let begun = Instant::now();
        store(assembled, &events).await?;
        times.push(begun.elapsed());
    }
    answers.push(("采集一批一百条", spread(times)));
    Ok(answers)
}

fn spread(mut times: Vec<Duration>) -> Spread {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 95 / 100])
}

/// One copy of the first tenth.
async fn multiply(tx: &mut Tx, copy: i64) -> Result<(), yj_kernel::Problem> {
    const EVENT: &str = "domain, kind, stage, subject_id, subject_code, product_id, lot, region, \
         event_time, event_offset, recorded_at, recorded_by, source, state, held_reason, body, \
         correction_of, superseded_by, decided_by, decided_at, decision_comment, label, \
         pack_version, counterparty_id";
    const OBJECT: &str =
        "product_id, lot, unit, subject_id, stage, produced, balance, state, quality";
    let (by, mark, mut statements) = (copy * APART, format!("'.{copy}'"), Vec::new());
    if tx.dialect() == Dialect::Postgres {
        statements.push(format!(
            "INSERT INTO trace_event_key (id, uid, digest, event_time) \
             SELECT id + {by}, uid || {mark}, digest || {mark}, event_time \
             FROM trace_event_key WHERE id < {APART}"
        ));
    }
    statements.extend([
        format!(
            "INSERT INTO trace_event (id, uid, digest, {EVENT}) \
             SELECT id + {by}, uid || {mark}, digest || {mark}, {EVENT} \
             FROM trace_event WHERE id < {APART}"
        ),
        format!(
            "INSERT INTO trace_object (id, code, grave, {OBJECT}) \
             SELECT id + {by}, code || {mark}, grave + {by}, {OBJECT} \
             FROM trace_object WHERE id < {APART}"
        ),
        format!(
            "INSERT INTO trace_grave (object_id, event_id, event_time) \
             SELECT object_id + {by}, event_id + {by}, event_time \
             FROM trace_grave WHERE event_id < {APART}"
        ),
        format!(
            "INSERT INTO trace_link (event_id, object_id, role, quantity, event_time) \
             SELECT event_id + {by}, object_id + {by}, role, quantity, event_time \
             FROM trace_link WHERE event_id < {APART}"
        ),
        format!(
            "INSERT INTO trace_event_also (facet, value, event_time, event_id) \
             SELECT facet, value, event_time, event_id + {by} \
             FROM trace_event_also WHERE event_id < {APART}"
        ),
    ]);
    for statement in statements {
        let mut sql = Sql::default();
        sql.push(&statement);
        tx.execute(sql).await?;
    }
    Ok(())
}
