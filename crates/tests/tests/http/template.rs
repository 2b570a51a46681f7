//! The demonstration platform as tests find it: made once, then copied, so that each has its own
//! and none waits for it to be built.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use tokio::sync::OnceCell;
use yj_identity::{Security, SingleSignOn};

use crate::{
    database::{Database, FILE},
    harness::{Session, TestApp, TestEnvironment, platform},
};

/// What a platform leaves when it ends, and what its users need to go on.
pub struct Template {
    folder: PathBuf,
    database: Database,
    environment: TestEnvironment,
    pub sessions: BTreeMap<String, Session>,
    pub tokens: BTreeMap<String, String>,
    pub passwords: BTreeMap<&'static str, String>,
}

/// A little before tests begin: what they do comes after it.
const BEFORE: &str = "2026-11-19T11:59:59+08:00";

static TEMPLATE: OnceCell<Template> = OnceCell::const_new();

impl Template {
    /// The one of this process.
    pub async fn get() -> &'static Self {
        TEMPLATE
            .get_or_init(|| async {
                let app = TestApp::build(Security::demonstration(), BEFORE.parse().unwrap()).await;
                let folder = kept();
                copy(app.folder.path(), &folder);
                let TestApp { assembled, database, clock, sessions, tokens, passwords, .. } = app;
                drop(assembled);
                database.settle(&folder).await;
                let environment = clock.copy();
                Self { folder, database, environment, sessions, tokens, passwords }
            })
            .await
    }

    /// A platform of one's own that goes on from here.
    pub async fn app(&self) -> TestApp {
        let folder = tempfile::tempdir().unwrap();
        copy(&self.folder, folder.path());
        if self.folder.join(FILE).exists() {
            fs::copy(self.folder.join(FILE), folder.path().join(FILE)).unwrap();
        }
        let database = Database::like(&self.database, folder.path()).await;
        let guard = (platform(), Security::demonstration(), SingleSignOn::default());
        let mut app = TestApp::on((folder, database), self.environment.copy(), guard).await;
        app.sessions.clone_from(&self.sessions);
        app.tokens.clone_from(&self.tokens);
        app.passwords.clone_from(&self.passwords);
        app
    }
}

/// An empty folder that the next run uses again.
fn kept() -> PathBuf {
    let engine = if std::env::var_os("YJ_TEST_POSTGRES").is_some() { "server" } else { "file" };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("template-{engine}"));
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Everything in a folder but the database.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&source, &target);
        } else if !entry.file_name().to_string_lossy().starts_with(FILE) {
            fs::copy(&source, &target).unwrap();
        }
    }
}
