//! Policy documents as the account keeps them: the text as written, compiled once when first needed.
//!
//! This is the only module that parses and compiles; the others pass [`PolicyText`] around.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rolecall_policy::{CompiledPolicy, Document, DocumentKind, ParseError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::rules::{self, Kind};
use crate::{IdentityError, limits};

/// A stored policy document. Cloning is cheap and shares the compiled form.
#[derive(Clone)]
pub struct PolicyText {
    text: Arc<str>,
    compiled: OnceLock<Option<Arc<CompiledPolicy>>>,
}

impl PolicyText {
    /// Wraps a document that was checked before.
    pub(crate) fn new(text: impl Into<Arc<str>>) -> Self {
        Self {
            text: text.into(),
            compiled: OnceLock::new(),
        }
    }

    /// The JSON text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The compiled policy, which reports itself as `label`; `None` if the engine refuses the text (it was checked when
    /// it was saved, so the stored record is damaged), in which case nothing may be granted to whom it applies.
    pub(crate) fn compiled(
        &self,
        kind: DocumentKind,
        label: impl FnOnce() -> String,
    ) -> Option<Arc<CompiledPolicy>> {
        self.compiled
            .get_or_init(|| {
                let label = label();
                match compile(&self.text, kind, &label) {
                    Ok(policy) => Some(policy),
                    Err(error) => {
                        tracing::error!(policy = label, %error, "a stored policy cannot be compiled; its principals are denied everything");
                        None
                    }
                }
            })
            .clone()
    }
}

impl fmt::Debug for PolicyText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl PartialEq for PolicyText {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Serialize for PolicyText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for PolicyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Characters of a document, white space left out.
pub(crate) fn size(text: &str) -> usize {
    text.chars()
        .filter(|character| !character.is_ascii_whitespace())
        .count()
}

/// Checks an inline identity-based policy, and gives its size.
pub(crate) fn check_identity(text: &str) -> Result<usize, IdentityError> {
    check(text, Kind::Inline, DocumentKind::Identity, JSON)?;
    Ok(size(text))
}

/// Checks a version of a managed policy.
pub(crate) fn check_managed(text: &str) -> Result<(), IdentityError> {
    check(text, Kind::Managed, DocumentKind::Identity, JSON)?;
    check_size(text, "PolicySize", limits::MANAGED_POLICY_SIZE)
}

/// Checks a trust policy. Its principals are looked up when they are bound.
pub(crate) fn check_trust(text: &str) -> Result<(), IdentityError> {
    check(text, Kind::Trust, DocumentKind::Trust, JSON)?;
    check_size(text, "ACLSizePerRole", limits::TRUST_POLICY_SIZE)
}

/// Checks an inline session policy; its size is checked with the ARNs and tags of the session.
pub(crate) fn check_session(text: &str) -> Result<(), IdentityError> {
    check(
        text,
        Kind::Inline,
        DocumentKind::Session,
        "The policy is not in the valid JSON format.",
    )
}

/// What IAM says to text that is no JSON.
const JSON: &str = "This policy contains invalid Json";

/// Longest text that is looked at at all, white space included.
const MAXIMUM_LENGTH: usize = 131_072;

fn check(text: &str, kind: Kind, document_kind: DocumentKind, not_json: &str) -> Result<(), IdentityError> {
    let malformed = |message: String| IdentityError::MalformedPolicyDocument(message);
    let is_allowed = |character: char| matches!(character, '\u{9}' | '\u{a}' | '\u{d}' | '\u{20}'..='\u{ff}');
    if text.len() > MAXIMUM_LENGTH || !text.chars().all(is_allowed) {
        return Err(malformed(rules::SYNTAX.to_owned()));
    }
    let value: serde_json::Value = serde_json::from_str(text).map_err(|_| malformed(not_json.to_owned()))?;
    rules::check(&value, kind).map_err(malformed)?;
    // The engine knows what the rules above do not look at: operators, principals, duplicate keys. Its reason goes behind
    // IAM's sentence, which alone would leave the reader to guess.
    compile(text, document_kind, "").map_err(|reason| malformed(format!("{} ({reason})", rules::SYNTAX)))?;
    Ok(())
}

fn check_size(text: &str, quota: &str, limit: usize) -> Result<(), IdentityError> {
    if size(text) > limit {
        return Err(IdentityError::LimitExceeded(format!(
            "Cannot exceed quota for {quota}: {limit}"
        )));
    }
    Ok(())
}

fn compile(text: &str, kind: DocumentKind, label: &str) -> Result<Arc<CompiledPolicy>, ParseError> {
    let document = Document::parse(text, kind)?;
    Ok(Arc::new(CompiledPolicy::compile(&document, label)))
}

/// A policy written in this file.
#[expect(clippy::expect_used, reason = "the text is a constant and a test compiles it")]
fn built_in(text: &str, kind: DocumentKind, label: &str) -> Arc<CompiledPolicy> {
    compile(text, kind, label).expect("a policy of this file is valid")
}

/// An explicit Deny of everything.
pub(crate) fn deny_everything() -> Arc<CompiledPolicy> {
    static POLICY: OnceLock<Arc<CompiledPolicy>> = OnceLock::new();
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
    Arc::clone(POLICY.get_or_init(|| {
        built_in(
            text,
            DocumentKind::Identity,
            "the principal's policies are not known",
        )
    }))
}

/// A trust policy that matches no principal there is.
pub(crate) fn trust_in_nobody() -> Arc<CompiledPolicy> {
    static POLICY: OnceLock<Arc<CompiledPolicy>> = OnceLock::new();
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"nobody.invalid"},"Action":"sts:AssumeRole"}}"#;
    Arc::clone(POLICY.get_or_init(|| built_in(text, DocumentKind::Trust, "trust policy")))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    const ALLOW: &str =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;

    #[test]
    fn built_in_policies_compile() {
        assert_eq!(
            deny_everything().label(),
            "the principal's policies are not known"
        );
        assert_eq!(trust_in_nobody().label(), "trust policy");
    }

    #[test]
    fn sizes_leave_white_space_out() {
        assert_eq!(size(" { \n\t} "), 2);
        let spaced = ALLOW.replace(',', ", \n      ");
        assert_eq!(check_identity(&spaced).unwrap(), ALLOW.len());
    }

    #[test]
    fn what_is_refused() {
        for (text, expected) in [
            ("{", "This policy contains invalid Json"),
            ("[]", rules::SYNTAX),
            (&"[".repeat(100_000), "This policy contains invalid Json"),
            (&ALLOW.replace('3', "\u{3b1}"), rules::SYNTAX),
            (&format!("{}{ALLOW}", " ".repeat(MAXIMUM_LENGTH)), rules::SYNTAX),
        ] {
            let error = check_managed(text).unwrap_err();
            assert!(
                matches!(error, IdentityError::MalformedPolicyDocument(_)),
                "{error:?}"
            );
            assert_eq!(error.to_string(), expected);
        }
        let twice = ALLOW.replace(r#""Effect":"Allow","#, r#""Effect":"Allow","Effect":"Deny","#);
        let error = check_managed(&twice).unwrap_err().to_string();
        assert!(error.starts_with("Syntax errors in policy. ("), "{error}");
        let operator = ALLOW.replace('}', r#","Condition":{"StringEqual":{"aws:username":"a"}}}"#);
        assert!(check_managed(&operator[..operator.len() - 1]).is_err());
    }

    #[test]
    fn long_documents() {
        let resource = format!("arn:aws:s3:::{}", "b".repeat(7_000));
        let long = ALLOW.replace(r#""*"}"#, &format!("\"{resource}\"}}"));
        let error = check_managed(&long).unwrap_err();
        assert!(matches!(error, IdentityError::LimitExceeded(_)));
        assert_eq!(error.to_string(), "Cannot exceed quota for PolicySize: 6144");
    }
}
