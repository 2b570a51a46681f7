//! SM2 signatures (GB/T 32918.2) on the recommended curve, with the default user identity.

use sm2::{
    SecretKey,
    dsa::{
        Signature as RawSignature, SigningKey as RawSigningKey, VerifyingKey,
        signature::{Signer as _, Verifier as _},
    },
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, LineEnding},
};
use zeroize::Zeroizing;

use crate::CryptoError;

/// The identity that GM/T 0009 sets where the parties agree on none.
const IDENTITY: &str = "1234567812345678";

/// `r ‖ s`, 64 bytes.
pub type Signature = [u8; 64];

/// Signs on behalf of an organisation: a key in memory, or a module that keeps it.
pub trait Signer: Send + Sync {
    /// The key with which others verify.
    fn public_key(&self) -> &PublicKey;
    /// Signs a message.
    fn sign(&self, message: &[u8]) -> Result<Signature, CryptoError>;
}

/// A private key in memory.
pub struct SigningKey {
    raw: RawSigningKey,
    public: PublicKey,
}

impl SigningKey {
    /// From 32 random bytes. `None` for the few values that are no scalar; draw again.
    pub fn from_seed(seed: &[u8; 32]) -> Option<Self> {
        Self::from_secret(&SecretKey::from_slice(seed).ok()?)
    }

    fn from_secret(secret: &SecretKey) -> Option<Self> {
        let raw = RawSigningKey::new(IDENTITY, secret).ok()?;
        let public = PublicKey::from_raw(raw.verifying_key().clone())?;
        Some(Self { raw, public })
    }

    /// Reads a PKCS#8 PEM file.
    pub fn from_pem(text: &str) -> Result<Self, CryptoError> {
        let secret = SecretKey::from_pkcs8_pem(text).map_err(|_| CryptoError::PrivateKey)?;
        Self::from_secret(&secret).ok_or(CryptoError::PrivateKey)
    }

    /// Writes a PKCS#8 PEM file; wiped from memory when dropped.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, CryptoError> {
        let secret = SecretKey::from(self.raw.as_nonzero_scalar());
        secret.to_pkcs8_pem(LineEnding::LF).map_err(|_| CryptoError::PrivateKey)
    }
}

impl Signer for SigningKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, CryptoError> {
        let signature: RawSignature =
            self.raw.try_sign(message).map_err(|_| CryptoError::Unavailable)?;
        Ok(signature.to_bytes().into())
    }
}

/// A public key: a checked point of the curve.
#[derive(Clone)]
pub struct PublicKey {
    bytes: [u8; 65],
    raw: VerifyingKey,
}

impl PublicKey {
    fn from_raw(raw: VerifyingKey) -> Option<Self> {
        let bytes = raw.to_sec1_bytes().as_ref().try_into().ok()?;
        Some(Self { bytes, raw })
    }

    /// Reads `04 ‖ x ‖ y`.
    pub fn from_bytes(bytes: &[u8; 65]) -> Result<Self, CryptoError> {
        if bytes[0] != 4 {
            return Err(CryptoError::PublicKey);
        }
        let raw =
            VerifyingKey::from_sec1_bytes(IDENTITY, bytes).map_err(|_| CryptoError::PublicKey)?;
        Ok(Self { bytes: *bytes, raw })
    }

    /// `04 ‖ x ‖ y`
    pub fn to_bytes(&self) -> [u8; 65] {
        self.bytes
    }

    /// Whether `signature` was made for `message` by the owner of this key.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), CryptoError> {
        let signature = RawSignature::from_slice(signature).map_err(|_| CryptoError::Signature)?;
        self.raw.verify(message, &signature).map_err(|_| CryptoError::Signature)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}
impl Eq for PublicKey {}
impl std::fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&crate::to_hex(&self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::from_hex;

    const PRIVATE: &str = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8";
    const PUBLIC: &str = "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
                          ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";
    const SIGNATURE: &str = "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3\
                             b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";

    #[test]
    fn the_example_of_gbt_32918_5_verifies() {
        let key = PublicKey::from_bytes(&from_hex(PUBLIC).unwrap()).unwrap();
        assert_eq!(key.verify(b"message digest", &from_hex(SIGNATURE).unwrap()), Ok(()));
        assert_eq!(SigningKey::from_seed(&from_hex(PRIVATE).unwrap()).unwrap().public_key(), &key);
    }

    #[test]
    fn what_one_key_signs_only_that_key_verifies() {
        let (one, two) =
            (SigningKey::from_seed(&[1; 32]).unwrap(), SigningKey::from_seed(&[2; 32]).unwrap());
        let signature = one.sign(b"a").unwrap();
        assert_eq!(one.public_key().verify(b"a", &signature), Ok(()));
        assert!(one.public_key().verify(b"b", &signature).is_err());
        assert!(two.public_key().verify(b"a", &signature).is_err());
        assert!(one.public_key().verify(b"a", &[0; 64]).is_err());
    }

    #[test]
    fn a_key_file_reads_back() {
        let key = SigningKey::from_seed(&[3; 32]).unwrap();
        let again = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert!(
            SigningKey::from_pem("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----").is_err()
        );
    }

    #[test]
    fn points_off_the_curve_are_refused() {
        assert!(PublicKey::from_bytes(&[4; 65]).is_err());
        assert!(PublicKey::from_bytes(&[0; 65]).is_err());
    }
}
