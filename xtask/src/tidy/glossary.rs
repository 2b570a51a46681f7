//! One thing, one name: every public type of the business crates stands in docs/GLOSSARY.md, and
//! every type named there exists.

use std::collections::BTreeSet;

use super::{
    Finding,
    files::{File, has_extension},
};

/// The crates whose words are the field's words.
const BUSINESS: [&str; 9] = [
    "model",
    "identity",
    "ledger",
    "domain",
    "subject",
    "product",
    "trace",
    "telemetry",
    "exchange",
];
const GLOSSARY: &str = "docs/GLOSSARY.md";

pub(super) fn findings(files: &[File]) -> Vec<Finding> {
    let Some(glossary) = files.iter().find(|file| file.path == GLOSSARY) else {
        return vec![format!("缺少 {GLOSSARY}")];
    };
    let named = named(&glossary.text);
    let business = |file: &&File| {
        BUSINESS.iter().any(|name| file.path.starts_with(&format!("crates/{name}/src/")))
    };
    let defined: BTreeSet<String> =
        files.iter().filter(business).flat_map(|file| types(&file.text)).collect();
    let everything: BTreeSet<String> = files
        .iter()
        .filter(|file| has_extension(&file.path, "rs"))
        .flat_map(|file| types(&file.text))
        .collect();
    let mut findings: Vec<_> = defined
        .difference(&named)
        .map(|name| format!("{GLOSSARY}：缺少类型 {name} 的中文名称"))
        .collect();
    findings.extend(
        named.difference(&everything).map(|name| format!("{GLOSSARY}：没有名为 {name} 的类型")),
    );
    findings
}

/// Types in backquotes in the table, written in one word with a capital first.
fn named(text: &str) -> BTreeSet<String> {
    let rows = text.lines().filter(|line| line.starts_with('|'));
    let quoted = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    quoted
        .filter(|name| name.starts_with(|letter: char| letter.is_ascii_uppercase()))
        .map(String::from)
        .collect()
}

fn types(text: &str) -> BTreeSet<String> {
    let heads = ["pub struct ", "pub enum ", "pub trait ", "pub type "];
    let name = |line: &str| {
        let rest = heads.iter().find_map(|head| line.trim_start().strip_prefix(head))?;
        Some(rest.split(|letter: char| !letter.is_alphanumeric()).next()?.to_owned())
    };
    text.lines().filter_map(name).collect()
}
