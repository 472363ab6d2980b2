//! `connplan.toml`: what a team decides once. Every key is optional.
//!
//! ```toml
//! unlisted = "keep"            # remote connectors without a file are left alone
//!
//! [providers.googlecalendar]
//! adds = ["openid", "email"]   # scopes that the provider grants unasked: no difference
//!
//! [environments.production]
//! app_id = "68a1b2c3d4e5f60718293a4b"
//!
//! [apply]
//! parallelism = 4
//!
//! [authorize]
//! timeout = "15m"
//!
//! [policy]
//! protected = ["stripe"]
//! max_removals = 1
//! denied_scopes = { "*" = ["admin"], gmail = ["https://mail.google.com/"] }
//! ```
//!
//! A key that is not known is a warning, so that a file written for a newer version still works.

mod read;
mod shape;
mod types;

pub(crate) use read::line_of;
pub use read::{parse_settings, readable_settings, setting_problem};
pub use types::{
    ApplySettings, ApprovalSettings, AuthorizeSettings, Environment, Lifetime, LifetimeError,
    MaxDuration, MaxRemovals, PerType, Percent, PlanSettings, PlatformSettings, PolicySettings,
    ProviderSettings, RuleSettings, Settings, StoreSettings, Subject, Unlisted,
};
