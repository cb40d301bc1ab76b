//! What an operation needs before it may run.

use std::borrow::Cow;
use std::sync::Arc;

use rolecall_policy::{CompiledPolicy, ResourcePolicyKind};

/// Everything a call must be allowed before it runs.
#[derive(Debug, Clone)]
pub enum Needs {
    /// Each of these must be allowed (those that are [`Requirement::Probe`] are only asked). An empty list is a
    /// programming error and is denied.
    Accesses(Vec<Access>),
    /// AWS lets every authenticated principal do this, even against an explicit Deny (`sts:GetCallerIdentity`,
    /// rule 39; `sts:GetSessionToken`).
    Always {
        /// The IAM action, for the record.
        action: &'static str,
    },
}

impl Needs {
    /// A single action on a single resource.
    pub fn one(access: Access) -> Self {
        Self::Accesses(vec![access])
    }
}

impl From<Access> for Needs {
    fn from(access: Access) -> Self {
        Self::one(access)
    }
}

impl From<Vec<Access>> for Needs {
    fn from(accesses: Vec<Access>) -> Self {
        Self::Accesses(accesses)
    }
}

/// Whether an access must be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// The call is denied without it.
    Required,
    /// The call goes on without it, but behaves differently: S3 answers 404 instead of 403 for a missing key only to
    /// those who may list the bucket. Ask the permit with [`crate::Permit::allows`].
    Probe,
}

/// A policy that is attached to the resource.
#[derive(Debug, Clone)]
pub struct AttachedPolicy {
    /// The compiled policy.
    pub policy: Arc<CompiledPolicy>,
    /// How it counts: an ordinary resource policy, a role's trust policy, or a KMS key policy.
    pub kind: ResourcePolicyKind,
}

/// One action on one resource.
#[derive(Debug, Clone)]
pub struct Access {
    /// The IAM action, such as `s3:ListAllMyBuckets`: from the service authorization reference, not from the operation's name.
    pub action: Cow<'static, str>,
    /// The resource's ARN, or `*` for actions without resource-level permissions.
    pub resource: String,
    /// The account that owns the resource; the endpoint's own when absent.
    pub resource_account: Option<Arc<str>>,
    /// The policy attached to the resource, if there is one.
    pub resource_policy: Option<AttachedPolicy>,
    /// Condition keys of this access beside the global ones, such as `s3:prefix` or `iam:PassedToService`.
    pub context: Vec<(Cow<'static, str>, Vec<String>)>,
    /// Tags of the resource (`aws:ResourceTag/…`).
    pub resource_tags: Vec<(String, String)>,
    /// Must it be allowed?
    pub requirement: Requirement,
}

impl Access {
    /// A required `action` on `resource`.
    pub fn new(action: impl Into<Cow<'static, str>>, resource: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            resource: resource.into(),
            resource_account: None,
            resource_policy: None,
            context: Vec::new(),
            resource_tags: Vec::new(),
            requirement: Requirement::Required,
        }
    }

    /// The same as a question only: see [`Requirement::Probe`].
    #[must_use]
    pub fn probe(mut self) -> Self {
        self.requirement = Requirement::Probe;
        self
    }

    /// With the account that owns the resource.
    #[must_use]
    pub fn owned_by(mut self, account: impl Into<Arc<str>>) -> Self {
        self.resource_account = Some(account.into());
        self
    }

    /// With the policy attached to the resource.
    #[must_use]
    pub fn with_policy(mut self, policy: Option<AttachedPolicy>) -> Self {
        self.resource_policy = policy;
        self
    }

    /// With a single-valued condition key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.context.push((key.into(), vec![value.into()]));
        self
    }

    /// With a multi-valued condition key, such as `dynamodb:LeadingKeys` or `aws:TagKeys`.
    #[must_use]
    pub fn with_keys(mut self, key: impl Into<Cow<'static, str>>, values: Vec<String>) -> Self {
        self.context.push((key.into(), values));
        self
    }

    /// With the resource's tags.
    #[must_use]
    pub fn with_tags(mut self, tags: impl IntoIterator<Item = (String, String)>) -> Self {
        self.resource_tags.extend(tags);
        self
    }
}
