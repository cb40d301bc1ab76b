//! The static tables a service is described by: operations, their HTTP binding, and the shapes of what they carry.
//!
//! Everything here is `const`-constructible, so that a generated model costs no parsing, no heap and no start-up
//! time. The vocabulary is that of botocore's `service-2.json` (shapes, members, `locationName`, `payload`,
//! `resultWrapper`), which is what the tables are generated from.

use std::fmt;
use std::sync::OnceLock;

use regex::Regex;

use crate::WireError;

/// Position of a shape in [`ServiceModel::shapes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShapeIndex(pub u16);

/// How a service's requests and answers are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// AWS JSON 1.0 and 1.1: operation in `X-Amz-Target`, everything in one JSON document.
    Json,
    /// Query: a form in, XML out.
    Query,
    /// REST with JSON bodies.
    RestJson,
    /// REST with XML bodies.
    RestXml,
}

/// How a service words an input that breaks its model's constraints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Validation {
    /// Error code, such as `ValidationException`, `ValidationError` or `InvalidParameterException`.
    pub code: &'static str,
    /// Whether lengths, ranges, patterns and enumerations are checked at all. Amazon S3 checks none of them
    /// generically: each operation has its own error for each.
    pub constraints: bool,
}

/// One AWS service.
#[derive(Debug)]
pub struct ServiceModel {
    /// botocore's `serviceId`, such as `DynamoDB`.
    pub id: &'static str,
    /// Service name in a signature's scope, such as `dynamodb`.
    pub signing_name: &'static str,
    /// First label of the service's host name.
    pub endpoint_prefix: &'static str,
    /// Version of the API, such as `2012-08-10`. Query requests carry it in `Version`.
    pub api_version: &'static str,
    /// Protocol of its requests and answers.
    pub protocol: Protocol,
    /// What stands before the operation's name in `X-Amz-Target`; empty unless [`Protocol::Json`].
    pub target_prefix: &'static str,
    /// `1.0` or `1.1`; empty unless [`Protocol::Json`].
    pub json_version: &'static str,
    /// Namespace of its XML documents; empty when it has none.
    pub xml_namespace: &'static str,
    /// What stands before `#` in `__type` of a JSON error; empty when the service writes the bare code.
    pub error_namespace: &'static str,
    /// How broken constraints are answered.
    pub validation: Validation,
    /// Every operation of the service, served or not, sorted by name.
    pub operations: &'static [OperationModel],
    /// Errors of the served operations, sorted by shape name.
    pub errors: &'static [ErrorModel],
    /// Shapes of the served operations.
    pub shapes: &'static [Shape],
}

impl ServiceModel {
    /// The operation called `name`, served or not.
    pub fn operation(&self, name: &str) -> Option<&'static OperationModel> {
        let position = self
            .operations
            .binary_search_by(|operation| operation.name.cmp(name))
            .ok()?;
        self.operations.get(position)
    }

    /// The shape at `index`, or `None` if the index is not one of this model's.
    pub fn shape(&self, index: ShapeIndex) -> Option<&'static Shape> {
        self.shapes.get(usize::from(index.0))
    }

    /// The shape at `index`; an index that is not one of this model's is an internal error, never a panic.
    pub(crate) fn require(&self, index: ShapeIndex) -> Result<&'static Shape, WireError> {
        self.shape(index).ok_or_else(|| {
            WireError::new(
                "InternalFailure",
                500,
                "the service's model refers to a missing shape",
            )
        })
    }

    /// The modelled error with this code or shape name.
    pub fn error(&self, code: &str) -> Option<&'static ErrorModel> {
        self.errors
            .iter()
            .find(|error| error.code == code || error.name == code)
    }
}

/// An operation and its HTTP binding.
#[derive(Debug)]
pub struct OperationModel {
    /// Name, such as `PutItem`.
    pub name: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Path template and required query, as the model writes it: `/{Bucket}/{Key+}?tagging`.
    pub uri: &'static str,
    /// The path of [`uri`](Self::uri), split at slashes.
    pub path: &'static [Segment],
    /// What must be in the query string for this operation to be meant: a name, and a value where it matters.
    pub query: &'static [(&'static str, Option<&'static str>)],
    /// A header that must be there for this operation to be meant (`x-amz-copy-source`).
    pub discriminating_header: Option<&'static str>,
    /// Whether shapes and types for it are in the model. An operation that is not served is known by name only.
    pub served: bool,
    /// Structure of its input.
    pub input: Option<ShapeIndex>,
    /// Structure of its output.
    pub output: Option<ShapeIndex>,
    /// Name of the root element of an XML input document, where the model gives one.
    pub input_element: Option<&'static str>,
    /// Name of the root element of an XML output document, where it is not `{Operation}Result`.
    pub output_element: Option<&'static str>,
    /// Whether the only member of the output is itself the root element (S3's `GetBucketLocation`).
    pub output_unwrapped: bool,
    /// Element around the output in the Query protocol, such as `CreateUserResult`.
    pub result_wrapper: Option<&'static str>,
    /// HTTP status of a successful answer.
    pub status_code: u16,
    /// Checksums of requests and answers (Amazon S3).
    pub checksum: Option<ChecksumTrait>,
}

impl OperationModel {
    /// An operation known by name and binding only.
    pub const fn unserved(
        name: &'static str,
        method: &'static str,
        uri: &'static str,
        path: &'static [Segment],
        query: &'static [(&'static str, Option<&'static str>)],
    ) -> Self {
        Self {
            name,
            method,
            uri,
            path,
            query,
            discriminating_header: None,
            served: false,
            input: None,
            output: None,
            input_element: None,
            output_element: None,
            output_unwrapped: false,
            result_wrapper: None,
            status_code: 200,
            checksum: None,
        }
    }

    /// Marks the operation as served, with its input and output structures.
    #[must_use]
    pub const fn serving(mut self, input: Option<ShapeIndex>, output: Option<ShapeIndex>) -> Self {
        self.served = true;
        self.input = input;
        self.output = output;
        self
    }

    /// Sets the header that tells this operation from another with the same path.
    #[must_use]
    pub const fn told_by_header(mut self, header: &'static str) -> Self {
        self.discriminating_header = Some(header);
        self
    }

    /// Sets the element around the output.
    #[must_use]
    pub const fn wrapped_in(mut self, element: &'static str) -> Self {
        self.result_wrapper = Some(element);
        self
    }

    /// Sets the root element of the input document.
    #[must_use]
    pub const fn input_named(mut self, element: &'static str) -> Self {
        self.input_element = Some(element);
        self
    }

    /// Sets the root element of the output document.
    #[must_use]
    pub const fn output_named(mut self, element: &'static str) -> Self {
        self.output_element = Some(element);
        self
    }

    /// Makes the only member of the output its root element.
    #[must_use]
    pub const fn unwrapped(mut self) -> Self {
        self.output_unwrapped = true;
        self
    }

    /// Sets the status of a successful answer.
    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        self.status_code = status;
        self
    }

    /// Sets the checksum trait.
    #[must_use]
    pub const fn checksummed(mut self, checksum: ChecksumTrait) -> Self {
        self.checksum = Some(checksum);
        self
    }
}

/// One part of a path template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment {
    /// Must be equal.
    Literal(&'static str),
    /// One segment, given to the member bound to this label.
    Label(&'static str),
    /// The rest of the path, slashes included: `{Key+}`.
    Greedy(&'static str),
}

/// botocore's `httpChecksum` trait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChecksumTrait {
    /// Whether a request must carry `Content-MD5` or an `x-amz-checksum-*`.
    pub required: bool,
    /// Whether a client may choose the algorithm.
    pub request: bool,
    /// Whether answers carry checksums when `x-amz-checksum-mode` asks for them.
    pub response: bool,
}

/// A modelled error.
#[derive(Debug, Clone, Copy)]
pub struct ErrorModel {
    /// Shape name, such as `NoSuchEntityException`.
    pub name: &'static str,
    /// Code on the wire, such as `NoSuchEntity`.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Whether the caller is at fault (`Sender`) or the service (`Receiver`).
    pub sender: bool,
    /// Its structure.
    pub shape: ShapeIndex,
}

/// A type of the service's data.
#[derive(Debug)]
pub struct Shape {
    /// Name in the model.
    pub name: &'static str,
    /// What it is.
    pub kind: ShapeKind,
    /// Must not appear in logs, events or `Debug` output.
    pub sensitive: bool,
    /// Whether it or anything below it has a constraint or a required member; `false` spares the walk.
    pub constrained: bool,
    /// Least length of a string, blob, list or map, or least value of a number.
    pub minimum: Option<i64>,
    /// Greatest length or value.
    pub maximum: Option<i64>,
    /// Regular expression a string must match as a whole.
    pub pattern: Option<&'static Pattern>,
    /// Values a string may have; empty when it is no enumeration.
    pub values: &'static [&'static str],
    /// Whether exactly one member must be set (DynamoDB's `AttributeValue`).
    pub exactly_one: bool,
}

/// What a [`Shape`] is.
#[derive(Debug, Clone, Copy)]
pub enum ShapeKind {
    /// Named members.
    Structure {
        /// The members, in the model's order.
        members: &'static [Member],
        /// Name of the member that is the whole HTTP body.
        payload: Option<&'static str>,
    },
    /// A sequence.
    List {
        /// Shape of its elements.
        member: ShapeIndex,
        /// XML element of each; `member` when absent.
        location_name: Option<&'static str>,
        /// Whether elements stand in the parent directly.
        flattened: bool,
    },
    /// String keys and values.
    Map {
        /// Shape of the keys.
        key: ShapeIndex,
        /// Shape of the values.
        value: ShapeIndex,
        /// XML element of a key; `key` when absent.
        key_name: Option<&'static str>,
        /// XML element of a value; `value` when absent.
        value_name: Option<&'static str>,
        /// Whether entries stand in the parent directly.
        flattened: bool,
    },
    /// Text.
    String,
    /// Bytes. A streaming one becomes [`Value::Stream`](crate::Value::Stream).
    Blob {
        /// Whether it may be too large for memory.
        streaming: bool,
    },
    /// 32-bit integer.
    Integer,
    /// 64-bit integer.
    Long,
    /// 32-bit floating point.
    Float,
    /// 64-bit floating point.
    Double,
    /// Truth value.
    Boolean,
    /// A point in time.
    Timestamp {
        /// How it is written, where the shape itself says.
        format: Option<TimestampFormat>,
    },
}

/// How a timestamp is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampFormat {
    /// `2015-01-25T08:00:00Z`
    Iso8601,
    /// `Sun, 25 Jan 2015 08:00:00 GMT`
    Rfc822,
    /// Seconds since 1970, with a fraction.
    UnixTimestamp,
}

impl Shape {
    /// A shape without any constraint.
    pub const fn new(name: &'static str, kind: ShapeKind) -> Self {
        Self {
            name,
            kind,
            sensitive: false,
            constrained: false,
            minimum: None,
            maximum: None,
            pattern: None,
            values: &[],
            exactly_one: false,
        }
    }

    /// A structure.
    pub const fn structure(name: &'static str, members: &'static [Member]) -> Self {
        Self::new(
            name,
            ShapeKind::Structure {
                members,
                payload: None,
            },
        )
    }

    /// A structure one member of which is the HTTP body.
    pub const fn structure_with_payload(
        name: &'static str,
        payload: &'static str,
        members: &'static [Member],
    ) -> Self {
        Self::new(
            name,
            ShapeKind::Structure {
                members,
                payload: Some(payload),
            },
        )
    }

    /// A list.
    pub const fn list(
        name: &'static str,
        member: u16,
        location_name: Option<&'static str>,
        flattened: bool,
    ) -> Self {
        Self::new(
            name,
            ShapeKind::List {
                member: ShapeIndex(member),
                location_name,
                flattened,
            },
        )
    }

    /// A map.
    pub const fn map(
        name: &'static str,
        key: u16,
        value: u16,
        key_name: Option<&'static str>,
        value_name: Option<&'static str>,
        flattened: bool,
    ) -> Self {
        Self::new(
            name,
            ShapeKind::Map {
                key: ShapeIndex(key),
                value: ShapeIndex(value),
                key_name,
                value_name,
                flattened,
            },
        )
    }

    /// Sets the least length or value.
    #[must_use]
    pub const fn at_least(mut self, minimum: i64) -> Self {
        self.minimum = Some(minimum);
        self
    }

    /// Sets the greatest length or value.
    #[must_use]
    pub const fn at_most(mut self, maximum: i64) -> Self {
        self.maximum = Some(maximum);
        self
    }

    /// Sets the pattern.
    #[must_use]
    pub const fn matching(mut self, pattern: &'static Pattern) -> Self {
        self.pattern = Some(pattern);
        self
    }

    /// Sets the values allowed.
    #[must_use]
    pub const fn one_of(mut self, values: &'static [&'static str]) -> Self {
        self.values = values;
        self
    }

    /// Marks it as secret.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Demands exactly one member.
    #[must_use]
    pub const fn exactly_one(mut self) -> Self {
        self.exactly_one = true;
        self
    }

    /// Marks that there is something to check in it.
    #[must_use]
    pub const fn checked(mut self) -> Self {
        self.constrained = true;
        self
    }
}

/// A member of a structure.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// Name in the model and in [`Value::Map`](crate::Value::Map).
    pub name: &'static str,
    /// Its shape.
    pub shape: ShapeIndex,
    /// Name on the wire: header, label, query parameter, JSON key or XML element.
    pub location_name: &'static str,
    /// Whether the model itself names it, rather than the name being taken over from [`name`](Self::name).
    pub renamed: bool,
    /// Where it travels.
    pub location: Location,
    /// Whether it must be there.
    pub required: bool,
    /// Whether a client makes one up when it is absent.
    pub idempotency_token: bool,
    /// Whether it is an attribute of the parent's XML element.
    pub xml_attribute: bool,
    /// Whether a list stands in the parent directly, whatever its shape says.
    pub flattened: bool,
    /// Namespace of its XML element.
    pub xml_namespace: Option<&'static str>,
    /// How a timestamp is written, where the member says.
    pub timestamp_format: Option<TimestampFormat>,
}

/// Where a member travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// In the document.
    Body,
    /// In one header.
    Header,
    /// In all headers that begin with the location name.
    Headers,
    /// In the query string.
    QueryString,
    /// In the path.
    Uri,
    /// The HTTP status itself.
    StatusCode,
}

impl Member {
    /// A member of the document.
    pub const fn new(name: &'static str, shape: u16) -> Self {
        Self {
            name,
            shape: ShapeIndex(shape),
            location_name: name,
            renamed: false,
            location: Location::Body,
            required: false,
            idempotency_token: false,
            xml_attribute: false,
            flattened: false,
            xml_namespace: None,
            timestamp_format: None,
        }
    }

    /// Sets its name on the wire.
    #[must_use]
    pub const fn named(mut self, location_name: &'static str) -> Self {
        self.location_name = location_name;
        self.renamed = true;
        self
    }

    /// Sets where it travels.
    #[must_use]
    pub const fn located(mut self, location: Location) -> Self {
        self.location = location;
        self
    }

    /// Makes it required.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Marks an idempotency token.
    #[must_use]
    pub const fn token(mut self) -> Self {
        self.idempotency_token = true;
        self
    }

    /// Makes it an XML attribute.
    #[must_use]
    pub const fn attribute(mut self) -> Self {
        self.xml_attribute = true;
        self
    }

    /// Makes a list stand in the parent directly.
    #[must_use]
    pub const fn flat(mut self) -> Self {
        self.flattened = true;
        self
    }

    /// Sets the namespace of its XML element.
    #[must_use]
    pub const fn namespaced(mut self, namespace: &'static str) -> Self {
        self.xml_namespace = Some(namespace);
        self
    }

    /// Sets how a timestamp is written.
    #[must_use]
    pub const fn written(mut self, format: TimestampFormat) -> Self {
        self.timestamp_format = Some(format);
        self
    }
}

/// A regular expression of a model, compiled when first needed.
pub struct Pattern {
    shown: &'static str,
    expression: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// `shown` is the model's own text, which error messages quote; `expression` says the same in the syntax of the
    /// `regex` crate, anchored at both ends.
    pub const fn new(shown: &'static str, expression: &'static str) -> Self {
        Self {
            shown,
            expression,
            compiled: OnceLock::new(),
        }
    }

    /// The model's text.
    pub fn as_str(&self) -> &'static str {
        self.shown
    }

    /// Whether the whole of `text` matches. An expression that does not compile matches nothing.
    pub fn matches(&self, text: &str) -> bool {
        self.compiled().is_some_and(|regex| regex.is_match(text))
    }

    /// Whether the expression compiles; generated models are tested for it.
    pub fn is_valid(&self) -> bool {
        self.compiled().is_some()
    }

    fn compiled(&self) -> Option<&Regex> {
        self.compiled
            .get_or_init(|| Regex::new(self.expression).ok())
            .as_ref()
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Pattern").field(&self.shown).finish()
    }
}
