//! What there is to tell of a named query: to a webhook and over a socket alike, so that the two say
//! the same.

use yj_epcis::{
    Instant,
    query::{Comparison, Condition, TimeField},
};
use yj_kernel::{Ctx, Problem, Result, Sql};

use super::{
    answer::{self, Occasion},
    find,
    header::EpcFormat,
    named,
    spelling::Companies,
};

/// What one must be allowed to do to be told.
pub(crate) const PERMISSION: &str = "epcis:read";
/// Events of one message.
const EVENTS_MAX: usize = 200;

/// What somebody wants to be told of.
pub(crate) struct Interest {
    /// Identifier of the named query.
    pub(crate) query: String,
    /// Name of the subscription in the message.
    pub(crate) subscription: String,
    /// Only events recorded at this moment or later, Unix ms.
    pub(crate) since: Option<i64>,
    /// How identifiers are written.
    pub(crate) format: EpcFormat,
}

/// A message.
pub(crate) struct News {
    /// An `EPCISQueryDocument`.
    pub(crate) body: String,
    /// Events in it.
    pub(crate) events: usize,
    /// Up to which event it tells.
    pub(crate) reached: i64,
}

impl News {
    /// Whether it is worth telling, where nothing new is worth it or not.
    pub(crate) const fn is_told(&self, empty: bool) -> bool {
        self.events > 0 || empty
    }
}

/// What the bearer of `ctx` may see of the events recorded after one and up to another, or of the
/// first of them where there are many.
pub(crate) async fn since(ctx: &Ctx, interest: &Interest, span: (i64, i64)) -> Result<News> {
    let mut tx = ctx.snapshot().await?;
    let sql = Sql::new("SELECT name, query FROM epcis_query WHERE id = $1");
    let row = tx.fetch_one(sql.arg(interest.query.as_str())).await?;
    let row = row.ok_or(Problem::NotFound("命名查询"))?;
    let (name, mut query) = (String::from(row.text(0)?), named::parse(row.text(1)?)?);
    if let Some(since) = interest.since {
        query.conditions.push(Condition::Time {
            field: TimeField::RecordTime,
            comparison: Comparison::Ge,
            at: Instant(since).into(),
        });
    }
    let (events, reached) = find::since(ctx, &mut tx, &query, (span, EVENTS_MAX)).await?;
    let now = Instant(ctx.now_ms());
    let subscription = Some(interest.subscription.as_str());
    let occasion = Occasion { name: &name, subscription, now, format: interest.format };
    let companies = Companies::load(&mut tx, &events, interest.format).await?;
    let (document, _) = answer::query_document(&events, occasion, &companies);
    let body = document.to_string();
    Ok(News { body, events: events.len(), reached })
}
