//! The API's calls as functions, a file per resource.

mod authorization;
mod available;
mod connectors;
mod oauth;
mod policies;
mod snapshot;
mod stripe;
mod values;

pub use authorization::AuthorizationStatus;
pub use available::{AvailableIntegration, ConfigField};
pub use connectors::PutAnswer;
pub use oauth::{DeviceCode, TokenPoll, UserInfo};
pub use snapshot::{Survey, WantedValues};
pub use stripe::{SandboxState, StripeInstalled, StripeStatus};
pub use values::ConnectionValues;

use crate::model::Link;

/// A claim link that is not a web address is left out with a word: a plan must not fail for it.
fn claim_link(text: Option<String>) -> Option<Link> {
    Link::parse(&text?)
        .inspect_err(|why| tracing::warn!(%why, "Stripe's claim link is left out"))
        .ok()
}
