//! How connplan gets onto a machine, into an editor, and to an agent.

mod container;
mod editor;
mod npm;
mod skill;
