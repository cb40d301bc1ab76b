//! What each operation needs.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon CloudWatch
//! Logs". The resource a policy is asked about is the one AWS names in its denials: for an operation on a log
//! group the ARN `…:log-group:NAME:log-stream:` (which `…:log-group:NAME:*` matches and `…:log-group:NAME`
//! does not), for one on a stream that with the stream's name, for the tagging operations the plain
//! `…:log-group:NAME`, and for `DescribeLogGroups` `…:log-group::log-stream:`. Source of the `:*`: CloudWatch
//! Logs User Guide, "Overview of managing access permissions", and the denials themselves.

#![expect(
    clippy::unnecessary_wraps,
    reason = "the table of operations has one signature for all of these"
)]

use std::collections::BTreeMap;

use rolecall_service::{Access, Needs, RequestContext, ServiceError};

use crate::Logs;
use crate::generated::{
    CreateLogGroupInput, CreateLogStreamInput, DeleteLogGroupInput, DeleteLogStreamInput,
    DeleteRetentionPolicyInput, DescribeLogGroupsInput, DescribeLogStreamsInput, FilterLogEventsInput,
    GetLogEventsInput, ListTagsForResourceInput, ListTagsLogGroupInput, PutLogEventsInput,
    PutRetentionPolicyInput, TagLogGroupInput, TagResourceInput, UntagLogGroupInput, UntagResourceInput,
};
use crate::resource::GroupName;
use crate::state;

type Answer = Result<Needs, ServiceError>;

impl Logs {
    /// `action` on `resource`, which belongs to `group`: with the group's owner and tags.
    fn access(
        &self,
        context: &RequestContext,
        action: &'static str,
        resource: String,
        group: &GroupName,
    ) -> Result<Access, ServiceError> {
        let access = Access::new(action, resource).owned_by(group.account.as_str());
        if *group.account != *context.account {
            return Ok(access);
        }
        let found = state::find_group(self.store(), group)?;
        Ok(access.with_tags(found.into_iter().flat_map(|group| group.record.tags)))
    }

    fn on_group(&self, context: &RequestContext, action: &'static str, group: &GroupName) -> Answer {
        Ok(self.access(context, action, group.stream_arn(""), group)?.into())
    }

    fn on_stream(
        &self,
        context: &RequestContext,
        action: &'static str,
        group: &GroupName,
        stream: &str,
    ) -> Answer {
        Ok(self
            .access(context, action, group.stream_arn(stream), group)?
            .into())
    }

    /// `unmask` needs `logs:Unmask` besides, whether or not anything is masked.
    fn with_unmask(
        &self,
        context: &RequestContext,
        read: Access,
        group: &GroupName,
        unmask: Option<bool>,
    ) -> Answer {
        if unmask != Some(true) {
            return Ok(read.into());
        }
        let unmask = self.access(context, "logs:Unmask", group.stream_arn(""), group)?;
        Ok(vec![read, unmask].into())
    }

    fn on_tags(
        &self,
        context: &RequestContext,
        action: &'static str,
        group: &GroupName,
    ) -> Result<Access, ServiceError> {
        self.access(context, action, group.arn(), group)
    }
}

fn with_request_tags(mut access: Access, tags: &BTreeMap<String, String>) -> Access {
    if tags.is_empty() {
        return access;
    }
    for (key, value) in tags {
        access = access.with_key(format!("aws:RequestTag/{key}"), value.as_str());
    }
    access.with_keys("aws:TagKeys", tags.keys().cloned().collect())
}

/// Tags at creation need `logs:TagResource` besides.
pub(crate) fn create_log_group(_: &Logs, context: &RequestContext, input: &CreateLogGroupInput) -> Answer {
    let group = GroupName::own(context, &input.log_group_name);
    let create = Access::new("logs:CreateLogGroup", group.stream_arn(""));
    Ok(match &input.tags {
        Some(tags) if !tags.is_empty() => vec![
            with_request_tags(create, tags),
            with_request_tags(Access::new("logs:TagResource", group.arn()), tags),
        ]
        .into(),
        _ => create.into(),
    })
}

pub(crate) fn delete_log_group(logs: &Logs, context: &RequestContext, input: &DeleteLogGroupInput) -> Answer {
    logs.on_group(
        context,
        "logs:DeleteLogGroup",
        &GroupName::own(context, &input.log_group_name),
    )
}

pub(crate) fn describe_log_groups(_: &Logs, context: &RequestContext, _: &DescribeLogGroupsInput) -> Answer {
    Ok(Access::new(
        "logs:DescribeLogGroups",
        GroupName::own(context, "").stream_arn(""),
    )
    .into())
}

pub(crate) fn put_retention_policy(
    logs: &Logs,
    context: &RequestContext,
    input: &PutRetentionPolicyInput,
) -> Answer {
    logs.on_group(
        context,
        "logs:PutRetentionPolicy",
        &GroupName::own(context, &input.log_group_name),
    )
}

pub(crate) fn delete_retention_policy(
    logs: &Logs,
    context: &RequestContext,
    input: &DeleteRetentionPolicyInput,
) -> Answer {
    logs.on_group(
        context,
        "logs:DeleteRetentionPolicy",
        &GroupName::own(context, &input.log_group_name),
    )
}

pub(crate) fn create_log_stream(
    logs: &Logs,
    context: &RequestContext,
    input: &CreateLogStreamInput,
) -> Answer {
    let group = GroupName::own(context, &input.log_group_name);
    logs.on_stream(context, "logs:CreateLogStream", &group, &input.log_stream_name)
}

pub(crate) fn delete_log_stream(
    logs: &Logs,
    context: &RequestContext,
    input: &DeleteLogStreamInput,
) -> Answer {
    let group = GroupName::own(context, &input.log_group_name);
    logs.on_stream(context, "logs:DeleteLogStream", &group, &input.log_stream_name)
}

pub(crate) fn describe_log_streams(
    logs: &Logs,
    context: &RequestContext,
    input: &DescribeLogStreamsInput,
) -> Answer {
    let group = GroupName::either(
        context,
        input.log_group_name.as_deref(),
        input.log_group_identifier.as_deref(),
    )?;
    logs.on_group(context, "logs:DescribeLogStreams", &group)
}

pub(crate) fn put_log_events(logs: &Logs, context: &RequestContext, input: &PutLogEventsInput) -> Answer {
    let group = GroupName::own(context, &input.log_group_name);
    logs.on_stream(context, "logs:PutLogEvents", &group, &input.log_stream_name)
}

pub(crate) fn get_log_events(logs: &Logs, context: &RequestContext, input: &GetLogEventsInput) -> Answer {
    let group = GroupName::either(
        context,
        input.log_group_name.as_deref(),
        input.log_group_identifier.as_deref(),
    )?;
    let read = logs.access(
        context,
        "logs:GetLogEvents",
        group.stream_arn(&input.log_stream_name),
        &group,
    )?;
    logs.with_unmask(context, read, &group, input.unmask)
}

pub(crate) fn filter_log_events(
    logs: &Logs,
    context: &RequestContext,
    input: &FilterLogEventsInput,
) -> Answer {
    let group = GroupName::either(
        context,
        input.log_group_name.as_deref(),
        input.log_group_identifier.as_deref(),
    )?;
    let read = logs.access(context, "logs:FilterLogEvents", group.stream_arn(""), &group)?;
    logs.with_unmask(context, read, &group, input.unmask)
}

pub(crate) fn tag_resource(logs: &Logs, context: &RequestContext, input: &TagResourceInput) -> Answer {
    let group = GroupName::tagged(&input.resource_arn)?;
    Ok(with_request_tags(logs.on_tags(context, "logs:TagResource", &group)?, &input.tags).into())
}

pub(crate) fn untag_resource(logs: &Logs, context: &RequestContext, input: &UntagResourceInput) -> Answer {
    let group = GroupName::tagged(&input.resource_arn)?;
    let access = logs.on_tags(context, "logs:UntagResource", &group)?;
    Ok(access.with_keys("aws:TagKeys", input.tag_keys.clone()).into())
}

pub(crate) fn list_tags_for_resource(
    logs: &Logs,
    context: &RequestContext,
    input: &ListTagsForResourceInput,
) -> Answer {
    let group = GroupName::tagged(&input.resource_arn)?;
    Ok(logs.on_tags(context, "logs:ListTagsForResource", &group)?.into())
}

pub(crate) fn tag_log_group(logs: &Logs, context: &RequestContext, input: &TagLogGroupInput) -> Answer {
    let group = GroupName::own(context, &input.log_group_name);
    let access = logs.access(context, "logs:TagLogGroup", group.stream_arn(""), &group)?;
    Ok(with_request_tags(access, &input.tags).into())
}

pub(crate) fn untag_log_group(logs: &Logs, context: &RequestContext, input: &UntagLogGroupInput) -> Answer {
    let group = GroupName::own(context, &input.log_group_name);
    let access = logs.access(context, "logs:UntagLogGroup", group.stream_arn(""), &group)?;
    Ok(access.with_keys("aws:TagKeys", input.tags.clone()).into())
}

pub(crate) fn list_tags_log_group(
    logs: &Logs,
    context: &RequestContext,
    input: &ListTagsLogGroupInput,
) -> Answer {
    logs.on_group(
        context,
        "logs:ListTagsLogGroup",
        &GroupName::own(context, &input.log_group_name),
    )
}
