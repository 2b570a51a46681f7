//! 密钥登记 over time: the register as it stands, and as it stood at any block, so that proofs of
//! old records show the key as it counted then.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use yj_crypto::PublicKey;
use yj_proof::{KeyEntry, KeyUse, PLATFORM, Registry};

use crate::waiting::Order;

/// Registers of the past that are kept at hand.
const KEPT: usize = 8;

/// The key register with its past.
pub(crate) struct Register {
    /// Every entry as it has been since a height, in that order.
    changes: Vec<(u64, KeyEntry)>,
    now: Arc<Registry>,
    /// Organisations that sign for themselves.
    signers: BTreeSet<String>,
    past: Mutex<Vec<(usize, Arc<Registry>)>>,
}

impl Register {
    /// From the changes on file.
    pub(crate) fn of(changes: Vec<(u64, KeyEntry)>) -> Self {
        let mut registry = Registry::default();
        for (_, entry) in &changes {
            registry.put(entry.clone());
        }
        let signers = signers(&registry);
        Self { changes, now: Arc::new(registry), signers, past: Mutex::default() }
    }

    /// As it stands.
    pub(crate) fn now(&self) -> &Arc<Registry> {
        &self.now
    }

    /// Whether an organisation signs for itself.
    pub(crate) fn signs_itself(&self, org: &str) -> bool {
        self.signers.contains(org)
    }

    /// As it stood at a height.
    pub(crate) fn at(&self, height: u64) -> Arc<Registry> {
        let count = self.changes.partition_point(|(since, _)| *since <= height);
        if count == self.changes.len() {
            return Arc::clone(&self.now);
        }
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = past.iter().find(|(known, _)| *known == count) {
            return Arc::clone(known);
        }
        let mut registry = Registry::default();
        for (_, entry) in &self.changes[..count] {
            registry.put(entry.clone());
        }
        let registry = Arc::new(registry);
        if past.len() == KEPT {
            past.remove(0);
        }
        past.push((count, Arc::clone(&registry)));
        registry
    }

    /// The platform's key that counts now.
    pub(crate) fn platform(&self) -> Option<&KeyEntry> {
        let counts =
            |entry: &&KeyEntry| entry.usage == KeyUse::Platform && entry.revoked_at == u64::MAX;
        self.now.entries().filter(counts).last()
    }

    /// What a block at `height` changes: the platform's own key where it is another than before,
    /// and what people have ordered. Entries that change nothing are left out.
    pub(crate) fn changed(
        &self,
        height: u64,
        platform: &PublicKey,
        orders: &[Order],
    ) -> Vec<KeyEntry> {
        let mut changed = Vec::new();
        let current = self.platform();
        if current.is_none_or(|entry| entry.key != *platform) {
            let number = self.now.entries().filter(|entry| entry.org == PLATFORM).count() + 1;
            changed.extend(current.map(|entry| KeyEntry { revoked_at: height, ..entry.clone() }));
            changed.push(KeyEntry {
                org: String::from(PLATFORM),
                kid: format!("platform-{number}"),
                key: platform.clone(),
                usage: KeyUse::Platform,
                valid_from: height,
                revoked_at: u64::MAX,
                certificate: [0; 32],
            });
        }
        for Order { enrols, entry, .. } in orders {
            let same = |known: &&KeyEntry| (&known.org, &known.kid) == (&entry.org, &entry.kid);
            let known = changed.iter().rev().find(same);
            match (known.or_else(|| self.now.get(&entry.org, &entry.kid)), enrols) {
                (None, true) => {
                    changed.push(KeyEntry { valid_from: height, ..entry.clone() });
                }
                (Some(known), false) if known.revoked_at == u64::MAX => {
                    changed.push(KeyEntry { revoked_at: height, ..known.clone() });
                }
                _ => {}
            }
        }
        changed
    }

    /// The register that these changes, made at `height`, lead to; and who has lost the last key.
    pub(crate) fn with(&self, height: u64, changed: &[KeyEntry]) -> (Self, Vec<String>) {
        let mut registry = Registry::clone(&self.now);
        for entry in changed {
            registry.put(entry.clone());
        }
        let mut changes = self.changes.clone();
        changes.extend(changed.iter().map(|entry| (height, entry.clone())));
        let signers = signers(&registry);
        let keyless = self.signers.difference(&signers).cloned().collect();
        let next = Self { changes, now: Arc::new(registry), signers, past: Mutex::default() };
        (next, keyless)
    }
}

fn signers(registry: &Registry) -> BTreeSet<String> {
    let counts =
        |entry: &&KeyEntry| entry.usage == KeyUse::Submission && entry.revoked_at == u64::MAX;
    registry.entries().filter(counts).map(|entry| entry.org.clone()).collect()
}

#[cfg(test)]
mod tests {
    use yj_crypto::{Signer as _, SigningKey};

    use super::*;

    fn key(seed: u8) -> PublicKey {
        SigningKey::from_seed(&[seed; 32]).unwrap().public_key().clone()
    }

    fn order(enrols: bool, kid: &str) -> Order {
        let entry = KeyEntry {
            org: "A".into(),
            kid: kid.into(),
            key: key(3),
            usage: KeyUse::Submission,
            valid_from: 0,
            revoked_at: u64::MAX,
            certificate: [0; 32],
        };
        Order { id: 1, enrols, entry }
    }

    #[test]
    fn keys_begin_and_end_at_heights_and_the_past_stays_as_it_was() {
        let register = Register::of(Vec::new());
        let first = register.changed(1, &key(1), &[]);
        let (register, _) = register.with(1, &first);
        assert_eq!(register.platform().map(|entry| entry.kid.as_str()), Some("platform-1"));
        assert!(register.changed(2, &key(1), &[]).is_empty());
        let enrolled = register.changed(5, &key(1), &[order(true, "k1"), order(true, "k1")]);
        assert_eq!(enrolled.len(), 1);
        let (register, keyless) = register.with(5, &enrolled);
        assert!(register.signs_itself("A") && keyless.is_empty());
        let revoked = register.changed(9, &key(1), &[order(false, "k1"), order(false, "k9")]);
        let (register, keyless) = register.with(9, &revoked);
        assert_eq!((register.signs_itself("A"), keyless), (false, vec![String::from("A")]));
        let at = |height| register.at(height).get("A", "k1").map(|entry| entry.revoked_at);
        assert_eq!([at(4), at(5), at(8), at(9)], [None, Some(u64::MAX), Some(u64::MAX), Some(9)]);
        // A revoked name is never used again.
        assert!(register.changed(10, &key(1), &[order(true, "k1")]).is_empty());
    }

    #[test]
    fn another_platform_key_takes_the_place_of_the_first() {
        let register = Register::of(Vec::new());
        let (register, _) = register.with(1, &register.changed(1, &key(1), &[]));
        let (register, _) = register.with(7, &register.changed(7, &key(2), &[]));
        let standing = register.platform().unwrap();
        assert_eq!((standing.kid.as_str(), standing.valid_from), ("platform-2", 7));
        assert_eq!(register.at(7).get("platform", "platform-1").unwrap().revoked_at, 7);
        assert_eq!(register.at(6).get("platform", "platform-1").unwrap().revoked_at, u64::MAX);
    }
}
