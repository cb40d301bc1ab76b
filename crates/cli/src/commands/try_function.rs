//! `rolecall try`.
