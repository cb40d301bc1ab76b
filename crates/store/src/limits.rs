//! Upper bounds on what a caller may hand to the store.
//!
//! Much of what services keep comes from requests, so every size has a bound here; beyond it the answer is
//! [`StoreError::TooLarge`](crate::StoreError::TooLarge) and nothing is written.

/// Longest name of a bucket, queue or journal, in bytes.
pub const MAX_NAME: usize = 512;
/// Longest key, in bytes. S3's longest key (1,024) and DynamoDB's longest primary key (2,048 + 1,024) fit several times over,
/// also when an encoding escapes every byte.
pub const MAX_KEY: usize = 16 * 1024;
/// Largest value, journal record or job payload, in bytes. What is larger (S3 objects) is kept in several values.
pub const MAX_VALUE: usize = 64 * 1024 * 1024;
/// Largest sum of keys and values of one transaction, in bytes.
pub const MAX_TRANSACTION: usize = 256 * 1024 * 1024;
/// Most operations and conditions in one transaction. A delete by prefix counts as one.
pub const MAX_OPERATIONS: usize = 100_000;
