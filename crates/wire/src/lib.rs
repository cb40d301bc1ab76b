//! AWS protocols over one value type, driven by shapes.
