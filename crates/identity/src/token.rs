//! Session tokens: temporary credentials without a record.
//!
//! A token is base64 of one version byte, a JSON payload that says who the session is and what limits it, and a
//! HMAC-SHA256 over both under the endpoint's server key. The secret access key that goes with it is another HMAC over
//! the same bytes. So nothing is written when a role is assumed, and sessions outlive a restart. The payload is
//! not encrypted: it holds nothing its bearer does not know.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::records::{ServerKey, Tag};
use crate::{KeyError, Secret, time};

/// The first byte of every token.
const VERSION: u8 = 1;
/// Bytes of the tag at the end of a token.
const MAC_LENGTH: usize = 32;
/// Longest token that is looked at, in characters of base64. The largest that is issued (50 tags of full length)
/// stays below.
const MAXIMUM_LENGTH: usize = 64 * 1024;

/// Separates the two uses of the server key.
const TOKEN_PURPOSE: &[u8] = b"rolecall session token\0";
const SECRET_PURPOSE: &[u8] = b"rolecall session secret\0";

/// Who a session is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Subject {
    /// A role, by id, and the session's name.
    Role { id: String, session_name: String },
    /// A user, by id.
    User { id: String },
    /// The account's root user.
    Root,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub(crate) account: String,
    pub(crate) key: String,
    pub(crate) nonce: String,
    pub(crate) subject: Subject,
    #[serde(with = "time")]
    pub(crate) issued: Timestamp,
    #[serde(with = "time")]
    pub(crate) expires: Timestamp,
    pub(crate) mfa: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source_identity: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<Tag>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) transitive: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) policy_arns: Vec<String>,
}

/// The tag of an accepted token; tokens that differ have different ones.
pub(crate) type TokenTag = [u8; MAC_LENGTH];

/// Issues and checks tokens.
pub(crate) struct Signer {
    key: Hmac<Sha256>,
}

impl Signer {
    pub(crate) fn new(key: &ServerKey) -> Result<Self, hmac::digest::InvalidLength> {
        Ok(Self {
            key: Hmac::new_from_slice(&key.0)?,
        })
    }

    fn mac(&self, purpose: &[u8], bytes: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.key.clone();
        mac.update(purpose);
        mac.update(bytes);
        mac
    }

    fn secret(&self, signed: &[u8]) -> Secret {
        let bytes = self.mac(SECRET_PURPOSE, signed).finalize().into_bytes();
        let mut text = STANDARD.encode(bytes);
        text.truncate(40);
        Secret::new(text)
    }

    /// The secret access key and the token for `payload`.
    pub(crate) fn issue(&self, payload: &Payload) -> Result<(Secret, Secret), serde_json::Error> {
        let mut bytes = vec![VERSION];
        serde_json::to_writer(&mut bytes, payload)?;
        let secret = self.secret(&bytes);
        let tag = self.mac(TOKEN_PURPOSE, &bytes).finalize().into_bytes();
        bytes.extend_from_slice(&tag);
        Ok((secret, Secret::new(STANDARD.encode(&bytes))))
    }

    /// What `token` says and the secret that goes with it, if it was issued with this key for `access_key_id` and has
    /// not ended at `now`. The tag is compared in constant time, before anything of the payload is read.
    pub(crate) fn verify(
        &self,
        token: &str,
        access_key_id: &str,
        now: Timestamp,
    ) -> Result<(Payload, Secret, TokenTag), KeyError> {
        if token.len() > MAXIMUM_LENGTH {
            return Err(KeyError::InvalidToken);
        }
        let bytes = STANDARD.decode(token).map_err(|_| KeyError::InvalidToken)?;
        let (signed, tag) = bytes
            .split_last_chunk::<MAC_LENGTH>()
            .ok_or(KeyError::InvalidToken)?;
        self.mac(TOKEN_PURPOSE, signed)
            .verify_slice(tag)
            .map_err(|_| KeyError::InvalidToken)?;
        let (&VERSION, json) = signed.split_first().ok_or(KeyError::InvalidToken)? else {
            return Err(KeyError::InvalidToken);
        };
        let payload: Payload = serde_json::from_slice(json).map_err(|_| KeyError::InvalidToken)?;
        if payload.key != access_key_id {
            return Err(KeyError::InvalidToken);
        }
        if payload.expires <= now {
            return Err(KeyError::ExpiredToken);
        }
        let secret = self.secret(signed);
        Ok((payload, secret, *tag))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use proptest::prelude::*;

    use super::*;

    fn payload() -> Payload {
        Payload {
            account: "123456789012".into(),
            key: "ASIAAAAAAAAAAAAAAAAA".into(),
            nonce: "N".into(),
            subject: Subject::Role {
                id: "AROA1".into(),
                session_name: "s".into(),
            },
            issued: Timestamp::from_second(1_000).unwrap(),
            expires: Timestamp::from_second(2_000).unwrap(),
            mfa: false,
            source_identity: None,
            tags: vec![Tag::new("k", "v")],
            transitive: vec![],
            policy: Some("{}".into()),
            policy_arns: vec![],
        }
    }

    fn signer(byte: u8) -> Signer {
        Signer::new(&ServerKey([byte; 32])).unwrap()
    }

    #[test]
    fn tokens_come_back_until_they_expire() {
        let (secret, token) = signer(1).issue(&payload()).unwrap();
        let check = |key: &str, second: i64| {
            signer(1).verify(token.expose(), key, Timestamp::from_second(second).unwrap())
        };
        let (read, derived, _) = check("ASIAAAAAAAAAAAAAAAAA", 1_999).unwrap();
        assert_eq!(read, payload());
        assert_eq!(derived, secret);
        assert_eq!(derived.expose().len(), 40);
        assert_eq!(
            check("ASIAAAAAAAAAAAAAAAAA", 2_000).unwrap_err(),
            KeyError::ExpiredToken
        );
        assert_eq!(
            check("ASIAAAAAAAAAAAAAAAAB", 1_999).unwrap_err(),
            KeyError::InvalidToken
        );
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let now = Timestamp::from_second(1_500).unwrap();
        let (_, token) = signer(1).issue(&payload()).unwrap();
        let bytes = STANDARD.decode(token.expose()).unwrap();
        for position in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[position] ^= 1 << bit;
                let error = signer(1)
                    .verify(&STANDARD.encode(&changed), "ASIAAAAAAAAAAAAAAAAA", now)
                    .unwrap_err();
                assert_eq!(error, KeyError::InvalidToken);
            }
        }
        assert_eq!(
            signer(2)
                .verify(token.expose(), "ASIAAAAAAAAAAAAAAAAA", now)
                .unwrap_err(),
            KeyError::InvalidToken,
            "another server's token"
        );
    }

    proptest! {
        #[test]
        fn no_text_is_a_token(text in ".{0,300}") {
            prop_assert!(signer(1).verify(&text, "ASIA", Timestamp::UNIX_EPOCH).is_err());
        }
    }
}
