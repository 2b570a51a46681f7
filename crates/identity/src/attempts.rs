//! Wrong attempts: counted for every name, whether it exists or not, and for every address (S-04).

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use yj_kernel::{App, Ctx, Problem, Result, Sql, Tx};

use crate::settings::Security;

/// Attempts that an address has at once, and how fast they come back.
const BURST: f64 = 60.0;
const PER_MS: f64 = 1.0 / 1_000.0;
/// Addresses remembered.
const ADDRESSES_MAX: usize = 50_000;

/// A bucket of attempts for every address of this node.
#[derive(Default)]
pub(crate) struct Throttle(Mutex<HashMap<IpAddr, (f64, i64)>>);

impl Throttle {
    /// Takes one attempt; refuses when there is none left.
    pub(crate) fn take(&self, address: Option<IpAddr>, now_ms: i64) -> Result<()> {
        let Some(address) = address else { return Ok(()) };
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= ADDRESSES_MAX {
            buckets.clear();
        }
        let (left, at) = buckets.entry(address).or_insert((BURST, now_ms));
        #[expect(clippy::cast_precision_loss, reason = "milliseconds between two requests")]
        let passed = (now_ms - *at).max(0) as f64;
        *left = (*left + passed * PER_MS).min(BURST);
        *at = now_ms;
        if *left < 1.0 {
            return Err(Problem::TooMany(String::from("该地址的登录请求过于频繁，请稍后重试")));
        }
        *left -= 1.0;
        Ok(())
    }
}

/// How often something went wrong for each of a few names, within five minutes.
#[derive(Default)]
pub(crate) struct Tally(Mutex<HashMap<String, (u32, i64)>>);

/// So many times is an alarm.
const TALLY_MAX: u32 = 20;
const TALLY_MS: i64 = 5 * 60_000;

impl Tally {
    /// Counts one; whether that is too many.
    pub(crate) fn count(&self, name: &str, now_ms: i64) -> bool {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= ADDRESSES_MAX {
            names.clear();
        }
        let (count, begun_at) = names.entry(String::from(name)).or_insert((0, now_ms));
        if now_ms - *begun_at > TALLY_MS {
            (*count, *begun_at) = (0, now_ms);
        }
        *count += 1;
        *count == TALLY_MAX
    }
}

/// What is guessed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Guess<'a> {
    /// The password of whoever has this name.
    Password(&'a str),
    /// The second factor of this user.
    Factor(&'a str),
}

/// Names are counted under a digest: people type passwords into the wrong field.
fn key(app: &App, guess: Guess<'_>) -> Result<String> {
    match guess {
        Guess::Password(name) => app.vault().blind("login_attempt.name", name),
        Guess::Factor(user) => app.vault().blind("login_attempt.factor", user),
    }
}

/// Refuses what is locked, with the same words for all.
pub(crate) async fn require_open(app: &App, tx: &mut Tx, guess: Guess<'_>) -> Result<()> {
    let sql = Sql::new("SELECT locked_until FROM login_attempt WHERE name_digest = $1");
    let row = tx.fetch_one(sql.arg(key(app, guess)?)).await?;
    let now = app.now().as_millisecond();
    match row.map(|row| row.int(0)).transpose()? {
        Some(until) if until > now => {
            let minutes = (until - now + 59_999) / 60_000;
            Err(Problem::Locked(format!("连续错误次数过多，已锁定，请于 {minutes} 分钟后重试")))
        }
        _ => Ok(()),
    }
}

/// Counts a wrong attempt; whether that is locked from now on.
pub(crate) async fn count(
    ctx: &Ctx,
    tx: &mut Tx,
    settings: &Security,
    guess: Guess<'_>,
) -> Result<bool> {
    let (key, now) = (key(ctx.app(), guess)?, ctx.now_ms());
    let mut sql = Sql::new("SELECT failures, begun_at FROM login_attempt WHERE name_digest = $1")
        .arg(key.as_str());
    let for_update = tx.dialect().for_update();
    sql.push(for_update);
    let known = tx.fetch_one(sql).await?;
    let (mut failures, mut begun_at) = (0, now);
    if let Some(row) = known
        && now - row.int(1)? < settings.window_ms()
    {
        (failures, begun_at) = (row.int(0)?, row.int(1)?);
    }
    failures += 1;
    let locked = failures >= settings.lockout_threshold;
    let locked_until = if locked { now + settings.lock_ms() } else { 0 };
    if locked {
        (failures, begun_at) = (0, now);
    }
    let sql = Sql::new(
        "INSERT INTO login_attempt (name_digest, failures, begun_at, locked_until) \
         VALUES ($1, $2, $3, $4) ON CONFLICT (name_digest) DO UPDATE \
         SET failures = excluded.failures, begun_at = excluded.begun_at, \
         locked_until = excluded.locked_until",
    );
    tx.later([sql.arg(key).arg(failures).arg(begun_at).arg(locked_until)]);
    // Names nobody tries any more need not be kept.
    let old = Sql::new("DELETE FROM login_attempt WHERE begun_at < $1 AND locked_until < $1");
    tx.later([old.arg(now - 24 * 3_600_000)]);
    Ok(locked)
}

/// Forgets what was wrong: when somebody has shown everything, or by an administrator. The right
/// password alone forgets nothing, or a thief of it could guess the second factor for ever.
pub(crate) fn forget(app: &App, tx: &mut Tx, user: &str) -> Result<()> {
    for guess in [Guess::Password(user), Guess::Factor(user)] {
        let sql = Sql::new("DELETE FROM login_attempt WHERE name_digest = $1");
        tx.later([sql.arg(key(app, guess)?)]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_slowed_down_and_others_are_not() {
        let throttle = Throttle::default();
        let take = |address: &str, at| throttle.take(address.parse().ok(), at).is_ok();
        let passed = (0..100).filter(|_| take("10.0.0.1", 0)).count();
        assert_eq!(passed, 60);
        assert!(take("10.0.0.2", 0));
        assert!(!take("10.0.0.1", 900));
        assert!(take("10.0.0.1", 2_000));
    }
}
