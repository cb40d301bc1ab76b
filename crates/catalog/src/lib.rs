//! Facts about AWS: actions, resource types, condition keys, managed policies.
