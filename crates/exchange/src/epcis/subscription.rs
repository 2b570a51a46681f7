//! Who is told of the events of a named query, where, and when.

use serde_json::{Map, Value, json};
use yj_epcis::Instant;
use yj_kernel::{Ctx, FieldError, Problem, Row, Sql, Tx, json as strict};

use super::{
    guard::Callbacks,
    header::EpcFormat,
    named::{Named, note},
    problem::{Exception, Refusal, Result},
    store,
    terms::Terms,
};

/// Subscriptions of one query.
const SUBSCRIPTIONS_MAX: i64 = 20;
/// Where the token of a subscription is sealed.
pub(crate) const TOKEN: &str = "epcis_subscription.token";

/// A subscription as it is described to its owner: without its token.
pub(crate) struct Subscription {
    pub(crate) id: String,
    body: Value,
}

const SUBSCRIPTION: &str = "SELECT id, created_at, dest, schedule, report_if_empty, \
     initial_record_time, min_record_time, epc_format, last_notified_at, last_error, tries \
     FROM epcis_subscription WHERE query_id = ";

impl Subscription {
    fn read(row: &Row, query: &str) -> yj_kernel::Result<Self> {
        let time = |ms: i64| Value::from(Instant(ms).to_string());
        let mut body = json!({
            "subscriptionID": row.text(0)?, "queryName": query, "createdAt": time(row.int(1)?),
            "dest": row.text(2)?, "reportIfEmpty": row.int(4)? != 0, "epcFormat": row.text(7)?,
        });
        match row.text_opt(3)? {
            Some(text) => {
                body["schedule"] = serde_json::from_str(text).map_err(Problem::internal)?;
            }
            None => body["stream"] = Value::Bool(true),
        }
        for (name, at) in [("initialRecordTime", 5), ("minRecordTime", 6), ("lastNotifiedAt", 8)] {
            if let Some(ms) = row.int_opt(at)? {
                body[name] = time(ms);
            }
        }
        if let Some(error) = row.text_opt(9)? {
            body["lastError"] = Value::from(error);
            body["tries"] = Value::from(row.int(10)?);
        }
        Ok(Self { id: String::from(row.text(0)?), body })
    }

    pub(crate) fn describe(self) -> Value {
        self.body
    }
}

/// One subscription of a query.
pub(crate) async fn find(tx: &mut Tx, named: &Named, id: &str) -> Result<Subscription> {
    let unknown = || Refusal::of(Exception::NoSuchName, "订阅不存在");
    if id.chars().any(char::is_control) {
        return Err(unknown());
    }
    let mut sql = Sql::new(SUBSCRIPTION);
    sql.bind(named.id.as_str()).push(" AND id = ").bind(id);
    let row = tx.fetch_one(sql).await?.ok_or_else(unknown)?;
    Ok(Subscription::read(&row, &named.name)?)
}

/// The subscriptions of a query, the first made first, and where the next page begins.
pub(crate) async fn list(
    tx: &mut Tx,
    named: &Named,
    (per_page, after): (i64, Option<&str>),
) -> Result<(Vec<Value>, Option<String>)> {
    let mut sql = Sql::new(SUBSCRIPTION);
    sql.bind(named.id.as_str());
    if let Some(after) = after {
        sql.push(" AND id > ").bind(after);
    }
    sql.push(" ORDER BY id LIMIT ").bind(per_page + 1);
    let rows = tx.fetch(sql).await?;
    let mut found = rows
        .iter()
        .map(|row| Subscription::read(row, &named.name))
        .collect::<yj_kernel::Result<Vec<_>>>()?;
    let more = i64::try_from(found.len()).is_ok_and(|count| count > per_page);
    found.truncate(usize::try_from(per_page).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| more).map(|last| last.id.clone());
    Ok((found.into_iter().map(Subscription::describe).collect(), next))
}

/// What a client asks for.
struct Asked {
    dest: String,
    token: Option<String>,
    terms: Terms,
}

const MEMBERS: [&str; 9] = [
    "dest",
    "signatureToken",
    "schedule",
    "stream",
    "reportIfEmpty",
    "initialRecordTime",
    "minRecordTime",
    "subscriptionID",
    "queryName",
];

impl Asked {
    fn read(bytes: &[u8], callbacks: &Callbacks) -> Result<Self> {
        let body: Map<String, Value> = strict::parse(bytes)?;
        let mut errors: Vec<FieldError> = Vec::new();
        let mut wrong = |field: &str, detail: &str| {
            errors.push(FieldError { field: String::from(field), detail: String::from(detail) });
        };
        if let Some(name) = body.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            wrong(name, "没有这个字段");
        }
        let given = |name: &str| body.get(name).filter(|value| !value.is_null());
        let dest = given("dest").and_then(Value::as_str).unwrap_or_default();
        if let Err(detail) = callbacks.check(dest) {
            return Err(Refusal::of(Exception::InvalidUri, format!("dest：{detail}")));
        }
        let token = match given("signatureToken") {
            None => None,
            Some(Value::String(token)) if (1..=500).contains(&token.chars().count()) => {
                Some(token.clone())
            }
            Some(_) => {
                wrong("signatureToken", "应为 1 至 500 个字的文本");
                None
            }
        };
        let terms = Terms::read(&body, errors)?;
        Ok(Self { dest: String::from(dest), token, terms })
    }
}

/// Subscribes.
pub(crate) async fn create(
    ctx: &Ctx,
    tx: &mut Tx,
    named: &Named,
    (bytes, callbacks, format): (&[u8], &Callbacks, EpcFormat),
) -> Result<Subscription> {
    let asked = Asked::read(bytes, callbacks)?;
    let sql = Sql::new("SELECT COUNT(*) FROM epcis_subscription WHERE query_id = $1");
    let count = tx.fetch_one(sql.arg(named.id.as_str())).await?.map_or(Ok(0), |row| row.int(0))?;
    if count >= SUBSCRIPTIONS_MAX {
        let detail = format!("每个命名查询至多 {SUBSCRIPTIONS_MAX} 个订阅");
        return Err(Refusal::of(Exception::SubscriptionControls, detail));
    }
    let terms = &asked.terms;
    let next = terms.first(ctx.now_ms())?;
    let id = ctx.new_id::<()>().to_string();
    let app = ctx.app();
    let token = match &asked.token {
        Some(token) => {
            let place = format!("{TOKEN}|{id}");
            Some(app.vault().seal_secret(app, &place, token.as_bytes())?)
        }
        None => None,
    };
    let position = terms.begin(store::last(tx).await?);
    let sql = Sql::new(
        "INSERT INTO epcis_subscription (id, query_id, owner, created_at, dest, token, schedule, \
         report_if_empty, initial_record_time, min_record_time, epc_format, position, next_at, receiver, \
         tries) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0)",
    );
    let schedule = terms.schedule.as_ref().map(|(value, _)| value.to_string());
    let sql = sql.arg(id.as_str()).arg(named.id.as_str()).arg(ctx.actor()).arg(ctx.now_ms());
    let sql = sql.arg(asked.dest.as_str()).arg(token).arg(schedule).arg(terms.report_if_empty);
    let sql = sql.arg(terms.initial).arg(terms.minimum).arg(format.code()).arg(position);
    let receiver = callbacks.check(&asked.dest).ok().and_then(|uri| uri.authority().cloned());
    let receiver = receiver
        .map_or_else(|| asked.dest.clone(), |authority| authority.as_str().to_ascii_lowercase());
    tx.execute(sql.arg(next).arg(receiver)).await?;
    let body = json!({ "query": named.name, "dest": asked.dest });
    note(ctx, tx, ("epcis_subscription", "created"), (&id, body));
    find(tx, named, &id).await
}

/// Unsubscribes.
pub(crate) async fn remove(ctx: &Ctx, tx: &mut Tx, named: &Named, id: &str) -> Result<()> {
    let found = find(tx, named, id).await?;
    tx.later([Sql::new("DELETE FROM epcis_subscription WHERE id = $1").arg(found.id.as_str())]);
    let body = json!({ "query": named.name });
    note(ctx, tx, ("epcis_subscription", "removed"), (&found.id, body));
    Ok(())
}
