//! A plan for a person: ten seconds should do.

use jiff::Timestamp;

use super::{
    change,
    page::{TextPage, pad},
};
use crate::{
    diff::Action,
    escape,
    model::{ago, ahead},
    view::{
        NextCommand, approval,
        report::{AppReport, ChangeReport, PlanReport, UnmanagedReport},
        shell::shell_word,
        theme::{Style, Theme},
        words,
    },
};

/// With more changes than this, the names stand above the details.
const NAMES_FIRST: usize = 40;
/// Longer names don't move the column of the files.
const NAME_COLUMN: usize = 24;

/// How a plan is shown.
#[derive(Clone, Debug, Default)]
pub struct PlanOptions<'a> {
    /// The file that holds the plan: its digest and how to apply it are said.
    pub file: Option<&'a str>,
    /// Whether it was made before: what waited then may not wait any more.
    pub saved: bool,
    /// Whether the command that shows it says at its end how what waits goes on.
    pub goes_on: bool,
    /// What the commands that it names have with them.
    pub next: &'a NextCommand,
    /// How wide the terminal is, if it goes to one.
    pub columns: Option<usize>,
    /// What time it is.
    pub now: Option<Timestamp>,
}

/// A plan as text.
pub fn plan(report: &PlanReport, options: &PlanOptions<'_>, theme: Theme) -> String {
    let mut page = TextPage::new(theme, options.columns);
    if report.speculative {
        let text = page.paint(Style::Danger, &format!("! {}", words::SPECULATIVE));
        page.line(&text);
        page.gap();
    }
    page.dangers(report.loosened());
    page.overrides(&report.overrides);
    for app in &report.apps {
        write_app(&mut page, app, options);
    }
    for change in report.changes().filter(|change| !change.dropped.is_empty()) {
        page.gap();
        page.line(&format!(
            "note: {}",
            escape::terminal(&words::dropped(change, options.next))
        ));
    }
    let wrong = report.changes().filter_map(words::wrong_account);
    for note in wrong.chain(report.changes().filter_map(words::unknown_additions)) {
        page.gap();
        page.line(&format!("note: {}", escape::terminal(&note)));
    }
    if let Some(note) = words::removals(report) {
        page.gap();
        page.line(&note);
    }
    page.diagnostics(&report.findings());
    page.gap();
    let waiting = words::pending(report);
    let over = options.saved && waiting > 0;
    let counts = if over && !report.has_changes() {
        "No changes to make.".to_owned()
    } else if options.goes_on {
        words::counts_at_work(report, options.next)
    } else {
        words::counts(report, options.next)
    };
    let counts = page.paint(Style::Bold, &counts);
    page.line(&counts);
    if over {
        page.line(&words::waited(waiting, options.next));
    } else if waiting > 0 && report.has_changes() {
        page.line(&if options.goes_on {
            words::waits_still(waiting)
        } else {
            words::waits(waiting, options.next)
        });
    }
    write_end(&mut page, report, options);
    page.finish()
}

fn write_app(page: &mut TextPage, app: &AppReport, options: &PlanOptions<'_>) {
    page.app(&app.app_id, &app.api_url, app.environment.as_deref());
    let changes: Vec<_> = app
        .changes
        .iter()
        .filter(|change| change.action != Action::NoOp)
        .collect();
    let column = changes
        .iter()
        .map(|change| change.connector.as_str().len())
        .filter(|length| *length <= NAME_COLUMN)
        .max()
        .unwrap_or(0)
        .max(NAME_COLUMN - 4);
    if changes.len() > NAMES_FIRST {
        write_names(page, &changes);
    } else {
        write_legend(page, &changes);
    }
    for change in &changes {
        change::write(page, change, column);
    }

    let (pending, unchanged): (Vec<_>, Vec<_>) = app
        .changes
        .iter()
        .filter(|change| change.action == Action::NoOp)
        .partition(|change| words::is_pending(change));
    let (lacking, unchanged): (Vec<_>, Vec<_>) = unchanged
        .into_iter()
        .partition(|change| words::lacks(change));
    let waiting = if options.saved {
        "Waiting for authorization when the plan was made (nothing is written again):"
    } else {
        "Waiting for authorization (nothing is written again):"
    };
    let lacks = "Without what the last consent left out (nothing is written again):";
    for (heading, listed) in [(waiting, pending), (lacks, lacking)] {
        if listed.is_empty() {
            continue;
        }
        page.gap();
        page.line(heading);
        for change in listed {
            write_pending(page, change, column);
        }
        page.gap();
    }
    if !app.unmanaged.is_empty() {
        page.names("Unmanaged (kept)", names(&app.unmanaged));
    }
    let not_looked_at = app.not_looked_at();
    if !not_looked_at.is_empty() {
        page.names("Not looked at (--target)", not_looked_at.into_iter());
    }
    if !unchanged.is_empty() && unchanged.len() < app.changes.len() {
        let text = words::count(unchanged.len(), "connector");
        let text = page.paint(Style::Dim, &format!("{text} unchanged."));
        page.line(&text);
    }
}

/// What the symbols of these changes stand for; where the names stand above, their headings say it.
fn write_legend(page: &mut TextPage, changes: &[&ChangeReport]) {
    let acts = |action| changes.iter().any(|change| change.action == action);
    let warns = changes
        .iter()
        .flat_map(|change| &change.risks)
        .any(change::is_marked);
    let symbols = [
        (acts(Action::Create), "+ add"),
        (acts(Action::Update), "~ change"),
        (acts(Action::Delete), "- remove"),
        (acts(Action::Reauthorize) || warns, "! look here"),
    ];
    let used: Vec<_> = symbols
        .iter()
        .filter(|(used, _)| *used)
        .map(|(_, symbol)| *symbol)
        .collect();
    if !used.is_empty() {
        let legend = page.paint(Style::Dim, &format!("Symbols:  {}", used.join("  ")));
        page.line(&legend);
        page.gap();
    }
}

fn names(listed: &[UnmanagedReport]) -> impl Iterator<Item = &str> {
    listed.iter().map(|state| state.connector.as_str())
}

fn write_names(page: &mut TextPage, changes: &[&ChangeReport]) {
    let headings = [
        (Action::Create, "+ Add"),
        (Action::Update, "~ Change"),
        (Action::Reauthorize, "! Authorize again"),
        (Action::Delete, "- Remove"),
    ];
    for (action, heading) in headings {
        let of_action: Vec<_> = changes
            .iter()
            .filter(|change| change.action == action)
            .map(|change| change.connector.as_str())
            .collect();
        if !of_action.is_empty() {
            let heading = format!("{heading} ({})", of_action.len());
            page.names(&heading, of_action.into_iter());
        }
    }
    page.gap();
}

fn write_pending(page: &mut TextPage, change: &ChangeReport, column: usize) {
    let name = pad(change.connector.as_str(), column);
    let file = change.file.as_deref().map(escape::terminal);
    page.line(&format!("    {name}  {}", file.unwrap_or_default()));
    // Whoever can write to a store can say that it waits, and so take it out of the changes.
    change::waiting(page, change);
}

fn write_end(page: &mut TextPage, report: &PlanReport, options: &PlanOptions<'_>) {
    let has_work = report.has_changes() || report.withdraws();
    let may_apply = has_work && !report.speculative && !report.expired;
    if options.file.is_some() || report.approval_missing.is_some() {
        page.gap();
    }
    if options.file.is_some() {
        page.line(&format!("Digest: {}", report.digest));
        if let Some(at) = report.expires_at {
            page.line(&match options.now {
                Some(now) if at <= now => format!("Expired: {}, at {at}", ago(at, now)),
                Some(now) => format!("Expires: {}, at {at}", ahead(at, now)),
                None => format!("Expires: {at}"),
            });
        }
    }
    if let Some(missing) = &report.approval_missing {
        page.line(&format!("Approval: {missing}"));
    }
    if report.expired && options.file.is_some() {
        let text = page.paint(Style::Danger, &format!("! {}", words::EXPIRED));
        page.line(&text);
    }
    match (options.file, &report.approval_missing) {
        _ if !may_apply => {}
        (Some(file), Some(missing)) => {
            let digest = report.digest.as_str();
            let plan = if report.kept { digest } else { file };
            let ways = approval::ways(missing, Some(plan), "", report.kept);
            page.line(&format!(
                "To have it approved: {}",
                options.next.within(&ways)
            ));
        }
        (None, Some(_)) => page.line(&format!(
            "To have it approved, save it: {}",
            options.next.within("connplan plan --out FILE")
        )),
        (Some(file), None) => page.line(&format!(
            "To carry out exactly this plan: {} {}",
            options.next.within("connplan apply"),
            escape::terminal(&shell_word(file))
        )),
        (None, None) => {}
    }
    if report.speculative {
        page.gap();
        let text = page.paint(Style::Danger, &format!("! {}", words::SPECULATIVE));
        page.line(&text);
    }
}
