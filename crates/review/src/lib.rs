//! Usage and least privilege, from policies and events.
