//! Keys of items and index entries as bytes that sort as DynamoDB sorts them.
//!
//! ```text
//! item         hash(partition) · partition · sort
//! index entry  hash(partition) · partition · sort · key of the item
//! ```
//!
//! Each part ends itself, so keys of one partition are one range of the store. The hash in front spreads partitions
//! over the key space: a scan's segments are ranges of it, and a scan's order is not that of the keys, as in AWS.

use rolecall_wire::AttributeValue;

use crate::number::Number;

/// Bytes of the hash in front of every key.
const HASH_LENGTH: usize = 4;

/// Appends a key attribute's value so that the bytes sort as the values do. `None` for a type that cannot be a key.
pub(crate) fn encode_part(value: &AttributeValue, out: &mut Vec<u8>) -> Option<()> {
    match value {
        AttributeValue::S(text) => encode_bytes(text.as_bytes(), out),
        AttributeValue::B(bytes) => encode_bytes(bytes, out),
        AttributeValue::N(text) => Number::parse(text).ok()?.encode_ordered(out),
        _ => return None,
    }
    Some(())
}

/// A zero byte is written as `00 FF` and the end as `00 01`, so that a value sorts before its continuations.
fn encode_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    encode_open(bytes, out);
    out.extend_from_slice(&[0, 1]);
}

fn encode_open(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        out.push(*byte);
        if *byte == 0 {
            out.push(0xff);
        }
    }
}

/// The beginning that every encoded value that begins with `prefix` has. `None` for numbers and other types.
pub(crate) fn encode_prefix(prefix: &AttributeValue, out: &mut Vec<u8>) -> Option<()> {
    match prefix {
        AttributeValue::S(text) => encode_open(text.as_bytes(), out),
        AttributeValue::B(bytes) => encode_open(bytes, out),
        _ => return None,
    }
    Some(())
}

/// What all keys of one partition begin with.
pub(crate) fn encode_partition(partition: &AttributeValue) -> Option<Vec<u8>> {
    let mut key = vec![0; HASH_LENGTH];
    encode_part(partition, &mut key)?;
    let hash = crc32fast::hash(key.get(HASH_LENGTH..)?);
    key.get_mut(..HASH_LENGTH)?.copy_from_slice(&hash.to_be_bytes());
    Some(key)
}

/// The key of a partition and, where the schema has one, a sort value.
pub(crate) fn encode_key(partition: &AttributeValue, sort: Option<&AttributeValue>) -> Option<Vec<u8>> {
    let mut key = encode_partition(partition)?;
    if let Some(sort) = sort {
        encode_part(sort, &mut key)?;
    }
    Some(key)
}

/// First and last-but-one hash of scan segment `segment` of `total`: from the first, before the second (open if `None`).
pub(crate) fn segment_bounds(segment: u32, total: u32) -> (Vec<u8>, Option<Vec<u8>>) {
    let bound = |number: u32| {
        (u64::from(number) << 32)
            .checked_div(u64::from(total))
            .unwrap_or(0)
    };
    let start = u32::try_from(bound(segment)).unwrap_or(u32::MAX);
    let end = u32::try_from(bound(segment.saturating_add(1))).ok();
    (
        start.to_be_bytes().to_vec(),
        end.map(|end| end.to_be_bytes().to_vec()),
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]
    use super::*;
    use proptest::prelude::*;

    fn encoded(value: &AttributeValue) -> Vec<u8> {
        let mut out = Vec::new();
        encode_part(value, &mut out).unwrap();
        out
    }

    proptest! {
        #[test]
        fn bytes_sort_as_values(a in prop::collection::vec(0..3_u8, 0..6), b in prop::collection::vec(0..3_u8, 0..6)) {
            let (left, right) = (AttributeValue::B(a.clone().into()), AttributeValue::B(b.clone().into()));
            prop_assert_eq!(encoded(&left).cmp(&encoded(&right)), a.cmp(&b));
            let mut prefix = Vec::new();
            encode_prefix(&right, &mut prefix).unwrap();
            prop_assert_eq!(encoded(&left).starts_with(&prefix), a.starts_with(&b));
        }
    }

    #[test]
    fn segments_cover_everything_once() {
        for total in [1, 2, 3, 7, 1_000_000] {
            let mut previous = Some(vec![0; 4]);
            for segment in 0..total.min(50) {
                let (start, end) = segment_bounds(segment, total);
                assert_eq!(Some(start), previous);
                previous = end;
            }
            assert_eq!(segment_bounds(total - 1, total).1, None);
        }
    }
}
