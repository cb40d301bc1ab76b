//! A request that owns its parts, so that tests can change them.

use jiff::Timestamp;
use rolecall_sigv4::{
    AuthError, Options, PayloadVerifier, RequestHead, SecretKey, VerifiedPayload, parse, verify,
};

pub(crate) const KEY: &str = "AKIDEXAMPLE";
pub(crate) const AWS_EXAMPLE_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

pub(crate) fn secret() -> SecretKey {
    SecretKey::new(SECRET)
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.into(),
            path: path.into(),
            query: query.into(),
            ..Self::default()
        }
        .header("Host", "example.amazonaws.com")
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.as_bytes().to_vec()));
        self
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    pub(crate) fn with_head<T>(&self, act: impl FnOnce(&RequestHead<'_>) -> T) -> T {
        let headers: Vec<(&str, &[u8])> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
            .collect();
        act(&RequestHead {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
        })
    }

    /// Everything a service does: head, then body in pieces of `piece` bytes. `Ok(None)`: not signed.
    pub(crate) fn check(
        &self,
        secret: &SecretKey,
        now: Timestamp,
        piece: usize,
    ) -> Result<Option<(VerifiedPayload, Vec<u8>)>, AuthError> {
        use sha2::{Digest, Sha256};
        self.with_head(|head| {
            let Some(claim) = parse(head)? else {
                return Ok(None);
            };
            // The access key identifier is not under the signature: it chooses the secret.
            if ![KEY, AWS_EXAMPLE_KEY].contains(&claim.access_key_id.as_str()) {
                return Err(AuthError::UnknownAccessKey);
            }
            let options = Options {
                body_sha256: Some(Sha256::digest(&self.body).into()),
                ..Options::default()
            };
            let verified = verify(head, &claim, secret, now, &options)?;
            let mut payload = PayloadVerifier::new(head, &claim, &verified)?;
            let mut decoded = Vec::new();
            for bytes in self.body.chunks(piece) {
                payload.push(bytes, |piece| decoded.extend_from_slice(piece))?;
            }
            Ok(Some((payload.finish()?, decoded)))
        })
    }
}
