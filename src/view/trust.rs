//! The addresses that a user trusts.

use jiff::Timestamp;
use serde::Serialize;

use super::{json::pretty, report::FORMAT_VERSION, words::ago};
use crate::{model::ApiUrl, state::Trust};

#[derive(Serialize)]
struct TrustReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    addresses: Vec<Trusted<'a>>,
}

#[derive(Serialize)]
struct Trusted<'a> {
    url: &'a ApiUrl,
    since: Timestamp,
}

/// All of them, each with the time of it.
pub fn json(trust: &Trust) -> String {
    let addresses = trust.iter().map(|(url, since)| Trusted { url, since });
    pretty(&TrustReport {
        format_version: FORMAT_VERSION,
        kind: "trust",
        addresses: addresses.collect(),
    })
}

/// A line for each.
pub fn text(trust: &Trust, now: Timestamp) -> String {
    let lines: Vec<_> = trust
        .iter()
        .map(|(url, since)| format!("{url}  trusted {}\n", ago(since, now)))
        .collect();
    if lines.is_empty() {
        return "No address is trusted.\n".to_owned();
    }
    lines.concat()
}
