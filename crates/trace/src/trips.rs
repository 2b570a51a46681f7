//! 一车一趟一单 (handbook §4.6): a vehicle makes one trip at a time, under one bill, whatever door its bills
//! come in by.

use serde_json::Value;
use yj_domain::Trips;
use yj_kernel::{Problem, Result, Row, Sql, SqlValue, Tx, insert_rows};
use yj_model::{OffsetTime, former_code};

use crate::event::Checked;

/// No trip lasts longer; bills that set out earlier are not looked at.
const LONGEST_MS: i64 = 30 * 86_400_000;
/// Bills of a vehicle around one trip that are looked at.
const AROUND_MAX: i64 = 200;

/// A trip as a bill says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trip {
    /// Number plate in the form in which plates are compared.
    vehicle: String,
    /// Unix ms.
    departs: i64,
    /// Unix ms; `None` where it has not arrived.
    arrives: Option<i64>,
    /// Whether it has set out when the bill says so; else it is a plan.
    is_under_way: bool,
    bill: String,
    /// Identifier of who makes it.
    subject: String,
}

impl Trip {
    /// The trip of an event; `None` where it has none, or none takes place.
    pub(crate) fn of(rule: Option<&Trips>, subject: &str, said: (&Value, i64)) -> Option<Self> {
        let (rule, (attributes, time)) = (rule?, said);
        let text = |name: &str| attributes[name].as_str();
        let takes_place =
            |when: &String| text(when).is_some_and(|code| rule.is.iter().any(|one| one == code));
        if !rule.when.as_ref().is_none_or(takes_place) {
            return None;
        }
        let moment = |name: &str| text(name)?.parse::<OffsetTime>().ok().map(OffsetTime::unix_ms);
        let departs = moment(&rule.departs)?;
        Some(Self {
            vehicle: former_code(text(&rule.vehicle)?),
            departs,
            arrives: moment(&rule.arrives),
            is_under_way: time >= departs,
            bill: String::from(text(&rule.bill)?),
            subject: String::from(subject),
        })
    }

    /// The trip of an event that is captured.
    pub(crate) fn of_event(event: &Checked, subject: &str) -> Option<Self> {
        let said = (&event.body["attributes"], event.time.unix_ms());
        Self::of(event.spec.trips.as_ref(), subject, said)
    }

    /// Whether both cannot be. Of a trip that has not arrived it is only known that the vehicle is not on
    /// another one; a plan may lie behind it.
    fn clashes(&self, other: &Self) -> bool {
        let same_bill = (&self.bill, &self.subject) == (&other.bill, &other.subject);
        if same_bill || self.vehicle != other.vehicle {
            return false;
        }
        let (first, second) =
            if self.departs <= other.departs { (self, other) } else { (other, self) };
        first.departs == second.departs
            || match first.arrives {
                Some(end) => second.departs < end,
                None => first.is_under_way && second.is_under_way,
            }
    }

    /// The row that it is found by.
    pub(crate) fn row(&self, (event, time): (i64, i64)) -> Vec<SqlValue> {
        vec![self.vehicle.as_str().into(), self.departs.into(), event.into(), time.into()]
    }
}

/// Statements that write trips.
pub(crate) fn write(rows: Vec<Vec<SqlValue>>) -> Vec<Sql> {
    insert_rows("INSERT INTO trace_trip (vehicle, departs, event_id, event_time)", "", rows)
}

/// Refuses a second trip of the same carrier at the same time; why somebody must look at one where another
/// carrier has it. `others` are of the same batch; what does not `stand` is taken back at this moment.
pub(crate) async fn review_reason(
    tx: &mut Tx,
    (event, trip): (&Checked, Option<&Trip>),
    others: impl Iterator<Item = Trip>,
    stands: impl Fn(i64) -> bool,
) -> Result<Option<String>> {
    let (Some(trip), Some(rule)) = (trip, &event.spec.trips) else { return Ok(None) };
    let rows = tx.fetch(query(trip, event)).await?;
    let stored = rows.iter().map(|row| read(rule, row)).collect::<Result<Vec<_>>>()?;
    let stored = stored.into_iter().filter(|(id, _)| stands(*id)).filter_map(|(_, trip)| trip);
    let clashing: Vec<Trip> = stored.chain(others).filter(|one| trip.clashes(one)).collect();
    if let Some(own) = clashing.iter().find(|one| one.subject == trip.subject) {
        let field = format!("attributes.{}", rule.vehicle);
        return Err(Problem::invalid(field, refusal(rule, event, own)));
    }
    let reason =
        || format!("不符合规则“{}”：这辆车在这段时间另有其他承运人的运单，须由他人核实", rule.name);
    Ok((!clashing.is_empty()).then(reason))
}

fn refusal(rule: &Trips, event: &Checked, other: &Trip) -> String {
    let vehicle = event.body["attributes"][&rule.vehicle].as_str().unwrap_or_default();
    let words = |time| {
        OffsetTime::from_parts(time, 480).map_or_else(|_| String::new(), OffsetTime::in_words)
    };
    let (bill, departs) = (&other.bill, words(other.departs));
    let detail = match other.arrives {
        Some(arrives) => format!("{departs} 起运、{} 到达", words(arrives)),
        None => format!("{departs} 起运、尚未登记到达"),
    };
    format!(
        "不符合规则“{}”：车辆 {vehicle} 已有运单 {bill}（{detail}），与本趟重叠，应一车一趟一单；\
         原运单到达或作废后方可另开",
        rule.name
    )
}

fn query(trip: &Trip, event: &Checked) -> Sql {
    let mut sql = Sql::new(
        "SELECT e.id, e.subject_id, e.event_time, e.body FROM trace_trip t JOIN trace_event e \
         ON e.id = t.event_id AND e.event_time = t.event_time \
         WHERE e.state IN ('accepted', 'held') AND t.vehicle = ",
    );
    sql.bind(trip.vehicle.as_str()).push(" AND t.departs > ").bind(trip.departs - LONGEST_MS);
    sql.push(" AND t.departs < ").bind(trip.departs + LONGEST_MS);
    sql.push(" AND e.domain = ").bind(event.domain.as_str());
    sql.push(" AND e.kind = ").bind(event.spec.code.as_str());
    sql.push(" ORDER BY t.departs DESC LIMIT ").bind(AROUND_MAX);
    sql
}

fn read(rule: &Trips, row: &Row) -> Result<(i64, Option<Trip>)> {
    let body: Value = row.json(3)?;
    let trip = Trip::of(Some(rule), row.text(1)?, (&body["attributes"], row.int(2)?));
    Ok((row.int(0)?, trip))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trip(bill: &str, departs: i64, arrives: Option<i64>) -> Trip {
        Trip {
            vehicle: String::from("陕A1"),
            departs,
            arrives,
            is_under_way: true,
            bill: String::from(bill),
            subject: String::from("s"),
        }
    }

    #[test]
    fn a_vehicle_is_on_one_trip_at_a_time() {
        let first = trip("A", 10, Some(20));
        assert!(first.clashes(&trip("B", 10, None)));
        assert!(first.clashes(&trip("B", 15, None)) && trip("B", 15, None).clashes(&first));
        assert!(first.clashes(&trip("B", 5, Some(11))));
        // One begins where the other ends, and a bill in its next state is the same.
        assert!(!first.clashes(&trip("B", 20, Some(30))));
        assert!(!first.clashes(&trip("A", 10, Some(25))));
        // Under way twice is once too often; a plan for tomorrow is none.
        let open = trip("A", 10, None);
        assert!(open.clashes(&trip("B", 40, None)));
        assert!(!open.clashes(&Trip { is_under_way: false, ..trip("B", 40, None) }));
        assert!(!first.clashes(&Trip { vehicle: String::from("陕A2"), ..trip("B", 15, None) }));
    }
}
