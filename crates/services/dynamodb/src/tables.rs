//! `CreateTable`, `DescribeTable`, `ListTables`, `UpdateTable`, `DeleteTable`.

use std::sync::Arc;

use rolecall_service::{Permit, RequestContext};
use rolecall_store::{CommitError, Condition as Demand, Transaction, codec};

use crate::error::{
    Result, commit, in_use, limit_exceeded, storage, table_not_found, unsupported, validation,
};
use crate::generated::{
    CreateTableInput, CreateTableOutput, DeleteTableInput, DeleteTableOutput, DescribeTableInput,
    DescribeTableOutput, GlobalSecondaryIndexUpdate, ListTablesInput, ListTablesOutput, UpdateTableInput,
    UpdateTableOutput,
};
use crate::index_writer;
use crate::state::{TABLES, check_name, table_name};
use crate::table::{Definition, Table, index_bucket};
use crate::{DynamoDb, describe, schema, settings};

/// Most tables of an account in a region.
const MAX_TABLES: usize = 2500;
/// Most names in one answer.
const MAX_LISTED: usize = 100;

/// A version 4 UUID.
fn new_id() -> Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| rolecall_service::ServiceError::internal(error.to_string()))?;
    let number = u128::from_be_bytes(bytes);
    let number = number & !(0xf << 76) & !(0b11 << 62) | (4 << 76) | (0b10 << 62);
    let text = format!("{number:032x}");
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    Ok(format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    ))
}

fn check_class(class: Option<&str>) -> Result<()> {
    match class {
        None | Some("STANDARD" | "STANDARD_INFREQUENT_ACCESS") => Ok(()),
        Some(other) => Err(validation(format!(
            "1 validation error detected: Value '{other}' at 'tableClass' failed to satisfy constraint: Member must satisfy enum value set: [STANDARD, STANDARD_INFREQUENT_ACCESS]"
        ))),
    }
}

fn refuse(parameters: &[(&str, bool)]) -> Result<()> {
    match parameters.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(unsupported(name)),
        None => Ok(()),
    }
}

/// `CreateTable`
pub(crate) async fn create_table(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    input: CreateTableInput,
    _permit: Permit,
) -> Result<CreateTableOutput> {
    let name = table_name(&context, &input.table_name)?;
    refuse(&[
        (
            "StreamSpecification",
            input
                .stream_specification
                .as_ref()
                .is_some_and(|given| given.stream_enabled),
        ),
        (
            "SSESpecification",
            input
                .sse_specification
                .as_ref()
                .is_some_and(|given| given.enabled != Some(false)),
        ),
        ("ResourcePolicy", input.resource_policy.is_some()),
        ("OnDemandThroughput", input.on_demand_throughput.is_some()),
        ("WarmThroughput", input.warm_throughput.is_some()),
        (
            "VectorIndexes",
            input
                .vector_indexes
                .as_ref()
                .is_some_and(|given| !given.is_empty()),
        ),
        ("GlobalTableSourceArn", input.global_table_source_arn.is_some()),
        (
            "GlobalTableSettingsReplicationMode",
            input.global_table_settings_replication_mode.is_some(),
        ),
    ])?;
    check_class(input.table_class.as_deref())?;
    let attributes = schema::attributes(input.attribute_definitions.as_deref().unwrap_or_default())?;
    let key = schema::key_schema(input.key_schema.as_deref().unwrap_or_default(), &attributes)?;
    let on_demand = schema::on_demand(input.billing_mode.as_deref())?;
    let throughput = schema::throughput(input.provisioned_throughput.as_ref(), on_demand)?;
    let mut indexes = Vec::new();
    let mut next_index = 0_u32;
    for given in input.local_secondary_indexes.iter().flatten() {
        indexes.push(schema::local_index(next_index, given, &key, &attributes)?);
        next_index = next_index.saturating_add(1);
    }
    for given in input.global_secondary_indexes.iter().flatten() {
        refuse(&[
            ("OnDemandThroughput", given.on_demand_throughput.is_some()),
            ("WarmThroughput", given.warm_throughput.is_some()),
        ])?;
        let index = schema::GlobalIndex {
            name: &given.index_name,
            key_schema: &given.key_schema,
            projection: &given.projection,
            throughput: given.provisioned_throughput.as_ref(),
        };
        indexes.push(index.read(next_index, &attributes, on_demand)?);
        next_index = next_index.saturating_add(1);
    }
    schema::check(&attributes, &key, &indexes)?;
    let tags = settings::merged(Vec::new(), input.tags.unwrap_or_default())?;
    if service.state.find(&context.region, name).is_some() {
        return Err(in_use(format!("Table already exists: {name}")));
    }
    if service.state.tables_of(&context.region).len() >= MAX_TABLES {
        return Err(limit_exceeded(format!(
            "Subscriber limit exceeded: There is a limit of {MAX_TABLES} tables per subscriber"
        )));
    }
    let definition = Definition {
        name: name.to_owned(),
        region: context.region.to_string(),
        id: new_id()?,
        created: context.time.as_millisecond(),
        attributes,
        key,
        indexes,
        next_index,
        on_demand,
        on_demand_since: on_demand.then(|| context.time.as_millisecond()),
        throughput,
        deletion_protection: input.deletion_protection_enabled.unwrap_or(false),
        table_class: input.table_class,
        time_to_live: None,
        tags,
    };
    let mut table = Table::new(definition, 0, Arc::default());
    let value = codec::encode(&table.definition).map_err(storage)?;
    let transaction = Transaction::new().put(TABLES, table.stored_key.as_bytes(), value, Demand::Absent);
    table.revision = match service.state.store.commit(transaction).await {
        Ok(revision) => revision,
        Err(CommitError::Conflict { .. }) => return Err(in_use(format!("Table already exists: {name}"))),
        Err(error) => return Err(commit(error)),
    };
    let table = service.state.publish(table);
    Ok(CreateTableOutput {
        table_description: Some(describe::table(&service, &context.account, &table, "ACTIVE")?),
    })
}

/// The table, as table operations look for it.
pub(crate) fn find(service: &DynamoDb, context: &RequestContext, given: &str) -> Result<Arc<Table>> {
    let name = table_name(context, given)?;
    service
        .state
        .find(&context.region, name)
        .ok_or_else(|| table_not_found(name))
}

/// `DescribeTable`
pub(crate) async fn describe_table(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    input: DescribeTableInput,
    _permit: Permit,
) -> Result<DescribeTableOutput> {
    let table = find(&service, &context, &input.table_name)?;
    Ok(DescribeTableOutput {
        table: Some(describe::table(&service, &context.account, &table, "ACTIVE")?),
    })
}

/// `ListTables`
pub(crate) async fn list_tables(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    input: ListTablesInput,
    _permit: Permit,
) -> Result<ListTablesOutput> {
    if let Some(start) = &input.exclusive_start_table_name {
        check_name(start)?;
    }
    let limit = input
        .limit
        .and_then(|limit| usize::try_from(limit).ok())
        .unwrap_or(MAX_LISTED)
        .clamp(1, MAX_LISTED);
    let mut names: Vec<String> = service
        .state
        .tables_of(&context.region)
        .iter()
        .map(|table| table.definition.name.clone())
        .filter(|name| {
            input
                .exclusive_start_table_name
                .as_ref()
                .is_none_or(|start| name > start)
        })
        .take(limit.saturating_add(1))
        .collect();
    let more = names.len() > limit;
    names.truncate(limit);
    Ok(ListTablesOutput {
        last_evaluated_table_name: if more { names.last().cloned() } else { None },
        table_names: Some(names),
    })
}

/// `DeleteTable`
pub(crate) async fn delete_table(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    input: DeleteTableInput,
    _permit: Permit,
) -> Result<DeleteTableOutput> {
    let table = find(&service, &context, &input.table_name)?;
    if table.definition.deletion_protection {
        return Err(validation(format!(
            "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first: Table: {}",
            table.definition.name
        )));
    }
    let description = describe::table(&service, &context.account, &table, "DELETING")?;
    let mut transaction = Transaction::new()
        .delete(
            TABLES,
            table.stored_key.as_bytes(),
            Demand::Revision(table.revision),
        )
        .delete_prefix(&table.items, "");
    for bucket in &table.index_buckets {
        transaction = transaction.delete_prefix(bucket, "");
    }
    match service.state.store.commit(transaction).await {
        Ok(_) => service.state.forget(&table),
        Err(CommitError::Conflict { .. }) => {
            service.state.reload(&table)?;
            return Err(busy(&table));
        }
        Err(error) => return Err(commit(error)),
    }
    Ok(DeleteTableOutput {
        table_description: Some(description),
    })
}

fn busy(table: &Table) -> rolecall_service::ServiceError {
    in_use(format!(
        "Attempt to change a resource which is still in use: Table is being updated: {}",
        table.definition.name
    ))
}

/// Stores a changed definition and shows it.
///
/// # Errors
/// `ResourceInUseException` when another change came first.
pub(crate) async fn replace(
    service: &DynamoDb,
    table: &Table,
    definition: Definition,
    along: impl FnOnce(Transaction) -> Transaction,
) -> Result<Arc<Table>> {
    let value = codec::encode(&definition).map_err(storage)?;
    let transaction = Transaction::new().put(
        TABLES,
        table.stored_key.as_bytes(),
        value,
        Demand::Revision(table.revision),
    );
    match service.state.store.commit(along(transaction)).await {
        Ok(revision) => {
            Ok(service
                .state
                .publish(Table::new(definition, revision, Arc::clone(&table.shared))))
        }
        Err(CommitError::Conflict { .. }) => {
            service.state.reload(table)?;
            Err(busy(table))
        }
        Err(error) => Err(commit(error)),
    }
}

/// `UpdateTable`
pub(crate) async fn update_table(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    input: UpdateTableInput,
    _permit: Permit,
) -> Result<UpdateTableOutput> {
    let table = find(&service, &context, &input.table_name)?;
    refuse(&[
        (
            "StreamSpecification",
            input
                .stream_specification
                .as_ref()
                .is_some_and(|given| given.stream_enabled),
        ),
        (
            "SSESpecification",
            input
                .sse_specification
                .as_ref()
                .is_some_and(|given| given.enabled != Some(false)),
        ),
        ("ReplicaUpdates", input.replica_updates.is_some()),
        ("MultiRegionConsistency", input.multi_region_consistency.is_some()),
        (
            "GlobalTableWitnessUpdates",
            input.global_table_witness_updates.is_some(),
        ),
        ("OnDemandThroughput", input.on_demand_throughput.is_some()),
        ("WarmThroughput", input.warm_throughput.is_some()),
        (
            "GlobalTableSettingsReplicationMode",
            input.global_table_settings_replication_mode.is_some(),
        ),
        (
            "DisassociationProtectionEnabled",
            input.disassociation_protection_enabled.is_some(),
        ),
        ("VectorIndexUpdates", input.vector_index_updates.is_some()),
    ])?;
    check_class(input.table_class.as_deref())?;
    let changes = input
        .global_secondary_index_updates
        .as_deref()
        .unwrap_or_default();
    let nothing = input.billing_mode.is_none()
        && input.provisioned_throughput.is_none()
        && input.table_class.is_none()
        && input.deletion_protection_enabled.is_none()
        && input.stream_specification.is_none()
        && input.sse_specification.is_none()
        && changes.is_empty();
    if nothing {
        return Err(validation(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required",
        ));
    }
    let mut definition = table.definition.clone();
    if let Some(given) = &input.attribute_definitions {
        for attribute in schema::attributes(given)? {
            match definition
                .attributes
                .iter()
                .find(|known| known.name == attribute.name)
            {
                Some(known) if known.data_type != attribute.data_type => {
                    return Err(crate::error::invalid_parameter(format_args!(
                        "Cannot change the type of attribute {} of a table",
                        attribute.name
                    )));
                }
                Some(_) => {}
                None => definition.attributes.push(attribute),
            }
        }
    }
    if let Some(mode) = &input.billing_mode {
        let on_demand = schema::on_demand(Some(mode))?;
        if on_demand && !definition.on_demand {
            definition.on_demand_since = Some(context.time.as_millisecond());
            definition.throughput = crate::table::Throughput::default();
            for index in &mut definition.indexes {
                index.throughput = crate::table::Throughput::default();
            }
        }
        if !on_demand && input.provisioned_throughput.is_none() && definition.on_demand {
            return Err(schema::throughput(None, false)
                .err()
                .unwrap_or_else(|| validation("ProvisionedThroughput is required")));
        }
        definition.on_demand = on_demand;
    }
    if let Some(given) = &input.provisioned_throughput {
        definition.throughput = schema::throughput(Some(given), definition.on_demand)?;
    }
    if let Some(class) = input.table_class {
        definition.table_class = Some(class);
    }
    if let Some(protection) = input.deletion_protection_enabled {
        definition.deletion_protection = protection;
    }
    let mut dropped = Vec::new();
    for change in changes {
        change_index(&mut definition, change, &mut dropped)?;
    }
    // Attribute definitions follow the indexes: those of a deleted index go with it.
    let used: Vec<String> = definition
        .key
        .attributes()
        .chain(definition.indexes.iter().flat_map(|index| index.key.attributes()))
        .map(|attribute| attribute.name.clone())
        .collect();
    if !dropped.is_empty() {
        definition
            .attributes
            .retain(|attribute| used.contains(&attribute.name));
    }
    schema::check(&definition.attributes, &definition.key, &definition.indexes)?;
    let buckets: Vec<String> = dropped
        .iter()
        .map(|id| index_bucket(&definition.id, *id))
        .collect();
    let _alone = table.shared.barrier.write().await;
    let updated = replace(&service, &table, definition, |mut transaction| {
        for bucket in &buckets {
            transaction = transaction.delete_prefix(bucket, "");
        }
        transaction
    })
    .await?;
    let updated = index_writer::fill(&service, updated).await?;
    Ok(UpdateTableOutput {
        table_description: Some(describe::table(&service, &context.account, &updated, "ACTIVE")?),
    })
}

fn change_index(
    definition: &mut Definition,
    change: &GlobalSecondaryIndexUpdate,
    dropped: &mut Vec<u32>,
) -> Result<()> {
    let missing = |name: &str| {
        rolecall_service::ServiceError::new(
            "ResourceNotFoundException",
            400,
            format!("Requested resource not found: Index: {name} not found"),
        )
    };
    match (&change.create, &change.update, &change.delete) {
        (Some(create), None, None) => {
            refuse(&[
                ("OnDemandThroughput", create.on_demand_throughput.is_some()),
                ("WarmThroughput", create.warm_throughput.is_some()),
            ])?;
            if definition
                .indexes
                .iter()
                .any(|index| index.name == create.index_name)
            {
                return Err(validation(format!(
                    "Attempting to create an index which already exists: {}",
                    create.index_name
                )));
            }
            let given = schema::GlobalIndex {
                name: &create.index_name,
                key_schema: &create.key_schema,
                projection: &create.projection,
                throughput: create.provisioned_throughput.as_ref(),
            };
            let mut index = given.read(
                definition.next_index,
                &definition.attributes,
                definition.on_demand,
            )?;
            index.backfilling = true;
            definition.next_index = definition.next_index.saturating_add(1);
            definition.indexes.push(index);
            Ok(())
        }
        (None, Some(update), None) => {
            refuse(&[
                ("OnDemandThroughput", update.on_demand_throughput.is_some()),
                ("WarmThroughput", update.warm_throughput.is_some()),
            ])?;
            let on_demand = definition.on_demand;
            let index = definition
                .indexes
                .iter_mut()
                .find(|index| !index.local && index.name == update.index_name)
                .ok_or_else(|| missing(&update.index_name))?;
            index.throughput = schema::throughput(update.provisioned_throughput.as_ref(), on_demand)?;
            Ok(())
        }
        (None, None, Some(delete)) => {
            let position = definition
                .indexes
                .iter()
                .position(|index| !index.local && index.name == delete.index_name)
                .ok_or_else(|| missing(&delete.index_name))?;
            dropped.push(definition.indexes.remove(position).id);
            Ok(())
        }
        _ => Err(crate::error::invalid_parameter(
            "Only one of Create, Update or Delete may be given in each GlobalSecondaryIndexUpdate",
        )),
    }
}
