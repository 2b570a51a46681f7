//! What waits in the database, and what is said of it there once it has its place.

use std::collections::BTreeMap;

use yj_crypto::{PublicKey, from_hex, to_hex};
use yj_kernel::{App, Problem, Result, Row, Sql};
use yj_proof::{Envelope, Hash, KeyEntry, KeyUse, merkle};

/// Records of one block at most.
pub(crate) const BLOCK_MAX: i64 = 5_000;
/// Changes of the key register in one block at most.
const ORDERS_MAX: i64 = 500;
/// So long an organisation with a key of its own has to sign a record; then the platform does.
pub(crate) const SIGNING_MS: i64 = 10 * 60 * 1_000;

/// Nothing waits for a signature for longer than this, whatever its row says.
const HELD_MAX_MS: i64 = 6 * SIGNING_MS;

/// A queued record.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) id: i64,
    pub(crate) record: String,
    pub(crate) org: String,
    pub(crate) leaf: Hash,
    pub(crate) queued_at: i64,
    /// Until then its organisation may sign it; 0 where nobody has asked yet.
    pub(crate) due_at: i64,
}

/// A change of the key register that people have decided.
pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) enrols: bool,
    pub(crate) entry: KeyEntry,
}

const COLUMNS: &str = "SELECT id, record, org, queued_at, due_at, leaf, \
                       CASE WHEN leaf IS NULL THEN envelope END, \
                       CASE WHEN leaf IS NULL THEN salt END FROM anchor_entry ";

fn read(row: &Row) -> Result<Waiting> {
    let leaf = match row.blob_opt(5)? {
        Some(leaf) => leaf.try_into().map_err(Problem::internal)?,
        // Queued by a version that left this to the sequencer.
        None => leaf_of(row.text(6)?, row.blob(7)?)?,
    };
    Ok(Waiting {
        id: row.int(0)?,
        record: String::from(row.text(1)?),
        org: String::from(row.text(2)?),
        queued_at: row.int(3)?,
        due_at: row.int(4)?,
        leaf,
    })
}

/// The leaf of a stored envelope.
pub(crate) fn leaf_of(envelope: &str, salt: &[u8]) -> Result<Hash> {
    let envelope = Envelope::read(serde_json::from_str(envelope).map_err(Problem::internal)?);
    let salt = salt.try_into().map_err(Problem::internal)?;
    let entry = envelope.and_then(|envelope| envelope.entry(&salt));
    Ok(merkle::leaf(&entry.map_err(Problem::internal)?))
}

/// What is due, oldest first, and the changes of the key register.
pub(crate) async fn due(app: &App) -> Result<(Vec<Waiting>, Vec<Order>)> {
    let mut tx = app.db().snapshot().await?;
    tx.plan_by_indexes();
    let mut records = Sql::default();
    let now = app.now().as_millisecond();
    records.push(COLUMNS).push("WHERE state <> 'confirmed' AND (due_at <= ").bind(now);
    // Whatever stands in the row: nothing is held back for longer.
    records.push(" OR queued_at <= ").bind(now - HELD_MAX_MS);
    records.push(") ORDER BY due_at, id LIMIT ").bind(BLOCK_MAX);
    let orders = Sql::new(
        "SELECT id, act, org, kid, public_key, certificate FROM ledger_key_order \
         WHERE height IS NULL ORDER BY id LIMIT $1",
    );
    let found = tx.fetch_all(vec![records, orders.arg(ORDERS_MAX)]).await?;
    let [records, orders] = found.as_slice() else {
        return Err(Problem::internal("two questions have two answers"));
    };
    let records = records.iter().map(read).collect::<Result<_>>()?;
    Ok((records, orders.iter().map(order).collect::<Result<_>>()?))
}

fn order(row: &Row) -> Result<Order> {
    let key = from_hex(row.text(4)?).ok_or_else(|| Problem::internal("a key is not hex"))?;
    let entry = KeyEntry {
        org: String::from(row.text(2)?),
        kid: String::from(row.text(3)?),
        key: PublicKey::from_bytes(&key).map_err(Problem::internal)?,
        usage: KeyUse::Submission,
        valid_from: 0,
        revoked_at: u64::MAX,
        certificate: from_hex(row.text(5)?).unwrap_or([0; 32]),
    };
    Ok(Order { id: row.int(0)?, enrols: row.text(1)? == "enrol", entry })
}

/// Certain records, whether they are due or not.
pub(crate) async fn named(app: &App, records: &[&str]) -> Result<BTreeMap<String, Waiting>> {
    let mut sql = Sql::default();
    sql.push(COLUMNS).push("WHERE record ").bind_texts(records.iter().copied());
    let rows = app.db().snapshot().await?.fetch(sql).await?;
    let named = |row: &Row| read(row).map(|waiting| (waiting.record.clone(), waiting));
    rows.iter().map(named).collect()
}

/// What has come of a block.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Entries that have their place, with its height.
    pub(crate) settled: BTreeMap<i64, u64>,
    /// Entries that wait for their organisation's signature from now on.
    pub(crate) deferred: Vec<i64>,
    /// Changes of the key register that have their block, and its height.
    pub(crate) orders: (Vec<i64>, u64),
    /// Organisations that have no key any more.
    pub(crate) keyless: Vec<String>,
}

impl Outcome {
    /// How many entries of the queue it moves.
    pub(crate) fn moved(&self) -> usize {
        self.settled.len() + self.deferred.len() + self.orders.0.len() + self.keyless.len()
    }
}

/// Writes it down.
pub(crate) async fn mark(app: &App, outcome: &Outcome) -> Result<()> {
    let Outcome { settled, deferred, orders: (orders, ordered), keyless } = outcome;
    let height = |height: u64| i64::try_from(height).map_err(Problem::internal);
    let mut by_height: BTreeMap<u64, Vec<i64>> = BTreeMap::new();
    for (id, height) in settled {
        by_height.entry(*height).or_default().push(*id);
    }
    let now = app.now().as_millisecond();
    let mut statements = Vec::new();
    for (at, ids) in by_height {
        let mut sql = Sql::new("UPDATE anchor_entry SET state = 'confirmed', height = ");
        sql.bind(height(at)?).push(", confirmed_at = ").bind(now);
        sql.push(" WHERE id ").bind_ints(ids);
        statements.push(sql);
    }
    if !deferred.is_empty() {
        let mut sql = Sql::new("UPDATE anchor_entry SET due_at = ");
        sql.bind(now + SIGNING_MS).push(" WHERE id ").bind_ints(deferred.iter().copied());
        statements.push(sql);
    }
    if !orders.is_empty() {
        let mut sql = Sql::new("UPDATE ledger_key_order SET height = ");
        sql.bind(height(*ordered)?).push(" WHERE id ").bind_ints(orders.iter().copied());
        statements.push(sql);
    }
    if !keyless.is_empty() {
        let mut sql = Sql::new(
            "UPDATE anchor_entry SET due_at = 0 WHERE state <> 'confirmed' AND due_at > 0 AND org ",
        );
        sql.bind_texts(keyless.iter().map(String::as_str));
        statements.push(sql);
    }
    if statements.is_empty() {
        return Ok(());
    }
    let mut tx = app.db().begin().await?;
    tx.execute_all(statements).await?;
    tx.commit().await
}

/// A change of the key register, to be made with the next block.
pub struct KeyOrder<'a> {
    /// Code of the 追溯主体.
    pub org: &'a str,
    /// Name of the key.
    pub kid: &'a str,
    /// The key.
    pub key: &'a PublicKey,
    /// SM3 of its certificate.
    pub certificate: Option<Hash>,
    /// Whether it is to count from now on, or no longer.
    pub enrols: bool,
}

/// Orders a change of the key register, with the transaction that decides it.
pub fn order_key(ctx: &yj_kernel::Ctx, tx: &mut yj_kernel::Tx, order: &KeyOrder<'_>) {
    let sql = Sql::new(
        "INSERT INTO ledger_key_order (act, org, kid, public_key, certificate, ordered_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    );
    let certificate = order.certificate.map_or_else(String::new, |digest| to_hex(&digest));
    let sql = sql.arg(if order.enrols { "enrol" } else { "revoke" }).arg(order.org).arg(order.kid);
    let sql = sql.arg(to_hex(&order.key.to_bytes())).arg(certificate);
    tx.later([sql.arg(ctx.app().now().as_millisecond())]);
}

/// A record that waits for its organisation's signature, with all that the organisation needs to
/// compute for itself what it signs.
#[derive(Debug, serde::Serialize)]
pub struct Unsigned {
    /// The record.
    pub record: String,
    /// 存证原文，规范形式
    pub envelope: String,
    /// 记录盐，十六进制
    pub salt: String,
    /// Until then it may be signed; the platform signs it afterwards.
    pub due_at: serde_json::Value,
}

/// What waits for an organisation's signature, oldest first.
pub async fn unsigned(tx: &mut yj_kernel::Tx, org: &str, count: i64) -> Result<Vec<Unsigned>> {
    let sql = Sql::new(
        "SELECT record, envelope, salt, due_at FROM anchor_entry \
         WHERE state <> 'confirmed' AND due_at > 0 AND org = $1 ORDER BY id LIMIT $2",
    );
    let read = |row: &Row| {
        Ok(Unsigned {
            record: String::from(row.text(0)?),
            envelope: String::from(row.text(1)?),
            salt: to_hex(row.blob(2)?),
            due_at: yj_kernel::time_text(row.int(3)?)?,
        })
    };
    tx.fetch(sql.arg(org).arg(count)).await?.iter().map(read).collect()
}
