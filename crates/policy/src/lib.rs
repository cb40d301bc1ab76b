//! The IAM policy language: parse, compile, decide, explain.
