//! How everything stands: the table at the end, the list of what waits.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{Again, duration, line, next, what};
use crate::{
    authorize::{AuthorizationResult, Consent, EntryRetention, State},
    escape,
    model::App,
    view::{
        Style, Theme,
        summary::{self, Entry},
        table::table,
        words::{ago, count},
    },
};

/// Everything that waits, for `--list`.
pub fn list(
    app: &App,
    results: &[AuthorizationResult],
    again: &Again,
    theme: Theme,
    now: Timestamp,
) -> String {
    let open: Vec<_> = results
        .iter()
        .filter(|result| result.state.is_open())
        .collect();
    if open.is_empty() {
        return nothing(app, again);
    }
    // Writing to a string cannot fail.
    let mut text = format!("App {} at {}\n", app.id, app.api_url);
    let mut resumable = false;
    for result in open {
        text.push_str(&line(result, theme, now));
        text.push('\n');
        let mut more = |words: String| text.extend(["      ", words.as_str(), "\n"]);
        if result.plan.is_some() && !result.state.is_waiting() {
            more(format!("asked for {}", ago(result.since, now)));
        }
        if let Some(plan) = &result.plan {
            more(format!("asked for by plan {plan}"));
        }
        if let Some(expected) = &result.expected {
            more(format!("expected: {}", super::whom(expected.as_str())));
        }
        match &result.state {
            State::Consented(Consent::WrongAccount { .. }) | State::Undeclared(_) => {
                more(next(result, again).unwrap_or_default());
            }
            State::Untouched(_) => {}
            _ => resumable = true,
        }
    }
    if resumable {
        let _ = writeln!(text, "\nTo go on: {}", again.command());
    }
    text
}

/// How everything stands at the end: a table, then each that is left with its next step.
/// `columns` is the width to fit, where there is one.
pub fn summary(
    app: &App,
    results: &[AuthorizationResult],
    again: &Again,
    theme: Theme,
    columns: Option<usize>,
) -> String {
    if results.is_empty() {
        return nothing(app, again);
    }
    end(results, &super::entries(results), again, theme, columns)
}

/// The table, the summary of these words, and what is left to do.
pub(in crate::view) fn end(
    results: &[AuthorizationResult],
    entries: &[Entry],
    again: &Again,
    theme: Theme,
    columns: Option<usize>,
) -> String {
    let rows: Vec<_> = results.iter().map(row).collect();
    let mut text = table(
        &["CONNECTOR", "ACCOUNT", "GRANTED", "TOOK"],
        &rows,
        theme,
        columns,
    );
    let left: Vec<_> = results
        .iter()
        .filter(|result| result.state.is_open())
        .collect();
    for result in results {
        if let State::Undeclared(_) = result.state {
            let _ = writeln!(text, "\n{}: {}.", result.connector, what(result));
        }
        for warning in super::warnings(result) {
            let warning = format!("! {}: {warning}", result.connector);
            let _ = writeln!(text, "\n{}", theme.paint(Style::Attention, &warning));
        }
    }
    text.push_str("\nSummary:\n");
    for line in summary::lines(entries).lines() {
        let _ = writeln!(text, "  {line}");
    }
    if left.is_empty() {
        return text;
    }
    let _ = writeln!(text, "\nLeft to do for {}:", count(left.len(), "connector"));
    for result in left {
        let name = theme.paint(Style::Bold, result.connector.as_str());
        let _ = writeln!(text, "  {name}: {}", what(result));
        if let State::Consented(Consent::Partial { missing, .. }) = &result.state {
            for line in super::lost(&result.connector, missing, theme) {
                let _ = writeln!(text, "  {line}");
            }
        }
        if let Some(next) = next(result, again) {
            let _ = writeln!(text, "    -> {next}");
        }
    }
    text
}

/// Only an apply of this machine, or a document, says what waits: the app's list does not.
fn nothing(app: &App, again: &Again) -> String {
    let nothing = format!("Nothing is waiting for authorization in app {}", app.id);
    if again.has_document() {
        return format!("{nothing}.\n");
    }
    crate::view::in_context(&format!(
        "{nothing}, as far as this machine knows.\nWhat another machine's apply left waiting is in \
         its receipt: connplan authorize --receipt FILE\n"
    ))
}

fn row(result: &AuthorizationResult) -> Vec<String> {
    let all = result.scopes.len();
    let (account, granted) = match &result.state {
        State::Consented(Consent::Granted { account, .. }) if all == 0 => {
            (account.as_ref(), "yes".to_owned())
        }
        State::Consented(Consent::Granted {
            account, dropped, ..
        }) => {
            let granted = count(all.saturating_sub(dropped.len()), "scope");
            (account.as_ref(), granted)
        }
        State::Consented(Consent::Partial { account, missing }) => {
            let granted = all.saturating_sub(missing.len());
            (
                account.as_ref(),
                format!("{granted} of {}", count(all, "scope")),
            )
        }
        State::Consented(Consent::WrongAccount { account, .. }) => {
            (Some(account), "to the wrong account".to_owned())
        }
        State::Waiting(_) | State::TimedOut | State::Skipped => (None, "not yet".to_owned()),
        State::Declined => (None, "no".to_owned()),
        State::Failed(_) => (None, "failed".to_owned()),
        State::Undeclared(EntryRetention::Forgotten) => (None, "left alone, forgotten".to_owned()),
        State::Untouched(_) | State::Undeclared(_) => (None, "left alone".to_owned()),
    };
    let account = account.map_or_else(|| "-".to_owned(), |a| escape::limited(a.as_str(), 40));
    let took = result.took.map_or_else(|| "-".to_owned(), duration);
    vec![result.connector.to_string(), account, granted, took]
}
