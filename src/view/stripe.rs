//! The link by which a Stripe sandbox is claimed: shown on a terminal, nowhere else.

use crate::{
    model::{App, Link},
    receipt::{Outcome, Receipt},
    term::Terminal,
};

/// After an apply that provisioned Stripe.
pub fn say(terminal: &Terminal, app: &App, receipt: &Receipt, claim: Option<&Link>) {
    let provisioned = receipt
        .results()
        .any(|result| result.outcome == Outcome::Provisioned);
    if provisioned {
        terminal.say("Stripe sandbox provisioned.");
        say_claim(terminal, app, claim);
        if claim.is_none() {
            terminal.say(&format!("Connectors dashboard: {}", app.dashboard()));
        }
    }
}

/// The link, if there is one; where no person sees it, the address of the dashboard instead.
pub fn say_claim(terminal: &Terminal, app: &App, claim: Option<&Link>) {
    if let Some(link) = claim {
        let shown = format!("Claim your Stripe sandbox: {}", link.expose());
        if !terminal.reveal(&shown) {
            terminal.say(&format!(
                "The Stripe sandbox can be claimed by the app's owner: {}",
                app.dashboard()
            ));
        }
    }
}
