//! 单点登录 (G-5.4.2b, S-49): the platform as OpenID provider for connected applications, and as
//! relying party of an identity provider above it. Authorization code with PKCE only.

pub(crate) mod application;
pub(crate) mod jwt;
pub(crate) mod logout;
pub(crate) mod provider;
pub(crate) mod relying;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use yj_crypto::{sm3, to_hex};
use yj_kernel::App;

/// 256 unpredictable bits as a text.
pub(crate) fn secret(app: &App) -> String {
    format!("{:032x}{:032x}", app.random(), app.random())
}

/// Under which a secret of this kind is stored.
pub(crate) fn digest(kind: &str, secret: &str) -> String {
    to_hex(&sm3::parts(&[b"YJ/oidc/", kind.as_bytes(), b"\0", secret.as_bytes()]))
}

/// PKCE `S256` (RFC 7636).
pub(crate) fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}
