//! Everything AWS's service authorization reference says about a service, loaded one service at a time.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>

use std::sync::OnceLock;

use serde::Deserialize;

use crate::packed::{LazyPack, embedded};
use crate::{glob, global_keys, names};

static PACK: LazyPack = LazyPack::new("services.pack", include_bytes!("../data/services.pack"));

/// One cell a service, in the order of the pack.
static SERVICES: OnceLock<Box<[OnceLock<Service>]>> = OnceLock::new();

/// One service of AWS, under the prefix its actions have.
#[derive(Debug, Deserialize)]
pub struct Service {
    /// The prefix, such as `s3`.
    pub prefix: &'static str,
    /// What AWS calls it, such as `Amazon S3`.
    pub name: &'static str,
    /// Its actions, in the order of their lower-case names.
    #[serde(default)]
    pub actions: Box<[Action]>,
    /// Its resource types, in the order of their lower-case names.
    #[serde(default, rename = "resources")]
    pub resource_types: Box<[ResourceType]>,
    /// The condition keys its actions and resource types know, in the order of their lower-case names. Global keys are
    /// among them only where the reference lists them, which is for tags.
    #[serde(default, rename = "keys")]
    pub condition_keys: Box<[ConditionKey]>,
    /// Which actions the reference documents by which API operation, in the order of the operations' lower-case names.
    #[serde(skip)]
    operations: Box<[OperationLink]>,
}

/// An API operation and the actions the reference documents by its page.
#[derive(Debug)]
struct OperationLink {
    operation: &'static str,
    actions: Box<[&'static str]>,
}

/// One action a policy can allow or deny.
#[derive(Debug, Deserialize)]
pub struct Action {
    /// `service:Name`.
    pub name: &'static str,
    /// The level AWS sorts it under.
    #[serde(rename = "level")]
    pub access_level: AccessLevel,
    /// The resource types it can be limited to; empty when only `Resource: "*"` fits.
    #[serde(default, rename = "resources")]
    pub resource_types: Box<[ActionResource]>,
    /// The condition keys it knows whatever the resource, without the global ones.
    #[serde(default, rename = "keys")]
    pub condition_keys: Box<[&'static str]>,
    /// The actions it needs besides itself, whatever the resource. See [`dependent_actions`].
    #[serde(default, rename = "dependent")]
    pub dependent_actions: Box<[&'static str]>,
    /// The API operation whose page documents it; `None` when the reference links no operation or the action is too new.
    #[serde(default)]
    pub operation: Option<&'static str>,
    /// Whether no API operation is called for it: it is checked besides others, as `iam:PassRole` is, or behind AWS's
    /// console. `false` also where the reference does not tell, as for an action too new.
    #[serde(default)]
    pub permission_only: bool,
}

/// A resource type in the row of an action.
#[derive(Debug, Deserialize)]
pub struct ActionResource {
    /// The type's name; [`Service::resource_type`] has its ARN formats.
    pub name: &'static str,
    /// Whether a statement that allows the action must name a resource of this type.
    #[serde(default)]
    pub required: bool,
    /// The condition keys that hold for the action on this type only.
    #[serde(default, rename = "keys")]
    pub condition_keys: Box<[&'static str]>,
    /// The actions needed besides, on this type only.
    #[serde(default, rename = "dependent")]
    pub dependent_actions: Box<[&'static str]>,
}

/// A type of resource.
#[derive(Debug, Deserialize)]
pub struct ResourceType {
    /// Its name, such as `function alias`.
    pub name: &'static str,
    /// Its ARN formats, such as `arn:${Partition}:s3:::${BucketName}/${ObjectName}`; a few types have two.
    pub arns: Box<[&'static str]>,
    /// The condition keys that speak about such a resource.
    #[serde(default, rename = "keys")]
    pub condition_keys: Box<[&'static str]>,
}

/// A key a policy's conditions can use.
#[derive(Debug, Deserialize)]
pub struct ConditionKey {
    /// Its name; a part that varies is `${TagKey}` or `<key>`, as AWS writes it.
    pub name: &'static str,
    /// What its values are.
    #[serde(rename = "type")]
    pub value_type: ConditionKeyType,
}

/// What the values of a condition key are; `ArrayOf…` keys can have several in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum ConditionKeyType {
    /// Text.
    String,
    /// Several texts.
    ArrayOfString,
    /// An ARN.
    #[serde(rename = "ARN")]
    Arn,
    /// Several ARNs.
    #[serde(rename = "ArrayOfARN")]
    ArrayOfArn,
    /// `true` or `false`.
    Bool,
    /// Several of `true` and `false`.
    ArrayOfBool,
    /// A number.
    Numeric,
    /// A date.
    Date,
    /// An IP address.
    #[serde(rename = "IPAddress")]
    IpAddress,
}

impl ConditionKeyType {
    /// Whether one request can have several values, so that a condition needs `ForAllValues` or `ForAnyValue`.
    pub fn is_multivalued(self) -> bool {
        matches!(self, Self::ArrayOfString | Self::ArrayOfArn | Self::ArrayOfBool)
    }
}

/// The level AWS sorts an action under.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_understand-policy-summary-access-level-summaries.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum AccessLevel {
    /// Lists resources, without their content.
    List,
    /// Reads content and attributes.
    Read,
    /// Changes tags only.
    Tagging,
    /// Creates, changes or deletes resources.
    Write,
    /// Grants or changes permissions.
    #[serde(rename = "Permissions management")]
    PermissionsManagement,
}

impl AccessLevel {
    /// The level's name in AWS's reference.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "List",
            Self::Read => "Read",
            Self::Tagging => "Tagging",
            Self::Write => "Write",
            Self::PermissionsManagement => "Permissions management",
        }
    }
}

impl std::fmt::Display for AccessLevel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Service {
    /// The action of this name (without prefix), in any case.
    pub fn action(&self, name: &str) -> Option<&Action> {
        let position = self
            .actions
            .binary_search_by(|action| {
                names::compare(
                    action.name.split_once(':').map_or(action.name, |(_, name)| name),
                    name,
                )
            })
            .ok()?;
        self.actions.get(position)
    }

    /// The resource type of this name, in any case.
    pub fn resource_type(&self, name: &str) -> Option<&ResourceType> {
        self.resource_types
            .iter()
            .find(|resource| resource.name.eq_ignore_ascii_case(name))
    }

    /// The condition key this name is of, in any case: `s3:ExistingObjectTag/team` is of `s3:ExistingObjectTag/<key>`.
    pub fn condition_key(&self, name: &str) -> Option<&ConditionKey> {
        find_condition_key(&self.condition_keys, name)
    }

    /// The actions the reference documents by the page of this API operation, each as `service:Name`; empty when none.
    pub(crate) fn actions_of_operation(&self, operation: &str) -> &[&'static str] {
        self.operations
            .binary_search_by(|link| names::compare(link.operation, operation))
            .ok()
            .and_then(|position| self.operations.get(position))
            .map_or(&[], |link| &link.actions)
    }

    fn load(position: usize) -> Self {
        // Kept for as long as the program runs: all the names above point into it.
        let text: &'static str =
            Box::leak(embedded("services.pack", PACK.get().content(position)).into_boxed_str());
        let mut service: Self = embedded("services.pack", serde_json::from_str(text));
        let mut links: Vec<(&'static str, &'static str)> = service
            .actions
            .iter()
            .filter_map(|action| action.operation.map(|operation| (operation, action.name)))
            .collect();
        links.sort_by(|left, right| names::compare(left.0, right.0));
        service.operations = links
            .chunk_by(|left, right| left.0.eq_ignore_ascii_case(right.0))
            .filter_map(|links| {
                let (operation, _) = links.first()?;
                let actions = links.iter().map(|(_, action)| *action).collect();
                Some(OperationLink { operation, actions })
            })
            .collect();
        service
    }
}

/// The key of a list that a name is of.
pub(crate) fn find_condition_key<'k>(keys: &'k [ConditionKey], name: &str) -> Option<&'k ConditionKey> {
    keys.iter()
        .find(|key| key.name.eq_ignore_ascii_case(name))
        .or_else(|| keys.iter().find(|key| fits_template(key.name, name)))
}

/// Whether a name is an instance of a key with varying parts (`${…}` or `<…>`, one character or more each).
fn fits_template(template: &str, name: &str) -> bool {
    let mut pattern = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find(['$', '<']) {
        let Some((head, tail)) = rest.split_at_checked(start) else {
            return false;
        };
        let Some((_, after)) = tail.split_once(['}', '>']) else {
            return false;
        };
        pattern.push_str(head);
        pattern.push_str("?*");
        rest = after;
    }
    if pattern.is_empty() {
        return false;
    }
    pattern.push_str(rest);
    glob::matches(&pattern, name)
}

/// The service of this prefix, in any case; `None` when the catalogue does not know it.
pub fn service(prefix: &str) -> Option<&'static Service> {
    let pack = PACK.get();
    let position = pack
        .position(prefix)
        .or_else(|| pack.position(&prefix.to_ascii_lowercase()))?;
    let cells = SERVICES.get_or_init(|| (0..pack.len()).map(|_| OnceLock::new()).collect());
    Some(cells.get(position)?.get_or_init(|| Service::load(position)))
}

/// The prefixes of all services, in order; loads none of them.
pub fn service_prefixes() -> impl Iterator<Item = &'static str> {
    PACK.get().names()
}

/// Everything about an action, by `service:Name` in any case; `None` when the catalogue does not know it.
pub fn action(name: &str) -> Option<&'static Action> {
    let (prefix, name) = name.split_once(':')?;
    service(prefix)?.action(name)
}

/// The actions that calling an action needs besides itself, on whatever resource, each once and in order: for
/// `lambda:CreateFunction` among others `iam:PassRole`. Empty for an action that needs none or is not known.
///
/// AWS's reference marks an action that is needed only in some cases no differently from one that always is.
pub fn dependent_actions(name: &str) -> Vec<&'static str> {
    let Some(action) = action(name) else {
        return Vec::new();
    };
    let on_resources = action
        .resource_types
        .iter()
        .flat_map(|resource| resource.dependent_actions.iter());
    let mut found: Vec<&'static str> = action
        .dependent_actions
        .iter()
        .chain(on_resources)
        .copied()
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// A resource type of a service, both names in any case.
pub fn resource_type(prefix: &str, name: &str) -> Option<&'static ResourceType> {
    service(prefix)?.resource_type(name)
}

/// The condition key a name is of, in any case, with or without a varying part: `aws:RequestTag/team` is of
/// `aws:RequestTag/${TagKey}`. Global keys (`aws:…`), services' keys, and those of identity providers.
pub fn condition_key(name: &str) -> Option<&'static ConditionKey> {
    /// Services whose actions know keys with other prefixes than their own.
    const FOREIGN: [&str; 3] = ["sts", "sso", "aws-marketplace"];
    let (prefix, _) = name.split_once(':')?;
    find_condition_key(global_keys::all(), name)
        .or_else(|| service(prefix)?.condition_key(name))
        .or_else(|| {
            FOREIGN
                .into_iter()
                .find_map(|prefix| service(prefix)?.condition_key(name))
        })
}
