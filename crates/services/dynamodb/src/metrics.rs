//! `ReturnItemCollectionMetrics`: how large a partition of a table with local indexes is.

use std::ops::ControlFlow;

use rolecall_store::ScanRange;

use crate::DynamoDb;
use crate::error::{Result, storage, validation};
use crate::generated::ItemCollectionMetrics;
use crate::item::Item;
use crate::key;
use crate::table::Table;

/// Bytes of a gigabyte.
const GIGABYTE: u64 = 1 << 30;

/// Reads the parameter.
pub(crate) fn asked(given: Option<&str>) -> Result<bool> {
    match given {
        None | Some("NONE") => Ok(false),
        Some("SIZE") => Ok(true),
        Some(_) => Err(validation("ReturnItemCollectionMetrics is not one of NONE, SIZE")),
    }
}

/// The metrics of the collection `item` belongs to; `None` for a table without local indexes.
pub(crate) fn of(service: &DynamoDb, table: &Table, item: &Item) -> Result<Option<ItemCollectionMetrics>> {
    if !table.definition.indexes.iter().any(|index| index.local) {
        return Ok(None);
    }
    let name = &table.definition.key.partition.name;
    let Some((value, prefix)) = item
        .get(name)
        .and_then(|value| Some((value, key::encode_partition(value)?)))
    else {
        return Ok(None);
    };
    let mut bytes: u64 = 0;
    service
        .state
        .store
        .for_each(&table.items, &ScanRange::prefix(prefix), &mut |entry| {
            bytes = bytes.saturating_add(u64::try_from(entry.value.len()).unwrap_or(u64::MAX));
            ControlFlow::Continue(())
        })
        .map_err(storage)?;
    let whole = u32::try_from(bytes / GIGABYTE).unwrap_or(u32::MAX);
    Ok(Some(ItemCollectionMetrics {
        item_collection_key: Some(Item::from([(name.clone(), value.clone())])),
        size_estimate_range_gb: Some(vec![f64::from(whole), f64::from(whole) + 1.0]),
    }))
}
