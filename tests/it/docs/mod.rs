//! What the documentation says, held to the code.

pub(crate) mod layers;
pub(crate) mod readme;
