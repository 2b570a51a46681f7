//! Finding events, page by page.

use std::cmp::Ordering;

use yj_epcis::{
    Event, matches_within,
    query::{Direction, ExtensionValue, FieldName, OrderBy, Query, plain},
};
use yj_kernel::{Ctx, Problem, Sql, Tx};

use super::{
    erased,
    master::{Around, Known},
    page::{PER_PAGE, Token},
    place::Sites,
    plan::Plan,
    problem::{Exception, Refusal, Result},
    route::{Order, Place, Route, Span},
    store::{self, EVENT, Kept},
};

/// Rows of one trip.
const BATCH_MAX: i64 = 250;
/// Rows of the first look; more where they are small.
const BATCH_FIRST: i64 = 16;
/// Text of one look beyond which the next one takes fewer rows.
const BATCH_BYTES: usize = 1 << 20;
/// Text of one page; what lies beyond is on the next.
const PAGE_BYTES: usize = 16 << 20;
/// Text of events that are put in order at once.
const SORT_BYTES: usize = 64 << 20;
/// Rows that one request looks at; then its page ends, however full.
const SCAN_MAX: usize = 10_000;
/// Events that are put into an order of their own.
const SORT_MAX: usize = 5_000;

/// Some events in their order, and where the next begin.
pub(crate) struct Page {
    pub(crate) events: Vec<Kept>,
    pub(crate) next: Option<Token>,
}

/// A walk over the events that a query may mean.
struct Walk<'q> {
    query: &'q Query,
    /// What lies inside the places that it asks for.
    sites: Sites,
    route: Route,
    place: Option<Place>,
    seen: usize,
    /// Text of the events that were meant.
    weight: usize,
    batch: i64,
    ended: bool,
}

impl<'q> Walk<'q> {
    /// Of the events recorded in a span, in an order of theirs or in that of the query.
    async fn begin(
        ctx: &Ctx,
        tx: &mut Tx,
        query: &'q Query,
        (order, span, place): (Option<Order>, Span, Option<Place>),
    ) -> yj_kernel::Result<Self> {
        let sites = Sites::load(tx, query).await?;
        let plan = Plan::of(tx, query, &sites).await?;
        let order = order.unwrap_or_else(|| Order::of(query, &plan));
        let route = Route::choose(ctx, tx, plan, (order, span)).await?;
        let (seen, weight, batch, ended) = (0, 0, BATCH_FIRST, false);
        Ok(Self { query, sites, route, place, seen, weight, batch, ended })
    }

    /// The next events that are meant, each with its place; none at the end.
    async fn next(&mut self, ctx: &Ctx, tx: &mut Tx) -> yj_kernel::Result<Vec<(Place, Kept)>> {
        let statement = self.route.statement(ctx, tx, (self.place, self.batch));
        let rows = tx.fetch(statement).await?;
        self.seen += rows.len();
        self.ended = i64::try_from(rows.len()).is_ok_and(|count| count < self.batch);
        let order = self.route.order;
        if let Some(last) = rows.last() {
            self.place = Some(order.at(last)?);
        }
        let kept = store::read(ctx, tx, &rows).await?;
        let known = Known::load(tx, self.query, &kept).await?;
        let text: usize = kept.iter().map(|one| one.size).sum();
        self.batch = if text > BATCH_BYTES { BATCH_FIRST } else { (self.batch * 2).min(BATCH_MAX) };
        let meant: Vec<Kept> = kept
            .into_iter()
            .filter(|one| {
                let about = Around { sites: &self.sites, known: &known, subject: &one.subject };
                matches_within(self.query, &one.event, &about)
            })
            .collect();
        self.weight += meant.iter().map(|one| one.size).sum::<usize>();
        let place = |one: &Kept| order.place(one.seq, one.event_time);
        Ok(meant.into_iter().map(|one| (place(&one), one)).collect())
    }
}

/// The next page of a query.
pub(crate) async fn page(ctx: &Ctx, tx: &mut Tx, query: &Query) -> Result<Page> {
    let now = ctx.now_ms();
    let token = match &query.next_page_token {
        Some(text) => Some(Token::read(text, query, now)?),
        None => None,
    };
    let upto = match token {
        Some(token) => token.upto,
        None => store::last(tx).await?,
    };
    if token.is_none()
        && let Some(most) = query.max_event_count
    {
        require_at_most(ctx, tx, (query, upto), most).await?;
    }
    let left = token.map_or(query.event_count_limit, |token| token.left);
    if let Some(OrderBy::Field(name)) = &query.order_by {
        return sorted(ctx, tx, (query, name), (token, upto, left)).await;
    }
    let per_page = query.per_page.unwrap_or(PER_PAGE);
    let wanted = usize::try_from(per_page.min(left.unwrap_or(u64::MAX))).unwrap_or(usize::MAX);
    let place = token.map(|token| (token.at, token.seq));
    let mut walk = Walk::begin(ctx, tx, query, (None, (0, upto), place)).await?;
    let mut found: Vec<(Place, Kept)> = Vec::new();
    while !walk.ended && found.len() <= wanted && walk.seen < SCAN_MAX && walk.weight < PAGE_BYTES {
        found.extend(walk.next(ctx, tx).await?);
    }
    let more = found.len() > wanted;
    found.truncate(wanted);
    let given = u64::try_from(found.len()).unwrap_or(u64::MAX);
    let left = left.map(|left| left.saturating_sub(given));
    let place = match (more, walk.ended) {
        (true, _) => found.last().map(|(place, _)| *place),
        (false, true) => None,
        (false, false) => walk.place,
    };
    let place = place.filter(|_| left != Some(0));
    let next = place.map(|place| Token::new(place, upto, left, now));
    let mut events: Vec<Kept> = found.into_iter().map(|(_, kept)| kept).collect();
    if query.order_by == Some(OrderBy::EventTime) {
        finely(&mut events, query.direction);
    }
    Ok(Page { events, next })
}

/// Puts the events of a page that happened in one millisecond in the order of what is finer. Where a page
/// ends within a millisecond, the next goes on in the order of recording.
fn finely(events: &mut [Kept], direction: Direction) {
    events.sort_by(|one, two| {
        let order = one.event.moment().cmp(&two.event.moment());
        if direction == Direction::Descending { order.reverse() } else { order }
    });
}

/// The events recorded after one and up to another, in their order; at most so many.
pub(crate) async fn since(
    ctx: &Ctx,
    tx: &mut Tx,
    query: &Query,
    (span, most): (Span, usize),
) -> yj_kernel::Result<(Vec<Kept>, i64)> {
    let mut walk = Walk::begin(ctx, tx, query, (Some(Order::RECORDED), span, None)).await?;
    let mut found: Vec<Kept> = Vec::new();
    while !walk.ended && walk.seen < SCAN_MAX && walk.weight < PAGE_BYTES {
        let next = walk.next(ctx, tx).await?;
        for (_, kept) in next {
            if found.len() == most {
                let reached = found.last().map_or(span.0, |last: &Kept| last.seq);
                return Ok((found, reached));
            }
            found.push(kept);
        }
    }
    let reached = if walk.ended { span.1 } else { walk.place.map_or(span.1, |(_, seq)| seq) };
    Ok((found, reached))
}

async fn require_at_most(
    ctx: &Ctx,
    tx: &mut Tx,
    (query, upto): (&Query, i64),
    most: u64,
) -> Result<()> {
    let mut walk = Walk::begin(ctx, tx, query, (Some(Order::RECORDED), (0, upto), None)).await?;
    let mut count = 0_u64;
    while !walk.ended {
        if walk.seen >= SCAN_MAX {
            return Err(too_complex());
        }
        count += walk.next(ctx, tx).await?.len() as u64;
        if count > most {
            let detail = format!("符合条件的事件多于 maxEventCount 所限的 {most} 个");
            return Err(Refusal::of(Exception::QueryTooLarge, detail));
        }
    }
    Ok(())
}

fn too_complex() -> Refusal {
    let detail = "查询涉及的事件过多，请以时间、标识或业务步骤缩小范围";
    Refusal::of(Exception::QueryTooComplex, detail)
}

/// Events in the order of an extension: all of them are looked at first.
async fn sorted(
    ctx: &Ctx,
    tx: &mut Tx,
    (query, name): (&Query, &FieldName),
    (token, upto, left): (Option<Token>, i64, Option<u64>),
) -> Result<Page> {
    let mut walk = Walk::begin(ctx, tx, query, (Some(Order::RECORDED), (0, upto), None)).await?;
    let mut found = Vec::new();
    while !walk.ended {
        found.extend(walk.next(ctx, tx).await?.into_iter().map(|(_, kept)| kept));
        if found.len() > SORT_MAX || walk.seen >= SCAN_MAX || walk.weight > SORT_BYTES {
            return Err(too_complex());
        }
    }
    found.sort_by(|one: &Kept, two: &Kept| {
        let (one, two) = (value(&one.event, name), value(&two.event, name));
        match (one, two) {
            (Some(one), Some(two)) => {
                let order = compare(&one, &two);
                if query.direction == Direction::Descending { order.reverse() } else { order }
            }
            // What lacks the field comes last either way.
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    });
    let skip = usize::try_from(token.map_or(0, |token| token.at)).map_err(Problem::internal)?;
    let per_page = query.per_page.unwrap_or(PER_PAGE).min(left.unwrap_or(u64::MAX));
    let count = usize::try_from(per_page).unwrap_or(usize::MAX);
    let (all, end) = (found.len(), skip.saturating_add(count));
    let events: Vec<Kept> = found.into_iter().skip(skip).take(count).collect();
    let left = left.map(|left| left.saturating_sub(events.len() as u64));
    let at = i64::try_from(end).unwrap_or(i64::MAX);
    let next =
        (end < all && left != Some(0)).then(|| Token::new((at, 0), upto, left, ctx.now_ms()));
    Ok(Page { events, next })
}

fn value(event: &Event, name: &FieldName) -> Option<ExtensionValue> {
    let whole = format!("{}{}", name.namespace, name.local);
    let named = |key: &str| {
        event.context().resolve(key).is_some_and(|(namespace, local)| {
            format!("{}{local}", namespace.trim_end_matches('#')) == whole
        })
    };
    let (_, value) = event.source().members().iter().find(|(key, _)| named(key))?;
    plain(value).map(ExtensionValue::read)
}

/// Numbers before times before texts.
fn compare(one: &ExtensionValue, two: &ExtensionValue) -> Ordering {
    let rank = |value: &ExtensionValue| match value {
        ExtensionValue::Number(_) => 0,
        ExtensionValue::Time(_) => 1,
        ExtensionValue::Text(_) => 2,
    };
    two.order_of(one).unwrap_or_else(|| rank(one).cmp(&rank(two)))
}

/// The events of a name within reach: itself and its error declaration.
pub(crate) async fn named(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<Vec<Kept>> {
    let mut sql = Sql::new(EVENT);
    sql.push(" WHERE e.event_id = ").bind(id);
    store::narrow(ctx, &mut sql, tx);
    sql.push(" ORDER BY e.seq LIMIT 100");
    let rows = tx.fetch(sql).await?;
    let found = store::read(ctx, tx, &rows).await?;
    if found.is_empty() && erased::is_erased(ctx, tx, id).await? {
        return Err(Problem::Gone(String::from("该 EPCIS 事件已依法删除")).into());
    }
    if found.is_empty() { Err(Problem::NotFound("EPCIS 事件").into()) } else { Ok(found) }
}
