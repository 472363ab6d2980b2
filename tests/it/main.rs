//! The integration tests: one binary.
mod catalogue;
mod view;
mod view_properties;
