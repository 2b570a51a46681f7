//! SCIM 2.0 (RFC 7643, RFC 7644): users as other systems keep them in step. Who comes and goes is
//! told here; what they may do is not.

use axum::{
    body::Bytes,
    extract::{Path, RawQuery},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use yj_kernel::{
    Access, Ctx, Param, Problem, Result, Route, Row, Scoping, Shape, Sql, Tx, audit,
    json as strict, time_text,
};

use crate::{ACCOUNT, Account, account, rights, seal};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
/// Where users are.
const ALL: &str = "/scim/v2/Users";
/// Users of one answer.
const COUNT_MAX: i64 = 200;

const QUERY: &[Param] = &[
    Param {
        name: "filter",
        label: "userName eq \"…\" 或 meta.lastModified gt \"…\"",
        required: false,
    },
    Param { name: "startIndex", label: "自 1 起", required: false },
    Param { name: "count", label: "至多 200", required: false },
];

pub(super) fn routes() -> Vec<Route> {
    let (read, write) = (|| Access::permission("scim:read"), || Access::permission("scim:write"));
    let scim = || Shape::Bytes("application/scim+json");
    let (all, one) = (ALL, || format!("{ALL}/{{id}}"));
    let config = |_: Ctx| async { answer(StatusCode::OK, &configuration()) };
    let types = |_: Ctx| async { answer(StatusCode::OK, &resource_types()) };
    let schemas = |_: Ctx| async { answer(StatusCode::OK, &schemas()) };
    let list_users = |ctx: Ctx, RawQuery(query): RawQuery| async move {
        told(list(&ctx, &query.unwrap_or_default()).await.map(|found| (StatusCode::OK, found)))
    };
    let read_user = |ctx: Ctx, Path(id): Path<String>| async move {
        told(read_one(&ctx, &id).await.map(|found| (StatusCode::OK, found)))
    };
    let create = |ctx: Ctx, body: Bytes| async move {
        told(create(&ctx, &body).await.map(|made| (StatusCode::CREATED, made)))
    };
    let replace = |ctx: Ctx, Path(id): Path<String>, body: Bytes| async move {
        told(change(&ctx, &id, (&body, false)).await.map(|now| (StatusCode::OK, now)))
    };
    let patch = |ctx: Ctx, Path(id): Path<String>, body: Bytes| async move {
        told(change(&ctx, &id, (&body, true)).await.map(|now| (StatusCode::OK, now)))
    };
    let remove = |ctx: Ctx, Path(id): Path<String>| async move {
        told(disable(&ctx, &id).await.map(|()| (StatusCode::NO_CONTENT, Value::Null)))
    };
    vec![
        Route::new((Method::GET, "/scim/v2/ServiceProviderConfig"), read(), "SCIM 能力", config),
        Route::new((Method::GET, "/scim/v2/ResourceTypes"), read(), "SCIM 资源类型", types),
        Route::new((Method::GET, "/scim/v2/Schemas"), read(), "SCIM 模式", schemas),
        Route::new((Method::GET, all), read(), "SCIM 用户", list_users).query(QUERY).gives(scim()),
        Route::new((Method::POST, all), write(), "SCIM 建立用户", create).takes(scim()),
        Route::new((Method::GET, one()), read(), "SCIM 读取用户", read_user).gives(scim()),
        Route::new((Method::PUT, one()), write(), "SCIM 替换用户", replace).takes(scim()),
        Route::new((Method::PATCH, one()), write(), "SCIM 修改用户", patch).takes(scim()),
        Route::new((Method::DELETE, one()), write(), "SCIM 停用用户", remove),
    ]
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut response = (status, body).into_response();
    let kind = HeaderValue::from_static("application/scim+json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Refusals in the words of RFC 7644 §3.12.
fn told(result: Result<(StatusCode, Value)>) -> Response {
    match result {
        Ok((status, body)) => answer(status, &body),
        Err(problem) => {
            problem.log();
            let (_, status, _) = problem.class();
            // RFC 7644 knows 400 where we say 422.
            let invalid = status == StatusCode::UNPROCESSABLE_ENTITY;
            let status = if invalid { StatusCode::BAD_REQUEST } else { status };
            let mut body = json!({
                "schemas": [ERROR], "status": status.as_u16().to_string(), "detail": problem.to_string(),
            });
            match &problem {
                Problem::Invalid(_) | Problem::Malformed(_) => {
                    body["scimType"] = json!("invalidValue");
                }
                Problem::Duplicate(_) => body["scimType"] = json!("uniqueness"),
                _ => {}
            }
            answer(status, &body)
        }
    }
}

fn configuration() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true }, "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": COUNT_MAX },
        "changePassword": { "supported": false }, "sort": { "supported": false }, "etag": { "supported": true },
        "authenticationSchemes": [
            { "type": "oauthbearertoken", "name": "OAuth 2.0", "description": "客户端凭据换取的访问令牌" },
        ],
    })
}

fn resource_types() -> Value {
    json!({
        "schemas": [LIST], "totalResults": 1, "Resources": [{
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": "User", "name": "User", "endpoint": "/Users", "schema": USER,
        }],
    })
}

fn schemas() -> Value {
    let attribute = |name: &str, kind: &str, required: bool| {
        json!({
            "name": name, "type": kind, "multiValued": false, "required": required,
            "mutability": "readWrite", "returned": "default", "uniqueness": "none", "caseExact": true,
        })
    };
    json!({
        "schemas": [LIST], "totalResults": 1, "Resources": [{
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"], "id": USER, "name": "User",
            "attributes": [
                attribute("userName", "string", true), attribute("displayName", "string", true),
                attribute("active", "boolean", false), attribute("organization", "string", true),
            ],
        }],
    })
}

const SELECT: &str = "SELECT a.id, a.user_name, a.name, a.state, o.code, a.version, a.created_at, \
    a.updated_at FROM account a JOIN organization o ON o.id = a.organization_id \
    WHERE a.kind = 'person'";

fn read(row: &Row) -> Result<Value> {
    let id = row.text(0)?;
    Ok(json!({
        "schemas": [USER], "id": id, "userName": row.text(1)?, "displayName": row.text(2)?,
        "name": { "formatted": row.text(2)? },
        "active": matches!(row.text(3)?, "active" | "invited"), "organization": row.text(4)?,
        "meta": {
            "resourceType": "User", "location": format!("{ALL}/{id}"),
            "version": format!("W/\"{}\"", row.int(5)?),
            "created": time_text(row.int(6)?)?, "lastModified": time_text(row.int(7)?)?,
        },
    }))
}

/// `userName eq "…"` or `meta.lastModified gt "…"`: what systems that keep in step ask.
fn filter(sql: &mut Sql, text: &str) -> Result<()> {
    let wrong =
        || Problem::invalid("filter", "应为 userName eq \"…\" 或 meta.lastModified gt \"…\"");
    let mut parts = text.trim().splitn(3, ' ');
    let (Some(name), Some(operator), Some(value)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong());
    };
    let value = value.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let value = value.ok_or_else(wrong)?;
    match (name, operator.to_ascii_lowercase().as_str()) {
        ("userName", "eq") => {
            sql.push(" AND a.user_name = ").bind(value);
        }
        ("meta.lastModified", "gt") => {
            let time: jiff::Timestamp = value.parse().map_err(|_| wrong())?;
            sql.push(" AND a.updated_at > ").bind(time.as_millisecond());
        }
        _ => return Err(wrong()),
    }
    Ok(())
}

async fn list(ctx: &Ctx, query: &str) -> Result<Value> {
    let (mut start, mut count) = (1, 100);
    let mut condition = None;
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let parsed = text.parse::<i64>().ok();
        let number = |most: i64| {
            let found = parsed.filter(|number| (0..=most).contains(number));
            found.ok_or_else(|| Problem::invalid(&*name, format!("应为 0 至 {most} 的整数")))
        };
        match &*name {
            "filter" => condition = Some(text.into_owned()),
            "startIndex" => start = number(1_000_000)?.max(1),
            "count" => count = number(COUNT_MAX)?,
            "attributes" | "excludedAttributes" => {}
            _ => return Err(Problem::invalid(&*name, "没有这个查询条件")),
        }
    }
    let mut tx = ctx.snapshot().await?;
    let mut all = Sql::new("SELECT COUNT(*) FROM account a WHERE a.kind = 'person'");
    if let Some(text) = &condition {
        filter(&mut all, text)?;
    }
    ctx.scope().narrow(&mut all, &tx, crate::ACCOUNTS);
    let total = tx.fetch_one(all).await?.map_or(Ok(0), |row| row.int(0))?;
    let mut sql = Sql::new(SELECT);
    if let Some(text) = &condition {
        filter(&mut sql, text)?;
    }
    ctx.scope().narrow(&mut sql, &tx, crate::ACCOUNTS);
    sql.push(" ORDER BY a.updated_at, a.id LIMIT ").bind(count).push(" OFFSET ").bind(start - 1);
    let rows = tx.fetch(sql).await?;
    let found = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    drop(tx);
    audit::note_use(ctx, "scim_user", (query, found.len())).await?;
    Ok(json!({
        "schemas": [LIST], "totalResults": total, "startIndex": start,
        "itemsPerPage": found.len(), "Resources": found,
    }))
}

async fn user(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<Value> {
    let mut sql = Sql::new(SELECT);
    sql.push(" AND a.id = ").bind(id);
    ctx.scope().narrow(&mut sql, tx, crate::ACCOUNTS);
    read(&tx.fetch_one(sql).await?.ok_or_else(crate::missing)?)
}

async fn read_one(ctx: &Ctx, id: &str) -> Result<Value> {
    let mut tx = ctx.snapshot().await?;
    user(ctx, &mut tx, id).await
}

fn body(bytes: &Bytes) -> Result<Value> {
    strict::parse(bytes)
}

fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body[name].as_str().map(str::trim).filter(|text| !text.is_empty())
}

fn display_name(body: &Value) -> Option<&str> {
    text(body, "displayName").or_else(|| body["name"]["formatted"].as_str())
}

async fn create(ctx: &Ctx, bytes: &Bytes) -> Result<Value> {
    let body = body(bytes)?;
    let required = |name: &str| {
        text(&body, name).ok_or_else(|| Problem::invalid(name, format!("{name} 必填")))
    };
    let mut tx = ctx.begin().await?;
    let mut sql = Sql::new("SELECT o.id FROM organization o WHERE o.code = ");
    sql.bind(required("organization")?);
    let columns = yj_kernel::Columns { organization: Some("o.path"), ..yj_kernel::Columns::NONE };
    ctx.scope().narrow(&mut sql, &tx, Scoping::By(columns));
    let row = tx.fetch_one(sql).await?;
    let row = row.ok_or_else(|| Problem::invalid("organization", "没有这个机构编码"))?;
    let made = Account {
        user_name: String::from(required("userName")?),
        name: String::from(
            display_name(&body)
                .ok_or_else(|| Problem::invalid("displayName", "displayName 必填"))?,
        ),
        organization_id: row.text(0)?.parse().map_err(Problem::internal)?,
        organization_path: None,
        kind: String::from("person"),
        administrator: None,
        clearance: 2,
        phone: None,
        email: None,
        valid_until: None,
        state: None,
        remark: Some(String::from("由 SCIM 建立")),
    };
    let id = tx.insert(ctx, &made).await?.id.to_string();
    let answer = user(ctx, &mut tx, &id).await?;
    tx.commit().await?;
    Ok(answer)
}

/// Replaces a user, or applies a patch of `replace` operations (RFC 7644 §3.5.2.3).
async fn change(ctx: &Ctx, id: &str, (bytes, partial): (&Bytes, bool)) -> Result<Value> {
    let body = body(bytes)?;
    let mut wanted = json!({});
    if partial {
        let operations = body["Operations"].as_array();
        for operation in operations.ok_or_else(|| Problem::invalid("Operations", "应为操作列表"))?
        {
            let verb = operation["op"].as_str().unwrap_or_default().to_ascii_lowercase();
            if !matches!(verb.as_str(), "replace" | "add") {
                return Err(Problem::invalid("Operations", "只支持 replace 与 add"));
            }
            match (operation["path"].as_str(), &operation["value"]) {
                (Some(path), value) => wanted[path] = value.clone(),
                (None, Value::Object(values)) => {
                    for (name, value) in values {
                        wanted[name] = value.clone();
                    }
                }
                _ => return Err(Problem::invalid("Operations", "操作应有 path，或 value 为对象")),
            }
        }
    } else {
        wanted = body;
    }
    let mut tx = ctx.begin().await?;
    let now = user(ctx, &mut tx, id).await?;
    if let Some(name) = display_name(&wanted).filter(|name| now["displayName"] != *name) {
        if !(1..=50).contains(&name.chars().count()) {
            return Err(Problem::invalid("displayName", "应为 1 至 50 个字"));
        }
        let sql = Sql::new(
            "UPDATE account SET name = $1, version = version + 1, updated_at = $2, updated_by = $3 \
             WHERE id = $4",
        );
        tx.execute(sql.arg(name).arg(ctx.now_ms()).arg(ctx.actor()).arg(id)).await?;
        rights::changed(&mut tx);
        note(ctx, &mut tx, ("updated", id), json!({ "name": [now["displayName"], name] }));
    }
    // Some systems send the truth of a flag as a text.
    let active = match &wanted["active"] {
        Value::Bool(active) => Some(*active),
        Value::String(text) => Some(text.eq_ignore_ascii_case("true")),
        _ => None,
    };
    if let Some(active) = active.filter(|active| now["active"] != *active) {
        turn(ctx, &mut tx, (id, active)).await?;
    }
    let answer = user(ctx, &mut tx, id).await?;
    tx.commit().await?;
    Ok(answer)
}

fn note(ctx: &Ctx, tx: &mut Tx, (action, record): (&str, &str), body: Value) {
    audit::write(ctx, tx, audit::Entry { action, entity: ACCOUNT.table, record, body });
}

async fn turn(ctx: &Ctx, tx: &mut Tx, (id, active): (&str, bool)) -> Result<()> {
    let administrator = Sql::new("SELECT 1 FROM account WHERE id = $1 AND administrator <> 'none'");
    if tx.fetch_one(administrator.arg(id)).await?.is_some() {
        return Err(Problem::Forbidden(String::from("管理员账号不能经接口启停")));
    }
    let locked = Sql::new("SELECT 1 FROM account WHERE id = $1 AND state = 'locked'");
    if tx.fetch_one(locked.arg(id)).await?.is_some() {
        return Err(Problem::Forbidden(String::from("账号已被安全管理员锁定，不能经接口启停")));
    }
    let sql = Sql::new(
        "UPDATE account SET state = CASE WHEN $1 = 0 THEN 'disabled' \
         WHEN EXISTS (SELECT 1 FROM credential c WHERE c.account_id = account.id) THEN 'active' \
         ELSE 'invited' END, version = version + 1, updated_at = $2, updated_by = $3 WHERE id = $4",
    );
    tx.execute(sql.arg(i64::from(active)).arg(ctx.now_ms()).arg(ctx.actor()).arg(id)).await?;
    rights::changed(tx);
    seal::account(ctx, tx, id).await?;
    if !active {
        account::end_sessions(tx, id);
    }
    note(ctx, tx, (if active { "enabled" } else { "disabled" }, id), json!({ "source": "scim" }));
    Ok(())
}

/// What was somebody's stays theirs: a user is not removed but disabled.
async fn disable(ctx: &Ctx, id: &str) -> Result<()> {
    let mut tx = ctx.begin().await?;
    user(ctx, &mut tx, id).await?;
    turn(ctx, &mut tx, (id, false)).await?;
    tx.commit().await
}
