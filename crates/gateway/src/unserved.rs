//! Requests for AWS services that are not served here: answered with 501, and recorded under their names once the
//! signature holds, so that it can be seen what a function would call in AWS.

use std::sync::Arc;

use hyper::body::Incoming;
use rolecall_service::RequestContext;
use rolecall_sigv4::{AuthError, Claim, Family};
use rolecall_trail::{Durability, EVENT_VERSION, Event, EventCategory, Record, UserIdentity};
use rolecall_wire::{ByteStream, ErrorResponse, Response};

use crate::authenticate::{BodyLimit, Reception};
use crate::body::BodyError;
use crate::message::Head;
use crate::stages::Accepted;
use crate::{Gateway, record};

/// Largest body of a request that is not served: it is read for its signature and its `Action` only.
const BODY_LIMIT: u64 = 1024 * 1024;

/// Longest name of a service or an operation that is shown.
const LONGEST_NAME: usize = 128;

impl Gateway {
    /// Answers a request for a service without a model.
    pub(crate) async fn not_a_service(
        self: &Arc<Self>,
        accepted: &Accepted,
        body: &mut Incoming,
        claim: Result<Option<Claim>, AuthError>,
        signing_name: &str,
    ) -> Response {
        let service = shown(signing_name);
        let refused = match claim {
            Ok(Some(claim)) => self.record_unserved(accepted, body, &claim, &service).await,
            Ok(None) => not_served(&service),
            Err(error) => auth_error(&error),
        };
        answer(&refused, &accepted.request_id)
    }

    /// Verifies the signature and records the call; the error to answer with.
    async fn record_unserved(
        self: &Arc<Self>,
        accepted: &Accepted,
        body: &mut Incoming,
        claim: &Claim,
        service: &str,
    ) -> ErrorResponse {
        let mut memory = self.body_memory.share();
        let mut reception = Reception {
            body,
            limit: BodyLimit {
                bytes: BODY_LIMIT,
                streaming: false,
            },
            memory: &mut memory,
        };
        let verified = self
            .verify(&accepted.head, None, claim, &mut reception, accepted.now)
            .await;
        let (authenticated, body) = match verified {
            Ok(verified) => verified,
            Err(BodyError::Auth(error)) => return auth_error(&error),
            Err(BodyError::Refused(error)) => return *error,
        };
        let context = self.context(accepted, Some(claim), &authenticated);
        let error = not_served(service);
        let record = Record {
            event: event(service, operation_name(&accepted.head, &body), &context, &error).within_limits(),
            accesses: Vec::new(),
        };
        match self.keep(&record, Durability::Soon).await {
            Ok(()) => error,
            Err(not_recorded) => not_recorded,
        }
    }
}

fn event(service: &str, name: String, context: &RequestContext, error: &ErrorResponse) -> Event {
    let (source_ip_address, user_agent) = record::source(context);
    Event {
        event_version: EVENT_VERSION.to_owned(),
        user_identity: UserIdentity::of(&context.caller, &context.account),
        event_time: context.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        event_source: format!("{service}.amazonaws.com"),
        event_name: name,
        aws_region: context.region.to_string(),
        source_ip_address,
        user_agent,
        error_code: Some(error.code.to_string()),
        error_message: Some(error.message.clone()),
        request_parameters: None,
        response_elements: None,
        additional_event_data: None,
        request_id: context.request_id.clone(),
        event_id: record::new_id(),
        // Nothing was changed, whatever the operation does in AWS.
        read_only: true,
        resources: Vec::new(),
        event_type: "AwsApiCall".to_owned(),
        management_event: true,
        recipient_account_id: context.account.to_string(),
        event_category: EventCategory::Management,
    }
}

/// The operation, where the protocol names it: AWS JSON in a header, Query in the form. REST has only method and path.
fn operation_name(head: &Head, body: &ByteStream) -> String {
    let target = head
        .header("x-amz-target")
        .and_then(|target| target.rsplit_once('.'))
        .map(|(_, name)| name);
    let form = body
        .as_memory()
        .filter(|_| {
            head.header("content-type")
                .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
        })
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .unwrap_or_default();
    let action = || {
        [form, &head.query]
            .into_iter()
            .flat_map(|pairs| pairs.split('&'))
            .find_map(|pair| pair.strip_prefix("Action="))
    };
    match target.or_else(action) {
        Some(name) => shown(name),
        None => shown(&format!("{}:{}", head.method, head.path)),
    }
}

/// A name of the caller's own as it may stand in answers and events.
fn shown(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_graphic)
        .take(LONGEST_NAME)
        .collect()
}

fn not_served(service: &str) -> ErrorResponse {
    ErrorResponse::new(
        "NotImplemented",
        501,
        format!("The service {service} is not served by this endpoint."),
    )
}

fn auth_error(error: &AuthError) -> ErrorResponse {
    let answer = error.code_and_message(Family::Json);
    ErrorResponse::new(answer.code, answer.status, answer.message)
}

/// Nothing is known of the service's protocol, so the answer has the code in the header and as JSON.
fn answer(error: &ErrorResponse, request_id: &str) -> Response {
    let body = serde_json::json!({"__type": error.code, "message": error.message}).to_string();
    Response {
        status: error.status,
        headers: [
            ("content-type", "application/json"),
            ("x-amzn-errortype", &*error.code),
            ("x-amzn-requestid", request_id),
        ]
        .into_iter()
        .collect(),
        body: body.into(),
    }
}
