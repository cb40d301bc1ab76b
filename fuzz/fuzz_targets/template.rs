//! Any text is a template that plans and resolves, or an error with a position.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use rolecall_template::{Pseudo, Template};

fuzz_target!(|text: &str| {
    let Ok(template) = Template::parse(text) else { return };
    let pseudo = Pseudo {
        account: "123456789012".into(),
        region: "us-east-1".into(),
        partition: "aws".into(),
        stack_name: "fuzz".into(),
        stack_id: "arn:aws:cloudformation:us-east-1:123456789012:stack/fuzz/1".into(),
        url_suffix: "amazonaws.com".into(),
    };
    if let Ok(plan) = template.plan(&BTreeMap::new(), &pseudo, &|_| None) {
        for resource in plan.resources() {
            let _ = plan.resolve(&resource.logical_id, &BTreeMap::new());
        }
    }
});
