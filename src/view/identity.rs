//! Who is logged in.

use serde::Serialize;

use super::{Format, Medium, json::pretty, report::FORMAT_VERSION};
use crate::{
    escape,
    model::ApiUrl,
    remote::{
        UserInfo,
        auth::{Identity, Who},
    },
};

#[derive(Serialize)]
struct IdentityReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    api_url: &'a str,
    credential: &'static str,
    source: Option<String>,
    email: Option<&'a str>,
    name: Option<&'a str>,
}

/// Who is logged in.
pub fn show(who: &Who, user: Option<&UserInfo>, url: &ApiUrl, medium: &Medium<'_>) -> String {
    match medium.format {
        Format::Json => json(who, user, url),
        _ => text(who, user, url),
    }
}

/// What `logout` did.
pub fn logged_out(removed: bool, medium: &Medium<'_>) -> String {
    match medium.format {
        Format::Json => logout_json(removed),
        _ if removed => "Logged out.\n".to_owned(),
        _ => "Nobody was logged in.\n".to_owned(),
    }
}

/// Who it is, by which credential, at which address. `user` is what the platform says.
fn json(who: &Who, user: Option<&UserInfo>, url: &ApiUrl) -> String {
    let (email, name) = named(who, user).unzip();
    pretty(&IdentityReport {
        format_version: FORMAT_VERSION,
        kind: "identity",
        api_url: url.as_str(),
        credential: match who.identity {
            Identity::ApiKey => "api-key",
            Identity::PersonalToken => "personal-access-token",
            Identity::Token => "access-token",
            Identity::Login { .. } => "login",
        },
        source: who.origin.as_ref().map(ToString::to_string),
        email,
        name,
    })
}

fn named<'a>(who: &'a Who, user: Option<&'a UserInfo>) -> Option<(&'a str, &'a str)> {
    match (&who.identity, user) {
        (_, Some(user)) => Some((&user.email, &user.name)),
        (Identity::Login { email, name, .. }, None) => Some((email, name)),
        _ => None,
    }
}

#[derive(Serialize)]
struct LogoutReport {
    format_version: &'static str,
    kind: &'static str,
    logged_out: bool,
}

/// Whether a login was there to be forgotten.
fn logout_json(logged_out: bool) -> String {
    pretty(&LogoutReport {
        format_version: FORMAT_VERSION,
        kind: "logout",
        logged_out,
    })
}

/// As whose a connection is recorded, for who is about to consent. `name` is escaped.
pub fn recorded_as(name: &str) -> String {
    format!(
        "Each connection is recorded as made by {name}, whichever account approves at the provider."
    )
}

/// The same for a person.
fn text(who: &Who, user: Option<&UserInfo>, url: &ApiUrl) -> String {
    let name = match named(who, user) {
        Some((email, name)) => {
            let email = escape::limited(email, 120);
            match escape::limited(name, 120) {
                name if name.is_empty() || name == email => email,
                name => format!("{name} <{email}>"),
            }
        }
        None if who.identity == Identity::ApiKey => "A workspace".to_owned(),
        None => "Whoever the token belongs to".to_owned(),
    };
    let can = can(who).map(|can| format!("; {can}")).unwrap_or_default();
    format!("{name} at {url}\n{}{can}\n", credential(who))
}

/// What a credential can do, as far as its kind and what it reads tell: nothing is written to find
/// out.
pub fn can(who: &Who) -> Option<&'static str> {
    match &who.identity {
        Identity::ApiKey => Some(
            "Base44 takes such keys for deploying and refuses them for connectors, where a personal \
             access token (`b44u_…`) or `connplan login` works",
        ),
        Identity::PersonalToken => Some(
            "a full one can plan, apply and authorize, a read-only one can only plan; the first write \
             shows which of the two it is",
        ),
        Identity::Token | Identity::Login { .. } => None,
    }
}

/// Which kind of credential it is, and where it came from.
pub fn credential(who: &Who) -> String {
    let Some(by) = &who.origin else {
        return "a key".to_owned();
    };
    match &who.identity {
        Identity::ApiKey => format!("a workspace key, from {by}"),
        Identity::PersonalToken => format!("a personal access token, from {by}; it is not renewed"),
        Identity::Token => format!("an access token, from {by}; it is not renewed"),
        Identity::Login { .. } => format!("by {by}"),
    }
}
