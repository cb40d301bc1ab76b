//! The account: summary and alias.

use std::collections::BTreeMap;
use std::sync::Arc;

use rolecall_identity::limits;
use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::Iam;
use crate::error::from_identity;
use crate::generated::{
    CreateAccountAliasInput, DeleteAccountAliasInput, GetAccountSummaryOutput, ListAccountAliasesInput,
    ListAccountAliasesOutput,
};
use crate::paging::page;

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

pub(crate) async fn get_account_summary(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    (): (),
    _: Permit,
) -> Result<GetAccountSummaryOutput, ServiceError> {
    let policies = iam.directory.customer_policies();
    let versions: usize = policies.iter().map(|policy| policy.versions.len()).sum();
    let entries = [
        ("AccessKeysPerUserQuota", limits::ACCESS_KEYS_PER_USER),
        (
            "AccountAccessKeysPresent",
            usize::from(iam.directory.has_root_credentials()),
        ),
        ("AccountMFAEnabled", 0),
        ("AccountPasswordPresent", 0),
        ("AccountSigningCertificatesPresent", 0),
        ("AssumeRolePolicySizeQuota", limits::TRUST_POLICY_SIZE),
        ("AttachedPoliciesPerGroupQuota", limits::ATTACHED_POLICIES),
        ("AttachedPoliciesPerRoleQuota", limits::ATTACHED_POLICIES),
        ("AttachedPoliciesPerUserQuota", limits::ATTACHED_POLICIES),
        ("GroupPolicySizeQuota", limits::GROUP_INLINE_SIZE),
        ("Groups", iam.directory.groups().len()),
        ("GroupsPerUserQuota", limits::GROUPS_PER_USER),
        ("GroupsQuota", limits::GROUPS),
        ("InstanceProfiles", 0),
        ("MFADevices", 0),
        ("MFADevicesInUse", 0),
        ("Policies", policies.len()),
        ("PoliciesQuota", limits::POLICIES),
        ("PolicySizeQuota", limits::MANAGED_POLICY_SIZE),
        ("PolicyVersionsInUse", versions),
        ("Providers", 0),
        ("RolePolicySizeQuota", limits::ROLE_INLINE_SIZE),
        ("Roles", iam.directory.roles().len()),
        ("RolesQuota", limits::ROLES),
        ("ServerCertificates", 0),
        ("UserPolicySizeQuota", limits::USER_INLINE_SIZE),
        ("Users", iam.directory.users().len()),
        ("UsersQuota", limits::USERS),
        ("VersionsPerPolicyQuota", limits::POLICY_VERSIONS),
    ];
    let summary: BTreeMap<String, i32> = entries
        .into_iter()
        .map(|(name, number)| (name.to_owned(), count(number)))
        .collect();
    Ok(GetAccountSummaryOutput {
        summary_map: Some(summary),
    })
}

pub(crate) async fn create_account_alias(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: CreateAccountAliasInput,
    _: Permit,
) -> Result<(), ServiceError> {
    iam.directory
        .set_account_alias(&input.account_alias)
        .await
        .map_err(from_identity)
}

pub(crate) async fn list_account_aliases(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: ListAccountAliasesInput,
    _: Permit,
) -> Result<ListAccountAliasesOutput, ServiceError> {
    let page = page(
        iam.directory.account_alias(),
        String::clone,
        input.marker.as_deref(),
        input.max_items,
    )?;
    Ok(ListAccountAliasesOutput {
        account_aliases: page.items,
        is_truncated: Some(page.is_truncated),
        marker: page.marker,
    })
}

pub(crate) async fn delete_account_alias(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: DeleteAccountAliasInput,
    _: Permit,
) -> Result<(), ServiceError> {
    iam.directory
        .delete_account_alias(&input.account_alias)
        .await
        .map_err(from_identity)
}
