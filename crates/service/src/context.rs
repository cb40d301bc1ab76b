//! The circumstances of one request that a service may need.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use crate::Caller;

/// Where a request came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Over the network, to the public listener.
    Network {
        /// The peer's address (`aws:SourceIp`).
        address: IpAddr,
    },
    /// From inside an execution environment, over its own listener.
    Function {
        /// ARN of the function that runs there.
        function_arn: Arc<str>,
    },
    /// From an AWS service itself, such as Lambda assuming an execution role or writing its logs.
    AwsService(&'static str),
}

/// One request's circumstances, known before it is decided.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// A version 4 UUID, the `x-amzn-requestid` of the answer and `requestID` of the event.
    pub request_id: String,
    /// The account the endpoint serves and that owns the resources, twelve digits.
    pub account: Arc<str>,
    /// The region the request was signed for, or the endpoint's own for unsigned ones.
    pub region: Arc<str>,
    /// Who asks.
    pub caller: Arc<Caller>,
    /// When the request was received.
    pub time: Timestamp,
    /// Where it came from.
    pub origin: Origin,
    /// The `User-Agent` header, at most 1 KB.
    pub user_agent: String,
    /// Whether the connection is encrypted (`aws:SecureTransport`).
    pub secure_transport: bool,
    /// Base URL of the endpoint as this caller reaches it, such as `http://127.0.0.1:4566`, without a slash at the end.
    pub endpoint: Arc<str>,
    /// Keys of the request itself that operations do not know of, such as `s3:authType`, as (key, value).
    pub request_keys: Vec<(&'static str, String)>,
}
