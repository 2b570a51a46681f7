//! Migrations: only ever added, each applied once, in order, on both engines from one text.

use yj_crypto::sm3;

use super::{Db, Dialect, Sql};
use crate::{Problem, Result};

/// One step of the schema, owned by the crate whose tables it makes.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// `crate/0001_what`, unique and never changed.
    pub name: &'static str,
    /// The script, in the portable subset.
    pub script: &'static str,
}

impl Dialect {
    /// Replaces the portable type names of a script with this engine's. `@code` is text compared
    /// byte by byte, so that both engines sort and page identically. A line beginning with
    /// `@sqlite` or `@postgres` is for that engine alone.
    fn translate(self, script: &str) -> String {
        let (own, other, code, blob) = match self {
            Self::Sqlite => ("@sqlite ", "@postgres ", "TEXT", "BLOB"),
            Self::Postgres => ("@postgres ", "@sqlite ", "TEXT COLLATE \"C\"", "BYTEA"),
        };
        let lines = script.lines().filter(|line| !line.starts_with(other));
        let lines = lines.map(|line| line.strip_prefix(own).unwrap_or(line));
        lines.collect::<Vec<_>>().join("\n").replace("@code", code).replace("@blob", blob)
    }
}

impl Db {
    /// Applies the migrations not applied yet and returns their names. Refuses to go on when an
    /// applied one has since been edited.
    pub async fn migrate(&self, migrations: &[Migration]) -> Result<Vec<&'static str>> {
        let mut tx = self.begin().await?;
        if self.dialect() == Dialect::Postgres {
            // Two nodes starting together take turns.
            tx.script("SELECT pg_advisory_xact_lock(7274001)").await?;
        }
        tx.script(
            "CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, digest TEXT NOT NULL)",
        )
        .await?;
        let mut applied = Vec::new();
        for migration in migrations {
            let digest = sm3::hex(&sm3::digest(migration.script.as_bytes()));
            let known =
                Sql::new("SELECT digest FROM migration WHERE name = $1").arg(migration.name);
            if let Some(row) = tx.fetch_one(known).await? {
                if row.text(0)? != digest {
                    let name = migration.name;
                    return Err(Problem::internal(format!(
                        "migration {name} was edited after use"
                    )));
                }
                continue;
            }
            tx.script(&self.dialect().translate(migration.script)).await?;
            let note = Sql::new("INSERT INTO migration (name, digest) VALUES ($1, $2)");
            tx.execute(note.arg(migration.name).arg(digest)).await?;
            applied.push(migration.name);
        }
        tx.commit().await?;
        Ok(applied)
    }
}
