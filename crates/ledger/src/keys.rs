//! The platform's keys: one signs submissions for those who have no key, one signs blocks.

use std::{fs, io::Write as _, path::Path};

use yj_crypto::SigningKey;
use yj_kernel::{Problem, Result};

/// Both keys.
pub struct Keys {
    pub(crate) platform: SigningKey,
    pub(crate) validator: SigningKey,
}

impl Keys {
    /// Reads the key files of a folder, or makes them on first use, readable by their owner only.
    pub fn open(folder: &Path, random: &dyn Fn() -> u128) -> Result<Self> {
        fs::create_dir_all(folder).map_err(Problem::internal)?;
        Ok(Self {
            platform: key(&folder.join("platform.pem"), random)?,
            validator: key(&folder.join("validator.pem"), random)?,
        })
    }
}

/// Draws of a seed; all but one in 2³² of the values are good.
const DRAWS_MAX: usize = 8;

fn key(path: &Path, random: &dyn Fn() -> u128) -> Result<SigningKey> {
    if path.exists() {
        let text = fs::read_to_string(path).map_err(Problem::internal)?;
        return SigningKey::from_pem(&text).map_err(Problem::internal);
    }
    let fresh = (0..DRAWS_MAX).find_map(|_| {
        let mut seed = [0; 32];
        seed[..16].copy_from_slice(&random().to_be_bytes());
        seed[16..].copy_from_slice(&random().to_be_bytes());
        SigningKey::from_seed(&seed)
    });
    let fresh = fresh.ok_or_else(|| Problem::internal("no usable random key"))?;
    let pem = fresh.to_pem().map_err(Problem::internal)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(Problem::internal)?;
    file.write_all(pem.as_bytes()).and_then(|()| file.sync_all()).map_err(Problem::internal)?;
    Ok(fresh)
}
