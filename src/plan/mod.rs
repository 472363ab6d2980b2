//! The plan: built, saved, read, verified. Pure, but for nothing.
