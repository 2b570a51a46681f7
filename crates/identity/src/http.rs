//! The doors of identity.

mod accounts;
mod audit;
mod clients;
mod leaving;
mod oidc;
mod oneself;
mod scim;
mod self_check;
mod setup;

use axum::http::{HeaderValue, header::SET_COOKIE};
use axum::response::Response;
use yj_kernel::{Access, Route, record_routes};

use crate::{
    ACCOUNT, APPLICATION, ASSIGNMENT, CLIENT, DELEGATION, Identity, ORGANIZATION, ROLE, session,
};

/// The routes of this crate.
pub fn routes(identity: &Identity) -> Vec<Route> {
    let mut routes = oneself::routes(identity);
    routes.extend(setup::routes(identity));
    for register in [ORGANIZATION, ACCOUNT, ROLE, ASSIGNMENT, DELEGATION, CLIENT, APPLICATION] {
        routes.extend(record_routes(register));
    }
    routes.extend(accounts::routes(identity));
    routes.extend(clients::routes(identity));
    routes.extend(oidc::routes(identity));
    routes.extend(scim::routes());
    routes.extend(audit::routes());
    routes.extend(self_check::routes(identity));
    // Rights are changed by those who have just shown who they are (S-10).
    for route in &mut routes {
        let changes = route.method != axum::http::Method::GET;
        let Ok(Access::Permission(name)) = &route.access else { continue };
        let dangerous = [
            "role:write",
            "assignment:write",
            "delegation:write",
            "administrator:write",
            "key:write",
            "account:confirm",
            "client:write",
            "client:approve",
            "application:write",
            "organization:bind",
        ];
        if changes && dangerous.contains(&name.as_str()) {
            route.fresh = true;
        }
    }
    routes
}

fn set_cookie(response: &mut Response, token: &str, extra: &str) {
    let cookie =
        format!("{}={token}; Path=/; HttpOnly; Secure; SameSite=Lax{extra}", session::COOKIE);
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(SET_COOKIE, value);
    }
}
