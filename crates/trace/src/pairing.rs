//! 双方登记的核对 (G-6.4.3): what one party says it gave and the other that it got are put side by side
//! in the transaction that brings the second of the two. Parties, voucher and batch tell which
//! belong together; where there is no voucher, the day stands in for it. What does not agree, or
//! stays alone, is there to be found.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use yj_crypto::sm3;
use yj_domain::EventType;
use yj_kernel::{Problem, Result, Sql, SqlValue, insert_rows};
use yj_model::{OffsetTime, Quantity, Stage, UnitCode, former_code};
use yj_subject::SubjectBrief;

use crate::balance::{Link, LinkRole, Objects};

/// 三日以上: from so many days after it was given the day of receipt counts as another. The law counts the
/// number itself in (民法典第一千二百五十九条: “以上”包括本数).
pub(crate) const DAYS_LATE: i64 = 3;
/// 销售, 退货, 调拨, 直调, 供应, 召回, 赠品出库, 直调退货
const GIVING: [&str; 8] = ["201", "202", "203", "207", "209", "211", "212", "237"];
/// 采购, 退货, 调拨, 供应, 召回, 赠品入库
const RECEIVING: [&str; 6] = ["102", "103", "104", "107", "108", "110"];
/// What quantities are compared in, where their unit converts to one of them.
const BASES: [&str; 5] = ["KGM", "LTR", "MTR", "MTK", "H87"];
/// Sums stop here, at what a quantity may be (ten-thousandths): nobody's records may keep the others'
/// from being read. Sums that have come this far agree with nothing.
pub(crate) const SUM_MAX: i64 = 999_999_999_999_999;
const DAY_MS: i64 = 86_400_000;
const BEIJING_MS: i64 = 8 * 3_600_000;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Who gave.
    Given,
    /// Who got.
    Received,
}

impl Side {
    fn of(spec: &EventType) -> Option<Self> {
        let code = spec.movement.as_deref()?;
        // 运输 moves what stays its owner's.
        if spec.stage() == Stage::Transport {
            return None;
        }
        if GIVING.contains(&code) {
            return Some(Self::Given);
        }
        RECEIVING.contains(&code).then_some(Self::Received)
    }

    const fn code(self) -> i64 {
        match self {
            Self::Given => 0,
            Self::Received => 1,
        }
    }
}

/// What one event says of one transaction.
#[derive(Debug)]
pub(crate) struct Line {
    id: String,
    side: Side,
    domain: String,
    giver: (String, String),
    receiver: (String, String),
    voucher: Option<String>,
    batch: String,
    quantity: Quantity,
    unit: UnitCode,
    day: i64,
}

/// What there is to compare of an event: the event type, its time, its body and its domain.
pub(crate) struct Told<'a> {
    pub(crate) spec: &'a EventType,
    pub(crate) domain: &'a str,
    pub(crate) time: OffsetTime,
    pub(crate) body: &'a Value,
}

/// The day in Beijing, counted from 1970-01-01.
pub(crate) fn day_number(unix_ms: i64) -> i64 {
    (unix_ms + BEIJING_MS).div_euclid(DAY_MS)
}

/// The voucher's number as it was written: of the field that a pack has for it, or the document of
/// that kind.
pub(crate) fn written_voucher(body: &Value) -> Option<&str> {
    let field = body["attributes"]["voucher_no"].as_str();
    let documents = body["documents"].as_array();
    field.or_else(|| {
        let of_kind = documents?.iter().find(|one| one["type"] == "voucher")?;
        of_kind["no"].as_str()
    })
}

/// The same in the form in which both parties' are compared.
fn voucher(body: &Value) -> Option<String> {
    written_voucher(body).map(former_code).filter(|number| !number.is_empty())
}

/// What an accepted event says of its transactions with the other party; nothing where it is of
/// another kind or names nobody else.
pub(crate) fn lines(
    told: &Told<'_>,
    (own, other): (&SubjectBrief, Option<&SubjectBrief>),
    (links, objects): (&[Link], &Objects),
) -> Result<Vec<Line>> {
    let (Some(side), Some(other)) = (Side::of(told.spec), other.filter(|other| other.id != own.id))
    else {
        return Ok(Vec::new());
    };
    let (giver, receiver) = match side {
        Side::Given => (own, other),
        Side::Received => (other, own),
    };
    let (voucher, day) = (voucher(told.body), day_number(told.time.unix_ms()));
    let mut by_batch: BTreeMap<(&str, &'static str), (Quantity, UnitCode)> = BTreeMap::new();
    for Passed { code, quantity, unit } in passed_on(side, (links, objects)) {
        let lot = objects.get(code).and_then(|object| object.lot.as_deref());
        let batch = lot.unwrap_or(code);
        let sum = by_batch.entry((batch, unit.as_str())).or_insert((Quantity::ZERO, unit));
        sum.0 = sum.0.plus(quantity).map_err(|error| {
            Problem::invalid(
                "outputs",
                format!("批次 {batch} 的数量合计有误：{error}，请分几次登记"),
            )
        })?;
    }
    let party = |one: &SubjectBrief| (one.id.clone(), one.region.clone());
    let line = |((batch, _), (quantity, unit)): ((&str, &str), (Quantity, UnitCode))| {
        Ok(Line {
            id: name((&giver.id, &receiver.id), (batch, voucher.as_deref(), day))?,
            side,
            domain: String::from(told.domain),
            giver: party(giver),
            receiver: party(receiver),
            voucher: voucher.clone(),
            batch: String::from(batch),
            quantity,
            unit,
            day,
        })
    };
    by_batch.into_iter().map(line).collect()
}

/// The name of a transaction: parties, batch and voucher; where there is no voucher, the day.
pub(crate) fn name(
    (giver, receiver): (&str, &str),
    (batch, voucher, day): (&str, Option<&str>, i64),
) -> Result<String> {
    let key = match voucher {
        Some(number) => json!([giver, receiver, batch, number]),
        None => json!([giver, receiver, batch, null, day]),
    };
    let bytes = serde_json::to_vec(&key).map_err(Problem::internal)?;
    Ok(sm3::hex(&sm3::parts(&[b"YJ/match/v1\0", &bytes])))
}

/// What the lines of an event come to, whatever batches they are of.
pub(crate) struct Expected<'a> {
    pub(crate) side: i64,
    pub(crate) giver: &'a str,
    pub(crate) receiver: &'a str,
    pub(crate) voucher: Option<String>,
    pub(crate) day: i64,
    /// By unit, in ten-thousandths.
    pub(crate) sums: BTreeMap<&'static str, i64>,
}

/// What the lines of an event must come to; nothing where it must have none.
pub(crate) fn expected<'a>(
    told: &Told<'_>,
    (own, other): (&'a str, &'a str),
    (links, objects): (&[Link], &Objects),
) -> Option<Expected<'a>> {
    let side = Side::of(told.spec).filter(|_| own != other)?;
    let (giver, receiver) = match side {
        Side::Given => (own, other),
        Side::Received => (other, own),
    };
    let mut sums: BTreeMap<&'static str, i64> = BTreeMap::new();
    for Passed { quantity, unit, .. } in passed_on(side, (links, objects)) {
        *sums.entry(unit.as_str()).or_default() += quantity.scaled();
    }
    let (voucher, day) = (voucher(told.body), day_number(told.time.unix_ms()));
    let some = !sums.is_empty();
    let side = side.code();
    some.then_some(Expected { side, giver, receiver, voucher, day, sums })
}

/// What changes hands of a batch: the code by which both know it, and how much, in the unit in which it is
/// compared.
struct Passed<'a> {
    code: &'a str,
    quantity: Quantity,
    unit: UnitCode,
}

/// What changes hands: of who gives what goes out; of who gets what was taken in of what came. Where an event
/// has only the other side, that.
fn passed_on<'a>(side: Side, (links, objects): (&'a [Link], &Objects)) -> Vec<Passed<'a>> {
    let of = |out: bool| -> Vec<Passed<'a>> {
        let those = links.iter().filter(|link| (link.role == LinkRole::Output) == out);
        let passed = those.filter_map(|link| {
            let (quantity, unit) = in_base_unit(link.quantity?, objects.get(&link.code)?.unit);
            Some(Passed { code: &link.code, quantity, unit })
        });
        passed.collect()
    };
    let (came, taken_in) = (of(false), of(true));
    match side {
        Side::Given if taken_in.is_empty() => came,
        Side::Given => taken_in,
        Side::Received if came.is_empty() => taken_in,
        Side::Received => received(came, &taken_in),
    }
}

/// What somebody got of each thing that came: what they took in of it, under the code by which the giver knows
/// it. The paper says how much came, the scales how much there was. Where several came and went on under
/// other codes, or are counted otherwise, nobody can say of which something was missing: then what came.
fn received<'a>(came: Vec<Passed<'a>>, taken_in: &[Passed<'a>]) -> Vec<Passed<'a>> {
    let total = |of: &dyn Fn(&Passed<'_>) -> bool, unit: UnitCode| {
        let mut those = taken_in.iter().filter(|one| of(one));
        let sum = those.try_fold(Quantity::ZERO, |sum, one| {
            (one.unit == unit).then(|| sum.plus(one.quantity).ok()).flatten()
        });
        sum.filter(|_| !taken_in.is_empty())
    };
    let alone = came.len() == 1;
    let goes_on = taken_in.iter().all(|one| came.iter().any(|other| other.code == one.code));
    if !alone && !goes_on {
        return came;
    }
    let got = came.iter().map(|one| total(&|other| alone || other.code == one.code, one.unit));
    match got.collect::<Option<Vec<Quantity>>>() {
        Some(got) => {
            came.into_iter().zip(got).map(|(one, quantity)| Passed { quantity, ..one }).collect()
        }
        None => came,
    }
}

fn in_base_unit(quantity: Quantity, unit: UnitCode) -> (Quantity, UnitCode) {
    let bases = BASES.iter().filter_map(|code| code.parse::<UnitCode>().ok());
    let converted = bases.filter_map(|base| Some((unit.convert(quantity, base).ok()?, base)));
    converted.into_iter().next().unwrap_or((quantity, unit))
}

/// Statements that write what events say and compare it with what the others said. `now` is when the
/// events are registered, Unix ms.
pub(crate) fn write(now: i64, events: Vec<(i64, Vec<Line>)>) -> Vec<Sql> {
    // In one order for all, so that those who write at once wait for each other and not in a ring.
    let (mut matches, mut lines) = (BTreeMap::new(), Vec::new());
    for (event, line) in events
        .into_iter()
        .flat_map(|(event, lines)| lines.into_iter().map(move |line| (event, line)))
    {
        lines.push(vec![
            (&line.id).into(),
            event.into(),
            line.side.code().into(),
            line.quantity.scaled().into(),
            line.unit.as_str().into(),
            line.day.into(),
        ]);
        matches.entry(line.id.clone()).or_insert_with(|| row(now, line));
    }
    if matches.is_empty() {
        return Vec::new();
    }
    let ids: Vec<String> = matches.keys().cloned().collect();
    let mut statements = insert_rows(
        "INSERT INTO trace_match (id, opened_at, domain, giver_id, giver_region, receiver_id, \
         receiver_region, voucher, batch, unit)",
        // Changes nothing, and waits for whoever writes the same one.
        "ON CONFLICT (id) DO UPDATE SET batch = trace_match.batch",
        matches.into_values().collect(),
    );
    statements.extend(insert_rows(
        "INSERT INTO trace_match_line (match_id, event_id, side, quantity, unit, day)",
        "",
        lines,
    ));
    statements.extend(compare(|sql| {
        sql.bind_texts(ids.iter().map(String::as_str));
    }));
    statements
}

fn row(now: i64, line: Line) -> Vec<SqlValue> {
    vec![
        line.id.into(),
        now.into(),
        line.domain.into(),
        line.giver.0.into(),
        line.giver.1.into(),
        line.receiver.0.into(),
        line.receiver.1.into(),
        line.voucher.into(),
        line.batch.into(),
        line.unit.as_str().into(),
    ]
}

/// Statements for when an event has been corrected: what it said counts no more.
pub(crate) fn withdraw(event: i64) -> Vec<Sql> {
    let of_event = |sql: &mut Sql| {
        sql.push("IN (SELECT match_id FROM trace_match_line WHERE event_id = ").bind(event);
        sql.push(")");
    };
    let mut wait = Sql::new("UPDATE trace_match SET batch = batch WHERE id ");
    of_event(&mut wait);
    std::iter::once(wait).chain(compare(of_event)).collect()
}

/// What both sides said of each transaction, summed up: identifier, given, received, their days, units.
/// Without `WHERE` and `GROUP BY`.
fn sums() -> String {
    // In floating point, which is exact far beyond the bound and cannot overflow.
    let sum = |side: Side| {
        let sum = format!(
            "COALESCE(SUM(CASE WHEN e.id IS NOT NULL AND l.side = {} \
             THEN CAST(l.quantity AS DOUBLE PRECISION) END), 0)",
            side.code()
        );
        format!("CAST(CASE WHEN {sum} > {SUM_MAX} THEN {SUM_MAX} ELSE {sum} END AS BIGINT)")
    };
    let day = |side: Side| {
        format!("MIN(CASE WHEN e.id IS NOT NULL AND l.side = {} THEN l.day END)", side.code())
    };
    format!(
        "SELECT m.id, {} AS given, {} AS received, {} AS given_day, {} AS received_day, \
         COUNT(DISTINCT CASE WHEN e.id IS NOT NULL THEN l.unit END) AS units, \
         COUNT(l.event_id) AS lines \
         FROM trace_match m LEFT JOIN trace_match_line l ON l.match_id = m.id \
         LEFT JOIN trace_event e ON e.id = l.event_id AND e.state = 'accepted' WHERE m.id ",
        sum(Side::Given),
        sum(Side::Received),
        day(Side::Given),
        day(Side::Received)
    )
}

/// Asks what some transactions come to by their lines, beside what their rows say.
pub(crate) fn recomputed(ids: &[&str]) -> Sql {
    let mut sql = Sql::new(
        "SELECT s.id, s.given, s.received, s.given_day, s.received_day, s.units, m.given, m.received, \
         m.given_day, m.received_day, m.units, m.state, s.lines, m.opened_at FROM (",
    );
    sql.push(&sums()).bind_texts(ids.iter().copied());
    sql.push(" GROUP BY m.id) AS s JOIN trace_match m ON m.id = s.id ORDER BY s.id");
    sql
}

/// How what both sides said compares; the same as [`compare`] writes.
pub(crate) const fn state(
    (given, received, units): (i64, i64, i64),
    days: (Option<i64>, Option<i64>),
) -> &'static str {
    match days {
        (None, None) => "void",
        (Some(_), None) => "given",
        (None, Some(_)) => "received",
        (Some(_), Some(_)) if units > 1 || given != received || given >= SUM_MAX => "quantity",
        (Some(given), Some(received)) if received < given || received >= given + DAYS_LATE => "day",
        _ => "matched",
    }
}

/// Sums up what both sides said and says how it compares. `which` writes the condition on `id`.
fn compare(which: impl Fn(&mut Sql)) -> [Sql; 2] {
    let mut all = Sql::new(
        "UPDATE trace_match SET given = s.given, received = s.received, given_day = s.given_day, \
         received_day = s.received_day, units = s.units FROM (",
    );
    all.push(&sums());
    which(&mut all);
    all.push(" GROUP BY m.id) AS s WHERE s.id = trace_match.id");
    let mut state = Sql::new(
        "UPDATE trace_match SET state = CASE \
         WHEN given_day IS NULL AND received_day IS NULL THEN 'void' \
         WHEN received_day IS NULL THEN 'given' WHEN given_day IS NULL THEN 'received' \
         WHEN units > 1 OR given <> received OR given >= ",
    );
    state.bind(SUM_MAX).push(
        " THEN 'quantity' \
         WHEN received_day < given_day OR received_day >= given_day + ",
    );
    state.bind(DAYS_LATE).push(" THEN 'day' ELSE 'matched' END WHERE id ");
    which(&mut state);
    [all, state]
}
