//! Sentences and counts that more than one view says.

use std::collections::BTreeSet;

use crate::{
    catalogue,
    diff::{Action, ConsentNeed, Removal, WRONG_ACCOUNT},
    escape,
    model::{ConnectorType, Kind, RemoteStatus, Scope},
    plan::Summary,
    receipt::Outcome,
    risk::RiskKind,
};

use super::{
    NextCommand,
    report::{ChangeReport, PlanReport, ReceiptReport},
};

/// Said at the top and the bottom of a plan that cannot be applied.
pub(super) const SPECULATIVE: &str =
    "SPECULATIVE: made from a snapshot, not from the live app. `connplan apply` refuses it.";

/// What is said of a plan whose time is over.
pub(super) const EXPIRED: &str = "EXPIRED: `connplan apply` refuses it; make a new plan.";

/// `1 connector`, `2 connectors`.
pub(super) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// The one line that sums a plan up.
pub(super) fn counts(report: &PlanReport, next: &NextCommand) -> String {
    let Summary {
        create,
        update,
        delete,
        authorize,
        ..
    } = report.summary;
    if report.has_changes() {
        return format!(
            "Plan: {create} to add, {update} to change, {delete} to remove, \
             {authorize} to authorize."
        );
    }
    match pending(report) {
        0 if report.withdraws() => {
            "No changes to make in the app. An apply withdraws what is not asked for any more."
                .to_owned()
        }
        0 if report.changes().any(lacks) => {
            "No changes to make. The app lacks what the last consent left out.".to_owned()
        }
        0 if report.is_compared() => "No changes. The app matches the connector files.".to_owned(),
        0 => "No changes in what could be compared.".to_owned(),
        waiting => format!("No changes to make. {}", waits(waiting, next)),
    }
}

/// The same where the command that shows the plan goes on by itself with what waits.
pub(super) fn counts_at_work(report: &PlanReport, next: &NextCommand) -> String {
    match pending(report) {
        waiting if waiting > 0 && !report.has_changes() => {
            format!("No changes to make. {}", waits_still(waiting))
        }
        _ => counts(report, next),
    }
}

/// How many connectors wait for a person already.
pub(super) fn pending(report: &PlanReport) -> usize {
    report.changes().filter(|change| is_pending(change)).count()
}

pub(super) fn is_pending(change: &ChangeReport) -> bool {
    change.action == Action::NoOp && change.authorization == ConsentNeed::Pending
}

/// Whether it lacks what a consent left out, and nobody is asked for that by itself.
pub(super) fn lacks(change: &ChangeReport) -> bool {
    !change.dropped.is_empty() && !is_pending(change)
}

/// Who is to consent, where a file says so. Untrusted, and personal.
pub(super) fn expected(change: &ChangeReport) -> Option<&str> {
    let after = change.after.as_ref()?;
    let expected = after.account.as_ref()?;
    (change.action != Action::NoOp || is_pending(change)).then(|| expected.as_str())
}

/// What else is to be said about a change besides its scopes. May quote files: escape it.
pub(super) fn particulars(change: &ChangeReport) -> impl Iterator<Item = String> {
    let why = change.why.clone();
    let softly =
        (change.action == Action::Delete && change.removal == Removal::Disconnect).then(|| {
            "it is disconnected: its tokens are deleted, the connector keeps its scopes".to_owned()
        });
    let expired = change.kind == Kind::Stripe
        && change
            .before
            .as_ref()
            .is_some_and(|is| is.status == RemoteStatus::Expired);
    let expired = (expired && change.action == Action::Update).then(|| {
        "nobody claimed the sandbox in time: it has expired, and a new one is provisioned"
            .to_owned()
    });
    why.into_iter().chain(softly).chain(expired)
}

/// Connection values, each with what it becomes: a plan holds them in clear text, and who reads only their
/// names sees no difference between two. One a line and quoted, so that no value is taken for another
/// one's, and each is shown whole. Escaped.
pub(super) fn values(change: &ChangeReport) -> Vec<String> {
    let lines = |what: &str, names: &mut dyn Iterator<Item = &String>| -> Vec<String> {
        let line = |name: &String| match change.values.get(name) {
            Some(value) => format!(
                "connection value {what}: {} = {}",
                quoted(name),
                quoted(value)
            ),
            None => format!("connection value {what}: {}", quoted(name)),
        };
        names.map(line).collect()
    };
    match &change.connection_config {
        Some(differ) => [
            lines("set", &mut differ.added.iter()),
            lines("changed", &mut differ.changed.iter()),
            lines("no longer set", &mut differ.removed.iter()),
        ]
        .concat(),
        // As they are, or as nobody can compare them.
        None => lines("sent", &mut change.values.keys()),
    }
}

/// As JSON writes it: where it ends is plain, whatever it holds.
fn quoted(text: &str) -> String {
    escape::terminal(&serde_json::Value::from(text).to_string()).into_owned()
}

/// What a consent left out. May quote files: escape it.
pub(super) fn dropped(change: &ChangeReport, next: &NextCommand) -> String {
    let names: Vec<_> = change.dropped.iter().map(Scope::as_str).collect();
    format!(
        "{}: the last consent did not grant {}. If somebody unticked it, {} asks again. If the \
         platform does not grant it, nothing can be done; after {} the plan shows it as a change again",
        change.connector,
        names.join(", "),
        next.within(&format!("`connplan authorize {}`", change.connector)),
        next.within(&format!(
            "`connplan authorize --forget {}`",
            change.connector
        ))
    )
}

/// What a removal is, said once.
pub(super) fn removals(report: &PlanReport) -> Option<String> {
    let removed = report
        .changes()
        .filter(|change| change.action == Action::Delete && change.removal == Removal::Remove);
    of_removals(removed.map(|change| (change.kind, &change.connector)), "")
}

/// The same of what was removed.
pub(super) fn removed(report: &ReceiptReport) -> Option<String> {
    let removed = report.results().filter(|result| {
        result.action == Action::Delete
            && result.outcome == Outcome::Removed
            // What a person reads of a disconnection stands in its message.
            && result.message.is_none()
    });
    of_removals(
        removed.map(|result| (result.connector.kind(), &result.connector)),
        "d",
    )
}

fn of_removals<'a>(
    removed: impl Iterator<Item = (Kind, &'a ConnectorType)>,
    past: &str,
) -> Option<String> {
    /// So many pages are named.
    const MOST: usize = 4;
    let (stripe, oauth): (Vec<_>, Vec<_>) = removed.partition(|(kind, _)| *kind == Kind::Stripe);
    let mut said = Vec::new();
    if !oauth.is_empty() {
        let pages: BTreeSet<_> = oauth
            .iter()
            .filter_map(|(_, connector)| catalogue::revoke_page(connector))
            .collect();
        let pages: Vec<_> = pages.into_iter().take(MOST).collect();
        let pages = if pages.is_empty() {
            String::new()
        } else {
            format!(" ({})", pages.join(", "))
        };
        let deletes = if past.is_empty() {
            "deletes"
        } else {
            "deleted"
        };
        said.push(format!(
            "A removal {deletes} the tokens and the connector's file in the app's own code too. What was \
             granted at the provider stays until somebody revokes it there{pages}."
        ));
    }
    if !stripe.is_empty() {
        said.push(
            "Deployed functions keep Stripe's old keys until they are deployed again.".to_owned(),
        );
    }
    (!said.is_empty()).then(|| said.join(" "))
}

/// Of a connection that the wrong account holds, where nothing else is to change.
pub(super) fn wrong_account(change: &ChangeReport) -> Option<String> {
    let mut risks = change.risks.iter();
    let wrong = risks.any(|risk| risk.kind == RiskKind::WrongAccount);
    let alone = change.action == Action::Reauthorize;
    (wrong && alone).then(|| format!("{}: {WRONG_ACCOUNT}", change.connector))
}

/// Of what the app has and no file says, where nothing else is to change: it may be the platform's.
/// May quote files: escape it.
pub(super) fn unknown_additions(change: &ChangeReport) -> Option<String> {
    let scopes = &change.scopes;
    let only_goes = change.action == Action::Update
        && change.kind == Kind::Oauth
        && scopes.added.is_empty()
        && !scopes.removed.is_empty();
    only_goes.then(|| {
        format!(
            "{0}: if the provider or the platform adds these scopes by itself, list them as \
             `[providers.{0}] adds` in connplan.toml, and it does not count as a difference any more",
            change.connector
        )
    })
}

/// How a change stands with consents.
pub(super) fn authorization(change: &ChangeReport) -> &'static str {
    match change.authorization {
        ConsentNeed::Possible => "perhaps required (only the platform knows)",
        other => other.as_str(),
    }
}

/// What a saved plan says of that: it may be over.
pub(super) fn waited(waiting: usize, next: &NextCommand) -> String {
    next.within(&format!(
        "{} waited for authorization when the plan was made: `connplan status` shows what still does.",
        count(waiting, "connector")
    ))
}

/// `2 connectors wait for authorization: …`
pub(super) fn waits(waiting: usize, next: &NextCommand) -> String {
    next.within(&format!("{}: run `connplan authorize`.", wait(waiting)))
}

/// The same where the next step is said elsewhere.
pub(super) fn waits_still(waiting: usize) -> String {
    format!("{}.", wait(waiting))
}

fn wait(waiting: usize) -> String {
    let verb = if waiting == 1 { "waits" } else { "wait" };
    format!("{} {verb} for authorization", count(waiting, "connector"))
}

/// Whether a risk is said on the line of the scope itself.
pub(super) fn stands_at_its_scope(kind: RiskKind) -> bool {
    matches!(
        kind,
        RiskKind::Admin | RiskKind::Restricted | RiskKind::Write | RiskKind::Unknown
    )
}
