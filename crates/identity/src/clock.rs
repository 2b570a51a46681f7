//! 统一时钟 (S-27, GB/T 22239 8.1.5.4 e): compares this machine's clock with the database server's
//! and with the time servers of the configuration. A clock that is far off signs nothing.

use std::time::Duration;

use yj_kernel::{App, Dialect, Problem, Result, Sql};

use crate::{Identity, alarm};

/// Further off than this is an alarm.
pub(crate) const ALARM_MS: i64 = 1_000;
const WAIT: Duration = Duration::from_secs(3);

/// How far this machine's clock is ahead of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Whose clock it was compared with.
    pub source: String,
    /// Milliseconds; negative where it is behind.
    pub ahead_ms: i64,
}

impl Identity {
    /// Compares the clocks, remembers the worst and raises an alarm where one differs.
    pub async fn watch_clock(&self, app: &App) -> Result<Vec<Drift>> {
        let drifts = self.drifts(app).await?;
        app.note_clock_drift(drifts.iter().map(|one| one.ahead_ms.abs()).max().unwrap_or(0));
        for Drift { source, ahead_ms } in &drifts {
            if ahead_ms.abs() > ALARM_MS {
                let detail = format!("本机时钟与 {source} 相差 {ahead_ms} 毫秒，请校时");
                let about = alarm::About::platform(source);
                alarm::raise(app, alarm::Kind::ClockDrift, about, &detail).await;
            }
        }
        Ok(drifts)
    }

    async fn drifts(&self, app: &App) -> Result<Vec<Drift>> {
        let mut drifts = Vec::new();
        let mut tx = app.db().snapshot().await?;
        if tx.dialect() == Dialect::Postgres {
            let sql = "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT";
            if let Some(row) = tx.fetch_one(Sql::new(sql)).await? {
                let ahead_ms = app.now().as_millisecond() - row.int(0)?;
                drifts.push(Drift { source: String::from("数据库服务器"), ahead_ms });
            }
        }
        drop(tx);
        for server in &self.settings().time_servers {
            match ask(server.clone()).await {
                Ok(true_ms) => {
                    let ahead_ms = app.now().as_millisecond() - true_ms;
                    drifts.push(Drift { source: server.clone(), ahead_ms });
                }
                // One server out of reach is no reason to doubt the clock.
                Err(problem) => problem.log(),
            }
        }
        Ok(drifts)
    }
}

/// The time a server tells, in milliseconds since 1970 (SNTP, RFC 4330).
async fn ask(server: String) -> Result<i64> {
    let work = move || {
        let config = rsntp::Config::default().timeout(WAIT);
        rsntp::SntpClient::with_config(config).synchronize(server)
    };
    let answer = tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?;
    let there = answer.map_err(Problem::internal)?.datetime().unix_timestamp();
    i64::try_from(there.map_err(Problem::internal)?.as_millis()).map_err(Problem::internal)
}
