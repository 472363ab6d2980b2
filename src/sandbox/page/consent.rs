//! The make-believe provider's consent page.

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
};

use super::{
    Fields, HtmlPage, Tone, escape,
    layout::{accounts, document, monogram},
    notice, trouble,
};
use crate::{
    fs::FsError,
    model::{Account, Scope, Scopes},
    sandbox::{
        grant::Decision, guard::is_same_origin, integrations::display_name, link::LinkProblem,
        state::State as SandboxState, store::Store,
    },
};

/// Shows what is asked for.
pub(in crate::sandbox) async fn consent_form(
    State(store): State<Arc<Store>>,
    Path(id): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> HtmlPage {
    let ticket = query.get("ticket").map(String::as_str).unwrap_or_default();
    store.read(|state, now| form(state, &id, ticket, now).unwrap_or_else(|e| problem(&e)))
}

fn form(state: &SandboxState, id: &str, ticket: &str, now: i64) -> Result<HtmlPage, LinkProblem> {
    let known = state.connections.get(id).filter(|c| c.ticket == ticket);
    let app_id = &known.ok_or(LinkProblem::Unknown)?.app;
    let connection = state.open_connection(id, now)?;
    let provider = display_name(&connection.connector);
    let title = format!("Connect {provider}");
    let (picture, provider) = (monogram(provider), escape(provider));
    let app = escape(state.app_name(app_id));
    let (connector, token) = (
        connection.connector.as_str(),
        escape(&connection.form_token),
    );
    let (ticket, accounts) = (escape(ticket), accounts(&state.settings));
    let scopes = scopes(&connection.scopes);
    let main = format!(
        r#"<header>{picture}<p class="eyebrow">{provider} (make-believe)</p></header>
<h1>Let <em>{app}</em> use your {provider} account?</h1>
<p class="lead">The connector <code>{connector}</code> of this app asks for your consent.</p>
<form method="post" action="/sandbox/consent/{id}?ticket={ticket}">
<input type="hidden" name="form_token" value="{token}">
{accounts}{scopes}<div class="buttons">
<button class="primary" name="decision" value="approve">Approve</button>
<button name="decision" value="deny" formnovalidate>Deny</button>
</div>
</form>"#
    );
    Ok(HtmlPage(StatusCode::OK, document(&title, "card", &main)))
}

fn scopes(scopes: &Scopes) -> String {
    let mut html = String::from("<fieldset>\n<legend>Permissions</legend>\n");
    if scopes.is_empty() {
        html.push_str("<p class=\"hint\">The app asks for no scope in particular.</p>\n");
    } else {
        html.push_str("<p class=\"hint\">Untick what you do not want to grant.</p>\n");
    }
    for scope in scopes.iter() {
        let value = escape(scope.as_str());
        let name = escape(short(scope.as_str()));
        let whole = if name == value {
            String::new()
        } else {
            format!("<span class=\"whole\">{value}</span>")
        };
        // Writing to a string cannot fail.
        let _ = write!(
            html,
            r#"<label class="row"><input type="checkbox" name="scope" value="{value}" checked>
<span class="two"><code>{name}</code>{whole}</span></label>
"#
        );
    }
    html.push_str("</fieldset>\n");
    html
}

/// The telling end of a scope that is an address.
fn short(scope: &str) -> &str {
    let end = scope
        .contains("://")
        .then(|| scope.trim_end_matches('/').rsplit('/').next())
        .flatten();
    end.filter(|end| !end.is_empty()).unwrap_or(scope)
}

/// Takes the decision.
pub(in crate::sandbox) async fn consent(
    State(store): State<Arc<Store>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> HtmlPage {
    let fields = Fields::parse(&body);
    let decision = match fields.one("decision") {
        "deny" => Decision::Deny,
        "approve" => Decision::Approve {
            account: Account::new(fields.account()),
            scopes: Some(fields.all("scope").iter().map(Scope::new).collect()),
        },
        _ => {
            let text = "The form says neither approve nor deny.";
            return notice(StatusCode::BAD_REQUEST, Tone::Bad, "Not understood", text);
        }
    };
    let denied = decision == Decision::Deny;
    if !is_same_origin(&headers) {
        let text = "This form was not sent by the page it belongs to.";
        return notice(StatusCode::FORBIDDEN, Tone::Bad, "Refused", text);
    }
    let done = store.change(|state, now| {
        let token = fields.one("form_token");
        let connection = state.connections.get(&id);
        let connection = connection.filter(|c| c.form_token == token);
        let connector = connection.ok_or(LinkProblem::Unknown)?.connector.clone();
        state.decide(&id, decision, now)?;
        Ok::<_, ConsentError>(connector)
    });
    match done.await {
        Ok(connector) if denied => {
            let text = format!(
                "{} stays as it was. You can close this page.",
                display_name(&connector)
            );
            notice(StatusCode::OK, Tone::Calm, "Not connected", &text)
        }
        Ok(connector) => {
            let title = format!("{} is connected", display_name(&connector));
            let text = "Your consent was passed on. You can close this page.";
            notice(StatusCode::OK, Tone::Good, &title, text)
        }
        Err(ConsentError::Link(e)) => problem(&e),
        Err(ConsentError::State(e)) => trouble(&e),
    }
}

/// Why a form had no effect.
enum ConsentError {
    Link(LinkProblem),
    State(FsError),
}

impl From<LinkProblem> for ConsentError {
    fn from(problem: LinkProblem) -> Self {
        Self::Link(problem)
    }
}

impl From<FsError> for ConsentError {
    fn from(error: FsError) -> Self {
        Self::State(error)
    }
}

fn problem(problem: &LinkProblem) -> HtmlPage {
    let again = "Ask for a new link where this one came from.";
    let (status, title, text) = match problem {
        LinkProblem::Unknown => (StatusCode::NOT_FOUND, "This link is not valid", again),
        LinkProblem::Used => (
            StatusCode::GONE,
            "This link was used already",
            "A decision was made with it. You can close this page.",
        ),
        LinkProblem::Superseded => (
            StatusCode::GONE,
            "A newer link replaced this one",
            "Open the newest link instead.",
        ),
        LinkProblem::Removed => (
            StatusCode::GONE,
            "The connector was removed",
            "There is nothing left to connect. You can close this page.",
        ),
        LinkProblem::Expired => (StatusCode::GONE, "This link has run out", again),
        LinkProblem::TooLate => (StatusCode::GONE, "The time to approve is over", again),
        LinkProblem::Scope(_) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "That was not asked for",
            "Go back and choose among the permissions shown.",
        ),
        LinkProblem::Account => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Which account?",
            "Go back and choose an account, or type its e-mail address.",
        ),
    };
    notice(status, Tone::Bad, title, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_address_tells() {
        assert_eq!(
            short("https://www.googleapis.com/auth/calendar.readonly"),
            "calendar.readonly"
        );
        assert_eq!(short("https://mail.google.com/"), "mail.google.com");
        assert_eq!(short("chat:write"), "chat:write");
    }
}
