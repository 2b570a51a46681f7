//! Time and chance: the two things a program cannot compute.

use std::sync::Mutex;

use jiff::Timestamp;
use yj_model::Id;

/// Where time and chance come from. Tests supply their own, so every run of a test is the same
/// run.
pub trait Environment: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;
    /// 128 unpredictable bits.
    fn random(&self) -> u128;
}

/// The real clock and the operating system's randomness.
#[derive(Debug, Clone, Copy)]
pub struct SystemEnvironment;

impl Environment for SystemEnvironment {
    #[expect(clippy::disallowed_methods, reason = "the one place where real time enters")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn random(&self) -> u128 {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the operating system provides randomness");
        u128::from_le_bytes(bytes)
    }
}

/// Hands out identifiers that only grow, even within one millisecond or when the clock steps back.
#[derive(Debug, Default)]
pub(crate) struct IdSource {
    last: Mutex<Option<Id<()>>>,
}

impl IdSource {
    pub(crate) fn next<T>(&self, now: Timestamp, random: u128) -> Id<T> {
        let unix_ms = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let next = Id::<()>::after(unix_ms, random, *last);
        *last = Some(next);
        next.cast()
    }
}
