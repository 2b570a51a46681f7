//! What is kept already of the events that error declarations are about.

use std::collections::{BTreeMap, BTreeSet};

use yj_epcis::ErrorDeclaration;
use yj_kernel::{Ctx, Result, Sql, Tx};
use yj_subject::SubjectBrief;

use super::{
    prepare::{Prepared, Role, bounded},
    store::{self, EVENT},
};

/// An event by its subject and its eventID.
pub(crate) type Name = (String, String);

/// An event that was kept.
pub(crate) struct Known {
    pub(crate) uid: String,
    /// The 追溯事件 that it told.
    pub(crate) trace: Option<String>,
    /// Its domain and stage.
    pub(crate) place: Option<(String, String)>,
    pub(crate) captured_by: String,
}

/// A declaration whose correcting event had not come.
pub(crate) struct Waiting {
    pub(crate) uid: String,
    /// What it declares wrong.
    pub(crate) original: Name,
    pub(crate) declaration: Option<ErrorDeclaration>,
}

/// Nothing where no declaration is concerned.
#[derive(Default)]
pub(crate) struct Past {
    known: BTreeMap<Name, Known>,
    /// By subject and the correcting event's eventID as it is searched for.
    waiting: BTreeMap<Name, Waiting>,
}

impl Past {
    pub(crate) async fn load(
        ctx: &Ctx,
        tx: &mut Tx,
        keep: &[(&Prepared, &SubjectBrief)],
    ) -> Result<Self> {
        let declared = |prepared: &Prepared| prepared.event.error_declaration.is_some();
        let plain = keep.iter().filter(|(prepared, _)| !declared(prepared));
        let terms: Vec<String> = plain.map(|(prepared, _)| bounded(prepared.id.clone())).collect();
        let waiting = waiting(ctx, tx, &terms).await?;
        let mut ids: BTreeSet<&str> = waiting.values().map(|one| one.original.1.as_str()).collect();
        for (prepared, _) in keep {
            if let Some(declaration) = &prepared.event.error_declaration {
                ids.insert(&prepared.id);
                ids.extend(declaration.corrective_event_ids.iter().map(String::as_str));
            }
        }
        let known = if ids.is_empty() { BTreeMap::new() } else { known(tx, &ids).await? };
        Ok(Self { known, waiting })
    }

    pub(crate) fn known(&self, name: &Name) -> Option<&Known> {
        self.known.get(name)
    }

    /// The declaration that has waited for this event.
    pub(crate) fn waiting(&self, (subject, id): &Name) -> Option<&Waiting> {
        self.waiting.get(&(subject.clone(), bounded(id.clone())))
    }
}

async fn known(tx: &mut Tx, ids: &BTreeSet<&str>) -> Result<BTreeMap<Name, Known>> {
    let mut sql = Sql::new(
        "SELECT e.subject_id, e.event_id, e.uid, e.trace_uid, e.domain, e.stage, c.created_by \
         FROM epcis_event e JOIN epcis_capture c ON c.id = e.capture_id \
         WHERE e.declared = 0 AND e.event_id ",
    );
    sql.bind_texts(ids.iter().copied());
    let mut known = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let text = |index| row.text(index).map(String::from);
        let maybe = |index| row.text_opt(index).map(|text| text.map(String::from));
        let one = Known {
            uid: text(2)?,
            trace: maybe(3)?,
            place: maybe(4)?.zip(maybe(5)?),
            captured_by: text(6)?,
        };
        known.insert((text(0)?, text(1)?), one);
    }
    Ok(known)
}

async fn waiting(ctx: &Ctx, tx: &mut Tx, terms: &[String]) -> Result<BTreeMap<Name, Waiting>> {
    let mut waiting = BTreeMap::new();
    if terms.is_empty() {
        return Ok(waiting);
    }
    let mut sql = Sql::new(
        "SELECT t.term, e.seq, e.uid, e.subject_id, e.event_id FROM epcis_term t \
         JOIN epcis_event e ON e.seq = t.seq \
         WHERE e.declared = 1 AND e.trace_uid IS NULL AND e.reason = 'awaits_corrective' AND t.role = ",
    );
    sql.bind(Role::Corrective.code()).push(" AND t.term ");
    sql.bind_texts(terms.iter().map(String::as_str)).push(" ORDER BY e.seq");
    let found = tx.fetch(sql).await?;
    if found.is_empty() {
        return Ok(waiting);
    }
    let mut sql = Sql::new(EVENT);
    let seqs = found.iter().map(|row| row.int(1)).collect::<Result<BTreeSet<_>>>()?;
    sql.push(" WHERE e.seq ").bind_ints(seqs);
    let rows = tx.fetch(sql).await?;
    let kept = store::read(ctx, tx, &rows).await?;
    let mut declared: BTreeMap<i64, _> = kept.into_iter().map(|kept| (kept.seq, kept)).collect();
    for row in &found {
        let text = |index| row.text(index).map(String::from);
        let one = Waiting {
            uid: text(2)?,
            original: (text(3)?, text(4)?),
            declaration: declared.remove(&row.int(1)?).and_then(|one| one.event.error_declaration),
        };
        waiting.entry((text(3)?, text(0)?)).or_insert(one);
    }
    Ok(waiting)
}
