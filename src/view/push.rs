//! The end of a push: what was applied and what was authorized, in one summary.

use serde::Serialize;

use super::{
    Format, Medium, NextCommand,
    authorization::{Again, ResultReport, end, entries},
    json::{AppName, pretty},
    report::{FORMAT_VERSION, ReceiptReport},
    summary::{self, SummaryEntry, Word},
};
use crate::{
    authorize::AuthorizationResult,
    model::{self, App},
    plan::Digest,
    receipt::{Outcome, Receipt},
};

/// How a push ended.
#[derive(Clone, Copy, Debug)]
pub struct PushEnd<'a> {
    /// Which app.
    pub app: &'a App,
    /// What was applied.
    pub receipt: &'a Receipt,
    /// The receipt's.
    pub digest: &'a Digest,
    /// What was authorized.
    pub results: &'a [AuthorizationResult],
    /// Whether consents were waited for.
    pub waited: bool,
}

impl PushEnd<'_> {
    /// Both in one.
    pub fn show(&self, medium: &Medium<'_>) -> String {
        match medium.format {
            Format::Json => {
                let report = ReceiptReport::new(self.receipt, self.digest);
                json(self.app, &report, self.results, medium.next)
            }
            _ => summary(self.receipt, self.results, self.waited.then_some(medium)),
        }
    }
}

/// The summary, with the official client's words. With a medium where consents were waited for: then
/// each has its row above the words.
fn summary(
    receipt: &Receipt,
    results: &[AuthorizationResult],
    waited_for: Option<&Medium<'_>>,
) -> String {
    let mut all = entries(results);
    let waited: std::collections::BTreeSet<_> = results.iter().map(|r| &r.connector).collect();
    for result in receipt.results() {
        // What was waited for is told by how the waiting ended.
        if waited.contains(&result.connector) {
            continue;
        }
        let word = match result.outcome {
            // Not written again, because it is as declared: that is what the official client's
            // word means to its users.
            Outcome::Unchanged if result.message.is_some() => Some(Word::LeftAlone),
            Outcome::Unchanged => Some(Word::Synced),
            Outcome::NotRun => Some(Word::NotRun),
            other => Word::of(other),
        };
        if let Some(word) = word {
            let reason = result.message.clone();
            all.push(SummaryEntry {
                connector: result.connector.clone(),
                word,
                reason,
            });
        }
    }
    model::sort(&mut all, |a, b| a.connector.cmp(&b.connector));
    if let Some(medium) = waited_for {
        return end(results, &all, &Again::new(medium.next), medium, false);
    }
    let lines = summary::lines(&all);
    if lines.is_empty() {
        return "Nothing to push.\n".to_owned();
    }
    let indented: Vec<_> = lines.lines().map(|line| format!("  {line}\n")).collect();
    format!("Summary:\n{}", indented.concat())
}

#[derive(Serialize)]
struct PushReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    apps: Vec<AppName>,
    receipt: &'a ReceiptReport,
    authorizations: Vec<ResultReport>,
}

/// Receipt and authorizations as one JSON document, with a line break at its end.
fn json(
    app: &App,
    receipt: &ReceiptReport,
    results: &[AuthorizationResult],
    next: &NextCommand,
) -> String {
    let again = Again::new(next);
    pretty(&PushReport {
        format_version: FORMAT_VERSION,
        kind: "push",
        apps: AppName::list(Some(app)),
        receipt,
        authorizations: results
            .iter()
            .map(|result| ResultReport::of(result, &again))
            .collect(),
    })
}
