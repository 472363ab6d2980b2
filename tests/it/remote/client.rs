//! What the tests of the API client share.

use std::time::Duration;

use connplan::{
    http::ClientOptions,
    model::{ApiUrl, App, AppId, ConnectorType, Secret},
    remote::{Credentials, Remote, RemoteError},
};
use serde_json::{Value, json};

use crate::support::scripted::Scripted;

/// No test may ever find this in what is shown.
pub(crate) const CANARY: &str = "b44k_canary-9f2";

pub(crate) const LIST: &str = "GET /api/apps/app1/external-auth/list";
pub(crate) const STRIPE_STATUS: &str = "GET /api/apps/app1/payments/stripe/status";
pub(crate) const STRIPE_INSTALL: &str = "POST /api/apps/app1/payments/stripe/install";
pub(crate) const STRIPE_REMOVE: &str = "DELETE /api/apps/app1/payments/stripe";
pub(crate) const PUT_SLACK: &str = "PUT /api/apps/app1/external-auth/integrations/slack";
pub(crate) const REMOVE_SLACK: &str =
    "DELETE /api/apps/app1/external-auth/integrations/slack/remove";
pub(crate) const TOKEN: &str = "POST /oauth/token";

pub(crate) fn app(url: &str) -> App {
    App {
        id: AppId::parse("app1").unwrap(),
        api_url: ApiUrl::parse(url).unwrap(),
        environment: None,
    }
}

/// Options under which nothing waits for long.
pub(crate) fn quick() -> ClientOptions {
    ClientOptions {
        backoff_base: Duration::from_millis(1),
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(5),
        ..ClientOptions::default()
    }
}

pub(crate) fn key() -> Credentials {
    Credentials::api_key(Secret::new(CANARY))
}

pub(crate) fn remote_at(url: &str, options: ClientOptions) -> Result<Remote, RemoteError> {
    Remote::new(&app(url), key(), options)
}

pub(crate) fn remote(server: &Scripted) -> Remote {
    remote_at(&server.url(), quick()).unwrap()
}

pub(crate) fn slack() -> ConnectorType {
    ConnectorType::parse("slack").unwrap()
}

pub(crate) fn empty_list() -> Value {
    json!({ "integrations": [] })
}

/// The message and the help, as a person gets them.
pub(crate) fn shown(error: &RemoteError) -> String {
    use miette::Diagnostic;
    let help = error
        .help()
        .map(|help| help.to_string())
        .unwrap_or_default();
    let text = format!("{error}\n{help}");
    assert!(!text.contains("canary"), "a secret is shown: {text}");
    assert!(
        !format!("{error:?}").contains("canary"),
        "a secret is in Debug: {error:?}"
    );
    assert!(
        !text.chars().any(|c| c.is_control() && c != '\n'),
        "{text:?}"
    );
    text
}
