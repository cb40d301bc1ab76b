//! The IAM policy language: parse, compile, decide, explain.
//!
//! Pure: no input or output, no clock, no threads. The same request and policies give the same decision, always.
//!
//! ```
//! use std::sync::Arc;
//! use rolecall_policy::{CompiledPolicy, Context, Document, DocumentKind, Policies, Principal, Request, decide};
//!
//! let text = r#"{"Version": "2012-10-17",
//!     "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::orders/${aws:username}/*"}}"#;
//! let document = Document::parse(text, DocumentKind::Identity)?;
//! let policies = [Arc::new(CompiledPolicy::compile(&document, "orders"))];
//! let principal = Principal::User {
//!     account: "123456789012".into(), arn: "arn:aws:iam::123456789012:user/ann".into(), name: "ann".into(), id: None,
//! };
//! let context = Context::new();
//! let request = Request {
//!     principal: &principal, action: "s3:GetObject", resource: "arn:aws:s3:::orders/ann/1.json", resource_account: None, context: &context,
//! };
//! assert!(decide(&request, &Policies { identity: &policies, ..Policies::default() }).is_allowed());
//! # Ok::<(), rolecall_policy::ParseError>(())
//! ```
//!
//! The stages are the modules: `json` and [`Document`] read, `compile` prepares, `decide` decides, `explain` says why. What AWS
//! does not document is decided in [`choices`], once. "Rule n" in comments is the n-th of the project's list of
//! evaluation rules, `tests/cases`.

mod arn;
pub mod choices;
mod compile;
mod condition;
mod context;
mod decide;
mod document;
mod explain;
mod json;
mod pattern;
mod principal;
mod print;
mod template;

pub use arn::Arn;
pub use compile::{CompiledPolicy, StatementRef};
pub use context::Context;
pub use decide::{Decision, Layer, Policies, Request, ResourcePolicy, ResourcePolicyKind, decide};
pub use document::{
    Condition, Document, DocumentKind, Effect, Element, ParseError, ParseErrorKind, PrincipalType,
    Principals, Statement, Texts, Version,
};
pub use explain::{Explanation, NearMiss, StoppedBy, explain};
pub use json::{MAXIMUM_DEPTH, MAXIMUM_SIZE, Position};
pub use pattern::{ActionPattern, ResourcePattern, wildcard_match};
pub use principal::Principal;
