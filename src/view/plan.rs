//! A plan, in the format that was asked for.

use serde_json::Value;

use super::{Format, Medium, markdown, report::PlanReport, text, unified};
use crate::{
    escape,
    plan::{UNCOMPARED, WITHDRAWN},
    policy, syntax,
    term::Terminal,
};

/// When a plan is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// It was made before.
    Saved,
    /// It was made just now.
    Fresh,
    /// It was made just now by a command that says at its end how what waits goes on.
    AtWork,
    /// It was made just now, and the policy forbids it: it goes on in no way.
    Refused,
}

/// A plan that was made before. What is made of it names its file where the options do.
pub fn show(report: &PlanReport, options: &markdown::Options, medium: &Medium<'_>) -> String {
    shown(report, options, medium, Moment::Saved)
}

fn shown(
    report: &PlanReport,
    options: &markdown::Options,
    medium: &Medium<'_>,
    moment: Moment,
) -> String {
    match medium.format {
        Format::Json => report.to_json(),
        Format::Markdown => markdown::plan(report, options),
        Format::Diff => unified::diff(report),
        Format::Text | Format::Github | Format::Sarif => {
            let options = text::PlanOptions {
                file: options.file.as_deref(),
                saved: moment == Moment::Saved,
                goes_on: matches!(moment, Moment::AtWork | Moment::Refused),
                next: medium.next,
                columns: medium.columns,
                now: Some(medium.now),
            };
            text::plan(report, &options, medium.theme)
        }
    }
}

/// One that was made just now: a person was told the files' problems already, with the lines that they
/// are about.
pub fn show_fresh(report: PlanReport, options: &markdown::Options, medium: &Medium<'_>) -> String {
    fresh(report, options, medium, Moment::Fresh)
}

fn fresh(
    mut report: PlanReport,
    options: &markdown::Options,
    medium: &Medium<'_>,
    moment: Moment,
) -> String {
    if medium.format == Format::Text {
        let others = [syntax::OWN_VARIABLE, UNCOMPARED, WITHDRAWN];
        let not_said = |code: &str| policy::says(code) || others.contains(&code);
        report.diagnostics.retain(|said| not_said(&said.code));
    }
    shown(&report, options, medium, moment)
}

/// One that was made and is printed, and perhaps saved.
pub fn print(
    report: PlanReport,
    options: &markdown::Options,
    medium: &Medium<'_>,
    terminal: &Terminal,
) {
    terminal.out(&show_fresh(report, options, medium));
    if medium.format != Format::Text
        && let Some(file) = &options.file
    {
        terminal.say(&format!("Saved the plan to {}.", escape::terminal(file)));
    }
}

/// One that the policy forbids. As JSON it is a part of the error, and is handed back for that.
pub fn print_forbidden(
    report: PlanReport,
    options: &markdown::Options,
    medium: &Medium<'_>,
    terminal: &Terminal,
) -> Option<Value> {
    let text = fresh(report, options, medium, Moment::Refused);
    if medium.is_json() {
        return serde_json::from_str(&text).ok();
    }
    terminal.out(&text);
    None
}

/// One that is about to be applied: beside what standard output is for, unless that is for a person.
/// With nothing to apply it is all that is said.
pub fn propose(report: PlanReport, medium: &Medium<'_>, terminal: &Terminal) {
    let options = markdown::Options::default();
    let moment = if report.has_changes() {
        Moment::AtWork
    } else {
        Moment::Fresh
    };
    match medium.format {
        Format::Text => terminal.out(&fresh(report, &options, medium, moment)),
        _ => terminal.say(&fresh(report, &options, &medium.aside(terminal), moment)),
    }
}

/// One that is about to be pushed: beside what standard output is for.
pub fn push(report: PlanReport, medium: &Medium<'_>, terminal: &Terminal) {
    let options = markdown::Options::default();
    terminal.say(&fresh(
        report,
        &options,
        &medium.aside(terminal),
        Moment::AtWork,
    ));
}
