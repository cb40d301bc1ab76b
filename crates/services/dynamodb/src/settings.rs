//! Tags, time to live, and what the account may have.

use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::DynamoDb;
use crate::error::{Result, invalid_parameter, validation};
use crate::generated::{
    ContinuousBackupsDescription, DescribeContinuousBackupsInput, DescribeContinuousBackupsOutput,
    DescribeEndpointsInput, DescribeEndpointsOutput, DescribeLimitsInput, DescribeLimitsOutput,
    DescribeTimeToLiveInput, DescribeTimeToLiveOutput, Endpoint, ListTagsOfResourceInput,
    ListTagsOfResourceOutput, PointInTimeRecoveryDescription, Tag, TagResourceInput, TimeToLiveDescription,
    UntagResourceInput, UpdateTimeToLiveInput, UpdateTimeToLiveOutput,
};
use crate::state::table_name;
use crate::table::Table;
use crate::tables::{find, replace};

/// Most tags of a table.
const MAX_TAGS: usize = 50;
/// Capacity units an account may provision; AWS's default quota.
const ACCOUNT_CAPACITY: i64 = 80_000;
/// Capacity units a table may provision; AWS's default quota.
const TABLE_CAPACITY: i64 = 40_000;
/// How long a client may keep an endpoint, in minutes.
const ENDPOINT_CACHE_MINUTES: i64 = 1440;

/// `tags` with those of `added` put in.
///
/// # Errors
/// A tag is malformed or there are too many.
pub(crate) fn merged(mut tags: Vec<(String, String)>, added: Vec<Tag>) -> Result<Vec<(String, String)>> {
    for tag in added {
        if tag.key.is_empty() || tag.key.chars().count() > 128 || tag.value.chars().count() > 256 {
            return Err(validation(
                "Tag keys have 1 to 128 characters and tag values at most 256",
            ));
        }
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            return Err(validation(format!(
                "One or more parameter values were invalid: Tag keys beginning with aws: are reserved: {}",
                tag.key
            )));
        }
        match tags.iter_mut().find(|(key, _)| *key == tag.key) {
            Some((_, value)) => *value = tag.value,
            None => tags.push((tag.key, tag.value)),
        }
    }
    if tags.len() > MAX_TAGS {
        return Err(ServiceError::new(
            "LimitExceededException",
            400,
            format!(
                "One or more parameter values were invalid: Too many tags: at most {MAX_TAGS} are allowed"
            ),
        ));
    }
    Ok(tags)
}

fn tagged(service: &DynamoDb, context: &RequestContext, arn: &str) -> Result<Arc<Table>> {
    if !arn.starts_with("arn:") {
        return Err(invalid_parameter(format_args!(
            "Invalid TableArn: Invalid ResourceArn provided as input {arn}"
        )));
    }
    let name = table_name(context, arn)?;
    service.state.find(&context.region, name).ok_or_else(|| {
        ServiceError::new(
            "ResourceNotFoundException",
            400,
            format!("Requested resource not found: ResourcArn: {arn} not found"),
        )
    })
}

/// `TagResource`
pub(crate) async fn tag_resource(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    input: TagResourceInput,
    _permit: Permit,
) -> Result<()> {
    let table = tagged(&service, &context, &input.resource_arn)?;
    let mut definition = table.definition.clone();
    definition.tags = merged(definition.tags, input.tags)?;
    replace(&service, &table, definition, |transaction| transaction).await?;
    Ok(())
}

/// `UntagResource`
pub(crate) async fn untag_resource(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    input: UntagResourceInput,
    _permit: Permit,
) -> Result<()> {
    let table = tagged(&service, &context, &input.resource_arn)?;
    let mut definition = table.definition.clone();
    definition.tags.retain(|(key, _)| !input.tag_keys.contains(key));
    replace(&service, &table, definition, |transaction| transaction).await?;
    Ok(())
}

/// `ListTagsOfResource`. A table has fewer tags than a page.
pub(crate) async fn list_tags_of_resource(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    input: ListTagsOfResourceInput,
    _permit: Permit,
) -> Result<ListTagsOfResourceOutput> {
    let table = tagged(&service, &context, &input.resource_arn)?;
    let tags = table
        .definition
        .tags
        .iter()
        .map(|(key, value)| Tag {
            key: key.clone(),
            value: value.clone(),
        })
        .collect();
    Ok(ListTagsOfResourceOutput {
        tags: Some(tags),
        next_token: None,
    })
}

/// `UpdateTimeToLive`
pub(crate) async fn update_time_to_live(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    input: UpdateTimeToLiveInput,
    _permit: Permit,
) -> Result<UpdateTimeToLiveOutput> {
    let table = find(&service, &context, &input.table_name)?;
    let given = input.time_to_live_specification;
    match (&table.definition.time_to_live, given.enabled) {
        (Some(_), true) => return Err(validation("TimeToLive is already enabled")),
        (None, false) => return Err(validation("TimeToLive is already disabled")),
        (Some(attribute), false) if *attribute != given.attribute_name => {
            return Err(validation(format!(
                "TimeToLive is active on a different AttributeName: current AttributeName is {attribute}"
            )));
        }
        _ => {}
    }
    let mut definition = table.definition.clone();
    definition.time_to_live = given.enabled.then(|| given.attribute_name.clone());
    replace(&service, &table, definition, |transaction| transaction).await?;
    Ok(UpdateTimeToLiveOutput {
        time_to_live_specification: Some(given),
    })
}

/// `DescribeTimeToLive`
pub(crate) async fn describe_time_to_live(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    input: DescribeTimeToLiveInput,
    _permit: Permit,
) -> Result<DescribeTimeToLiveOutput> {
    let table = find(&service, &context, &input.table_name)?;
    let attribute = table.definition.time_to_live.clone();
    let status = if attribute.is_some() {
        "ENABLED"
    } else {
        "DISABLED"
    };
    Ok(DescribeTimeToLiveOutput {
        time_to_live_description: Some(TimeToLiveDescription {
            time_to_live_status: Some(status.to_owned()),
            attribute_name: attribute,
        }),
    })
}

/// `DescribeContinuousBackups`: point-in-time recovery is never on here.
pub(crate) async fn describe_continuous_backups(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    input: DescribeContinuousBackupsInput,
    _permit: Permit,
) -> Result<DescribeContinuousBackupsOutput> {
    let name = table_name(&context, &input.table_name)?;
    if service.state.find(&context.region, name).is_none() {
        return Err(ServiceError::new(
            "TableNotFoundException",
            400,
            format!("Table not found: {name}"),
        ));
    }
    Ok(DescribeContinuousBackupsOutput {
        continuous_backups_description: Some(ContinuousBackupsDescription {
            continuous_backups_status: "DISABLED".to_owned(),
            point_in_time_recovery_description: Some(PointInTimeRecoveryDescription {
                point_in_time_recovery_status: Some("DISABLED".to_owned()),
                ..PointInTimeRecoveryDescription::default()
            }),
        }),
    })
}

/// `DescribeLimits`: AWS's default quotas; nothing is throttled here.
pub(crate) async fn describe_limits(
    _service: Arc<DynamoDb>,
    _context: Arc<RequestContext>,
    _input: DescribeLimitsInput,
    _permit: Permit,
) -> Result<DescribeLimitsOutput> {
    Ok(DescribeLimitsOutput {
        account_max_read_capacity_units: Some(ACCOUNT_CAPACITY),
        account_max_write_capacity_units: Some(ACCOUNT_CAPACITY),
        table_max_read_capacity_units: Some(TABLE_CAPACITY),
        table_max_write_capacity_units: Some(TABLE_CAPACITY),
    })
}

/// `DescribeEndpoints`: this one.
pub(crate) async fn describe_endpoints(
    _service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    _input: DescribeEndpointsInput,
    _permit: Permit,
) -> Result<DescribeEndpointsOutput> {
    let address = context
        .endpoint
        .split_once("://")
        .map_or(&*context.endpoint, |(_, host)| host)
        .to_owned();
    Ok(DescribeEndpointsOutput {
        endpoints: vec![Endpoint {
            address,
            cache_period_in_minutes: ENDPOINT_CACHE_MINUTES,
        }],
    })
}
