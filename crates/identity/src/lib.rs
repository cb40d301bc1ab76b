//! Accounts, users, roles, keys and sessions, and every policy that applies to a principal.
