//! `Invoke`.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use rolecall_runtime::{Invocation, InvokeError, QueuedEvent};
use rolecall_service::{Permit, RequestContext, ServiceError};
use serde::de::IgnoredAny;

use crate::Lambda;
use crate::error::{event_too_large, not_supported, user};
use crate::generated::{InvokeInput, InvokeOutput};

/// Largest event of a synchronous invocation, in bytes.
const MAXIMUM_EVENT: usize = 6_291_456;
/// Largest event of an asynchronous invocation, in bytes.
const MAXIMUM_QUEUED_EVENT: usize = 1_048_576;
/// Largest `X-Amz-Client-Context`, in base64.
const MAXIMUM_CLIENT_CONTEXT: usize = 3583;

pub(crate) async fn invoke(
    lambda: Arc<Lambda>,
    context: Arc<RequestContext>,
    input: InvokeInput,
    _: Permit,
) -> Result<InvokeOutput, ServiceError> {
    let qualifier = input.qualifier.as_deref();
    let name = lambda.state.name(&input.function_name, qualifier)?;
    let (function, version) = lambda.find(&input.function_name, qualifier)?;
    if input.tenant_id.is_some() {
        return Err(not_supported("TenantId"));
    }
    if input.durable_execution_name.is_some() {
        return Err(not_supported("DurableExecutionName"));
    }
    let kind = input.invocation_type.as_deref().unwrap_or("RequestResponse");
    if kind == "DryRun" {
        return Ok(InvokeOutput {
            status_code: Some(204),
            ..InvokeOutput::default()
        });
    }
    let queued = kind == "Event";
    let payload = event(input.payload, queued)?;
    if queued {
        let event = QueuedEvent {
            function_arn: name.arn(),
            qualifier: name.qualifier.clone(),
            request_id: context.request_id.clone(),
            invoked_arn: name.qualified_arn(),
            trace_id: None,
            payload,
        };
        lambda.events.send(&event).await.map_err(ServiceError::internal)?;
        return Ok(InvokeOutput {
            status_code: Some(202),
            ..InvokeOutput::default()
        });
    }
    let invocation = Invocation {
        request_id: context.request_id.clone(),
        payload,
        invoked_arn: name.qualified_arn(),
        client_context: input.client_context.as_deref().map(client_context).transpose()?,
        trace_id: None,
        log_tail: input.log_type.as_deref() == Some("Tail"),
    };
    let spec = lambda
        .state
        .spec(&function, &version)
        .ok_or_else(|| runtime_unknown(&version.runtime))?;
    let result = lambda
        .runtime
        .invoke(Arc::new(spec), invocation)
        .await
        .map_err(refusal)?;
    Ok(InvokeOutput {
        status_code: Some(200),
        function_error: result.function_error,
        log_result: result.log_tail.map(|tail| STANDARD.encode(tail)),
        payload: Some(result.payload),
        executed_version: Some(result.executed_version.to_string()),
        durable_execution_arn: None,
    })
}

/// The event, checked to be JSON; nothing means an empty object.
fn event(payload: Option<Bytes>, queued: bool) -> Result<Bytes, ServiceError> {
    let payload = payload.unwrap_or_default();
    let (limit, operation) = if queued {
        (MAXIMUM_QUEUED_EVENT, "InvokeAsync")
    } else {
        (MAXIMUM_EVENT, "InvokeFunction")
    };
    if payload.len() > limit {
        return Err(event_too_large(limit, operation));
    }
    if payload.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    match serde_json::from_slice::<IgnoredAny>(&payload) {
        Ok(_) => Ok(payload),
        Err(error) => Err(user(
            "InvalidRequestContentException",
            400,
            format!("Could not parse request body into json: Could not parse payload into json: {error}"),
        )),
    }
}

/// The decoded client context.
fn client_context(encoded: &str) -> Result<String, ServiceError> {
    (encoded.len() <= MAXIMUM_CLIENT_CONTEXT)
        .then(|| STANDARD.decode(encoded).ok())
        .flatten()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|text| serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok())
        .ok_or_else(|| {
            user(
                "InvalidRequestContentException",
                400,
                "Client context must be a valid Base64-encoded JSON object of at most 3583 bytes.",
            )
        })
}

fn runtime_unknown(runtime: &str) -> ServiceError {
    ServiceError::new(
        "InvalidRuntimeException",
        502,
        format!("The runtime {runtime} is not known; update the function to one that is."),
    )
}

/// An invocation that did not happen.
fn refusal(error: InvokeError) -> ServiceError {
    match error {
        InvokeError::Throttled { reason } => user("TooManyRequestsException", 429, "Rate Exceeded.")
            .with_field("Reason", reason.to_string())
            .with_header("Retry-After", "1"),
        InvokeError::Credentials(_) => user(
            "AccessDeniedException",
            403,
            "The role defined for the function cannot be assumed by Lambda.",
        ),
        InvokeError::Runtime(error) => {
            ServiceError::new("InvalidRuntimeException", 502, error.to_string()).with_field("Type", "User")
        }
        InvokeError::ShuttingDown => ServiceError::new(
            "ServiceException",
            500,
            "The server is stopping; ask again when it runs.",
        )
        .with_field("Type", "Service"),
        other => {
            tracing::error!(error = %other, "a function could not be run");
            ServiceError::new(
                "ServiceException",
                500,
                format!("The function could not be run: {other}"),
            )
            .with_field("Type", "Service")
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn events_are_json_within_the_limits() {
        assert_eq!(event(None, false).unwrap(), "{}");
        assert_eq!(event(Some(Bytes::from_static(b"[1]")), true).unwrap(), "[1]");
        let quoted = |length: usize| Some(Bytes::from(format!("\"{}\"", "x".repeat(length - 2))));
        assert!(event(quoted(MAXIMUM_EVENT), false).is_ok());
        let error = event(quoted(MAXIMUM_EVENT + 1), false).unwrap_err();
        assert_eq!(error.status(), 413);
        assert_eq!(
            error.message(),
            "Request must be smaller than 6291456 bytes for the InvokeFunction operation"
        );
        let error = event(quoted(MAXIMUM_QUEUED_EVENT + 1), true).unwrap_err();
        assert_eq!(
            error.message(),
            "Request must be smaller than 1048576 bytes for the InvokeAsync operation"
        );
        for text in ["not json", "{", "{} x", "\u{1}"] {
            let error = event(Some(Bytes::copy_from_slice(text.as_bytes())), false).unwrap_err();
            assert_eq!(error.code(), "InvalidRequestContentException", "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_the_functions_matter_and_crashes_nothing() {
        let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        assert!(event(Some(Bytes::from(deep)), false).is_ok());
        let error = event(Some(Bytes::from("[".repeat(1_000_000))), false).unwrap_err();
        assert_eq!(error.code(), "InvalidRequestContentException");
    }

    #[test]
    fn client_contexts_are_json_objects_in_base64() {
        let encode = |text: &str| STANDARD.encode(text);
        assert_eq!(
            client_context(&encode("{\"custom\":{}}")).unwrap(),
            "{\"custom\":{}}"
        );
        for text in ["%%%", &encode("[]"), &encode("x"), &"A".repeat(3584)] {
            assert!(client_context(text).is_err(), "{text}");
        }
    }
}
