//! CloudTrail events: record, journal, query.
