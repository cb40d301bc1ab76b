//! The stages of a request, in order.

use std::sync::Arc;

use hyper::body::{Body, Incoming};
use jiff::Timestamp;
use rolecall_identity::ApplicablePolicies;
use rolecall_policy::Principal;
use rolecall_service::{Caller, Needs, Origin, Prepared, RequestContext, Service, ServiceError, gate};
use rolecall_sigv4::{AuthError, Claim, Family, Form, parse};
use rolecall_trail::{Durability, Record};
use rolecall_wire::{
    ByteStream, ErrorResponse, OperationModel, Protocol, Request, Response, ServiceModel, Value, decode,
    encode, encode_error, route, takes_stream,
};

use crate::authenticate::{Authenticated, BodyLimit, GLOBAL_REGION, Reception, caller_of};
use crate::body::{self, BodyError, LARGEST_OBJECT, MemoryShare};
use crate::message::{Head, ResponseBody, into_http};
use crate::record::Outcome;
use crate::{Gateway, condition_keys, host, identify, record};

tokio::task_local! {
    /// Policies of the caller whose call runs in this task: what a service does for its caller is decided by all of them,
    /// session policies too.
    pub(crate) static AUTHORITY: Arc<ApplicablePolicies>;
}

/// A request as it was accepted: all that is known before its signature is looked at.
pub(crate) struct Accepted {
    pub(crate) head: Head,
    pub(crate) origin: Origin,
    pub(crate) request_id: String,
    pub(crate) now: Timestamp,
}

/// A request that was refused before there was an operation to record it under, or an answer that is an error.
pub(crate) struct Refusal {
    error: ErrorResponse,
    operation: Option<&'static OperationModel>,
}

impl From<ErrorResponse> for Refusal {
    fn from(error: ErrorResponse) -> Self {
        Self {
            error,
            operation: None,
        }
    }
}

impl Gateway {
    /// Takes one request through all stages.
    pub async fn handle(
        self: &Arc<Self>,
        request: hyper::Request<Incoming>,
        origin: Origin,
    ) -> hyper::Response<ResponseBody> {
        // 1. accept: the head, with hyper's limits
        let (parts, mut body) = request.into_parts();
        let accepted = Accepted {
            head: Head::of(&parts),
            origin,
            request_id: record::new_id(),
            now: Timestamp::now(),
        };
        let head = &accepted.head;
        // 2. identify: the service
        let claim = head.with_borrowed(parse);
        let signing_name =
            identify::signing_name(claim.as_ref().ok().and_then(Option::as_ref), head, self.models());
        let mut answer = if let Some(service) = self.service(signing_name).cloned() {
            let model = service.model();
            let answered = self.proceed(&accepted, &mut body, claim, &service).await;
            answered.unwrap_or_else(|mut refusal| {
                if model.protocol == Protocol::RestXml {
                    refusal.error.resource.get_or_insert_with(|| head.path.clone());
                }
                encode_error(model, refusal.operation, &refusal.error, &accepted.request_id)
            })
        } else {
            let name = signing_name.to_owned();
            self.not_a_service(&accepted, &mut body, claim, &name).await
        };
        // Who asked before sending (`Expect: 100-continue`) has not sent and will not: reading would ask for it.
        if !body.is_end_stream() && head.header("expect").is_none() {
            body::drain(&mut body).await;
        }
        if head.method == "HEAD" {
            answer.body = ByteStream::empty();
        }
        into_http(answer)
    }

    async fn proceed(
        self: &Arc<Self>,
        accepted: &Accepted,
        body: &mut Incoming,
        claim: Result<Option<Claim>, AuthError>,
        service: &Arc<dyn Service>,
    ) -> Result<Response, Refusal> {
        let Accepted {
            head,
            request_id,
            now,
            ..
        } = accepted;
        let model = service.model();
        let family = family(model);
        let refuse = |error: AuthError| Refusal::from(auth_error(&error, family));
        // 2. identify, continued: the operation, where the head says it
        let bucket = (model.signing_name == "s3")
            .then(|| head.header("host").and_then(host::bucket_of_host))
            .flatten();
        let mut request = wire_request(head, bucket);
        if model.signing_name != "s3" && !is_plain_path(&head.path) {
            return Err(ErrorResponse::new(
                "UnknownOperationException",
                404,
                "The path has empty or dot segments.",
            )
            .into());
        }
        let known = match model.protocol {
            Protocol::Query => None,
            _ => Some(route(model, &request).map_err(|error| Refusal::from(ErrorResponse::from(error)))?),
        };
        // 3. verify: signature, then body
        let claim = claim.map_err(refuse)?;
        let mut memory = self.body_memory.share();
        let mut reception = Reception {
            body,
            limit: body_limit(model, known),
            memory: &mut memory,
        };
        let authenticated = match &claim {
            Some(claim) => {
                let (authenticated, received) = self
                    .verify(head, bucket, claim, &mut reception, *now)
                    .await
                    .map_err(|error| body_error(error, family))?;
                request.body = received;
                authenticated
            }
            None if model.signing_name == "s3" => {
                request.body = self
                    .receive_unsigned(head, &mut reception)
                    .await
                    .map_err(|error| body_error(error, family))?;
                Authenticated {
                    caller: Arc::new(Caller::anonymous()),
                    policies: Arc::default(),
                }
            }
            None => return Err(refuse(AuthError::MissingAuthenticationToken)),
        };
        // 4. decode
        let operation = match known {
            Some(operation) => operation,
            None => route(model, &request).map_err(|error| Refusal::from(ErrorResponse::from(error)))?,
        };
        let context = Arc::new(self.context(accepted, claim.as_ref(), &authenticated));
        let decoded = if operation.served {
            decode(model, operation, &request).map_err(ErrorResponse::from)
        } else {
            Err(not_served(model, operation))
        };
        let input = match decoded {
            Ok(input) => input,
            Err(error) => {
                let failed = Outcome::refused(&error);
                self.record(service, operation, &context, None, failed)
                    .await
                    .map_err(|error| Refusal {
                        error,
                        operation: Some(operation),
                    })?;
                return Err(Refusal {
                    error,
                    operation: Some(operation),
                });
            }
        };
        drop(request);
        // 5. to 8.: prepare, authorise, dispatch, record
        let output = self
            .run_detached(service, operation, input, context, authenticated, memory)
            .await;
        // 9. encode
        match output {
            Ok(output) => encode(model, operation, output, request_id).map_err(|error| Refusal {
                error: ErrorResponse::from(error),
                operation: Some(operation),
            }),
            Err(error) => Err(Refusal {
                error: error_response(&error),
                operation: Some(operation),
            }),
        }
    }

    /// Finds the key, verifies head and body, and gathers the policies.
    pub(crate) async fn verify(
        &self,
        head: &Head,
        bucket: Option<&str>,
        claim: &Claim,
        reception: &mut Reception<'_>,
        now: Timestamp,
    ) -> Result<(Authenticated, ByteStream), BodyError> {
        let key = self.resolve(claim, now)?;
        let received = self
            .receive_signed(head, bucket, claim, &key, reception, now)
            .await?;
        // A body can take long. Who lost the key meanwhile is not let in with it, and who got other tags is decided by
        // those.
        let key = self.resolve(claim, Timestamp::now().max(now))?;
        if let Some(id) = &key.usage_id {
            self.directory
                .record_use(id, &claim.scope.service, &claim.scope.region, now);
        }
        let authenticated = Authenticated {
            caller: Arc::new(caller_of(&key, &claim.access_key_id)),
            policies: self.directory.policies_for_key(&key),
        };
        Ok((authenticated, received))
    }

    /// [`run`](Self::run) in a task of its own: a client that hangs up stops no call between its change and its event,
    /// and a panic is one failed request with an event.
    async fn run_detached(
        self: &Arc<Self>,
        service: &Arc<dyn Service>,
        operation: &'static OperationModel,
        input: Value,
        context: Arc<RequestContext>,
        authenticated: Authenticated,
        memory: MemoryShare,
    ) -> Result<Value, ServiceError> {
        let place = self.calls.place().await;
        let running = {
            let (gateway, service, context) = (Arc::clone(self), Arc::clone(service), Arc::clone(&context));
            tokio::spawn(async move {
                let (_place, _memory) = (place, memory);
                gateway
                    .run(&service, operation, input, context, &authenticated)
                    .await
            })
        };
        match running.await {
            Ok(output) => output,
            Err(broken) => {
                tracing::error!(operation = operation.name, request_id = context.request_id, %broken, "an operation broke off");
                let error = ServiceError::internal(broken);
                let outcome = Outcome::failed(&error, Vec::new(), Vec::new());
                self.record(service, operation, &context, None, outcome)
                    .await
                    .map_err(not_recorded)?;
                Err(error)
            }
        }
    }

    /// Prepare, authorise, dispatch, record: the stages every call takes, a client's and a service's own.
    pub(crate) async fn run(
        self: &Arc<Self>,
        service: &Arc<dyn Service>,
        operation: &'static OperationModel,
        input: Value,
        context: Arc<RequestContext>,
        authenticated: &Authenticated,
    ) -> Result<Value, ServiceError> {
        let model = service.model();
        let parameters = record::parameters(model, operation, &input);
        // 5. prepare
        let prepared = Arc::clone(service)
            .prepare(operation, input, Arc::clone(&context))
            .await;
        let Prepared {
            needs,
            resources,
            call,
        } = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                let outcome = Outcome::failed(&error, Vec::new(), Vec::new());
                self.record(service, operation, &context, parameters, outcome)
                    .await
                    .map_err(not_recorded)?;
                return Err(error);
            }
        };
        // 6. authorise
        let permit = match Self::authorise(&context, authenticated, needs) {
            Ok(permit) => permit,
            Err(denial) => {
                let error = denied(model, denial.message);
                let outcome = Outcome::failed(&error, denial.decided, resources);
                self.record(service, operation, &context, parameters, outcome)
                    .await
                    .map_err(not_recorded)?;
                return Err(error);
            }
        };
        let decided = permit.decided().to_vec();
        // 7. dispatch
        let output = AUTHORITY
            .scope(Arc::clone(&authenticated.policies), call.run(permit))
            .await;
        if let Err(error) = &output
            && let Some(cause) = error.internal_cause()
        {
            tracing::error!(operation = operation.name, request_id = context.request_id, %cause, "an operation failed");
        }
        // 8. record
        let outcome = match &output {
            Ok(value) => Outcome::succeeded(record::elements(model, operation, value), decided, resources),
            Err(error) => Outcome::failed(error, decided, resources),
        };
        self.record(service, operation, &context, parameters, outcome)
            .await
            .map_err(not_recorded)?;
        output
    }

    fn authorise(
        context: &RequestContext,
        authenticated: &Authenticated,
        needs: Needs,
    ) -> Result<rolecall_service::Permit, Box<rolecall_service::Denial>> {
        let principal: &Principal = &authenticated.caller.principal;
        let global = condition_keys::global(context);
        gate::authorise(
            principal,
            &global,
            authenticated.policies.view(),
            &context.account,
            needs,
        )
    }

    async fn record(
        &self,
        service: &Arc<dyn Service>,
        operation: &'static OperationModel,
        context: &RequestContext,
        parameters: Option<serde_json::Value>,
        outcome: Outcome,
    ) -> Result<(), ErrorResponse> {
        let (record, is_change) = record::build(service.as_ref(), operation, context, parameters, outcome);
        let durability = if is_change {
            Durability::BeforeAnswer
        } else {
            Durability::Soon
        };
        self.keep(&record, durability).await
    }

    /// Appends a record to the trail; what cannot be recorded is not confirmed.
    pub(crate) async fn keep(&self, record: &Record, durability: Durability) -> Result<(), ErrorResponse> {
        self.recorder
            .record(record, durability)
            .await
            .map(drop)
            .map_err(|error| {
                tracing::error!(%error, "an event could not be recorded; the request is failed");
                ErrorResponse::new(
                    "InternalFailure",
                    500,
                    "The request could not be recorded and is therefore not confirmed.",
                )
            })
    }

    pub(crate) fn context(
        &self,
        accepted: &Accepted,
        claim: Option<&Claim>,
        authenticated: &Authenticated,
    ) -> RequestContext {
        let Accepted {
            head,
            origin,
            request_id,
            now,
        } = accepted;
        // The signature's region has been checked. IAM is us-east-1's wherever a client thinks it is: so say its events
        // and `aws:RequestedRegion`.
        let region = match claim.map(|claim| &claim.scope) {
            Some(scope) if scope.service == "iam" => Arc::from(GLOBAL_REGION),
            Some(scope) if !scope.region.is_empty() => Arc::from(scope.region.as_str()),
            _ => Arc::clone(&self.options.region),
        };
        // The listener inside an environment is a socket nobody else can read, where a function in AWS has TLS: policies
        // that demand it mean to keep others from reading along. The public listener has no TLS.
        let (endpoint, secure_transport) = match origin {
            Origin::Function { .. } => (&self.options.environment_endpoint, true),
            Origin::Network { .. } | Origin::AwsService(_) => (&self.options.endpoint, false),
        };
        RequestContext {
            request_id: request_id.clone(),
            account: self.account(),
            region,
            caller: Arc::clone(&authenticated.caller),
            time: *now,
            origin: origin.clone(),
            user_agent: head
                .header("user-agent")
                .unwrap_or_default()
                .chars()
                .take(1024)
                .collect(),
            secure_transport,
            endpoint: Arc::clone(endpoint),
            request_keys: request_keys(head, claim, *now),
        }
    }
}

/// Outside S3 a signature covers the path with dot and empty segments removed, so a path that has them would have two
/// meanings, one signed and one routed.
fn is_plain_path(path: &str) -> bool {
    path == "/"
        || path.strip_prefix('/').is_some_and(|rest| {
            let rest = rest.strip_suffix('/').unwrap_or(rest);
            rest.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
        })
}

/// Condition keys that come from how the request was signed, which only Amazon S3 has.
fn request_keys(head: &Head, claim: Option<&Claim>, now: Timestamp) -> Vec<(&'static str, String)> {
    let mut keys = Vec::new();
    if let Some(referer) = head.header("referer") {
        keys.push(("aws:Referer", referer.to_owned()));
    }
    let Some(claim) = claim.filter(|claim| claim.scope.is_s3()) else {
        return keys;
    };
    let (kind, version) = match claim.form {
        Form::Header => ("REST-HEADER", "AWS4-HMAC-SHA256"),
        Form::Presigned => ("REST-QUERY-STRING", "AWS4-HMAC-SHA256"),
        Form::LegacyPresigned => ("REST-QUERY-STRING", "AWS"),
    };
    keys.push(("s3:authType", kind.to_owned()));
    keys.push(("s3:signatureversion", version.to_owned()));
    if claim.form != Form::LegacyPresigned {
        let age = now
            .as_millisecond()
            .saturating_sub(claim.timestamp.as_millisecond())
            .max(0);
        keys.push(("s3:signatureAge", age.to_string()));
    }
    if let Some(hash) = head.header("x-amz-content-sha256") {
        keys.push(("s3:x-amz-content-sha256", hash.to_owned()));
    }
    keys
}

fn wire_request(head: &Head, bucket: Option<&str>) -> Request {
    Request {
        method: head.method.clone(),
        path: bucket.map_or_else(
            || head.path.clone(),
            |bucket| host::path_style(bucket, &head.path),
        ),
        query: head.query.clone(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned()))
            .collect(),
        body: ByteStream::empty(),
    }
}

/// Largest bodies, by service: Lambda's zip in base64 (50 MB), DynamoDB's batches (16 MB), policies and the rest.
fn body_limit(model: &'static ServiceModel, operation: Option<&'static OperationModel>) -> BodyLimit {
    const MEBIBYTE: u64 = 1024 * 1024;
    let streaming =
        operation.is_some_and(|operation| model.signing_name == "s3" && takes_stream(model, operation));
    let bytes = match model.signing_name {
        _ if streaming => LARGEST_OBJECT,
        "lambda" => 70 * MEBIBYTE,
        "dynamodb" => 17 * MEBIBYTE,
        "logs" | "s3" => 4 * MEBIBYTE,
        _ => MEBIBYTE,
    };
    BodyLimit { bytes, streaming }
}

fn family(model: &ServiceModel) -> Family {
    match model.protocol {
        Protocol::RestXml => Family::S3,
        Protocol::Query => Family::Query,
        Protocol::RestJson => Family::RestJson,
        Protocol::Json => Family::Json,
    }
}

fn auth_error(error: &AuthError, family: Family) -> ErrorResponse {
    let answer = error.code_and_message(family);
    ErrorResponse::new(answer.code, answer.status, answer.message)
}

fn body_error(error: BodyError, family: Family) -> Refusal {
    match error {
        BodyError::Auth(error) => auth_error(&error, family).into(),
        BodyError::Refused(error) => (*error).into(),
    }
}

/// The error of a denied call, under the code each protocol has for it.
fn denied(model: &ServiceModel, message: String) -> ServiceError {
    match model.protocol {
        Protocol::RestXml | Protocol::Query => ServiceError::new("AccessDenied", 403, message),
        Protocol::RestJson => ServiceError::new("AccessDeniedException", 403, message),
        Protocol::Json => ServiceError::new("AccessDeniedException", 400, message),
    }
}

fn not_recorded(error: ErrorResponse) -> ServiceError {
    ServiceError::new(error.code, error.status, error.message)
}

fn not_served(model: &ServiceModel, operation: &OperationModel) -> ErrorResponse {
    ErrorResponse::new(
        "NotImplemented",
        501,
        format!(
            "The operation {} of {} is not served by this endpoint.",
            operation.name, model.signing_name
        ),
    )
}

fn error_response(error: &ServiceError) -> ErrorResponse {
    let mut response = ErrorResponse::new(error.code().to_owned(), error.status(), error.message());
    response.fields = error.fields().to_vec();
    response.headers = error
        .headers()
        .iter()
        .map(|(name, value)| (std::borrow::Cow::Borrowed(*name), value.clone()))
        .collect();
    response
}
