//! The template's parameters: declarations, defaults, and the checks a value has to pass.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>

use std::collections::BTreeMap;

use regex::RegexBuilder;

use crate::error::{Position, Problem, TemplateError};
use crate::node::{Entry, Node};
use crate::path::Path;

/// CloudFormation's limit for a value.
const MAX_VALUE_BYTES: usize = 4096;

const ATTRIBUTES: &[&str] = &[
    "AllowedPattern",
    "AllowedValues",
    "ConstraintDescription",
    "Default",
    "Description",
    "MaxLength",
    "MaxValue",
    "MinLength",
    "MinValue",
    "NoEcho",
    "Type",
];

/// One declaration.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    name: String,
    at: Position,
    kind: Kind,
    declaration: Node,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    TextList,
    NumberList,
}

impl Parameter {
    pub(crate) fn read(entry: &Entry, path: &Path<'_>) -> Result<Self, TemplateError> {
        for attribute in entry.value.as_map(path)? {
            if !ATTRIBUTES.contains(&attribute.key.as_str()) {
                let problem = Problem::UnknownKey {
                    key: attribute.key.clone(),
                    allowed: ATTRIBUTES.join(", "),
                };
                return Err(TemplateError::new(problem, path, attribute.at));
            }
        }
        let Some(kind) = entry.value.get("Type") else {
            return Err(entry.value.error(
                Problem::Missing {
                    key: "Type".to_owned(),
                },
                path,
            ));
        };
        let text = kind.as_text(&path.key("Type"))?;
        let kind = match text {
            "String" => Kind::Text,
            "Number" => Kind::Number,
            "CommaDelimitedList" => Kind::TextList,
            "List<Number>" => Kind::NumberList,
            // AWS-specific types name a thing that exists, such as AWS::EC2::VPC::Id: whether it does is for AWS to say.
            _ if text.starts_with("List<AWS::") => Kind::TextList,
            _ if text.starts_with("AWS::") && !text.starts_with("AWS::SSM::") => Kind::Text,
            _ => {
                return Err(kind.error(
                    Problem::ParameterType {
                        kind: text.to_owned(),
                    },
                    &path.key("Type"),
                ));
            }
        };
        Ok(Self {
            name: entry.key.clone(),
            at: entry.at,
            kind,
            declaration: entry.value.clone(),
        })
    }

    /// The value as a string or a list of strings: what `Ref` gives.
    fn value(&self, given: Option<&str>, path: &Path<'_>) -> Result<Node, TemplateError> {
        let text = match (given, self.declaration.get("Default")) {
            (Some(text), _) => text,
            (None, Some(default)) => default
                .scalar_text()
                .ok_or_else(|| default.wrong_kind("a string", &path.key("Default")))?,
            (None, None) => {
                return Err(TemplateError::new(
                    Problem::ParameterMissing {
                        name: self.name.clone(),
                    },
                    path,
                    self.at,
                ));
            }
        };
        if text.len() > MAX_VALUE_BYTES {
            return Err(self.refused(format!("has more than {MAX_VALUE_BYTES} bytes"), path));
        }
        match self.kind {
            Kind::Text | Kind::Number => {
                self.check(text, path)?;
                Ok(Node::text(text, self.at))
            }
            Kind::TextList | Kind::NumberList => {
                let items: Vec<&str> = text.split(',').map(str::trim).collect();
                for item in &items {
                    self.check(item, path)?;
                }
                Ok(Node::list(
                    items.into_iter().map(|item| Node::text(item, self.at)).collect(),
                    self.at,
                ))
            }
        }
    }

    fn check(&self, value: &str, path: &Path<'_>) -> Result<(), TemplateError> {
        let number = value
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite());
        if matches!(self.kind, Kind::Number | Kind::NumberList) {
            let Some(number) = number else {
                return Err(self.refused("is not a number".to_owned(), path));
            };
            if self.bound("MinValue", path)?.is_some_and(|least| number < least) {
                return Err(self.refused("is smaller than MinValue".to_owned(), path));
            }
            if self.bound("MaxValue", path)?.is_some_and(|most| number > most) {
                return Err(self.refused("is larger than MaxValue".to_owned(), path));
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a value has at most 4,096 characters")]
        let length = value.chars().count() as f64;
        if self.bound("MinLength", path)?.is_some_and(|least| length < least) {
            return Err(self.refused("is shorter than MinLength".to_owned(), path));
        }
        if self.bound("MaxLength", path)?.is_some_and(|most| length > most) {
            return Err(self.refused("is longer than MaxLength".to_owned(), path));
        }
        if let Some(allowed) = self.declaration.get("AllowedValues") {
            let allowed = allowed.as_list(&path.key("AllowedValues"))?;
            if !allowed.iter().any(|item| item.scalar_text() == Some(value)) {
                return Err(self.refused("is none of AllowedValues".to_owned(), path));
            }
        }
        if let Some(pattern) = self.declaration.get("AllowedPattern") {
            let path = path.key("AllowedPattern");
            let text = pattern.as_text(&path)?;
            let regex = RegexBuilder::new(&format!(r"\A(?:{text})\z"))
                .size_limit(1 << 20)
                .build()
                .map_err(|_| {
                    let reason =
                        "is a pattern that cannot be checked here; use no look-around or back-references"
                            .to_owned();
                    pattern.error(
                        Problem::Function {
                            function: "AllowedPattern".to_owned(),
                            reason,
                        },
                        &path,
                    )
                })?;
            if !regex.is_match(value) {
                return Err(self.refused("does not match AllowedPattern".to_owned(), &path));
            }
        }
        Ok(())
    }

    fn bound(&self, attribute: &str, path: &Path<'_>) -> Result<Option<f64>, TemplateError> {
        let Some(node) = self.declaration.get(attribute) else {
            return Ok(None);
        };
        match node
            .scalar_text()
            .and_then(|text| text.parse::<f64>().ok())
            .filter(|bound| bound.is_finite())
        {
            Some(bound) => Ok(Some(bound)),
            None => Err(node.wrong_kind("a number", &path.key(attribute))),
        }
    }

    /// The template's own words if it has some.
    fn refused(&self, reason: String, path: &Path<'_>) -> TemplateError {
        let description = self
            .declaration
            .get("ConstraintDescription")
            .and_then(Node::scalar_text);
        let reason = description.map_or(reason, |description| format!("is refused: {description}"));
        TemplateError::new(
            Problem::ParameterValue {
                name: self.name.clone(),
                reason,
            },
            path,
            self.at,
        )
    }
}

/// All values: the given ones, else the defaults.
pub(crate) fn values(
    declared: &[Parameter],
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Node>, TemplateError> {
    let path = Path::ROOT;
    let path = path.key("Parameters");
    if let Some(name) = given
        .keys()
        .find(|name| declared.iter().all(|parameter| parameter.name != **name))
    {
        return Err(TemplateError::without_position(
            Problem::ParameterUnknown { name: name.clone() },
            path,
        ));
    }
    declared
        .iter()
        .map(|parameter| {
            let given = given.get(&parameter.name).map(String::as_str);
            Ok((
                parameter.name.clone(),
                parameter.value(given, &path.key(&parameter.name))?,
            ))
        })
        .collect()
}
