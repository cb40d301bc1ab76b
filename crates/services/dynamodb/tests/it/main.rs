//! DynamoDB's operations as the gateway calls them: prepared, authorised, run.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed test may panic")]

mod access;
mod batches;
mod conditions;
mod durability;
mod endpoint;
mod expressions;
mod items;
mod queries;
mod tables;
mod transactions;
