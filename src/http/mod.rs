//! Requests over HTTP, for the platform and the forges alike: the client, its limits, when a request
//! is made again, what no answer may show, and how often a request may be made.

mod auth_header;
mod error;
mod exchange;
pub(crate) mod network;
mod options;
mod pace;
pub(crate) mod redact;
mod renewals;
pub(crate) mod retry;
mod text;
pub(crate) mod transport;
mod window;

pub(crate) use auth_header::{AuthHeader, zeroing};
pub use error::{SetupError, Unreachable};
pub(crate) use exchange::{Limits, Received, Stopped, address, exchange};
pub use network::unusable_roots;
use options::GateClosed;
pub use options::{ClientOptions, Clock, Gate, system_clock};
pub use pace::{NotAdmitted, Pace, Slot, Wait};
pub(crate) use redact::Sent;
pub use renewals::Renewals;
pub use retry::CallClass;
pub(crate) use retry::{Fault, RetryDecision};
pub use text::server_text;
pub(crate) use text::server_text_limited;
pub(crate) use transport::TransportError;
pub use window::PaceClass;
