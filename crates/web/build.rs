//! Puts the built console, the field page and the scripts of the public pages into the binary. Without them (no
//! Node on this machine) a placeholder page says how to get them; the build never runs npm itself.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default());
    let built = root.join("../../web/dist");
    println!("cargo::rerun-if-changed={}", built.display());
    let console = built.join("console");
    let there = console.join("index.html").exists();
    embed("console", &if there { console } else { root.join("placeholder") })?;
    embed("field", &built.join("field"))?;
    embed("portal", &built.join("portal"))
}

/// Writes a table of the files of a folder; a missing folder has none.
fn embed(name: &str, folder: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    if folder.exists() {
        println!("cargo::rerun-if-changed={}", folder.display());
        collect(&folder.canonicalize()?, &mut files)?;
    }
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        let short = file.strip_prefix(folder.canonicalize()?).map_err(io::Error::other)?;
        let short = short.to_string_lossy().replace('\\', "/");
        let path = file.display().to_string();
        let _ = writeln!(table, "    ({short:?}, include_bytes!({path:?}).as_slice()),");
    }
    table.push_str("]\n");
    let target = PathBuf::from(env::var("OUT_DIR").unwrap_or_default());
    fs::write(target.join(format!("{name}.rs")), table)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
