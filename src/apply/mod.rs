//! Carries out a verified plan. With `authorize`, the only room that changes the remote.

pub mod journal;
