//! Any head of a request is a claim, none, or an error that AWS has a text for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolecall_sigv4::{Family, PayloadVerifier, RequestHead, parse};

fuzz_target!(|input: (&str, &str, &str, Vec<(&str, &[u8])>, &[u8])| {
    let (method, path, query, headers, body) = input;
    let head = RequestHead { method, path, query, headers: &headers };
    if let Err(error) = parse(&head) {
        for family in [Family::S3, Family::Query, Family::Json, Family::RestJson] {
            assert!(!error.code_and_message(family).code.is_empty());
        }
    }
    if let Ok(mut verifier) = PayloadVerifier::anonymous(&head)
        && verifier.push(body, |_| {}).is_ok()
    {
        let _ = verifier.finish();
    }
});
