//! The checksums S3 accepts in a trailer.
//!
//! See [Checking object integrity](https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// A checksum being computed.
pub(crate) enum Checksum {
    Crc32(crc32fast::Hasher),
    Crc32c(crc_fast::Digest),
    Crc64Nvme(crc_fast::Digest),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Checksum {
    /// For a header or trailer name in lower case; `None` if it is no checksum's.
    pub(crate) fn for_header(name: &str) -> Option<Self> {
        Some(match name {
            "x-amz-checksum-crc32" => Self::Crc32(crc32fast::Hasher::new()),
            "x-amz-checksum-crc32c" => {
                Self::Crc32c(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi))
            }
            "x-amz-checksum-crc64nvme" => {
                Self::Crc64Nvme(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme))
            }
            "x-amz-checksum-sha1" => Self::Sha1(Sha1::new()),
            "x-amz-checksum-sha256" => Self::Sha256(Sha256::new()),
            _ => return None,
        })
    }

    /// S3's name of the algorithm.
    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Crc32(_) => "CRC32",
            Self::Crc32c(_) => "CRC32C",
            Self::Crc64Nvme(_) => "CRC64NVME",
            Self::Sha1(_) => "SHA1",
            Self::Sha256(_) => "SHA256",
        }
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        match self {
            Self::Crc32(state) => state.update(data),
            Self::Crc32c(state) | Self::Crc64Nvme(state) => state.update(data),
            Self::Sha1(state) => state.update(data),
            Self::Sha256(state) => state.update(data),
        }
    }

    /// Big-endian bytes in base64, as S3 writes checksums.
    pub(crate) fn finish(self) -> String {
        match self {
            Self::Crc32(state) => STANDARD.encode(state.finalize().to_be_bytes()),
            Self::Crc32c(state) => {
                let [_, _, _, _, low @ ..] = state.finalize().to_be_bytes();
                STANDARD.encode(low)
            }
            Self::Crc64Nvme(state) => STANDARD.encode(state.finalize().to_be_bytes()),
            Self::Sha1(state) => STANDARD.encode(state.finalize()),
            Self::Sha256(state) => STANDARD.encode(state.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing unwrap is the failing test")]
    use super::*;

    /// Check values of the CRC catalogue for the text `123456789`, and the SHA digests Python computes for it.
    #[test]
    fn check_values() {
        for (name, want) in [
            ("x-amz-checksum-crc32", "y/Q5Jg=="),
            ("x-amz-checksum-crc32c", "4waSgw=="),
            ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
            ("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
            (
                "x-amz-checksum-sha256",
                "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
            ),
        ] {
            let mut checksum = Checksum::for_header(name).unwrap();
            checksum.update(b"1234");
            checksum.update(b"56789");
            assert_eq!(checksum.finish(), want, "{name}");
        }
        assert!(Checksum::for_header("x-amz-checksum-md5").is_none());
    }
}
