//! AWS protocols over one value type, driven by shapes.
//!
//! ```text
//! Request ─▶ route ─▶ OperationModel
//!         ─▶ decode ─▶ Value ─▶ FromValue ─▶ the operation's input
//! output ─▶ IntoValue ─▶ Value ─▶ encode ─▶ Response
//! ```
//!
//! A service is described by static tables ([`ServiceModel`]) which `cargo xtask codegen` writes from AWS's own
//! models. The codecs for AWS JSON, Query, REST-JSON and REST-XML know shapes only; nothing in here knows a service,
//! opens a connection or looks at credentials.
//!
//! Every byte that comes in is untrusted: sizes, counts and depths are bounded, nothing recurses without a bound,
//! and no input can cause a panic.

mod attribute_value;
mod convert;
mod decode;
mod encode;
mod error;
mod json;
mod message;
mod model;
mod names;
mod query;
mod redact;
mod route;
mod scalar;
mod stream;
mod time;
mod validate;
mod value;
mod xml;

pub use attribute_value::AttributeValue;
pub use convert::{ConversionError, Fields, FromValue, Hidden, IntoValue, Members};
pub use decode::decode;
pub use encode::{encode, encode_error};
pub use error::{ErrorResponse, Fault, WireError};
pub use message::{Headers, Request, Response};
pub use model::{
    ChecksumTrait, ErrorModel, Location, Member, OperationModel, Pattern, Protocol, Segment, ServiceModel,
    Shape, ShapeIndex, ShapeKind, TimestampFormat, Validation,
};
pub use redact::{HIDDEN, redact};
pub use route::{route, takes_stream};
pub use stream::{ByteStream, Chunks, SpoolFile};
pub use value::{Entries, Value};
