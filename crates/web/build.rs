//! Puts the built console into the binary. Without one (no Node on this machine) a placeholder page
//! says how to get it; the build never runs npm itself.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default());
    let built = root.join("../../web/dist/console");
    println!("cargo::rerun-if-changed={}", root.join("../../web/dist").display());
    let folder = if built.join("index.html").exists() { built } else { root.join("placeholder") };
    let folder = folder.canonicalize()?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    collect(&folder, &mut files)?;
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix(&folder).map_err(io::Error::other)?;
        let name = name.to_string_lossy().replace('\\', "/");
        let _ = writeln!(
            table,
            "    ({name:?}, include_bytes!({:?}).as_slice()),",
            file.display().to_string()
        );
    }
    table.push_str("]\n");
    let target = PathBuf::from(env::var("OUT_DIR").unwrap_or_default()).join("console.rs");
    fs::write(target, table)
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
