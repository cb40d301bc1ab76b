//! Policy documents as people write them: parsed, checked and printed again without loss.
//!
//! Source: IAM User Guide, "Grammar of the IAM JSON policy language" (rules 95 to 100).

use std::fmt;

use crate::condition::Operator;
use crate::json::{self, Json, JsonError, Node, Position};
use crate::print;

/// What a document is attached to, which decides the elements it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// Attached to a user, group or role.
    Identity,
    /// A permissions boundary.
    Boundary,
    /// Passed when a session is made.
    Session,
    /// Attached to a resource, such as a bucket or a function.
    Resource,
    /// A role's trust policy.
    Trust,
    /// A service control policy.
    ServiceControl,
    /// A resource control policy.
    ResourceControl,
    /// A VPC endpoint policy.
    Endpoint,
}

impl DocumentKind {
    /// Whether statements must name a principal.
    fn needs_principal(self) -> bool {
        matches!(
            self,
            Self::Resource | Self::Trust | Self::ResourceControl | Self::Endpoint
        )
    }

    fn needs_resource(self) -> bool {
        !matches!(self, Self::Trust)
    }
}

/// Why a document was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}{}: {problem}", if path.is_empty() { String::new() } else { format!(" ({path})") })]
pub struct ParseError {
    /// Where it stands.
    pub at: Position,
    /// Which element, such as `Statement[0].Action`; empty where the text is no JSON.
    pub path: String,
    /// What is wrong and what is expected.
    pub problem: String,
    /// Which part of the language is hurt.
    pub kind: ParseErrorKind,
}

/// Which part of the language a refused document hurts; services answer in their own words by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// It is no JSON, or too large or too deep.
    Json,
    /// An element is missing, unknown, not allowed here or of the wrong type.
    Syntax,
    /// An action's name is not of the form `service:Name`.
    Action,
    /// A resource is neither an ARN nor `*`.
    Resource,
    /// A principal is not of a known form.
    Principal,
    /// A condition's operator is not known.
    Operator,
}

/// The language's version, which decides whether policy variables have meaning (rule 61).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`, also when absent.
    Old,
    /// `2012-10-17`.
    Current,
}

/// Allow or Deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Refuses, whatever else grants.
    Deny,
}

/// Texts of an element that may stand alone or in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Texts {
    values: Vec<String>,
    alone: bool,
}

impl Texts {
    /// A list.
    pub fn list(values: Vec<String>) -> Self {
        Self { values, alone: false }
    }

    /// The values.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(String::as_str)
    }

    /// The values.
    pub fn as_slice(&self) -> &[String] {
        &self.values
    }

    /// Whether it is one text without a list around it.
    pub(crate) fn stands_alone(&self) -> bool {
        self.alone
    }
}

/// An element with a negated twin: `Action` and `NotAction`, and so on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element<T> {
    /// Whether it is the twin with `Not`.
    pub negated: bool,
    /// What it lists.
    pub value: T,
}

/// Who a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principals {
    /// The text `"*"`.
    Everyone,
    /// By type: `AWS`, `Service`, `Federated`, `CanonicalUser`.
    Listed(Vec<(PrincipalType, Texts)>),
}

/// Types of principals in a document (rule 42).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrincipalType {
    /// Accounts, users, roles, sessions, unique ids, `*`.
    Aws,
    /// AWS services.
    Service,
    /// Identity providers.
    Federated,
    /// S3's canonical user ids.
    CanonicalUser,
}

impl PrincipalType {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::Service => "Service",
            Self::Federated => "Federated",
            Self::CanonicalUser => "CanonicalUser",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Aws, Self::Service, Self::Federated, Self::CanonicalUser]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// One condition: an operator, a key, and the values it is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// As written, such as `ForAllValues:StringLikeIfExists`.
    pub operator: String,
    /// As written, such as `aws:PrincipalTag/team`.
    pub key: String,
    /// As written; booleans and numbers as their text (rule 86).
    pub values: Texts,
}

/// A statement.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Its name.
    pub sid: Option<String>,
    /// Allow or Deny.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`.
    pub principal: Option<Element<Principals>>,
    /// `Action` or `NotAction`.
    pub action: Element<Texts>,
    /// `Resource` or `NotResource`; trust policies have none.
    pub resource: Option<Element<Texts>>,
    /// Conditions, all of which must hold.
    pub conditions: Vec<Condition>,
    /// Where it begins. Does not count when statements are compared.
    pub at: Position,
}

impl PartialEq for Statement {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            sid,
            effect,
            principal,
            action,
            resource,
            conditions,
            at: _,
        } = self;
        *sid == other.sid
            && *effect == other.effect
            && *principal == other.principal
            && *action == other.action
            && *resource == other.resource
            && *conditions == other.conditions
    }
}

impl Eq for Statement {}

/// A parsed document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Absent means [`Version::Old`].
    pub version: Option<Version>,
    /// `Id`.
    pub id: Option<String>,
    /// In the order written.
    pub statements: Vec<Statement>,
    /// Whether `Statement` is one object rather than a list (rule 96).
    pub statement_alone: bool,
}

impl Document {
    /// Reads a document of the given kind.
    ///
    /// # Errors
    /// It is no JSON, too large or deep, or an element is missing, unknown, not allowed for the kind, or malformed.
    pub fn parse(text: &str, kind: DocumentKind) -> Result<Self, ParseError> {
        let root = json::read(text).map_err(|JsonError { at, problem }| ParseError {
            at,
            path: String::new(),
            problem,
            kind: ParseErrorKind::Json,
        })?;
        Reader { kind }.document(&root)
    }

    /// Whether policy variables have meaning.
    pub fn has_variables(&self) -> bool {
        self.version == Some(Version::Current)
    }

    /// A document of the current version with these statements.
    pub fn new(statements: Vec<Statement>) -> Self {
        Self {
            version: Some(Version::Current),
            id: None,
            statements,
            statement_alone: false,
        }
    }

    /// The document as JSON over several lines, indented by four spaces; [`Display`](fmt::Display) gives it on one line.
    pub fn pretty(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = print::document(&mut text, self, true);
        text
    }

    /// Number of characters that count against IAM's quotas: white space is left out (rule 100).
    pub fn size_without_whitespace(text: &str) -> usize {
        text.chars()
            .filter(|character| !character.is_whitespace())
            .count()
    }

    /// The first character of `text` that IAM does not take (rule 99).
    pub fn forbidden_character(text: &str) -> Option<char> {
        text.chars()
            .find(|character| !matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}'))
    }
}

impl fmt::Display for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::document(formatter, self, false)
    }
}

impl Statement {
    /// A statement that allows `actions` on `resources`.
    pub fn allow(sid: Option<String>, actions: Vec<String>, resources: Vec<String>) -> Self {
        Self {
            sid,
            effect: Effect::Allow,
            principal: None,
            action: Element {
                negated: false,
                value: Texts::list(actions),
            },
            resource: Some(Element {
                negated: false,
                value: Texts::list(resources),
            }),
            conditions: Vec::new(),
            at: Position::default(),
        }
    }
}

struct Reader {
    kind: DocumentKind,
}

fn refuse(node: &Node, path: &str, kind: ParseErrorKind, problem: impl Into<String>) -> ParseError {
    ParseError {
        at: node.at,
        path: path.to_owned(),
        problem: problem.into(),
        kind,
    }
}

fn wrong_type(node: &Node, path: &str, expected: &str) -> ParseError {
    refuse(
        node,
        path,
        ParseErrorKind::Syntax,
        format!("expected {expected}, found {}", node.value.kind()),
    )
}

fn object<'a>(node: &'a Node, path: &str) -> Result<&'a [(String, Node)], ParseError> {
    match &node.value {
        Json::Object(members) => Ok(members),
        _ => Err(wrong_type(node, path, "an object")),
    }
}

fn text(node: &Node, path: &str) -> Result<String, ParseError> {
    match &node.value {
        Json::Text(text) => Ok(text.clone()),
        _ => Err(wrong_type(node, path, "a string")),
    }
}

/// A text, or a list of them; `scalars` lets booleans and numbers pass as their text.
fn texts(node: &Node, path: &str, scalars: bool) -> Result<Texts, ParseError> {
    let one = |node: &Node, path: &str| match &node.value {
        Json::Text(text) => Ok(text.clone()),
        Json::Boolean(truth) if scalars => Ok(truth.to_string()),
        Json::Number(number) if scalars => Ok(number.clone()),
        _ => Err(wrong_type(node, path, "a string or a list of strings")),
    };
    match &node.value {
        Json::Array(elements) => {
            let values = elements
                .iter()
                .enumerate()
                .map(|(index, element)| one(element, &format!("{path}[{index}]")))
                .collect::<Result<_, _>>()?;
            Ok(Texts { values, alone: false })
        }
        _ => Ok(Texts {
            values: vec![one(node, path)?],
            alone: true,
        }),
    }
}

impl Reader {
    fn document(&self, root: &Node) -> Result<Document, ParseError> {
        let mut document = Document {
            version: None,
            id: None,
            statements: Vec::new(),
            statement_alone: false,
        };
        let mut has_statement = false;
        for (key, node) in object(root, "")? {
            match key.as_str() {
                "Version" => {
                    document.version = Some(match text(node, key)?.as_str() {
                        "2012-10-17" => Version::Current,
                        "2008-10-17" => Version::Old,
                        other => {
                            let problem = format!("{other:?} is no version; use 2012-10-17");
                            return Err(refuse(node, key, ParseErrorKind::Syntax, problem));
                        }
                    });
                }
                "Id" if matches!(
                    self.kind,
                    DocumentKind::Identity | DocumentKind::Boundary | DocumentKind::Session
                ) =>
                {
                    return Err(refuse(
                        node,
                        key,
                        ParseErrorKind::Syntax,
                        "Id is not allowed in an identity-based policy",
                    ));
                }
                "Id" => document.id = Some(text(node, key)?),
                "Statement" => {
                    has_statement = true;
                    match &node.value {
                        Json::Array(statements) => {
                            for (index, statement) in statements.iter().enumerate() {
                                document
                                    .statements
                                    .push(self.statement(statement, &format!("Statement[{index}]"))?);
                            }
                        }
                        Json::Object(_) => {
                            document.statement_alone = true;
                            document.statements.push(self.statement(node, "Statement")?);
                        }
                        _ => return Err(wrong_type(node, key, "a statement or a list of statements")),
                    }
                }
                _ => {
                    return Err(refuse(
                        node,
                        key,
                        ParseErrorKind::Syntax,
                        format!("{key:?} is no element of a policy"),
                    ));
                }
            }
        }
        if !has_statement {
            return Err(refuse(
                root,
                "",
                ParseErrorKind::Syntax,
                "the element Statement is missing",
            ));
        }
        if document.statements.is_empty() {
            return Err(refuse(
                root,
                "Statement",
                ParseErrorKind::Syntax,
                "a policy needs at least one statement",
            ));
        }
        Self::check_sids(&document, root)?;
        Ok(document)
    }

    /// Sids are unique within a policy of IAM (rule 97).
    fn check_sids(document: &Document, root: &Node) -> Result<(), ParseError> {
        let mut seen = std::collections::HashSet::new();
        for sid in document
            .statements
            .iter()
            .filter_map(|statement| statement.sid.as_deref())
        {
            if !seen.insert(sid) && !sid.is_empty() {
                let problem = format!("statement ids must be unique, and {sid:?} is there twice");
                return Err(refuse(root, "Statement", ParseErrorKind::Syntax, problem));
            }
        }
        Ok(())
    }

    fn statement(&self, node: &Node, path: &str) -> Result<Statement, ParseError> {
        let members = object(node, path)?;
        let mut sid = None;
        let mut effect = None;
        let mut principal = None;
        let mut action = None;
        let mut resource = None;
        let mut conditions = Vec::new();
        for (key, value) in members {
            let path = format!("{path}.{key}");
            match key.as_str() {
                "Sid" => sid = Some(self.sid(value, &path)?),
                "Effect" => {
                    effect = Some(match text(value, &path)?.as_str() {
                        "Allow" => Effect::Allow,
                        "Deny" => Effect::Deny,
                        other => {
                            let problem = format!("Effect must be Allow or Deny, not {other:?}");
                            return Err(refuse(value, &path, ParseErrorKind::Syntax, problem));
                        }
                    });
                }
                "Principal" | "NotPrincipal" => {
                    Self::set(&mut principal, key, value, &path, Self::principals(value, &path)?)?;
                    if !self.kind.needs_principal() {
                        let problem = "a principal is not allowed in a policy of this kind";
                        return Err(refuse(value, &path, ParseErrorKind::Syntax, problem));
                    }
                    if key == "NotPrincipal" && self.kind == DocumentKind::Trust {
                        return Err(refuse(
                            value,
                            &path,
                            ParseErrorKind::Syntax,
                            "NotPrincipal is not allowed in a trust policy",
                        ));
                    }
                }
                "Action" | "NotAction" => {
                    let values = texts(value, &path, false)?;
                    check_actions(value, &path, &values)?;
                    Self::set(&mut action, key, value, &path, values)?;
                }
                "Resource" | "NotResource" => {
                    if !self.kind.needs_resource() {
                        return Err(refuse(
                            value,
                            &path,
                            ParseErrorKind::Syntax,
                            "a trust policy has no resource",
                        ));
                    }
                    let values = texts(value, &path, false)?;
                    check_resources(value, &path, &values)?;
                    Self::set(&mut resource, key, value, &path, values)?;
                }
                "Condition" => conditions = read_conditions(value, &path)?,
                _ => {
                    return Err(refuse(
                        value,
                        &path,
                        ParseErrorKind::Syntax,
                        format!("{key:?} is no element of a statement"),
                    ));
                }
            }
        }
        let missing = |name: &str| {
            refuse(
                node,
                path,
                ParseErrorKind::Syntax,
                format!("the element {name} is missing"),
            )
        };
        if self.kind.needs_principal() && principal.is_none() && self.kind != DocumentKind::Endpoint {
            return Err(missing("Principal"));
        }
        if self.kind.needs_resource() && resource.is_none() {
            return Err(missing("Resource"));
        }
        Ok(Statement {
            sid,
            effect: effect.ok_or_else(|| missing("Effect"))?,
            principal,
            action: action.ok_or_else(|| missing("Action"))?,
            resource,
            conditions,
            at: node.at,
        })
    }

    fn set<T>(
        place: &mut Option<Element<T>>,
        key: &str,
        node: &Node,
        path: &str,
        value: T,
    ) -> Result<(), ParseError> {
        if place.is_some() {
            let problem = "an element and its negation cannot both be there";
            return Err(refuse(node, path, ParseErrorKind::Syntax, problem));
        }
        *place = Some(Element {
            negated: key.starts_with("Not"),
            value,
        });
        Ok(())
    }

    fn sid(&self, node: &Node, path: &str) -> Result<String, ParseError> {
        let sid = text(node, path)?;
        let iam = matches!(
            self.kind,
            DocumentKind::Identity | DocumentKind::Boundary | DocumentKind::Session | DocumentKind::Trust
        );
        if iam && !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let problem = "a statement id may have letters and digits only";
            return Err(refuse(node, path, ParseErrorKind::Syntax, problem));
        }
        Ok(sid)
    }

    fn principals(node: &Node, path: &str) -> Result<Principals, ParseError> {
        match &node.value {
            Json::Text(text) if text == "*" => Ok(Principals::Everyone),
            Json::Object(types) => {
                let mut listed = Vec::new();
                for (name, values) in types {
                    let path = format!("{path}.{name}");
                    let kind = PrincipalType::parse(name).ok_or_else(|| {
                        let problem = format!(
                            "{name:?} is no type of principal; use AWS, Service, Federated or CanonicalUser"
                        );
                        refuse(values, &path, ParseErrorKind::Principal, problem)
                    })?;
                    let texts = texts(values, &path, false)?;
                    for value in texts.iter() {
                        if !valid_principal(kind, value) {
                            let problem = format!("{value:?} is no principal of type {name}");
                            return Err(refuse(values, &path, ParseErrorKind::Principal, problem));
                        }
                    }
                    listed.push((kind, texts));
                }
                Ok(Principals::Listed(listed))
            }
            _ => Err(refuse(
                node,
                path,
                ParseErrorKind::Principal,
                "expected \"*\" or an object such as {\"AWS\": …}",
            )),
        }
    }
}

/// Forms of principals (rules 40, 42, 43).
fn valid_principal(kind: PrincipalType, text: &str) -> bool {
    let unique_id = || {
        text.len() >= 16
            && text
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    match kind {
        PrincipalType::Aws if text == "*" => true,
        _ if text.contains(['*', '?']) => text == "*" && kind == PrincipalType::Federated,
        PrincipalType::Aws => match crate::Arn::parse(text) {
            Some(arn) => {
                let entity = arn.resource.split('/').next().unwrap_or_default();
                let account =
                    arn.account.len() == 12 && arn.account.bytes().all(|byte| byte.is_ascii_digit());
                let known = match arn.service {
                    "iam" => matches!(entity, "user" | "role" | "root"),
                    "sts" => matches!(entity, "assumed-role" | "federated-user"),
                    "cloudfront" => return true,
                    _ => false,
                };
                known && account
            }
            None => (text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())) || unique_id(),
        },
        PrincipalType::Service => text.contains('.') && !text.contains(char::is_whitespace),
        PrincipalType::Federated | PrincipalType::CanonicalUser => !text.is_empty(),
    }
}

fn check_actions(node: &Node, path: &str, values: &Texts) -> Result<(), ParseError> {
    for value in values.iter() {
        // Rule 51: `*:*` is the lone star written out.
        let valid = matches!(value, "*" | "*:*")
            || value.split_once(':').is_some_and(|(service, name)| {
                let service_valid = !service.is_empty()
                    && service
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
                let name_valid = !name.is_empty()
                    && name.bytes().all(|byte| {
                        byte.is_ascii_alphanumeric()
                            || matches!(byte, b'*' | b'?' | b'-' | b'_' | b'/' | b'.')
                    });
                service_valid && name_valid
            });
        if !valid {
            let problem =
                format!("{value:?} is no action; write service:Name, with wildcards in the name only");
            return Err(refuse(node, path, ParseErrorKind::Action, problem));
        }
    }
    if values.as_slice().is_empty() {
        return Err(refuse(node, path, ParseErrorKind::Syntax, "the list is empty"));
    }
    Ok(())
}

fn check_resources(node: &Node, path: &str, values: &Texts) -> Result<(), ParseError> {
    for value in values.iter() {
        let valid = value.starts_with('*') || value.starts_with("arn:") || value.starts_with("${");
        if !valid {
            let problem = format!("{value:?} is no resource; write an ARN or \"*\"");
            return Err(refuse(node, path, ParseErrorKind::Resource, problem));
        }
    }
    if values.as_slice().is_empty() {
        return Err(refuse(node, path, ParseErrorKind::Syntax, "the list is empty"));
    }
    Ok(())
}

fn read_conditions(node: &Node, path: &str) -> Result<Vec<Condition>, ParseError> {
    let mut conditions = Vec::new();
    for (operator, keys) in object(node, path)? {
        let path = format!("{path}.{operator}");
        if Operator::parse(operator).is_none() {
            return Err(refuse(
                keys,
                &path,
                ParseErrorKind::Operator,
                format!("{operator:?} is no condition operator"),
            ));
        }
        for (key, values) in object(keys, &path)? {
            let path = format!("{path}.{key}");
            if key.is_empty() {
                return Err(refuse(
                    values,
                    &path,
                    ParseErrorKind::Syntax,
                    "a condition key cannot be empty",
                ));
            }
            let values = texts(values, &path, true)?;
            conditions.push(Condition {
                operator: operator.clone(),
                key: key.clone(),
                values,
            });
        }
    }
    Ok(conditions)
}
