//! 删除 (S-35, ADR 41): what identifies a person in an event is erased with every copy of it, in one
//! transaction: the versions that it corrected and was corrected by, what others keep of it word for word,
//! and the files that it came in.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::future::BoxFuture;
use serde_json::json;
use yj_kernel::{Ctx, Problem, Result, Sql, Tx, audit, jobs, outbox, vault};
use yj_ledger::{Ground, Ledger, Projection};

use crate::{
    anchored::{Documents, Events},
    document::BatchDocument,
    keeping::Keeping,
    places, prices, query,
};

/// Versions of one event that are erased together.
const VERSIONS_MAX: usize = 1_000;

/// Whoever keeps events word for word beside the table of events.
pub trait Copies: Send + Sync {
    /// Erases with the transaction what is kept of an event; the names of the ledger's records that went
    /// with it, for [`Ledger::keep_erasure`] after the transaction. May be asked again.
    fn erase<'a>(
        &'a self,
        ctx: &'a Ctx,
        tx: &'a mut Tx,
        ledger: &'a Ledger,
        what: (&'a str, Ground),
    ) -> BoxFuture<'a, Result<Vec<String>>>;
}

/// Who erases, and what must be reached.
#[derive(Clone)]
pub struct Erasing {
    ledger: Ledger,
    copies: Arc<Vec<Box<dyn Copies>>>,
}

/// What is to be erased, on what ground and for what reason; the reason goes to the audit trail alone.
#[derive(Clone, Copy)]
pub(crate) struct Act<'a> {
    pub(crate) id: &'a str,
    pub(crate) ground: Ground,
    pub(crate) reason: &'a str,
}

/// A version of an event.
struct Version {
    state: String,
    subject_id: String,
}

impl Erasing {
    /// Erases in the tables of this crate and in these copies.
    pub fn new(ledger: &Ledger, copies: Vec<Box<dyn Copies>>) -> Self {
        Self { ledger: ledger.clone(), copies: Arc::new(copies) }
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// 删除个人信息: destroys the keys of an event's personal attributes. The event, its proof and the
    /// ledger stay, for they never held more than a commitment; copies that hold them word for word go.
    pub(crate) async fn attributes(&self, ctx: &Ctx, act: Act<'_>) -> Result<()> {
        let mut tx = ctx.begin().await?;
        query::one(ctx, &mut tx, act.id).await?;
        let versions = versions(&mut tx, act.id).await?;
        require_over(ctx, &mut tx, (&versions, act.ground)).await?;
        let gone = self.copies_of(ctx, &mut tx, (&versions, act.ground)).await?;
        note(ctx, &mut tx, "trace_event", act.id, json!({ "reason": act.reason }));
        tx.commit().await?;
        self.remember(ctx, &gone)
    }

    /// 整条删除: of an event whose subject is a natural person the anchored record itself leads to that
    /// person. Its text and its salt are destroyed, and a 墓碑 is left on the ledger; what went in and came
    /// out stays, for what others hold was made of it.
    pub(crate) async fn whole(&self, ctx: &Ctx, act: Act<'_>) -> Result<()> {
        let mut tx = ctx.begin().await?;
        query::one(ctx, &mut tx, act.id).await?;
        let versions = versions(&mut tx, act.id).await?;
        for version in versions.values() {
            require_person(&mut tx, &version.subject_id).await?;
            if version.state == "held" {
                let detail = "该事件或对它的更正还在待审，请先审核，再整条删除";
                return Err(Problem::Conflict(String::from(detail)));
            }
        }
        require_over(ctx, &mut tx, (&versions, act.ground)).await?;
        let mut gone = self.copies_of(ctx, &mut tx, (&versions, act.ground)).await?;
        for (uid, version) in &versions {
            if version.state != "rejected" {
                self.ledger.erase(ctx, &mut tx, (uid, act.ground)).await?;
            }
            Events.forget(ctx, &mut tx, uid).await?;
            gone.push(uid.clone());
        }
        let body = json!({ "reason": act.reason, "ground": act.ground, "whole": true });
        note(ctx, &mut tx, "trace_event", act.id, body);
        tx.commit().await?;
        self.remember(ctx, &gone)
    }

    /// The same of a 批次凭证 of a natural person.
    pub(crate) async fn document(&self, ctx: &Ctx, act: Act<'_>) -> Result<()> {
        let mut tx = ctx.begin().await?;
        let id = act.id.parse().map_err(|_| Problem::NotFound("批次凭证"))?;
        let stored = tx.get::<BatchDocument>(ctx, id).await?.data;
        require_person(&mut tx, &stored.subject_id.to_string()).await?;
        if erased(&mut tx, &[act.id]).await?.is_empty() {
            let keeping = Keeping::of_document(ctx, &mut tx, &stored).await?;
            keeping.require_over(act.ground, ctx.today(), "该凭证")?;
        }
        let records: Vec<&str> =
            [act.id].into_iter().chain(stored.void_record.as_deref()).collect();
        for record in &records {
            self.ledger.erase(ctx, &mut tx, (record, act.ground)).await?;
        }
        Documents.forget(ctx, &mut tx, act.id).await?;
        jobs::erase_record(ctx, &mut tx, ("batch_document", act.id)).await?;
        let told = "DELETE FROM outbox WHERE record = $1 AND topic LIKE 'batch_document.%'";
        tx.later([Sql::new(told).arg(act.id)]);
        let body = json!({ "reason": act.reason, "ground": act.ground, "whole": true });
        note(ctx, &mut tx, "batch_document", act.id, body);
        tx.commit().await?;
        let records: Vec<String> = records.into_iter().map(String::from).collect();
        self.remember(ctx, &records)
    }

    async fn copies_of(
        &self,
        ctx: &Ctx,
        tx: &mut Tx,
        (versions, ground): (&BTreeMap<String, Version>, Ground),
    ) -> Result<Vec<String>> {
        let uids: Vec<&str> = versions.keys().map(String::as_str).collect();
        vault::destroy(ctx, tx, &uids);
        tx.later([prices::forget_all(&uids)]);
        let mut gone = Vec::new();
        for uid in uids {
            for copies in self.copies.iter() {
                gone.extend(copies.erase(ctx, tx, &self.ledger, (uid, ground)).await?);
            }
            jobs::erase_record(ctx, tx, ("trace_event", uid)).await?;
        }
        Ok(gone)
    }

    fn remember(&self, ctx: &Ctx, records: &[String]) -> Result<()> {
        records.iter().try_for_each(|record| self.ledger.keep_erasure(ctx, record))
    }
}

fn note(ctx: &Ctx, tx: &mut Tx, entity: &'static str, id: &str, body: serde_json::Value) {
    audit::write(ctx, tx, audit::Entry { action: "erased", entity, record: id, body });
    outbox::announce(ctx, tx, (entity, "erased"), id, &json!({ "id": id }));
}

/// Refuses while a law has any of these versions kept. What was never taken in, and what is gone, is not
/// kept.
async fn require_over(
    ctx: &Ctx,
    tx: &mut Tx,
    (versions, ground): (&BTreeMap<String, Version>, Ground),
) -> Result<()> {
    let taken = versions.iter().filter(|(_, version)| version.state != "rejected");
    let taken: Vec<&str> = taken.map(|(uid, _)| uid.as_str()).collect();
    let gone = yj_ledger::erased_of(tx, &taken).await?;
    for uid in taken.into_iter().filter(|uid| !gone.contains(*uid)) {
        let Some(event) = places::event_by_uid(tx, uid, |_, _| {}).await? else { continue };
        let keeping = Keeping::of_event(ctx, tx, &event).await?;
        keeping.require_over(ground, ctx.today(), "该事件")?;
    }
    Ok(())
}

async fn require_person(tx: &mut Tx, subject_id: &str) -> Result<()> {
    if yj_subject::is_person(tx, subject_id).await? {
        return Ok(());
    }
    let detail = "只有主体为自然人、农户或个体工商户的记录可以整条删除；其他记录请用“删除个人信息”";
    Err(Problem::Conflict(String::from(detail)))
}

/// All versions of an event: those it corrected, those that corrected it, and those that were meant to.
async fn versions(tx: &mut Tx, uid: &str) -> Result<BTreeMap<String, Version>> {
    let (mut versions, mut asked) = (BTreeMap::new(), BTreeSet::new());
    let mut wanted = BTreeSet::from([String::from(uid)]);
    while !wanted.is_empty() {
        let names = || wanted.iter().map(String::as_str);
        let mut sql = Sql::new(
            "SELECT e.uid, e.correction_of, e.superseded_by, e.state, e.subject_id FROM trace_event e \
             WHERE e.id IN (SELECT k.id FROM trace_event_key k WHERE k.uid ",
        );
        sql.bind_texts(names()).push(") OR e.correction_of ").bind_texts(names());
        let mut next = BTreeSet::new();
        for row in tx.fetch(sql).await? {
            let text = |index| row.text(index).map(String::from);
            next.insert(text(0)?);
            next.extend(row.text_opt(1)?.map(String::from));
            next.extend(row.text_opt(2)?.map(String::from));
            versions.insert(text(0)?, Version { state: text(3)?, subject_id: text(4)? });
        }
        asked.append(&mut wanted);
        wanted = next.difference(&asked).cloned().collect();
        if versions.len() > VERSIONS_MAX {
            let detail = format!("该事件的更正超过 {VERSIONS_MAX} 次，不能一次删除");
            return Err(Problem::Conflict(detail));
        }
    }
    Ok(versions)
}

/// Which of these events were erased, or what identifies a person in them: neither they nor copies of
/// them are taken in again.
pub async fn erased(tx: &mut Tx, events: &[&str]) -> Result<BTreeSet<String>> {
    let mut erased = yj_ledger::erased_of(tx, events).await?;
    let mut sql = Sql::new("SELECT owner FROM data_key WHERE wrapped IS NULL AND owner ");
    sql.bind_texts(events.iter().copied());
    for row in tx.fetch(sql).await? {
        erased.insert(String::from(row.text(0)?));
    }
    Ok(erased)
}

/// The same of one.
pub async fn is_erased(tx: &mut Tx, event: &str) -> Result<bool> {
    Ok(!erased(tx, &[event]).await?.is_empty())
}
