//! A code that everybody scans (handbook §8.5, 28): its copy is on many boxes, and the public page says so.

use futures_util::future::try_join_all;
use yj_kernel::Result;
use yj_trace::Scans;

use super::{defects::BOX, planted::missed};
use crate::Assembled;

/// Scans within the hour.
const SCANS: i64 = 500;

/// Scans one box; the last who asks is told how often it was scanned before.
pub(super) async fn load(assembled: &Assembled) -> Result<()> {
    let scans = Scans::default();
    let asked = (0..SCANS).map(|_| scans.count(&assembled.app, BOX));
    let told = try_join_all(asked).await?;
    let most = told.iter().map(|scan| scan.count).max().unwrap_or(0);
    if most == SCANS { Ok(()) } else { Err(missed("一码五百次扫描", most)) }
}
