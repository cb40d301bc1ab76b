//! One execution environment: namespaces, mounts, seccomp, limits.
