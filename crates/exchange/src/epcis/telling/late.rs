//! 迟到的来源 (ADR 49): events come in any order. One that could not be told because what it takes was not
//! known is kept, and told once an event has come that names the same things; or once it is sent again.

use std::collections::BTreeSet;

use yj_kernel::{Result, Row, Sql, Tx};

use super::{Slot, Teller, products};
use crate::epcis::{
    prepare::{Prepared, Role},
    store::{self, EVENT},
};

/// Each round tells what the round before has made known: as many as a thing has stations.
const ROUNDS_MAX: usize = 12;
/// Events of one round; the others wait for the next event that names what they name.
const ROUND_MAX: i64 = 500;
/// Terms that are asked for together.
const TOGETHER: usize = 2_000;

/// Where events name things that other events put out.
const ROLES: [Role; 7] = [
    Role::Epc,
    Role::Parent,
    Role::InputEpc,
    Role::OutputEpc,
    Role::Class,
    Role::InputClass,
    Role::OutputClass,
];

/// Columns for [`Late::read`].
const LATE: &str = "SELECT DISTINCT e.event_time, e.seq, e.uid, e.event_id FROM epcis_event e \
     JOIN epcis_capture c ON c.id = e.capture_id";

/// Why an event is not told of which it is only not known what it takes.
pub(super) const AWAITS_ORIGIN: &str = "awaits_origin";

/// Which of them wait: kept, not told, and no declaration of an error.
const WAITS: &str =
    " e.trace_uid IS NULL AND e.reason = 'awaits_origin' AND e.declared = 0 AND c.created_by = ";

/// Of those that are sent again any that was refused: what was wrong may have been put right.
const REFUSED: &str = " e.trace_uid IS NULL AND e.reason IN ('awaits_origin', 'refused') \
     AND e.declared = 0 AND c.created_by = ";

/// An event that was kept and could not be told.
struct Late {
    seq: i64,
    uid: String,
    event_id: String,
}

impl Late {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self { seq: row.int(1)?, uid: row.text(2)?.into(), event_id: row.text(3)?.into() })
    }
}

impl Teller<'_> {
    /// Tells what can be told now of what could not before; the names of those of `resent` that are told.
    pub(super) async fn late(
        &mut self,
        tx: &mut Tx,
        resent: &[&Prepared],
    ) -> Result<BTreeSet<String>> {
        let mut told = BTreeSet::new();
        let mut next = self.sent_again(tx, resent).await?;
        let mut terms = self.known_now();
        if next.is_empty() && (terms.is_empty() || !any(tx, self.tracer.actor()).await?) {
            return Ok(told);
        }
        for _ in 0..ROUNDS_MAX {
            next.extend(self.waiting_for(tx, &terms).await?);
            let new = self.try_again(tx, std::mem::take(&mut next)).await?;
            if new.is_empty() {
                break;
            }
            terms = named_by(tx, new.iter().map(|late| late.seq)).await?;
            told.extend(new.into_iter().map(|late| late.event_id));
        }
        told.retain(|id| resent.iter().any(|prepared| prepared.id == *id));
        Ok(told)
    }

    /// What the events of this chunk name that were told.
    fn known_now(&self) -> BTreeSet<String> {
        let told = self.keep.iter().zip(&self.told);
        let told = told.filter(|(_, told)| told.as_ref().is_some_and(|one| one.outcome.is_ok()));
        let terms = told.flat_map(|((prepared, _), _)| &prepared.terms);
        terms.filter(|term| ROLES.contains(&term.role)).map(|term| term.spelling.clone()).collect()
    }

    async fn sent_again(&self, tx: &mut Tx, resent: &[&Prepared]) -> Result<Vec<Late>> {
        if resent.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = Sql::new(LATE);
        sql.push(" WHERE").push(REFUSED).bind(self.tracer.actor()).push(" AND e.event_id ");
        sql.bind_texts(resent.iter().map(|prepared| prepared.id.as_str()));
        sql.push(" ORDER BY e.event_time, e.seq");
        tx.fetch(sql).await?.iter().map(Late::read).collect()
    }

    async fn waiting_for(&self, tx: &mut Tx, terms: &BTreeSet<String>) -> Result<Vec<Late>> {
        let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
        let mut found = Vec::new();
        for part in terms.chunks(TOGETHER) {
            let mut sql = Sql::new(LATE);
            sql.push(" JOIN epcis_term t ON t.seq = e.seq WHERE t.role ");
            sql.bind_texts(ROLES.iter().map(|role| role.code()));
            sql.push(" AND t.term ").bind_texts(part.iter().copied()).push(" AND");
            sql.push(WAITS).bind(self.tracer.actor());
            sql.push(" ORDER BY e.event_time, e.seq LIMIT ").bind(ROUND_MAX);
            for row in tx.fetch(sql).await? {
                found.push(Late::read(&row)?);
            }
        }
        Ok(found)
    }

    /// Tells events that were kept; those that could be told.
    async fn try_again(&mut self, tx: &mut Tx, mut late: Vec<Late>) -> Result<Vec<Late>> {
        if late.is_empty() {
            return Ok(late);
        }
        let mut sql = Sql::new(EVENT);
        sql.push(" WHERE e.seq ").bind_ints(late.iter().map(|one| one.seq));
        sql.push(" ORDER BY e.event_time, e.seq");
        let rows = tx.fetch(sql).await?;
        let kept = store::read(&self.tracer, tx, &rows).await?;
        let found = products(tx, kept.iter().map(|kept| &kept.event)).await?;
        self.products.extend(found);
        let subjects: BTreeSet<&str> = kept.iter().map(|kept| kept.subject.as_str()).collect();
        let subjects: Vec<&str> = subjects.into_iter().collect();
        let owners = yj_subject::by_ids(tx, &subjects).await?;
        for kept in &kept {
            let Some(owner) = owners.get(&kept.subject) else { continue };
            let Some(one) = late.iter().find(|one| one.seq == kept.seq) else { continue };
            let Ok((mut event, stage)) = self.tell(&kept.event, owner) else { continue };
            self.add_to_package(&mut event);
            let place = (event.domain.clone(), stage);
            self.group.push((event, Slot::Late { uid: one.uid.clone(), place }));
        }
        self.told_late.clear();
        self.flush(tx).await?;
        late.retain(|one| self.told_late.remove(&one.uid));
        Ok(late)
    }
}

/// Whether there is anything that waits.
async fn any(tx: &mut Tx, actor: &str) -> Result<bool> {
    let mut sql = Sql::new(
        "SELECT e.seq FROM epcis_event e JOIN epcis_capture c ON c.id = e.capture_id WHERE",
    );
    sql.push(WAITS).bind(actor).push(" LIMIT 1");
    Ok(tx.fetch_one(sql).await?.is_some())
}

/// What events name that were kept.
async fn named_by(tx: &mut Tx, seqs: impl Iterator<Item = i64>) -> Result<BTreeSet<String>> {
    let mut sql = Sql::new("SELECT term FROM epcis_term WHERE role ");
    sql.bind_texts(ROLES.iter().map(|role| role.code())).push(" AND seq ").bind_ints(seqs);
    tx.fetch(sql).await?.iter().map(|row| row.text(0).map(String::from)).collect()
}
