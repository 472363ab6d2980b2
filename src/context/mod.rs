//! What surrounds a run: directories, environment, terminal, signals, and how it ends. Below the
//! commands, so that they and the command line both stand on it.

mod credentials;
mod error;
mod exit;
mod globals;
mod project;
mod run;
mod signal;

pub use crate::plan::EncodeError;
pub use crate::view::Format;
pub use credentials::hides_login;
pub use error::{UnreadableEvent, UsageError};
pub use exit::{ExitStatus, Failure};
pub use globals::Globals;
pub use run::Context;
pub use signal::Signals;
