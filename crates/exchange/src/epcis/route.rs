//! Which way a query goes through the events, so that a page of it takes as long among a hundred million
//! as among a million (ADR 46): to those few that mention something rare, along the list of those that
//! mention something common, or through all of them, in the order asked for.

use std::collections::BTreeSet;

use yj_epcis::query::{Direction, OrderBy, Query};
use yj_kernel::{Ctx, Result, Row, Sql, Tx};

use super::{
    plan::{Mention, Period, Plan, TERMS_MAX},
    prepare::Role,
    store::{self, EVENT},
};

/// Events that are looked up one by one instead of being walked to.
const FEW: usize = 200;
/// Lists that are walked side by side.
const LISTS_MAX: usize = 16;
/// The newest events tell how common a thing is.
const SAMPLE: i64 = 1_000;
/// Events that are gathered and put in order rather than sought among all.
const GATHERED_MAX: i64 = 20_000;
/// Pairs of role and term that are looked for in each event on the way.
const CHECKED_MAX: usize = 64;

/// The order of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    by: By,
    descending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// As they were recorded: numbers and times of recording go the same way.
    Recorded,
    /// As they happened.
    Happened,
}

impl Order {
    /// As they were recorded, the first first.
    pub(super) const RECORDED: Self = Self { by: By::Recorded, descending: false };

    /// The order that a query asks for. Where it asks for none, that of the time it names, or else of
    /// recording; pages are of one state of the repository either way.
    pub(super) fn of(query: &Query, plan: &Plan) -> Self {
        let descending = query.direction == Direction::Descending;
        match query.order_by {
            Some(OrderBy::EventTime) => Self { by: By::Happened, descending },
            Some(OrderBy::RecordTime) => Self { by: By::Recorded, descending },
            None if plan.happened != Period::ALWAYS => Self { by: By::Happened, descending: false },
            None | Some(OrderBy::Field(_)) => Self::RECORDED,
        }
    }

    /// The place of a row of [`EVENT`].
    pub(super) fn at(self, row: &Row) -> Result<Place> {
        let seq = row.int(0)?;
        Ok(self.place(seq, row.int(3)?))
    }

    /// The place of an event by its number and its time.
    pub(super) const fn place(self, seq: i64, event_time: i64) -> Place {
        match self.by {
            By::Recorded => (seq, seq),
            By::Happened => (event_time, seq),
        }
    }

    fn write(self, sql: &mut Sql, table: &str) {
        let direction = if self.descending { " DESC" } else { "" };
        sql.push(" ORDER BY ");
        if self.by == By::Happened {
            sql.push(table).push(".event_time").push(direction).push(", ");
        }
        sql.push(table).push(".seq").push(direction);
    }
}

/// Where a walk stands: what its order goes by, and the number of the event.
pub(super) type Place = (i64, i64);

/// Numbers of events: after the first and up to the second.
pub(super) type Span = (i64, i64);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    /// To these and no others.
    To(BTreeSet<i64>),
    /// Along the lists of this mention.
    Along(Mention),
    /// To all of this mention, which are then put in order.
    Gathering(Mention),
    Through,
}

/// A way and what is asked of the events on it.
pub(super) struct Route {
    plan: Plan,
    way: Way,
    pub(super) order: Order,
    span: Span,
}

impl Route {
    /// Chooses the way, by what is at hand of each thing that an event must mention.
    pub(super) async fn choose(
        ctx: &Ctx,
        tx: &mut Tx,
        mut plan: Plan,
        (order, span): (Order, Span),
    ) -> Result<Self> {
        tx.plan_by_indexes();
        let span = recorded_within(tx, plan.recorded, span).await?;
        plan.mentions.extend(owners(ctx));
        let way = way(tx, &plan, span).await?;
        if let Way::Along(chosen) | Way::Gathering(chosen) = &way {
            plan.mentions.retain(|mention| mention != chosen);
        }
        Ok(Self { plan, way, order, span })
    }

    /// The statement for the next rows of [`EVENT`] after a place.
    pub(super) fn statement(&self, ctx: &Ctx, tx: &Tx, (place, most): (Option<Place>, i64)) -> Sql {
        let mut sql = Sql::new(EVENT);
        sql.push(" WHERE ");
        match &self.way {
            Way::To(events) => {
                sql.push("e.seq ").bind_ints(events.iter().copied()).push(" AND ");
                self.asked(&mut sql, (ctx, tx), place);
            }
            Way::Along(mention) => self.along(&mut sql, mention, (ctx, tx), (place, most)),
            Way::Gathering(mention) => {
                sql.push("e.seq IN (SELECT t.seq FROM epcis_term t WHERE ");
                mentioned(&mut sql, mention);
                sql.push(" AND ");
                numbers(&mut sql, "t.seq", self.span);
                sql.push(") AND ");
                self.asked(&mut sql, (ctx, tx), place);
            }
            Way::Through => self.asked(&mut sql, (ctx, tx), place),
        }
        self.order.write(&mut sql, "e");
        sql.push(" LIMIT ").bind(most);
        sql
    }

    /// Events that are the first of the lists of a mention.
    fn along(
        &self,
        sql: &mut Sql,
        mention: &Mention,
        (ctx, tx): (&Ctx, &Tx),
        (place, most): (Option<Place>, i64),
    ) {
        sql.push("e.seq IN (");
        let lists = mention
            .roles
            .iter()
            .flat_map(|role| mention.terms.iter().map(move |term| (role, term)));
        for (number, (role, term)) in lists.enumerate() {
            sql.push(if number > 0 { " UNION " } else { "" });
            sql.push(
                "SELECT l.seq FROM (SELECT t.seq FROM epcis_term t CROSS JOIN epcis_event e \
                 WHERE t.role = ",
            );
            sql.bind(role.code()).push(" AND t.term = ").bind(term.as_str()).push(" AND ");
            self.beyond(sql, "t", place);
            sql.push(" AND e.seq = t.seq");
            self.rest(sql, (ctx, tx));
            self.order.write(sql, "t");
            sql.push(" LIMIT ").bind(most).push(") l");
        }
        sql.push(")");
    }

    fn asked(&self, sql: &mut Sql, within: (&Ctx, &Tx), place: Option<Place>) {
        self.beyond(sql, "e", place);
        self.rest(sql, within);
    }

    /// What lies beyond a place, in one bound on either side: of two an engine takes the wrong one. A
    /// column behind `+` leads into no index.
    fn beyond(&self, sql: &mut Sql, table: &str, place: Option<Place>) {
        let descending = self.order.descending;
        let Period { first, last } = self.plan.happened;
        match self.order.by {
            By::Recorded => {
                let (mut after, mut upto) = self.span;
                match place {
                    Some((_, seq)) if descending => upto = upto.min(seq.saturating_sub(1)),
                    Some((_, seq)) => after = after.max(seq),
                    None => {}
                }
                numbers(sql, &format!("{table}.seq"), (after, upto));
                if self.plan.happened != Period::ALWAYS {
                    sql.push(" AND +").push(table).push(".event_time >= ").bind(first);
                    sql.push(" AND +").push(table).push(".event_time <= ").bind(last);
                }
            }
            By::Happened => {
                let (mut low, mut high) = ((first, i64::MIN), (last, i64::MAX));
                match place {
                    Some(place) if descending => high = high.min(place),
                    Some(place) => low = low.max(place),
                    None => {}
                }
                numbers(sql, &format!("+{table}.seq"), self.span);
                for (sign, (time, seq)) in [(" > (", low), (" < (", high)] {
                    sql.push(" AND (").push(table).push(".event_time, ").push(table).push(".seq)");
                    sql.push(sign).bind(time).push(", ").bind(seq).push(")");
                }
            }
        }
    }

    /// What else is asked of an event `e`, as far as it is cheaply known.
    fn rest(&self, sql: &mut Sql, (ctx, tx): (&Ctx, &Tx)) {
        store::narrow(ctx, sql, tx);
        if let Some(names) = &self.plan.names {
            sql.push(" AND e.event_id ").bind_texts(names.iter().map(String::as_str));
        }
        if self.plan.declared != Period::ALWAYS {
            sql.push(" AND e.declared_at >= ").bind(self.plan.declared.first);
            sql.push(" AND e.declared_at <= ").bind(self.plan.declared.last);
        }
        let checked = self.plan.mentions.iter().filter(|mention| mention.pairs() <= CHECKED_MAX);
        for mention in checked {
            sql.push(" AND EXISTS (SELECT 1 FROM epcis_term t WHERE t.seq = e.seq AND ");
            mentioned(sql, mention);
            sql.push(")");
        }
    }
}

fn numbers(sql: &mut Sql, column: &str, (after, upto): Span) {
    sql.push(column).push(" > ").bind(after).push(" AND ").push(column).push(" <= ").bind(upto);
}

fn mentioned(sql: &mut Sql, mention: &Mention) {
    sql.push("t.role ").bind_texts(mention.roles.iter().map(|role| role.code()));
    sql.push(" AND t.term ").bind_texts(mention.terms.iter().map(String::as_str));
}

/// Whose events may be within reach at all, where that is said by subject.
fn owners(ctx: &Ctx) -> Option<Mention> {
    let mut subjects: BTreeSet<String> = BTreeSet::new();
    for limit in ctx.scope().limits() {
        subjects.extend(limit.organization.as_ref()?.subjects.iter().cloned());
    }
    (subjects.len() <= TERMS_MAX).then(|| Mention::new(&[Role::Owner], subjects))
}

/// The numbers of what was recorded in a period.
async fn recorded_within(tx: &mut Tx, recorded: Period, (after, upto): Span) -> Result<Span> {
    if recorded == Period::ALWAYS {
        return Ok((after, upto));
    }
    let last = |sign: &str, at: i64| {
        let mut sql = Sql::new("SELECT e.seq FROM epcis_event e WHERE e.record_time");
        sql.push(sign).bind(at).push(" ORDER BY e.record_time DESC, e.seq DESC LIMIT 1");
        sql
    };
    let found =
        tx.fetch_all(vec![last(" < ", recorded.first), last(" <= ", recorded.last)]).await?;
    let number =
        |at: usize| found.get(at).and_then(|rows| rows.first()).map_or(Ok(0), |row| row.int(0));
    Ok((after.max(number(0)?), upto.min(number(1)?)))
}

async fn way(tx: &mut Tx, plan: &Plan, span: Span) -> Result<Way> {
    let (_, upto) = span;
    let few = i64::try_from(FEW).unwrap_or(i64::MAX);
    let mut queries = Vec::with_capacity(plan.mentions.len() * 2 + 1);
    for mention in &plan.mentions {
        let mut first = Sql::new("SELECT t.seq FROM epcis_term t WHERE ");
        mentioned(&mut first, mention);
        first.push(" AND ");
        numbers(&mut first, "t.seq", span);
        first.push(" LIMIT ").bind(few + 1);
        let mut newest = Sql::new("SELECT COUNT(*) FROM epcis_term t WHERE ");
        mentioned(&mut newest, mention);
        newest.push(" AND ");
        numbers(&mut newest, "t.seq", (upto.saturating_sub(SAMPLE), upto));
        queries.extend([first, newest]);
    }
    if let Some(names) = &plan.names {
        let mut named = Sql::new("SELECT e.seq FROM epcis_event e WHERE e.event_id ");
        named.bind_texts(names.iter().map(String::as_str)).push(" LIMIT ").bind(few + 1);
        queries.push(named);
    }
    if queries.is_empty() {
        return Ok(Way::Through);
    }
    let answers = tx.fetch_all(queries).await?;
    let (of_mentions, of_names) = answers.split_at(plan.mentions.len() * 2);
    let (mut rare, mut newest) = (Vec::new(), Vec::with_capacity(plan.mentions.len()));
    for pair in of_mentions.chunks(2) {
        let [first, count] = pair else { continue };
        rare.extend(few_of(first)?);
        newest.push(count.first().map_or(Ok(0), |row| row.int(0))?);
    }
    for named in of_names {
        rare.extend(few_of(named)?);
    }
    let both = |one: BTreeSet<i64>, two: BTreeSet<i64>| one.intersection(&two).copied().collect();
    if let Some(events) = rare.into_iter().reduce(both) {
        return Ok(Way::To(events));
    }
    Ok(common(plan.mentions.iter().zip(newest), span))
}

/// The events of a look that found no more than [`FEW`] rows. An event may have several of them.
fn few_of(rows: &[Row]) -> Result<Option<BTreeSet<i64>>> {
    if rows.len() > FEW {
        return Ok(None);
    }
    rows.iter().map(|row| row.int(0)).collect::<Result<_>>().map(Some)
}

/// The way where nothing asked for is rare: along the least common of what can be walked along. What
/// stands in too many lists to walk is gathered where there is little of it. With each mention comes how
/// often the newest [`SAMPLE`] events have it.
fn common<'m>(found: impl Iterator<Item = (&'m Mention, i64)>, (after, upto): Span) -> Way {
    let kept = upto.saturating_sub(after);
    let (mut along, mut gathering): (Option<(i64, &Mention)>, Option<(i64, &Mention)>) =
        (None, None);
    for (mention, newest) in found {
        let least = if mention.pairs() <= LISTS_MAX { &mut along } else { &mut gathering };
        if least.is_none_or(|(count, _)| newest < count) {
            *least = Some((newest, mention));
        }
    }
    // Where none of the newest mentions it, one in so many may.
    let expected = |newest: i64| kept / SAMPLE * newest.max(1);
    match (along, gathering) {
        (along, Some((newest, mention)))
            if expected(newest) <= GATHERED_MAX
                && along.is_none_or(|(count, _)| newest < count) =>
        {
            Way::Gathering(mention.clone())
        }
        (Some((_, mention)), _) => Way::Along(mention.clone()),
        (None, Some((0, mention))) => Way::Gathering(mention.clone()),
        (None, _) => Way::Through,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mention(role: Role, terms: usize) -> Mention {
        Mention::new(&[role], (0..terms).map(|number| number.to_string()))
    }

    #[test]
    fn the_least_common_of_what_can_be_walked_along_leads() {
        let (step, gate) = (mention(Role::BizStep, 1), mention(Role::ReadPoint, 2));
        let asked = [(&step, 400), (&gate, 30)];
        assert_eq!(common(asked.into_iter(), (0, 1_000_000)), Way::Along(gate.clone()));
        assert_eq!(common([].into_iter(), (0, 1_000_000)), Way::Through);
    }

    #[test]
    fn what_stands_in_many_lists_is_gathered_where_there_is_little_of_it() {
        let (step, sites) = (mention(Role::BizStep, 1), mention(Role::BizLocation, 300));
        let among = |kept: i64, newest: i64| {
            common([(&step, 400), (&sites, newest)].into_iter(), (0, kept))
        };
        assert_eq!(among(1_000_000, 3), Way::Gathering(sites.clone()));
        assert_eq!(among(100_000_000, 3), Way::Along(step.clone()));
        assert_eq!(among(1_000_000, 900), Way::Along(step.clone()));
        let alone = |newest: i64| common([(&sites, newest)].into_iter(), (0, 100_000_000));
        assert_eq!(alone(900), Way::Through);
        assert_eq!(alone(0), Way::Gathering(sites.clone()));
    }
}
