//! What is in the sandbox, for a person.

use std::{fmt::Write, sync::Arc};

use axum::{
    extract::{Path, State},
    http::StatusCode,
};

use super::{HtmlPage, escape, layout::document};
use crate::{
    model::{self, AppId, ConnectorType, Scope, Scopes},
    sandbox::{
        api::link,
        integrations::display_name,
        state::{App, Connector, State as SandboxState},
        store::Store,
        stripe::claim_link,
    },
};

/// All apps.
pub(in crate::sandbox) async fn index(State(store): State<Arc<Store>>) -> HtmlPage {
    store.read(|state, now| render(&store.base, state, None, now))
}

/// One app, at the address where the platform has its dashboard.
pub(in crate::sandbox) async fn app_index(
    State(store): State<Arc<Store>>,
    Path(id): Path<String>,
) -> HtmlPage {
    match AppId::parse(&id) {
        Ok(id) => store.read(|state, now| render(&store.base, state, Some(&id), now)),
        Err(_) => store.read(|state, now| render(&store.base, state, None, now)),
    }
}

fn render(base: &str, state: &SandboxState, only: Option<&AppId>, now: i64) -> HtmlPage {
    let address = escape(base);
    let mut main = format!(
        r#"<h1>connplan sandbox</h1>
<p class="lead">A local stand-in for the platform at <code>{address}</code>. Any app id is an app; those used so far are below. <a href="/sandbox/settings">How it behaves</a> can be changed.</p>
"#
    );
    let shown: Vec<_> = state
        .apps
        .iter()
        .filter(|(id, _)| only.is_none_or(|only| only == *id))
        .collect();
    if shown.is_empty() {
        main.push_str("<p class=\"hint\">Nothing was connected yet.</p>\n");
    }
    for (id, app) in shown {
        section(&mut main, base, state, (id, app), now);
    }
    HtmlPage(StatusCode::OK, document("connplan sandbox", "wide", &main))
}

fn section(html: &mut String, base: &str, state: &SandboxState, app: (&AppId, &App), now: i64) {
    let (id, app) = app;
    let code = format!("<code>{}</code>", escape(id.as_str()));
    let heading = match &app.name {
        Some(name) => format!("{} {code}", escape(name)),
        None => code,
    };
    // Writing to a string cannot fail.
    let _ = writeln!(
        html,
        "<section class=\"card\">
<h2>{heading}</h2>"
    );
    if app.connectors.is_empty() && app.stripe.is_none() {
        html.push_str("<p class=\"hint\">No connectors.</p>\n");
    } else {
        html.push_str(
            "<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">Connector</th>\
             <th scope=\"col\">Status</th><th scope=\"col\">Account</th>\
             <th scope=\"col\">Scopes</th><th scope=\"col\">What happens to it</th></tr></thead>\n<tbody>\n",
        );
        for (connector, c) in &app.connectors {
            let account = c.account.as_ref().map_or("", |a| a.as_str());
            let status = c.status.as_str();
            let _ = writeln!(
                html,
                "<tr><th scope=\"row\">{}{}</th><td><span class=\"pill {status}\">{status}</span></td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(connector.as_str()),
                notes(c),
                escape(account),
                list(&c.scopes),
                plays(state, id, connector.as_str()),
            );
        }
        if let Some(stripe) = &app.stripe {
            let claim = claim_link(base, stripe).map(|link| {
                let link = escape(&link);
                format!("<a href=\"{link}\">claim it</a>")
            });
            let mode = stripe.mode.as_str();
            let stands = stripe.state(now).as_str();
            let _ = writeln!(
                html,
                "<tr><th scope=\"row\">stripe</th><td><span class=\"pill {mode}\">{mode}</span> {stands}</td><td></td><td>{}</td><td></td></tr>",
                claim.unwrap_or_default(),
            );
        }
        html.push_str("</tbody></table></div>\n");
    }
    if !app.files.is_empty() {
        let files = app.files.iter().map(ConnectorType::as_str).map(escape);
        let files = files.map(|file| format!("<code>{file}.jsonc</code>"));
        let files = files.collect::<Vec<_>>().join(" ");
        let _ = writeln!(html, "<h3>Files in the app's code</h3>\n<p>{files}</p>");
    }
    pending(html, base, state, id, now);
    html.push_str("</section>\n");
}

/// What sets a connector apart.
fn notes(connector: &Connector) -> String {
    let owner = connector.owner.as_ref();
    let notes = [
        connector
            .shared
            .then(|| "shared in the workspace".to_owned()),
        connector.outside_list.then(|| "not in the list".to_owned()),
        connector.withdrawn.then(|| "withdrawn".to_owned()),
        owner.map(|owner| format!("asked for by {owner}")),
        (!connector.connection_config.is_empty()).then(|| {
            let values = connector.connection_config.iter();
            let values = values.map(|(name, value)| format!("{name}: {value}"));
            values.collect::<Vec<_>>().join(", ")
        }),
    ];
    let notes = notes.into_iter().flatten().map(|note| {
        let note = escape(&note);
        format!("<br><small>{note}</small>")
    });
    notes.collect()
}

/// Buttons for what may befall a connector.
fn plays(state: &SandboxState, app: &AppId, connector: &str) -> String {
    let (app, connector, token) = (
        escape(app.as_str()),
        escape(connector),
        escape(&state.form_token),
    );
    let words = ["expire", "withdraw", "disconnect", "share", "remove"];
    let buttons = words.map(|word| format!(r#"<button name="do" value="{word}">{word}</button> "#));
    format!(
        r#"<form method="post" action="/sandbox/connector"><input type="hidden" name="form_token" value="{token}"><input type="hidden" name="app" value="{app}"><input type="hidden" name="connector" value="{connector}">{}</form>"#,
        buttons.concat()
    )
}

fn pending(html: &mut String, base: &str, state: &SandboxState, id: &AppId, now: i64) {
    let mut open: Vec<_> = state
        .connections
        .iter()
        .filter(|(key, c)| c.app == *id && state.open_connection(key, now).is_ok())
        .collect();
    model::sort_by_key(&mut open, |(_, c)| &c.connector);
    if open.is_empty() {
        return;
    }
    html.push_str("<h3>Waiting for consent</h3>\n<ul class=\"links\">\n");
    for (key, connection) in open {
        let _ = writeln!(
            html,
            "<li><a href=\"{}\">{}</a> {}</li>",
            escape(&link(base, key, connection)),
            escape(display_name(&connection.connector)),
            list(&connection.scopes),
        );
    }
    html.push_str("</ul>\n");
}

fn list(scopes: &Scopes) -> String {
    let codes = scopes.iter().map(Scope::as_str).map(escape);
    let codes = codes.map(|scope| format!("<code>{scope}</code>"));
    codes.collect::<Vec<_>>().join(" ")
}
