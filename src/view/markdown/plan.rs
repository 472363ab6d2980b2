//! A plan as Markdown.

use std::{cmp::Reverse, fmt::Write as _};

use super::{
    Options, inline,
    layout::{Kept, Line, Names, Sections},
    warnings,
};
use crate::{
    approval::{Missing, Requirement},
    diff::Action,
    model::{self, Diagnostic, Kind, RemoteStatus, Severity},
    risk::Level,
    view::{
        report::{AppReport, ChangeReport, FactReport, PlanReport},
        shell::shell_word,
        words,
    },
};

/// So many findings are shown.
const FINDINGS: usize = 10;
/// More notes than these are counted.
const NOTES: usize = 10;

/// A plan as Markdown, never longer than `options.max_bytes`.
pub fn plan(report: &PlanReport, options: &Options) -> String {
    let foot = foot(report, options, true);
    document(
        report,
        options,
        head(report, "connplan plan", options),
        foot,
    )
}

/// A plan that the policy forbids: the same, and nothing that says how to apply it.
pub fn denied(report: &PlanReport, options: &Options) -> String {
    let head = head(report, "connplan plan that is forbidden", options);
    document(report, options, head, foot(report, options, false))
}

fn document(
    report: &PlanReport,
    options: &Options,
    head: Vec<String>,
    foot: Vec<String>,
) -> String {
    let mut document = Sections {
        head,
        warnings: warnings::lines(report, options),
        names: names(report),
        findings: findings(&report.findings(), options),
        details_title: "Details, scope by scope",
        details: details(report, options),
        foot,
        whole: inline::whole(options),
    };
    if !options.show_accounts {
        document.mask_accounts();
    }
    document.fit(options.max_bytes)
}

/// Two lines: which app, and how much.
fn head(report: &PlanReport, title: &str, options: &Options) -> Vec<String> {
    let apps: Vec<_> = report
        .apps
        .iter()
        .map(|app| app_name(app.app_id.as_str(), app.environment.as_deref()))
        .collect();
    let mut counts = String::new();
    if report.speculative {
        let _ = write!(counts, "🔶 **{}** ", words::SPECULATIVE);
    }
    let _ = write!(counts, "**{}**", words::counts(report, &options.next));
    let waiting = words::pending(report);
    if waiting > 0 && report.has_changes() {
        let _ = write!(counts, " {}", words::waits(waiting, &options.next));
    }
    let folder = inline::project(options);
    vec![format!("## {title}: {}{folder}", apps.join("; ")), counts]
}

/// The app, and the environment that it was found by.
pub fn app_name(id: &str, environment: Option<&str>) -> String {
    let mut name = format!("app {}", inline::code(id));
    if let Some(environment) = environment {
        let _ = write!(name, ", environment {}", inline::code(environment));
    }
    name
}

fn names(report: &PlanReport) -> Vec<Names> {
    let mut lists = Vec::new();
    let mut list = |heading: &str, names: Vec<String>| {
        if !names.is_empty() {
            lists.push(Names {
                heading: format!("{heading} ({})", names.len()),
                names,
            });
        }
    };
    let changed = |action: Action| {
        report
            .changes()
            .filter(move |change| change.action == action && !words::is_pending(change))
            .map(name_of)
            .collect::<Vec<_>>()
    };
    list("Add", changed(Action::Create));
    list("Change", changed(Action::Update));
    list("Authorize again", changed(Action::Reauthorize));
    list("Remove", changed(Action::Delete));
    let pending = report.changes().filter(|change| words::is_pending(change));
    list("Waiting for authorization", pending.map(name_of).collect());
    let lacking = report.changes().filter(|change| words::lacks(change));
    list(
        "Left out by the last consent",
        lacking.map(name_of).collect(),
    );
    let kept = report.apps.iter().flat_map(|app| &app.unmanaged);
    let kept = kept.map(|state| inline::code(state.connector.as_str()));
    list("Unmanaged, kept", kept.collect());
    let unseen = report.apps.iter().flat_map(AppReport::not_looked_at);
    list(
        "Not looked at (--target)",
        unseen.map(inline::code).collect(),
    );
    lists
}

/// A name; those that a danger is about are marked, for the warnings may not name them all.
fn name_of(change: &ChangeReport) -> String {
    let name = inline::code(change.connector.as_str());
    match change.level() {
        Some(Level::Danger) => format!("{name} 🛑"),
        _ => name,
    }
}

fn findings(diagnostics: &[Diagnostic], options: &Options) -> Vec<String> {
    let mut lines: Vec<_> = diagnostics
        .iter()
        .take(FINDINGS)
        .map(|diagnostic| {
            let word = match diagnostic.severity {
                Severity::Error => "Error",
                Severity::Warning => "Warning",
            };
            let place = diagnostic.file.as_ref().map_or_else(String::new, |file| {
                let mut place = file.clone();
                for number in [diagnostic.line, diagnostic.column].into_iter().flatten() {
                    let _ = write!(place, ":{number}");
                }
                format!(" in {}", inline::code(&place))
            });
            let message = inline::code(&inline::message(&diagnostic.message, options));
            format!("+ {word}{place}: {message}")
        })
        .collect();
    if let more @ 1.. = diagnostics.len().saturating_sub(FINDINGS) {
        let validate = options.next.within("`connplan validate`");
        lines.push(format!("+ and {more} more; see {validate}"));
    }
    lines
}

/// The lines of the fence: what is grave first, then by name.
fn details(report: &PlanReport, options: &Options) -> Vec<Line> {
    let mut changes: Vec<_> = report
        .changes()
        .filter(|change| {
            change.action != Action::NoOp || words::is_pending(change) || words::lacks(change)
        })
        .collect();
    model::sort_by_key(&mut changes, |change| Reverse(change.level()));
    changes
        .into_iter()
        .flat_map(|change| change_lines(change, options))
        .collect()
}

fn change_lines(change: &ChangeReport, options: &Options) -> Vec<Line> {
    let origin = change
        .file
        .as_deref()
        .map_or_else(|| "no file declares it".to_owned(), inline::plain);
    if change.action == Action::NoOp {
        return waiting_lines(change, &origin, options);
    }
    let mut lines = vec![Line::from(format!(
        "@@ {} {}: {}, {origin} @@",
        change.action.symbol(),
        change.connector,
        change.action
    ))];
    if let Some(before) = &change.before {
        match (before.mode, before.status) {
            (Some(mode), _) => lines.push(format!("  mode: {mode}").into()),
            (None, RemoteStatus::Active) => {}
            (None, status) => lines.push(format!("  the remote says {status}").into()),
        }
    } else if change.kind == Kind::Stripe {
        lines.push(
            "  a Stripe sandbox is provisioned (mode: sandbox)"
                .to_owned()
                .into(),
        );
    }
    lines.extend(
        words::particulars(change).map(|line| Line::from(format!("  {}", inline::plain(&line)))),
    );
    lines.extend(terms(change, options));
    let (added, removed) = (&change.scopes.added, &change.scopes.removed);
    for (sign, scopes) in [('+', added), ('-', removed), (' ', &change.scopes.renewed)] {
        for scope in scopes.iter() {
            let fact = change.scope_facts.get(scope);
            let meaning = fact.map(|fact| match sign {
                '-' => format!("  ({})", fact.describe_lost()),
                _ => format!("  ({})", fact.describe()),
            });
            let line = format!(
                "{sign} {}{}",
                inline::plain(scope.as_str()),
                meaning.unwrap_or_default()
            );
            let grave = sign != '-' && fact.is_some_and(FactReport::is_grave);
            lines.push(line_of(line, grave));
        }
    }
    for scope in change.scopes.provider_added.iter() {
        lines.push(
            format!(
                "  {} (added by the provider)",
                inline::plain(scope.as_str())
            )
            .into(),
        );
    }
    let kept = change.scopes.kept.len() - change.scopes.renewed.len();
    if kept > 0 {
        lines.push(format!("  {}", words::count(kept, "unchanged scope")).into());
    }
    for risk in &change.risks {
        if !words::stands_at_its_scope(risk.kind) {
            let reason = inline::plain_phrase(&risk.source.reason(), options);
            let line = format!("! {}: {reason}", risk.level);
            lines.push(line_of(line, risk.level == Level::Danger));
        }
    }
    if change.action != Action::Delete {
        lines.push(format!("  authorization: {}", words::authorization(change)).into());
    }
    lines
}

/// What waits is not a change, and may be asked for without one: what it is, is shown all the same.
fn waiting_lines(change: &ChangeReport, origin: &str, options: &Options) -> Vec<Line> {
    let what = if words::is_pending(change) {
        "waits for authorization"
    } else {
        "lacks what the last consent left out"
    };
    let mut lines = vec![Line::from(format!(
        "@@ ! {}: {what}, {origin} @@",
        change.connector
    ))];
    lines.extend(terms(change, options));
    let after = change.after.as_ref();
    for scope in after.into_iter().flat_map(|after| after.scopes.iter()) {
        let fact = change.scope_facts.get(scope);
        let meaning = fact.map(|fact| format!("  ({})", fact.describe()));
        let line = format!(
            "  {}{}",
            inline::plain(scope.as_str()),
            meaning.unwrap_or_default()
        );
        lines.push(line_of(line, fact.is_some_and(FactReport::is_grave)));
    }
    lines
}

/// Where it connects to, and whose account is expected.
fn terms(change: &ChangeReport, options: &Options) -> Vec<Line> {
    let values = words::values(change).into_iter();
    let expected = words::expected(change).map(|expected| {
        let expected = inline::plain(&inline::account(expected, options));
        format!("account: {expected} is expected to consent")
    });
    let line = |line| Line::kept(format!("  {line}"), Kept::Terms);
    values.chain(expected).map(line).collect()
}

fn line_of(text: String, grave: bool) -> Line {
    if grave {
        Line::kept(text, Kept::Grave)
    } else {
        text.into()
    }
}

/// How the plan gets the approval that it lacks, and is applied with it.
fn approval(report: &PlanReport, missing: &Missing, file: &str, options: &Options) -> String {
    let apply = |more: &str| {
        let more = format!(" --expect-digest {}{more}", report.digest);
        inline::command("connplan apply", file, &more, options)
    };
    let signature = format!(" --approved-by {}.sig", shell_word(file));
    let sign = format!(
        "a signer runs {}, then {}",
        inline::command("connplan approve", file, "", options),
        apply(&signature)
    );
    let review = format!(
        "approve this pull or merge request, then {}",
        apply(&format!(" --approved-in-review={}", missing.count))
    );
    let ways = match missing.require {
        Requirement::Signature => sign,
        Requirement::Review => review,
        Requirement::Either => format!("{review}; or {sign}"),
    };
    format!("To have it approved and applied: {ways}")
}

fn foot(report: &PlanReport, options: &Options, may_apply: bool) -> Vec<String> {
    let addresses: Vec<_> = report
        .apps
        .iter()
        .map(|app| inline::code(app.api_url.as_str()))
        .collect();
    let mut lines = vec![format!(
        "Digest `{}`, at {}, by connplan {}.",
        report.digest,
        addresses.join(", "),
        env!("CARGO_PKG_VERSION")
    )];
    let origin = report.origin.as_ref();
    lines.extend(origin.and_then(|origin| inline::origin(origin, options)));
    lines.extend(report.expires_at.map(|at| format!("It expires at {at}.")));
    let missing = report.approval_missing.as_ref();
    lines.extend(missing.map(|missing| format!("Approval: {}.", missing.needed())));
    lines.extend(words::removals(report));
    let mut notes: Vec<_> = report
        .changes()
        .filter_map(words::unknown_additions)
        .chain(report.changes().filter_map(words::wrong_account))
        .collect();
    let dropped = report.changes().filter(|change| !change.dropped.is_empty());
    notes.extend(dropped.map(|change| words::dropped(change, &options.next)));
    let shown = notes.iter().take(NOTES);
    lines.extend(shown.map(|note| format!("Note: {}.", inline::sentence(note))));
    if let more @ 1.. = notes.len().saturating_sub(NOTES) {
        lines.push(format!(
            "And {more} more such notes: `connplan show` has them."
        ));
    }
    if report.speculative {
        lines.push("It cannot be applied: it was made from a snapshot.".to_owned());
    } else if report.expired {
        lines.push("It has expired: make a new plan.".to_owned());
    } else if (report.has_changes() || report.withdraws()) && may_apply {
        let file = options.file.as_deref().unwrap_or("FILE");
        lines.push(match missing {
            None => {
                let digest = format!(" --expect-digest {}", report.digest);
                let apply = inline::command("connplan apply", file, &digest, options);
                format!("To carry out exactly this plan: {apply}")
            }
            Some(missing) => approval(report, missing, file, options),
        });
    }
    lines
}
