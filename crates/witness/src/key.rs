//! The key of a witness and the name it signs under.

use std::path::Path;

use yj_crypto::{Signer as _, SigningKey, to_hex};
use yj_proof::{NoteKey, NoteKind};

use crate::files;

/// Bytes of a key file at most.
const PEM_MAX: u64 = 16 * 1024;
/// Draws of a seed; all but one in 2³² of the values are good.
const DRAWS_MAX: usize = 8;

/// Reads a key file; a witness that has none yet gets one, readable by its owner only.
pub(crate) fn open(path: &Path, begins: bool) -> Result<SigningKey, String> {
    if let Some(pem) = files::read(path, PEM_MAX)? {
        return SigningKey::from_pem(&pem).map_err(|error| format!("{}：{error}", path.display()));
    }
    if !begins {
        return Err(format!("{}：私钥文件不见了，拒绝继续；请从备份恢复", path.display()));
    }
    for _ in 0..DRAWS_MAX {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| format!("系统随机数不可用：{error}"))?;
        let Some(key) = SigningKey::from_seed(&seed) else { continue };
        let pem = key.to_pem().map_err(|error| error.to_string())?;
        files::create_private(path, &pem)?;
        return Ok(key);
    }
    Err(String::from("系统随机数不可用"))
}

/// Under which name the key signs: the one that was set the first time, or else a new one.
pub(crate) fn named(
    signer: &SigningKey,
    (asked, before): (Option<&str>, Option<&str>),
) -> Result<NoteKey, String> {
    let key = signer.public_key();
    let Some(before) = before else {
        let digest = yj_crypto::sm3::digest(&key.to_bytes());
        let usual = format!("witness-{}", to_hex(&digest[..4]));
        let name = asked.unwrap_or(&usual);
        return NoteKey::new(name, NoteKind::Witness, key.clone())
            .map_err(|_| String::from("--name 应为 1 至 100 个字符，不含空白与 +"));
    };
    let known: NoteKey = before
        .trim_end()
        .parse()
        .map_err(|_| String::from("状态目录中的 verifier-key.txt 已损坏，拒绝继续"))?;
    if known.key() != key {
        return Err(String::from("私钥不是这个状态目录一直使用的那一个；更换密钥请另用一个目录"));
    }
    if asked.is_some_and(|asked| asked != known.name()) {
        let name = known.name();
        return Err(format!("见证方名称首次运行时已定为 {name}；改名请另用一个状态目录"));
    }
    Ok(known)
}
