//! Stored values carry their version, so that a newer rolecall can read what an older one wrote.
//!
//! A stored value is one version byte followed by JSON. A type that changes shape raises [`Stored::VERSION`] and turns
//! the former shape into its own in [`Stored::migrate`]; nothing has to be rewritten at the upgrade.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Entry, StoreError};

/// A type that is kept in the store.
pub trait Stored: Serialize + DeserializeOwned {
    /// The version of the shape this type has now. Never 0, never lowered.
    const VERSION: u8;

    /// Reads the JSON of an earlier version. The default knows of none.
    fn migrate(version: u8, json: &[u8]) -> Result<Self, StoreError> {
        let _ = json;
        Err(StoreError::Decode {
            what: std::any::type_name::<Self>(),
            reason: format!(
                "its version is {version} and this program reads {}",
                Self::VERSION
            ),
        })
    }
}

/// The value to put for `value`.
pub fn encode<T: Stored>(value: &T) -> Result<Bytes, StoreError> {
    let mut bytes = vec![T::VERSION];
    serde_json::to_writer(&mut bytes, value).map_err(|error| decode_error::<T>(&error))?;
    Ok(bytes.into())
}

/// The `T` that was put as `bytes`, migrated if it was an earlier version.
pub fn decode<T: Stored>(bytes: &[u8]) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((version, json)) if *version == T::VERSION => from_json(json),
        Some((version, json)) => T::migrate(*version, json),
        None => Err(StoreError::Decode {
            what: std::any::type_name::<T>(),
            reason: "it is empty".to_owned(),
        }),
    }
}

/// Parses JSON of a stored value; for use in [`Stored::migrate`] with the former type.
pub fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(json).map_err(|error| decode_error::<T>(&error))
}

/// serde's message can quote the value, which may be a secret; only the place and kind of the mistake are kept.
fn decode_error<T>(error: &serde_json::Error) -> StoreError {
    StoreError::Decode {
        what: std::any::type_name::<T>(),
        reason: format!(
            "{:?} error at line {} column {}",
            error.classify(),
            error.line(),
            error.column()
        ),
    }
}

impl Entry {
    /// The entry's value as `T`.
    pub fn decode<T: Stored>(&self) -> Result<T, StoreError> {
        decode(&self.value)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]
    use super::*;
    use serde::Deserialize;

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Role {
        name: String,
        path: String,
    }

    #[derive(Deserialize)]
    struct RoleBeforePaths {
        name: String,
    }

    impl Stored for Role {
        const VERSION: u8 = 2;
        fn migrate(version: u8, json: &[u8]) -> Result<Self, StoreError> {
            match version {
                1 => from_json::<RoleBeforePaths>(json).map(|old| Role {
                    name: old.name,
                    path: "/".to_owned(),
                }),
                _ => Err(StoreError::Decode {
                    what: "Role",
                    reason: format!("version {version}"),
                }),
            }
        }
    }

    #[test]
    fn values_come_back_and_old_ones_migrate() {
        let role = Role {
            name: "intake".to_owned(),
            path: "/".to_owned(),
        };
        assert_eq!(decode::<Role>(&encode(&role).unwrap()).unwrap(), role);
        assert_eq!(decode::<Role>(b"\x01{\"name\":\"intake\"}").unwrap(), role);
    }

    #[test]
    fn what_cannot_be_read_is_an_error_without_the_value() {
        for bytes in [
            &b""[..],
            b"\x02",
            b"\x03{}",
            b"\x02{\"name\":\"wJalr\",\"path\":7}",
        ] {
            let error = decode::<Role>(bytes).unwrap_err();
            assert!(matches!(error, StoreError::Decode { .. }), "{error}");
            assert!(!error.to_string().contains("wJalr"), "{error}");
        }
    }
}
