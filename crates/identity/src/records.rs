//! What an account holds: the records that are stored, one value each.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rolecall_store::codec::Stored;
use serde::{Deserialize, Serialize};

use crate::{PolicyText, Secret, time};

/// A tag. Keys are compared without regard to case and kept as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// 1 to 128 characters.
    pub key: String,
    /// At most 256 characters.
    pub value: String,
}

impl Tag {
    /// A tag.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
        }
    }
}

/// The identity-based policies of a user, group or role.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct EntityPolicies {
    /// Inline policies by name.
    pub inline: BTreeMap<String, PolicyText>,
    /// ARNs of attached managed policies, in the order they were attached.
    pub attached: Vec<String>,
}

/// An IAM user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// `AIDA…`
    pub id: String,
    /// Friendly name.
    pub name: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// `arn:aws:iam::ACCOUNT:user/PATH/NAME`
    pub arn: String,
    /// Whole seconds.
    #[serde(with = "time")]
    pub created_at: Timestamp,
    /// In the order they were set.
    pub tags: Vec<Tag>,
    /// Inline and attached policies.
    pub policies: EntityPolicies,
    /// ARN of the managed policy that bounds the user's permissions.
    pub boundary: Option<String>,
    /// Ids of the groups the user is in.
    pub groups: BTreeSet<String>,
}

/// An IAM group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    /// `AGPA…`
    pub id: String,
    /// Friendly name.
    pub name: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// `arn:aws:iam::ACCOUNT:group/PATH/NAME`
    pub arn: String,
    /// Whole seconds.
    #[serde(with = "time")]
    pub created_at: Timestamp,
    /// Inline and attached policies.
    pub policies: EntityPolicies,
}

/// An IAM role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Role {
    /// `AROA…`
    pub id: String,
    /// Friendly name.
    pub name: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// `arn:aws:iam::ACCOUNT:role/PATH/NAME`
    pub arn: String,
    /// Whole seconds.
    #[serde(with = "time")]
    pub created_at: Timestamp,
    /// At most 1,000 characters.
    pub description: Option<String>,
    /// Seconds, 3,600 to 43,200.
    pub max_session_duration: i32,
    /// Who may assume the role; users and roles of this account stand in it by unique id.
    pub trust: PolicyText,
    /// In the order they were set.
    pub tags: Vec<Tag>,
    /// Inline and attached policies.
    pub policies: EntityPolicies,
    /// ARN of the managed policy that bounds the role's permissions.
    pub boundary: Option<String>,
}

/// A long-term access key of a user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessKey {
    /// `AKIA…`
    pub id: String,
    /// The user's `AIDA…`.
    pub user_id: String,
    /// The secret access key.
    pub secret: Secret,
    /// Switched off keys are refused.
    pub active: bool,
    /// Whole seconds.
    #[serde(with = "time")]
    pub created_at: Timestamp,
}

/// A customer managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ManagedPolicy {
    /// `ANPA…`
    pub id: String,
    /// Friendly name.
    pub name: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// `arn:aws:iam::ACCOUNT:policy/PATH/NAME`
    pub arn: String,
    /// At most 1,000 characters; cannot be changed.
    pub description: Option<String>,
    /// Whole seconds.
    #[serde(with = "time")]
    pub created_at: Timestamp,
    /// When a version was last made or made the default, whole seconds.
    #[serde(with = "time")]
    pub updated_at: Timestamp,
    /// Oldest first, at most five.
    pub versions: Vec<PolicyVersion>,
    /// Number of the version that counts.
    pub default_version: u32,
    /// Number of the version made last; numbers are never used twice.
    pub last_version: u32,
    /// In the order they were set.
    pub tags: Vec<Tag>,
}

impl ManagedPolicy {
    /// The version numbered `number`.
    pub fn version(&self, number: u32) -> Option<&PolicyVersion> {
        self.versions.iter().find(|version| version.number == number)
    }
}

/// One version of a customer managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// 1 for `v1`.
    pub number: u32,
    /// Its document.
    pub document: PolicyText,
    /// Whole seconds.
    #[serde(with = "time")]
    pub created_at: Timestamp,
}

impl PolicyVersion {
    /// `v1` and so on.
    pub fn version_id(&self) -> String {
        format!("v{}", self.number)
    }
}

/// Facts about the account itself.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AccountSettings {
    /// The account's alias; AWS allows one.
    pub alias: Option<String>,
}

/// When and where a credential or a role was last used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUsed {
    /// Whole seconds.
    #[serde(with = "time")]
    pub at: Timestamp,
    /// Signing name of the service, such as `s3`.
    pub service: String,
    /// Region of the request.
    pub region: String,
}

/// The key that session tokens are signed with. Made at first start.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ServerKey(pub(crate) [u8; 32]);

macro_rules! stored {
    ($($record:ty),*) => {
        $(impl Stored for $record {
            const VERSION: u8 = 1;
        })*
    };
}

stored!(
    User,
    Group,
    Role,
    AccessKey,
    ManagedPolicy,
    AccountSettings,
    LastUsed,
    ServerKey
);
