//! Genesis, validators, headers and certificates. One organisation is a validator set of one with
//! the very same bytes that a consortium signs.

use yj_crypto::{PublicKey, Signature, sm3};

use crate::{
    Hash, Unreadable,
    bytes::{Reader, Writer},
};

/// An organisation that may sign blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validator {
    /// Its SM2 key.
    pub key: PublicKey,
    /// Its voting power, at least 1.
    pub power: u64,
}

impl Validator {
    /// Short name of the key: `SM3("YJ/addr/v1\0" ‖ key)`.
    pub fn address(&self) -> Hash {
        sm3::parts(&[b"YJ/addr/v1\0", &self.key.to_bytes()])
    }
}

/// Who may sign, in the order of their addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatorSet(Vec<Validator>);

/// Validators of one chain at most.
const VALIDATORS_MAX: usize = 256;

impl ValidatorSet {
    /// A set; refused when empty, too large, or when a key or power is impossible.
    pub fn new(mut validators: Vec<Validator>) -> Result<Self, Unreadable> {
        validators.sort_by_key(Validator::address);
        let distinct = validators.windows(2).all(|pair| pair[0].key != pair[1].key);
        let sound = validators.iter().all(|validator| (1..=1 << 32).contains(&validator.power));
        if validators.is_empty() || validators.len() > VALIDATORS_MAX || !distinct || !sound {
            return Err(Unreadable);
        }
        Ok(Self(validators))
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let count = u16::try_from(self.0.len()).unwrap_or(u16::MAX);
        self.0
            .iter()
            .fold(Writer::default().u16(count), |bytes, validator| {
                bytes.raw(&validator.key.to_bytes()).u64(validator.power)
            })
            .0
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let count = reader.u16()?;
        let mut validators = Vec::new();
        for _ in 0..count {
            let key = PublicKey::from_bytes(&reader.array()?).map_err(|_| Unreadable)?;
            validators.push(Validator { key, power: reader.u64()? });
        }
        let set = Self::new(validators.clone())?;
        if set.0 == validators { Ok(set) } else { Err(Unreadable) }
    }

    /// Reads bytes; only the one order is taken.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut reader = Reader(bytes);
        let set = Self::read(&mut reader)?;
        reader.end()?;
        Ok(set)
    }

    /// `SM3("YJ/set/v1\0" ‖ bytes)`
    pub fn hash(&self) -> Hash {
        sm3::parts(&[b"YJ/set/v1\0", &self.to_bytes()])
    }

    /// Whether a key is one of theirs.
    pub fn holds(&self, key: &PublicKey) -> bool {
        self.0.iter().any(|validator| validator.key == *key)
    }

    /// Its members.
    pub fn members(&self) -> &[Validator] {
        &self.0
    }

    pub(crate) fn find(&self, address: &Hash) -> Option<&Validator> {
        self.0.iter().find(|validator| validator.address() == *address)
    }

    fn power(&self) -> u64 {
        self.0.iter().map(|validator| validator.power).sum()
    }
}

/// The beginning of a chain. Its digest is the chain's name and the anchor of all trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    /// Name for people.
    pub name: String,
    /// When it began.
    pub time_ms: u64,
    /// Who signs the first block.
    pub validators: ValidatorSet,
}

impl Genesis {
    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let head = Writer::default().raw(b"YJ/gen/v1\0").text(&self.name).u64(self.time_ms);
        head.raw(&self.validators.to_bytes()).0
    }

    /// Reads bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut reader = Reader(bytes);
        if reader.raw(10)? != b"YJ/gen/v1\0" {
            return Err(Unreadable);
        }
        let (name, time_ms) = (String::from(reader.text()?), reader.u64()?);
        let validators = ValidatorSet::read(&mut reader)?;
        reader.end()?;
        Ok(Self { name, time_ms, validators })
    }

    /// The chain's name: SM3 of the bytes.
    pub fn chain_id(&self) -> Hash {
        sm3::digest(&self.to_bytes())
    }
}

/// The head of a block, 314 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Which chain.
    pub chain_id: Hash,
    /// From 1.
    pub height: u64,
    /// Identifier of the block before; zeros at height 1.
    pub prev: Hash,
    /// When it was made; never before the block before it.
    pub time_ms: u64,
    /// Address of who made it.
    pub proposer: Hash,
    /// Submissions in the log after this block.
    pub tree_size: u64,
    /// Root of the log after this block.
    pub tree_root: Hash,
    /// Digest over this block's own submissions.
    pub body_digest: Hash,
    /// Who signs this block.
    pub validators: Hash,
    /// Who signs the next.
    pub next_validators: Hash,
    /// Root of the key register.
    pub registry_root: Hash,
    /// Digest over evidence of misbehaviour; zeros when there is none.
    pub evidence: Hash,
}

const HEADER_VERSION: u16 = 1;

impl Header {
    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = Writer::default().u16(HEADER_VERSION).raw(&self.chain_id).u64(self.height);
        let bytes = bytes.raw(&self.prev).u64(self.time_ms).raw(&self.proposer).u64(self.tree_size);
        let bytes = bytes.raw(&self.tree_root).raw(&self.body_digest).raw(&self.validators);
        bytes.raw(&self.next_validators).raw(&self.registry_root).raw(&self.evidence).0
    }

    /// Reads bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut reader = Reader(bytes);
        if reader.u16()? != HEADER_VERSION {
            return Err(Unreadable);
        }
        let header = Self {
            chain_id: reader.hash()?,
            height: reader.u64()?,
            prev: reader.hash()?,
            time_ms: reader.u64()?,
            proposer: reader.hash()?,
            tree_size: reader.u64()?,
            tree_root: reader.hash()?,
            body_digest: reader.hash()?,
            validators: reader.hash()?,
            next_validators: reader.hash()?,
            registry_root: reader.hash()?,
            evidence: reader.hash()?,
        };
        reader.end()?;
        Ok(header)
    }

    /// `SM3("YJ/hdr/v1\0" ‖ bytes)`: what validators vote for.
    pub fn block_id(&self) -> Hash {
        sm3::parts(&[b"YJ/hdr/v1\0", &self.to_bytes()])
    }

    /// Digest over a block's own submissions, in order.
    pub fn digest_body(first_index: u64, leaves: &[Hash]) -> Hash {
        let count = leaves.len() as u64;
        let root = crate::merkle::root(leaves);
        sm3::parts(&[b"YJ/body/v1\0", &first_index.to_be_bytes(), &count.to_be_bytes(), &root])
    }
}

/// One validator's signature under a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// Who.
    pub address: Hash,
    /// Over [`Certificate::vote_bytes`].
    pub signature: Signature,
}

/// Signatures of more than two thirds of the power.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// In which round they agreed.
    pub round: u32,
    /// The signatures, in the order of the addresses.
    pub votes: Vec<Vote>,
}

impl Certificate {
    /// What a validator signs for a block.
    pub fn vote_bytes(chain_id: &Hash, height: u64, round: u32, block_id: &Hash) -> Vec<u8> {
        const PRECOMMIT: u8 = 2;
        let bytes = Writer::default().raw(b"YJ/vote/v1\0").raw(chain_id).u8(PRECOMMIT);
        bytes.u64(height).u32(round).raw(block_id).0
    }

    /// Whether these votes, all of them valid and from different members, commit the block.
    pub fn commits(&self, header: &Header, set: &ValidatorSet) -> bool {
        let bytes =
            Self::vote_bytes(&header.chain_id, header.height, self.round, &header.block_id());
        let ordered = self.votes.windows(2).all(|pair| pair[0].address < pair[1].address);
        let mut power = 0;
        for vote in &self.votes {
            let Some(validator) = set.find(&vote.address) else { return false };
            if validator.key.verify(&bytes, &vote.signature).is_err() {
                return false;
            }
            power += validator.power;
        }
        ordered && power * 3 > set.power() * 2
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let count = u16::try_from(self.votes.len()).unwrap_or(u16::MAX);
        let head = Writer::default().u32(self.round).u16(count);
        self.votes.iter().fold(head, |bytes, vote| bytes.raw(&vote.address).raw(&vote.signature)).0
    }

    /// Reads bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut reader = Reader(bytes);
        let (round, count) = (reader.u32()?, reader.u16()?);
        let mut votes = Vec::new();
        for _ in 0..count {
            votes.push(Vote { address: reader.hash()?, signature: reader.array()? });
        }
        reader.end()?;
        Ok(Self { round, votes })
    }
}
