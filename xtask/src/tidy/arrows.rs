//! Which crate may use which (docs/ARCHITECTURE.md). A new arrow is a decision record.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Finding;
use crate::shell::{Outcome, output};

/// Every arrow there may be, from the bottom up.
const ARROWS: &[(&str, &[&str])] = &[
    ("yj-model", &[]),
    ("yj-crypto", &[]),
    ("yj-http", &[]),
    ("yj-mqtt", &[]),
    ("yj-sheet", &["yj-model"]),
    ("yj-label", &[]),
    ("yj-proof", &["yj-crypto"]),
    // A laboratory trusts a small program: what a proof means, and the arithmetic.
    ("yj-witness", &["yj-crypto", "yj-proof"]),
    // For strangers: the format and nothing else.
    ("yj-verify", &["yj-proof"]),
    ("yj-epcis", &["yj-model", "yj-crypto"]),
    ("yj-message", &["yj-model"]),
    ("yj-kernel", &["yj-model", "yj-crypto", "yj-http", "yj-sheet"]),
    ("yj-hsm", &["yj-kernel", "yj-crypto"]),
    ("yj-identity", &["yj-kernel", "yj-model", "yj-crypto", "yj-http"]),
    ("yj-ledger", &["yj-kernel", "yj-model", "yj-crypto", "yj-proof", "yj-identity"]),
    ("yj-anchor", &["yj-kernel", "yj-crypto", "yj-proof", "yj-identity", "yj-ledger"]),
    ("yj-domain", &["yj-kernel", "yj-model", "yj-crypto"]),
    ("yj-subject", &["yj-kernel", "yj-model"]),
    (
        "yj-evidence",
        &[
            "yj-kernel",
            "yj-model",
            "yj-crypto",
            "yj-proof",
            "yj-identity",
            "yj-ledger",
            "yj-subject",
        ],
    ),
    ("yj-product", &["yj-kernel", "yj-model", "yj-crypto", "yj-label", "yj-domain", "yj-subject"]),
    ("yj-construction", &["yj-kernel", "yj-model", "yj-crypto", "yj-identity"]),
    (
        "yj-trace",
        &[
            "yj-kernel",
            "yj-model",
            "yj-crypto",
            "yj-proof",
            "yj-sheet",
            "yj-ledger",
            "yj-message",
            "yj-domain",
            "yj-subject",
            "yj-product",
        ],
    ),
    (
        "yj-exchange",
        &[
            "yj-kernel",
            "yj-http",
            "yj-model",
            "yj-crypto",
            "yj-epcis",
            "yj-proof",
            "yj-ledger",
            "yj-domain",
            "yj-subject",
            "yj-product",
            "yj-trace",
        ],
    ),
    (
        "yj-web",
        &["yj-kernel", "yj-model", "yj-label", "yj-ledger", "yj-subject", "yj-product", "yj-trace"],
    ),
    (
        "yj-telemetry",
        &[
            "yj-kernel",
            "yj-model",
            "yj-crypto",
            "yj-proof",
            "yj-mqtt",
            "yj-ledger",
            "yj-subject",
            "yj-construction",
            "yj-trace",
        ],
    ),
    // Outside everything: it knows the platform by its interface alone.
    ("yuanjian-client", &[]),
    ("yj-sign", &["yj-crypto", "yj-proof", "yuanjian-client"]),
    ("xtask", &[]),
];
/// These stand above everything.
const ON_TOP: [&str; 2] = ["yj-server", "yj-tests"];

pub(super) fn findings() -> Outcome<Vec<Finding>> {
    let text = output("cargo", &["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let text = text.ok_or("cargo metadata 失败")?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    let names: BTreeSet<String> =
        packages.iter().filter_map(|package| package["name"].as_str().map(String::from)).collect();
    let mut findings = Vec::new();
    for package in &packages {
        let name = package["name"].as_str().unwrap_or_default();
        if ON_TOP.contains(&name) {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
            findings.push(format!(
                "{name}：没有写明它可以依赖谁（xtask/src/tidy/arrows.rs 与 docs/ARCHITECTURE.md）"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let target = dependency["name"].as_str().unwrap_or_default();
            if names.contains(target) && !allowed.contains(&target) {
                findings.push(format!("{name} → {target}：不允许的依赖方向"));
            }
        }
    }
    Ok(findings)
}
