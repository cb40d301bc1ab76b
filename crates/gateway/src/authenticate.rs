//! Stage three, verify: whose signature it is, and whether head and body are what was signed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::Incoming;
use jiff::Timestamp;
use rolecall_identity::{ApplicablePolicies, KeyError, ResolvedKey};
use rolecall_service::{Caller, SessionFacts};
use rolecall_sigv4::{
    AuthError, Claim, Form, Options, PayloadHash, PayloadVerifier, SecretKey, SigningKey, Verified, verify,
    verify_with_key,
};
use rolecall_wire::ByteStream;
use sha2::{Digest, Sha256};

use crate::Gateway;
use crate::body::{self, BodyError, MemoryShare};
use crate::message::Head;

/// A caller whose signature holds, and the policies that apply to it.
pub(crate) struct Authenticated {
    pub(crate) caller: Arc<Caller>,
    pub(crate) policies: Arc<ApplicablePolicies>,
}

/// How much of a body the operation takes, and where large ones go.
pub(crate) struct BodyLimit {
    pub(crate) bytes: u64,
    /// Whether it may be spooled to a file.
    pub(crate) streaming: bool,
}

/// A body on its way in, and what it may take.
pub(crate) struct Reception<'a> {
    pub(crate) body: &'a mut Incoming,
    pub(crate) limit: BodyLimit,
    pub(crate) memory: &'a mut MemoryShare,
}

/// Region of the endpoints that are the same everywhere.
pub(crate) const GLOBAL_REGION: &str = "us-east-1";

/// Signing keys of the day, so that a busy client's key is derived once and not at every request. An access key id has
/// one secret as long as the process lives, so the id stands for the secret here.
#[derive(Default)]
pub(crate) struct SigningKeys {
    keys: Mutex<HashMap<(String, String, String, String), SigningKey>>,
}

/// Keys kept at once; a key is derived again in a few microseconds.
const KEPT_KEYS: usize = 1024;

impl SigningKeys {
    fn get(&self, claim: &Claim, secret: &SecretKey) -> SigningKey {
        let scope = &claim.scope;
        let place = (
            claim.access_key_id.clone(),
            scope.date.clone(),
            scope.region.clone(),
            scope.service.clone(),
        );
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = keys.get(&place) {
            return key.clone();
        }
        let key = SigningKey::derive(secret, scope);
        if keys.len() >= KEPT_KEYS {
            keys.clear();
        }
        keys.insert(place, key.clone());
        key
    }
}

impl Gateway {
    /// Finds whose key signed, before anything of the body is read: an unknown key costs no memory.
    pub(crate) fn resolve(&self, claim: &Claim, now: Timestamp) -> Result<ResolvedKey, AuthError> {
        self.directory
            .resolve_key(&claim.access_key_id, claim.session_token.as_deref(), now)
            .map_err(|error| match error {
                KeyError::UnknownKey | KeyError::InactiveKey => AuthError::UnknownAccessKey,
                KeyError::MissingToken | KeyError::InvalidToken => AuthError::InvalidToken,
                KeyError::ExpiredToken => AuthError::ExpiredToken,
            })
    }

    /// Receives the body and verifies it together with the head.
    pub(crate) async fn receive_signed(
        &self,
        head: &Head,
        bucket: Option<&str>,
        claim: &Claim,
        key: &ResolvedKey,
        reception: &mut Reception<'_>,
        now: Timestamp,
    ) -> Result<ByteStream, BodyError> {
        let secret = SecretKey::new(key.secret.expose());
        if claim.payload == PayloadHash::Body {
            let limit = usize::try_from(reception.limit.bytes).unwrap_or(usize::MAX);
            let bytes = body::receive(reception.body, limit, reception.memory).await?;
            let hash = Sha256::digest(&bytes).into();
            self.verify_head(head, bucket, claim, &secret, Some(hash), now)?;
            return Ok(ByteStream::Memory(bytes));
        }
        let verified = self.verify_head(head, bucket, claim, &secret, None, now)?;
        let verifier = head.with_borrowed(|head| PayloadVerifier::new(head, claim, &verified))?;
        self.receive_body(verifier, reception).await
    }

    /// Receives the body of a request that is not signed.
    pub(crate) async fn receive_unsigned(
        &self,
        head: &Head,
        reception: &mut Reception<'_>,
    ) -> Result<ByteStream, BodyError> {
        let verifier = head.with_borrowed(PayloadVerifier::anonymous)?;
        self.receive_body(verifier, reception).await
    }

    async fn receive_body(
        &self,
        verifier: PayloadVerifier,
        reception: &mut Reception<'_>,
    ) -> Result<ByteStream, BodyError> {
        let Reception { body, limit, memory } = reception;
        let stream =
            body::receive_verified(*body, verifier, limit.bytes, &self.options.spool, memory).await?;
        if limit.streaming || stream.as_memory().is_some() {
            return Ok(stream);
        }
        // Only the content of objects is read from files; documents are parsed in memory.
        let length = usize::try_from(limit.bytes).unwrap_or(usize::MAX);
        memory.cover(usize::try_from(stream.len()).unwrap_or(usize::MAX))?;
        stream.read_all(length).map(ByteStream::Memory).map_err(|error| {
            tracing::error!(%error, "a spooled body could not be read");
            BodyError::refused("InternalFailure", 500, "The request's body could not be read.")
        })
    }

    /// The region a signature must be scoped to. An endpoint is one region's, as in AWS: if callers could choose, a
    /// policy with `aws:RequestedRegion` or with a region in an ARN would be decided by what they chose. IAM and STS are
    /// also at their global endpoint, which is us-east-1's.
    ///
    /// Source: IAM User Guide, "Regions and endpoints" of IAM and of AWS STS.
    fn expected_region(&self, claim: &Claim) -> Option<&str> {
        let global =
            matches!(claim.scope.service.as_str(), "iam" | "sts") && claim.scope.region == GLOBAL_REGION;
        // Signature Version 2 has no scope, and Amazon S3 takes it for the endpoint's region.
        (!global && claim.form != Form::LegacyPresigned).then_some(&self.options.region)
    }

    fn verify_head(
        &self,
        head: &Head,
        bucket: Option<&str>,
        claim: &Claim,
        secret: &SecretKey,
        body_sha256: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<Verified, AuthError> {
        let options = Options {
            expected_region: self.expected_region(claim),
            body_sha256,
            virtual_host_bucket: bucket,
            ..Options::default()
        };
        head.with_borrowed(|head| {
            if claim.form == Form::LegacyPresigned {
                verify(head, claim, secret, now, &options)
            } else {
                verify_with_key(head, claim, &self.signing_keys.get(claim, secret), now, &options)
            }
        })
    }
}

/// The caller a key stands for.
pub(crate) fn caller_of(key: &ResolvedKey, access_key_id: &str) -> Caller {
    Caller {
        principal: key.principal.clone(),
        access_key_id: Some(access_key_id.to_owned()),
        session: key.session.as_ref().map(|session| SessionFacts {
            issued_at: session.issued_at,
            expires_at: session.expires_at,
            source_identity: session.source_identity.clone(),
            multi_factor: session.multi_factor,
            transitive_tag_keys: session.transitive_tag_keys.clone(),
        }),
        tags: key.tags.clone(),
        invoked_by: None,
    }
}
