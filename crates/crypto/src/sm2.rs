//! SM2 signatures (GB/T 32918.2) on the recommended curve, with the default user identity.

use sm2::{
    FieldBytes, ProjectivePoint, Scalar, SecretKey,
    dsa::{Signature as RawSignature, SigningKey as RawSigningKey, signature::Signer as _},
    elliptic_curve::{Group as _, ops::Reduce as _, point::AffineCoordinates as _},
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, LineEnding},
};
use zeroize::Zeroizing;

use crate::{CryptoError, multiples, sm3};

/// The identity that GM/T 0009 sets where the parties agree on none.
const IDENTITY: &str = "1234567812345678";

/// What comes before the point in the digest of who signs (GB/T 32918.2, 5.5): the bits of
/// [`IDENTITY`], the identity, and the curve's a, b and base point (GB/T 32918.5).
const CURVE: [u8; 146] = *b"\x00\x801234567812345678\
    \xFF\xFF\xFF\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\
    \xFF\xFF\xFF\xFF\x00\x00\x00\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFC\
    \x28\xE9\xFA\x9E\x9D\x9F\x5E\x34\x4D\x5A\x9E\x4B\xCF\x65\x09\xA7\
    \xF3\x97\x89\xF5\x15\xAB\x8F\x92\xDD\xBC\xBD\x41\x4D\x94\x0E\x93\
    \x32\xC4\xAE\x2C\x1F\x19\x81\x19\x5F\x99\x04\x46\x6A\x39\xC9\x94\
    \x8F\xE3\x0B\xBF\xF2\x66\x0B\xE1\x71\x5A\x45\x89\x33\x4C\x74\xC7\
    \xBC\x37\x36\xA2\xF4\xF6\x77\x9C\x59\xBD\xCE\xE3\x6B\x69\x21\x53\
    \xD0\xA9\x87\x7C\xC6\x2A\x47\x40\x02\xDF\x32\xE5\x21\x39\xF0\xA0";

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
        let point = raw.verifying_key().to_sec1_bytes();
        let public = PublicKey::from_bytes(point.as_ref().try_into().ok()?).ok()?;
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
    point: ProjectivePoint,
    /// Digest of who signs: Z of GB/T 32918.2, 5.5.
    owner: sm3::Digest,
}

impl PublicKey {
    /// Reads `04 ‖ x ‖ y`.
    pub fn from_bytes(bytes: &[u8; 65]) -> Result<Self, CryptoError> {
        if bytes[0] != 4 {
            return Err(CryptoError::PublicKey);
        }
        let point = sm2::PublicKey::from_sec1_bytes(bytes).map_err(|_| CryptoError::PublicKey)?;
        let owner = sm3::parts(&[&CURVE, &bytes[1..]]);
        Ok(Self { bytes: *bytes, point: point.to_projective(), owner })
    }

    /// `04 ‖ x ‖ y`
    pub fn to_bytes(&self) -> [u8; 65] {
        self.bytes
    }

    /// Whether `signature` was made for `message` by the owner of this key (GB/T 32918.2, 7.1).
    /// Nothing here is secret, so the time it takes may depend on the values; keys that are used
    /// often are faster.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), CryptoError> {
        let signature = RawSignature::from_slice(signature).map_err(|_| CryptoError::Signature)?;
        let (r, s) = signature.split_scalars();
        let t = *r + *s;
        let digest: FieldBytes = sm3::parts(&[&self.owner, message]).into();
        let point = multiples::sum(&s, &t, (&self.bytes, &self.point));
        let refused = bool::from(t.is_zero()) || bool::from(point.is_identity());
        let x = Scalar::reduce(&point.to_affine().x());
        if refused || *r != Scalar::reduce(&digest) + x {
            return Err(CryptoError::Signature);
        }
        Ok(())
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
    use sm2::dsa::signature::Verifier as _;

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
    fn the_library_says_the_same_of_every_signature() {
        let key = SigningKey::from_seed(&[5; 32]).unwrap();
        let library = key.raw.verifying_key();
        for message in 0..64_u8 {
            let mut signature = key.sign(&[message]).unwrap();
            assert_eq!(key.public_key().verify(&[message], &signature), Ok(()));
            signature[usize::from(message)] ^= 1 << (message % 8);
            let raw = RawSignature::from_slice(&signature);
            let theirs = raw.is_ok_and(|raw| library.verify(&[message], &raw).is_ok());
            assert!(!theirs && key.public_key().verify(&[message], &signature).is_err());
        }
    }

    #[test]
    fn a_signature_whose_parts_cancel_is_refused() {
        // r + s ≡ 0: the point of the key would not count at all.
        let order = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
        let mut signature: Signature = [0; 64];
        signature[31] = 1;
        signature[32..].copy_from_slice(&from_hex::<32>(order).unwrap());
        signature[63] -= 1;
        let key = SigningKey::from_seed(&[6; 32]).unwrap();
        assert!(key.public_key().verify(b"a", &signature).is_err());
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
