//! Codes, texts and statuses as clients see them.

use rolecall_sigv4::{AuthError, Family, PresignedProblem};

#[test]
fn errors_are_worded_as_aws_words_them() {
    let expired = AuthError::SignatureExpired {
        signed_at: "20220127T001427Z".into(),
        limit: "20220127T014428Z".into(),
        now: "20220127T015928Z".into(),
        minutes: 15,
    };
    let incomplete = AuthError::MissingParameters {
        missing: vec!["Credential", "Signature", "SignedHeaders", "Date"],
        header_hash: "HASH".into(),
    };
    let region = AuthError::WrongRegion {
        found: "us-east-2".into(),
        expected: "us-east-1".into(),
    };
    for (error, family, code, message, status) in [
        (
            &AuthError::SignatureMismatch,
            Family::S3,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
            403,
        ),
        (
            &AuthError::SignatureMismatch,
            Family::Json,
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
            400,
        ),
        (
            &expired,
            Family::Query,
            "SignatureDoesNotMatch",
            "Signature expired: 20220127T001427Z is now earlier than 20220127T014428Z (20220127T015928Z - 15 min.)",
            403,
        ),
        (
            &expired,
            Family::S3,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
            403,
        ),
        (
            &incomplete,
            Family::RestJson,
            "IncompleteSignatureException",
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. (Hashed with SHA-256 and encoded with Base64) Authorization=HASH",
            403,
        ),
        (
            &region,
            Family::Query,
            "SignatureDoesNotMatch",
            "Credential should be scoped to a valid region, not 'us-east-2'. ",
            403,
        ),
        (
            &region,
            Family::S3,
            "AuthorizationHeaderMalformed",
            "The authorization header is malformed; the region 'us-east-2' is wrong; expecting 'us-east-1'",
            400,
        ),
        (
            &AuthError::UnknownAccessKey,
            Family::RestJson,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            403,
        ),
        (
            &AuthError::UnknownAccessKey,
            Family::Query,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
            403,
        ),
        (
            &AuthError::UnknownAccessKey,
            Family::S3,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
            403,
        ),
        (
            &AuthError::ExpiredToken,
            Family::Query,
            "ExpiredToken",
            "The security token included in the request is expired",
            403,
        ),
        (
            &AuthError::ExpiredToken,
            Family::S3,
            "ExpiredToken",
            "The provided token has expired.",
            400,
        ),
        (
            &AuthError::PresignedExpired {
                expired_at: String::new(),
                now: String::new(),
            },
            Family::S3,
            "AccessDenied",
            "Request has expired",
            403,
        ),
        (
            &AuthError::Presigned(PresignedProblem::Incomplete),
            Family::S3,
            "AuthorizationQueryParametersError",
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
            400,
        ),
        (
            &AuthError::MissingAuthenticationToken,
            Family::RestJson,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
            403,
        ),
    ] {
        let response = error.code_and_message(family);
        assert_eq!(
            (response.code, response.message.as_ref(), response.status),
            (code, message, status),
            "{error:?} {family:?}"
        );
    }
}
