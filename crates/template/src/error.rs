//! What can be wrong with a template, and where.

use std::fmt;

use thiserror::Error;

/// A place in the template's text; both numbers count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}", self.line, self.column)
    }
}

/// Something in a template that cannot be read or evaluated.
///
/// The text reads `Resources.Orders.Properties.KeySchema[0] (line 12, column 9): …`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}{problem}", self.place())]
pub struct TemplateError {
    /// What is wrong.
    pub problem: Problem,
    /// The logical path, such as `Resources.Orders.Properties.KeySchema[0]`; empty for the whole text.
    pub path: String,
    /// Where it stands; `None` for what stands nowhere in the text, such as a parameter value given by the caller.
    pub position: Option<Position>,
}

impl TemplateError {
    pub(crate) fn new(problem: Problem, path: impl fmt::Display, position: Position) -> Self {
        Self {
            problem,
            path: path.to_string(),
            position: Some(position),
        }
    }

    pub(crate) fn without_position(problem: Problem, path: impl fmt::Display) -> Self {
        Self {
            problem,
            path: path.to_string(),
            position: None,
        }
    }

    fn place(&self) -> String {
        match (self.path.is_empty(), self.position) {
            (false, Some(position)) => format!("{} ({position}): ", self.path),
            (true, Some(position)) => format!("{position}: "),
            (false, None) => format!("{}: ", self.path),
            (true, None) => String::new(),
        }
    }
}

/// The kinds of [`TemplateError`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Problem {
    /// The text is larger than CloudFormation takes.
    #[error("the template has {size} bytes, more than the {limit} CloudFormation takes; split it")]
    TooLarge {
        /// Bytes of the text.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Lists and maps stand too deep inside each other.
    #[error("nested more than {limit} levels deep; flatten it")]
    TooDeep {
        /// Levels allowed.
        limit: usize,
    },
    /// Aliases or intrinsic functions blow the template up.
    #[error("expands to more than {limit} bytes; use fewer aliases or shorter values")]
    TooMuch {
        /// Bytes allowed.
        limit: usize,
    },
    /// A section has more entries than CloudFormation's quota.
    #[error("has {count} entries, more than the quota of {limit}; split the template")]
    TooMany {
        /// Entries found.
        count: usize,
        /// Entries allowed.
        limit: usize,
    },
    /// Not YAML or JSON.
    #[error("not valid {format}: {reason}")]
    Syntax {
        /// `YAML` or `JSON`.
        format: &'static str,
        /// What the parser expected.
        reason: String,
    },
    /// YAML that CloudFormation does not read.
    #[error("{what} is not supported in templates; {instead}")]
    YamlFeature {
        /// The feature.
        what: String,
        /// What to write instead.
        instead: &'static str,
    },
    /// The same key twice in one map.
    #[error("key `{key}` was already given at {first}; remove one")]
    DuplicateKey {
        /// The key.
        key: String,
        /// Where it stood first.
        first: Position,
    },
    /// A null anywhere.
    #[error("null values are not allowed in templates; remove the key or use `!Ref AWS::NoValue`")]
    Null,
    /// A value of another kind than needed.
    #[error("expected {expected}, found {found}")]
    WrongKind {
        /// What has to stand here.
        expected: String,
        /// What stands here.
        found: &'static str,
    },
    /// A key that must be there.
    #[error("`{key}` is missing; add it")]
    Missing {
        /// The key.
        key: String,
    },
    /// A key that nobody knows.
    #[error("unknown key `{key}`; allowed are {allowed}")]
    UnknownKey {
        /// The key.
        key: String,
        /// What may stand here.
        allowed: String,
    },
    /// A name that does not follow CloudFormation's rule.
    #[error("`{name}` is not a valid logical ID; use letters and digits only")]
    LogicalId {
        /// The name.
        name: String,
    },
    /// `AWS::Serverless` types without the transform that gives them a meaning.
    #[error(
        "`{resource_type}` needs `Transform: AWS::Serverless-2016-10-31` at the top of the template; add it"
    )]
    TransformMissing {
        /// The resource type.
        resource_type: String,
    },
    /// A macro other than SAM.
    #[error("transform `{name}` is not supported; only AWS::Serverless-2016-10-31 is")]
    Transform {
        /// The macro.
        name: String,
    },
    /// A parameter without value.
    #[error("parameter `{name}` has no default; give it a value")]
    ParameterMissing {
        /// The parameter.
        name: String,
    },
    /// A value for a parameter that the template does not declare.
    #[error("the template declares no parameter `{name}`; remove the value")]
    ParameterUnknown {
        /// The parameter.
        name: String,
    },
    /// A parameter value that breaks its constraints. The value itself is not repeated: it may be a secret (`NoEcho`).
    #[error("the value of parameter `{name}` {reason}")]
    ParameterValue {
        /// The parameter.
        name: String,
        /// Which constraint, or the template's own `ConstraintDescription`.
        reason: String,
    },
    /// A parameter type that needs other services.
    #[error(
        "parameter type `{kind}` is not supported; use String, Number, CommaDelimitedList or List<Number>"
    )]
    ParameterType {
        /// The type.
        kind: String,
    },
    /// A name nothing in the template has.
    #[error("`{name}` is no parameter, pseudo parameter or resource of this template; check its spelling")]
    UnknownReference {
        /// The name.
        name: String,
    },
    /// A resource used where only parameters may be.
    #[error("resource `{name}` cannot be used here; use parameters, mappings and pseudo parameters only")]
    ResourceNotAllowed {
        /// The logical ID.
        name: String,
    },
    /// A resource that is not created because its type is not supported or its condition is false.
    #[error("resource `{name}` is not created: {reason}")]
    NotCreated {
        /// The logical ID.
        name: String,
        /// Why not.
        reason: String,
    },
    /// A resource whose identifiers the caller has not given yet.
    #[error("resource `{name}` must be created first")]
    NotYetCreated {
        /// The logical ID.
        name: String,
    },
    /// An attribute the resource type does not have.
    #[error("`{resource_type}` has no attribute `{attribute}`; it has {allowed}")]
    UnknownAttribute {
        /// The resource type.
        resource_type: String,
        /// The attribute.
        attribute: String,
        /// Those there are.
        allowed: String,
    },
    /// A condition name that `Conditions` does not have.
    #[error("there is no condition `{name}`; declare it under Conditions")]
    UnknownCondition {
        /// The name.
        name: String,
    },
    /// Conditions that need each other.
    #[error("conditions depend on each other: {cycle}")]
    ConditionCycle {
        /// The cycle, as `A → B → A`.
        cycle: String,
    },
    /// Resources that need each other.
    #[error("resources depend on each other: {cycle}; break the circle")]
    ResourceCycle {
        /// The cycle, as `A → B → A`.
        cycle: String,
    },
    /// No such entry in a mapping.
    #[error("mapping `{map}` has no value for `{key}`")]
    NotMapped {
        /// The mapping.
        map: String,
        /// The key that was looked for.
        key: String,
    },
    /// An intrinsic function used wrongly.
    #[error("{function} {reason}")]
    Function {
        /// `Ref` or `Fn::…`.
        function: String,
        /// What is wrong.
        reason: String,
    },
    /// Two resources of one name, one of them made by the SAM transform.
    #[error("SAM generates a resource named `{name}`, which the template has already; rename yours")]
    GeneratedNameTaken {
        /// The logical ID.
        name: String,
    },
    /// A managed policy named without ARN that AWS does not have.
    #[error("`{name}` is no AWS managed policy and no SAM policy template; give its ARN or fix its name")]
    UnknownManagedPolicy {
        /// The name.
        name: String,
    },
    /// A SAM policy template without one of its parameters.
    #[error("policy template `{template}` needs `{parameter}`; add it")]
    PolicyTemplateParameter {
        /// The policy template.
        template: String,
        /// The parameter.
        parameter: String,
    },
    /// A value that breaks a rule of the resource.
    #[error("{reason}")]
    Value {
        /// What is wrong and what to do.
        reason: String,
    },
}
