//! How everything stands: the table at the end, the list of what waits.

use std::fmt::Write as _;

use super::{Again, Idle, Standing, duration, line, next, what};
use crate::{
    authorize::{AuthorizationResult, Consent, State},
    escape,
    model::{ConnectorType, ago},
    view::{
        Medium, Style,
        summary::{self, SummaryEntry, Word},
        table::table,
        words::count,
    },
};

/// Everything that waits, for `--list`.
pub(super) fn list(standing: &Standing<'_>, medium: &Medium<'_>) -> String {
    let Standing {
        app,
        results,
        again,
        ..
    } = *standing;
    let open: Vec<_> = results
        .iter()
        .filter(|result| result.state.has_work_left())
        .collect();
    if open.is_empty() {
        return nothing(standing);
    }
    // Writing to a string cannot fail.
    let mut text = format!("App {} at {}\n", app.id, app.api_url);
    text.push_str(&idle(standing));
    let mut resumable = false;
    for result in open {
        text.push_str(&line(result, medium.theme, medium.now));
        text.push('\n');
        let mut more = |words: String| text.extend(["      ", words.as_str(), "\n"]);
        if result.plan.is_some() && !result.state.is_waiting() {
            more(format!("asked for {}", ago(result.since, medium.now)));
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
        let _ = writeln!(text, "\nNext: {}", again.command());
    }
    text
}

/// How everything stands at the end: a table of what came, the words, then what is left with its next
/// step. Of a run that was interrupted, the line about that says what only waits.
pub(super) fn summary(standing: &Standing<'_>, medium: &Medium<'_>) -> String {
    let Standing { results, again, .. } = *standing;
    if results.is_empty() {
        return nothing(standing);
    }
    let entries = super::entries(results);
    let end = end(results, &entries, again, medium, standing.interrupted);
    format!("{}{end}", idle(standing))
}

/// The table, the summary of these words, and what is left to do. Each thing is said once.
pub(in crate::view) fn end(
    results: &[AuthorizationResult],
    entries: &[SummaryEntry],
    again: &Again,
    medium: &Medium<'_>,
    interrupted: bool,
) -> String {
    let theme = medium.theme;
    // What this run waited for was told as it came.
    let news = |result: &&AuthorizationResult| !(medium.told && result.took.is_some());
    let rows: Vec<_> = results.iter().filter(news).filter_map(row).collect();
    let mut text = String::new();
    if !rows.is_empty() {
        let head = ["CONNECTOR", "ACCOUNT", "GRANTED", "TOOK"];
        text = table(&head, &rows, medium);
    }
    for result in results {
        if let State::Undeclared(_) = result.state {
            let next = next(result, again).map(|next| format!("; {next}"));
            let (what, next) = (what(result), next.unwrap_or_default());
            let _ = writeln!(text, "\n{}: {what}{next}.", result.connector);
        }
        for warning in super::warnings(result) {
            let warning = format!("! {}: {warning}", result.connector);
            let _ = writeln!(text, "\n{}", theme.paint(Style::Attention, &warning));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let said = |entry: &&SummaryEntry| !(interrupted && entry.word == Word::Skipped);
    let entries: Vec<_> = entries.iter().filter(said).cloned().collect();
    if !entries.is_empty() {
        text.push_str("Summary:\n");
    }
    for line in summary::lines(&entries).lines() {
        let _ = writeln!(text, "  {line}");
    }
    text.push_str(&left_to_do(results, again, medium, interrupted));
    text
}

/// What is left, each with its next step; those that stand alike are told together.
fn left_to_do(
    results: &[AuthorizationResult],
    again: &Again,
    medium: &Medium<'_>,
    interrupted: bool,
) -> String {
    let nothing_new = |state: &State| matches!(state, State::Waiting(_) | State::Skipped);
    let left: Vec<_> = results
        .iter()
        .filter(|result| result.state.has_work_left())
        .filter(|result| !(interrupted && nothing_new(&result.state)))
        // The summary says why, and that is what there is to do.
        .filter(|result| !matches!(result.state, State::Untouched(_)))
        .collect();
    let mut text = String::new();
    if left.is_empty() {
        return text;
    }
    let _ = writeln!(text, "\nLeft to do for {}:", count(left.len(), "connector"));
    let mut told_already = Vec::new();
    for result in &left {
        // Why stands in the summary.
        let what = |result: &AuthorizationResult| match &result.state {
            State::Failed(_) => "failed".to_owned(),
            State::Consented(Consent::Partial { missing, .. }) => {
                format!("{} not granted", count(missing.len(), "scope"))
            }
            State::Consented(Consent::WrongAccount { .. }) => "wrong account".to_owned(),
            _ => super::told(result, medium.now),
        };
        let stands = |state: &State| {
            nothing_new(state)
                || matches!(state, State::TimedOut | State::Declined | State::Failed(_))
        };
        let helps = |result: &AuthorizationResult| match &result.state {
            State::Failed(reason) => reason.advice.clone(),
            _ => None,
        };
        let key = |result: &AuthorizationResult| (what(result), helps(result));
        let mut alike = vec![*result];
        if stands(&result.state) {
            if told_already.contains(&key(result)) {
                continue;
            }
            alike = left
                .iter()
                .copied()
                .filter(|other| stands(&other.state) && key(other) == key(result))
                .collect();
        }
        told_already.push(key(result));
        let what = what(result);
        let names: Vec<_> = alike
            .iter()
            .map(|one| medium.theme.paint(Style::Bold, one.connector.as_str()))
            .collect();
        let _ = writeln!(text, "  {}: {what}", names.join(", "));
        if let State::Consented(Consent::Partial { missing, .. }) = &result.state {
            for line in super::lost(&result.connector, missing, medium.theme) {
                let _ = writeln!(text, "  {line}");
            }
        }
        let next = match alike.as_slice() {
            [one] => next(one, again),
            all => {
                let names = all.iter().map(|one| &one.connector);
                let command = format!("`{}`", again.of_all(names));
                super::next_by(result, again, &command, "them")
            }
        };
        if let Some(next) = next {
            let _ = writeln!(text, "    -> {next}");
        }
    }
    text
}

/// That nothing waits, or nothing of what was named.
fn nothing(standing: &Standing<'_>) -> String {
    let Standing { app, again, .. } = *standing;
    let named = idle(standing);
    if named.is_empty() {
        let nothing = format!("Nothing is waiting for authorization in app {}", app.id);
        return format!("{nothing}{}.\n{}", known_to(again), elsewhere(again));
    }
    if standing.others.is_empty() {
        return format!("{named}{}", elsewhere(again));
    }
    let others: Vec<_> = standing.others.iter().map(ConnectorType::as_str).collect();
    let (others, command) = (others.join(", "), again.command());
    format!("{named}Waiting for authorization: {others}\nNext: {command}\n")
}

/// Each that was named and does not wait, on a line.
fn idle(standing: &Standing<'_>) -> String {
    let line = |one: &Idle| {
        let why = match &one.account {
            Some(account) => format!("{} authorized it", super::by(account)),
            None => "it is active".to_owned(),
        };
        let known = known_to(standing.again);
        let does_not = super::does_not_wait(&one.connector);
        format!("{does_not}{known}: {why}.\n")
    };
    standing.idle.iter().map(line).collect()
}

/// Only an apply of this machine, a document or a store says what waits: the app's list does not.
fn known_to(again: &Again) -> String {
    match again.store() {
        _ if again.has_document() => String::new(),
        Some(store) => format!(", as {store} knows it"),
        None => ", as far as this machine knows".to_owned(),
    }
}

fn elsewhere(again: &Again) -> String {
    if again.has_document() || again.store().is_some() {
        return String::new();
    }
    again.surroundings().within(
        "What another machine's apply left waiting is in its receipt: connplan authorize --receipt FILE\n",
    )
}

/// What came of it; nothing of what only waits still.
fn row(result: &AuthorizationResult) -> Option<Vec<String>> {
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
        // The summary says it, and what is left to do.
        State::Waiting(_)
        | State::Skipped
        | State::TimedOut
        | State::Declined
        | State::Untouched(_)
        | State::Failed(_) => return None,
        State::Undeclared(_) => (None, "left alone".to_owned()),
    };
    let account = account.map_or_else(|| "-".to_owned(), |a| escape::limited(a.as_str(), 40));
    let took = result.took.map_or_else(|| "-".to_owned(), duration);
    Some(vec![result.connector.to_string(), account, granted, took])
}

/// What a run did and did not, as part of a line: for one that is interrupted.
pub fn account(results: &[AuthorizationResult], again: &Again) -> String {
    let left: Vec<_> = results
        .iter()
        .filter(|result| result.state.has_work_left())
        .map(|result| result.connector.as_str())
        .collect();
    let done = results
        .iter()
        .filter(|result| result.state.is_done())
        .count();
    let left = if left.is_empty() {
        "nothing is left".to_owned()
    } else {
        format!(
            "still pending: {}; `{}` goes on",
            left.join(", "),
            again.command()
        )
    };
    format!(
        "{done} of {} authorized; {left}",
        count(results.len(), "connector")
    )
}
