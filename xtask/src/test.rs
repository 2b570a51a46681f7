//! `cargo xtask test`: everything that is checked, in one run with one count at its end.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use crate::{
    assessment::Assessment,
    postgres::Postgres,
    run,
    shell::{Outcome, command, output, run as run_command, run_heard},
    tidy, tools,
};

/// What has been counted so far.
#[derive(Default)]
struct Score {
    passed: u64,
    failed: u64,
    failures: Vec<String>,
}

impl Score {
    /// One check that either holds or does not.
    fn step(&mut self, title: &str, work: impl FnOnce() -> Outcome) {
        let begun = heading(title);
        match work() {
            Ok(()) => self.passed += 1,
            Err(reason) => self.fail(title, &reason),
        }
        ending(begun);
    }

    /// A program that counts its own tests.
    fn tests(
        &mut self,
        title: &str,
        command: &mut Command,
        read: &mut dyn FnMut(&str) -> Option<(u64, u64)>,
    ) {
        let begun = heading(title);
        let before = self.failed;
        let (mut passed, mut failed) = (0, 0);
        let result = run_heard(command, &mut |line| {
            let (more, less) = read(line).unwrap_or_default();
            passed += more;
            failed += less;
        });
        self.passed += passed;
        self.failed += failed;
        match result {
            Err(reason) if self.failed == before => self.fail(title, &reason),
            Err(reason) => self.failures.push(format!("{title}：{reason}")),
            Ok(()) if passed == 0 => self.fail(title, "没有运行任何测试"),
            Ok(()) => {}
        }
        ending(begun);
    }

    fn fail(&mut self, title: &str, reason: &str) {
        eprintln!("{reason}");
        self.failed += 1;
        self.failures.push(format!("{title}：{reason}"));
    }

    fn close(self) -> Outcome {
        println!();
        for failure in &self.failures {
            println!("未通过 {failure}");
        }
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 { Ok(()) } else { Err(String::from("有测试未通过")) }
    }
}

fn heading(title: &str) -> Instant {
    println!("\n== {title}");
    Instant::now()
}

fn ending(begun: Instant) {
    println!("== {:.0} 秒", begun.elapsed().as_secs_f32());
}

/// `test result: ok. 42 passed; 0 failed; …`
fn cargo_counts(line: &str) -> Option<(u64, u64)> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |word: &str| {
        let part = counts.split(';').find(|part| part.trim_end().ends_with(word))?;
        part.trim().split(' ').next()?.parse().ok()
    };
    Some((number("passed")?, number("failed")?))
}

/// `yuanjian-count 12 passed 0 failed`, printed by our reporters of the front end and of the checker.
fn own_counts(line: &str) -> Option<(u64, u64)> {
    let mut words = line.trim().strip_prefix("yuanjian-count ")?.split(' ');
    let passed = words.next()?.parse().ok()?;
    Some((passed, words.nth(1)?.parse().ok()?))
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = command("", "cargo", arguments);
    command.env("RUST_BACKTRACE", "0");
    if let Some(broker) = tools::mosquitto() {
        command.env("YJ_TEST_MOSQUITTO", broker);
    }
    if let Some(node) = tools::anvil() {
        command.env("YJ_TEST_ANVIL", node);
    }
    command
}

fn lint(score: &mut Score) {
    score.step("格式", || run_command(&mut cargo(&["fmt", "--all", "--check"])));
    let clippy =
        ["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"];
    score.step("静态检查", || run_command(&mut cargo(&clippy)));
    score.step("仓库规矩", tidy::report);
    // The fuzzers are a workspace of their own, which nothing else builds.
    let manifest = ["--manifest-path", "fuzz/Cargo.toml", "--format-version", "1"];
    let mut fuzz = cargo(&["metadata", "--locked"]);
    fuzz.args(manifest).stdout(Stdio::null());
    score.step("模糊测试的锁文件", || run_command(&mut fuzz));
}

/// The quick part.
pub(crate) fn check() -> Outcome {
    let mut score = Score::default();
    lint(&mut score);
    score.close()
}

/// The controls of level 3 alone, on both engines.
pub(crate) fn assess() -> Outcome {
    tools::ensure()?;
    let mut score = Score::default();
    let own = ["-p", "yj-tests", "-p", "yj-server", "-p", "yj-identity", "-p", "yj-http"];
    let mut arguments = vec!["test", "--locked"];
    arguments.extend(own);
    arguments.extend(["--", "s_", "g_5_4", "g_10"]);
    on_engines(&mut score, (&arguments, &arguments));
    score.close()
}

/// Rust tests on SQLite, then those that use a database on PostgreSQL, and the record of what they
/// say about the controls of level 3.
fn on_engines(score: &mut Score, (on_sqlite, on_postgres): (&[&str], &[&str])) {
    let mut assessment = Assessment::default();
    score.tests("测试（SQLite）", &mut cargo(on_sqlite), &mut |line| {
        assessment.hear("SQLite", line);
        cargo_counts(line)
    });
    match Postgres::start() {
        Ok(server) => {
            let mut tests = cargo(on_postgres);
            let tests = tests.env("YJ_TEST_POSTGRES", &server.url);
            score.tests("测试（PostgreSQL）", tests, &mut |line| {
                assessment.hear("PostgreSQL", line);
                cargo_counts(line)
            });
        }
        Err(reason) => score.fail("PostgreSQL", &reason),
    }
    score.step("等保测评记录", || assessment.write());
}

/// Everything.
pub(crate) fn all() -> Outcome {
    tools::ensure()?;
    let mut score = Score::default();
    // Before anything in Rust: the binary carries the console.
    score.step("前端构建", run::console);
    score.step("锚定合约", tools::contracts);
    score.step("前端检查", || run_command(&mut command("web", "npm", &["run", "check"])));
    let mut unit = command("web", "npm", &["run", "test"]);
    score.tests("前端单元测试", &mut unit, &mut own_counts);
    let mut checker = command("tools", "python3", &["run_tests.py"]);
    score.tests("独立核对程序（Python）", &mut checker, &mut own_counts);
    lint(&mut score);
    let everything = ["test", "--workspace", "--locked"];
    // Still of the whole workspace: chosen alone, a package is built again with its own features.
    let on_both = ["test", "--workspace", "--locked", "--test", "http", "--test", "kill"];
    on_engines(&mut score, (&everything, &on_both));
    journeys(&mut score);
    if let Some(size) = output("du", &["-sh", "--apparent-size", "target/debug/yuanjian"]) {
        println!("{size}");
    }
    score.close()
}

fn journeys(score: &mut Score) {
    let Some(chromium) = tools::chromium() else {
        return score.fail("浏览器", "没有找到 Chromium");
    };
    score.step("构建程序", || {
        run_command(&mut cargo(&["build", "--locked", "--quiet", "--workspace", "--bins"]))
    });
    let mut journeys = command("web", "npm", &["run", "journeys"]);
    score.tests("浏览器", journeys.env("YJ_CHROMIUM", chromium), &mut own_counts);
}
