//! The small traits by which services reach each other without importing each other. The gateway implements them
//! by making an internal request that is authorised and recorded like any other.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use rolecall_wire::ByteStream;

use crate::{BoxFuture, RequestContext, ServiceError};

/// Temporary credentials of a role session. `Debug` hides the secrets.
#[derive(Clone)]
pub struct SessionCredentials {
    /// `ASIA…`
    pub access_key_id: String,
    /// The secret key.
    pub secret_access_key: String,
    /// The session token.
    pub session_token: String,
    /// When they end.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for SessionCredentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SessionCredentials")
            .field("access_key_id", &self.access_key_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Which function something is done for, and as which role session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionOrigin {
    /// Unqualified function ARN.
    pub function_arn: Arc<str>,
    /// Function name: the role session's name.
    pub function_name: Arc<str>,
    /// ARN of the execution role.
    pub role_arn: Arc<str>,
    /// The runtime's name, such as `python3.11`, for the user agent.
    pub runtime: Arc<str>,
    /// Which execution environment, unique within the process.
    pub environment_id: u64,
}

/// Where an execution environment gets its role's credentials: Lambda's own `sts:AssumeRole`, recorded as such.
pub trait CredentialsSource: Send + Sync {
    /// Assumes the execution role as `lambda.amazonaws.com` with the function's name as session name.
    ///
    /// # Errors
    /// The role is gone or does not trust Lambda.
    fn assume(
        &self,
        function: &FunctionOrigin,
    ) -> BoxFuture<'static, Result<SessionCredentials, ServiceError>>;
}

/// One line of a function's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written.
    pub time: Timestamp,
    /// Without the line break.
    pub message: String,
}

/// Where a function's log goes: CloudWatch Logs, with the execution **role's** permissions.
pub trait LogSink: Send + Sync {
    /// Writes lines, making group and stream where they are missing and the role may.
    ///
    /// # Errors
    /// The role may not; the lines are then dropped, as in AWS.
    fn write(
        &self,
        function: &FunctionOrigin,
        log_group: &str,
        log_stream: &str,
        lines: Vec<LogLine>,
    ) -> BoxFuture<'static, Result<(), ServiceError>>;
}

/// Reads objects, authorised as the caller of `context`.
pub trait ObjectStore: Send + Sync {
    /// `s3:GetObject`.
    ///
    /// # Errors
    /// What S3 answers.
    fn get_object(
        &self,
        context: &RequestContext,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> BoxFuture<'static, Result<ByteStream, ServiceError>>;
}

/// Invokes functions on behalf of another service.
pub trait Invoker: Send + Sync {
    /// `lambda:InvokeFunction`, asynchronously, as the service principal `service`.
    ///
    /// # Errors
    /// What Lambda answers.
    fn invoke(
        &self,
        service: &'static str,
        source_arn: &str,
        function_arn: &str,
        payload: Bytes,
    ) -> BoxFuture<'static, Result<(), ServiceError>>;
}

/// Whether a service may assume a role: what `CreateFunction` checks besides `iam:PassRole`.
pub trait RoleCheck: Send + Sync {
    /// Is there such a role, and does its trust policy let `service` assume it?
    fn may_assume(&self, service: &'static str, role_arn: &str) -> bool;
}

/// Serves connections that an execution environment opened to its AWS endpoint.
pub trait EndpointConnector: Send + Sync {
    /// Serves `stream` until it ends; every request on it comes from `function`.
    fn serve(&self, stream: std::net::TcpStream, function: Arc<FunctionOrigin>) -> BoxFuture<'static, ()>;

    /// Address that stands in events for a call from inside an environment.
    fn source_address(&self) -> IpAddr {
        IpAddr::from([127, 0, 0, 1])
    }
}
