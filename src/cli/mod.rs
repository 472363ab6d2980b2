//! The command line: its grammar, and from arguments to an exit code.

mod args;
mod log;
mod panic;
mod run;
mod shipped;
mod traits;
mod watch;

pub use args::{Cli, Command};
pub use run::main;
