//! The end of a push: what was applied and what was authorized, in one summary.

use serde::Serialize;

use super::{
    authorization::{Again, Layout, ResultReport, end, entries},
    json::{AppName, pretty},
    report::{FORMAT_VERSION, ReceiptReport},
    summary::{self, SummaryEntry, Word},
};
use crate::{
    authorize::AuthorizationResult,
    model::App,
    receipt::{Outcome, Receipt},
};

/// The summary, with the official client's words. With a layout where consents were waited for: then
/// each has its row above the words.
pub fn summary(
    receipt: &Receipt,
    results: &[AuthorizationResult],
    waited_for: Option<Layout>,
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
    all.sort_by(|a, b| a.connector.cmp(&b.connector));
    if let Some(layout) = waited_for {
        return end(results, &all, &Again::default(), layout);
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
pub fn json(app: &App, receipt: &ReceiptReport, results: &[AuthorizationResult]) -> String {
    pretty(&PushReport {
        format_version: FORMAT_VERSION,
        kind: "push",
        apps: AppName::list(Some(app)),
        receipt,
        authorizations: results
            .iter()
            .map(|result| ResultReport::of(result, &Again::default()))
            .collect(),
    })
}
