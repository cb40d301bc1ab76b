//! The stages of a request: accept, identify, verify, authorise, dispatch, record.
