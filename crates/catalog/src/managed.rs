//! AWS's managed policies: a list that is cheap to hold, and documents unpacked one at a time.

use std::sync::OnceLock;

use crate::packed::{LazyPack, embedded, unpack_z};

static DOCUMENTS: LazyPack = LazyPack::new("policies.pack", include_bytes!("../data/policies.pack"));

static LIST: OnceLock<Box<[ManagedPolicy]>> = OnceLock::new();

/// What every AWS managed policy's ARN starts with.
const ARN: &str = "arn:aws:iam::aws:policy";

/// A managed policy that AWS maintains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManagedPolicy {
    /// Path and name, such as `/service-role/AWSLambdaBasicExecutionRole`.
    path_and_name: &'static str,
    /// The version in force, such as `v2`.
    pub default_version: &'static str,
    /// When AWS made the policy, as `YYYY-MM-DDThh:mm:ssZ`.
    pub create_date: &'static str,
    /// When AWS made the version in force, in the same form.
    pub update_date: &'static str,
}

impl ManagedPolicy {
    /// Its name, such as `AWSLambdaBasicExecutionRole`.
    pub fn name(&self) -> &'static str {
        self.path_and_name
            .rsplit_once('/')
            .map_or(self.path_and_name, |(_, name)| name)
    }

    /// Its path, such as `/` or `/service-role/`.
    pub fn path(&self) -> &'static str {
        let end = self.path_and_name.len().saturating_sub(self.name().len());
        self.path_and_name.get(..end).unwrap_or("/")
    }

    /// Its ARN, such as `arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole`.
    pub fn arn(&self) -> String {
        format!("{ARN}{}", self.path_and_name)
    }

    /// The document of the version in force, as JSON without white space. Unpacked anew at each call.
    pub fn document(&self) -> String {
        let pack = DOCUMENTS.get();
        let content = pack
            .position(self.path_and_name)
            .ok_or(crate::packed::PackError::Malformed)
            .and_then(|position| pack.content(position));
        embedded("policies.pack", content)
    }
}

/// All AWS managed policies, in the order of path and name.
pub fn managed_policies() -> &'static [ManagedPolicy] {
    LIST.get_or_init(|| {
        // Kept for as long as the program runs: the list points into it.
        let text: &'static str = Box::leak(
            embedded("policies.z", unpack_z(include_bytes!("../data/policies.z"))).into_boxed_str(),
        );
        embedded(
            "policies.z",
            text.lines()
                .map(read)
                .collect::<Option<_>>()
                .ok_or("a line is malformed"),
        )
    })
}

fn read(line: &'static str) -> Option<ManagedPolicy> {
    let mut fields = line.split('\t');
    let policy = ManagedPolicy {
        path_and_name: fields.next()?,
        default_version: fields.next()?,
        create_date: fields.next()?,
        update_date: fields.next()?,
    };
    fields.next().is_none().then_some(policy)
}

/// The managed policy of this ARN; `None` when AWS has none of it, as of the data's date. ARNs are case-sensitive.
pub fn managed_policy(arn: &str) -> Option<&'static ManagedPolicy> {
    let path_and_name = arn.strip_prefix(ARN)?;
    let policies = managed_policies();
    let position = policies
        .binary_search_by(|policy| policy.path_and_name.cmp(path_and_name))
        .ok()?;
    policies.get(position)
}
