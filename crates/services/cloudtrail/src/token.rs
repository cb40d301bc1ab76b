//! Page tokens of `LookupEvents`.
//!
//! AWS asks for the same parameters with every page, so a token carries a fingerprint of those it was given
//! for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::generated::LookupEventsInput;

/// The parameters a token belongs to, as text. `MaxResults` may change from page to page.
pub(crate) fn fingerprint(input: &LookupEventsInput) -> String {
    let attributes: Vec<(&str, &str)> = input
        .lookup_attributes
        .iter()
        .flatten()
        .map(|attribute| {
            (
                attribute.attribute_key.as_str(),
                attribute.attribute_value.as_str(),
            )
        })
        .collect();
    let time = |time: Option<jiff::Timestamp>| time.map(|time| time.to_string());
    serde_json::json!([attributes, time(input.start_time), time(input.end_time)]).to_string()
}

/// The token for a page that begins at `place` of the trail.
pub(crate) fn encode(place: &str, fingerprint: &str) -> String {
    STANDARD.encode(format!("{place} {fingerprint}"))
}

/// The place in a token that was given for these parameters.
pub(crate) fn decode(token: &str, fingerprint: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    let (place, given_for) = text.split_once(' ')?;
    (given_for == fingerprint).then(|| place.to_owned())
}
