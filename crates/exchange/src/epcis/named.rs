//! Named queries: the query language kept under a name, each user's own.

use axum::http::HeaderMap;
use serde_json::{Value, json};
use yj_epcis::{Context, Instant, Json, Limits, Query};
use yj_kernel::{Ctx, Problem, Row, Sql, Tx, audit, outbox};

use super::{
    http::prefixes,
    problem::{Exception, Refusal, Result, invalid},
};

/// Queries of one user.
const QUERIES_MAX: i64 = 100;
/// Longest query, as text.
const TEXT_MAX: usize = 64 << 10;

/// A query under a name.
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
    created_at: i64,
    /// As it was sent.
    text: String,
}

impl Named {
    fn read(row: &Row) -> yj_kernel::Result<Self> {
        let text = |index| row.text(index).map(String::from);
        Ok(Self { id: text(0)?, name: text(1)?, created_at: row.int(2)?, text: text(3)? })
    }

    /// What it asks for.
    pub(crate) fn query(&self) -> yj_kernel::Result<Query> {
        parse(&self.text)
    }

    /// As the binding describes it.
    pub(crate) fn describe(&self) -> yj_kernel::Result<Value> {
        let query: Value = serde_json::from_str(&self.text).map_err(Problem::internal)?;
        Ok(json!({
            "name": self.name, "query": query, "createdAt": Instant(self.created_at).to_string(),
        }))
    }
}

pub(crate) fn parse(text: &str) -> yj_kernel::Result<Query> {
    let json = Json::parse(text.as_bytes(), &Limits::default()).map_err(Problem::internal)?;
    let mut context = Context::default();
    context.declare("yj", super::NAMESPACE);
    Query::from_json(&json, &context).map_err(invalid)
}

const QUERY: &str = "SELECT id, name, created_at, query FROM epcis_query WHERE owner = ";

/// One of the caller's queries.
pub(crate) async fn find(ctx: &Ctx, tx: &mut Tx, name: &str) -> Result<Named> {
    let unknown = || Refusal::of(Exception::NoSuchName, "命名查询不存在");
    if name.chars().any(char::is_control) {
        return Err(unknown());
    }
    let mut sql = Sql::new(QUERY);
    sql.bind(ctx.actor()).push(" AND name = ").bind(name);
    let row = tx.fetch_one(sql).await?.ok_or_else(unknown)?;
    Ok(Named::read(&row)?)
}

/// Whether a query is still there.
pub(crate) async fn require(tx: &mut Tx, id: &str) -> yj_kernel::Result<()> {
    let sql = Sql::new("SELECT 1 FROM epcis_query WHERE id = $1").arg(id);
    tx.fetch_one(sql).await?.map(drop).ok_or(Problem::NotFound("命名查询"))
}

/// The caller's queries by their names, and where the next page begins.
pub(crate) async fn list(
    ctx: &Ctx,
    tx: &mut Tx,
    (per_page, after): (i64, Option<&str>),
) -> Result<(Vec<Value>, Option<String>)> {
    let mut sql = Sql::new(QUERY);
    sql.bind(ctx.actor());
    if let Some(after) = after {
        sql.push(" AND name > ").bind(after);
    }
    sql.push(" ORDER BY name LIMIT ").bind(per_page + 1);
    let rows = tx.fetch(sql).await?;
    let mut found = rows.iter().map(Named::read).collect::<yj_kernel::Result<Vec<_>>>()?;
    let more = i64::try_from(found.len()).is_ok_and(|count| count > per_page);
    found.truncate(usize::try_from(per_page).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| more).map(|last| last.name.clone());
    let described = found.iter().map(Named::describe).collect::<yj_kernel::Result<_>>()?;
    Ok((described, next))
}

/// Keeps a query under a name that the caller has not given yet.
pub(crate) async fn create(
    ctx: &Ctx,
    tx: &mut Tx,
    (bytes, headers): (&[u8], &HeaderMap),
) -> Result<Named> {
    let body = Json::parse(bytes, &Limits::default())
        .map_err(|error| Problem::Malformed(error.to_string()))?;
    let name = body.text_of("name").unwrap_or_default();
    let sound = (1..=100).contains(&name.chars().count())
        && !name.chars().any(|letter| letter.is_control() || "/?#%".contains(letter));
    if !sound {
        let detail = "应为 1 至 100 个字，不含控制字符与 / ? # %";
        return Err(Problem::invalid("name", detail).into());
    }
    let Some(query @ Json::Object(members)) = body.get("query") else {
        return Err(Problem::invalid("query", "应为查询条件的对象").into());
    };
    // Prefixes that the request's header declares are kept with the query, which has to be read
    // without it later.
    let mut declared = prefixes(headers).declared().to_vec();
    declared.retain(|(prefix, _)| prefix != "yj");
    let mut context: Vec<Json> = query.get("@context").cloned().into_iter().collect();
    if !declared.is_empty() {
        let one = |(prefix, uri): &(String, String)| (prefix.clone(), Json::text(uri.as_str()));
        context.insert(0, Json::Object(declared.iter().map(one).collect()));
    }
    let mut members = members.clone();
    members.retain(|(name, _)| name != "@context");
    match context.len() {
        0 => {}
        1 => members.insert(0, (String::from("@context"), context.remove(0))),
        _ => members.insert(0, (String::from("@context"), Json::Array(context))),
    }
    let text = Json::Object(members).to_string();
    if text.len() > TEXT_MAX {
        return Err(Problem::TooLarge(String::from("命名查询至多 64 KiB")).into());
    }
    let query = parse(&text).map_err(|problem| problem.within("query."))?;
    if let Some(fault) = query.unordered_limit() {
        return Err(invalid(vec![fault]).within("query.").into());
    }
    if query.next_page_token.is_some() {
        return Err(Problem::invalid("query.nextPageToken", "命名查询中不应有翻页令牌").into());
    }
    let mut sql = Sql::new("SELECT COUNT(*) FROM epcis_query WHERE owner = ");
    sql.bind(ctx.actor());
    let count = tx.fetch_one(sql).await?.map_or(Ok(0), |row| row.int(0))?;
    if count >= QUERIES_MAX {
        let detail = format!("每个用户至多 {QUERIES_MAX} 个命名查询");
        return Err(Problem::invalid("name", detail).into());
    }
    let mut sql = Sql::new(QUERY);
    sql.bind(ctx.actor()).push(" AND name = ").bind(name);
    if tx.fetch_one(sql).await?.is_some() {
        return Err(Problem::duplicate("已有同名的命名查询").into());
    }
    let id = ctx.new_id::<()>().to_string();
    let sql = Sql::new(
        "INSERT INTO epcis_query (id, owner, name, created_at, query) VALUES ($1, $2, $3, $4, $5)",
    );
    let sql = sql.arg(id.as_str()).arg(ctx.actor()).arg(name).arg(ctx.now_ms()).arg(text.as_str());
    tx.later([sql]);
    let named = Named { id, name: String::from(name), created_at: ctx.now_ms(), text };
    note(ctx, tx, ("epcis_query", "created"), (&named.id, json!({ "name": name })));
    Ok(named)
}

/// Forgets a query with everybody who is told of its events.
pub(crate) async fn remove(ctx: &Ctx, tx: &mut Tx, name: &str) -> Result<()> {
    let named = find(ctx, tx, name).await?;
    let id = named.id.as_str();
    tx.later([
        Sql::new("DELETE FROM epcis_subscription WHERE query_id = $1").arg(id),
        Sql::new("DELETE FROM epcis_query WHERE id = $1").arg(id),
    ]);
    note(ctx, tx, ("epcis_query", "removed"), (id, json!({ "name": name })));
    Ok(())
}

/// Leaves an entry and announces it.
pub(crate) fn note(
    ctx: &Ctx,
    tx: &mut Tx,
    (entity, action): (&'static str, &'static str),
    (record, body): (&str, Value),
) {
    let entry = audit::Entry { action, entity, record, body: body.clone() };
    audit::write(ctx, tx, entry);
    outbox::announce(ctx, tx, (entity, action), record, &body);
}
