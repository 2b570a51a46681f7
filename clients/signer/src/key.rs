//! The key file.

use std::{fs, io::Write as _, path::Path};

use yj_crypto::{Signer as _, SigningKey, to_hex};
use yj_proof::KeyEntry;

/// Draws of a seed; all but one in 2³² of the values are good.
const DRAWS_MAX: usize = 8;

fn told(path: &Path, error: impl std::fmt::Display) -> String {
    format!("{}：{error}", path.display())
}

/// Makes a key file that only its owner can read.
pub(crate) fn make(path: &Path) -> Result<(), String> {
    let draw = || {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).ok()?;
        SigningKey::from_seed(&seed)
    };
    let key = (0..DRAWS_MAX).find_map(|_| draw()).ok_or("系统不能给出随机数")?;
    let pem = key.to_pem().map_err(|error| error.to_string())?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| told(path, error))?;
    file.write_all(pem.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| told(path, error))?;
    println!("公钥 {}", to_hex(&key.public_key().to_bytes()));
    Ok(())
}

/// Reads a key file; one that others can read is refused.
pub(crate) fn read(path: &Path) -> Result<SigningKey, String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(path).map_err(|error| told(path, error))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(told(path, "其他用户可以读取密钥文件，请先 chmod 600"));
        }
    }
    let text = fs::read_to_string(path).map_err(|error| told(path, error))?;
    SigningKey::from_pem(&text).map_err(|error| told(path, error))
}

/// Says what is needed to register the key.
pub(crate) fn prove(path: &Path, org: &str, kid: &str) -> Result<(), String> {
    let key = read(path)?;
    let message = KeyEntry::possession(org, kid, key.public_key());
    let proof = key.sign(&message).map_err(|error| error.to_string())?;
    println!("主体代码 {org}\n密钥名称 {kid}");
    println!("公钥 {}", to_hex(&key.public_key().to_bytes()));
    println!("持有证明 {}", to_hex(&proof));
    Ok(())
}
