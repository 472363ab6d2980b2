//! Where a sandbox is, and how a client is pointed at it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{json::pretty, report::FORMAT_VERSION};

#[derive(Serialize)]
struct SandboxReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    environment: &'a BTreeMap<String, String>,
}

/// The variables as lines that a shell or a `.env` file takes.
pub fn lines(environment: &BTreeMap<String, String>) -> String {
    let lines: Vec<_> = environment
        .iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    lines.concat()
}

/// The same as JSON, with a line break at its end.
pub fn json(environment: &BTreeMap<String, String>) -> String {
    pretty(&SandboxReport {
        format_version: FORMAT_VERSION,
        kind: "sandbox",
        environment,
    })
}
