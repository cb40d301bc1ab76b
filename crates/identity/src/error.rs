//! What can go wrong in the domain, with the codes and sentences of AWS.
//!
//! Source: IAM API Reference, "Errors" of each operation; sentences as the service answers them.

use rolecall_store::{CommitError, StoreError};
use thiserror::Error;

/// A change or a question that IAM refuses.
///
/// The variants up to [`IdentityError::Validation`] are AWS's error codes and carry AWS's sentence; the others
/// are failures of the endpoint itself.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// `NoSuchEntity`, 404.
    #[error("{0}")]
    NoSuchEntity(String),
    /// `EntityAlreadyExists`, 409.
    #[error("{0}")]
    EntityAlreadyExists(String),
    /// `LimitExceeded`, 409.
    #[error("{0}")]
    LimitExceeded(String),
    /// `DeleteConflict`, 409.
    #[error("{0}")]
    DeleteConflict(String),
    /// `MalformedPolicyDocument`, 400.
    #[error("{0}")]
    MalformedPolicyDocument(String),
    /// `InvalidInput`, 400.
    #[error("{0}")]
    InvalidInput(String),
    /// `UnmodifiableEntity`, 400: the entity belongs to AWS.
    #[error("{0}")]
    UnmodifiableEntity(String),
    /// `PolicyNotAttachable`, 400.
    #[error("{0}")]
    PolicyNotAttachable(String),
    /// `PackedPolicyTooLarge`, 400.
    #[error("{0}")]
    PackedPolicyTooLarge(String),
    /// `ValidationError`, 400.
    #[error("{0}")]
    Validation(String),
    /// A record could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A change could not be committed; nothing was changed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The server is stopping.
    #[error("the server stopped before the change was confirmed, look whether it was made")]
    Interrupted,
    /// The system gave no random bytes.
    #[error("the operating system gave no random bytes, so no identifier or key can be made")]
    Randomness,
}

impl IdentityError {
    /// AWS's error code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSuchEntity(_) => "NoSuchEntity",
            Self::EntityAlreadyExists(_) => "EntityAlreadyExists",
            Self::LimitExceeded(_) => "LimitExceeded",
            Self::DeleteConflict(_) => "DeleteConflict",
            Self::MalformedPolicyDocument(_) => "MalformedPolicyDocument",
            Self::InvalidInput(_) => "InvalidInput",
            Self::UnmodifiableEntity(_) => "UnmodifiableEntity",
            Self::PolicyNotAttachable(_) => "PolicyNotAttachable",
            Self::PackedPolicyTooLarge(_) => "PackedPolicyTooLarge",
            Self::Validation(_) => "ValidationError",
            Self::Store(_) | Self::Commit(_) | Self::Interrupted | Self::Randomness => "ServiceFailure",
        }
    }

    /// The HTTP status that goes with the code.
    pub fn status(&self) -> u16 {
        match self {
            Self::NoSuchEntity(_) => 404,
            Self::EntityAlreadyExists(_) | Self::LimitExceeded(_) | Self::DeleteConflict(_) => 409,
            Self::MalformedPolicyDocument(_)
            | Self::InvalidInput(_)
            | Self::UnmodifiableEntity(_)
            | Self::PolicyNotAttachable(_)
            | Self::PackedPolicyTooLarge(_)
            | Self::Validation(_) => 400,
            Self::Store(_) | Self::Commit(_) | Self::Interrupted | Self::Randomness => 500,
        }
    }

    /// Whether rolecall itself failed, so that the cause goes to the log and not to the caller.
    pub fn is_internal(&self) -> bool {
        self.status() >= 500
    }
}

/// Why credentials are not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// There is no such access key.
    #[error("the access key is not known")]
    UnknownKey,
    /// The key is there, but switched off.
    #[error("the access key is inactive")]
    InactiveKey,
    /// Temporary credentials came without their session token.
    #[error("temporary credentials need their session token")]
    MissingToken,
    /// The session token was not issued here, was changed, belongs to another key, or its role or user is gone.
    #[error("the session token is invalid")]
    InvalidToken,
    /// The session has ended.
    #[error("the session token has expired")]
    ExpiredToken,
}
