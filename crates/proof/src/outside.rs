//! 外部锚定: what the platform says it has written to a chain of others. Offline it proves that
//! the platform said so; whoever doubts it looks the transaction up on that chain.

use yj_crypto::{CryptoError, PublicKey, Signature, Signer};

use crate::{
    Hash, Unreadable, Validator,
    bytes::{Reader, Writer},
};

/// A checkpoint that stands on another chain, signed by a validator of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorStatement {
    /// Our chain.
    pub chain_id: Hash,
    /// Submissions in our log as anchored.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
    /// Our block.
    pub height: u64,
    /// Its identifier.
    pub block_id: Hash,
    /// The other chain, as `eip155:31337`.
    pub network: String,
    /// Address of the contract there.
    pub contract: String,
    /// The transaction there.
    pub transaction: String,
    /// Number of the block there.
    pub block_number: u64,
    /// Hash of the block there, as that chain writes it.
    pub block_hash: String,
    /// Address of the validator that states this.
    pub validator: Hash,
    /// Its signature over the bytes before it.
    pub signature: Signature,
}

impl AnchorStatement {
    /// Signs a statement; `validator` and `signature` are filled in.
    pub fn sign(unsigned: Self, signer: &dyn Signer) -> Result<Self, CryptoError> {
        let key = signer.public_key().clone();
        let unsigned = Self { validator: Validator { key, power: 1 }.address(), ..unsigned };
        let signature = signer.sign(&unsigned.signed_bytes())?;
        Ok(Self { signature, ..unsigned })
    }

    /// What the signature covers.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let bytes = Writer::default().raw(b"YJ/ext/v1\0").raw(&self.chain_id).u64(self.size);
        let bytes = bytes.raw(&self.root).u64(self.height).raw(&self.block_id);
        let bytes = bytes.text(&self.network).text(&self.contract).text(&self.transaction);
        bytes.u64(self.block_number).text(&self.block_hash).raw(&self.validator).0
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        Writer(self.signed_bytes()).raw(&self.signature).0
    }

    /// Reads bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut reader = Reader(bytes);
        if reader.raw(10)? != b"YJ/ext/v1\0" {
            return Err(Unreadable);
        }
        let statement = Self {
            chain_id: reader.hash()?,
            size: reader.u64()?,
            root: reader.hash()?,
            height: reader.u64()?,
            block_id: reader.hash()?,
            network: String::from(reader.text()?),
            contract: String::from(reader.text()?),
            transaction: String::from(reader.text()?),
            block_number: reader.u64()?,
            block_hash: String::from(reader.text()?),
            validator: reader.hash()?,
            signature: reader.array()?,
        };
        reader.end()?;
        Ok(statement)
    }

    /// Whether the key signed this.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        key.verify(&self.signed_bytes(), &self.signature).is_ok()
    }
}
