//! Authorizations as JSON.

use serde::Serialize;

use super::{Again, Standing, next, what};
use crate::{
    authorize::{AuthorizationResult, Consent, State},
    model::{App, ConnectorType, Scopes},
    view::{json::pretty, report::FORMAT_VERSION},
};

/// What `authorize --format json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthorizationReport {
    /// The version of this shape.
    pub format_version: &'static str,
    /// Always `authorization`.
    pub kind: &'static str,
    /// One today.
    pub apps: Vec<AppAuthorizations>,
    /// Whether the run was cut short: then nothing was waited for to its end.
    pub interrupted: bool,
    /// How many are done and how many are not.
    pub summary: AuthorizationCounts,
}

/// One app's authorizations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppAuthorizations {
    /// The app.
    pub app_id: String,
    /// Its address.
    pub api_url: String,
    /// In order of connector name.
    pub results: Vec<ResultReport>,
}

/// How one stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResultReport {
    /// Which connector.
    pub connector: String,
    /// `granted`, `partial`, `wrong_account`, `pending`, `timed_out`, `skipped`, `declined`,
    /// `failed` or `untouched`.
    pub state: &'static str,
    /// What happened.
    pub message: String,
    /// What to do next; null where nothing is.
    pub next: Option<String>,
    /// The scopes that were approved.
    pub scopes: Scopes,
    /// Those of them that were not granted, where consent was given for fewer.
    pub missing: Scopes,
    /// Scopes that were granted and not asked for.
    pub unasked: Scopes,
    /// Who consented.
    pub account: Option<String>,
    /// Who is to consent, if the file says so.
    pub expected_account: Option<String>,
    /// The digest of the plan that asked for it, if one is known.
    pub plan_digest: Option<String>,
    /// Since when it waits (RFC 3339).
    pub since: String,
    /// Who asked, where the store, or this machine's history, tells. Untrusted.
    pub asked_by: Option<String>,
    /// How long this run waited for it, in seconds.
    pub seconds: Option<u64>,
}

/// The counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuthorizationCounts {
    /// Granted whole.
    pub granted: usize,
    /// What is left to do: not what no file declares any more.
    pub pending: usize,
}

/// The results as JSON, with a line break at its end.
pub(super) fn of(standing: &Standing<'_>) -> String {
    let Standing { app, results, .. } = *standing;
    let granted = results
        .iter()
        .filter(|result| result.state.is_done())
        .count();
    pretty(&AuthorizationReport {
        format_version: FORMAT_VERSION,
        kind: "authorization",
        apps: vec![AppAuthorizations {
            app_id: app.id.to_string(),
            api_url: app.api_url.to_string(),
            results: results
                .iter()
                .map(|result| ResultReport {
                    asked_by: standing.waits.asked_by(&result.connector),
                    ..ResultReport::of(result, standing.again)
                })
                .collect(),
        }],
        interrupted: standing.interrupted,
        summary: AuthorizationCounts {
            granted,
            pending: results.iter().filter(|r| r.state.has_work_left()).count(),
        },
    })
}

impl ResultReport {
    /// How one stands, and how to go on.
    pub fn of(result: &AuthorizationResult, again: &Again) -> Self {
        let (mut missing, mut unasked, mut account) = (Scopes::new(), Scopes::new(), None);
        match &result.state {
            State::Consented(Consent::Granted {
                account: by,
                unasked: more,
                dropped,
                ..
            }) => {
                account.clone_from(by);
                missing.clone_from(dropped);
                unasked.clone_from(more);
            }
            State::Consented(Consent::Partial {
                account: by,
                missing: fewer,
            }) => {
                account.clone_from(by);
                missing.clone_from(fewer);
            }
            State::Consented(Consent::WrongAccount { account: by, .. }) => {
                account = Some(by.clone());
            }
            _ => {}
        }
        Self {
            connector: result.connector.to_string(),
            state: result.state.as_str(),
            message: what(result),
            next: next(result, again),
            scopes: result.scopes.clone(),
            missing,
            unasked,
            account: account.map(|account| account.to_string()),
            expected_account: result.expected.as_ref().map(|e| e.as_str().to_owned()),
            plan_digest: result.plan.as_ref().map(ToString::to_string),
            since: result.since.to_string(),
            asked_by: None,
            seconds: result.took.map(|took| took.as_secs()),
        }
    }
}

#[derive(Serialize)]
struct ForgottenReport {
    format_version: &'static str,
    kind: &'static str,
    apps: [ForgottenOfApp; 1],
}

#[derive(Serialize)]
struct ForgottenOfApp {
    app_id: String,
    api_url: String,
    forgotten: Vec<String>,
}

/// What `--forget` dropped, with a line break at its end.
pub(super) fn forgotten(app: &App, forgotten: &[ConnectorType]) -> String {
    pretty(&ForgottenReport {
        format_version: FORMAT_VERSION,
        kind: "forgotten",
        apps: [ForgottenOfApp {
            app_id: app.id.to_string(),
            api_url: app.api_url.to_string(),
            forgotten: forgotten.iter().map(ToString::to_string).collect(),
        }],
    })
}
