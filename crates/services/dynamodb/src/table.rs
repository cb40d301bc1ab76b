//! What a table is: its stored definition and what follows from it.

use std::sync::Arc;

use rolecall_store::Revision;
use rolecall_store::codec::Stored;
use rolecall_wire::AttributeValue;
use serde::{Deserialize, Serialize};

use crate::error::{Result, invalid_parameter, validation};
use crate::item::Item;
use crate::key;

/// Longest partition key, in bytes.
const MAX_PARTITION_KEY: usize = 2048;
/// Longest sort key, in bytes.
const MAX_SORT_KEY: usize = 1024;

/// An attribute of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyAttribute {
    /// Its name.
    pub(crate) name: String,
    /// `S`, `N` or `B`.
    pub(crate) data_type: String,
}

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeySchema {
    /// `HASH`
    pub(crate) partition: KeyAttribute,
    /// `RANGE`
    pub(crate) sort: Option<KeyAttribute>,
}

impl KeySchema {
    /// Its attributes, partition key first.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(&self.partition).chain(&self.sort)
    }

    /// Whether `name` is part of it.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.attributes().any(|attribute| attribute.name == name)
    }
}

/// Which attributes an index has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum IndexProjection {
    /// All.
    All,
    /// Keys of index and table.
    KeysOnly,
    /// Keys and these.
    Include(Vec<String>),
}

/// Read and write capacity units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Throughput {
    /// Reads a second.
    pub(crate) read: i64,
    /// Writes a second.
    pub(crate) write: i64,
}

/// A secondary index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Index {
    /// Never used twice in one table, so that an index made again has other entries.
    pub(crate) id: u32,
    /// Its name.
    pub(crate) name: String,
    /// Local rather than global.
    pub(crate) local: bool,
    /// Its key.
    pub(crate) key: KeySchema,
    /// What it shows.
    pub(crate) projection: IndexProjection,
    /// Provisioned capacity; zero when on demand.
    pub(crate) throughput: Throughput,
    /// Items that were there before the index may lack an entry still.
    pub(crate) backfilling: bool,
}

impl Index {
    /// Key of an item's entry; `None` if the item lacks one of its key attributes.
    ///
    /// # Errors
    /// The item has the attribute but not as the index needs it.
    pub(crate) fn entry(&self, item: &Item, item_key: &[u8]) -> Result<Option<Vec<u8>>> {
        for attribute in self.key.attributes() {
            let Some(value) = item.get(&attribute.name) else {
                return Ok(None);
            };
            if value.data_type() != attribute.data_type {
                return Err(invalid_parameter(format_args!(
                    "Type mismatch for Index Key {} Expected: {} Actual: {} IndexName: {}",
                    attribute.name,
                    attribute.data_type,
                    value.data_type(),
                    self.name
                )));
            }
            if is_empty(value) {
                return Err(validation(format!(
                    "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: {}, IndexKey: {}",
                    self.name, attribute.name
                )));
            }
            let partition = attribute.name == self.key.partition.name;
            let limit = if partition {
                MAX_PARTITION_KEY
            } else {
                MAX_SORT_KEY
            };
            if crate::item::value_size(value) > limit {
                return Err(invalid_parameter(format_args!(
                    "Size of {} has exceeded the maximum size limit of {limit} bytes. IndexName: {}, IndexKey: {}",
                    if partition { "hashkey" } else { "rangekey" },
                    self.name,
                    attribute.name
                )));
            }
        }
        let Some(partition) = item.get(&self.key.partition.name) else {
            return Ok(None);
        };
        let sort = self
            .key
            .sort
            .as_ref()
            .and_then(|attribute| item.get(&attribute.name));
        let Some(mut entry) = key::encode_key(partition, sort) else {
            return Ok(None);
        };
        entry.extend_from_slice(item_key);
        Ok(Some(entry))
    }

    /// Whether the index shows attribute `name` of a table with key `table`.
    pub(crate) fn shows(&self, name: &str, table: &KeySchema) -> bool {
        match &self.projection {
            IndexProjection::All => true,
            IndexProjection::KeysOnly => self.key.has(name) || table.has(name),
            IndexProjection::Include(names) => {
                self.key.has(name) || table.has(name) || names.iter().any(|included| included == name)
            }
        }
    }
}

/// What is stored of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Definition {
    /// Its name.
    pub(crate) name: String,
    /// Region it is in.
    pub(crate) region: String,
    /// A version 4 UUID.
    pub(crate) id: String,
    /// Creation, in milliseconds since 1970.
    pub(crate) created: i64,
    /// Attribute definitions as given.
    pub(crate) attributes: Vec<KeyAttribute>,
    /// Primary key.
    pub(crate) key: KeySchema,
    /// Secondary indexes.
    pub(crate) indexes: Vec<Index>,
    /// The next index's id.
    pub(crate) next_index: u32,
    /// `PAY_PER_REQUEST` rather than `PROVISIONED`.
    pub(crate) on_demand: bool,
    /// When it last became on demand, in milliseconds.
    pub(crate) on_demand_since: Option<i64>,
    /// Provisioned capacity; zero when on demand.
    pub(crate) throughput: Throughput,
    /// Refuses `DeleteTable`.
    pub(crate) deletion_protection: bool,
    /// `STANDARD` or `STANDARD_INFREQUENT_ACCESS`, if it was given.
    pub(crate) table_class: Option<String>,
    /// Attribute of the time to live, while it is enabled.
    pub(crate) time_to_live: Option<String>,
    /// Tags in the order given.
    pub(crate) tags: Vec<(String, String)>,
}

impl Stored for Definition {
    const VERSION: u8 = 1;
}

/// Read and written by everybody who works with one table.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Held shared by writers of items, alone by changes of the indexes.
    pub(crate) barrier: tokio::sync::RwLock<()>,
    /// What `DescribeTable` last counted.
    pub(crate) statistics: std::sync::Mutex<Option<crate::statistics::Statistics>>,
}

/// A table as it is at one revision of its definition.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// What it is.
    pub(crate) definition: Definition,
    /// The transaction that wrote the definition.
    pub(crate) revision: Revision,
    /// Where its definition is stored.
    pub(crate) stored_key: String,
    /// Bucket of its items.
    pub(crate) items: String,
    /// Buckets of its indexes, in their order.
    pub(crate) index_buckets: Vec<String>,
    /// Common to all revisions of it.
    pub(crate) shared: Arc<Shared>,
}

impl Table {
    /// The table `definition` describes.
    pub(crate) fn new(definition: Definition, revision: Revision, shared: Arc<Shared>) -> Self {
        Self {
            stored_key: stored_key(&definition.region, &definition.name),
            items: format!("dynamodb.items.{}", definition.id),
            index_buckets: definition
                .indexes
                .iter()
                .map(|index| index_bucket(&definition.id, index.id))
                .collect(),
            definition,
            revision,
            shared,
        }
    }

    /// Indexes with the buckets of their entries.
    pub(crate) fn indexes(&self) -> impl Iterator<Item = (&Index, &str)> {
        self.definition
            .indexes
            .iter()
            .zip(self.index_buckets.iter().map(String::as_str))
    }

    /// The index `name`.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn index(&self, name: &str) -> Result<(&Index, &str)> {
        self.indexes()
            .find(|(index, _)| index.name == name)
            .ok_or_else(|| validation(format!("The table does not have the specified index: {name}")))
    }

    /// Stored key of a whole item that is put.
    pub(crate) fn key_of_item(&self, item: &Item) -> Result<Vec<u8>> {
        for attribute in self.definition.key.attributes() {
            let Some(value) = item.get(&attribute.name) else {
                return Err(invalid_parameter(format_args!(
                    "Missing the key {} in the item",
                    attribute.name
                )));
            };
            if value.data_type() != attribute.data_type {
                return Err(invalid_parameter(format_args!(
                    "Type mismatch for key {} expected: {} actual: {}",
                    attribute.name,
                    attribute.data_type,
                    value.data_type()
                )));
            }
        }
        self.encode(item)
    }

    /// Stored key of a `Key` parameter: exactly the primary key's attributes.
    pub(crate) fn key_of(&self, given: &Item) -> Result<Vec<u8>> {
        let mismatch = || validation("The provided key element does not match the schema");
        if given.len() != self.definition.key.attributes().count() {
            return Err(mismatch());
        }
        for attribute in self.definition.key.attributes() {
            if given
                .get(&attribute.name)
                .is_none_or(|value| value.data_type() != attribute.data_type)
            {
                return Err(mismatch());
            }
        }
        self.encode(given)
    }

    fn encode(&self, item: &Item) -> Result<Vec<u8>> {
        let schema = &self.definition.key;
        let mismatch = || validation("The provided key element does not match the schema");
        let partition = item.get(&schema.partition.name).ok_or_else(mismatch)?;
        check_key_value(&schema.partition.name, partition, MAX_PARTITION_KEY, || {
            "Size of hashkey has exceeded the maximum size limit of2048 bytes".to_owned()
        })?;
        let sort = match &schema.sort {
            None => None,
            Some(attribute) => {
                let sort = item.get(&attribute.name).ok_or_else(mismatch)?;
                check_key_value(&attribute.name, sort, MAX_SORT_KEY, || {
                    "Aggregated size of all range keys has exceeded the size limit of 1024 bytes".to_owned()
                })?;
                Some(sort)
            }
        };
        key::encode_key(partition, sort).ok_or_else(mismatch)
    }

    /// The primary key's attributes of an item.
    pub(crate) fn primary_key(&self, item: &Item) -> Item {
        key_attributes(&self.definition.key, item)
    }
}

/// The attributes of `schema` that `item` has.
pub(crate) fn key_attributes(schema: &KeySchema, item: &Item) -> Item {
    schema
        .attributes()
        .filter_map(|attribute| Some((attribute.name.clone(), item.get(&attribute.name)?.clone())))
        .collect()
}

/// Where a definition is stored in its bucket.
pub(crate) fn stored_key(region: &str, name: &str) -> String {
    format!("{region}/{name}")
}

/// Bucket of an index's entries.
pub(crate) fn index_bucket(table_id: &str, index_id: u32) -> String {
    format!("dynamodb.index.{table_id}.{index_id}")
}

fn is_empty(value: &AttributeValue) -> bool {
    match value {
        AttributeValue::S(text) => text.is_empty(),
        AttributeValue::B(bytes) => bytes.is_empty(),
        _ => false,
    }
}

fn check_key_value(
    name: &str,
    value: &AttributeValue,
    limit: usize,
    too_large: impl FnOnce() -> String,
) -> Result<()> {
    if is_empty(value) {
        return Err(validation(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty {} value. Key: {name}",
            if value.data_type() == "B" {
                "binary"
            } else {
                "string"
            }
        )));
    }
    if crate::item::value_size(value) > limit {
        return Err(invalid_parameter(too_large()));
    }
    Ok(())
}
