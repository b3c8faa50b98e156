//! The Classy API, read only.
