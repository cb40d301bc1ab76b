//! Any text is a policy or an error with a position; what parses prints and parses to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolecall_policy::{CompiledPolicy, Document, DocumentKind};

fuzz_target!(|text: &str| {
    for kind in [DocumentKind::Identity, DocumentKind::Resource, DocumentKind::Trust, DocumentKind::ServiceControl] {
        if let Ok(document) = Document::parse(text, kind) {
            let again = Document::parse(&document.to_string(), kind).expect("what was printed parses");
            assert_eq!(document.to_string(), again.to_string());
            let _ = CompiledPolicy::compile(&document, "fuzz");
        }
    }
});
