//! `Globals`: properties all resources of a type share.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html>

use crate::error::{Problem, TemplateError};
use crate::node::{Content, Entry, Node};
use crate::path::Path;

const SECTIONS: &[&str] = &[
    "Api",
    "CapacityProvider",
    "Function",
    "HttpApi",
    "LayerVersion",
    "SimpleTable",
    "StateMachine",
    "WebSocketApi",
];

/// What AWS lets functions share: not names, roles, policies, events or inline code.
const FUNCTION: &[&str] = &[
    "Architectures",
    "AssumeRolePolicyDocument",
    "AutoPublishAlias",
    "AutoPublishAliasAllProperties",
    "CapacityProviderConfig",
    "CodeSigningConfigArn",
    "CodeUri",
    "DeadLetterQueue",
    "DeploymentPreference",
    "Description",
    "DurableConfig",
    "Environment",
    "EphemeralStorage",
    "EventInvokeConfig",
    "FileSystemConfigs",
    "FunctionScalingConfig",
    "FunctionUrlConfig",
    "Handler",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "PermissionsBoundary",
    "PropagateTags",
    "ProvisionedConcurrencyConfig",
    "PublishToLatestPublished",
    "RecursiveLoop",
    "ReservedConcurrentExecutions",
    "RolePath",
    "Runtime",
    "RuntimeManagementConfig",
    "SnapStart",
    "SourceKMSKeyArn",
    "Tags",
    "TenancyConfig",
    "Timeout",
    "Tracing",
    "VersionDeletionPolicy",
    "VpcConfig",
];
const SIMPLE_TABLE: &[&str] = &["SSESpecification"];

/// The section, checked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Globals {
    function: Option<Node>,
    simple_table: Option<Node>,
}

impl Globals {
    /// Sections of other types have nothing to apply to: their resources are reported as unsupported themselves.
    pub(crate) fn read(node: Option<&Node>, path: &Path<'_>) -> Result<Self, TemplateError> {
        let Some(node) = node else {
            return Ok(Self::default());
        };
        known(node, SECTIONS, path)?;
        let section = |name: &str, properties: &[&str]| -> Result<Option<Node>, TemplateError> {
            let Some(section) = node.get(name) else {
                return Ok(None);
            };
            known(section, properties, &path.key(name))?;
            Ok(Some(section.clone()))
        };
        Ok(Self {
            function: section("Function", FUNCTION)?,
            simple_table: section("SimpleTable", SIMPLE_TABLE)?,
        })
    }

    /// A function's properties with the shared ones.
    pub(crate) fn apply_to_function(&self, properties: &Node) -> Node {
        let mut merged = self
            .function
            .as_ref()
            .map_or_else(|| properties.clone(), |shared| merge(shared, properties));
        // The one list that is replaced: a function has one architecture.
        if let (Some(own), Content::Map(entries)) = (properties.get("Architectures"), &mut merged.content) {
            entries
                .iter_mut()
                .filter(|entry| entry.key == "Architectures")
                .for_each(|entry| entry.value = own.clone());
        }
        merged
    }

    /// A table's properties with the shared ones.
    pub(crate) fn apply_to_simple_table(&self, properties: &Node) -> Node {
        self.simple_table
            .as_ref()
            .map_or_else(|| properties.clone(), |shared| merge(shared, properties))
    }
}

fn known(node: &Node, allowed: &[&str], path: &Path<'_>) -> Result<(), TemplateError> {
    match node
        .as_map(path)?
        .iter()
        .find(|entry| !allowed.contains(&entry.key.as_str()))
    {
        Some(entry) => {
            let problem = Problem::UnknownKey {
                key: entry.key.clone(),
                allowed: allowed.join(", "),
            };
            Err(TemplateError::new(problem, path, entry.at))
        }
        None => Ok(()),
    }
}

/// Maps are merged, lists joined (the shared items first), anything else is the resource's own.
fn merge(shared: &Node, own: &Node) -> Node {
    if shared.intrinsic().is_some() || own.intrinsic().is_some() {
        return own.clone();
    }
    let content = match (&shared.content, &own.content) {
        (Content::Map(shared), Content::Map(own)) => {
            let mut entries: Vec<Entry> = shared
                .iter()
                .map(|entry| match own.iter().find(|other| other.key == entry.key) {
                    Some(other) => Entry {
                        value: merge(&entry.value, &other.value),
                        ..other.clone()
                    },
                    None => entry.clone(),
                })
                .collect();
            entries.extend(
                own.iter()
                    .filter(|entry| shared.iter().all(|other| other.key != entry.key))
                    .cloned(),
            );
            Content::Map(entries)
        }
        (Content::List(shared), Content::List(own)) => {
            Content::List(shared.iter().chain(own).cloned().collect())
        }
        (_, own) => own.clone(),
    };
    Node { content, at: own.at }
}
