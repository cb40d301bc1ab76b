//! Who asks, and how a document's principals match it.

use std::fmt;

use crate::document::{Element, PrincipalType, Principals};

/// The principal of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// The root user of an account.
    Root {
        /// Twelve digits.
        account: String,
    },
    /// An IAM user.
    User {
        /// Twelve digits.
        account: String,
        /// With its path: `arn:aws:iam::123456789012:user/team/alice`.
        arn: String,
        /// `alice`.
        name: String,
        /// `AIDA…`, where it is known.
        id: Option<String>,
    },
    /// A session of a role.
    RoleSession {
        /// Twelve digits.
        account: String,
        /// With its path: `arn:aws:iam::123456789012:role/service/worker`.
        role_arn: String,
        /// `worker`.
        role_name: String,
        /// `AROA…`, where it is known.
        role_id: Option<String>,
        /// Name of the session.
        session_name: String,
    },
    /// A session of `GetFederationToken`.
    FederatedUser {
        /// Twelve digits.
        account: String,
        /// The name given to the session.
        name: String,
        /// ARN of the user who federated.
        user_arn: String,
    },
    /// Somebody an identity provider vouches for, before a role is assumed.
    Federated {
        /// ARN or name of the provider.
        provider: String,
    },
    /// An AWS service, such as `lambda.amazonaws.com`.
    Service {
        /// Its name.
        name: String,
    },
    /// Nobody in particular: an unsigned request.
    Anonymous,
}

impl Principal {
    /// The ARN that denials and events show; the provider's or service's name for those without one.
    pub fn arn(&self) -> String {
        match self {
            Self::Root { account } => format!("arn:aws:iam::{account}:root"),
            Self::User { arn, .. } => arn.clone(),
            Self::RoleSession {
                account,
                role_name,
                session_name,
                ..
            } => {
                format!("arn:aws:sts::{account}:assumed-role/{role_name}/{session_name}")
            }
            Self::FederatedUser { account, name, .. } => {
                format!("arn:aws:sts::{account}:federated-user/{name}")
            }
            Self::Federated { provider } => provider.clone(),
            Self::Service { name } => name.clone(),
            Self::Anonymous => "anonymous".to_owned(),
        }
    }

    /// The account it belongs to; services, providers and anonymous callers have none.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Root { account }
            | Self::User { account, .. }
            | Self::RoleSession { account, .. }
            | Self::FederatedUser { account, .. } => Some(account),
            Self::Federated { .. } | Self::Service { .. } | Self::Anonymous => None,
        }
    }

    /// Reads an ARN as a denial or event shows it: of root, a user, a role session or a federated user; a service's name.
    pub fn parse(text: &str) -> Option<Self> {
        let Some(arn) = crate::Arn::parse(text) else {
            return text.ends_with(".amazonaws.com").then(|| Self::Service {
                name: text.to_owned(),
            });
        };
        let account = arn.account.to_owned();
        let (kind, rest) = arn.resource.split_once('/').unwrap_or((arn.resource, ""));
        match (arn.service, kind) {
            ("iam", "root") if arn.resource == "root" => Some(Self::Root { account }),
            ("iam", "user") if !rest.is_empty() && !rest.ends_with('/') => Some(Self::User {
                account,
                arn: text.to_owned(),
                name: rest.rsplit('/').next()?.to_owned(),
                id: None,
            }),
            ("sts", "assumed-role") => {
                let (role_name, session_name) = rest.split_once('/')?;
                Some(Self::RoleSession {
                    role_arn: format!("arn:{}:iam::{account}:role/{role_name}", arn.partition),
                    account,
                    role_name: role_name.to_owned(),
                    role_id: None,
                    session_name: session_name.to_owned(),
                })
            }
            ("sts", "federated-user") => Some(Self::FederatedUser {
                account,
                name: rest.to_owned(),
                user_arn: String::new(),
            }),
            _ => None,
        }
    }

    /// Whether it is a session of a service-linked role (rule 23).
    pub(crate) fn is_service_linked(&self) -> bool {
        matches!(self, Self::RoleSession { role_name, .. } if role_name.starts_with(crate::choices::SERVICE_LINKED_PREFIX))
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.arn())
    }
}

/// How a statement names the principal of a request. Later ones reach further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Naming {
    /// The account: the account decides who of it (rule 6).
    Account,
    /// The role of the session, or the user who federated: limited by boundary and session policy (rules 9, 12).
    Issuer,
    /// Everybody (rules 5, 11).
    Everyone,
    /// The user, session or service itself (rules 8, 10, 12).
    Itself,
}

/// How `element` names the principal, if it does. `bounded` says whether the principal has a permissions boundary.
pub(crate) fn naming(
    element: &Element<Principals>,
    principal: &Principal,
    denies: bool,
    bounded: bool,
) -> Option<Naming> {
    if !element.negated {
        return named(&element.value, principal, denies);
    }
    let left_out = if denies {
        // Rule 45: the boundary makes the exemption void.
        !bounded && exempted(&element.value, principal)
    } else {
        // Not supported by AWS any more. Whoever is listed in any of its forms is not granted anything.
        named(&element.value, principal, true).is_some()
    };
    (!left_out).then_some(Naming::Everyone)
}

/// `cautious` is for statements that take something away: who may be meant is taken as meant.
fn named(principals: &Principals, principal: &Principal, cautious: bool) -> Option<Naming> {
    let Principals::Listed(types) = principals else {
        return Some(Naming::Everyone);
    };
    // Which account a canonical user id stands for is not known here.
    let canonical = cautious
        && principal.account().is_some()
        && types
            .iter()
            .any(|(kind, _)| *kind == PrincipalType::CanonicalUser);
    let mut found = canonical.then_some(Naming::Account);
    for (kind, values) in types {
        for value in values.iter() {
            found = found.max(name_of(*kind, value, principal));
        }
    }
    found
}

fn name_of(kind: PrincipalType, value: &str, principal: &Principal) -> Option<Naming> {
    match (kind, principal) {
        (PrincipalType::Aws, _) if value == "*" => Some(Naming::Everyone),
        (PrincipalType::Service, Principal::Service { name }) => (value == name).then_some(Naming::Itself),
        (PrincipalType::Federated, Principal::Federated { provider }) => {
            (value == provider || value == "*").then_some(Naming::Itself)
        }
        (PrincipalType::Aws, _) => {
            let account = principal.account()?;
            if is_account(value, account) {
                return Some(if matches!(principal, Principal::Root { .. }) {
                    Naming::Itself
                } else {
                    Naming::Account
                });
            }
            match principal {
                Principal::User { arn, id, .. } => {
                    (value == arn || id.as_deref() == Some(value)).then_some(Naming::Itself)
                }
                Principal::RoleSession {
                    role_arn, role_id, ..
                } => {
                    if value == role_arn || role_id.as_deref() == Some(value) {
                        Some(Naming::Issuer)
                    } else {
                        (value.contains(":assumed-role/") && value == principal.arn())
                            .then_some(Naming::Itself)
                    }
                }
                Principal::FederatedUser { user_arn, .. } => {
                    if value == user_arn {
                        Some(Naming::Issuer)
                    } else {
                        (value == principal.arn()).then_some(Naming::Itself)
                    }
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether `value` stands for the account: twelve digits, or the ARN of its root.
fn is_account(value: &str, account: &str) -> bool {
    value == account
        || value
            .strip_prefix("arn:")
            .and_then(|rest| rest.split_once(":iam::"))
            .and_then(|(_, rest)| rest.strip_suffix(":root"))
            == Some(account)
}

/// Whether `NotPrincipal` exempts the principal: it must list the account, the role and the session (rule 46).
fn exempted(principals: &Principals, principal: &Principal) -> bool {
    let Principals::Listed(types) = principals else {
        return true;
    };
    let lists = |wanted: &dyn Fn(&str) -> bool, kind: PrincipalType| {
        types
            .iter()
            .filter(|(have, _)| *have == kind)
            .any(|(_, values)| values.iter().any(|value| value == "*" || wanted(value)))
    };
    match principal {
        Principal::Service { name } => lists(&|value| value == name, PrincipalType::Service),
        Principal::Federated { provider } => lists(&|value| value == provider, PrincipalType::Federated),
        Principal::Anonymous => lists(&|_| false, PrincipalType::Aws),
        Principal::Root { account } => lists(&|value| is_account(value, account), PrincipalType::Aws),
        Principal::User { account, arn, id, .. } => {
            lists(
                &|value| value == arn || id.as_deref() == Some(value),
                PrincipalType::Aws,
            ) && lists(&|value| is_account(value, account), PrincipalType::Aws)
        }
        Principal::RoleSession {
            account,
            role_arn,
            role_id,
            ..
        } => {
            let session = principal.arn();
            lists(&|value| value == session, PrincipalType::Aws)
                && lists(
                    &|value| value == role_arn || role_id.as_deref() == Some(value),
                    PrincipalType::Aws,
                )
                && lists(&|value| is_account(value, account), PrincipalType::Aws)
        }
        Principal::FederatedUser {
            account, user_arn, ..
        } => {
            let session = principal.arn();
            lists(&|value| value == session, PrincipalType::Aws)
                && lists(&|value| value == user_arn, PrincipalType::Aws)
                && lists(&|value| is_account(value, account), PrincipalType::Aws)
        }
    }
}
