//! Filling a new index with the items that were there before it.

use std::ops::ControlFlow;
use std::sync::Arc;

use rolecall_store::{CommitError, Condition as Demand, ScanRange, Transaction};

use crate::codec;
use crate::error::{Result, commit, conflict, storage};
use crate::state::TABLES;
use crate::table::Table;
use crate::{DynamoDb, tables};

/// Items that one transaction adds.
const CHUNK: usize = 1000;

/// Fills every index of `table` that is not filled yet. Writers must be kept out, or have seen the index; they write
/// their own entries then.
///
/// An item whose attributes do not fit the index is left out of it, as in AWS.
pub(crate) async fn fill(service: &DynamoDb, table: Arc<Table>) -> Result<Arc<Table>> {
    if !table.definition.indexes.iter().any(|index| index.backfilling) {
        return Ok(table);
    }
    let snapshot = service.state.store.snapshot();
    let mut range = ScanRange::all();
    loop {
        // A table that was deleted meanwhile gets no entries.
        let mut transaction = Transaction::new().require(
            TABLES,
            table.stored_key.as_bytes(),
            Demand::Revision(table.revision),
        );
        let mut last = None;
        let mut seen = 0_usize;
        let mut failure = None;
        snapshot
            .for_each(&table.items, &range, &mut |entry| {
                let item = match codec::decode(entry.value) {
                    Ok(item) => item,
                    Err(error) => {
                        failure = Some(error);
                        return ControlFlow::Break(());
                    }
                };
                for (index, bucket) in table.indexes().filter(|(index, _)| index.backfilling) {
                    if let Ok(Some(key)) = index.entry(&item, entry.key) {
                        transaction = std::mem::take(&mut transaction).put(
                            bucket,
                            key,
                            entry.key.to_vec(),
                            Demand::Any,
                        );
                    }
                }
                last = Some(entry.key.to_vec());
                seen = seen.saturating_add(1);
                if seen < CHUNK {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })
            .map_err(storage)?;
        if let Some(failure) = failure {
            return Err(storage(failure));
        }
        match service.state.store.commit(transaction).await {
            Ok(_) => {}
            Err(CommitError::Conflict { .. }) => {
                service.state.reload(&table)?;
                return Err(conflict());
            }
            Err(error) => return Err(commit(error)),
        }
        match last {
            Some(last) if seen >= CHUNK => range = ScanRange::all().after(last),
            _ => break,
        }
    }
    let mut definition = table.definition.clone();
    for index in &mut definition.indexes {
        index.backfilling = false;
    }
    tables::replace(service, &table, definition, |transaction| transaction).await
}
