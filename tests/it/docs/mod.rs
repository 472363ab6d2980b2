//! What the documentation says, held to the code.

pub(crate) mod circles;
pub(crate) mod layers;
pub(crate) mod pages;
pub(crate) mod picture;
pub(crate) mod readme;
