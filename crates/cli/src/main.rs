//! The binary `rolecall`.
fn main() {}
