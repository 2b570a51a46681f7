//! 国密: SM2 signatures and SM3 digests behind types that cannot be mixed up.
//!
//! Pure: randomness comes in as a parameter. The arithmetic is RustCrypto's; hardware modules can
//! stand in for [`SigningKey`] through [`Signer`].

mod hex;
mod multiples;
mod shuffle;
pub mod sm2;
pub mod sm3;
pub mod sm4;

pub use hex::{from_hex, to_hex};
pub use shuffle::Shuffle;
pub use sm2::{PublicKey, Signature, Signer, SigningKey};
pub use sm3::Digest;

/// Why a key, signature or text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// Not a point of the curve, or not 65 bytes.
    #[error("公钥应为 65 字节未压缩的 SM2 公钥")]
    PublicKey,
    /// Not a valid private key file.
    #[error("私钥文件无效，应为 PKCS#8 PEM 格式的 SM2 私钥")]
    PrivateKey,
    /// The signature does not belong to this message and key.
    #[error("签名与内容不符")]
    Signature,
    /// A sealed text was changed, moved, or belongs to another key.
    #[error("密文已损坏或密钥不符")]
    Sealed,
    /// A hardware module did not answer.
    #[error("密码模块暂不可用")]
    Unavailable,
}

/// Compares without telling by its duration where the texts differ.
pub fn equal_in_constant_time(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}
