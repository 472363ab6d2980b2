//! Long TOML documents of which one array of tables (`[[name]]`) is nearly all, row by row: what a
//! parser or a tree needs for all of it at once is many times the document.

mod read;
mod spelt;
mod write;

pub use read::{Rows, head, read};
pub use write::write;
