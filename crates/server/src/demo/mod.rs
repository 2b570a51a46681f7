//! The demonstration province (handbook §8): clearly fictional, made by a seeded generator through
//! the same doors that real data take.

mod accounts;
mod background;
mod cast;
mod catalogue;
mod codes;
mod defects;
mod entries;
mod fleet;
mod former_codes;
mod golden;
mod markets;
mod papers;
mod places;
mod planted;
mod registers;
mod reporting;
mod scans;
mod waiting;
mod watched;

pub use accounts::{Account, create_accounts};
pub use codes::load_codes;
pub use fleet::{Sensor, fleet};
pub use planted::{Finding, PLANTED, Planted, planted};

use jiff::{SignedDuration, Timestamp};
use yj_kernel::{Problem, Result};
use yj_trace::{Captured, Source, TraceEvent};

use crate::Assembled;

/// How much to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// GC-1 and GC-2 only; what most tests start with.
    Golden,
    /// All golden chains, one for each domain; no background.
    Chains,
    /// The numbers of handbook §8.6: 60 enterprises, 240 merchants, 400 days.
    Small,
    /// For load: as many events as asked for.
    Province {
        /// Events to make.
        events: usize,
    },
}

/// Loads the province. `progress` hears how far it is. The day of GC-1's first event is 18 days
/// before now.
pub async fn load(
    assembled: &Assembled,
    size: Size,
    progress: &mut dyn FnMut(&str),
) -> Result<usize> {
    progress("登记示例主体与产品");
    registers::load(assembled).await?;
    let first_day = assembled.app.now() - SignedDuration::from_hours(18 * 24);
    let background = matches!(size, Size::Small | Size::Province { .. });
    let mut count = 0;
    if background {
        count += background::load(assembled, size, progress).await?;
        markets::heartbeats(assembled).await?;
    }
    progress("载入示例追溯链 GC-1（韭菜）与 GC-2（钛制压力容器）");
    count += golden::load(assembled, first_day).await?;
    if size != Size::Golden {
        progress("载入其余六个领域的示例追溯链 GC-3 至 GC-8");
        registers::load_others(assembled).await?;
        count += golden::load_others(assembled, first_day).await?;
        former_codes::load(assembled).await?;
        progress("载入预置的差错，逐一核对是否被发现");
        count += planted::load(assembled, first_day).await?;
    }
    if background {
        load_codes(assembled).await?;
        waiting::load(assembled).await?;
    }
    progress("写入存证链");
    assembled.ledger.drain(&assembled.app).await?;
    Ok(count)
}

/// Captures events as if at `when`; a refusal is an error of the generator.
async fn capture(assembled: &Assembled, when: Timestamp, events: &[TraceEvent]) -> Result<()> {
    let ctx = assembled.app.on_own_behalf("demo").at(when);
    for captured in yj_trace::capture(&ctx, Source::Api, events, true).await? {
        if let Captured::Refused(problem) = captured {
            return Err(Problem::internal(format!(
                "demonstration event refused: {}",
                problem.body()
            )));
        }
    }
    Ok(())
}

/// The background alone, for measurements.
pub async fn load_background(assembled: &Assembled, events: usize) -> Result<usize> {
    background::load(assembled, Size::Province { events }, &mut |_| {}).await
}
