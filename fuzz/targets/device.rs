//! Messages of devices.
#![no_main]

use libfuzzer_sys::fuzz_target;

/// 2026-11-26T00:00:00Z
const NOW_MS: i64 = 1_795_651_200_000;

fuzz_target!(|bytes: &[u8]| yj_telemetry::fuzz::message(bytes, NOW_MS));
