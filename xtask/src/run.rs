//! `cargo xtask run`: from a clone to a platform in the browser.

use crate::{
    shell::{Outcome, command, root, run},
    tools,
};

/// Builds what has changed and serves the demonstration province.
pub(crate) fn demo(arguments: &[&str]) -> Outcome {
    let (mut listen, mut data) = ("127.0.0.1:8080", String::from("target/demo"));
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("{name} 后应有取值"))?;
        match *name {
            "--listen" => listen = value,
            "--data" => data = String::from(*value),
            other => return Err(format!("不认识参数 {other}，可用：--listen、--data")),
        }
    }
    console()?;
    run(&mut command("", "cargo", &["build", "--release", "--locked", "-p", "yj-server"]))?;
    let program = root().join("target/release/yuanjian").display().to_string();
    run(&mut command("", &program, &["demo", "--data", &data, "--listen", listen]))
}

/// Builds the console, unless nothing changed since it was built.
pub(crate) fn console() -> Outcome {
    tools::node()?;
    if !root().join("web/node_modules/.package-lock.json").exists()
        || newer("web/package-lock.json", "web/node_modules/.package-lock.json")
    {
        run(&mut command("web", "npm", &["ci", "--no-audit", "--no-fund"]))?;
    }
    if let Some(built) = modified("web/dist/console/index.html") {
        let sources = SOURCES.iter().map(|source| newest(&format!("web/{source}")));
        if sources.max().flatten().is_some_and(|changed| changed <= built) {
            println!("控制台已是最新");
            return Ok(());
        }
    }
    run(&mut command("web", "npm", &["run", "build"]))
}

/// What the console is built from.
const SOURCES: [&str; 6] =
    ["apps", "packages", "tools", "package.json", "package-lock.json", "vite.config.ts"];

fn modified(path: &str) -> Option<std::time::SystemTime> {
    std::fs::metadata(root().join(path)).and_then(|meta| meta.modified()).ok()
}

fn newer(one: &str, other: &str) -> bool {
    modified(one) > modified(other)
}

/// When a file, or anything in a folder, last changed.
fn newest(path: &str) -> Option<std::time::SystemTime> {
    let Ok(entries) = std::fs::read_dir(root().join(path)) else { return modified(path) };
    let names = entries.filter_map(Result::ok).map(|entry| entry.file_name());
    // The folder itself changes when something in it is removed.
    let inside = names.map(|name| newest(&format!("{path}/{}", name.to_string_lossy())));
    inside.chain([modified(path)]).max().flatten()
}
