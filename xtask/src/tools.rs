//! What the tests need of the machine, and how to get it.

use std::path::{Path, PathBuf};

use crate::shell::{Outcome, command, output, root, run};

/// Oldest Node that builds the console.
const NODE_MAJOR_MIN: u32 = 20;
const PACKAGES: [&str; 10] = [
    "postgresql",
    "chromium",
    "fonts-noto-cjk",
    "fontconfig",
    "softhsm2",
    "openssl",
    "rsyslog",
    "rsyslog-openssl",
    "mosquitto",
    "libxml2-utils",
];

/// Whether Node is there and young enough.
pub(crate) fn node() -> Outcome {
    let hint = format!(
        "构建控制台需要 Node {NODE_MAJOR_MIN} 或更新版本（https://nodejs.org，或 apt-get install nodejs npm）"
    );
    let version = output("node", &["--version"]).ok_or_else(|| format!("没有找到 node。{hint}"))?;
    let major: Option<u32> =
        version.trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    match major {
        Some(major) if major >= NODE_MAJOR_MIN => Ok(()),
        _ => Err(format!("现有 node 为 {version}。{hint}")),
    }
}

/// The browser of the journeys.
pub(crate) fn chromium() -> Option<PathBuf> {
    let places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    places.iter().map(PathBuf::from).find(|place| place.exists())
}

/// Where PostgreSQL keeps `initdb` and `pg_ctl`: the newest version installed.
pub(crate) fn postgres() -> Option<PathBuf> {
    let versions =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let mut folders: Vec<_> = versions
        .map(|entry| entry.path().join("bin"))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    folders.sort();
    folders.pop().or_else(|| {
        let config = output("pg_config", &["--bindir"]).map(PathBuf::from);
        config.filter(|bin| bin.join("initdb").exists())
    })
}

/// The MQTT broker that the tests of external brokers start.
pub(crate) fn mosquitto() -> Option<PathBuf> {
    let places = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"];
    places.iter().map(PathBuf::from).find(|place| place.exists())
}

/// Where the contract and what compiles and runs it are.
const CONTRACTS: &str = "contracts";

/// The node of an EVM network that the tests of anchors start, as the package of this machine
/// brings it.
pub(crate) fn anvil() -> Option<PathBuf> {
    let packages = root().join(CONTRACTS).join("node_modules/@foundry-rs");
    let mut packages: Vec<_> = std::fs::read_dir(packages)
        .ok()?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect();
    packages.sort();
    packages.into_iter().map(|package| package.join("bin/anvil")).find(|place| place.exists())
}

/// Gets compiler and node, in the versions of the lock, and compares what the contract compiles to
/// with what the program carries.
pub(crate) fn contracts() -> Outcome {
    if anvil().is_none() || !root().join(CONTRACTS).join("node_modules/solc").exists() {
        let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        run(&mut command(CONTRACTS, "npm", &arguments))?;
    }
    run(&mut command(CONTRACTS, "npm", &["run", "--silent", "check"]))
}

fn fonts() -> bool {
    output("fc-list", &[":lang=zh-cn", "family"]).is_some_and(|families| !families.is_empty())
}

/// Whether we may install packages.
pub(crate) fn is_root() -> bool {
    output("id", &["-u"]).as_deref() == Some("0")
}

fn missing() -> Vec<&'static str> {
    let mut missing = Vec::new();
    if postgres().is_none() {
        missing.push("PostgreSQL");
    }
    if chromium().is_none() {
        missing.push("Chromium");
    }
    if !fonts() {
        missing.push("中文字体");
    }
    if output("softhsm2-util", &["--version"]).is_none() {
        missing.push("SoftHSM2");
    }
    if output("openssl", &["version"]).is_none() {
        missing.push("OpenSSL");
    }
    if mosquitto().is_none() {
        missing.push("mosquitto");
    }
    if output("sh", &["-c", "command -v xmllint"]).is_none() {
        missing.push("xmllint");
    }
    let driver = |folder: &str| Path::new(folder).join("rsyslog/lmnsd_ossl.so").exists();
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"];
    if output("rsyslogd", &["-v"]).is_none() || !folders.into_iter().any(driver) {
        missing.push("rsyslog");
    }
    missing
}

/// Makes sure that everything the tests start is installed.
pub(crate) fn ensure() -> Outcome {
    node()?;
    let absent = missing();
    if absent.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get install -y --no-install-recommends {}", PACKAGES.join(" "));
    if !is_root() || !Path::new("/usr/bin/apt-get").exists() {
        return Err(format!("缺少 {}。请执行：sudo {line}", absent.join("、")));
    }
    println!("缺少 {}，正在安装", absent.join("、"));
    run(command("", "apt-get", &["update", "-qq"]).env("DEBIAN_FRONTEND", "noninteractive"))?;
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(PACKAGES);
    run(command("", "apt-get", &arguments).env("DEBIAN_FRONTEND", "noninteractive"))?;
    match missing().as_slice() {
        [] => Ok(()),
        still => Err(format!("安装后仍缺少 {}", still.join("、"))),
    }
}
