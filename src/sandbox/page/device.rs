//! The page on which a person lets a device in.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
};

use super::{
    Fields, HtmlPage, Tone, escape,
    layout::{accounts, document, monogram},
    notice, trouble,
};
use crate::{
    fs::FsError,
    sandbox::{admin::person, grant::check_account, guard::is_same_origin, store::Store},
};

const UNKNOWN: &str = "No device waits with this code. It may have run out, or been used.";

/// Asks for the code, then shows who wants in.
pub(in crate::sandbox) async fn device_form(
    State(store): State<Arc<Store>>,
    Query(query): Query<BTreeMap<String, String>>,
) -> HtmlPage {
    let Some(code) = query.get("user_code").filter(|code| !code.is_empty()) else {
        return HtmlPage(StatusCode::OK, document("Device login", "card", &ask()));
    };
    store.read(|state, now| {
        let Some(device) = state.login.waiting(code, now) else {
            return notice(StatusCode::NOT_FOUND, Tone::Bad, "Unknown code", UNKNOWN);
        };
        let (code, token) = (escape(&device.user_code), escape(&device.form_token));
        let (picture, accounts) = (monogram("Base44"), accounts(&state.settings));
        let main = format!(
            r#"<header>{picture}<p class="eyebrow">Base44 (make-believe)</p></header>
<h1>Let a device act as you?</h1>
<p class="lead">It shows the code <code class="code">{code}</code>. Go on only if that is what you see there.</p>
<form method="post" action="/sandbox/device">
<input type="hidden" name="form_token" value="{token}">
<input type="hidden" name="user_code" value="{code}">
{accounts}<div class="buttons">
<button class="primary" name="decision" value="approve">Approve</button>
<button name="decision" value="deny" formnovalidate>Deny</button>
</div>
</form>"#
        );
        HtmlPage(StatusCode::OK, document("Device login", "card", &main))
    })
}

fn ask() -> String {
    let picture = monogram("Base44");
    format!(
        r#"<header>{picture}<p class="eyebrow">Base44 (make-believe)</p></header>
<h1>Log a device in</h1>
<form method="get" action="/sandbox/device">
<label class="typed"><span>Code shown by the device</span>
<input name="user_code" required autofocus autocomplete="off" autocapitalize="characters" spellcheck="false" placeholder="BCDF-GHJK"></label>
<div class="buttons"><button class="primary">Continue</button></div>
</form>"#
    )
}

/// Takes the decision.
pub(in crate::sandbox) async fn device(
    State(store): State<Arc<Store>>,
    headers: HeaderMap,
    body: Bytes,
) -> HtmlPage {
    let fields = Fields::parse(&body);
    let approve = match fields.one("decision") {
        "approve" => true,
        "deny" => false,
        _ => {
            let text = "The form says neither approve nor deny.";
            return notice(StatusCode::BAD_REQUEST, Tone::Bad, "Not understood", text);
        }
    };
    if !is_same_origin(&headers) {
        let text = "This form was not sent by the page it belongs to.";
        return notice(StatusCode::FORBIDDEN, Tone::Bad, "Refused", text);
    }
    let email = fields.account();
    if approve && check_account(email).is_err() {
        let (status, text) = (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Go back and choose an account.",
        );
        return notice(status, Tone::Bad, "Which account?", text);
    }
    let (code, token) = (fields.one("user_code"), fields.one("form_token"));
    let done = store.change(|state, now| {
        let device = state.login.waiting(code, now);
        let ours = device.is_some_and(|device| device.form_token == token);
        let who = approve.then(|| person(state, email));
        Ok::<_, FsError>(ours && state.login.decide(code, who.as_ref(), now))
    });
    match done.await {
        Ok(false) => notice(StatusCode::NOT_FOUND, Tone::Bad, "Unknown code", UNKNOWN),
        Ok(true) if approve => {
            let text = "The device goes on by itself. You can close this page.";
            notice(StatusCode::OK, Tone::Good, "Logged in", text)
        }
        Ok(true) => {
            let text = "The device was refused. You can close this page.";
            notice(StatusCode::OK, Tone::Calm, "Not logged in", text)
        }
        Err(e) => trouble(&e),
    }
}
