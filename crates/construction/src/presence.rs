//! 上线与离线 (G-6.7.5): who is heard, who is not any more, and how many of each.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use yj_kernel::{App, Ctx, Result, Row, Sql, Tx, audit, outbox, time_text};

use crate::{DEVICE, alive::NO_SEQUENCE, state::Presence};

/// Devices that one transaction marks.
const STEP: i64 = 500;
/// How often somebody looks for those that have fallen silent.
const PACE: Duration = Duration::from_secs(30);

/// What is told of a device that comes or goes, followed by its state and its interval.
pub(crate) const SEEN: &str = "SELECT id, mac, kind, region, subject_id, state, interval_minutes \
                               FROM device WHERE id ";

/// A device that comes or goes.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) id: String,
    mac: String,
    kind: String,
    region: String,
    subject: String,
}

impl Seen {
    /// Reads a row of [`SEEN`].
    pub(crate) fn read(row: &Row) -> Result<Self> {
        let text = |index| row.text(index).map(String::from);
        let (id, mac, kind) = (text(0)?, text(1)?, text(2)?);
        Ok(Self { id, mac, kind, region: text(3)?, subject: text(4)? })
    }
}

/// Writes, audits and announces that devices have come (`device.online`) or gone
/// (`device.offline`).
pub(crate) fn changed<S: std::borrow::Borrow<Seen>>(
    ctx: &Ctx,
    tx: &mut Tx,
    now: Presence,
    devices: &[(S, Presence)],
) {
    if devices.is_empty() {
        return;
    }
    let mut sql = Sql::new("UPDATE device SET state = ");
    sql.bind(now.code()).push(" WHERE id ");
    sql.bind_texts(devices.iter().map(|(seen, _)| seen.borrow().id.as_str()));
    tx.later([sql]);
    for (seen, before) in devices {
        let seen = seen.borrow();
        let entry = audit::Entry {
            action: now.code(),
            entity: DEVICE.table,
            record: &seen.id,
            body: json!({ "state": [before.code(), now.code()] }),
        };
        audit::write(ctx, tx, entry);
        let body = json!({
            "id": seen.id, "mac": seen.mac, "kind": seen.kind, "region": seen.region,
            "subject_id": seen.subject,
        });
        outbox::announce(ctx, tx, (DEVICE.table, now.code()), &seen.id, &body);
    }
}

/// Marks every device offline that was not heard within twice its interval; how many.
pub async fn mark_offline(app: &App) -> Result<usize> {
    let mut marked = 0;
    while let Some(step) = mark_some(app).await? {
        marked += step;
    }
    Ok(marked)
}

/// Marks some of those that are overdue; nothing where there are none.
async fn mark_some(app: &App) -> Result<Option<usize>> {
    let ctx = app.on_own_behalf("device-watch");
    let mut tx = app.db().snapshot().await?;
    let overdue = Sql::new("SELECT device_id FROM device_status WHERE due < $1 LIMIT 1");
    if tx.fetch_one(overdue.arg(ctx.now_ms())).await?.is_none() {
        return Ok(None);
    }
    drop(tx);
    let mut tx = ctx.begin().await?;
    // Held in the order in which heartbeats hold them.
    let mut held = Sql::new(SEEN);
    held.push("IN (SELECT device_id FROM device_status WHERE due < ").bind(ctx.now_ms());
    held.push(" ORDER BY due LIMIT ").bind(STEP).push(") ORDER BY id");
    held.push(tx.dialect().for_update());
    let rows = tx.fetch(held).await?;
    let mut seen = rows
        .iter()
        .map(|row| Ok((String::from(row.text(0)?), (Seen::read(row)?, Presence::at(row, 5)?))))
        .collect::<Result<BTreeMap<_, _>>>()?;
    // Who was heard while we waited is not silent.
    let mut silent = Sql::new("UPDATE device_status SET due = NULL WHERE due < ");
    silent.bind(ctx.now_ms()).push(" AND device_id ");
    silent.bind_texts(seen.keys().map(String::as_str)).push(" RETURNING device_id");
    let mut gone = Vec::new();
    for row in tx.fetch(silent).await? {
        gone.extend(seen.remove(row.text(0)?));
    }
    changed(&ctx, &mut tx, Presence::Offline, &gone);
    tx.commit().await?;
    Ok(Some(gone.len()))
}

/// Looks for silent devices until `stop` says so.
pub async fn watch(app: App, mut stop: watch::Receiver<bool>) {
    let mut interval = interval(PACE);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = interval.tick() => {}
        }
        if let Err(problem) = mark_offline(&app).await {
            problem.log();
        }
    }
}

/// Devices in use by state.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    online: i64,
    offline: i64,
    never: i64,
}

impl Tally {
    fn add(&mut self, state: Presence, count: i64) {
        match state {
            Presence::Online => self.online += count,
            Presence::Offline => self.offline += count,
            Presence::Never => self.never += count,
        }
    }

    /// 在线率 with four decimals, rounded down; none of no devices.
    fn rate(self) -> Option<String> {
        let all = self.online + self.offline + self.never;
        let scaled = (self.online * 10_000).checked_div(all)?;
        Some(format!("{}.{:04}", scaled / 10_000, scaled % 10_000))
    }

    fn json(self, mut about: Value) -> Value {
        about["count"] = json!(self.online + self.offline + self.never);
        about["online"] = json!(self.online);
        about["offline"] = json!(self.offline);
        about["never"] = json!(self.never);
        about["online_rate"] = json!(self.rate());
        about
    }
}

/// 在线率 of the devices in use within reach: in all, by kind, and by county.
pub(crate) async fn figures(ctx: &Ctx) -> Result<Value> {
    let mut tx = ctx.snapshot().await?;
    let mut sql = Sql::new("SELECT kind, region, state, COUNT(*) FROM device WHERE in_use = 1");
    ctx.scope().narrow(&mut sql, &tx, DEVICE.scoping);
    sql.push(" GROUP BY kind, region, state");
    let (mut all, mut kinds, mut regions) = (Tally::default(), BTreeMap::new(), BTreeMap::new());
    for row in tx.fetch(sql).await? {
        let (state, count) = (Presence::at(&row, 2)?, row.int(3)?);
        all.add(state, count);
        let kind: &mut Tally = kinds.entry(String::from(row.text(0)?)).or_default();
        kind.add(state, count);
        let region: &mut Tally = regions.entry(String::from(row.text(1)?)).or_default();
        region.add(state, count);
    }
    let title = |code: &str| {
        let known = crate::device::DEVICE_KINDS.iter().find(|(known, _)| *known == code);
        known.map_or("", |(_, title)| *title)
    };
    let kinds =
        kinds.iter().map(|(kind, tally)| tally.json(json!({ "kind": kind, "title": title(kind) })));
    let regions = regions.iter().map(|(region, tally)| tally.json(json!({ "region": region })));
    Ok(json!({
        "total": all.json(json!({})),
        "kinds": kinds.collect::<Vec<_>>(), "regions": regions.collect::<Vec<_>>(),
    }))
}

/// What one device last said of itself.
pub(crate) async fn last(tx: &mut Tx, id: &str) -> Result<Value> {
    let sql = Sql::new(
        "SELECT sequence, reported_at, last_seen, due, battery, firmware FROM device_status \
         WHERE device_id = $1",
    );
    let Some(row) = tx.fetch_one(sql.arg(id)).await? else {
        return Ok(json!({ "state": Presence::Never.code() }));
    };
    let sequence = Some(row.int(0)?).filter(|sequence| *sequence > NO_SEQUENCE);
    let due = row.int_opt(3)?;
    let state = due.map_or(Presence::Offline, |_| Presence::Online);
    Ok(json!({
        "state": state.code(), "sequence": sequence, "reported_at": time_text(row.int(1)?)?,
        "last_seen": time_text(row.int(2)?)?, "battery": row.int_opt(4)?,
        "firmware": row.text_opt(5)?, "offline_after": due.map(time_text).transpose()?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_of_those_in_use_and_never_rounded_up() {
        assert_eq!(Tally::default().rate(), None);
        let tally = |online, offline, never| Tally { online, offline, never };
        assert_eq!(tally(2, 1, 0).rate().as_deref(), Some("0.6666"));
        assert_eq!(tally(999, 0, 1).rate().as_deref(), Some("0.9990"));
        assert_eq!(tally(3, 0, 0).rate().as_deref(), Some("1.0000"));
    }
}
