//! Documents: links lead somewhere, and every test that docs/conformance.md names exists.

use std::collections::BTreeSet;

use super::{
    Finding,
    files::{File, has_extension},
};
use crate::shell::root;

pub(super) fn findings(files: &[File]) -> Vec<Finding> {
    let documents = files.iter().filter(|file| has_extension(&file.path, "md"));
    let mut findings: Vec<_> = documents.flat_map(broken).collect();
    findings.extend(unknown_tests(files));
    findings
}

fn broken(file: &File) -> Vec<Finding> {
    let folder = root().join(&file.path);
    let folder = folder.parent().map(std::path::Path::to_path_buf).unwrap_or_default();
    let targets = file.text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let local = targets.filter(|target| !target.contains("://") && !target.starts_with(['#', '/']));
    let exists = |target: &&str| folder.join(target.split('#').next().unwrap_or_default()).exists();
    local
        .filter(|target| !exists(target))
        .map(|target| format!("{}：链接 {target} 无处可去", file.path))
        .collect()
}

fn unknown_tests(files: &[File]) -> Vec<Finding> {
    let code = files.iter().filter(|file| has_extension(&file.path, "rs"));
    let functions: BTreeSet<&str> = code
        .flat_map(|file| file.text.lines())
        .filter_map(|line| {
            line.trim_start()
                .trim_start_matches("async ")
                .strip_prefix("fn ")?
                .split(['(', '<'])
                .next()
        })
        .collect();
    let Some(table) = files.iter().find(|file| file.path == "docs/conformance.md") else {
        return vec![String::from("缺少 docs/conformance.md")];
    };
    let quoted = table.text.split('`').skip(1).step_by(2);
    let tests = quoted.filter(|name| {
        name.contains('_')
            && name.chars().all(|letter| {
                letter == '_' || letter.is_ascii_lowercase() || letter.is_ascii_digit()
            })
    });
    tests
        .filter(|name| !functions.contains(name))
        .map(|name| format!("docs/conformance.md：没有名为 {name} 的测试"))
        .collect()
}
