//! One page of a query or scan: from a start, until a limit, a megabyte or the end.

use std::ops::ControlFlow;

use rolecall_store::{EntryRef, Reader, ScanRange, StoreError};

use crate::codec;
use crate::error::{Result, storage, validation};
use crate::expression::{self, Condition, Projection};
use crate::item::{self, Item};
use crate::table::{Index, Table, key_attributes};

/// Bytes that one page reads at most, before any filter.
const MAX_PAGE: usize = 1024 * 1024;

/// What is read: a table, or one of its indexes with the bucket of its entries.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    /// The table.
    pub(crate) table: &'a Table,
    /// The index, if it is not the table itself.
    pub(crate) index: Option<(&'a Index, &'a str)>,
}

impl<'a> Source<'a> {
    /// The table or the index named.
    pub(crate) fn new(table: &'a Table, index: Option<&str>) -> Result<Self> {
        Ok(Self {
            table,
            index: index.map(|name| table.index(name)).transpose()?,
        })
    }

    fn bucket(&self) -> &'a str {
        self.index.map_or(&self.table.items, |(_, bucket)| bucket)
    }

    /// The stored key that `ExclusiveStartKey` names.
    pub(crate) fn start_key(&self, given: &Item) -> Result<Vec<u8>> {
        let invalid = || {
            validation(
                "The provided starting key is invalid: The provided key element does not match the schema",
            )
        };
        let primary = self.table.primary_key(given);
        let key = self.table.key_of(&primary).map_err(|_| invalid())?;
        let Some((index, _)) = self.index else {
            return if primary.len() == given.len() {
                Ok(key)
            } else {
                Err(invalid())
            };
        };
        let mut expected = key_attributes(&index.key, given);
        expected.extend(primary);
        if expected.len() != given.len() {
            return Err(invalid());
        }
        index.entry(given, &key).ok().flatten().ok_or_else(invalid)
    }

    /// The `LastEvaluatedKey` for an item.
    fn position(&self, item: &Item) -> Item {
        let mut position = self.table.primary_key(item);
        if let Some((index, _)) = self.index {
            position.extend(key_attributes(&index.key, item));
        }
        position
    }

    /// The item behind a stored entry; `None` if an index entry's item is gone.
    fn item(
        &self,
        reader: &dyn Reader,
        entry: EntryRef<'_>,
    ) -> std::result::Result<Option<Item>, StoreError> {
        if self.index.is_none() {
            return codec::decode(entry.value).map(Some);
        }
        let found = reader.get(&self.table.items, entry.value)?;
        found.map(|found| codec::decode(&found.value)).transpose()
    }
}

/// What of the items is wanted.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// Only how many there are.
    pub(crate) count_only: bool,
    /// Only these parts.
    pub(crate) projection: Option<Projection>,
    /// The attributes an index shows and no others.
    pub(crate) index_view: bool,
}

/// Bounds and filter of a page.
pub(crate) struct Request<'a> {
    /// Which keys, in which direction.
    pub(crate) range: ScanRange,
    /// Most items to look at.
    pub(crate) limit: Option<usize>,
    /// Which of them to return.
    pub(crate) filter: Option<&'a Condition>,
    /// What of them.
    pub(crate) selection: &'a Selection,
}

/// A page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Items that passed the filter, unless only counted.
    pub(crate) items: Vec<Item>,
    /// How many passed.
    pub(crate) count: usize,
    /// How many were looked at.
    pub(crate) scanned: usize,
    /// Bytes that were looked at.
    pub(crate) size: usize,
    /// Where the next page starts; `None` at the end.
    pub(crate) last: Option<Item>,
}

/// Reads a page of `source`, all of it from one state of the store.
pub(crate) fn read(reader: &dyn Reader, source: Source<'_>, request: &Request<'_>) -> Result<Page> {
    let mut page = Page::default();
    let mut failure = None;
    reader
        .for_each(source.bucket(), &request.range, &mut |entry| {
            let item = match source.item(reader, entry) {
                Ok(Some(item)) => item,
                Ok(None) => return ControlFlow::Continue(()),
                Err(error) => {
                    failure = Some(error);
                    return ControlFlow::Break(());
                }
            };
            let position = source.position(&item);
            let item = view(source, request.selection, item);
            page.scanned = page.scanned.saturating_add(1);
            page.size = page.size.saturating_add(item::item_size(&item));
            if request
                .filter
                .is_none_or(|filter| expression::matches(filter, &item))
            {
                page.count = page.count.saturating_add(1);
                if !request.selection.count_only {
                    page.items.push(match &request.selection.projection {
                        Some(projection) => projection.project(&item),
                        None => item,
                    });
                }
            }
            if request.limit.is_some_and(|limit| page.scanned >= limit) || page.size >= MAX_PAGE {
                page.last = Some(position);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })
        .map_err(storage)?;
    match failure {
        Some(failure) => Err(storage(failure)),
        None => Ok(page),
    }
}

fn view(source: Source<'_>, selection: &Selection, mut item: Item) -> Item {
    if let Some((index, _)) = source.index
        && selection.index_view
    {
        item.retain(|name, _| index.shows(name, &source.table.definition.key));
    }
    item
}
