//! 提交: records of one organisation, signed together; the leaf of the log.

use yj_crypto::{PublicKey, Signature, Signer, sm3};

use crate::{
    Hash, Unreadable,
    bytes::{Reader, Writer},
};

/// Whose key signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AttestedBy {
    /// 企业自己的密钥
    Enterprise,
    /// 平台代签，如实标明
    Platform,
}

/// `count` records of one organisation under one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The chain it was made for; keeps it from being replayed on another.
    pub chain_id: Hash,
    /// Code of the 追溯主体.
    pub org: String,
    /// Number of this organisation's submission, from 1 without gaps.
    pub seq: u64,
    /// Records in it.
    pub count: u32,
    /// Merkle root over their entry digests.
    pub root: Hash,
    /// Which key signed.
    pub kid: String,
    /// Whose key that is.
    pub attested_by: AttestedBy,
    /// SM2 signature over the bytes before it.
    pub signature: Signature,
}

impl Submission {
    /// Makes and signs a submission.
    pub fn sign(unsigned: Self, signer: &dyn Signer) -> Result<Self, yj_crypto::CryptoError> {
        let signature = signer.sign(&unsigned.signed_bytes())?;
        Ok(Self { signature, ..unsigned })
    }

    /// What the signature covers.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let attested_by = match self.attested_by {
            AttestedBy::Enterprise => 1,
            AttestedBy::Platform => 2,
        };
        let bytes = Writer::default().raw(b"YJ/sub/v1\0").raw(&self.chain_id).text(&self.org);
        let bytes = bytes.u64(self.seq).u32(self.count).raw(&self.root);
        bytes.text(&self.kid).u8(attested_by).0
    }

    /// The leaf bytes: what is signed, then the signature.
    pub fn to_bytes(&self) -> Vec<u8> {
        Writer(self.signed_bytes()).raw(&self.signature).0
    }

    /// Reads leaf bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut reader = Reader(bytes);
        if reader.raw(10)? != b"YJ/sub/v1\0" {
            return Err(Unreadable);
        }
        let submission = Self {
            chain_id: reader.hash()?,
            org: String::from(reader.text()?),
            seq: reader.u64()?,
            count: reader.u32()?,
            root: reader.hash()?,
            kid: String::from(reader.text()?),
            attested_by: match reader.u8()? {
                1 => AttestedBy::Enterprise,
                2 => AttestedBy::Platform,
                _ => return Err(Unreadable),
            },
            signature: reader.array()?,
        };
        reader.end()?;
        Ok(submission)
    }

    /// Whose key signed: the organisation's, or the platform's.
    pub fn signer(&self) -> &str {
        match self.attested_by {
            AttestedBy::Enterprise => &self.org,
            AttestedBy::Platform => crate::PLATFORM,
        }
    }

    /// Whether the key signed this.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        key.verify(&self.signed_bytes(), &self.signature).is_ok()
    }

    /// Digest of the whole submission, for reference in messages.
    pub fn digest(&self) -> Hash {
        sm3::digest(&self.to_bytes())
    }
}
