//! `Query` and `Scan`.

use std::collections::BTreeMap;
use std::sync::Arc;

use rolecall_service::{Permit, RequestContext};
use rolecall_store::ScanRange;
use rolecall_wire::AttributeValue;

use crate::DynamoDb;
use crate::capacity::{Detail, Meter, Use};
use crate::error::{Result, invalid_parameter, validation};
use crate::expression::key_condition::{self, KeyCondition};
use crate::expression::{
    Condition, Kind, Placeholders, Projection, legacy, parse_condition, parse_projection, refuse_mixed,
};
use crate::generated::{
    Condition as LegacyCondition, ConsumedCapacity, QueryInput, QueryOutput, ScanInput, ScanOutput,
};
use crate::item::{self, Item};
use crate::key;
use crate::page::{self, Page, Request, Selection, Source};
use crate::state::table_name;
use crate::table::{IndexProjection, Table};

/// Most segments of a parallel scan.
const MAX_SEGMENTS: i32 = 1_000_000;

/// Parameters that query and scan have in common.
struct Common<'a> {
    source: Source<'a>,
    select: Option<&'a str>,
    consistent: bool,
    limit: Option<i32>,
    paths: Option<Vec<crate::expression::Path>>,
}

impl Common<'_> {
    fn limit(&self) -> Result<Option<usize>> {
        match self.limit {
            None => Ok(None),
            Some(limit) => match usize::try_from(limit) {
                Ok(limit) if limit > 0 => Ok(Some(limit)),
                _ => Err(validation("Limit must be greater than or equal to 1")),
            },
        }
    }

    fn selection(&self) -> Result<Selection> {
        let index = self.source.index.map(|(index, _)| index);
        let given = self.paths.is_some();
        let global = index.filter(|index| !index.local);
        if self.consistent && global.is_some() {
            return Err(validation(
                "Consistent reads are not supported on global secondary indexes",
            ));
        }
        let projection = self.paths.as_ref().map(Projection::new);
        if let (Some(index), Some(projection)) = (global, &projection) {
            let table = &self.source.table.definition.key;
            let missing: Vec<&str> = projection
                .attributes()
                .filter(|name| !index.shows(name, table))
                .collect();
            if !missing.is_empty() {
                return Err(invalid_parameter(format_args!(
                    "Global secondary index {} does not project [{}]",
                    index.name,
                    missing.join(", ")
                )));
            }
        }
        let selection = |count_only, index_view| Selection {
            count_only,
            projection: None,
            index_view,
        };
        match self.select {
            None | Some("SPECIFIC_ATTRIBUTES") if given => Ok(Selection {
                projection,
                index_view: global.is_some(),
                count_only: false,
            }),
            Some("SPECIFIC_ATTRIBUTES") => Err(validation(
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
            )),
            Some("COUNT") if given => Err(validation(
                "Cannot specify the ProjectionExpression when choosing to get only the Count",
            )),
            Some(select @ ("ALL_ATTRIBUTES" | "ALL_PROJECTED_ATTRIBUTES")) if given => Err(validation(
                format!("Cannot specify the ProjectionExpression when choosing to get {select}"),
            )),
            Some("COUNT") => Ok(selection(true, true)),
            Some("ALL_ATTRIBUTES") => match global {
                Some(index) if index.projection != IndexProjection::All => {
                    Err(invalid_parameter(format_args!(
                        "Select type ALL_ATTRIBUTES is not supported for global secondary index {} because its projection type is not ALL",
                        index.name
                    )))
                }
                _ => Ok(selection(false, false)),
            },
            Some("ALL_PROJECTED_ATTRIBUTES") if index.is_none() => Err(validation(
                "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
            )),
            None | Some("ALL_PROJECTED_ATTRIBUTES") => Ok(selection(false, true)),
            Some(_) => Err(validation(
                "Select is not one of ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES, SPECIFIC_ATTRIBUTES, COUNT",
            )),
        }
    }

    fn capacity(&self, page: &Page, detail: Detail) -> Option<ConsumedCapacity> {
        let kind = if self.consistent {
            Use::ConsistentRead
        } else {
            Use::Read
        };
        let units = kind.units(page.size);
        let mut meter = Meter::default();
        match self.source.index {
            Some((index, _)) => meter.index(self.source.table, &index.name, units),
            None => meter.table(units),
        }
        meter.report(&self.source.table.definition.name, detail, kind)
    }
}

fn paths(
    expression: Option<&str>,
    attributes: Option<&[String]>,
    placeholders: &mut Placeholders<'_>,
) -> Result<Option<Vec<crate::expression::Path>>> {
    match (expression, attributes) {
        (Some(text), _) => parse_projection(text, placeholders).map(Some),
        (None, Some(attributes)) => legacy::attributes_to_get(attributes).map(Some),
        (None, None) => Ok(None),
    }
}

fn filter(
    expression: Option<&str>,
    legacy_filter: Option<&BTreeMap<String, LegacyCondition>>,
    operator: Option<&str>,
    placeholders: &mut Placeholders<'_>,
) -> Result<Option<Condition>> {
    match (expression, legacy_filter) {
        (Some(text), _) => parse_condition(Kind::Filter, text, placeholders).map(Some),
        (None, Some(given)) => legacy::filter(given, operator),
        (None, None) => Ok(None),
    }
}

fn start(source: Source<'_>, given: Option<&mut Item>) -> Result<Option<Vec<u8>>> {
    let Some(given) = given else { return Ok(None) };
    item::canonicalise_item(given).map_err(|error| {
        validation(format!(
            "The provided starting key is invalid: {}",
            error.message()
        ))
    })?;
    source.start_key(given).map(Some)
}

/// A count as the answer has it; a page's never exceeds a megabyte's worth.
fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The key condition of a query on `table` or one of its indexes.
pub(crate) fn key_condition(
    input: &QueryInput,
    table: &Table,
    placeholders: &mut Placeholders<'_>,
) -> Result<KeyCondition> {
    let schema = match &input.index_name {
        Some(name) => &table.index(name)?.0.key,
        None => &table.definition.key,
    };
    match (&input.key_condition_expression, &input.key_conditions) {
        (Some(text), _) => {
            let condition = parse_condition(Kind::KeyCondition, text, placeholders)?;
            key_condition::from_expression(&condition, schema)
        }
        (None, Some(given)) => key_condition::from_parts(legacy::key_conditions(given)?, schema),
        (None, None) => Err(validation(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
        )),
    }
}

/// Names and values of a query.
pub(crate) fn query_placeholders(input: &QueryInput) -> Result<Placeholders<'_>> {
    Placeholders::new(
        &[
            (Kind::Projection, input.projection_expression.as_deref()),
            (Kind::Filter, input.filter_expression.as_deref()),
            (Kind::KeyCondition, input.key_condition_expression.as_deref()),
        ],
        input.expression_attribute_names.as_ref(),
        input.expression_attribute_values.as_ref(),
    )
}

/// `Query`
pub(crate) async fn query(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    mut input: QueryInput,
    _permit: Permit,
) -> Result<QueryOutput> {
    let name = table_name(&context, &input.table_name)?;
    let detail = Detail::parse(input.return_consumed_capacity.as_deref())?;
    refuse_mixed(
        &[
            ("ProjectionExpression", input.projection_expression.is_some()),
            ("FilterExpression", input.filter_expression.is_some()),
            ("KeyConditionExpression", input.key_condition_expression.is_some()),
        ],
        &[
            ("AttributesToGet", input.attributes_to_get.is_some()),
            ("QueryFilter", input.query_filter.is_some()),
            ("ConditionalOperator", input.conditional_operator.is_some()),
            ("KeyConditions", input.key_conditions.is_some()),
        ],
    )?;
    let table = service.state.table(&context.region, name)?;
    let mut start_item = input.exclusive_start_key.take();
    let mut placeholders = query_placeholders(&input)?;
    let condition = key_condition(&input, &table, &mut placeholders)?;
    let filter = filter(
        input.filter_expression.as_deref(),
        input.query_filter.as_ref(),
        input.conditional_operator.as_deref(),
        &mut placeholders,
    )?;
    let paths = paths(
        input.projection_expression.as_deref(),
        input.attributes_to_get.as_deref(),
        &mut placeholders,
    )?;
    placeholders.finish()?;
    let source = Source::new(&table, input.index_name.as_deref())?;
    let schema = source
        .index
        .map_or(&table.definition.key, |(index, _)| &index.key);
    if let Some(path) = filter
        .as_ref()
        .and_then(|filter| filter.paths().into_iter().find(|path| schema.has(path.root())))
    {
        let parameter = if input.filter_expression.is_some() {
            "Filter Expression"
        } else {
            "QueryFilter"
        };
        return Err(validation(format!(
            "{parameter} can only contain non-primary key attributes: Primary key attribute: {}",
            path.root()
        )));
    }
    let common = Common {
        source,
        select: input.select.as_deref(),
        consistent: input.consistent_read == Some(true),
        limit: input.limit,
        paths,
    };
    let selection = common.selection()?;
    let forward = input.scan_index_forward != Some(false);
    let range = query_range(&condition, start(source, start_item.as_mut())?, forward)?;
    let request = Request {
        range,
        limit: common.limit()?,
        filter: filter.as_ref(),
        selection: &selection,
    };
    let page = page::read(&*service.state.store.snapshot(), source, &request)?;
    Ok(QueryOutput {
        consumed_capacity: common.capacity(&page, detail),
        count: Some(count(page.count)),
        scanned_count: Some(count(page.scanned)),
        last_evaluated_key: page.last,
        items: (!selection.count_only).then_some(page.items),
    })
}

fn query_range(condition: &KeyCondition, start: Option<Vec<u8>>, forward: bool) -> Result<ScanRange> {
    let bounds = condition
        .range()
        .ok_or_else(|| validation("Query key condition not supported"))?;
    let mut range = ScanRange::prefix(bounds.prefix);
    if let Some(from) = bounds.from {
        range = range.from(from);
    }
    if let Some(before) = bounds.before {
        range = range.before(before);
    }
    if let Some(start) = start {
        if !range.contains(&start) {
            return Err(validation(
                "The provided starting key is outside query boundaries based on provided conditions",
            ));
        }
        range = if forward {
            range.after(start)
        } else {
            range.before(start)
        };
    }
    Ok(if forward { range } else { range.reversed() })
}

/// `Scan`
pub(crate) async fn scan(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    mut input: ScanInput,
    _permit: Permit,
) -> Result<ScanOutput> {
    let name = table_name(&context, &input.table_name)?;
    let detail = Detail::parse(input.return_consumed_capacity.as_deref())?;
    refuse_mixed(
        &[
            ("ProjectionExpression", input.projection_expression.is_some()),
            ("FilterExpression", input.filter_expression.is_some()),
        ],
        &[
            ("AttributesToGet", input.attributes_to_get.is_some()),
            ("ScanFilter", input.scan_filter.is_some()),
            ("ConditionalOperator", input.conditional_operator.is_some()),
        ],
    )?;
    let range = segment(input.segment, input.total_segments)?;
    let mut placeholders = Placeholders::new(
        &[
            (Kind::Projection, input.projection_expression.as_deref()),
            (Kind::Filter, input.filter_expression.as_deref()),
        ],
        input.expression_attribute_names.as_ref(),
        input.expression_attribute_values.as_ref(),
    )?;
    let filter = filter(
        input.filter_expression.as_deref(),
        input.scan_filter.as_ref(),
        input.conditional_operator.as_deref(),
        &mut placeholders,
    )?;
    let paths = paths(
        input.projection_expression.as_deref(),
        input.attributes_to_get.as_deref(),
        &mut placeholders,
    )?;
    placeholders.finish()?;
    let table = service.state.table(&context.region, name)?;
    let source = Source::new(&table, input.index_name.as_deref())?;
    let common = Common {
        source,
        select: input.select.as_deref(),
        consistent: input.consistent_read == Some(true),
        limit: input.limit,
        paths,
    };
    let selection = common.selection()?;
    let range = match start(source, input.exclusive_start_key.as_mut())? {
        Some(start) if range.contains(&start) => range.after(start),
        Some(_) => {
            return Err(validation(
                "The provided Exclusive start key does not map to the provided Segment and TotalSegments values.",
            ));
        }
        None => range,
    };
    let request = Request {
        range,
        limit: common.limit()?,
        filter: filter.as_ref(),
        selection: &selection,
    };
    let page = page::read(&*service.state.store.snapshot(), source, &request)?;
    Ok(ScanOutput {
        consumed_capacity: common.capacity(&page, detail),
        count: Some(count(page.count)),
        scanned_count: Some(count(page.scanned)),
        last_evaluated_key: page.last,
        items: (!selection.count_only).then_some(page.items),
    })
}

fn segment(segment: Option<i32>, total: Option<i32>) -> Result<ScanRange> {
    let (segment, total) = match (segment, total) {
        (None, None) => return Ok(ScanRange::all()),
        (Some(_), None) => {
            return Err(validation(
                "The TotalSegments parameter is required but was not present in the request when Segment parameter is present",
            ));
        }
        (None, Some(_)) => {
            return Err(validation(
                "The Segment parameter is required but was not present in the request when parameter TotalSegments is present",
            ));
        }
        (Some(segment), Some(total)) => (segment, total),
    };
    if !(1..=MAX_SEGMENTS).contains(&total) {
        return Err(validation(format!(
            "TotalSegments must be between 1 and {MAX_SEGMENTS}"
        )));
    }
    if segment >= total {
        return Err(validation(format!(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: {segment} is not less than TotalSegments: {total}"
        )));
    }
    let (Ok(segment), Ok(total)) = (u32::try_from(segment), u32::try_from(total)) else {
        return Err(validation("Segment must be greater than or equal to 0"));
    };
    let (from, before) = key::segment_bounds(segment, total);
    let range = ScanRange::all().from(from);
    Ok(match before {
        Some(before) => range.before(before),
        None => range,
    })
}

/// The partition value of a query, for those who must know before it is authorised.
pub(crate) fn leading_key(input: &QueryInput, table: &Table) -> Option<AttributeValue> {
    let mut placeholders = query_placeholders(input).ok()?;
    Some(key_condition(input, table, &mut placeholders).ok()?.partition)
}
