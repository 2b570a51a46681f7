//! A door for `fuzz/`.

use yj_kernel::Credentials;

/// Reads the signature of a request, which works for nobody but must be read first.
pub fn signature(credentials: Credentials<'_>) {
    drop(crate::signature::key_id(credentials));
    drop(crate::signature::read(credentials, "https://platform.example"));
}
