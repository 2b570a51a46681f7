//! 企业开户: one act of the system administrator after a reviewer has approved (ADR 12).

use axum::{Json, extract::Path, http::Method};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_identity::NewEnterprise;
use yj_kernel::{Access, Body, Ctx, Problem, Result, Route, Shape};

/// How the account shall be called, where the wished name will not do.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Opening {
    /// 用户名；留空为申请人希望使用的用户名
    #[schemars(length(max = 32))]
    user_name: Option<String>,
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            (Method::POST, "/api/v1/subject_application/{id}/account"),
            Access::permission("account:write"),
            "为已通过的注册申请开通账号",
            open,
        )
        .takes(Shape::of::<Opening>())
        .fresh(),
    ]
}

async fn open(ctx: Ctx, Path(id): Path<String>, Body(body): Body<Opening>) -> Result<Json<Value>> {
    let mut tx = ctx.begin().await?;
    let application = yj_subject::approved_application(&ctx, &mut tx, &id).await?;
    let subject = application.subject_id.as_str();
    let found = yj_subject::by_ids(&mut tx, &[subject]).await?.remove(subject);
    let found = found.ok_or_else(|| Problem::internal("an approved subject is missing"))?;
    let wished = body.user_name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let user_name = wished.unwrap_or(&application.user_name);
    let new = NewEnterprise {
        subject,
        code: &found.code,
        name: &found.name,
        region: found.region.parse().ok(),
        parent_path: &application.organization_path,
        user_name,
        person: &application.name,
        phone: &application.phone,
    };
    let opened = yj_identity::open_enterprise(&ctx, &mut tx, new).await?;
    yj_subject::close_application(&ctx, &mut tx, (&id, &opened.account)).await?;
    tx.commit().await?;
    Ok(Json(json!({
        "account_id": opened.account, "organization_id": opened.organization,
        "user_name": user_name, "token": opened.token,
    })))
}
