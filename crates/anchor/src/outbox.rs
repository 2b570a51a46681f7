//! The table of what is to be anchored, is under way, and stands.

use serde_json::{Value, json};
use yj_crypto::{from_hex, to_hex};
use yj_kernel::{Ctx, Problem, Result, Row, Sql, Tx, time_text};

use crate::{Chain, Mark, Offer, Place};

/// 锚定状态
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// 等待提交
    Waiting,
    /// 已提交，等待确认
    Sent,
    /// 已确认
    Confirmed,
    /// 失败
    Failed,
}

impl State {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Confirmed => "confirmed",
            Self::Failed => "failed",
        }
    }

    fn read(code: &str) -> Result<Self> {
        let all = [Self::Waiting, Self::Sent, Self::Confirmed, Self::Failed];
        let found = all.into_iter().find(|state| state.code() == code);
        found.ok_or_else(|| Problem::internal("no such state of an anchor"))
    }
}

/// One row.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) mark: Mark,
    pub(crate) state: State,
    pub(crate) offer: Option<Offer>,
    pub(crate) sent_at: Option<i64>,
    pub(crate) place: Option<Place>,
    pub(crate) depth: Option<u64>,
    pub(crate) attempts: i64,
    pub(crate) next_at: i64,
    pub(crate) error: Option<String>,
    pub(crate) confirmed_at: Option<i64>,
    /// For eyes: network, contract, account, when and by whom it was queued.
    described: [String; 4],
    created_at: i64,
}

const COLUMNS: &str = "id, network, contract, account, tree_size, root, height, block_id, state, tx, \
                       nonce, price, raw, sent_at, block_number, block_hash, depth, attempts, \
                       next_at, last_error, created_at, created_by, confirmed_at";

fn unsigned(row: &Row, at: usize) -> Result<Option<u64>> {
    row.int_opt(at)?.map(|value| u64::try_from(value).map_err(Problem::internal)).transpose()
}

impl Entry {
    /// Reads a row of the log with this fingerprint.
    fn read(row: &Row, origin: [u8; 32]) -> Result<Self> {
        let digest = |at: usize| {
            from_hex(row.text(at)?).ok_or_else(|| Problem::internal("a digest is no digest"))
        };
        let number = |at: usize| Ok::<_, Problem>(unsigned(row, at)?.unwrap_or_default());
        let offer = match (row.text_opt(9)?, unsigned(row, 10)?, row.blob_opt(12)?) {
            (Some(tx), Some(nonce), Some(raw)) => Some(Offer {
                tx: String::from(tx),
                nonce,
                price: row.parsed(11)?,
                raw: raw.to_vec(),
            }),
            _ => None,
        };
        let place = match (unsigned(row, 14)?, row.text_opt(15)?) {
            (Some(number), Some(hash)) => Some(Place { number, hash: String::from(hash) }),
            _ => None,
        };
        let described = [1, 2, 3, 21].map(|at| row.text(at).map(String::from));
        let [network, contract, account, by] = described;
        Ok(Self {
            id: String::from(row.text(0)?),
            mark: Mark {
                origin,
                size: number(4)?,
                root: digest(5)?,
                height: number(6)?,
                block_id: digest(7)?,
            },
            state: State::read(row.text(8)?)?,
            offer,
            sent_at: row.int_opt(13)?,
            place,
            depth: unsigned(row, 16)?,
            attempts: row.int(17)?,
            next_at: row.int(18)?,
            error: row.text_opt(19)?.map(String::from),
            confirmed_at: row.int_opt(22)?,
            described: [network?, contract?, account?, by?],
            created_at: row.int(20)?,
        })
    }

    /// When it was queued, Unix ms.
    pub(crate) fn created_at(&self) -> i64 {
        self.created_at
    }

    /// As it is shown.
    pub(crate) fn json(&self) -> Result<Value> {
        let [network, contract, account, created_by] = &self.described;
        let time = |at: Option<i64>| at.map(time_text).transpose();
        Ok(json!({
            "id": self.id, "network": network, "contract": contract, "account": account,
            "tree_size": self.mark.size, "root": to_hex(&self.mark.root),
            "height": self.mark.height, "block_id": to_hex(&self.mark.block_id),
            "state": self.state.code(), "tx": self.offer.as_ref().map(|offer| &offer.tx),
            "nonce": self.offer.as_ref().map(|offer| offer.nonce),
            "block_number": self.place.as_ref().map(|place| place.number),
            "block_hash": self.place.as_ref().map(|place| &place.hash),
            "depth": self.depth, "attempts": self.attempts, "last_error": self.error,
            "created_at": time_text(self.created_at)?, "created_by": created_by,
            "sent_at": time(self.sent_at)?, "confirmed_at": time(self.confirmed_at)?,
            "next_at": match self.state {
                State::Waiting | State::Sent => Some(time_text(self.next_at)?),
                State::Confirmed | State::Failed => None,
            },
        }))
    }
}

/// One contract of one network, as the table names it.
#[derive(Debug, Clone)]
pub(crate) struct Where {
    pub(crate) network: String,
    pub(crate) contract: String,
    pub(crate) origin: [u8; 32],
}

impl Where {
    fn select(&self, condition: &str) -> Sql {
        let mut sql = Sql::new("SELECT ");
        sql.push(COLUMNS).push(" FROM ledger_anchor WHERE network = ").bind(&self.network);
        sql.push(" AND contract = ").bind(&self.contract).push(condition);
        sql
    }

    async fn one(&self, tx: &mut Tx, sql: Sql) -> Result<Option<Entry>> {
        let row = tx.fetch_one(sql).await?;
        row.map(|row| Entry::read(&row, self.origin)).transpose()
    }

    /// What waits or is under way.
    pub(crate) async fn open(&self, tx: &mut Tx) -> Result<Option<Entry>> {
        let sql = self.select(" AND state IN ('waiting', 'sent')");
        self.one(tx, sql).await
    }

    /// What was queued last.
    pub(crate) async fn last(&self, tx: &mut Tx) -> Result<Option<Entry>> {
        let sql = self.select(" ORDER BY id DESC LIMIT 1");
        self.one(tx, sql).await
    }

    /// The longest log that stands.
    pub(crate) async fn anchored(&self, tx: &mut Tx) -> Result<Option<Entry>> {
        let sql = self.select(" AND state = 'confirmed' ORDER BY tree_size DESC LIMIT 1");
        self.one(tx, sql).await
    }

    /// What was confirmed since, shortest log first.
    pub(crate) async fn confirmed_since(&self, tx: &mut Tx, since: i64) -> Result<Vec<Entry>> {
        let mut sql = self.select(" AND state = 'confirmed' AND confirmed_at >= ");
        sql.bind(since).push(" ORDER BY tree_size LIMIT 100");
        let rows = tx.fetch(sql).await?;
        rows.iter().map(|row| Entry::read(row, self.origin)).collect()
    }

    /// Queues a mark, unless one is open; whether it did.
    pub(crate) async fn queue(
        &self,
        ctx: &Ctx,
        tx: &mut Tx,
        (mark, account): (&Mark, &str),
    ) -> Result<Option<String>> {
        let id = ctx.new_id::<()>().to_string();
        let signed = |value: u64| i64::try_from(value).map_err(Problem::internal);
        let mut sql = Sql::new(
            "INSERT INTO ledger_anchor (id, network, contract, account, tree_size, root, height, \
             block_id, state, attempts, next_at, created_at, created_by) VALUES ",
        );
        sql.bind_row([
            id.as_str().into(),
            (&self.network).into(),
            (&self.contract).into(),
            account.into(),
            signed(mark.size)?.into(),
            to_hex(&mark.root).into(),
            signed(mark.height)?.into(),
            to_hex(&mark.block_id).into(),
            State::Waiting.code().into(),
            0_i64.into(),
            ctx.now_ms().into(),
            ctx.now_ms().into(),
            ctx.actor().into(),
        ]);
        sql.push(" ON CONFLICT DO NOTHING");
        Ok((tx.execute(sql).await? == 1).then_some(id))
    }

    /// Gives up what is open for other places: the configuration names this one now.
    pub(crate) async fn abandon_others(&self, tx: &mut Tx) -> Result<u64> {
        let mut sql = Sql::new("UPDATE ledger_anchor SET state = 'failed', last_error = ");
        sql.bind("配置已改为另一个网络或合约，不再继续");
        sql.push(" WHERE state IN ('waiting', 'sent') AND NOT (network = ").bind(&self.network);
        sql.push(" AND contract = ").bind(&self.contract).push(")");
        tx.execute(sql).await
    }
}

/// A page of everything, newest first, before `after`.
pub(crate) async fn page(tx: &mut Tx, after: Option<&str>, count: i64) -> Result<Vec<Entry>> {
    let mut sql = Sql::new("SELECT ");
    sql.push(COLUMNS).push(" FROM ledger_anchor");
    if let Some(after) = after {
        sql.push(" WHERE id < ").bind(after);
    }
    sql.push(" ORDER BY id DESC LIMIT ").bind(count);
    tx.fetch(sql).await?.iter().map(|row| Entry::read(row, [0; 32])).collect()
}

/// Takes an entry for this node until `until`; whether nobody else was quicker.
pub(crate) async fn claim(tx: &mut Tx, entry: &mut Entry, until: i64) -> Result<bool> {
    let mut sql = Sql::new("UPDATE ledger_anchor SET next_at = ");
    sql.bind(until).push(" WHERE id = ").bind(&entry.id);
    sql.push(" AND state = ").bind(entry.state.code());
    sql.push(" AND next_at = ").bind(entry.next_at);
    entry.next_at = until;
    Ok(tx.execute(sql).await? == 1)
}

/// Writes an entry back that was claimed at `claimed`; whether it still was ours.
pub(crate) async fn save(tx: &mut Tx, entry: &Entry, claimed: i64) -> Result<bool> {
    let signed = |value: u64| i64::try_from(value).map_err(Problem::internal);
    let offer = entry.offer.as_ref();
    let place = entry.place.as_ref();
    let mut sql = Sql::new("UPDATE ledger_anchor SET state = ");
    sql.bind(entry.state.code());
    sql.push(", tx = ").bind(offer.map(|offer| &offer.tx));
    sql.push(", nonce = ").bind(offer.map(|offer| signed(offer.nonce)).transpose()?);
    sql.push(", price = ").bind(offer.map(|offer| offer.price.to_string()));
    sql.push(", raw = ").bind(offer.map(|offer| offer.raw.as_slice()));
    sql.push(", sent_at = ").bind(entry.sent_at);
    sql.push(", block_number = ").bind(place.map(|place| signed(place.number)).transpose()?);
    sql.push(", block_hash = ").bind(place.map(|place| &place.hash));
    sql.push(", depth = ").bind(entry.depth.map(signed).transpose()?);
    sql.push(", attempts = ").bind(entry.attempts).push(", next_at = ").bind(entry.next_at);
    sql.push(", last_error = ").bind(entry.error.as_ref());
    sql.push(", confirmed_at = ").bind(entry.confirmed_at);
    sql.push(" WHERE id = ").bind(&entry.id).push(" AND next_at = ").bind(claimed);
    Ok(tx.execute(sql).await? == 1)
}

/// Where a chain keeps the marks of a log.
pub(crate) fn place_of(chain: &dyn Chain, origin: [u8; 32]) -> Where {
    Where { network: chain.network(), contract: chain.contract(), origin }
}
