//! The link by which a Stripe sandbox is claimed: shown on a terminal, nowhere else.

use std::cell::Cell;

use jiff::Timestamp;

use super::{Medium, words::count};
use crate::{
    model::{App, Link},
    receipt::{Outcome, Receipt},
    term::Terminal,
};

/// After an apply that provisioned Stripe. That it did, the summary says.
pub fn say(
    terminal: &Terminal,
    app: &App,
    receipt: &Receipt,
    claim: Option<&Link>,
    said: &Cell<bool>,
) {
    let provisioned = receipt
        .results()
        .any(|result| result.outcome == Outcome::Provisioned);
    if provisioned {
        say_claim(terminal, app, claim, None, said);
        if claim.is_none() {
            terminal.say(&format!("Connectors dashboard: {}", app.dashboard()));
        }
    }
}

/// The link, and how long it is good for, below what a person reads. A document says nothing of it.
pub fn show_claim(
    medium: &Medium<'_>,
    terminal: &Terminal,
    app: &App,
    claim: Option<&Link>,
    left: Option<&str>,
    said: &Cell<bool>,
) {
    let shown = !medium.is_json() && say_claim(terminal, app, claim, left, said);
    if let Some(left) = left
        && !shown
    {
        terminal.say(left);
    }
}

/// The link, if there is one and it was not `said`; where no person sees it, the address of the
/// dashboard instead.
fn say_claim(
    terminal: &Terminal,
    app: &App,
    claim: Option<&Link>,
    left: Option<&str>,
    said: &Cell<bool>,
) -> bool {
    let Some(link) = claim.filter(|_| !said.replace(true)) else {
        return false;
    };
    let shown = match left {
        Some(left) => format!("{left} Claim it: {}", link.expose()),
        None => format!("Claim your Stripe sandbox: {}", link.expose()),
    };
    if !terminal.reveal(&shown) {
        let (left, what) = match left {
            Some(left) => (format!("{left} "), "it"),
            None => (String::new(), "the Stripe sandbox"),
        };
        terminal.say(&format!(
            "{left}The app's owner can claim {what}: {}",
            app.dashboard()
        ));
    }
    true
}

/// How long a sandbox can still be claimed, if nobody did and the platform says until when.
pub fn time_left(expires_at: Option<Timestamp>, now: Timestamp) -> Option<String> {
    let left = expires_at?.duration_since(now).as_hours();
    let when = match left {
        ..1 => "within the hour".to_owned(),
        1..48 => format!("in {}", count(usize::try_from(left).ok()?, "hour")),
        _ => format!("in {}", count(usize::try_from(left / 24).ok()?, "day")),
    };
    Some(format!(
        "Nobody has claimed the Stripe sandbox: it expires {when}."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_said_in_days() {
        let now: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        let after = |hours: i64| {
            let left = time_left(Some(now + jiff::SignedDuration::from_hours(hours)), now).unwrap();
            left.rsplit_once("expires ").unwrap().1.to_owned()
        };
        assert_eq!(after(59 * 24 + 23), "in 59 days.");
        assert_eq!(after(48), "in 2 days.");
        assert_eq!(after(2), "in 2 hours.");
        assert_eq!(after(-3), "within the hour.");
        assert_eq!(time_left(None, now), None);
    }
}
