//! Page tokens of listings: where the page ended, in a form nobody is tempted to read.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rolecall_service::ServiceError;

use crate::error::invalid_parameter;

/// The token for the page after `last`.
pub(crate) fn encode(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(last)
}

/// What [`encode`] was given.
pub(crate) fn decode(token: &str) -> Result<String, ServiceError> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(invalid)
}

/// AWS's answer to a token it did not give.
pub(crate) fn invalid() -> ServiceError {
    invalid_parameter("The specified nextToken is invalid.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_and_a_forged_one_does_not() {
        assert_eq!(
            decode(&encode("2026/11/24/[$LATEST]é")).ok().as_deref(),
            Some("2026/11/24/[$LATEST]é")
        );
        for forged in ["%", "_w", "a"] {
            assert!(decode(forged).is_err(), "{forged}");
        }
    }
}
