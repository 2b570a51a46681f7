//! Packets of MQTT 5, one after the other.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| yj_mqtt::fuzz::packets(bytes, 128 << 10));
