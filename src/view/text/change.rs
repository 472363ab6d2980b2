//! One connector's change, scope by scope.

use super::page::{TextPage, pad, phrase};
use crate::{
    diff::Action,
    escape,
    model::{Kind, RemoteStatus, Scope, Scopes},
    risk::Level,
    view::{
        report::{ChangeReport, FactReport, RiskReport},
        theme::Style,
        words::{self, count},
    },
};

/// So many scopes of a kind are listed; those that are a risk always are.
const LISTED: usize = 12;
/// A longer scope does not move the column of the meanings.
const SCOPE_COLUMN: usize = 36;

/// What stands before a scope's symbol.
const MARGIN: usize = 6;

pub(super) fn style_of(action: Action) -> Style {
    match action {
        Action::Create => Style::Added,
        Action::Update => Style::Changed,
        Action::Reauthorize => Style::Attention,
        Action::Delete => Style::Removed,
        Action::NoOp => Style::Dim,
    }
}

/// Writes the change as a paragraph. `column` is where file names start.
pub(super) fn write(page: &mut TextPage, change: &ChangeReport, column: usize) {
    let head = format!("{} {}", change.action.symbol(), change.connector);
    let head = page.paint(style_of(change.action), &pad(&head, column + 2));
    let origin = match &change.file {
        Some(file) => escape::terminal(file).into_owned(),
        None => "no file declares it".to_owned(),
    };
    page.line(&format!("  {head}  {origin}"));
    for line in circumstances(change) {
        page.line(&format!("      {line}"));
    }
    scopes(page, change, '+', Style::Added, &change.scopes.added);
    scopes(page, change, '-', Style::Removed, &change.scopes.removed);
    scopes(page, change, ' ', Style::Dim, &change.scopes.renewed);
    provider_added(page, change);
    let kept = change.scopes.kept.len() - change.scopes.renewed.len();
    if kept > 0 && change.action != Action::Delete {
        let text = count(kept, "unchanged scope");
        let text = page.paint(Style::Dim, &text);
        page.line(&format!("        {text}"));
    }
    for risk in &change.risks {
        if words::stands_at_its_scope(risk.kind) {
            continue;
        }
        write_risk(page, risk);
    }
    if change.action != Action::Delete {
        page.line(&format!(
            "      authorization: {}",
            words::authorization(change)
        ));
    }
    page.gap();
}

/// What waits is not a change, and may be asked for without one: what it is, is shown all the same.
pub(super) fn waiting(page: &mut TextPage, change: &ChangeReport) {
    for line in words::values(change).into_iter().chain(expected(change)) {
        page.line(&format!("      {line}"));
    }
    if let Some(after) = &change.after {
        scopes(page, change, ' ', Style::Dim, &after.scopes);
    }
    let grave = change
        .risks
        .iter()
        .filter(|risk| risk.level == Level::Danger && !words::stands_at_its_scope(risk.kind));
    grave.for_each(|risk| write_risk(page, risk));
}

fn write_risk(page: &mut TextPage, risk: &RiskReport) {
    let style = match risk.level {
        Level::Danger => Style::Danger,
        Level::Warning | Level::Notice => Style::Attention,
    };
    let mark = match risk.level {
        Level::Danger | Level::Warning => "! ",
        Level::Notice => "note: ",
    };
    let reason = format!("{mark}{}", phrase(&risk.source.reason()));
    let reason = page.paint(style, &reason);
    page.line(&format!("      {reason}"));
}

/// Whether a risk has a line of its own that starts with `!`.
pub(super) fn is_marked(risk: &RiskReport) -> bool {
    !words::stands_at_its_scope(risk.kind) && risk.level != Level::Notice
}

/// What explains the action, before the scopes.
fn circumstances(change: &ChangeReport) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(before) = &change.before {
        match (before.status, before.mode) {
            (_, Some(mode)) => lines.push(format!("mode: {mode}")),
            (RemoteStatus::Active, None) => {}
            (status, None) => {
                let held = before.account.as_ref().map(|account| {
                    format!("; {} authorized it", escape::terminal(account.as_str()))
                });
                let held = held
                    .filter(|_| change.action != Action::Delete)
                    .unwrap_or_default();
                lines.push(format!("the remote says {status}{held}"));
            }
        }
    }
    lines.extend(words::particulars(change).map(|line| escape::terminal(&line).into_owned()));
    lines.extend(words::values(change));
    if change.kind == Kind::Stripe && change.action == Action::Create {
        lines.push("a Stripe sandbox is provisioned (test payments, mode: sandbox)".to_owned());
    }
    lines.extend(expected(change));
    lines
}

fn expected(change: &ChangeReport) -> Option<String> {
    let expected = escape::terminal(words::expected(change)?);
    Some(format!("account: {expected} is expected to consent"))
}

fn scopes(page: &mut TextPage, change: &ChangeReport, symbol: char, style: Style, scopes: &Scopes) {
    let fact = |scope: &Scope| change.scope_facts.get(scope).copied();
    // Without a fact it is not known, and that is a risk.
    let risky = |scope: &Scope| fact(scope).is_none_or(|fact| fact.is_risky());
    let listed: Vec<_> = scopes
        .iter()
        .enumerate()
        .filter(|(index, scope)| {
            // A list that exceeds the limit by one is not folded for that one.
            scopes.len() <= LISTED + 1 || *index < LISTED || (symbol != '-' && risky(scope))
        })
        .map(|(_, scope)| (escape::terminal(scope.as_str()), fact(scope)))
        .collect();
    let width = listed
        .iter()
        .map(|(scope, _)| console::measure_text_width(scope))
        .filter(|width| *width <= SCOPE_COLUMN)
        .max()
        .unwrap_or(0);
    for (scope, fact) in &listed {
        let meaning = fact
            .map(|fact| match symbol {
                '-' => fact.describe_lost(),
                _ => fact.describe(),
            })
            .unwrap_or_default();
        let style_of_meaning = fact.map_or(Style::Dim, |fact| meaning_style(&fact, symbol));
        let meaning_width = console::measure_text_width(&meaning);
        // Where both don't fit on a line, the meaning gets one of its own.
        let scope_width = width.max(console::measure_text_width(scope));
        if MARGIN + 2 + scope_width + 2 + meaning_width <= page.room {
            let text = page.paint(style, &format!("{symbol} {}", pad(scope, width)));
            let meaning = page.paint(style_of_meaning, &meaning);
            page.line(&format!("      {text}  {meaning}"));
        } else {
            let text = page.paint(style, &format!("{symbol} {scope}"));
            page.line(&format!("      {text}"));
            let meaning = page.paint(style_of_meaning, &meaning);
            page.line(&format!("          {meaning}"));
        }
    }
    let folded = scopes.len() - listed.len();
    if folded > 0 {
        page.line(&format!(
            "      {symbol} … and {folded} more; see `--format json`"
        ));
    }
}

fn meaning_style(fact: &FactReport, symbol: char) -> Style {
    match (symbol, fact.known, fact.is_grave()) {
        ('+' | ' ', _, true) => Style::Danger,
        ('+' | ' ', false, _) => Style::Attention,
        _ => Style::Dim,
    }
}

fn provider_added(page: &mut TextPage, change: &ChangeReport) {
    let added = &change.scopes.provider_added;
    for scope in added.iter().take(LISTED) {
        let text = format!(
            "{} (added by the provider)",
            escape::terminal(scope.as_str())
        );
        let text = page.paint(Style::Dim, &text);
        page.line(&format!("        {text}"));
    }
    if let more @ 1.. = added.len().saturating_sub(LISTED) {
        page.line(&format!("        … and {more} more; see `--format json`"));
    }
}
