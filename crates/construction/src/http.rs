//! What devices offer beyond a register: certificates, heartbeats, figures.

use axum::{
    Json,
    extract::Path,
    http::{Method, StatusCode},
};
use yj_identity::Identity;
use yj_kernel::{Access, Body, Ctx, Problem, Route, Shape};

use crate::{
    DEVICE,
    certificate::{self, Revocation, Shown},
    heartbeat::{self, Batch},
    presence,
};

const ONE: &str = "/api/v1/device/{id}";

fn may(verb: &str) -> Access {
    Access::Permission(DEVICE.permission(verb))
}

pub(crate) fn routes(identity: &Identity) -> Vec<Route> {
    let mut routes = certificate_routes(identity);
    let beat = |ctx: Ctx, Body(batch): Body<Batch>| async move {
        heartbeat::take(&ctx, batch).await.map(Json)
    };
    let figures = |ctx: Ctx| async move { presence::figures(&ctx).await.map(Json) };
    let last = |ctx: Ctx, Path(id): Path<String>| async move {
        let mut tx = ctx.snapshot().await?;
        let device: yj_model::Id<crate::Device> =
            id.parse().map_err(|_| Problem::NotFound(DEVICE.title))?;
        tx.get(&ctx, device).await?;
        presence::last(&mut tx, &id).await.map(Json)
    };
    routes.extend([
        Route::new((Method::POST, "/api/v1/device/heartbeat"), may("heartbeat"), "设备心跳", beat)
            .takes(Shape::of::<Batch>()),
        Route::new((Method::GET, "/api/v1/device/status"), may("read"), "设备在线率", figures),
        Route::new((Method::GET, format!("{ONE}/status")), may("read"), "设备在线情况", last),
    ]);
    routes
}

fn certificate_routes(identity: &Identity) -> Vec<Route> {
    let identity = identity.clone();
    let bind = move |ctx: Ctx, Path(id): Path<String>, Body(shown): Body<Shown>| {
        let identity = identity.clone();
        async move {
            let mut tx = ctx.begin().await?;
            let bound = certificate::bind(&ctx, &mut tx, &identity, (&id, &shown)).await?;
            tx.commit().await?;
            Ok::<_, Problem>((StatusCode::CREATED, Json(bound)))
        }
    };
    let revoke = |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Revocation>| async move {
        let mut tx = ctx.begin().await?;
        let revoked = certificate::revoke(&ctx, &mut tx, (&id, &body)).await?;
        tx.commit().await?;
        Ok::<_, Problem>(Json(revoked))
    };
    let history = |ctx: Ctx, Path(id): Path<String>| async move {
        let mut tx = ctx.snapshot().await?;
        Ok::<_, Problem>(Json(certificate::history(&ctx, &mut tx, &id).await?))
    };
    vec![
        Route::new((Method::GET, format!("{ONE}/certificates")), may("read"), "设备证书", history),
        Route::new(
            (Method::POST, format!("{ONE}/certificate")),
            may("write"),
            "绑定设备证书",
            bind,
        )
        .takes(Shape::of::<Shown>()),
        Route::new(
            (Method::POST, format!("{ONE}/certificate/revoke")),
            may("write"),
            "吊销设备证书",
            revoke,
        )
        .takes(Shape::of::<Revocation>()),
    ]
}
