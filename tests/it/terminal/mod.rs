//! Options of every command, the terminal, signals.

pub(crate) mod doctor;
pub(crate) mod first_steps;
pub(crate) mod globals;
#[cfg(unix)]
pub(crate) mod held_back;
pub(crate) mod help;
#[cfg(unix)]
pub(crate) mod layout;
#[cfg(unix)]
pub(crate) mod login;
#[cfg(unix)]
pub(crate) mod signals;
#[cfg(unix)]
pub(crate) mod slips;
#[cfg(unix)]
pub(crate) mod stuck;
pub(crate) mod terminal;
pub(crate) mod told;
#[cfg(unix)]
pub(crate) mod waits;
