//! Key schemas, indexes and capacity as requests give them: checked and brought to their stored form.

use std::collections::BTreeSet;

use crate::error::{Result, invalid_parameter, validation};
use crate::generated::{
    AttributeDefinition, KeySchemaElement, LocalSecondaryIndex, Projection, ProvisionedThroughput,
};
use crate::state::check_name;
use crate::table::{Index, IndexProjection, KeyAttribute, KeySchema, Throughput};

/// Most local indexes of a table.
const MAX_LOCAL_INDEXES: usize = 5;
/// Most global indexes of a table.
const MAX_GLOBAL_INDEXES: usize = 20;
/// Most attributes that the indexes of a table include by name.
const MAX_INCLUDED: usize = 100;

/// Reads `AttributeDefinitions`.
pub(crate) fn attributes(given: &[AttributeDefinition]) -> Result<Vec<KeyAttribute>> {
    let mut seen = BTreeSet::new();
    given
        .iter()
        .map(|definition| {
            if !matches!(definition.attribute_type.as_str(), "S" | "N" | "B") {
                return Err(validation(format!(
                    "Member must satisfy enum value set: [B, N, S]; attribute {} has type {}",
                    definition.attribute_name, definition.attribute_type
                )));
            }
            if !seen.insert(definition.attribute_name.as_str()) {
                return Err(invalid_parameter(format_args!(
                    "Cannot have duplicate AttributeDefinitions for: {}",
                    definition.attribute_name
                )));
            }
            Ok(KeyAttribute {
                name: definition.attribute_name.clone(),
                data_type: definition.attribute_type.clone(),
            })
        })
        .collect()
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    format!("[{}]", names.join(", "))
}

/// Reads a `KeySchema`.
pub(crate) fn key_schema(given: &[KeySchemaElement], attributes: &[KeyAttribute]) -> Result<KeySchema> {
    let (first, second) = match given {
        [first] => (first, None),
        [first, second] => (first, Some(second)),
        _ => {
            return Err(validation(
                "Invalid KeySchema: a key has one HASH attribute and at most one RANGE attribute here; keys of several attributes are not supported",
            ));
        }
    };
    if first.key_type != "HASH" {
        return Err(validation(
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ));
    }
    if let Some(second) = second {
        if second.key_type != "RANGE" {
            return Err(validation(
                "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
            ));
        }
        if second.attribute_name == first.attribute_name {
            return Err(validation(
                "Both the Hash Key and the Range Key element in the KeySchema have the same name",
            ));
        }
    }
    let find = |element: &KeySchemaElement| {
        attributes.iter().find(|attribute| attribute.name == element.attribute_name).cloned().ok_or_else(|| {
            invalid_parameter(format_args!(
                "Some index key attributes are not defined in AttributeDefinitions. Keys: {}, AttributeDefinitions: {}",
                names(given.iter().map(|element| element.attribute_name.as_str())),
                names(attributes.iter().map(|attribute| attribute.name.as_str()))
            ))
        })
    };
    Ok(KeySchema {
        partition: find(first)?,
        sort: second.map(find).transpose()?,
    })
}

/// Reads an index's `Projection`.
pub(crate) fn projection(given: &Projection) -> Result<IndexProjection> {
    let included = given.non_key_attributes.as_deref().unwrap_or_default();
    let projection_type = given.projection_type.as_deref().unwrap_or("null");
    match projection_type {
        "ALL" | "KEYS_ONLY" if given.non_key_attributes.is_some() => Err(invalid_parameter(format_args!(
            "ProjectionType is {projection_type}, but NonKeyAttributes is specified"
        ))),
        "ALL" => Ok(IndexProjection::All),
        "KEYS_ONLY" => Ok(IndexProjection::KeysOnly),
        "INCLUDE" if included.is_empty() => Err(invalid_parameter(
            "ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
        )),
        "INCLUDE" => Ok(IndexProjection::Include(included.to_vec())),
        other => Err(invalid_parameter(format_args!("Unknown ProjectionType: {other}"))),
    }
}

/// Reads provisioned capacity; zero for a table on demand.
pub(crate) fn throughput(given: Option<&ProvisionedThroughput>, on_demand: bool) -> Result<Throughput> {
    match given {
        // CloudFormation templates give zeros with PAY_PER_REQUEST, and AWS takes them.
        Some(given) if on_demand && (given.read_capacity_units != 0 || given.write_capacity_units != 0) => {
            Err(invalid_parameter(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
            ))
        }
        _ if on_demand => Ok(Throughput::default()),
        Some(given) if given.read_capacity_units < 1 || given.write_capacity_units < 1 => Err(
            invalid_parameter("ReadCapacityUnits and WriteCapacityUnits must both be at least 1"),
        ),
        Some(given) => Ok(Throughput {
            read: given.read_capacity_units,
            write: given.write_capacity_units,
        }),
        None => Err(invalid_parameter(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        )),
    }
}

/// Whether `BillingMode` is on demand.
pub(crate) fn on_demand(given: Option<&str>) -> Result<bool> {
    match given {
        None | Some("PROVISIONED") => Ok(false),
        Some("PAY_PER_REQUEST") => Ok(true),
        Some(other) => Err(validation(format!(
            "1 validation error detected: Value '{other}' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]"
        ))),
    }
}

/// Reads a local index.
pub(crate) fn local_index(
    id: u32,
    given: &LocalSecondaryIndex,
    table: &KeySchema,
    attributes: &[KeyAttribute],
) -> Result<Index> {
    check_name(&given.index_name)?;
    let key = key_schema(&given.key_schema, attributes)?;
    if key.partition.name != table.partition.name {
        return Err(invalid_parameter(format_args!(
            "Index KeySchema does not have the same leading hash key as table KeySchema for index: {}. index hash key: {}, table hash key: {}",
            given.index_name, key.partition.name, table.partition.name
        )));
    }
    if key.sort.is_none() {
        return Err(invalid_parameter(format_args!(
            "Index KeySchema does not have a range key for index: {}",
            given.index_name
        )));
    }
    if table.sort.is_none() {
        return Err(invalid_parameter(
            "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
        ));
    }
    Ok(Index {
        id,
        name: given.index_name.clone(),
        local: true,
        key,
        projection: projection(&given.projection)?,
        throughput: Throughput::default(),
        backfilling: false,
    })
}

/// What is given of a global index, when the table is made or later.
pub(crate) struct GlobalIndex<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Its key.
    pub(crate) key_schema: &'a [KeySchemaElement],
    /// What it shows.
    pub(crate) projection: &'a Projection,
    /// Its capacity.
    pub(crate) throughput: Option<&'a ProvisionedThroughput>,
}

impl GlobalIndex<'_> {
    /// Reads it.
    pub(crate) fn read(&self, id: u32, attributes: &[KeyAttribute], on_demand: bool) -> Result<Index> {
        check_name(self.name)?;
        Ok(Index {
            id,
            name: self.name.to_owned(),
            local: false,
            key: key_schema(self.key_schema, attributes)?,
            projection: projection(self.projection)?,
            throughput: throughput(self.throughput, on_demand)?,
            backfilling: false,
        })
    }
}

/// Checks that a table's attributes, key and indexes fit together.
pub(crate) fn check(attributes: &[KeyAttribute], key: &KeySchema, indexes: &[Index]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for index in indexes {
        if !seen.insert(index.name.as_str()) {
            return Err(invalid_parameter(format_args!(
                "Duplicate index name: {}",
                index.name
            )));
        }
    }
    if indexes.iter().filter(|index| index.local).count() > MAX_LOCAL_INDEXES {
        return Err(invalid_parameter(format_args!(
            "Number of LocalSecondaryIndexes exceeds per-table limit of {MAX_LOCAL_INDEXES}"
        )));
    }
    if indexes.iter().filter(|index| !index.local).count() > MAX_GLOBAL_INDEXES {
        return Err(invalid_parameter(format_args!(
            "GlobalSecondaryIndex count exceeds the per-table limit of {MAX_GLOBAL_INDEXES}"
        )));
    }
    let included: usize = indexes
        .iter()
        .map(|index| {
            if let IndexProjection::Include(names) = &index.projection {
                names.len()
            } else {
                0
            }
        })
        .sum();
    if included > MAX_INCLUDED {
        return Err(invalid_parameter(format_args!(
            "NonKeyAttributes of all indexes exceed the per-table limit of {MAX_INCLUDED}"
        )));
    }
    let used: BTreeSet<&str> = key
        .attributes()
        .chain(indexes.iter().flat_map(|index| index.key.attributes()))
        .map(|attribute| attribute.name.as_str())
        .collect();
    if attributes
        .iter()
        .any(|attribute| !used.contains(attribute.name.as_str()))
    {
        if indexes.is_empty() {
            return Err(invalid_parameter(
                "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
            ));
        }
        return Err(invalid_parameter(format_args!(
            "Some AttributeDefinitions are not used. AttributeDefinitions: {}, keys used: {}",
            names(attributes.iter().map(|attribute| attribute.name.as_str())),
            names(used.into_iter())
        )));
    }
    Ok(())
}
