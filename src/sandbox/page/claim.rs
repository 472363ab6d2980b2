//! The page on which the app's owner claims its Stripe sandbox.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};

use super::{
    HtmlPage, Tone, escape,
    layout::{document, monogram},
    notice, trouble,
};
use crate::{
    fs::FsError,
    sandbox::{guard::is_same_origin, store::Store},
};

fn unknown() -> HtmlPage {
    let text = "It was claimed already, or its installation was removed.";
    notice(StatusCode::GONE, Tone::Bad, "Nothing to claim", text)
}

pub(in crate::sandbox) async fn claim_form(
    State(store): State<Arc<Store>>,
    Path(claim): Path<String>,
) -> HtmlPage {
    store.read(|state, _| {
        let holds = |stripe: &_| is(stripe, &claim);
        let found = state
            .apps
            .iter()
            .find(|(_, app)| app.stripe.as_ref().is_some_and(holds));
        let Some((id, _)) = found else {
            return unknown();
        };
        let (app, claim) = (escape(state.app_name(id)), escape(&claim));
        let picture = monogram("Stripe");
        let main = format!(
            r#"<header>{picture}<p class="eyebrow">Stripe (make-believe)</p></header>
<h1>Claim the Stripe sandbox of <em>{app}</em>?</h1>
<p class="lead">Whoever claims it owns it. This link works once.</p>
<form method="post" action="/sandbox/stripe/claim/{claim}">
<div class="buttons"><button class="primary">Claim</button></div>
</form>"#
        );
        HtmlPage(
            StatusCode::OK,
            document("Claim Stripe sandbox", "card", &main),
        )
    })
}

fn is(stripe: &crate::sandbox::state::Stripe, claim: &str) -> bool {
    stripe.claim.as_deref() == Some(claim)
}

pub(in crate::sandbox) async fn claim(
    State(store): State<Arc<Store>>,
    Path(claim): Path<String>,
    headers: HeaderMap,
) -> HtmlPage {
    if !is_same_origin(&headers) {
        let text = "This form was not sent by the page it belongs to.";
        return notice(StatusCode::FORBIDDEN, Tone::Bad, "Refused", text);
    }
    let done = store.change(|state, _| {
        let installed = state
            .apps
            .values_mut()
            .filter_map(|app| app.stripe.as_mut());
        let found = installed.into_iter().find(|stripe| is(stripe, &claim));
        Ok::<_, FsError>(found.and_then(|stripe| stripe.claim.take()).is_some())
    });
    match done.await {
        Ok(true) => {
            let text = "The Stripe sandbox is yours, in make-believe. You can close this page.";
            notice(StatusCode::OK, Tone::Good, "Claimed", text)
        }
        Ok(false) => unknown(),
        Err(e) => trouble(&e),
    }
}
