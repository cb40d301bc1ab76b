//! `LookupEvents`: management events of the last 90 days, newest first.

use std::sync::Arc;

use jiff::Timestamp;
use rolecall_service::{Permit, RequestContext, ServiceError};
use rolecall_trail::{LookupAttribute, LookupFilter, lookup};

use crate::generated::{Event, LookupEventsInput, LookupEventsOutput, Resource};
use crate::{CloudTrail, error, token};

/// Events of a page when the request does not say; also the most it may ask for.
const PAGE: usize = 50;

pub(crate) async fn lookup_events(
    cloud_trail: Arc<CloudTrail>,
    context: Arc<RequestContext>,
    input: LookupEventsInput,
    _: Permit,
) -> Result<LookupEventsOutput, ServiceError> {
    let fingerprint = token::fingerprint(&input);
    let filter = filter(&input, &fingerprint)?;
    let page = match lookup(&cloud_trail.recorder, &filter, context.time) {
        Ok(Ok(page)) => page,
        Ok(Err(_)) => return Err(error::next_token()),
        Err(error) => return Err(ServiceError::internal(error)),
    };
    let events = page.events.iter().map(present).collect::<Result<Vec<_>, _>>()?;
    Ok(LookupEventsOutput {
        events: Some(events),
        next_token: page.next_token.map(|place| token::encode(&place, &fingerprint)),
    })
}

fn filter(input: &LookupEventsInput, fingerprint: &str) -> Result<LookupFilter, ServiceError> {
    if let Some(category) = &input.event_category {
        return Err(error::event_category(category));
    }
    let limit = match input.max_results.map(usize::try_from) {
        None => PAGE,
        Some(Ok(limit)) if (1..=PAGE).contains(&limit) => limit,
        Some(_) => return Err(error::max_results()),
    };
    let (start, end) = (input.start_time, input.end_time);
    if matches!((start, end), (Some(start), Some(end)) if start > end) {
        return Err(error::time_range());
    }
    let token = match &input.next_token {
        Some(given) => Some(token::decode(given, fingerprint).ok_or_else(error::next_token)?),
        None => None,
    };
    Ok(LookupFilter {
        attribute: attribute(input)?,
        start,
        end,
        limit,
        token,
    })
}

fn attribute(input: &LookupEventsInput) -> Result<Option<LookupAttribute>, ServiceError> {
    let attribute = match input.lookup_attributes.as_deref() {
        None | Some([]) => return Ok(None),
        Some([attribute]) => attribute,
        Some(_) => {
            return Err(error::lookup_attributes(
                "You can only specify one attribute for LookupAttributes.",
            ));
        }
    };
    let value = attribute.attribute_value.clone();
    if value.is_empty() || value.len() > 2000 {
        return Err(error::lookup_attributes(
            "The attribute value must have between 1 and 2000 characters.",
        ));
    }
    Ok(Some(match attribute.attribute_key.as_str() {
        "EventId" => LookupAttribute::EventId(value),
        "EventName" => LookupAttribute::EventName(value),
        "ReadOnly" => LookupAttribute::ReadOnly(value),
        "Username" => LookupAttribute::Username(value),
        "ResourceType" => LookupAttribute::ResourceType(value),
        "ResourceName" => LookupAttribute::ResourceName(value),
        "EventSource" => LookupAttribute::EventSource(value),
        "AccessKeyId" => LookupAttribute::AccessKeyId(value),
        other => {
            return Err(error::lookup_attributes(format!(
                "The attribute key {other} is not one of LookupEvents."
            )));
        }
    }))
}

fn present(event: &rolecall_trail::Event) -> Result<Event, ServiceError> {
    let resources = event
        .resources
        .iter()
        .map(|resource| Resource {
            resource_type: Some(resource.kind.clone()),
            resource_name: Some(resource.name().to_owned()),
        })
        .collect();
    Ok(Event {
        event_id: Some(event.event_id.clone()),
        event_name: Some(event.event_name.clone()),
        read_only: Some(event.read_only.to_string()),
        access_key_id: event.user_identity.access_key_id.clone(),
        event_time: Some(
            event
                .event_time
                .parse::<Timestamp>()
                .map_err(ServiceError::internal)?,
        ),
        event_source: Some(event.event_source.clone()),
        username: event.username().map(str::to_owned),
        resources: Some(resources),
        cloud_trail_event: Some(serde_json::to_string(event).map_err(ServiceError::internal)?),
    })
}
