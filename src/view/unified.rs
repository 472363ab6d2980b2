//! A plan as one unified diff, from what the remote has to what the files declare: a "file" per
//! connector.
//!
//! Both sides are rendered as JSONC with one scope a line and a comma after each, so that a change
//! of one scope is a change of one line. What makes no difference to a plan (a scope that the
//! provider adds or spells otherwise, an account that the file accepts) makes none here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{
    json::quoted,
    report::{AppReport, ChangeReport, ConfigReport, PlanReport},
    udiff::unified,
};
use crate::{
    diff::Action,
    escape,
    model::{self, Account, ExpectedAccount, Kind, RemoteStatus, Scope, StripeMode},
};

/// The diff; empty if there is nothing to change.
pub fn diff(report: &PlanReport) -> String {
    let mut out = String::new();
    for app in &report.apps {
        let several = report.apps.len() > 1;
        for change in &app.changes {
            if change.action != Action::NoOp {
                write_change(&mut out, app, change, several);
            }
        }
    }
    out
}

fn write_change(out: &mut String, app: &AppReport, change: &ChangeReport, several: bool) {
    let (remote, declared) = (remote(change), declared(change));
    let place = if several {
        format!("remote/{}/{}", app.app_id, change.connector)
    } else {
        format!("remote/{}", change.connector)
    };
    let from = match remote {
        Some(_) => format!("a/{place}"),
        None => "/dev/null".to_owned(),
    };
    let to = match (&declared, &change.file) {
        (None, _) => "/dev/null".to_owned(),
        (Some(_), Some(file)) => format!("b/{}", escape::terminal(file)),
        (Some(_), None) => format!("b/{place}"),
    };
    let (remote, declared) = (remote.unwrap_or_default(), declared.unwrap_or_default());
    out.push_str(&unified(&remote, &declared, (&from, &to)));
}

/// The connector as the remote has it, with kept scopes spelt as declared, and without those that are not in
/// force.
fn remote(change: &ChangeReport) -> Option<String> {
    let before = change.before.as_ref()?;
    let account = match &change.after {
        None => before.account.as_ref().map(Account::as_str),
        Some(_) => accounts(change).map(|(remote, _)| remote),
    };
    let mut scopes: Vec<_> = change
        .scopes
        .kept
        .iter()
        .filter(|scope| !change.scopes.renewed.contains(scope))
        .chain(change.scopes.removed.iter())
        .collect();
    model::sort(&mut scopes, Ord::cmp);
    let mode = before.mode.map(StripeMode::as_str);
    let values = named(
        change,
        |values| [&values.removed, &values.changed],
        "as it is",
    );
    Some(render(
        change,
        before.status,
        mode,
        account,
        &values,
        &scopes,
    ))
}

/// The connector as it is to be.
fn declared(change: &ChangeReport) -> Option<String> {
    let after = change.after.as_ref()?;
    let account = match &change.before {
        None => after.account.as_ref().map(ExpectedAccount::as_str),
        Some(_) => accounts(change).map(|(_, declared)| declared),
    };
    let scopes: Vec<_> = after.scopes.iter().collect();
    let mode = (change.kind == Kind::Stripe).then_some("sandbox");
    let values = named(
        change,
        |values| [&values.added, &values.changed],
        "as declared",
    );
    let is = RemoteStatus::Active;
    Some(render(change, is, mode, account, &values, &scopes))
}

/// Connection values of a side, by name alone: which ones the app has is not told.
fn named<'a>(
    change: &'a ChangeReport,
    side: impl Fn(&'a ConfigReport) -> [&'a BTreeSet<String>; 2],
    as_what: &'static str,
) -> BTreeMap<&'a str, &'static str> {
    let values = change.connection_config.iter().flat_map(side);
    let values = values.flatten();
    model::map_of(values.map(|name| (name.as_str(), as_what)))
}

/// Who holds the connector and who is to, if that is not the same.
fn accounts(change: &ChangeReport) -> Option<(&str, &str)> {
    let is = change.before.as_ref()?.account.as_ref()?;
    let expected = change.after.as_ref()?.account.as_ref()?;
    (!expected.accepts(is)).then(|| (is.as_str(), expected.as_str()))
}

fn render(
    change: &ChangeReport,
    status: RemoteStatus,
    mode: Option<&str>,
    account: Option<&str>,
    values: &BTreeMap<&str, &str>,
    scopes: &[&Scope],
) -> String {
    let mut out = String::from("{\n");
    let mut field = |key: &str, value: &str| {
        let _ = writeln!(out, "  \"{key}\": {},", quoted(value));
    };
    field("type", change.connector.as_str());
    field("status", status.as_str());
    if let Some(mode) = mode {
        field("mode", mode);
    }
    if let Some(account) = account {
        field("account", account);
    }
    if !values.is_empty() {
        out.push_str("  \"connection_config\": {\n");
        for (name, value) in values {
            let _ = writeln!(out, "    {}: {},", quoted(name), quoted(value));
        }
        out.push_str("  },\n");
    }
    if change.kind == Kind::Oauth {
        out.push_str("  \"scopes\": [\n");
        for scope in scopes {
            let _ = writeln!(out, "    {},", quoted(scope.as_str()));
        }
        out.push_str("  ],\n");
    }
    out.push_str("}\n");
    out
}
