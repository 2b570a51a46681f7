//! The account in whose name we anchor: a secp256k1 key in a file of its own. It signs nothing else
//! and need hold no more coins than anchoring costs.

use std::{fs, io::Write as _, path::Path};

use alloy_primitives::{Address, B256, Signature, hex};
use k256::ecdsa::SigningKey;

/// Draws of a key; all but one in 2¹²⁷ of the values are good.
const DRAWS_MAX: usize = 8;

/// The key of an account.
pub struct EvmKey(SigningKey);

impl std::fmt::Debug for EvmKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "EvmKey({})", self.address())
    }
}

impl EvmKey {
    /// Reads the key file, or makes it on first use, readable by its owner only. One that others
    /// can read is refused.
    pub fn open(path: &Path, random: &dyn Fn() -> u128) -> Result<Self, String> {
        let said = |error: std::io::Error| format!("锚定密钥 {}：{error}", path.display());
        if path.exists() {
            private(path)?;
            let text = fs::read_to_string(path).map_err(said)?;
            let digits = text.trim().trim_start_matches("0x");
            let key =
                hex::decode(digits).ok().and_then(|bytes| SigningKey::from_slice(&bytes).ok());
            let wrong =
                || format!("锚定密钥 {}：应为 64 位十六进制的 secp256k1 私钥", path.display());
            return key.map(Self).ok_or_else(wrong);
        }
        let fresh = (0..DRAWS_MAX).find_map(|_| {
            let mut seed = [0; 32];
            seed[..16].copy_from_slice(&random().to_be_bytes());
            seed[16..].copy_from_slice(&random().to_be_bytes());
            SigningKey::from_slice(&seed).ok()
        });
        let fresh = fresh.ok_or_else(|| String::from("随机数不可用，没有生成锚定密钥"))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(said)?;
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(said)?;
        let text = format!("{}\n", hex::encode(fresh.to_bytes()));
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(said)?;
        Ok(Self(fresh))
    }

    /// Its account.
    pub fn address(&self) -> Address {
        let point = self.0.verifying_key().to_encoded_point(false);
        Address::from_raw_public_key(&point.as_bytes()[1..])
    }

    pub(super) fn sign(&self, digest: B256) -> Signature {
        let signed = self.0.sign_prehash_recoverable(digest.as_slice());
        let (signature, side) = signed.expect("a digest of 32 bytes can be signed");
        Signature::from_bytes_and_parity(&signature.to_bytes(), side.is_y_odd())
    }
}

#[cfg(unix)]
fn private(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    let found =
        fs::metadata(path).map_err(|error| format!("锚定密钥 {}：{error}", path.display()))?;
    if found.permissions().mode().trailing_zeros() >= 6 {
        return Ok(());
    }
    Err(format!("锚定密钥 {} 可被他人读取，请执行 chmod 600", path.display()))
}

#[cfg(not(unix))]
fn private(_: &Path) -> Result<(), String> {
    Ok(())
}
