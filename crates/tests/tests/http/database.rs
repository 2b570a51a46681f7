//! Databases of tests: a file, or one of its own on the server named in `YJ_TEST_POSTGRES`, which
//! goes when its test does.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A database of one test.
pub struct Database {
    /// As the platform is told.
    pub url: String,
    /// On a server: how to reach that, and what it is called there.
    on_server: Option<(String, String)>,
}

impl Database {
    /// An empty one; the file lies in the folder.
    pub async fn fresh(folder: &Path) -> Self {
        Self::make(folder, None).await
    }

    /// One that holds what another does. A file has been put in the folder before.
    pub async fn like(other: &Self, folder: &Path) -> Self {
        Self::make(folder, other.on_server.as_ref().map(|(_, name)| name.as_str())).await
    }

    async fn make(folder: &Path, like: Option<&str>) -> Self {
        let Ok(server) = std::env::var("YJ_TEST_POSTGRES") else {
            let url = format!("sqlite:{}", folder.join(FILE).display());
            return Self { url, on_server: None };
        };
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("test_{}_{number}", std::process::id());
        let template = like.map(|like| format!(" TEMPLATE {like}")).unwrap_or_default();
        execute(&server, &format!("CREATE DATABASE {name}{template}")).await;
        let (address, options) = server.split_once('?').unwrap_or((&server, ""));
        let (host, _) = address.rsplit_once('/').unwrap();
        Self { url: format!("{host}/{name}?{options}"), on_server: Some((server.clone(), name)) }
    }

    /// Writes what it holds to a file in a folder; on a server, makes it ready to be copied: nobody
    /// may be at it then.
    pub async fn settle(&self, folder: &Path) {
        if let Some((server, name)) = &self.on_server {
            let end = format!(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'"
            );
            execute(server, &end).await;
        } else if let Some(file) = self.url.strip_prefix("sqlite:") {
            let connection = rusqlite::Connection::open(file).unwrap();
            let target = folder.join(FILE).display().to_string();
            connection.execute("VACUUM INTO ?1", [target]).unwrap();
        }
    }
}

/// The file of an embedded database.
pub const FILE: &str = "test.sqlite";

async fn execute(server: &str, statement: &str) {
    let (client, connection) =
        tokio_postgres::connect(server, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(statement).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some((server, name)) = self.on_server.take() else { return };
        // The test's own runtime may not wait any more.
        let work = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime
                .unwrap()
                .block_on(execute(&server, &format!("DROP DATABASE {name} WITH (FORCE)")));
        });
        // Left over, it harms nobody.
        let _ = work.join();
    }
}
