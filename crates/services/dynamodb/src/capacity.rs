//! Consumed capacity, as `ReturnConsumedCapacity` asks for it.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>

use std::collections::BTreeMap;

use crate::error::{Result, validation};
use crate::generated::{Capacity, ConsumedCapacity};
use crate::table::Table;

/// Bytes that one read unit reads.
const READ_UNIT: usize = 4096;
/// Bytes that one write unit writes.
const WRITE_UNIT: usize = 1024;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Nothing.
    None,
    /// The sum.
    Total,
    /// Table and indexes apart.
    Indexes,
}

impl Detail {
    /// Reads the parameter.
    pub(crate) fn parse(given: Option<&str>) -> Result<Self> {
        match given {
            None | Some("NONE") => Ok(Self::None),
            Some("TOTAL") => Ok(Self::Total),
            Some("INDEXES") => Ok(Self::Indexes),
            Some(other) => Err(validation(format!(
                "1 validation error detected: Value '{other}' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
            ))),
        }
    }
}

/// Whether capacity is for reading or writing, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Eventually consistent.
    Read,
    /// Strongly consistent.
    ConsistentRead,
    /// In a transaction.
    TransactionalRead,
    /// A write.
    Write,
    /// In a transaction.
    TransactionalWrite,
}

impl Use {
    /// Units for `size` bytes; half a unit at least.
    #[expect(clippy::cast_precision_loss, reason = "a request touches megabytes at most")]
    pub(crate) fn units(self, size: usize) -> f64 {
        let unit = if self.is_write() { WRITE_UNIT } else { READ_UNIT };
        let whole = size.div_ceil(unit).max(1) as f64;
        match self {
            Self::Read => whole / 2.0,
            Self::ConsistentRead | Self::Write => whole,
            Self::TransactionalRead | Self::TransactionalWrite => whole * 2.0,
        }
    }

    fn is_write(self) -> bool {
        matches!(self, Self::Write | Self::TransactionalWrite)
    }

    fn is_transactional(self) -> bool {
        matches!(self, Self::TransactionalRead | Self::TransactionalWrite)
    }
}

/// Adds up what a request uses of one table.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    table: f64,
    local: BTreeMap<String, f64>,
    global: BTreeMap<String, f64>,
}

impl Meter {
    /// Adds use of the table itself.
    pub(crate) fn table(&mut self, units: f64) {
        self.table += units;
    }

    /// Adds use of an index.
    pub(crate) fn index(&mut self, table: &Table, name: &str, units: f64) {
        let local = table
            .definition
            .indexes
            .iter()
            .any(|index| index.local && index.name == name);
        let indexes = if local { &mut self.local } else { &mut self.global };
        *indexes.entry(name.to_owned()).or_default() += units;
    }

    /// The answer's member.
    pub(crate) fn report(&self, table_name: &str, detail: Detail, kind: Use) -> Option<ConsumedCapacity> {
        if detail == Detail::None {
            return None;
        }
        let total = self.table + self.local.values().sum::<f64>() + self.global.values().sum::<f64>();
        let read = (kind.is_transactional() && !kind.is_write()).then_some(total);
        let write = (kind.is_transactional() && kind.is_write()).then_some(total);
        let mut report = ConsumedCapacity {
            table_name: Some(table_name.to_owned()),
            capacity_units: Some(total),
            read_capacity_units: read,
            write_capacity_units: write,
            ..ConsumedCapacity::default()
        };
        if detail == Detail::Indexes {
            let part = |units: f64| Capacity {
                capacity_units: Some(units),
                read_capacity_units: read.map(|_| units),
                write_capacity_units: write.map(|_| units),
            };
            let parts = |indexes: &BTreeMap<String, f64>| {
                (!indexes.is_empty()).then(|| {
                    indexes
                        .iter()
                        .map(|(name, units)| (name.clone(), part(*units)))
                        .collect()
                })
            };
            report.table = Some(part(self.table));
            report.local_secondary_indexes = parts(&self.local);
            report.global_secondary_indexes = parts(&self.global);
        }
        Some(report)
    }
}
