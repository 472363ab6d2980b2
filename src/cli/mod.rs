//! The command line: arguments, what surrounds a run, exit codes, signals.

mod args;
mod context;
mod error;
mod exit;
mod log;
mod panic;
mod run;
mod signal;

pub use args::{Cli, Command, Format, Globals};
pub use context::Context;
pub use error::{EncodeError, UsageError};
pub use exit::{ExitStatus, Failure};
pub use run::main;
pub use signal::Signals;
