//! A row for each connector: what is declared, what is there, what to do next.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Format, Medium, NextCommand, Style, authorization, json::pretty, report::FORMAT_VERSION,
    shell::shell_word, table::table, words::count,
};
use crate::{
    diff::{Action, Change, ConsentNeed},
    escape,
    model::{self, App, ConnectorType, Kind, RemoteConnector, RemoteStatus, Scopes, ago},
    plan::Plan,
};

/// One connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusRow {
    /// Which connector.
    pub connector: ConnectorType,
    /// OAuth or Stripe.
    pub kind: Kind,
    /// The file that declares it.
    pub file: Option<String>,
    /// Whether a file declares it.
    pub declared: bool,
    /// `active`, `disconnected`, `expired`, `absent`; of a Stripe that works `sandbox` or `live`.
    pub remote: &'static str,
    /// Who authorized it.
    pub account: Option<String>,
    /// What the files declare.
    pub declared_scopes: Scopes,
    /// What the remote has.
    pub remote_scopes: Scopes,
    /// What `plan` would do.
    pub action: Action,
    /// Since when it waits for a person (RFC 3339).
    pub pending_since: Option<String>,
    /// Who asked, where the store, or this machine's history, tells. Untrusted.
    pub asked_by: Option<String>,
    /// How many of the declared scopes the last consent left out, where somebody is still to grant
    /// them.
    #[serde(skip)]
    pub missing: usize,
    /// The folder that its file was in, if that is not the one that was read.
    #[serde(skip)]
    pub elsewhere: Option<String>,
    /// What to do next; empty if nothing is.
    pub next: &'static str,
}

/// The rows, in order of name.
///
/// `still_asked` tells of one that a consent left scopes out of whether they are still asked for;
/// `undeclared` are those that wait although none of the files declares them, and the folder that its file
/// was in, if that is another.
pub fn rows(
    plan: &Plan,
    pending_since: impl Fn(&ConnectorType) -> Option<Timestamp>,
    still_asked: impl Fn(&ConnectorType) -> bool,
    undeclared: &[(ConnectorType, Option<String>)],
) -> Vec<StatusRow> {
    let changes = plan.app.changes.iter();
    let unmanaged = plan.app.unmanaged.iter();
    let mut rows: Vec<_> = changes
        .map(|change| of_change(change, &pending_since, &still_asked))
        .chain(unmanaged.map(|(connector, state)| of_undeclared(connector, Some(state))))
        .collect();
    for (connector, elsewhere) in undeclared {
        let row = match rows.iter().position(|row| row.connector == *connector) {
            Some(unmanaged) => rows.remove(unmanaged),
            None => of_undeclared(connector, None),
        };
        rows.push(StatusRow {
            pending_since: pending_since(connector).map(|since| since.to_string()),
            elsewhere: elsewhere.clone(),
            // Elsewhere it is declared, or a person gives it up.
            next: elsewhere.as_ref().map_or("", |_| "connplan authorize"),
            ..row
        });
    }
    model::sort(&mut rows, |a, b| a.connector.cmp(&b.connector));
    rows
}

fn of_change(
    change: &Change,
    pending_since: impl Fn(&ConnectorType) -> Option<Timestamp>,
    still_asked: impl Fn(&ConnectorType) -> bool,
) -> StatusRow {
    let partly = !change.dropped.is_empty() && still_asked(&change.connector);
    let waits = change.authorization == ConsentNeed::Pending || partly;
    let next = match change.action {
        Action::NoOp if waits => "connplan authorize",
        Action::NoOp => "",
        // It works, and another account holds it: taking it over is a change of a plan.
        Action::Reauthorize if change.before.as_ref().is_some_and(works) => "connplan plan",
        Action::Reauthorize => "connplan authorize",
        Action::Create | Action::Update | Action::Delete => "connplan plan",
    };
    StatusRow {
        connector: change.connector.clone(),
        kind: change.kind(),
        file: change.file.clone(),
        declared: change.after.is_some(),
        remote: remote(change.before.as_ref()),
        account: account(change.before.as_ref()),
        declared_scopes: change
            .after
            .as_ref()
            .map(|a| a.scopes.clone())
            .unwrap_or_default(),
        remote_scopes: change
            .before
            .as_ref()
            .map(|b| b.scopes.clone())
            .unwrap_or_default(),
        action: change.action,
        pending_since: waits
            .then(|| pending_since(&change.connector))
            .flatten()
            .map(|since| since.to_string()),
        asked_by: None,
        elsewhere: None,
        missing: if partly { change.dropped.len() } else { 0 },
        next,
    }
}

fn works(before: &RemoteConnector) -> bool {
    before.status == RemoteStatus::Active
}

fn of_undeclared(connector: &ConnectorType, state: Option<&RemoteConnector>) -> StatusRow {
    StatusRow {
        connector: connector.clone(),
        kind: connector.kind(),
        file: None,
        declared: false,
        remote: remote(state),
        account: account(state),
        declared_scopes: Scopes::new(),
        remote_scopes: state.map(|state| state.scopes.clone()).unwrap_or_default(),
        action: Action::NoOp,
        pending_since: None,
        asked_by: None,
        missing: 0,
        elsewhere: None,
        next: "",
    }
}

fn remote(state: Option<&RemoteConnector>) -> &'static str {
    match state {
        None => "absent",
        Some(RemoteConnector {
            status: RemoteStatus::Active,
            mode: Some(mode),
            ..
        }) => mode.as_str(),
        Some(state) => state.status.as_str(),
    }
}

fn account(state: Option<&RemoteConnector>) -> Option<String> {
    state?
        .account
        .as_ref()
        .map(|account| account.as_str().to_owned())
}

/// How the app's connectors stand.
pub fn show(app: &App, rows: &[StatusRow], medium: &Medium<'_>) -> String {
    match medium.format {
        Format::Json => json(app, rows),
        _ => table_of(app, rows, medium),
    }
}

/// The rows as a table, and what to do next.
fn table_of(app: &App, rows: &[StatusRow], medium: &Medium<'_>) -> String {
    let mut text = format!("App {} at {}", app.id, app.api_url);
    if let Some(environment) = &app.environment {
        let _ = write!(text, " (environment {})", escape::terminal(environment));
    }
    text.push_str("\n\n");
    if rows.is_empty() {
        text.push_str("No connectors: none declared, none in the app.\n");
        return text;
    }
    let cells: Vec<_> = rows.iter().map(|row| cells(row, medium.now)).collect();
    let heading = [
        "CONNECTOR",
        "DECLARED",
        "REMOTE",
        "SCOPES",
        "PENDING",
        "ACCOUNT",
    ];
    text.push_str(&table(&heading, &cells, medium));
    let undeclared = |row: &&StatusRow| !row.declared && row.pending_since.is_some();
    for row in rows.iter().filter(undeclared) {
        let _ = writeln!(
            text,
            "\n{}",
            authorization::forgettable(&row.connector, row.elsewhere.as_deref(), medium.next)
        );
    }
    text.push_str(&attention(rows, medium));
    text
}

/// What to do, each command once, with the connectors that it is for.
fn attention(rows: &[StatusRow], medium: &Medium<'_>) -> String {
    let open: Vec<_> = rows.iter().filter(|row| !row.next.is_empty()).collect();
    let mut steps: Vec<&str> = Vec::new();
    for row in &open {
        if !steps.contains(&row.next) {
            steps.push(row.next);
        }
    }
    if open.is_empty() {
        return String::new();
    }
    let verb = if open.len() == 1 { "needs" } else { "need" };
    let line = format!("\n{} {verb} attention:", count(open.len(), "connector"));
    let mut text = medium.theme.paint(Style::Bold, &line);
    text.push('\n');
    for step in steps {
        let names: Vec<_> = open
            .iter()
            .filter(|row| row.next == step)
            .map(|row| row.connector.as_str())
            .collect();
        let _ = writeln!(text, "  {}", whole(step, &names, medium.next));
    }
    text
}

/// A command as it can be run, for these connectors.
fn whole(step: &str, connectors: &[&str], next: &NextCommand) -> String {
    const MOST: usize = 8;
    let mut command = next.within(step);
    if step.ends_with("plan") {
        // It looks at all of them.
        let names: Vec<_> = connectors
            .iter()
            .map(|name| escape::terminal(name))
            .collect();
        command.extend(["\n      ", &names.join(", ")]);
    } else if connectors.len() <= MOST {
        for connector in connectors {
            command.extend([" ", &escape::terminal(&shell_word(connector))]);
        }
    }
    command
}

fn cells(row: &StatusRow, now: Timestamp) -> Vec<String> {
    let scopes = match (row.declared, row.kind) {
        (_, Kind::Stripe) => "-".to_owned(),
        (false, _) => row.remote_scopes.len().to_string(),
        (true, _) if row.remote == "absent" => match row.declared_scopes.len() {
            0 => "0".to_owned(),
            declared => format!("0 of {declared}"),
        },
        (true, _) => {
            let there = row.declared_scopes.len();
            if row.missing > 0 {
                format!("{} of {there}", there.saturating_sub(row.missing))
            } else if row.pending_since.is_some() {
                format!("{there} (asked for)")
            } else if row.action != Action::Update {
                there.to_string()
            } else {
                let others = if there == row.remote_scopes.len() {
                    " others"
                } else {
                    ""
                };
                format!("{} (file: {there}{others})", row.remote_scopes.len())
            }
        }
    };
    let account = row
        .account
        .as_deref()
        .map(|account| escape::limited(account, 40));
    let pending = row.pending_since.as_deref().map(|since| {
        let since: Option<Timestamp> = since.parse().ok();
        since.map_or_else(|| "yes".to_owned(), |since| ago(since, now))
    });
    vec![
        row.connector.to_string(),
        if row.declared { "yes" } else { "no" }.to_owned(),
        row.remote.to_owned(),
        scopes,
        pending.unwrap_or_else(|| "-".to_owned()),
        account.unwrap_or_else(|| "-".to_owned()),
    ]
}

#[derive(Serialize)]
struct StatusReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    app_id: &'a str,
    api_url: &'a str,
    environment: Option<&'a str>,
    connectors: &'a [StatusRow],
    /// As every document has it: the same app and its rows.
    apps: [StatusOfApp<'a>; 1],
}

#[derive(Serialize)]
struct StatusOfApp<'a> {
    app_id: &'a str,
    api_url: &'a str,
    environment: Option<&'a str>,
    connectors: &'a [StatusRow],
}

/// The rows as JSON, with a line break at its end.
fn json(app: &App, rows: &[StatusRow]) -> String {
    pretty(&StatusReport {
        format_version: FORMAT_VERSION,
        kind: "status",
        app_id: app.id.as_str(),
        api_url: app.api_url.as_str(),
        environment: app.environment.as_deref(),
        connectors: rows,
        apps: [StatusOfApp {
            app_id: app.id.as_str(),
            api_url: app.api_url.as_str(),
            environment: app.environment.as_deref(),
            connectors: rows,
        }],
    })
}
