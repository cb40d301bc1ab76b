//! The resource types there are: properties that can be created, required ones, attributes for `Fn::GetAtt`, and names.
//!
//! One table, from the CloudFormation resource reference
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html>), cut to what the
//! services of this workspace can create. Everything else is named as unsupported, never dropped in silence.

use crate::shape::{
    ATTRIBUTE_DEFINITIONS, CODE, ENVIRONMENT, EPHEMERAL_STORAGE, GLOBAL_INDEXES, INLINE_POLICIES, KEY_SCHEMA,
    LOCAL_INDEXES, Properties,
    Shape::{Document, Integer, Text},
    TAGS, TEXTS, THROUGHPUT, TIME_TO_LIVE, TRUTH,
};

/// What is known of a resource type.
#[derive(Debug)]
pub(crate) struct ResourceType {
    pub(crate) name: &'static str,
    pub(crate) properties: Properties,
    pub(crate) required: &'static [&'static str],
    /// For `Fn::GetAtt`.
    pub(crate) attributes: &'static [&'static str],
    /// The property with the physical name CloudFormation generates if it is absent, and the longest name AWS takes.
    pub(crate) name_property: Option<(&'static str, usize)>,
}

/// The type named `name`, unless it is unsupported.
pub(crate) fn find(name: &str) -> Option<&'static ResourceType> {
    TYPES.iter().find(|known| known.name == name)
}

const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::DynamoDB::Table",
        properties: &[
            ("AttributeDefinitions", ATTRIBUTE_DEFINITIONS),
            ("BillingMode", Text),
            ("DeletionProtectionEnabled", TRUTH),
            ("GlobalSecondaryIndexes", GLOBAL_INDEXES),
            ("KeySchema", KEY_SCHEMA),
            ("LocalSecondaryIndexes", LOCAL_INDEXES),
            ("ProvisionedThroughput", THROUGHPUT),
            ("TableClass", Text),
            ("TableName", Text),
            ("Tags", TAGS),
            ("TimeToLiveSpecification", TIME_TO_LIVE),
        ],
        required: &["KeySchema"],
        attributes: &["Arn"],
        name_property: Some(("TableName", 255)),
    },
    ResourceType {
        name: "AWS::IAM::ManagedPolicy",
        properties: &[
            ("Description", Text),
            ("ManagedPolicyName", Text),
            ("Path", Text),
            ("PolicyDocument", Document),
            ("Roles", TEXTS),
            ("Users", TEXTS),
        ],
        required: &["PolicyDocument"],
        attributes: &["PolicyArn"],
        name_property: Some(("ManagedPolicyName", 128)),
    },
    ResourceType {
        name: "AWS::IAM::Policy",
        properties: &[
            ("PolicyDocument", Document),
            ("PolicyName", Text),
            ("Roles", TEXTS),
            ("Users", TEXTS),
        ],
        required: &["PolicyDocument", "PolicyName"],
        attributes: &[],
        name_property: None,
    },
    ResourceType {
        name: "AWS::IAM::Role",
        properties: &[
            ("AssumeRolePolicyDocument", Document),
            ("Description", Text),
            ("ManagedPolicyArns", TEXTS),
            ("MaxSessionDuration", Integer),
            ("Path", Text),
            ("PermissionsBoundary", Text),
            ("Policies", INLINE_POLICIES),
            ("RoleName", Text),
            ("Tags", TAGS),
        ],
        required: &["AssumeRolePolicyDocument"],
        attributes: &["Arn", "RoleId"],
        name_property: Some(("RoleName", 64)),
    },
    ResourceType {
        name: "AWS::Lambda::Function",
        properties: &[
            ("Architectures", TEXTS),
            ("Code", CODE),
            ("Description", Text),
            ("Environment", ENVIRONMENT),
            ("EphemeralStorage", EPHEMERAL_STORAGE),
            ("FunctionName", Text),
            ("Handler", Text),
            ("MemorySize", Integer),
            ("PackageType", Text),
            ("Role", Text),
            ("Runtime", Text),
            ("Tags", TAGS),
            ("Timeout", Integer),
        ],
        required: &["Code", "Role"],
        attributes: &["Arn"],
        name_property: Some(("FunctionName", 64)),
    },
    ResourceType {
        name: "AWS::Lambda::Permission",
        properties: &[
            ("Action", Text),
            ("EventSourceToken", Text),
            ("FunctionName", Text),
            ("FunctionUrlAuthType", Text),
            ("InvokedViaFunctionUrl", TRUTH),
            ("Principal", Text),
            ("PrincipalOrgID", Text),
            ("SourceAccount", Text),
            ("SourceArn", Text),
        ],
        required: &["Action", "FunctionName", "Principal"],
        attributes: &["Id"],
        name_property: None,
    },
    ResourceType {
        name: "AWS::Logs::LogGroup",
        properties: &[
            ("LogGroupName", Text),
            ("RetentionInDays", Integer),
            ("Tags", TAGS),
        ],
        required: &[],
        attributes: &["Arn"],
        name_property: Some(("LogGroupName", 512)),
    },
    ResourceType {
        name: "AWS::S3::Bucket",
        properties: &[("BucketName", Text), ("Tags", TAGS)],
        required: &[],
        attributes: &["Arn", "DomainName", "RegionalDomainName"],
        name_property: Some(("BucketName", 63)),
    },
];
