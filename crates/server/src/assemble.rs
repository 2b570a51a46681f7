//! From parts to a running application.

use std::{path::PathBuf, sync::Arc};

use axum::{
    Router,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header::VARY},
    response::{IntoResponse as _, Redirect},
};
use futures_util::future::BoxFuture;
use yj_anchor::Anchoring;
use yj_exchange::epcis::{Admission, Callbacks, SocketLimits, Sockets};
use yj_http::{Limits, Metrics, Surroundings};
use yj_identity::{Identity, Security, SingleSignOn};
use yj_kernel::{
    App, AppParts, Attachments, Db, Environment, FileRootKey, JobKind, Migration, Platform,
    Problem, Result, RootKey, Route, Vault,
};
use yj_ledger::{Derivation, Digests, Keys, Ledger, Projection, Tamper};
use yj_telemetry::Intake;
use yj_trace::{Copies, Erasing};
use yj_web::Embedders;

use crate::{
    applications, dictionary,
    interface::Interface,
    libraries,
    modules::{self, Module},
    operations, workbench,
};

/// What an application is assembled from.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// Time and chance.
    pub environment: Arc<dyn Environment>,
    /// Folder of ledger, keys and files.
    pub data: PathBuf,
    /// How the platform calls itself.
    pub platform: Platform,
    /// Bounds of the listener.
    pub limits: Limits,
    /// Who may come in, and how.
    pub security: Security,
    /// An identity provider above us.
    pub single_sign_on: SingleSignOn,
    /// The root key in a device; nothing for one in a file of the data folder.
    pub root_key: Option<Arc<dyn RootKey>>,
    /// Modules that are off.
    pub without: Vec<Module>,
    /// Which inner addresses subscribers may have.
    pub callbacks: Callbacks,
    /// Bounds of the sockets that subscribers open.
    pub sockets: SocketLimits,
    /// In whose pages the page of a code may stand.
    pub embedders: Embedders,
}

/// A running application, but for its listener and its workers.
#[derive(Clone)]
pub struct Assembled {
    /// The application.
    pub app: App,
    /// Its ledger.
    pub ledger: Ledger,
    /// What looks for tampering.
    pub tamper: Tamper,
    /// What finds records by their digests.
    pub digests: Digests,
    /// Where the ledger is written besides; nowhere until it is set up.
    pub anchoring: Anchoring,
    /// Log-in, sessions and rights.
    pub identity: Identity,
    /// Where device data come in.
    pub intake: Intake,
    /// Everything it answers.
    pub router: Router,
    /// Figures.
    pub metrics: Metrics,
    /// Which inner addresses subscribers may have.
    pub callbacks: Callbacks,
}

/// Every table, in the order of the crates.
pub(crate) fn migrations() -> Vec<Migration> {
    [
        yj_kernel::MIGRATIONS,
        yj_identity::MIGRATIONS,
        yj_ledger::MIGRATIONS,
        yj_anchor::MIGRATIONS,
        yj_domain::MIGRATIONS,
        yj_subject::MIGRATIONS,
        yj_evidence::MIGRATIONS,
        yj_construction::MIGRATIONS,
        yj_product::MIGRATIONS,
        yj_trace::MIGRATIONS,
        yj_telemetry::MIGRATIONS,
        yj_exchange::MIGRATIONS,
    ]
    .concat()
}

fn jobs() -> Vec<JobKind> {
    let own = yj_kernel::transfer::JOBS.into_iter().chain(yj_subject::JOBS);
    own.chain(yj_trace::JOBS).chain(yj_exchange::epcis::JOBS).collect()
}

/// The Content-Security-Policy of everything that brings none of its own. Inline style attributes
/// are how the console's components place themselves; scripts are ours alone.
const POLICY: &str = "default-src 'self'; style-src-elem 'self'; style-src-attr 'unsafe-inline'; \
                      img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

/// Migrates the database and wires everything together.
pub async fn assemble(parts: Parts) -> Result<Assembled> {
    let Parts {
        db,
        environment,
        data,
        platform,
        limits,
        security,
        single_sign_on,
        root_key,
        without,
        callbacks,
        sockets,
        embedders,
    } = parts;
    let withheld = modules::stems(&without);
    db.migrate(&migrations()).await?;
    let metrics = Metrics::default();
    let keys = Keys::open(&data.join("keys"), &|| environment.random())?;
    let ledger = Ledger::open(
        &data.join("ledger"),
        &platform.name,
        keys,
        environment.now().as_millisecond(),
    )?;
    let root = match root_key {
        Some(root) => root,
        None => Arc::new(FileRootKey::open(&data.join("keys").join("root.key"), &*environment)?),
    };
    let vault = Vault::open(&db, root, &*environment).await?;
    let identity = Identity::new(security, single_sign_on).map_err(Problem::Conflict)?;
    let entities = vec![
        yj_subject::TRACE_SUBJECT,
        yj_subject::LICENCE,
        yj_subject::SITE,
        yj_subject::SUBJECT_ALIAS,
        yj_subject::SUBJECT_MERGER,
        yj_subject::NODE,
        yj_subject::MERCHANT,
        yj_subject::MERCHANT_PLACE,
        yj_evidence::EVIDENCE_KEY,
        yj_construction::DEVICE,
        yj_telemetry::BINDING,
        yj_product::CATALOGUE,
        yj_product::PRODUCT,
        yj_product::CODE_RULE,
        yj_product::CODE_BATCH,
        yj_product::RESOLVER_LINK,
        yj_product::RESOLVER_UPSTREAM,
        yj_ledger::LEDGER_WITNESS,
        yj_product::LABEL_TEMPLATE,
        yj_trace::SOURCE_POLICY,
        yj_trace::TRACE_ORDER,
        yj_trace::BATCH_DOCUMENT,
        yj_identity::ORGANIZATION,
        yj_identity::ACCOUNT,
        yj_identity::ROLE,
        yj_identity::ASSIGNMENT,
        yj_identity::DELEGATION,
        yj_identity::CLIENT,
        yj_identity::APPLICATION,
    ];
    yj_kernel::renew_search(&db, &entities).await?;

    let app = App::new(AppParts {
        db,
        environment: Arc::clone(&environment),
        authenticator: Arc::new(identity.clone()),
        attachments: Attachments::local(&data.join("files"))?,
        jobs: jobs(),
        entities,
        datasets: vec![&yj_trace::EVENTS],
        withheld: withheld.clone(),
        code_lists: vec![yj_domain::CODES, yj_product::CLASSES],
        platform,
        metrics: metrics.clone(),
        vault,
        node: String::from("1"),
        fresh_ms: identity.settings().step_up_minutes * 60_000,
        export_approval_rows: identity.settings().export_approval_rows,
        witness: Arc::new(ledger.clone()),
    });
    let tamper = tamper(&ledger);
    let digests = Digests::new(&tamper);
    tamper.hold_files(&data.join("checkpoints"))?;
    // A backup put back brings nobody's erased data back.
    yj_kernel::vault::apply_erasures(&app).await?;
    tamper.apply_erasures(&app).await?;
    yj_product::seed_catalogue(&app).await?;
    // Events have a place without them too.
    if let Err(problem) = yj_trace::make_months(&app).await {
        tracing::warn!(%problem, "no months were made ahead");
    }
    let intake = Intake::new(&ledger);
    let anchoring = Anchoring::default();
    let mut routes = yj_kernel::base_routes();
    routes.extend(yj_identity::routes(&identity));
    routes.extend(yj_domain::routes());
    routes.extend(yj_subject::routes());
    routes.extend(yj_construction::routes(&identity));
    routes.extend(yj_product::routes());
    routes.extend(yj_trace::routes(&erasing(&ledger)));
    routes.extend(yj_telemetry::routes(&intake, &ledger));
    let sockets = Sockets::new(sockets, admission(&identity));
    routes.extend(yj_exchange::epcis::routes(&ledger, &callbacks, &sockets));
    routes.extend(yj_ledger::routes(&ledger));
    routes.extend(yj_ledger::publication_routes(&ledger));
    routes.extend(yj_ledger::witness_routes(&ledger));
    routes.extend(yj_kernel::record_routes(yj_ledger::LEDGER_WITNESS));
    routes.extend(yj_ledger::tamper_routes(&tamper));
    routes.extend(yj_ledger::digest_routes(&digests));
    routes.extend(yj_anchor::routes(&anchoring, &ledger));
    routes.extend(yj_evidence::routes(&identity, &ledger));
    routes.extend(workbench::routes());
    routes.extend(dictionary::routes());
    routes.extend(applications::routes());
    routes.extend(libraries::routes());
    routes.extend(yj_web::routes(&ledger, embedders));
    let interface = Interface::default();
    routes.extend(interface.routes());
    routes.retain(|route| modules::remains(route, &withheld));
    let offered: Vec<_> = app.offered().collect();
    let description = yj_kernel::openapi(app.platform(), &routes, &offered);
    interface.describe(description.clone());
    routes.extend(operations::routes(description));
    yj_identity::publish(&app, &routes).await?;
    let surroundings = Surroundings {
        limits,
        metrics: metrics.clone(),
        random: Arc::new(move || environment.random()),
        content_security_policy: POLICY,
    };
    let doors = yj_exchange::epcis::doors(&routes);
    let root = &app.platform().public_url;
    let router = yj_exchange::epcis::dress(router(&app, routes), doors, root);
    Ok(Assembled {
        app,
        ledger,
        tamper,
        digests,
        anchoring,
        identity,
        intake,
        router: yj_http::surround(router, surroundings),
        metrics,
        callbacks,
    })
}

/// Who erases, with everybody who keeps events word for word.
fn erasing(ledger: &Ledger) -> Erasing {
    let copies: Vec<Box<dyn Copies>> =
        vec![Box::new(yj_exchange::epcis::EpcisCopies), Box::new(yj_telemetry::MessageCopies)];
    Erasing::new(ledger, copies)
}

/// The tamper audit, over every table that holds anchored records.
fn tamper(ledger: &Ledger) -> Tamper {
    let owners: Vec<Box<dyn Projection>> = vec![
        Box::new(yj_trace::Events),
        Box::new(yj_trace::Orders),
        Box::new(yj_trace::Documents),
        Box::new(yj_telemetry::DeviceBatches),
        Box::new(yj_exchange::epcis::EpcisEvents),
    ];
    let alarm = |app: App, record: String, detail: String| -> BoxFuture<'static, ()> {
        Box::pin(async move { yj_identity::alarm_of_tampering(&app, &record, &detail).await })
    };
    let derived: Vec<Box<dyn Derivation>> = vec![
        Box::new(yj_trace::Balances),
        Box::new(yj_trace::Matches),
        Box::new(yj_trace::OrderUnits),
        Box::new(yj_telemetry::Readings),
    ];
    Tamper::new(ledger, (owners, derived), Box::new(alarm))
}

/// Sockets outlive the request that opened them, not the session or client that did.
fn admission(identity: &Identity) -> Admission {
    let identity = identity.clone();
    Arc::new(move |ctx| {
        let identity = identity.clone();
        Box::pin(async move { identity.still_admits(&ctx).await })
    })
}

/// An address with what else was asked of it.
fn with_query(link: &str, query: Option<&str>) -> String {
    let mark = if link.contains('?') { '&' } else { '?' };
    query.map_or_else(|| String::from(link), |query| format!("{link}{mark}{query}"))
}

fn router(app: &App, routes: Vec<Route>) -> Router {
    let own = app.clone();
    let missing = move |uri: Uri, headers: HeaderMap| async move {
        // A compressed link of GS1 has no key to find it by: it leads to the same link in full.
        match yj_model::uncompressed_path(uri.path()) {
            Some(Ok(link)) => Redirect::temporary(&with_query(&link, uri.query())).into_response(),
            Some(Err(error)) => {
                let detail = error.to_string();
                yj_http::problem(StatusCode::BAD_REQUEST, "malformed", "请求无法读取", &detail, "")
            }
            None => {
                let page = yj_web::nowhere(&own, &headers);
                let mut answer = page.unwrap_or_else(|| {
                    let detail = "没有这个地址";
                    yj_http::problem(StatusCode::NOT_FOUND, "not-found", "不存在", detail, "")
                });
                answer.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
                answer
            }
        }
    };
    let wrong = || async {
        let detail = "此地址不支持这种请求方法";
        yj_http::problem(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "方法不支持",
            detail,
            "",
        )
    };
    yj_kernel::router(app, routes)
        .merge(yj_web::console())
        .merge(yj_web::field())
        .fallback(missing)
        .method_not_allowed_fallback(wrong)
}
