//! Durable state: buckets with revisions and watch, queues, journals.
