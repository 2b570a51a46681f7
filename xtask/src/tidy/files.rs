//! Files: small, clean, and about the product alone.

use std::path::Path;

use super::Finding;
use crate::shell::{Outcome, output, root};

/// A tracked text file.
pub(crate) struct File {
    /// From the root of the repository.
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
}

/// Longest source file, in lines.
const LINES_MAX: usize = 600;
/// Longest line of source, in characters.
const WIDTH_MAX: usize = 200;
/// Largest file that is not data, in bytes.
const BYTES_MAX: usize = 256 << 10;

/// Words that have no place in finished work. Written apart, so that this file may hold them.
const UNFINISHED: [(&str, &str); 5] =
    [("TO", "DO"), ("FIX", "ME"), ("XX", "X:"), ("todo", "!("), ("unimple", "mented!(")];
/// Paths of machines.
const MACHINES: [(&str, &str); 4] =
    [("/ho", "me/"), ("/ro", "ot/"), ("/wo", "rk/"), ("/Us", "ers/")];

pub(super) fn tracked() -> Outcome<Vec<File>> {
    let folder = root().display().to_string();
    let list =
        output("git", &["-C", &folder, "ls-files", "--cached", "--others", "--exclude-standard"]);
    let list = list.ok_or("git ls-files 失败")?;
    let read = |path: &str| {
        let text = std::fs::read_to_string(root().join(path)).ok()?;
        Some(File { path: String::from(path), text })
    };
    Ok(list.lines().filter_map(read).collect())
}

/// Lock files, what is generated, and data that come from elsewhere.
fn is_foreign(path: &str) -> bool {
    has_extension(path, "lock")
        || path.ends_with("package-lock.json")
        || path.starts_with("data/")
        || path.starts_with("fuzz/seeds/")
        || path.starts_with("clients/") && path.contains("/models.")
        || path.contains("generated")
}

fn is_source(path: &str) -> bool {
    ["rs", "ts", "vue", "css", "mjs"].iter().any(|extension| has_extension(path, extension))
}

/// Whether the path names a file of this kind.
pub(super) fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

pub(super) fn findings(files: &[File]) -> Vec<Finding> {
    files.iter().filter(|file| !is_foreign(&file.path)).flat_map(look).collect()
}

fn look(file: &File) -> Vec<Finding> {
    let File { path, text } = file;
    let mut findings = Vec::new();
    let mut note = |line: usize, detail: &str| findings.push(format!("{path}:{line}：{detail}"));
    if text.len() > BYTES_MAX {
        note(1, "文件过大");
    }
    if !text.is_empty() && !text.ends_with('\n') {
        note(text.lines().count(), "文件应以换行结束");
    }
    if is_source(path) && text.lines().count() > LINES_MAX {
        note(1, &format!("超过 {LINES_MAX} 行，请按职责拆分"));
    }
    for (number, line) in (1..).zip(text.lines()) {
        if line.ends_with([' ', '\t']) && !has_extension(path, "md") {
            note(number, "行尾有空白");
        }
        if is_source(path) && line.chars().count() > WIDTH_MAX {
            note(number, "行过长");
        }
        if is_source(path)
            && UNFINISHED.iter().any(|(head, tail)| line.contains(&format!("{head}{tail}")))
        {
            note(number, "未完成的标记；请完成，或写成议题");
        }
        if MACHINES.iter().any(|(head, tail)| line.contains(&format!("{head}{tail}"))) {
            note(number, "含某台机器的路径");
        }
    }
    findings
}
