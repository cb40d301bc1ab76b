//! Tests over all services together.

mod operations;
