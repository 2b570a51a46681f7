//! Base maps: the outline of an administrator, read and checked.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| yj_construction::fuzz::map_pack(bytes));
