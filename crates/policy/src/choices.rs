//! Choices where AWS documents nothing. Each is made here, once, and the code that follows it names the rule.
//!
//! | rule | question | choice |
//! |---|---|---|
//! | 31 | `sts:AssumeRole…` on a role without any trust policy | denied |
//! | 35 | a request on a KMS key whose policy is not known | denied: every key has a policy, and it must allow |
//! | 41 | does `"*"` include AWS services? | yes, so that a Deny for everybody is one |
//! | 42 | a canonical user id where a statement takes something away | may be any account, so all are meant; where it grants, nobody |
//! | 51 | `*:*` as an action | the lone star written out; `*:Get*` is refused |
//! | 53 | does `*` in the resource part of an ARN (after the fifth colon) cross colons? | yes; before it only as last character of a segment, and `?` never |
//! | 54 | do short forms such as `arn:aws:s3*` match? | yes: the star is the last character of its segment |
//! | 59 | an unresolved variable in `NotResource` | the statement does not apply when it allows, and applies when it denies: fail closed |
//! | 60 | a variable before the fifth colon of a resource | is never resolved, so the element matches as under 59 |
//! | 66 | a `*` inside a substituted value | is that character, literally |
//! | 68 | `${…}` in operators without variables | is compared as it stands, and is no number, date or address |
//! | 75 | several values without a set operator | positive operators are false; negated ones true only if none of the values matches |
//! | 76 | a set operator with `IfExists` on a missing key | true |
//! | 78 | a lone `*` as `ArnLike` value | matches any ARN |
//! | 79 | `ArnNotLike` on a value that is no ARN | true, the negation of `ArnLike` |
//! | 82 | `"2025"` as a date | the year |
//! | 84 | host bits set in a CIDR block | accepted, the bits are ignored |
//! | – | `NotPrincipal` with Allow, which AWS no longer supports | grants to nobody who is listed in any form: itself, its role, its account |
//! | – | which explicit deny is named when several apply | service control, resource control, endpoint, resource, boundary, session, identity |
//! | – | a resource policy's Allow without Principal (a document put together by hand) | grants nothing |
//! | – | `"*"` in a trust policy and a boundary | the boundary must allow `sts:AssumeRole` all the same, as under 33 |

/// Services whose resources resource control policies apply to (rule 27). Source: Organizations User Guide, "Resource
/// control policies", list of services that support RCPs.
pub(crate) const RESOURCE_CONTROL_SERVICES: &[&str] = &[
    "s3",
    "sts",
    "kms",
    "sqs",
    "secretsmanager",
    "dynamodb",
    "ecr",
    "aoss",
    "cognito-identity",
    "cognito-idp",
    "logs",
];

/// Prefix of the names of service-linked roles, which service control policies do not bind (rule 23).
pub(crate) const SERVICE_LINKED_PREFIX: &str = "AWSServiceRoleFor";
