//! AWS protocols over one value type, driven by shapes.

mod attribute_value;
mod convert;
mod model;
mod stream;
mod value;

pub use attribute_value::AttributeValue;
pub use convert::{ConversionError, Fields, FromValue, Hidden, IntoValue, Members};
pub use model::{
    ChecksumTrait, ErrorModel, Location, Member, OperationModel, Pattern, Protocol, Segment, ServiceModel,
    Shape, ShapeIndex, ShapeKind, TimestampFormat, Validation,
};
pub use stream::{ByteStream, Chunks, SpoolFile};
pub use value::{Entries, Value};
