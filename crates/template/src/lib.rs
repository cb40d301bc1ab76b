//! SAM and CloudFormation templates: resources in order, intrinsics resolved.
//!
//! ```
//! use std::collections::BTreeMap;
//! use rolecall_template::{Created, Pseudo, Template};
//!
//! let template = Template::parse("Resources: {Orders: {Type: AWS::S3::Bucket}}")?;
//! let pseudo = Pseudo {
//!     account: "123456789012".into(),
//!     region: "us-east-1".into(),
//!     partition: "aws".into(),
//!     stack_name: "shop".into(),
//!     stack_id: "arn:aws:cloudformation:us-east-1:123456789012:stack/shop/1".into(),
//!     url_suffix: "amazonaws.com".into(),
//! };
//! let plan = template.plan(&BTreeMap::new(), &pseudo, &|_| None)?;
//! let mut created = BTreeMap::new();
//! for resource in plan.resources() {
//!     let properties = plan.resolve(&resource.logical_id, &created)?;
//!     assert!(properties["BucketName"].as_str().is_some_and(|name| name.starts_with("shop-orders-")));
//!     // … create it, and say what came of it …
//!     created.insert(resource.logical_id.clone(), Created::default());
//! }
//! # Ok::<(), rolecall_template::TemplateError>(())
//! ```
//!
//! The stages are the modules: `read` turns text into nodes that know their place, `template` checks the sections, `sam` rewrites
//! `AWS::Serverless` resources, `plan` orders, `evaluate` computes intrinsic functions, `shape` gives values the types of their properties.
//! Nothing here reads a file or the clock.

mod cidr;
mod error;
mod evaluate;
mod node;
mod order;
mod parameters;
mod path;
mod physical_name;
mod plan;
mod read;
mod references;
mod resource_type;
mod sam;
mod shape;
mod substitution;
mod template;

pub use error::{Position, Problem, TemplateError};
pub use plan::{CodeSource, Created, FunctionSummary, Plan, PlannedResource, Pseudo, Unsupported};
pub use template::Template;
