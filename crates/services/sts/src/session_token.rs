//! `GetSessionToken`.
//!
//! Source: STS API Reference, `GetSessionToken`: for users and the root user with long-term credentials; users get 15
//! minutes to 36 hours, 12 hours by default; the root user at most an hour.

use std::sync::Arc;

use rolecall_identity::{SessionFor, SessionOptions};
use rolecall_policy::Principal;
use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::Sts;
use crate::assume_role::{credentials, refuse_multi_factor};
use crate::error::{access_denied, from_identity, validation};
use crate::generated::{GetSessionTokenInput, GetSessionTokenOutput};

const DEFAULT_SECONDS: i32 = 43_200;
const SHORTEST_SECONDS: i32 = 900;
const LONGEST_SECONDS: i32 = 129_600;
const LONGEST_ROOT_SECONDS: i32 = 3_600;

pub(crate) async fn get_session_token(
    sts: Arc<Sts>,
    context: Arc<RequestContext>,
    input: GetSessionTokenInput,
    _: Permit,
) -> Result<GetSessionTokenOutput, ServiceError> {
    refuse_multi_factor(input.serial_number.as_deref(), input.token_code.as_deref())?;
    if input.minimum_session_token_size.is_some() {
        return Err(validation(
            "MinimumSessionTokenSize is not supported by this endpoint; leave it out.",
        ));
    }
    let seconds = input.duration_seconds.unwrap_or(DEFAULT_SECONDS);
    if !(SHORTEST_SECONDS..=LONGEST_SECONDS).contains(&seconds) {
        return Err(validation(format!(
            "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value between {SHORTEST_SECONDS} and {LONGEST_SECONDS}"
        )));
    }
    let (session_for, duration_seconds) = match &context.caller.principal {
        Principal::User { name, .. } => (SessionFor::User(name), seconds),
        Principal::Root { .. } => (SessionFor::Root, seconds.min(LONGEST_ROOT_SECONDS)),
        _ => {
            return Err(access_denied(
                "Cannot call GetSessionToken with session credentials",
            ));
        }
    };
    let options = SessionOptions {
        duration_seconds,
        ..SessionOptions::default()
    };
    let issued = sts
        .directory
        .issue_session(session_for, options, context.time)
        .map_err(from_identity)?;
    Ok(GetSessionTokenOutput {
        credentials: Some(credentials(&issued)),
        ..GetSessionTokenOutput::default()
    })
}
