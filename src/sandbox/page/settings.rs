//! How the sandbox behaves, and what befalls a connector: set by hand.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};

use super::{Fields, HtmlPage, Tone, escape, layout::document, notice, trouble};
use crate::{
    fs::FsError,
    model::{AppId, ConnectorType},
    sandbox::{
        admin::Play, guard::is_same_origin, settings::Settings, state::State as SandboxState,
        store::Store,
    },
};

/// Shows the settings as they would stand in a seed.
pub(in crate::sandbox) async fn settings_form(State(store): State<Arc<Store>>) -> HtmlPage {
    store.read(|state, _| {
        let json = serde_json::to_string_pretty(&state.settings).unwrap_or_default();
        let (json, token) = (escape(&json), escape(&state.form_token));
        let main = format!(
            r#"<h1>How the sandbox behaves</h1>
<p class="lead">These are the <code>settings</code> of a seed. They hold from the next request on.</p>
<form method="post" action="/sandbox/settings">
<input type="hidden" name="form_token" value="{token}">
<label class="typed"><span>Settings (JSON)</span>
<textarea name="settings" rows="32" spellcheck="false">{json}</textarea></label>
<div class="buttons"><button class="primary">Set</button></div>
</form>
<p><a href="/">Back to the apps</a></p>"#
        );
        HtmlPage(StatusCode::OK, document("Settings", "wide", &main))
    })
}

/// Takes new settings.
pub(in crate::sandbox) async fn settings(
    State(store): State<Arc<Store>>,
    headers: HeaderMap,
    body: Bytes,
) -> HtmlPage {
    let fields = Fields::parse(&body);
    let read = serde_json::from_slice::<Settings>(fields.one("settings").as_bytes());
    let new = match read.map_err(|e| e.to_string()).and_then(|new| {
        new.check()?;
        Ok(new)
    }) {
        Ok(new) => new,
        Err(why) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return notice(status, Tone::Bad, "These are not settings", &why);
        }
    };
    change(&store, &headers, &fields, |state| {
        state.settings = new;
        "The settings hold from now on."
    })
    .await
}

/// Does something to a connector.
pub(in crate::sandbox) async fn play(
    State(store): State<Arc<Store>>,
    headers: HeaderMap,
    body: Bytes,
) -> HtmlPage {
    let fields = Fields::parse(&body);
    let app = AppId::parse(fields.one("app"));
    let connector = ConnectorType::parse(fields.one("connector"));
    let (Ok(app), Ok(connector)) = (app, connector) else {
        return super::missing();
    };
    let what = fields.one("do").to_owned();
    change(&store, &headers, &fields, |state| {
        let done = match Play::parse(&what) {
            Some(play) => play.on(state, &app, &connector),
            None if what == "remove" => state.remove(&app, &connector).is_some(),
            None => false,
        };
        if done {
            "It is done."
        } else {
            "There was nothing to do it to."
        }
    })
    .await
}

async fn change(
    store: &Arc<Store>,
    headers: &HeaderMap,
    fields: &Fields,
    change: impl FnOnce(&mut SandboxState) -> &'static str,
) -> HtmlPage {
    let ours = store.read(|state, _| fields.one("form_token") == state.form_token);
    if !ours || !is_same_origin(headers) {
        let text = "This form was not sent by the page it belongs to.";
        return notice(StatusCode::FORBIDDEN, Tone::Bad, "Refused", text);
    }
    let done = store.change(|state, _| Ok::<_, FsError>(change(state)));
    match done.await {
        Ok(text) => notice(StatusCode::OK, Tone::Good, "Done", text),
        Err(e) => trouble(&e),
    }
}
