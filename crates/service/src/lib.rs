//! What every service of the endpoint is.
//!
//! A service offers [`Operation`](OperationEntry)s. For each one it can say what the call needs ([`Needs`]: every
//! IAM action on every resource, with the resource's own policy and the request's condition keys), and it can
//! run the call when it is handed a [`Permit`]. Only [`gate::authorise`] makes permits, so a service can neither
//! forget to ask nor ask twice:
//!
//! ```text
//! Value ─▶ Service::prepare ─▶ Prepared { needs, call } ─▶ gate::authorise(needs) ─▶ Permit ─▶ call.run(permit) ─▶ Value
//! ```

mod access;
mod caller;
mod context;
mod error;
pub mod gate;
mod operation;
mod ports;

pub use access::{Access, AttachedPolicy, Needs, Requirement};
pub use caller::{Caller, SessionFacts};
pub use context::{Origin, RequestContext};
pub use error::ServiceError;
pub use gate::{Decided, Denial, Permit};
pub use operation::{
    Call, OperationEntry, Prepared, Service, TrailResource, find_operation, prepare_operation,
};
pub use ports::{
    CredentialsSource, EndpointConnector, FunctionOrigin, Invoker, LogLine, LogSink, ObjectStore, RoleCheck,
    SessionCredentials,
};

/// A boxed future, the return type of the object-safe asynchronous traits of this crate.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
