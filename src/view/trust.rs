//! What a user trusts.

use jiff::Timestamp;
use serde::Serialize;

use super::{Format, Medium, json::pretty, report::FORMAT_VERSION};
use crate::{
    model::{ApiUrl, App, AppId, ago},
    state::{Trust, TrustedVariable},
    term::Terminal,
};

#[derive(Serialize)]
struct TrustReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    addresses: Vec<Trusted<'a>>,
    stores: Vec<TrustedStore<'a>>,
    used_stores: Vec<UsedStore<'a>>,
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

#[derive(Serialize)]
struct UsedStore<'a> {
    url: &'a str,
    app_id: &'a AppId,
    api_url: &'a ApiUrl,
}

/// An app, and the stores that this machine takes for its.
pub type Used<'a> = (&'a App, Vec<String>);

/// What is trusted; for a person only where that was `asked` for.
pub fn show(
    trust: &Trust,
    used: Option<&Used<'_>>,
    asked: bool,
    medium: &Medium<'_>,
    terminal: &Terminal,
) {
    match medium.format {
        Format::Json => terminal.out(&json(trust, used)),
        _ if asked => terminal.out(&text(trust, used, medium.now)),
        _ => {}
    }
}

/// All of them, each with the time of it.
fn json(trust: &Trust, used: Option<&Used<'_>>) -> String {
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
    let used = used.into_iter().flat_map(|(app, stores)| {
        stores.iter().map(|url| UsedStore {
            url,
            app_id: &app.id,
            api_url: &app.api_url,
        })
    });
    pretty(&TrustReport {
        format_version: FORMAT_VERSION,
        kind: "trust",
        addresses: addresses.collect(),
        stores: stores.collect(),
        used_stores: used.collect(),
        variables: variables.collect(),
    })
}

/// A line for each.
fn text(trust: &Trust, used: Option<&Used<'_>>, now: Timestamp) -> String {
    let addresses = trust.iter().map(|(url, since)| (url.to_string(), since));
    let stores = trust.stores();
    let stores = stores.map(|(url, since)| (crate::escape::limited(url, 400), since));
    let variables = trust.variables().map(|(variable, since)| {
        let TrustedVariable { name, app_id, .. } = variable;
        let what = format!("{name} for app {app_id} at {}", variable.api_url);
        (what, since)
    });
    let lines = addresses
        .chain(stores)
        .chain(variables)
        .map(|(url, since)| format!("{url}  trusted {}\n", ago(since, now)));
    let mut lines: Vec<_> = lines.collect();
    if let Some((app, stores)) = used {
        lines.extend(stores.iter().map(|url| {
            let (url, app, at) = (crate::escape::limited(url, 400), &app.id, &app.api_url);
            format!("{url}  used for app {app} at {at}\n")
        }));
    }
    if lines.is_empty() {
        return "No address is trusted.\n".to_owned();
    }
    lines.concat()
}
