//! Requests that AWS services make themselves: Lambda assuming an execution role and writing a function's log, a
//! service reading an object for its caller. Authorised and recorded like any other.

use std::sync::Arc;

use jiff::Timestamp;
use rolecall_identity::ApplicablePolicies;
use rolecall_policy::Principal;
use rolecall_service::{
    BoxFuture, Caller, CredentialsSource, FunctionOrigin, LogLine, LogSink, ObjectStore, Origin,
    RequestContext, RoleCheck, ServiceError, SessionCredentials,
};
use rolecall_wire::{ByteStream, Value};

use crate::authenticate::Authenticated;
use crate::stages::AUTHORITY;
use crate::{Gateway, record};

/// Lambda's service principal.
const LAMBDA: &str = "lambda.amazonaws.com";

/// As whom a service makes a request.
#[derive(Debug, Clone)]
pub struct InternalCaller {
    caller: Arc<Caller>,
    origin: Origin,
}

impl InternalCaller {
    /// As the service itself.
    pub fn service(name: &'static str) -> Self {
        let caller = Caller {
            principal: Principal::Service {
                name: name.to_owned(),
            },
            access_key_id: None,
            session: None,
            tags: Vec::new(),
            invoked_by: Some(name),
        };
        Self {
            caller: Arc::new(caller),
            origin: Origin::AwsService(name),
        }
    }
}

/// Ports of the endpoint, for services that need each other.
pub struct Ports {
    gateway: Arc<Gateway>,
}

impl Ports {
    /// Through `gateway`.
    pub fn new(gateway: Arc<Gateway>) -> Arc<Self> {
        Arc::new(Self { gateway })
    }
}

impl Gateway {
    /// Makes a request as `caller`.
    ///
    /// # Errors
    /// What the service answers, a denial among it; `NotImplemented` for an operation that is not served.
    pub async fn call(
        self: &Arc<Self>,
        caller: &InternalCaller,
        policies: Arc<ApplicablePolicies>,
        signing_name: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, ServiceError> {
        let context = RequestContext {
            request_id: record::new_id(),
            account: self.account(),
            region: Arc::clone(&self.options.region),
            caller: Arc::clone(&caller.caller),
            time: Timestamp::now(),
            origin: caller.origin.clone(),
            user_agent: String::new(),
            secure_transport: true,
            endpoint: Arc::clone(&self.options.endpoint),
            request_keys: Vec::new(),
        };
        self.call_in(context, policies, signing_name, operation, input)
            .await
    }

    async fn call_in(
        self: &Arc<Self>,
        context: RequestContext,
        policies: Arc<ApplicablePolicies>,
        signing_name: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, ServiceError> {
        let not_served = || {
            ServiceError::new(
                "NotImplemented",
                501,
                format!("{signing_name}:{operation} is not served by this endpoint."),
            )
        };
        let service = self.service(signing_name).ok_or_else(not_served)?.clone();
        let operation = service
            .model()
            .operations
            .iter()
            .find(|model| model.name == operation && model.served)
            .ok_or_else(not_served)?;
        let authenticated = Authenticated {
            caller: Arc::clone(&context.caller),
            policies,
        };
        self.run(&service, operation, input, Arc::new(context), &authenticated)
            .await
    }

    /// The function's role session, as which Lambda writes its log.
    fn session_of(
        &self,
        function: &FunctionOrigin,
    ) -> Result<(InternalCaller, Arc<ApplicablePolicies>), ServiceError> {
        let session = self
            .directory
            .role_session(&function.role_arn, &function.function_name)
            .ok_or_else(|| {
                ServiceError::new(
                    "AccessDenied",
                    403,
                    format!("the role {} does not exist", function.role_arn),
                )
            })?;
        let policies = self
            .directory
            .policies_for(&session.principal)
            .ok_or_else(|| ServiceError::new("AccessDenied", 403, "the role has no policies to decide by"))?;
        let now = Timestamp::now();
        let caller = Caller {
            principal: session.principal,
            access_key_id: None,
            session: Some(rolecall_service::SessionFacts {
                issued_at: now,
                expires_at: now,
                source_identity: None,
                multi_factor: false,
                transitive_tag_keys: Vec::new(),
            }),
            tags: session.tags,
            invoked_by: Some(LAMBDA),
        };
        Ok((
            InternalCaller {
                caller: Arc::new(caller),
                origin: Origin::AwsService(LAMBDA),
            },
            policies,
        ))
    }

    async fn write_log(
        self: &Arc<Self>,
        function: &FunctionOrigin,
        group: &str,
        stream: &str,
        lines: Vec<LogLine>,
    ) -> Result<(), ServiceError> {
        let (caller, policies) = self.session_of(function)?;
        let events: Vec<Value> = lines
            .into_iter()
            .map(|line| {
                map([
                    ("timestamp", Value::from(line.time.as_millisecond())),
                    ("message", line.message.into()),
                ])
            })
            .collect();
        let put = || {
            map([
                ("logGroupName", group.into()),
                ("logStreamName", stream.into()),
                ("logEvents", Value::List(events.clone())),
            ])
        };
        // Optimistic: group and stream are there but for the first write of an environment.
        let first = self
            .call(&caller, Arc::clone(&policies), "logs", "PutLogEvents", put())
            .await;
        match first {
            Err(error) if error.code() == "ResourceNotFoundException" => {}
            other => return other.map(drop),
        }
        let make_stream = || map([("logGroupName", group.into()), ("logStreamName", stream.into())]);
        let made = self
            .call(
                &caller,
                Arc::clone(&policies),
                "logs",
                "CreateLogStream",
                make_stream(),
            )
            .await;
        match made {
            Err(error) if error.code() == "ResourceNotFoundException" => {
                let make_group = map([("logGroupName", group.into())]);
                existing_is_fine(
                    self.call(
                        &caller,
                        Arc::clone(&policies),
                        "logs",
                        "CreateLogGroup",
                        make_group,
                    )
                    .await,
                )?;
                existing_is_fine(
                    self.call(
                        &caller,
                        Arc::clone(&policies),
                        "logs",
                        "CreateLogStream",
                        make_stream(),
                    )
                    .await,
                )?;
            }
            other => existing_is_fine(other)?,
        }
        self.call(&caller, policies, "logs", "PutLogEvents", put())
            .await
            .map(drop)
    }

    async fn assume_role(
        self: &Arc<Self>,
        function: &FunctionOrigin,
    ) -> Result<SessionCredentials, ServiceError> {
        let input = map([
            ("RoleArn", (&*function.role_arn).into()),
            ("RoleSessionName", (&*function.function_name).into()),
            ("DurationSeconds", Value::Integer(SESSION_SECONDS)),
        ]);
        let caller = InternalCaller::service(LAMBDA);
        let output = self
            .call(&caller, Arc::default(), "sts", "AssumeRole", input)
            .await?;
        let credentials = output
            .get("Credentials")
            .ok_or_else(|| ServiceError::internal("AssumeRole gave no credentials"))?;
        let text = |name: &str| {
            credentials
                .get(name)
                .and_then(Value::as_str)
                .map(str::to_owned)
                .ok_or_else(|| ServiceError::internal(format!("AssumeRole gave no {name}")))
        };
        let Some(Value::Timestamp(expires_at)) = credentials.get("Expiration") else {
            return Err(ServiceError::internal("AssumeRole gave no Expiration"));
        };
        Ok(SessionCredentials {
            access_key_id: text("AccessKeyId")?,
            secret_access_key: text("SecretAccessKey")?,
            session_token: text("SessionToken")?,
            expires_at: *expires_at,
        })
    }
}

/// How long a function's credentials live: the most every role allows.
const SESSION_SECONDS: i64 = 3600;

fn existing_is_fine(result: Result<Value, ServiceError>) -> Result<(), ServiceError> {
    match result {
        Err(error) if error.code() == "ResourceAlreadyExistsException" => Ok(()),
        other => other.map(drop),
    }
}

fn map<const N: usize>(entries: [(&'static str, Value); N]) -> Value {
    Value::Map(
        entries
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect(),
    )
}

impl CredentialsSource for Ports {
    fn assume(
        &self,
        function: &FunctionOrigin,
    ) -> BoxFuture<'static, Result<SessionCredentials, ServiceError>> {
        let (gateway, function) = (Arc::clone(&self.gateway), function.clone());
        Box::pin(async move { gateway.assume_role(&function).await })
    }
}

impl LogSink for Ports {
    fn write(
        &self,
        function: &FunctionOrigin,
        log_group: &str,
        log_stream: &str,
        lines: Vec<LogLine>,
    ) -> BoxFuture<'static, Result<(), ServiceError>> {
        let (gateway, function) = (Arc::clone(&self.gateway), function.clone());
        let (group, stream) = (log_group.to_owned(), log_stream.to_owned());
        Box::pin(async move { gateway.write_log(&function, &group, &stream, lines).await })
    }
}

impl ObjectStore for Ports {
    fn get_object(
        &self,
        context: &RequestContext,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> BoxFuture<'static, Result<ByteStream, ServiceError>> {
        let (gateway, mut context) = (Arc::clone(&self.gateway), context.clone());
        let mut entries = vec![("Bucket".into(), Value::from(bucket)), ("Key".into(), key.into())];
        if let Some(version) = version {
            entries.push(("VersionId".into(), version.into()));
        }
        // Outside of a call there is no caller to do this for, and no policy that could allow it.
        let policies = AUTHORITY.try_with(Arc::clone).unwrap_or_default();
        Box::pin(async move {
            context.request_id = record::new_id();
            let output = gateway
                .call_in(context, policies, "s3", "GetObject", Value::Map(entries))
                .await?;
            match output {
                Value::Map(entries) => entries
                    .into_iter()
                    .find_map(|(name, value)| match value {
                        Value::Stream(stream) if name == "Body" => Some(stream),
                        Value::Blob(bytes) if name == "Body" => Some(ByteStream::Memory(bytes)),
                        _ => None,
                    })
                    .ok_or_else(|| ServiceError::internal("GetObject gave no body")),
                _ => Err(ServiceError::internal("GetObject gave no structure")),
            }
        })
    }
}

impl RoleCheck for Ports {
    fn may_assume(&self, service: &'static str, role_arn: &str) -> bool {
        self.gateway.directory.may_assume(service, role_arn)
    }
}
