//! Item counts and sizes for `DescribeTable`.
//!
//! AWS refreshes them about every six hours. Here they are counted when asked for, but never so often that counting
//! takes more than a hundredth of the time.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use rolecall_store::{Reader, ScanRange};

use crate::error::{Result, storage};
use crate::table::Table;

/// How much longer than counting took its result stays good.
const PATIENCE: u32 = 100;

/// Number and bytes of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Count {
    /// Entries.
    pub(crate) items: i64,
    /// Stored bytes.
    pub(crate) bytes: i64,
}

/// What was counted, and when.
#[derive(Debug, Clone)]
pub(crate) struct Statistics {
    /// Items of the table.
    pub(crate) table: Count,
    /// Entries of each index, by its id.
    pub(crate) indexes: Vec<(u32, Count)>,
    counted: Instant,
    took: Duration,
}

/// The table's counts, new or recent.
pub(crate) fn of(table: &Table, reader: &dyn Reader) -> Result<Statistics> {
    {
        let last = table
            .shared
            .statistics
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(last) = last.as_ref()
            && last.counted.elapsed() < last.took.saturating_mul(PATIENCE)
            && last.indexes.len() == table.definition.indexes.len()
        {
            return Ok(last.clone());
        }
    }
    let start = Instant::now();
    let items = count(reader, &table.items)?;
    let indexes = table
        .indexes()
        .map(|(index, bucket)| Ok((index.id, count(reader, bucket)?)))
        .collect::<Result<Vec<_>>>()?;
    // Small tables are always counted anew: their figures are then exact.
    let took = if items.items < 1000 {
        Duration::ZERO
    } else {
        start.elapsed()
    };
    let statistics = Statistics {
        table: items,
        indexes,
        counted: Instant::now(),
        took,
    };
    *table
        .shared
        .statistics
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(statistics.clone());
    Ok(statistics)
}

fn count(reader: &dyn Reader, bucket: &str) -> Result<Count> {
    let mut count = Count::default();
    reader
        .for_each(bucket, &ScanRange::all(), &mut |entry| {
            count.items = count.items.saturating_add(1);
            count.bytes = count
                .bytes
                .saturating_add(i64::try_from(entry.value.len()).unwrap_or(i64::MAX));
            ControlFlow::Continue(())
        })
        .map_err(storage)?;
    Ok(count)
}
