//! 接口规范 (G-8-2, D-5f; ADR 27): everything that somebody who wants to exchange data with the
//! platform must know, as files, for anybody: OpenAPI, schemas, code lists and examples. Made from the
//! routes and the domain packs as they are at this moment; an edition is named by the digest of what
//! it consists of, and never changes.

mod artefact;
mod edition;
mod guide;

use std::sync::{Arc, OnceLock};

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use yj_domain::schema::StandardNames;
use yj_kernel::{App, Problem, Result, Route, Shape, dictionary};

use self::edition::{Edition, Sources};

const PATH: &str = "/api/v1/interface";

/// Version of the conventions themselves: raised with every change of what is published for the shipped
/// packs, written down in `docs/interface/`. A number for people; the digest is what counts.
pub(crate) const VERSION: &str = "1.0.0";

/// Editions kept at once.
const KEPT_MAX: usize = 4;

/// The published interface of one application.
#[derive(Clone, Default)]
pub(crate) struct Interface(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// The description of all routes, once they are all known.
    openapi: OnceLock<Value>,
    /// The latest last. Held while one is made, so that it is made once.
    kept: Mutex<Vec<(String, Arc<Edition>)>>,
}

impl Interface {
    /// The description of all routes, as `/openapi.json` gives it.
    pub(crate) fn describe(&self, openapi: Value) {
        // Set once: an application is assembled once.
        let _ = self.0.openapi.set(openapi);
    }

    pub(crate) fn routes(&self) -> Vec<Route> {
        let (index, file) = (self.clone(), self.clone());
        let index = move |app: App, headers: HeaderMap| async move {
            let edition = index.current(&app).await?;
            Ok::<_, Problem>(answer(
                &headers,
                (edition.index(), "application/json"),
                false,
                &edition.digest,
            ))
        };
        let file = move |app: App,
                         Path((version, path)): Path<(String, String)>,
                         headers: HeaderMap| async move {
            file.file(&app, &headers, (&version, &path)).await
        };
        let why = "接口规范应公开";
        vec![
            Route::public((Method::GET, PATH), why, "接口规范目录", index)
                .gives(Shape::Json(schema())),
            Route::public(
                (Method::GET, format!("{PATH}/{{version}}/{{*path}}")),
                why,
                "接口规范文件",
                file,
            )
            .gives(Shape::Bytes("*/*")),
        ]
    }

    /// What is published at this moment.
    async fn current(&self, app: &App) -> Result<Arc<Edition>> {
        let mut tx = app.db().snapshot().await?;
        let domains = yj_domain::current(&mut tx).await?;
        let names = StandardNames::new(dictionary::standard_names(&mut tx).await?);
        drop(tx);
        let openapi = self.0.openapi.get();
        let openapi = openapi.ok_or_else(|| Problem::internal("the routes are not described"))?;
        let key = edition::key(&domains, &names);
        let mut kept = self.0.kept.lock().await;
        if let Some(at) = kept.iter().position(|(known, _)| *known == key) {
            return Ok(Arc::clone(&kept[at].1));
        }
        let sources = Sources { openapi: openapi.clone(), domains, names };
        let made = tokio::task::spawn_blocking(move || Edition::make(&sources)).await;
        let edition = Arc::new(made.map_err(Problem::internal)??);
        if kept.len() >= KEPT_MAX {
            kept.remove(0);
        }
        kept.push((key, Arc::clone(&edition)));
        Ok(edition)
    }

    /// A file of an edition that is kept, or of the present one.
    async fn file(
        &self,
        app: &App,
        headers: &HeaderMap,
        (version, path): (&str, &str),
    ) -> Result<Response> {
        let kept = self.0.kept.lock().await;
        let found = kept.iter().find(|(_, edition)| edition.digest == version);
        let mut edition = found.map(|(_, edition)| Arc::clone(edition));
        drop(kept);
        if edition.is_none() {
            edition = Some(self.current(app).await?).filter(|edition| edition.digest == version);
        }
        let missing = Problem::NotFound("接口规范的这一版本（现行版本见 /api/v1/interface）");
        let edition = edition.ok_or(missing)?;
        let artefact = edition.artefact(path).ok_or(Problem::NotFound("接口规范中的这份文件"))?;
        let body = (artefact.bytes.clone(), artefact.media_type);
        Ok(answer(headers, body, true, &artefact.sm3))
    }
}

/// Bytes with their name, so that nobody fetches them twice.
fn answer(
    headers: &HeaderMap,
    (bytes, media_type): (axum::body::Bytes, &'static str),
    forever: bool,
    digest: &str,
) -> Response {
    let tag = format!("\"{digest}\"");
    let known =
        headers.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { bytes.into_response() };
    let keep = if forever { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// The index as a schema.
fn schema() -> Value {
    let text = |title: &str| json!({ "type": "string", "title": title });
    let object = |properties: Value| {
        let names: Vec<_> =
            properties.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect();
        json!({ "type": "object", "properties": properties, "required": names })
    };
    let file = json!({
        "path": text("文件，接在 base 之后"), "title": text("名称"), "media_type": text("类型"),
        "kind": text("种类"), "sm3": text("SM3 摘要"),
        "size": { "type": "integer", "title": "字节数" },
        "effective_on": { "type": ["string", "null"], "title": "施行日期" },
    });
    object(json!({
        "version": text("规范版本"), "digest": text("内容摘要"), "base": text("文件所在路径"),
        "archive": object(file.clone()),
        "packs": { "type": "array", "items": object(json!({
            "code": text("领域代码"), "name": text("领域名称"), "version": text("领域包版本"),
            "effective_on": text("施行日期"),
        })) },
        "artefacts": { "type": "array", "items": object(file) },
    }))
}
