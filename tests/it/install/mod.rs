//! How connplan gets onto a machine.

mod npm;
