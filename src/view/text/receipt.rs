//! A receipt for a person: what was done, what waits, what failed, what was not tried.

use super::page::TextPage;
use crate::{
    diff::Action,
    escape,
    receipt::{ChangeResult, Outcome, Receipt},
    view::{
        NextCommand, approval,
        report::{AppReceiptReport, ReceiptReport, ResultReport},
        shell::shell_word,
        summary::Word,
        theme::{Style, Theme},
        words::{self, count},
    },
};

/// How a receipt is shown.
#[derive(Clone, Debug, Default)]
pub struct ReceiptOptions<'a> {
    /// The file that holds the receipt: its digest is said, and how to go on with it.
    pub file: Option<&'a str>,
    /// Whether each write was told as it came, right above.
    pub told: bool,
    /// Whether all of it was done by an earlier run: this one wrote nothing.
    pub before: bool,
    /// Whether the app was named above.
    pub named: bool,
    /// What the commands that it names have with them.
    pub next: &'a NextCommand,
}

/// A receipt as text.
pub fn receipt(report: &ReceiptReport, options: &ReceiptOptions<'_>, theme: Theme) -> String {
    let mut page = TextPage::new(theme, None);
    page.overrides(&report.overrides);
    for app in &report.apps {
        if options.named {
            page.line("");
        } else {
            page.app(&app.app_id, &app.api_url, app.environment.as_deref());
        }
        write_results(&mut page, app, options);
    }
    if let Some(note) = words::removed(report) {
        page.gap();
        page.line(&note);
    }
    page.gap();
    let counts = counts(report);
    let counts = match counts.strip_prefix("Applied") {
        Some(rest) if options.before => format!("Applied before{rest}"),
        _ => counts,
    };
    let line = page.paint(Style::Bold, &counts);
    page.line(&line);
    if report.summary.pending > 0 {
        let receipt = options.file.map_or_else(String::new, |file| {
            // Where an approval is needed, the file alone proves none.
            format!(
                " --receipt {} --expect-digest {}",
                escape::terminal(&shell_word(file)),
                report.digest
            )
        });
        let next = options.next.within("connplan authorize");
        page.line(&format!("Next: {next}{receipt}"));
    }
    let summary = &report.summary;
    match (summary.failed > 0, summary.not_run > 0) {
        (true, _) => page
            .line("To finish: fix what failed, then apply again; what is done is not done twice."),
        (false, true) => page.line("To finish: apply again; what is done is not done twice."),
        (false, false) => {}
    }
    if options.file.is_some() {
        page.gap();
        for approval in &report.approvals {
            page.line(&approval::said(approval));
        }
        // It stands in the command above.
        if report.summary.pending > 0 {
            page.line(&format!("Plan: {}", report.plan_digest));
        } else {
            page.line(&format!("Receipt: {}", report.digest));
            page.line(&format!("Plan:    {}", report.plan_digest));
        }
    }
    page.finish()
}

fn write_results(page: &mut TextPage, app: &AppReceiptReport, options: &ReceiptOptions<'_>) {
    let of = |outcome: Outcome| {
        let news = move |result: &&ResultReport| {
            let old = match outcome {
                Outcome::Failed | Outcome::NotRun => false,
                // It waits still.
                Outcome::Pending => options.told && !options.before,
                _ => options.told || options.before,
            };
            !(old && result.action != Action::NoOp)
        };
        let of = app.results.iter().filter(move |r| r.outcome == outcome);
        of.filter(news)
    };
    for outcome in [
        Outcome::Synced,
        Outcome::Added,
        Outcome::Removed,
        Outcome::Provisioned,
    ] {
        let names: Vec<_> = of(outcome).map(name).collect();
        if let (Some(word), false) = (Word::of(outcome), names.is_empty()) {
            page.names(word.as_str(), names.iter().map(String::as_str));
        }
        of(outcome).for_each(|result| write_message(page, result));
    }
    for (outcome, heading) in [
        (Outcome::Pending, "Waiting for authorization"),
        (Outcome::NotRun, "Not run"),
    ] {
        let names: Vec<_> = of(outcome).map(name).collect();
        if !names.is_empty() {
            page.names(heading, names.iter().map(String::as_str));
        }
        of(outcome).for_each(|result| write_message(page, result));
    }
    of(Outcome::Unchanged).for_each(|result| write_message(page, result));
    for result in of(Outcome::Failed) {
        let reason = result.message.as_deref().unwrap_or("no reason was given");
        let word = page.paint(Style::Danger, "Failed:");
        page.line(&format!(
            "{word} {} - {}",
            result.connector,
            escape::terminal(reason)
        ));
    }
}

/// One result as it comes in, while an apply runs.
///
/// Why it failed is told with `reasons`, or else by the receipt alone.
pub fn progress(result: &ChangeResult, reasons: bool, theme: Theme) -> String {
    let (style, symbol, words) = match result.outcome {
        Outcome::Added => (Style::Added, '+', "added"),
        Outcome::Provisioned => (Style::Added, '+', "provisioned"),
        Outcome::Synced => (Style::Changed, '~', "changed"),
        Outcome::Removed => (Style::Removed, '-', "removed"),
        Outcome::Pending => (Style::Attention, '!', "waiting for authorization"),
        Outcome::Failed => (Style::Danger, '!', "failed"),
        Outcome::Unchanged => (Style::Dim, ' ', "unchanged"),
        Outcome::NotRun => (Style::Dim, ' ', "not run"),
    };
    let name = theme.paint(style, &format!("{symbol} {}", result.connector));
    let message = result.message.as_deref().map(escape::terminal);
    let message = message.filter(|_| reasons || result.outcome != Outcome::Failed);
    let message = message.map(|text| format!(" - {text}")).unwrap_or_default();
    format!("  {name} {words}{message}")
}

/// What a run did that was cut short, and what it may have done.
pub fn cut_short(done: &[&ChangeResult], unclear: &[&ChangeResult], theme: Theme) -> String {
    let mut text = "An earlier run of this plan was interrupted.".to_owned();
    text.push_str(if done.is_empty() {
        " Nothing is known to be done."
    } else {
        " It did this:"
    });
    for result in done {
        text.push('\n');
        text.push_str(&progress(result, true, theme));
    }
    for result in unclear {
        let name = theme.paint(Style::Attention, &format!("? {}", result.connector));
        text.push_str("\n  ");
        text.push_str(&name);
        text.push_str(" was sent; whether it took effect is not known");
    }
    text
}

fn name(result: &ResultReport) -> String {
    match result.mode {
        Some(mode) => format!("{} ({mode})", result.connector),
        None => result.connector.to_string(),
    }
}

fn write_message(page: &mut TextPage, result: &ResultReport) {
    if let Some(message) = &result.message {
        let mark = page.paint(Style::Attention, "!");
        page.line(&format!(
            "  {mark} {}: {}",
            result.connector,
            escape::terminal(message)
        ));
    }
}

/// What an apply did and did not do, as part of a line: for a run that is interrupted.
pub fn account(receipt: &Receipt) -> String {
    let planned = || {
        receipt
            .results()
            .filter(|result| result.action != Action::NoOp)
    };
    let of = |wanted: fn(Outcome) -> bool| planned().filter(|r| wanted(r.outcome)).count();
    let all = planned().count();
    if all == 0 {
        return "nothing was to be changed".to_owned();
    }
    let mut parts = vec![format!(
        "{} of {} carried out",
        of(Outcome::is_effect),
        count(all, "change")
    )];
    for (number, word) in [
        (of(|outcome| outcome == Outcome::Failed), "failed"),
        (of(|outcome| outcome == Outcome::NotRun), "not run"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    }
    parts.join(", ")
}

/// What an apply came to, in one line.
pub(in crate::view) fn counts(report: &ReceiptReport) -> String {
    let sum = report.summary;
    let effects = [
        (sum.synced, "synced"),
        (sum.added, "added"),
        (sum.removed, "removed"),
        (sum.provisioned, "provisioned"),
        (sum.pending, "waiting for authorization"),
        (sum.failed, "failed"),
        (sum.not_run, "not run"),
        (sum.unchanged, "unchanged"),
    ];
    let said: Vec<_> = effects
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let total = count(report.results().count(), "connector");
    // What waited before is not this apply's doing.
    let done = report
        .results()
        .any(|result| result.action != Action::NoOp && result.outcome.is_effect());
    let idle = report.results().all(|result| result.action == Action::NoOp);
    let head = match (sum.failed, sum.not_run) {
        (0, 0) if idle && !said.is_empty() => "Nothing to apply",
        (0, 0) => "Applied",
        (0, _) => "Interrupted",
        _ if done => "Applied in part",
        _ => "Apply failed",
    };
    if said.is_empty() {
        format!("{head}: nothing to do.")
    } else {
        format!("{head}, {total}: {}.", said.join(", "))
    }
}
