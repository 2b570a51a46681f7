//! A door for `fuzz/`.

use crate::message::Heard;

/// Reads a message as a device sends it, at this moment (Unix ms).
pub fn message(bytes: &[u8], now_ms: i64) {
    let Ok(sent) = yj_kernel::json::parse(bytes) else { return };
    if let Ok(heard) = Heard::read(sent, now_ms) {
        drop(heard.events("91350100M000100Y43"));
    }
}
