//! 来源于平台之外: what events took that came with them from outside. The same code of an outside supplier
//! comes as often as goods under it do; what an event brought goes again when the event is taken back.

use std::collections::BTreeSet;

use serde_json::json;
use yj_kernel::{Problem, Result, Row, Sql, SqlValue, Tx, insert_rows};
use yj_model::Quantity;

use crate::{
    balance::{ObjectState, Objects},
    event::Checked,
    store,
};

/// So much of a unit, in the unit's own measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Brought {
    pub(crate) code: String,
    /// More than nothing.
    pub(crate) quantity: Quantity,
}

impl Checked {
    /// What a corrected event brought from outside its correction brings, whether it says so or not: by now
    /// the code is registered, and somebody may take it for one that is.
    pub(crate) fn bring_again(&mut self, outside: &BTreeSet<String>) {
        for (at, line) in self.inputs.iter_mut().enumerate() {
            if !line.external && outside.contains(line.code.as_str()) {
                line.external = true;
                self.body["inputs"][at]["external"] = json!(true);
            }
        }
    }
}

/// Those of the codes that an event brings from outside that are registered and came from there before.
pub(crate) async fn known(
    tx: &mut Tx,
    event: &Checked,
    objects: &Objects,
    meanwhile: impl Iterator<Item = &Brought>,
) -> Result<BTreeSet<String>> {
    let lines = event.inputs.iter().filter(|line| line.external);
    let said: BTreeSet<&str> = lines.map(|line| line.code.as_str()).collect();
    let registered = |code: &&&str| objects.contains_key(**code);
    let asked: Vec<&str> = said.iter().filter(registered).copied().collect();
    if asked.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut sql = Sql::new(
        "SELECT o.code FROM trace_object o \
         WHERE EXISTS (SELECT 1 FROM trace_brought b WHERE b.object_id = o.id) AND o.code ",
    );
    sql.bind_texts(asked.iter().copied());
    let rows = tx.fetch(sql).await?;
    let stored = rows.iter().map(|row| row.text(0).map(String::from));
    let mut known = stored.collect::<Result<BTreeSet<String>>>()?;
    let outside = |code: &&str| {
        objects.get(*code).is_some_and(|object| object.state == ObjectState::External)
    };
    known.extend(asked.iter().filter(|code| outside(code)).map(|code| String::from(*code)));
    let meanwhile = meanwhile.filter(|one| said.contains(one.code.as_str()));
    known.extend(meanwhile.map(|one| one.code.clone()));
    Ok(known)
}

/// What an event brought.
pub(crate) async fn of_event(tx: &mut Tx, event: i64) -> Result<Vec<Brought>> {
    let sql = Sql::new(
        "SELECT o.code, b.quantity FROM trace_brought b JOIN trace_object o ON o.id = b.object_id \
         WHERE b.event_id = $1",
    );
    let one = |row: &Row| {
        Ok(Brought { code: String::from(row.text(0)?), quantity: store::quantity(row.int(1)?)? })
    };
    tx.fetch(sql.arg(event)).await?.iter().map(one).collect()
}

/// The rows of an event, by its number and time (Unix ms).
pub(crate) fn rows(
    (event, time): (i64, i64),
    brought: &[Brought],
    objects: &Objects,
) -> Result<Vec<Vec<SqlValue>>> {
    let row = |one: &Brought| {
        let object = objects.get(&one.code).and_then(|object| object.id);
        let object = object.ok_or_else(|| Problem::internal("an object that was not saved"))?;
        Ok(vec![event.into(), object.into(), one.quantity.scaled().into(), time.into()])
    };
    brought.iter().map(row).collect()
}

/// Statements that write rows.
pub(crate) fn insert(rows: Vec<Vec<SqlValue>>) -> Vec<Sql> {
    insert_rows("INSERT INTO trace_brought (event_id, object_id, quantity, event_time)", "", rows)
}
