//! Who is logged in.

use serde::Serialize;

use super::{json::pretty, report::FORMAT_VERSION};
use crate::{escape, model::ApiUrl, remote::auth::Identity};

#[derive(Serialize)]
struct IdentityReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    api_url: &'a str,
    credential: &'static str,
    email: Option<&'a str>,
    name: Option<&'a str>,
}

/// Who it is, by which credential, at which address.
pub fn json(identity: &Identity, url: &ApiUrl) -> String {
    let (credential, email, name) = match identity {
        Identity::ApiKey => ("api-key", None, None),
        Identity::Token => ("access-token", None, None),
        Identity::Login { email, name, .. } => ("login", Some(email.as_str()), Some(name.as_str())),
    };
    pretty(&IdentityReport {
        format_version: FORMAT_VERSION,
        kind: "identity",
        api_url: url.as_str(),
        credential,
        email,
        name,
    })
}

#[derive(Serialize)]
struct LogoutReport {
    format_version: &'static str,
    kind: &'static str,
    logged_out: bool,
}

/// Whether a login was there to be forgotten.
pub fn logout_json(logged_out: bool) -> String {
    pretty(&LogoutReport {
        format_version: FORMAT_VERSION,
        kind: "logout",
        logged_out,
    })
}

/// The same for a person.
pub fn text(identity: &Identity, url: &ApiUrl) -> String {
    match identity {
        Identity::ApiKey => format!("A workspace, by BASE44_API_KEY, at {url}\n"),
        Identity::Token => format!("Whoever BASE44_ACCESS_TOKEN belongs to, at {url}\n"),
        Identity::Login { email, name, .. } => {
            let email = escape::limited(email, 120);
            match escape::limited(name, 120) {
                name if name.is_empty() || name == email => format!("{email} at {url}\n"),
                name => format!("{name} <{email}> at {url}\n"),
            }
        }
    }
}
