//! Files that are there whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Write as _},
    path::Path,
};

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> String {
    move |error| format!("{}：{error}", path.display())
}

/// Reads a file of at most `most` bytes; nothing where there is none.
pub(crate) fn read(path: &Path, most: u64) -> Result<Option<String>, String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(path)(error)),
    };
    let mut text = String::new();
    file.take(most + 1).read_to_string(&mut text).map_err(at(path))?;
    if text.len() as u64 > most {
        return Err(format!("{}：文件过大", path.display()));
    }
    Ok(Some(text))
}

/// Writes a file durably: after a crash the old one is there, or the new one.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), String> {
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh).map_err(at(&fresh))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(at(&fresh))?;
    fs::rename(&fresh, path).map_err(at(path))?;
    keep_names(path)
}

/// Writes a private file that was not there, durably.
pub(crate) fn create_private(path: &Path, text: &str) -> Result<(), String> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(at(path))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(at(path))?;
    keep_names(path)
}

/// A name is durable when its folder is.
fn keep_names(path: &Path) -> Result<(), String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

/// Makes a folder that is there afterwards.
pub(crate) fn folder(path: &Path) -> Result<(), String> {
    fs::create_dir_all(path).map_err(at(path))
}

/// Takes the only right to a folder, until the file is dropped.
pub(crate) fn lock(path: &Path) -> Result<File, String> {
    let file = File::create(path).map_err(at(path))?;
    file.try_lock()
        .map_err(|_| format!("{}：另一个见证程序正在使用这个状态目录", path.display()))?;
    Ok(file)
}
