//! Authorizations: what is asked of a person, and how each stands at the end.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;

use super::{
    Style, Theme,
    json::pretty,
    report::{FORMAT_VERSION, FactReport},
    summary::{self, Entry, Word},
    words::count,
};
use crate::{
    authorize::{Resumed, State},
    diff::Action,
    escape,
    model::{App, ConnectorType, Scopes},
    plan::Digest,
};

/// What a person is about to be asked for.
pub fn request(open: &[Resumed], app: &App, theme: Theme) -> String {
    let mut lines = vec![format!(
        "{} of app {} at {} {} consent in a browser:",
        count(open.len(), "connector"),
        app.id,
        app.api_url,
        if open.len() == 1 { "needs" } else { "need" },
    )];
    for resumed in open {
        let name = theme.paint(Style::Bold, resumed.connector.as_str());
        lines.push(format!("  {name}"));
        for scope in resumed.scopes.iter() {
            let fact = FactReport::of(&resumed.connector, scope).describe();
            let scope = escape::limited(scope.as_str(), 120);
            lines.push(format!("    {scope}  {}", theme.paint(Style::Dim, &fact)));
        }
        if resumed.scopes.is_empty() {
            lines.push(theme.paint(Style::Dim, "    (no scopes)"));
        }
    }
    lines.join("\n")
}

/// How one authorization stands, in one line or a few.
pub fn line(resumed: &Resumed, theme: Theme) -> String {
    let (style, symbol) = match &resumed.state {
        State::Granted { .. } => (Style::Added, "+"),
        State::Waiting | State::Skipped | State::TimedOut => (Style::Changed, "~"),
        State::Partial { .. } | State::Declined | State::Untouched(_) => (Style::Attention, "!"),
        State::WrongAccount { .. } | State::Failed(_) => (Style::Danger, "!"),
    };
    let mut text = format!(
        "  {} {}",
        theme.paint(style, &format!("{symbol} {}", resumed.connector)),
        describe(resumed)
    );
    match &resumed.state {
        State::Partial { missing, .. } => {
            for scope in missing.iter() {
                let fact = FactReport::of(&resumed.connector, scope).describe_lost();
                let scope = escape::limited(scope.as_str(), 120);
                let fact = theme.paint(Style::Dim, &fact);
                let _ = write!(text, "\n      - {scope}  {fact}");
            }
        }
        State::Granted { unasked, .. } if !unasked.is_empty() => {
            let unasked = names(unasked);
            let _ = write!(
                text,
                "\n      ! the provider granted more than was asked for: {unasked}"
            );
        }
        _ => {}
    }
    text
}

/// What happened and what to do next; reads after the name.
fn describe(resumed: &Resumed) -> String {
    let took = resumed
        .took
        .map(|took| format!(" ({} s)", took.as_secs()))
        .unwrap_or_default();
    match &resumed.state {
        State::Granted {
            account,
            instead_of,
            ..
        } => {
            let by = account
                .as_ref()
                .map(|account| format!(" by {}", escape::limited(account.as_str(), 120)))
                .unwrap_or_default();
            let instead = instead_of
                .as_ref()
                .map(|before| {
                    let before = escape::limited(before.as_str(), 120);
                    format!("; before, it was {before}'s")
                })
                .unwrap_or_default();
            format!("authorized{by}{instead}{took}")
        }
        State::Partial { missing, .. } => format!(
            "partly authorized: {} not granted. Run `connplan authorize` again and tick everything",
            count(missing.len(), "scope")
        ),
        State::WrongAccount { account, expected } => format!(
            "authorized by {}, but the file names {}. Remove the connector, add it again, and \
             authorize it with that account",
            escape::limited(account.as_str(), 120),
            escape::limited(expected, 120)
        ),
        State::Waiting => format!("waiting for consent since {}", resumed.since),
        State::TimedOut => "timed out; it stays pending. Run `connplan authorize` again".to_owned(),
        State::Skipped => "skipped; it stays pending. `connplan authorize` resumes it".to_owned(),
        State::Declined => "declined, or the link ran out. Check the permissions that it asks \
                            for, and run `connplan authorize` again"
            .to_owned(),
        State::Failed(reason) | State::Untouched(reason) => escape::limited(reason, 600),
    }
}

/// Everything that waits, for `--list`.
pub fn list(
    app: &App,
    results: &[Resumed],
    plans: &BTreeMap<ConnectorType, (Option<Digest>, bool)>,
    theme: Theme,
) -> String {
    let open: Vec<_> = results
        .iter()
        .filter(|result| !result.state.is_done())
        .collect();
    if open.is_empty() {
        return format!("Nothing is waiting for authorization in app {}.\n", app.id);
    }
    let mut text = format!("App {} at {}\n", app.id, app.api_url);
    for result in open {
        text.push_str(&line(result, theme));
        let (plan, declined) = plans.get(&result.connector).cloned().unwrap_or_default();
        if declined {
            text.push_str("; declined, or its link ran out");
        }
        if let Some(plan) = plan {
            let _ = write!(text, "\n      asked for by plan {plan}");
        }
        text.push('\n');
    }
    text.push_str("\nTo go on: connplan authorize\n");
    text
}

/// How everything stands at the end.
pub fn summary(app: &App, results: &[Resumed], theme: Theme) -> String {
    if results.is_empty() {
        return format!("Nothing is waiting for authorization in app {}.\n", app.id);
    }
    let mut text = String::new();
    for result in results {
        text.push_str(&line(result, theme));
        text.push('\n');
    }
    text.push_str("\nSummary:\n");
    for line in summary::lines(&entries(results)).lines() {
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// The official client's words for how authorizations stand.
pub fn entries(results: &[Resumed]) -> Vec<Entry> {
    let entry = |result: &Resumed| {
        let (word, reason) = match &result.state {
            State::Granted { .. } if result.action == Action::Create => (Word::Added, None),
            State::Granted { .. } => (Word::Synced, None),
            State::Waiting | State::Skipped => (Word::Skipped, None),
            State::TimedOut => (Word::Failed, Some("authorization timed out".to_owned())),
            State::Declined => (Word::Failed, Some("authorization failed".to_owned())),
            State::Partial { missing, .. } => (
                Word::Failed,
                Some(format!("not granted: {}", names(missing))),
            ),
            State::WrongAccount { account, expected } => (
                Word::Failed,
                Some(format!(
                    "wrong account: {}, not {expected}",
                    account.as_str()
                )),
            ),
            State::Failed(reason) | State::Untouched(reason) => {
                (Word::Failed, Some(reason.clone()))
            }
        };
        Entry {
            connector: result.connector.clone(),
            word,
            reason,
        }
    };
    results.iter().map(entry).collect()
}

fn names(scopes: &Scopes) -> String {
    let names: Vec<_> = scopes
        .iter()
        .map(|scope| escape::limited(scope.as_str(), 120))
        .collect();
    names.join(", ")
}

/// What `authorize --format json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthorizationReport {
    /// The version of this shape.
    pub format_version: &'static str,
    /// Always `authorization`.
    pub kind: &'static str,
    /// One today.
    pub apps: Vec<AppAuthorizations>,
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
    pub results: Vec<ResumedReport>,
}

/// How one stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResumedReport {
    /// Which connector.
    pub connector: String,
    /// `granted`, `partial`, `wrong_account`, `pending`, `timed_out`, `skipped`, `declined`,
    /// `failed` or `untouched`.
    pub state: &'static str,
    /// What happened and what to do next.
    pub message: String,
    /// The scopes that were approved.
    pub scopes: Scopes,
    /// Those of them that were not granted, where consent was given for fewer.
    pub missing: Scopes,
    /// Scopes that were granted and not asked for.
    pub unasked: Scopes,
    /// Who consented.
    pub account: Option<String>,
    /// Since when it waits (RFC 3339).
    pub since: String,
    /// How long this run waited for it, in seconds.
    pub seconds: Option<u64>,
}

/// The counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuthorizationCounts {
    /// Granted whole.
    pub granted: usize,
    /// Everything else.
    pub pending: usize,
}

/// The results as JSON, with a line break at its end.
pub fn json(app: &App, results: &[Resumed]) -> String {
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
            results: results.iter().map(ResumedReport::from).collect(),
        }],
        summary: AuthorizationCounts {
            granted,
            pending: results.len() - granted,
        },
    })
}

impl From<&Resumed> for ResumedReport {
    fn from(resumed: &Resumed) -> Self {
        let (mut missing, mut unasked, mut account) = (Scopes::new(), Scopes::new(), None);
        match &resumed.state {
            State::Granted {
                account: by,
                unasked: more,
                ..
            } => {
                account.clone_from(by);
                unasked.clone_from(more);
            }
            State::Partial {
                account: by,
                missing: fewer,
            } => {
                account.clone_from(by);
                missing.clone_from(fewer);
            }
            State::WrongAccount { account: by, .. } => account = Some(by.clone()),
            _ => {}
        }
        Self {
            connector: resumed.connector.to_string(),
            state: resumed.state.as_str(),
            message: describe(resumed),
            scopes: resumed.scopes.clone(),
            missing,
            unasked,
            account: account.map(|account| account.to_string()),
            since: resumed.since.to_string(),
            seconds: resumed.took.map(|took| took.as_secs()),
        }
    }
}
