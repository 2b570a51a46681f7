//! What there is to ask for under the top-level resources: each thing once for each place that may see
//! it, whatever the number of events that mention it.

use std::collections::BTreeSet;

use yj_kernel::{Columns, Ctx, Reach, Result, Row, Scoping, Sql, SqlValue, Tx, insert_rows};

use super::{
    plan,
    prepare::{EXTENDED, Role, Term},
    store::NewEvent,
};

/// How its columns say who may see it.
const COLUMNS: Columns = Columns {
    region: Some("s.region"),
    subject: Some("s.subject_id"),
    organization: None,
    category: Reach::Equal("s.domain"),
    stage: Reach::Equal("s.stage"),
    label: None,
};

/// What is kept here of the things that events mention.
fn is_kept(term: &Term) -> bool {
    match term.role {
        Role::BizStep
        | Role::Disposition
        | Role::ReadPoint
        | Role::BizLocation
        | Role::Epc
        | Role::Parent
        | Role::InputEpc
        | Role::OutputEpc => true,
        Role::Type => term.spelling == EXTENDED,
        _ => false,
    }
}

/// Statements that keep what events mention.
pub(super) fn learn(events: &[NewEvent<'_>]) -> Vec<Sql> {
    let mut found: BTreeSet<[&str; 7]> = BTreeSet::new();
    for event in events {
        let (domain, stage) = (event.domain.as_deref(), event.stage.as_deref());
        found.extend(event.prepared.terms.iter().filter(|term| is_kept(term)).map(|term| {
            [
                term.role.code(),
                term.raw.as_str(),
                event.subject_id.as_str(),
                event.region.as_str(),
                domain.unwrap_or_default(),
                stage.unwrap_or_default(),
                term.spelling.as_str(),
            ]
        }));
    }
    let row = |one: [&str; 7]| one.into_iter().map(SqlValue::from).collect();
    insert_rows(
        "INSERT INTO epcis_seen (role, raw, subject_id, region, domain, stage, term)",
        "ON CONFLICT (role, raw, subject_id, region, domain, stage) DO NOTHING",
        found.into_iter().map(row).collect(),
    )
}

/// Keeps what an event mentions also for those who see its domain and stage, which were not known before.
pub(super) fn told(uid: &str, (domain, stage): (&str, &str)) -> Sql {
    let sql = Sql::new(
        "INSERT INTO epcis_seen (role, raw, subject_id, region, domain, stage, term) \
         SELECT s.role, s.raw, s.subject_id, s.region, $1, $2, s.term FROM epcis_event e \
         CROSS JOIN epcis_term t CROSS JOIN epcis_seen s WHERE e.uid = $3 AND t.seq = e.seq \
         AND s.role = t.role AND s.raw = t.raw AND s.subject_id = e.subject_id AND s.region = e.region \
         AND s.domain = '' AND s.stage = '' ON CONFLICT DO NOTHING",
    );
    sql.arg(domain).arg(stage).arg(uid)
}

/// Forgets what this event alone of its subject mentions.
pub(super) fn forget(seq: i64, subject_id: &str) -> Sql {
    let sql = Sql::new(
        "DELETE FROM epcis_seen WHERE subject_id = $1 \
         AND (role, raw) IN (SELECT t.role, t.raw FROM epcis_term t WHERE t.seq = $2) \
         AND NOT EXISTS (SELECT 1 FROM epcis_term o JOIN epcis_event e ON e.seq = o.seq \
         WHERE o.role = epcis_seen.role AND o.term = epcis_seen.term AND o.raw = epcis_seen.raw \
         AND o.seq <> $2 AND e.subject_id = $1)",
    );
    sql.arg(subject_id).arg(seq)
}

/// The first things within reach after one, as they were sent, in order. Each is leapt to from the one
/// before: what a million events mention is read once.
pub(super) async fn list(
    ctx: &Ctx,
    tx: &mut Tx,
    (roles, after, most): (&[Role], &str, i64),
) -> Result<BTreeSet<String>> {
    let next = |sql: &mut Sql, tx: &Tx, role: Role| {
        if role == Role::Type {
            sql.push(" AND s.term = ").bind(EXTENDED);
        }
        ctx.scope().narrow(sql, tx, Scoping::By(COLUMNS));
        sql.push(" ORDER BY s.raw LIMIT 1)");
    };
    let mut queries = Vec::with_capacity(roles.len());
    for &role in roles {
        let mut sql = Sql::new(
            "WITH RECURSIVE leap (raw) AS (SELECT (SELECT s.raw FROM epcis_seen s WHERE s.role = ",
        );
        sql.bind(role.code()).push(" AND s.raw > ").bind(after);
        next(&mut sql, tx, role);
        sql.push(" UNION ALL SELECT (SELECT s.raw FROM epcis_seen s WHERE s.role = ");
        sql.bind(role.code()).push(" AND s.raw > leap.raw");
        next(&mut sql, tx, role);
        sql.push(" FROM leap WHERE leap.raw IS NOT NULL) SELECT raw FROM leap WHERE raw IS NOT NULL LIMIT ");
        sql.bind(most);
        queries.push(sql);
    }
    tx.plan_by_indexes();
    let answers = tx.fetch_all(queries).await?;
    answers.iter().flatten().map(|row| row.text(0).map(String::from)).collect()
}

/// Whether something of this term is within reach; of one that was `sent` so, where that matters.
pub(super) async fn is_known(
    ctx: &Ctx,
    tx: &mut Tx,
    (roles, term, sent): (&[Role], &str, Option<&str>),
) -> Result<bool> {
    let mut sql = Sql::new("SELECT 1 FROM epcis_seen s WHERE s.role ");
    sql.bind_texts(roles.iter().map(|role| role.code())).push(" AND s.term = ").bind(term);
    if let Some(sent) = sent {
        sql.push(" AND s.raw = ").bind(sent);
    }
    ctx.scope().narrow(&mut sql, tx, Scoping::By(COLUMNS));
    sql.push(" LIMIT 1");
    tx.plan_by_indexes();
    Ok(tx.fetch_one(sql).await?.is_some())
}

/// One way in which something within reach was sent.
pub(super) struct Spelling {
    pub(super) term: String,
    pub(super) raw: String,
    /// Whose events say it so.
    pub(super) subject: String,
}

/// Every way in which things of these terms were sent.
pub(super) async fn spellings(
    ctx: &Ctx,
    tx: &mut Tx,
    (roles, terms): (&[Role], &BTreeSet<String>),
) -> Result<Vec<Spelling>> {
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql =
        Sql::new("SELECT DISTINCT s.term, s.raw, s.subject_id FROM epcis_seen s WHERE s.role ");
    sql.bind_texts(roles.iter().map(|role| role.code())).push(" AND s.term ");
    sql.bind_texts(terms.iter().map(String::as_str));
    ctx.scope().narrow(&mut sql, tx, Scoping::By(COLUMNS));
    tx.plan_by_indexes();
    let text = |row: &Row, at: usize| row.text(at).map(String::from);
    let read = |row: &Row| {
        Ok(Spelling { term: text(row, 0)?, raw: text(row, 1)?, subject: text(row, 2)? })
    };
    tx.fetch(sql).await?.iter().map(read).collect()
}

/// The terms of a role that begin with one of these texts, but for the texts themselves, whoever may see
/// them; none where there are more than [`TERMS_MAX`](plan::TERMS_MAX).
pub(super) async fn beginning(
    tx: &mut Tx,
    role: Role,
    heads: &[String],
) -> Result<Option<Vec<String>>> {
    if heads.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let mut sql = Sql::new("SELECT DISTINCT s.term FROM epcis_seen s WHERE s.role = ");
    sql.bind(role.code()).push(" AND (1 = 0");
    for head in heads {
        // `0` follows `/`: everything that begins so, and nothing else.
        let end = format!("{}0", head.trim_end_matches('/'));
        sql.push(" OR (s.term > ").bind(head.as_str()).push(" AND s.term < ").bind(end).push(")");
    }
    sql.push(")");
    plan::terms(tx, sql).await
}
