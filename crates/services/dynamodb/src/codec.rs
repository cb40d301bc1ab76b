//! Items as they are stored: a version byte and a compact binary form.
//!
//! Items are the hot path, so they do not take the JSON codec of other stored values. A change of the form gets a new
//! version byte and a reader for the former one.

use bytes::Bytes;
use rolecall_store::StoreError;
use rolecall_wire::AttributeValue;

use crate::item::{Item, MAX_DEPTH};

/// The form that is written now.
const VERSION: u8 = 1;

const S: u8 = 1;
const N: u8 = 2;
const B: u8 = 3;
const SS: u8 = 4;
const NS: u8 = 5;
const BS: u8 = 6;
const M: u8 = 7;
const L: u8 = 8;
const NULL: u8 = 9;
const TRUE: u8 = 10;
const FALSE: u8 = 11;

/// The stored form of `item`.
pub(crate) fn encode(item: &Item) -> Bytes {
    let mut out = Vec::with_capacity(256);
    out.push(VERSION);
    write_map(&mut out, item);
    out.into()
}

/// The item that was stored as `bytes`.
///
/// # Errors
/// [`StoreError::Decode`] if a newer version wrote it or it is damaged.
pub(crate) fn decode(bytes: &[u8]) -> Result<Item, StoreError> {
    let mut reader = Reader { rest: bytes };
    match reader.byte() {
        Some(VERSION) => reader
            .map(0)
            .filter(|_| reader.rest.is_empty())
            .ok_or_else(|| damaged("it is damaged")),
        Some(_) => Err(damaged("its version is not known")),
        None => Err(damaged("it is empty")),
    }
}

fn damaged(reason: &str) -> StoreError {
    StoreError::Decode {
        what: "DynamoDB item",
        reason: reason.to_owned(),
    }
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn write_length(out: &mut Vec<u8>, mut length: usize) {
    loop {
        let [low, ..] = length.to_le_bytes();
        length >>= 7;
        if length == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn write_map(out: &mut Vec<u8>, entries: &Item) {
    write_length(out, entries.len());
    for (name, value) in entries {
        write_bytes(out, name.as_bytes());
        write_value(out, value);
    }
}

fn write_all<'a>(out: &mut Vec<u8>, tag: u8, length: usize, parts: impl Iterator<Item = &'a [u8]>) {
    out.push(tag);
    write_length(out, length);
    for part in parts {
        write_bytes(out, part);
    }
}

fn write_value(out: &mut Vec<u8>, value: &AttributeValue) {
    match value {
        AttributeValue::S(text) => write_tagged(out, S, text.as_bytes()),
        AttributeValue::N(text) => write_tagged(out, N, text.as_bytes()),
        AttributeValue::B(bytes) => write_tagged(out, B, bytes),
        AttributeValue::Ss(texts) => write_all(out, SS, texts.len(), texts.iter().map(String::as_bytes)),
        AttributeValue::Ns(texts) => write_all(out, NS, texts.len(), texts.iter().map(String::as_bytes)),
        AttributeValue::Bs(blobs) => write_all(out, BS, blobs.len(), blobs.iter().map(AsRef::as_ref)),
        AttributeValue::M(entries) => {
            out.push(M);
            write_map(out, entries);
        }
        AttributeValue::L(elements) => {
            out.push(L);
            write_length(out, elements.len());
            for element in elements {
                write_value(out, element);
            }
        }
        AttributeValue::Null(_) => out.push(NULL),
        AttributeValue::Bool(true) => out.push(TRUE),
        AttributeValue::Bool(false) => out.push(FALSE),
    }
}

fn write_tagged(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    write_bytes(out, bytes);
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn length(&mut self) -> Option<usize> {
        let mut length = 0_usize;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(length);
            }
        }
        None
    }

    fn bytes(&mut self) -> Option<&[u8]> {
        let length = self.length()?;
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<String> {
        std::str::from_utf8(self.bytes()?).ok().map(str::to_owned)
    }

    fn blob(&mut self) -> Option<Bytes> {
        self.bytes().map(Bytes::copy_from_slice)
    }

    fn all<T>(&mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.length()?;
        // Every element takes a byte at least, so a damaged length cannot reserve much.
        let mut elements = Vec::with_capacity(length.min(self.rest.len()));
        for _ in 0..length {
            elements.push(read(self)?);
        }
        Some(elements)
    }

    fn map(&mut self, depth: usize) -> Option<Item> {
        let entries = self.all(|reader| Some((reader.text()?, reader.value(depth)?)))?;
        Some(entries.into_iter().collect())
    }

    fn value(&mut self, depth: usize) -> Option<AttributeValue> {
        if depth > MAX_DEPTH + 1 {
            return None;
        }
        let below = depth.saturating_add(1);
        Some(match self.byte()? {
            S => AttributeValue::S(self.text()?),
            N => AttributeValue::N(self.text()?),
            B => AttributeValue::B(self.blob()?),
            SS => AttributeValue::Ss(self.all(Self::text)?),
            NS => AttributeValue::Ns(self.all(Self::text)?),
            BS => AttributeValue::Bs(self.all(Self::blob)?),
            M => AttributeValue::M(self.map(below)?),
            L => AttributeValue::L(self.all(|reader| reader.value(below))?),
            NULL => AttributeValue::Null(true),
            TRUE => AttributeValue::Bool(true),
            FALSE => AttributeValue::Bool(false),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = AttributeValue> {
        let leaf = prop_oneof![
            ".{0,20}".prop_map(AttributeValue::S),
            any::<i64>().prop_map(|number| AttributeValue::N(number.to_string())),
            any::<Vec<u8>>().prop_map(|bytes| AttributeValue::B(bytes.into())),
            any::<bool>().prop_map(AttributeValue::Bool),
            Just(AttributeValue::Null(true)),
            prop::collection::vec(".{0,5}", 1..4).prop_map(AttributeValue::Ss),
            prop::collection::vec(any::<Vec<u8>>().prop_map(Bytes::from), 1..4).prop_map(AttributeValue::Bs),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(AttributeValue::L),
                prop::collection::btree_map(".{0,8}", inner, 0..6).prop_map(AttributeValue::M),
            ]
        })
    }

    proptest! {
        #[test]
        fn items_come_back(item in prop::collection::btree_map(".{1,10}", values(), 0..6)) {
            prop_assert_eq!(decode(&encode(&item)).unwrap(), item);
        }

        #[test]
        fn damaged_bytes_never_panic(bytes in any::<Vec<u8>>()) {
            let _ = decode(&bytes);
            let _ = decode(&[&[VERSION], bytes.as_slice()].concat());
        }
    }
}
