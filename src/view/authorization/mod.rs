//! Authorizations: what is asked of a person, and how each stands at the end.

mod again;
mod end;
mod json;

pub use again::Again;
pub use end::account;
pub(super) use end::end;
pub use json::{AppAuthorizations, AuthorizationCounts, AuthorizationReport, ResultReport};

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Format, Medium, NextCommand, Style, Theme,
    report::FactReport,
    summary::{SummaryEntry, Word},
    text::room,
    words::count,
};
use crate::{
    authorize::{AuthorizationResult, Consent, EntryRetention, FailReason, State},
    diff::{Action, WRONG_ACCOUNT},
    escape,
    model::{Account, App, ConnectorType, Scope, Scopes, ago},
    store::Waits,
    term::Terminal,
};

/// How the authorizations of an app stand.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// Which app.
    pub app: &'a App,
    /// How each stands.
    pub results: &'a [AuthorizationResult],
    /// How to go on.
    pub again: &'a Again,
    /// What the team's store tells of them.
    pub waits: &'a Waits,
    /// Whether the run was cut short.
    pub interrupted: bool,
    /// Those that were named and do not wait.
    pub idle: &'a [Idle],
    /// What waits and was not named, where something was.
    pub others: &'a [ConnectorType],
}

/// One that was named and that does not wait for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idle {
    /// Which connector.
    pub connector: ConnectorType,
    /// Who authorized it, if the app says so.
    pub account: Option<Account>,
}

/// That a connector does not wait, in the words that all commands have for it.
pub fn does_not_wait(connector: &ConnectorType) -> String {
    format!("{connector} does not wait for authorization")
}

impl Standing<'_> {
    /// What waits, of a run that only looks.
    pub fn show_list(&self, medium: &Medium<'_>) -> String {
        match medium.format {
            Format::Json => json::of(self),
            _ => end::list(self, medium),
        }
    }

    /// At the end of a run.
    pub fn show(&self, medium: &Medium<'_>) -> String {
        match medium.format {
            Format::Json => json::of(self),
            _ => end::summary(self, medium),
        }
    }
}

/// What a person is about to be asked for.
pub fn request(
    open: &[AuthorizationResult],
    app: &App,
    whose: &str,
    theme: Theme,
    columns: Option<usize>,
) -> String {
    let mut lines = vec![format!(
        "{} of app {} at {} {} consent in a browser:",
        count(open.len(), "connector"),
        app.id,
        app.api_url,
        if open.len() == 1 { "needs" } else { "need" },
    )];
    for result in open {
        let name = theme.paint(Style::Bold, result.connector.as_str());
        let who = result
            .expected
            .as_ref()
            .map_or_else(String::new, |who| format!("  by {}", whom(who.as_str())));
        lines.push(format!("  {name}{who}"));
        lines.extend(values(result).map(|(name, value)| format!("    {name} = {value}")));
        lines.extend(permitted(&result.connector, &result.scopes, theme, columns));
        if result.scopes.is_empty() {
            lines.push(theme.paint(Style::Dim, "    (no scopes)"));
        }
    }
    lines.push(whose.to_owned());
    lines.join("\n")
}

/// Where it connects to: the name of each connection value, and the value. Escaped.
pub fn values(result: &AuthorizationResult) -> impl Iterator<Item = (String, String)> + use<'_> {
    let shown = |text: &String| escape::limited(text, 200);
    let all = result.values.iter();
    all.map(move |(name, value)| (shown(name), shown(value)))
}

/// Each scope on a line, with what it permits.
fn permitted(
    connector: &ConnectorType,
    scopes: &Scopes,
    theme: Theme,
    columns: Option<usize>,
) -> Vec<String> {
    listed("    ", scopes, (theme, columns), |scope| {
        FactReport::of(connector, scope).describe()
    })
}

/// Each scope that was not granted on a line, with what it would have permitted.
fn lost(connector: &ConnectorType, scopes: &Scopes, theme: Theme) -> Vec<String> {
    listed("    - ", scopes, (theme, None), |scope| {
        FactReport::of(connector, scope).describe_lost()
    })
}

/// Each scope with what is known of it: on its line where both have room, else below it.
fn listed(
    lead: &str,
    scopes: &Scopes,
    (theme, columns): (Theme, Option<usize>),
    describe: impl Fn(&Scope) -> String,
) -> Vec<String> {
    let names: Vec<_> = scopes
        .iter()
        .map(|scope| (escape::limited(scope.as_str(), 120), describe(scope)))
        .collect();
    let width = |text: &str| console::measure_text_width(text);
    let short = names
        .iter()
        .map(|(name, _)| width(name))
        .filter(|n| *n <= 24);
    let (column, room) = (short.max().unwrap_or(0), room(columns));
    let mut lines = Vec::new();
    for (name, fact) in names {
        let painted = theme.paint(Style::Dim, &fact);
        if width(lead) + column.max(width(&name)) + 2 + width(&fact) <= room {
            lines.push(format!("{lead}{name:<column$}  {painted}"));
        } else {
            lines.push(format!("{lead}{name}"));
            lines.push(format!("{:indent$}{painted}", "", indent = lead.len() + 2));
        }
    }
    lines
}

/// Whom a file names: a person, or anybody of a domain.
pub fn whom(expected: &str) -> String {
    let shown = escape::limited(expected, 120);
    if expected.starts_with('@') {
        format!("an account of {shown}")
    } else {
        shown
    }
}

/// How one authorization stands, in one line or a few.
pub fn line(result: &AuthorizationResult, theme: Theme, now: Timestamp) -> String {
    let (style, symbol) = match &result.state {
        State::Consented(Consent::Granted { .. }) => (Style::Added, "+"),
        State::Waiting(_) | State::Skipped | State::TimedOut => (Style::Changed, "~"),
        State::Consented(Consent::Partial { .. })
        | State::Declined
        | State::Untouched(_)
        | State::Undeclared(_) => (Style::Attention, "!"),
        State::Consented(Consent::WrongAccount { .. }) | State::Failed(_) => (Style::Danger, "!"),
    };
    // A reason is a sentence of its own.
    let colon = match result.state {
        State::Failed(_) | State::Untouched(_) | State::Undeclared(_) => ":",
        _ => "",
    };
    let took = result
        .took
        .map(|took| format!(" ({})", duration(took)))
        .unwrap_or_default();
    let mut lines = vec![format!(
        "  {}{colon} {}{took}",
        theme.paint(style, &format!("{symbol} {}", result.connector)),
        told(result, now)
    )];
    if let State::Consented(Consent::Partial { missing, .. }) = &result.state {
        lines.extend(lost(&result.connector, missing, theme));
    }
    lines.extend(warnings(result).into_iter().map(|w| format!("    ! {w}")));
    lines.join("\n")
}

/// One that came to an end, as it does; nothing where the end of the run tells it. Above that, on the
/// same terminal, without what stands there.
pub fn settled(
    result: &AuthorizationResult,
    interrupted: bool,
    medium: &Medium<'_>,
    theme: Theme,
) -> Option<String> {
    match &result.state {
        State::TimedOut => None,
        State::Skipped if interrupted => None,
        State::Failed(_) if medium.told => {
            let name = theme.paint(Style::Danger, &format!("! {}", result.connector));
            Some(format!("  {name} failed"))
        }
        State::Consented(Consent::Partial { .. }) if medium.told => {
            let whole = line(result, theme, medium.now);
            whole.lines().next().map(str::to_owned)
        }
        _ => Some(line(result, theme, medium.now)),
    }
}

/// What a grant has that is odd, although nothing is left to do.
pub fn warnings(result: &AuthorizationResult) -> Vec<String> {
    let mut found: Vec<_> = result.note.iter().cloned().collect();
    if let State::Consented(Consent::Granted {
        account,
        unasked,
        instead_of,
        dropped,
    }) = &result.state
    {
        if !dropped.is_empty() {
            found.push(format!(
                "the platform says that everything is authorized, but does not grant: {}; from now on `connplan \
                 plan` shows no change for that (`connplan authorize --forget {}` undoes \
                 this)",
                names(dropped),
                result.connector
            ));
        }
        if let (Some(before), Some(now)) = (instead_of, account) {
            let (before, now) = (by(before), by(now));
            found.push(format!("now authorized by {now}, before by {before}"));
        }
        if !unasked.is_empty() {
            found.push(format!(
                "more was granted than was asked for: {}; if the provider adds that by itself, list \
                 it in connplan.toml (`[providers.{}] adds`); if nobody knows why, look at the \
                 app's connections",
                names(unasked),
                result.connector
            ));
        }
        if let (None, Some(expected)) = (account, &result.expected) {
            found.push(format!(
                "the platform does not say which account consented; the file expects {}",
                whom(expected.as_str())
            ));
        }
    }
    found
}

fn by(account: &Account) -> String {
    escape::limited(account.as_str(), 120)
}

/// What happened, for people: reads after the name, and says times as they do.
pub fn told(result: &AuthorizationResult, now: Timestamp) -> String {
    match &result.state {
        State::Waiting(_) if !needs_anew(result) => {
            format!("waiting for consent, asked for {}", ago(result.since, now))
        }
        _ => what(result),
    }
}

/// The app says that a consent ended, and nobody has asked for another yet.
fn needs_anew(result: &AuthorizationResult) -> bool {
    result.action == Action::Reauthorize && result.plan.is_none()
}

/// What happened; reads after the name.
pub fn what(result: &AuthorizationResult) -> String {
    match &result.state {
        State::Consented(Consent::Granted { account, .. }) => {
            let who = account
                .as_ref()
                .map(|account| format!(" by {}", by(account)));
            format!("authorized{}", who.unwrap_or_default())
        }
        State::Consented(Consent::Partial { account, missing }) => {
            let who = account
                .as_ref()
                .map(|account| format!(" by {}", by(account)));
            format!(
                "partly authorized{}: {} not granted",
                who.unwrap_or_default(),
                count(missing.len(), "scope")
            )
        }
        State::Consented(Consent::WrongAccount { account, expected }) => format!(
            "held by the wrong account: {} instead of {}",
            by(account),
            whom(expected)
        ),
        State::Waiting(_) if needs_anew(result) => "needs a person's consent again".to_owned(),
        State::Waiting(_) => format!("waiting for consent since {}", result.since),
        State::TimedOut => "timed out: nobody consented in time; still pending".to_owned(),
        State::Skipped => "skipped; still pending".to_owned(),
        State::Declined => "declined, or the link expired, or somebody else is authorizing it \
                            too; still pending"
            .to_owned(),
        State::Failed(FailReason { why, .. }) | State::Untouched(why) => escape::limited(why, 600),
        State::Undeclared(EntryRetention::Unstored) => format!("left alone: {UNDECLARED}"),
        State::Undeclared(_) => UNDECLARED.to_owned(),
    }
}

/// Nobody wants it any more, and its link was given out.
const UNDECLARED: &str = "no file declares it any more; if its link was opened, that one works for a few \
                          minutes more";

/// The command that gives it up, on all machines.
fn forgets(connector: &ConnectorType, next: &NextCommand) -> String {
    next.within(&format!(
        "`connplan authorize --forget {connector}` gives it up"
    ))
}

/// Each connector that waits and that no file declares any more, on a line.
pub fn undeclared<'a>(connectors: impl Iterator<Item = &'a ConnectorType>) -> String {
    of_each(connectors, UNDECLARED)
}

/// Each connector that waits and that the plan does not name, on a line.
pub fn not_in_plan<'a>(connectors: impl Iterator<Item = &'a ConnectorType>) -> String {
    of_each(
        connectors,
        "waits for a person, and is not part of this plan",
    )
}

fn of_each<'a>(connectors: impl Iterator<Item = &'a ConnectorType>, words: &str) -> String {
    let line = |connector| format!("{connector}: {words}.");
    connectors.map(line).collect::<Vec<_>>().join("\n")
}

/// One that none of the files that were read declares: with the command that forgets it, or with the folder
/// that its file was in, if that is another.
pub fn forgettable(
    connector: &ConnectorType,
    elsewhere: Option<&str>,
    next: &NextCommand,
) -> String {
    match elsewhere {
        None => format!("{connector}: {UNDECLARED}; {}.", forgets(connector, next)),
        Some(folder) => format!(
            "{connector}: waits for a person; its file was in {}, which was not read (`--dir` reads it).",
            escape::limited(folder, 200)
        ),
    }
}

/// What to do about it; nothing where nothing is left to do.
pub fn next(result: &AuthorizationResult, again: &Again) -> Option<String> {
    let command = format!("`{}`", again.of(&result.connector));
    next_by(result, again, &command, "it")
}

/// The same by a command that resumes this one, and others that stand alike.
fn next_by(
    result: &AuthorizationResult,
    again: &Again,
    command: &str,
    those: &str,
) -> Option<String> {
    let connector = &result.connector;
    Some(match &result.state {
        State::Consented(Consent::Granted { .. })
        | State::Untouched(_)
        | State::Undeclared(EntryRetention::Unstored) => return None,
        State::Undeclared(_) => forgets(connector, again.surroundings()),
        State::Waiting(_) | State::Skipped => format!("{command} resumes {those}"),
        State::TimedOut => {
            format!("run {command} again; with `--timeout 30m` there is more time to consent")
        }
        State::Declined => {
            format!(
                "unless somebody else is authorizing it, look at what it asks for, run {command} \
                 again and \
                 approve all of it"
            )
        }
        State::Consented(Consent::Partial { .. }) => {
            format!("run {command} again and grant every scope on the consent page")
        }
        State::Consented(Consent::WrongAccount { expected, .. }) => {
            format!("{WRONG_ACCOUNT} {connector} as {}", whom(expected))
        }
        State::Failed(FailReason { advice, .. }) => match advice {
            Some(advice) => {
                let advice = again.surroundings().within(&escape::limited(advice, 600));
                format!("{advice}; then run {command} again")
            }
            None => format!("run {command} again"),
        },
    })
}

/// `45 s`, `2 min 5 s`.
pub(super) fn duration(took: Duration) -> String {
    match took.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// The official client's words for how authorizations stand.
pub fn entries(results: &[AuthorizationResult]) -> Vec<SummaryEntry> {
    let entry = |result: &AuthorizationResult| {
        let (word, reason) = match &result.state {
            State::Consented(Consent::Granted { .. }) if result.action == Action::Create => {
                (Word::Added, None)
            }
            State::Consented(Consent::Granted { .. }) => (Word::Synced, None),
            State::Waiting(_) | State::Skipped => (Word::Skipped, None),
            State::TimedOut => (Word::Failed, Some("authorization timed out".to_owned())),
            State::Declined => (Word::Failed, Some("authorization failed".to_owned())),
            State::Consented(Consent::Partial { missing, .. }) => (
                Word::Failed,
                Some(format!("not granted: {}", names(missing))),
            ),
            State::Consented(Consent::WrongAccount { account, expected }) => (
                Word::Failed,
                Some(format!(
                    "wrong account: {}, not {expected}",
                    account.as_str()
                )),
            ),
            State::Undeclared(_) => (Word::LeftAlone, None),
            State::Untouched(why) => (Word::LeftAlone, Some(why.clone())),
            State::Failed(FailReason { why, .. }) => (Word::Failed, Some(why.clone())),
        };
        SummaryEntry {
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

/// A link, on standard output unless that is for one document.
pub fn print_link(text: &str, medium: &Medium<'_>, terminal: &Terminal) {
    if medium.is_json() {
        terminal.insist(text);
    } else {
        terminal.out(&format!("{text}\n"));
    }
}

/// What `--forget` dropped.
pub fn show_forgotten(app: &App, connectors: &[ConnectorType], medium: &Medium<'_>) -> String {
    if medium.is_json() {
        return json::forgotten(app, connectors);
    }
    let line = |connector| {
        let plan = medium.next.within("`connplan plan`");
        format!("{connector}: forgotten. {plan} shows what is left to do for it.\n")
    };
    connectors.iter().map(line).collect()
}
