//! Which records of other systems became which events: a number is one enterprise's, and the same
//! number again is the same record or a later state of it.

use yj_kernel::{Ctx, Problem, Result, Sql, Tx};

use crate::{correction, query};

/// Of which record: its kind, in whose name, under which number.
pub(super) struct Key {
    pub(super) door: &'static str,
    /// Identifier of the subject.
    pub(super) party: String,
    pub(super) number: String,
}

/// What is known of a record.
pub(super) struct Known {
    /// SM3 of what it said.
    pub(super) digest: String,
    /// The event that stands for it now.
    pub(super) event: String,
    /// The event that stood for it before.
    pub(super) before: Option<String>,
    /// The state it was in, where it has states.
    pub(super) state: Option<String>,
}

/// Whether a number was used before.
pub(super) enum Standing {
    /// Not.
    Unknown,
    /// What it became was rejected: it was never said.
    Rejected,
    /// Its event is out of the caller's reach.
    Elsewhere,
    /// It has an event.
    There(Known),
}

/// Corrections by hand that are followed.
const CORRECTIONS_MAX: usize = 100;

/// Looks a number up.
pub(super) async fn look(ctx: &Ctx, tx: &mut Tx, key: &Key) -> Result<Standing> {
    let mut sql = Sql::new(
        "SELECT digest, event_uid, before_uid, state FROM trace_message \
         WHERE door = $1 AND party_id = $2 AND number = $3",
    );
    sql = sql.arg(key.door).arg(key.party.as_str()).arg(key.number.as_str());
    sql.push(tx.dialect().for_update());
    let Some(row) = tx.fetch_one(sql).await? else { return Ok(Standing::Unknown) };
    let mut known = Known {
        digest: String::from(row.text(0)?),
        event: String::from(row.text(1)?),
        before: row.text_opt(2)?.map(String::from),
        state: row.text_opt(3)?.map(String::from),
    };
    match query::one(ctx, tx, &known.event).await {
        Ok(_) => {}
        Err(Problem::NotFound(_)) => return Ok(Standing::Elsewhere),
        Err(problem) => return Err(problem),
    }
    for _ in 0..CORRECTIONS_MAX {
        let Some(event) = correction::by_uid(tx, &known.event).await? else { break };
        match (event.state.as_str(), event.superseded_by) {
            ("superseded", Some(by)) => known.event = by,
            ("rejected", _) => {
                // What was rejected was never said; what it was to follow still stands.
                let Some(before) = known.before.take() else { return Ok(Standing::Rejected) };
                known.event = before;
                known.digest.clear();
                known.state = None;
            }
            _ => break,
        }
    }
    Ok(Standing::There(known))
}

/// Notes what a record became, under a number that was not used before: should somebody else have
/// used it meanwhile, the transaction fails as a duplicate.
pub(super) fn note(ctx: &Ctx, tx: &mut Tx, key: Key, known: Known) {
    let sql = Sql::new(
        "INSERT INTO trace_message (door, party_id, number, digest, event_uid, before_uid, state, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    );
    let sql = sql.arg(key.door).arg(key.party).arg(key.number).arg(known.digest);
    let sql = sql.arg(known.event).arg(known.before).arg(known.state).arg(ctx.now_ms());
    tx.later([sql]);
}

/// Notes what stands for a record now, in the place of what stood for it; [`look`] has locked it.
pub(super) fn replace(ctx: &Ctx, tx: &mut Tx, key: Key, known: Known) {
    let sql = Sql::new(
        "UPDATE trace_message SET digest = $1, event_uid = $2, before_uid = $3, state = $4, recorded_at = $5 \
         WHERE door = $6 AND party_id = $7 AND number = $8",
    );
    let sql = sql.arg(known.digest).arg(known.event).arg(known.before).arg(known.state);
    let sql = sql.arg(ctx.now_ms()).arg(key.door).arg(key.party).arg(key.number);
    tx.later([sql]);
}
