//! 初始化向导: open until the first account exists.

use axum::{Json, http::Method};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{App, Body, Origin, Problem, Result, Route, Shape, Sql};
use yj_model::RegionCode;

use crate::{Identity, bootstrap};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Setup {
    /// 启动时打印的设置令牌
    token: String,
    /// 运营机构
    organization: Operator,
    /// 系统管理员
    system: Administrator,
    /// 安全管理员
    security: Administrator,
    /// 审计管理员
    audit: Administrator,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Operator {
    /// 机构编码
    code: String,
    /// 机构名称
    name: String,
    /// 行政区划代码
    region: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Administrator {
    /// 用户名
    user_name: String,
    /// 姓名
    name: String,
}

pub(super) fn routes(identity: &Identity) -> Vec<Route> {
    let throttle = identity.clone();
    let state = |app: App| async move {
        let mut tx = app.db().snapshot().await?;
        let any = tx.fetch_one(Sql::new("SELECT 1 FROM account LIMIT 1")).await?;
        let platform = app.platform();
        Ok::<_, Problem>(Json(json!({
            "open": any.is_none(), "platform": platform.name, "operator": platform.operator,
        })))
    };
    let set_up = move |app: App, origin: Origin, Body(body): Body<Setup>| async move {
        throttle.throttle().take(origin.address, app.now().as_millisecond())?;
        let done = set_up(&app, &body).await;
        if let Err(problem @ Problem::Gone(_)) = &done {
            let reason = problem.to_string();
            let what = ("setup_refused", "/api/v1/setup", reason.as_str());
            crate::note_stranger(&app, &origin, what).await?;
        }
        done
    };
    let why = "尚无任何账号时由首次启动者凭设置令牌完成";
    vec![
        Route::public((Method::GET, "/api/v1/setup"), why, "是否待初始化", state),
        Route::public((Method::POST, "/api/v1/setup"), why, "初始化", set_up)
            .takes(Shape::of::<Setup>()),
    ]
}

async fn set_up(app: &App, body: &Setup) -> Result<Json<Value>> {
    let region: Option<RegionCode> = match body.organization.region.as_deref() {
        None | Some("") => None,
        Some(text) => Some(text.parse().map_err(|error: yj_model::Rejected| {
            Problem::invalid("organization.region", error.to_string())
        })?),
    };
    let three = [&body.system, &body.security, &body.audit];
    let links = bootstrap::set_up(
        app,
        bootstrap::Setup {
            token: &body.token,
            code: &body.organization.code,
            name: &body.organization.name,
            region,
            administrators: three.map(|one| (one.user_name.as_str(), one.name.as_str())),
        },
    );
    let item = |(user, token): (String, String)| json!({ "user": user, "token": token });
    Ok(Json(json!({ "activations": links.await?.into_iter().map(item).collect::<Vec<_>>() })))
}
