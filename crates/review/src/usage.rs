//! What the sessions of a role did, read from the trail.

use std::collections::BTreeSet;

use rolecall_trail::Record;

use crate::call::{Call, Undecided};

/// What the sessions of one role did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The role's ARN.
    pub role: String,
    /// Every access, allowed and denied, in the order of the records.
    pub calls: Vec<Call>,
    /// Calls that failed before any access was decided, in the order of the records.
    pub undecided: Vec<Undecided>,
}

/// Reads what the sessions of `role` (its ARN, with its path) did, in the order of `records`.
///
/// A record is of the role when its session was issued by it. That covers a function's own calls and those AWS Lambda
/// makes with the role's permissions, such as writing the function's log. Others' records are left out, so a whole
/// trail may be given.
///
/// An access that was denied is kept, and never counts as use. Neither does an access no role needs a permission for
/// (`sts:GetCallerIdentity`).
///
/// A probe is an access the call can go on without: Amazon S3 asks for `s3:ListBucket` when an object is missing, only to
/// choose between 404 and 403
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>, "Permissions"). It is decisive, and so a use or
/// a denial, when
/// - it was allowed and the call ended with a "not found" error, which it would not have said otherwise,
/// - it was denied and the call ended with an "access denied" error, or
/// - the call has no required access at all, so that its probes are its work: `DeleteObjects` asks for each key.
pub fn usage<'a>(records: impl IntoIterator<Item = &'a Record>, role: &str) -> Usage {
    let mut usage = Usage {
        role: role.to_owned(),
        calls: Vec::new(),
        undecided: Vec::new(),
    };
    for record in records.into_iter().filter(|record| is_session_of(record, role)) {
        if record.accesses.is_empty() {
            usage.undecided.push(Undecided::of_event(&record.event));
        }
        usage.calls.extend(Call::of_record(record));
    }
    usage
}

fn is_session_of(record: &Record, role: &str) -> bool {
    let context = record.event.user_identity.session_context.as_ref();
    context
        .and_then(|context| context.session_issuer.as_ref())
        .is_some_and(|issuer| issuer.arn == role)
}

impl Usage {
    /// The accesses that count as use, in order.
    pub fn used(&self) -> impl Iterator<Item = &Call> {
        self.calls
            .iter()
            .filter(|call| call.is_use() && !call.needs_no_permission())
    }

    /// The accesses that were denied to the disadvantage of their call, in order.
    pub fn denied(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(|call| call.is_denial())
    }

    /// The different actions that were used, sorted.
    pub fn used_actions(&self) -> BTreeSet<&str> {
        self.used().map(|call| call.action.as_str()).collect()
    }
}

impl Call {
    /// Whether it is allowed to everybody, whatever the policies say.
    fn needs_no_permission(&self) -> bool {
        self.layer == "always"
    }
}
