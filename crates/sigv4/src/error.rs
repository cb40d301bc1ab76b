//! Why a request was not authenticated, and what AWS answers in that case.
//!
//! AWS has one set of reasons but words them by protocol: S3 has its own codes, the Query services (IAM, STS) drop
//! the suffix `Exception`, and the JSON services differ in the status. [`AuthError::code_and_message`] knows them.
//! Sources: [common errors](https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html),
//! [S3 error responses](https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).

use std::borrow::Cow;

/// How a service words its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Amazon S3.
    S3,
    /// AWS Query: IAM and STS.
    Query,
    /// AWS JSON 1.0 and 1.1: DynamoDB, CloudWatch Logs, CloudTrail, Config.
    Json,
    /// REST-JSON: Lambda, Access Analyzer.
    RestJson,
}

/// What to put into the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorResponse {
    /// AWS's error code, such as `SignatureDoesNotMatch`.
    pub code: &'static str,
    /// AWS's text for it.
    pub message: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
}

/// What is wrong with the query parameters of a presigned URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresignedProblem {
    /// One of the required parameters is missing or given twice.
    Incomplete,
    /// `X-Amz-Algorithm` is not `AWS4-HMAC-SHA256`.
    Algorithm,
    /// `X-Amz-Credential` has not the form `key/date/region/service/aws4_request`.
    Credential,
    /// `X-Amz-Date` is not a basic ISO 8601 date and time.
    Date,
    /// `X-Amz-Expires` is not a number.
    ExpiresNotNumber,
    /// `X-Amz-Expires` is below zero.
    ExpiresNegative,
    /// `X-Amz-Expires` is more than seven days.
    ExpiresTooLong,
}

/// Why a request was not authenticated. Texts for the client come from [`AuthError::code_and_message`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The operation needs a signature and the request has none.
    #[error("the request is not signed; sign it with Signature Version 4")]
    MissingAuthenticationToken,
    /// More than one of `Authorization`, `X-Amz-Algorithm` and `Signature` is present.
    #[error("the request is signed in more than one way; keep one of them")]
    SeveralMechanisms,
    /// The head of the request exceeds a limit or is not well-formed; the text says which.
    #[error("the request head is refused: {0}")]
    Refused(&'static str),
    /// A part of the `Authorization` header has no `=`.
    #[error("a part of the authorization header is not of the form key=value")]
    NotKeyValue {
        /// SHA-256 of the header's value in base64: the value itself may be somebody's bearer token.
        header_hash: String,
    },
    /// The `Authorization` header, or the date that must accompany it, is incomplete.
    #[error("the authorization header lacks parameters: {missing:?}")]
    MissingParameters {
        /// Of `Credential`, `Signature`, `SignedHeaders`, `Date`.
        missing: Vec<&'static str>,
        /// As in [`AuthError::NotKeyValue`].
        header_hash: String,
    },
    /// A signing algorithm other than `AWS4-HMAC-SHA256`; among them `AWS4-ECDSA-P256-SHA256`, which is `SigV4A`.
    #[error("the signing algorithm {algorithm:?} is not supported; use AWS4-HMAC-SHA256")]
    UnsupportedAlgorithm {
        /// The first word of the header, at most 64 characters of it.
        algorithm: String,
    },
    /// The credential scope has not the form `key/date/region/service/aws4_request`.
    #[error("the credential {credential:?} is malformed; use key/date/region/service/aws4_request")]
    MalformedCredential {
        /// As sent.
        credential: String,
    },
    /// The scope's date is not the day on which the request was signed.
    #[error("the credential's date {scope_date} is not the date of {timestamp}")]
    ScopeDateMismatch {
        /// `YYYYMMDD` from the credential.
        scope_date: String,
        /// `YYYYMMDDTHHMMSSZ` from the request.
        timestamp: String,
    },
    /// The request was signed for another region.
    #[error("the credential is scoped to region {found:?}, not {expected:?}")]
    WrongRegion {
        /// As signed.
        found: String,
        /// What the service expects.
        expected: String,
    },
    /// The request was signed for another service.
    #[error("the credential is scoped to service {found:?}, not {expected:?}")]
    WrongService {
        /// As signed.
        found: String,
        /// What the service expects.
        expected: String,
    },
    /// The date is not one that AWS reads.
    #[error("the date {value:?} is malformed; use the form YYYYMMDDTHHMMSSZ")]
    MalformedDate {
        /// As sent.
        value: String,
    },
    /// The query parameters of a presigned URL are wrong.
    #[error("the presigned url is malformed: {0:?}")]
    Presigned(PresignedProblem),
    /// `host` is not among the signed headers.
    #[error("the host header is not signed; sign it")]
    HostNotSigned,
    /// Headers that change the meaning of the request are not signed.
    #[error("headers are not signed: {names:?}; sign every x-amz- header")]
    HeadersNotSigned {
        /// Lower-case names.
        names: Vec<String>,
    },
    /// The signature is not the one computed here.
    #[error("the signature does not match; check the secret access key and the signing method")]
    SignatureMismatch,
    /// The request was signed too long ago.
    #[error("the signature of {signed_at} has expired; it is now {now}")]
    SignatureExpired {
        /// When the request says it was signed, `YYYYMMDDTHHMMSSZ`.
        signed_at: String,
        /// The earliest acceptable time.
        limit: String,
        /// The service's time.
        now: String,
        /// Allowed difference in minutes.
        minutes: i64,
    },
    /// The request was signed in the future.
    #[error("the signature of {signed_at} is not yet valid; it is now {now}")]
    SignatureNotYetCurrent {
        /// When the request says it was signed, `YYYYMMDDTHHMMSSZ`.
        signed_at: String,
        /// The latest acceptable time.
        limit: String,
        /// The service's time.
        now: String,
        /// Allowed difference in minutes.
        minutes: i64,
    },
    /// A presigned URL is used after its time.
    #[error("the presigned url has expired; make a new one")]
    PresignedExpired {
        /// Until when it was valid, `YYYYMMDDTHHMMSSZ`.
        expired_at: String,
        /// The service's time.
        now: String,
    },
    /// A presigned URL is used before its time.
    #[error("the presigned url is not yet valid; check the clock of the machine that made it")]
    PresignedNotYetValid {
        /// From when it is valid, `YYYYMMDDTHHMMSSZ`.
        signed_at: String,
        /// The service's time.
        now: String,
    },
    /// No such access key, or it is inactive. Found by the caller.
    #[error("the access key does not exist or is inactive")]
    UnknownAccessKey,
    /// The session token does not belong to the access key, or is malformed. Found by the caller.
    #[error("the session token is invalid; ask STS for new credentials")]
    InvalidToken,
    /// The session has ended. Found by the caller.
    #[error("the session has expired; ask STS for new credentials")]
    ExpiredToken,
    /// S3 needs `x-amz-content-sha256`.
    #[error("the header x-amz-content-sha256 is missing; send the hash of the body or UNSIGNED-PAYLOAD")]
    MissingPayloadHash,
    /// `x-amz-content-sha256` is neither a hash nor one of the known words.
    #[error("the header x-amz-content-sha256 is neither a sha-256 hash nor a known word")]
    InvalidPayloadHash,
    /// The service signs the body's hash, which the caller has not supplied in [`crate::Options`].
    #[error("the hash of the body is needed to verify this request; read the body first")]
    BodyHashNeeded,
    /// The body is not the one whose hash was signed.
    #[error("the body's sha-256 hash is not the one in x-amz-content-sha256")]
    PayloadMismatch,
    /// A streamed body lacks `x-amz-decoded-content-length`.
    #[error("the header x-amz-decoded-content-length is missing; send the length of the decoded body")]
    MissingDecodedLength,
    /// The body ended early, or is longer than `x-amz-decoded-content-length` says.
    #[error("the body has not the length announced in x-amz-decoded-content-length")]
    IncompleteBody,
    /// The `aws-chunked` framing is broken.
    #[error("the aws-chunked body is malformed: {0}")]
    MalformedChunk(&'static str),
    /// A chunk that is not the last has less than 8 KiB.
    #[error("a chunk that is not the last is smaller than 8192 bytes")]
    ChunkTooSmall,
    /// The signature of a chunk or of the trailer does not match.
    #[error("the signature of a chunk or trailer does not match")]
    ChunkSignatureMismatch,
    /// The trailer is not the one announced in `x-amz-trailer`, or not well-formed.
    #[error("the trailer is malformed or not the one announced in x-amz-trailer")]
    MalformedTrailer,
    /// The checksum in the trailer is not that of the body.
    #[error("the {algorithm} checksum in the trailer is not that of the body")]
    ChecksumMismatch {
        /// `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1` or `SHA256`.
        algorithm: &'static str,
    },
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
     Key and signing method. Consult the service documentation for details.";
const MISMATCH_S3: &str = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
const UNSUPPORTED_S3: &str =
    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
const SEVERAL_S3: &str = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
     parameter or the Authorization header should be specified";
const PAYLOAD_HASH_S3: &str = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
     STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, \
     STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.";

impl AuthError {
    /// AWS's code, text and HTTP status for this error in the wording of `family`.
    pub fn code_and_message(&self, family: Family) -> ErrorResponse {
        let (code, message, status) = match family {
            Family::S3 => self.for_s3(),
            Family::Query | Family::Json | Family::RestJson => self.for_others(family),
        };
        ErrorResponse {
            code,
            message,
            status,
        }
    }

    fn for_s3(&self) -> (&'static str, Cow<'static, str>, u16) {
        match self {
            Self::MissingAuthenticationToken => ("AccessDenied", "Access Denied".into(), 403),
            Self::SeveralMechanisms => ("InvalidArgument", SEVERAL_S3.into(), 400),
            Self::Refused(reason) => ("InvalidRequest", Cow::Borrowed(*reason), 400),
            Self::NotKeyValue { .. } => header_malformed("a parameter is not of the form key=value"),
            Self::MissingParameters { missing, .. } => match missing.first() {
                Some(&"Date") | None => (
                    "AccessDenied",
                    "AWS authentication requires a valid Date or x-amz-date header".into(),
                    403,
                ),
                Some(name) => (
                    "AuthorizationHeaderMalformed",
                    format!("The authorization header is malformed; the authorization header requires three components: Credential, SignedHeaders, and Signature; {name} is missing.").into(),
                    400,
                ),
            },
            Self::UnsupportedAlgorithm { .. } => ("InvalidRequest", UNSUPPORTED_S3.into(), 400),
            Self::MalformedCredential { .. } => header_malformed(
                "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
            ),
            Self::ScopeDateMismatch { scope_date, timestamp } => header_malformed(&format!(
                "Invalid credential date \"{scope_date}\". This date is not the same as X-Amz-Date: \"{}\".",
                timestamp.get(..8).unwrap_or(timestamp)
            )),
            Self::WrongRegion { found, expected } => {
                header_malformed(&format!("the region '{found}' is wrong; expecting '{expected}'"))
            }
            Self::WrongService { found, expected } => header_malformed(&format!(
                "incorrect service \"{found}\". This endpoint belongs to \"{expected}\"."
            )),
            Self::MalformedDate { .. } => (
                "AccessDenied",
                "AWS authentication requires a valid Date or x-amz-date header".into(),
                403,
            ),
            Self::Presigned(problem) => ("AuthorizationQueryParametersError", problem.text().into(), 400),
            Self::HostNotSigned | Self::HeadersNotSigned { .. } => (
                "AccessDenied",
                "There were headers present in the request which were not signed".into(),
                403,
            ),
            Self::SignatureMismatch | Self::ChunkSignatureMismatch => {
                ("SignatureDoesNotMatch", MISMATCH_S3.into(), 403)
            }
            Self::SignatureExpired { .. } | Self::SignatureNotYetCurrent { .. } => (
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.".into(),
                403,
            ),
            Self::PresignedExpired { .. } => ("AccessDenied", "Request has expired".into(), 403),
            Self::PresignedNotYetValid { .. } => ("AccessDenied", "Request is not yet valid".into(), 403),
            Self::UnknownAccessKey => (
                "InvalidAccessKeyId",
                "The AWS Access Key Id you provided does not exist in our records.".into(),
                403,
            ),
            Self::InvalidToken => {
                ("InvalidToken", "The provided token is malformed or otherwise invalid.".into(), 400)
            }
            Self::ExpiredToken => ("ExpiredToken", "The provided token has expired.".into(), 400),
            Self::MissingPayloadHash => (
                "InvalidRequest",
                "Missing required header for this request: x-amz-content-sha256".into(),
                400,
            ),
            Self::InvalidPayloadHash => ("InvalidArgument", PAYLOAD_HASH_S3.into(), 400),
            Self::BodyHashNeeded => internal("InternalError"),
            Self::PayloadMismatch => (
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.".into(),
                400,
            ),
            Self::MissingDecodedLength => (
                "MissingContentLength",
                "You must provide the Content-Length HTTP header.".into(),
                411,
            ),
            Self::IncompleteBody => (
                "IncompleteBody",
                "You did not provide the number of bytes specified by the Content-Length HTTP header".into(),
                400,
            ),
            Self::MalformedChunk(_) => (
                "IncompleteBody",
                "The request body terminated unexpectedly".into(),
                400,
            ),
            Self::ChunkTooSmall => (
                "InvalidChunkSizeError",
                "Only the last chunk is allowed to have a size less than 8192 bytes".into(),
                403,
            ),
            Self::MalformedTrailer => (
                "MalformedTrailerError",
                "The request contained trailing data that was not well-formed or did not conform to our published schema.".into(),
                400,
            ),
            Self::ChecksumMismatch { algorithm } => (
                "BadDigest",
                format!("The {algorithm} you specified did not match the calculated checksum.").into(),
                400,
            ),
        }
    }

    fn for_others(&self, family: Family) -> (&'static str, Cow<'static, str>, u16) {
        match self {
            Self::MissingAuthenticationToken => match family {
                Family::Query => (
                    "MissingAuthenticationToken",
                    "Request is missing Authentication Token".into(),
                    403,
                ),
                Family::RestJson => (
                    "MissingAuthenticationTokenException",
                    "Missing Authentication Token".into(),
                    403,
                ),
                Family::S3 | Family::Json => (
                    "MissingAuthenticationTokenException",
                    "Request is missing Authentication Token".into(),
                    400,
                ),
            },
            Self::SeveralMechanisms => incomplete(
                family,
                "Request must not carry both an Authorization header and query-string authentication parameters.",
            ),
            Self::Refused(reason) => ("ValidationException", Cow::Borrowed(*reason), 400),
            Self::NotKeyValue { header_hash } => incomplete(
                family,
                format!(
                    "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and \
                     encoded with Base64): '{header_hash}'."
                ),
            ),
            Self::MissingParameters { missing, header_hash } => {
                let mut text = String::new();
                for name in missing {
                    if *name == "Date" {
                        text.push_str(
                            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
                        );
                    } else {
                        text.push_str("Authorization header requires '");
                        text.push_str(name);
                        text.push_str("' parameter. ");
                    }
                }
                text.push_str("(Hashed with SHA-256 and encoded with Base64) Authorization=");
                text.push_str(header_hash);
                incomplete(family, text)
            }
            Self::UnsupportedAlgorithm { algorithm } => {
                incomplete(family, format!("Unsupported AWS 'algorithm': '{algorithm}'."))
            }
            Self::MalformedCredential { credential } => incomplete(
                family,
                format!(
                    "Credential must have exactly 5 slash-delimited elements, e.g. \
                     keyid/date/region/service/term, got '{credential}'"
                ),
            ),
            Self::ScopeDateMismatch {
                scope_date,
                timestamp,
            } => mismatch(
                family,
                format!(
                    "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                     '{scope_date}' != '{}', from '{timestamp}'.",
                    timestamp.get(..8).unwrap_or(timestamp)
                ),
            ),
            Self::WrongRegion { found, .. } => mismatch(
                family,
                format!("Credential should be scoped to a valid region, not '{found}'. "),
            ),
            Self::WrongService { expected, .. } => mismatch(
                family,
                format!("Credential should be scoped to correct service: '{expected}'. "),
            ),
            Self::MalformedDate { value } => incomplete(
                family,
                format!(
                    "Date must be in ISO-8601 'basic format'. Got '{value}'. See http://en.wikipedia.org/wiki/ISO_8601"
                ),
            ),
            Self::Presigned(problem) => incomplete(family, problem.text()),
            Self::HostNotSigned => mismatch(
                family,
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
            ),
            Self::HeadersNotSigned { names } => mismatch(
                family,
                format!(
                    "'{}' must be a 'SignedHeader' in the AWS Authorization.",
                    names.join("', '")
                ),
            ),
            Self::SignatureExpired {
                signed_at,
                limit,
                now,
                minutes,
            } => mismatch(
                family,
                format!(
                    "Signature expired: {signed_at} is now earlier than {limit} ({now} - {minutes} min.)"
                ),
            ),
            Self::SignatureNotYetCurrent {
                signed_at,
                limit,
                now,
                minutes,
            } => mismatch(
                family,
                format!(
                    "Signature not yet current: {signed_at} is still later than {limit} ({now} + {minutes} min.)"
                ),
            ),
            Self::PresignedExpired { expired_at, now } => mismatch(
                family,
                format!("Signature expired: {expired_at} is now earlier than {now}"),
            ),
            Self::PresignedNotYetValid { signed_at, now } => mismatch(
                family,
                format!("Signature not yet current: {signed_at} is still later than {now}"),
            ),
            Self::UnknownAccessKey | Self::InvalidToken => (
                if family == Family::Query {
                    "InvalidClientTokenId"
                } else {
                    "UnrecognizedClientException"
                },
                "The security token included in the request is invalid.".into(),
                forbidden(family),
            ),
            Self::ExpiredToken => (
                if family == Family::Query {
                    "ExpiredToken"
                } else {
                    "ExpiredTokenException"
                },
                "The security token included in the request is expired".into(),
                forbidden(family),
            ),
            Self::BodyHashNeeded => internal(if family == Family::Json {
                "InternalServerError"
            } else {
                "InternalFailure"
            }),
            // A body that is not the signed one is simply a request with a wrong signature outside S3.
            Self::SignatureMismatch
            | Self::ChunkSignatureMismatch
            | Self::MissingPayloadHash
            | Self::InvalidPayloadHash
            | Self::PayloadMismatch
            | Self::MissingDecodedLength
            | Self::IncompleteBody
            | Self::MalformedChunk(_)
            | Self::ChunkTooSmall
            | Self::MalformedTrailer
            | Self::ChecksumMismatch { .. } => mismatch(family, MISMATCH),
        }
    }
}

impl PresignedProblem {
    /// AWS's text.
    fn text(self) -> &'static str {
        match self {
            Self::Incomplete => {
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                 X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
            }
            Self::Algorithm => {
                "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\""
            }
            Self::Credential => {
                "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting \
                 \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."
            }
            Self::Date => "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
            Self::ExpiresNotNumber => "X-Amz-Expires should be a number",
            Self::ExpiresNegative => "X-Amz-Expires must be non-negative",
            Self::ExpiresTooLong => {
                "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less \
                 than 604800 seconds"
            }
        }
    }
}

/// The JSON services answer 400 where the others answer 403.
fn forbidden(family: Family) -> u16 {
    if family == Family::Json { 400 } else { 403 }
}

fn header_malformed(detail: &str) -> (&'static str, Cow<'static, str>, u16) {
    (
        "AuthorizationHeaderMalformed",
        format!("The authorization header is malformed; {detail}").into(),
        400,
    )
}

fn incomplete(
    family: Family,
    message: impl Into<Cow<'static, str>>,
) -> (&'static str, Cow<'static, str>, u16) {
    match family {
        Family::Query => ("IncompleteSignature", message.into(), 400),
        Family::RestJson => ("IncompleteSignatureException", message.into(), 403),
        Family::S3 | Family::Json => ("IncompleteSignatureException", message.into(), 400),
    }
}

fn mismatch(family: Family, message: impl Into<Cow<'static, str>>) -> (&'static str, Cow<'static, str>, u16) {
    let code = if family == Family::Query {
        "SignatureDoesNotMatch"
    } else {
        "InvalidSignatureException"
    };
    (code, message.into(), forbidden(family))
}

fn internal(code: &'static str) -> (&'static str, Cow<'static, str>, u16) {
    (
        code,
        "We encountered an internal error. Please try again.".into(),
        500,
    )
}
