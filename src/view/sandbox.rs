//! Where a sandbox is, and how a client is pointed at it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Format, Medium, json::pretty, report::FORMAT_VERSION};
use crate::sandbox::{Access, SeedToken};

#[derive(Serialize)]
struct SandboxReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    environment: &'a BTreeMap<String, String>,
    tokens: &'a [SeedToken],
}

/// What a shell needs.
pub fn show(
    environment: &BTreeMap<String, String>,
    tokens: &[SeedToken],
    medium: &Medium,
) -> String {
    match medium.format {
        Format::Json => json(environment, tokens),
        _ => lines(environment),
    }
}

/// The variables as lines that a shell or a `.env` file takes.
fn lines(environment: &BTreeMap<String, String>) -> String {
    let lines: Vec<_> = environment
        .iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    lines.concat()
}

/// What somebody copies into another terminal: the address, and the first person's tokens.
pub fn to_copy(url: &str, tokens: &[SeedToken]) -> String {
    let mut text = format!(
        "In another terminal, export its address and one of these:\n\n  BASE44_API_URL={url}\n"
    );
    let own = tokens
        .iter()
        .filter(|token| tokens.first().is_some_and(|first| token.user == first.user));
    for token in own {
        let what = match token.access {
            Access::Full => "a full personal access token",
            Access::ReadOnly => "one that only reads",
        };
        text.extend(["  BASE44_ACCESS_TOKEN=", &token.token, "  (", what, ")\n"]);
    }
    text.push_str("  or the BASE44_API_KEY above, a workspace's key, which Base44 itself refuses for connectors\n\n");
    text
}

/// The same as JSON, with a line break at its end.
fn json(environment: &BTreeMap<String, String>, tokens: &[SeedToken]) -> String {
    pretty(&SandboxReport {
        format_version: FORMAT_VERSION,
        kind: "sandbox",
        environment,
        tokens,
    })
}
