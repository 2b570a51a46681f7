//! How far each witness has come, and who stays behind.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use yj_crypto::to_hex;
use yj_kernel::{App, Problem, Result, Row, Sql, Tx, time_text};
use yj_proof::NoteKey;

use crate::{
    Ledger,
    witness::LAG_DEFAULT,
    witness_alarm::{self, newest},
};

/// How often somebody looks for witnesses that stay behind.
const PACE: Duration = Duration::from_secs(30);
const MINUTE_MS: i64 = 60_000;

/// How a witness stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// 及时
    Current,
    /// 滞后
    Lagging,
    /// 尚未见证
    Never,
    /// 本平台日志短于其见证: the platform's own file was put back, or replaced.
    Ahead,
    /// 停用
    Inactive,
}

impl Standing {
    const ALL: [Self; 5] = [Self::Current, Self::Lagging, Self::Never, Self::Ahead, Self::Inactive];

    const fn code(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Lagging => "lagging",
            Self::Never => "never",
            Self::Ahead => "ahead",
            Self::Inactive => "inactive",
        }
    }
}

/// What a witness countersigned last.
#[derive(Debug, Clone, Copy)]
struct Mark {
    size: i64,
    height: i64,
    signed_at: i64,
    received_at: i64,
}

/// How far a witness is behind: since when the log holds what it has not countersigned.
#[derive(Debug, Clone, Copy)]
struct Tip {
    size: i64,
    height: i64,
}

fn standing(
    (active, mark, tip): (bool, Option<Mark>, Option<Tip>),
    (lag_ms, allowed_ms): (i64, i64),
) -> Standing {
    let newest = tip.map_or((0, 0), |tip| (tip.size, tip.height));
    match mark {
        _ if !active => Standing::Inactive,
        Some(mark) if (mark.size, mark.height) > newest => Standing::Ahead,
        _ if lag_ms > allowed_ms => Standing::Lagging,
        Some(_) => Standing::Current,
        None => Standing::Never,
    }
}

impl Ledger {
    /// For how long a block has waited for a witness that came as far as `mark`.
    fn lag_ms(&self, mark: Option<Mark>, (registered_at, now): (i64, i64)) -> Result<i64> {
        let next = mark.map_or(1, |mark| mark.height + 1);
        let next = self.store().block(u64::try_from(next).map_err(Problem::internal)?)?;
        let made = next.map(|block| i64::try_from(block.header.time_ms).unwrap_or(i64::MAX));
        // Before it was registered nobody waited for it.
        Ok(made.map_or(0, |made| (now - made.max(registered_at)).max(0)))
    }

    /// Every witness with how far it came, the newest alarms, and what they witness.
    pub(crate) async fn witnesses(&self, app: &App, tx: &mut Tx) -> Result<Value> {
        let tip = self.checkpoint()?;
        let edge = tip.as_ref().map(|tip| Tip {
            size: i64::try_from(tip.size).unwrap_or(i64::MAX),
            height: i64::try_from(tip.height).unwrap_or(i64::MAX),
        });
        let now = app.now().as_millisecond();
        let sql = Sql::new(
            "SELECT w.id, w.organization, w.verifier_key, w.address, w.since, w.lag_minutes, \
             w.active, w.created_at, m.size, m.height, m.signed_at, m.received_at, \
             (SELECT COUNT(*) FROM ledger_witness_alarm a WHERE a.verifier_key = w.verifier_key \
             AND a.settled_at IS NULL) \
             FROM ledger_witness w LEFT JOIN ledger_witness_mark m \
             ON m.verifier_key = w.verifier_key ORDER BY w.active DESC, w.id",
        );
        let (mut items, mut tally) = (Vec::new(), BTreeMap::new());
        for row in tx.fetch(sql).await? {
            let (item, standing) = self.describe_witness(&row, (edge, now))?;
            *tally.entry(standing).or_insert(0_i64) += 1;
            items.push(item);
        }
        let (alarms, (open, total)) = (newest(tx).await?, witness_alarm::count(tx).await?);
        count(app, &tally, open);
        Ok(json!({
            "fingerprint": to_hex(&self.genesis().1),
            "size": tip.as_ref().map(|tip| tip.size), "height": tip.as_ref().map(|tip| tip.height),
            "items": items, "alarms": alarms, "alarm_count": open, "alarm_total": total,
        }))
    }

    fn describe_witness(
        &self,
        row: &Row,
        (edge, now): (Option<Tip>, i64),
    ) -> Result<(Value, Standing)> {
        let mark = match row.int_opt(8)? {
            None => None,
            Some(size) => Some(Mark {
                size,
                height: row.int(9)?,
                signed_at: row.int(10)?,
                received_at: row.int(11)?,
            }),
        };
        let (active, allowed) = (row.int(6)? == 1, row.int_opt(5)?.unwrap_or(LAG_DEFAULT));
        let lag_ms = if active { self.lag_ms(mark, (row.int(7)?, now))? } else { 0 };
        let standing = standing((active, mark, edge), (lag_ms, allowed * MINUTE_MS));
        let key: NoteKey = row.text(2)?.parse().map_err(Problem::internal)?;
        let item = json!({
            "id": row.text(0)?, "organization": row.text(1)?, "name": key.name(),
            "verifier_key": row.text(2)?, "address": row.text_opt(3)?, "since": row.text(4)?,
            "lag_minutes": allowed, "active": active, "state": standing.code(),
            "size": mark.map(|mark| mark.size), "height": mark.map(|mark| mark.height),
            "signed_at": mark.map(|mark| time_text(mark.signed_at)).transpose()?,
            "received_at": mark.map(|mark| time_text(mark.received_at)).transpose()?,
            "lag_seconds": lag_ms / 1_000, "alarms": row.int(12)?,
        });
        Ok((item, standing))
    }
}

fn count(app: &App, tally: &BTreeMap<Standing, i64>, alarms: i64) {
    for standing in Standing::ALL {
        let labels = format!("state=\"{}\"", standing.code());
        let found = tally.get(&standing).copied().unwrap_or(0);
        app.metrics().set("ledger_witnesses", "Registered witnesses by state.", &labels, found);
    }
    app.metrics().set(
        "ledger_witness_alarms",
        "Alarms raised by witnesses that nobody has settled.",
        "",
        alarms,
    );
}

/// Looks once and sets the figures.
pub async fn look_at_witnesses(app: &App, ledger: &Ledger) -> Result<()> {
    let mut tx = app.db().snapshot().await?;
    ledger.witnesses(app, &mut tx).await.map(drop)
}

/// Looks for witnesses that stay behind until `stop` says so.
pub async fn watch_witnesses(app: App, ledger: Ledger, mut stop: watch::Receiver<bool>) {
    let mut interval = interval(PACE);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = interval.tick() => {}
        }
        if let Err(problem) = look_at_witnesses(&app, &ledger).await {
            problem.log();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_saw_more_than_there_is_now_says_that_the_log_went_back() {
        let mark = |size, height| Some(Mark { size, height, signed_at: 0, received_at: 0 });
        let tip = Some(Tip { size: 10, height: 3 });
        let state = |mark, lag| standing((true, mark, tip), (lag, 60));
        assert_eq!(state(mark(10, 3), 0), Standing::Current);
        assert_eq!(state(mark(9, 2), 61), Standing::Lagging);
        assert_eq!(state(mark(11, 4), 0), Standing::Ahead);
        assert_eq!((state(None, 0), state(None, 61)), (Standing::Never, Standing::Lagging));
        assert_eq!(standing((true, mark(1, 1), None), (0, 60)), Standing::Ahead);
        assert_eq!(standing((false, mark(11, 4), tip), (0, 60)), Standing::Inactive);
    }
}
