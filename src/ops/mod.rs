//! What a command does, apart from how it is asked for and how it is told: inputs, stores and an
//! event sink in, an outcome out. Commands are arguments -> op -> view.

mod authorize;

pub use authorize::{AuthorizeInputs, AuthorizeSession, Waits};
