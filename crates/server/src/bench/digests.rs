//! What the index of digests costs beside anchoring, and how quickly a digest is looked up.

use std::time::Instant;

use yj_crypto::sm3;
use yj_server::Assembled;

use super::{line, rate};
use crate::commands::say;

/// Digests that are looked up.
const LOOKUPS: u32 = 1_000;

/// Takes up the blocks of `records` records, as the worker beside the sequencer does.
pub(super) fn run(assembled: &Assembled, records: usize) -> Result<(), String> {
    let begun = Instant::now();
    while !assembled.digests.catch_up().map_err(say)? {}
    line("　摘要索引（另一线程）", &rate(records, begun.elapsed()), "≥ 150000 条/秒");
    let begun = Instant::now();
    for number in 0..LOOKUPS {
        // What nobody has is what takes longest.
        assembled.digests.blocks_of(&sm3::digest(&number.to_be_bytes())).map_err(say)?;
    }
    let each = (begun.elapsed() / LOOKUPS).as_micros();
    line("　按摘要查找", &format!("{each} 微秒"), "≤ 10000 微秒");
    Ok(())
}
