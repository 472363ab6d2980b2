//! What happened to an app, in order.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Format, Medium};
use crate::{
    approval::{NAMESPACE, REVOKED, key_of},
    escape,
    model::{App, ago},
    plan::Digest,
    receipt::{self, Receipt},
    store::{HistoryEvent, Holder, What},
    term::Terminal,
};

/// Whose signatures they are, by the number of the event, as far as the file of signers knows that.
pub type SignersOf = BTreeMap<String, String>;

/// What happened to the app. Markdown is for others: there e-mail addresses are masked, unless `accounts`.
pub fn show(
    app: &App,
    store: &str,
    events: &[HistoryEvent],
    signers: &SignersOf,
    accounts: bool,
    medium: &Medium<'_>,
) -> String {
    match medium.format {
        Format::Json => json(app, store, events, signers),
        Format::Markdown if accounts => markdown(app, store, events, signers),
        Format::Markdown => {
            escape::mask_accounts(&markdown(app, store, events, signers)).into_owned()
        }
        _ => text(app, store, events, signers, medium.now),
    }
}

/// As JSON.
fn json(app: &App, store: &str, events: &[HistoryEvent], signers: &SignersOf) -> String {
    let events = events.iter().map(|event| event_json(event, signers));
    let events: Vec<_> = events.collect();
    super::json::pretty(&json!({
        "format_version": "1.0",
        "kind": "history",
        "store": store,
        "apps": [{
            "app_id": app.id,
            "api_url": app.api_url,
            "events": events,
        }],
    }))
}

/// What `unlock` found and did, as a document; a person was told on the way.
pub fn show_unlocked(
    app: &App,
    holder: Option<&Holder>,
    ended: bool,
    medium: &Medium<'_>,
    terminal: &Terminal,
) {
    if !medium.is_json() {
        return;
    }
    terminal.out(&super::json::pretty(&json!({
        "format_version": "1.0",
        "kind": "unlock",
        "apps": [{"app_id": app.id, "environment": app.environment, "api_url": app.api_url}],
        "holder": holder.map(Holder::said),
        "ended": ended,
    })));
}

fn event_json(event: &HistoryEvent, signers: &SignersOf) -> Value {
    let mut value = json!({
        "at": event.at,
        "event": event.what.kind(),
        "by": {"account": event.by.account, "user": event.by.user, "run": event.by.run},
        "digest": event.what.digest(),
    });
    match &event.what {
        What::Apply(_, text) => {
            let saved = receipt::read("the store's receipt", text).ok();
            let receipt = saved.as_ref().map(|saved| &saved.receipt);
            value["results"] = outcomes(receipt).into();
            value["withdrawn"] = json!(event.withdrawn);
            value["approvals"] = json!(receipt.map_or(&[][..], |receipt| &receipt.approvals));
            value["overrides"] = json!(receipt.map_or(&[][..], |receipt| &receipt.overrides));
        }
        What::Consent(consents) => {
            let consents = consents
                .iter()
                .map(|consent| json!({"connector": consent.connector, "outcome": consent.outcome}));
            value["connectors"] = consents.collect();
        }
        What::Forget(connectors) => {
            let connectors = connectors.iter().map(|name| json!({"connector": name}));
            value["connectors"] = connectors.collect();
        }
        What::Unlock(holder) => value["holder"] = holder.as_str().into(),
        What::Approval(digest, text) => {
            let (key, revoked) = signature(digest, text);
            value["key"] = key.into();
            value["signer"] = signers.get(&event.id).cloned().into();
            value["revoked"] = revoked.into();
        }
        What::Plan(_) => {}
    }
    value
}

/// The fingerprint of the key that approved, or took that back: whose key it is, only the file of
/// signers knows.
fn signature(digest: &Digest, text: &str) -> (Option<String>, bool) {
    match key_of(text, REVOKED, digest) {
        Some(key) => (Some(key), true),
        None => (key_of(text, NAMESPACE, digest), false),
    }
}

/// Who did it, as far as anybody can know.
fn who(event: &HistoryEvent, signers: &SignersOf) -> String {
    if let (true, Some(signer)) = (event.by.is_nameless(), signers.get(&event.id)) {
        return escape::limited(signer, 200);
    }
    let key = match &event.what {
        What::Approval(digest, text) if event.by.is_nameless() => signature(digest, text).0,
        _ => None,
    };
    match key {
        Some(key) => format!("the holder of the key {key}"),
        None => event.by.shown(),
    }
}

/// Each change's outcome; none where the receipt is not whole.
fn outcomes(receipt: Option<&Receipt>) -> Vec<Value> {
    let results = receipt.into_iter().flat_map(Receipt::results);
    results
        .map(|result| {
            json!({
                "connector": result.connector,
                "action": result.action,
                "outcome": result.outcome,
            })
        })
        .collect()
}

/// What happened, in a few words, and what came of it. Untrusted words in it are not escaped yet.
fn words(event: &HistoryEvent, signers: &SignersOf) -> (String, Option<String>) {
    let words = match &event.what {
        What::Plan(digest) if event.began() => format!("began to apply {digest}"),
        What::Plan(digest) => format!("planned {digest}"),
        What::Approval(digest, text) => {
            let (key, revoked) = signature(digest, text);
            let did = if revoked {
                "revoked the approval of"
            } else {
                "approved"
            };
            let key = key.filter(|_| !event.by.is_nameless());
            let with = match (signers.get(&event.id), key) {
                (Some(signer), Some(key)) => format!(" as {signer}, with the key {key}"),
                (None, Some(key)) => format!(" with the key {key}"),
                (_, None) => String::new(),
            };
            format!("{did} {digest}{with}")
        }
        What::Apply(digest, text) => match receipt::read("the store's receipt", text) {
            Ok(saved) => {
                let mut counts: BTreeMap<String, usize> = BTreeMap::new();
                for result in saved.receipt.results() {
                    *counts
                        .entry(result.outcome.as_str().to_owned())
                        .or_default() += 1;
                }
                let counts = counts.iter().map(|(word, n)| format!("{n} {word}"));
                let withdrawn = event.withdrawn.iter();
                let withdrawn = withdrawn.map(|name| format!("{name} withdrawn"));
                let counts: Vec<_> = counts.chain(withdrawn).collect();
                let signers = saved.receipt.approvals.iter();
                let signers: Vec<_> = signers.map(|approval| approval.signer.as_str()).collect();
                let approved = match signers.as_slice() {
                    [] => String::new(),
                    signers => format!(", approved by {}", signers.join(", ")),
                };
                let overridden = saved.receipt.overrides.iter();
                let overridden =
                    overridden.map(|by| format!("; {} overridden: {}", by.rule, by.reason));
                let overridden: String = overridden.collect();
                // Nothing touches the digest: it is copied.
                let came_of_it = format!("{}{approved}{overridden}", counts.join(", "));
                return (format!("applied {digest}"), Some(came_of_it));
            }
            Err(_) => format!("applied {digest}; its receipt cannot be read"),
        },
        What::Consent(consents) if consents.is_empty() => "asked for consent".to_owned(),
        What::Consent(consents) => {
            let names: Vec<_> = consents
                .iter()
                .map(|consent| format!("{} ({})", consent.connector, consent.outcome))
                .collect();
            format!("consent to {}", names.join(", "))
        }
        What::Forget(connectors) => {
            let names: Vec<_> = connectors.iter().map(ToString::to_string).collect();
            format!("no longer waits: {}", names.join(", "))
        }
        What::Unlock(holder) => format!("ended the lease: {holder}"),
    };
    (words, None)
}

/// For a terminal, at this time.
fn text(
    app: &App,
    store: &str,
    events: &[HistoryEvent],
    signers: &SignersOf,
    now: Timestamp,
) -> String {
    let mut out = format!(
        "App {} at {}, as {} remembers it:\n",
        app.id,
        app.api_url,
        escape::terminal(store)
    );
    if events.is_empty() {
        out.push_str("\n  nothing yet\n");
        return out;
    }
    out.push('\n');
    let times: Vec<_> = events.iter().map(|event| ago(event.at, now)).collect();
    let wide = times.iter().map(String::len).max().unwrap_or(0);
    for (event, time) in events.iter().zip(times) {
        let (words, came_of_it) = words(event, signers);
        let line = format!("  {time:<wide$}  {}", escape::limited(&words, 400));
        // In one column: a narrow terminal has all of it below.
        let more =
            came_of_it.map_or_else(String::new, |more| escape::limited(&more, 400) + "; by ");
        out.extend([&line, "  (", &more, &who(event, signers), ")\n"]);
    }
    out
}

/// As a table in Markdown.
fn markdown(app: &App, store: &str, events: &[HistoryEvent], signers: &SignersOf) -> String {
    let mut out = format!(
        "### History of app {} ({})\n\n| when | what | who |\n|---|---|---|\n",
        escape::markdown(app.id.as_str()),
        escape::markdown(store)
    );
    for event in events {
        let (what, came_of_it) = words(event, signers);
        let more = came_of_it.map_or_else(String::new, |more| format!(" ({more})"));
        let (what, who) = (what + &more, who(event, signers));
        let (what, who) = (escape::markdown(&what), escape::markdown(&who));
        // Writing to a string cannot fail.
        let _ = writeln!(out, "| {} | {what} | {who} |", event.at);
    }
    out
}
