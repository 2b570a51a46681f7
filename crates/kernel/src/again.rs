//! Trying again where others got in the way.

use crate::{Problem, Result};

/// Does something, each time in a transaction of its own, until it is done, or fails for a reason
/// that is not `passing`, or has been tried so often.
pub async fn again<T, F>(
    tries: usize,
    passing: fn(&Problem) -> bool,
    mut work: impl FnMut() -> F,
) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut left = tries;
    loop {
        left = left.saturating_sub(1);
        match work().await {
            Err(problem) if left > 0 && passing(&problem) => {}
            other => return other,
        }
    }
}

impl Problem {
    /// Whether the engine gave up for the moment: others held what was wanted.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// The same, or somebody else stored the same code or content between our look and our write:
    /// who looks again sees it.
    pub fn is_of_a_race(&self) -> bool {
        matches!(self, Self::Duplicate(_) | Self::Unavailable(_))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn what_passes_is_tried_again_and_nothing_else() {
        let busy = || Err::<(), _>(Problem::Unavailable(String::from("忙")));
        let count = Cell::new(0);
        let tried = again(3, Problem::is_passing, async || {
            count.set(count.get() + 1);
            busy()
        });
        assert!(tried.await.is_err_and(|problem| problem.is_passing()));
        assert_eq!(count.replace(0), 3);
        let other = again(3, Problem::is_passing, async || {
            count.set(count.get() + 1);
            Err::<(), _>(Problem::NotFound("追溯码"))
        });
        assert!(other.await.is_err());
        assert_eq!(count.replace(0), 1);
        let second = again(3, Problem::is_of_a_race, async || {
            count.set(count.get() + 1);
            if count.get() == 1 { busy() } else { Ok(()) }
        });
        assert!(second.await.is_ok());
        assert_eq!(count.get(), 2);
    }
}
