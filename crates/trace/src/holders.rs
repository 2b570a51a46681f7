//! 分持 (ADR 50): who holds how much of a unit. A lot that is handed over in part under its own code is
//! held by several; what each holds adds up to the balance.

use std::collections::{BTreeMap, BTreeSet};

use yj_kernel::{Problem, Result, Row, Sql, SqlValue, Tx, insert_rows};

use crate::balance::Objects;

/// What each holds, in ten-thousandths of the unit's own unit; whoever holds nothing is not among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Holders {
    amounts: BTreeMap<String, i64>,
    /// Those whose amount differs from what is stored, and those who are the unit's holder no more or now.
    touched: BTreeSet<String>,
    /// Whether there are rows of it.
    stored: bool,
}

/// So much of a unit that an event took from another's hands into its subject's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handover {
    pub(crate) code: String,
    /// Identifiers of subjects.
    pub(crate) giver: String,
    pub(crate) receiver: String,
    /// In ten-thousandths, more than nothing.
    pub(crate) quantity: i64,
}

impl Handover {
    /// From a row of code, giver, receiver and quantity.
    pub(crate) fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            code: String::from(row.text(0)?),
            giver: String::from(row.text(1)?),
            receiver: String::from(row.text(2)?),
            quantity: row.int(3)?,
        })
    }
}

impl Holders {
    /// Of a unit of which one holds everything, or, where others hold what is `apart`, the rest; these are
    /// read by [`complete`].
    pub(crate) fn stored(holder: &str, balance: i64, apart: i64) -> Self {
        let mut holders = Self { stored: apart != 0, ..Self::default() };
        holders.put(holder, balance - apart);
        holders
    }

    /// Of a unit that is new.
    pub(crate) fn of_new(holder: &str, balance: i64) -> Self {
        let mut holders = Self::default();
        holders.add(holder, balance);
        holders
    }

    fn put(&mut self, holder: &str, amount: i64) {
        if amount == 0 {
            self.amounts.remove(holder);
        } else {
            self.amounts.insert(String::from(holder), amount);
        }
    }

    /// What somebody holds.
    pub(crate) fn amount(&self, holder: &str) -> i64 {
        self.amounts.get(holder).copied().unwrap_or(0)
    }

    /// Everybody who holds something, with what.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, i64)> {
        self.amounts.iter().map(|(holder, amount)| (holder.as_str(), *amount))
    }

    /// Whether more than one holds something.
    pub(crate) fn are_several(&self) -> bool {
        self.amounts.len() > 1
    }

    /// Gives somebody more; less than nothing takes away.
    pub(crate) fn add(&mut self, holder: &str, more: i64) {
        if more != 0 {
            self.put(holder, self.amount(holder) + more);
            self.touch(holder);
        }
    }

    /// Notes that somebody's row is to be written anew.
    pub(crate) fn touch(&mut self, holder: &str) {
        self.touched.insert(String::from(holder));
    }

    /// Moves what was handed over.
    pub(crate) fn hand_over(&mut self, handover: &Handover) {
        self.add(&handover.giver, -handover.quantity);
        self.add(&handover.receiver, handover.quantity);
    }

    /// What others than the unit's holder hold.
    pub(crate) fn apart(&self, holder: &str) -> i64 {
        self.all().filter(|(other, _)| *other != holder).map(|(_, amount)| amount).sum()
    }

    /// Whoever would hold less than nothing, because what went on was corrected, gets it back from those
    /// who have it: from the `first` in their order, then from anybody. Returns who gave whom how much.
    pub(crate) fn settle(&mut self, code: &str, first: &[&str]) -> Vec<Handover> {
        let short: Vec<(String, i64)> = self
            .all()
            .filter(|(_, amount)| *amount < 0)
            .map(|(short, amount)| (String::from(short), -amount))
            .collect();
        let mut settled = Vec::new();
        for (receiver, mut wanted) in short {
            let mut givers: Vec<String> = first.iter().map(|one| String::from(*one)).collect();
            givers.extend(self.all().map(|(other, _)| String::from(other)));
            for giver in givers {
                let quantity = self.amount(&giver).min(wanted);
                if quantity > 0 && giver != receiver {
                    let receiver = receiver.clone();
                    let handover = Handover { code: String::from(code), giver, receiver, quantity };
                    self.hand_over(&handover);
                    wanted -= quantity;
                    settled.push(handover);
                }
            }
        }
        settled
    }

    /// The rows to write of a unit, and the statements that delete the others, where several hold it or
    /// did.
    pub(crate) fn save(&mut self, (object, holder): (i64, &str)) -> (Vec<Vec<SqlValue>>, Vec<Sql>) {
        let touched = std::mem::take(&mut self.touched);
        let apart = self.apart(holder) != 0;
        let (mut rows, mut gone) = (Vec::new(), Vec::new());
        if apart || self.stored {
            for one in touched {
                let amount = self.amount(&one);
                if one != holder && amount > 0 {
                    rows.push(vec![object.into(), one.into(), amount.into()]);
                } else if self.stored {
                    let sql = "DELETE FROM trace_holding WHERE object_id = $1 AND subject_id = $2";
                    gone.push(Sql::new(sql).arg(object).arg(one));
                }
            }
        }
        self.stored = apart;
        (rows, gone)
    }
}

/// The statements that write rows of [`Holders::save`].
pub(crate) fn insert(rows: Vec<Vec<SqlValue>>) -> Vec<Sql> {
    insert_rows(
        "INSERT INTO trace_holding (object_id, subject_id, quantity)",
        "ON CONFLICT (object_id, subject_id) DO UPDATE SET quantity = excluded.quantity",
        rows,
    )
}

/// Reads who else holds something of those units that several hold.
pub(crate) async fn complete(tx: &mut Tx, objects: &mut Objects) -> Result<()> {
    let several = objects.values().filter(|object| object.holders.stored);
    let ids: Vec<i64> = several.filter_map(|object| object.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let mut found = parts(tx, &ids).await?;
    for object in objects.values_mut() {
        for (holder, amount) in object.id.and_then(|id| found.remove(&id)).unwrap_or_default() {
            object.holders.put(&holder, amount);
        }
    }
    Ok(())
}

/// What others than the last to put them out hold of some objects, by the numbers of these.
pub(crate) async fn parts(
    tx: &mut Tx,
    ids: &[i64],
) -> Result<BTreeMap<i64, BTreeMap<String, i64>>> {
    let mut sql =
        Sql::new("SELECT object_id, subject_id, quantity FROM trace_holding WHERE object_id ");
    sql.bind_ints(ids.iter().copied());
    let mut parts: BTreeMap<i64, BTreeMap<String, i64>> = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        parts.entry(row.int(0)?).or_default().insert(String::from(row.text(1)?), row.int(2)?);
    }
    Ok(parts)
}

/// The rows of `trace_handover` of an event, by its number and time (Unix ms).
pub(crate) fn handover_rows(
    (event, time): (i64, i64),
    handovers: &[Handover],
    objects: &Objects,
) -> Result<Vec<Vec<SqlValue>>> {
    // Between the same two a unit may have gone more than once.
    let mut sums: BTreeMap<(i64, &str, &str), i64> = BTreeMap::new();
    for one in handovers {
        let object = objects.get(&one.code).and_then(|object| object.id);
        let object = object
            .ok_or_else(|| Problem::internal("a handover of an object that was not saved"))?;
        *sums.entry((object, &one.giver, &one.receiver)).or_default() += one.quantity;
    }
    let rows = sums.into_iter().map(|((object, giver, receiver), quantity)| {
        vec![
            event.into(),
            object.into(),
            giver.into(),
            receiver.into(),
            quantity.into(),
            time.into(),
        ]
    });
    Ok(rows.collect())
}

/// The statements that write rows of [`handover_rows`].
pub(crate) fn insert_handovers(rows: Vec<Vec<SqlValue>>) -> Vec<Sql> {
    insert_rows(
        "INSERT INTO trace_handover (event_id, object_id, giver_id, receiver_id, quantity, event_time)",
        "",
        rows,
    )
}

/// What an event took from another's hands.
pub(crate) async fn handovers_of(tx: &mut Tx, event: i64) -> Result<Vec<Handover>> {
    let sql = Sql::new(
        "SELECT o.code, h.giver_id, h.receiver_id, h.quantity FROM trace_handover h \
         JOIN trace_object o ON o.id = h.object_id WHERE h.event_id = $1",
    );
    let rows = tx.fetch(sql.arg(event)).await?;
    rows.iter().map(Handover::read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_comes_back_from_who_has_it() {
        let mut holders = Holders::of_new("p", 100);
        let taken = |giver: &str, receiver: &str, quantity| Handover {
            code: String::from("X"),
            giver: String::from(giver),
            receiver: String::from(receiver),
            quantity,
        };
        holders.hand_over(&taken("p", "w", 40));
        assert_eq!((holders.amount("p"), holders.amount("w"), holders.apart("w")), (60, 40, 60));
        assert!(holders.settle("X", &["w"]).is_empty());
        // Only 50 were made, and 5 of them are with a third.
        holders.hand_over(&taken("w", "z", 5));
        holders.add("p", -70);
        assert_eq!(holders.settle("X", &["z"]), [taken("z", "p", 5), taken("w", "p", 5)]);
        assert_eq!(holders.all().collect::<Vec<_>>(), [("w", 30)]);
        assert!(!holders.are_several());
    }

    #[test]
    fn rows_are_written_only_of_what_several_hold() {
        let mut holders = Holders::of_new("p", 100);
        assert_eq!(holders.save((1, "p")).0.len(), 0);
        holders.add("p", -40);
        holders.add("w", 40);
        holders.touch("p");
        // Whoever put it out last is the unit's own holder.
        assert_eq!(holders.save((1, "w")).0, [vec![1_i64.into(), "p".into(), 60_i64.into()]]);
        holders.add("p", -60);
        let (rows, gone) = holders.save((1, "w"));
        assert_eq!((rows.len(), gone.len()), (0, 1));
        holders.add("w", -40);
        let (rows, gone) = holders.save((1, "w"));
        assert_eq!((rows.len(), gone.len()), (0, 0));
    }
}
