//! A table as `DescribeTable` and its like show it.

use jiff::Timestamp;

use crate::DynamoDb;
use crate::error::Result;
use crate::generated::{
    AttributeDefinition, BillingModeSummary, GlobalSecondaryIndexDescription, KeySchemaElement,
    LocalSecondaryIndexDescription, Projection, ProvisionedThroughputDescription, TableClassSummary,
    TableDescription,
};
use crate::statistics::{self, Count};
use crate::table::{Index, IndexProjection, KeySchema, Table, Throughput};

fn schema(key: &KeySchema) -> Vec<KeySchemaElement> {
    key.attributes()
        .zip(["HASH", "RANGE"])
        .map(|(attribute, kind)| KeySchemaElement {
            attribute_name: attribute.name.clone(),
            key_type: kind.to_owned(),
        })
        .collect()
}

fn projection(given: &IndexProjection) -> Projection {
    let (kind, names) = match given {
        IndexProjection::All => ("ALL", None),
        IndexProjection::KeysOnly => ("KEYS_ONLY", None),
        IndexProjection::Include(names) => ("INCLUDE", Some(names.clone())),
    };
    Projection {
        projection_type: Some(kind.to_owned()),
        non_key_attributes: names,
    }
}

fn throughput(given: Throughput) -> ProvisionedThroughputDescription {
    ProvisionedThroughputDescription {
        number_of_decreases_today: Some(0),
        read_capacity_units: Some(given.read),
        write_capacity_units: Some(given.write),
        ..ProvisionedThroughputDescription::default()
    }
}

fn time(milliseconds: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(milliseconds).ok()
}

/// Describes `table`. `status` is the table's, such as `ACTIVE`.
pub(crate) fn table(
    service: &DynamoDb,
    account: &str,
    table: &Table,
    status: &str,
) -> Result<TableDescription> {
    let statistics = statistics::of(table, &*service.state.store)?;
    let definition = &table.definition;
    let arn = format!(
        "arn:aws:dynamodb:{}:{account}:table/{}",
        definition.region, definition.name
    );
    let count = |index: &Index| {
        statistics
            .indexes
            .iter()
            .find(|(id, _)| *id == index.id)
            .map_or(Count::default(), |(_, count)| *count)
    };
    let local: Vec<_> = definition
        .indexes
        .iter()
        .filter(|index| index.local)
        .map(|index| LocalSecondaryIndexDescription {
            index_name: Some(index.name.clone()),
            key_schema: Some(schema(&index.key)),
            projection: Some(projection(&index.projection)),
            index_size_bytes: Some(count(index).bytes),
            item_count: Some(count(index).items),
            index_arn: Some(format!("{arn}/index/{}", index.name)),
        })
        .collect();
    let global: Vec<_> = definition
        .indexes
        .iter()
        .filter(|index| !index.local)
        .map(|index| GlobalSecondaryIndexDescription {
            index_name: Some(index.name.clone()),
            key_schema: Some(schema(&index.key)),
            projection: Some(projection(&index.projection)),
            index_status: Some(if index.backfilling { "CREATING" } else { "ACTIVE" }.to_owned()),
            backfilling: index.backfilling.then_some(true),
            provisioned_throughput: Some(throughput(index.throughput)),
            index_size_bytes: Some(count(index).bytes),
            item_count: Some(count(index).items),
            index_arn: Some(format!("{arn}/index/{}", index.name)),
            ..GlobalSecondaryIndexDescription::default()
        })
        .collect();
    Ok(TableDescription {
        attribute_definitions: Some(
            definition
                .attributes
                .iter()
                .map(|attribute| AttributeDefinition {
                    attribute_name: attribute.name.clone(),
                    attribute_type: attribute.data_type.clone(),
                })
                .collect(),
        ),
        table_name: Some(definition.name.clone()),
        key_schema: Some(schema(&definition.key)),
        table_status: Some(status.to_owned()),
        creation_date_time: time(definition.created),
        provisioned_throughput: Some(throughput(definition.throughput)),
        table_size_bytes: Some(statistics.table.bytes),
        item_count: Some(statistics.table.items),
        table_id: Some(definition.id.clone()),
        table_arn: Some(arn),
        billing_mode_summary: definition.on_demand.then(|| BillingModeSummary {
            billing_mode: Some("PAY_PER_REQUEST".to_owned()),
            last_update_to_pay_per_request_date_time: definition.on_demand_since.and_then(time),
        }),
        local_secondary_indexes: (!local.is_empty()).then_some(local),
        global_secondary_indexes: (!global.is_empty()).then_some(global),
        table_class_summary: definition.table_class.as_ref().map(|class| TableClassSummary {
            table_class: Some(class.clone()),
            ..TableClassSummary::default()
        }),
        deletion_protection_enabled: Some(definition.deletion_protection),
        ..TableDescription::default()
    })
}
