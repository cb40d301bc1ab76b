//! Any bytes are read as a segment of a journal up to the first damaged record.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = rolecall_store::segment_records(bytes);
});
