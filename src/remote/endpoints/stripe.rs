//! Stripe, which is provisioned rather than authorized.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;

use super::claim_link;
use crate::{
    http::{CallClass, PaceClass},
    model::{Link, StripeMode},
    remote::{Remote, RemoteError, call::Call, wire},
};

/// Whether Stripe is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StripeStatus {
    /// Its mode, sandbox or live; `None` if it is not installed.
    pub mode: Option<StripeMode>,
    /// By which the app's owner claims the sandbox.
    pub claim: Option<Link>,
    /// Where a sandbox stands, if the platform says.
    pub sandbox: Option<SandboxState>,
    /// When an unclaimed sandbox expires, if the platform says.
    pub expires_at: Option<Timestamp>,
}

/// Where a Stripe sandbox stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SandboxState {
    /// Nobody claimed it; it ends 60 days after it was made.
    Unclaimed,
    /// It is somebody's.
    Claimed,
    /// It cannot be claimed any more; installing makes a new one.
    Expired,
}

/// Stripe is installed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StripeInstalled {
    /// Whether it was before.
    pub already_installed: bool,
    /// By which the app's owner claims the sandbox.
    pub claim: Option<Link>,
}

/// A time as text, or in seconds or milliseconds since the Unix epoch.
fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => match number.as_i64()? {
            seconds @ ..100_000_000_000 => Timestamp::from_second(seconds).ok(),
            milliseconds => Timestamp::from_millisecond(milliseconds).ok(),
        },
        _ => None,
    }
}

impl Remote {
    /// Provisioning takes the platform longer than other calls: a minute, usually.
    fn provisioning_time(&self) -> Duration {
        self.platform().options().read_timeout * 2
    }

    /// Whether Stripe is installed, and in which mode.
    pub async fn stripe_status(&self) -> Result<StripeStatus, RemoteError> {
        let path = self.app_path("payments/stripe/status");
        let call = Call::new(
            "asking for Stripe's status",
            CallClass::Read,
            Method::GET,
            path,
        );
        let state: wire::StripeState = self.send(&call).await?.decode()?;
        let word = state.sandbox_status.as_str().map(str::to_ascii_lowercase);
        let sandbox = match word.as_deref() {
            Some("unclaimed") => Some(SandboxState::Unclaimed),
            Some("claimed") => Some(SandboxState::Claimed),
            Some("expired") => Some(SandboxState::Expired),
            _ => None,
        };
        Ok(StripeStatus {
            mode: state.stripe_mode,
            claim: claim_link(state.sandbox_claim_url),
            sandbox: sandbox.filter(|_| state.stripe_mode == Some(StripeMode::Sandbox)),
            expires_at: time(&state.sandbox_expires_at),
        })
    }

    /// Installs Stripe as a sandbox. Where an attempt's outcome is not clear, the status is asked
    /// for before another one.
    pub async fn install_stripe(&self) -> Result<StripeInstalled, RemoteError> {
        let path = self.app_path("payments/stripe/install");
        let call = Call::new(
            "installing Stripe",
            CallClass::CheckFirst,
            Method::POST,
            path,
        )
        .paced(PaceClass::Write)
        .patience(self.provisioning_time());
        let mut attempt = 1;
        let mut open = false;
        loop {
            let sent = self.send(&call).await;
            let decoded = sent.and_then(|answer| answer.decode::<wire::StripeInstalled>());
            let error = match decoded {
                Ok(installed) => {
                    return Ok(StripeInstalled {
                        already_installed: installed.already_installed,
                        claim: claim_link(installed.claim_url),
                    });
                }
                Err(error) if error.is_unclear() => error,
                Err(mut error) => {
                    // An answer that was lost before may still be carried out.
                    if let Some(at) = error.at_mut() {
                        at.unclear |= open;
                    }
                    return Err(error);
                }
            };
            // If even that cannot be found out, the first error is what happened.
            let Ok(now) = self.stripe_status().await else {
                return Err(error);
            };
            if now.mode.is_some() {
                return Ok(StripeInstalled {
                    already_installed: false,
                    claim: now.claim,
                });
            }
            if !error.is_passing() || !self.platform().pause_before(attempt).await {
                return Err(error);
            }
            tracing::info!(attempt, why = %error, "Stripe is not installed yet: trying again");
            open = true;
            attempt += 1;
        }
    }

    /// Removes Stripe. With real payments in it, this is the most dangerous call there is.
    pub async fn remove_stripe(&self) -> Result<(), RemoteError> {
        let path = self.app_path("payments/stripe");
        let call = Call::new(
            "removing Stripe",
            CallClass::RepeatableWrite,
            Method::DELETE,
            path,
        )
        .paced(PaceClass::Write)
        .patience(self.provisioning_time());
        let answer = match self.send(&call).await {
            Ok(answer) => answer,
            // An earlier attempt, whose answer was lost, has removed it.
            Err(error @ RemoteError::NotFound { .. }) if error.is_unclear() => return Ok(()),
            Err(error) => return Err(error),
        };
        let removed: wire::StripeRemoved = answer.decode()?;
        if removed.success {
            Ok(())
        } else {
            Err(RemoteError::NotDone { at: answer.at })
        }
    }
}
