//! A receipt as Markdown.

use super::{
    Options, inline,
    layout::{Line, Names, Sections},
    plan::app_name,
    warnings::overridden,
};
use crate::{
    receipt::Outcome,
    view::{
        report::{ReceiptReport, ResultReport},
        text,
    },
};

/// A receipt as Markdown, never longer than `options.max_bytes`.
pub fn receipt(report: &ReceiptReport, options: &Options) -> String {
    let apps: Vec<_> = report
        .apps
        .iter()
        .map(|app| app_name(app.app_id.as_str(), app.environment.as_deref()))
        .collect();
    let mut document = Sections {
        head: vec![
            format!("## connplan apply: {}", apps.join("; ")),
            format!("**{}**", text::receipt_counts(report)),
        ],
        warnings: warnings(report, options),
        names: names(report),
        findings: Vec::new(),
        details_title: "Details, connector by connector",
        details: details(report, options),
        foot: foot(report, options),
        whole: inline::whole(options),
    };
    if !options.show_accounts {
        document.mask_accounts();
    }
    document.fit(options.max_bytes)
}

/// What did not come about, each with its reason, and what else was remarked.
fn warnings(report: &ReceiptReport, options: &Options) -> Vec<String> {
    /// So many reasons are shown; the details have them all.
    const SHOWN: usize = 20;
    let line = |result: &ResultReport| {
        let mark = match result.outcome {
            Outcome::Failed => "🛑 **Failed:**",
            _ => "🔶 **Remark:**",
        };
        let name = inline::code(result.connector.as_str());
        match &result.message {
            Some(text) => format!("- {mark} {name}: {}", message(text, options)),
            None => format!("- {mark} {name}"),
        }
    };
    let failed = |result: &&ResultReport| result.outcome == Outcome::Failed;
    let remarked =
        |result: &&ResultReport| result.outcome != Outcome::Failed && result.message.is_some();
    let all: Vec<_> = report
        .results()
        .filter(failed)
        .chain(report.results().filter(remarked))
        .collect();
    let mut lines = overridden(&report.overrides, options);
    lines.extend(all.iter().take(SHOWN).map(|result| line(result)));
    if let more @ 1.. = all.len().saturating_sub(SHOWN) {
        lines.push(format!("- and {more} more, see the details"));
    }
    lines
}

fn message(text: &str, options: &Options) -> String {
    inline::code(&inline::message(text, options))
}

fn names(report: &ReceiptReport) -> Vec<Names> {
    let headings = [
        (Outcome::Failed, "Failed"),
        (Outcome::NotRun, "Not run"),
        (Outcome::Pending, "Waiting for authorization"),
        (Outcome::Synced, "Synced"),
        (Outcome::Added, "Added"),
        (Outcome::Removed, "Removed"),
        (Outcome::Provisioned, "Provisioned"),
    ];
    let lists = headings.into_iter().map(|(outcome, heading)| {
        let names: Vec<_> = report
            .results()
            .filter(|result| result.outcome == outcome)
            .map(|result| inline::code(result.connector.as_str()))
            .collect();
        Names {
            heading: format!("{heading} ({})", names.len()),
            names,
        }
    });
    lists.filter(|list| !list.names.is_empty()).collect()
}

fn details(report: &ReceiptReport, options: &Options) -> Vec<Line> {
    let touched = report
        .results()
        .filter(|result| result.outcome != Outcome::Unchanged);
    touched
        .flat_map(|result| result_lines(result, options))
        .map(Line::from)
        .collect()
}

fn result_lines(result: &ResultReport, options: &Options) -> Vec<String> {
    let sign = match result.outcome {
        Outcome::Failed | Outcome::NotRun => '!',
        _ => result.action.symbol(),
    };
    let mut lines = vec![format!(
        "@@ {sign} {}: {}, {} @@",
        result.connector,
        result.action,
        result.outcome.as_str().replace('_', " ")
    )];
    if let Some(text) = &result.message {
        let text = inline::plain(&inline::message(text, options));
        lines.push(format!("! {text}"));
    }
    if let Some(mode) = result.mode {
        lines.push(format!("  mode: {mode}"));
    }
    if let Some(account) = &result.account {
        let account = inline::plain(&inline::account(account.as_str(), options));
        lines.push(format!("  account: {account} is expected to consent"));
    }
    for scope in result.scopes.iter() {
        lines.push(format!("  approved: {}", inline::plain(scope.as_str())));
    }
    if let Some(id) = &result.connection_id {
        lines.push(format!("  connection: {}", inline::plain(id.as_str())));
    }
    lines
}

fn foot(report: &ReceiptReport, options: &Options) -> Vec<String> {
    let addresses: Vec<_> = report
        .apps
        .iter()
        .map(|app| inline::code(app.api_url.as_str()))
        .collect();
    let mut lines = vec![
        format!(
            "Receipt `{}`, at {}, by connplan {}.",
            report.digest,
            addresses.join(", "),
            env!("CARGO_PKG_VERSION")
        ),
        format!("Plan `{}`.", report.plan_digest),
    ];
    for approval in &report.approvals {
        let by = approval
            .by
            .as_deref()
            .map_or_else(String::new, |by| format!(" {}", inline::code(by)));
        let signer = inline::code(&approval.signer);
        lines.push(format!("Approved by {signer}: {}{by}.", approval.proof));
    }
    let origin = report.origin.as_ref();
    lines.extend(origin.and_then(|origin| inline::origin(origin, options)));
    if report.summary.pending > 0 {
        let command = match &options.file {
            // Where an approval is needed, the file alone proves none.
            Some(file) => {
                let digest = format!(" --expect-digest {}", report.digest);
                inline::command("connplan authorize --receipt", file, &digest, options)
            }
            None => options.next.within("`connplan authorize`"),
        };
        lines.push(format!("To authorize what is waiting: {command}"));
    }
    lines
}
