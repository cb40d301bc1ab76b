//! Operations: the table of a service, and the two halves of a call with the gate between them.

use std::sync::Arc;

use rolecall_wire::{FromValue, IntoValue, OperationModel, ServiceModel, Value};

use crate::{BoxFuture, Needs, Permit, RequestContext, ServiceError};

/// An AWS service as the gateway sees it.
pub trait Service: Send + Sync + 'static {
    /// Its shapes and operations.
    fn model(&self) -> &'static ServiceModel;

    /// `eventSource` of its CloudTrail events, such as `lambda.amazonaws.com`.
    fn event_source(&self) -> &'static str;

    /// First half of a call: typed input, and what the call needs. Changes nothing and reveals nothing: an error
    /// here that depends on state (a missing function) is given only after the gate when the caller may not know it.
    fn prepare(
        self: Arc<Self>,
        operation: &'static OperationModel,
        input: Value,
        context: Arc<RequestContext>,
    ) -> BoxFuture<'static, Result<Prepared, ServiceError>>;
}

/// A call that is ready to be authorised.
pub struct Prepared {
    /// What it needs.
    pub needs: Needs,
    /// The resources the trail names (`resources` of the event).
    pub resources: Vec<TrailResource>,
    /// The second half.
    pub call: Call,
}

/// A resource as a CloudTrail event lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailResource {
    /// CloudFormation-like type, such as `AWS::S3::Object`.
    pub kind: &'static str,
    /// Its ARN.
    pub arn: String,
}

type Run = dyn FnOnce(Permit) -> BoxFuture<'static, Result<Value, ServiceError>> + Send;

/// Second half of a call. Runs only with a permit.
pub struct Call(Box<Run>);

impl Call {
    /// Wraps what runs when permitted.
    pub fn new<F>(run: impl FnOnce(Permit) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Value, ServiceError>> + Send + 'static,
    {
        Self(Box::new(move |permit| Box::pin(run(permit))))
    }

    /// Runs the call.
    pub fn run(self, permit: Permit) -> BoxFuture<'static, Result<Value, ServiceError>> {
        (self.0)(permit)
    }
}

/// One row of a service's table of operations. Made by [`operations!`](crate::operations).
pub struct OperationEntry<S> {
    /// Name as in the model, such as `ListObjectsV2`.
    pub name: &'static str,
    /// First half of the call.
    pub prepare: fn(Arc<S>, Value, Arc<RequestContext>) -> Result<Prepared, ServiceError>,
}

/// Finds `name` in a service's table.
pub fn find_operation<S>(
    table: &'static [OperationEntry<S>],
    name: &str,
) -> Option<&'static OperationEntry<S>> {
    table.iter().find(|entry| entry.name == name)
}

/// Turns an operation's two functions into a [`Prepared`] call; [`operations!`](crate::operations) calls it.
pub fn prepare_operation<S, I, O, F>(
    service: Arc<S>,
    input: Value,
    context: Arc<RequestContext>,
    access: fn(&S, &RequestContext, &I) -> Result<Needs, ServiceError>,
    run: fn(Arc<S>, Arc<RequestContext>, I, Permit) -> F,
) -> Result<Prepared, ServiceError>
where
    S: Send + Sync + 'static,
    I: FromValue + Send + 'static,
    O: IntoValue,
    F: Future<Output = Result<O, ServiceError>> + Send + 'static,
{
    let input = I::from_value(input)
        .map_err(|error| ServiceError::new("SerializationException", 400, error.to_string()))?;
    let needs = access(&service, &context, &input)?;
    let resources = match &needs {
        Needs::Accesses(accesses) => resources_of(accesses),
        Needs::Always { .. } => Vec::new(),
    };
    let call = Call::new(move |permit| {
        let running = run(service, context, input, permit);
        async move { running.await.map(IntoValue::into_value) }
    });
    Ok(Prepared {
        needs,
        resources,
        call,
    })
}

/// The event's `resources`: each resource once, for the types CloudTrail lists in events.
fn resources_of(accesses: &[crate::Access]) -> Vec<TrailResource> {
    let mut resources: Vec<TrailResource> = Vec::new();
    for access in accesses
        .iter()
        .filter(|access| access.requirement == crate::Requirement::Required)
    {
        let Some(kind) = resource_kind(&access.resource) else {
            continue;
        };
        if !resources.iter().any(|resource| resource.arn == access.resource) {
            resources.push(TrailResource {
                kind,
                arn: access.resource.clone(),
            });
        }
    }
    resources
}

fn resource_kind(arn: &str) -> Option<&'static str> {
    let mut parts = arn.splitn(6, ':');
    let (Some("arn"), Some(_), Some(service), Some(_), Some(_), Some(resource)) = (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) else {
        return None;
    };
    Some(match service {
        "s3" if resource.contains('/') => "AWS::S3::Object",
        "s3" => "AWS::S3::Bucket",
        "lambda" if resource.starts_with("function:") => "AWS::Lambda::Function",
        "dynamodb" if resource.starts_with("table/") => "AWS::DynamoDB::Table",
        "iam" if resource.starts_with("role/") => "AWS::IAM::Role",
        "iam" if resource.starts_with("user/") => "AWS::IAM::User",
        "iam" if resource.starts_with("policy/") => "AWS::IAM::Policy",
        "logs" if resource.starts_with("log-group:") => "AWS::Logs::LogGroup",
        _ => return None,
    })
}

/// Declares the table of a service's operations, `OPERATIONS`, in one place.
///
/// ```text
/// rolecall_service::operations! { DynamoDb {
///     PutItem => access::put_item, items::put_item;
/// } }
/// ```
///
/// The first path is `fn(&S, &RequestContext, &Input) -> Result<Needs, ServiceError>`, the second
/// `async fn(Arc<S>, Arc<RequestContext>, Input, Permit) -> Result<Output, ServiceError>`.
#[macro_export]
macro_rules! operations {
    ($service:ty { $($name:ident => $access:path, $run:path;)* }) => {
        /// Every operation this service serves: name, what it needs, what it does.
        pub static OPERATIONS: &[$crate::OperationEntry<$service>] = &[$(
            $crate::OperationEntry {
                name: stringify!($name),
                prepare: |service, input, context| {
                    $crate::prepare_operation(service, input, context, $access, $run)
                },
            },
        )*];
    };
}
