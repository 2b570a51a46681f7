//! The rules of the repository that no compiler keeps.

mod arrows;
mod files;
mod glossary;
mod links;

use crate::shell::Outcome;

/// One broken rule: where, and what would be right.
pub(crate) type Finding = String;

/// Checks all rules and names everything that breaks one.
pub(crate) fn report() -> Outcome {
    let files = files::tracked()?;
    let mut findings = arrows::findings()?;
    findings.extend(files::findings(&files));
    findings.extend(glossary::findings(&files));
    findings.extend(links::findings(&files));
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("{} 个文件，依赖方向、大小、用语、术语与链接均符合约定", files.len());
        return Ok(());
    }
    Err(format!("{} 处不符合仓库约定", findings.len()))
}
