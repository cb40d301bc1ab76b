//! AWS Signature Version 4: verification as a service does it, and signing as a client does it.
//!
//! A request is handled in three steps, so that its body never has to be held in memory:
//!
//! 1. [`parse`] reads what the request *claims*: which key signed it, for which scope, over which headers.
//! 2. The caller looks the access key up and calls [`verify`], which recomputes the signature.
//! 3. A [`PayloadVerifier`] is fed the body as it arrives, and says at the end whether it is what was signed.
//!
//! The crate knows nothing of identities, accounts or HTTP libraries. It does no I/O and reads no clock.
//!
//! What is signed is described in AWS's
//! [Create a signed request](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html);
//! what S3 adds in
//! [Authenticating requests](https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html).

mod canonical;
mod checksum;
mod chunked;
mod claim;
mod error;
mod key;
mod legacy;
mod payload;
mod request;
mod sign;
mod time;
mod verify;

pub use claim::{Claim, Form, PayloadHash, Scope, parse};
pub use error::{AuthError, ErrorResponse, Family, PresignedProblem};
pub use key::{SecretKey, SigningKey};
pub use payload::{PayloadVerifier, VerifiedPayload};
pub use request::{MAX_HEADER_BYTES, MAX_HEADERS, MAX_PATH_BYTES, MAX_QUERY_BYTES, RequestHead};
pub use sign::{ChunkSigner, Credentials, Payload, presign, presign_legacy, sign};
pub use verify::{DEFAULT_CLOCK_SKEW_SECONDS, Options, Verified, verify, verify_with_key};
