//! Signs of life (G-6.7.5): what was heard of devices that speak now, while nobody else writes to them,
//! and that data taken from a device is as good a sign as a heartbeat.

use std::collections::BTreeMap;

use yj_kernel::{Ctx, Problem, Result, Sql, SqlValue, Tx, insert_rows};

use crate::{
    presence::{self, Seen},
    state::{Presence, due},
};

/// How far a device's clock may be off: what is older was kept somewhere, and says nothing of now.
pub(crate) const SKEW_MAX_MS: i64 = 5 * 60_000;
/// Before the first heartbeat of a device that has sent data: below every number of a heartbeat.
pub(crate) const NO_SEQUENCE: i64 = -1;
/// Data is noted as a sign of life once in this part of the reporting interval.
const PART: i64 = 4;

/// A device that nobody else writes to now.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) seen: Seen,
    pub(crate) state: Presence,
    pub(crate) interval: i64,
    /// The number of its last heartbeat, and when it was last heard.
    pub(crate) last: Option<(i64, i64)>,
}

pub(crate) async fn known<'a>(
    tx: &mut Tx,
    ids: impl Iterator<Item = &'a str> + Clone,
) -> Result<BTreeMap<String, Known>> {
    let mut held = Sql::new(presence::SEEN);
    held.bind_texts(ids.clone()).push(" ORDER BY id").push(tx.dialect().for_update());
    let mut status =
        Sql::new("SELECT device_id, sequence, last_seen FROM device_status WHERE device_id ");
    status.bind_texts(ids);
    let answers = tx.fetch_all(vec![held, status]).await?;
    let [held, status] = answers.as_slice() else {
        return Err(Problem::internal("two questions have two answers"));
    };
    let last = status
        .iter()
        .map(|row| Ok((row.text(0)?, (row.int(1)?, row.int(2)?))))
        .collect::<Result<BTreeMap<_, _>>>()?;
    let known = |row: &yj_kernel::Row| {
        let seen = Seen::read(row)?;
        let last = last.get(seen.id.as_str()).copied();
        let known = Known { state: Presence::at(row, 5)?, interval: row.int(6)?, last, seen };
        Ok((known.seen.id.clone(), known))
    };
    held.iter().map(known).collect()
}

/// Devices held until the transaction ends.
#[derive(Debug)]
pub struct Held(BTreeMap<String, Known>);

/// Holds these devices, in the order in which heartbeats hold them, until the transaction ends:
/// what follows from the order of a device's data is found out by one at a time.
pub async fn hold<'a>(
    tx: &mut Tx,
    ids: impl IntoIterator<Item = &'a str, IntoIter: Clone>,
) -> Result<Held> {
    known(tx, ids.into_iter()).await.map(Held)
}

impl Held {
    /// Notes that data came of these devices, each with the time at which it says that it sent it.
    pub fn heard<'a>(
        &self,
        ctx: &Ctx,
        tx: &mut Tx,
        said: impl IntoIterator<Item = (&'a str, i64)>,
    ) {
        let now = ctx.now_ms();
        let mut newest: BTreeMap<&str, i64> = BTreeMap::new();
        for (id, sent_ms) in said {
            if (now - sent_ms).abs() <= SKEW_MAX_MS {
                newest.entry(id).and_modify(|last| *last = sent_ms.max(*last)).or_insert(sent_ms);
            }
        }
        let (mut rows, mut returned) = (Vec::new(), Vec::new());
        for (id, sent_ms) in newest {
            let Some(Known { seen, state, interval, last }) = self.0.get(id) else { continue };
            let part_ms = interval * 60_000 / PART;
            let noted = last.is_some_and(|(_, last_seen)| now - last_seen < part_ms);
            if noted && *state == Presence::Online {
                continue;
            }
            // Nobody is offline for what was not noted.
            let due = due(now, *interval) + part_ms;
            let numbers = [NO_SEQUENCE, sent_ms, now, due].map(SqlValue::from);
            rows.push(std::iter::once(SqlValue::from(id)).chain(numbers).collect());
            if *state != Presence::Online {
                returned.push((seen, *state));
            }
        }
        tx.later(insert_rows(
            "INSERT INTO device_status (device_id, sequence, reported_at, last_seen, due)",
            "ON CONFLICT (device_id) DO UPDATE SET reported_at = excluded.reported_at, \
             last_seen = excluded.last_seen, due = excluded.due",
            rows,
        ));
        presence::changed(ctx, tx, Presence::Online, &returned);
    }
}
