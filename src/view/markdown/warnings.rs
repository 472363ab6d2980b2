//! What is risky, one line for each kind of risk, gravest first.
//!
//! A line for each kind and not for each connector: whatever dangerous thing a plan does, it shows
//! within the first lines, however many connectors do it.

use std::{cmp::Reverse, fmt::Write as _};

use super::{Options, inline};
use crate::{
    model,
    plan::Override,
    risk::{Level, Phrase, Piece, RiskKind},
    view::{
        report::{ChangeReport, PlanReport, RiskReport},
        words,
    },
};

/// So many connectors are named in one warning; all of them are in the lists of names.
const NAMED: usize = 10;
/// With so many at most, it is said what each of them is about.
const EXPLAINED: usize = 3;

pub(super) fn lines(report: &PlanReport, options: &Options) -> Vec<String> {
    let kinds = RiskKind::ALL.into_iter();
    let mut lines: Vec<_> = kinds
        .filter_map(|kind| line(report, kind, options))
        .collect();
    model::sort_by_key(&mut lines, |(level, _)| Reverse(*level));
    let lines = lines.into_iter().map(|(_, line)| line);
    let loosened = report.loosened();
    let loosened = loosened.map(|said| danger(said, options));
    let overridden = overridden(&report.overrides, options);
    loosened.chain(overridden).chain(lines).collect()
}

/// A rule that is broken on purpose is the gravest of all.
pub(super) fn overridden(overrides: &[Override], options: &Options) -> Vec<String> {
    let line = |by: &Override| danger(&by.said(), options);
    overrides.iter().map(line).collect()
}

fn danger(said: &str, options: &Options) -> String {
    let said = inline::code(&inline::message(said, options));
    format!("- 🛑 **Danger:** {said}")
}

fn line(report: &PlanReport, kind: RiskKind, options: &Options) -> Option<(Level, String)> {
    let concerned: Vec<_> = report
        .changes()
        .filter_map(|change| {
            let risks = change.risks.iter().filter(|risk| risk.kind == kind);
            let risk = risks.rev().max_by_key(|risk| risk.level)?;
            Some((change, risk))
        })
        .collect();
    let level = concerned.iter().map(|(_, risk)| risk.level).max()?;
    let mark = match level {
        Level::Danger => "🛑 **Danger:**",
        Level::Warning => "🔶 **Warning:**",
        Level::Notice => "Note:",
    };
    let explained = concerned.len() <= EXPLAINED;
    let names: Vec<_> = concerned
        .iter()
        .take(NAMED)
        .map(|(change, risk)| named(change, risk, explained, options))
        .collect();
    let mut line = format!("- {mark} {}: {}", kind.headline(), names.join(", "));
    if let more @ 1.. = concerned.len().saturating_sub(NAMED) {
        let _ = write!(line, " and {more} more");
    }
    Some((level, line))
}

fn named(change: &ChangeReport, risk: &RiskReport, explained: bool, options: &Options) -> String {
    let name = inline::code(change.connector.as_str());
    let about = &risk.source.about;
    let short;
    let about = if explained {
        about
    } else {
        short = shortened(about);
        &short
    };
    let named = if about.is_empty() {
        name
    } else {
        format!("{name} ({})", inline::phrase(about, options))
    };
    if words::is_pending(change) {
        format!("{named}, which waits for authorization")
    } else {
        named
    }
}

/// Its first scope or account, and that there is more.
fn shortened(about: &Phrase) -> Phrase {
    let mut subjects = about
        .0
        .iter()
        .filter(|piece| !matches!(piece, Piece::Words(_)));
    let first = Phrase(subjects.next().cloned().into_iter().collect());
    match subjects.next() {
        Some(_) => first.words(" …"),
        None => first,
    }
}
