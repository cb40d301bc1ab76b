//! Execution environments at work: pool, Runtime API, scaling.
