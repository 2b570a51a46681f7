//! 等保自查: every control of level 3 with its live settings, their floors, and what the last live
//! check of it found. Controls that cannot be checked on a running platform without harm are
//! covered by the product's black-box tests, whose names begin with the control's number.

mod probes;

use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{App, Ctx, Result, Row, Sql, Tx, audit, time_text};

use crate::{Identity, alarm};

/// One control of level 3.
#[derive(Debug, Deserialize)]
pub struct Control {
    /// `S-01` …
    pub number: String,
    /// Clause of GB/T 22239, where nothing else is said.
    pub clause: String,
    /// What it does.
    pub feature: String,
    /// Beginnings of the names of the tests that show it, where they differ from its number.
    #[serde(default)]
    pub tests: Vec<String>,
}

/// Every control, in order; the same list names the tests and the assessor's report.
pub fn controls() -> Result<Vec<Control>> {
    serde_json::from_str(include_str!("../controls.json")).map_err(yj_kernel::Problem::internal)
}

/// What a live check found.
pub(crate) struct Finding {
    passed: bool,
    text: String,
}

impl Finding {
    fn passed(text: impl Into<String>) -> Self {
        Self { passed: true, text: text.into() }
    }

    fn failed(text: impl Into<String>) -> Self {
        Self { passed: false, text: text.into() }
    }

    /// Passed where nothing was found.
    fn none(count: usize, sound: &str, flawed: &str) -> Self {
        match count {
            0 => Self::passed(sound),
            count => Self::failed(format!("{count} {flawed}")),
        }
    }
}

/// A stored finding.
fn read(row: &Row) -> Result<Value> {
    Ok(json!({
        "at": time_text(row.int(1)?)?, "passed": row.int(2)? == 1, "finding": row.text(3)?,
    }))
}

/// What the checks of one control have found, newest first.
pub(crate) async fn history(tx: &mut Tx, number: &str) -> Result<Value> {
    let sql = Sql::new(
        "SELECT number, at, passed, finding FROM self_check WHERE number = $1 \
         ORDER BY at DESC LIMIT 100",
    );
    let rows = tx.fetch(sql.arg(number)).await?;
    Ok(json!({ "items": rows.iter().map(read).collect::<Result<Vec<_>>>()? }))
}

/// Findings are kept this long.
const KEPT_MS: i64 = 400 * 24 * 3_600_000;

impl Identity {
    /// Checks every control that can be checked while the platform runs, keeps what was found and
    /// raises an alarm for what failed. How many failed.
    pub async fn check_controls(&self, app: &App) -> Result<usize> {
        let findings = probes::run(self, app).await?;
        let ctx = app.on_own_behalf("self-check");
        let mut tx = ctx.begin().await?;
        let rows = findings.iter().map(|(number, finding)| {
            let passed = i64::from(finding.passed);
            vec![(*number).into(), ctx.now_ms().into(), passed.into(), finding.text.as_str().into()]
        });
        let insert = "INSERT INTO self_check (number, at, passed, finding)";
        tx.later(yj_kernel::insert_rows(insert, " ON CONFLICT DO NOTHING", rows.collect()));
        let sql = Sql::new("DELETE FROM self_check WHERE at < $1");
        tx.later([sql.arg(ctx.now_ms() - KEPT_MS)]);
        let failed: Vec<_> = findings.iter().filter(|(_, finding)| !finding.passed).collect();
        let body = json!({
            "checked": findings.len(),
            "failed": failed.iter().map(|(number, _)| number).collect::<Vec<_>>(),
        });
        let entry = audit::Entry { action: "checked", entity: "self_check", record: "", body };
        audit::write(&ctx, &mut tx, entry);
        tx.commit().await?;
        for (number, finding) in &failed {
            let about = alarm::About::platform(number);
            alarm::raise(app, alarm::Kind::ControlFailed, about, &finding.text).await;
        }
        Ok(failed.len())
    }

    /// The page and the assessor's report: controls, settings, floors, last checks.
    pub(crate) async fn state_of_controls(&self, ctx: &Ctx) -> Result<Value> {
        let mut tx = ctx.snapshot().await?;
        let sql = "SELECT number, at, passed, finding FROM self_check c \
                   WHERE at = (SELECT MAX(at) FROM self_check WHERE number = c.number)";
        let found = tx.fetch(Sql::new(sql)).await?;
        drop(tx);
        let settings = self.settings().settings();
        let mut items = Vec::new();
        for control in controls()? {
            let mut check = Value::Null;
            for row in &found {
                if row.text(0)? == control.number {
                    check = read(row)?;
                }
            }
            let own = settings.iter().filter(|one| one.number == control.number);
            let settings: Vec<_> = own
                .map(|one| {
                    json!({
                        "key": one.key, "feature": one.feature, "value": one.value,
                        "floor": one.floor, "holds": one.holds,
                    })
                })
                .collect();
            let prefix = format!("{}_", control.number.to_lowercase().replace('-', "_"));
            let tests = if control.tests.is_empty() { vec![prefix] } else { control.tests };
            items.push(json!({
                "number": control.number, "clause": control.clause, "feature": control.feature,
                "settings": settings, "check": check, "tests": tests,
            }));
        }
        Ok(json!({
            "profile": self.settings().profile, "module": ctx.app().vault().module(),
            "version": env!("CARGO_PKG_VERSION"), "at": time_text(ctx.now_ms())?,
            "platform": ctx.app().platform().name, "operator": ctx.app().platform().operator,
            "items": items,
        }))
    }
}
