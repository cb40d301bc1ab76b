//! `CreateLogGroup`, `DeleteLogGroup`, `DescribeLogGroups`.

use std::ops::ControlFlow;
use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};
use rolecall_store::{Condition, Reader, Transaction, codec};

use crate::generated::{
    CreateLogGroupInput, DeleteLogGroupInput, DescribeLogGroupsInput, DescribeLogGroupsOutput, LogGroup,
};
use crate::resource::GroupName;
use crate::state::{self, ATTEMPTS, EVENTS, GROUPS, GroupRecord, STREAMS};
use crate::{Logs, error, token};

/// Groups of a page when the request does not say; also the most it may ask for.
const PAGE: usize = 50;

/// Prefix of names that AWS keeps for itself, in any case.
const RESERVED: &str = "aws/";

pub(crate) async fn create_log_group(
    logs: Arc<Logs>,
    context: Arc<RequestContext>,
    input: CreateLogGroupInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let name = input.log_group_name.as_str();
    if name
        .get(..RESERVED.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(RESERVED))
    {
        return Err(error::invalid_parameter(
            "Log groups starting with AWS/ are reserved for AWS.",
        ));
    }
    if input.kms_key_id.is_some() {
        return Err(error::not_supported("kmsKeyId"));
    }
    if input.deletion_protection_enabled == Some(true) {
        return Err(error::not_supported("deletionProtectionEnabled"));
    }
    let class = input.log_group_class.unwrap_or_else(|| "STANDARD".to_owned());
    if class != "STANDARD" {
        return Err(error::not_supported(&format!("logGroupClass {class}")));
    }
    let record = GroupRecord {
        id: state::new_id()?,
        created: context.time.as_millisecond(),
        retention_days: None,
        class,
        tags: input.tags.unwrap_or_default(),
    };
    let key = state::group_key(&GroupName::own(&context, name));
    let value = codec::encode(&record).map_err(error::store)?;
    let transaction = Transaction::new().put(GROUPS, key, value, Condition::Absent);
    if error::won(logs.store().commit(transaction).await)? {
        Ok(())
    } else {
        Err(error::log_group_exists())
    }
}

/// Takes streams and events along.
pub(crate) async fn delete_log_group(
    logs: Arc<Logs>,
    context: Arc<RequestContext>,
    input: DeleteLogGroupInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let name = GroupName::own(&context, &input.log_group_name);
    for _ in 0..ATTEMPTS {
        let group = state::group(logs.store(), &context, &name)?;
        let id = group.record.id;
        let transaction = Transaction::new()
            .delete(
                GROUPS,
                state::group_key(&name),
                Condition::Revision(group.revision),
            )
            .delete_prefix(STREAMS, state::stream_key(id, ""))
            .delete_prefix(EVENTS, state::group_events(id));
        if error::won(logs.store().commit(transaction).await)? {
            return Ok(());
        }
    }
    Err(error::aborted())
}

pub(crate) async fn describe_log_groups(
    logs: Arc<Logs>,
    context: Arc<RequestContext>,
    input: DescribeLogGroupsInput,
    _: Permit,
) -> Result<DescribeLogGroupsOutput, ServiceError> {
    let selection = Selection::from(&context, &input)?;
    let limit = input
        .limit
        .and_then(|limit| usize::try_from(limit).ok())
        .map_or(PAGE, |limit| limit.min(PAGE));
    let after = input.next_token.as_deref().map(token::decode).transpose()?;
    let reader = logs.store().snapshot();
    let mut found: Vec<(GroupName, GroupRecord)> = Vec::new();
    if selection.reaches(&context.account) {
        let prefix = input.log_group_name_prefix.as_deref().unwrap_or_default();
        state::for_each_group(
            &*reader,
            &context.region,
            prefix,
            after.as_deref(),
            &mut |name, record| {
                let group = GroupName::own(&context, name);
                if selection.includes(&group, &record) {
                    found.push((group, record));
                }
                // One more than asked for tells whether there is a next page.
                if found.len() > limit {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        )?;
    }
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next_token = if has_more {
        found.last().map(|(group, _)| token::encode(&group.name))
    } else {
        None
    };
    let mut groups = Vec::with_capacity(found.len());
    for (name, record) in found {
        groups.push(describe(&*reader, &name, record, selection.pattern.is_some())?);
    }
    logs.expire_in_background(&context);
    Ok(DescribeLogGroupsOutput {
        log_groups: Some(groups),
        next_token,
    })
}

/// Which groups a request asks for, beside the prefix.
struct Selection<'a> {
    pattern: Option<&'a str>,
    class: Option<&'a str>,
    identifiers: Option<Vec<GroupName>>,
    accounts: Option<&'a [String]>,
}

impl<'a> Selection<'a> {
    fn from(context: &RequestContext, input: &'a DescribeLogGroupsInput) -> Result<Self, ServiceError> {
        let exclusive = [
            input.log_group_name_prefix.is_some(),
            input.log_group_name_pattern.is_some(),
            input.log_group_identifiers.is_some(),
        ];
        if exclusive.iter().filter(|given| **given).count() > 1 {
            let message = if input.log_group_identifiers.is_some() {
                "LogGroup identifiers cannot be combined with a LogGroup name prefix or LogGroup name pattern."
            } else {
                "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
            };
            return Err(error::invalid_parameter(message));
        }
        let identifiers = input.log_group_identifiers.as_ref().map(|identifiers| {
            identifiers
                .iter()
                .map(|identifier| GroupName::identified(context, identifier))
                .collect()
        });
        // Without a monitoring account there are no linked accounts, so `includeLinkedAccounts` adds nothing.
        Ok(Self {
            pattern: input
                .log_group_name_pattern
                .as_deref()
                .filter(|pattern| !pattern.is_empty()),
            class: input.log_group_class.as_deref(),
            identifiers: identifiers.transpose()?,
            accounts: input
                .account_identifiers
                .as_deref()
                .filter(|accounts| !accounts.is_empty()),
        })
    }

    fn reaches(&self, account: &str) -> bool {
        self.accounts
            .is_none_or(|accounts| accounts.iter().any(|asked| asked == account))
    }

    fn includes(&self, group: &GroupName, record: &GroupRecord) -> bool {
        self.pattern.is_none_or(|pattern| group.name.contains(pattern))
            && self.class.is_none_or(|class| record.class == class)
            && self
                .identifiers
                .as_ref()
                .is_none_or(|identifiers| identifiers.contains(group))
    }
}

/// With `brief` only what AWS answers to a search by pattern: name, ARN and time of creation.
fn describe(
    reader: &dyn Reader,
    name: &GroupName,
    record: GroupRecord,
    brief: bool,
) -> Result<LogGroup, ServiceError> {
    let known = LogGroup {
        log_group_name: Some(name.name.clone()),
        creation_time: Some(record.created),
        arn: Some(name.arn_with_streams()),
        ..LogGroup::default()
    };
    if brief {
        return Ok(known);
    }
    let mut stored_bytes: u64 = 0;
    state::for_each_stream(reader, record.id, "", None, &mut |_, stream| {
        stored_bytes = stored_bytes.saturating_add(stream.stored_bytes);
        ControlFlow::Continue(())
    })?;
    Ok(LogGroup {
        retention_in_days: record.retention_days,
        metric_filter_count: Some(0),
        stored_bytes: Some(i64::try_from(stored_bytes).unwrap_or(i64::MAX)),
        log_group_class: Some(record.class),
        log_group_arn: Some(name.arn()),
        deletion_protection_enabled: Some(false),
        ..known
    })
}
