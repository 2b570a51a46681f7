//! 密钥登记: which key signed for which organisation, from which height to which. Its root is in
//! every header, so that an offline verifier knows which key was valid then.

use std::collections::BTreeMap;

use yj_crypto::{PublicKey, sm3};

use crate::{
    Hash, Unreadable,
    bytes::{Reader, Writer},
    merkle,
};

/// What a key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// Submissions of its organisation.
    Submission,
    /// Submissions that the platform makes for organisations without a key.
    Platform,
}

/// One key of the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEntry {
    /// Whose: a 主体代码, or `platform`.
    pub org: String,
    /// Its name within the organisation.
    pub kid: String,
    /// The key.
    pub key: PublicKey,
    /// What it may sign.
    pub usage: KeyUse,
    /// First height at which it counts.
    pub valid_from: u64,
    /// First height at which it no longer counts; `u64::MAX` while it does.
    pub revoked_at: u64,
    /// SM3 of its certificate; zeros when there is none.
    pub certificate: Hash,
}

impl KeyEntry {
    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let usage = match self.usage {
            KeyUse::Submission => 1,
            KeyUse::Platform => 2,
        };
        let bytes = Writer::default().raw(b"YJ/key/v1\0").text(&self.org).text(&self.kid);
        let bytes = bytes.raw(&self.key.to_bytes()).u8(usage).u64(self.valid_from);
        bytes.u64(self.revoked_at).raw(&self.certificate).0
    }

    /// Reads bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut reader = Reader(bytes);
        if reader.raw(10)? != b"YJ/key/v1\0" {
            return Err(Unreadable);
        }
        let entry = Self {
            org: String::from(reader.text()?),
            kid: String::from(reader.text()?),
            key: PublicKey::from_bytes(&reader.array()?).map_err(|_| Unreadable)?,
            usage: match reader.u8()? {
                1 => KeyUse::Submission,
                2 => KeyUse::Platform,
                _ => return Err(Unreadable),
            },
            valid_from: reader.u64()?,
            revoked_at: reader.u64()?,
            certificate: reader.hash()?,
        };
        reader.end()?;
        Ok(entry)
    }

    /// Whether it counts at a height.
    pub fn counts_at(&self, height: u64) -> bool {
        (self.valid_from..self.revoked_at).contains(&height)
    }
}

/// All keys, ordered by organisation and name.
#[derive(Debug, Clone, Default)]
pub struct Registry(BTreeMap<(String, String), KeyEntry>);

impl Registry {
    /// Adds or replaces a key.
    pub fn put(&mut self, entry: KeyEntry) {
        self.0.insert((entry.org.clone(), entry.kid.clone()), entry);
    }

    /// The key of this name.
    pub fn get(&self, org: &str, kid: &str) -> Option<&KeyEntry> {
        self.0.get(&(String::from(org), String::from(kid)))
    }

    fn leaves(&self) -> Vec<Hash> {
        self.0.values().map(|entry| merkle::leaf(&entry.to_bytes())).collect()
    }

    /// What the header carries.
    pub fn root(&self) -> Hash {
        let leaves = self.leaves();
        Self::bind(leaves.len() as u64, &merkle::root(&leaves))
    }

    /// Binds the number of keys to their Merkle root.
    pub(crate) fn bind(size: u64, root: &Hash) -> Hash {
        sm3::parts(&[b"YJ/reg/v1\0", &size.to_be_bytes(), root])
    }

    /// The proof that a key is in the register: its index, the size, the path.
    pub fn path(&self, org: &str, kid: &str) -> Option<(u64, u64, Vec<Hash>)> {
        let wanted = (String::from(org), String::from(kid));
        let index = self.0.keys().position(|key| *key == wanted)? as u64;
        let leaves = self.leaves();
        Some((index, leaves.len() as u64, merkle::inclusion_path_of(&leaves, index)))
    }
}
