//! Log-out: the session ends, and what browsers keep of it.

use axum::{
    extract::RawQuery,
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::json;
use yj_kernel::{Ctx, Problem, Result, Sql};

use super::set_cookie;
use crate::factor;

/// Ends the session that the request brings, and what browsers keep of it (S-34). Records of the
/// field page that are not sent yet exist nowhere else: where there are any, the browser keeps its
/// store, and the page removes the rest itself.
pub(super) async fn leave(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Response> {
    let keeps = match query.as_deref() {
        None | Some("") => false,
        Some("keep=outbox") => true,
        Some(_) => return Err(Problem::invalid("keep", "应为 outbox，或不填")),
    };
    let mut tx = ctx.begin().await?;
    let sql = Sql::new("DELETE FROM session WHERE id = $1");
    tx.execute(sql.arg(ctx.principal().session.as_str())).await?;
    factor::note(&ctx, &mut tx, "logged_out", json!({}));
    tx.commit().await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&mut response, "", "; Max-Age=0");
    let clear =
        if keeps { "\"cache\", \"cookies\"" } else { "\"cache\", \"cookies\", \"storage\"" };
    let clear = HeaderValue::from_static(clear);
    response.headers_mut().insert(HeaderName::from_static("clear-site-data"), clear);
    Ok(response)
}
