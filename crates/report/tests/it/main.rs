//! Reports as they are printed, compared with files in `tests/golden`.
//!
//! After a change that is meant, run with `UPDATE_GOLDEN=1` and read the difference.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod golden;
mod records;
mod try_json;
mod try_text;
