//! The room `git` with the git that is here: hostile checkouts, and remotes.

#![expect(
    clippy::disallowed_methods,
    reason = "what a test lays out is written as a user's editor would"
)]

mod depot;
mod history;
mod hostile;
pub(crate) mod repository;
