//! What is private stays private.

#[cfg(unix)]
pub(crate) mod addresses;
#[cfg(unix)]
mod altered;
mod applied;
#[cfg(unix)]
mod around;
#[cfg(unix)]
mod bases;
#[cfg(unix)]
pub(crate) mod files;
mod fixtures;
mod gates;
#[cfg(unix)]
pub(crate) mod hostile;
mod kinds;
#[cfg(unix)]
mod led_away;
pub(crate) mod loosening;
mod merged;
mod patterns;
pub(crate) mod policy;
#[cfg(unix)]
pub(crate) mod private;
#[cfg(unix)]
mod programs;
mod rego;
pub(crate) mod secrets;
#[cfg(unix)]
mod shipped;
#[cfg(unix)]
mod shown;
#[cfg(unix)]
pub(crate) mod state;
pub(crate) mod terms;
#[cfg(unix)]
mod told_anew;
#[cfg(unix)]
mod unfollowed;
#[cfg(unix)]
mod unnamed_base;
#[cfg(unix)]
mod unseen;
#[cfg(unix)]
mod values;
mod variables;
