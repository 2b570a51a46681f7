//! Work that many ask for at the same moment and that is cheaper done together: one transaction
//! and one wait for the disk for all who came meanwhile.

use std::{
    collections::VecDeque,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::sync::{Semaphore, oneshot};

use crate::{Problem, Result};

/// Asks that may wait; more are refused.
const WAITING_MAX: usize = 8_192;

/// Where those who ask for the same kind of work meet. Nobody waits for company: who comes first is
/// served at once, and who comes while that lasts is served together next.
pub struct Gather<T, R>(Arc<Shared<T, R>>);

struct Shared<T, R> {
    waiting: Mutex<VecDeque<(T, oneshot::Sender<Result<R>>)>>,
    /// One group at a time.
    lane: Arc<Semaphore>,
    group_max: usize,
    work: Work<T, R>,
}

/// Does the work of a group and answers each, in order.
type Work<T, R> = Box<dyn Fn(Vec<T>) -> BoxFuture<'static, Vec<Result<R>>> + Send + Sync>;

impl<T, R> Clone for Gather<T, R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Send + 'static, R: Send + 'static> Gather<T, R> {
    /// Groups hold at most `group_max`. `work` answers every member, in their order; one that it
    /// leaves without answer is told to try again.
    pub fn new(
        group_max: usize,
        work: impl Fn(Vec<T>) -> BoxFuture<'static, Vec<Result<R>>> + Send + Sync + 'static,
    ) -> Self {
        let (waiting, lane) = (Mutex::default(), Arc::new(Semaphore::new(1)));
        Self(Arc::new(Shared { waiting, lane, group_max, work: Box::new(work) }))
    }

    /// The same for work that is done for all of a group or for none: then everybody is told
    /// `failed`, and why is in the log.
    pub fn as_one(
        group_max: usize,
        failed: &'static str,
        work: impl Fn(Vec<T>) -> BoxFuture<'static, Result<Vec<R>>> + Send + Sync + 'static,
    ) -> Self {
        Self::new(group_max, move |group| {
            let (count, done) = (group.len(), work(group));
            async move {
                match done.await {
                    Ok(answers) => answers.into_iter().map(Ok).collect(),
                    Err(problem) => {
                        problem.log();
                        let told = || Err(Problem::Unavailable(String::from(failed)));
                        (0..count).map(|_| told()).collect()
                    }
                }
            }
            .boxed()
        })
    }

    /// Has something done, and waits until it is.
    pub async fn ask(&self, one: T) -> Result<R> {
        let (reply, answer) = oneshot::channel();
        {
            let mut waiting = self.waiting();
            if waiting.len() >= WAITING_MAX {
                let detail = "同时到达的请求过多，请稍后重试";
                return Err(Problem::Unavailable(String::from(detail)));
            }
            waiting.push_back((one, reply));
        }
        self.begin();
        let lost = |_| Problem::Unavailable(String::from("处理未能完成，请重试"));
        answer.await.map_err(lost)?
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<(T, oneshot::Sender<Result<R>>)>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to work where nobody does. It is a task of its own: who asked may go away.
    fn begin(&self) {
        let Ok(lane) = Arc::clone(&self.0.lane).try_acquire_owned() else { return };
        let all = self.clone();
        tokio::spawn(async move {
            while let Some(group) = all.next() {
                let (asked, replies): (Vec<T>, Vec<_>) = group.into_iter().unzip();
                // A group that panics is told to try again; those behind it are not its business.
                let work = AssertUnwindSafe(async { (all.0.work)(asked).await });
                let answers = work.catch_unwind().await.unwrap_or_default();
                for (reply, answer) in replies.into_iter().zip(answers) {
                    // The owner may have stopped waiting; what was done is done.
                    let _ = reply.send(answer);
                }
            }
            drop(lane);
            // What came between the last look and the end of the work.
            if !all.waiting().is_empty() {
                all.begin();
            }
        });
    }

    fn next(&self) -> Option<Vec<(T, oneshot::Sender<Result<R>>)>> {
        let mut waiting = self.waiting();
        let count = waiting.len().min(self.0.group_max);
        (count > 0).then(|| waiting.drain(..count).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn everybody_is_answered_once_and_in_few_groups() {
        let groups = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&groups);
        let gather = Gather::new(10, move |numbers: Vec<u32>| {
            counted.fetch_add(1, Ordering::SeqCst);
            assert!(numbers.len() <= 10, "a group of {}", numbers.len());
            Box::pin(async move {
                tokio::task::yield_now().await;
                numbers.into_iter().map(|number| Ok(number * 2)).collect()
            })
        });
        let answers = join_all((0..100).map(|number| gather.ask(number))).await;
        for (number, answer) in (0..100).zip(answers) {
            assert_eq!(answer.unwrap(), number * 2);
        }
        let groups = groups.load(Ordering::SeqCst);
        assert!((10..=12).contains(&groups), "{groups} groups");
    }

    #[tokio::test]
    async fn a_panic_harms_its_own_group_alone() {
        let gather: Gather<u8, u8> = Gather::new(1, |numbers| {
            Box::pin(async move {
                assert!(numbers != [1], "as planned");
                numbers.into_iter().map(Ok).collect()
            })
        });
        let answers = join_all((0..3).map(|number| gather.ask(number))).await;
        assert!(matches!(answers[..], [Ok(0), Err(Problem::Unavailable(_)), Ok(2)]));
    }

    #[tokio::test]
    async fn who_is_forgotten_is_told() {
        let gather: Gather<u8, u8> = Gather::new(4, |_| Box::pin(async { Vec::new() }));
        assert!(matches!(gather.ask(1).await, Err(Problem::Unavailable(_))));
        assert!(matches!(gather.ask(2).await, Err(Problem::Unavailable(_))));
    }
}
