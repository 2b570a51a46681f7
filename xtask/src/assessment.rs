//! 等保测评记录: which tests show each control of level 3, and how they ended, for an assessor to
//! read. The list of controls is the platform's own (`crates/identity/src/controls.json`).

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};

use crate::shell::{Outcome, output, root};

/// Where the record is written.
const FOLDER: &str = "target/assessment";

/// How the tests ended, by engine.
#[derive(Default)]
pub(crate) struct Assessment(BTreeMap<String, BTreeMap<&'static str, bool>>);

/// One control, with its tests and whether all of them passed.
struct Control<'a> {
    number: &'a str,
    clause: String,
    feature: &'a str,
    tests: Vec<(&'a str, &'a BTreeMap<&'static str, bool>)>,
}

impl Control<'_> {
    fn passed(&self) -> bool {
        !self.tests.is_empty() && self.tests.iter().all(|(_, ends)| ends.values().all(|ok| *ok))
    }
}

impl Assessment {
    /// Hears one line of `cargo test`: `test identity::s_01_… ... ok`.
    pub(crate) fn hear(&mut self, engine: &'static str, line: &str) {
        let Some((name, end)) =
            line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "))
        else {
            return;
        };
        let name = name.rsplit("::").next().unwrap_or(name);
        if matches!(end, "ok" | "FAILED") {
            self.0.entry(String::from(name)).or_default().insert(engine, end == "ok");
        }
    }

    /// Writes `level3.json` and `level3.md`; fails where a control has no test, or one that failed.
    pub(crate) fn write(&self) -> Outcome {
        let text = fs::read_to_string(root().join("crates/identity/src/controls.json"));
        let text = text.map_err(|error| error.to_string())?;
        let list: Vec<Value> = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let controls: Vec<_> = list.iter().map(|control| self.control(control)).collect();
        let folder = root().join(FOLDER);
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        for (name, text) in [("level3.json", json(&controls)), ("level3.md", page(&controls))] {
            fs::write(folder.join(name), text).map_err(|error| error.to_string())?;
        }
        let short: Vec<_> =
            controls.iter().filter(|one| !one.passed()).map(|one| one.number).collect();
        println!("{} 项控制，记录在 {FOLDER}/level3.md", controls.len());
        if short.is_empty() {
            Ok(())
        } else {
            Err(format!("没有通过的测试：{}", short.join("、")))
        }
    }

    fn control<'a>(&'a self, control: &'a Value) -> Control<'a> {
        let number = control["number"].as_str().unwrap_or_default();
        let own = format!("{}_", number.to_lowercase().replace('-', "_"));
        let named = control["tests"].as_array().map(|tests| {
            tests.iter().filter_map(Value::as_str).map(String::from).collect::<Vec<_>>()
        });
        let stems = named.unwrap_or_else(|| vec![own]);
        let shows = |name: &str| stems.iter().any(|stem| name.starts_with(stem.as_str()));
        let tests = self.0.iter().filter(|(name, _)| shows(name));
        let clause = control["clause"].as_str().unwrap_or_default();
        // Clauses without the name of a standard are of GB/T 22239.
        let own = clause.starts_with(|letter: char| letter.is_ascii_digit());
        let clause = format!("{}{clause}", if own { "GB/T 22239 " } else { "" });
        Control {
            number,
            clause,
            feature: control["feature"].as_str().unwrap_or_default(),
            tests: tests.map(|(name, ends)| (name.as_str(), ends)).collect(),
        }
    }
}

fn revision() -> String {
    output("git", &["rev-parse", "--short=12", "HEAD"]).unwrap_or_default()
}

fn json(controls: &[Control<'_>]) -> String {
    let item = |control: &Control<'_>| {
        let tests =
            control.tests.iter().map(|(name, ends)| json!({ "name": name, "passed": ends }));
        json!({
            "number": control.number, "clause": control.clause, "feature": control.feature,
            "passed": control.passed(), "tests": tests.collect::<Vec<_>>(),
        })
    };
    let items: Vec<_> = controls.iter().map(item).collect();
    let record = json!({ "level": 3, "revision": revision(), "controls": items });
    format!("{record:#}\n")
}

fn page(controls: &[Control<'_>]) -> String {
    let passed = controls.iter().filter(|control| control.passed()).count();
    let mut text = format!(
        "# 网络安全等级保护三级：应用层控制测试记录\n\n版本 {}，{passed} / {} 项通过。\
         每项测试经 HTTP 接口对真实运行的平台进行，分别在 SQLite 与 PostgreSQL 上执行；\
         测试名即所验证的事实。平台的现行设置与实时自查见控制台“等保自查”。\n",
        revision(),
        controls.len(),
    );
    for control in controls {
        let mark = if control.passed() { "通过" } else { "未通过" };
        text.push_str(&format!(
            "\n## {} {}（{mark}）\n\n依据：{}\n\n",
            control.number, control.feature, control.clause
        ));
        for (name, ends) in &control.tests {
            let ends: Vec<_> = ends
                .iter()
                .map(|(engine, ok)| format!("{engine} {}", if *ok { "通过" } else { "未通过" }))
                .collect();
            text.push_str(&format!("- `{name}`：{}\n", ends.join("，")));
        }
        if control.tests.is_empty() {
            text.push_str("- 没有测试\n");
        }
    }
    text
}
