//! The client libraries as an integrator uses them: the examples, as they are shipped, against the real
//! platform (G-8-2, D-5f).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

/// A process that goes with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// What an example says at its end.
fn said(command: &mut Command) -> Value {
    let output = command.output().unwrap();
    let (out, error) = (String::from_utf8(output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {error}");
    serde_json::from_str(out.unwrap().lines().last().unwrap()).unwrap()
}

#[test]
fn g_8_2_every_client_registers_a_subject_and_posts_an_event() {
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let data = folder.path().join("data");
    let mut command = Command::new(env!("CARGO_BIN_EXE_yuanjian"));
    command.args(["demo", "--size", "golden", "--listen", &format!("127.0.0.1:{port}"), "--data"]);
    let mut platform = Process(command.arg(&data).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(platform.0.stdout.take().unwrap()).lines();
    let url =
        lines.find_map(|line| Some(line.ok()?.strip_prefix("源鉴已启动：")?.to_owned())).unwrap();
    let accounts = std::fs::read_to_string(data.join("demo-accounts.json")).unwrap();
    let accounts: Value = serde_json::from_str(&accounts).unwrap();
    let word = |user: &str| {
        let mut all = accounts["accounts"].as_array().unwrap().iter();
        all.find(|account| account["user"] == user).unwrap()["password"].as_str().unwrap()
    };
    let examples = root().join("examples/clients");
    for example in ["first_event.py", "first_event.mts", "first_event.rs"] {
        let text = std::fs::read_to_string(examples.join(example)).unwrap();
        assert!(text.lines().count() <= 30, "{example} is no short beginning any more");
    }
    // TypeScript is translated by the console's own compiler.
    let made = folder.path().join("typescript");
    let mut compile = Command::new(root().join("web/node_modules/.bin/tsc"));
    compile
        .args(["--target", "es2022", "--module", "nodenext", "--lib", "es2023,dom,dom.iterable"])
        .args(["--strict", "--skipLibCheck", "--types", "node", "--typeRoots"])
        .arg(root().join("web/node_modules/@types"))
        .arg("--rootDir")
        .arg(root())
        .arg("--outDir")
        .arg(&made)
        .arg(examples.join("first_event.mts"));
    let output = compile.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    // What makes the translated library a module, as its package does.
    std::fs::write(made.join("package.json"), "{\"type\":\"module\"}").unwrap();
    let mut python = Command::new("python3");
    python.arg(examples.join("first_event.py"));
    let mut node = Command::new("node");
    node.arg(made.join("examples/clients/first_event.mjs"));
    // Of the workspace as a whole, so that what the tests were built with is used again.
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--locked", "--workspace", "--example", "first_event"]);
    assert!(build.current_dir(root()).status().unwrap().success());
    let programs = PathBuf::from(env!("CARGO_BIN_EXE_yuanjian"));
    let mut rust = Command::new(programs.with_file_name("examples").join("first_event"));
    for program in [&mut python, &mut node, &mut rust] {
        program.env("YJ_URL", &url).env("YJ_SECRET", word("gateway"));
        let found = said(program.env("YJ_PASSWORD", word("reviewer")));
        assert!(found["subject"].as_str().is_some_and(|code| code.starts_with("ZS")), "{found}");
        assert!(found["event"].is_string() && found["event"] == found["same"], "{found}");
    }
}
