//! Checksums of objects: computed while a body is read, compared with what the client sent, kept with the object.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use rolecall_service::ServiceError;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::error;

/// An additional checksum algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    /// What S3 computes when a client names none.
    Crc64nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    const ALL: [Self; 5] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64nvme,
        Self::Sha1,
        Self::Sha256,
    ];

    /// As `ChecksumAlgorithm` has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// # Errors
    /// The algorithm is not known, or not served.
    pub(crate) fn parse(name: &str) -> Result<Self, ServiceError> {
        if let Some(found) = Self::ALL.into_iter().find(|algorithm| algorithm.name() == name) {
            return Ok(found);
        }
        if ["SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128"].contains(&name) {
            return Err(error::unsupported("x-amz-checksum-algorithm"));
        }
        Err(error::invalid_request(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
        ))
    }

    fn length(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    /// The type of a multipart object's checksum when the client names none.
    pub(crate) fn default_kind(self) -> Kind {
        match self {
            Self::Crc64nvme => Kind::FullObject,
            _ => Kind::Composite,
        }
    }

    /// Whether a multipart object may have a checksum of this type: hashes cannot be combined to one of the whole, and
    /// CRC64NVME is of the whole only.
    pub(crate) fn allows(self, kind: Kind) -> bool {
        match kind {
            Kind::FullObject => self.crc().is_some(),
            Kind::Composite => self != Self::Crc64nvme,
        }
    }
}

/// What a checksum was computed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// The object's bytes.
    FullObject,
    /// The checksums of its parts.
    Composite,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FullObject => "FULL_OBJECT",
            Self::Composite => "COMPOSITE",
        }
    }

    pub(crate) fn parse(name: &str) -> Result<Self, ServiceError> {
        match name {
            "FULL_OBJECT" => Ok(Self::FullObject),
            "COMPOSITE" => Ok(Self::Composite),
            _ => Err(error::invalid_request(
                "Value for x-amz-checksum-type header is invalid.",
            )),
        }
    }
}

/// A checksum as it is kept: base64, with `-N` for the composite of N parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checksum {
    pub(crate) algorithm: Algorithm,
    pub(crate) kind: Kind,
    pub(crate) value: String,
}

/// What a client says about a body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claims {
    /// `Content-MD5`, decoded.
    md5: Option<[u8; 16]>,
    /// `x-amz-checksum-…`, at most one.
    given: Option<(Algorithm, String)>,
    /// `x-amz-sdk-checksum-algorithm`: of a checksum the gateway has verified as a trailer.
    announced: Option<Algorithm>,
}

impl Claims {
    /// # Errors
    /// `Content-MD5` or a checksum is not base64 of the right length, or there are two.
    pub(crate) fn new(
        content_md5: Option<&str>,
        given: [(Algorithm, Option<&str>); 5],
        announced: Option<&str>,
    ) -> Result<Self, ServiceError> {
        let md5 = content_md5
            .map(|text| {
                STANDARD
                    .decode(text)
                    .ok()
                    .and_then(|bytes| <[u8; 16]>::try_from(bytes).ok())
                    .ok_or_else(|| {
                        error::coded("InvalidDigest", 400, "The Content-MD5 you specified was invalid.")
                            .with_field("Content-MD5", text)
                    })
            })
            .transpose()?;
        let mut found = given
            .into_iter()
            .filter_map(|(algorithm, value)| Some((algorithm, value?)));
        let first = found.next();
        if found.next().is_some() {
            return Err(error::invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            ));
        }
        if let Some((algorithm, value)) = first {
            check_form(algorithm, value)?;
        }
        Ok(Self {
            md5,
            given: first.map(|(algorithm, value)| (algorithm, value.to_owned())),
            announced: announced.map(Algorithm::parse).transpose()?,
        })
    }

    /// The algorithm the client chose, if it chose one.
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        self.given
            .as_ref()
            .map(|(algorithm, _)| *algorithm)
            .or(self.announced)
    }

    /// Compares the claims with what was computed.
    ///
    /// # Errors
    /// One of them does not hold.
    pub(crate) fn verify(&self, digests: &Digests) -> Result<(), ServiceError> {
        if self.md5.is_some_and(|md5| md5 != digests.md5) {
            return Err(error::coded(
                "BadDigest",
                400,
                "The Content-MD5 you specified did not match what we received.",
            ));
        }
        match &self.given {
            Some((algorithm, value)) if digests.get(*algorithm) != Some(value.as_str()) => {
                Err(error::bad_digest(algorithm.name()))
            }
            _ => Ok(()),
        }
    }
}

/// # Errors
/// `value` cannot be a checksum of `algorithm`.
fn check_form(algorithm: Algorithm, value: &str) -> Result<(), ServiceError> {
    let fits = STANDARD
        .decode(value)
        .is_ok_and(|bytes| bytes.len() == algorithm.length());
    if fits {
        return Ok(());
    }
    Err(error::invalid_request(format!(
        "Value for x-amz-checksum-{} header is invalid.",
        algorithm.name().to_ascii_lowercase()
    )))
}

/// Reads the checksums a client claims from a generated input.
macro_rules! claims {
    ($input:expr) => {{
        let input = &$input;
        $crate::checksum::refuse_newer!(input);
        $crate::checksum::Claims::new(
            input.content_md5.as_deref(),
            $crate::checksum::given!(input),
            input.checksum_algorithm.as_deref(),
        )
    }};
}

/// The checksum members of a generated structure that are served.
macro_rules! given {
    ($input:expr) => {
        [
            (
                $crate::checksum::Algorithm::Crc32,
                $input.checksum_crc32.as_deref(),
            ),
            (
                $crate::checksum::Algorithm::Crc32c,
                $input.checksum_crc32c.as_deref(),
            ),
            (
                $crate::checksum::Algorithm::Crc64nvme,
                $input.checksum_crc64nvme.as_deref(),
            ),
            ($crate::checksum::Algorithm::Sha1, $input.checksum_sha1.as_deref()),
            (
                $crate::checksum::Algorithm::Sha256,
                $input.checksum_sha256.as_deref(),
            ),
        ]
    };
}

/// Refuses the checksum members of a generated input that are not served.
macro_rules! refuse_newer {
    ($input:expr) => {
        $crate::request::refuse!($input,
            checksum_sha512 => "x-amz-checksum-sha512",
            checksum_md5 => "x-amz-checksum-md5",
            checksum_xxhash64 => "x-amz-checksum-xxhash64",
            checksum_xxhash3 => "x-amz-checksum-xxhash3",
            checksum_xxhash128 => "x-amz-checksum-xxhash128",
        )
    };
}

/// Writes a [`Checksum`] into the members of a generated structure.
macro_rules! show {
    ($output:expr, $checksum:expr) => {
        if let Some(checksum) = $checksum {
            let value = Some(checksum.value.clone());
            match checksum.algorithm {
                $crate::checksum::Algorithm::Crc32 => $output.checksum_crc32 = value,
                $crate::checksum::Algorithm::Crc32c => $output.checksum_crc32c = value,
                $crate::checksum::Algorithm::Crc64nvme => $output.checksum_crc64nvme = value,
                $crate::checksum::Algorithm::Sha1 => $output.checksum_sha1 = value,
                $crate::checksum::Algorithm::Sha256 => $output.checksum_sha256 = value,
            }
        }
    };
}

pub(crate) use {claims, given, refuse_newer, show};

/// What a body's bytes come to.
#[derive(Debug, Clone)]
pub(crate) struct Digests {
    /// MD5, which the `ETag` shows.
    pub(crate) md5: [u8; 16],
    checksums: Vec<(Algorithm, String)>,
}

impl Digests {
    /// The checksum of `algorithm` in base64, if it was computed.
    pub(crate) fn get(&self, algorithm: Algorithm) -> Option<&str> {
        self.checksums
            .iter()
            .find(|(have, _)| *have == algorithm)
            .map(|(_, value)| value.as_str())
    }

    /// The same as it is kept with an object.
    pub(crate) fn checksum(&self, algorithm: Algorithm) -> Option<Checksum> {
        self.get(algorithm).map(|value| Checksum {
            algorithm,
            kind: Kind::FullObject,
            value: value.to_owned(),
        })
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Checksum> {
        self.checksums
            .iter()
            .filter_map(|(algorithm, _)| self.checksum(*algorithm))
            .collect()
    }
}

enum Running {
    Crc(Box<crc_fast::Digest>, usize),
    Sha1(Box<sha1::Sha1>),
    Sha256(Box<sha2::Sha256>),
}

/// Computes MD5 and other checksums of bytes that come piece by piece.
pub(crate) struct Digester {
    md5: md5::Md5,
    running: Vec<(Algorithm, Running)>,
}

impl Digester {
    /// For MD5 and `algorithms`; one that is there twice counts once.
    pub(crate) fn new(algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        let mut running: Vec<(Algorithm, Running)> = Vec::new();
        for algorithm in algorithms {
            if running.iter().any(|(have, _)| *have == algorithm) {
                continue;
            }
            let started = match (algorithm, algorithm.crc()) {
                (_, Some(crc)) => Running::Crc(Box::new(crc_fast::Digest::new(crc)), algorithm.length()),
                (Algorithm::Sha256, None) => Running::Sha256(Box::default()),
                (_, None) => Running::Sha1(Box::default()),
            };
            running.push((algorithm, started));
        }
        Self {
            md5: md5::Md5::default(),
            running,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        for (_, running) in &mut self.running {
            match running {
                Running::Crc(digest, _) => digest.update(bytes),
                Running::Sha1(digest) => digest.update(bytes),
                Running::Sha256(digest) => digest.update(bytes),
            }
        }
    }

    pub(crate) fn finish(self) -> Digests {
        let checksums = self
            .running
            .into_iter()
            .map(|(algorithm, running)| {
                let value = match running {
                    Running::Crc(digest, length) => encode_crc(digest.finalize(), length),
                    Running::Sha1(digest) => STANDARD.encode(digest.finalize()),
                    Running::Sha256(digest) => STANDARD.encode(digest.finalize()),
                };
                (algorithm, value)
            })
            .collect();
        Digests {
            md5: self.md5.finalize().into(),
            checksums,
        }
    }
}

fn encode_crc(value: u64, length: usize) -> String {
    let bytes = value.to_be_bytes();
    STANDARD.encode(
        bytes
            .get(bytes.len().saturating_sub(length)..)
            .unwrap_or_default(),
    )
}

/// Digests of bytes in memory.
pub(crate) fn digest(bytes: &[u8], algorithms: impl IntoIterator<Item = Algorithm>) -> Digests {
    let mut digester = Digester::new(algorithms);
    digester.update(bytes);
    digester.finish()
}

/// The `ETag` of a multipart object: MD5 over the parts' MD5s, and their number.
pub(crate) fn multipart_etag(parts: impl IntoIterator<Item = [u8; 16]>) -> String {
    let mut digest = md5::Md5::default();
    let mut count: usize = 0;
    for part in parts {
        digest.update(part);
        count = count.saturating_add(1);
    }
    format!("{}-{count}", hex::encode(digest.finalize()))
}

/// The checksum of a multipart object from those of its parts, as (base64, length of the part in bytes). `None` if a
/// part's checksum is not readable, or hashes should be combined to one of the whole.
pub(crate) fn combine(algorithm: Algorithm, kind: Kind, parts: &[(&str, u64)]) -> Option<Checksum> {
    let value = match kind {
        Kind::Composite => {
            let mut all = Vec::with_capacity(parts.len().saturating_mul(algorithm.length()));
            for (value, _) in parts {
                all.extend(STANDARD.decode(value).ok()?);
            }
            let digests = digest(&all, [algorithm]);
            format!("{}-{}", digests.get(algorithm)?, parts.len())
        }
        Kind::FullObject => {
            let crc = algorithm.crc()?;
            let mut combined: Option<u64> = None;
            for (value, length) in parts {
                let bytes = STANDARD.decode(value).ok()?;
                let part = bytes
                    .iter()
                    .take(8)
                    .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
                combined = Some(match combined {
                    None => part,
                    Some(before) => crc_fast::checksum_combine(crc, before, part, *length),
                });
            }
            encode_crc(combined?, algorithm.length())
        }
    };
    Some(Checksum {
        algorithm,
        kind,
        value,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_values() {
        // Check values of the catalogue of CRC algorithms for "123456789"; SHA ones from FIPS 180 tools.
        let digests = digest(b"123456789", Algorithm::ALL);
        let raw = |algorithm| hex::encode(STANDARD.decode(digests.get(algorithm).unwrap()).unwrap());
        assert_eq!(raw(Algorithm::Crc32), "cbf43926");
        assert_eq!(raw(Algorithm::Crc32c), "e3069283");
        assert_eq!(raw(Algorithm::Crc64nvme), "ae8b14860a799888");
        assert_eq!(raw(Algorithm::Sha1), "f7c3bc1d808e04732adf679965ccc34ca7ae3441");
        assert_eq!(
            raw(Algorithm::Sha256),
            "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"
        );
        assert_eq!(hex::encode(digests.md5), "25f9e794323b453885f5181f1b624d0b");
    }

    #[test]
    fn wrong_claims_are_refused() {
        let digests = digest(b"orders", [Algorithm::Crc32]);
        let right = digests.get(Algorithm::Crc32).unwrap();
        let with = |value| {
            let none = (Algorithm::Sha1, None);
            Claims::new(
                None,
                [(Algorithm::Crc32, Some(value)), none, none, none, none],
                None,
            )
        };
        assert!(with(right).unwrap().verify(&digests).is_ok());
        let wrong = digest(b"order", [Algorithm::Crc32]);
        let wrong = with(wrong.get(Algorithm::Crc32).unwrap()).unwrap();
        assert_eq!(wrong.verify(&digests).unwrap_err().code(), "BadDigest");
        for value in ["", "!", "AAAA", "AAAAAAAAAAAAAAAA"] {
            assert_eq!(with(value).unwrap_err().code(), "InvalidRequest", "{value}");
        }
    }

    proptest! {
        #[test]
        fn parts_combine_to_the_whole(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..200), 1..6)) {
            for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64nvme] {
                let single: Vec<(String, u64)> = parts
                    .iter()
                    .map(|part| {
                        (digest(part, [algorithm]).get(algorithm).unwrap().to_owned(), part.len() as u64)
                    })
                    .collect();
                let borrowed: Vec<(&str, u64)> =
                    single.iter().map(|(value, length)| (value.as_str(), *length)).collect();
                let combined = combine(algorithm, Kind::FullObject, &borrowed).unwrap();
                let whole = digest(&parts.concat(), [algorithm]);
                prop_assert_eq!(Some(combined.value.as_str()), whole.get(algorithm));
            }
        }
    }
}
