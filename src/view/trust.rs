//! What a user trusts.

use jiff::Timestamp;
use serde::Serialize;

use super::{Format, Medium, json::pretty, report::FORMAT_VERSION};
use crate::{
    model::{ApiUrl, AppId, ago},
    state::{Trust, TrustedVariable},
    term::Terminal,
};

#[derive(Serialize)]
struct TrustReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    addresses: Vec<Trusted<'a>>,
    stores: Vec<TrustedStore<'a>>,
    variables: Vec<VariableReport<'a>>,
}

#[derive(Serialize)]
struct VariableReport<'a> {
    name: &'a str,
    app_id: &'a AppId,
    api_url: &'a ApiUrl,
    since: Timestamp,
}

#[derive(Serialize)]
struct Trusted<'a> {
    url: &'a ApiUrl,
    since: Timestamp,
}

#[derive(Serialize)]
struct TrustedStore<'a> {
    url: &'a str,
    since: Timestamp,
}

/// What is trusted; for a person only where that was `asked` for.
pub fn show(trust: &Trust, asked: bool, medium: &Medium<'_>, terminal: &Terminal) {
    match medium.format {
        Format::Json => terminal.out(&json(trust)),
        _ if asked => terminal.out(&text(trust, medium.now)),
        _ => {}
    }
}

/// All of them, each with the time of it.
fn json(trust: &Trust) -> String {
    let addresses = trust.iter().map(|(url, since)| Trusted { url, since });
    let stores = trust
        .stores()
        .map(|(url, since)| TrustedStore { url, since });
    let variables = trust.variables().map(|(variable, since)| VariableReport {
        name: &variable.name,
        app_id: &variable.app_id,
        api_url: &variable.api_url,
        since,
    });
    pretty(&TrustReport {
        format_version: FORMAT_VERSION,
        kind: "trust",
        addresses: addresses.collect(),
        stores: stores.collect(),
        variables: variables.collect(),
    })
}

/// A line for each.
fn text(trust: &Trust, now: Timestamp) -> String {
    let addresses = trust.iter().map(|(url, since)| (url.to_string(), since));
    let stores = trust.stores();
    let stores = stores.map(|(url, since)| (crate::escape::limited(url, 400), since));
    let variables = trust.variables().map(|(variable, since)| {
        let TrustedVariable { name, app_id, .. } = variable;
        let what = format!("{name} for app {app_id} at {}", variable.api_url);
        (what, since)
    });
    let lines: Vec<_> = addresses
        .chain(stores)
        .chain(variables)
        .map(|(url, since)| format!("{url}  trusted {}\n", ago(since, now)))
        .collect();
    if lines.is_empty() {
        return "No address is trusted.\n".to_owned();
    }
    lines.concat()
}
