//! For tests only: a server in a scratch folder, raw signed requests, fixtures.
