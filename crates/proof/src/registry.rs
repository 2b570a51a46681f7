//! 密钥登记: which key signed for which organisation, from which height to which. Its root is in
//! every header, so that an offline verifier knows which key was valid then.

use std::{collections::BTreeMap, sync::OnceLock};

use yj_crypto::{PublicKey, sm3};

use crate::{
    Hash, Unreadable,
    bytes::{Reader, Writer},
    merkle,
};

/// Whose the keys are with which the platform signs for others.
pub const PLATFORM: &str = "platform";

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

    /// What the holder of a key signs to prove that it is held:
    /// `"YJ/pop/v1\0" ‖ org ‖ kid ‖ key`.
    pub fn possession(org: &str, kid: &str, key: &PublicKey) -> Vec<u8> {
        let bytes = Writer::default().raw(b"YJ/pop/v1\0").text(org).text(kid);
        bytes.raw(&key.to_bytes()).0
    }

    /// Whether it counts at a height.
    pub fn counts_at(&self, height: u64) -> bool {
        (self.valid_from..self.revoked_at).contains(&height)
    }
}

/// All keys, ordered by organisation and name.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    keys: BTreeMap<(String, String), KeyEntry>,
    /// Complete nodes over the keys, a list for each level; made when first asked for.
    levels: OnceLock<Vec<Vec<Hash>>>,
}

impl Registry {
    /// Adds or replaces a key.
    pub fn put(&mut self, entry: KeyEntry) {
        self.levels = OnceLock::new();
        self.keys.insert((entry.org.clone(), entry.kid.clone()), entry);
    }

    /// The key of this name.
    pub fn get(&self, org: &str, kid: &str) -> Option<&KeyEntry> {
        self.keys.get(&(String::from(org), String::from(kid)))
    }

    /// All of them, in their order.
    pub fn entries(&self) -> impl Iterator<Item = &KeyEntry> {
        self.keys.values()
    }

    fn size(&self) -> u64 {
        self.keys.len() as u64
    }

    fn node(&self, level: u32, index: u64) -> Hash {
        let levels = self.levels.get_or_init(|| {
            let leaves = self.keys.values().map(|entry| merkle::leaf(&entry.to_bytes()));
            let mut levels = vec![leaves.collect::<Vec<_>>()];
            while let Some(last) = levels.last().filter(|last| last.len() > 1) {
                let above = last.chunks_exact(2).map(|pair| merkle::node(&pair[0], &pair[1]));
                levels.push(above.collect());
            }
            levels
        });
        let level = usize::try_from(level).ok().and_then(|level| levels.get(level));
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        level.and_then(|level| level.get(index)).copied().unwrap_or_else(merkle::empty_root)
    }

    /// What the header carries.
    pub fn root(&self) -> Hash {
        let Ok(root) = merkle::root_at(self.size(), |level, index| {
            Ok::<_, std::convert::Infallible>(self.node(level, index))
        });
        Self::bind(self.size(), &root)
    }

    /// Binds the number of keys to their Merkle root.
    pub(crate) fn bind(size: u64, root: &Hash) -> Hash {
        sm3::parts(&[b"YJ/reg/v1\0", &size.to_be_bytes(), root])
    }

    /// The proof that a key is in the register: its index, the size, the path.
    pub fn path(&self, org: &str, kid: &str) -> Option<(u64, u64, Vec<Hash>)> {
        let wanted = (String::from(org), String::from(kid));
        self.keys.get(&wanted)?;
        let index = self.keys.range(..&wanted).count() as u64;
        let Ok(path) = merkle::inclusion_path(index, self.size(), |level, index| {
            Ok::<_, std::convert::Infallible>(self.node(level, index))
        });
        Some((index, self.size(), path))
    }
}
