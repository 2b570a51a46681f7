//! The HTTP operations every described record gets.

use axum::{
    Json,
    extract::{Path, RawQuery},
    http::{HeaderMap, Method, StatusCode, header::IF_MATCH},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Access, Body, Ctx, Entity, Param, Problem, Result, Route, Shape,
    approval::{self, Approval},
    audit,
    change_rule::{self, Demand},
    figures,
    json::Object,
    listing, map,
    past::{self, Moment},
    protection,
    record::{self, Update},
    review::{self, COMMENT_MAX, Verb},
    transfer,
};

/// Everything a register offers: list, read, history, create, change, import and export; through
/// review where [`Entity::reviewed`] says so.
pub fn record_routes(entity: &'static Entity) -> Vec<Route> {
    let mut routes = reading_routes(entity);
    routes.extend(figures::routes(entity));
    routes.extend(map::routes(entity));
    routes.extend(protecting_routes(entity));
    routes.extend(transfer::routes(entity));
    routes.extend(if entity.reviewed { reviewed_routes(entity) } else { writing_routes(entity) });
    routes
}

fn all(entity: &Entity) -> String {
    format!("/api/v1/{}", entity.table)
}

fn one(entity: &Entity) -> String {
    format!("/api/v1/{}/{{id}}", entity.table)
}

fn may(entity: &Entity, verb: &str) -> Access {
    Access::Permission(entity.permission(verb))
}

/// What one record may be asked for with.
pub const READ_QUERY: &[Param] = &[
    Param {
        name: "known_at", label: "当时所知：此刻之后记录的变更不计", required: false
    },
    Param {
        name: "on", label: "当日所是：此日之后生效的变更不计", required: false
    },
];

/// One record as it is or was, as the register answers it to whoever asks.
pub async fn read_record(
    ctx: &Ctx,
    entity: &'static Entity,
    (id, query): (&str, &str),
) -> Result<serde_json::Map<String, Value>> {
    let moment = Moment::parse(query)?;
    let mut tx = ctx.snapshot().await?;
    let mut found = past::at(ctx, &mut tx, entity, (id, moment)).await?;
    drop(tx);
    audit::note_use(ctx, entity.table, (id, 1)).await?;
    record::veil(ctx, entity, &mut found);
    Ok(found)
}

fn reading_routes(entity: &'static Entity) -> Vec<Route> {
    let title = entity.title;
    let list = move |ctx: Ctx, RawQuery(query): RawQuery| async move {
        let mut tx = ctx.snapshot().await?;
        let query = query.unwrap_or_default();
        crate::personal_search::note_personal_search(&ctx, entity, &query).await?;
        let answer = listing::list(&ctx, &mut tx, entity, &query).await?;
        drop(tx);
        let rows = answer["items"].as_array().map_or(0, Vec::len);
        let filter = crate::personal_search::redacted(entity, &query);
        audit::note_use(&ctx, entity.table, (&filter, rows)).await?;
        Ok::<_, Problem>(Json(answer))
    };
    let read = move |ctx: Ctx, Path(id): Path<String>, RawQuery(query): RawQuery| async move {
        let query = query.unwrap_or_default();
        read_record(&ctx, entity, (&id, &query)).await.map(Json)
    };
    let history = move |ctx: Ctx, Path(id): Path<String>| async move {
        let mut tx = ctx.snapshot().await?;
        record::get(&ctx, &mut tx, entity, &id).await?;
        let mut entries = audit::of_record(&mut tx, entity, (&id, audit::ENTRIES_MAX)).await?;
        for entry in &mut entries {
            record::conceal(&ctx, entity, &mut entry["changes"]);
        }
        Ok::<_, Problem>(Json(entries))
    };
    vec![
        Route::new((Method::GET, all(entity)), may(entity, "read"), format!("查询{title}"), list)
            .gives(Shape::Page(entity)),
        Route::new((Method::GET, one(entity)), may(entity, "read"), format!("读取{title}"), read)
            .query(READ_QUERY)
            .gives(Shape::Stored(entity)),
        Route::new(
            (Method::GET, format!("{}/history", one(entity))),
            may(entity, "read"),
            format!("{title}变更记录"),
            history,
        ),
    ]
}

/// Why something out of the ordinary is done; kept in the audit trail.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

/// A new security label.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Label {
    /// 1 公开、2 内部、3 敏感、4 个人信息
    label: i64,
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

/// A reason worth keeping, of 2 to 500 letters.
pub fn sound_reason(reason: &str) -> Result<&str> {
    let reason = reason.trim();
    match reason.chars().count() {
        2..=COMMENT_MAX => Ok(reason),
        _ => Err(Problem::invalid("reason", format!("请写明理由，2 至 {COMMENT_MAX} 个字"))),
    }
}

/// 密级标记 for every register; 揭示 and 删除 where there is 个人信息.
fn protecting_routes(entity: &'static Entity) -> Vec<Route> {
    let title = entity.title;
    let reveal = move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Reason>| async move {
        let reason = sound_reason(&body.reason)?;
        let mut tx = ctx.begin().await?;
        let shown = protection::reveal(&ctx, &mut tx, entity, (&id, reason)).await?;
        tx.commit().await?;
        Ok::<_, Problem>(Json(shown))
    };
    let erase = move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Reason>| async move {
        let reason = sound_reason(&body.reason)?;
        let mut tx = ctx.begin().await?;
        protection::erase(&ctx, &mut tx, entity, (&id, reason)).await?;
        tx.commit().await?;
        Ok::<_, Problem>(StatusCode::NO_CONTENT)
    };
    let mark = move |ctx: Ctx,
                     Path(id): Path<String>,
                     headers: HeaderMap,
                     Body(body): Body<Label>| async move {
        let reason = sound_reason(&body.reason)?;
        let label = crate::DataClass::from_level(body.label)
            .ok_or_else(|| Problem::invalid("label", "应为 1 公开、2 内部、3 敏感或 4 个人信息"))?;
        let at = (id.as_str(), expected_version(&headers)?);
        let mut tx = ctx.begin().await?;
        let mut record = protection::mark(&ctx, &mut tx, entity, at, (label, reason)).await?;
        tx.commit().await?;
        record::veil(&ctx, entity, &mut record);
        Ok::<_, Problem>(Json(record))
    };
    let at = |verb: &str| (Method::POST, format!("{}/{verb}", one(entity)));
    let mut routes = vec![
        Route::new(
            (Method::PUT, format!("{}/label", one(entity))),
            may(entity, "label"),
            format!("标记{title}密级"),
            mark,
        )
        .takes(Shape::of::<Label>())
        .gives(Shape::Stored(entity))
        .versioned()
        .fresh(),
    ];
    if entity.fields.iter().any(|field| field.class == crate::DataClass::Personal) {
        routes.push(
            Route::new(
                at("reveal"),
                may(entity, "personal"),
                format!("揭示{title}个人信息"),
                reveal,
            )
            .takes(Shape::of::<Reason>())
            .fresh(),
        );
        routes.push(
            Route::new(at("erase"), may(entity, "erase"), format!("删除{title}个人信息"), erase)
                .takes(Shape::of::<Reason>())
                .fresh(),
        );
    }
    routes
}

fn writing_routes(entity: &'static Entity) -> Vec<Route> {
    let title = entity.title;
    let create = move |ctx: Ctx, Body(body): Body<Object>| async move {
        let mut tx = ctx.begin().await?;
        let mut record = record::insert(&ctx, &mut tx, entity, body).await?;
        tx.commit().await?;
        record::veil(&ctx, entity, &mut record);
        Ok::<_, Problem>((StatusCode::CREATED, Json(record)))
    };
    let replace = move |ctx: Ctx,
                        Path(id): Path<String>,
                        RawQuery(query): RawQuery,
                        headers: HeaderMap,
                        Body(body): Body<Object>| async move {
        let query = query.unwrap_or_default();
        change(&ctx, entity, (&id, &query), &headers, (body, false)).await
    };
    let amend = move |ctx: Ctx,
                      Path(id): Path<String>,
                      RawQuery(query): RawQuery,
                      headers: HeaderMap,
                      Body(body): Body<Object>| async move {
        let query = query.unwrap_or_default();
        change(&ctx, entity, (&id, &query), &headers, (body, true)).await
    };
    let remove = move |ctx: Ctx, Path(id): Path<String>, headers: HeaderMap| async move {
        let at = (id.as_str(), expected_version(&headers)?);
        let mut tx = ctx.begin().await?;
        record::remove(&ctx, &mut tx, entity, at).await?;
        tx.commit().await?;
        Ok::<_, Problem>(StatusCode::NO_CONTENT)
    };
    let write = || may(entity, "write");
    let mut routes = vec![
        Route::new((Method::POST, all(entity)), write(), format!("新增{title}"), create)
            .takes(Shape::Record(entity))
            .gives(Shape::Stored(entity)),
        Route::new((Method::PUT, one(entity)), write(), format!("修改{title}"), replace)
            .versioned()
            .takes(Shape::Record(entity))
            .gives(Shape::Stored(entity)),
        Route::new((Method::PATCH, one(entity)), write(), format!("修改{title}部分字段"), amend)
            .versioned()
            .takes(Shape::Json(json!({ "type": "object" })))
            .gives(Shape::Stored(entity)),
    ];
    if entity.removable {
        let summary = format!("删除{title}");
        let at = (Method::DELETE, one(entity));
        routes.push(Route::new(at, write(), summary, remove).versioned());
    }
    routes
}

/// Replaces a record, or (`partial`) only the fields sent; directly or as a change request, as the
/// fields' rules demand.
async fn change(
    ctx: &Ctx,
    entity: &'static Entity,
    (id, query): (&str, &str),
    headers: &HeaderMap,
    (body, partial): (Object, bool),
) -> Result<Response> {
    let at = (id, expected_version(headers)?);
    let effective_on = past::effective_on(query)?;
    let effective_on = effective_on.as_deref();
    let mut tx = ctx.begin().await?;
    let stored = record::get(ctx, &mut tx, entity, id).await?;
    past::require_day(ctx, &stored, effective_on)?;
    let mut body = if partial { record::merged(&stored, body) } else { body };
    record::unveil(ctx, entity, &stored, &mut body);
    let sought = entity.sought(&stored, &body);
    let demand = change_rule::demand(&mut tx, entity, (&stored, &sought)).await?;
    if entity.reviewed && demand != Demand::Nothing {
        let change = (body, effective_on);
        let request = review::propose_from(ctx, &mut tx, entity, Some(at), change).await?;
        tx.commit().await?;
        return Ok(filed(request).into_response());
    }
    let change = Update { at, body, effective_on };
    let mut record = record::update(ctx, &mut tx, entity, change).await?;
    tx.commit().await?;
    record::veil(ctx, entity, &mut record);
    Ok(Json(record).into_response())
}

fn filed(request: Value) -> (StatusCode, Json<Value>) {
    (StatusCode::ACCEPTED, Json(json!({ "change_request": request })))
}

/// A reviewer's or submitter's word on a change request.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Decision {
    /// 理由；退回与驳回必填
    #[serde(default)]
    #[schemars(length(max = 500))]
    comment: String,
}

/// Like writing, but every change waits for a second person.
fn reviewed_routes(entity: &'static Entity) -> Vec<Route> {
    let mut routes = proposing_routes(entity);
    routes.extend(request_routes(entity));
    let together = move |ctx: Ctx, Body(body): Body<Approval>| async move {
        approval::approve(&ctx, entity, body).await.map(Json)
    };
    routes.push(
        Route::new(
            (Method::POST, format!("{}/changes/approve", all(entity))),
            may(entity, "review"),
            format!("批量通过{}变更申请", entity.title),
            together,
        )
        .takes(Shape::of::<Approval>()),
    );
    let verbs = [
        ("approve", may(entity, "review"), Verb::Approve, "通过"),
        ("return", may(entity, "review"), Verb::Return, "退回"),
        ("reject", may(entity, "review"), Verb::Reject, "驳回"),
        ("withdraw", may(entity, "write"), Verb::Withdraw, "撤回"),
    ];
    routes.extend(verbs.map(|(name, access, verb, label)| {
        let decide = move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Decision>| async move {
            if body.comment.chars().count() > COMMENT_MAX {
                return Err(Problem::invalid("comment", format!("至多 {COMMENT_MAX} 个字")));
            }
            let mut tx = ctx.begin().await?;
            let decision = (verb, body.comment.as_str());
            let request = review::decide(&ctx, &mut tx, entity, &id, decision).await?;
            tx.commit().await?;
            Ok::<_, Problem>(Json(request))
        };
        Route::new(
            (Method::POST, format!("{}/changes/{{id}}/{name}", all(entity))),
            access,
            format!("{label}{}变更申请", entity.title),
            decide,
        )
        .takes(Shape::of::<Decision>())
    }));
    routes
}

fn proposing_routes(entity: &'static Entity) -> Vec<Route> {
    let title = entity.title;
    let propose = move |ctx: Ctx, Body(body): Body<Object>| async move {
        let mut tx = ctx.begin().await?;
        let request = review::propose(&ctx, &mut tx, entity, None, body).await?;
        tx.commit().await?;
        Ok::<_, Problem>(filed(request))
    };
    let replace = move |ctx: Ctx,
                        Path(id): Path<String>,
                        RawQuery(query): RawQuery,
                        headers: HeaderMap,
                        Body(body): Body<Object>| async move {
        let query = query.unwrap_or_default();
        change(&ctx, entity, (&id, &query), &headers, (body, false)).await
    };
    let amend = move |ctx: Ctx,
                      Path(id): Path<String>,
                      RawQuery(query): RawQuery,
                      headers: HeaderMap,
                      Body(body): Body<Object>| async move {
        let query = query.unwrap_or_default();
        change(&ctx, entity, (&id, &query), &headers, (body, true)).await
    };
    let write = || may(entity, "write");
    vec![
        Route::new((Method::POST, all(entity)), write(), format!("申请登记{title}"), propose)
            .takes(Shape::Record(entity)),
        Route::new((Method::PUT, one(entity)), write(), format!("申请变更{title}"), replace)
            .versioned()
            .takes(Shape::Record(entity)),
        Route::new(
            (Method::PATCH, one(entity)),
            write(),
            format!("申请变更{title}部分字段"),
            amend,
        )
        .versioned()
        .takes(Shape::Json(json!({ "type": "object" }))),
    ]
}

fn request_routes(entity: &'static Entity) -> Vec<Route> {
    let title = entity.title;
    let changes = format!("{}/changes", all(entity));
    let list = move |ctx: Ctx, RawQuery(query): RawQuery| async move {
        let mut tx = ctx.snapshot().await?;
        let answer = review::list(&ctx, &mut tx, entity, &query.unwrap_or_default()).await?;
        Ok::<_, Problem>(Json(answer))
    };
    let read = move |ctx: Ctx, Path(id): Path<String>| async move {
        let mut tx = ctx.snapshot().await?;
        Ok::<_, Problem>(Json(review::one(&ctx, &mut tx, entity, &id).await?))
    };
    let resubmit = move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Object>| async move {
        let mut tx = ctx.begin().await?;
        let request = review::resubmit(&ctx, &mut tx, entity, &id, body).await?;
        tx.commit().await?;
        Ok::<_, Problem>(Json(request))
    };
    vec![
        Route::new(
            (Method::GET, changes.clone()),
            may(entity, "read"),
            format!("{title}变更申请"),
            list,
        ),
        Route::new(
            (Method::GET, format!("{changes}/{{id}}")),
            may(entity, "read"),
            format!("读取{title}变更申请"),
            read,
        ),
        Route::new(
            (Method::PUT, format!("{changes}/{{id}}")),
            may(entity, "write"),
            format!("补正{title}变更申请"),
            resubmit,
        )
        .takes(Shape::Record(entity)),
    ]
}

/// The version that a change is based on, from `If-Match`.
pub fn expected_version(headers: &HeaderMap) -> Result<i64> {
    let text = headers.get(IF_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.trim_matches('"').parse().map_err(|_| {
        Problem::invalid("If-Match", "请在 If-Match 请求头中给出所依据的版本号，如 \"3\"")
    })
}
