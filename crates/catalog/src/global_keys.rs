//! The condition keys that hold for every service.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::packed::embedded;
use crate::service::ConditionKey;

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
struct File {
    keys: Box<[ConditionKey]>,
}

static KEYS: OnceLock<File> = OnceLock::new();

/// All global condition keys.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>
pub(crate) fn all() -> &'static [ConditionKey] {
    let read = || {
        embedded(
            "global-condition-keys.json",
            serde_json::from_str(include_str!("../data/global-condition-keys.json")),
        )
    };
    &KEYS.get_or_init(read).keys
}
