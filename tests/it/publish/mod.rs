//! What reviewers see on a forge.

pub(crate) mod actions;
pub(crate) mod comment;
pub(crate) mod forge;
mod gitlab;
pub(crate) mod heads;
mod inputs;
mod outcomes;
mod pushers;
pub(crate) mod render;
mod reviews;
mod reviews_forge;
mod reviews_module;
mod reviews_place;
pub(crate) mod runner;
pub(crate) mod schema;
mod story;
mod whose;
