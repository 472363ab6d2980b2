//! The project's files: found, read, checked.
