//! 批次结存 by movement type (handbook §4.3): what there was, what came in and went out and how, and what
//! is left; of one code, or of everything that a subject holds. It always adds up to what is stored, and
//! says so.

mod of_subjects;

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    Json,
    extract::{Path, RawQuery},
    http::Method,
};
use serde_json::{Value, json};
use yj_domain::Domains;
use yj_kernel::{Access, Ctx, Param, Place, Problem, Result, Route, Row, Sql, Tx, time_text};
use yj_model::{Movement, Quantity};
use yj_subject::SubjectBrief;

use crate::{
    balance::Object,
    lots, places,
    query::EVENT_COLUMNS,
    returned, spelling,
    store::{self, quantity},
};

/// Movements listed for one code.
const ITEMS_MAX: i64 = 500;
/// 销毁, 盘亏, 损坏, 报废出库
const LOSSES: [&str; 4] = ["205", "214", "215", "216"];
/// What an event without a movement type, or from outside the platform, is listed under.
const OTHER: &str = "000";

const PERIOD: &[Param] = &[
    Param { name: "from", label: "自何时，带时区；留空为自始", required: false },
    Param { name: "to", label: "至何时，带时区；留空为至今", required: false },
];
const QUERY: &[Param] = &[
    Param { name: "subject_id", label: "持有的主体", required: true },
    Param { name: "product_id", label: "产品", required: false },
    Param { name: "lot", label: "批次号", required: false },
    Param { name: "from", label: "自何时，带时区；留空为自始", required: false },
    Param { name: "to", label: "至何时，带时区；留空为至今", required: false },
];

/// The routes.
pub(crate) fn routes() -> Vec<Route> {
    let read = || Access::permission("trace:read");
    vec![
        Route::new(
            (Method::GET, "/api/v1/trace/objects/{code}/balance"),
            read(),
            "追溯单元的收支结存",
            of_code,
        )
        .query(PERIOD),
        Route::new((Method::GET, "/api/v1/trace/balance"), read(), "主体的收支结存", of_subject)
            .query(QUERY),
    ]
}

/// A span of time, Unix ms, both ends included.
#[derive(Debug, Clone, Copy)]
struct Period {
    from: i64,
    to: i64,
}

/// Which objects, and when.
#[derive(Default)]
struct Asked {
    subject: Option<String>,
    product: Option<String>,
    lot: Option<String>,
    from: Option<i64>,
    to: Option<i64>,
}

impl Asked {
    fn parse(query: Option<String>, whole: bool) -> Result<Self> {
        let mut asked = Self::default();
        for (name, text) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let text = text.trim();
            let moment = || {
                text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond).map_err(|_| {
                    Problem::invalid(&*name, "应为带时区的时间，如 2026-11-01T08:00:00+08:00")
                })
            };
            match &*name {
                _ if text.is_empty() => {}
                "from" => asked.from = Some(moment()?),
                "to" => asked.to = Some(moment()?),
                "subject_id" if whole => asked.subject = Some(String::from(text)),
                "product_id" if whole => asked.product = Some(String::from(text)),
                "lot" if whole => asked.lot = Some(String::from(text)),
                other => return Err(Problem::invalid(other, "没有这个查询条件")),
            }
        }
        Ok(asked)
    }

    fn period(&self) -> Period {
        Period { from: self.from.unwrap_or(i64::MIN), to: self.to.unwrap_or(i64::MAX) }
    }
}

async fn of_code(
    ctx: Ctx,
    Path(code): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>> {
    let missing = || Problem::NotFound("追溯码");
    let code = spelling::asked(&code).map_err(|_| missing())?;
    let asked = Asked::parse(query, false)?;
    let mut tx = ctx.snapshot().await?;
    let code = lots::registered(&mut tx, code).await?;
    let object = store::read_object(&mut tx, code.as_str()).await?.ok_or_else(missing)?;
    // How much somebody has is told to who may read of its holder (see `crate::knowledge`).
    let Within { holders, are_all } = within(&ctx, &mut tx, &object).await?;
    if holders.is_empty() {
        return Err(missing());
    }
    let id = object.id.ok_or_else(|| Problem::internal("a stored object without id"))?;
    let which = |sql: &mut Sql| {
        sql.push(" AND o.id = ").bind(id);
    };
    let own: Vec<&str> = holders.iter().map(|(id, _)| id.as_str()).collect();
    let own = (!are_all).then_some(&*own);
    let accounts = match own {
        None => accounts(&mut tx, asked.period(), which).await?,
        Some(own) => of_subjects::accounts(&mut tx, (asked.period(), own), which).await?,
    };
    let mut answer = told(&accounts)?;
    answer["code"] = json!(code);
    answer["items"] = json!(items(&mut tx, (id, own), asked.period()).await?);
    answer["holders"] = json!(told_holders(&ctx, &object, &holders)?);
    Ok(Json(answer))
}

/// Those who hold of a unit and are within reach, by the identifiers that it knows them by.
struct Within {
    holders: Vec<(String, SubjectBrief)>,
    /// Whether nobody else holds any.
    are_all: bool,
}

/// Who within reach holds of a unit.
async fn within(ctx: &Ctx, tx: &mut Tx, object: &Object) -> Result<Within> {
    let mut all: BTreeSet<&str> = object.holders.all().map(|(holder, _)| holder).collect();
    // Whoever put it out last, where nothing of it is left or some of it is with them.
    if all.len() != 1 {
        all.insert(&object.subject_id);
    }
    let briefs = yj_subject::heirs(tx, &all.iter().copied().collect::<Vec<_>>()).await?;
    let reached = |id: &str| Some(briefs.get(id)?.clone()).filter(|holder| reaches(ctx, holder));
    let holders: Vec<_> =
        all.iter().filter_map(|id| Some((String::from(*id), reached(id)?))).collect();
    let are_all = holders.len() == all.len();
    Ok(Within { holders, are_all })
}

/// How much each of some holders has, where several have some.
fn told_holders(
    ctx: &Ctx,
    object: &Object,
    holders: &[(String, SubjectBrief)],
) -> Result<Vec<Value>> {
    if !object.holders.are_several() {
        return Ok(Vec::new());
    }
    let some = holders.iter().filter(|(id, _)| object.holders.amount(id) > 0);
    let told = some.map(|(id, holder)| {
        Ok(json!({
            "subject_id": holder.id, "subject": holder.name_for(ctx.scope().clearance()),
            "quantity": quantity(object.holders.amount(id))?,
        }))
    });
    told.collect()
}

async fn of_subject(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Json<Value>> {
    let asked = Asked::parse(query, true)?;
    let subject = asked.subject.clone();
    let subject = subject.ok_or_else(|| Problem::invalid("subject_id", "请给出主体"))?;
    let mut tx = ctx.snapshot().await?;
    require_holder(&ctx, &mut tx, &subject, || Problem::NotFound("追溯主体")).await?;
    let which = |sql: &mut Sql| {
        if let Some(product) = &asked.product {
            sql.push(" AND o.product_id = ").bind(product.as_str());
        }
        if let Some(lot) = &asked.lot {
            sql.push(" AND o.lot = ").bind(lot.as_str());
        }
    };
    let whose = (asked.period(), &[subject.as_str()][..]);
    Ok(Json(told(&of_subjects::accounts(&mut tx, whose, which).await?)?))
}

/// Whether the holder of something is within reach.
pub(crate) async fn require_holder(
    ctx: &Ctx,
    tx: &mut Tx,
    subject: &str,
    missing: impl Fn() -> Problem,
) -> Result<()> {
    let holders = yj_subject::heirs(tx, &[subject]).await?;
    let holder = holders.get(subject).ok_or_else(&missing)?;
    if reaches(ctx, holder) { Ok(()) } else { Err(missing()) }
}

fn reaches(ctx: &Ctx, holder: &SubjectBrief) -> bool {
    let (region, subject) = (Some(holder.region.as_str()), Some(holder.id.as_str()));
    let place = Place { region, subject, ..Place::default() };
    let columns = yj_kernel::Columns {
        category: yj_kernel::Reach::Every,
        stage: yj_kernel::Reach::Every,
        ..EVENT_COLUMNS
    };
    ctx.scope().covers(&columns, &place)
}

/// What moved in one way, in one unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    quantity: i64,
    events: i64,
}

/// The account of one unit.
#[derive(Debug, Default)]
struct Account {
    opening: i64,
    into: BTreeMap<String, Sum>,
    out: BTreeMap<String, Sum>,
    /// After the period.
    later: i64,
    stored: i64,
}

/// One line of the sums over links.
struct Moved<'a> {
    movement: &'a str,
    /// 0 before, 1 within, 2 after the period.
    when: i64,
    /// Put out, and not taken in.
    made: bool,
    /// What is put out leaves circulation at once.
    terminal: bool,
    sum: Sum,
}

impl Account {
    fn add(&mut self, moved: &Moved<'_>) {
        let Sum { quantity, events } = moved.sum;
        let sum = Sum { quantity, events };
        if moved.made {
            self.note((true, moved.movement), moved.when, sum);
        }
        // What is sold at once went out again.
        if !moved.made || moved.terminal {
            self.note((false, moved.movement), moved.when, sum);
        }
    }

    /// Notes what came in or went out before (0), within (1) or after (2) the period.
    fn note(&mut self, (into, movement): (bool, &str), when: i64, sum: Sum) {
        let net = if into { sum.quantity } else { -sum.quantity };
        match when {
            0 => self.opening += net,
            2 => self.later += net,
            _ => {
                let side = if into { &mut self.into } else { &mut self.out };
                let line = side.entry(String::from(on_side(movement, into))).or_default();
                line.quantity += sum.quantity;
                line.events += sum.events;
            }
        }
    }

    fn closing(&self) -> i64 {
        let sum = |side: &BTreeMap<String, Sum>| side.values().map(|one| one.quantity).sum::<i64>();
        self.opening + sum(&self.into) - sum(&self.out)
    }

    fn json(&self, unit: &str) -> Result<Value> {
        let signed = |scaled: i64| quantity(scaled).map(|one| one.to_string());
        let side = |side: &BTreeMap<String, Sum>| {
            let line = |(movement, sum): (&String, &Sum)| {
                Ok(json!({
                    "movement": movement, "name": movement_name(movement),
                    "quantity": signed(sum.quantity)?, "events": sum.events,
                }))
            };
            side.iter().map(line).collect::<Result<Vec<_>>>()
        };
        let losses = self.out.iter().filter(|(movement, _)| LOSSES.contains(&movement.as_str()));
        Ok(json!({
            "unit": unit, "opening": signed(self.opening)?, "in": side(&self.into)?,
            "out": side(&self.out)?, "losses": signed(losses.map(|(_, sum)| sum.quantity).sum())?,
            "closing": signed(self.closing())?, "stored": signed(self.stored)?,
            "consistent": self.closing() + self.later == self.stored,
        }))
    }
}

/// The code that a movement has on one side of it.
fn on_side(code: &str, into: bool) -> &str {
    Movement::on_side(code, into).map_or(code, |movement| movement.code)
}

fn movement_name(code: &str) -> &str {
    let known = Movement::ALL.iter().find(|movement| movement.code == code);
    known.map_or("其他", |movement| movement.label)
}

/// The accounts of some objects, whoever held them, by unit.
async fn accounts(
    tx: &mut Tx,
    period: Period,
    which: impl Fn(&mut Sql),
) -> Result<BTreeMap<String, Account>> {
    let sums = |join: &str| {
        let mut sums = Sql::new("SELECT e.domain, e.pack_version, e.kind, l.role, o.unit, ");
        span(&mut sums, period, "l.event_time");
        sums.push(", ");
        sums.push("COUNT(*), CAST(SUM(l.quantity - ").push(BROUGHT_IN);
        sums.push(") AS BIGINT) FROM trace_object o ");
        sums.push("JOIN trace_link l ON l.object_id = o.id").push(join);
        sums.push(" WHERE l.role IN (0, 1, 3)");
        which(&mut sums);
        sums.push(" GROUP BY e.domain, e.pack_version, e.kind, l.role, o.unit, span");
        sums
    };
    let mut held =
        Sql::new("SELECT o.unit, CAST(SUM(o.balance) AS BIGINT) FROM trace_object o WHERE 1 = 1");
    which(&mut held);
    held.push(" GROUP BY o.unit");
    let moved = places::fetch_linked(tx, sums).await?;
    let brought = tx.fetch(brought(period, None, &which)).await?;
    let held = tx.fetch(held).await?;
    let domains = yj_domain::current(tx).await?;
    let mut accounts: BTreeMap<String, Account> = BTreeMap::new();
    for row in &moved {
        let Ways { movement, terminal, returned } = Ways::of(&domains, row)?;
        // What consumers bring back was not there before; that it came in its coming out says.
        if returned && row.int(3)? != 1 {
            continue;
        }
        let moved = Moved {
            movement: &movement,
            when: row.int(5)?,
            made: row.int(3)? == 1,
            terminal,
            sum: Sum { quantity: row.int_opt(7)?.unwrap_or(0), events: row.int(6)? },
        };
        if moved.sum.quantity != 0 {
            accounts.entry(String::from(row.text(4)?)).or_default().add(&moved);
        }
    }
    // That what was put out again came in its coming out says.
    for row in brought.iter().filter(|row| row.int(4).is_ok_and(|goes_on| goes_on == 0)) {
        let sum = Sum { quantity: row.int(6)?, events: row.int(5)? };
        accounts.entry(String::from(row.text(3)?)).or_default().note(
            (true, OTHER),
            row.int(7)?,
            sum,
        );
    }
    for row in &held {
        accounts.entry(String::from(row.text(0)?)).or_default().stored = row.int(1)?;
    }
    Ok(accounts)
}

/// What came from outside with an input `l` and was put out again by the same event: it did not go out.
const BROUGHT_IN: &str = "COALESCE((SELECT b.quantity FROM trace_brought b JOIN trace_link w \
     ON w.event_id = b.event_id AND w.object_id = b.object_id AND w.role = 1 \
     WHERE l.role = 0 AND b.event_id = l.event_id AND b.object_id = l.object_id), 0)";

/// The query for what came from outside, with all events or those of some subjects: domain, version of the
/// pack, type, unit of measure, whether it was put out again (1), events, quantity, and when (see [`span`]).
fn brought(period: Period, own: Option<&[&str]>, which: impl Fn(&mut Sql)) -> Sql {
    let mut sql = Sql::new(
        "SELECT e.domain, e.pack_version, e.kind, o.unit, CASE WHEN EXISTS (SELECT 1 FROM trace_link w \
         WHERE w.event_id = b.event_id AND w.object_id = b.object_id AND w.role = 1) \
         THEN 1 ELSE 0 END AS goes_on, COUNT(*), CAST(SUM(b.quantity) AS BIGINT), ",
    );
    span(&mut sql, period, "b.event_time");
    sql.push(
        " FROM trace_brought b CROSS JOIN trace_object o CROSS JOIN trace_event e \
         WHERE o.id = b.object_id AND e.id = b.event_id",
    );
    if let Some(own) = own {
        sql.push(" AND e.subject_id ").bind_texts(own.iter().copied());
    }
    which(&mut sql);
    sql.push(" GROUP BY e.domain, e.pack_version, e.kind, o.unit, goes_on, span");
    sql
}

/// Writes the column that says whether something was before (0), within (1) or after (2) the period.
fn span(sql: &mut Sql, Period { from, to }: Period, time: &'static str) {
    sql.push("CASE WHEN ").push(time).push(" < ").bind(from).push(" THEN 0 WHEN ").push(time);
    sql.push(" > ").bind(to).push(" THEN 2 ELSE 1 END AS span");
}

fn told(accounts: &BTreeMap<String, Account>) -> Result<Value> {
    let accounts = accounts.iter().map(|(unit, account)| account.json(unit));
    Ok(json!({ "accounts": accounts.collect::<Result<Vec<_>>>()? }))
}

/// How goods move by events of a type.
struct Ways {
    /// The movement type.
    movement: String,
    /// Whether what is put out leaves circulation.
    terminal: bool,
    /// Whether what goes in is what consumers bring back.
    returned: bool,
}

impl Ways {
    fn of(domains: &Domains, row: &Row) -> Result<Self> {
        let spec = domains.event(row.text(0)?, row.text(1)?, row.text(2)?);
        let movement = spec.as_ref().and_then(|spec| spec.movement.clone());
        Ok(Self {
            movement: movement.unwrap_or_else(|| String::from(OTHER)),
            terminal: spec.as_ref().is_some_and(|spec| spec.outputs.terminal.is_some()),
            returned: spec.is_some_and(|spec| returned::takes_back(&spec)),
        })
    }
}

/// Every movement of one object, oldest first; with `own` only those by some subjects.
async fn items(
    tx: &mut Tx,
    (object, own): (i64, Option<&[&str]>),
    Period { from, to }: Period,
) -> Result<Vec<Value>> {
    let items = |join: &str| {
        let mut sql = Sql::new(
            "SELECT e.domain, e.pack_version, e.kind, e.uid, l.role, l.quantity, l.event_time, ",
        );
        sql.push(BROUGHT_IN).push(" FROM trace_link l");
        sql.push(join).push(" WHERE l.role IN (0, 1, 3) AND l.object_id = ").bind(object);
        sql.push(" AND l.event_time >= ").bind(from).push(" AND l.event_time <= ").bind(to);
        if let Some(own) = own {
            sql.push(" AND e.subject_id ").bind_texts(own.iter().copied());
        }
        sql.push(" ORDER BY l.event_time, l.event_id LIMIT ").bind(ITEMS_MAX);
        sql
    };
    let rows = places::fetch_linked(tx, items).await?;
    let domains = yj_domain::current(tx).await?;
    let item = |row: &Row| {
        let spec = domains.event(row.text(0)?, row.text(1)?, row.text(2)?);
        let Ways { movement, terminal, returned } = Ways::of(&domains, row)?;
        // What leaves circulation as it is put out is gone; what is brought back came in once.
        let into = row.int(4)? == 1 && !terminal;
        if returned && !into {
            return Ok(None);
        }
        let movement = on_side(&movement, into);
        let amount = row.int_opt(5)?.map(|all| Ok::<_, Problem>(all - row.int(7)?)).transpose()?;
        if amount == Some(0) {
            return Ok(None);
        }
        let amount: Option<Quantity> = amount.map(quantity).transpose()?;
        Ok(Some(json!({
            "event": row.text(3)?, "type_name": spec.as_ref().map(|spec| spec.name.as_str()),
            "movement": movement, "name": movement_name(movement),
            "side": if into { "in" } else { "out" }, "quantity": amount,
            "event_time": time_text(row.int(6)?)?,
        })))
    };
    rows.iter().filter_map(|row| item(row).transpose()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(movement: &'static str, when: i64, made: bool, quantity: i64) -> Moved<'static> {
        let sum = Sum { quantity, events: 1 };
        Moved { movement, when, made, terminal: false, sum }
    }

    #[test]
    fn what_came_in_less_what_went_out_is_what_is_left() {
        let mut account = Account { stored: 45, ..Account::default() };
        account.add(&moved("101", 0, true, 100));
        account.add(&moved("201", 1, false, 30));
        account.add(&moved("205", 1, false, 10));
        account.add(&moved("103", 1, true, 5));
        account.add(&moved("201", 2, false, 20));
        assert_eq!((account.opening, account.closing(), account.later), (100, 65, -20));
        assert_eq!(account.closing() + account.later, account.stored);
        // What is sold at once leaves nothing behind.
        account.add(&Moved { terminal: true, ..moved("321", 1, true, 7) });
        assert_eq!(account.closing(), 65);
        assert_eq!(account.out["321"].quantity, 7);
    }

    #[test]
    fn what_one_sells_out_comes_in_to_the_other_by_purchase() {
        let mut account = Account::default();
        account.add(&moved("201", 1, true, 30));
        account.add(&moved("101", 1, false, 10));
        assert_eq!((account.into["102"].quantity, account.out["208"].quantity), (30, 10));
        assert_eq!(
            (on_side("321", true), on_side("321", false), on_side(OTHER, true)),
            ("113", "321", OTHER)
        );
        assert_eq!((on_side("111", false), on_side("102", false)), ("217", "201"));
    }
}
