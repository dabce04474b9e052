//! Feeds `files` under libFuzzer; what may not happen stands in `../targets/files.rs`.
#![no_main]

#[path = "../targets/mod.rs"]
#[allow(dead_code)] // one target of them all
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    targets::files::read(bytes);
});
