//! Text → nodes. JSON has its own reader: YAML parsers differ from JSON in escapes and tabs.

mod json;
mod scalar;
mod yaml;

use crate::error::{Problem, TemplateError};
use crate::node::Node;
use crate::path::Path;

/// CloudFormation's limit for a template in S3.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
pub(crate) const MAX_BYTES: usize = 1_000_000;

/// Deeper than any template that does something; shallow enough for recursion on a small stack.
pub(crate) const MAX_DEPTH: usize = 64;

/// What a template may weigh after its aliases were expanded: text plus [`NODE_WEIGHT`] bytes a value.
const MAX_EXPANDED: usize = 32_000_000;
const NODE_WEIGHT: usize = 16;

/// Read a template, JSON if its first character is `{`, else YAML.
pub(crate) fn read(text: &str) -> Result<Node, TemplateError> {
    if text.len() > MAX_BYTES {
        let problem = Problem::TooLarge {
            size: text.len(),
            limit: MAX_BYTES,
        };
        return Err(TemplateError::without_position(problem, Path::ROOT));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        json::read(text)
    } else {
        yaml::read(text)
    }
}
