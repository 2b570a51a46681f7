//! `cargo xtask fuzz`: every parser against what nobody would send, for so many seconds each.

use crate::shell::{Outcome, command, output, root, run};

/// The targets, and the folders of the repository that they start from.
const TARGETS: [(&str, &str); 20] = [
    ("epcis_json", "crates/epcis/vectors"),
    ("epcis_xml", "crates/epcis/vectors"),
    ("epcis_query", "fuzz/seeds/query"),
    ("link", "fuzz/seeds/link"),
    ("codes", "fuzz/seeds/codes"),
    ("sheet", "fuzz/seeds/sheet"),
    ("message", "crates/message/samples"),
    ("event_xml", "fuzz/seeds/event_xml"),
    ("device", "fuzz/seeds/device"),
    ("mqtt", "fuzz/seeds/mqtt"),
    ("proof", "fuzz/seeds/proof"),
    ("alarm", "fuzz/seeds/alarm"),
    ("tile", "fuzz/seeds/tile"),
    ("report", "fuzz/seeds/report"),
    ("json", "fuzz/seeds/json"),
    ("pack", "domains"),
    ("map_pack", "fuzz/seeds/map_pack"),
    ("label", "fuzz/seeds/label"),
    ("certificate", "fuzz/seeds/certificate"),
    ("request", "fuzz/seeds/request"),
];
const SECONDS: u32 = 60;
/// Coverage for libFuzzer from the compiler as it is; no sanitizer, for no unsafe code is ours.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares";

pub(crate) fn all(arguments: &[&str]) -> Outcome {
    let usage = || String::from("用法：cargo xtask fuzz [--seconds 秒数] [目标]");
    let (seconds, only) = match arguments {
        [] => (SECONDS, None),
        ["--seconds", seconds] => (seconds.parse().map_err(|_| usage())?, None),
        ["--seconds", seconds, only] => (seconds.parse().map_err(|_| usage())?, Some(*only)),
        [only] => (SECONDS, Some(*only)),
        _ => return Err(usage()),
    };
    let chosen: Vec<_> =
        TARGETS.into_iter().filter(|(name, _)| only.is_none_or(|only| only == *name)).collect();
    if chosen.is_empty() {
        let known: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
        return Err(format!("没有这个目标，应为 {} 之一", known.join("、")));
    }
    let programs = build(only)?;
    let mut failed = Vec::new();
    for (name, seeds) in chosen {
        let (corpus, found) = (format!("fuzz/corpus/{name}"), format!("fuzz/artifacts/{name}"));
        for folder in [&corpus, &found] {
            std::fs::create_dir_all(root().join(folder)).map_err(|error| error.to_string())?;
        }
        let (time, kept) =
            (format!("-max_total_time={seconds}"), format!("-artifact_prefix={found}/"));
        let arguments = [
            corpus.as_str(),
            seeds,
            &time,
            &kept,
            "-rss_limit_mb=2048",
            "-timeout=10",
            "-max_len=65536",
            "-print_final_stats=1",
        ];
        if run(&mut command("", &format!("{programs}/{name}"), &arguments)).is_err() {
            failed.push(name);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("未通过：{}", failed.join("、"))) }
}

/// Builds the targets; the folder of their programs.
fn build(only: Option<&str>) -> Outcome<String> {
    let version = output("rustc", &["-vV"]).unwrap_or_default();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or_else(|| String::from("rustc 没有说出所在的平台"))?;
    // A target of its own, so that build scripts and macros are not instrumented.
    let mut arguments = vec!["build", "--locked", "--release", "--target", host];
    arguments.extend(["--manifest-path", "fuzz/Cargo.toml", "--target-dir", "fuzz/target"]);
    arguments.extend(only.into_iter().flat_map(|name| ["--bin", name]));
    run(command("", "cargo", &arguments).env("RUSTFLAGS", FLAGS))?;
    Ok(root().join("fuzz/target").join(host).join("release").display().to_string())
}
