//! Telling subscribers (§8.2.5): by a duty that follows the numbers of events, so that capture
//! waits for nobody, and each event is told at least once. Several receivers are told at a time, each
//! of them one message after the other: who is slow keeps nobody else waiting.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::{
    sync::watch as signal,
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout},
};
use ureq::{
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};
use yj_crypto::{sm3, to_hex};
use yj_kernel::{App, Problem, Result, Row, Sql};

use super::{
    guard::Callbacks,
    header::EpcFormat,
    job,
    news::{self, Interest},
    schedule::Schedule,
    store,
    subscription::TOKEN,
};

/// Subscriptions that are looked at at once.
const ROUND: i64 = 100;
/// Receivers that are told at the same time.
const RECEIVERS_MAX: usize = 16;
/// A subscription that a node works on is left alone by others for this long.
const CLAIM_MS: i64 = 60_000;
/// Longest time between two tries.
const PAUSE_MAX_MS: i64 = 3_600_000;
/// Time for one call.
const WAIT: Duration = Duration::from_secs(10);
/// How often it is looked whether somebody is to be told.
const PACE: Duration = Duration::from_secs(1);
/// How often documents that never came whole are forgotten.
const SWEEP_EVERY: u64 = 600;

/// Tells subscribers until `stop` says so.
pub async fn watch(app: App, callbacks: Callbacks, mut stop: signal::Receiver<bool>) {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut courier = Courier::new(app.clone(), callbacks);
    for round in 0_u64.. {
        tokio::select! {
            _ = stop.changed() => break,
            _ = pace.tick() => {}
        }
        if let Err(problem) = courier.set_out().await {
            problem.log();
        }
        courier.reap();
        if round % SWEEP_EVERY == 0
            && let Err(problem) = job::sweep(&app).await
        {
            problem.log();
        }
    }
    // What is under way may arrive; what does not is told again.
    let _ = timeout(WAIT, courier.come_home()).await;
}

/// Tells everybody whose time has come; how many messages arrived.
pub async fn deliver(app: &App, callbacks: &Callbacks) -> Result<usize> {
    let mut courier = Courier::new(app.clone(), callbacks.clone());
    courier.set_out().await?;
    Ok(courier.come_home().await)
}

type Busy = Arc<Mutex<BTreeSet<String>>>;

/// Carries messages to several receivers at a time.
struct Courier {
    app: App,
    callbacks: Callbacks,
    /// Receivers that are being told.
    busy: Busy,
    under_way: JoinSet<usize>,
}

/// One receiver being told; over when dropped.
struct Visit {
    busy: Busy,
    receiver: String,
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.receiver);
    }
}

impl Courier {
    fn new(app: App, callbacks: Callbacks) -> Self {
        Self { app, callbacks, busy: Busy::default(), under_way: JoinSet::new() }
    }

    fn visit(&self, receiver: &str) -> Option<Visit> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let free = busy.len() < RECEIVERS_MAX && busy.insert(String::from(receiver));
        free.then(|| Visit { busy: Arc::clone(&self.busy), receiver: String::from(receiver) })
    }

    /// Sets out to everybody whose time has come and who is not being told yet.
    async fn set_out(&mut self) -> Result<()> {
        let now = self.app.now().as_millisecond();
        let mut tx = self.app.db().snapshot().await?;
        let last = store::last(&mut tx).await?;
        let mut passed = self.busy.lock().unwrap_or_else(PoisonError::into_inner).clone();
        loop {
            let mut sql = Sql::new(DUE);
            sql.push(" WHERE next_at <= ")
                .bind(now)
                .push(" AND (schedule IS NOT NULL OR position < ");
            sql.bind(last).push(")");
            if !passed.is_empty() {
                sql.push(" AND NOT receiver ").bind_texts(passed.iter().map(String::as_str));
            }
            sql.push(" ORDER BY next_at, id LIMIT ").bind(ROUND);
            let mut found: BTreeMap<String, Vec<Due>> = BTreeMap::new();
            for row in tx.fetch(sql).await? {
                let due = Due::read(&row)?;
                found.entry(due.receiver.clone()).or_default().push(due);
            }
            if found.is_empty() {
                return Ok(());
            }
            for (receiver, due) in found {
                // Those that there is no room for wait for the next round.
                let Some(visit) = self.visit(&receiver) else { return Ok(()) };
                passed.insert(receiver);
                let (app, callbacks) = (self.app.clone(), self.callbacks.clone());
                self.under_way.spawn(async move {
                    let arrived = tell_all(&app, &callbacks, (&due, last)).await;
                    drop(visit);
                    arrived
                });
            }
        }
    }

    fn reap(&mut self) {
        while self.under_way.try_join_next().is_some() {}
    }

    /// Waits for what is under way; how many messages arrived.
    async fn come_home(&mut self) -> usize {
        let mut arrived = 0;
        while let Some(one) = self.under_way.join_next().await {
            arrived += one.unwrap_or_default();
        }
        arrived
    }
}

/// Tells one receiver what there is, in order; how many messages arrived.
async fn tell_all(app: &App, callbacks: &Callbacks, (due, last): (&[Due], i64)) -> usize {
    let mut arrived = 0;
    for due in due {
        let told = match claim(app, due).await {
            Ok(true) => tell(app, callbacks, due, last).await,
            other => other,
        };
        match told {
            Ok(told) => arrived += usize::from(told),
            Err(problem) => problem.log(),
        }
    }
    arrived
}

const DUE: &str = "SELECT id, query_id, owner, dest, token, schedule, report_if_empty, \
     initial_record_time, min_record_time, epc_format, position, next_at, tries, receiver \
     FROM epcis_subscription";

/// A subscription whose time has come.
struct Due {
    id: String,
    interest: Interest,
    owner: String,
    dest: String,
    token: Option<String>,
    schedule: Option<String>,
    report_if_empty: bool,
    position: i64,
    next_at: i64,
    tries: i64,
    receiver: String,
}

impl Due {
    fn read(row: &Row) -> Result<Self> {
        let text = |index| row.text(index).map(String::from);
        let maybe = |index| row.text_opt(index).map(|text| text.map(String::from));
        Ok(Self {
            id: text(0)?,
            interest: Interest {
                query: text(1)?,
                subscription: text(0)?,
                since: row.int_opt(7)?.max(row.int_opt(8)?),
                format: EpcFormat::from_code(row.text(9)?).unwrap_or(EpcFormat::AsSent),
            },
            owner: text(2)?,
            dest: text(3)?,
            token: maybe(4)?,
            schedule: maybe(5)?,
            report_if_empty: row.int(6)? != 0,
            position: row.int(10)?,
            next_at: row.int(11)?,
            tries: row.int(12)?,
            receiver: text(13)?,
        })
    }
}

/// Whether this node is the one to do it.
async fn claim(app: &App, due: &Due) -> Result<bool> {
    let now = app.now().as_millisecond();
    let mut tx = app.db().begin().await?;
    let sql = Sql::new("UPDATE epcis_subscription SET next_at = $1 WHERE id = $2 AND next_at = $3");
    let changed = tx.execute(sql.arg(now + CLAIM_MS).arg(due.id.as_str()).arg(due.next_at)).await?;
    tx.commit().await?;
    Ok(changed > 0)
}

/// Tells one subscriber; whether a message arrived.
async fn tell(app: &App, callbacks: &Callbacks, due: &Due, last: i64) -> Result<bool> {
    let outcome = attempt(app, callbacks, due, last).await;
    let now = app.now().as_millisecond();
    let mut tx = app.db().begin().await?;
    let arrived = match outcome {
        Ok((reached, arrived)) => {
            let next = if reached < last { Some(now) } else { next_time(due, now)? };
            let sql = Sql::new(
                "UPDATE epcis_subscription SET position = $1, next_at = $2, tries = 0, \
                 last_error = NULL, last_notified_at = COALESCE($3, last_notified_at) WHERE id = $4",
            );
            let told = arrived.then_some(now);
            tx.later([sql.arg(reached).arg(next).arg(told).arg(due.id.as_str())]);
            arrived
        }
        Err(problem) => {
            let pause = (1_000_i64 << due.tries.clamp(0, 12)).min(PAUSE_MAX_MS);
            let error: String = match &problem {
                Problem::Internal(cause) => cause.to_string(),
                other => other.to_string(),
            };
            let error: String =
                error.chars().filter(|letter| !letter.is_control()).take(300).collect();
            let sql = Sql::new(
                "UPDATE epcis_subscription SET tries = tries + 1, next_at = $1, last_error = $2 \
                 WHERE id = $3",
            );
            tx.later([sql.arg(now + pause).arg(error).arg(due.id.as_str())]);
            false
        }
    };
    tx.commit().await?;
    Ok(arrived)
}

fn next_time(due: &Due, now: i64) -> Result<Option<i64>> {
    let Some(text) = &due.schedule else { return Ok(Some(now)) };
    let schedule = Schedule::read(&serde_json::from_str(text).map_err(Problem::internal)?)?;
    Ok(schedule.next(now))
}

async fn attempt(app: &App, callbacks: &Callbacks, due: &Due, last: i64) -> Result<(i64, bool)> {
    // With the rights the subscriber has now.
    let ctx = app.on_behalf_of(&due.owner, news::PERMISSION).await?;
    let news = news::since(&ctx, &due.interest, (due.position, last)).await?;
    if !news.is_told(due.report_if_empty && due.schedule.is_some()) {
        return Ok((news.reached, false));
    }
    let token = match &due.token {
        Some(sealed) => Some(app.vault().open_secret(&format!("{TOKEN}|{}", due.id), sealed)?),
        None => None,
    };
    let time = app.now().as_second();
    let signature = token.map(|token| signed(&token, time, &news.body)).transpose()?;
    let (dest, callbacks) = (due.dest.clone(), callbacks.clone());
    let work = move || post(&callbacks, &dest, (news.body, signature));
    let done = tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?;
    done.map_err(Problem::internal)?;
    Ok((news.reached, true))
}

/// `t=…,sha256=…,sm3=…`: both digests are HMAC under the token over the time, a point and the body.
fn signed(token: &[u8], time: i64, body: &str) -> Result<String> {
    let text = format!("{time}.{body}");
    let mut mac = Hmac::<Sha256>::new_from_slice(token).map_err(Problem::internal)?;
    mac.update(text.as_bytes());
    let sha256 = to_hex(&mac.finalize().into_bytes());
    let sm3 = sm3::hex(&sm3::hmac(token, text.as_bytes()));
    Ok(format!("t={time},sha256={sha256},sm3={sm3}"))
}

/// Resolves names to addresses that may be called, and to no others.
#[derive(Debug)]
struct Guarded(Callbacks);

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.0.resolve(uri).map_err(ureq::Error::Io)?;
        let mut addresses = self.empty();
        for address in found.into_iter().take(16) {
            addresses.push(address);
        }
        if addresses.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(addresses) }
    }
}

/// Longest answer that is read.
const ANSWER_MAX: u64 = 64 << 10;

fn post(
    callbacks: &Callbacks,
    dest: &str,
    (body, signature): (String, Option<String>),
) -> Result<(), ureq::Error> {
    // What was allowed when the subscription was made may be allowed no longer.
    callbacks.check(dest).map_err(|detail| ureq::Error::Io(std::io::Error::other(detail)))?;
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(WAIT))
        .max_redirects(0)
        .proxy(None)
        .build();
    let agent =
        ureq::Agent::with_parts(config, DefaultConnector::default(), Guarded(callbacks.clone()));
    let mut request = agent
        .post(dest)
        .header("content-type", "application/ld+json")
        .header("gs1-epcis-version", "2.0")
        .header("gs1-cbv-version", "2.0");
    if let Some(signature) = signature {
        request = request.header("gs1-signature", signature);
    }
    let mut answer = request.send(body)?;
    // A redirect is no receipt.
    if !answer.status().is_success() {
        return Err(ureq::Error::StatusCode(answer.status().as_u16()));
    }
    answer.body_mut().with_config().limit(ANSWER_MAX).read_to_vec().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_signed_with_the_time_it_was_sent() {
        let signature = signed(b"key", 1, "body").unwrap();
        let other = signed(b"key", 2, "body").unwrap();
        assert!(signature.starts_with("t=1,sha256=") && signature.len() == 4 + 7 + 64 + 5 + 64);
        assert_ne!(signature[3..], other[3..]);
    }
}
