//! 口令: Argon2id with a salt of its own (security.md §2.4).

use std::sync::LazyLock;

use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use yj_crypto::equal_in_constant_time;
use yj_kernel::{Problem, Result};

/// 19 MiB and two passes: 37 ms of one core.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LENGTH_MIN: usize = 12;
const LENGTH_MAX: usize = 128;

/// A flood of log-ins must not eat the memory: so many at once, the others wait.
static AT_ONCE: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));

/// What is stored instead of the password.
pub(crate) async fn verifier(password: &str, salt: [u8; 16]) -> Result<[u8; 32]> {
    let _turn = AT_ONCE.acquire().await.map_err(Problem::internal)?;
    let password = String::from(password);
    let work = move || {
        let params =
            Params::new(MEMORY_KIB, PASSES, 1, Some(32)).map_err(|error| error.to_string())?;
        let mut verifier = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_bytes(), &salt, &mut verifier)
            .map_err(|error| error.to_string())?;
        Ok::<_, String>(verifier)
    };
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?.map_err(Problem::internal)
}

/// Whether the password is the one behind the verifier.
pub(crate) async fn matches(password: &str, salt: [u8; 16], stored: &[u8]) -> Result<bool> {
    if password.len() > LENGTH_MAX * 4 {
        return Ok(false);
    }
    Ok(equal_in_constant_time(&verifier(password, salt).await?, stored))
}

/// Whether a password is good enough: 12 characters, three of four classes, not the user's name.
pub(crate) fn check(password: &str, user: &str) -> Result<()> {
    let length = password.chars().count();
    if !(LENGTH_MIN..=LENGTH_MAX).contains(&length) {
        return Err(Problem::invalid(
            "password",
            format!("口令应为 {LENGTH_MIN} 至 {LENGTH_MAX} 位，现为 {length} 位"),
        ));
    }
    let has = |test: fn(char) -> bool| usize::from(password.chars().any(test));
    let classes = has(|letter| letter.is_ascii_lowercase())
        + has(|letter| letter.is_ascii_uppercase())
        + has(|letter| letter.is_ascii_digit())
        + has(|letter| !letter.is_ascii_alphanumeric());
    if classes < 3 {
        return Err(Problem::invalid(
            "password",
            "口令应含大写字母、小写字母、数字、符号中的至少三类",
        ));
    }
    if password.to_lowercase().contains(&user.to_lowercase()) {
        return Err(Problem::invalid("password", "口令不能包含用户名"));
    }
    Ok(())
}
