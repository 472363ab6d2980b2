//! What a check-up found.

use serde::Serialize;

use super::{
    Format, Medium, Style,
    json::{AppName, pretty},
    report::FORMAT_VERSION,
    words::count,
};
use crate::model::App;

/// How one thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should be.
    Ok,
    /// Worth a look.
    Warn,
    /// Something will not work.
    Fail,
}

/// One thing that was looked at. All its text is safe to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// What was looked at, in a word.
    pub name: &'static str,
    /// How it stands.
    pub status: Health,
    /// What was found.
    pub message: String,
    /// The way out.
    pub help: Option<String>,
}

/// What was found.
pub fn show(app: Option<&App>, findings: &[CheckResult], medium: &Medium<'_>) -> String {
    match medium.format {
        Format::Json => json(app, findings),
        _ => text(findings, medium),
    }
}

/// A line for each finding, the way out below it.
fn text(findings: &[CheckResult], medium: &Medium<'_>) -> String {
    let mut text = String::new();
    let wide = findings.iter().map(|f| f.name.len()).max().unwrap_or(0);
    for finding in findings {
        let (style, word) = match finding.status {
            Health::Ok => (Style::Added, "ok  "),
            Health::Warn => (Style::Attention, "warn"),
            Health::Fail => (Style::Danger, "FAIL"),
        };
        let word = medium.theme.paint(style, word);
        let name = finding.name;
        let line = format!("{word}  {name:<wide$}  {}\n", finding.message);
        text.push_str(&line);
        if let Some(help) = &finding.help {
            let help = medium.next.within(help);
            let line = format!("{:indent$}-> {help}\n", "", indent = wide + 8);
            text.push_str(&line);
        }
    }
    let of = |status| findings.iter().filter(|f| f.status == status).count();
    let end = match (of(Health::Fail), of(Health::Warn)) {
        (0, 0) => "Everything is as it should be.".to_owned(),
        (0, warnings) => format!(
            "Nothing is broken; {} to look at.",
            count(warnings, "warning")
        ),
        (failures, _) => format!("{} to fix.", count(failures, "problem")),
    };
    text.push('\n');
    text.push_str(&end);
    text.push('\n');
    text
}

#[derive(Serialize)]
struct DoctorReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    apps: Vec<AppName>,
    ok: bool,
    checks: &'a [CheckResult],
}

/// The same as JSON, with a line break at its end.
fn json(app: Option<&App>, findings: &[CheckResult]) -> String {
    pretty(&DoctorReport {
        format_version: FORMAT_VERSION,
        kind: "doctor",
        apps: AppName::list(app),
        ok: findings.iter().all(|f| f.status != Health::Fail),
        checks: findings,
    })
}
