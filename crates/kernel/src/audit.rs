//! 行为审计 (G-5.4.3c, D-6.4.2.3, D-9.2.3): who did what to which record, written in the
//! transaction that did it and chained with SM3 in the order of commitment. Entries are only ever
//! added.

use serde_json::{Value, json};
use yj_crypto::{Digest, sm3, to_hex};

use crate::{
    ActorKind, Ctx, Dialect, Entity, Problem, Result, Row, Scope, Scoping, Sql, Tx,
    field::time_text, record,
};

/// One act worth remembering. Must not hold 个人信息 or secrets.
#[derive(Debug)]
pub struct Entry<'a> {
    /// `created`, `approved`, `exported`, `logged_in` …
    pub action: &'a str,
    /// What kind of thing was acted on.
    pub entity: &'a str,
    /// Which one.
    pub record: &'a str,
    /// Changed fields as `[before, after]`, or the particulars of the act: dataset, filter, row
    /// count and recipient where data were taken out.
    pub body: Value,
}

/// How an act ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

/// The columns that the chain covers, in the order in which it covers them.
const COVERED: &str = "id, at, node, source, actor, actor_kind, session, address, agent, action, \
                       entity, record, result, body, request_id";
const COVERED_COUNT: usize = 15;

/// An entry that waits for its place in the chain.
pub(crate) struct Waiting([String; COVERED_COUNT]);

/// Writes an entry in the name of the request, when the transaction commits.
pub fn write(ctx: &Ctx, tx: &mut Tx, entry: Entry<'_>) {
    write_as(ctx, tx, ("", Ending::Done), entry);
}

/// The same for an act that was refused, or one of a connected application (`source`).
pub fn write_as(ctx: &Ctx, tx: &mut Tx, (source, ending): (&str, Ending), entry: Entry<'_>) {
    let (principal, origin) = (ctx.principal(), ctx.origin());
    let kind = principal.administrator.unwrap_or(principal.kind.code());
    let result = match ending {
        Ending::Done => "done",
        Ending::Refused => "refused",
    };
    let fields = [
        &ctx.new_id::<()>().to_string(),
        &ctx.now_ms().to_string(),
        ctx.app().node(),
        source,
        ctx.actor(),
        kind,
        &principal.session,
        &origin.address.map(|address| address.to_string()).unwrap_or_default(),
        &origin.agent,
        entry.action,
        entry.entity,
        entry.record,
        result,
        &entry.body.to_string(),
        &ctx.request_id,
    ];
    tx.audit.push(Waiting(fields.map(String::from)));
}

/// `SM3(tag ‖ digest before ‖ lane ‖ seq ‖ (length ‖ text) of every covered column)`
fn link(before: &str, lane: i64, seq: i64, fields: &[String; COVERED_COUNT]) -> String {
    let mut message = Vec::with_capacity(512);
    message.extend_from_slice(b"YJ/audit/1\0");
    for text in [before, &lane.to_string(), &seq.to_string()] {
        prefixed(&mut message, text);
    }
    for text in fields {
        prefixed(&mut message, text);
    }
    sm3::hex(&sm3::digest(&message))
}

fn prefixed(message: &mut Vec<u8>, text: &str) {
    message.extend_from_slice(&(text.len() as u64).to_be_bytes());
    message.extend_from_slice(text.as_bytes());
}

/// Puts the entries of a transaction that is about to commit into a chain; whether there were
/// any. From then on nothing but they waits to be written.
pub(crate) async fn chain(tx: &mut Tx) -> Result<bool> {
    let waiting = std::mem::take(&mut tx.audit);
    if waiting.is_empty() {
        return Ok(false);
    }
    let (lane, mut seq, mut digest) = head(tx).await?;
    let mut rows = Vec::with_capacity(waiting.len());
    for Waiting(fields) in waiting {
        seq += 1;
        digest = link(&digest, lane, seq, &fields);
        let mut row: Vec<crate::SqlValue> = Vec::with_capacity(COVERED_COUNT + 3);
        for (index, field) in fields.into_iter().enumerate() {
            row.push(match index {
                1 => field.parse::<i64>().map_err(Problem::internal)?.into(),
                _ => field.into(),
            });
        }
        row.extend([lane.into(), seq.into(), digest.as_str().into()]);
        rows.push(row);
    }
    let insert = "INSERT INTO audit_log (id, at, node, source, actor, actor_kind, session, address, \
                  agent, action, entity, record, result, body, request_id, lane, seq, digest)";
    tx.later(crate::insert_rows(insert, "", rows));
    let advance = Sql::new("UPDATE audit_head SET seq = $1, digest = $2 WHERE lane = $3");
    tx.later([advance.arg(seq).arg(digest).arg(lane)]);
    Ok(true)
}

/// The end of a chain that nobody else is writing to, locked until the transaction ends.
async fn head(tx: &mut Tx) -> Result<(i64, i64, String)> {
    let queries: &[&str] = match tx.dialect() {
        Dialect::Sqlite => &["SELECT lane, seq, digest FROM audit_head WHERE lane = 0"],
        Dialect::Postgres => &[
            "SELECT lane, seq, digest FROM audit_head ORDER BY lane LIMIT 1 FOR UPDATE SKIP LOCKED",
            // More writers than chains: wait for the first.
            "SELECT lane, seq, digest FROM audit_head WHERE lane = 0 FOR UPDATE",
        ],
    };
    for query in queries {
        if let Some(row) = tx.fetch_one(Sql::new(query)).await? {
            return Ok((row.int(0)?, row.int(1)?, String::from(row.text(2)?)));
        }
    }
    Err(Problem::internal("audit_head is empty"))
}

/// The end of one chain, as it is anchored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Which chain.
    pub lane: i64,
    /// Number of its last entry; entries are numbered from 1.
    pub seq: i64,
    /// Digest of its last entry.
    pub digest: String,
}

/// The ends of all chains that have entries.
pub async fn heads(tx: &mut Tx) -> Result<Vec<Head>> {
    let sql = "SELECT lane, seq, digest FROM audit_head WHERE seq > 0 ORDER BY lane";
    let read = |row: &Row| {
        Ok(Head { lane: row.int(0)?, seq: row.int(1)?, digest: String::from(row.text(2)?) })
    };
    tx.fetch(Sql::new(sql)).await?.iter().map(read).collect()
}

/// What is wrong with the trail, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Which chain.
    pub lane: i64,
    /// Number of the entry.
    pub seq: i64,
    /// What was found.
    pub what: String,
}

/// What an examination of the whole trail found.
#[derive(Debug, Clone, Default)]
pub struct Examination {
    /// Entries examined.
    pub entries: u64,
    /// Chains examined.
    pub lanes: usize,
    /// The first flaw of every damaged chain.
    pub flaws: Vec<Flaw>,
}

/// Entries read at once.
const CHUNK: i64 = 2_000;

/// Computes every chain anew from its first entry and compares it with what is stored, with the
/// ends, and with `known`: ends that somebody else keeps, such as the ledger.
pub async fn examine(tx: &mut Tx, known: &[Head]) -> Result<Examination> {
    let mut examination = Examination::default();
    for end in heads(tx).await? {
        examination.lanes += 1;
        let of_lane = known.iter().filter(|head| head.lane == end.lane).cloned().collect();
        let (count, flaw) = examine_lane(tx, &end, of_lane).await?;
        examination.entries += count;
        examination.flaws.extend(flaw);
    }
    for head in known {
        let there = heads(tx).await?.iter().any(|end| end.lane == head.lane);
        if !there {
            let what = format!("存证过的第 {} 条已不存在", head.seq);
            examination.flaws.push(Flaw { lane: head.lane, seq: head.seq, what });
        }
    }
    Ok(examination)
}

async fn examine_lane(
    tx: &mut Tx,
    end: &Head,
    mut known: Vec<Head>,
) -> Result<(u64, Option<Flaw>)> {
    let lane = end.lane;
    let flaw = |seq: i64, what: String| Some(Flaw { lane, seq, what });
    let (mut seq, mut digest) = (0, String::new());
    loop {
        let mut sql = Sql::new("SELECT seq, digest, ");
        sql.push(COVERED).push(" FROM audit_log WHERE lane = ").bind(lane);
        sql.push(" AND seq > ").bind(seq).push(" ORDER BY seq LIMIT ").bind(CHUNK);
        let rows = tx.fetch(sql).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let count = u64::try_from(seq).unwrap_or(0);
            if row.int(0)? != seq + 1 {
                return Ok((count, flaw(seq + 1, String::from("缺失：该条被删除"))));
            }
            seq += 1;
            digest = link(&digest, lane, seq, &covered(&row)?);
            if digest != row.text(1)? {
                let what = format!("被改动：记录 {} 的内容与链上摘要不符", row.text(2)?);
                return Ok((count, flaw(seq, what)));
            }
            while let Some(at) = known.iter().position(|head| head.seq == seq) {
                let head = known.swap_remove(at);
                if head.digest != digest {
                    let what = String::from("整段被重算：与账本中存证的摘要不符");
                    return Ok((count, flaw(seq, what)));
                }
            }
        }
    }
    let count = u64::try_from(seq).unwrap_or(0);
    let missing = known.iter().map(|head| head.seq).max().unwrap_or(0).max(end.seq);
    if seq < missing {
        return Ok((count, flaw(seq + 1, format!("缺失：末尾至第 {missing} 条被删除"))));
    }
    if digest != end.digest {
        return Ok((count, flaw(seq, String::from("链尾记录与末条摘要不符"))));
    }
    Ok((count, None))
}

fn covered(row: &Row) -> Result<[String; COVERED_COUNT]> {
    let mut fields = [const { String::new() }; COVERED_COUNT];
    for (index, field) in fields.iter_mut().enumerate() {
        *field = match index {
            1 => row.int(3)?.to_string(),
            _ => String::from(row.text(index + 2)?),
        };
    }
    Ok(fields)
}

/// One digest over the ends of all chains: what the ledger keeps.
pub fn digest_of(heads: &[Head]) -> Digest {
    let mut message = Vec::from(b"YJ/audit-heads/1\0".as_slice());
    for head in heads {
        for text in [&head.lane.to_string(), &head.seq.to_string(), &head.digest] {
            prefixed(&mut message, text);
        }
    }
    sm3::digest(&message)
}

/// The digest of a secret, short enough to tell sessions apart in the trail and useless to
/// anybody else.
pub fn fingerprint(secret: &str) -> String {
    to_hex(&sm3::parts(&[b"YJ/fingerprint\0", secret.as_bytes()])[..8])
}

fn read(row: &Row) -> Result<Value> {
    Ok(json!({
        "id": row.text(0)?, "at": time_text(row.int(1)?)?, "node": row.text(2)?,
        "source": row.text(3)?, "actor": row.text(4)?, "actor_kind": row.text(5)?,
        "session": row.text(6)?, "address": row.text(7)?, "agent": row.text(8)?,
        "action": row.text(9)?, "entity": row.text(10)?, "record": row.text(11)?,
        "result": row.text(12)?, "changes": row.json::<Value>(13)?, "request_id": row.text(14)?,
        "lane": row.int(15)?, "seq": row.int(16)?, "digest": row.text(17)?,
    }))
}

fn columns() -> Sql {
    let mut sql = Sql::new("SELECT ");
    sql.push(COVERED).push(", lane, seq, digest FROM audit_log");
    sql
}

/// Most entries of one answer.
pub(crate) const ENTRIES_MAX: i64 = 200;

/// The trail of one record, oldest first: what was done, not from where.
pub(crate) async fn of_record(
    tx: &mut Tx,
    entity: &Entity,
    (id, most): (&str, i64),
) -> Result<Vec<Value>> {
    let mut sql = columns();
    // Not what connected applications write under the same name.
    sql.push(" WHERE source = '' AND entity = ").bind(entity.table);
    sql.push(" AND record = ").bind(id);
    sql.push(" ORDER BY id LIMIT ").bind(most);
    let brief = |row: &Row| {
        let mut entry = read(row)?;
        let said = entry["changes"].as_object_mut();
        let effective_on = said.and_then(|changes| changes.remove(record::EFFECTIVE_ON));
        Ok(json!({
            "id": entry["id"], "at": entry["at"], "actor": entry["actor"], "action": entry["action"],
            "entity": entry["entity"], "record": entry["record"], "changes": entry["changes"],
            "effective_on": effective_on,
        }))
    };
    tx.fetch(sql).await?.iter().map(brief).collect()
}

/// Entries of one chain behind a number, oldest first: for whoever keeps a copy elsewhere.
pub async fn after(tx: &mut Tx, (lane, seq): (i64, i64), most: i64) -> Result<Vec<Value>> {
    let mut sql = columns();
    sql.push(" WHERE lane = ").bind(lane).push(" AND seq > ").bind(seq);
    sql.push(" ORDER BY seq LIMIT ").bind(most);
    tx.fetch(sql).await?.iter().map(read).collect()
}

/// Conditions on the trail, checked.
pub struct Search {
    conditions: Vec<(&'static str, crate::SqlValue)>,
    after: Option<String>,
    per_page: i64,
    actors: Option<(Scope, Actors)>,
}

/// How user names and their organisations are found: a SELECT that already has a WHERE.
pub type Actors = (&'static str, Scoping);

impl Search {
    /// Reads the query of `GET /api/v1/audit`.
    pub fn parse(query: &str) -> Result<Self> {
        let mut search = Self { conditions: Vec::new(), after: None, per_page: 50, actors: None };
        for (name, text) in form_urlencoded::parse(query.as_bytes()) {
            if text.is_empty() {
                continue;
            }
            let condition = match &*name {
                "entity" => " AND entity = ",
                "record" => " AND record = ",
                "actor" => " AND actor = ",
                "action" => " AND action = ",
                "source" => " AND source = ",
                "result" => " AND result = ",
                "address" => " AND address = ",
                "request_id" => " AND request_id = ",
                "at.from" => " AND at >= ",
                "at.to" => " AND at <= ",
                "after" => {
                    search.after = Some(text.into_owned());
                    continue;
                }
                "per_page" => {
                    search.per_page = crate::listing::number(&name, &text, ENTRIES_MAX)?;
                    continue;
                }
                _ => return Err(Problem::invalid(&*name, "没有这个查询条件")),
            };
            let value = match &*name {
                "at.from" | "at.to" => moment(&name, &text)?.into(),
                _ => (&*text).into(),
            };
            search.conditions.push((condition, value));
            if search.conditions.len() > crate::listing::CONDITIONS_MAX {
                return Err(crate::listing::too_many_conditions());
            }
        }
        Ok(search)
    }

    /// Only entries of one connected application.
    #[must_use]
    pub fn of_source(mut self, source: &str) -> Self {
        self.conditions.retain(|(condition, _)| *condition != " AND source = ");
        self.conditions.push((" AND source = ", source.into()));
        self
    }

    /// Only acts of those whom a scope reaches.
    #[must_use]
    pub fn of_those(self, scope: &Scope, actors: Actors) -> Self {
        let limited = !scope.is_everything();
        Self { actors: limited.then(|| (scope.clone(), actors)), ..self }
    }

    /// One page, newest first: `{items, next}`.
    pub async fn page(&self, tx: &mut Tx) -> Result<Value> {
        let mut sql = columns();
        sql.push(" WHERE 1 = 1");
        for (condition, value) in &self.conditions {
            sql.push(condition).bind(value.clone());
        }
        if let Some((scope, (select, scoping))) = &self.actors {
            sql.push(" AND actor IN (").push(select);
            scope.narrow(&mut sql, tx, *scoping);
            sql.push(")");
        }
        if let Some(after) = &self.after {
            sql.push(" AND id < ").bind(after.as_str());
        }
        sql.push(" ORDER BY id DESC LIMIT ").bind(self.per_page);
        let rows = tx.fetch(sql).await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        let full = i64::try_from(items.len()).is_ok_and(|count| count == self.per_page);
        let next = items.last().filter(|_| full).map(|item| item["id"].clone());
        Ok(json!({ "items": items, "next": next }))
    }

    /// Goes on after the page just read.
    pub fn follow(&mut self, next: &str) {
        self.after = Some(String::from(next));
    }

    /// Reads as much as one export may hold.
    #[must_use]
    pub fn in_chunks(self) -> Self {
        Self { per_page: ENTRIES_MAX, ..self }
    }
}

/// Whether somebody did something at least `count` times since a moment: for limits.
pub async fn done_since(tx: &mut Tx, (actor, action): (&str, &str), since_ms: i64) -> Result<i64> {
    let sql =
        Sql::new("SELECT COUNT(*) FROM audit_log WHERE actor = $1 AND action = $2 AND at >= $3");
    let row = tx.fetch_one(sql.arg(actor).arg(action).arg(since_ms)).await?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// Exports of one user that are added up.
const EXPORTS_MAX: i64 = 1_000;

/// Rows that somebody has exported since a moment.
pub async fn rows_exported(tx: &mut Tx, actor: &str, since_ms: i64) -> Result<i64> {
    let sql = Sql::new(
        "SELECT body FROM audit_log WHERE actor = $1 AND action = 'exported' AND at >= $2 \
         ORDER BY id DESC LIMIT $3",
    );
    let mut total = 0;
    for row in tx.fetch(sql.arg(actor).arg(since_ms).arg(EXPORTS_MAX)).await? {
        total += row.json::<Value>(0)?["rows"].as_i64().unwrap_or(0);
    }
    Ok(total)
}

/// Notes that a connected application took data out (D-9.2.3: 应用, 交换): dataset, filter, row
/// count, recipient. Nothing for people, whose reading is ordinary work.
pub async fn note_use(ctx: &Ctx, dataset: &str, (filter, rows): (&str, usize)) -> Result<()> {
    if ctx.principal().kind != ActorKind::Machine {
        return Ok(());
    }
    let body =
        json!({ "dataset": dataset, "query": filter, "rows": rows, "recipient": ctx.actor() });
    let mut tx = ctx.begin().await?;
    write(ctx, &mut tx, Entry { action: "queried", entity: dataset, record: "", body });
    tx.commit().await
}

fn moment(name: &str, text: &str) -> Result<i64> {
    let time: jiff::Timestamp = text
        .parse()
        .map_err(|_| Problem::invalid(name, "应为带时区的时间，如 2026-11-01T08:00:00+08:00"))?;
    Ok(time.as_millisecond())
}
