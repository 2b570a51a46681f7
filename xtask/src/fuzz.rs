//! `cargo xtask fuzz`: every parser against what nobody would send, for so many seconds each.

use crate::shell::{Outcome, command, output, root, run};

/// The targets, and the folders of the repository that they start from.
const TARGETS: [(&str, &[&str]); 9] = [
    ("epcis_json", &["crates/epcis/vectors"]),
    ("epcis_xml", &["crates/epcis/vectors"]),
    ("epcis_query", &["fuzz/seeds/query"]),
    ("link", &["fuzz/seeds/link"]),
    ("codes", &["fuzz/seeds/codes"]),
    ("sheet", &["fuzz/seeds/sheet"]),
    ("proof", &["fuzz/seeds/proof"]),
    ("pack", &["domains"]),
    ("certificate", &["fuzz/seeds/certificate"]),
];
const SECONDS: u32 = 60;

pub(crate) fn all(arguments: &[&str]) -> Outcome {
    let usage = || String::from("用法：cargo xtask fuzz [--seconds 秒数] [目标]");
    let (seconds, only) = match arguments {
        [] => (SECONDS, None),
        ["--seconds", seconds] => (seconds.parse().map_err(|_| usage())?, None),
        ["--seconds", seconds, only] => (seconds.parse().map_err(|_| usage())?, Some(*only)),
        [only] => (SECONDS, Some(*only)),
        _ => return Err(usage()),
    };
    if output("cargo", &["fuzz", "--version"]).is_none() {
        return Err(String::from("没有找到 cargo-fuzz。请执行 cargo install --locked cargo-fuzz"));
    }
    let chosen = TARGETS.iter().filter(|(name, _)| only.is_none_or(|only| only == *name));
    let mut failed = Vec::new();
    for (name, seeds) in chosen {
        let (corpus, time) = (format!("fuzz/corpus/{name}"), format!("-max_total_time={seconds}"));
        std::fs::create_dir_all(root().join(&corpus)).map_err(|error| error.to_string())?;
        // Coverage needs no other compiler than ours, only its permission; no sanitizer, for there is
        // no unsafe code of ours.
        let mut arguments = vec!["fuzz", "run", "--sanitizer", "none", name, &corpus];
        arguments.extend(*seeds);
        arguments.extend(["--", &time, "-rss_limit_mb=2048", "-timeout=10", "-max_len=65536"]);
        if run(command("", "cargo", &arguments).env("RUSTC_BOOTSTRAP", "1")).is_err() {
            failed.push(*name);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("未通过：{}", failed.join("、"))) }
}
